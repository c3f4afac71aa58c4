"""What the fault tests share: counts that grow with `make faults`, a seed, and lines that show how far they are."""

from __future__ import annotations

import os
import random
import sys
import time
from collections.abc import Callable

import pytest


@pytest.fixture
def rng(request: pytest.FixtureRequest) -> random.Random:
    """Seeded by CHATROOM_TEST_SEED, or the same each time."""
    seed = f"{os.environ.get('CHATROOM_TEST_SEED', '3')} {request.node.name}"
    return random.Random(seed)


@pytest.fixture
def scale() -> Callable[[int], int]:
    """A count of the issue: a twentieth of it, or as much as CHATROOM_TEST_SCALE (20: all of it) says."""
    factor = float(os.environ.get("CHATROOM_TEST_SCALE", "1")) / 20
    return lambda count: max(1, round(count * factor))


@pytest.fixture
def report(capsys: pytest.CaptureFixture[str], request: pytest.FixtureRequest) -> Callable[[str], None]:
    """Prints a line although pytest captures, when the counts are long ones; `make faults` shows how far it is."""
    shown = float(os.environ.get("CHATROOM_TEST_SCALE", "1")) > 1
    began = time.monotonic()

    def line(text: str) -> None:
        if shown:
            with capsys.disabled():
                print(f"\n{time.monotonic() - began:7.1f} s  {text}", end="", flush=True, file=sys.stdout)

    return line
