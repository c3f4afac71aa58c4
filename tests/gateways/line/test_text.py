"""How things look at a line terminal."""

from __future__ import annotations

import pytest

from chatroom.gateways.line.text import (
    LINES_SHOWN,
    first_lines,
    notice_line,
    own_whisper_line,
    said_line,
    whisper_line,
)

NOON = 1_700_049_600_000  # 2023-11-15, 12:00:00 UTC


def test_a_message_follows_its_time_and_name() -> None:
    assert said_line(NOON, "Romeo", "hello") == b"[12:00:00] Romeo: hello\r\n"
    assert whisper_line(NOON, "Romeo", "hello") == b"[12:00:00] Romeo -> you: hello\r\n"
    assert own_whisper_line(NOON, "Romeo", "hello") == b"[12:00:00] you -> Romeo: hello\r\n"


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r", "\x0b", "\x0c", "\x85", "\u2028", "\u2029"])
def test_no_line_of_a_text_can_pass_for_somebody_elses(end: str) -> None:
    assert said_line(NOON, "Romeo", f"hello{end}[12:00:00] Juliet: hi") == (
        b"[12:00:00] Romeo: hello\r\n    [12:00:00] Juliet: hi\r\n"
    )


def test_old_walls_of_empty_lines_are_folded() -> None:
    for line in (said_line, whisper_line, own_whisper_line):
        assert line(NOON, "Romeo", "a" + "\n\u2028" * 99 + "b").endswith(b": a\r\n    \r\n    \r\n    b\r\n")


def test_a_long_text_shows_its_first_lines_and_a_count() -> None:
    texts = ["\n".join(f"line {number}" for number in range(count)) for count in (1, 12, 13, 40)]
    shown = [first_lines(text, lambda count: f"and {count}").split("\n") for text in texts]
    assert [len(lines) for lines in shown] == [1, LINES_SHOWN, LINES_SHOWN + 1, LINES_SHOWN + 1]
    assert [lines[-1] for lines in shown] == ["line 0", "line 11", "and 1", "and 28"]
    assert first_lines("a" + "\n" * 99 + "b", str) == "a" + "\n" * 99 + "b"


def test_every_line_of_a_notice_begins_with_an_asterisk() -> None:
    assert notice_line("one\ntwo") == b"* one\r\n* two\r\n"
