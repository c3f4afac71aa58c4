"""Whose item comes next."""

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
