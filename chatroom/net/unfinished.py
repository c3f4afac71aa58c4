"""Input that is kept because its end has not come yet: the beginnings of messages, request heads and bodies.

Each connection has a bound of its own, but ten thousand may each send all but the last byte of something.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Generic, TypeVar

_Item = TypeVar("_Item")
_LEAVE: Final = 7 / 8  # of the bound, when it is exceeded: so the largest are seldom looked for


class Unfinished(Generic[_Item]):
    """How many bytes are kept for whom.

    Args:
        limit_bytes: the most for all together.
        drop: called with each that must go, the largest first, so that the others may go on.
    """

    def __init__(self, limit_bytes: int, drop: Callable[[_Item], None]) -> None:
        self._limit_bytes = limit_bytes
        self._drop = drop
        self._sizes: dict[_Item, int] = {}
        self.total = 0

    def __len__(self) -> int:
        return len(self._sizes)

    def keep(self, item: _Item, size: int) -> None:
        """So many bytes are kept for it now; with 0, none."""
        self.total += size - self._sizes.pop(item, 0)
        if size:
            self._sizes[item] = size
            if self.total > self._limit_bytes:
                self._make_room()

    def _make_room(self) -> None:
        for item in sorted(self._sizes, key=self._sizes.__getitem__, reverse=True):
            if self.total <= self._limit_bytes * _LEAVE:
                return
            self.keep(item, 0)
            self._drop(item)
