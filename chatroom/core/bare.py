"""Names without the punctuation around them: `Bob` in `@Bob`, `Bob:`, `(Bob)` and `"Bob",`.

People write such marks around a name when they address someone, and `/to` ignores most of them there. If somebody else
could be called `@Bob`, they would receive what is meant for Bob.
"""

from __future__ import annotations

import re
import string
from functools import cache, lru_cache
from typing import Final
from unicodedata import category
from unicodedata import name as unicode_name

from chatroom.core.confusables import alike

_ALSO: Final = "<>=`\u02f3"  # symbols that are used like punctuation, and what 。 looks like
_IN_ASCII: Final = "".join(one for one in string.punctuation if category(one)[0] == "P" or one in _ALSO) + " "
_LETTER: Final = re.compile(r"[^\W_]")
_BARE: Final = re.compile(r"[^\W_](?:.*[^\W_])?[\u0300-\u036f]*\Z", re.DOTALL)  # most names, at once
_WITH_HAN: Final = frozenset(("HIRAGANA", "KATAKANA", "KATAKANA-HIRAGANA", "BOPOMOFO"))  # in one word


def bare(key: str) -> str:
    """A folded name, or the skeleton of one, without punctuation and spaces around it.

    A name without letters is returned whole.
    In a skeleton, punctuation may stand for a letter that looks like it: `—` for `一`. It is kept beside a letter of
    the same script. Idempotent.
    """
    if _BARE.match(key) or not _LETTER.search(key):
        return key
    if key.isascii():
        return key.strip(_IN_ASCII)
    start, end = 0, len(key)
    while (past := _after(key, start)) < end and _is_around(key[start], key[past]):
        start = past
    while (last := _base(key, end)) > start and _is_around(key[last], key[last - 1]):
        end = last
    return key[start:end]


def _after(key: str, at: int) -> int:
    """The position after a character and the marks on it."""
    at += 1
    while at < len(key) and category(key[at])[0] == "M":
        at += 1
    return at


def _base(key: str, end: int) -> int:
    """The position of the last character before `end`, without the marks on it."""
    at = end - 1
    while at > 0 and category(key[at])[0] == "M":
        at -= 1
    return at


@lru_cache(maxsize=4096)
def _is_around(mark: str, inner: str) -> bool:
    """Whether a character is punctuation around a name, beside this character of it."""
    if category(mark)[0] not in "PZ" and mark not in _ALSO:
        return False
    return inner.isascii() or _script(inner) not in _scripts_with(mark)


def _script(character: str) -> str:
    word = unicode_name(character, "").partition(" ")[0]
    return "CJK" if word in _WITH_HAN else word


@cache
def _scripts_with(look: str) -> frozenset[str]:
    """The scripts that have a letter with this look."""
    return frozenset(_script(one) for one in alike(look) if category(one)[0] in "LMN")
