"""What a beginning becomes."""

from __future__ import annotations

import pytest

from chatroom.terminal.completion import complete

NAMES = ['"Kit" Lee', "Great Horned Owl", "阿狸", "Romeo", "می\u200cخواهم", "👨\u200d👩\u200d👧"]


@pytest.mark.parametrize(
    ("text", "completed"),
    [
        ("/na", "/name "),
        ("/NA", "/name "),
        ("/", "/help "),
        ("/name", "/name "),
        ("/name ", None),
        ("/ech", None),
        ("//na", None),
        ("/to gr", "/to Great Horned Owl "),
        ('/to "ki', '/to ""Kit" Lee" '),
        ("/w great h", "/w Great Horned Owl "),
        ("/msg 阿", "/msg 阿狸 "),
        ("to:gr", "to:Great Horned Owl"),
        ("TO: 阿", "TO:阿狸"),
        ("to:x", None),
        ("/to ", None),
        ("/to x", None),
        ("/to می\u200cخ", "/to می\u200cخواهم "),
        ("/to میخ", "/to می\u200cخواهم "),
        ("/to 👨", "/to 👨\u200d👩\u200d👧 "),
        ("/to Great Horned Owl ", None),
        ("", None),
        ("hello\n/na", None),
    ],
)
@pytest.mark.parametrize("asked", [True, False])
def test_commands_and_those_whispered_to_are_completed_as_one_types(
    text: str, completed: str | None, asked: bool
) -> None:
    assert complete(text, NAMES, asked=asked) == completed


@pytest.mark.parametrize(
    ("text", "completed"),
    [("rom", "Romeo: "), ("hello rom", "hello Romeo "), ("阿", "阿狸: "), ("hello ", None), ("x", None)],
)
def test_names_within_a_text_are_completed_on_request(text: str, completed: str | None) -> None:
    assert complete(text, NAMES) == completed
    assert complete(text, NAMES, asked=False) is None


@pytest.mark.parametrize(
    ("text", "completed"),
    [("/to ", "/to 阿狸 "), ("/W  ", "/W 阿狸 "), ("to:", "to:阿狸"), ("TO: ", "TO:阿狸")],
)
@pytest.mark.parametrize("asked", [True, False])
def test_the_only_other_person_needs_no_beginning(text: str, completed: str, asked: bool) -> None:
    assert complete(text, ["阿狸"], asked=asked) == completed
    assert complete(text, ["阿狸", "Romeo"], asked=asked) is None
    assert complete(text, [], asked=asked) is None
