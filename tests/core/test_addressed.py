"""Whom a session knows by which name: the bounds."""

from __future__ import annotations

from chatroom.core.addressed import MOST_ADDRESSED, MOST_ELSEWHERE, MOST_HEARD, Addressed


def test_what_is_remembered_of_other_rooms_is_bounded() -> None:
    addressed = Addressed()
    for room in range(4):
        for number in range(MOST_ADDRESSED):
            addressed.is_other(f"guest {number}x", "one", None)
        addressed.move(f"room {room}", f"room {room + 1}")
    assert sum(len(known) for _, known in addressed.packed("room 4")) == MOST_ELSEWHERE
    addressed.move("room 4", "room 3")
    assert "guest 1x" in addressed
    addressed.move("room 3", "room 0")
    assert "guest 1x" not in addressed


def test_one_stranger_with_many_names_hides_no_other() -> None:
    addressed = Addressed()
    addressed.met("Rob", "rob", has_written=False)
    for number in range(MOST_HEARD + 1):
        addressed.met(f"guest {number}x", "mallory", has_written=False)
    assert "Rob" in addressed
    for number in range(MOST_HEARD + 1):
        addressed.met(f"other {number}x", f"{number}", has_written=False)
    assert len(addressed._heard) == MOST_HEARD
