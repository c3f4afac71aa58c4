"""Texts: what a message may contain, and what of a text a terminal may show."""

import re
from typing import Final

from chatroom.core.characters import code_point, is_blank, seen_characters
from chatroom.core.errors import BadRequest, Empty, TooLong

# Controls other than TAB and LF; bidi embeddings, overrides and isolates, which would reverse the rest of a line;
# surrogates, which UTF-8 cannot carry. The marks LRM and RLM and the joiners stay: Persian and emoji need them.
_FORBIDDEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
_LINE_ENDS = re.compile("\r\n?|[\u2028\u2029]")
# ECMA-48: control sequences (arrow keys, colours), strings up to their terminator (titles), other escapes. A string
# ends where another begins; otherwise a line full of beginnings would be searched to its end from each of them.
_ESCAPES = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]"
    r"|(?:\x1b[\]PX^_]|[\x9d\x90\x98\x9e\x9f])[^\x07\x1b\x90\x98\x9c-\x9f]*(?:\x07|\x1b\\|\x9c)"
    r"|\x1b[ -/]*[0-~]"
)
# All controls except TAB, and what reverses the direction of the rest of a line.
_CONTROLS = re.compile("[\x00-\x08\x0a-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
# The most empty lines that may follow each other: more of them only push the messages of others off the screen.
MAX_EMPTY_LINES: Final = 2
_TOO_MANY: Final = bytes([1] * (MAX_EMPTY_LINES + 1))
INDENT: Final = "    "  # before each further line of a text, where messages are shown as lines


def parse_text(value: object, limit: int) -> str:
    """A message's text: LF for every other line end, at most two empty lines in a row, otherwise unchanged.

    Args:
        value: what the peer sent.
        limit: the most code points, counted as they were sent.

    Raises:
        BadRequest: it is not a string, or contains a forbidden character, which is named.
        TooLong: it has more than `limit` code points.
        Empty: it has no visible character.
    """
    if not isinstance(value, str):
        raise BadRequest
    if len(value) > 2 * limit:  # CR LF counts once
        raise TooLong(limit=limit)
    is_plain = value.isascii() and value.isprintable()  # then it has no line ends and no controls
    text = value if is_plain else _LINE_ENDS.sub("\n", value)
    if len(text) > limit:
        raise TooLong(limit=limit)
    if not is_plain and (found := _FORBIDDEN.search(text)) is not None:
        raise BadRequest(character=code_point(found[0]))
    if is_blank(text):
        raise Empty
    return text if is_plain else _folded(text)


def fold_empty_lines(text: str) -> str:
    """The text with at most two empty lines in a row; a line without a visible character is empty.

    Texts from the log go through this too when they are shown: they may be older than this rule.
    """
    return _folded(_LINE_ENDS.sub("\n", text))


def clean(text: str) -> str:
    """A line without escape sequences, and without controls other than TAB."""
    if _CONTROLS.search(text) is None:
        return text
    return _CONTROLS.sub("", _ESCAPES.sub("", text))


def _folded(text: str) -> str:
    if text.count("\n") <= MAX_EMPTY_LINES:
        return text
    lines = text.split("\n")
    empty = bytes(map(seen_characters(text).isdisjoint, lines))  # 1 for each empty line
    if _TOO_MANY not in empty:
        return text
    return "\n".join(line for at, line in enumerate(lines) if not empty.endswith(_TOO_MANY, 0, at + 1))
