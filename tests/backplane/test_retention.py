"""What the log keeps when somebody tries to wash it away, in a file: by size, by count, in pieces, after a crash."""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chatroom.backplane import Keys, ledger
from chatroom.backplane.file import FILE_NAME, SCHEMA, StoreError
from chatroom.backplane.ids import IdSource
from chatroom.backplane.retention import STEP_ROWS, Retention
from chatroom.backplane.store import Pending, Store
from chatroom.core.clock import Times
from chatroom.core.log import Entry
from chatroom.core.shares import STEP_BYTES, Shares
from chatroom.ended import EndedTokens
from chatroom.tokens import Claim, ended_key
from tests.backplane.conftest import NOW_MS, Bench, embedded_in
from tests.support.stored import texts_of

LIMIT = 1_000_000
LONG = "x" * 8_000
HOUR_MS = 3_600_000
SCHEMA_3 = (Path(__file__).parent / "schema_3.sql").read_text(encoding="utf-8")


class Log:
    """A store, written to and tidied by hand."""

    def __init__(self, folder: Path, kept: Retention) -> None:
        folder.mkdir(exist_ok=True)
        self.folder = folder
        self.now_ms = NOW_MS
        self.store = Store(folder, kept, full_sync=False)
        self._ids = IdSource(self.store.open())

    def send(self, messages: Iterable[tuple[str, str]], *, are_retried: bool = False) -> None:
        """Write messages, `(room, text)`, in one group."""
        entries = [
            (room, Entry(self._ids.next(self.now_ms), self.now_ms, "fox", text)) for room, text in messages
        ]
        self.store.commit(
            [Pending(room, entry, entry.id.encode() if are_retried else None) for room, entry in entries]
        )

    def tidy(self) -> None:
        while not self.tidy_a_piece():
            pass

    def tidy_a_piece(self) -> bool:
        return self.store.tidy(Times(self.now_ms, self.now_ms, self.now_ms)).is_done

    def texts(self, room: str) -> list[str]:
        return texts_of(self.folder, room)

    def rows(self) -> int:
        with closing(sqlite3.connect(self.folder / FILE_NAME)) as file:
            return int(file.execute("SELECT count(*) FROM entry").fetchone()[0])


def used_bytes(folder: Path) -> int:
    with closing(sqlite3.connect(folder / FILE_NAME)) as file:
        pages, free, size = (
            file.execute(f"PRAGMA {name}").fetchone()[0]
            for name in ("page_count", "freelist_count", "page_size")
        )
        return int((pages - free) * size)


@pytest.fixture
def made(tmp_path: Path) -> Callable[..., Log]:
    """Makes a log with a small limit."""

    def make(**kept: Any) -> Log:
        return Log(
            tmp_path,
            replace(Retention(entries=1000, days=7, total_bytes=LIMIT), **kept),
        )

    return make


LOBBY = [f"lobby {number}" for number in range(100)]
TINY = [(f"junk {number}", "x") for number in range(10_000)]


def fill(log: Log, junk: Sequence[tuple[str, str]]) -> None:
    """The lobby's hour, and then more junk than there is space for."""
    log.send(("lobby", text) for text in LOBBY)
    for start in range(0, len(junk), 250):
        log.send(junk[start : start + 250])
        log.tidy()


@pytest.mark.parametrize(
    "junk",
    [
        [(f"junk {number % 7}", LONG) for number in range(600)],
        [("junk", LONG) for number in range(600)],
        TINY,
        [(f"junk {number}", LONG) for number in range(600)],
    ],
    ids=["a few rooms", "one room", "10,000 rooms of one message", "a room for each long message"],
)
def test_junk_leaves_the_lobby_its_messages(made: Callable[..., Log], junk: list[tuple[str, str]]) -> None:
    log = made()
    fill(log, junk)
    assert log.texts("lobby") == LOBBY
    assert log.rows() < len(junk)
    assert used_bytes(log.folder) <= LIMIT
    assert log.store.older(junk[-1][0], None, None, 1).entries[0].text == junk[-1][1]


