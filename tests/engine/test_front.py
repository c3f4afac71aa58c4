"""The front door over real sockets: what it reads ahead, what it waits for, and what it leaves to the application."""

from __future__ import annotations

import contextlib
import gc
import logging
import select
import socket
import sys
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from time import thread_time
from typing import Any
from wsgiref.types import WSGIApplication
from wsgiref.validate import validator

import pytest
from greenlet import greenlet

from chatroom import runtime
from chatroom.engine.exchange import Exchange
from chatroom.engine.front import Front, Handler
from chatroom.engine.http_connection import HttpConnection
from chatroom.engine.http_request import Refusal, Request
from chatroom.engine.server import Engine
from chatroom.net.acceptor import Acceptor
from chatroom.net.connection import Connection
from chatroom.net.gate import Account
from chatroom.net.listeners import listen
from chatroom.net.loop import Loop
from chatroom.net.turns import Turns
from tests.support.inside import WAIT_S, alive, no_collector, nothing_here, until

BIG = b"x" * 2_000_000  # more than the sockets hold
ASK = b"GET /held/ HTTP/1.1\r\nHost: here\r\n\r\n"


class Purse:
    """A meter by which each client may send so many requests."""

    def __init__(self, requests: int) -> None:
        self._requests, self._health_checks = requests, 2
        self.charged: list[tuple[str, float]] = []

    def requests_wait_s(self, client: str) -> float:
        self._requests -= 1
        return 0.0 if self._requests >= 0 else 6.5

    def health_wait_s(self, client: str) -> float:
        self._health_checks -= 1
        return 0.0 if self._health_checks >= 0 else 0.5

    def charge_request(self, client: str, seconds: float) -> None:
        self.charged.append((client, seconds))

    def has_charged(self, count: int) -> bool:
        return len(self.charged) == count

    @property
    def seconds(self) -> float:
        """What was charged in all."""
        return sum(seconds for _, seconds in self.charged)


class Door:
    """A front with one handler, which keeps what it is asked, and a peer."""

    def __init__(
        self, app: WSGIApplication = nothing_here, *, turns: Turns | None = None, **settings: Any
    ) -> None:
        self.asked: list[Exchange] = []
        self.loop = Loop(turns=turns, at_once_s=WAIT_S)
        handlers: dict[str, Handler] = {"/held/": self.asked.append}
        self.front = Front(self.loop, app, handlers=handlers, **{"refusal_pause_s": 0.0, **settings})
        listener = listen("127.0.0.1", 0, backlog=8)[0]
        address = listener.getsockname()
        self.front.listen(listener)
        del listener
        gc.collect()
        self.peer = socket.create_connection(address, timeout=WAIT_S)
        self.peer.setblocking(False)
        self.heard = b""

    def receives(self) -> bool:
        """Take what has come; False once the server has closed."""
        try:
            while data := self.peer.recv(1 << 20):
                self.heard += data
        except BlockingIOError:
            return True
        return False

    def was_asked(self, count: int) -> bool:
        return len(self.asked) == count

    def was_answered(self, count: int, status: bytes = b"404") -> bool:
        """Whether the peer has so many answers: there is no such page."""
        return self.receives() and self.heard.count(b" %b " % status) == count

    def is_open_to(self, peers: int) -> bool:
        return len(self.loop.connections) == peers

    def has_slow_readers(self, count: int) -> bool:
        """Whether something waits for so many peers."""
        return sum(not connection.idle for connection in self.loop.connections) == count

    def has_read_all(self) -> bool:
        return not self.receives()

    def pours(self) -> int:
        """Send requests until the server takes no more; gives their bytes."""
        sent, patience = 0, 50
        while patience:
            with contextlib.suppress(BlockingIOError):
                while True:
                    sent += self.peer.send(ASK * 1000)
                    patience = 50
            patience -= 1
            runtime.sleep(0.001)  # a turn, in which more may be taken; `patience` bounds how many
        return sent


@pytest.fixture
def door() -> Iterator[Callable[..., Door]]:
    doors: list[Door] = []

    def opened(app: WSGIApplication = nothing_here, **settings: Any) -> Door:
        doors.append(Door(app, **settings))
        return doors[-1]

    yield opened
    for one in doors:
        one.peer.close()
        for connection in list(one.loop.connections):
            connection.abort("the test is over")


