"""Whether a line is `op KEY` without its slash: a secret that nobody else may see."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from chatroom.core.folding import trimmed

# 16 characters or more without a space, and nothing else.
_KEY_WORD: Final = re.compile(r"\W*+(o ?p+|oop|po|0p|oper|operator)[\W_]+")
_KEY: Final = re.compile(r"(?!\w+://)[!-~]{16,}")
_NO_KEY: Final = re.compile(r"[^!-~]")
_KEY_REACH: Final = 512  # characters of a line that may be one


def is_key(text: str, folded: str, ends: Sequence[int]) -> bool:
    """Whether a text is such a line; its beginning, as compared, is `folded`, and `ends` are as in `core.folding`."""
    return _KEY_WORD.match(folded) is not None and _ends_in_key(_line(text, folded, ends))


def _line(text: str, folded: str, ends: Sequence[int]) -> str:
    """As much of a line as may be a key: a long one is in ASCII, so what follows the beginning needs no comparing."""
    rest = trimmed(f"|{text[ends[-1] : _KEY_REACH]}")  # only its end
    return folded + rest[1:]


def _ends_in_key(line: str) -> bool:
    """Whether nothing but a key stands after the word before it."""
    found = _KEY_WORD.match(line)
    if found is None:
        return False
    line = line.rstrip(" ")
    no_key = _NO_KEY.search(line[::-1])
    start = len(line) - (no_key.start() if no_key is not None else len(line))
    # What separates the word and the key may look like a part of the key: one character does not belong to it.
    return start <= found.end() and _KEY.fullmatch(line, max(start, found.end(1) + 1)) is not None
