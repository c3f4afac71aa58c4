"""Reads pages of the log from the file, in one thread while another writes.

It knows SQL; it writes nothing.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from typing import Final

from chatroom.backplane.file import store_errors
from chatroom.backplane.ids import id_from_number, id_number, is_id
from chatroom.backplane.pages import take
from chatroom.core.log import Entry, Page

AT_MS: Final = "ifnull(at_ms, id / 1000000)"  # when an entry was written, as the clock showed it
MAX_ID: Final = 2**63 - 1


class Reader:
    """The pages of every room.

    Args:
        connection: used by this object only, and closed with it.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def close(self) -> None:
        self._connection.close()

    def newer(self, room: str, after: str, upto: str | None, limit: int) -> Page | None:
        """What came after an id, oldest first; None if `after` is unknown."""
        if not is_id(after):
            return None
        number = id_number(after)
        with store_errors():
            found = self._connection.execute(
                "SELECT number, dropped FROM room WHERE key = ?", (room,)
            ).fetchone()
            if found is None:
                return None
            known = (
                found[1] == number
                or self._connection.execute(
                    "SELECT 1 FROM entry WHERE id = ? AND room = ?", (number, found[0])
                ).fetchone()
            )
            if not known:
                return None
            rows = self._connection.execute(
                f"SELECT id, {AT_MS}, name, text FROM entry WHERE room = ? AND id > ? AND id <= ? ORDER BY id LIMIT ?",
                (found[0], number, _upto(upto), limit + 1),
            )
            page, more = take(_entries(rows), limit)
            return Page(tuple(page), more=more)

    def older(self, room: str, before: str | None, upto: str | None, limit: int) -> Page:
        """What came before an id, or the most recent, oldest first."""
        number = MAX_ID if before is None else id_number(before) if is_id(before) else 0
        with store_errors():
            found = self._connection.execute("SELECT number FROM room WHERE key = ?", (room,)).fetchone()
            if found is None:
                return Page(())
            rows = self._connection.execute(
                f"SELECT id, {AT_MS}, name, text FROM entry WHERE room = ? AND id < ? AND id <= ?"
                " ORDER BY id DESC LIMIT ?",
                (found[0], number, _upto(upto), limit + 1),
            )
            page, more = take(_entries(rows), limit)
            return Page(tuple(reversed(page)), more=more)


def _upto(position: str | None) -> int:
    return MAX_ID if position is None else id_number(position)


def _entries(rows: Iterable[tuple[int, int, str, str]]) -> Iterator[Entry]:
    return (Entry(id_from_number(number), at_ms, name, text) for number, at_ms, name, text in rows)
