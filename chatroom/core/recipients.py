"""Whom a typed text is for, by the name that it begins with: `Ming Li hello` is for Ming Li rather than for Ming.

A name may contain spaces, quotes and punctuation, so where it ends depends on who can be meant: the caller finds people
by name.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import islice
from typing import Final, Generic, NamedTuple, TypeVar

from chatroom.core.characters import POINTS_EACH
from chatroom.core.names import NAME_LENGTH

QUOTES: Final = {'"': '"', "“": "”"}
SEPARATORS = re.compile("[:,;.!?>=\u2013\u2014\u3001\u3002\uff01\uff0c\uff0e\uff1a\uff1b\uff1f]")
_BEFORE_REST = re.compile(rf"\A(?:\s|{SEPARATORS.pattern})+")
_FILLER = re.compile(r"\A\W*to[\W_]+", re.IGNORECASE)  # `msg to Bob`
_PUNCTUATION = re.compile(r"[^\w\s]")
_SPACES = re.compile(r"[^\S\n]+")
_LONGEST = NAME_LENGTH * POINTS_EACH  # code points
_WORD = re.compile(r"\S+")
_MOST_WORDS = (NAME_LENGTH + 1) // 2  # of a name: each has a character that is seen, and a space between two

_Who = TypeVar("_Who")


class Match(NamedTuple, Generic[_Who]):
    """The person whose name a text begins with.

    Attributes:
        rest: what follows the name, without the spaces between.
        length: of the name and what precedes it.
    """

    who: _Who
    rest: str
    length: int


def longest_match(text: str, find: Callable[[str], _Who | None]) -> Match[_Who] | None:
    """Split a text that begins with a name: `Ming Li hello` is for Ming Li rather than for Ming.

    A name ends at a space or with the text, or is in quotes (“…” or "…"). Case does not matter, nor do the kind and
    number of the spaces inside a name.
    """
    start = len(text) - len(text.lstrip())
    text = text[start:]
    quote = QUOTES.get(text[:1])
    closing = text.rfind(quote, 1, _LONGEST + 2) if quote is not None else -1
    while quote is not None and closing > 0:  # the last one first: a name may contain quotes itself
        who = find(text[1:closing])
        if who is not None:
            return Match(who, text[closing + 1 :].lstrip(), start + closing + 1)
        closing = text.rfind(quote, 1, closing)
    ends = [word.end() for word in islice(_WORD.finditer(text, 0, _LONGEST), _MOST_WORDS)]
    for end in reversed(ends):
        if end == len(text) or text[end].isspace():
            who = find(_SPACES.sub(" ", text[:end]))
            if who is not None:
                return Match(who, text[end:].lstrip(), start + end)
    return None


def punctuated_match(text: str, find: Callable[[str], _Who | None]) -> Match[_Who] | None:
    """Like `longest_match`, but punctuation may also end the name: `Bob, hello`."""
    found = longest_match(text, find) or longest_match(SEPARATORS.sub(" ", text), find)
    if found is None:
        return None
    return found._replace(rest=_BEFORE_REST.sub("", text[found.length :]))


def loose_match(text: str, find: Callable[[str], _Who | None]) -> Match[_Who] | None:
    """Like `longest_match`, for a mistyped text: any punctuation may end the name, and `to` may precede it."""
    bare = _FILLER.sub("", text, count=1)
    candidates = (text, SEPARATORS.sub(" ", text), SEPARATORS.sub(" ", bare), _PUNCTUATION.sub(" ", bare))
    return next(
        (found for one in dict.fromkeys(candidates) if (found := longest_match(one, find)) is not None), None
    )
