"""How things look at a line terminal (protocol, section 2): every kind of line, encoded.

A reader must be able to tell from its beginning alone whose a line is: a time for what people say, an asterisk for what
nobody says, spaces for what goes on from the line above.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Final

from chatroom.core.log import Entry
from chatroom.core.quoting import before_text
from chatroom.core.text import fold_empty_lines
from chatroom.core.utc import day, time_of_day
from chatroom.gateways.line.codec import encode_line

LINES_SHOWN: Final = 12  # of a message, as it arrives; the history shows all
_INDENT: Final = "    "


def said_line(at_ms: int, who: str, text: str) -> bytes:
    """What somebody has said to the room; the further lines of a text are indented."""
    return _line(at_ms, before_text(who), text)


def whisper_line(at_ms: int, who: str, text: str) -> bytes:
    """What somebody has said to this guest alone."""
    return _line(at_ms, f"{before_text(who)} -> you", text)


def own_whisper_line(at_ms: int, to: str, text: str) -> bytes:
    """What this guest has said to somebody alone."""
    return _line(at_ms, f"you -> {before_text(to)}", text)


def first_lines(text: str, more: Callable[[int], str]) -> str:
    """The first lines of a text that has many, and below them how many more there are."""
    lines = fold_empty_lines(text).splitlines()
    if len(lines) <= LINES_SHOWN:
        return text
    return "\n".join([*lines[:LINES_SHOWN], more(len(lines) - LINES_SHOWN)])


def history_lines(entries: Iterable[Entry], shown: Callable[[str], str] = str) -> Iterator[bytes]:
    """Messages of earlier, below their days.

    Args:
        shown: what of a text to show.
    """
    before = ""
    for entry in entries:
        if day(entry.at_ms) != before:
            before = day(entry.at_ms)
            yield notice_line(before)
        yield said_line(entry.at_ms, entry.name, shown(entry.text))


def notice_line(text: str) -> bytes:
    """What is nobody's words: every line of it begins with an asterisk."""
    return encode_line(f"* {text}", "* ")


def _line(at_ms: int, head: str, text: str) -> bytes:
    return encode_line(f"[{time_of_day(at_ms)}] {head}: {fold_empty_lines(text)}", _INDENT)
