"""How comings and goings are told on Socket.IO (protocol, section 1, "Rosters").

In rooms of up to 64 people each is told at once. Above that, those of a burst are told together, at an interval
that grows with the roster's bytes: a thousand people coming at once would otherwise cost a million frames, each
with a thousand names.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Final

import msgspec

from chatroom.core.events import Person, Renamed
from chatroom.gateways import wire
from chatroom.sessions import Hall

SMALL_ROOM: Final = 64  # people; the protocol's number
_MIN_INTERVAL_S: Final = 0.05
_MAX_INTERVAL_S: Final = 2.0
_NAME_BYTES: Final = 40  # about what one person takes in a `name_list`
_ROSTER_BYTES_PER_S: Final = 1_000_000  # what each of a room's `full` clients is sent of rosters

Emit = Callable[[str, str | Sequence[str]], None]


@dataclass(slots=True)
class _Burst:
    """What has happened in a large room since it was last told."""

    joined: dict[str, Person] = field(default_factory=dict)
    left: list[Person] = field(default_factory=list)
    at_ms: int = 0
    timer: Any = None


class Presence:
    """Tells comings, goings and renames to a room's three kinds of clients."""

    def __init__(self, emit: Emit, call_later: Callable[..., Any]) -> None:
        self._emit = emit
        self._call_later = call_later
        self._bursts: dict[str, _Burst] = {}
        self._names: dict[str, msgspec.Raw] = {}

    def names(self, hall: Hall) -> msgspec.Raw:
        """The room's `name_list` as everybody has been told it, encoded once for a whole batch."""
        names = self._names.get(hall.key)
        if names is None:
            names = self._names[hall.key] = wire.name_list(hall.roster.people())
        return names

    def joined(self, hall: Hall, who: Person, at_ms: int) -> None:
        self._names.pop(hall.key, None)
        burst = self._burst(hall)
        burst.joined[who.sid] = who
        burst.at_ms = at_ms
        self._told(hall, burst)

    def left(self, hall: Hall, who: Person, at_ms: int) -> None:
        self._names.pop(hall.key, None)
        burst = self._burst(hall)
        # Who came and went within a burst is told as gone: a newcomer may have seen the name in between.
        burst.joined.pop(who.sid, None)
        burst.left.append(who)
        burst.at_ms = at_ms
        self._told(hall, burst)

    def renamed(self, hall: Hall, renamed: Renamed, text: str, at_ms: int) -> None:
        self._tell(hall)  # nobody is renamed who was not told of
        self._names.pop(hall.key, None)
        names = self.names(hall) if len(hall.roster) <= SMALL_ROOM else None
        self._emit(wire.frame(wire.rename(renamed, text, at_ms, names)), _listers(hall))
        self._emit(wire.frame(wire.rename(renamed, text, at_ms, None)), _delta(hall))

    def flush(self, hall: Hall) -> None:
        """A batch is over: its list of names is of no more use."""
        self._names.pop(hall.key, None)

    def _burst(self, hall: Hall) -> _Burst:
        burst = self._bursts.get(hall.key)
        if burst is None:
            burst = self._bursts[hall.key] = _Burst()
        return burst

    def _told(self, hall: Hall, burst: _Burst) -> None:
        if len(hall.roster) <= SMALL_ROOM:
            self._tell(hall)
        elif burst.timer is None:
            size = len(hall.roster) * _NAME_BYTES
            interval = min(max(_MIN_INTERVAL_S, size / _ROSTER_BYTES_PER_S), _MAX_INTERVAL_S)
            burst.timer = self._call_later(interval, self._tell, hall)

    def _tell(self, hall: Hall) -> None:
        burst = self._bursts.pop(hall.key, None)
        if burst is None:
            return
        if burst.timer is not None:
            burst.timer.cancel()
        count, at_ms = len(hall.roster), burst.at_ms
        delta = wire.roster(burst.joined.values(), burst.left, count, at_ms)
        self._emit(wire.frame(delta), _delta(hall))
        comers = list(burst.joined.values())
        for who in comers:
            names = self.names(hall) if who is comers[-1] else None
            self._emit(
                wire.frame(wire.presence("login", who, hall.name, count, at_ms, names)), _listers(hall)
            )
        if burst.left:
            who = burst.left[-1]
            gone = wire.presence("logout", who, hall.name, count, at_ms, self.names(hall))
            self._emit(wire.frame(gone), _listers(hall))
        if hall.key in self._names:
            del self._names[hall.key]


def group(kind: str, hall: Hall) -> str:
    """The python-socketio room for one kind of client in one of ours; session ids hold no space, so none is like it."""
    return f"{kind} {hall.key}"


@lru_cache(maxsize=1024)  # every message goes to them
def groups(key: str) -> tuple[str, ...]:
    """The groups of all kinds of clients in the room of this key."""
    return tuple(f"{kind} {key}" for kind in ("seed", "full", "delta"))


def _listers(hall: Hall) -> list[str]:
    return [group("seed", hall), group("full", hall)]


def _delta(hall: Hall) -> str:
    return group("delta", hall)
