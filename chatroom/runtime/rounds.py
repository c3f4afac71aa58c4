"""A queue that gives one item of each group after the other, so that no group delays the others by its number.

A group of which nothing waits for a whole round overtakes those of which something always waits, as in RFC 8290. But at
most every second item does so: there may be a new group for each item.
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
        # Groups of which nothing waited, and the others; each with the number of items that were taken out before it
        # came, or had its last turn. Some of the others have no items any more.
        self._new: deque[tuple[object, int]] = deque()
        self._others: deque[tuple[object, int]] = deque()
        self._taken = 0
        self._has_overtaken = False  # the last item
        self.length = 0

    def __len__(self) -> int:
        return self.length

    def append(self, item: _ItemT, group: object) -> None:
        """Let an item wait, after those of its group."""
        items = self._items.get(group)
        if items is None:
            items = self._items[group] = deque()
            self._new.append((group, self._taken))
        items.append(item)
        self.length += 1

    def popleft(self) -> _ItemT:
        """Take out the next item; its group comes next when all others have had one."""
        self.length -= 1
        self._taken += 1
        new, others, items = self._new, self._others, self._items
        while others and not items[others[0][0]]:
            del items[others.popleft()[0]]  # for a round, nothing of it has come
        overtakes = bool(new and others) and others[0][1] <= new[0][1]
        takes_new = bool(new) and not (overtakes and self._has_overtaken)
        self._has_overtaken = overtakes and takes_new
        group, _ = (new if takes_new else others).popleft()
        item = items[group].popleft()
        if self.length:
            others.append((group, self._taken))
        else:
            items.clear()
            others.clear()
        return item
