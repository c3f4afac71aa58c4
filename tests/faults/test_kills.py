"""kill -9 in the middle of everything: nothing acknowledged is lost, nothing is sent twice, everyone comes back."""

from __future__ import annotations

import random
import shutil
import sqlite3
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from tests.faults.links import Gone
from tests.faults.talkers import Talker, check_end, check_log, random_cut
from tests.support.program import Program

pytestmark = [pytest.mark.faults, pytest.mark.slow]

SENDERS = 8
PER_SENDER = 25  # messages per second, 200 in all
LIFE_S = 0.6  # at most, from listening to being killed


def check_file(data_dir: Path, scratch: Path) -> None:
    """The file is whole as the kill has left it: of a copy, so that recovering it is left to the service."""
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir()
    for part in data_dir.glob("chatroom.db*"):
        shutil.copy(part, scratch)
    with closing(sqlite3.connect(scratch / "chatroom.db")) as file:
        assert file.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


def talk(talker: Talker, url: str, over: threading.Event, delay: float) -> None:
    """Come back, say again what was unsure, and go on talking until the connection ends."""
    try:
        if over.wait(delay):
            return
        talker.come(url)
        while not over.is_set():
            talker.say(f"{talker.label} {talker.said}")
            talker.listen(1 / PER_SENDER)
    except Gone:
        pass  # what the test is about


def test_nothing_acknowledged_is_lost_by_kill_9(
    tmp_path: Path, rng: random.Random, scale: Callable[[int], int], report: Callable[[str], None]
) -> None:
    kills = scale(500) if scale(20) > 1 else 10  # each is a start
    data_dir, scratch = tmp_path / "data", tmp_path / "copy"
    talkers = [Talker("websocket", "kills", f"t{number}") for number in range(SENDERS)]
    log: list[tuple[str, str]] = []
    flags = ("--limits", "off", "--history", "1000000")
    slowest = 0.0
    with ThreadPoolExecutor(SENDERS) as pool:
        for kill in range(kills):
            began = time.monotonic()
            program = Program(*flags, data_dir=data_dir).start()
            slowest = max(slowest, time.monotonic() - began)
            if kill:  # what was acknowledged before the kill is there after it, each time
                reader = Talker("websocket", "kills", "reader")
                reader.come(program.url)
                log += reader.log_since(log[-1][0] if log else None)
                check_log(log, talkers)
                reader.leaves()
            over = threading.Event()
            lives = [
                pool.submit(talk, talker, program.url, over, number / PER_SENDER / SENDERS)
                for number, talker in enumerate(talkers)
            ]
            time.sleep(rng.uniform(0, LIFE_S))  # the kill comes at any moment of its life
            program.kill()
            over.set()
            for life in lives:
                life.result(30)
            for talker in talkers:
                talker.is_cut(random_cut(rng))
            assert "Traceback" not in "\n".join(program.errors), program.errors
            check_file(data_dir, scratch)
            if (kill + 1) % 50 == 0:
                acked = sum(len(talker.acked) for talker in talkers)
                report(f"{kill + 1} kills, {acked} messages acknowledged, none lost, none twice")

    with Program(*flags, data_dir=data_dir) as program:
        for talker in talkers:
            talker.come(program.url)
            talker.settle()
        log = check_end(talkers)
    returns, retries = (sum(getattr(talker, what) for talker in talkers) for what in ("returns", "retries"))
    report(
        f"{kills} kills: {len(log)} messages said, {returns} returns under the same name, {retries} retries;"
        f" the slowest start took {slowest:.1f} s\n"
    )
