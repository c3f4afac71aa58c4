"""Whether a field that the server does not know may be about who receives a text.

Such a text was probably not meant for the room, or was meant for someone else. A key counts by the words in it, in any
case or style, even with a slip. This module does not know the fields of requests.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Set
from enum import Enum, auto
from functools import cache, lru_cache
from itertools import islice
from typing import Final
from unicodedata import normalize

from chatroom.core.beginnings import without_one
from chatroom.core.characters import is_seen
from chatroom.core.errors import BadRequest

_MAX_FIELDS: Final = 64  # of a text, with nested ones and the elements of lists
_MAX_DEPTH: Final = 8
_MAX_KEYS: Final = 1024  # characters of all unknown keys together
_MAX_WORDS: Final = 8  # of a key; and of a value, of which no more are read
_MAX_VALUE: Final = 32  # characters read of a value


def _words(table: str) -> frozenset[str]:
    return frozenset(table.split())


# Words that name a recipient, or say that a text is not for all. These count only as they are, since other words are
# near them; so their usual slips are here as well.
_EXACT: Final = _words(
    """to too tto toi tio ot tp t0 for only onyl olny with whom cc bcc dm pm rcpt dest dst addr peer priv prv pvt
    except para pour naar komu fuer prive privado privato geheim destinataire destinatario empfaenger ricevente odbiorca
    poluchatel shoujianren jieshouren jieshouzhe siliao sixin fagei"""
)
_WITH_SLIPS: Final = _words(
    "recipient receiver receive addressee address target destination audience listener viewer partner whisper private "
    "privmsg secret direct hidden invisible confidential ephemeral exclude restricted personal"
)
# Near one of these by accident.
_HARMLESS: Final = _words("received viewed personas person persons")
# The value has to say that the text is for all.
_OPEN: Final = ("public", "visible", "visibility", "privacy", "scope", "everyone")
_SAYS_ALL: Final = _words("true yes 1 on all everyone everybody public open room global visible")
# The value may be one of the words above.
_KINDS: Final = _words("type tpye mode kind channel chanel channle")
_PRIVATE_VALUE: Final = re.compile("[@＠私悄密单單]|личн|приват|секрет|비밀|귓|個人|内緒", re.IGNORECASE)
# Replies are to messages.
_TO_A_MESSAGE: Final = frozenset(("reply", "to"))
_REPLY_WORDS: Final = frozenset(("in", "is", "id", *_TO_A_MESSAGE))

_WORD: Final = re.compile(r"[A-Z]+(?![a-z])[0-9]*|[A-Z]?[a-z]+[0-9]*|[0-9]+")
# What else is in one word with them: `touser`, `sendto`, `isprivate`, `recipients`.
_AFFIXES: Final = re.compile(
    r"(?:is|send|sent|msg|message|user|name|nick|sid|id)?(..+?)"
    r"(?:user|username|name|nick|person|sid|uid|id|who|only|to|for|msg|message|list|ly|ed|e?s)?[0-9]*"
)
_SHORTEST_FOR_A_SLIP: Final = 5  # letters
_SHORTEST_FOR_TWO: Final = 8
_LONGEST_WITH_SLIPS: Final = 16


class _Says(Enum):
    """What a word in a key says."""

    NOTHING = auto()
    PRIVATE = auto()
    OPEN = auto()  # whether it is for all, as the value says
    KIND = auto()


def check_unknown(data: Mapping[str, object], known: Set[str], private: Collection[str]) -> None:
    """Check the fields of a text for the room, or for one person.

    Args:
        known: the keys that the request may have; they are not looked at.
        private: further keys of requests, which only a private text may have.

    Raises:
        BadRequest: a field may be about who receives the text, or there are too many, or they are nested too deeply.
    """
    if data.keys() <= known:
        return  # as most have no unknown field
    if len(data) > _MAX_FIELDS:
        raise BadRequest()
    letters = 0
    for fields, (top, key, value) in enumerate(_fields({k: v for k, v in data.items() if k not in known})):
        letters += len(key)
        if fields >= _MAX_FIELDS or letters > _MAX_KEYS:
            raise BadRequest()
        if key in private or _may_be_private(key, value):
            raise BadRequest(field=top)


def _fields(data: Mapping[str, object]) -> Iterator[tuple[str, str, object]]:
    """All fields, nested ones too: each with the key of the outermost one; an element of a list has no key."""
    waiting = [(key, key, value, 1) for key, value in data.items()]
    while waiting:
        top, key, value, depth = waiting.pop()
        yield top, key, value
        if isinstance(value, dict | list) and value:
            if depth > _MAX_DEPTH or len(value) > _MAX_FIELDS:
                raise BadRequest()
            inner = value.items() if isinstance(value, dict) else ((key, one) for one in value)
            waiting += ((top, name, one, depth + 1) for name, one in inner)


def _may_be_private(key: str, value: object) -> bool:
    plain = _in_ascii(key)
    if plain is None:
        return True
    words = [word.lower() for word in islice(_WORD.findall(plain), _MAX_WORDS + 1)]
    if len(words) > _MAX_WORDS:
        return True
    if _TO_A_MESSAGE <= set(words) <= _REPLY_WORDS:
        return False
    says = {_what(word) for word in (*words, "".join(words))}
    if _Says.PRIVATE in says or (_Says.OPEN in says and not _says_all(value)):
        return True
    return _Says.KIND in says and isinstance(value, str) and _is_private_value(value[:_MAX_VALUE])


def _says_all(value: object) -> bool:
    if isinstance(value, str):
        return value[:_MAX_VALUE].strip().lower() in _SAYS_ALL
    return value is True or value == 1


def _is_private_value(value: str) -> bool:
    plain = _in_ascii(value)
    if plain is None or _PRIVATE_VALUE.search(value):
        return _PRIVATE_VALUE.search(value) is not None
    words = [word.lower() for word in islice(_WORD.findall(plain), _MAX_WORDS)]
    return any(_what(word) is _Says.PRIVATE for word in (*words, "".join(words)))


def _in_ascii(text: str) -> str | None:
    """The text in ASCII, without hidden characters; None if that cannot be."""
    if text.isascii():
        return text
    plain = "".join(map(_plain, text))
    return plain if plain.isascii() else None


@lru_cache(maxsize=1024)
def _plain(character: str) -> str:
    return normalize("NFKC", character) if is_seen(character) else ""


@lru_cache(maxsize=1024)
def _what(word: str) -> _Says:
    if word in _HARMLESS:
        return _Says.NOTHING
    found = _AFFIXES.fullmatch(word)
    for one in {word, found[1] if found is not None else word}:
        if one in _EXACT:
            return _Says.PRIVATE
        if one in _KINDS:
            return _Says.KIND
        if one in _OPEN:
            return _Says.OPEN
        meant = _slipped(one)
        if meant is not None:
            return _Says.OPEN if meant in _OPEN else _Says.PRIVATE
    return _Says.NOTHING


def _slipped(word: str) -> str | None:
    """The word of the tables that this one is, or is with a slip; two, if it is long."""
    if not _SHORTEST_FOR_A_SLIP <= len(word) <= _LONGEST_WITH_SLIPS:
        return None
    near = (meant for piece in without_one(word) for meant in _by_piece().get(piece, ()))
    return next((one for one in near if len(one) >= _SHORTEST_FOR_TWO or _is_one_slip(word, one)), None)


@cache
def _by_piece() -> dict[str, list[str]]:
    by_piece: dict[str, list[str]] = {}
    for word in (*_WITH_SLIPS, *_OPEN):
        for piece in without_one(word) if len(word) > _SHORTEST_FOR_A_SLIP else (word,):
            by_piece.setdefault(piece, []).append(word)
    return by_piece


def _is_one_slip(word: str, meant: str) -> bool:
    """Whether they differ by one letter that is added, missing or wrong, or by two swapped neighbours."""
    if len(word) != len(meant):
        longer, shorter = (word, meant) if len(word) > len(meant) else (meant, word)
        return shorter in without_one(longer)
    differ = [at for at in range(len(word)) if word[at] != meant[at]]
    swapped = len(differ) == 2 and differ[1] == differ[0] + 1 and sorted(word) == sorted(meant)
    return len(differ) < 2 or swapped
