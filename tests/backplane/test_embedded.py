"""What only the backplane with a disk promises: what a restart keeps, what is not kept, and a file that fails."""

from __future__ import annotations

import random
import re
import sqlite3
from contextlib import closing
from functools import partial
from pathlib import Path

import pytest

from chatroom import runtime
from chatroom.backplane import Keys
from chatroom.backplane.embedded import EmbeddedBackplane
from chatroom.backplane.file import FILE_NAME, SCHEMA, CorruptError, ForeignError, NewerSchemaError
from chatroom.backplane.retention import Retention
from chatroom.backplane.store import Pending, Store
from chatroom.backplane.tails import Tail
from chatroom.core.clock import DAY_MS, Times
from chatroom.core.errors import Unavailable
from chatroom.core.log import Entry, Page
from tests.backplane.conftest import Bench, embedded_in

LAST = "9999999999999-999999"
FOREVER = Retention(entries=1000, days=7, total_bytes=10**9)


def bytes_on_disk(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in sorted(folder.iterdir()))


def damage(folder: Path) -> None:
    """Overwrite the middle of the file, as a failing disk does."""
    path = folder / FILE_NAME
    content = bytearray(path.read_bytes())
    eighth = len(content) // 8
    content[eighth : 7 * eighth] = b"\xa5" * (6 * eighth)
    path.write_bytes(content)


def test_a_restart_keeps_log_retry_keys_and_order_of_ids(tmp_path: Path) -> None:
    first = Bench(embedded_in(tmp_path, FOREVER))
    ids = first.fill("a", 5)
    said = first.say("a", "retried", b"key")
    first.backplane.close()

    second = Bench(embedded_in(tmp_path, FOREVER))
    second.now_ms -= 86_400_000  # and the clock was set back
    again = second.say("a", "retried", b"key")
    assert said is not None
    assert again is not None
    assert again.id == said.id
    new = second.fill("a", 1)
    page = second.backplane.page("a")
    assert [entry.id for entry in page.entries] == [*ids, said.id, *new]
    assert not second.backplane.page("a", after=ids[2]).gap
    second.backplane.close()


def test_ids_go_on_although_every_entry_has_expired(tmp_path: Path) -> None:
    first = Bench(embedded_in(tmp_path, FOREVER))
    (old,) = first.fill("a", 1)
    first.backplane.close()
    store = Store(tmp_path, FOREVER, full_sync=False)
    store.open()
    store.tidy(Times(*(first.now_ms + 8 * DAY_MS,) * 3))
    store.close()

    second = Bench(embedded_in(tmp_path, FOREVER))
    second.now_ms -= 86_400_000
    assert second.backplane.page("a").entries == ()
    assert second.fill("a", 1)[0] > old
    second.backplane.close()


def test_text_expired_by_count_is_in_no_file(tmp_path: Path) -> None:
    bench = Bench(embedded_in(tmp_path, Retention(entries=10, days=7, total_bytes=10**9)))
    bench.say("a", "the first secret")
    bench.fill("a", 10)
    bench.passes(3_500)
    bench.until(lambda: (tmp_path / (FILE_NAME + "-wal")).stat().st_size == 0)
    assert b"the first secret" in bytes_on_disk(tmp_path)  # it is not an hour old
    bench.passes(120)
    bench.until(lambda: b"the first secret" not in bytes_on_disk(tmp_path))
    assert len(bench.backplane.page("a").entries) == 10
    assert len(bench.backplane.page("a", before=LAST).entries) == 10
    bench.backplane.close()


def rows_of(folder: Path) -> int:
    with closing(sqlite3.connect(folder / FILE_NAME)) as file:
        return int(file.execute("SELECT count(*) FROM entry").fetchone()[0])


def test_messages_that_come_alone_are_trimmed_like_groups(
    tmp_path: Path,
) -> None:
    bench = Bench(embedded_in(tmp_path, Retention(entries=160, days=7, total_bytes=10**9)))
    for number in range(200):
        bench.say("a", f"alone {number}", b"key %d" % number if number % 7 == 0 and number < 150 else None)
    bench.passes(3_601)
    bench.until(lambda: rows_of(tmp_path) == 160)
    texts = [entry.text for entry in bench.backplane.page("a", before=LAST, limit=200).entries]
    assert texts == [f"alone {number}" for number in range(40, 200)]
    bench.backplane.close()


