"""Names that were given up in a room, recently or by people who are still there, and who has had a name since when.

With these, a text for someone who has left reaches neither someone with a shorter name nor someone who has taken over
the name. Identities are only compared; times are passed in, in seconds.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from math import inf
from typing import Final, NamedTuple, Self

from chatroom.core.beginnings import Beginnings, FirstWords
from chatroom.core.confusables import fold
from chatroom.core.names import may_be_name, name_key, name_typed
from chatroom.core.spellings import Spellings

LATELY_S: Final = 600.0
MOST_NAMES: Final = 2000  # remembered per room
MOST_EACH: Final = 8  # of them per person, so that one person's renames do not push out the names of others


@dataclass(frozen=True, slots=True)
class Gone:
    """A name that was given up.

    Attributes:
        identity: whose it was; "" if several had it recently, so that none of them is mistaken for another.
        sid: the session that has since changed its name; "" if it left, or if several had the name.
    """

    name: str
    identity: str
    at: float
    sid: str = ""


class _Held(NamedTuple):
    """Whose a name is, and since when nobody else has had it."""

    identity: str
    since: float


PackedNames = tuple[tuple[str, str, float], ...]  # name, identity and when it was given up; the oldest first


class RecentNames:
    """The names that were given up in one room in the last ten minutes, or by people who are still there; of many, the
    latest.
    """

    __slots__ = (
        "_beginnings",
        "_by_key",
        "_by_look",
        "_first_words",
        "_former",
        "_former_of",
        "_keys_of",
        "_spellings",
        "_watched",
    )

    def __init__(self) -> None:
        self._by_key: dict[str, Gone] = {}  # the oldest first
        self._by_look: dict[str, Gone] = {}  # by `name_key`, the oldest first
        self._keys_of: dict[str, dict[str, None]] = {}  # by identity, the oldest first
        # The former names of people who are still here, each with the time when another person last gave it up.
        self._former: dict[str, tuple[Gone, float]] = {}
        self._former_of: dict[str, dict[str, None]] = {}  # by session, the oldest first
        self._beginnings = Beginnings()
        self._first_words = FirstWords()
        self._spellings = Spellings()
        # Of names by which people know each other, by `name_key`: who has it; what was known longest ago comes first.
        self._watched: dict[str, _Held] = {}

    def packed(self, most: int) -> PackedNames:
        """The latest names, for a room that closes; without the dictionaries, which are large."""
        gone = list(self._by_key.values())[-most:]
        return tuple((one.name, one.identity, one.at) for one in gone)

    @classmethod
    def unpacked(cls, packed: PackedNames) -> Self:
        """What was packed."""
        names = cls()
        for name, identity, at in packed:
            names.add(name, identity, at)
        return names

    def add(self, name: str, identity: str, now: float, renamed: str = "") -> None:
        """Somebody has given up their name.

        Args:
            renamed: the session that only changed its name; "" if it left.
        """
        before = self.find(name, now)
        is_other = before is not None and before.identity != identity
        key = fold(name)
        self._note_former(
            key, Gone(name, identity, now, renamed), before.at if before is not None and is_other else -inf
        )
        if is_other:
            identity = renamed = ""
        self._drop(key)
        gone = self._by_key[key] = Gone(name, identity, now, renamed)
        self._note_look(gone)
        self._beginnings.add(name)
        self._spellings.add(name)
        self._first_words.add(key)
        if identity:
            own = self._keys_of.setdefault(identity, {})
            own[key] = None
            if len(own) > MOST_EACH:
                self._drop(next(iter(own)))
        while len(self._by_key) > MOST_NAMES or now - next(iter(self._by_key.values())).at > LATELY_S:
            self._drop(next(iter(self._by_key)))

    def _note_look(self, gone: Gone) -> None:
        look, oldest_at = name_key(gone.name), gone.at - LATELY_S
        before = self._by_look.pop(look, None)
        is_other = before is not None and before.at >= oldest_at and before.identity != gone.identity
        self._by_look[look] = Gone(gone.name, "", gone.at) if is_other else gone
        while len(self._by_look) > MOST_NAMES or next(iter(self._by_look.values())).at < oldest_at:
            del self._by_look[next(iter(self._by_look))]

    def watch(self, name: str, identity: str, now: float) -> float:
        """Since when nobody but this person, who has the name, has had it, or one that looks the same.

        Minus infinity if nobody else is known to have had it. From now on this is remembered, however long ago it was.
        """
        look = name_key(name)
        held = self._watched.pop(look, None)
        if held is None:
            before = self.find_before(name, now)
            is_other = before is not None and before.identity != identity
            held = _Held(identity, before.at if before is not None and is_other else -inf)
        elif held.identity != identity:
            held = _Held(identity, now)
        self._watched[look] = held
        if len(self._watched) > MOST_NAMES:
            del self._watched[next(iter(self._watched))]
        return held.since

    def held_since(self, name: str, identity: str) -> float:
        """Since when a name that is watched is this person's, even if they no longer have it; infinity: it is not."""
        held = self._watched.get(name_key(name))
        return held.since if held is not None and held.identity == identity else inf

    def taken(self, name: str, identity: str, now: float) -> None:
        """Somebody has this name now."""
        if not self._watched:
            return
        look = name_key(name)
        held = self._watched.get(look)
        if held is not None and held.identity != identity:
            self._watched[look] = _Held(identity, now)

    def left(self, sid: str) -> None:
        """This session has left the room: its former names are nobody's."""
        for key in tuple(self._former_of.get(sid, ())):
            self._drop_former(key)

    def former(self, name: str, since: float) -> Gone | None:
        """The last person with this name, if they are here under another, however long they have had that.

        Args:
            since: when the one who asks joined; None is returned if that was after the name was given up, since nobody
                else may learn who wrote the older messages, and if they may have known another person by this name.
        """
        gone, others_at = (
            self._former.get(name_typed(name), (None, inf)) if may_be_name(name) else (None, inf)
        )
        return gone if gone is not None and others_at < since <= gone.at else None

    def _note_former(self, key: str, gone: Gone, others_at: float) -> None:
        self._drop_former(key)
        if not gone.sid:
            return
        self._former[key] = (gone, others_at)
        own = self._former_of.setdefault(gone.sid, {})
        own[key] = None
        if len(own) > MOST_EACH:
            self._drop_former(next(iter(own)))
        if len(self._former) > MOST_NAMES:
            self._drop_former(next(iter(self._former)))

    def _drop_former(self, key: str) -> None:
        gone, _ = self._former.pop(key, (None, 0.0))
        if gone is not None:
            own = self._former_of[gone.sid]
            del own[key]
            if not own:
                del self._former_of[gone.sid]

    def _drop(self, key: str) -> None:
        gone = self._by_key.pop(key, None)
        if gone is None:
            return
        self._beginnings.discard(gone.name)
        self._spellings.discard(gone.name)
        self._first_words.discard(key)
        look = name_key(gone.name)
        if self._by_look.get(look) is gone:
            del self._by_look[look]
        if gone.identity:
            own = self._keys_of[gone.identity]
            del own[key]
            if not own:
                del self._keys_of[gone.identity]

    def find(self, name: str, now: float) -> Gone | None:
        """The last person with this name, in whatever case; never one whose name only looks the same."""
        return self._find(name_typed(name), now) if may_be_name(name) else None

    def reach(self, words: Iterable[str]) -> int:
        """How many of the first words of a text, each folded, may be one of these names."""
        return self._first_words.reach(words, self._by_key)

    def find_before(self, name: str, now: float) -> Gone | None:
        """The last person with this name, or with one that looks the same."""
        gone = self._by_look.get(name_key(name))
        return gone if gone is not None and now - gone.at <= LATELY_S else None

    def _find(self, key: str, now: float) -> Gone | None:
        gone = self._by_key.get(key)
        return gone if gone is not None and now - gone.at <= LATELY_S else None

    def names_beginning_with(self, letters: str, most: int, now: float) -> Iterator[str]:
        """The first names with letters that begin so."""
        return (name for name in self._beginnings.find(letters, most) if self.find(name, now) is not None)

    def names_spelled_like(self, keys: AbstractSet[str], now: float) -> list[str]:
        """The names that may be spelled in one of these ways."""
        return [name for name in self._spellings.find(keys) if self.find(name, now) is not None]
