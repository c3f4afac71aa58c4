"""Ordinary public lines of a chat are sent: few are refused as nearly private, and those are listed here."""

from pathlib import Path

from chatroom.core import near
from chatroom.core.commands import Say, parse_line
from chatroom.core.errors import Refusal
from chatroom.core.recipients import People
from tests.support.people import people_of, roster_of

HERE = ("Bob", "Zoë", "Kim", "Carol", "小雨", "阿明", "Moonbeam Mole", "Li Wei", "爱笑的柯基")
LINES = [
    line
    for line in (Path(__file__).parent / "ordinary.txt").read_text(encoding="utf-8").splitlines()
    if not line.startswith("#")
]
# `so:` is a slip of `to:`, and a colon after the name in `for Bob: x` says that the text is for him.
REFUSED = ["so: Bob first, then Kim", "dinner: pizza, for Bob: salad tonight"]


def is_sent(text: str, people: People) -> bool:
    try:
        line = parse_line(text)
        assert isinstance(line, Say)
        near.check(line.near, people, lambda _room: False)
    except Refusal:
        return False
    return True


def test_nearly_all_ordinary_lines_are_sent() -> None:
    people = people_of(roster_of(*HERE))
    assert [line for line in LINES if not is_sent(line, people)] == REFUSED
    assert len(REFUSED) * 100 <= len(LINES)
