"""A whisper keyword and a name, wherever the spaces between their letters stand: `toB ob x`, `ms gBob x`, `toBobx`.

The letters of the text are compared with those of the word and of each name that is asked for. This module does not
know who is here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from chatroom.core.folding import head
from chatroom.core.ordinary_words import ORDINARY
from chatroom.core.spellings import Find, Misspelt, parts, plain

_MARKERS: Final = ("to", "msg", "dm", "pm", "tell", "whisper", "w")
_PARTS: Final = frozenset(marker[:size] for marker in _MARKERS for size in range(1, len(marker)))
FIRST: Final = "tmdpw"  # letters of these
_REACH: Final = 12  # characters in which one ends
_WORDS: Final = re.compile(r"([^\W_]+)(?:[\W_]+([^\W_]+))?")
_CAPITAL: Final = re.compile(rf"[\W_]*(?![A-Z]+\b)(?i:{'|'.join(_MARKERS)})(?=[^\W_a-z])|IM\b")
_NO_LETTER: Final = re.compile(r"[\W_]+")
_SHORTEST: Final = 3  # letters of a name
_SHORTEST_CJK: Final = 2  # characters of one in Han, kana or Hangul
_MARKS: Final = " :,;."  # after a name
_LONGEST: Final = 32  # letters of a name that are compared


def is_part(word: str) -> bool:
    """Whether a word is the beginning of a whisper keyword."""
    return word in _PARTS


def has_capital(text: str) -> bool:
    """Whether a text may begin, unlike ordinary words, with a whisper keyword and at once a name's capital, or IM."""
    return _CAPITAL.match(text) is not None


def may_be_misspaced(text: str, folded: str) -> bool:
    """Whether a text whose beginning, as compared, is `folded` may be a whisper keyword and a name.

    An ordinary word only counts if the name in it has its capital: `toKen x`, but not `token x`.
    """
    found = _WORDS.match(folded)
    if found is None or folded.startswith("w/"):  # short for `with`
        return False
    first, second = found.groups()
    # `toM ing`: a short word may have the first letter of a name.
    if first in _MARKERS or (first[:2] == "to" and len(first) == _SHORTEST):
        return second is not None and second not in ORDINARY
    start = _NO_LETTER.sub("", folded[:_REACH])
    if not start.startswith(_MARKERS) or start in _MARKERS:
        return False
    return first not in ORDINARY or has_capital(text)


class Misspaced:
    """A text in which a name may follow a whisper keyword.

    If each of them stands alone it is no slip of the space. A part of a name only counts if a word ends after it.
    """

    __slots__ = ("_ends", "_folded", "_has_capital", "_places", "_text")

    def __init__(self, text: str) -> None:
        self._text = text
        self._folded, self._ends = head(text)
        letters = [at for at, one in enumerate(self._folded) if one.isalnum()]
        start = "".join(self._folded[at] for at in letters[:_REACH])
        self._has_capital = has_capital(text)
        markers = (marker for marker in _MARKERS if start.startswith(marker))
        # For each whisper keyword: where the letters after it are, these letters, and whether it stands alone.
        self._places = [
            (marker, at, "".join(self._folded[one] for one in at), _is_apart(letters, marker))
            for marker in markers
            if (at := letters[len(marker) :][:_LONGEST])
        ]

    def name(self, find: Find) -> Misspelt | None:
        """The longest of the names that follow a whisper keyword, and the text after it."""
        for marker, at, key, is_apart in self._places:
            names = find({key[:size] for size in range(_SHORTEST_CJK, len(key) + 1)})
            found = [
                (len(one), name) for name in names for one in self._spelled(marker, at, key, is_apart, name)
            ]
            if found:
                size, name = max(found)
                return Misspelt(name, self._text[self._ends[at[size - 1]] :].lstrip(_MARKS))
        return None

    def _spelled(self, marker: str, at: list[int], key: str, is_apart: bool, name: str) -> Iterator[str]:
        """How a name is spelled in the text, if it is there."""
        whole = plain(name)
        for spelled in (whole, *parts(name)):
            size = len(spelled)
            if not key.startswith(spelled) or size < (_SHORTEST if spelled.isascii() else _SHORTEST_CJK):
                continue
            if is_apart and (spelled != whole or not _has_stray_space(at[:size], name)):
                continue
            needs_end = spelled != whole or (marker == "w" and not is_apart)
            is_ordinary = spelled in ORDINARY and not self._has_capital
            if needs_end and (is_ordinary or not self._ends_word(at[size - 1])):
                continue
            yield spelled

    def _ends_word(self, at: int) -> bool:
        return at + 1 == len(self._folded) or not self._folded[at + 1].isalnum()


def _is_apart(letters: list[int], marker: str) -> bool:
    """Whether the whisper keyword stands alone."""
    size = len(marker)
    return letters[size - 1] == letters[0] + size - 1 and letters[size : size + 1] != [letters[0] + size]


def _has_stray_space(at: list[int], name: str) -> bool:
    """Whether the letters of a name are typed with a space where it has none."""
    spaces = {size for size in range(1, len(at)) if at[size] != at[size - 1] + 1}
    sizes = [len(part) for part in parts(name)]
    return not spaces <= {sum(sizes[:count]) for count in range(1, len(sizes))}
