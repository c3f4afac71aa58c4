"""Who loses history when there is no space for all: the rule beside a model of it, and what nobody can take away."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from chatroom.core.shares import STEP_BYTES, Shares

PUBLIC = frozenset({"lobby", "garden"})
Room = tuple[int, int]  # bytes, and the number of the newest entry


def loser(rooms: dict[str, Room]) -> str:
    """The rule in a few lines: the heavier half, there the largest step, there the longest silence."""
    halves = [{room for room in rooms if (room in PUBLIC) is is_public} for is_public in (False, True)]
    heavier = max(halves, key=lambda half: sum(rooms[room][0] for room in half))
    return min(heavier, key=lambda room: (-(rooms[room][0] // STEP_BYTES), rooms[room][1]))


names = st.sampled_from(["lobby", "garden", "den", "cellar", "attic", "hut"])
sizes = st.integers(1, 40_000)


@given(st.lists(st.tuples(names, sizes) | st.integers(1, 100), max_size=60))
def test_the_room_that_loses_is_the_one_of_the_model(steps: list[tuple[str, int] | int]) -> None:
    shares, rooms = Shares(PUBLIC), dict[str, Room]()
    for number, step in enumerate(steps):
        if isinstance(step, tuple):
            name, size = step
            shares.add(name, size, f"{number:04}")
            rooms[name] = (rooms.get(name, (0, 0))[0] + size, number)
        elif rooms:
            name, surplus = shares.first()
            assert name == loser(rooms)
            size, newest = rooms[name]
            assert surplus == size % STEP_BYTES + 1
            lost = max(1, size * step // 100)
            shares.remove(name, lost)
            rooms[name] = (size - lost, newest)
            if lost == size:
                del rooms[name]
        assert shares.total == sum(size for size, _ in rooms.values())


class Log:
    """Entries under a limit: whoever is over it makes the first room lose its oldest."""

    def __init__(self, limit: int) -> None:
        self.shares = Shares(PUBLIC)
        self.rooms: dict[str, list[int]] = {}
        self._limit = limit
        self._number = 0

    def send(self, room: str, size: int) -> None:
        self._number += 1
        self.rooms.setdefault(room, []).append(size)
        self.shares.add(room, size, f"{self._number:06}")
        while self.shares.total > self._limit:
            room, _ = self.shares.first()
            self.shares.remove(room, self.rooms[room].pop(0))
            if not self.rooms[room]:
                del self.rooms[room]


junk = st.lists(st.tuples(st.integers(0, 9), st.integers(1, 60_000)), max_size=150)


@given(junk, st.integers(1, 400_000))
def test_no_junk_takes_what_is_in_the_public_half(junk: Sequence[tuple[int, int]], size: int) -> None:
    log = Log(limit=800_000)
    log.send("lobby", size)
    for number, bytes_sent in junk:
        log.send(f"junk {number}", bytes_sent)
    assert log.rooms["lobby"] == [size]


@given(junk)
def test_a_room_keeps_its_equal_part_of_a_half(junk: Sequence[tuple[int, int]]) -> None:
    equal = 400_000 // 11  # the half, by the ten rooms of junk and the one that they are to wash away
    kept = equal // STEP_BYTES * STEP_BYTES - 1
    log = Log(limit=800_000)
    log.send("den", kept)
    for number, bytes_sent in junk:
        log.send(f"junk {number}", bytes_sent)
        log.send("lobby", bytes_sent)
    assert log.rooms["den"] == [kept]


def test_an_active_room_outlives_any_number_of_small_ones() -> None:
    log = Log(limit=100_000)
    for number in range(5_000):
        log.send(f"junk {number}", 1_000)
        if number % 30 == 0:
            log.send("den", 100)
    assert len(log.rooms["den"]) > 120
