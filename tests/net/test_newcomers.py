"""Newcomers: the oldest of the largest group goes first."""

from __future__ import annotations

from collections import OrderedDict

from hypothesis import given
from hypothesis import strategies as st

from chatroom.net.newcomers import Newcomers


def test_the_oldest_of_the_largest_group_goes_first() -> None:
    newcomers: Newcomers[int] = Newcomers()
    assert newcomers.first() is None
    for item, address in enumerate(["a", "b", "b", "c", "c", "c", "b"]):
        newcomers.add(item, address)
    gone = []
    while (first := newcomers.first()) is not None:
        newcomers.remove(first)
        gone.append(first)
    assert gone[:3] == [3, 1, 4] or gone[:3] == [1, 3, 2]
    assert sorted(gone) == list(range(7))


def test_those_of_one_network_are_a_group() -> None:
    newcomers: Newcomers[str] = Newcomers(lambda address: address[0])
    for item, address in zip("xyz", ["b1", "a1", "a2"], strict=True):
        newcomers.add(item, address)
    assert newcomers.first() == "y"
    newcomers.move("y", "b2")
    assert newcomers.first() == "x"
    newcomers.move("unknown", "b3")
    assert len(newcomers) == 3
    assert "unknown" not in newcomers


items, addresses = st.integers(0, 9), st.sampled_from("abcd")


@given(st.lists(st.tuples(st.sampled_from(["add", "remove", "move", "pop"]), items, addresses), max_size=60))
def test_any_play_goes_as_in_a_model(steps: list[tuple[str, int, str]]) -> None:
    newcomers: Newcomers[int] = Newcomers()
    model: OrderedDict[int, str] = OrderedDict()
    for step, item, address in steps:
        if step == "pop":
            first = newcomers.first()
            if first is not None:
                newcomers.remove(first)
                del model[first]
        elif step == "remove":
            newcomers.remove(item)
            model.pop(item, None)
        elif step == "add" or item in model:
            getattr(newcomers, step)(item, address)
            model.pop(item, None)
            model[item] = address
        assert len(newcomers) == len(model)
        first = newcomers.first()
        if first is None:
            assert not model
            continue
        sizes = {one: list(model.values()).count(one) for one in model.values()}
        assert sizes[model[first]] == max(sizes.values())
        assert first == next(one for one in model if model[one] == model[first])
