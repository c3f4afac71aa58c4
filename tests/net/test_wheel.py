"""Deadlines: never early, at most one tick late, nothing left behind."""

import gc
import weakref

from hypothesis import given
from hypothesis import strategies as st

from chatroom.net.wheel import NO_TICK, Wheel


class Item:
    def __init__(self) -> None:
        self.tick = NO_TICK


@given(st.lists(st.floats(0, 50), min_size=1, max_size=30))
def test_nothing_is_early_and_nothing_more_than_a_tick_late(deadlines: list[float]) -> None:
    wheel: Wheel[Item] = Wheel(0.5)
    items = {Item(): at for at in deadlines}
    for item, at in items.items():
        wheel.put(item, at)
    fired = {}
    while (now := wheel.next_at()) is not None:
        for item in wheel.advance(now):
            fired[item] = now
    assert fired.keys() == items.keys()
    for item, at in items.items():
        assert at <= fired[item] <= at + 0.5 + 1e-9


def test_an_item_has_one_place() -> None:
    wheel: Wheel[Item] = Wheel(1)
    item = Item()
    wheel.put(item, 1)
    wheel.put(item, 5)
    assert wheel.advance(4) == []
    assert wheel.advance(7) == [item]
    assert wheel.next_at() is None


def test_a_dropped_item_is_not_kept_alive() -> None:
    wheel: Wheel[Item] = Wheel(1)
    item = Item()
    wheel.put(item, 100)
    wheel.drop(item)
    gone = weakref.ref(item)
    gc.disable()
    try:
        del item
        assert gone() is None
    finally:
        gc.enable()
