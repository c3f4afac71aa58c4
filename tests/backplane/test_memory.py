"""What the backplane without a disk keeps when somebody tries to wash it away."""

from __future__ import annotations

import tracemalloc

import pytest

from chatroom.backplane.memory import MemoryBackplane
from tests.backplane.conftest import RULES, Bench

LIMIT = 2_000_000
LONG = "x" * 8_000


@pytest.fixture
def bench() -> Bench:
    return Bench(lambda bench: MemoryBackplane(RULES, bench.wall_ms, bench.elapsed_s, limit_bytes=LIMIT))


def lobby(bench: Bench) -> list[str]:
    return [entry.text for entry in bench.backplane.page("lobby").entries]


def send_once(bench: Bench, room: str, text: str) -> None:
    """Send a message, and leave: nobody is in the room then."""
    claimed = bench.claim(room, room)
    assert claimed is not None
    bench.backplane.append(room, room, text, None, None, lambda entry: None)
    bench.backplane.leave(room, room)


@pytest.mark.parametrize(("rooms", "text"), [(10_000, "x"), (600, LONG)], ids=["tiny", "long"])
def test_junk_rooms_leave_the_lobby_its_messages(bench: Bench, rooms: int, text: str) -> None:
    bench.fill("lobby", 50)
    for number in range(rooms):
        send_once(bench, f"junk {number}", text)
    assert lobby(bench) == [f"lobby {number}" for number in range(50)]
    assert bench.backplane.page("junk 0").entries == ()
    assert len(bench.backplane.page(f"junk {rooms - 1}").entries) == 1


def test_all_messages_together_have_a_bound_in_memory(bench: Bench) -> None:
    tracemalloc.start()
    try:
        for number in range(1_000):
            send_once(bench, f"junk {number % 7}", f"{number}{LONG}")
            bench.delivered.clear()
            bench.events.clear()
        taken = sum(trace.size for trace in tracemalloc.take_snapshot().statistics("filename"))
    finally:
        tracemalloc.stop()
    assert taken < 2 * LIMIT


def test_count_leaves_what_is_younger_than_an_hour(bench: Bench) -> None:
    bench.fill("lobby", 300)
    bench.passes(1_800)
    first = bench.fill("lobby", 300)[0]
    assert len(bench.backplane.page("lobby", before=first, limit=200).entries) == 200
    assert bench.backplane.page("lobby", before=first, limit=200).more
    bench.passes(1_801)
    bench.fill("lobby", 1)
    assert bench.backplane.page("lobby", before=first).entries == ()
    assert not bench.backplane.page("lobby", after=first).gap


def test_the_shares_are_those_of_the_messages(bench: Bench) -> None:
    """Whatever is cut, by count or for lack of space, is no longer counted."""
    backplane = bench.backplane
    assert isinstance(backplane, MemoryBackplane)
    for number in range(500):
        send_once(bench, f"junk {number % 3}", LONG if number % 2 else "x")
        if number % 50 == 0:
            bench.passes(1_000)
    counted = {
        room: sum(len(entry.text) + 400 for entry in log.entries) + 1_000
        for room, log in backplane._logs.items()
    }
    assert backplane._shares.total == sum(counted.values())