def test_who_sends_requests_ahead_is_read_no_faster_than_answered(door: Callable[..., Door]) -> None:
    one = door()
    one.pours()
    for count in range(1, 101):
        until(partial(one.was_asked, count))
        one.asked[-1].respond(200, b"")
        one.receives()
        runtime.sleep(0.001)  # a turn, in which more could be read
    # Each answer makes room for one request in what is kept; it used to make room for 64 KB of them.
    assert one.pours() < 1_000_000


def test_the_headers_of_a_request_are_remembered_for_the_next(door: Callable[..., Door]) -> None:
    one = door()
    for count in range(1, 4):
        one.peer.send(ASK)
        until(partial(one.was_asked, count))
        if count == 2:
            one.asked[-1].http.expect_same_headers(one.asked[-1].request)
        one.asked[-1].respond(200, b"")
    assert [exchange.request.is_known for exchange in one.asked] == [False, False, True]


def test_a_hangup_is_noticed_after_pipelined_bytes(door: Callable[..., Door]) -> None:
    one = door()
    one.peer.send(ASK)
    until(lambda: bool(one.asked))
    one.peer.send(b"GET /")
    for _ in range(10):
        runtime.sleep(0.001)  # turns in which it is read and kept
    one.peer.close()
    until(lambda: one.asked[0].hung_up)


def test_who_closes_its_side_still_gets_the_whole_answer(door: Callable[..., Door]) -> None:
    for keep_alive in (True, False):
        one = door()
        one.peer.send(ASK)
        until(partial(one.was_asked, 1))
        one.asked[0].request.keep_alive = keep_alive
        one.asked[0].respond(200, b"x" * 5_000_000)
        one.peer.shutdown(socket.SHUT_WR)
        runtime.sleep(0.01)  # turns in which the end can be read
        until(one.has_read_all)
        assert len(one.heard.partition(b"\r\n\r\n")[2]) == 5_000_000


def test_an_answer_follows_the_whole_of_the_one_before_it(door: Callable[..., Door]) -> None:
    one = door()
    one.peer.send(ASK)
    until(lambda: bool(one.asked))
    one.asked[0].respond(200, b"x" * 5_000_000)
    one.peer.send(b"GET /elsewhere HTTP/1.1\r\nHost: here\r\n\r\n")
    for _ in range(10):
        runtime.sleep(0.001)  # the application would answer now

    def both() -> bool:
        one.receives()
        return b"404 Not Found" in one.heard

    until(both)
    assert one.heard.index(b"HTTP/1.1 404") == one.heard.index(b"\r\n\r\n") + 4 + 5_000_000


def test_a_pipelined_expect_continue_is_answered(
    door: Callable[..., Door],
) -> None:
    one = door()
    head = b"POST /held/ HTTP/1.1\r\nHost: here\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n"
    one.peer.send(ASK + head)
    until(lambda: bool(one.asked))
    one.asked[0].respond(200, b"first")
    until(lambda: one.receives() and b"100 Continue" in one.heard)
    one.peer.send(b"body")
    until(lambda: len(one.asked) == 2)
    assert one.asked[1].request.body == b"body"


@pytest.mark.parametrize("after", [b"\r", b"\r\n", b"x"])
def test_a_connection_with_extra_bytes_is_not_taken_over(door: Callable[..., Door], after: bytes) -> None:
    one = door()
    head = b"GET /held/ HTTP/1.1\r\nHost: here\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    one.peer.send(head + b"Content-Length: 0\r\n\r\n" + after)
    until(lambda: bool(one.asked) or not one.receives())
    for exchange in one.asked:
        with pytest.raises(Refusal):
            exchange.take_over()


def test_empty_lines_do_not_extend_a_deadline(door: Callable[..., Door]) -> None:
    one = door(head_timeout_s=0.3, keepalive_timeout_s=60)
    drops = iter(b"\r\n" * 10_000)

    def closed() -> bool:
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            one.peer.send(bytes((next(drops),)))
            runtime.sleep(0.02)  # slow drops, many within the deadline
            return not one.receives()
        return True

    until(closed)