def test_an_operators_public_room_is_kept_like_the_lobby(made: Callable[..., Log]) -> None:
    log = made(public_rooms=("lobby", "garden"))
    log.send(("garden", text) for text in LOBBY)
    fill(log, TINY)
    assert log.rows() < len(TINY)
    assert (log.texts("garden"), log.texts("lobby")) == (LOBBY, LOBBY)


def test_junk_in_the_lobby_takes_nothing_from_the_others(made: Callable[..., Log]) -> None:
    log = made()
    log.send(("den", text) for text in LOBBY)
    fill(log, [("lobby", LONG)] * 600)
    assert log.texts("den") == LOBBY


def test_an_active_room_outlives_ten_thousand_small_ones(made: Callable[..., Log]) -> None:
    log = made()
    for start in range(0, len(TINY), 250):
        log.send([*TINY[start : start + 250], ("den", str(start))])
        log.tidy()
    assert log.rows() < len(TINY)
    assert log.texts("den") == [str(start) for start in range(0, len(TINY), 250)]


def test_retry_keys_take_no_message_its_place(made: Callable[..., Log]) -> None:
    log = made(entries=10)
    log.send(("lobby", text) for text in LOBBY)
    for _ in range(40):
        log.send([("junk", "x")] * 1_000, are_retried=True)
        log.tidy()
    assert log.texts("lobby") == LOBBY
    with closing(sqlite3.connect(log.folder / FILE_NAME)) as file:
        assert file.execute("SELECT count(*) FROM retry").fetchone()[0] <= LIMIT // 1000


def test_a_thousand_messages_leave_those_of_the_hour(made: Callable[..., Log]) -> None:
    log = made(entries=500, total_bytes=10**9)
    log.send(("lobby", f"yesterday {number}") for number in range(300))
    log.now_ms += 23 * HOUR_MS
    log.send(("lobby", f"just now {number}") for number in range(300))
    log.now_ms += HOUR_MS - 1
    log.send([("lobby", "junk")] * 1_000)
    log.tidy()
    assert log.texts("lobby")[:300] == [f"just now {number}" for number in range(300)]
    assert len(log.texts("lobby")) == 1_300
    log.now_ms += HOUR_MS + 1
    log.tidy()
    assert log.texts("lobby") == ["junk"] * 500


def test_tidying_takes_small_steps_and_commits_run_between(made: Callable[..., Log]) -> None:
    log = made(entries=100, total_bytes=10**9)
    for start in range(20):
        log.send((f"room {number % 9}", f"{start} {number}") for number in range(500))
    log.now_ms += 2 * HOUR_MS
    before, is_done, pieces = log.rows(), False, 0
    while not is_done:
        is_done = log.tidy_a_piece()
        assert before - log.rows() <= STEP_ROWS
        log.send([("between", str(pieces))])
        before = log.rows()
        pieces += 1
    assert pieces > 9_000 // STEP_ROWS
    assert log.rows() == 900 + pieces
    assert log.texts("between") == [str(number) for number in range(pieces)]


def test_a_crash_while_tidying_leaves_the_newest_of_each_room(
    made: Callable[..., Log], tmp_path: Path
) -> None:
    log = made(entries=200)
    rooms = [f"junk {number}" for number in range(5)]
    log.send(("lobby", text) for text in LOBBY)
    log.send((room, f"{number} {LONG}") for number in range(100) for room in rooms)
    log.send(("crowded", str(number)) for number in range(900))
    log.now_ms += 2 * HOUR_MS
    sent = {room: log.texts(room) for room in (*rooms, "crowded")}
    crashes = 0
    while not log.tidy_a_piece():
        copy = tmp_path / f"copy {crashes}"
        copy.mkdir()
        for part in log.folder.glob(f"{FILE_NAME}*"):
            shutil.copy(part, copy)
        crashes += 1
        after = Log(copy, Retention(entries=200, days=7, total_bytes=LIMIT))
        with closing(sqlite3.connect(copy / FILE_NAME)) as file:
            assert file.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert after.texts("lobby") == LOBBY
        for room in sent:
            kept = after.texts(room)
            assert kept == sent[room][len(sent[room]) - len(kept) :]
        after.now_ms = log.now_ms
        after.tidy()
        assert used_bytes(copy) <= LIMIT
        assert len(after.texts("crowded")) == 200
        after.store.close()
    assert crashes > 3


