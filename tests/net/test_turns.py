"""Whose call is made in which turn of the loop."""

from __future__ import annotations

from functools import partial

from chatroom import runtime
from chatroom.net.turns import Turns
from tests.support.inside import until


class Clock:
    """Computing time, of which each call takes a second."""

    def __init__(self) -> None:
        self.s = 0.0
        self.made: list[tuple[str, int]] = []  # with the turn
        self.turn = 0
        self.tick()

    def tick(self) -> None:
        self.turn += 1
        if len(self.made) < 100:
            runtime.call_last(self.tick)

    def call(self, name: str) -> None:
        self.s += 1.0
        self.made.append((name, self.turn))


def made(turn_s: float, asked: str) -> list[tuple[str, int]]:
    """The calls for these addresses, a letter each, and in which turn after the first each was made."""
    clock = Clock()
    turns = Turns(turn_s, group_of=str.lower, meter=runtime.Meter(lambda: clock.s, lambda: clock.s))
    for address in asked:
        turns.put(address, partial(clock.call, address))
    until(lambda: len(clock.made) == len(asked))
    first = clock.made[0][1]
    return [(name, turn - first) for name, turn in clock.made]


def test_a_turn_makes_calls_until_its_time_is_over() -> None:
    assert made(2.0, "aaaaa") == [("a", 0), ("a", 0), ("a", 1), ("a", 1), ("a", 2)]


def test_each_turn_makes_one_call_at_least() -> None:
    assert made(0.0, "aa") == [("a", 0), ("a", 1)]


def test_addresses_have_their_turns_one_after_the_other() -> None:
    assert [name for name, _ in made(100.0, "aAaabc")] == list("abcAaa")
