"""The newest entries of each occupied room's log, in memory, so that newcomers do not wait for the disk."""

from __future__ import annotations

from chatroom.backplane import RECENT_ENTRIES
from chatroom.backplane.pages import newer, older
from chatroom.core.log import Entry, Page


class Tail:
    """The last entries of one room, at least `RECENT_ENTRIES` of them if the log has as many.

    Attributes:
        filled: what was on the disk is here; until then it only gathers what is new.
        whole: the log has nothing older.
    """

    __slots__ = ("_dropped", "_entries", "filled", "whole")

    def __init__(self) -> None:
        self._entries: list[Entry] = []
        self._dropped = ""  # everything up to this id is no longer in the log
        self.filled = False
        self.whole = False

    def add(self, entry: Entry) -> None:
        """Add the newest entry, unless it was read from the disk already."""
        if self._entries and entry.id <= self._entries[-1].id:
            return
        self._entries.append(entry)
        if len(self._entries) > 2 * RECENT_ENTRIES:  # cut seldom: each cut moves the list
            del self._entries[:-RECENT_ENTRIES]
            self.whole = False

    def put_before(self, page: Page) -> None:
        """Add what was read from the disk; entries may have been added or deleted meanwhile."""
        first = self._entries[0].id if self._entries else None
        past = [entry for entry in page.entries if first is None or entry.id < first]
        kept = [entry for entry in past if entry.id > self._dropped]
        self._entries[:0] = kept
        self.filled, self.whole = True, not page.more or len(kept) < len(past)

    def drop(self, upto: str) -> None:
        """Drop what was deleted from the log: everything up to an id."""
        self._dropped = upto
        kept = [entry for entry in self._entries if entry.id > upto]
        self.whole = self.whole or len(kept) < len(self._entries)
        self._entries = kept

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
