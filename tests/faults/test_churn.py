"""People who come and go leave nothing behind; `make soak` goes on for an hour, and looks at memory too."""

from __future__ import annotations

import contextlib
import os
import random
import socket
import time
from collections import Counter, deque
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.faults.links import LOCAL, Gone
from tests.faults.visitors import KINDS, Visitor
from tests.support.counted import Counted
from tests.support.handshakes import upgrade_request

pytestmark = [pytest.mark.faults, pytest.mark.slow]

_SOAK_MINUTES = float(os.environ.get("SOAK_MINUTES", "0"))  # set by `make soak`
_CONNECTS = 20_000  # without it, as fast as they go
_CONNECTS_PER_HOUR = 100_000
_PRESENT = 40  # people at once
_MOST_GROWTH_KB = 2_000
_HOUR = 60.0
_FLAGS = ("--ping-interval", "1", "--ping-timeout", "2")
_ROOMS = ("lobby", "garden", "kitchen", *(f"room {number}" for number in range(30)))
_NAMES = ("Plum tree", "Cherry tree", "Pear tree")
_POST = (
    b"POST /socket.io/?EIO=4&transport=polling HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 100\r\n\r\n40"
)
# What a connection sends before it is cut, at whichever byte.
_BEGINNINGS = {
    "web": (
        b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: ",
        b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
        _POST,
        upgrade_request() + b"\x81\xff\0\0",
        upgrade_request() + b'\x81\x85\0\0\0\x0040{}"\x82\xfe\xff\xff',
    ),
    "line": (b"hello", b"/join garden\n/to ", b"\x16\x03\x01\x02\x00", b"\xff\xfb\x1f"),
}


class Churn:
    """The people who are there, and what is left of those who were."""

    def __init__(self, program: Counted, rng: random.Random) -> None:
        self._program = program
        self._rng = rng
        self._present: list[Visitor] = []
        self._tokens: deque[str] = deque(maxlen=500)
        self.done: Counter[str] = Counter()

    def one_comes(self) -> None:
        """Someone comes, others act, and if it is too crowded, someone goes."""
        rng = self._rng
        source = f"127.{rng.randrange(10, 14)}.{rng.randrange(10)}.{rng.randrange(1, 26)}"
        try:
            if rng.random() < 0.1:
                self._begins(source)
            else:
                self._visits(source)
        except Gone:
            self.done["turned away"] += 1
        for visitor in rng.choices(self._present, k=2) if self._present else ():
            self._acts(visitor)
        while len(self._present) > _PRESENT:
            self._goes(self._present.pop(rng.randrange(len(self._present))))

    def all_go(self) -> None:
        while self._present:
            self._goes(self._present.pop())

    def _begins(self, source: str) -> None:
        """A connection that is cut before it has said what it wants."""
        gateway = self._rng.choice(("web", "line"))
        port = self._program.port if gateway == "web" else self._program.line_port
        data = self._rng.choice(_BEGINNINGS[gateway])
        with socket.create_connection((LOCAL, port), 10, source_address=(source, 0)) as sock:
            sock.sendall(data[: self._rng.randrange(len(data) + 1)])
        self.done["unfinished"] += 1

    def _visits(self, source: str) -> None:
        rng = self._rng
        visitor = Visitor(self._program, rng.choice(KINDS), source)
        auth = {"room": rng.choice(_ROOMS) if rng.random() < 0.95 else f"once {rng.randrange(10**9)}"}
        match rng.randrange(10):
            case 0 | 1:
                auth["username"] = rng.choice(_NAMES)
            case 2 | 3 if self._tokens and not visitor.is_line:
                auth["token"] = rng.choice(self._tokens)
            case 4:
                auth["username"] = "" if rng.random() < 0.5 else "x" * 90  # which is refused
        visitor.asks_to_join(**auth)
        if rng.random() < 0.1:  # without waiting for the welcome
            visitor.cut(rng.choice(("close", "reset")))
            self.done["cut at once"] += 1
            return
        visitor.waits_until_answered()
        if visitor.you is None:
            self.done["refused"] += 1
            visitor.cut("close")
            return
        self.done[visitor.kind] += 1
        self._present.append(visitor)

    def _acts(self, visitor: Visitor) -> None:
        rng = self._rng
        while visitor.listens():
            pass
        if visitor.is_line:
            visitor.sends_raw(
                rng.choice(("hello", "/who", "/name", "/to nobody hi", "/rooms", "/join kitchen", "\x07"))
            )
            return
        name = rng.choice(_NAMES)
        match rng.randrange(9):
            case 0 | 1 | 2:
                visitor.sends("message", msg="hello " * rng.randrange(1, 50), cid=f"c{rng.randrange(10**9)}")
            case 3:
                visitor.sends("whisper", to=name, msg="psst")
            case 4:
                visitor.sends("typing")
            case 5:
                visitor.sends("rename", username=name)
            case 6:
                visitor.sends("history", limit=200)
            case 7:
                visitor.sends("join", room=rng.choice(_ROOMS))
            case _:
                visitor.sends_raw(
                    rng.choice(('451-["msg",{"_placeholder":true,"num":0}]', "42[]", "40/no,", "3"))
                )

    def _goes(self, visitor: Visitor) -> None:
        rng = self._rng
        if visitor.you is not None and "token" in visitor.you:
            self._tokens.append(visitor.you["token"])
        if rng.random() < 0.4:
            if visitor.is_line:
                visitor.sends_raw("/quit")
            else:
                visitor.sends("logout")
        visitor.cut(rng.choice(("close", "reset")))


def test_people_who_come_and_go_leave_nothing_behind(
    tmp_path: Path, rng: random.Random, scale: Callable[[int], int], report: Callable[[str], None]
) -> None:
    total = round(_CONNECTS_PER_HOUR * _SOAK_MINUTES / _HOUR) or scale(_CONNECTS)
    pause_s = 60 * _SOAK_MINUTES / total
    progress = -(-total // max(1, round(_SOAK_MINUTES) or 5))
    resident_kb = list[int]()
    with Counted(*_FLAGS, data_dir=tmp_path / "data") as program, contextlib.ExitStack() as stack:
        churn = Churn(program, rng)
        stack.callback(churn.all_go)
        for _ in range(50):  # so that everything has happened once
            churn.one_comes()
        churn.all_go()
        before = program.rests()
        report(f"at rest: {program.counts()}, {program.resident_kb() / 1000:.1f} MB")
        for half in (range(total // 2), range(total // 2, total)):
            began = time.monotonic()
            for place, number in enumerate(half):
                time.sleep(max(0.0, began + place * pause_s - time.monotonic()))
                churn.one_comes()
                if (number + 1) % progress == 0:
                    report(
                        f"{number + 1} connects, {program.resident_kb() / 1000:.1f} MB, {program.counts()}"
                    )
            churn.all_go()
            program.empties()
            resident_kb.append(program.resident_kb())
            report(f"all have gone: {program.counts()}, {resident_kb[-1] / 1000:.1f} MB")
        program.rests_as(before)
    report(
        f"{dict(churn.done)}; memory grew by {(resident_kb[1] - resident_kb[0]) / 1000:.1f} MB in the second half\n"
    )
    assert set(KINDS) < set(churn.done)
    if _SOAK_MINUTES >= _HOUR:
        assert resident_kb[1] - resident_kb[0] <= _MOST_GROWTH_KB
