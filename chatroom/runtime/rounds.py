"""A queue that gives one item of each group after the other, so that no group delays the others by its number.

A group of which nothing waits for a whole round comes before those of which something always waits: as in RFC 8290.
"""

from __future__ import annotations

from collections import deque
from typing import Generic, TypeVar

_ItemT = TypeVar("_ItemT")


class Rounds(Generic[_ItemT]):
    """Items that wait, by group: within a group the first one first.

    Attributes:
        length: how many there are; to ask for it takes no call.
    """

    def __init__(self) -> None:
        self._items: dict[object, deque[_ItemT]] = {}
        self._new: deque[object] = deque()  # groups that come first
        self._groups: deque[object] = (
            deque()
        )  # the others, the one that comes next first; some have no items any more
        self.length = 0

    def __len__(self) -> int:
        return self.length

    def append(self, item: _ItemT, group: object) -> None:
        """Let an item wait, after those of its group."""
        items = self._items.get(group)
        if items is None:
            items = self._items[group] = deque()
            self._new.append(group)
        items.append(item)
        self.length += 1

    def popleft(self) -> _ItemT:
        """Take out the next item; its group comes next when all others have had one."""
        self.length -= 1
        if self._new:
            group = self._new.popleft()
        else:
            while not self._items[group := self._groups.popleft()]:
                del self._items[group]  # for a round, nothing of it has come
        items = self._items[group]
        item = items.popleft()
        if self.length:
            self._groups.append(group)
        else:
            self._items.clear()
            self._groups.clear()
        return item
