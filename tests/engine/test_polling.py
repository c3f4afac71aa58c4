"""What waits for a client that polls, and which of its requests are answered when."""

import contextlib
import socket
from collections.abc import Iterator
from itertools import pairwise

import pytest

from chatroom import runtime
from chatroom.engine import final_payloads as module_of_final_payloads
from chatroom.engine import packets, reasons
from chatroom.engine.bounds import Bound
from chatroom.engine.exchange import Exchange
from chatroom.engine.final_payloads import FinalPayloads
from chatroom.engine.http_connection import HttpConnection
from chatroom.engine.http_request import Request
from chatroom.engine.polling import Polling
from chatroom.engine.session import INBOX_HIGH, Session
from chatroom.engine.sessions import Sessions
from chatroom.engine.transport import NO_TRANSPORT
from chatroom.engine.websocket import WebSocketTransport
from chatroom.net.connection import Connection, Role
from chatroom.net.loop import Loop
from chatroom.net.relief import Relief
from tests.support.inside import until


class Reading(HttpConnection):
    """What reads no requests, and keeps the last one whose headers it should know again."""

    def __init__(self) -> None:
        self.known: Request | None = None

    def expect_same_headers(self, request: Request) -> None:
        self.known = request


class Asked(Exchange):
    """An exchange without a connection, which keeps its answer."""

    http: Reading

    def __init__(self, body: bytes = b"") -> None:
        headers = {b"cookie": ["a=b"]}
        self.request = Request("POST" if body else "GET", "/engine.io/", "", "1.1", headers, body)
        self.connection = None  # type: ignore[assignment]  # is only asked for once a client has joined
        self.hung_up = False
        self.on_hangup = None
        self.answer: tuple[int, bytes] | None = None
        self.http = Reading()

    def respond(
        self,
        status: int,
        body: bytes,
        *,
        content_type: str = "",
        headers: list[tuple[str, str]] | None = None,
    ) -> None:
        assert self.answer is None
        self.answer = (status, body)

    @property
    def is_refused(self) -> bool:
        return self.answer is not None and self.answer[0] == 400


@pytest.fixture
def sessions() -> Iterator[Sessions]:
    loop = Loop()
    yield Sessions(
        loop,
        {},
        ping_interval_s=25,
        ping_timeout_s=20,
        outbox_limit_bytes=100,
        outbox_limit_packets=5,
    )
    loop.flush()


@pytest.fixture
def final_payloads() -> FinalPayloads:
    return FinalPayloads(Relief())


@pytest.fixture
def session(sessions: Sessions) -> Session:
    return sessions.create("s", "192.0.2.1")


@pytest.fixture
def polling(session: Session, sessions: Sessions, final_payloads: FinalPayloads) -> Polling:
    polling = Polling(session, sessions, final_payloads)
    session.begin(polling)
    return polling


def get(polling: Polling) -> Asked:
    polling.get(asked := Asked())
    return asked


def test_what_waits_answers_a_poll_at_once(polling: Polling) -> None:
    polling.send("4a")
    polling.send(b"\1\2")
    assert get(polling).answer == (200, b"4a\x1ebAQI=")
    assert get(polling).answer is None


def test_the_next_poll_probably_has_the_same_headers(polling: Polling) -> None:
    polling.send("4a")
    for _ in range(2):
        asked = get(polling)
        assert asked.http.known is asked.request


def test_a_waiting_request_keeps_no_headers(polling: Polling) -> None:
    poll = get(polling)
    polling.post(post := Asked(b"\x1e".join([b"4"] * (INBOX_HIGH + 1))))
    for waiting in (poll, post):
        assert waiting.answer is None
        assert not waiting.request.headers


def test_a_waiting_poll_is_answered_at_the_turns_end(sessions: Sessions, polling: Polling) -> None:
    waiting = get(polling)
    polling.send("4a")
    polling.send("4b")
    assert waiting.answer is None
    sessions.loop.flush()
    assert waiting.answer == (200, b"4a\x1e4b")


def test_two_polls_at_once_end_the_session(session: Session, polling: Polling) -> None:
    first = get(polling)
    assert get(polling).is_refused
    assert session.closed_because == reasons.PROTOCOL_ERROR
    assert first.answer == (200, packets.CLOSE.encode())


@pytest.mark.parametrize("last", ["4", "packets"])
def test_more_than_may_wait_ends_the_session(session: Session, polling: Polling, last: str) -> None:
    if last == "packets":
        for _ in range(5):
            polling.send("4")
    else:
        polling.send("4" * 500)  # the first may have any length
        polling.send(packets.PING)  # it goes first, and is not what may be long
        polling.send("€" * 33)
        polling.send("é" * 250)  # there was room when it came
    assert not session.closed
    polling.send("4")
    assert session.closed_because == reasons.SLOW_READER