def test_a_body_that_fails_on_close_ends_one_connection(
    door: Callable[..., Door], caplog: pytest.LogCaptureFixture
) -> None:
    class Body(list[bytes]):
        def close(self) -> None:
            raise ValueError("what people write must not be logged")

    def app(_environ: object, start_response: Callable[..., Any]) -> list[bytes]:
        start_response("200 OK", [("Content-Length", "1")])
        return Body([b"x"])

    one = door(app, keepalive_timeout_s=60)
    one.peer.send(b"GET / HTTP/1.1\r\nHost: here\r\n\r\n")
    with caplog.at_level(logging.WARNING):
        until(lambda: not one.receives())
    assert one.heard.endswith(b"\r\n\r\nx")
    assert [record.getMessage().partition(":")[0] for record in caplog.records] == ["a response failed"]
    assert "people" not in caplog.text


def test_a_failure_is_answered_with_security_headers(
    door: Callable[..., Door], caplog: pytest.LogCaptureFixture
) -> None:
    def app(_environ: object, _start_response: object) -> list[bytes]:
        raise ValueError("what people write must not be logged")

    one = door(app)
    with caplog.at_level(logging.WARNING):
        one.peer.send(b"GET / HTTP/1.1\r\nHost: here\r\n\r\n")
        until(lambda: one.receives() and one.heard.endswith(b"the server failed\n"))
        one.heard = b""
        one.peer.send(b"HEAD / HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n")
        until(lambda: not one.receives())
    assert one.heard.startswith(b"HTTP/1.1 500 ")
    assert one.heard.endswith(b"\r\n\r\n")
    for header in (b"X-Content-Type-Options: nosniff", b"Cache-Control: no-store"):
        assert header.lower() in one.heard.lower()
    assert "people" not in caplog.text


def test_a_proxys_connections_belong_to_its_clients() -> None:
    """All come from one peer; the oldest of the client with the most makes room."""
    asked: list[Exchange] = []
    environs: list[dict[str, Any]] = []
    loop, acceptor = Loop(), Acceptor(max_connections=3)

    def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        environs.append(environ)
        return nothing_here(environ, start_response)

    front = Front(
        loop,
        app,
        handlers={"/held/": asked.append},
        acceptor=acceptor,
        client_of=lambda peer, forwarded: forwarded[-1] if forwarded else peer,
    )
    listener = listen("127.0.0.1", 0, backlog=8)[0]
    front.listen(listener)
    with contextlib.ExitStack() as stack:

        def ask(client: str, path: str = "/held/") -> socket.socket:
            peer = stack.enter_context(socket.create_connection(listener.getsockname(), timeout=WAIT_S))
            head = f"GET {path} HTTP/1.1\r\nHost: here\r\nX-Forwarded-For: 1.1.1.1\r\nX-Forwarded-For: {client}\r\n"
            peer.sendall(head.encode() + b"\r\n")
            return peer

        ask("192.0.2.1")
        until(lambda: len(asked) == 1)
        second = ask("192.0.2.2")
        until(lambda: len(asked) == 2)
        ask("192.0.2.2", "/elsewhere")
        until(lambda: bool(environs))
        ask("192.0.2.3")
        until(lambda: len(asked) == 3)
        assert [exchange.client for exchange in asked] == ["192.0.2.1", "192.0.2.2", "192.0.2.3"]
        assert environs[0]["REMOTE_ADDR"] == "192.0.2.2"
        assert [exchange.hung_up for exchange in asked] == [False, True, False]
        assert second.recv(1) == b""
    acceptor.close(listener)
    for connection in list(loop.connections):
        connection.abort("the test is over")


# An answer of the application is measured, and charged once more.
@pytest.mark.parametrize(("path", "charges"), [("/held/", 1), ("/page", 2)])
def test_an_address_that_asks_too_much_gets_429(door: Callable[..., Door], path: str, charges: int) -> None:
    purse = Purse(requests=2)
    one = door(meter=purse, refusal_pause_s=0.5)
    ask = f"GET {path} HTTP/1.1\r\nHost: here\r\n\r\n".encode()
    for count in (1, 2):
        one.peer.send(ask)
        until(partial(purse.has_charged, count * charges))
        for exchange in one.asked:
            exchange.respond(404, b"")
        one.asked.clear()
        until(partial(one.was_answered, count))
    one.peer.send(ask)
    until(one.has_read_all)
    assert b" 429 " in one.heard
    assert b"Retry-After: 6\r\n" in one.heard  # half a second is over
    assert [client for client, _ in purse.charged] == ["127.0.0.1"] * 2 * charges
    assert purse.seconds > 0
    assert one.asked == []


