"""Which reads of the log begin, and in which order."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest

from chatroom.core.errors import RateLimited
from chatroom.reads import AT_ONCE, MAX_WAITING, Reads


class Disk:
    """Reads that have begun, and end when the test says so."""

    def __init__(self) -> None:
        self.began: list[str] = []
        self.reads = Reads(self.spawned)
        self._running: list[Callable[[], None]] = []

    def spawned(self, run: Callable[[], None]) -> None:
        self._running.append(run)

    def is_busy(self) -> None:
        """Let so many reads begin that all others wait."""
        for number in range(AT_ONCE):
            self.reads.put(f"busy {number}", lambda: None)

    def asks(self, owner: str, what: str, *, joins: bool = False) -> None:
        put = self.reads.put_first if joins else self.reads.put
        put(owner, partial(self.began.append, what))

    def ends(self) -> None:
        while self._running:
            self._running.pop(0)()


def test_a_read_is_dropped_once_its_session_is_gone() -> None:
    disk = Disk()
    disk.is_busy()
    for owner in ("romeo", "juliet"):
        disk.asks(owner, f"{owner} 1")
        disk.asks(owner, f"{owner} joins", joins=True)
    disk.reads.drop("romeo")
    disk.reads.drop("nobody")
    disk.ends()
    assert disk.began == ["juliet joins", "juliet 1"]


def test_joins_are_first_and_sessions_take_turns() -> None:
    disk = Disk()
    disk.is_busy()
    for number in range(3):
        disk.asks("romeo", f"romeo {number}")
    disk.asks("juliet", "juliet 0")
    disk.asks("ming", "ming joins", joins=True)
    disk.ends()
    assert disk.began == ["ming joins", "romeo 0", "juliet 0", "romeo 1", "romeo 2"]


def test_a_session_has_few_reads_waiting() -> None:
    disk = Disk()
    disk.is_busy()
    for number in range(MAX_WAITING):
        disk.asks("romeo", f"{number}")
    with pytest.raises(RateLimited) as refused:
        disk.asks("romeo", "too many")
    assert refused.value.params["retry_after"] == 0.1
    disk.asks("juliet", "another")
    disk.ends()
    assert len(disk.began) == MAX_WAITING + 1
    disk.asks("romeo", "again")
    disk.ends()
    assert disk.began[-1] == "again"


def test_a_failing_read_stops_no_other() -> None:
    disk = Disk()
    fail = partial(pytest.fail, "a fault of ours")
    for _ in range(AT_ONCE + 1):
        disk.reads.put_first(object(), fail)
    disk.asks("romeo", "1")
    for _ in range(AT_ONCE + 1):
        with pytest.raises(pytest.fail.Exception):
            disk.ends()
    disk.ends()
    assert disk.began == ["1"]
