"""Names that would pass for more than a name."""

from __future__ import annotations

import pytest

from chatroom.core.quoting import before_text, in_list
from chatroom.gateways.line.text import said_line

NOON = 1_700_049_600_000  # 2023-11-15, 12:00:00 UTC


@pytest.mark.parametrize(
    "name",
    [
        "Juliet: no",
        "Juliet\uff1ano",
        "Juliet\u2236 no",
        "Juliet -> you",
        "Juliet -\uff1e you",
        "Juliet \u2192 you",
        "Juliet - > you",
        "Juliet \u2014> you",
        "a:",
        "->",
    ],
)
def test_an_ambiguous_name_before_a_text_is_quoted(name: str) -> None:
    assert before_text(name) == f'"{name}"'
    assert said_line(NOON, name, "hi").decode() == f'[12:00:00] "{name}": hi\r\n'


@pytest.mark.parametrize("name", ["Juliet", "Capulet's daughter", "朱丽叶", "<3", "a-b", "x > y", '"Juliet"'])
def test_other_names_stand_as_they_are(name: str) -> None:
    assert before_text(name) == in_list(name) == name


@pytest.mark.parametrize("quote", ['"', "\u201c", "\u201d", "\uff02"])
def test_no_name_can_end_its_quotation(quote: str) -> None:
    """Or it would pass for a whisper from the one who is called `a: b`, whose name stands in quotes as well."""
    assert before_text(f"a: b{quote} -> you: hi {quote}x") == "\"a: b' -> you: hi 'x\""


@pytest.mark.parametrize("name", ["Romeo, Juliet", "Romeo、Juliet", "Juliet (2 here)", "朱丽叶（2 人在线）"])
def test_an_ambiguous_name_in_a_list_is_quoted(name: str) -> None:
    assert in_list(name) == f'"{name}"'
    assert before_text(name) == name
