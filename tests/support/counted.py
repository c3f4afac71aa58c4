"""A running program whose insides a test can count, and whose commits it can hold up or have refused."""

from __future__ import annotations

import contextlib
import json
import socket
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from tests.support.program import Program

_APP = str(Path(__file__).with_name("counted_app.py"))
_ANSWER_S = 60.0
_REST_S = 60.0
# What remembers those who have left for a while, each within a bound of its own: classes of objects, and tables.
_REMEMBERED = (
    "chatroom.backplane.holds._Hold",
    "chatroom.core.addresses.Address",
    "chatroom.core.budgets.AddressBudget",
    "chatroom.core.clock.Times",  # as the file has them: the first ones do not count, since they are from the start
    "chatroom.core.errors.NotSent",
    "chatroom.core.events.Person",  # as the partner in a private chat that is kept
    "chatroom.core.flood.Bucket",
    "chatroom.core.private_talk.PrivateTalk",
    "chatroom.core.addressed.Addressed",
    "chatroom.refused._Refused",
    "chatroom.returning._Parked",
    "AddressBudget._buckets",
    "AddressBudget._cuts",
    "Addressed._asked",
    "Addressed._by_key",
    "Addressed._elsewhere",
    "Addressed._heard",
    "Addresses._idle",
    "EndedTokens._table",
    "FinalPayloads._kept",
    "Heartbeat._unadmitted",
    "HostRule._good",
    "HostRule._logged",
    "Holds._by_address",
    "Holds._by_identity",
    "Holds._by_key",
    "NotSent.params",
    "Policy._refused",
    "RefusedTexts._texts",
    "Returning._identities",
    "Returning._minor_talks",
    "Returning._parked",
    "Returning._returned",
    "Returning._sids",
    "Returning._talks",
    "Rooms._closed",
    "Wheel._items",
    "Wheel._order",
    "Whispers._sent",
)
_OF_PEOPLE = (
    "connections",
    "engine sessions",
    "sessions",
    "sessions of addresses",
    "bytes for addresses",
    "rooms",
    "occupied rooms",
    "uncommitted",
    "unready",
)


class Counted(Program):
    """The program, started by `counted_app.py`; the arguments are those of `Program`."""

    def __init__(self, *arguments: str, data_dir: Path) -> None:
        self._control, theirs = socket.socketpair()
        self._control.settimeout(_ANSWER_S)
        super().__init__(*arguments, data_dir=data_dir, stdin=theirs.detach(), app=_APP)

    def asks(self, command: str, *arguments: str) -> Any:
        """Give a command to `counted_app.Inside`, and return its answer."""
        self._control.sendall(json.dumps([command, *arguments]).encode() + b"\n")
        data = b""
        while not data.endswith(b"\n"):
            more = self._control.recv(1 << 20)
            assert more, "the program has ended"
            data += more
        answer = json.loads(data)
        assert isinstance(answer, list), answer
        return answer[0]

    def descriptors(self) -> int:
        """How many it has, without those of the log: SQLite closes a file only when it next lets go of a lock."""
        number = 0
        for one in Path(f"/proc/{self.pid}/fd").iterdir():
            with contextlib.suppress(FileNotFoundError):  # closed meanwhile
                number += ".db" not in one.readlink().name
        return number

    def resident_kb(self) -> int:
        return int(Path(f"/proc/{self.pid}/status").read_text().split("VmRSS:")[1].split()[0])

    def counts(self) -> dict[str, int]:
        """How many connections, sessions, rooms, greenthreads and descriptors there are."""
        return {**self.asks("counts"), "descriptors": self.descriptors()}

    def empties(self, bounds: Mapping[str, int] = MappingProxyType({})) -> None:
        """Wait until nobody is there, and no more of these other counts than the bounds."""
        _waits_for(lambda: {what: self.counts()[what] for what in (*_OF_PEOPLE, *bounds)}, bounds)

    def rests(self) -> dict[str, int]:
        """Wait until nobody is there; returns how many there are of everything."""
        self.empties()
        return self._everything()

    def rests_as(self, before: dict[str, int]) -> None:
        """Wait until nobody is there, and there is no more of anything than before."""
        self.empties()
        _waits_for(self._everything, before)

    def _everything(self) -> dict[str, int]:
        """The counts, the objects of each class and the items of each table, without what bounded tables may keep."""
        found = {**self.asks("objects"), **self.asks("tables"), **self.counts()}
        return {what: number for what, number in found.items() if what not in _REMEMBERED}

    def stop(self) -> None:
        super().stop()
        self._control.close()


def _waits_for(count: Callable[[], dict[str, int]], bounds: Mapping[str, int]) -> None:
    """Wait until no number is above its bound."""
    deadline = time.monotonic() + _REST_S
    while more := {
        what: (number, bounds.get(what, 0))
        for what, number in count().items()
        if number > bounds.get(what, 0)
    }:
        assert time.monotonic() < deadline, f"more than there were before: {more}"
        time.sleep(0.02)  # sessions end by deadlines, which nothing announces to the outside
