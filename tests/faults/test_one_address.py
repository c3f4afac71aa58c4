"""One address: no room receives or shows more of it than its budget; a hundred ordinary people are no flood."""

from __future__ import annotations

import contextlib
import http.client
import json
import re
import socket
import time
from collections.abc import Callable
from datetime import datetime
from itertools import count

import pytest
import websocket

from tests.support.crowd import Crowd, LineClient, SocketClient
from tests.support.guests import Frame, Guest
from tests.support.handshakes import POLL
from tests.support.program import Program, Start
from tests.support.raw import RawClient

pytestmark = [pytest.mark.faults, pytest.mark.slow]

_ATTACKER = "127.6.0.1"
_AT_ONCE = 8  # messages that a new session may send
_BURST, _PER_SECOND = 60, 9  # `Kind.MESSAGE` in core/budgets.py
_PER_MINUTE = 600
_PRESENCE_EVERY_S = 5
_MOST_GROWTH_KB = 64_000  # `Allowance.outbox_bytes`


def connected(port: int) -> socket.socket:
    """A connection from the attacker's address."""
    return socket.create_connection(("127.0.0.1", port), 10, source_address=(_ATTACKER, 0))


def texts(numbers: count[int]) -> list[str]:
    """What a new session may send at once."""
    messages = [{"action": "message", "msg": f"attack {next(numbers)}"} for _ in range(_AT_ONCE)]
    return [f'42["msg",{json.dumps(message)}]' for message in messages]


def joins_and_sends(program: Program, numbers: count[int]) -> RawClient:
    """Open a session over a WebSocket, and send.

    Raises:
        ConnectionRefusedError: the address owes too much.
    """
    sock = connected(program.port)
    try:
        client = RawClient(program.url, socket=sock)
        client.opens()
        kind, refusal = client.connects({"v": 1, "room": "lobby", "roster": "delta"})
        if kind != "0":
            raise ConnectionRefusedError(refusal["data"]["code"])
        client.sends_at_once(texts(numbers))
    except BaseException:
        sock.close()
        raise
    return client


def polls_and_sends(program: Program, numbers: count[int]) -> None:
    """Open a session by polling, and send; it does not poll again."""
    connection = http.client.HTTPConnection("127.0.0.1", program.port, 10, source_address=(_ATTACKER, 0))
    with contextlib.closing(connection):
        connection.request("GET", POLL)
        answer = connection.getresponse()
        body = answer.read()
        if answer.status == 200:
            target = f"{POLL}&sid={json.loads(body[1:])['sid']}"
            for payload in ('40{"v":1,"room":"lobby"}', "\x1e".join(texts(numbers))):
                connection.request("POST", target, payload)
                connection.getresponse().read()


def seconds_of(frame: Frame) -> float:
    """When the server stored a message."""
    return datetime.fromisoformat(frame["time"]).timestamp()


def messages(witness: Guest, beginning: str) -> list[Frame]:
    """The messages that the witness has received, of those that begin like this."""
    return [
        frame
        for frame in witness.frames
        if frame["action"] == "message" and frame["msg"].startswith(beginning)
    ]


def test_one_address_cannot_fill_a_room(
    start: Start, scale: Callable[[int], int], report: Callable[[str], None]
) -> None:
    program = start()
    witness = Guest(program.url, {"room": "lobby", "v": 1}).enter()
    terminal = socket.create_connection(("127.0.0.1", program.line_port), 10)
    numbers, lines = count(), [connected(program.line_port) for _ in range(10)]
    for line in (terminal, *lines):
        line.setblocking(False)
    before_kb, began = program.resident_kb(), time.monotonic()
    shown, tried = b"", 0
    with contextlib.ExitStack() as stack:
        for line in (terminal, *lines):
            stack.enter_context(line)
        while time.monotonic() < began + scale(120):
            with contextlib.suppress(
                OSError, http.client.HTTPException, websocket.WebSocketException
            ):  # refused
                joins_and_sends(program, numbers).leaves()
                polls_and_sends(program, numbers)
                if tried < 1000:  # these stay
                    stack.enter_context(joins_and_sends(program, numbers))
            tried += 1
            for line in lines:
                with contextlib.suppress(OSError):  # full, or closed
                    line.send(b"attack\n" * 20)
            with contextlib.suppress(BlockingIOError):
                shown += terminal.recv(1 << 20)
        took_s, growth_kb = time.monotonic() - began, program.resident_kb() - before_kb
        witness.sends("I am still heard")
        witness.waits_for(lambda: messages(witness, "I am still heard"), "the witness's own message")
    witness.leaves()
    moments = [seconds_of(frame) for frame in messages(witness, "attack")]
    span_s = moments[-1] - moments[0]
    presence = re.findall(rb"^\* .* \([0-9]+ here\)\r$", shown, re.MULTILINE)
    report(
        f"{len(moments)} messages of one address in {span_s:.0f} s, {next(numbers)} tried; "
        f"{len(presence)} lines of joins; growth {growth_kb / 1000:.0f} MB"
    )
    assert 1 <= len(presence) <= took_s / _PRESENCE_EVERY_S + 1
    assert growth_kb < _MOST_GROWTH_KB
    assert _BURST <= len(moments) <= _BURST + _PER_SECOND * span_s + 1
    for first in range(len(moments) - _PER_MINUTE):
        assert moments[first + _PER_MINUTE] - moments[first] > 60


def test_a_hundred_ordinary_people_of_one_address_are_refused_nothing(
    start: Start, scale: Callable[[int], int], report: Callable[[str], None]
) -> None:
    program = start()
    crowd = Crowd()
    try:
        crowd.enter(SocketClient, program.port, 70)
        crowd.enter(LineClient, program.line_port, 30)
        crowd.talk(crowd.clients, scale(1500), 5)  # each one message per 20 s
        report(f"all received {scale(1500)} messages, p99 {crowd.order.delay_ms(0.99)} ms")
    finally:
        crowd.leave()
