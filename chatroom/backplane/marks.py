"""The file's marks: the times that it has saved, and the newest id that it ever had."""

from __future__ import annotations

import sqlite3
from typing import Final

from chatroom.core.clock import JUMP_MS, Times

_SAVE_MS: Final = 3_600_000  # between two saves of the time
_LAST: Final = (
    "SELECT max(ifnull((SELECT max(id) FROM entry), 0),"
    " ifnull((SELECT value FROM mark WHERE name = 'last'), 0))"
)


def read(writer: sqlite3.Connection) -> dict[str, int]:
    """All marks, by name."""
    return dict(writer.execute("SELECT name, value FROM mark").fetchall())


def last_number(writer: sqlite3.Connection) -> int:
    """The number of the newest id ever; 0 if there was none."""
    return int(writer.execute(_LAST).fetchone()[0])


def save(writer: sqlite3.Connection, times: Times, saved: Times | None) -> Times:
    """Save the times for the next start: now and then, and when the clock was set.

    Args:
        saved: what was saved last.

    Returns:
        What the file has now.
    """
    if saved is not None:
        aged_ms = times.aging_ms - saved.aging_ms
        passed_ms = times.steady_ms - saved.steady_ms
        if passed_ms < _SAVE_MS and abs(aged_ms - passed_ms) <= JUMP_MS:
            return saved
    marks = (("aging", times.aging_ms), ("steady", times.steady_ms))
    writer.executemany("INSERT OR REPLACE INTO mark VALUES (?, ?)", marks)
    return times


def behind_since(writer: sqlite3.Connection, times: Times) -> int:
    """When the clock was first seen to be behind the newest id; now, if it is not."""
    since = read(writer).get("behind")
    if last_number(writer) <= times.wall_ms * 1_000_000:
        if since is not None:
            writer.execute("DELETE FROM mark WHERE name = 'behind'")
        return times.aging_ms
    if since is None or since > times.wall_ms:
        since = times.wall_ms
        writer.execute("INSERT OR REPLACE INTO mark VALUES ('behind', ?)", (since,))
    return since
