"""Whether a text that is nearly a private one, or nearly a command, may be sent: no other module decides this.

`core.near_misses` knows what it nearly is; whether that was meant depends on who is here and which rooms exist.
Examples define the boundary, with a reason for each: `tests/core/near.json`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Final, NamedTuple

from chatroom.core.errors import (
    LooksLikeJoin,
    LooksPrivate,
    LooksPrivateGone,
    NoSuchPartner,
    Refusal,
    UnknownJoin,
)
from chatroom.core.events import Person
from chatroom.core.folding import trimmed
from chatroom.core.name_ends import loose_match
from chatroom.core.names import printable
from chatroom.core.near_misses import Near, NearJoin, NearWhisper
from chatroom.core.recent import Gone
from chatroom.core.recipients import People, no_such


class Found(NamedTuple):
    """Who is meant, and the text for them."""

    who: Person | Gone
    rest: str


_SHORTEST_BEHIND_LETTERS: Final = 3  # characters of a name, or of a room's
_LETTER: Final = re.compile(r"\w")


def check(near: Iterable[Near], people: People, is_room: Callable[[str], bool]) -> None:
    """Refuse a text that was probably meant for one person, or for another room.

    Args:
        people: whom the writer may mean.
        is_room: whether there is another room with this name.

    Raises:
        LooksPrivate: it was probably meant for this person.
        NoSuchPartner: it is `to:NAME` with a slip, and nobody has that name.
        LooksLikeJoin: it was probably `/join`, and the room exists.
        UnknownJoin: it was `/join` in another keyboard layout.
    """
    refused = next(filter(None, (_refusal(one, people, is_room) for one in near)), None)
    if refused is not None:
        raise refused.with_doubt()


def name_meant(rest: str, people: People) -> bool:
    """Whether a text begins with the name of someone who is here or had it recently."""
    return (
        loose_match(rest, people.here, people.reach_here) is not None
        or loose_match(rest, people.lately, people.reach_lately) is not None
    )


def _refusal(near: Near, people: People, is_room: Callable[[str], bool]) -> Refusal | None:
    match near:
        case NearWhisper():
            found = next((found for found in _meant(near, people) if not _may_end_word(near, found)), None)
            if found is not None:
                return _looks_private(found, people)
            if not near.is_certain:
                return None
            return no_such(NoSuchPartner, printable(trimmed(near.rest)), near.rest, people)
        case NearJoin(is_certain=True):
            return UnknownJoin(command="join").with_doubt(people=True)
        case NearJoin(room, is_word):
            names = (trimmed(room), _between_letters(room))
            if is_word and len(names[0]) < _SHORTEST_BEHIND_LETTERS:
                return None
            meant = next(filter(is_room, names), None)
            return LooksLikeJoin(usage="/join ROOM", room=meant) if meant is not None else None


def _looks_private(found: Found, people: People) -> LooksPrivate:
    if isinstance(found.who, Person):
        return LooksPrivate.of(found.who.name, found.rest)
    now = people.now(found.who)
    if now is not None:
        return LooksPrivateGone.renamed(found.who.name, now.name, found.rest)
    return LooksPrivateGone(usage="/to NAME TEXT", name=found.who.name)


def _meant(near: NearWhisper, people: People) -> Iterator[Found]:
    """Whose names what follows a slip begins with; those who are here come first."""
    runs_on = near.runs_on
    for rest in dict.fromkeys((near.rest, *near.other_rests)):
        if (here := loose_match(rest, people.here, people.reach_here, runs_on=runs_on)) is not None:
            yield Found(here.who, here.rest)
        elif (gone := loose_match(rest, people.lately, people.reach_lately, runs_on=runs_on)) is not None:
            yield Found(gone.who, gone.rest)
    for whole in near.wholes:
        name = trimmed(whole.partition("\n")[0])
        if (who := people.here(name) or people.lately(name)) is not None:
            yield Found(who, "")


def _may_end_word(near: NearWhisper, found: Found) -> bool:
    """Whether the letters before a name may be the beginning of a word: `top` and `total`, if P and Al are here."""
    return near.is_word and _is_short(found.who.name)


def _between_letters(text: str) -> str:
    """The text from its first letter or digit to its last one."""
    first, behind = _LETTER.search(text), _LETTER.search(text[::-1])
    return text[first.start() : len(text) - behind.start()] if first and behind else ""


def _is_short(name: str) -> bool:
    return name.isascii() and len(name) < _SHORTEST_BEHIND_LETTERS
