"""How many entries and bytes each room has in the file, and which rooms lose first; the rule is that of `core.shares`.

The counts are in a table that SQLite holds in memory: what commits or rolls back the entries does the same with their
counts. It takes 30 bytes per room, where Python's own tables would take 300. A trigger counts entries that are deleted.
Those that are added are counted by `add`: a trigger would make each insert cost half as much again.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from typing import Final

from chatroom.core.shares import STEP_BYTES

_ENTRY_BYTES: Final = 54  # of an entry, besides its name and text
_ROOM_BYTES: Final = 256
_ROOMS: Final = 64  # looked at in one step


def size_of(row: str = "") -> str:
    """The bytes of an entry, as an SQL expression.

    Args:
        row: a prefix of the column names, such as `NEW.`.
    """
    size = f"{_ENTRY_BYTES} + length(CAST({row}name AS BLOB)) + length(CAST({row}text AS BLOB))"
    # A page has space for 4080 / size rows: one that is longer than half a page has a page to itself.
    return f"(SELECT max(size, 4096 / max(1, 4080 / size)) FROM (SELECT {size} AS size))"


_COUNT: Final = f"""
    ON CONFLICT (room) DO UPDATE
    SET entries = entries + 1, bytes = bytes + excluded.bytes - {_ROOM_BYTES}, newest = excluded.newest
"""
_SCHEMA: Final = f"""
    PRAGMA temp_store=MEMORY;
    CREATE TEMP TABLE public_room (key TEXT PRIMARY KEY) WITHOUT ROWID;
    CREATE TEMP TABLE ledger (
        room INTEGER PRIMARY KEY,
        entries INTEGER NOT NULL,
        bytes INTEGER NOT NULL,
        newest INTEGER NOT NULL
    );
    CREATE TEMP TRIGGER entry_deleted AFTER DELETE ON main.entry BEGIN
        UPDATE ledger SET entries = entries - 1, bytes = bytes - {size_of("OLD.")} WHERE room = OLD.room;
    END;
"""
# By the rows as they lie: to group them, SQLite would first sort them with their texts.
_ADD: Final = f"""
    INSERT INTO ledger SELECT room, 1, {_ROOM_BYTES} + {size_of()}, id FROM entry NOT INDEXED WHERE id > ?
    ORDER BY id {_COUNT}
"""
_IS_PUBLIC: Final = "room IN (SELECT number FROM main.room WHERE key IN public_room)"


def count(writer: sqlite3.Connection, public_rooms: Iterable[str]) -> None:
    """Count what is in the file, for as long as the connection is open.

    Args:
        public_rooms: keys of the rooms that together keep half of the space.
    """
    writer.executescript(_SCHEMA)
    writer.executemany("INSERT OR IGNORE INTO public_room VALUES (?)", [(key,) for key in public_rooms])
    add(writer, -1)


def add(writer: sqlite3.Connection, after: int) -> None:
    """Count the entries with greater ids than `after`; nothing may be deleted before they are counted."""
    writer.execute(_ADD, (after,))


def crowded(writer: sqlite3.Connection, kept: int, after: int) -> list[tuple[int, int]]:
    """Rooms with more entries than are kept, and how many more; in the order of their numbers, from `after` on."""
    return writer.execute(
        "SELECT room, entries - :kept FROM ledger WHERE entries > :kept AND room > :after ORDER BY room LIMIT :rooms",
        {"kept": kept, "after": after, "rooms": _ROOMS},
    ).fetchall()


def total_bytes(writer: sqlite3.Connection) -> int:
    """The bytes of all entries."""
    return int(writer.execute("SELECT ifnull(sum(bytes), 0) FROM ledger").fetchone()[0])


def losing(writer: sqlite3.Connection) -> list[tuple[int, int]]:
    """The rooms that lose next, in this order, and how many bytes each until it may be another room's turn."""
    share = f"SELECT ifnull(sum(bytes), 0) FROM ledger WHERE {_IS_PUBLIC}"
    public = int(writer.execute(share).fetchone()[0])
    rooms = writer.execute(
        f"SELECT room, bytes FROM ledger WHERE {'' if 2 * public > total_bytes(writer) else 'NOT '}{_IS_PUBLIC}"
        f" ORDER BY bytes / {STEP_BYTES} DESC, newest LIMIT {_ROOMS}"
    ).fetchall()
    steps = [size // STEP_BYTES for _, size in rooms]
    top = max(steps, default=0)
    # A room that is larger than all others loses until it is as large as the next one.
    floor = top if steps.count(top) > 1 else max((step for step in steps if step < top), default=-1) + 1
    return [
        (room, size - floor * STEP_BYTES + 1)
        for (room, size), step in zip(rooms, steps, strict=True)
        if step == top
    ]


def emptied(writer: sqlite3.Connection, room: int) -> bool:
    """Whether a room has no entries left; its count is then removed."""
    return bool(writer.execute("DELETE FROM ledger WHERE room = ? AND entries <= 0", (room,)).rowcount)


def forget(writer: sqlite3.Connection, room: int) -> None:
    """Remove the count of a room that turned out to be empty."""
    writer.execute("DELETE FROM ledger WHERE room = ?", (room,))