def test_a_refusal_waits_and_keeps_no_session_waiting(door: Callable[..., Door]) -> None:
    one = door(
        meter=Purse(requests=0),
        in_session=lambda request: request.parameters.get("sid") == "s",
        refusal_pause_s=2 * WAIT_S,
    )
    one.peer.send(ASK)
    with socket.create_connection(one.peer.getpeername(), timeout=WAIT_S) as other:
        other.send(ASK.replace(b" HTTP", b"?sid=s HTTP"))
        until(lambda: one.was_asked(1))
        one.asked[0].respond(200, b"")
        until(lambda: bool(select.select([other], [], [], 0)[0]))
    assert one.receives()
    assert one.heard == b""


@pytest.mark.parametrize(
    ("page", "may_read"), [("http://page.example", True), ("http://other.example", False)]
)
@pytest.mark.parametrize("status", [429, 503])
def test_an_early_refusal_has_cors_headers(
    door: Callable[..., Door], page: str, may_read: bool, status: int
) -> None:
    engine = Engine(cors_allowed_origins=["http://page.example"])
    limits = {"meter": Purse(requests=0)} if status == 429 else {"acceptor": Acceptor(max_connections=0)}
    one = door(allow_origin=engine.allow_origin, **limits)
    one.peer.send(ASK.replace(b"\r\n\r\n", f"\r\nOrigin: {page}\r\n\r\n".encode()))
    until(one.has_read_all)
    assert f" {status} ".encode() in one.heard
    assert (f"\nAccess-Control-Allow-Origin: {page}\r\n".encode() in one.heard) is may_read
    assert (b"\nCross-Origin-Resource-Policy: cross-origin\r\n" in one.heard) is may_read


def work(seconds: float) -> None:
    """Use so much computing time."""
    end = thread_time() + seconds
    while thread_time() < end:
        pass


class NotedTurns(Turns):
    """Turns, and whose they are."""

    def __init__(self) -> None:
        super().__init__()
        self.addresses: list[str] = []

    def put(self, address: str, call: Callable[[], None], account: Account | None = None) -> None:
        self.addresses.append(address)
        super().put(address, call, account)


@pytest.mark.parametrize(("is_proxy", "whose"), [(True, "192.0.2.2"), (False, "127.0.0.1")])
def test_behind_a_proxy_clients_take_turns(door: Callable[..., Door], is_proxy: bool, whose: str) -> None:
    turns = NotedTurns()
    one = door(
        client_of=lambda peer, forwarded: forwarded[-1] if forwarded else peer,
        is_proxy=lambda _peer: is_proxy,
        turns=turns,
    )
    lines = "X-Forwarded-For: 192.0.2.1\r\nx-forwarded-for:192.0.2.2 \r\nContent-Length: 60\r\n\r\n"
    one.peer.send(b"POST" + ASK[3:-2] + lines.encode() + b"\r\nX-Forwarded-For: 192.0.2.3\r\n")
    until(lambda: len(turns.addresses) == 1)
    one.peer.send(b"\r\nX-Forwarded-For: 192.0.2.4\r\n")
    until(lambda: one.was_asked(1))
    assert turns.addresses == [whose] * 2


def test_an_answer_is_charged_what_it_took(door: Callable[..., Door]) -> None:
    def app(_environ: object, start_response: Callable[..., Any]) -> list[bytes]:
        work(0.05)
        start_response("200 OK", [("Content-Length", "1")])
        return [b"x"]

    purse = Purse(requests=1)
    one = door(app, meter=purse)
    one.peer.send(b"GET /page HTTP/1.1\r\nHost: here\r\n\r\n")
    until(partial(purse.has_charged, 2))
    assert purse.seconds >= 0.05