def test_text_expired_by_age_is_in_no_file(tmp_path: Path) -> None:
    bench = Bench(embedded_in(tmp_path, Retention(entries=1000, days=1, total_bytes=10**9)))
    bench.say("a", "the old secret")
    bench.passes(2 * 86_400)
    bench.say("a", "news")
    bench.until(lambda: b"the old secret" not in bytes_on_disk(tmp_path))
    assert b"news" in bytes_on_disk(tmp_path)
    bench.backplane.close()


def test_text_deleted_for_lack_of_space_is_in_no_file(tmp_path: Path) -> None:
    bench = Bench(embedded_in(tmp_path, Retention(entries=100_000, days=7, total_bytes=1_000_000)))
    bench.say("largest room", "the oldest secret")
    for number in range(3_000):
        bench.append("largest room" if number % 2 else f"room {number % 7}", f"{number} " + "x" * 500)
    bench.say("last room", "the newest")
    bench.until(lambda: b"the oldest secret" not in bytes_on_disk(tmp_path))
    bench.monotonic += 60
    bench.until(lambda: (tmp_path / (FILE_NAME + "-wal")).stat().st_size == 0)
    assert (tmp_path / FILE_NAME).stat().st_size < 3_000_000
    assert bench.backplane.page("last room").entries[-1].text == "the newest"
    bench.backplane.close()


def test_no_copy_of_a_moved_row_outlives_it(tmp_path: Path) -> None:
    """Where SQLite moves a row to another page, it leaves a copy in the unused part of the old one."""
    chance = random.Random(9)
    store = Store(tmp_path, Retention(entries=20, days=7, total_bytes=3_000_000), full_sync=False)
    store.open()
    now_ms = 1_700_000_000_000
    for turn in range(20):
        batch = []
        for number in range(200):
            now_ms += chance.randrange(1, 4000)
            room = f"room {int(chance.expovariate(0.15))}"
            text = f"<{turn:03d}{number:04d}>" + "x" * chance.choice([0, 5, 20, 100, 300, 1500, 8000])
            batch.append(Pending(room, Entry(f"{now_ms:013d}-000000", now_ms, "fox", text), None))
        store.commit(batch)
        while not store.tidy(Times(now_ms, now_ms, now_ms)).is_done:
            pass
    with closing(sqlite3.connect(tmp_path / FILE_NAME)) as file:
        kept = {text[:9].encode() for (text,) in file.execute("SELECT text FROM entry")}
    store.rewrite()
    assert not store.has_traces
    assert set(re.findall(rb"<\d{7}>", bytes_on_disk(tmp_path))) == kept
    store.close()


def test_after_deletions_the_file_is_written_anew_within_an_hour(tmp_path: Path) -> None:
    bench = Bench(embedded_in(tmp_path, Retention(entries=10, days=7, total_bytes=10**9)))
    for _ in range(2):
        bench.fill("a" * 40, 400)
        bench.passes(3_601)
        bench.until(lambda: rows_of(tmp_path) == 10)
        bench.passes(3_601)
        bench.until(lambda: free_pages_of(tmp_path) == 0)
    assert len(bench.backplane.page("a" * 40, before=LAST).entries) == 10
    bench.backplane.close()


def free_pages_of(folder: Path) -> int:
    with closing(sqlite3.connect(folder / FILE_NAME)) as file:
        return int(file.execute("PRAGMA freelist_count").fetchone()[0])


def test_a_file_of_a_newer_version_is_refused_unchanged(tmp_path: Path) -> None:
    Bench(embedded_in(tmp_path, FOREVER)).backplane.close()
    with closing(sqlite3.connect(tmp_path / FILE_NAME)) as file:
        file.execute(f"PRAGMA user_version={SCHEMA + 1}")
    before = (tmp_path / FILE_NAME).read_bytes()
    with pytest.raises(NewerSchemaError, match="newer version"):
        Store(tmp_path, FOREVER, full_sync=True).open()
    assert (tmp_path / FILE_NAME).read_bytes() == before


