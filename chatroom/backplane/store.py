"""The log on disk: one SQLite file, written by one thread at a time and read by another.

Everything here blocks and is called from real threads. It knows SQL, and nothing of members, of the feed or of
greenthreads. `retention` deletes what is no longer kept.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final, NamedTuple

from chatroom.backplane import Keys, ledger, marks, retention
from chatroom.backplane.file import (
    FILE_NAME,
    StoreError,
    connect,
    prepare,
    set_aside,
    store_error,
    store_errors,
)
from chatroom.backplane.ids import id_from_number, id_number
from chatroom.backplane.reader import AT_MS, Reader
from chatroom.backplane.retention import Retention
from chatroom.backplane.rows import RoomNumbers
from chatroom.core.clock import SavedTimes, Times
from chatroom.core.log import Entry, Page

BUSY_S: Final = 5.0  # a lock held for less delays acks; held for longer, messages are refused
_READ_BUSY_S: Final = 1.0
_PROBE_BUSY_S: Final = 0.1
_PROBE_BYTES: Final = 65_536  # a disk with less left is full
_CHECK_PART: Final = 128  # the size is checked each time this part of the limit was written
_REWRITE_BYTES: Final = 8_000_000  # rewriting the file takes about 20 ms per MB, in which messages wait
_ROW_BYTES: Final = 100
_ADD_ENTRY: Final = "INSERT INTO entry VALUES (?, ?, ?, ?, ?)"


class Pending(NamedTuple):
    """An entry on its way to the disk."""

    room: str
    entry: Entry
    retry_key: bytes | None


class Tidied(NamedTuple):
    """What one step of `tidy` has deleted.

    Attributes:
        deleted: by room, the id of the newest entry that was deleted: everything up to it is gone.
        is_done: there is no more to delete.
    """

    deleted: dict[str, str]
    is_done: bool


class Store:
    """One SQLite file.

    Args:
        folder: where the file is; it exists and is writable.
        kept: what is kept.
        full_sync: a commit is on the disk (`synchronous=FULL`), not only in the operating system.
    """

    def __init__(self, folder: Path, kept: Retention, *, full_sync: bool) -> None:
        self.path = folder / FILE_NAME
        self._kept = kept
        self._full_sync = full_sync
        self._writer: sqlite3.Connection | None = None
        self._reader: Reader | None = None
        self._rooms = RoomNumbers()
        self._newest = self._counted = 0  # the newest id that is committed, and that the ledger has counted
        self._steps: Iterator[dict[str, str]] | None = None  # the rest of a `tidy` that has begun
        self._unchecked_bytes = 0  # written since the size was last checked, about
        self._expired = False  # the write-ahead log may still have text that was deleted
        self._has_traces = True  # so may unused parts of pages
        self._saved: Times | None = None

    # Opening and closing

    def open(self, *, check: bool = True) -> str | None:
        """Open the file, create it, or bring it to this version's schema.

        Args:
            check: read the whole file first, to find damage before anyone is served from it.

        Returns:
            The newest id ever, which later ones must exceed; None if there was none.

        Raises:
            NewerSchemaError, CorruptError, StoreError
        """
        with store_errors(), ExitStack() as undo:
            writer = self._connect(BUSY_S)
            undo.callback(writer.close)
            prepare(writer, self.path, check=check)
            last = self._newest = self._counted = marks.last_number(writer)
            if check:
                ledger.count(writer, self._kept.public_rooms)
            self._saved = None
            self._steps = None
            self._reader = Reader(self._connect(_READ_BUSY_S))
            self._writer = writer
            self._rooms = RoomNumbers()
            undo.pop_all()
            return id_from_number(last) if last else None

    def saved_times(self) -> SavedTimes:
        """The times that the file has saved.

        Raises:
            CorruptError, StoreError
        """
        with store_errors():
            writer = self._open_writer()
            newest = writer.execute(f"SELECT {AT_MS} FROM entry ORDER BY id DESC LIMIT 1").fetchone()
            saved = marks.read(writer)
        return SavedTimes(newest[0] if newest is not None else None, saved.get("aging"), saved.get("steady"))

    def close(self) -> None:
        """Write the write-ahead log back into the file, and close it."""
        try:
            if self._writer is not None:
                self._writer.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        except sqlite3.Error:
            pass  # the next start does it
        self.drop()

    def drop(self) -> None:
        """Close the file as it is."""
        for opened in (self._reader, self._writer):
            if opened is not None:
                opened.close()
        self._reader = self._writer = None

    def set_aside(self) -> Path:
        """Rename a damaged file and what belongs to it, so that a new one can be made."""
        self.drop()
        return set_aside(self.path)

    # Writing

    def commit(self, batch: Sequence[Pending]) -> list[Entry]:
        """Write a batch in one transaction.

        Returns:
            For each, the entry that is stored: its own or, for a retry, one with the id and time of the first.

        Raises:
            CorruptError, StoreError: nothing of the batch is stored, or it is unknown.
        """
        if len(batch) == 1 and self._commit_alone(batch[0]):
            return [batch[0].entry]
        kept: list[Entry] = []
        rows: list[tuple[int, int, str, str, int]] = []
        with self._transaction() as writer:
            for pending in batch:
                room = self._rooms.number(writer, pending.room)
                entry = pending.entry
                number = id_number(entry.id)
                if pending.retry_key is not None:
                    key = (room, pending.retry_key)
                    added = writer.execute(
                        "INSERT OR IGNORE INTO retry VALUES (?, ?, ?, ?)", (*key, number, entry.at_ms)
                    )
                    if not added.rowcount:
                        first, at_ms = writer.execute(
                            f"SELECT id, {AT_MS} FROM retry WHERE room = ? AND key = ?", key
                        ).fetchone()
                        kept.append(entry._replace(id=id_from_number(first), at_ms=at_ms))
                        continue
                rows.append((number, room, entry.name, entry.text, entry.at_ms))
                kept.append(entry)
            writer.executemany(_ADD_ENTRY, rows)
            ledger.add(writer, self._counted)
        if rows:
            self._newest = rows[-1][0]
        self._counted = self._newest
        self._unchecked_bytes += sum(len(text) for _, _, _, text, _ in rows) + _ROW_BYTES * len(rows)
        return kept

    def _commit_alone(self, pending: Pending) -> bool:
        """Write an entry by one statement, which is a transaction in itself: half the cost of a batch's three.

        It is counted later, with others.

        Returns:
            False if that is not enough: it may be a retry, or its room is new.
        """
        room = self._rooms.cached(pending.room)
        if room is None or pending.retry_key is not None:
            return False
        entry = pending.entry
        number = id_number(entry.id)
        try:
            self._open_writer().execute(_ADD_ENTRY, (number, room, entry.name, entry.text, entry.at_ms))
        except sqlite3.DatabaseError as problem:
            raise store_error(problem) from problem
        self._newest = number
        self._unchecked_bytes += len(entry.text) + _ROW_BYTES
        return True

    def save_keys(self, changes: Mapping[tuple[Keys, bytes], bool]) -> None:
        """Keep keys, or drop them; whoever keeps keys drops what is too much.

        Raises:
            CorruptError, StoreError
        """
        with self._transaction() as writer:
            for kind in {kind for kind, _ in changes}:
                of_kind = {key: is_kept for (one, key), is_kept in changes.items() if one is kind}
                writer.executemany(f"DELETE FROM {kind} WHERE key = ?", [(key,) for key in of_kind])
                kept = [(key,) for key, is_kept in of_kind.items() if is_kept]
                writer.executemany(f"INSERT INTO {kind} (key) VALUES (?)", kept)

    def keys(self, kind: Keys) -> list[bytes]:
        """The keys of this kind, the oldest first.

        Raises:
            CorruptError, StoreError
        """
        with store_errors():
            return [key for (key,) in self._open_writer().execute(f"SELECT key FROM {kind} ORDER BY number")]

    def tidy(self, times: Times) -> Tidied:
        """Delete a little of what has expired by age, count or size; the last step empties the write-ahead log.

        Raises:
            CorruptError, StoreError
        """
        steps, self._steps = self._steps or self._begin_tidying(times), None
        deleted = next(steps, None)
        if deleted is None:
            self.checkpoint()
            return Tidied({}, is_done=True)
        self._steps = steps
        for key in deleted:
            self._rooms.forget(key)
        self._expired = self._expired or bool(deleted)
        self._has_traces = self._has_traces or bool(deleted)
        return Tidied(deleted, is_done=False)

    def _begin_tidying(self, times: Times) -> Iterator[dict[str, str]]:
        with self._transaction() as writer:
            self._saved = marks.save(writer, times, self._saved)
            behind_since = marks.behind_since(writer, times)
        self._unchecked_bytes = 0
        return retention.steps(self._counted_transaction, self._kept, times, behind_since, self._used_bytes)

    def checkpoint(self) -> None:
        """Write the write-ahead log back into the file and empty it, so that neither has expired text.

        Raises:
            CorruptError, StoreError
        """
        with store_errors():
            busy = self._open_writer().execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
            self._expired = self._expired and bool(busy)

    def rewrite(self) -> None:
        """Rewrite the file, if it is small: where SQLite moved a row, the old page may have a copy of it.

        Its `secure_delete` does not cover these copies.

        Raises:
            CorruptError, StoreError: only what the checkpoint raises; a lack of space is no reason to refuse messages.
        """
        if self._used_bytes() > _REWRITE_BYTES:
            return
        try:
            self._open_writer().execute("VACUUM")
        except sqlite3.OperationalError:
            return  # no space, or a lock: the next attempt may succeed
        self._has_traces = False
        self._expired = True
        self.checkpoint()

    @property
    def has_traces(self) -> bool:
        """Whether unused parts of pages may still have text that was deleted."""
        return self._has_traces

    @property
    def has_grown(self) -> bool:
        """Whether so much was written that the size should be checked."""
        return self._unchecked_bytes > self._kept.total_bytes // _CHECK_PART

    @property
    def has_expired(self) -> bool:
        """Whether the write-ahead log may still have text that was deleted."""
        return self._expired

    def probe(self) -> None:
        """Check whether the disk takes writes again: reopen the file and write a little.

        Raises:
            CorruptError, StoreError: not yet.
        """
        self.drop()
        self.open(check=False)
        with store_errors():
            self._open_writer().execute(f"PRAGMA busy_timeout={int(_PROBE_BUSY_S * 1000)}")
            with self._transaction() as writer:
                writer.execute("INSERT INTO probe VALUES (zeroblob(?))", (_PROBE_BYTES,))
            with self._transaction() as writer:
                writer.execute("DELETE FROM probe")
            ledger.count(self._open_writer(), self._kept.public_rooms)
            self._open_writer().execute(f"PRAGMA busy_timeout={int(BUSY_S * 1000)}")

    # Reading

    def newer(self, room: str, after: str, upto: str | None, limit: int) -> Page | None:
        """As `Reader.newer`."""
        return self._open_reader().newer(room, after, upto, limit)

    def older(self, room: str, before: str | None, upto: str | None, limit: int) -> Page:
        """As `Reader.older`."""
        return self._open_reader().older(room, before, upto, limit)

    # Helpers

    def _connect(self, busy_s: float) -> sqlite3.Connection:
        return connect(self.path, busy_s=busy_s, full_sync=self._full_sync)

    def _open_writer(self) -> sqlite3.Connection:
        if self._writer is None:
            raise StoreError("the log is closed")
        return self._writer

    def _open_reader(self) -> Reader:
        if self._reader is None:
            raise StoreError("the log is closed")
        return self._reader

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with store_errors():
            writer = self._open_writer()
            writer.execute("BEGIN IMMEDIATE")
            try:
                yield writer
                writer.execute("COMMIT")
            except BaseException:
                # The caches may have counted what was rolled back.
                self._rooms.forget()
                if writer.in_transaction:
                    writer.execute("ROLLBACK")
                raise

    @contextmanager
    def _counted_transaction(self) -> Iterator[sqlite3.Connection]:
        """A transaction in which the ledger is complete."""
        newest = self._newest
        with self._transaction() as writer:
            if newest > self._counted:
                ledger.add(writer, self._counted)
            yield writer
        self._counted = newest

    def _used_bytes(self) -> int:
        with store_errors():
            writer = self._open_writer()
            pages, free, size = (
                int(writer.execute(f"PRAGMA {name}").fetchone()[0])
                for name in ("page_count", "freelist_count", "page_size")
            )
            return (pages - free) * size