def test_an_answer_is_not_charged_for_what_others_do_meanwhile(door: Callable[..., Door]) -> None:
    def app(_environ: object, start_response: Callable[..., Any]) -> Iterable[bytes]:
        start_response("200 OK", [("Content-Length", str(len(BIG)))])
        return iter([BIG])  # in pieces: the next waits until this one was read

    purse = Purse(requests=1)
    one = door(app, meter=purse)
    one.peer.send(b"GET /page HTTP/1.1\r\nHost: here\r\n\r\n")
    until(partial(purse.has_charged, 1))
    runtime.sleep(0)  # it has begun, and waits for the peer
    work(0.4)
    until(lambda: one.receives() and purse.has_charged(2))
    assert len(one.heard) > len(BIG)
    assert purse.seconds < 0.4


def big(_environ: object, start_response: Callable[..., Any]) -> list[bytes]:
    """An application with a page that is more than the sockets hold."""
    start_response("200 OK", [])
    return [BIG]


def greenthreads() -> int:
    """How many have not ended."""
    return sum(isinstance(one, greenlet) and not one.dead for one in gc.get_objects())


def test_a_whole_answer_waits_without_a_greenthread_or_a_copy(door: Callable[..., Door]) -> None:
    one, ask = door(big), b"GET / HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n"
    one.peer.send(ask)
    until(partial(one.has_slow_readers, 1))
    before, held = greenthreads(), sys.getrefcount(BIG)
    with contextlib.ExitStack() as stack:
        for count in (2, 3):
            stack.enter_context(socket.create_connection(one.peer.getpeername(), WAIT_S)).sendall(ask)
            until(partial(one.has_slow_readers, count))
        assert greenthreads() == before
        assert sys.getrefcount(BIG) == held + 2
        # None is being closed yet, for which a reader would have two seconds only.
        assert one.is_open_to(3)
        until(one.has_read_all)
    assert one.heard.endswith(b"\r\n\r\n" + BIG)


def test_of_too_many_slow_readers_the_greediest_address_loses_one(door: Callable[..., Door]) -> None:
    one = door(big, max_waiting=2, client_of=lambda _peer, forwarded: forwarded[-1])
    with contextlib.ExitStack() as stack:
        peers = []
        for number, client in enumerate(("192.0.2.1", "192.0.2.2", "192.0.2.2"), start=1):
            peer = stack.enter_context(socket.create_connection(one.peer.getpeername(), timeout=WAIT_S))
            peer.sendall(b"GET / HTTP/1.1\r\nHost: here\r\nX-Forwarded-For: %b\r\n\r\n" % client.encode())
            peers.append(peer)
            until(partial(one.has_slow_readers, min(number, 2)))
        until(partial(one.is_open_to, 3))
        # It is reset: otherwise the kernel would keep what it has for this peer for minutes.
        with pytest.raises(ConnectionResetError):
            read_to_end(peers[1])
        peers[2].shutdown(socket.SHUT_WR)
        assert len(read_to_end(peers[2])) > len(BIG)
        peers[0].shutdown(socket.SHUT_WR)
        assert len(read_to_end(peers[0])) > len(BIG)


def read_to_end(peer: socket.socket) -> bytes:
    """What comes until the server closes."""
    heard = bytearray()
    peer.setblocking(False)

    def ended() -> bool:
        try:
            while data := peer.recv(1 << 20):
                heard.extend(data)
        except BlockingIOError:
            return False
        return True

    until(ended)
    return bytes(heard)


@pytest.mark.parametrize("leaves", [True, False])
def test_pieces_are_asked_for_as_they_are_read(
    door: Callable[..., Door], caplog: pytest.LogCaptureFixture, leaves: bool
) -> None:
    given, closed = list[int](), list[bool]()

    def app(_environ: object, start_response: Callable[..., Any]) -> Iterator[bytes]:
        start_response("200 OK", [])
        try:
            for number in range(3):
                given.append(number)
                yield BIG
        finally:
            closed.append(True)

    one = door(app)
    one.peer.send(b"GET / HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n")
    until(partial(one.has_slow_readers, 1))
    # Nothing signals that it does not ask for more: so it gets ten turns in which it could.
    for _ in range(10):
        runtime.sleep(0)
    assert given == [0]
    if leaves:
        one.peer.close()
        until(lambda: bool(closed))
    else:
        until(one.has_read_all)
        assert one.heard.count(BIG) == 3
        assert one.heard.endswith(b"\r\n0\r\n\r\n")
    assert (given, closed) == ([0] if leaves else [0, 1, 2], [True])
    assert caplog.records == []


