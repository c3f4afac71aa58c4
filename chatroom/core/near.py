"""Whether a text that is nearly a private one, or nearly a command, may be sent: only this module decides it.

`core.nearly` knows what it nearly is; whether that was meant depends on who is here and which rooms exist. Examples
define the boundary, with a reason for each: `tests/core/near.json`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Final

from chatroom.core.errors import LooksLikeJoin, LooksPrivate, NoSuchPartner, Refusal, UnknownJoin
from chatroom.core.folding import trimmed
from chatroom.core.names import printable
from chatroom.core.nearly import Near, NearJoin, NearWhisper
from chatroom.core.recipients import Here, Lately, loose_match

_SHORTEST_BEHIND_LETTERS: Final = 3  # characters of a name, or of a room's
_ENDS: Final = re.compile(r"^[^\w]+|[^\w]+$")


def check(near: Iterable[Near], here: Here, lately: Lately, is_room: Callable[[str], bool]) -> None:
    """Refuse a text that was probably meant for one person, or for another room.

    Args:
        here: finds who is in the room by name.
        lately: the same for those who gave up a name recently.
        is_room: whether there is another room with this name.

    Raises:
        LooksPrivate: it was probably meant for this person.
        NoSuchPartner: it is `to:NAME` with a slip, and nobody has that name.
        LooksLikeJoin: it was probably `/join`, and the room exists.
    """
    refused = next(filter(None, (_refusal(one, here, lately, is_room) for one in near)), None)
    if refused is not None:
        raise refused.with_doubt()


def name_meant(rest: str, here: Here, lately: Lately, *, runs_on: bool = False) -> str | None:
    """The name that a text begins with, of someone who is here or had it recently."""
    found = loose_match(rest, here, runs_on=runs_on)
    if found is not None:
        return found.who.name
    gone = loose_match(rest, lately, runs_on=runs_on)
    return gone.who.name if gone is not None else None


def _refusal(near: Near, here: Here, lately: Lately, is_room: Callable[[str], bool]) -> Refusal | None:
    match near:
        case NearWhisper():
            name = (
                _name_behind_word(near, here, lately)
                if near.is_word
                else _name_behind_slip(near, here, lately)
            )
            if name is not None:
                return LooksPrivate(usage="/to NAME TEXT", name=name)
            return NoSuchPartner(name=printable(trimmed(near.rest))) if near.is_certain else None
        case NearJoin(is_certain=True):
            return UnknownJoin(command="join").with_doubt(people=True)
        case NearJoin(room, is_word):
            names = (
                ()
                if is_word and len(trimmed(room)) < _SHORTEST_BEHIND_LETTERS
                else (trimmed(room), _ENDS.sub("", room))
            )
            meant = next(filter(is_room, names), None)
            return LooksLikeJoin(usage="/join ROOM", room=meant) if meant is not None else None


def _name_behind_slip(near: NearWhisper, here: Here, lately: Lately) -> str | None:
    rests = (near.rest, *near.other_rests)
    names = (name_meant(rest, here, lately, runs_on=near.runs_on) for rest in rests)
    return next(filter(None, names), None) or next(_whole_names(near, here, lately), None)


def _name_behind_word(near: NearWhisper, here: Here, lately: Lately) -> str | None:
    """Whose name follows letters that may be the beginning of a word: `toBob`, `topBob`.

    Very short names do not count, or `top` and `total` could not be sent while P and Al are here.
    """
    names = (name_meant(near.rest, here, lately), *_whole_names(near, here, lately))
    return next((name for name in names if name is not None and not _may_end_words(name)), None)


def _whole_names(near: NearWhisper, here: Here, lately: Lately) -> Iterator[str]:
    lines = (trimmed(text.partition("\n")[0]) for text in near.wholes)
    return (found.name for line in lines if (found := here(line) or lately(line)) is not None)


def _may_end_words(name: str) -> bool:
    return name.isascii() and len(name) < _SHORTEST_BEHIND_LETTERS