def test_a_file_damaged_before_the_start_is_set_aside(tmp_path: Path) -> None:
    bench = Bench(embedded_in(tmp_path, FOREVER))
    bench.fill("a", 500)
    bench.backplane.close()
    damage(tmp_path)
    damaged = (tmp_path / FILE_NAME).read_bytes()
    store = Store(tmp_path, FOREVER, full_sync=True)
    with pytest.raises(CorruptError):
        store.open()
    aside = store.set_aside()
    assert aside.read_bytes() == damaged
    assert store.open() is None
    store.close()


def test_what_is_no_database_is_found_at_the_start(tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).write_bytes(b"this is no database" * 1000)
    with pytest.raises(CorruptError):
        Store(tmp_path, FOREVER, full_sync=True).open()


def test_a_short_lock_delays_nothing_but_the_outcome(tmp_path: Path) -> None:
    bench = Bench(embedded_in(tmp_path, FOREVER))
    bench.fill("a", 1)
    with closing(sqlite3.connect(tmp_path / FILE_NAME, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        bench.append("a", "delayed")
        bench.joined("b", "fox")
        bench.until(lambda: bench.texts("b") == ["Joined fox"])
        assert bench.backplane.page("a").entries[-1].text == "a 0"
        assert len(bench.outcomes) == 1
        other.execute("ROLLBACK")
        bench.until(lambda: bench.outcomes[-1][0] == "delayed")
    assert bench.outcomes[-1][1] is not None
    bench.backplane.close()


def test_a_failing_store_refuses_at_once_and_recovers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("chatroom.backplane.store.BUSY_S", 0.05)
    bench = Bench(embedded_in(tmp_path, FOREVER))
    with closing(sqlite3.connect(tmp_path / FILE_NAME, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        assert bench.say("a", "refused") is None
        assert not bench.backplane.ready()
        assert bench.say("a", "refused at once") is None
        other.execute("ROLLBACK")
    bench.until(bench.backplane.ready)
    assert bench.say("a", "taken") is not None
    assert bench.texts("a") == ["taken"]
    assert [record.levelname for record in caplog.records] == ["ERROR", "WARNING"]
    bench.backplane.close()


def test_messages_are_saved_however_many_private_talks_change(tmp_path: Path) -> None:
    bench = Bench(embedded_in(tmp_path, FOREVER))

    def change(number: int = 0) -> None:
        if not bench.outcomes:
            bench.backplane.save_key(Keys.TALK, b"%d" % number, True, lambda: change(number + 1))

    change()
    assert bench.say("a", "meanwhile") is not None
    bench.backplane.close()


def test_private_talks_that_a_failing_disk_refuses_are_saved_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chatroom.backplane.store.BUSY_S", 0.05)
    bench = Bench(embedded_in(tmp_path, FOREVER))
    bench.fill("a", 1)
    answered: list[str] = []
    with closing(sqlite3.connect(tmp_path / FILE_NAME, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        bench.backplane.save_key(Keys.TALK, b"first", True, lambda: answered.append("first"))
        bench.until(lambda: answered == ["first"])
        assert not bench.backplane.ready()
        bench.backplane.save_key(Keys.TALK, b"second", True, lambda: answered.append("second"))
        assert answered == ["first", "second"]
        other.execute("ROLLBACK")
    bench.until(bench.backplane.ready)
    bench.until(lambda: set(bench.backplane.keys(Keys.TALK)) == {b"first", b"second"})
    bench.backplane.close()


def test_no_more_wait_for_a_private_talk_than_for_messages(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chatroom.backplane.embedded._MAX_PENDING", 2)
    bench = Bench(embedded_in(tmp_path, FOREVER))
    answered: list[int] = []
    for number in range(4):
        bench.backplane.save_key(Keys.TALK, b"%d" % number, True, partial(answered.append, number))
    assert answered == [2, 3]
    bench.until(lambda: answered == [2, 3, 0, 1])
    assert len(bench.backplane.keys(Keys.TALK)) == 4
    bench.backplane.close()


def test_a_file_damaged_in_use_is_replaced(tmp_path: Path) -> None:
    bench = Bench(embedded_in(tmp_path, FOREVER))
    bench.fill("a", 500)
    bench.monotonic += 60
    bench.until(lambda: not (tmp_path / (FILE_NAME + "-wal")).stat().st_size)
    damage(tmp_path)

    with pytest.raises(Unavailable):
        bench.backplane.page("a", before=LAST)
    bench.until(lambda: any("corrupt" in path.name for path in tmp_path.iterdir()))
    bench.until(bench.backplane.ready)
    assert bench.say("a", "taken") is not None
    bench.backplane.close()


@pytest.mark.parametrize(("full_sync", "level"), [(True, 2), (False, 1)], ids=["full", "os"])
def test_a_commit_waits_for_the_disk_as_durability_sends(tmp_path: Path, full_sync: bool, level: int) -> None:
    """What a power cut leaves cannot be played here: what is asked of SQLite can be seen."""
    store = Store(tmp_path, FOREVER, full_sync=full_sync)
    store.open()
    assert store._writer is not None
    assert store._writer.execute("PRAGMA synchronous").fetchone() == (level,)
    assert store._writer.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    store.close()


def test_an_entry_read_before_its_commit_is_announced_counts_once() -> None:
    entries = [Entry(f"180000000000{number}-000000", 0, "fox", str(number)) for number in range(3)]
    tail = Tail()
    tail.put_before(Page(tuple(entries[:2])))  # the second was committed, and its commit not told of yet
    tail.add(entries[1])
    tail.add(entries[2])
    assert tail.newest(None, 10).entries == tuple(entries)


def test_recent_ends_in_memory_have_a_bound_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chatroom.backplane.tails.TAILS_BYTES", 1_000_000)
    bench = Bench(embedded_in(tmp_path, FOREVER))
    backplane = bench.backplane
    assert isinstance(backplane, EmbeddedBackplane)
    for room in range(20):
        backplane.page(f"room {room}")  # its end is in memory from now on
        for number in range(20):
            bench.append(f"room {room}", f"{number}" + "x" * 8_000)
        assert backplane._tails.size <= 1_000_000
    bench.until(lambda: len(bench.outcomes) == 400)
    assert not backplane.at_hand("room 0")
    assert backplane.at_hand("room 19")
    for room in range(20):  # and each is read from the disk where it is not
        assert backplane.page(f"room {room}").entries[-1].text.startswith("19x")
        bench.say(f"room {room}", "new")
        assert backplane.page(f"room {room}").entries[-1].text == "new"
        assert backplane._tails.size <= 1_000_000
    assert backplane._tails.size == sum(tail.size for tail in backplane._tails._tails.values())
    backplane.close()


@pytest.mark.parametrize("version", [0, SCHEMA])
def test_another_programs_database_is_left_alone(tmp_path: Path, version: int) -> None:
    path = tmp_path / FILE_NAME
    with closing(sqlite3.connect(path)) as other:
        other.execute("CREATE TABLE room (theirs)")
        other.execute(f"PRAGMA user_version={version}")
    before = path.read_bytes()
    with pytest.raises(ForeignError, match="not made by this program"):
        Store(tmp_path, FOREVER, full_sync=False).open()
    assert path.read_bytes() == before


def test_an_orderly_end_leaves_everything_in_one_file(tmp_path: Path) -> None:
    bench = Bench(embedded_in(tmp_path, FOREVER))
    bench.fill("a", 3)
    bench.backplane.close()
    assert [path.name for path in tmp_path.iterdir()] == [FILE_NAME]


def test_closing_waits_for_no_read_that_has_not_begun(tmp_path: Path) -> None:
    bench = Bench(embedded_in(tmp_path, FOREVER))
    bench.say("a", "hi")
    outcomes: list[str] = []

    def read() -> None:
        try:
            bench.backplane.page("a", before=LAST)
            outcomes.append("read")
        except Unavailable:
            outcomes.append("too late")

    readers = [runtime.spawn(read) for _ in range(20)]
    runtime.sleep()  # all of them begin; one of them reads
    bench.backplane.close()
    for reader in readers:
        reader.wait()
    assert sorted(outcomes) == ["read", *["too late"] * 19]
