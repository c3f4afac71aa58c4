"""Which room loses its oldest entries first when there is no space for all.

It knows sizes in bytes and the order of entries, and nothing of where they are stored.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterable
from typing import Final, NamedTuple

STEP_BYTES: Final = 16_384  # rooms whose sizes are in the same step count as equally large


class _Place(NamedTuple):
    """A room's place in its half: the first room loses first."""

    steps: int  # negative, so that the largest room is the first
    newest: str
    room: str


class _Half:
    """The public rooms, or all others."""

    def __init__(self) -> None:
        self.total = 0
        self.sizes: dict[str, int] = {}
        self.order: list[_Place] = []
        self._newest: dict[str, str] = {}

    def set(self, room: str, size: int, newest: str) -> None:
        before = self.sizes.pop(room, 0)
        if before:
            place = _Place(-(before // STEP_BYTES), self._newest.pop(room), room)
            del self.order[bisect_left(self.order, place)]
        self.total += size - before
        if size:
            self.sizes[room] = size
            self._newest[room] = newest
            insort(self.order, _Place(-(size // STEP_BYTES), newest, room))

    def newest(self, room: str) -> str:
        return self._newest[room]


class Shares:
    """The size of each room.

    The public rooms keep half of the space, however many others there are, and the others keep the other half. Within a
    half the largest room loses first; of equally large rooms, the one whose newest entry is the oldest.

    Args:
        public: keys of the rooms whose names everyone knows. Anyone can make others, as many as they like.
    """

    def __init__(self, public: Iterable[str]) -> None:
        self._public = frozenset(public)
        self._open, self._others = _Half(), _Half()

    @property
    def total(self) -> int:
        """The bytes of all rooms."""
        return self._open.total + self._others.total

    def add(self, room: str, size: int, newest: str) -> None:
        """Count an entry of a room, whose newest it is.

        Args:
            newest: its id.
        """
        half = self._half(room)
        half.set(room, half.sizes.get(room, 0) + size, newest)

    def remove(self, room: str, size: int) -> None:
        """Stop counting entries of a room."""
        half = self._half(room)
        half.set(room, half.sizes[room] - size, half.newest(room))

    def first(self) -> tuple[str, int]:
        """The room that loses next, and how many bytes until it may be another room's turn."""
        half = self._open if self._open.total > self._others.total else self._others
        room = half.order[0].room
        return room, half.sizes[room] % STEP_BYTES + 1

    def _half(self, room: str) -> _Half:
        return self._open if room in self._public else self._others
