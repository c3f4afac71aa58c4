"""Which name a typed text begins with, and where that name ends: in all the ways in which people write names.

A name may contain spaces, quotes and punctuation, so its end depends on which names there are: each function is given
one that finds a person by name.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from itertools import accumulate, islice
from typing import Final, Generic, NamedTuple, Self, TypeVar
from unicodedata import normalize

from chatroom.core.characters import POINTS_EACH
from chatroom.core.confusables import fold
from chatroom.core.names import NAME_LENGTH, may_be_name, word_typed

QUOTES: Final = {'"': '"', "“": "”"}
# Around a name that they do not belong to.
ANY_QUOTES: Final = {
    **QUOTES, "'": "'", "‘": "’", "`": "`", "„": "“", "«": "»", "‹": "›", "<": ">", "＜": "＞", "〈": "〉", "《": "》",
    "「": "」", "『": "』", "【": "】", "[": "]", "(": ")", "（": "）", "＂": "＂",
}  # fmt: skip
_QUOTED = re.compile('["“](.+)["”]')
SEPARATORS = re.compile("[:,;.!?>=\u2013\u2014\u3001\u3002\uff01\uff0c\uff0e\uff1a\uff1b\uff1f]")
_BEFORE_REST = re.compile(rf"\A(?:\s|{SEPARATORS.pattern})+")
FILLER = re.compile(r"\A\W*(?:to|both)[\W_]+", re.IGNORECASE)  # `msg to Bob`, `for both Bob and Kim`
# A separator after a name, but not the first half of a smiley.
_ONE_SEPARATOR = re.compile(rf"\A\s*(?:{SEPARATORS.pattern}(?=[\s\w\"'“‘「『]|\Z)\s*)?")
_HONORIFIC = re.compile(r"\A(?:さん|ちゃん|くん|君|様|さま|先生|씨|님)\s*")
_PUNCTUATION = re.compile(r"[^\w\s]")
_SPACES = re.compile(r"[^\S\n]+")
_UNEVEN = re.compile(r"[^\S\n]{2}|[^\S\n ]")  # not single spaces as in names
_ONE_POINT_EACH = re.compile(r"[\w -~]*")  # no joiners and marks: as many characters as code points
LONGEST = NAME_LENGTH * POINTS_EACH  # code points
LOOSE = 2 * LONGEST  # how far a name reaches in a mistyped text, with what precedes it
_WORD = re.compile(r"\S+")
_MOST_MARKS = 16  # punctuation marks after which a name is looked for
_CJK = "[\u3005\u3041-\u30ff\u3400-\u9fff\uac00-\ud7a3]"
_ONE_SCRIPT = re.compile(rf"\s*({_CJK}{{2,}})")
_CJK_AFTER_OTHER = re.compile(rf"(?<=\w)(?<!{_CJK})(?={_CJK})")
_MOST_WORDS = (NAME_LENGTH + 1) // 2  # of a name: each has a character that is seen, and a space between two

_Who = TypeVar("_Who")
Reach = Callable[[Iterable[str]], int]
"""How many of the first words of a text, each folded, may be a name together."""


class Match(NamedTuple, Generic[_Who]):
    """The person whose name a text begins with.

    Attributes:
        rest: what follows the name, without the spaces between.
        length: of the name and what precedes it.
    """

    who: _Who
    rest: str
    length: int


def longest_match(
    text: str, find: Callable[[str], _Who | None], reach: Reach | None = None
) -> Match[_Who] | None:
    """Split a text that begins with a name: `Ming Li hello` is for Ming Li rather than for Ming.

    A name ends at a space or with the text, or is in quotes (“…” or "…"). Case does not matter, nor do the kind and
    number of the spaces inside a name.

    Args:
        find: finds who has a name.
        reach: spares looking for what is no name: most texts begin with none.
    """
    quoted = quoted_match(text, find, reach)
    whole = _words_match(text, find, reach)
    if quoted is None or (whole is not None and whole.length > quoted.length):
        return whole
    return quoted


def quoted_match(
    text: str, find: Callable[[str], _Who | None], reach: Reach | None = None
) -> Match[_Who] | None:
    """Split a text that begins with a name in quotes, as `longest_match` does."""
    quote = QUOTES.get(text.lstrip()[:1])
    if quote is None:
        return None
    start = len(text) - len(text.lstrip())
    text = text[start:]
    closing = text.rfind(quote, 1, LONGEST + 2)
    if reach is not None and not _may_be_quoted(text[1 : closing + 1], quote, reach):
        return None
    while closing > 0:  # the last one first: a name may contain quotes itself
        who = find(text[1:closing])
        if who is not None:
            return Match(who, _ONE_SEPARATOR.sub("", text[closing + 1 :]), start + closing + 1)
        closing = text.rfind(quote, 1, closing)
    return None


def _words_match(text: str, find: Callable[[str], _Who | None], reach: Reach | None) -> Match[_Who] | None:
    start = len(text) - len(text.lstrip())
    text = text[start:]
    words = islice(_WORD.finditer(text, 0, LONGEST), _MOST_WORDS)
    ends: list[int] = []
    if reach is None:
        ends = [word.end() for word in words]
    else:
        # The words are looked for only as far as they may be a name.
        del ends[reach(_folded_words(words, ends)) :]
    if not ends:
        return None
    is_even = _UNEVEN.search(text, 0, LONGEST) is None
    for end in reversed(ends):
        if end == len(text) or text[end].isspace():
            name = text[:end] if is_even else _SPACES.sub(" ", text[:end])
            if len(name) > NAME_LENGTH and _ONE_POINT_EACH.fullmatch(name):
                continue  # too long for a name
            who = find(name)
            if who is not None:
                return Match(who, text[end:].lstrip(), start + end)
    return None


def _folded_words(words: Iterable[re.Match[str]], ends: list[int]) -> Iterator[str]:
    """The words as compared, as far as they are short enough for a name; where each ends is added to `ends`."""
    for word in words:
        ends.append(word.end())
        if not may_be_name(word[0]):
            return
        yield word_typed(word[0])


def _may_be_quoted(text: str, quote: str, reach: Reach) -> bool:
    """Whether what ends before one of the quotes in a text may be a name."""
    folded = fold(text)
    ends = (at for at, one in enumerate(folded) if one == quote)
    names = (folded[:end].split(" ") for end in ends)
    return any(reach(name) == len(name) for name in names)


def punctuated_match(text: str, find: Callable[[str], _Who | None]) -> Match[_Who] | None:
    """Like `longest_match`, but punctuation may also end the name: `Bob, hello`."""
    found = longest_match(text, find) or longest_match(SEPARATORS.sub(" ", text), find)
    if found is None:
        return None
    return found._replace(rest=_BEFORE_REST.sub("", text[found.length :]))


class LooseText(NamedTuple):
    """A mistyped text whose name is looked for: among the people here, and then among those who left.

    Attributes:
        ways: in which ways it may be read, each with the text that it stands for.
        bare: the text without a `to` before the name.
        firsts: the first words, folded, with one of which a name has to begin; None if a quote may precede it.
    """

    ways: tuple[tuple[str, str], ...]
    bare: str
    firsts: frozenset[str] | None

    @classmethod
    def of(cls, text: str) -> Self:
        """The beginning of a text, as far as a name may reach in it."""
        text = text[:LOOSE]
        bare = FILLER.sub("", text, count=1)
        ways = {text: text}
        ways.setdefault(SEPARATORS.sub(" ", text), text)
        if bare is not text:
            ways.setdefault(SEPARATORS.sub(" ", bare), bare)
        ways.setdefault(_PUNCTUATION.sub(" ", bare), bare)
        words = {way.split(None, 1)[0] for way in ways if way and not way.isspace()}
        is_quoted = any(word[0] in QUOTES for word in words)
        firsts = None if is_quoted else frozenset(word_typed(word) for word in words if may_be_name(word))
        return cls(tuple(ways.items()), bare, firsts)

    def may_begin(self, reach: Reach | None) -> bool:
        """Whether one of the first words is that of a name."""
        return reach is None or self.firsts is None or any(reach((first,)) for first in self.firsts)


def loose_match(
    text: LooseText, find: Callable[[str], _Who | None], reach: Reach | None = None, *, runs_on: bool = False
) -> Match[_Who] | None:
    """Like `longest_match`, for a mistyped text: any punctuation may end the name, and `to` may precede it.

    With `runs_on`, as `run_on_match` too.
    """
    for one, written in text.ways if text.may_begin(reach) else ():
        if (found := longest_match(one, find, reach)) is not None:
            return found._replace(rest=_BEFORE_REST.sub("", written[found.length :]))
    return run_on_match(text.bare, find, reach) if runs_on else None


def cleaned_match(text: str, find: Callable[[str], _Who | None]) -> Match[_Who] | None:
    """Like `longest_match`, with `@` before the name, with quotes or brackets around it, or a separator after it."""
    bare = text.lstrip()
    if bare[:1] in ("@", "＠"):
        bare = bare[1:].lstrip()
    start = len(text) - len(bare)
    quote = ANY_QUOTES.get(bare[:1])
    around = 1 if quote is not None else 0
    if quote is not None:
        ends = [bare.find(quote, 1, LONGEST + 2)]
    else:
        if (found := longest_match(bare, find)) is not None:
            return found._replace(length=start + found.length)
        marks = SEPARATORS.finditer(bare, 0, LONGEST + 1)
        ends = [mark.start() for mark in islice(marks, _MOST_MARKS)]
    for end in reversed(ends):
        who = find(_SPACES.sub(" ", bare[around:end].strip())) if end > 0 else None
        if who is not None:
            rest = _ONE_SEPARATOR.sub("", bare[end + around :])
            return Match(who, rest, start + end + around)
    return None


def run_on_match(
    text: str, find: Callable[[str], _Who | None], reach: Reach | None = None
) -> Match[_Who] | None:
    """Like `longest_match`, for a name in Han, kana or Hangul that is followed at once by more: `小雨你好`.

    A name of one character would begin too many words. Of one in another script, only more in these may follow at
    once: `Bob你好`.
    """
    run = _ONE_SCRIPT.match(text)
    if run is None:
        return _match_before_cjk(text, find, reach)
    start, end = run.start(1), min(run.end(), run.start(1) + NAME_LENGTH)
    keys = accumulate(normalize("NFKD", one) for one in text[start:end])
    ends = [
        at for at, key in enumerate(keys, start + 1) if at > start + 1 and (reach is None or reach((key,)))
    ]
    for end in reversed(ends):
        who = find(text[start:end])
        if who is not None:
            return Match(who, _HONORIFIC.sub("", text[end:].lstrip()), end)
    return None


def _match_before_cjk(
    text: str, find: Callable[[str], _Who | None], reach: Reach | None
) -> Match[_Who] | None:
    end = _CJK_AFTER_OTHER.search(text, 0, LONGEST + 1) if not text.isascii() else None
    if end is None:
        return None
    found = longest_match(text[: end.start()], find, reach)
    if found is None or found.length < end.start():
        return None
    return found._replace(rest=_HONORIFIC.sub("", text[end.start() :]))


def without_quotes(name: str) -> str:
    """A name without the quotes around it."""
    quoted = _QUOTED.fullmatch(name)
    return quoted[1] if quoted is not None else name


def bare_name(written: str) -> str:
    """A name without `@` before it, a separator after it, and quotes or brackets around it."""
    name = _unquoted(written.strip().removeprefix("@").removeprefix("＠").strip())
    return _unquoted(name[:-1].rstrip()) if SEPARATORS.match(name[-1:]) else name


def _unquoted(name: str) -> str:
    return name[1:-1].strip() if len(name) > 2 and ANY_QUOTES.get(name[0]) == name[-1] else name
