"""Which names begin with another: `Ming Li` with `Ming`; and words that differ by one slip.

Of a name only letters and digits count, without case and width.
"""

from __future__ import annotations

import re
from bisect import bisect_left, insort
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Final
from unicodedata import normalize

from chatroom.core.confusables import fold

_NO_LETTER: Final = re.compile(r"[\W_]+")


def letters(text: str) -> str:
    """The letters and digits of a name or a text, as they are compared."""
    return _NO_LETTER.sub("", normalize("NFC", fold(text)))


class Beginnings:
    """Names in the order of their letters; each may be there several times."""

    __slots__ = ("_sorted",)

    def __init__(self) -> None:
        self._sorted: list[tuple[str, str]] = []

    def add(self, name: str) -> None:
        insort(self._sorted, (letters(name), name))

    def discard(self, name: str) -> None:
        """Take the name out once, if it is there."""
        entry = (letters(name), name)
        at = bisect_left(self._sorted, entry)
        if self._sorted[at : at + 1] == [entry]:
            del self._sorted[at]

    def find(self, beginning: str, most: int) -> Iterator[str]:
        """The first names with letters that begin so."""
        start = bisect_left(self._sorted, (beginning, ""))
        for key, name in islice(self._sorted, start, start + most):
            if not key.startswith(beginning):
                return
            yield name


def beginnings(names: Iterable[str]) -> Beginnings:
    found = Beginnings()
    for name in names:
        found.add(name)
    return found


def without_one(word: str) -> set[str]:
    """The word, and the word without each of its letters; words that differ by one slip share one of these."""
    return {word, *(word[:at] + word[at + 1 :] for at in range(len(word)))}
