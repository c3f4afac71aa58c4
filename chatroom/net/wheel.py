"""A timing wheel: thousands of deadlines, with coarse precision.

A wheel knows ticks and what is due in them; it has no clock and starts no timer. An entry costs one slot of a dict, is
moved and removed in constant time, and leaves nothing behind. One timer per deadline would keep closed sessions alive.
"""

from __future__ import annotations

import heapq
from typing import Generic, Protocol, TypeVar


class Timed(Protocol):
    """What a wheel can hold: it remembers its own tick, so that the wheel needs no index."""

    tick: int


NO_TICK = -1

Item = TypeVar("Item", bound=Timed)


class Wheel(Generic[Item]):
    """Items by the tick in which they are due; each item is due once.

    Args:
        tick_s: how coarse the wheel is. Nothing is due early; everything may be due up to one tick late.
    """

    def __init__(self, tick_s: float) -> None:
        self.tick_s = tick_s
        self._items: dict[int, dict[Item, None]] = {}
        self._order: list[int] = []

    def put(self, item: Item, at: float) -> None:
        """Make `item` due at `at` (seconds of the caller's clock), and no longer at another time."""
        tick = int(at / self.tick_s) + 1
        if item.tick == tick:
            return
        self.drop(item)
        due = self._items.get(tick)
        if due is None:
            due = self._items[tick] = {}
            heapq.heappush(self._order, tick)
        due[item] = None
        item.tick = tick

    def drop(self, item: Item) -> None:
        """Forget `item`, if it is there."""
        if item.tick != NO_TICK:
            due = self._items.get(item.tick)
            if due is not None:
                due.pop(item, None)
            item.tick = NO_TICK

    def next_at(self) -> float | None:
        """When to call `advance` again; None if nothing is due."""
        while self._order and not self._items[self._order[0]]:
            del self._items[heapq.heappop(self._order)]
        return self._order[0] * self.tick_s if self._order else None

    def advance(self, now: float) -> list[Item]:
        """Take out and return everything that is due by `now`."""
        due: list[Item] = []
        while self._order and self._order[0] * self.tick_s <= now:
            due += self._items.pop(heapq.heappop(self._order))
        for item in due:
            item.tick = NO_TICK
        return due
