"""What a clock that was wrong leaves in the log, how old that is, and a log of the version before."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from chatroom.backplane import file
from chatroom.backplane.file import FILE_NAME, SCHEMA, StoreError
from chatroom.backplane.ids import IdSource
from chatroom.backplane.retention import Retention
from chatroom.backplane.store import Pending, Store
from chatroom.core.clock import DAY_MS, Clock
from chatroom.core.log import Entry
from tests.backplane.conftest import NOW_MS, Bench, embedded_in

TEN_YEARS = 3652 * DAY_MS
HOUR_S = 3600
DAY_S = 86_400
WEEK = Retention(entries=1000, days=7, total_bytes=10**9)
SCHEMA_1 = (Path(__file__).parent / "schema_1.sql").read_text(encoding="utf-8")
DUMPED_MS = 1_795_867_200_000  # the moment around which its messages were written


class Log:
    """A log in a folder and the clocks of its machine, set by hand; it tidies every few hours."""

    def __init__(self, folder: Path, wall_ms: int = NOW_MS) -> None:
        self.folder = folder
        self.wall_ms = wall_ms
        self.elapsed_s = 0.0
        self.reports: list[str] = []
        self.start()

    def start(self) -> None:
        self._store = Store(self.folder, WEEK, full_sync=False)
        self._ids = IdSource(self._store.open())
        self._clock = Clock(
            lambda: self.wall_ms, lambda: self.elapsed_s, self.reports.append, self._store.saved_times()
        )
        self._tidy()

    def stop(self) -> None:
        self._store.close()

    def sends(self, text: str, key: bytes | None = None) -> Entry:
        entry = Entry(self._ids.next(self.wall_ms), self.wall_ms, "fox", text)
        (kept,) = self._store.commit([Pending("a", entry, key)])
        return kept

    def passes(self, seconds: float) -> None:
        while seconds > 0:
            step = min(seconds, 8 * HOUR_S)
            seconds -= step
            self.elapsed_s += step
            self.wall_ms += round(step * 1000)
            self._tidy()

    def steps(self, ms: int) -> None:
        """The clock is set."""
        self.wall_ms += ms
        self._tidy()

    def texts(self) -> list[str]:
        return [entry.text for entry in self._store.older("a", None, None, 200).entries]

    def _tidy(self) -> None:
        while not self._store.tidy(self._clock.times()).is_done:
            pass


@pytest.fixture
def log(tmp_path: Path) -> Log:
    return Log(tmp_path)


def poisoned(log: Log, *, running: bool) -> None:
    """One message is written while the clock is ten years ahead, which it was at the start or becomes."""
    if not running:
        log.stop()
    log.wall_ms += TEN_YEARS
    if not running:
        log.start()
    log.sends("from the future")
    log.passes(HOUR_S)
    if not running:
        log.stop()
    log.wall_ms -= TEN_YEARS
    if not running:
        log.start()
    log.passes(1)


@pytest.mark.parametrize("running", [False, True])
def test_a_message_from_a_wrong_future_expires_like_others(log: Log, running: bool) -> None:
    poisoned(log, running=running)
    later = log.sends("later")
    assert later.at_ms == log.wall_ms
    log.passes(7 * DAY_S - 60)
    assert log.texts() == ["from the future", "later"]
    log.passes(120)
    assert log.texts() == []
    assert log.sends("ids go on").id > later.id


def test_restarts_do_not_prolong_the_life_of_a_wrong_future(log: Log) -> None:
    poisoned(log, running=False)
    for _ in range(22):
        log.stop()
        log.start()
        log.passes(8 * HOUR_S)
    assert log.texts() == []


def test_a_second_wrong_future_counts_anew(log: Log) -> None:
    poisoned(log, running=False)
    log.passes(5 * DAY_S)
    poisoned(log, running=True)
    log.passes(5 * DAY_S)
    assert log.texts() == ["from the future"] * 2  # the first as well: one moment serves both
    log.passes(2 * DAY_S + HOUR_S)
    assert log.texts() == []


def test_after_a_wrong_future_messages_age_by_their_own_time(log: Log) -> None:
    poisoned(log, running=False)
    for number in range(10):
        log.sends(str(number))
        log.passes(DAY_S)
    assert log.texts() == [str(number) for number in range(3, 10)]


def test_a_clock_that_jumps_ahead_deletes_nothing_at_once(log: Log) -> None:
    log.sends("kept")
    log.steps(TEN_YEARS)
    log.passes(DAY_S - 2 * HOUR_S)
    assert log.texts() == ["kept"]
    log.steps(-TEN_YEARS)
    log.passes(5 * DAY_S)
    assert log.texts() == ["kept"]
    log.passes(2 * DAY_S)
    assert log.texts() == []


def test_starts_by_a_clock_years_ahead_delete_nothing_at_once(log: Log) -> None:
    log.sends("kept")
    log.stop()
    log.wall_ms += TEN_YEARS
    for _ in range(2):
        log.start()
        log.sends("in ten years")
        log.passes(HOUR_S)
        log.stop()
    log.wall_ms -= TEN_YEARS
    log.start()
    assert log.texts() == ["kept", "in ten years", "in ten years"]
    log.passes(7 * DAY_S + 1)
    assert log.texts() == []


def test_after_a_long_stop_old_messages_are_deleted_at_once(log: Log) -> None:
    log.sends("old")
    log.stop()
    log.wall_ms += 8 * DAY_MS
    log.start()
    assert log.texts() == []


@pytest.mark.parametrize("start_ms", [1_000, NOW_MS - DAY_MS], ids=["in 1970", "where it stopped"])
def test_a_machine_without_its_own_clock_loses_nothing(log: Log, start_ms: int) -> None:
    log.sends("before")
    log.passes(DAY_S)
    true_ms = log.wall_ms
    for _ in range(3):
        log.stop()
        log.wall_ms = start_ms
        log.start()
        log.sends("by the wrong clock")
        log.passes(60)
        true_ms += 60_000
        log.wall_ms = true_ms
        log.passes(60)
        true_ms += 60_000
    assert log.texts() == ["before", *["by the wrong clock"] * 3]
    log.passes(7 * DAY_S)
    assert log.texts() == []


def test_a_clock_that_stays_behind_still_deletes_old_messages(log: Log) -> None:
    log.sends("kept")
    log.stop()
    log.wall_ms -= TEN_YEARS
    log.start()
    log.passes(7 * DAY_S - HOUR_S)
    assert log.texts() == ["kept"]
    log.passes(2 * HOUR_S)
    assert log.texts() == []


@pytest.mark.parametrize("jump_ms", [TEN_YEARS, -TEN_YEARS])
@pytest.mark.parametrize("running", [False, True])
def test_a_retry_is_recognised_over_a_step_of_the_clock(log: Log, jump_ms: int, running: bool) -> None:
    first = log.sends("once", b"key")
    for step in (jump_ms, -jump_ms):
        if running:
            log.steps(step)
            log.passes(HOUR_S)
            assert log.sends("once", b"key") == first
        elif step < 0:
            log.stop()
            log.wall_ms += step
            log.start()
            log.passes(HOUR_S)
            assert log.sends("once", b"key") == first


def test_a_future_retry_key_is_forgotten_after_a_day(log: Log) -> None:
    log.steps(TEN_YEARS)
    log.sends("once", b"key")
    log.steps(-TEN_YEARS)
    log.passes(DAY_S - HOUR_S)
    log.sends("once", b"key")
    assert log.texts() == ["once"]
    log.passes(3 * HOUR_S)
    log.sends("once", b"key")
    assert log.texts() == ["once"] * 2


def test_a_start_behind_the_newest_message_is_reported(log: Log) -> None:
    poisoned(log, running=False)
    reports = ["the clock went ahead by 3652 days", "the clock is 3652 days behind the newest message"]
    assert log.reports == reports
    log.sends("later")
    log.stop()
    log.start()
    assert log.reports == reports  # the newest message has the true time


def test_the_steady_time_goes_on_over_starts_under_any_clock(log: Log) -> None:
    def steady_ms() -> int:
        return log._clock.times().steady_ms

    began = steady_ms()
    for step in (TEN_YEARS, -2 * TEN_YEARS, TEN_YEARS):
        log.passes(2 * HOUR_S)
        log.stop()
        log.wall_ms += step
        log.start()
    assert 6 * HOUR_S * 1000 - 3 * HOUR_S * 1000 <= steady_ms() - began <= 6 * HOUR_S * 1000 + 2 * DAY_MS


# The version before


def dumped_in(folder: Path) -> None:
    with closing(sqlite3.connect(folder / FILE_NAME)) as connection:
        connection.executescript(SCHEMA_1)


def version_of(folder: Path) -> int:
    with closing(sqlite3.connect(folder / FILE_NAME)) as connection:
        return int(connection.execute("PRAGMA user_version").fetchone()[0])


def test_a_log_of_schema_1_is_migrated_whole(tmp_path: Path) -> None:
    dumped_in(tmp_path)
    bench = Bench(embedded_in(tmp_path, WEEK), now_ms=DUMPED_MS + 120_000)
    assert version_of(tmp_path) == SCHEMA
    page = bench.backplane.page("lobby")
    assert [(entry.text, entry.at_ms) for entry in page.entries] == [
        ("yesterday", DUMPED_MS - DAY_MS),
        ("你好 'quoted'", DUMPED_MS - 60_000),
        ("from the future", DUMPED_MS + TEN_YEARS),
        ("after it", DUMPED_MS + TEN_YEARS),
    ]
    assert page.entries[1].id == f"{DUMPED_MS - 60_000}-000000"
    assert [entry.text for entry in bench.backplane.page("den").entries] == ["elsewhere", "and again"]
    assert not bench.backplane.page("lobby", after=page.entries[0].id).gap
    assert bench.reports == ["the clock is 3652 days behind the newest message"]
    again = bench.say("lobby", "retried", b"0123456789abcdef")
    assert again is not None
    assert (again.id, again.at_ms) == (page.entries[1].id, DUMPED_MS - 60_000)
    new = bench.say("lobby", "new")
    assert new is not None
    assert new.id > page.entries[-1].id
    assert new.at_ms == bench.now_ms
    bench.backplane.close()


def test_what_schema_1_froze_in_the_future_expires(tmp_path: Path) -> None:
    dumped_in(tmp_path)
    log = Log(tmp_path, wall_ms=DUMPED_MS + 120_000)
    with closing(sqlite3.connect(tmp_path / FILE_NAME)) as connection:

        def texts() -> list[str]:
            return [text for (text,) in connection.execute("SELECT text FROM entry ORDER BY id")]

        log.passes(6 * DAY_S + HOUR_S)
        assert texts() == ["你好 'quoted'", "elsewhere", "from the future", "after it", "and again"]
        log.passes(DAY_S)
        assert texts() == []
        assert connection.execute("SELECT count(*) FROM retry").fetchone() == (0,)
    log.stop()


def test_a_migration_that_fails_leaves_the_file_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dumped_in(tmp_path)
    monkeypatch.setattr(
        file, "_MIGRATIONS", (file._MIGRATIONS[0], file._MIGRATIONS[1] + "; INSERT INTO nowhere VALUES (1);")
    )
    with pytest.raises(StoreError, match="nowhere"):
        Store(tmp_path, WEEK, full_sync=True).open()
    assert version_of(tmp_path) == 1
    with closing(sqlite3.connect(tmp_path / FILE_NAME)) as connection:
        assert (
            list(connection.iterdump())[:-1]
            == re.findall(r"^.*?;$", SCHEMA_1.split("\n", 2)[2], re.MULTILINE | re.DOTALL)[:-2]
        )
