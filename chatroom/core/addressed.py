"""Whom a session knows by which name: whom it has written to, and who has written to it, in each room.

A name is trusted only as long as nobody else has had it since the session last wrote to this person by that name.
Identities are only compared; times are passed in, in seconds.
"""

from __future__ import annotations

from math import inf
from typing import Final, NamedTuple, Self

from chatroom.core.confusables import fold
from chatroom.core.names import name_key
from chatroom.core.recent import Gone

MOST_ADDRESSED: Final = 64  # remembered per session in its room
MOST_HEARD: Final = 64
MOST_ELSEWHERE: Final = 128  # in the rooms that it was in before


class Known(NamedTuple):
    """Who had a name.

    Attributes:
        identity: whose it was; "" if several had it.
        at: when the session last wrote to them by this name; minus infinity if it has never chosen them by it.
    """

    identity: str
    at: float = -inf


_PackedRoom = tuple[
    tuple[str, str, float, bool], ...
]  # name, identity, when, and whether the session has written
PackedAddressed = tuple[tuple[str, _PackedRoom], ...]  # by room


class Addressed:
    """The people that one session knows, by name."""

    __slots__ = ("_asked", "_by_key", "_elsewhere", "_heard")

    def __init__(self) -> None:
        self._by_key: dict[str, Known] = {}
        # The names that a refusal was about since they were used, and whose they were.
        self._asked: dict[str, Known] = {}
        # Who has written to the session, and it not to them: the name by which each first did.
        self._heard: dict[str, Known] = {}
        self._elsewhere: dict[str, _PackedRoom] = {}  # by room, the one left first comes first

    def __contains__(self, name: str) -> bool:
        key = fold(name)
        known = self._by_key.get(key) or self._heard.get(key)
        return known is not None and known.identity != ""

    def has_chosen(self, name: str) -> bool:
        """Whether the session has chosen someone by this name."""
        known = self._by_key.get(fold(name))
        return known is not None and known.identity != "" and known.at > -inf

    def is_other(
        self, name: str, identity: str, before: Gone | None, *, since: float = -inf, now: float = 0.0
    ) -> bool:
        """Whether a name now belongs to someone other than the person that the session knows; true only once.

        Args:
            identity: whose name it is now.
            before: who gave up the name, or one that looks the same.
            since: since when nobody else has had it; minus infinity if nobody else is known to have had it.
        """
        key = fold(name)
        known = self._known(key, name)
        other = next((one for one in known if one.identity != identity), None)
        if other is None and not any(one.at > -inf and one.at >= since for one in known):
            if known and since > -inf:
                other = Known("")
            elif before is not None and before.identity != identity:
                other = Known(before.identity)
        self._remember(key, Known(identity, now))
        if other is None:
            self._asked.pop(key, None)
            return False
        self._asked.setdefault(key, other)
        return True

    def _known(self, key: str, name: str) -> list[Known]:
        """Who is known by this name, or else by those that look the same: `@Bob` may be taken for `Bob`."""
        if (own := self._by_key.get(key)) is not None:
            return [own]
        look = name_key(name)
        return [
            one
            for known in (self._by_key, self._heard)
            for key, one in known.items()
            if name_key(key) == look
        ]

    def met(self, name: str, identity: str, *, has_written: bool) -> None:
        """A private text was exchanged with this person, whose name the session did not choose for it.

        Args:
            has_written: the session has sent it.
        """
        key = fold(name)
        if key in self._by_key:
            return
        if has_written:
            self._remember(key, Known(identity))
        elif key not in self._heard:
            for other in [other for other, one in self._heard.items() if one.identity == identity]:
                del self._heard[other]
            self._heard[key] = Known(identity)
            if len(self._heard) > MOST_HEARD:
                del self._heard[next(iter(self._heard))]

    def confirm(self, identity: str) -> None:
        """The session writes to this person, whatever it knew of their name."""
        for key in [key for key in self._asked if self._by_key[key].identity == identity]:
            del self._asked[key]

    def knows(self, name: str, identity: str) -> bool:
        """Whether the session has written to this person by this name."""
        known = self._by_key.get(fold(name))
        return known is not None and known.identity == identity

    def trusts(self, name: str, identity: str, since: float) -> bool:
        """Whether the session has chosen this person by this name, and nobody else has had it since."""
        known = self._by_key.get(fold(name))
        return known is not None and known.identity == identity and known.at > -inf and known.at >= since

    def packed(self, room: str) -> PackedAddressed:
        """The names, each with whose it is, for a guest who comes back; without the dictionaries, which are large.

        The guest may not have read the refusals since which they have not used a name: these are asked about again.

        Args:
            room: the key of the room that the session is in.
        """
        here = self._packed_here()
        return (*self._elsewhere.items(), *(((room, here),) if here else ()))

    @classmethod
    def unpacked(cls, packed: PackedAddressed, room: str) -> Self:
        """What was packed, for a session in this room."""
        addressed = cls()
        addressed._elsewhere.update(packed)
        addressed._load(room)
        return addressed

    def move(self, old: str, new: str) -> None:
        """The session goes from one room to another, where the names belong to others."""
        if here := self._packed_here():
            self._elsewhere[old] = here
        for known in (self._by_key, self._asked, self._heard):
            known.clear()
        self._load(new)
        while sum(map(len, self._elsewhere.values())) > MOST_ELSEWHERE:
            del self._elsewhere[next(iter(self._elsewhere))]

    def _packed_here(self) -> _PackedRoom:
        written = tuple((key, *one, True) for key, one in (self._by_key | self._asked).items())
        return written + tuple((key, *one, False) for key, one in self._heard.items())

    def _load(self, room: str) -> None:
        for key, identity, at, has_written in self._elsewhere.pop(room, ()):
            (self._by_key if has_written else self._heard)[key] = Known(identity, at)

    def _remember(self, key: str, known: Known) -> None:
        self._heard.pop(key, None)
        self._by_key.pop(key, None)
        self._by_key[key] = known
        while len(self._by_key) > MOST_ADDRESSED:
            oldest = next(iter(self._by_key))
            del self._by_key[oldest]
            self._asked.pop(oldest, None)
