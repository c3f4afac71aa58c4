"""What is made of a wall clock that goes ahead, goes back, or is behind the log."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatroom.core.clock import BELIEVED_S, DAY_MS, Clock, SavedTimes

NOW = 1_800_000_000_000
TEN_YEARS = 3652 * DAY_MS


class Hands:
    """The two clocks of a machine, set by hand."""

    def __init__(self, wall_ms: int = NOW) -> None:
        self.wall_ms = wall_ms
        self.elapsed_s = 100.0
        self.reports: list[str] = []

    def clock(self, saved: SavedTimes | None = None) -> Clock:
        readings = (lambda: self.wall_ms, lambda: self.elapsed_s, self.reports.append)
        return Clock(*readings) if saved is None else Clock(*readings, saved)

    def passes(self, seconds: float) -> None:
        self.elapsed_s += seconds
        self.wall_ms += round(seconds * 1000)


def test_an_even_clock_is_believed_and_not_reported() -> None:
    hands = Hands()
    clock = hands.clock(SavedTimes(newest_ms=NOW))
    for seconds in (0.001, 59, 86_400, 1e7):
        hands.passes(seconds)
        hands.wall_ms += 900  # corrected a little each time
        assert clock.times() == (hands.wall_ms,) * 2 + (clock.times().steady_ms,)
        assert clock.problem() is None
    assert hands.reports == []


def test_a_step_ahead_is_reported_once_and_shown_until_undone() -> None:
    hands = Hands()
    clock = hands.clock()
    hands.wall_ms += TEN_YEARS
    for _ in range(3):
        hands.passes(10)
        assert clock.problem() == "the clock went ahead by 3652 days"
    hands.wall_ms -= TEN_YEARS
    assert clock.problem() is None
    assert hands.reports == [
        "the clock went ahead by 3652 days",
        "the clock went back by 3652 days and seems right again",
    ]


def test_a_step_back_is_reported_once_and_shown() -> None:
    hands = Hands()
    clock = hands.clock()
    hands.wall_ms -= 3 * 3_600_000
    hands.passes(10)
    assert clock.problem() == "the clock went back by 3 hours"
    assert clock.problem() is not None
    assert hands.reports == ["the clock went back by 3 hours"]


@pytest.mark.parametrize(("step_ms", "is_a_jump"), [(59_000, False), (61_000, True)])
@pytest.mark.parametrize("sign", [1, -1])
def test_only_a_step_of_more_than_a_minute_counts(step_ms: int, is_a_jump: bool, sign: int) -> None:
    hands = Hands()
    clock = hands.clock()
    hands.wall_ms += sign * step_ms
    assert (clock.problem() is not None) is is_a_jump
    assert bool(hands.reports) is is_a_jump


def test_a_clock_behind_the_log_is_reported_once() -> None:
    hands = Hands()
    clock = hands.clock(SavedTimes(newest_ms=NOW + TEN_YEARS))
    assert hands.reports == ["the clock is 3652 days behind the newest message"]
    hands.passes(10)
    assert clock.problem() == "the clock is 3652 days behind the newest message"
    assert len(hands.reports) == 1


def test_a_clock_that_catches_up_is_right_again() -> None:
    hands = Hands()
    clock = hands.clock(SavedTimes(newest_ms=NOW + 300_000))
    assert clock.problem() == "the clock is 5 minutes behind the newest message"
    hands.passes(250)
    assert clock.problem() is None


def test_a_machine_without_its_own_clock_is_right_once_set() -> None:
    """It begins in 1970, or where it was stopped, and learns the time from the network."""
    hands = Hands(wall_ms=1_000)
    clock = hands.clock(SavedTimes(newest_ms=NOW))
    hands.passes(30)
    hands.wall_ms = NOW + 8 * 3_600_000
    assert clock.problem() is None
    assert clock.times().aging_ms == hands.wall_ms
    assert hands.reports[1] == "the clock went ahead by 20834 days and seems right again"


@pytest.mark.parametrize("saved", [SavedTimes(NOW, NOW, NOW), SavedTimes(NOW)], ids=["saved", "by the log"])
def test_a_start_years_ahead_is_reported_and_ages_nothing(saved: SavedTimes) -> None:
    hands = Hands(wall_ms=NOW + TEN_YEARS)
    clock = hands.clock(saved)
    assert hands.reports == ["the clock went ahead by 3652 days"]
    hands.passes(60)
    assert clock.problem() == "the clock went ahead by 3652 days"
    assert clock.times().aging_ms == NOW + 60_000
    hands.wall_ms -= TEN_YEARS
    assert clock.problem() is None
    assert clock.times().aging_ms == hands.wall_ms


def test_a_stop_of_some_months_is_believed() -> None:
    hands = Hands(wall_ms=NOW + 300 * DAY_MS)
    clock = hands.clock(SavedTimes(NOW, NOW, NOW))
    assert clock.problem() is None
    assert clock.times().aging_ms == hands.wall_ms


def test_a_clock_that_runs_evenly_for_a_day_is_believed() -> None:
    hands = Hands()
    clock = hands.clock(SavedTimes(newest_ms=NOW + TEN_YEARS))
    hands.wall_ms += 30 * DAY_MS
    clock.check()
    hands.passes(BELIEVED_S - 1)
    assert clock.problem() is not None
    assert clock.times().aging_ms == hands.wall_ms - 30 * DAY_MS
    hands.passes(1)
    assert clock.problem() is None
    assert clock.times().aging_ms == hands.wall_ms


def test_aging_follows_a_clock_back_but_not_ahead() -> None:
    hands = Hands()
    clock = hands.clock()
    hands.wall_ms += TEN_YEARS
    hands.passes(60)
    assert clock.times().aging_ms == NOW + 60_000
    hands.wall_ms -= 2 * TEN_YEARS
    assert clock.times().aging_ms == hands.wall_ms


def test_a_jumping_clock_does_not_fill_the_log() -> None:
    hands = Hands()
    clock = hands.clock()
    for number in range(1000):
        hands.passes(1)
        hands.wall_ms += DAY_MS if number % 2 else -DAY_MS
        clock.check()
    assert len(hands.reports) <= 11


@given(st.lists(st.tuples(st.integers(-TEN_YEARS, TEN_YEARS), st.integers(0, 10_000))), st.booleans())
def test_the_steady_time_counts_what_elapses_whatever_the_clock_does(
    steps: list[tuple[int, int]], was_saved: bool
) -> None:
    hands = Hands()
    clock = hands.clock(SavedTimes(NOW, NOW, NOW) if was_saved else None)
    for jump_ms, seconds in steps:
        hands.wall_ms += jump_ms
        hands.passes(seconds)
        clock.check()
    assert clock.times().steady_ms == NOW + sum(seconds for _, seconds in steps) * 1000


@pytest.mark.parametrize(
    ("stopped_ms", "counted_ms"), [(3_600_000, 3_600_000), (TEN_YEARS, DAY_MS), (-TEN_YEARS, 0)]
)
def test_the_steady_time_believes_a_stop_of_a_day(stopped_ms: int, counted_ms: int) -> None:
    hands = Hands(wall_ms=NOW + stopped_ms)
    steady_ms = NOW - 5_000
    assert hands.clock(SavedTimes(None, NOW, steady_ms)).times().steady_ms == steady_ms + counted_ms
