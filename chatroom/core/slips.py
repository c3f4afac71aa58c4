"""Which words mean that a text is private, and which words are nearly one of them.

One table has the words, another the ordinary words that one slip makes of them. A slip is two letters exchanged, a
letter typed twice, or a key beside the right one hit as well or instead; in longer words, also any letter that is
missing, wrong, added or misplaced.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Final
from unicodedata import normalize

from chatroom.core.beginnings import without_one

# Whisper keywords: words that make a text private, here or in other chats.
WORDS: Final = ("to", "w", "msg", "tell", "whisper", "dm", "pm", "query", "private", "privmsg", "priv", "pvt")
# After a slash this is one too; a sentence may begin with it.
_AFTER_SLASH: Final = (*WORDS, "message")
# In Chinese, with the characters that sound alike or stand beside them in the list of an input method, and its keys.
CHINESE_WORD: Final = (
    "(?:[私丝斯思司撕死四嘶似][聊料撩疗]|[聊信][私密]|私密(?:消息|信息)?|[私丝斯思司四][信讯訊了]|[密蜜谜謎][聊语語]|耳[语語]|饲料|死心"
    "|小窗|[单單]聊|滴滴|悄悄(?:[话話]|的?告[诉訴])?|偷偷告[诉訴]"
    # Korean, as typed and decomposed.
    f"|귓속?말|{normalize('NFKD', '귓')}(?:{normalize('NFKD', '속')})?{normalize('NFKD', '말')}"
    "|(?:siliao|silaio|silia|sixin|sixi)|s(?:l{1,2}|x)(?=\\s?[^\\x00-\\x7f]))"
)
CHINESE: Final = re.compile(CHINESE_WORD)
CHINESE_BEGINNINGS: Final = "聊信私丝斯思司撕死四嘶似密蜜谜謎耳饲小单單滴悄偷귓"

_TWICE: Final = re.compile(r"(.)\1+")
_ROWS: Final = ("1234567890-", "qwertyuiop[", "asdfghjkl;'", "zxcvbnm,./")
_LONG: Final = 5  # letters of a word from which on any slip counts
# Ordinary words and abbreviations, in a few languages, that are one slip away.
_ORDINARY: Final = frozenset(
    (
        *("go", "yo", "em", "dj", "top", "toy", "tip", "dem", "edm", "pom", "rom", "meg"),
        *("fell", "yell", "primate", "primates", "privates", "prov", "whimper", "messages", "messaged"),
        *("message", "privately"),
    )
)


# Before a name, these are short for whisper.
_SHORT_FORMS: Final = frozenset(("whsp", "wspr", "whspr", "wisp", "whisp", "wispr"))
# Abbreviations with which no sentence about somebody begins; before anything but a name they are ordinary.
_UNITS: Final = frozenset(
    ("fm", "cm", "rm", "lm", "dk", "mp", "md", "ppm", "mst", "msf", "pct", "tel", "mag", "ro", "ti")
)


def is_certain_slip(word: str) -> bool:
    """Whether a word is nearly one of those that make a text private, and nothing else, whatever follows it."""
    return word not in _UNITS and is_slip(word)


def is_slip(word: str) -> bool:
    """Whether a word is nearly one of those that make a text private, and no ordinary one."""
    return word in SLIPS or (word not in _NO_SLIPS and _is_long_slip(word, _LONG_WORDS))


def is_slip_before_name(word: str) -> bool:
    """Whether a word is a whisper keyword or `message` with a slip or a stuck key. Ask only if a name follows."""
    return (
        word in SLIPS
        or word in _SHORT_FORMS
        or (word not in _NO_SLIPS and _is_long_slip(word, _LONG_BEFORE_NAME))
        or (word[0] in _STUCK_FIRST and _TWICE.search(word) is not None and has_stuck_key(word))
    )


def has_stuck_key(word: str) -> bool:
    """Whether a word is a whisper keyword in which a key was stuck: `tooo`, `msssg`."""
    meant = _WITHOUT_REPEATS.get(_TWICE.sub(r"\1", word))
    return meant is not None and len(word) > len(meant)


def is_meant(word: str) -> bool:
    """Whether a word after a slash is, or nearly is, a whisper command, or the first letters of one."""
    return word in _BEGINNINGS or word in SLIPS or _is_long_slip(word, _LONG_AFTER_SLASH)


def beginnings(word: str) -> Iterator[int]:
    """How many letters of a word are one of those that make a text private, or nearly one: more may follow them."""
    if not (word[:1].isascii() or word[1:2].isascii()):
        return  # a slip makes one letter wrong at most
    for size in range(2, min(len(word), _LONGEST + 1)):
        part = word[:size]
        if part in _MEANT or (size >= _LONG - 1 and is_slip(part)):
            yield size


# For each length that a slip of a long word can have: the words' letters, and what is left without one of them.
_Long = dict[int, list[tuple[frozenset[str], set[str]]]]


def _long(words: Iterable[str]) -> _Long:
    found: _Long = {}
    for word in words:
        for length in (len(word) - 1, len(word), len(word) + 1) if len(word) >= _LONG else ():
            found.setdefault(length, []).append((frozenset(word), without_one(word)))
    return found


def _is_long_slip(word: str, long: _Long) -> bool:
    # Each first word is asked about. Most are too short, or show by their ends that they are none: neither is right.
    if len(word) not in long or not (
        word[:1] in _FIRST or word[-1:] in _LAST or word[1:] in _WITHOUT_END or word[:-1] in _WITHOUT_END
    ):
        return False
    # And most others by their letters, of which one at most is missing.
    alike = [shorter for letters, shorter in long[len(word)] if len(letters.difference(word)) <= 1]
    return bool(alike) and not without_one(word).isdisjoint(chain.from_iterable(alike))


def _beside() -> dict[str, str]:
    """The keys beside each key."""
    places = {key: (row, at) for row, keys in enumerate(_ROWS) for at, key in enumerate(keys)}
    # Each row is half a key further to the right than the one above it.
    return {
        key: "".join(
            other
            for other, (low, there) in places.items()
            if other != key and there - at in {row: (-1, 1), row + 1: (-1, 0), row - 1: (0, 1)}.get(low, ())
        )
        for key, (row, at) in places.items()
    }


def is_slip_of(typed: str, word: str) -> bool:
    """Whether `typed` is a word, perhaps with two letters exchanged, one twice, or a key beside the right one."""
    if not word or abs(len(typed) - len(word)) > 1:
        return False
    differ = (at for at, (one, other) in enumerate(zip(typed, word, strict=False)) if one != other)
    first = next(differ, min(len(typed), len(word)))
    # The slip is where they differ first, or right before that: no other needs to be tried.
    return typed == word or any(
        typed in _slips_at(word, at) for at in (first - 1, first) if 0 <= at < len(word)
    )


def keys_beside(key: str) -> str:
    """The keys beside one on a US keyboard."""
    return _BESIDE.get(key, "")


def _slips_at(word: str, at: int) -> Iterator[str]:
    before, key, after = word[:at], word[at], word[at + 1 :]
    yield f"{before}{after[:1]}{key}{after[1:]}"
    yield f"{before}{key}{key}{after}"
    for other in _BESIDE.get(key, ""):
        yield f"{before}{other}{after}"
        yield f"{before}{other}{key}{after}"
        yield f"{before}{key}{other}{after}"
    if 0 < at < len(word) - 1 and len(word) > 3:
        yield before + after


_BESIDE: Final = _beside()
_NO_SLIPS: Final = _ORDINARY.union(WORDS)
# A single letter is too short for a slip.
SLIPS: Final = (
    frozenset(
        slip for word in WORDS if len(word) > 1 for at in range(len(word)) for slip in _slips_at(word, at)
    )
    - _NO_SLIPS
)
"""The whisper keywords with one slip, but for some of the long ones."""
LONG: Final = tuple(word for word in WORDS if len(word) >= _LONG)
"""The keywords in which any letter may be wrong."""
_MEANT: Final = SLIPS.union(WORDS)
_BEGINNINGS: Final = frozenset(
    word[:size] for word in _AFTER_SLASH for size in range(1, len(word) + 1)
).difference(("me",))
_LONGEST: Final = 7  # letters of the longest of the words
_LONG_WORDS: Final = _long(WORDS)
_LONG_AFTER_SLASH: Final = _long(_AFTER_SLASH)
_LONG_BEFORE_NAME: Final = _long((*_AFTER_SLASH, "privately"))
_STUCK_FIRST: Final = frozenset(word[0] for word in _AFTER_SLASH)
_WITHOUT_REPEATS: Final = {_TWICE.sub(r"\1", word): word for word in _AFTER_SLASH if len(word) > 1}
_FIRST: Final = frozenset(word[0] for word in _AFTER_SLASH if len(word) >= _LONG)
_LAST: Final = frozenset(word[-1] for word in _AFTER_SLASH if len(word) >= _LONG)
_WITHOUT_END: Final = frozenset(part for word in _AFTER_SLASH for part in (word[1:], word[:-1]))
