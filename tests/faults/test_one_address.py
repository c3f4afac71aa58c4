"""One address: no room receives more from it than its budget; a hundred ordinary people are no flood."""

from __future__ import annotations

import contextlib
import json
import socket
import time
from collections.abc import Callable
from datetime import datetime
from itertools import count

import pytest
import websocket

from tests.support.crowd import Crowd, LineClient, SocketClient
from tests.support.guests import Frame, Guest
from tests.support.program import Program, Start
from tests.support.raw import RawClient

pytestmark = [pytest.mark.faults, pytest.mark.slow]

_ATTACKER = "127.6.0.1"
_AT_ONCE = 8  # messages that a new session may send
_BURST, _PER_SECOND = 60, 9  # `Kind.MESSAGE` in core/budgets.py
_PER_MINUTE = 600


def connected(port: int) -> socket.socket:
    """A connection from the attacker's address."""
    return socket.create_connection(("127.0.0.1", port), 10, source_address=(_ATTACKER, 0))


def reconnects_and_sends(program: Program, numbers: count[int]) -> None:
    """Open a session, send what a new one may send at once, and cut it."""
    with connected(program.port) as sock:
        try:
            client = RawClient(program.url, socket=sock).enters(v=1, room="lobby")
            for number in [next(numbers) for _ in range(_AT_ONCE)]:
                client.sends('42["msg",' + json.dumps({"action": "message", "msg": f"attack {number}"}) + "]")
            client.leaves()
        except (OSError, websocket.WebSocketException):
            time.sleep(0.05)  # refused: it tries again


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
    numbers, lines = count(), [connected(program.line_port) for _ in range(10)]
    for line in lines:
        line.setblocking(False)
    deadline = time.monotonic() + scale(120)
    with contextlib.ExitStack() as stack:
        for line in lines:
            stack.enter_context(line)
        while time.monotonic() < deadline:
            reconnects_and_sends(program, numbers)
            for line in lines:
                with contextlib.suppress(OSError):  # full, or closed
                    line.send(b"attack\n" * 20)
        witness.sends("I am still heard")
        witness.waits_for(lambda: messages(witness, "I am still heard"), "the witness's own message")
    witness.leaves()
    moments = [seconds_of(frame) for frame in messages(witness, "attack")]
    span_s = moments[-1] - moments[0]
    report(f"{len(moments)} messages of one address in {span_s:.0f} s, {next(numbers)} tried")
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
