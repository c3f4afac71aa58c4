"""Whom a name means that was typed with one slip, without accents or spaces, or only in part: `Zoe`, `Bobb`, `LiWei`.

Ordinary words are no such name, or `to be honest` would be for Bo. In Han, kana and Hangul any one character may be
wrong, since an input method offers many that sound alike.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from collections.abc import Set as AbstractSet
from functools import lru_cache
from itertools import accumulate, islice
from typing import Final, NamedTuple
from unicodedata import category, normalize

from chatroom.core.beginnings import letters, without_one
from chatroom.core.layouts import alphabet
from chatroom.core.name_ends import SEPARATORS
from chatroom.core.names import NAME_LENGTH
from chatroom.core.ordinary_words import ORDINARY, ORDINARY_CHINESE
from chatroom.core.slips import keys_beside

Find = Callable[[AbstractSet[str]], list[str]]
"""Finds the names that may be spelled in one of these ways."""

_CJK: Final = re.compile("[\u3005\u3041-\u30ff\u3400-\u9fff\uac00-\ud7a3]+")
_WORD: Final = re.compile(rf"(?:(?!{SEPARATORS.pattern}|['’]s\b)\S)+")  # without a possessive's ending
_TYPED: Final = re.compile(r"\S+")
_BEFORE: Final = re.compile(r"[\W_]*")
_AFTER: Final = re.compile(rf"(?:\s|{SEPARATORS.pattern})*")
_PARTS: Final = re.compile(r"\s+|的")  # of a name, each of which people may write alone
_LONGEST: Final = 2 * NAME_LENGTH  # code points of a name that are compared
MOST_WORDS: Final = 4  # typed, that are compared with those of a name
_MOST_NAMES: Final = 8  # that are compared
_REACH: Final = 3 * NAME_LENGTH  # code points of a text in which a name is looked for
_LONGEST_CJK: Final = 8
_LONGEST_SLIPPED: Final = 12  # letters of a word that may have a slip
_SHORTEST_SLIPPED: Final = 3
_THREE: Final = 3  # letters of a short name in which any slip counts
_SHORTEST_PART: Final = 3  # letters of a word that means a name of several
_MOST_SPELLINGS: Final = 500  # letters at places of words that may have a slip, in one message
_MOST_OTHERS: Final = 4  # names looked for with other accents or spaces, in one message
_MOST_EXACT: Final = 16  # texts that may begin with a name, in one message
_SHORT: Final = 4  # in a word of so many letters, only a key beside the right one is a slip
_SHORTEST_BEFORE_MORE: Final = 3  # letters of a name that is joined with the next word


class Misspelt(NamedTuple):
    """The name that was probably meant, and the text after it."""

    name: str
    rest: str


class Spellings:
    """Names by how they may be spelled."""

    __slots__ = ("_names", "cjk_count")

    def __init__(self, names: Iterable[str] = ()) -> None:
        self._names: dict[str, dict[str, int]] = {}  # each may be there several times
        self.cjk_count = 0  # names in Han, kana or Hangul
        for name in names:
            self.add(name)

    def add(self, name: str) -> None:
        self.cjk_count += is_cjk(name)
        for key in _spellings(name):
            names = self._names.setdefault(key, {})
            names[name] = names.get(name, 0) + 1

    def discard(self, name: str) -> None:
        """Take the name out once, if it is there."""
        if name in self._names.get(plain(name), {}):
            self.cjk_count -= is_cjk(name)
        for key in _spellings(name):
            names = self._names.get(key, {})
            count = names.pop(name, 0)
            if count > 1:
                names[name] = count - 1
            elif count and not names:
                del self._names[key]

    def find(self, keys: AbstractSet[str]) -> list[str]:
        """The first names that may be spelled in one of these ways."""
        found = self._names.keys() & keys
        return [*islice((name for key in sorted(found) for name in self._names[key]), _MOST_NAMES)]


class SpellingBudget:
    """How many words may be looked for in one message: each letter at each place of one takes 0.4 µs."""

    __slots__ = ("_exact", "_left", "_others", "_words")

    def __init__(self) -> None:
        self._left = _MOST_SPELLINGS
        self._others = _MOST_OTHERS
        self._exact = _MOST_EXACT
        self._words: set[str] = set()

    def allows_exact(self) -> bool:
        """Whether one more name may be looked for exactly, which takes about 15 µs."""
        self._exact -= 1
        return self._exact >= 0

    def allows_another(self) -> bool:
        """Whether one more name without a slip may be looked for, which takes about 20 µs."""
        self._others -= 1
        return self._others >= 0

    def allows(self, word: str) -> bool:
        """Whether a word may be looked for with any slip."""
        if word in self._words:
            return True
        spellings = len(word) * len(alphabet(word[0]))
        if spellings > self._left:
            return False
        self._left -= spellings
        self._words.add(word)
        return True


def is_cjk(name: str) -> bool:
    """Whether a name begins in Han, kana or Hangul."""
    return _CJK.match(name) is not None


def misspelt(
    text: str, find: Find, budget: SpellingBudget | None = None, *, any_slip_of_three: bool = False
) -> Misspelt | None:
    """The name that a text begins with, if it is misspelt, and what follows it.

    With `any_slip_of_three`, any slip counts in a name of three letters too: `Bo`, `Rob`.
    """
    budget = budget or SpellingBudget()
    before = _BEFORE.match(text, 0, _REACH)
    start = before.end() if before is not None else 0
    if (run := _CJK.match(text, start, start + _LONGEST_CJK)) is not None:
        name, size = _in_cjk(run[0], find) if budget.allows(run[0]) else (None, 0)
        end = start + size
    else:
        words = [*islice(_WORD.finditer(text, start, _REACH), MOST_WORDS)]
        if not words or words[0][0].lower() in ORDINARY:
            return None
        name, end = _in_words(
            [plain(word[0]) for word in words], [word.end() for word in words], find, budget
        )
        if (
            name is None
            and any_slip_of_three
            and (name := _of_three(plain(words[0][0]), find, budget)) is not None
        ):
            end = words[0].end()
    return Misspelt(name, _rest_after(text, end)) if name is not None else None


def alike(text: str, find: Find, *, or_part: bool = False) -> Misspelt | None:
    """The name that a text begins with, ignoring case, accents and spaces, and the text after it.

    With `or_part`, one word of the name is enough.
    """
    before = _BEFORE.match(text, 0, _REACH)
    start = before.end() if before is not None else 0
    first = _WORD.match(text, start, _REACH)
    if first is None or first[0].lower() in ORDINARY or _CJK.match(text, start):
        return None
    words = [*islice(_WORD.finditer(text, start, _REACH), MOST_WORDS)]
    typed = [plain(word[0]) for word in words]
    wholes = [*accumulate(typed)]
    by_spelling = {plain(name): name for name in find({one for one in wholes if len(one) > 1})}
    for whole, word in zip(reversed(wholes), reversed(words), strict=True):
        if whole in by_spelling:
            return Misspelt(by_spelling[whole], _rest_after(text, word.end()))
    if or_part and len(typed[0]) >= _SHORTEST_PART:
        name = next((one for one in find({typed[0]}) if typed[0] in parts(one)), None)
        return Misspelt(name, _rest_after(text, words[0].end())) if name is not None else None
    return None


def begun(text: str, name: str) -> Misspelt:
    """A name of which the first word of a text is the beginning, and what follows as much of it as was typed."""
    words = [*islice(_TYPED.finditer(text, 0, _REACH), MOST_WORDS)]
    count = _count_more([plain(word[0]) for word in words[1:]], parts(name)[1:])
    return Misspelt(name, _rest_after(text, words[count].end()))


def _exact(word: str, find: Find) -> str | None:
    return next((one for one in find({word}) if plain(one) == word), None)


def _rest_after(text: str, end: int) -> str:
    """What stands after a name that ends there."""
    found = _AFTER.match(text, end)
    return text[found.end() if found is not None else end :]


def _of_three(word: str, find: Find, budget: SpellingBudget) -> str | None:
    """A name of three letters that the word is with one slip."""
    if not 2 <= len(word) <= _THREE or word in ORDINARY or not budget.allows(word):
        return None
    usual = alphabet(word[0])
    if len(word) < _THREE:
        slips = {word[:at] + one + word[at:] for at in range(len(word) + 1) for one in usual}
    else:
        slips = {word[:at] + one + word[at + 1 :] for at in range(len(word)) for one in usual}
    return next((name for name in find(slips) if plain(name) in slips), None)


def parts(name: str) -> list[str]:
    """The words of a name, as they are compared."""
    return [part for part in map(plain, _PARTS.split(name)) if part]


def plain(text: str) -> str:
    """The letters and digits of a text, without accents and other marks."""
    word = letters(text[:_LONGEST])[:_LONGEST]
    if word.isascii():
        return word
    parts = normalize("NFD", word)
    if len(parts) == len(word):
        return word  # it has no marks
    return normalize("NFC", "".join(one for one in parts if category(one)[0] != "M"))


def _spellings(name: str) -> set[str]:
    """How a name may be written: without spaces, or one part; in Han, kana or Hangul, also without one character."""
    found = {plain(name)}
    if _PARTS.search(name) and len(several := parts(name)) > 1:
        found.update(part for part in several if len(part) > 1)
    if not name.isascii():
        cjk = [one for one in found if len(one) <= _LONGEST_CJK and _CJK.fullmatch(one)]
        found.update(*map(without_one, cjk))
    found.discard("")
    return found


def _in_cjk(run: str, find: Find) -> tuple[str | None, int]:
    """The name that a run of Han, kana or Hangul begins with, and how many of them it has."""
    if run.startswith(ORDINARY_CHINESE):
        return None, 0
    for size in range(len(run), 1, -1):
        part = plain(run[:size])
        for name in find(without_one(part)):
            written = (plain(name), *map(plain, _PARTS.split(name)))
            # One that goes on is found without what follows it.
            if any(_is_nearly(part, one) and part[:-1] != one for one in written):
                return name, size
    return None, 0


def _in_words(
    typed: Sequence[str], ends: Sequence[int], find: Find, budget: SpellingBudget
) -> tuple[str | None, int]:
    """The name that words begin with, and where it ends."""
    for count in range(len(typed), 1, -1):
        whole = "".join(typed[:count])
        if (name := _exact(whole, find)) is not None:
            return name, ends[count - 1]
    if not typed[0] or typed[0] in ORDINARY:
        return None, 0
    word = typed[0]
    names = find({word}) if len(word) > 1 else []
    if not names and _SHORTEST_SLIPPED <= len(word) <= _LONGEST_SLIPPED and budget.allows(word):
        names = find(_one_slip(word))
    if names:
        # Of names with as many of the words, the shortest is meant.
        count, name = max(
            ((_count(typed, name), name) for name in names), key=lambda one: (one[0], -len(one[1]))
        )
        return name, ends[count - 1]
    return _before_more(word, ends[0], find)


@lru_cache(maxsize=64)
def _one_slip(word: str) -> AbstractSet[str]:
    """The words of which one slip makes this one; of two letters there is none."""
    usual = alphabet(word[0])
    found = {word + other for other in usual}
    for at, letter in enumerate(word):
        before, after = word[:at], word[at + 1 :]
        if len(word) > _SHORTEST_SLIPPED:
            found.add(before + after)
        found.add(before + after[:1] + letter + after[1:])
        others = usual if len(word) > _SHORT else keys_beside(letter) if letter.isascii() else usual
        found.update([before + other + after for other in others])
        rest = letter + after
        found.update([before + other + rest for other in usual])
    return found


def _count(typed: Sequence[str], name: str) -> int:
    """How many of the typed words are nearly those of a name, in any order."""
    words = parts(name)
    first = next((word for word in words if _is_nearly(typed[0], word)), None)
    if first is None:
        return 1
    words.remove(first)
    return 1 + _count_more(typed[1:], words)


def _count_more(typed: Sequence[str], words: list[str]) -> int:
    """How many of the typed words are nearly one each of the other words of a name."""
    for count, one in enumerate(typed):
        found = next(
            (word for word in words if one == word or (one not in ORDINARY and _is_nearly(one, word))), None
        )
        if found is None:
            return count
        words.remove(found)
    return len(typed)


def _is_nearly(typed: str, word: str) -> bool:
    """Whether a word is another, or becomes it with one letter exchanged, wrong, missing or too many."""
    if len(typed) != len(word):
        return typed in without_one(word) or word in without_one(typed)
    differ = [at for at, (one, other) in enumerate(zip(typed, word, strict=True)) if one != other]
    if len(differ) != 2:
        return len(differ) < 2
    first, second = differ
    return second == first + 1 and typed[first] == word[second] and typed[second] == word[first]


def _before_more(word: str, end: int, find: Find) -> tuple[str | None, int]:
    """The name that a word begins with, if an ordinary word follows it at once: `Bobcall`."""
    for size in range(len(word) - 1, _SHORTEST_BEFORE_MORE - 1, -1):
        if word[size:] in ORDINARY and (names := find({word[:size]})):
            return names[0], end - len(word) + size
    return None, 0
