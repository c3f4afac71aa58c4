"""Who is in a room, as far as it has been announced there.

What is decided waits in the feed behind messages that are being committed. A roster follows the feed: it has what the
people in the room have seen so far.
"""

import re
from collections.abc import Callable
from itertools import islice
from typing import Generic, NamedTuple, TypeVar

from chatroom.core.characters import POINTS_EACH
from chatroom.core.confusables import fold
from chatroom.core.errors import Misuse
from chatroom.core.events import Joined, Left, Person, Presence, Present, Renamed, Why
from chatroom.core.names import NAME_LENGTH, name_key

_QUOTES = {'"': '"', "“": "”"}
SEPARATORS = re.compile("[:,;.!?>=\u2013\u2014\u3001\u3002\uff01\uff0c\uff0e\uff1a\uff1b\uff1f]")
_BEFORE_REST = re.compile(rf"\A(?:\s|{SEPARATORS.pattern})+")
_FILLER = re.compile(r"\A\W*to[\W_]+", re.IGNORECASE)  # `msg to Bob`
_PUNCTUATION = re.compile(r"[^\w\s]")
_SPACES = re.compile(r"[^\S\n]+")
_LONGEST = NAME_LENGTH * POINTS_EACH  # code points
_WORD = re.compile(r"\S+")
_MOST_WORDS = (NAME_LENGTH + 1) // 2  # of a name: each has a character that is seen, and a space between two


class Roster:
    """The people of one room, in order of joining."""

    __slots__ = ("_by_key", "_by_sid", "_claims")

    def __init__(self) -> None:
        self._claims: dict[str, int] = {}
        self._by_sid: dict[str, Person] = {}
        self._by_key: dict[str, Person] = {}

    def __len__(self) -> int:
        return len(self._by_sid)

    def __contains__(self, sid: object) -> bool:
        return sid in self._by_sid

    def get(self, sid: str) -> Person | None:
        """The person with this session id."""
        return self._by_sid.get(sid)

    def people(self) -> list[Person]:
        """Everybody, in order of joining; a rename keeps the place."""
        return list(self._by_sid.values())

    def apply(self, event: Presence) -> None:
        """Follow an announcement.

        Raises:
            Misuse: it contradicts an earlier one.
        """
        if isinstance(event, Joined):
            if event.who.sid in self._by_sid:
                raise Misuse(f"{event.who.sid} was announced twice")
            self._put(event.who)
            self._claims[event.who.sid] = event.claim
        elif isinstance(event, Left):
            self._drop_name(event.who.sid)
            del self._by_sid[event.who.sid], self._claims[event.who.sid]
        else:
            self._drop_name(event.sid)
            self._put(Person(event.sid, event.new))

    def changes(self, present: Present) -> list[Presence]:
        """What must have happened since the last announcement, given who is here now: leaves, renames, joins."""
        now = {joined.who.sid: joined for joined in present.people}
        stays = {sid for sid, claim in self._claims.items() if sid in now and now[sid].claim == claim}
        left = [
            Left(who, Why.LOST, self._claims[sid]) for sid, who in self._by_sid.items() if sid not in stays
        ]
        renamed = [
            Renamed(sid, who.name, now[sid].who.name)
            for sid, who in self._by_sid.items()
            if sid in stays and now[sid].who.name != who.name
        ]
        joined = [each for sid, each in now.items() if sid not in stays]
        return [*left, *renamed, *joined]

    def replace(self, present: Present) -> None:
        """Replace everybody by those who are here now, in this order."""
        self._by_sid, self._by_key, self._claims = {}, {}, {}
        for joined in present.people:
            self.apply(joined)

    def find(self, name: str) -> Person | None:
        """The person with this name, in whatever case; never one whose name only looks the same."""
        person = self._by_key.get(name_key(name))
        return person if person is not None and fold(person.name) == fold(name) else None

    def longest_match(self, text: str) -> tuple[Person, str] | None:
        """The person whose name a text begins with, and the rest; None if it begins with nobody's."""
        found = longest_match(text, self.find)
        return None if found is None else (found.who, found.rest)

    def _put(self, person: Person) -> None:
        self._by_sid[person.sid] = self._by_key[name_key(person.name)] = person

    def _drop_name(self, sid: str) -> None:
        person = self._by_sid.get(sid)
        if person is None:
            raise Misuse(f"{sid} was never announced")
        key = name_key(person.name)
        if self._by_key.get(key) is person:  # otherwise someone else has it already: two have swapped names
            del self._by_key[key]


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
