"""The newest entries of each occupied room's log, in memory, so that newcomers do not wait for the disk."""

from __future__ import annotations

import sys
from collections import OrderedDict
from typing import Final

from chatroom.backplane import RECENT_ENTRIES
from chatroom.backplane.pages import newer, older
from chatroom.core.log import Entry, Page

TAILS_BYTES: Final = 64_000_000  # of all tails; rooms beyond that are read from the disk
_ENTRY_BYTES: Final = 200  # of an entry, besides its text


class Tail:
    """The last entries of one room, at least `RECENT_ENTRIES` of them if the log has as many.

    Attributes:
        filled: what was on the disk is here; until then it only gathers what is new.
        whole: the log has nothing older.
        size: its bytes, about.
    """

    __slots__ = ("_dropped", "_entries", "filled", "size", "whole")

    def __init__(self) -> None:
        self._entries: list[Entry] = []
        self._dropped = ""  # everything up to this id is no longer in the log
        self.filled = False
        self.whole = False
        self.size = 0

    def add(self, entry: Entry) -> None:
        """Add the newest entry, unless it was read from the disk already."""
        if self._entries and entry.id <= self._entries[-1].id:
            return
        self._entries.append(entry)
        self.size += _size(entry)
        if len(self._entries) > 2 * RECENT_ENTRIES:  # cut seldom: each cut moves the list
            self._set(self._entries[-RECENT_ENTRIES:])
            self.whole = False

    def put_before(self, page: Page) -> None:
        """Add what was read from the disk; entries may have been added or deleted meanwhile."""
        first = self._entries[0].id if self._entries else None
        older = [entry for entry in page.entries if first is None or entry.id < first]
        kept = [entry for entry in older if entry.id > self._dropped]
        self._set(kept + self._entries)
        self.filled, self.whole = True, not page.more or len(kept) < len(older)

    def drop(self, upto: str) -> None:
        """Drop what was deleted from the log: everything up to an id."""
        self._dropped = upto
        kept = [entry for entry in self._entries if entry.id > upto]
        self.whole = self.whole or len(kept) < len(self._entries)
        self._set(kept)

    def holds(self, after: str) -> bool:
        """Whether the entry with this id is here, and everything after it."""
        return (
            bool(self._entries) and after >= self._entries[0].id and any(e.id == after for e in self._entries)
        )

    def newer(self, after: str, upto: str | None, limit: int) -> Page:
        """The entries after one that is here."""
        return newer(self._entries, after, upto, limit)

    def newest(self, upto: str | None, limit: int) -> Page:
        """The most recent entries."""
        page = older(self._entries, None, upto, limit)
        return Page(page.entries, more=page.more or not self.whole)

    def _set(self, entries: list[Entry]) -> None:
        self._entries = entries
        self.size = sum(map(_size, entries))


class Tails:
    """The tails of the rooms whose history was asked for last: as many as there is space for."""

    def __init__(self) -> None:
        self._tails: OrderedDict[str, Tail] = OrderedDict()
        self.size = 0

    def get(self, room: str) -> Tail | None:
        """A room's tail, if there is one."""
        return self._tails.get(room)

    def use(self, room: str) -> Tail:
        """A room's tail for somebody who reads it; an empty one if there was none."""
        tail = self._tails.setdefault(room, Tail())
        self._tails.move_to_end(room)
        return tail

    def fill(self, room: str, tail: Tail, page: Page) -> None:
        """Add what was read from the disk to a tail."""
        before = tail.size
        tail.put_before(page)
        self._resized(room, tail, before)

    def add(self, room: str, entry: Entry) -> None:
        """Add the newest entry of a room to its tail, if there is one."""
        tail = self._tails.get(room)
        if tail is not None:
            before = tail.size
            tail.add(entry)
            self._resized(room, tail, before)

    def drop(self, room: str, upto: str) -> None:
        """Drop what was deleted from a room's log."""
        tail = self._tails.get(room)
        if tail is not None:
            before = tail.size
            tail.drop(upto)
            self._resized(room, tail, before)

    def forget(self, room: str) -> None:
        """Forget a room's tail."""
        tail = self._tails.pop(room, None)
        if tail is not None:
            self.size -= tail.size

    def clear(self) -> None:
        """Forget all tails."""
        self._tails.clear()
        self.size = 0

    def _resized(self, room: str, tail: Tail, before: int) -> None:
        if self._tails.get(room) is not tail:
            return  # it was forgotten while somebody read from the disk
        self.size += tail.size - before
        while self.size > TAILS_BYTES:
            self.forget(next(iter(self._tails)))


def _size(entry: Entry) -> int:
    return sys.getsizeof(entry.text) + _ENTRY_BYTES
