"""The log's file: its schema, how it is opened, and what can be wrong with it.

It knows SQLite and nothing of what is written to the file or read from it.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Final

FILE_NAME: Final = "chatroom.db"
SCHEMA: Final = 6

# Each statement takes a file from one version to the next; `PRAGMA user_version` has the number.
_MIGRATIONS: Final[Sequence[str]] = (
    """
    CREATE TABLE room (
        number INTEGER PRIMARY KEY,
        key TEXT NOT NULL UNIQUE,
        dropped INTEGER NOT NULL DEFAULT 0     -- the newest entry that is no longer kept
    );
    CREATE TABLE entry (
        id INTEGER PRIMARY KEY,                -- milliseconds * 1,000,000 + sequence
        room INTEGER NOT NULL,
        name TEXT NOT NULL,
        text TEXT NOT NULL
    );
    CREATE INDEX entry_room ON entry (room, id);
    CREATE TABLE retry (                       -- messages by what they are known by when they come again
        room INTEGER NOT NULL,
        key BLOB NOT NULL,
        id INTEGER NOT NULL,
        PRIMARY KEY (room, key)
    ) WITHOUT ROWID;
    CREATE TABLE mark (                        -- the id source goes on from here if every entry has expired
        name TEXT PRIMARY KEY,
        value INTEGER NOT NULL
    ) WITHOUT ROWID;
    CREATE TABLE probe (filling BLOB);         -- written and emptied to see whether the disk takes writes again
    """,
    # Neither statement touches a row, however many there are. NULL: by an earlier version, at the time in the id.
    """
    ALTER TABLE entry ADD COLUMN at_ms INTEGER;   -- what the wall clock said; an id never goes back, the clock may
    ALTER TABLE retry ADD COLUMN at_ms INTEGER;
    """,
    """
    CREATE TABLE talk (                        -- who is in a private talk, but not with whom
        number INTEGER PRIMARY KEY,            -- the higher, the later
        key BLOB NOT NULL UNIQUE
    );
    """,
    # The oldest retry keys are found without reading them all.
    """
    CREATE INDEX retry_id ON retry (id);
    """,
    """
    CREATE TABLE ended (                       -- tokens that have ended, but not whose
        number INTEGER PRIMARY KEY,            -- the higher, the later
        key BLOB NOT NULL UNIQUE
    );
    """,
    # Keys of serials without a time had 16 or 20 bytes. Theirs is second 0, where all zeros and all ones mean others.
    """
    UPDATE OR REPLACE ended
        SET key = CAST(x'00000000' || max(x'00000001', min(x'FFFFFFFE', substr(key, 1, 4))) AS BLOB)
        WHERE length(key) <> 8;
    """,
)


_TABLES: Final = frozenset({"room", "entry", "retry", "mark", "probe"})

# What to do about an error, by SQLite's primary result code.
_REMEDIES: Final = {
    sqlite3.SQLITE_FULL: "free some space there",
    sqlite3.SQLITE_BUSY: "stop the other program that uses it",
    sqlite3.SQLITE_READONLY: "make it writable for this user",
    sqlite3.SQLITE_IOERR: "check the disk and the space left there",
}


class StoreError(Exception):
    """The file cannot be used; the text says why, in a few words.

    Args:
        code: SQLite's primary result code, if it was SQLite that refused.
    """

    def __init__(self, text: str, code: int = 0) -> None:
        super().__init__(text)
        self.remedy = _REMEDIES.get(code, "move it away")


class NewerSchemaError(StoreError):
    """The file was written by a newer version of this program."""


class ForeignError(StoreError):
    """The file is a database of another program."""


class CorruptError(StoreError):
    """The file is damaged; it should be set aside."""


def connect(path: Path, *, busy_s: float, full_sync: bool) -> sqlite3.Connection:
    """Open the file, or make it.

    Args:
        busy_s: how long to wait for another process's lock.
        full_sync: a commit is on the disk, not only in the operating system.
    """
    connection = sqlite3.connect(path, timeout=busy_s, isolation_level=None, check_same_thread=False)
    with ExitStack() as undo:
        undo.callback(connection.close)
        connection.execute(f"PRAGMA synchronous={'FULL' if full_sync else 'NORMAL'}")
        connection.execute("PRAGMA secure_delete=ON")
        connection.execute("PRAGMA trusted_schema=OFF")
        undo.pop_all()
    return connection


def prepare(connection: sqlite3.Connection, path: Path, *, check: bool) -> None:
    """Bring the file to this version's schema.

    Args:
        check: read the whole file first, to find damage before anyone is served from it.

    Raises:
        NewerSchemaError, ForeignError, CorruptError
    """
    # Nothing is written, not even the journal mode, before it is known that the file is ours.
    version = _version(connection, path)
    if version and check:
        problem = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
        if problem != "ok":
            raise CorruptError(str(problem).splitlines()[0])
    _check_tables(connection, version)
    connection.execute("PRAGMA journal_mode=WAL")
    for number in range(version, SCHEMA):
        connection.executescript(
            f"BEGIN IMMEDIATE; {_MIGRATIONS[number]} PRAGMA user_version={number + 1}; COMMIT;"
        )


def check_owner(path: Path) -> None:
    """Check that the file is not another program's, before anything is changed, even the modes of files.

    What cannot be read, or is only in the write-ahead log, is left to `prepare`.

    Raises:
        NewerSchemaError, ForeignError
    """
    try:
        if not path.is_file():
            return
        # Immutable: even a reader would make a `-shm`.
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?immutable=1", uri=True)) as connection:
            _check_tables(connection, _version(connection, path))
    except (OSError, sqlite3.DatabaseError):
        pass  # unreadable or damaged: what opens it later says which


def _version(connection: sqlite3.Connection, path: Path) -> int:
    version: int = connection.execute("PRAGMA user_version").fetchone()[0]
    if version > SCHEMA:
        raise NewerSchemaError(f"{path} was written by a newer version of this program")
    return version


def _check_tables(connection: sqlite3.Connection, version: int) -> None:
    tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    if tables if version == 0 else not tables.issuperset(_TABLES):
        raise ForeignError("it was not made by this program")


def set_aside(path: Path) -> Path:
    """Rename a damaged file and what belongs to it, so that a new one can be made."""
    stamp = time.strftime("%Y%m%d-%H%M%S", time.gmtime())
    aside = path.with_name(f"{path.name}.corrupt-{stamp}")
    number = 1
    while aside.exists():
        aside = path.with_name(f"{path.name}.corrupt-{stamp}-{number}")
        number += 1
    for suffix in ("", "-wal", "-shm"):
        part = path.with_name(path.name + suffix)
        if part.exists():
            part.rename(aside.with_name(aside.name + suffix))
    return aside


def store_error(problem: sqlite3.DatabaseError) -> StoreError:
    """One of the errors above, for what SQLite has raised."""
    code = getattr(problem, "sqlite_errorcode", 0) & 0xFF
    damaged = code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
    return (CorruptError if damaged else StoreError)(str(problem), code)


@contextmanager
def store_errors() -> Iterator[None]:
    """Raise one of the errors above for whatever SQLite raises inside."""
    try:
        yield
    except sqlite3.DatabaseError as problem:
        raise store_error(problem) from problem
