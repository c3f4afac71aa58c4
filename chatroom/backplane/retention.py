"""Deletes what is no longer kept, in small steps, so that commits can run between them.

By age, entries are deleted in the order of their ids, so that none goes before one that was written earlier. By count
and by size, a room loses its oldest first. Retry keys have a bound of their own, so that they cannot displace entries.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing
from dataclasses import dataclass
from typing import Final

from chatroom.backplane import RETRY_S, SLACK, YOUNG_S, ledger
from chatroom.backplane.ids import id_from_number
from chatroom.core.clock import Times
from chatroom.core.names import LOBBY

STEP_ROWS: Final = 500
_STEP_BYTES: Final = 1_000_000
_RETRY_BYTES: Final = 1000  # of the limit per retry key: each takes about 100, so all of them a tenth at most
# When a row was written, as far as is known. A time in the future, its id's or its own, came from a wrong clock and is
# not believed. If both are in the future, the row was written before the clock was seen to be behind.
_WRITTEN_MS: Final = (
    "CASE WHEN id <= :now * 1000000 THEN id / 1000000 WHEN at_ms <= :now THEN at_ms ELSE :behind_since END"
)
_SURE: Final = 4  # entries keep this part of the limit, whatever else is in the file

Transaction = Callable[[], AbstractContextManager[sqlite3.Connection]]
Edges = dict[int, int]  # by room: the newest entry to delete


@dataclass(frozen=True, slots=True)
class Retention:
    """What is kept: entries per room, days, and bytes over all rooms.

    Attributes:
        public_rooms: keys of the rooms that together keep half of the bytes.
    """

    entries: int
    days: float
    total_bytes: int
    public_rooms: tuple[str, ...] = (LOBBY,)


def steps(
    transaction: Transaction,
    retention: Retention,
    times: Times,
    behind_since: int,
    used_bytes: Callable[[], int],
) -> Iterator[dict[str, str]]:
    """Delete what is no longer kept, a little in each step.

    Args:
        behind_since: as `marks.behind_since`.
        used_bytes: the size of the file without its free pages.

    Yields:
        By room, the id of the newest entry that was deleted.
    """
    known = {"now": times.aging_ms, "behind_since": behind_since}
    while True:
        with transaction() as writer:
            edges = _aged(writer, {**known, "before": int(times.aging_ms - retention.days * 86_400_000)})
            deleted = _delete(writer, edges)
        if not deleted:
            break
        yield deleted
    with transaction() as writer:
        keys = int(writer.execute("SELECT count(*) FROM retry").fetchone()[0])
    while True:
        with transaction() as writer:
            surplus = keys - retention.total_bytes // _RETRY_BYTES
            gone = _forget_retries(writer, {**known, "before": times.aging_ms - RETRY_S * 1000}, surplus)
        if not gone:
            break
        keys -= gone
        yield {}
    after = 0
    while True:
        with transaction() as writer:
            young = {**known, "before": times.aging_ms - YOUNG_S * 1000}
            edges, next_after = _crowded(writer, young, retention.entries, after)
            deleted = _delete(writer, edges)
        if next_after is None:
            break
        after = next_after
        yield deleted
    while (over := used_bytes() - retention.total_bytes) > 0:
        with transaction() as writer:
            if ledger.total_bytes(writer) <= retention.total_bytes // _SURE:
                break
            goal = min(max(over, retention.total_bytes // SLACK), _STEP_BYTES)
            deleted = _delete(writer, _oversized(writer, goal))
        yield deleted


def _aged(writer: sqlite3.Connection, known: dict[str, int]) -> Edges:
    edges: Edges = {}
    found = writer.execute(
        f"SELECT room, id, {_WRITTEN_MS} < :before FROM entry ORDER BY id LIMIT {STEP_ROWS}", known
    )
    with closing(found) as rows:
        for room, number, is_old in rows:
            if not is_old:
                break
            edges[room] = number
    return edges


def _forget_retries(writer: sqlite3.Connection, known: dict[str, int], surplus: int) -> int:
    """Delete retry keys that are too old or too many; returns how many."""
    edge = 0
    found = writer.execute(
        f"SELECT id, {_WRITTEN_MS} < :before FROM retry ORDER BY id LIMIT {STEP_ROWS}", known
    )
    with closing(found) as rows:
        for place, (number, is_old) in enumerate(rows):
            if not is_old and place >= surplus:
                break
            edge = number
    return writer.execute("DELETE FROM retry WHERE id <= ?", (edge,)).rowcount


def _crowded(
    writer: sqlite3.Connection, known: dict[str, int], kept: int, after: int
) -> tuple[Edges, int | None]:
    """Find entries beyond the number that a room keeps, if they are old enough; also returns where to go on."""
    edges: Edges = {}
    left = STEP_ROWS
    rooms = ledger.crowded(writer, kept, after)
    for room, surplus in rooms:
        found = writer.execute(
            f"SELECT id, {_WRITTEN_MS} < :before FROM entry WHERE room = :room ORDER BY id LIMIT :most",
            {**known, "room": room, "most": min(surplus, left)},
        )
        with closing(found) as rows:
            for number, is_old in rows:
                if not is_old:
                    break
                edges[room] = number
                left -= 1
        if not left:
            return edges, room - 1  # it may have more
    return edges, rooms[-1][0] if rooms else None


def _oversized(writer: sqlite3.Connection, surplus: int) -> Edges:
    """Find entries to delete for lack of space, of about so many bytes."""
    edges: Edges = {}
    left = STEP_ROWS
    for room, excess in ledger.losing(writer):
        freed = 0
        found = writer.execute(
            f"SELECT id, {ledger.size_of()} FROM entry WHERE room = ? ORDER BY id LIMIT ?", (room, left)
        )
        with closing(found) as rows:
            for number, size in rows:
                edges[room] = number
                freed += size
                left -= 1
                if freed >= min(excess, surplus):
                    break
        if not freed:
            ledger.forget(writer, room)
        surplus -= freed
        if surplus <= 0 or not left:
            break
    return edges


def _delete(writer: sqlite3.Connection, edges: Edges) -> dict[str, str]:
    """Delete each room's entries up to an id; a room without entries goes too."""
    if not edges:
        return {}
    last = writer.execute("SELECT max(id) FROM entry").fetchone()[0]
    writer.execute("INSERT OR REPLACE INTO mark VALUES ('last', ?)", (last,))
    deleted: dict[str, str] = {}
    for room, edge in edges.items():
        writer.execute("DELETE FROM entry WHERE room = ? AND id <= ?", (room, edge))
        keys = writer.execute("UPDATE room SET dropped = ? WHERE number = ? RETURNING key", (edge, room))
        deleted.update({key: id_from_number(edge) for (key,) in keys.fetchall()})
        if ledger.emptied(writer, room):
            writer.execute("DELETE FROM room WHERE number = ?", (room,))
    return deleted
