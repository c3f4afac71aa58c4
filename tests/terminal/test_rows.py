"""Where lines are broken."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.text import Text

from chatroom.terminal.rows import rows
from tests.core.test_characters import ENGLAND


def broken(text: str, width: int) -> list[str]:
    return [row.plain for row in rows(Text(text), width)]


@pytest.mark.parametrize(
    ("text", "width", "expected"),
    [
        ("", 5, [""]),
        ("a b c", 5, ["a b c"]),
        ("hello world", 7, ["hello", "world"]),
        ("hello world", 5, ["hello", "world"]),
        ("a hello", 5, ["a", "hello"]),
        ("abcdefgh", 3, ["abc", "def", "gh"]),
        ("ab cdefgh", 4, ["ab", "cdef", "gh"]),
        ("one\n\ntwo", 9, ["one", "", "two"]),
        ("Owl: 大家好今天", 9, ["Owl: 大家", "好今天"]),
        ("今天天气不错。好", 12, ["今天天气不", "错。好"]),
        ("他说“你好”", 6, ["他说", "“你好”"]),
        ("水水水", 1, ["水", "水", "水"]),
        ("a水b", 2, ["a", "水", "b"]),
        ("x" * 4 + " " * 6 + "y", 5, ["xxxx", "y"]),
        ("  indented", 20, ["  indented"]),
        ("a\tb", 20, ["a       b"]),
        ("👩‍👩‍👧‍👦👩‍👩‍👧‍👦", 3, ["👩‍👩‍👧‍👦", "👩‍👩‍👧‍👦"]),
        ("🏳\ufe0f\u200d🌈1\ufe0f\u20e3", 3, ["🏳\ufe0f\u200d🌈", "1\ufe0f\u20e3"]),
        (f"{ENGLAND}\U0001fae9", 4, [f"{ENGLAND}\U0001fae9"]),
        ("می\u200cخو", 4, ["می\u200cخو"]),
        ("e\u0301e\u0301e\u0301", 2, ["e\u0301e\u0301", "e\u0301"]),
    ],
)
def test_lines_are_broken_between_words_and_between_wide_characters(
    text: str, width: int, expected: list[str]
) -> None:
    assert broken(text, width) == expected


def test_styles_stay_where_they_were() -> None:
    text = Text.assemble(("hello ", "bold"), ("world", "red"))
    first, second = rows(text, 6)
    assert [(first.plain, str(first.spans[0].style)), (second.plain, str(second.spans[0].style))] == [
        ("hello", "bold"),
        ("world", "red"),
    ]


# Joiners and accents only where they belong: the drawing library has no firm width for a stray one.
pieces = st.sampled_from([*"ab  水。（“\n-", "e\u0301", "👩‍🦊"])


@given(st.lists(pieces, max_size=60).map("".join), st.integers(2, 20))
def test_nothing_is_lost_and_nothing_is_too_wide(text: str, width: int) -> None:
    found = broken(text, width)
    assert "".join(found).replace(" ", "") == text.replace("\n", "").replace(" ", "")
    assert all(cell_len(row) <= width for row in found)
