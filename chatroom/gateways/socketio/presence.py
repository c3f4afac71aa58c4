"""How joins, leaves and renames are announced on Socket.IO (protocol, section 1, "Rosters").

In rooms of up to 64 people each one is announced at once, as long as the room's budget has bytes to spare. Otherwise
those of a burst are announced together. The interval grows with the bytes of the roster and with the cost of sending
the last one: otherwise a thousand joins at once would cost a million frames, each with a thousand names. A rename does
not shorten it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache, partial
from typing import Final

import msgspec

from chatroom.core.events import Person, Renamed
from chatroom.core.names import name_key
from chatroom.core.room_budget import change_size
from chatroom.core.roster import NAME_BYTES, SMALL_ROOM
from chatroom.gateways.socketio import wire
from chatroom.gateways.words import LANGUAGES, WORDS
from chatroom.rooms import RoomView
from chatroom.runtime import Timer

_MIN_INTERVAL_S: Final = 0.05
_ROSTER_BYTES_PER_S: Final = 1_000_000  # of rosters, to each of a room's `full` clients
_ROSTER_SHARE: Final = 0.05  # of a core, for a room's rosters

KINDS: Final = ("seed", "full", "delta")
_LISTED: Final = ("seed", "full")  # the kinds of clients that receive a `name_list`
_DELTA: Final = ("delta",)

Emit = Callable[[str, str | Sequence[str]], None]


@dataclass(slots=True)
class _Burst:
    """The joins and leaves of a room since the last announcement, and the renames that have to follow them."""

    joined: dict[str, Person] = field(default_factory=dict)
    left: list[Person] = field(default_factory=list)
    renamed: list[tuple[Renamed, int]] = field(default_factory=list)
    at_ms: int = 0
    timer: Timer | None = None

    def names(self, sid: str) -> bool:
        """Whether the name that this person has now is among what is to be announced."""
        return sid in self.joined or any(renamed.sid == sid for renamed, _ in self.renamed)

    def comes_before(self, renamed: Renamed) -> bool:
        """Whether a rename must wait: who has the name, or whose it was, is not announced yet."""
        if self.names(renamed.sid):
            return True
        key = name_key(renamed.new)
        return any(name_key(who.name) == key for who in self.left) or any(
            name_key(other.old) == key for other, _ in self.renamed
        )


class Presence:
    """Announces joins, leaves and renames to a room's kinds of clients.

    Args:
        emit: sends a frame to some groups.
        has_recipients: whether any of these groups has a member.
        when_written: calls back when what was emitted is written, with the seconds that this took.
        computing_s: the computing time of this thread; time in which others had the processor costs nothing.
        monotonic: a clock in seconds.
    """

    def __init__(
        self,
        emit: Emit,
        has_recipients: Callable[[Sequence[str]], bool],
        call_later: Callable[[float, Callable[[], None]], Timer],
        when_written: Callable[[Callable[[float], None]], None],
        computing_s: Callable[[], float],
        monotonic: Callable[[], float],
    ) -> None:
        self._emit = emit
        self._has_recipients = has_recipients
        self._call_later = call_later
        self._when_written = when_written
        self._computing_s = computing_s
        self._monotonic = monotonic
        self._bursts: dict[str, _Burst] = {}
        self._names: dict[str, msgspec.Raw] = {}
        self._costs: dict[str, float] = {}  # of the last roster of a large room

    def names(self, room: RoomView) -> msgspec.Raw:
        """The room's `name_list` as announced, encoded once for a whole batch."""
        names = self._names.get(room.key)
        if names is None:
            names = self._names[room.key] = wire.name_list(room.roster.people())
        return names

    def is_announced(self, room: RoomView, who: Person) -> bool:
        """Whether the room has been sent this name of a member; it may wait for a burst, or a message to be stored."""
        burst = self._bursts.get(room.key)
        return room.roster.get(who.sid) == who and (burst is None or not burst.names(who.sid))

    def joined(self, room: RoomView, who: Person, at_ms: int) -> None:
        self._names.pop(room.key, None)
        burst = self._burst(room)
        burst.joined[who.sid] = who
        burst.at_ms = at_ms
        self._changed(room, burst)

    def left(self, room: RoomView, who: Person, at_ms: int) -> None:
        self._names.pop(room.key, None)
        burst = self._burst(room)
        # A leave is announced even if the join was in the same burst: a newcomer may have seen the name in between.
        if burst.joined.pop(who.sid, None) is None:
            announced = (renamed.old for renamed, _ in burst.renamed if renamed.sid == who.sid)
            who = Person(who.sid, next(announced, who.name))
        burst.renamed = [pair for pair in burst.renamed if pair[0].sid != who.sid]
        burst.left.append(who)
        burst.at_ms = at_ms
        self._changed(room, burst)

    def renamed(self, room: RoomView, renamed: Renamed, at_ms: int) -> None:
        self._names.pop(room.key, None)
        small = len(room.roster) <= SMALL_ROOM
        if small:
            self._announce(room)
        burst = self._bursts.get(room.key)
        if burst is not None and burst.comes_before(renamed):
            burst.renamed.append((renamed, at_ms))
        else:
            self._announce_rename(room, renamed, at_ms, small=small)

    def _announce_rename(self, room: RoomView, renamed: Renamed, at_ms: int, *, small: bool) -> None:
        for lang, words in WORDS.items():
            text = words.say("renames", name=renamed.new)
            for kinds in (_LISTED, _DELTA) if small else (KINDS,):
                to = groups(room.key, kinds, (lang,))
                if self._has_recipients(to):
                    names = self.names(room) if kinds is _LISTED else None
                    self._emit(wire.frame(wire.rename(renamed, text, at_ms, names)), to)

    def flush(self, room: RoomView) -> None:
        """A batch is over: its list of names is no longer needed."""
        self._names.pop(room.key, None)

    def _burst(self, room: RoomView) -> _Burst:
        burst = self._bursts.get(room.key)
        if burst is None:
            burst = self._bursts[room.key] = _Burst()
        return burst

    def _changed(self, room: RoomView, burst: _Burst) -> None:
        count = len(room.roster)
        if count <= SMALL_ROOM:
            self._costs.pop(room.key, None)
            if room.budget is None or room.budget.spend_spare(self._monotonic(), change_size(count)):
                self._announce(room)
                return
        if burst.timer is None:
            burst.timer = self._call_later(self._interval_s(room), partial(self._announce, room))

    def _interval_s(self, room: RoomView) -> float:
        by_size = len(room.roster) * NAME_BYTES / _ROSTER_BYTES_PER_S
        by_cost = self._costs.get(room.key, 0.0) / _ROSTER_SHARE
        return max(_MIN_INTERVAL_S, by_size, by_cost)

    def _announce(self, room: RoomView) -> None:
        burst = self._bursts.pop(room.key, None)
        if burst is None:
            return
        if burst.timer is not None:
            burst.timer.cancel()
        began = self._computing_s()
        count, at_ms = len(room.roster), burst.at_ms
        delta = wire.roster(burst.joined.values(), burst.left, count, at_ms)
        self._emit(wire.frame(delta), groups(room.key, _DELTA))
        listed = groups(room.key, _LISTED)
        comers = list(burst.joined.values())
        for who in comers:
            names = self.names(room) if who is comers[-1] else None
            self._emit(wire.frame(wire.presence("login", who, room.name, count, at_ms, names)), listed)
        if burst.left:
            who = burst.left[-1]
            gone = wire.presence("logout", who, room.name, count, at_ms, self.names(room))
            self._emit(wire.frame(gone), listed)
        for renamed, renamed_at_ms in burst.renamed:
            self._announce_rename(room, renamed, renamed_at_ms, small=False)
        if room.key in self._names:
            del self._names[room.key]
        if count > SMALL_ROOM:
            self._when_written(partial(self._note_cost, room, self._computing_s() - began))

    def _note_cost(self, room: RoomView, encoding_s: float, writing_s: float) -> None:
        """Remember the cost of a roster; the other frames of the same turn are counted with it."""
        if len(room.roster) > SMALL_ROOM:  # otherwise the room may be gone for good
            self._costs[room.key] = encoding_s + writing_s


def group(kind: str, lang: str, key: str) -> str:
    """The python-socketio room for the clients of one kind and language in the room of this key.

    Session ids have no space, so none equals it.
    """
    return f"{kind} {lang} {key}"


@lru_cache(maxsize=4096)  # every message goes to some
def groups(key: str, kinds: Sequence[str] = KINDS, langs: Sequence[str] = tuple(LANGUAGES)) -> Sequence[str]:
    """The groups of these kinds and languages in the room of this key."""
    return tuple(group(kind, lang, key) for kind in kinds for lang in langs)
