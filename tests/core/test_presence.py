"""Joins and leaves as lines: what is gathered, when it is due, and what it says."""

from __future__ import annotations

import pytest

from chatroom.core.presence import CROWD, INTERVAL_S, NAMES_SHOWN, PresenceLines
from chatroom.gateways.words import WORDS


def text(presence: PresenceLines, count: int, *, sid: str = "", now: float = 0.0, lang: str = "en") -> str:
    """The line of `sid`."""
    changes = presence.take(now)
    return changes.text(WORDS[lang], count, changes.greeted.get(sid, 0))


def test_one_line_at_once_then_one_per_interval() -> None:
    presence = PresenceLines()
    assert presence.due_in(100.0) is None
    presence.joined("r", "Romeo")
    assert presence.due_in(100.0) == 0
    assert text(presence, 2, now=100.0) == "Romeo joined (2 here)"
    for number in range(818):
        presence.joined(str(number), f"n{number}")
        assert presence.due_in(102.0) == INTERVAL_S - 2
    assert text(presence, 820, now=105.0) == "818 joined (820 here)"
    assert presence.due_in(106.0) is None
    presence.left("r", "Romeo")
    assert presence.due_in(200.0) == 0


@pytest.mark.parametrize(
    ("count", "lang", "line"),
    [
        (CROWD - 1, "en", "Paris, Eve left; Romeo joined (19 here)"),
        (CROWD, "en", "2 left; 1 joined (20 here)"),  # there were 21
        (CROWD - 1, "zh", "Paris、Eve 离开了房间；Romeo 进入了房间（19 人在线）"),
        (CROWD, "zh", "2 人离开了房间；1 人进入了房间（20 人在线）"),
    ],
)
def test_a_burst_is_one_line_with_names_or_numbers(count: int, lang: str, line: str) -> None:
    presence = PresenceLines()
    presence.left("p", "Paris")
    presence.joined("r", "Romeo")
    presence.left("e", "Eve")
    assert text(presence, count, lang=lang) == line


@pytest.mark.parametrize(
    ("joins", "leaves", "count", "line"),
    [
        (0, 300, 2, "300 left (2 here)"),
        (0, CROWD - 1, 2, "19 left (2 here)"),
        (0, CROWD - 2, 2, "n0, n1, n2, n3, n4, n5, n6, n7, n8, n9 and 8 more left (2 here)"),
        (11, 10, 12, "10 left; 11 joined (12 here)"),
    ],
)
def test_numbers_show_a_room_or_a_burst_that_was_large(
    joins: int, leaves: int, count: int, line: str
) -> None:
    presence = PresenceLines()
    for number in range(leaves):
        presence.left(f"l{number}", f"n{number}")
    for number in range(joins):
        presence.joined(f"j{number}", f"m{number}")
    assert text(presence, count) == line


def test_many_who_left_a_small_room_are_counted_after_ten() -> None:
    presence = PresenceLines()
    for number in range(NAMES_SHOWN + 5):
        presence.left(str(number), f"n{number}")
    assert text(presence, 3) == "n0, n1, n2, n3, n4, n5, n6, n7, n8, n9 and 5 more left (3 here)"


def test_who_joins_and_leaves_in_between_is_not_named() -> None:
    presence = PresenceLines()
    presence.joined("r", "Romeo")
    presence.left("r", "Romeo")
    assert presence.due_in(0.0) is None


def test_a_short_visitor_who_sent_a_message_is_shown_leaving() -> None:
    presence = PresenceLines()
    presence.joined("r", "Romeo")
    presence.sent("r")
    presence.left("r", "Romeo")
    assert text(presence, 1) == "Romeo left (1 here)"


def test_a_session_that_is_back_in_between_did_not_leave() -> None:
    presence = PresenceLines()
    presence.left("r", "Romeo")
    presence.joined("r", "Romeo")
    assert presence.due_in(0.0) is None
    presence.left("r", "Romeo")
    presence.joined("r", "Montague")  # under another name it is told of, and so is the old one
    assert text(presence, 2) == "Romeo left; Montague joined (2 here)"


def test_another_session_with_the_same_name_is_shown() -> None:
    presence = PresenceLines()
    presence.left("r", "Romeo")
    presence.joined("impostor", "Romeo")
    assert text(presence, 2) == "Romeo left; Romeo joined (2 here)"


def test_a_newcomer_is_named_as_they_are_called_now() -> None:
    presence = PresenceLines()
    presence.joined("r", "Romeo")
    assert not presence.renamed("r", "Montague")  # nobody knows of a Romeo
    presence.joined("j", "Juliet")
    presence.sent("j")
    assert presence.renamed("j", "Capulet")
    assert presence.renamed("n", "Nurse")
    assert text(presence, 3) == "Montague, Capulet joined (3 here)"


def test_newcomers_read_what_happened_after_their_greeting() -> None:
    def burst() -> PresenceLines:
        presence = PresenceLines()
        presence.left("p", "Paris")
        presence.joined("r", "Romeo")
        presence.greeted("r")
        presence.joined("j", "Juliet")
        presence.greeted("j")
        presence.left("n", "Nurse")
        return presence

    assert text(burst(), 3, sid="witness") == "Paris, Nurse left; Romeo, Juliet joined (3 here)"
    assert text(burst(), 3, sid="r") == "Nurse left; Juliet joined (3 here)"
    assert text(burst(), 3, sid="j") == "Nurse left (3 here)"
    assert text(burst(), 30, sid="j") == "1 left (30 here)"
    presence = PresenceLines()
    presence.joined("r", "Romeo")
    presence.greeted("r")
    assert text(presence, 1, sid="r") == ""
    presence.joined("j", "Juliet")
    assert text(presence, 2, sid="r") == "Juliet joined (2 here)"


@pytest.mark.parametrize("name", ["Romeo left (3 here), Juliet", "Romeo left; Juliet"])
def test_no_name_can_fake_another_persons_leave(name: str) -> None:
    presence = PresenceLines()
    presence.joined("m", name)
    assert text(presence, 4) == f'"{name}" joined (4 here)'
