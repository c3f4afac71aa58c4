"""Whom a typed text is for, by the name that it begins with: `Ming Li hello` is for Ming Li rather than for Ming.

A name may contain spaces, quotes and punctuation, so where it ends depends on who is in the room, who has left lately,
and whom the writer knows. Where two people can be meant, the text is refused.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice
from typing import Final, Generic, NamedTuple, TypeVar

from chatroom.core.characters import POINTS_EACH
from chatroom.core.errors import NameGone, NameUnclear, NoSuchPartner, NoSuchPerson, Refusal, TextBehindTo
from chatroom.core.events import Person
from chatroom.core.names import NAME_LENGTH, printable
from chatroom.core.recent import Addressed, Gone

Here = Callable[[str], Person | None]
Lately = Callable[[str], Gone | None]

_QUOTES: Final = {'"': '"', "“": "”"}
_QUOTED = re.compile('["“](.+)["”]')
_SEPARATORS = re.compile("[:,;.!?>=\u2013\u2014\u3001\u3002\uff01\uff0c\uff0e\uff1a\uff1b\uff1f]")
_BEFORE_REST = re.compile(rf"\A(?:\s|{_SEPARATORS.pattern})+")
_FILLER = re.compile(r"\A\W*to[\W_]+", re.IGNORECASE)  # `msg to Bob`
_PUNCTUATION = re.compile(r"[^\w\s]")
_SPACES = re.compile(r"[^\S\n]+")
_LONGEST = NAME_LENGTH * POINTS_EACH  # code points
_LOOSE = 2 * _LONGEST  # how far a name reaches in a mistyped text, with what precedes it
_WORD = re.compile(r"\S+")
_LAST_SPACE = re.compile(r"(.*\S)\s", re.DOTALL)
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
    quote = _QUOTES.get(text[:1])
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
    found = longest_match(text, find) or longest_match(_SEPARATORS.sub(" ", text), find)
    if found is None:
        return None
    return found._replace(rest=_BEFORE_REST.sub("", text[found.length :]))


def loose_match(text: str, find: Callable[[str], _Who | None]) -> Match[_Who] | None:
    """Like `longest_match`, for a mistyped text: any punctuation may end the name, and `to` may precede it."""
    text = text[:_LOOSE]
    bare = _FILLER.sub("", text, count=1)
    candidates = (text, _SEPARATORS.sub(" ", text), _SEPARATORS.sub(" ", bare), _PUNCTUATION.sub(" ", bare))
    return next(
        (found for one in dict.fromkeys(candidates) if (found := longest_match(one, find)) is not None), None
    )


@dataclass(frozen=True, slots=True)
class People:
    """Those whom a writer may mean.

    Attributes:
        here: finds who is in the room by name.
        lately: the same for those who gave up a name recently.
        known: whom the writer has written to.
    """

    here: Here
    lately: Lately
    known: Addressed


def recipient(rest: str, people: People) -> tuple[Person, str]:
    """The recipient of `/to REST`, and the text.

    Raises:
        NameGone: it may be for someone who left recently.
        NameUnclear: it may be for someone with a shorter name.
        NoSuchPerson: it begins with nobody's name, or with a longer name that no space follows.
    """
    found = longest_match(rest, people.here)
    spaced = _SEPARATORS.sub(" ", rest)
    closer = longest_match(spaced, people.here)
    gone = longest_match(spaced, people.lately)
    if (
        gone is not None
        and found is not None
        and gone.length > max(found.length, closer.length if closer else 0)
    ):
        raise NameGone(name=gone.who.name, other=found.who.name)
    if closer is not None and found is not None and closer.length > found.length:
        raise NoSuchPerson(name=printable(rest[: closer.length + 1]))
    if found is None:
        raise NoSuchPerson(name=gone.who.name if gone is not None else _first_name(rest))
    _check_shorter(rest[: found.length], found.who.name, people)
    return found.who, found.rest


def partner_name(written: str, people: People) -> str:
    """The name of someone here in `to:WRITTEN`: as it is, or without the quotes around it.

    Raises:
        NoSuchPartner: nobody here has that name.
        TextBehindTo: there is a text after the name.
        NameGone, NameUnclear: as `recipient`.
    """
    names = (written, without_quotes(written))
    found = next((name for name in names if people.here(name) is not None), None)
    if found is None:
        raise _no_partner(written, people)
    if _SEPARATORS.match(written[-1]):  # `to:Bob:` is probably for Bob, even if someone is called `Bob:`
        _check_shorter(written, found, people)
    return found


def without_quotes(name: str) -> str:
    """A name without the quotes around it."""
    quoted = _QUOTED.fullmatch(name)
    return quoted[1] if quoted is not None else name


def _check_shorter(written: str, name: str, people: People) -> None:
    """Ask who is meant if the writer knows someone with a shorter name, and has never written to this person.

    So a person called `Bob I` does not receive `/to Bob I miss you`. For a name in quotes there is no question.

    Raises:
        NameUnclear: both are here.
        NameGone: the other one left recently.
    """
    ends = _LAST_SPACE.match(_SEPARATORS.sub(" ", written))
    known = people.known
    if ends is None or not known or name in known or written.lstrip()[0] in _QUOTES:
        return
    here = longest_match(ends[1], lambda one: people.here(one) if one in known else None)
    if here is not None:
        raise NameUnclear(name=name, other=here.who.name)
    gone = longest_match(ends[1], lambda one: people.lately(one) if one in known else None)
    if gone is not None:
        raise NameGone(name=gone.who.name, other=name)


def _first_name(rest: str) -> str:
    """The name that `/to REST` was probably for: the one in quotes, or the first word."""
    quote = _QUOTES.get(rest[:1])
    return printable(rest[1:].split(quote)[0] if quote is not None else rest.split(None, 1)[0])


def _no_partner(written: str, people: People) -> Refusal:
    """Why `to:WRITTEN` names nobody: it has a text after the name, or nobody here has that name."""
    here = punctuated_match(written, people.here)
    gone = punctuated_match(written, people.lately)
    if gone is not None and (here is None or gone.length > here.length):
        return NoSuchPartner(name=gone.who.name)
    if here is not None:
        return TextBehindTo.of(here.who.name, here.rest)
    return NoSuchPartner(name=printable(without_quotes(written)))
