"""The beginning of a typed text as it is compared: without differences of case, width and what cannot be seen."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final
from unicodedata import category, normalize

from chatroom.core.characters import NOTHING, POINTS_EACH, all_seen, is_seen

SLASHES: Final = "/\u2044\u2215\u2571\u27cb\u29f8\u3001\uff0f\uff64"  # 、 is on the key of /
COLONS: Final = ":\u02d0\u02f8\u0589\u05c3\u205a\u2236\ua4fd\ua789\ufe13\ufe55\uff1a"
_LETTER_COLONS: Final = frozenset(filter(str.isalnum, COLONS))
# Letters, digits and the usual punctuation.
_USUAL: Final = re.compile(r"[\w !-~\u2010-\u2027\u2030-\u2043\u2045-\u2059\u3001-\u3029\u3030-\u303f]*")
HEAD: Final = 64  # characters read of a beginning: the longest command is far shorter


def trimmed(text: str) -> str:
    """The text without spaces and hidden characters around it; combining marks are kept."""
    text = text[_nothing(text) :]
    return text[: len(text) - _nothing(text[::-1])]


def _nothing(text: str) -> int:
    """How many spaces and hidden characters a text begins with."""
    found = NOTHING.match(text)
    return found.end() if found is not None else 0


def _start(text: str) -> int:
    """The position of the first visible character; of what else cannot be seen, only so many may precede it."""
    start = _nothing(text)
    end = min(len(text), start + HEAD * POINTS_EACH)
    return next((index for index in range(start, end) if is_seen(text[index])), len(text))


def head(text: str, most: int = HEAD) -> tuple[str, list[int]]:
    """The beginning as it is compared, and for each of its characters the position after it in the text.

    Case, width, combining marks and invisible characters make no difference; every space is U+0020.
    """
    start = _start(text)
    plain = text[start : start + most]
    if plain.isascii() and plain.isprintable():
        return plain.lower(), list(range(start + 1, start + len(plain) + 1))
    if (whole := _each_for_itself(plain)) is not None:
        return whole, list(range(start + 1, start + len(plain) + 1))
    folded: list[str] = []
    ends: list[int] = []
    for index in range(start, min(len(text), start + most * POINTS_EACH)):
        if len(folded) >= most:
            break
        character = text[index]
        is_slash = len(folded) < 2 and character in SLASHES and folded in ([], ["/"])
        shown = "/" if is_slash else _shown(character)
        for one in shown:
            if one == " " and not folded:
                continue
            folded.append(one)
            ends.append(index + 1)
    return "".join(folded), ends


def costly(text: str) -> frozenset[str]:
    """The characters of a beginning if they are compared one by one, which takes long where they are new."""
    is_cheap = text.isascii() or _each_for_itself(text) is not None
    return frozenset() if is_cheap else frozenset(text)


def _each_for_itself(plain: str) -> str | None:
    """The text as it is compared if each character becomes one character, as in most texts."""
    whole = normalize("NFKD", plain).casefold()
    is_so = (
        len(whole) == len(plain)
        and _USUAL.fullmatch(whole) is not None
        and plain[:1] not in SLASHES
        and _LETTER_COLONS.isdisjoint(plain)
        and all_seen(plain)
    )
    return whole if is_so else None


@lru_cache(maxsize=4096)
def _shown(character: str) -> str:
    """A character as it is compared; nothing if it cannot be seen."""
    if character.isspace():
        return " "
    if not is_seen.__wrapped__(character):
        return ""
    return ":" if character in COLONS else compared.__wrapped__(character)


def compared_word(word: str) -> str:
    """The letters and digits of a word, each as `compared` gives it."""
    if word.isascii():
        return word.lower()
    return _without_marks(normalize("NFKD", word).casefold())


@lru_cache(maxsize=4096)
def compared(character: str) -> str:
    """A character without differences of case and width, and without the marks that it consists of."""
    return _without_marks(normalize("NFKD", character).casefold())


def _without_marks(folded: str) -> str:
    # Letters and digits are no marks.
    return folded if folded.isalnum() else "".join([one for one in folded if category(one)[0] != "M"])
