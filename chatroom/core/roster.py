"""Who is in a room, as far as it has been announced there.

What is decided waits in the feed behind messages that are being committed. A roster follows the feed: it has what the
people in the room have seen so far.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from collections.abc import Set as AbstractSet
from typing import Final

from chatroom.core.beginnings import Beginnings, FirstWords
from chatroom.core.errors import Misuse
from chatroom.core.events import Joined, Left, Person, Presence, Present, Renamed, Why
from chatroom.core.names import may_be_name, name_typed
from chatroom.core.spellings import Spellings, is_cjk

SMALL_ROOM: Final = 64
"""In a room of at most this many people, each change is announced at once; old clients also get a list of all names."""
NAME_BYTES: Final = 40  # about what one person takes in such a list


class Roster:
    """The people of one room, in order of joining."""

    __slots__ = ("_beginnings", "_by_fold", "_by_sid", "_claims", "_first_words", "_spellings")

    def __init__(self) -> None:
        self._claims: dict[str, int] = {}
        self._by_sid: dict[str, Person] = {}
        self._by_fold: dict[str, Person] = {}
        self._beginnings = Beginnings()
        self._first_words = FirstWords()
        self._spellings = Spellings()

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
        self._by_sid, self._by_fold, self._claims = {}, {}, {}
        self._beginnings = Beginnings()
        self._first_words = FirstWords()
        self._spellings = Spellings()
        for joined in present.people:
            self.apply(joined)

    def find(self, name: str) -> Person | None:
        """The person with this name, in whatever case; never one whose name only looks the same."""
        if not may_be_name(name):
            return None
        return self._by_fold.get(name_typed(name))

    def names_beginning_with(self, letters: str, most: int) -> Iterator[str]:
        """The first names of people here with letters that begin so."""
        return self._beginnings.find(letters, most)

    def names_spelled_like(self, keys: AbstractSet[str]) -> list[str]:
        """The names of people here that may be spelled in one of these ways."""
        return self._spellings.find(keys)

    def has_cjk_name(self, except_for: str) -> bool:
        """Whether somebody here has a name in Han, kana or Hangul, apart from this one."""
        return self._spellings.cjk_count > is_cjk(except_for)

    def reach(self, words: Iterable[str]) -> int:
        """How many of the first words of a text, each folded, may be the name of someone here."""
        return self._first_words.reach(words, self._by_fold)

    def _put(self, person: Person) -> None:
        key = name_typed(person.name)
        self._by_sid[person.sid] = self._by_fold[key] = person
        self._beginnings.add(person.name)
        self._spellings.add(person.name)
        self._first_words.add(key)

    def _drop_name(self, sid: str) -> None:
        person = self._by_sid.get(sid)
        if person is None:
            raise Misuse(f"{sid} was never announced")
        self._beginnings.discard(person.name)
        self._spellings.discard(person.name)
        key = name_typed(person.name)
        self._first_words.discard(key)
        if self._by_fold.get(key) is person:  # otherwise someone else has it already: two have swapped names
            del self._by_fold[key]
