"""Newcomers: what may be closed when there is no room, and which of them first.

It knows groups and the order of arrival; its user decides what a newcomer is.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

_Item = TypeVar("_Item", bound=Hashable)


class Newcomers(Generic[_Item]):
    """Newcomers by group; the oldest of the largest group is closed first. Every call takes the same short time.

    Args:
        group_of: the group of an address; by default each address is one.
    """

    def __init__(self, group_of: Callable[[str], str] = str) -> None:
        self._group_of = group_of
        self._group: dict[_Item, str] = {}
        self._groups: dict[str, dict[_Item, None]] = {}  # oldest first
        # Groups of that size, first those that reached it first.
        self._by_size: dict[int, dict[str, None]] = {}
        self._largest = 0

    def __len__(self) -> int:
        return len(self._group)

    def __contains__(self, item: _Item) -> bool:
        return item in self._group

    def move(self, item: _Item, address: str) -> None:
        """Count `item` under this address, if it is a newcomer."""
        if item in self._group:
            self.add(item, address)

    def add(self, item: _Item, address: str) -> None:
        """Add `item` as the newest newcomer from this address."""
        if item in self._group:
            self.remove(item)
        name = self._group_of(address)
        self._group[item] = name
        members = self._groups.setdefault(name, {})
        members[item] = None
        self._resized(name, len(members) - 1, len(members))

    def remove(self, item: _Item) -> None:
        """Remove `item`, if it is here."""
        name = self._group.pop(item, None)
        if name is None:
            return
        members = self._groups[name]
        del members[item]
        if not members:
            del self._groups[name]
        self._resized(name, len(members) + 1, len(members))

    def first(self) -> _Item | None:
        """The one to close first; None if there are no newcomers."""
        if not self._largest:
            return None
        return next(iter(self._groups[next(iter(self._by_size[self._largest]))]))

    def _resized(self, name: str, before: int, after: int) -> None:
        by_size = self._by_size
        if before:
            del by_size[before][name]
            if not by_size[before]:
                del by_size[before]
        if after:
            by_size.setdefault(after, {})[name] = None
        if after > self._largest or (before == self._largest and before not in by_size):
            self._largest = after
