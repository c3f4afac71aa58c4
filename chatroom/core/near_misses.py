"""What the beginning of a text nearly is, if it is no command and no marker: a private text, a `/join`, or a key.

Which words count is in `core.slips`, and what other keyboard layouts type for them in `core.layouts`; this module
knows what may stand around such a word.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from typing import Final

from chatroom.core.confusables import latin_looks, skeleton
from chatroom.core.folding import HEAD
from chatroom.core.layouts import LETTERS, beginnings, readings, translations, typed_as
from chatroom.core.lead_ins import lead_in, said_to
from chatroom.core.misspaced import FIRST, has_capital, may_be_misspaced
from chatroom.core.operator_keys import is_key
from chatroom.core.ordinary_words import ORDINARY
from chatroom.core.outright import outright
from chatroom.core.slips import CHINESE_WORD, WORDS, is_certain_slip, is_slip, is_slip_before_name

_WORDS: Final = "|".join(sorted((word for word in WORDS if word != "w"), key=len, reverse=True))
# A whisper command without its slash, or with another character in its place; the slash of many European keyboards
# is Shift+7, but `7pm` is a time. Before a name in another script a space is easily left out.
_BARE: Final = re.compile(
    rf"[\W_]*(?:7(?! ?pm) ?)?(?:t[\W_]?o|w(?!/ )|{_WORDS})(?:[\W_]+|(?=[^\x00-\x7f]))"
    r"|(?:[^\w\s]\W*|7)message[\W_]+"  # a sentence may begin with the word alone
    rf"|\W*{CHINESE_WORD}[给給对對跟和]?[\W_]*"
    r"|\W*[🤫🤐]\W*"
)
# A marker with a slash, a colon or a slip is no beginning of a sentence.
_PHRASE: Final = re.compile(r"\s*+(?:to|for|tell)\s++(?=\w)", re.IGNORECASE)
# Data, a block of code, whose lines are read, and a sentence about a command.
_CODE: Final = re.compile(
    r"\s*(?:\{\s*\"|```[\w+-]*\n|`{1,3}[^`:]{1,200}`{1,3}\s+(?:is|was|means|does|sends|works|starts|opens)\b)"
)
_TALK: Final = re.compile(r"to *:")
_BARE_TALK: Final = re.compile(r"\W*(\w(?:[^\w:]?\w){0,2})[^\w:]? *:[\W_]*")
# A marker with a slip, followed by only one word: `ot:Bob`, `to;Bob`, `msg:Bob`. No sentence looks like that.
_ONE_WORD: Final = re.compile(
    rf"\W*(?:(?P<word>[a-z0-9]{{2,8}}|t\W?o|to[iklo]|(?P<chinese>{CHINESE_WORD})) ?[:;]+(?=\w)\S+"
    r"|to\.(?=\w)[^\s./]+) *$"
)
# The first word, and whether a name may follow it.
_FIRST: Final = re.compile(r"\W*7?(?P<word>[a-z0-9]{1,9}(?:/[a-z]{1,3})?)(?P<gap>[\W_]+|(?=[^\x00-\x7f]))")
# A key that types a letter or a digit where another layout has the slash: `éto`, `1to`; or the key beside it: `zto`.
_PRECEDED: Final = re.compile(
    rf"\W*(?P<before>ss|[^\W_])(?P<word>to|w|message|{_WORDS})(?:[\W_]+|(?=[^\x00-\x7f]))"
)
# A single letter, or a word that has lost one, is a slip only before the name of somebody here and a text.
_LOST_FIRST: Final = frozenset("dmpseI")
_LOST: Final = re.compile(r"(?!m [a-z]+ here\W*\Z)(?:[dmps]|mg|sg|ms|ell|IM)(?: +|: *)(?=[^\W_])")
_MARKER_FIRST: Final = frozenset("twmdpqs")
_ALONE: Final = re.compile(r"(to|w)(?: |(?=[\u3400-\u9fff]))")
# A name in Latin letters after a whisper keyword, where somebody has a name in Chinese: `to xiaoyu 你好`.
_PINYIN: Final = re.compile(
    rf"\W*(?:(?:{CHINESE_WORD}[给給对對跟和]?|sl(?=[\W_]))[\W_]*(?P<word>[a-z']{{4,24}})(?![a-z'])"
    r"|to[\W_]+(?P<after_to>[a-z']{2,24})[\W_]+(?=[\u3400-\u9fff]))"
)
# In Russian, `то` before a Russian name is a word.
RUSSIAN_TO: Final = re.compile(r"\s*то\s+[\u0400-\u04ff]")
_JOIN: Final = re.compile(r"\W*7?(?:(\w{4,5})[\W_]+|(join)(?=\w))")
# `toBob`, `msgBob`; the whole word is looked at as well.
_GLUED: Final = re.compile(
    r"\W*(?=(\w+))(?:to|(?:msg|dm|pm|tell|whisper)(?!(?:e[dr]s?|ing|s)\b))(?=[0-9a-z])"
)
# The colon a key too soon or too late, or another key in its place: `t:oBob`, `toB:ob`, `topBob`.
_COLON_SLIPPED: Final = re.compile(r"\W*(?:t[ :]+o|to(?P<first>\w) *: *|to\w)(?=\w)")
# On many keyboards for Latin letters, a letter is on the key of the colon.
_COLON_LETTER: Final = re.compile(r"\s*to[öñòçéşæøłčůäåàè](?=\w)", re.IGNORECASE)
_MANY_MARKS: Final = re.compile(r"\W\W(\W{5,})(?=\W\W)")
_FIRST_LETTERS: Final = re.compile(r"[\W\d_]*([^\W\d_]{1,7})(?![^\W\d_])")
_LOOKALIKES: Final = ("to", "w", "msg", "dm", "pm", "tell", "whisper", "join")
_NEARLY_JOIN: Final = frozenset(("join", "ojin", "jion", "joni", "jjoin", "jooin", "joiin", "joinn"))
_NO_LETTER: Final = re.compile(r"[\W_]")

_OTHER_LETTERS: Final = "".join(
    dict.fromkeys(LETTERS + "".join(one for one in LETTERS.upper() if not one.isascii()))
)
_OTHER: Final = re.compile(
    rf"\s*(?P<mark>[^\w\s]{{0,3}})\s?(?P<word>[{re.escape(_OTHER_LETTERS)}\uac00-\ud7a3]{{1,12}})"
)
_GAP: Final = re.compile(r"\s*(?P<colon>[:;：；])\s*|\s+")
_ONLY_WORD: Final = re.compile(r"[:：]\S+\s*$")
_COMMANDS: Final = frozenset((*WORDS, "to:"))
TYPED: Final = typed_as((*_COMMANDS, *(f"/{one}" for one in _COMMANDS)))
"""The whisper keywords in other keyboard layouts, and their parts."""
_LONGEST_PART: Final = 8
_LONGEST_TYPED: Final = 9  # letters of the longest word with a slash and a slip
# Words of other languages that the keys of a whisper keyword type as well.
_OTHER_WORDS: Final = frozenset(("אם", "から", "しも", "もとき", "으", "πμ", "กท"))
_ALIKE: Final = frozenset(("то", "το"))  # they look like `to`
_SYLLABLES: Final = frozenset(("と", "ト", "새"))  # with a colon they may begin a sentence


@dataclass(frozen=True, slots=True)
class BareKey:
    """`op KEY`: a secret that nobody else may see."""


@dataclass(slots=True)  # if it were frozen, it would take twice as long to make
class NearWhisper:
    """With a slash or another letter it would be private: refused if `rest` begins with a name.

    Attributes:
        is_certain: it cannot mean anything else, so it is refused whoever is here.
        alternatives: the same, if the slip was another one.
        exact_names: texts that count only as a whole name, each with what follows: `Bob` in `topBob`, whose `rest` is
            `pBob`.
        may_be_word: it may be an ordinary word as well, since only letters stand before the name.
        runs_on: in a script without spaces, more may follow the name at once.
        has_exact_keyword: the words before the name have no slip, so that it may have one.
        may_be_sentence: only `to`, `for` or `tell` stands before the name, so it may begin a public sentence.
        needs_name_and_text: `rest` counts only before a name of somebody here, exactly, and a text.
        keyword: `to` or `w`, if the text begins with it and a space or a Chinese character.
        is_pinyin: it may be a name in Latin letters of somebody who has a Chinese one.
        misspaced: a text that may be a whisper keyword and a name, if the spaces in it stand elsewhere.
    """

    rest: str
    is_certain: bool = False
    alternatives: tuple[str, ...] = ()
    exact_names: tuple[tuple[str, str], ...] = ()
    may_be_word: bool = False
    runs_on: bool = False
    has_exact_keyword: bool = False
    may_be_sentence: bool = False
    needs_name_and_text: bool = False
    keyword: str = ""
    is_pinyin: bool = False
    misspaced: str = ""


@dataclass(frozen=True, slots=True)
class NearJoin:
    """`join ROOM` without its slash: refused if there is such a room.

    Attributes:
        may_be_word: it may be an ordinary word as well: `joinden`, `joined`.
        is_certain: it has a slash, in another keyboard layout.
    """

    room: str
    may_be_word: bool = False
    is_certain: bool = False


@dataclass(frozen=True, slots=True)
class Unread:
    """A part of the text that is not read, and may be private.

    Attributes:
        names: how the names in it may be spelled; if there are none, it is refused whoever is here.
    """

    names: frozenset[str] = frozenset()


Near = NearWhisper | NearJoin | Unread


def near(text: str, folded: str, ends: Sequence[int]) -> Near | BareKey | None:
    """What a text nearly is whose beginning, as compared, is `folded`; `ends` are as in `core.folding`."""
    if (marks := _MANY_MARKS.match(folded)) is not None:
        start, end = marks.span(1)  # more of them mean no more, but all patterns would read them
        folded, ends = folded[:start] + folded[end:], [*ends[:start], *ends[end:]]
    found = _near(text, folded, ends)
    if found is not None and not isinstance(found, NearWhisper):
        return found
    first = folded[:1]
    is_misspaced = first in FIRST and may_be_misspaced(text, folded) and not _CODE.match(text)
    may_match = first == "s" or not text.isascii()
    name = _PINYIN.match(folded) if may_match else None
    is_pinyin = name is not None and name[name.lastgroup or 0] not in ORDINARY
    if not is_misspaced and not is_pinyin:
        return found
    if found is None:
        found = NearWhisper(text[ends[name.start(name.lastgroup or 0) - 1] :] if name and is_pinyin else "")
    return replace(found, misspaced=text[: 2 * HEAD] if is_misspaced else "", is_pinyin=is_pinyin)


def _near(text: str, folded: str, ends: Sequence[int]) -> Near | BareKey | None:
    is_ascii = folded.isascii()
    typed, folded = folded, folded if is_ascii else with_latin(folded)
    if not is_ascii and RUSSIAN_TO.match(typed):
        return None
    if is_key(text, folded, ends):
        return BareKey()
    if _CODE.match(text):
        return None
    if not is_ascii and (named := said_to(text, folded, ends)) is not None:
        return NearWhisper("", exact_names=(named,), has_exact_keyword=True)
    looks_alike = folded != typed and _TALK.match(folded) is not None
    said = outright(text, folded, ends) if ":" in folded else None
    is_certain = looks_alike or said is not None or _is_marker_and_word(folded)
    after_slip = _after_slipped_colon(text, folded, ends)
    exact, slipped = _after_bare_word(text, folded, ends)
    lead = lead_in(text, folded, ends)
    rests = (*((said,) if said else ()), *exact, *(lead.readings if lead else ()), *slipped)
    if rests:
        others = tuple(one for one in dict.fromkeys((*rests[1:], *after_slip)) if one != rests[0])
        whisper = NearWhisper(rests[0], is_certain, others, lead.exact_names if lead else (), runs_on=True)
        whisper.has_exact_keyword = bool(exact or lead)
        whisper.may_be_sentence = _PHRASE.match(text) is not None
        whisper.keyword = alone[1] if (alone := _ALONE.match(folded)) is not None else ""
        return whisper
    if lead:
        return NearWhisper(
            "",
            is_certain,
            exact_names=lead.exact_names,
            has_exact_keyword=True,
            may_be_sentence=_PHRASE.match(text) is not None,
        )
    if (found := _FIRST.match(folded)) and _may_be_slip(found["word"], found["gap"]):
        return NearWhisper(text[ends[found.end() - 1] :], is_certain, tuple(after_slip), runs_on=True)
    may_match = not is_ascii or (found is not None and found["word"][1:2] in _MARKER_FIRST)
    if (
        may_match
        and (found := _PRECEDED.match(typed))
        and _may_precede(found["before"], found["word"], text, ends)
    ):
        return NearWhisper(text[ends[found.end() - 1] :], is_certain, runs_on=True)
    if text[:1] in _LOST_FIRST and (found := _LOST.match(text)):
        return NearWhisper(text[found.end() :], is_certain, runs_on=True, needs_name_and_text=True)
    if found := _COLON_LETTER.match(text):
        return NearWhisper(text[found.end() :], runs_on=True, may_be_word=True)
    if (found := _JOIN.match(folded)) and (found[2] or is_nearly_join(found[1])):
        return NearJoin(text[ends[found.end() - 1] :], found[2] is not None)
    if (found := _GLUED.match(folded)) and (found[1] not in ORDINARY or has_capital(text)):
        exact_names = tuple((one, "") for one in after_slip)
        return NearWhisper(
            text[ends[found.end() - 1] :], is_certain, exact_names=exact_names, may_be_word=True
        )
    return NearWhisper("", is_certain) if is_certain else None


def _is_marker_and_word(folded: str) -> bool:
    """Whether a text is `to:NAME` with a slip, or the same with another word, and nothing after it."""
    found = _ONE_WORD.match(folded)
    if found is None:
        return False
    word = _NO_LETTER.sub("", found["word"] or "to")
    return (
        word in WORDS
        or found["chinese"] is not None
        or is_certain_slip(word)
        or (len(word) == 3 and word[:2] == "to" and word not in ("top", "toy"))
    )


def _may_precede(before: str, word: str, text: str, ends: Sequence[int]) -> bool:
    """Whether a letter or a digit before a whisper keyword may be a slip of the slash."""
    if before.isdigit():
        return word not in ("w", "pm")
    if not text[: ends[0]].isascii():
        return True
    return before != "ss" and word != "w" and before + word not in ORDINARY


def _may_be_slip(word: str, gap: str) -> bool:
    # The slash is in the word, or a key beside it was hit as well: `m/sg`, `a/to`; but `b/w` is short.
    if "/" in word:
        letters = word.replace("/", "")
        shorter = (letters[:at] + letters[at + 1 :] for at in range(len(letters)))
        return letters in WORDS or any(one in WORDS and (one != "w" or word[0].isdigit()) for one in shorter)
    if word == "t":
        return gap[:1] in (" ", ":", ",")
    if word == "w" * len(word):
        return gap.isspace() and len(word) > 1
    return gap[:1] != "-" and is_slip_before_name(word)


def _after_bare_word(text: str, folded: str, ends: Sequence[int]) -> list[list[str]]:
    """What stands after a whisper command without its slash, and after what is nearly `to:`."""
    talk = _BARE_TALK.match(folded)
    if talk is not None and not is_nearly_to(_NO_LETTER.sub("", talk[1])):
        talk = None
    return [
        [text[ends[found.end() - 1] :]] if found is not None else [] for found in (_BARE.match(folded), talk)
    ]


def _after_slipped_colon(text: str, folded: str, ends: Sequence[int]) -> list[str]:
    """The name and what follows it, if the colon of `to:` stands elsewhere or is another key."""
    found = _COLON_SLIPPED.match(folded)
    if found is None:
        return []
    rest, first = text[ends[found.end() - 1] :], found.start("first")
    return [rest if first < 0 else text[ends[first - 1] : ends[first]] + rest]


def is_nearly_join(word: str) -> bool:
    """Whether a word is `join`, or two of its letters are exchanged, or one is typed twice."""
    return word in _NEARLY_JOIN


@lru_cache(maxsize=4096)
def is_nearly_to(word: str) -> bool:
    """Whether the word is `to` with one slip: a letter added, missing or wrong, or the two swapped."""
    word = word if word.isascii() else skeleton(word)
    if len(word) == 2:
        return word == "ot" or word[0] == "t" or word[1] == "o"
    return word in ("t", "o") or (
        len(word) == 3 and any(word[:at] + word[at + 1 :] == "to" for at in range(3))
    )


def with_latin(folded: str) -> str:
    """The beginning with the Latin letters that its first word looks like.

    In a word that mixes scripts each letter counts, since no language has such words; one wholly in another script only
    counts if it then is a whisper keyword.
    """
    found = _FIRST_LETTERS.match(folded) if not folded.isascii() else None
    if found is None or found[1].isascii():
        return folded
    meant = _lookalikes().get(found[1].translate(latin_looks()), "")
    if not meant and any(map(str.isascii, found[1])):
        meant = found[1].translate(_latin_looks())
    return folded[: found.start(1)] + meant + folded[found.end() :] if len(meant) == len(found[1]) else folded


@cache
def _latin_looks() -> dict[int, str]:
    """The letter that each other one looks like; `i` where that may be `l` too."""
    return {code: look.replace("l", "i") for code, look in latin_looks().items() if code > 0x7F}


@cache
def _lookalikes() -> dict[str, str]:
    return {skeleton(word): word for word in _LOOKALIKES}


def by_keys(text: str) -> NearWhisper | NearJoin | None:
    """What a text nearly is that begins with the keys of a command in another keyboard layout: `ещ Bob`."""
    found = _OTHER.match(text)
    if found is None:
        return None
    word, start = found["word"].casefold(), found.start("word")
    for size, latin in _commands(word) if len(word) == len(found["word"]) else ():
        rest = text[start + size :]
        is_whole = size == len(word) and _GAP.match(rest) is not None
        nearly = _by_keys(word[:size], latin, found["mark"], rest, is_whole)
        if nearly is not None:
            return nearly
    return None


@lru_cache(maxsize=4096)
def _commands(word: str) -> tuple[tuple[int, str], ...]:
    """How many letters of the word may be the keys of a command, and of which."""
    if word in _ALIKE:
        return ()
    whole = readings(word) if len(word) <= _LONGEST_TYPED else ()
    found = [(len(word), latin) for latin in whole if _is_command(latin.removeprefix("/"))]
    for size in beginnings(word[:-1], TYPED, _LONGEST_PART):
        latins = readings(word[:size])
        found += ((size, latin) for latin in latins if latin.removeprefix("/") in _COMMANDS)
    return tuple(found)


def _is_command(word: str) -> bool:
    return word in _COMMANDS or is_slip(word) or is_nearly_join(word)


def _by_keys(part: str, latin: str, mark: str, rest: str, is_whole: bool) -> NearWhisper | NearJoin | None:
    """What the keys of `latin` nearly are, after a mark, before the rest; `is_whole`: the word ends after them."""
    if latin in ("to:", "/to:"):
        return NearWhisper(rest, True, translations(rest[:HEAD], part), runs_on=True)
    command = latin.removeprefix("/")
    has_slash = command != latin or bool(mark)
    is_word, is_long = command in WORDS, len(command) > 1
    if not is_whole:
        return NearWhisper(rest, runs_on=True) if has_slash and is_word and is_long else None
    gap = _GAP.match(rest)
    assert gap is not None
    after = rest[gap.end() :]
    if is_nearly_join(command):
        return NearJoin(after, is_certain=has_slash)
    if gap["colon"]:
        is_syllable = part in _OTHER_WORDS or part in _SYLLABLES
        is_certain = command == "to" and (not is_syllable or _ONLY_WORD.match(rest.lstrip()) is not None)
    else:
        is_certain = is_word and (command == "to" if command != latin else mark.endswith((".", "؟")))
    if has_slash:
        is_meant = (is_word and (is_long or bool(mark))) or is_slip(command)
    else:
        is_meant = is_word and is_long and (gap["colon"] is not None or part not in _OTHER_WORDS)
    if not is_meant:
        return None
    return NearWhisper(after, is_certain, translations(after[:HEAD], part), runs_on=True)
