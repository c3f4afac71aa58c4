"""Work in order."""

from __future__ import annotations

from chatroom import runtime
from tests.support.inside import WAIT_S, until


def test_a_lane_works_in_order_and_not_before_the_next_turn():
    seen: list[int] = []
    lane = runtime.Lane(seen.append)
    for number in range(3):
        lane.put(number)
    assert seen == []
    until(lambda: len(seen) == 3)
    assert seen == [0, 1, 2]


def test_what_waits_in_a_lane_does_not_keep_back_what_comes_after_it():
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


def test_what_the_loop_begins_may_wait_while_the_loop_goes_on():
    seen: list[str] = []
    signal = runtime.Signal()

    def act(name: str) -> None:
        seen.append(f"{name} begins")
        signal.wait(WAIT_S)
        seen.append(f"{name} ends")

    runtime.call_soon(lambda: (runtime.begin(act, "one"), runtime.begin(act, "two"), seen.append("on")))
    until(lambda: len(seen) == 3)
    assert seen == ["one begins", "two begins", "on"]
    signal.set()
    until(lambda: len(seen) == 5)
