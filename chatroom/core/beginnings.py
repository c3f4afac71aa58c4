"""Which names begin with another: `Ming Li` with `Ming`; and words that differ by one slip.

Of a name only letters and digits count, without case and width.
"""

from __future__ import annotations

import re
from bisect import bisect_left, insort
from collections import Counter
from collections.abc import Container, Iterable, Iterator
from itertools import islice
from typing import Final
from unicodedata import normalize

from chatroom.core.confusables import fold

_NO_LETTER: Final = re.compile(r"[\W_]+")
_SPACE: Final = re.compile(" ")


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


class FirstWords:
    """The first words of names that have several, by key: how far a text can be one of these names."""

    __slots__ = ("_counts",)

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()

    def add(self, key: str) -> None:
        for words in _first_words(key):
            self._counts[words] += 1

    def discard(self, key: str) -> None:
        """Take out a key that was added."""
        for words in _first_words(key):
            self._counts[words] -= 1
            if not self._counts[words]:
                del self._counts[words]

    def reach(self, words: Iterable[str], keys: Container[str]) -> int:
        """How many words, each folded, may be one of the names with these keys together: more of them are none."""
        key, count = "", 0
        for word in words:
            key = f"{key} {word}" if count else word
            if key not in keys and key not in self._counts:
                break
            count += 1
        return count


def _first_words(key: str) -> Iterator[str]:
    """All beginnings of a key that end before a space."""
    return (key[: space.start()] for space in _SPACE.finditer(key))


def beginnings(names: Iterable[str]) -> Beginnings:
    found = Beginnings()
    for name in names:
        found.add(name)
    return found


def without_one(word: str) -> set[str]:
    """The word, and the word without each of its letters; words that differ by one slip share one of these."""
    return {word, *(word[:at] + word[at + 1 :] for at in range(len(word)))}
