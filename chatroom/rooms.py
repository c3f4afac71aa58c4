"""The rooms that people of this process are in, as they have been announced.

It knows what a room's people have been told, and how long a room must stay open. What is decided is the backplane's.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from chatroom.backplane import Backplane
from chatroom.core.errors import RoomFull
from chatroom.core.names import room_key
from chatroom.core.recent import RecentNames
from chatroom.core.roster import Roster


@dataclass(slots=True, eq=False)
class RoomView:
    """A room as this process has announced it.

    Attributes:
        name: as the first visitor here typed it.
        key: what tells it from other rooms.
        roster: who is in it.
        recent: whose names were here until lately.
        own: the identities of those in the roster who are, or were, served by this process, by session id.
        memberships: how many sessions of this process are in it, or are about to be.
    """

    name: str
    key: str
    roster: Roster = field(default_factory=Roster)
    recent: RecentNames = field(default_factory=RecentNames)
    own: dict[str, str] = field(default_factory=dict)
    memberships: int = 0


class Rooms:
    """The open rooms of this process.

    Args:
        limit: the most rooms at once.
    """

    def __init__(self, backplane: Backplane, limit: int) -> None:
        self._backplane = backplane
        self._limit = limit
        self._open: dict[str, RoomView] = {}

    def get(self, key: str) -> RoomView | None:
        """The room with this key, if it is open."""
        return self._open.get(key)

    @contextmanager
    def opened(self, name: str) -> Iterator[RoomView]:
        """A room that stays open for whoever is about to be in it; afterwards it closes if nobody is.

        Raises:
            RoomFull: there are too many rooms.
        """
        key = room_key(name)
        view = self._open.get(key)
        if view is None:
            if len(self._open) >= self._limit:
                raise RoomFull
            view = self._open[key] = RoomView(name, key)
        view.memberships += 1
        try:
            yield view
        finally:
            view.memberships -= 1
            self.close_if_empty(view)

    def close_if_empty(self, view: RoomView) -> None:
        """Close a room that nobody of this process is in, if all that they were told of has been announced."""
        if not view.memberships and not view.own and self._open.get(view.key) is view:
            del self._open[view.key]
            self._backplane.forget(view.key)

    def forget_if_closed(self, key: str) -> None:
        """After a read of the log that may have outlasted the room's last member."""
        if key not in self._open:
            self._backplane.forget(key)
