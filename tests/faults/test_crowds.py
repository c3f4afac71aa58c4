"""Many connections and sessions that never join keep nobody out, and many people joining are not taken for a flood."""

from __future__ import annotations

import contextlib
import http.client
import json
import re
import resource
import socket
import time
from collections.abc import Callable, Iterator
from typing import Protocol

import pytest

from tests.support.crowd import Crowd, LineClient, SocketClient
from tests.support.guests import POLLING, WEBSOCKET, Guest
from tests.support.program import Program, Start
from tests.support.raw import RawClient

pytestmark = [pytest.mark.faults, pytest.mark.slow]

_NEWCOMERS = 20
_JOIN_S = 1.0
_SLOW_HEAD = b"GET / HTTP/1.1\r\nHost: chat.example\r\nX-Slow: "
_WHOLE_HEAD = b"GET /healthz HTTP/1.1\r\nHost: chat.example\r\n\r\n"
_ANSWER = b"HTTP/1.1 200"

Scale = Callable[[int], int]


class Connects(Protocol):
    """Opens connections from an address, and sends the same on each."""

    def __call__(
        self,
        program: Program,
        count: int,
        peer: str,
        data: bytes = b"",
        receive_bytes: int | None = None,
    ) -> list[socket.socket]: ...


@pytest.fixture
def crowd() -> Iterator[Connects]:
    """Opens so many connections from one address; each sends some bytes, and stays open at this end."""
    with contextlib.ExitStack() as stack:

        def come(
            program: Program, count: int, peer: str, data: bytes = b"", receive_bytes: int | None = None
        ) -> list[socket.socket]:
            _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
            crowd = []
            for _ in range(count):
                sock = stack.enter_context(socket.socket())
                sock.settimeout(10)
                if receive_bytes is not None:
                    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
                sock.bind((peer, 0))
                sock.connect(("127.0.0.1", program.port))
                crowd.append(sock)
                if data:
                    sock.sendall(data)
            return crowd

        yield come


def newcomers_join(program: Program, report: Callable[[str], None], scale: Scale) -> None:
    """Twenty people join one after the other and send a message; at full scale each within a second."""
    longest_s = 0.0
    for number in range(_NEWCOMERS):
        began = time.monotonic()
        sock = socket.create_connection(
            ("127.0.0.1", program.port), 10, source_address=(f"127.9.0.{number + 1}", 0)
        )
        client = RawClient(program.url, socket=sock).enters(v=1, room="newcomers")
        longest_s = max(longest_s, time.monotonic() - began)
        client.sends('420["msg",' + json.dumps({"action": "message", "msg": "I am in"}) + "]")
        assert client.receives_answer(0)["ok"]
        client.leaves()
    report(f"the slowest of {_NEWCOMERS} newcomers joined within {1000 * longest_s:.0f} ms")
    if scale(20) == 20:  # all of it: the machine is free for it
        assert longest_s < _JOIN_S


@contextlib.contextmanager
def members(program: Program) -> Iterator[None]:
    """Members who were there before the crowd, and still hear each other after it."""
    guests = [Guest(program.url, {"room": "members", "v": 1}, how).enter() for how in (POLLING, WEBSOCKET)]
    yield
    for speaker in guests:
        speaker.sends(f"{speaker.name} is here")
        for guest in guests:
            guest.receives("message", msg=f"{speaker.name} is here")
    assert not any(guest.disconnects for guest in guests)
    for guest in guests:
        guest.leaves()


def test_half_open_connections_and_slow_heads_keep_nobody_out(
    start: Start,
    crowd: Connects,
    scale: Scale,
    report: Callable[[str], None],
) -> None:
    program = start("--max-connections", str(scale(6000)))
    with members(program):
        crowd(program, scale(2000), "127.2.0.1", _SLOW_HEAD)
        crowd(program, scale(5000), "127.2.0.2")
        newcomers_join(program, report, scale)


def test_idle_connections_of_ten_addresses_keep_nobody_out(
    start: Start,
    crowd: Connects,
    scale: Scale,
    report: Callable[[str], None],
) -> None:
    program = start("--max-connections", str(scale(10_000)))
    with members(program):
        for number in range(10):
            for sock in crowd(program, scale(1006), f"127.3.0.{number + 1}", _WHOLE_HEAD)[-5:]:
                assert sock.recv(12) == _ANSWER
        newcomers_join(program, report, scale)


def test_slow_readers_of_the_pages_files_keep_nobody_out(
    start: Start,
    crowd: Connects,
    scale: Scale,
    report: Callable[[str], None],
) -> None:
    """They request a file, read nothing, and leave all at once."""
    program = start()
    found = re.search(r'"\./(assets/[\w-]+\.js)"', program.get("/").text)
    assert found
    ask = f"GET /{found[1]} HTTP/1.1\r\nHost: chat.example\r\n\r\n".encode()
    with members(program):
        before_kb = program.resident_kb()
        peers = [
            sock
            for number in range(3)
            for sock in crowd(program, scale(1000), f"127.5.0.{number + 1}", ask, receive_bytes=2048)
        ]
        newcomers_join(program, report, scale)
        assert program.resident_kb() - before_kb < 50_000
        for sock in peers:
            sock.close()
        newcomers_join(program, report, scale)


def test_polling_joins_on_one_connection_are_bounded(
    start: Start, scale: Scale, report: Callable[[str], None]
) -> None:
    program = start()
    with members(program):
        began, statuses = time.monotonic(), list[int]()
        connection = http.client.HTTPConnection(
            "127.0.0.1", program.port, 10, source_address=("127.4.0.1", 0)
        )
        with contextlib.closing(connection):
            statuses += [polling_join(connection) for _ in range(scale(20_000))]
            took_s = time.monotonic() - began
            inside = statuses.count(200)
            report(f"{inside} of {len(statuses)} polling joins in {took_s:.0f} s")
            assert set(statuses) <= {200, 429}
            assert min(300, len(statuses)) <= inside <= min(1000, 300 + 5 * took_s + 1)
            newcomers_join(program, report, scale)


def polling_join(connection: http.client.HTTPConnection) -> int:
    """Ask for a session by polling, and join; returns the status of the first answer."""
    path = "/socket.io/?EIO=4&transport=polling"
    connection.request("GET", path)
    answer = connection.getresponse()
    body = answer.read()
    if answer.status == 200:
        connection.request("POST", f"{path}&sid={json.loads(body[1:])['sid']}", b'40{"v":1,"room":"crowd"}')
        connection.getresponse().read()
    return answer.status


def test_three_hundred_people_of_one_address_join_at_once(
    start: Start, report: Callable[[str], None]
) -> None:
    program = start()
    crowd = Crowd()
    try:
        began = time.monotonic()
        crowd.enter(SocketClient, program.port, 200)
        crowd.enter(LineClient, program.line_port, 100)
        report(f"300 people were in after {time.monotonic() - began:.1f} s")
        crowd.talk(crowd.clients, 30, 5)
    finally:
        crowd.leave()
