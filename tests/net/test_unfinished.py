"""Unfinished input has a bound for all together, and the largest goes first."""

from hypothesis import given
from hypothesis import strategies as st

from chatroom.net.unfinished import Unfinished


def test_the_largest_go_until_there_is_room_again() -> None:
    dropped: list[str] = []
    unfinished: Unfinished[str] = Unfinished(80, dropped.append)
    for name, size in (("a", 20), ("b", 30), ("c", 20)):
        unfinished.keep(name, size)
    unfinished.keep("b", 0)
    unfinished.keep("a", 40)
    assert dropped == []
    unfinished.keep("d", 30)
    assert dropped == ["a"]
    assert unfinished.total == 50


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 60))))
def test_the_sum_counts_those_present_and_keeps_the_bound(steps: list[tuple[int, int]]) -> None:
    sizes: dict[int, int] = {}
    unfinished: Unfinished[int] = Unfinished(100, sizes.__delitem__)
    for item, size in steps:
        sizes[item] = size
        unfinished.keep(item, size)
        assert unfinished.total == sum(sizes.values()) <= 100
