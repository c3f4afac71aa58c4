"""Whose item comes next."""

import pytest

from chatroom.runtime import Rounds


def test_each_group_has_one_item_after_the_other() -> None:
    rounds: Rounds[str] = Rounds()
    for item in ("a1", "a2", "a3", "b1", "c1", "c2"):
        rounds.append(item, item[0])
    assert [rounds.popleft() for _ in range(len(rounds))] == ["a1", "b1", "c1", "a2", "c2", "a3"]


def test_who_comes_seldom_waits_for_no_round() -> None:
    rounds: Rounds[str] = Rounds()
    for item in ("a1", "b1", "c1", "a2", "b2", "c2"):
        rounds.append(item, item[0])
    assert [rounds.popleft() for _ in range(3)] == ["a1", "b1", "c1"]
    rounds.append("seldom", "s")
    assert rounds.popleft() == "seldom"
    rounds.append("too often", "s")  # before the others have had a turn
    assert [rounds.popleft() for _ in range(len(rounds))] == ["a2", "b2", "c2", "too often"]
    assert not rounds.length


@pytest.mark.parametrize("per_turn", [0.9, 1.0, 1.5])
def test_everyone_waits_a_round_among_endless_new_groups(per_turn: float) -> None:
    rounds: Rounds[int | None] = Rounds()
    known, turns = 5, 5000
    for group in range(known):
        for _ in range(turns):
            rounds.append(group, group)
    due = dict.fromkeys(range(known), 2 * known)
    came = served = most_waiting = 0
    for turn in range(turns):
        for _ in range(int((turn + 1) * per_turn) - int(turn * per_turn)):
            rounds.append(None, f"new {came}")
            came += 1
        most_waiting = max(most_waiting, known + came - served)
        one = rounds.popleft()
        if one is None:
            served += 1
        else:
            # One item of each group that waits now, and as many of groups that come later.
            due[one] = turn + 2 * (known + came - served)
        assert turn <= min(due.values())
        assert len(rounds._items) <= 2 * most_waiting  # those without an item are soon forgotten


def test_a_second_item_waits_for_one_new_group() -> None:
    rounds: Rounds[str] = Rounds()
    rounds.append("first", "known")
    rounds.append("second", "known")
    served = [rounds.popleft()]
    for number in range(3):
        rounds.append("new", number)
        served.append(rounds.popleft())
    assert served == ["first", "new", "second", "new"]