@pytest.mark.parametrize(
    ("request_line", "headers", "body", "expected", "stays"),
    [
        (
            "GET / HTTP/1.1",
            {},
            [b"ab", b"c"],
            b"Content-Length: 3\r\nConnection: keep-alive\r\n\r\nabc",
            True,
        ),
        ("GET / HTTP/1.1", {}, iter([b"ab", b"", b"c"]), b"2\r\nab\r\n1\r\nc\r\n0\r\n\r\n", True),
        ("GET / HTTP/1.0", {}, iter([b"ab", b"c"]), b"Connection: close\r\n\r\nabc", False),
        ("HEAD / HTTP/1.1", {"Content-Length": "3"}, [b"abc"], b"Connection: keep-alive\r\n\r\n", True),
        ("HEAD / HTTP/1.1", {}, iter([b"abc"]), b"Connection: keep-alive\r\n\r\n", True),
        ("GET / HTTP/1.1", {"Content-Length": "2"}, [b"abc"], b"\r\n\r\nab", True),
        ("GET / HTTP/1.1", {"Content-Length": "4"}, [b"abc"], b"\r\n\r\nabc", False),
    ],
    ids=["list", "pieces", "pieces by 1.0", "HEAD", "HEAD of pieces", "too long", "too short"],
)
def test_a_client_finds_the_end_of_a_wsgi_answer(
    door: Callable[..., Door],
    request_line: str,
    headers: dict[str, str],
    body: Iterable[bytes],
    expected: bytes,
    stays: bool,
) -> None:
    def app(_environ: object, start_response: Callable[..., Any]) -> Iterable[bytes]:
        start_response("200 OK", list(headers.items()))
        return body

    one = door(app)
    one.peer.send(f"{request_line}\r\nHost: here\r\n\r\n".encode())
    until(lambda: (one.receives() and one.heard.endswith(expected)) or not one.receives())
    assert one.heard.endswith(expected)
    one.peer.send(ASK)
    until(lambda: one.was_asked(1) or not one.loop.connections)
    assert one.was_asked(1) is stays


def test_applications_are_called_as_wsgi_says(
    door: Callable[..., Door], caplog: pytest.LogCaptureFixture
) -> None:
    def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
        write = start_response("200 OK", [("Content-Type", "text/plain")])
        write(environ["wsgi.input"].read(100))
        return [b", and more"]

    one = door(validator(app))  # which raises an AssertionError otherwise
    one.peer.send(b"POST /a?b HTTP/1.1\r\nHost: here\r\nContent-Length: 4\r\n\r\nbody")
    until(lambda: one.receives() and one.heard.endswith(b"\r\n0\r\n\r\n"))
    assert one.heard.endswith(b"\r\n\r\n4\r\nbody\r\na\r\n, and more\r\n0\r\n\r\n")
    assert caplog.records == []


def test_the_same_failure_is_logged_once_a_minute(
    door: Callable[..., Door], caplog: pytest.LogCaptureFixture
) -> None:
    def app(_environ: object, _start_response: object) -> list[bytes]:
        raise OSError("too many open files")

    one = door(app)
    for count in range(1, 4):
        one.peer.send(b"GET / HTTP/1.1\r\nHost: here\r\n\r\n")
        until(partial(one.was_answered, count, b"500"))
    assert len(caplog.records) == 1


def test_health_checks_of_an_address_that_owes_are_bounded(door: Callable[..., Door]) -> None:
    purse = Purse(requests=0)
    one = door(meter=purse)
    address, answers = one.peer.getpeername(), []
    for _ in range(3):
        one.peer.close()
        one.peer, one.heard = socket.create_connection(address, timeout=WAIT_S), b""
        one.peer.setblocking(False)
        one.peer.send(b"GET /healthz HTTP/1.1\r\nHost: here\r\n\r\n")
        until(one.has_read_all)
        answers.append(one.heard.split(b" ")[1])
    assert answers == [b"404", b"404", b"429"]  # there is no page at all
    assert purse.seconds > 0


