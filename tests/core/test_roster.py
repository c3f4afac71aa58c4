"""What was announced in a room: followed event by event, and searched by name."""

import pytest

from chatroom.core.errors import Misuse
from chatroom.core.events import Joined, Left, Person, Present, Renamed, Why
from chatroom.core.roster import Roster


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
