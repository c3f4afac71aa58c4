"""The rooms in the file: their numbers and their counts of entries, of which only so many are kept.

Its caches may be wrong after a failed transaction: call `forget` then.
"""

from __future__ import annotations

import sqlite3
from typing import Final

_CACHED_ROOMS: Final = 20_000
_SLACK: Final = 64  # entries of a room beyond what is kept, until they are deleted together


class RoomRows:
    """The rows of all rooms.

    Args:
        entries_kept: how many entries of a room are kept.

    Attributes:
        surplus: the numbers of rooms with a few more entries than are kept.
    """

    def __init__(self, entries_kept: int) -> None:
        self._entries_kept = entries_kept
        self._slack = min(_SLACK, entries_kept // 16)
        self._numbers: dict[str, int] = {}
        self._counts: dict[int, int] = {}
        self.surplus: set[int] = set()

    def forget(self) -> None:
        """Drop the caches: they may not be what the file has."""
        self._numbers.clear()
        self._counts.clear()

    def number(self, writer: sqlite3.Connection, key: str) -> int:
        """The number of a room; a new room gets one."""
        number = self._numbers.get(key)
        if number is None:
            found = writer.execute("SELECT number FROM room WHERE key = ?", (key,)).fetchone()
            if found is None:
                found = writer.execute(
                    "INSERT INTO room (key) VALUES (?) RETURNING number", (key,)
                ).fetchone()
            number = int(found[0])
            if len(self._numbers) >= _CACHED_ROOMS:
                self.forget()
            self._numbers[key] = number
        return number

    def number_with_space(self, key: str) -> int | None:
        """The number of a room that can take another entry without a deletion; None if the caches do not know."""
        number = self._numbers.get(key)
        count = self._counts.get(number) if number is not None else None
        if count is None or count + 1 - self._entries_kept > self._slack:
            return None
        return number

    def added(self, number: int) -> None:
        """A room that had space has one more entry."""
        self._counts[number] += 1
        if self._counts[number] > self._entries_kept:
            self.surplus.add(number)

    def trim(self, writer: sqlite3.Connection, number: int, added: int, *, slack: int | None = None) -> bool:
        """Count entries that were added, and delete those beyond what is kept.

        Args:
            slack: how many surplus entries may stay until the next time, which saves work; None: the usual number.

        Returns:
            Whether any was deleted.
        """
        count = self._counts.get(number)
        if count is None:
            found = writer.execute("SELECT count(*) FROM entry WHERE room = ?", (number,))
            count = int(found.fetchone()[0])
        else:
            count += added
        surplus = count - self._entries_kept
        self._counts[number] = count
        if surplus <= (self._slack if slack is None else slack):
            if surplus > 0:
                self.surplus.add(number)
            else:
                self.surplus.discard(number)
            return False
        edge = writer.execute(
            "SELECT id FROM entry WHERE room = ? ORDER BY id LIMIT 1 OFFSET ?", (number, surplus - 1)
        ).fetchone()[0]
        writer.execute("DELETE FROM entry WHERE room = ? AND id <= ?", (number, edge))
        writer.execute("UPDATE room SET dropped = ? WHERE number = ?", (edge, number))
        self._counts[number] = self._entries_kept
        self.surplus.discard(number)
        return True