def test_requests_of_a_session_and_health_checks_are_not_refused(door: Callable[..., Door]) -> None:
    one = door(meter=Purse(requests=0), in_session=lambda request: request.parameters.get("sid") == "s")
    one.peer.send(b"GET /held/?sid=s HTTP/1.1\r\nHost: here\r\n\r\n")
    until(lambda: one.was_asked(1))
    one.asked[0].respond(200, b"")
    one.peer.send(b"GET /healthz HTTP/1.1\r\nHost: here\r\n\r\n")
    until(one.has_read_all)
    assert (one.heard.count(b" 200 "), one.heard.count(b" 404 ")) == (1, 1)  # there is no page at all


def test_what_is_no_request_is_charged_too(door: Callable[..., Door]) -> None:
    purse = Purse(requests=2)
    one = door(meter=purse)
    one.peer.send(b"GET / HTTP/1.1\r\nHost: a:b\r\n\r\n")
    until(one.has_read_all)
    assert b" 400 " in one.heard
    assert [client for client, _ in purse.charged] == ["127.0.0.1"]


@pytest.mark.parametrize("is_late", [False, True])
def test_half_a_request_is_charged_at_its_end(door: Callable[..., Door], is_late: bool) -> None:
    purse = Purse(requests=2)
    one = door(meter=purse, head_timeout_s=0.05 if is_late else WAIT_S)
    one.peer.send(ASK[:-2])
    if is_late:
        until(one.has_read_all)
        assert b" 408 " in one.heard
    one.peer.shutdown(socket.SHUT_WR)
    until(partial(purse.has_charged, 1))
    until(partial(one.is_open_to, 0))
    assert len(purse.charged) == 1
    assert purse.seconds > 0


@pytest.mark.parametrize("is_late", [False, True])
def test_half_a_request_of_a_session_is_not_charged(door: Callable[..., Door], is_late: bool) -> None:
    purse = Purse(requests=2)
    one = door(
        meter=purse,
        in_session=lambda request: request.parameters.get("sid") == "s",
        body_timeout_s=0.05 if is_late else WAIT_S,
    )
    one.peer.send(b"POST /held/?sid=s HTTP/1.1\r\nHost: here\r\nContent-Length: 9\r\n\r\n4")
    if is_late:
        until(one.has_read_all)
        assert b" 408 " in one.heard
    one.peer.shutdown(socket.SHUT_WR)
    until(one.has_read_all)
    assert purse.charged == []


def test_a_request_that_is_dropped_before_its_answer_is_charged(
    door: Callable[..., Door], monkeypatch: pytest.MonkeyPatch
) -> None:
    purse = Purse(requests=2)
    one = door(meter=purse, client_of=lambda _peer, _forwarded: "192.0.2.1")

    def keep(_loop: Loop, connection: Connection, _size: int) -> None:
        """Too much is kept of what clients have not finished, the beginning of another request included."""
        if isinstance(connection.role, HttpConnection) and connection.role.exchange is not None:
            connection.abort("full")

    monkeypatch.setattr(Loop, "keep_unfinished", keep)
    one.peer.send(ASK + ASK[:-2])
    until(partial(purse.has_charged, 1))
    assert one.asked == []
    assert [client for client, _ in purse.charged] == ["192.0.2.1"]


@pytest.mark.parametrize(
    ("first", "last", "whose"),
    [
        ("GET / HTTP/1.1\r\nHost: a:b", "", "192.0.2.2"),
        (f"GET /?{'&' * 40} HTTP/1.1\r\nHost: a", "", "192.0.2.2"),
        (f"GET / HTTP/1.1\r\nHost: a\r\nX: {'x' * 17_000}", "", "192.0.2.2"),
        ("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1e9", "", "192.0.2.2"),
        ("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked", "no length\r\n", "192.0.2.2"),
        # The proxy's own line may still be missing.
        ("GET / HTTP/1.1\r\nHost: a\nX: y\r\nX-Forwarded-For: 192.0.2.1\r\n", None, "127.0.0.1"),
    ],
    ids=["host", "parameters", "long head", "length", "body", "half a head"],
)
def test_what_a_proxy_passes_on_is_charged_to_its_client(
    door: Callable[..., Door], first: str, last: str | None, whose: str
) -> None:
    purse = Purse(requests=2)
    one = door(
        client_of=lambda peer, forwarded: forwarded[-1] if forwarded else peer,
        is_proxy=lambda _peer: True,
        meter=purse,
    )
    forwarded = "" if last is None else "\r\nX-Forwarded-For: 192.0.2.1\r\nX-Forwarded-For: 192.0.2.2\r\n\r\n"
    one.peer.send(f"{first}{forwarded}{last or ''}".encode())
    until(one.has_read_all)
    assert b" 200 " not in one.heard
    assert [client for client, _ in purse.charged] == [whose]


