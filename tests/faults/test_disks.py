"""Disks that are full, locked, read-only, damaged or slow: a clear refusal at once, no false ack, and recovery."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from chatroom.backplane.store import BUSY_S
from tests.faults import disks
from tests.faults.talkers import Talker, check_log
from tests.support.program import Program

pytestmark = [pytest.mark.faults, pytest.mark.slow]

AT_ONCE_S = 3.0  # less than a locked disk is waited for
FLAGS = ("--limits", "off", "--ping-interval", "0.5")
LAST = "9999999999999-999999"


def check_fault(
    program: Program,
    fault: Callable[[], AbstractContextManager[None]],
    *,
    first_refusal_s: float = AT_ONCE_S,
) -> Talker:
    """Let the disk fail and recover, and hold the service to all that it promises meanwhile.

    Returns:
        Who spoke; what they were acknowledged is in the log.
    """
    talker = Talker("websocket", "disks", "t")
    talker.come(program.url)
    for number in range(20):
        talker.say(f"t {number}")
    talker.settle()
    assert program.get("/readyz").status_code == 200

    with fault():
        while not talker.refused:  # what room is left in the file's last pages may be used up
            talker.say(f"t {talker.said} " + "x" * 1900)
            deadline = time.monotonic() + first_refusal_s
            answered = len(talker.acked) + len(talker.refused)
            while len(talker.acked) + len(talker.refused) == answered:
                assert time.monotonic() < deadline, "neither acknowledged nor refused"
                talker.listen_once(deadline - time.monotonic())
        assert program.get("/readyz").status_code == 503
        assert program.get("/healthz").status_code == 200
        for _ in range(5):
            talker.is_refused(f"t {talker.said}", AT_ONCE_S)
        assert talker.ask("who")["ok"]
        time.sleep(1.2)  # more than one attempt to write again falls into the fault
        talker.is_refused(f"t {talker.said}", AT_ONCE_S)
        refused = set(talker.unsure.values())

    program.wait_for_line("the log can be written again")
    assert program.get("/readyz").status_code == 200
    assert not refused & {text for _, text in talker.seen}, "refused, but delivered all the same"
    talker.says_again()
    complaints = [line for line in program.errors if "the log cannot be written" in line]
    assert len(complaints) == 1, program.errors
    check_log(talker.log(), [talker])
    assert len(talker.log()) == talker.said
    talker.leaves()
    return talker


def check_kept(data_dir: Path, talker: Talker) -> None:
    """What was acknowledged before, during and after the fault is there after a restart."""
    with Program(*FLAGS, data_dir=data_dir) as program:
        reader = Talker("websocket", "disks", "reader")
        reader.come(program.url)
        check_log(reader.log(), [talker])
        assert len(reader.log()) == talker.said
        reader.leaves()


def test_a_full_disk_is_reported_and_recovered_from(tmp_path: Path) -> None:
    with disks.small_disk(tmp_path / "disk", "2m") as disk:
        with Program(*FLAGS, data_dir=disk / "data") as program:
            talker = check_fault(program, lambda: disks.full_disk(disk))
            program.kill()
        check_kept(disk / "data", talker)


def test_a_used_up_quota_is_reported_and_recovered_from(tmp_path: Path) -> None:
    data_dir = tmp_path / "data"
    with Program(*FLAGS, data_dir=data_dir) as program:
        talker = check_fault(program, lambda: disks.used_up_quota(program.pid, 1024))
        program.kill()
    check_kept(data_dir, talker)


def test_read_only_files_are_reported_and_recover(tmp_path: Path) -> None:
    data_dir = tmp_path / "data"
    with Program(*FLAGS, data_dir=data_dir) as program:
        talker = check_fault(program, lambda: disks.read_only_files(data_dir))
        program.kill()
    check_kept(data_dir, talker)


def test_a_locked_database_is_reported_and_recovers(tmp_path: Path) -> None:
    data_dir = tmp_path / "data"
    with Program(*FLAGS, data_dir=data_dir) as program:
        talker = check_fault(
            program, lambda: disks.locked(data_dir / "chatroom.db"), first_refusal_s=BUSY_S + AT_ONCE_S
        )
        program.kill()
    check_kept(data_dir, talker)


def test_a_read_only_file_system_is_one_clear_line(tmp_path: Path) -> None:
    with disks.small_disk(tmp_path / "disk", "2m") as disk:
        with Program(*FLAGS, data_dir=disk / "data") as program:
            talker = Talker("websocket", "disks", "t")
            talker.come(program.url)
            talker.say("t 0")
            talker.settle()
            talker.leaves()
        assert disks.run("mount", "-o", "remount,ro", str(disk))
        program = Program(*FLAGS, data_dir=disk / "data")
        with pytest.raises(AssertionError, match="it ended before"):
            program.start()
        assert program.wait() != 0
        (line,) = program.errors
        assert "Read-only file system" in line
        assert "--data-dir" in line
        assert disks.run("mount", "-o", "remount,rw", str(disk))
        check_kept(disk / "data", talker)


def test_a_file_damaged_between_runs_is_set_aside(tmp_path: Path) -> None:
    data_dir = tmp_path / "data"
    damaged = fill_and_damage(data_dir)
    with Program(*FLAGS, data_dir=data_dir) as program:
        (line,) = (line for line in program.errors if "is damaged" in line)
        (aside,) = data_dir.glob("chatroom.db.corrupt-*")
        assert aside.name in line
        assert aside.read_bytes() == damaged
        talker = Talker("websocket", "disks", "t")
        talker.come(program.url)
        assert talker.log() == []
        talker.say("t 0")
        talker.settle()
        talker.leaves()


def test_a_file_damaged_in_use_is_set_aside(tmp_path: Path) -> None:
    data_dir = tmp_path / "data"
    fill_and_damage(data_dir, damaging=False)
    with Program(*FLAGS, data_dir=data_dir) as program:
        talker = Talker("websocket", "another room", "t")
        talker.come(program.url)
        damage(data_dir)
        other = Talker("websocket", "disks", "other")
        other.come(program.url)  # reads the damaged log, and is let in all the same
        answer = other.ask("history", before=LAST, limit=200)
        assert answer["ok"] or answer["code"] == "unavailable", answer
        aside = program.wait_for_line(r"is damaged .* renamed to (\S+) and a new one was created")[1]
        assert (data_dir / aside).exists()
        program.wait_for_line("the log can be written again")
        talker.says_again()
        talker.say("t 0")
        talker.settle()
        check_log(talker.log(), [talker])
        assert program.get("/readyz").status_code == 200
        talker.leaves()
        other.leaves()


def test_a_stalled_disk_delays_only_acks(tmp_path: Path, report: Callable[[str], None]) -> None:
    data_dir = tmp_path / "data"
    waits: list[float] = []
    with Program(*FLAGS, data_dir=data_dir) as program:
        speaker, asker, watcher, mover, friend = (
            Talker("websocket", room, f"t{number}")
            for number, room in enumerate(["stalled", "stalled", "calm", "calm", "calm"])
        )
        for talker in (speaker, asker, watcher, friend):
            talker.come(program.url)
        speaker.say("t0 before")
        speaker.settle()
        watcher.listen(0.2)
        watcher.others.clear()
        pings = watcher.pings, asker.pings

        with disks.locked(data_dir / "chatroom.db"):
            began = time.monotonic()
            speaker.say("t0 delayed")
            mover.come(program.url)
            assert friend.ask("whisper", to=watcher.name, msg="quick")["ok"]
            mover.leaves()
            while time.monotonic() - began < 2.0:
                asked = time.monotonic()
                assert asker.ask("who")["ok"]
                waits.append(time.monotonic() - asked)
                watcher.listen_once(0.005)
            speaker.listen(0.05)
            assert speaker.unsure, "acknowledged while the disk was stalled"
        speaker.settle()
        stalled_s = time.monotonic() - began
        actions = [frame["action"] for frame in watcher.others]
        assert "whisper" in actions
        joined = [name for frame in watcher.others for name, _ in frame.get("joined", ())]
        left = [name for frame in watcher.others for name, _ in frame.get("left", ())]
        assert mover.name in joined
        assert mover.name in left
        assert watcher.pings >= pings[0] + 2
        assert asker.pings >= pings[1] + 2
        for talker in (speaker, asker, watcher, mover, friend):
            talker.leaves()
    p99 = sorted(waits)[int(len(waits) * 0.99)]
    report(
        f"a stall of {stalled_s:.2f} s: {len(waits)} `who` answered meanwhile, p99 {p99 * 1000:.1f} ms,"
        f" slowest {max(waits) * 1000:.1f} ms\n"
    )
    # Answered while the disk stood still: one that waits for it takes all of that time.
    assert len(waits) >= 10


def fill_and_damage(data_dir: Path, *, damaging: bool = True) -> bytes:
    """A log of one room, closed in order; gives the bytes of the file, damaged if that was wanted."""
    with Program(*FLAGS, data_dir=data_dir) as program:
        talker = Talker("websocket", "disks", "t")
        talker.come(program.url)
        for number in range(300):
            talker.say(f"t {number} " + "x" * 300)
        talker.settle()
        talker.leaves()
    if damaging:
        damage(data_dir)
    return (data_dir / "chatroom.db").read_bytes()


def damage(data_dir: Path) -> None:
    """Overwrite the middle of the file in place, as a failing disk does."""
    path = data_dir / "chatroom.db"
    size = path.stat().st_size
    with path.open("r+b") as file:
        file.seek(size // 4)
        file.write(b"\xa5" * (size // 2))
