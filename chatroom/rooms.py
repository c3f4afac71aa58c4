"""The rooms that people of this process are in, as announced to them.

It knows what has been announced in a room, and how long a room must stay open. Decisions are the backplane's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

from chatroom.backplane import Backplane
from chatroom.core.errors import RoomFull
from chatroom.core.flood import Rate
from chatroom.core.names import room_key
from chatroom.core.recent import LATELY_S, PackedNames, RecentNames
from chatroom.core.room_budget import RoomBudget
from chatroom.core.roster import Roster

MOST_NAMES_CLOSED: Final = 10_000  # given up in closed rooms, the latest
_MOST_NAMES_EACH: Final = 20  # of them per room: when it opens again, they take 0.7 ms


@dataclass(slots=True, eq=False)
class RoomView:
    """A room as this process has announced it.

    Attributes:
        name: as the first member on this process typed it.
        key: identifies the room (`room_key`).
        roster: who is in it.
        recent: the names that were recently given up.
        own: by session id, the identities of people in the roster whom this process serves, or served.
        memberships: how many sessions of this process are in it, or are about to be.
        budget: how much it may still receive; None without limits.
    """

    name: str
    key: str
    roster: Roster = field(default_factory=Roster)
    recent: RecentNames = field(default_factory=RecentNames)
    own: dict[str, str] = field(default_factory=dict)
    memberships: int = 0
    budget: RoomBudget | None = None


class Rooms:
    """The open rooms of this process.

    Args:
        limit: the most rooms at once.
        rate: how many bytes one room may receive; None for any number.
        monotonic: a clock in seconds.
    """

    def __init__(
        self, backplane: Backplane, limit: int, rate: Rate | None, monotonic: Callable[[], float]
    ) -> None:
        self._backplane = backplane
        self._limit = limit
        self._rate = rate
        self._monotonic = monotonic
        self._open: dict[str, RoomView] = {}
        # The names given up in rooms that have closed, the earliest closed first, and how many they are.
        self._closed: dict[str, PackedNames] = {}
        self._names_closed = 0

    def get(self, key: str) -> RoomView | None:
        """The room with this key, if it is open."""
        return self._open.get(key)

    def count(self, key: str) -> int:
        """How many people are in a room."""
        room = self._open.get(key)
        return len(room.roster) if room is not None else self._backplane.count(key)

    @contextmanager
    def opened(self, name: str) -> Iterator[RoomView]:
        """Keep a room open while someone joins it; afterwards it closes if no one is in it.

        Raises:
            RoomFull: there are too many rooms.
        """
        key = room_key(name)
        view = self._open.get(key)
        if view is None:
            if len(self._open) >= self._limit:
                raise RoomFull
            budget = RoomBudget(self._rate, self._monotonic()) if self._rate is not None else None
            view = self._open[key] = RoomView(
                name, key, budget=budget, recent=RecentNames.unpacked(self._reopened(key))
            )
        view.memberships += 1
        try:
            yield view
        finally:
            view.memberships -= 1
            self.close_if_empty(view)

    def close_if_empty(self, view: RoomView) -> None:
        """Close a room that no one of this process is in, once the leaves of all its members are announced."""
        if not view.memberships and not view.own and self._open.get(view.key) is view:
            del self._open[view.key]
            self._backplane.forget(view.key)
            if packed := view.recent.packed(_MOST_NAMES_EACH):
                self._closed[view.key] = packed
                self._names_closed += len(packed)
            while self._names_closed > MOST_NAMES_CLOSED:
                self._reopened(next(iter(self._closed)))

    def _reopened(self, key: str) -> PackedNames:
        """The names given up in a room before it closed, which are no longer kept here."""
        packed = self._closed.pop(key, ())
        self._names_closed -= len(packed)
        return packed

    def forget_expired(self) -> None:
        """Forget the closed rooms in which every name was given up long ago."""
        oldest_at = self._monotonic() - LATELY_S
        for key in [key for key, packed in self._closed.items() if packed[-1][2] < oldest_at]:
            self._reopened(key)

    def forget_if_closed(self, key: str) -> None:
        """Drop the backplane's caches again, after a read of the log during which the room may have closed."""
        if key not in self._open:
            self._backplane.forget(key)