@pytest.mark.parametrize(
    "data",
    [
        b"GET / HTTP/1.1\r\nHost: a:b\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nno header\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nno length\r\n",
    ],
)
def test_what_is_no_request_is_freed_without_the_collector(door: Callable[..., Door], data: bytes) -> None:
    one = door()
    with no_collector():
        before = alive(Refusal)
        one.peer.send(data)
        until(one.has_read_all)
        assert alive(Refusal) == before


def test_newcomers_requests_are_read_in_turn(door: Callable[..., Door]) -> None:
    """Six peers ask at once: a turn reads one request, then everyone else has theirs."""
    turn, turns = 0, list[int]()

    def tick() -> None:
        nonlocal turn
        turn += 1
        if len(turns) < 6:
            runtime.call_soon(tick)

    def note(request: Request) -> bool:
        turns.append(turn)
        return True

    one = door(meter=Purse(requests=0), in_session=note, turns=Turns(0.0))
    with contextlib.ExitStack() as stack:
        address = one.peer.getpeername()
        peers = []
        for count in range(2, 8):
            peers.append(stack.enter_context(socket.create_connection(address, timeout=WAIT_S)))
            until(partial(one.is_open_to, count))
        for peer in peers:
            peer.sendall(ASK)
        runtime.call_soon(tick)
        until(lambda: len(turns) == 6)
    assert len(set(turns)) == 6


class Held(Turns):
    """Turns that a test gives."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[Callable[[], None]] = []

    def put(self, address: str, call: Callable[[], None], account: Account | None = None) -> None:
        self.calls.append(call)


def test_a_request_is_answered_though_its_peer_ended_meanwhile(door: Callable[..., Door]) -> None:
    turns = Held()
    one = door(turns=turns)
    one.peer.send(b"GET /page HTTP/1.1\r\nHost: here\r\n\r\n")
    one.peer.shutdown(socket.SHUT_WR)
    until(lambda: len(turns.calls) == 1)
    (connection,) = one.loop.connections
    until(lambda: not connection.reading)  # the end has come too
    turns.calls.pop()()  # reads it
    turns.calls.pop()()  # answers it
    until(one.has_read_all)
    assert one.heard.startswith(b"HTTP/1.1 404 ")


def test_the_host_rule_knows_both_ends_of_the_connection(door: Callable[..., Door]) -> None:
    seen: list[tuple[str, str, str]] = []

    def refuse_host(host: str, peer: str, local: str) -> None:
        seen.append((host, peer, local))

    one = door(refuse_host=refuse_host)
    with socket.socket() as peer:
        peer.bind(("127.0.0.5", 0))
        peer.connect(one.peer.getpeername())
        peer.send(b"GET /held/ HTTP/1.1\r\nHost: evil.example\r\n\r\n")
        until(partial(one.was_asked, 1))
    assert seen == [("evil.example", "127.0.0.5", "127.0.0.1")]


def test_each_name_is_judged_once_on_a_connection(door: Callable[..., Door]) -> None:
    judged: list[str] = []

    def refuse_host(host: str, _peer: str, _local: str) -> WSGIApplication | None:
        judged.append(host)
        return nothing_here if host == "evil.example" else None

    one = door(refuse_host=refuse_host)
    for count, host in enumerate((b"here", b"here", b"there", b"here"), start=1):
        one.peer.send(ASK.replace(b"here", host))
        until(partial(one.was_asked, count))
        one.asked[-1].respond(200, b"")
    one.peer.send(ASK.replace(b"here", b"evil.example"))
    until(one.has_read_all)
    assert b" 404 " in one.heard
    assert judged == ["here", "there", "here", "evil.example"]
