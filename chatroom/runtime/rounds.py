"""A queue that gives one item of each group after the other, so that no group delays the others by its number."""

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
        self._groups: deque[object] = deque()  # the one that comes next first
        self.length = 0

    def __len__(self) -> int:
        return self.length

    def append(self, item: _ItemT, group: object) -> None:
        """Let an item wait, after those of its group."""
        items = self._items.get(group)
        if items is None:
            items = self._items[group] = deque()
            self._groups.append(group)
        items.append(item)
        self.length += 1

    def popleft(self) -> _ItemT:
        """Take out the next item; its group comes next when all others have had one."""
        self.length -= 1
        group = self._groups.popleft()
        items = self._items[group]
        item = items.popleft()
        if items:
            self._groups.append(group)
        else:
            del self._items[group]
        return item
