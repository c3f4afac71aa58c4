"""What was announced in a room: followed event by event, and searched by name."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatroom.core.errors import Misuse
from chatroom.core.events import Joined, Left, Person, Present, Renamed, Why
from chatroom.core.name_ends import LooseText, loose_match
from chatroom.core.roster import Roster

WORDS = ["a", "B", "小雨", "小雨小", "が", "각", "é", "ﷺ", "to", "x\u200dy"]


def make_roster(*names: str) -> Roster:
    roster = Roster()
    for name in names:
        roster.apply(Joined(Person(f"sid-{name}", name)))
    return roster


def test_people_stand_in_order_of_coming() -> None:
    roster = make_roster("A", "B", "C")
    roster.apply(Renamed("sid-A", "A", "Z"))
    roster.apply(Left(Person("sid-B", "B")))
    assert roster.people() == [Person("sid-A", "Z"), Person("sid-C", "C")]
    assert len(roster) == 2
    assert "sid-A" in roster
    assert "sid-B" not in roster


def test_people_are_found_by_sid_and_by_name() -> None:
    roster = make_roster("Alice")
    assert roster.find("aLICE") == roster.get("sid-Alice") == Person("sid-Alice", "Alice")
    assert roster.get("x") is None


def test_double_is_not_found() -> None:
    assert make_roster("Аlice").find("Alice") is None  # the present one begins with a Cyrillic А


def test_change_of_case_is_followed() -> None:
    roster = make_roster("alice")
    roster.apply(Renamed("sid-alice", "alice", "Alice"))
    assert roster.people() == [Person("sid-alice", "Alice")]


@pytest.mark.parametrize(
    "event", [Left(Person("x", "X")), Renamed("x", "X", "Y"), Joined(Person("sid-A", "B"))]
)
def test_event_that_cannot_follow_is_misuse(event: Joined | Left | Renamed) -> None:
    roster = make_roster("A")
    with pytest.raises(Misuse):
        roster.apply(event)
    assert roster.people() == [Person("sid-A", "A")]


def test_what_has_happened_follows_from_who_is_here_now() -> None:
    roster = make_roster("Alice", "Bob", "Carol")
    alice, carol = Person("sid-Alice", "Bob"), Person("sid-Carol", "Carol")
    dave = Person("sid-Dave", "Alice")
    present = Present([Joined(dave), Joined(alice), Joined(carol, claim=2)])
    changes = roster.changes(present)
    assert changes == [
        Left(Person("sid-Bob", "Bob"), Why.LOST),
        Left(carol, Why.LOST),  # has left and come back
        Renamed("sid-Alice", "Alice", "Bob"),
        Joined(dave),
        Joined(carol, claim=2),
    ]
    for change in changes:
        roster.apply(change)
    roster.replace(present)
    assert roster.people() == [dave, alice, carol]
    assert roster.changes(present) == []


def test_two_may_swap_their_names() -> None:
    roster = make_roster("Alice", "Bob")
    present = Present([Joined(Person("sid-Alice", "Bob")), Joined(Person("sid-Bob", "Alice"))])
    for change in roster.changes(present):
        roster.apply(change)
    assert roster.find("alice") == Person("sid-Bob", "Alice")
    assert roster.find("bob") == Person("sid-Alice", "Bob")


def test_a_text_is_compared_only_as_far_as_names_go() -> None:
    roster = make_roster("Ming Li", "Ann", "ﷺ", "小雨")
    tried: list[str] = []

    def find(name: str) -> Person | None:
        tried.append(name)
        return roster.find(name)

    for text in ("nobody is called so", "Ming Lo and we", '"a" "b" "c"', "大雨你好", "“Bob” „x”"):
        assert loose_match(LooseText.of(text), find, roster.reach, runs_on=True) is None
    assert tried == ["Ming"] * tried.count("Ming")
    for name in ("Ming Li", "Ann", "ﷺ", "صلى الله عليه وسلم", "小雨", '"ann"'):
        found = loose_match(LooseText.of(f"{name} hi"), find, roster.reach)
        assert found is not None
        assert found.rest == "hi"
    assert loose_match(LooseText.of("小雨你好"), find, roster.reach, runs_on=True) is not None


def test_a_name_that_has_gone_is_not_looked_for() -> None:
    roster = make_roster("Ming Li", "Ming Lo")
    roster.apply(Left(Person("sid-Ming Li", "Ming Li")))
    assert roster.reach(["ming", "lo"]) == 2
    roster.apply(Renamed("sid-Ming Lo", "Ming Lo", "Bob"))
    assert roster.reach(["ming", "lo"]) == 0


@given(
    st.lists(st.lists(st.sampled_from(WORDS), min_size=1, max_size=3).map(" ".join), max_size=4),
    st.lists(st.sampled_from([*WORDS, '"', "“", "”", ",", ": ", " ", "  ", "小", "to "]), max_size=9).map(
        "".join
    ),
)
def test_reach_spares_work_and_changes_nothing(names: list[str], text: str) -> None:
    roster = make_roster(*dict.fromkeys(names))
    for runs_on in (False, True):
        found = loose_match(LooseText.of(text), roster.find, roster.reach, runs_on=runs_on)
        assert found == loose_match(LooseText.of(text), roster.find, runs_on=runs_on)
