"""What the beginning of a typed text is, however it was typed: a command, a marker, an escape, or none of these.

A beginning is read regardless of case, width, invisible characters and leading spaces; what follows it is taken from
the text as typed. This module does not know who is here, and knows only those commands that make a text private.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache, lru_cache
from itertools import islice
from typing import Final
from unicodedata import category, normalize

from chatroom.core.beginnings import without_one
from chatroom.core.characters import NOTHING, POINTS_EACH, is_seen
from chatroom.core.confusables import skeleton

_SLASHES: Final = frozenset("/\u2044\u2215\u2571\u27cb\u29f8\u3001\uff0f\uff64")  # 、 is on the key of /
_COLONS: Final = frozenset(":\u02d0\u02f8\u0589\u05c3\u205a\u2236\ua4fd\ua789\ufe13\ufe55\uff1a")
_HEAD: Final = 64  # characters read of a beginning: the longest command is far shorter
# Lines of one text whose beginnings are read; in a longer paste the further ones are ordinary.
_DOUBTFUL_LINES: Final = 64
# A text that begins like this is ordinary: with a word longer than `msg` that is not nearly one of those below and does
# not begin with `to`, be it in quotes or brackets, or with a letter of another script. The slash of many European
# keyboards is Shift+7. A short word in Cyrillic may look like one of those below.
_ORDINARY: Final = re.compile(
    r"(?:[\"'(*~]{1,3}(?!mess))?(?!w|hw|hi|[qeas23][hw]|to|7|tell|priv|quer|oper|mm|ms|tl|te|et|tt|qe|uq|qq|jo|ji|oj|jj|pi|rp|pr|dm|pm)[0-9a-z]{4}"
    r"|(?!\w{1,7}(?:\W|$))[\u0400-\u04ff]"
    r"|(?!私[聊信下]|[悄偷]|小声|[对對给給]|密[聊语]|耳[语語]|单独|單獨|[发發]个?[私悄消])[\u0620-\u064a\u3041-\u3096\u3400-\u9fff\uac00-\ud7a3]",
    re.IGNORECASE,
)

_SHORT_WORD: Final = re.compile(r"(?:[ai]|[a-z][a-z']{1,3})(?=[,.!?]?(?: |$))", re.IGNORECASE)
_PROBE: Final = "x" * 20  # as long as a key

_TALK: Final = re.compile(r"to *:")
# An operator's key after a forgotten slash: 16 characters or more without a space, and nothing else.
_KEY_WORD: Final = re.compile(r"\W*(?:o ?p+|oop|po|0p|oper|operator)[\W_]+")
_KEY: Final = re.compile(rf"{_KEY_WORD.pattern}(?!\w+://)[!-~]{{16,}} *$")
_KEY_REACH: Final = 512  # characters of a line that may be one
# A command to whisper without its slash, or with another character in its place. Before a name in another script a
# space is easily left out.
_BARE_WHISPER: Final = re.compile(
    r"\W*7?(?:t[\W_]?o|msg|w(?!/ )|whisper|dm|pm|tell|private|privmsg|priv|pvt|query)(?:[\W_]+|(?=[^\x00-\x7f]))"
    r"|(?:[^\w\s]\W*|7)message[\W_]+"  # a sentence may begin with the word alone
    r"|\W*(?:私聊|私信|悄悄话?|密[聊语]|耳[语語])[给对跟和]?[\W_]*"
)
# `对Bob说`, `悄悄跟Bob说`, `给Bob：`, `发私信给Bob：`
_QUIETLY: Final = r"(?:悄悄|偷偷|小声|单独|單獨|私下)[地的]?[对對跟和给給]"
_SAID_TO: Final = re.compile(
    rf"\W*(?:{_QUIETLY}|[对對])[\s\"“「]*(?![,.;:!?、。])([^\n]{{1,40}}?)\W*[说說]"
    rf"|\W*(?:{_QUIETLY}|(?:[发發]个?(?:私信|私聊|消息|悄悄话))?[给給]|[对對])[\s\"“「]*([^\n:]{{1,40}}?)[说說]?[\s\"”」]*:"
)
# What the keys of `to:`, and of `/to`, `/w` and `/msg`, type on keyboards for other scripts: Russian, Korean, Japanese,
# Arabic, Hebrew and Thai. Russian and Hebrew ones have the full stop on the key of the slash, Arabic ones a letter,
# Japanese ones a dot that begins lists as well. A letter for the colon, or for the slash, is certain.
_OTHER_KEYS: Final = re.compile(
    r"\s*(?:(?P<certain>ещ\s*[ж:：]|\.(?:ещ|ц|ьып|אם)\s|[ظ؟]فخ\s|(?:새|[とト]|فخ|אם|ะน)[:：](?=\S+\s*$))"
    r"|(?:ещ|새|[とト]|فخ|אם|ะน)\s*[:;：；]|・\s?と|\W{0,3}(?:ещ|새|[とト]|فخ)\s|\W{1,3}(?:ц|ьып|אם)\s)\s*",
    re.IGNORECASE,
)
# A command behind other text: `see you /to Bob`.
_AMID: Final = re.compile(r"\s/(?:to|msg|w|tell|whisper|dm|pm)\s", re.IGNORECASE)
# Code and data, in which a command is spoken of.
_CODE: Final = re.compile(r"\s*(?:`{1,3}[^`]{1,200}`|\{\s*\")")
_BARE_TALK: Final = re.compile(r"\W*(\w(?:[^\w:]?\w){0,2})[^\w:]? *:[\W_]*")
# A marker with a typing slip, followed by only one word: `ot:Bob`. No sentence looks like that.
_SLIPPED_TALK: Final = re.compile(r"(?:ot|tp|t0|tto|too|tio|toi) *:(?=\w)\S+ *$")
# A slash after a key that was hit by accident. An opening quotation mark may precede a slash in a sentence.
_STRAYED: Final = re.compile(
    r"[^\w\s\"'`\u2018\u201c\u00ab\u300c\u300e\uff08(\[{<>*_~/]{1,3}/(?:to|msg|w|tell|whisper|dm|pm|join|op)(?= |$)"
)
_JOIN: Final = re.compile(r"\W*7?(\w{4,5})[\W_]+")
# `toBob`, `msgBob`, `t Bob`, `tp Bob`, `too小雨`.
_CLIPPED: Final = re.compile(
    r"\W*(?:(?:ot|tp|t0|too|tto)(?=[^\x00-\x7f])|(?:ot|tp|t)[\W_]+"
    r"|(?P<glued>to|(?:msg|dm|pm|tell|whisper)(?!(?:e[dr]s?|ing|s)\b))(?=[0-9a-z]))"
)
# The colon a key too soon or too late, or another key in its place: `t:oBob`, `toB:ob`, `topBob`.
_COLON_SLIPPED: Final = re.compile(r"\W*(?:t *: *o|to(?P<first>\w) *: *|to\w)(?=\w)")
_FIRST_LETTERS: Final = re.compile(r"[\W\d_]*([^\W\d_]{1,7})(?![^\W\d_])")
_FIRST_WORD: Final = re.compile(r"(\S{1,12}) +")
# Commands to whisper, here or in other chats.
_MOVES: Final = ("msg", "whisper", "tell", "query", "private")
_WHISPERS: Final = frozenset(("to", "msg", "whisper", "dm", "pm"))
# Those that do not become another word if two letters are swapped, or one is typed twice.
_LONGER: Final = ("msg", "tell", "query", "private")
_SLIPPED_MSG: Final = re.compile(r"m[^aeiou]g")
_LOOKALIKES: Final = ("to", "w", "msg", "dm", "pm", "tell", "whisper", "join")
_NO_LETTER: Final = re.compile(r"[\W_]")


@dataclass(frozen=True, slots=True)
class Slash:
    """`/WORD ARGUMENTS`: the word folded, the arguments as typed, with the separator.

    Attributes:
        behind: what stands behind the slash, as typed.
    """

    word: str
    arguments: str
    behind: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class Escaped:
    """`//TEXT`: a text that begins with a slash."""

    text: str


@dataclass(frozen=True, slots=True)
class TalkMarker:
    """`to:NAME`; without a name it ends the private chat."""

    name: str


@dataclass(frozen=True, slots=True)
class BareKey:
    """`op KEY`: a secret that nobody else may see."""


@dataclass(frozen=True, slots=True)
class NearWhisper:
    """With a slash or another letter it would be private: refused if `rest` begins with a name.

    Attributes:
        is_certain: it cannot mean anything else, so it is refused whoever is here.
        other_rests: the same, if the slip was another one: `Bob` in `topBob`, whose `rest` is `pBob`.
        is_word: it may be an ordinary word as well, since only letters stand before the name.
        runs_on: in a script without spaces, more may follow the name at once.
    """

    rest: str
    is_certain: bool = False
    other_rests: tuple[str, ...] = ()
    is_word: bool = False
    runs_on: bool = False


@dataclass(frozen=True, slots=True)
class NearJoin:
    """`join ROOM` without its slash: refused if there is such a room."""

    room: str


Near = NearWhisper | NearJoin
Beginning = Slash | Escaped | TalkMarker | BareKey | Near


def beginning(text: str) -> Beginning | None:
    """What a typed text begins with; None for an ordinary text, which most first words show at once."""
    if found := _OTHER_KEYS.match(text):
        return NearWhisper(text[found.end() :], found["certain"] is not None, runs_on=True)
    if _ORDINARY.match(text) or _has_ordinary_word(text):
        return _amid(text)
    return _read_beginning(text)


def _amid(text: str) -> NearWhisper | None:
    found = _AMID.search(text, 1, _HEAD)
    return NearWhisper(text[found.end() :]) if found is not None else None


def further_beginnings(text: str) -> Iterator[Beginning | None]:
    """What the lines of a text begin with, after the first one; those that are plainly ordinary are left out."""
    lines = (line for line in text.splitlines()[1:] if line.strip() and _is_doubtful(line))
    return map(beginning, islice(lines, _DOUBTFUL_LINES))


def _is_doubtful(line: str) -> bool:
    return not _ORDINARY.match(line) or bool(_OTHER_KEYS.match(line) or _AMID.search(line, 1, _HEAD))


def _has_ordinary_word(text: str) -> bool:
    """Whether a text begins with a short word that makes it ordinary whatever follows, as most do."""
    head = text[:_HEAD]
    if ":" in head or not (head.isascii() and head.isprintable()):
        return False
    found = _SHORT_WORD.match(head)
    return found is not None and _is_ordinary_word(found[0].lower())


@lru_cache(maxsize=1024)
def _is_ordinary_word(word: str) -> bool:
    # Only a colon, or a single letter before a space, gives a meaning to what follows the first word.
    return _read_beginning(f"{word} {_PROBE}") is None


def _read_beginning(text: str) -> Beginning | None:
    folded, ends = _head(text)
    if folded[:1] == "/":
        if folded[1:2] == "/":
            return Escaped(f"/{text[ends[1] :]}")
        word = folded[1:].split(" ", 1)[0]
        separator = len(word) + 1
        if separator < len(folded):
            return Slash(word, text[ends[separator] - 1 :], text[ends[0] :])
        marks = trimmed(text[ends[-1] :])  # on the last letter, but typed separately
        return Slash(word, f" {marks}" if marks else "", text[ends[0] :])
    if found := _TALK.match(folded):
        return TalkMarker(trimmed(text[ends[found.end() - 1] :]))
    if found := _STRAYED.match(folded):
        return Slash(found[0], text[ends[found.end() - 1] :])
    typed, folded = folded, _with_latin(folded)
    if _KEY_WORD.match(folded) and _KEY.match(_head(text, _KEY_REACH)[0]):
        return BareKey()
    if _CODE.match(text):
        return None
    if found := _SAID_TO.match(folded):
        start, end = found.span(found.lastindex or 0)
        return NearWhisper(text[ends[start - 1] : ends[end - 1]])
    looks_alike = folded != typed and _TALK.match(folded) is not None
    is_certain = looks_alike or _SLIPPED_TALK.match(folded) is not None
    behind_slip = _behind_slipped_colon(text, folded, ends)
    if rests := _behind_bare_command(text, folded, ends):
        return NearWhisper(rests[0], is_certain, (*rests[1:], *behind_slip), runs_on=True)
    if (found := _FIRST_WORD.match(folded)) and _is_nearly_whisper(found[1]):
        return NearWhisper(text[ends[found.end() - 1] :])
    if (found := _JOIN.match(folded)) and (found[1] == "join" or _is_slip(found[1], "join")):
        return NearJoin(text[ends[found.end() - 1] :])
    if found := _CLIPPED.match(folded):
        rest = text[ends[found.end() - 1] :]
        return NearWhisper(rest, False, tuple(behind_slip), found["glued"] is not None, runs_on=True)
    return _amid(text)


def _behind_bare_command(text: str, folded: str, ends: list[int]) -> list[str]:
    """What stands behind a command to whisper without its slash, and behind what is nearly `to:`."""
    talk = _BARE_TALK.match(folded)
    if talk is not None and not _is_nearly_to(_NO_LETTER.sub("", talk[1])):
        talk = None
    return [
        text[ends[found.end() - 1] :] for found in (_BARE_WHISPER.match(folded), talk) if found is not None
    ]


def _behind_slipped_colon(text: str, folded: str, ends: list[int]) -> list[str]:
    """The name and what follows it, if the colon of `to:` stands elsewhere or is another key."""
    found = _COLON_SLIPPED.match(folded)
    if found is None:
        return []
    rest, first = text[ends[found.end() - 1] :], found.start("first")
    return [rest if first < 0 else text[ends[first - 1] : ends[first]] + rest]


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
    end = min(len(text), start + _HEAD * POINTS_EACH)
    return next((index for index in range(start, end) if is_seen(text[index])), len(text))


def _head(text: str, most: int = _HEAD) -> tuple[str, list[int]]:
    """The beginning as it is compared, and for each of its characters the position after it in the text.

    Case, width, combining marks and invisible characters make no difference; every space is U+0020.
    """
    start = _start(text)
    plain = text[start : start + most]
    if plain.isascii() and plain.isprintable():
        return plain.lower(), list(range(start + 1, start + len(plain) + 1))
    folded: list[str] = []
    ends: list[int] = []
    for index in range(start, min(len(text), start + most * POINTS_EACH)):
        character = text[index]
        if len(folded) >= most:
            break
        if character.isspace():
            shown = " "
        elif not is_seen(character):
            continue
        elif len(folded) < 2 and character in _SLASHES and folded in ([], ["/"]):
            shown = "/"
        elif character in _COLONS:
            shown = ":"
        else:
            shown = _compared(character)
        for one in shown:
            if one == " " and not folded:
                continue
            folded.append(one)
            ends.append(index + 1)
    return "".join(folded), ends


@lru_cache(maxsize=4096)
def _compared(character: str) -> str:
    """A character without differences of case and width, and without the marks that it consists of."""
    folded = normalize("NFKD", character).casefold()
    return "".join(one for one in folded if category(one)[0] != "M")


def _is_nearly_whisper(word: str) -> bool:
    """Whether a word is a whisper command with an extra letter or a misplaced slash (`tto`, `a/to`, `m/sg`), or
    `whisper` with one slip (`wisper`, `wispher`).
    """
    letters = _NO_LETTER.sub("", word)
    if letters in _WHISPERS or letters[1:] in _WHISPERS or letters[:-1] in _WHISPERS or word.endswith("/w"):
        return True
    if len(letters) > 5 and without_one(letters) & without_one("whisper"):
        return True
    if _SLIPPED_MSG.fullmatch(letters) or any(_is_slip(letters, one) for one in _LONGER):
        return True
    return "/" in word and any(letters[:at] + letters[at + 1 :] in _WHISPERS for at in range(len(letters)))


def is_nearly_move(word: str) -> bool:
    """Whether an unknown command was probably meant to change who receives texts: `jion`, `to:bob`, `msgbob`."""
    letters = _first_letters(word)
    if letters in ("w", "dm", "pm") or letters.startswith("to") or _is_nearly_to(letters):
        return True
    slips = without_one(letters)
    is_whisper = any(letters.startswith(move) or slips & without_one(move) for move in _MOVES)
    return is_whisper or is_nearly_join(word)


def is_nearly_join(word: str) -> bool:
    """Whether an unknown command was probably `/join`: the next texts were meant for another room."""
    letters = _first_letters(word)
    is_slip = bool(without_one(letters) & without_one("join"))
    return is_slip or letters in ("j", "room") or letters.startswith("join")


def _first_letters(word: str) -> str:
    return next(filter(None, _NO_LETTER.split(_with_latin(word))), "")


def _is_slip(word: str, meant: str) -> bool:
    """Whether two letters are swapped in the word, or one is typed twice."""
    if len(word) == len(meant):
        differs = [at for at in range(len(word)) if word[at] != meant[at]]
        return (
            len(differs) == 2
            and differs[1] == differs[0] + 1
            and word[differs[0]] == meant[differs[1]]
            and word[differs[1]] == meant[differs[0]]
        )
    twice = (at for at in range(1, len(word)) if word[at] == word[at - 1])
    return any(word[:at] + word[at + 1 :] == meant for at in twice)


def _with_latin(folded: str) -> str:
    """The beginning with the Latin letters that its first word looks like.

    In a word that mixes scripts each letter counts, since no language has such words; one wholly in another script only
    counts if it then is one of those to whisper.
    """
    found = _FIRST_LETTERS.match(folded) if not folded.isascii() else None
    if found is None or found[1].isascii():
        return folded
    meant = _lookalikes().get(skeleton(found[1]), "")
    if not meant and any(map(str.isascii, found[1])):
        meant = "".join(map(_latin, found[1]))
    return folded[: found.start(1)] + meant + folded[found.end() :] if len(meant) == len(found[1]) else folded


def _latin(letter: str) -> str:
    """The letter that this one looks like; `i` where that may be `l` too."""
    return letter if letter.isascii() else skeleton(letter).replace("l", "i")


@cache
def _lookalikes() -> dict[str, str]:
    return {skeleton(word): word for word in _LOOKALIKES}


def _is_nearly_to(word: str) -> bool:
    """Whether the word is `to` with one slip: a letter added, missing or wrong, or the two swapped."""
    word = word if word.isascii() else skeleton(word)
    if len(word) == 2:
        return word == "ot" or word[0] == "t" or word[1] == "o"
    return word in ("t", "o") or (
        len(word) == 3 and any(word[:at] + word[at + 1 :] == "to" for at in range(3))
    )