class OneAccount:
    """A gate that has one account for all."""

    def __init__(self, most: int) -> None:
        self.most, self.held = most, 0
        self.last_until = 0.0
        self.answers, self.wait_s = 0, 0.0
        self.owes = self.wastes = False

    def session_opened(self, client: str) -> float:
        return 0.0

    def session_closed(self, client: str) -> None:
        """It counts no sessions."""

    def session_cut(self, client: str) -> None:
        """This gate does not count floods."""

    def account_of(self, client: str) -> "OneAccount":
        return self

    @property
    def group(self) -> "OneAccount":
        return self

    @property
    def has_too_much(self) -> bool:
        return self.held > self.most

    def hold(self, size: int) -> bool:
        self.held += size
        return self.held <= self.most

    def answer_wait_s(self, now: float) -> float:
        self.answers += 1
        return self.wait_s

    def post_wait_s(self, now: float) -> float:
        return self.wait_s

    def owes_time(self, now: float) -> bool:
        return self.owes

    def waste(self, count: int, now: float) -> bool:
        return self.wastes


def end_of_turn() -> None:
    """Let the loop do what is due, and the whole turn after it."""
    done: list[bool] = []
    runtime.call_later(0, lambda: runtime.call_last(lambda: done.append(True)))
    until(lambda: bool(done))


def poll_under(gate: OneAccount, final_payloads: FinalPayloads) -> tuple[Sessions, list[Polling]]:
    """Three sessions of one account, for which 40, 80 and 40 bytes wait."""
    sessions = Sessions(
        Loop(),
        {},
        ping_interval_s=25,
        ping_timeout_s=20,
        outbox_limit_bytes=100,
        outbox_limit_packets=5,
        gate=gate,
    )
    pollers = [Polling(sessions.create(sid, ""), sessions, final_payloads) for sid in "abc"]
    for polling, size in zip(pollers, (40, 80, 40), strict=True):
        polling.session.begin(polling)
        polling.send("4" + "x" * (size - 1))
    return sessions, pollers


def test_slowest_reader_of_an_account_makes_room(final_payloads: FinalPayloads) -> None:
    gate = OneAccount(150)
    sessions, pollers = poll_under(gate, final_payloads)
    until(lambda: pollers[1].session.closed)
    assert [one.session.closed for one in pollers] == [False, True, False]
    assert gate.held == 80
    pollers[0].take_payload()
    sessions.end(pollers[2].session, reasons.PROTOCOL_ERROR)
    assert gate.held == 0


def test_many_sessions_of_one_address_let_another_pass() -> None:
    handled: list[str] = []
    accounts = {"many": OneAccount(1000), "one": OneAccount(1000)}

    class Gate(OneAccount):
        def account_of(self, client: str) -> OneAccount:
            return accounts[client]

    sessions = Sessions(
        Loop(),
        {"message": lambda sid, message: handled.append(sid)},
        ping_interval_s=25,
        ping_timeout_s=20,
        outbox_limit_bytes=100,
        outbox_limit_packets=5,
        gate=Gate(0),
    )
    for number in range(31):
        session = sessions.create(str(number), "many" if number < 30 else "one")
        sessions.admit(session)
        session.last_until = 0.0  # it has joined long ago
        session.deliver("x")
        sessions.schedule(session)
    until(lambda: len(handled) == 31)
    # Before it: the first of the others, and the one that each turn has for those that go last.
    assert handled.index("30") <= 2


def test_many_readers_are_dropped_a_few_per_turn(final_payloads: FinalPayloads) -> None:
    gate = OneAccount(0)
    sessions, _ = poll_under(gate, final_payloads)
    pollers = [Polling(sessions.create(f"s{number}", ""), sessions, final_payloads) for number in range(800)]
    for polling in pollers:
        polling.session.begin(polling)
        polling.send("4" + "x" * 79)
    closed: list[int] = []

    def count() -> None:
        closed.append(sum(polling.session.closed for polling in pollers))
        if closed[-1] < 100:
            runtime.call_last(count)

    runtime.call_last(count)
    until(lambda: closed[-1:] >= [100])  # an eighth
    assert max(now - before for before, now in pairwise([0, *closed])) <= 16


def test_many_packets_too_much_drop_one_reader(final_payloads: FinalPayloads) -> None:
    gate = OneAccount(120)
    _, pollers = poll_under(gate, final_payloads)  # two packets are above the limit
    for _ in range(3):
        pollers[1].send("4")  # and each of these
    end_of_turn()
    assert [one.session.closed for one in pollers] == [False, True, False]


