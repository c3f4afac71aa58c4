"""Work in order."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from chatroom import runtime
from tests.support.inside import WAIT_S, until


def test_a_lane_works_in_order_from_the_next_turn() -> None:
    seen: list[int] = []
    lane = runtime.Lane(seen.append)
    for number in range(3):
        lane.put(number)
    assert seen == []
    until(lambda: len(seen) == 3)
    assert seen == [0, 1, 2]


@pytest.mark.parametrize(
    ("turn_s", "order"),
    [(60.0, ["last 0", "one", "two", "last 1"]), (0.0, ["last 0", "last 1", "one", "two"])],
    ids=["long turns", "short turns"],
)
def test_last_items_let_others_pass_but_go_on(turn_s: float, order: list[str]) -> None:
    seen: list[str] = []
    lane = runtime.Lane(seen.append, turn_s=turn_s)
    for number in range(2):
        lane.put_last(f"last {number}")
    lane.put("one")
    lane.put("two")
    until(lambda: len(seen) == 4)
    assert seen == order


@pytest.mark.parametrize(("computed", "turns"), [(lambda: 0.0, 1), (time.monotonic, 3)], ids=["no", "yes"])
def test_only_computing_makes_a_turn_long(computed: Callable[[], float], turns: int) -> None:
    ends: list[int] = []
    done: list[int] = []

    def work(item: int) -> None:
        began = time.monotonic()
        while time.monotonic() < began + 0.002:
            pass
        if not done:
            count()
        done.append(item)

    def count() -> None:
        ends.append(len(done))
        if len(done) < 3:
            runtime.call_last(count)

    lane = runtime.Lane(work, turn_s=0.001, meter=runtime.Meter(time.monotonic, computed))
    for number in range(3):
        lane.put(number)
    until(lambda: ends[-1:] == [3])
    assert len(ends) == 1 + turns


def test_a_waiting_item_does_not_delay_later_ones() -> None:
    seen: list[str] = []
    door = runtime.Signal()

    def work(item: str) -> None:
        if item == "slow":
            door.wait(WAIT_S)
        seen.append(item)

    lane = runtime.Lane(work)
    for item in ("slow", "quick", "quicker"):
        lane.put(item)
    until(lambda: len(seen) == 2)
    door.set()
    until(lambda: len(seen) == 3)
    assert seen == ["quick", "quicker", "slow"]


def test_what_the_loop_begins_may_wait() -> None:
    seen: list[str] = []
    signal = runtime.Signal()

    def act(name: str) -> None:
        seen.append(f"{name} begins")
        signal.wait(WAIT_S)
        seen.append(f"{name} ends")

    def begin_both() -> None:
        runtime.begin(act, "one")
        runtime.begin(act, "two")
        seen.append("on")

    runtime.call_soon(begin_both)
    until(lambda: len(seen) == 3)
    assert seen == ["one begins", "two begins", "on"]
    signal.set()
    until(lambda: len(seen) == 5)
