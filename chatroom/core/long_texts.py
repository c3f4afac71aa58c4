"""What is read of a text with many lines, or many places for commands, and whether the rest may be private.

A private line is usually typed before or after a paste, so both ends are read. The rest gets one quick look: at the
first words of each line, and at no slip in a name.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import cache, lru_cache
from itertools import accumulate, chain, islice
from typing import Final, NamedTuple, TypeVar
from unicodedata import category, normalize

from chatroom.core import lead_ins
from chatroom.core.beginnings import without_one
from chatroom.core.characters import without_ignorable
from chatroom.core.confusables import latin_looks
from chatroom.core.folding import SLASHES, costly
from chatroom.core.near_misses import RUSSIAN_TO, TYPED, Unread, with_latin
from chatroom.core.ordinary_words import ORDINARY
from chatroom.core.slips import CHINESE, CHINESE_BEGINNINGS, LONG, SLIPS, WORDS, is_certain_slip, is_slip

_One = TypeVar("_One")
MOST: Final = 340  # what may be read of one text, in microseconds
_HEAD: Final = 48  # characters of a line that are looked at
_ONE_BY_ONE: Final = 18  # what it costs more to compare each character of a line by itself
_LOOK_COST: Final = 2  # microseconds to look at a line that may begin with a whisper keyword
_OTHER_COST: Final = 5  # at one that is not all ASCII
_LINES_PER_COST: Final = 2  # other lines that are found to be ordinary in a microsecond
_MOST_ENDS: Final = 8  # of a name in a word with Han, kana or Hangul
_MOST_WORDS: Final = 6  # of a name that begins with an ordinary word
_SHORTEST_LEAD: Final = 2  # characters of a word that may stand before a name, with a space
_LONGEST_SLIP: Final = 8  # letters of a whisper keyword with one too many

_CHINESE_BEGINNINGS: Final = CHINESE_BEGINNINGS + lead_ins.CHINESE_BEGINNINGS
_MARKS: Final = re.compile("[\u0300-\u036f]+")
# No whisper keyword begins with any other Chinese character.
_LINE: Final = re.compile(
    rf"^((?:[^\w\n]|_|\d++[.)] )*+)(?![\u3400-\u9fff](?<![{_CHINESE_BEGINNINGS}]))"
    r"(?P<word>7?[^\W\d_][^\W_]*+)([^\n]*+)",
    re.MULTILINE,
)
_SLASH: Final = re.compile(rf"(?<![/<])[{SLASHES}]\Z")
_LATIN: Final = re.compile("[a-z]+")
_KEY: Final = re.compile(r"[\W_]+[!-~]{16}")
_SPLIT: Final = re.compile(r"[^\w\n]o\b")  # `t o`
_WORD: Final = re.compile(r"[^\W_]+")
_TWO_WORDS: Final = re.compile(r"[\W_]*+([^\W_]++)(?:[\W_]++([^\W_]+))?")
_CJK: Final = "[\u3005\u3041-\u30ff\u3400-\u9fff\uac00-\ud7a3]"
# Where a name in such a script may end, or one in another script before it.
_CJK_END: Final = re.compile(rf"(?<={_CJK})|(?<=\w)(?={_CJK})")
_COLON: Final = re.compile(r" ?:(?P<at_once>(?=\w))?\s*(?=[^\s=])")
# After a name, what says that a text is for it.
_FOR_NAME: Final = re.compile(r":|\bonly\b|\A\W*(?:to |with )?\w+(?: \w+)?\W*\Z")
_SAYS: Final = re.compile("[:\\s说說看讲講]")
# A word in code, but no word before a name: `w = x`, `msg.x`, `w[x]`.
_IN_CODE: Final = re.compile(r"\s*[=+*/|<>&%-]|\s?[.(\[]")
_GLUED: Final = ("to", "msg", "dm", "pm", "tell", "whisper", "w")
_STRONG: Final = frozenset((*WORDS, "direct", *(one for one in lead_ins.STRONG if " " not in one)))
_LEADS: Final = frozenset(
    chain.from_iterable(one.split() for one in (*lead_ins.FIRST, *lead_ins.BETWEEN, "for", "direct"))
)
_CHINESE_FIRST: Final = frozenset(f"s{_CHINESE_BEGINNINGS}")
# How a whisper keyword begins, one with a slip, and one that a name follows at once. For the slips of long ones: one
# letter taken out of each, in one of two places, leaves the same, so their first two letters or their last three are.
_PART: Final = 3
_FIRST_LETTERS: Final = frozenset(word[:_PART] for word in (*_STRONG, *_LEADS, *SLIPS, *_GLUED, "op", "t"))
_WITHOUT_ONE: Final = [shorter for word in LONG for shorter in without_one(word)]
_LONG_FIRST: Final = frozenset(word[:2] for word in _WITHOUT_ONE)
_LONG_LAST: Final = frozenset(word[-_PART:] for word in _WITHOUT_ONE)
_LONG: Final = range(min(map(len, LONG)) - 1, max(map(len, LONG)) + 2)


class _Found(NamedTuple):
    """What a line says: whether it is private whoever is here, and otherwise how the names in it may be spelled."""

    is_certain: bool
    names: tuple[str, ...] = ()


class _Markless(dict[int, int | None]):
    """A table for `str.translate` that drops the marks with which names are not compared."""

    def __missing__(self, code: int) -> int | None:
        self[code] = None if category(chr(code))[0] == "M" else code
        return self[code]


_MARKLESS: Final = _Markless()


class Reading:
    """How much of one text may still be read, in all the ways in which it is read together."""

    _left = MOST  # here, since one is made for each text, and most need nothing more
    _known: frozenset[str] = frozenset()

    def allows(self, cost: int, *, leave: int = 0) -> bool:
        """Whether so much may still be read, if so much is left for what follows."""
        return self._left >= cost + leave

    def spend(self, cost: int) -> None:
        self._left -= cost

    def affords(self, cost: int) -> bool:
        """Spend so much if so much is left; False if not."""
        self._left -= cost
        return self._left >= 0

    def spend_on(self, start: str, times: int) -> None:
        """Spend what it costs to compare characters one by one, above all those that no line before this one had."""
        if found := costly(start):
            new = found - self._known
            self._known |= new
            self._left -= _ONE_BY_ONE * times + len(new) * 2 // 3


def from_both_ends(ones: Sequence[_One]) -> list[_One]:
    """The first, the last, the second, the second last, and so on."""
    return [*chain.from_iterable(zip(ones, reversed(ones), strict=True))][: len(ones)]


def unread_lines(lines: Iterable[str], reading: Reading) -> Unread | None:
    """What lines that are not read may be, if one begins like a private text."""
    found = [*_LINE.finditer(_folded(dict.fromkeys(line[:_HEAD] for line in lines)))]
    reading.spend(len(found) // _LINES_PER_COST)
    return _joined(
        _look(line) if reading.affords(_LOOK_COST if line[0].isascii() else _OTHER_COST) else _Found(True)
        for line in found
        if _may_be_keyword(line["word"])
    )


def unread_rests(rests: Iterable[str], reading: Reading) -> Unread | None:
    """What texts may be that stand after whisper keywords, and are not read."""
    return _joined(
        _Found(False, _names(_folded((rest[:_HEAD],)))) if reading.affords(_OTHER_COST) else _Found(True)
        for rest in rests
    )


def all_unread(ones: Sequence[Unread]) -> Unread | None:
    """The same of several parts of a text."""
    return _joined(_Found(not one.names, tuple(one.names)) for one in ones)


@lru_cache(maxsize=4096)
def says_private(word: str) -> bool:
    """Whether a word in any script, of usual width, is a whisper command, perhaps with a slip."""
    if word.isascii():
        word = word.lower()
        return word in WORDS or is_slip(word)
    word = word.casefold()
    if word in TYPED or (word[0] in _CHINESE_FIRST and CHINESE.match(word) is not None):
        return True
    return word[0] in _looks() and ((latin := with_latin(word)) in WORDS or is_slip(latin))


def _joined(found: Iterable[_Found | None]) -> Unread | None:
    names: set[str] = set()
    for one in found:
        if one is not None and one.is_certain:
            return Unread()
        names.update(one.names if one is not None else ())
    return Unread(frozenset(names)) if names else None


def _may_be_keyword(word: str) -> bool:
    """Whether the first word of a line may be a whisper keyword; of most words their ends show at once that not."""
    word = word.removeprefix("7")
    if word.isascii():
        return (
            word[:_PART] in _FIRST_LETTERS
            or word.startswith(_GLUED)
            or (len(word) in _LONG and (word[:2] in _LONG_FIRST or word[-_PART:] in _LONG_LAST))
        )
    return word[0] in _other_first()


def _folded(lines: Iterable[str]) -> str:
    """Lines as they are compared, decomposed: without differences of case and width, marks, and what cannot be seen."""
    text = "\n".join(lines)
    if text.isascii():
        return text.lower()
    return _MARKS.sub("", normalize("NFKD", without_ignorable(text))).casefold()


def _look(line: re.Match[str]) -> _Found | None:
    before, word, after = line.groups()
    if word[0] == "7" and after[:3] != " pm":
        word = word[1:]
    if word == "op" and _KEY.match(after):
        return _Found(True)
    if word == "t" and _SPLIT.match(after):
        word, after = "to", after[2:]
    if not word.isascii():
        return _look_at_other(word, before, after)
    if word in _STRONG or (len(word) <= _LONGEST_SLIP and is_slip(word)):
        return _after_word(word, before, after)
    if word in _LEADS:
        return (
            _Found(False, _names_after(after))
            if _FOR_NAME.search(_without_leads(after)) is not None
            else None
        )
    return _look_at_glued(word, after) if word not in ORDINARY else None


def _look_at_other(word: str, before: str, after: str) -> _Found | None:
    """The same for a word that is not all ASCII."""
    if word in TYPED or word[0] in _looks():
        latin = with_latin(word)
        if word in TYPED or latin in _STRONG or (latin.isascii() and is_slip(latin)):
            is_russian = RUSSIAN_TO.match(word + after) is not None
            return _after_word(latin, before, after) if not is_russian else None
    if word[0] in _CHINESE_FIRST:
        return _look_at_chinese(word, after)
    # `to小雨`, `w小雨`
    if (start := _LATIN.match(word)) is not None and start[0] in _STRONG:
        return _after_word(start[0], before, word[start.end() :] + after)
    return _look_at_glued(word, after) if start is not None and start[0] not in ORDINARY else None


def _look_at_glued(word: str, after: str) -> _Found | None:
    """The same for a word that may be a whisper keyword and a name."""
    size = next((len(one) for one in _GLUED if word.startswith(one)), 0)
    return _Found(False, _names(word[size:] + after)) if size else None


def _look_at_chinese(word: str, after: str) -> _Found | None:
    if (found := CHINESE.match(word)) is not None:
        rest = word[found.end() :] + after
        return _Found(rest[:1] == ":" and bool(rest[1:].strip()), _names(rest.lstrip("给給对對跟和: ")))
    rest = word + after
    found = lead_ins.TOWARD.match(rest)
    return _Found(False, _names(rest[found.end() :])) if found and _SAYS.search(rest, found.end()) else None


@cache
def _looks() -> frozenset[str]:
    """The letters that may begin a whisper keyword in letters that only look like Latin ones."""
    firsts = {word[0] for word in _STRONG}
    return frozenset((*firsts, *(chr(code) for code, look in latin_looks().items() if look in firsts)))


@cache
def _other_first() -> frozenset[str]:
    """The first letters of words, not all ASCII, that may be whisper keywords."""
    return frozenset((*_looks(), *_CHINESE_FIRST, *(word[0] for word in (*TYPED, *_STRONG))))


def _after_word(word: str, before: str, after: str) -> _Found | None:
    """What stands after a whisper keyword."""
    is_command = word in WORDS and after[:1].isspace() and _SLASH.search(before) is not None
    if is_command:
        return _Found(bool(after.strip()))
    if (colon := _COLON.match(after)) is not None:
        is_marker = colon["at_once"] is not None and len(word) > 1
        if is_marker and (word in WORDS or is_certain_slip(word)):
            return _Found(True)
    elif _IN_CODE.match(after) and word != "to":
        return None
    names = _names_after(after)
    return _Found(False, names) if names else None


def _without_leads(text: str) -> str:
    """A text without the words that may stand before a name, such as `a message to`; all of it if it has no others."""
    return next((text[word.start() :] for word in _WORD.finditer(text) if word[0] not in _LEADS), text)


def _names_after(text: str) -> tuple[str, ...]:
    """How the name may be spelled that a text begins with, perhaps after such words; it may begin with one itself."""
    rest = _without_leads(text)
    return _names(text) if len(text) - len(rest) < _SHORTEST_LEAD else (*_names(text), *_names(rest))


def _names(text: str) -> tuple[str, ...]:
    """How the name that a text begins with may be spelled."""
    text = text[:_HEAD]
    if not text.isascii():
        text = normalize("NFC", text.translate(_MARKLESS))
    if (words := _TWO_WORDS.match(text)) is None:
        return ()
    first, second = words.groups()
    found: tuple[str, ...]
    if first in ORDINARY:
        # The word alone is then not enough (`core.near`), as one of the words of another name is.
        found = (*accumulate(islice(_WORD.findall(text), _MOST_WORDS)),)
    else:
        found = (first, first + second) if second else (first,)
    if first.isascii():
        return found
    ends = (place.start() for place in islice(_CJK_END.finditer(first), _MOST_ENDS))
    return (*dict.fromkeys((*(first[:end] for end in ends), *found)),)