def test_no_reader_is_dropped_if_one_fetches_in_time(final_payloads: FinalPayloads) -> None:
    gate = OneAccount(150)
    _, pollers = poll_under(gate, final_payloads)
    pollers[1].take_payload()
    end_of_turn()
    assert not any(one.session.closed for one in pollers)


def test_nothing_waits_once_it_is_fetched(polling: Polling) -> None:
    polling.send("4" * 300)
    assert polling.waiting_bytes == polling.unread_bytes == 300
    get(polling)
    assert polling.waiting_bytes == 0
    get(polling)
    polling.send("4")
    assert (polling.waiting_bytes, polling.unread_bytes) == (1, 0)  # a poll waits for it
    fits = polling.session.limit_bytes // 4
    polling.send("4" * (fits + 9))
    assert polling.unread_bytes == 10


def test_what_cannot_be_encoded_is_not_kept(polling: Polling) -> None:
    with pytest.raises(UnicodeEncodeError):
        polling.send("4\ud800")
    assert get(polling).answer is None


def test_while_probing_polls_are_answered_with_noop_and_packets_wait(
    session: Session, polling: Polling
) -> None:
    session.begin_probe(NO_TRANSPORT)
    session.receive(packets.PING, "probe", NO_TRANSPORT)
    polling.send("4a")
    assert get(polling).answer == (200, b"6")
    session.drop_probe()
    assert get(polling).answer == (200, b"4a")


def test_handing_over_lets_go_of_both_requests(polling: Polling) -> None:
    polling.post(post := Asked(b"\x1e".join([b"4"] * (INBOX_HIGH + 1))))
    poll = get(polling)
    assert (post.answer, poll.answer, polling.reading) == (None, None, False)
    assert polling.hand_over() == []
    assert (post.answer, poll.answer, polling.reading) == ((200, b"ok"), (200, b"6"), True)


def test_a_second_post_ends_the_session(session: Session, polling: Polling) -> None:
    polling.post(first := Asked(b"\x1e".join([b"4"] * (INBOX_HIGH + 1))))
    polling.post(second := Asked(b"4"))
    assert second.is_refused
    assert session.closed_because == reasons.PROTOCOL_ERROR
    assert first.answer == (200, b"ok")


def counted_poll(final_payloads: FinalPayloads) -> tuple[Sessions, Polling]:
    """A session whose account has room for all that it sends."""
    sessions, (polling, *_) = poll_under(OneAccount(1000), final_payloads)
    return sessions, polling


def poll_of(account: OneAccount, final_payloads: FinalPayloads, most: int = 10_000) -> Polling:
    """A polling client of this account, for which `most` bytes may wait."""
    sessions = Sessions(
        Loop(),
        {},
        ping_interval_s=25,
        ping_timeout_s=20,
        outbox_limit_bytes=most,
        outbox_limit_packets=100,
        gate=account,
    )
    polling = Polling(sessions.create("s", ""), sessions, final_payloads)
    polling.session.begin(polling)
    return polling


def test_packets_are_gathered_if_an_address_had_many_answers(final_payloads: FinalPayloads) -> None:
    account = OneAccount(10_000)
    account.wait_s = 0.02
    polling = poll_of(account, final_payloads)
    waiting = get(polling)
    for packet in ("4a", "4b"):
        polling.send(packet)
        polling._sessions.loop.flush()
        assert waiting.answer is None
    until(lambda: waiting.answer == (200, b"4a\x1e4b"))
    polling.send("4c")
    late = get(polling)  # what waits is no reason for an answer at once
    assert late.answer is None
    until(lambda: late.answer == (200, b"4c"))
    assert account.answers == 2


@pytest.mark.parametrize(("most", "packet", "count"), [(10_000, "4a", 16), (100, "4" * 30, 2)])
def test_a_full_answer_waits_for_no_turn(
    final_payloads: FinalPayloads, most: int, packet: str, count: int
) -> None:
    account = OneAccount(10_000)
    account.wait_s = 1000.0
    polling = poll_of(account, final_payloads, most)
    for answered in (1, 2):
        waiting = get(polling)
        for _ in range(count):
            assert waiting.answer is None
            polling.send(packet)
            polling._sessions.loop.flush()
        assert waiting.answer == (200, b"\x1e".join([packet.encode()] * count))
        assert account.answers >= answered
    assert not polling.session.closed


@pytest.mark.parametrize("debt", ["", "owes", "wastes"])
@pytest.mark.parametrize("was_asked", [True, False])
def test_useless_pongs_of_an_address_in_debt_end_a_session(
    final_payloads: FinalPayloads, was_asked: bool, debt: str
) -> None:
    account = OneAccount(10_000)
    account.owes, account.wastes = debt == "owes", debt == "wastes"
    polling = poll_of(account, final_payloads)
    polling.session.awaiting_pong = was_asked
    polling.post(Asked(b"3"))
    assert polling.session.closed is (bool(debt) and not was_asked)


