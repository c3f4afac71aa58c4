"""Connections cut at any moment, on every transport, while others send: whoever reconnects has missed nothing."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.faults.links import LINKS, Gone
from tests.faults.talkers import Talker, check_end, random_cut
from tests.support.program import Program

pytestmark = [pytest.mark.faults, pytest.mark.slow]

TALKERS = 2
PER_TALKER = 20  # messages per second


def lose_connections(talker: Talker, url: str, cuts: int, rng: random.Random) -> None:
    """Come, talk and listen a little, be cut; sometimes before one is even in."""
    talker.come(url)
    for _ in range(cuts):
        try:
            for _ in range(rng.randrange(4)):
                talker.say(f"{talker.label} {talker.said}")
                talker.listen(rng.uniform(0, 0.03))
        finally:
            talker.is_cut(random_cut(rng))
        if rng.random() < 0.2:
            faint_after = rng.uniform(0, 0.01)
            try:
                talker.come(url, faint_after=faint_after)
            except Gone:
                pass  # cut while coming is what this is
            talker.is_cut(random_cut(rng))
        talker.come(url)


def go_on(talker: Talker, url: str, over: threading.Event) -> None:
    """Be one of the others, whose connection is well."""
    talker.come(url)
    while not over.is_set():
        talker.say(f"{talker.label} {talker.said}")
        talker.listen(1 / PER_TALKER)


def test_a_cut_client_resumes_its_name_and_misses_nothing(
    tmp_path: Path, rng: random.Random, scale: Callable[[int], int], report: Callable[[str], None]
) -> None:
    cuts = scale(1000)
    cut = [Talker(kind, "cuts", kind) for kind in LINKS]
    others = [Talker("websocket", "cuts", f"other{number}") for number in range(TALKERS)]
    over = threading.Event()
    with (
        Program("--limits", "off", "--history", "1000000", data_dir=tmp_path / "data") as program,
        ThreadPoolExecutor(len(cut) + len(others)) as pool,
    ):
        going_on = [pool.submit(go_on, talker, program.url, over) for talker in others]
        try:
            losing = [
                pool.submit(
                    lose_connections, talker, program.url, -(-cuts // len(cut)), random.Random(rng.random())
                )
                for talker in cut
            ]
            for done in losing:
                done.result()
        finally:
            over.set()
            for done in going_on:
                done.result(30)
        everybody = [*cut, *others]
        for talker in everybody:
            talker.settle()
        log = check_end(everybody)
    for talker in cut:
        report(
            f"{talker.kind}: {talker.returns} returns, each resumed under the same name,"
            f" {talker.retries} retries, no gap, no duplicate in {len(log)} messages"
        )
    report("")
