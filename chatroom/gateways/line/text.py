"""Every kind of line at a line terminal, encoded (protocol, section 2).

The beginning of a line must show whose it is: a time for messages, an asterisk for notices, spaces for the continuation
of the line above.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Final

from chatroom.core.log import Entry
from chatroom.core.quoting import before_text
from chatroom.core.text import INDENT, fold_empty_lines
from chatroom.core.utc import day, time_of_day
from chatroom.gateways.line.codec import encode_line

LINES_SHOWN: Final = 12  # of a new message; the history shows all


def said_line(at_ms: int, who: str, text: str) -> bytes:
    """A message to the room; the further lines of a text are indented."""
    return _line(at_ms, before_text(who), text)


def whisper_line(at_ms: int, who: str, text: str) -> bytes:
    """A whisper to this guest."""
    return _line(at_ms, f"{before_text(who)} -> you", text)


def own_whisper_line(at_ms: int, to: str, text: str) -> bytes:
    """A whisper of this guest."""
    return _line(at_ms, f"you -> {before_text(to)}", text)


def first_lines(text: str, more: Callable[[int], str]) -> str:
    """The first lines of a long text, and below them how many more there are."""
    lines = fold_empty_lines(text).splitlines()
    if len(lines) <= LINES_SHOWN:
        return text
    return "\n".join([*lines[:LINES_SHOWN], more(len(lines) - LINES_SHOWN)])


def history_lines(entries: Iterable[Entry], shown: Callable[[str], str] = str) -> Iterator[bytes]:
    """Earlier messages, with a line for each day.

    Args:
        shown: returns what to show of a text.
    """
    before = ""
    for entry in entries:
        if day(entry.at_ms) != before:
            before = day(entry.at_ms)
            yield notice_line(before)
        yield said_line(entry.at_ms, entry.name, shown(entry.text))


def notice_line(text: str) -> bytes:
    """A notice: every line of it begins with an asterisk."""
    return encode_line(f"* {text}", "* ")


def _line(at_ms: int, head: str, text: str) -> bytes:
    return encode_line(f"[{time_of_day(at_ms)}] {head}: {fold_empty_lines(text)}", INDENT)
