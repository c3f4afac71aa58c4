"""Which texts may be said."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatroom.core.errors import BadRequest, Empty, Refusal, TooLong
from chatroom.core.text import fold_empty_lines, parse_text
from tests.core.test_characters import CASES

FORBIDDEN = set("\x07\x1b\x85\u202a\u202e\u2066\u2069")


@pytest.mark.parametrize(
    "text", [*CASES["seen"], "hi", " a\tb\nc ", "你好", "👩‍👩‍👧", "می‌خواهم", "\u200fשלום\u200e", "."]
)
def test_visible_text_comes_back_unchanged(text: str) -> None:
    assert parse_text(text, 100) == text


def test_line_ends_become_lf() -> None:
    assert parse_text("a\r\nb\rc\n", 100) == "a\nb\nc\n"
    assert parse_text("a\u2028b\u2029c", 100) == "a\nb\nc"


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("a\n\n\nb", "a\n\n\nb"),
        ("a\n\n\n\nb", "a\n\n\nb"),
        ("a" + "\n" * 1998 + "b", "a\n\n\nb"),
        ("a\r\n\r\n\r\n\r\nb", "a\n\n\nb"),
        ("a" + "\u2028" * 9 + "b", "a\n\n\nb"),
        ("a" + "\n \t\u3000\u200b\u3164" * 9 + "\nb", "a" + "\n \t\u3000\u200b\u3164" * 2 + "\nb"),
        ("\n" * 9 + "a" + "\n" * 9, "\n\na\n\n"),
        ("a\n\n\n\nb\n\n\n\nc", "a\n\n\nb\n\n\nc"),
        ("a\n.\n.\n.\nb", "a\n.\n.\n.\nb"),
    ],
)
def test_empty_lines_are_folded_to_two(text: str, folded: str) -> None:
    assert parse_text(text, 9000) == folded


def test_the_limit_counts_the_text_as_it_was_sent() -> None:
    with pytest.raises(TooLong):
        parse_text("a" + "\n" * 100 + "b", 50)


@pytest.mark.parametrize("value", [None, 1, b"hi", ["hi"], {"msg": "hi"}, True])
def test_other_types_are_bad_requests(value: object) -> None:
    with pytest.raises(BadRequest):
        parse_text(value, 100)


@pytest.mark.parametrize(
    "character", ["\0", "\x1b", "\x7f", "\x85", "\u202a", "\u202e", "\u2066", "\u2069", "\ud800"]
)
def test_forbidden_characters_are_bad_requests(character: str) -> None:
    with pytest.raises(BadRequest) as refusal:
        parse_text(f"a{character}b", 100)
    assert refusal.value.params == {"character": f"U+{ord(character):04X}"}


@pytest.mark.parametrize("text", [text for text in CASES["blank"] if not FORBIDDEN.intersection(text)])
def test_text_without_visible_characters_is_empty(text: str) -> None:
    with pytest.raises(Empty):
        parse_text(text, 100)


def test_limit_counts_code_points() -> None:
    assert parse_text("😀" * 5, 5) == "😀" * 5
    with pytest.raises(TooLong) as refusal:
        parse_text("a" * 6, 5)
    assert refusal.value.params == {"limit": 5}


@given(st.text(st.characters(), max_size=30))
def test_any_text_is_refused_or_stable(value: str) -> None:
    try:
        text = parse_text(value, 20)
    except Refusal:
        return
    assert parse_text(text, 20) == text
    text.encode()


@given(st.text(st.sampled_from("a \n\u200b"), max_size=30))
def test_folding_loses_empty_lines_and_nothing_else(text: str) -> None:
    folded = fold_empty_lines(text)
    assert fold_empty_lines(folded) == folded
    assert [line for line in folded.split("\n") if "a" in line] == [
        line for line in text.split("\n") if "a" in line
    ]