def fail(log: Log) -> None:
    """Begin a transaction that the disk does not take."""
    with log.store._transaction() as writer:
        writer.execute("DELETE FROM entry")
        writer.execute("INSERT INTO nowhere VALUES (1)")


def test_a_message_alone_is_counted_later(tmp_path: Path) -> None:
    log, steps = Log(tmp_path, Retention(entries=20, days=7, total_bytes=LIMIT)), 0
    writer = log.store._writer
    assert writer is not None

    def count() -> None:
        nonlocal steps
        steps += 1

    log.send([("lobby", "x"), ("lobby", "x")])
    writer.set_progress_handler(count, 1)
    log.send([("lobby", "x")])
    writer.set_progress_handler(None, 1)
    assert steps < 50  # of SQLite's virtual machine; counting it at once would take 70 more
    counted = Counted(log)
    assert counted.counted == counted.held


def test_a_retry_does_not_count_others_twice(tmp_path: Path) -> None:
    log = Log(tmp_path, Retention(entries=20, days=7, total_bytes=LIMIT))
    ids = IdSource()
    first, alone, again = (Entry(ids.next(NOW_MS), NOW_MS, "fox", "x") for _ in range(3))
    log.store.commit([Pending("lobby", first, b"key")])
    log.store.commit([Pending("lobby", alone, None)])
    assert log.store.commit([Pending("lobby", again, b"key")]) == [first]
    counted = Counted(log)
    assert counted.counted == counted.held


class Counted:
    """What a log holds by a count of all its rows, and what is counted beside it."""

    def __init__(self, log: Log) -> None:
        with log.store._counted_transaction() as writer:
            self.counted = writer.execute(
                "SELECT room, entries, bytes, newest FROM ledger ORDER BY room"
            ).fetchall()
            self.held = writer.execute(
                f"SELECT room, count(*), sum({ledger.size_of()}) + 256, max(id) FROM entry GROUP BY room ORDER BY room"
            ).fetchall()
            self.losing = ledger.losing(writer)
            self.keys = dict(writer.execute("SELECT number, key FROM room"))


names = st.sampled_from(["lobby", "den", "cellar", "attic"])
steps = st.one_of(
    st.lists(st.tuples(names, st.sampled_from(["x", "你好", "y" * 900, LONG])), min_size=1, max_size=30),
    st.sampled_from(["tidy", "reopen", "fail", "wait"]),
)


