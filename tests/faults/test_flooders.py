"""Who sends as fast as they can is cut off or kept within their budget, and nobody else notices."""

from __future__ import annotations

import itertools
import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from tempfile import TemporaryFile
from typing import IO, Any, Final

import pytest
import websocket

from tests.faults.flooders import KINDS, LINES, ROOM
from tests.support.program import Program, Start
from tests.support.raw import RawClient

_FULL: Final = float(os.environ.get("CHATROOM_TEST_SCALE", "1")) >= 20
pytestmark = [pytest.mark.faults, pytest.mark.slow, *([pytest.mark.alone] if _FULL else [])]

_FLOOD_S, _LINES_S = 15.0, 30.0  # terminals are warned after 5 s, and cut 6 s later
_CUT_S: Final = 45.0  # a busy machine is slow
_MESSAGE: Final = '42["msg",{"action":"message"'
_P99_S, _STALL_S, _GROWTH_KB = 0.100, 0.250, 50_000


class Others:
    """Two people in the flooded room, from addresses of their own: whatever one sends, the other receives.

    Attributes:
        times: how long each message took, in seconds.
        floods: how many messages of others came.
    """

    def __init__(self, program: Program) -> None:
        self.speaker, self.listener = (
            RawClient(
                program.url,
                socket=socket.create_connection(("127.0.0.1", program.port), 10, source_address=(peer, 0)),
            ).enters(v=1, room=ROOM, roster="delta")
            for peer in ("127.60.0.1", "127.60.0.2")
        )
        self.times: list[float] = []
        self.floods = 0
        self._numbers = itertools.count()

    def exchange(self) -> None:
        """One message, which is acknowledged and received."""
        number, began = next(self._numbers), time.monotonic()
        wanted = f'"msg":"number {number}"'

        def is_it(packet: str) -> bool:
            found = wanted in packet
            self.floods += not found and packet.startswith(_MESSAGE)
            return found

        request = json.dumps(["msg", {"action": "message", "msg": f"number {number}"}])
        self.speaker.sends(f"42{number}{request}")
        answer = self.speaker.receives_answer(number)
        assert answer["ok"], answer
        self.listener.receives(is_it)
        self.times.append(time.monotonic() - began)

    def listen(self, seconds: float) -> None:
        """Read what comes: a flood makes slow readers of those who do not."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            for client in (self.speaker, self.listener):
                client._socket.settimeout(0.01)
                with suppress(websocket.WebSocketTimeoutException):
                    packet = str(client._socket.recv())
                    if packet == "2":
                        client.sends("3")
                    self.floods += client is self.listener and packet.startswith(_MESSAGE)

    def __enter__(self) -> Others:
        return self

    def __exit__(self, *exception: object) -> None:
        self.speaker.leaves()
        self.listener.leaves()


class Watch(threading.Thread):
    """Somebody in a room of their own, who asks for an answer ten times per second: no stall is too short to be seen.

    Attributes:
        waits: how long each answer took, in seconds.
        computed: how long the server computed meanwhile.
    """

    def __init__(self, program: Program, peer: str) -> None:
        super().__init__(daemon=True)
        self.waits: list[float] = []
        self.computed: list[float] = []
        self._program = program
        self._client = RawClient(
            program.url,
            socket=socket.create_connection(("127.0.0.1", program.port), 10, source_address=(peer, 0)),
        ).enters(v=1, room=f"the room of {peer}")
        self._is_over = threading.Event()

    def run(self) -> None:
        for number in itertools.count():
            began, computed = time.monotonic(), self._program.computing_s()
            self._client.sends(f'42{number}["msg",{{"action":"ping"}}]')
            self._client.receives_answer(number)
            self.computed.append(self._program.computing_s() - computed)
            self.waits.append(time.monotonic() - began)
            if self._is_over.wait(0.1):  # within their own rate
                return

    def __enter__(self) -> Watch:
        self.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._is_over.set()
        self.join()
        self._client.leaves()


@contextmanager
def flooding(
    program: Program, kind: str, count: int, seconds: float, sessions: int
) -> Iterator[tuple[subprocess.Popen[str], IO[str]]]:
    """Runs the flooders; gives the process, and the file for what they have seen, which is more than a pipe takes."""
    arguments = (kind, count, program.port, program.line_port, seconds, sessions)
    command = [sys.executable, "-m", "tests.faults.flooders", *map(str, arguments)]
    with TemporaryFile("w+") as seen, subprocess.Popen(command, stdout=seen, text=True) as process:
        try:
            yield process, seen
        finally:
            process.kill()


def others_talk_while(
    program: Program, kind: str, count: int, seconds: float, *, sessions: int = 1
) -> tuple[Others, list[Watch], list[dict[str, Any]], float]:
    """Let two people talk as long as the flood lasts, and some watch.

    Returns:
        All of them, what the flooders have seen, and how long it took.
    """
    with Others(program) as others, ExitStack() as stack:
        watches = [stack.enter_context(Watch(program, f"127.61.0.{number}")) for number in range(1, 4)]
        others.exchange()
        others.times.clear()
        began = time.monotonic()
        with flooding(program, kind, count, seconds, sessions) as (process, file):
            while process.poll() is None:
                others.exchange()
                others.listen(0.5)  # within their own rate
            file.seek(0)
            seen = json.load(file)
        took_s = time.monotonic() - began
        others.exchange()
        return others, watches, seen, took_s


@pytest.mark.parametrize("count", [1, 50] if _FULL else [1])
@pytest.mark.parametrize("kind", KINDS if _FULL else ("ligatures", "pings", "namespaces", "lines"))
def test_flooders_are_cut_off_and_nobody_waits(
    start: Start, report: Callable[[str], None], kind: str, count: int
) -> None:
    program = start()
    before_kb = program.resident_kb()
    flood_s = _CUT_S if not _FULL else _LINES_S if kind in LINES else _FLOOD_S
    others, watches, seen, took_s = others_talk_while(program, kind, count, flood_s)
    growth_kb = program.resident_kb() - before_kb
    *during, after_s = others.times
    during += [wait for watch in watches for wait in watch.waits]
    p99_s, stall_s = sorted(during)[int(0.99 * (len(during) - 1))], max(during)
    cuts, slowest_s = sum(one["cuts"] for one in seen), max(one["longest_after_warning_s"] for one in seen)
    report(
        f"{kind}, {count} addresses, {took_s:.0f} s: p99 {1000 * p99_s:.0f} ms, longest {1000 * stall_s:.0f} ms, "
        f"{1000 * after_s:.0f} ms after it; {growth_kb / 1000:.0f} MB; {cuts} cut, {slowest_s:.1f} s after a warning"
    )
    assert all(one["connects"] for one in seen)
    assert all(one["cuts"] for one in seen)
    assert others.floods <= count * (60 + 10 * took_s)
    if _FULL:  # the machine is free for it
        assert slowest_s < 10
        assert p99_s < _P99_S
        assert stall_s < _STALL_S
        assert after_s < 1
        assert growth_kb < _GROWTH_KB


@pytest.mark.parametrize("kind", ("ligatures", "small", "large", "bytes") if _FULL else ("ligatures",))
def test_many_sessions_of_many_addresses_stall_nobody(
    start: Start, report: Callable[[str], None], kind: str
) -> None:
    program, count = start(), 50 if _FULL else 10
    others, watches, seen, took_s = others_talk_while(program, kind, count, 3.0, sessions=20)
    times = sorted(others.times + [wait for watch in watches for wait in watch.waits])
    computed_s = max(max(watch.computed) for watch in watches)
    report(
        f"{kind}, {count} addresses, 20 sessions each, {took_s:.0f} s: longest {1000 * times[-1]:.0f} ms, "
        f"{1000 * computed_s:.0f} ms of them computing"
    )
    assert all(one["connects"] for one in seen)
    assert computed_s < (_STALL_S if _FULL else 0.15)  # for a fifth of the addresses
    if _FULL:
        assert times[-1] < _STALL_S