@contextlib.contextmanager
def websocket_of(polling: Polling) -> Iterator[Connection]:
    """The connection of a WebSocket that carries this client's session."""
    near, far = socket.socketpair()
    with near, far:
        near.setblocking(False)
        session, sessions = polling.session, polling._sessions
        connection = sessions.loop.attach(near, Role())
        session.open(WebSocketTransport(connection, session, sessions, max_message_bytes=10_000))
        try:
            yield connection
        finally:
            connection.abort("")


@pytest.mark.parametrize(
    ("wastes", "pings", "is_cut"), [(True, 60, False), (True, 70, True), (False, 900, False)]
)
def test_pings_are_few_if_an_address_sent_too_many(
    final_payloads: FinalPayloads, wastes: bool, pings: int, is_cut: bool
) -> None:
    account = OneAccount(10_000)
    account.wastes = wastes
    polling = poll_of(account, final_payloads)
    with websocket_of(polling) as connection:
        connection.role.received(connection, b"\x89\x80mask" * pings)
        assert polling.session.closed_because == (reasons.FLOOD if is_cut else "")


@pytest.mark.parametrize(("size", "is_cut"), [(1, True), (64, False)])
def test_tiny_pieces_of_a_frame_are_useless(final_payloads: FinalPayloads, size: int, is_cut: bool) -> None:
    polling = poll_of(OneAccount(10_000), final_payloads)
    with websocket_of(polling) as connection:
        connection.role.received(connection, b"\x81\xfe\x1f\x40mask")
        for _ in range(7_900 // size):
            connection.role.received(connection, b"x" * size)
        assert polling.session.closed_because == (reasons.FLOOD if is_cut else "")


def test_a_post_waits_as_long_as_its_address_must(final_payloads: FinalPayloads) -> None:
    account = OneAccount(10_000)
    account.wait_s = 0.02
    polling = poll_of(account, final_payloads)
    polling.post(post := Asked(b"4a"))
    assert post.answer is None
    until(lambda: post.answer == (200, b"ok"))


def test_only_so_many_posts_are_answered_at_once(
    final_payloads: FinalPayloads, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chatroom.engine.polling._POSTS", Bound(burst=2, per_second=0.001))
    polling = counted_poll(final_payloads)[1]
    posts = [Asked(b"4a") for _ in range(3)]
    for post in posts:
        polling.post(post)
    assert [post.answer for post in posts] == [(200, b"ok"), (200, b"ok"), None]


def test_who_posts_too_often_goes_on_in_time(
    final_payloads: FinalPayloads, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chatroom.engine.polling._POSTS", Bound(burst=0, per_second=50.0))
    polling = counted_poll(final_payloads)[1]
    polling.post(post := Asked(b"4a"))
    polling.resume()  # its message is handled
    assert post.answer is None
    until(lambda: post.answer == (200, b"ok"))
    polling.post(Asked(b"4a"))
    assert not polling.session.closed  # these were not two at once


def test_who_leaves_gets_the_answer_that_was_early(
    final_payloads: FinalPayloads, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chatroom.engine.polling._POSTS", Bound(burst=0, per_second=0.001))
    sessions, polling = counted_poll(final_payloads)
    polling.post(post := Asked(b"4a"))
    assert post.answer is None
    sessions.end(polling.session, reasons.SERVER_DISCONNECT)
    assert post.answer == (200, b"ok")


def test_who_is_sent_away_fetches_the_last_words_first(
    polling: Polling, sessions: Sessions, session: Session, final_payloads: FinalPayloads
) -> None:
    polling.send("4last")
    sessions.end(session, reasons.SERVER_DISCONNECT)
    assert [final_payloads.take("s") for _ in range(3)] == [b"4last", b"1", None]
    assert not final_payloads


def test_last_words_count_until_they_are_fetched(final_payloads: FinalPayloads) -> None:
    account = OneAccount(50)
    polling = poll_of(account, final_payloads)
    polling.send("4" + "x" * 39)
    polling._sessions.end(polling.session, reasons.SERVER_DISCONNECT)
    held = [account.held]
    while final_payloads.take("s") is not None:
        held.append(account.held)
    assert held == [41, 1, 0]


def test_last_words_are_dropped_when_too_old(
    final_payloads: FinalPayloads, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module_of_final_payloads, "_KEEP_S", 0.0)
    account = OneAccount(50)
    polling = poll_of(account, final_payloads)
    polling.send("4" + "x" * 39)
    polling._sessions.end(polling.session, reasons.SERVER_DISCONNECT)
    assert final_payloads
    until(lambda: not final_payloads)
    assert account.held == 0