@settings(max_examples=30)
@given(st.lists(steps, max_size=15))
def test_counts_match_the_file_and_the_rule_matches_memory(
    steps: list[list[tuple[str, str]] | str],
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        kept = Retention(entries=20, days=7, total_bytes=300_000)
        log = Log(Path(folder), kept)
        for step in steps:
            match step:
                case "tidy":
                    log.tidy()
                case "wait":
                    log.now_ms += HOUR_MS
                case "reopen":
                    log.store.close()
                    now_ms, log = log.now_ms, Log(Path(folder), kept)
                    log.now_ms = now_ms
                case "fail":
                    with pytest.raises(StoreError, match="nowhere"):
                        fail(log)
                case messages:
                    assert not isinstance(messages, str)
                    log.send(messages)
            seen = Counted(log)
            assert seen.counted == seen.held
            shares = Shares(["lobby"])
            for number, _, size, newest in seen.held:
                shares.add(seen.keys[number], size, f"{newest:020}")
            if seen.held:
                assert seen.keys[seen.losing[0][0]] == shares.first()[0]
        log.store.close()


@pytest.mark.parametrize("length", [1, 100, 700, 1_500, 3_000, 8_000])
def test_messages_count_about_as_much_as_they_take(made: Callable[..., Log], length: int) -> None:
    log = made()
    empty = used_bytes(log.folder)
    log.send([("den", "x" * length)] * 2_000)
    ((_, _, counted, _),) = Counted(log).counted
    assert 0.85 < counted / (used_bytes(log.folder) - empty) < 1.15


def test_the_largest_room_loses_down_to_the_next_one(made: Callable[..., Log]) -> None:
    log = made(total_bytes=10**9)
    log.send([("huge", LONG)] * 100 + [("next", LONG)] * 10)
    counted = Counted(log)
    (huge, _, huge_bytes, _), (_, _, next_bytes, _) = counted.counted
    ((loser, excess),) = counted.losing
    assert loser == huge
    assert (huge_bytes - excess) // STEP_BYTES == next_bytes // STEP_BYTES


def test_schema_5_opens_with_its_ended_tokens(tmp_path: Path) -> None:
    keep = Retention(entries=1000, days=7, total_bytes=10**9)
    Bench(embedded_in(tmp_path, keep)).backplane.close()
    ended = [Claim("i", "Fox", serial) for serial in ("abcdefgh", "ijklmnop", "")]
    keys = [ended_key(token.identity, token.serial) for token in ended]
    # Keys that begin alike are one now, and no key means all tokens of a second.
    old = [keys[0], keys[1] + b"\0\0\1\2", keys[2], keys[2][:4] + b"other" * 3, b"\xff" * 16, b"\0" * 20]
    with closing(sqlite3.connect(tmp_path / FILE_NAME)) as connection, connection:
        connection.executemany(
            "INSERT INTO ended (key) VALUES (?)", [(key,) for key in [*old, b"\0\0\0\1newk"]]
        )
        connection.execute("PRAGMA user_version=5")
    backplane = Bench(embedded_in(tmp_path, keep)).backplane
    kept = list(backplane.keys(Keys.ENDED))
    assert len(kept) == len(old)
    assert {len(key) for key in kept} == {8}
    tokens = EndedTokens(backplane, lambda: 5000)
    assert all(token in tokens for token in ended)
    assert Claim("j", "Fox") not in tokens
    backplane.close()


def test_schema_3_opens_with_its_messages_and_retries(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / FILE_NAME)) as connection:
        connection.executescript(SCHEMA_3)
    bench = Bench(embedded_in(tmp_path, Retention(entries=1000, days=7, total_bytes=10**9)))
    with closing(sqlite3.connect(tmp_path / FILE_NAME)) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (SCHEMA,)
    page = bench.backplane.page("lobby")
    assert [entry.text for entry in page.entries] == ["first", "你好 'quoted'", "retried"]
    again = bench.say("lobby", "retried", b"0123456789abcdef")
    assert again is not None
    assert again.id == page.entries[-1].id
    assert list(bench.backplane.keys(Keys.TALK)) == [b"talk"]
    bench.backplane.close()


def test_a_tail_forgets_what_the_file_has_deleted(tmp_path: Path) -> None:
    bench = Bench(embedded_in(tmp_path, Retention(entries=1000, days=7, total_bytes=LIMIT)))
    first = bench.say("den", "the first")
    assert first is not None
    assert not bench.backplane.page("den", after=first.id).gap  # from now on the room's end is in memory
    for _ in range(200):
        bench.append("den", LONG)
    bench.until(lambda: len(bench.outcomes) == 201)
    bench.until(lambda: bench.backplane.page("den", after=first.id).gap)
    assert bench.backplane.page("den").entries[-1].text == LONG
    bench.backplane.close()
