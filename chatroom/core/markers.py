"""What the beginning of a typed text is, however it was typed: a command, a marker, an escape, or none of these.

A beginning is read regardless of case, width, invisible characters and leading spaces; what follows it is taken from
the text as typed. This module does not know who is here, and knows only those commands that make a text private.
`core.near_misses` finds the near misses.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import pairwise
from typing import Final

from chatroom.core import lead_ins
from chatroom.core.beginnings import without_one
from chatroom.core.folding import HEAD, head, trimmed
from chatroom.core.long_texts import Reading, from_both_ends, unread_lines
from chatroom.core.misspaced import has_capital, is_part
from chatroom.core.near_misses import (
    BareKey,
    Near,
    NearWhisper,
    by_keys,
    is_nearly_to,
    near,
    with_latin,
)
from chatroom.core.slips import CHINESE_BEGINNINGS, WORDS, is_meant

_ORDERED_LINES: Final = 8  # a longer text is read from both ends
_LINES: Final = 64  # lines that are looked at; of the rest only how they begin
_DOUBTFUL_LINES: Final = 32  # lines whose beginning is read
_NEAR_LINES: Final = 8  # after so many nearly private lines, no more are read
_SHORTEST_LINE: Final = 3  # characters; a shorter line is for nobody: `w B`, `toB`
_COST: Final = 5  # microseconds to read a line
_HIGH_COST: Final = 12  # microseconds, if it does not begin in ASCII
_LEFT: Final = 100  # microseconds that are kept for lines that do
_LOOK_COST: Final = 1  # microsecond to see whether that is a command in another keyboard layout
_SLASH_COST: Final = 10  # microseconds more to see which command a line with a slash nearly is
_CHINESE: Final = CHINESE_BEGINNINGS + lead_ins.CHINESE_BEGINNINGS
# A text that begins like this is ordinary: a longer word in a script in which no whisper keyword is written.
_ORDINARY: Final = re.compile(
    r"(?!\w{1,7}(?:\W|$))[\u0400-\u04ff]"
    rf"|(?![{_CHINESE}]|{lead_ins.ADDRESSED})"
    r"[\u0620-\u064a\u3041-\u3096\u3400-\u9fff\uac00-\ud7a3]",
    re.IGNORECASE,
)
# A first word that may make a text ordinary whatever follows, as most do; after a short one a colon may follow. Of a
# long one its beginning is enough.
_WORD: Final = re.compile(
    r"(?:[AaIi]|[A-Za-z][A-Za-z']{1,3})(?=[,.!?]?(?: |$))"
    r"|[\"'(*~]?(?:[A-Za-z0-9']{5,15}(?=[\s,.!?]|$)|[A-Za-z0-9]{12})"
)
_SHORT: Final = 4
_PROBE: Final = "x" * 20  # as long as a key

_TALK: Final = re.compile(r"to *:")
_MARKERS: Final = "(?P<word>to|msg|w|tell|whisper|dm|pm|join|op)"
# A slash after a key that was hit by accident. An opening quotation mark may precede a slash in a sentence.
_STRAYED: Final = re.compile(
    rf"[^\w\s\"'`\u2018\u201c\u00ab\u300c\u300e\uff08(\[{{<>*_~/]{{1,3}}/{_MARKERS}(?= |$)"
)
# On a Chinese keyboard the key of the slash types `、`: before a slash it may be no escape.
_AFTER_COMMA: Final = re.compile(rf"//{_MARKERS}(?=[ :]|$)")
# A slash as addresses, pages and programs write it.
_ENCODED: Final = re.compile(rf"(?:%2f|&#(?:x0*2f|0*47);|&sol;|\\u002f|\\x2f){_MARKERS}(?=[ :]|%20|$)")
_ENCODED_FIRST: Final = "%&\\"
# A few words and the mark that ends them, perhaps twice, before a word that says for whom a text is.
_OPENER: Final = re.compile(
    r"^[^\S\n]*+(?:(?:[\[(（]?[^\s,，.。…!！:：)）\]~～][^\n,，.。…!！:：)）\]~～]{0,23}+(?::\d\d){0,2}"
    r"(?:[,.…!:)\]~]++[^\S\n]++|[，。！：）～]++[^\S\n]*+)){1,2}|(?:w?h?oops|ups|(?:forward[^\S\n]++)?slash)[^\S\n]++"
    r"|(?:ok(?:ay)?|hi|hey|hello)[^\S\n]++(?=to\s[^\n:：]{1,40}[:：]))"
    rf"(?=[\W_]*+(?:{lead_ins.any_of((*WORDS, *lead_ins.FIRST))}(?![a-z])|to|[{_CHINESE}]))",
    re.IGNORECASE | re.MULTILINE,
)
# Whisper commands, here or in other chats.
_MOVES: Final = ("msg", "whisper", "tell", "query", "private")
_MOVE_SLIPS: Final = frozenset(slip for move in _MOVES for slip in without_one(move))
_LONGEST_MOVE: Final = max(map(len, _MOVES)) + 2
_JOIN_SLIPS: Final = frozenset(without_one("join"))
_NO_LETTER: Final = re.compile(r"[\W_]")
# In a pasted mail, `To: NAME` follows one of these.
_HEADER: Final = re.compile(r"(?:from|date|sent|subject|cc)\s*:\s*\S", re.IGNORECASE)
_HEADER_TO: Final = re.compile(r"To:\s")


@dataclass(frozen=True, slots=True)
class Slash:
    """`/WORD ARGUMENTS`: the word folded, the arguments as typed, with the separator.

    Attributes:
        after: what stands after the slash, as typed.
    """

    word: str
    arguments: str
    after: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class Escaped:
    """`//TEXT`: a text that begins with a slash."""

    text: str


@dataclass(frozen=True, slots=True)
class TalkMarker:
    """`to:NAME`; without a name it ends the private chat."""

    name: str


Beginning = Slash | Escaped | TalkMarker | BareKey | Near


def beginning(text: str) -> Beginning | None:
    """What a typed text begins with; None for an ordinary text, which most first words show at once."""
    start = text[:HEAD]
    if not start.isascii() and (found := by_keys(text)) is not None:
        return found
    return None if _is_plainly_ordinary(start) else _read_beginning(text)


def after_openers(text: str, reading: Reading) -> list[Beginning | None]:
    """What follows a short opener of a line: `ok, to Bob: x`, `好的，私聊小雨 x`, `[12:30] to Bob x`."""
    openers = [*_OPENER.finditer(text)]
    return [*_after(text, openers, reading)] if openers else []


def _after(text: str, openers: list[re.Match[str]], reading: Reading) -> Iterator[Beginning | None]:
    unread = []
    for count, found in enumerate(from_both_ends(openers)):
        line = text[found.end() :]
        if found.start():
            line = "".join(line.partition("\n")[:2])
        cost = _COST if line[:HEAD].isascii() else _HIGH_COST
        if count < _NEAR_LINES and reading.allows(cost, leave=_LEFT):
            reading.spend(cost)
            yield beginning(line)
        else:
            unread.append(line)
    if unread and (more := unread_lines(unread, reading)) is not None:
        yield more


def further_beginnings(text: str, reading: Reading) -> Iterator[Beginning | None]:
    """What the lines of a text begin with, after the first one; those that are plainly ordinary are left out."""
    looked_up = read = nearly = 0
    lines = [*pairwise(text.splitlines())]
    last = lines[-1][1] if lines else ""
    if len(lines) > _ORDERED_LINES:
        lines = from_both_ends(lines)
    unread = [line for _, line in lines[_LINES:]]
    for before, line in lines[:_LINES]:
        is_costly = not line[:HEAD].isascii()
        if len(line.strip()) < _SHORTEST_LINE:
            continue
        cost = _HIGH_COST if is_costly else _COST
        if (
            nearly == _NEAR_LINES
            or read == _DOUBTFUL_LINES
            or not reading.allows(cost, leave=_LEFT * is_costly)
        ):
            unread.append(line)
            continue
        keys = None
        if is_costly and looked_up < _DOUBTFUL_LINES:
            keys = by_keys(line)
            looked_up += 1
            reading.spend(_LOOK_COST)
        if keys is None and _is_plainly_ordinary(line[:HEAD]):
            continue
        if not (_HEADER_TO.match(line) and _HEADER.match(before)):
            read += 1
            is_followed = line is not last and lead_ins.may_open_chat(line)
            found = keys or _read_beginning(f"{line.lstrip()}\n" if is_followed else line.lstrip())
            is_slash = isinstance(found, Slash)
            reading.spend(cost + _SLASH_COST * is_slash)
            reading.spend_on(line[:HEAD], times=1 + is_slash)  # what follows the slash is read as well
            nearly += isinstance(found, NearWhisper)
            yield found
    if unread and (found := unread_lines(unread, reading)) is not None:
        yield found


def _is_plainly_ordinary(start: str) -> bool:
    """Whether the first word of a text makes it ordinary, whatever follows; `start` are its first characters."""
    is_ascii = start.isascii()
    if not is_ascii and _ORDINARY.match(start):
        return True
    found = _WORD.match(start)
    if found is None:
        return False
    word = found[0]
    if len(word) <= _SHORT and (":" in start or not (is_ascii and start.isprintable())):
        return False
    lower = word.lower()
    if lower[1:] != word[1:] and has_capital(word):
        return False
    second = lead_ins.SECOND.get(lower)
    if second is not None and any(map(start.lower().__contains__, second)):
        return False
    return _is_ordinary_word(lower)


@lru_cache(maxsize=4096)
def _is_ordinary_word(word: str) -> bool:
    # Only a colon, or a single letter before a space, gives a meaning to what follows the first word.
    text = f"{word} {_PROBE}"
    return not is_part(word) and near(text, text, range(1, len(text) + 1)) is None


def _read_beginning(text: str) -> Beginning | None:
    folded, ends = head(text)
    if folded[:1] == "/":
        if folded[1:2] == "/":
            if text[ends[0] - 1] == "、" != text[ends[1] - 1] and (found := _AFTER_COMMA.match(folded)):
                return Slash(f"、/{found['word']}", text[ends[found.end() - 1] :])
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
    if folded[:1] in _ENCODED_FIRST and (found := _ENCODED.match(folded)):
        return Slash(f"//{found['word']}", text[ends[found.end() - 1] :])
    return near(text, folded, ends)


def is_nearly_move(word: str) -> bool:
    """Whether an unknown command was probably meant to change who receives texts: `jion`, `to:bob`, `msgbob`."""
    letters = _first_letters(word)
    return (
        is_meant(letters)
        or letters.startswith(("to", *_MOVES))
        or is_nearly_to(letters)
        or (len(letters) < _LONGEST_MOVE and not _MOVE_SLIPS.isdisjoint(without_one(letters)))
        or _is_nearly_join(letters)
    )


def is_nearly_join(word: str) -> bool:
    """Whether an unknown command was probably `/join`: the next texts were meant for another room."""
    return _is_nearly_join(_first_letters(word))


def _is_nearly_join(letters: str) -> bool:
    # Longer and shorter ones share nothing with these.
    is_slip = 2 < len(letters) < 6 and not _JOIN_SLIPS.isdisjoint(without_one(letters))
    return is_slip or letters in ("j", "room") or letters.startswith("join")


def _first_letters(word: str) -> str:
    return next(filter(None, _NO_LETTER.split(with_latin(word))), "")
