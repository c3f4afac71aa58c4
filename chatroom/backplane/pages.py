"""Pages cut from entries in memory: the arithmetic of `after`, `before`, `more` and `gap`.

It does not know where the entries come from, but for `take` they need not be in memory.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from operator import attrgetter

from chatroom.core.log import PAGE_BYTES, Entry, Page


def take(entries: Iterable[Entry], limit: int) -> tuple[list[Entry], bool]:
    """The first entries that fit into a page, and whether more follow; it reads at most one entry too many.

    A page has at most `limit` entries and `PAGE_BYTES`, and at least one entry.
    """
    page: list[Entry] = []
    size = 0
    for entry in entries:
        size += entry.wire_bytes
        if page and (len(page) == limit or size > PAGE_BYTES):
            return page, True
        page.append(entry)
    return page, False


def newer(entries: Sequence[Entry], after: str, upto: str | None, limit: int) -> Page:
    """What came after an id, oldest first; `more` if the page ends before the log, or `upto`, does."""
    start, end = _index_after(entries, after), len(entries) if upto is None else _index_after(entries, upto)
    page, more = take((entries[index] for index in range(start, end)), limit)
    return Page(tuple(page), more=more)


def older(entries: Sequence[Entry], before: str | None, upto: str | None, limit: int) -> Page:
    """What came before an id (or the most recent), oldest first; `more` if there are older ones."""
    end = len(entries) if upto is None else _index_after(entries, upto)
    if before is not None:
        end = min(end, bisect_left(entries, before, key=_id))
    page, more = take((entries[index] for index in range(end - 1, -1, -1)), limit)
    return Page(tuple(reversed(page)), more=more)


def _index_after(entries: Sequence[Entry], entry_id: str) -> int:
    return bisect_right(entries, entry_id, key=_id)


_id = attrgetter("id")
