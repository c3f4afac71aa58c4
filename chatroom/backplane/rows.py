"""The numbers of the rooms in the file.

Its cache may be wrong after a failed transaction: call `forget` then.
"""

from __future__ import annotations

import sqlite3
from typing import Final

_CACHED_ROOMS: Final = 20_000


class RoomNumbers:
    """The number of each room, recent ones from memory."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}

    def forget(self, key: str | None = None) -> None:
        """Drop a room from the cache, or all rooms: the file may have something else."""
        if key is None:
            self._numbers.clear()
        else:
            self._numbers.pop(key, None)

    def cached(self, key: str) -> int | None:
        """The number of a room; None if the cache does not have it."""
        return self._numbers.get(key)

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
