"""What is read of a text with many lines, or many places for commands, and whether the rest may be private.

A private line of a paste is typed before it or behind it: so both ends are read. The rest gets one quick look.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import chain
from typing import Final, TypeVar

from chatroom.core.slips import CHINESE_WORD, WORDS

_One = TypeVar("_One")
# A word to whisper without a slip, as the first one; or an operator's key.
_PRIVATE: Final = re.compile(
    rf"[\W_]*+(?:7(?!pm))?(?:(?:t\W?o|{'|'.join(WORDS)})(?![a-z0-9'])|op[\W_]+[!-~]{{16}}|{CHINESE_WORD})",
    re.IGNORECASE,
)


def from_both_ends(ones: Sequence[_One]) -> list[_One]:
    """The first, the last, the second, the second last, and so on."""
    return [*chain.from_iterable(zip(ones, reversed(ones), strict=True))][: len(ones)]


def may_be_private(line: str) -> bool:
    """Whether a line that is not read begins like a private text."""
    return _PRIVATE.match(line) is not None
