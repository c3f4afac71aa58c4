"""A room in every order of events: what must hold whatever happens.

People come, go, rename and whisper at random; a plain dictionary and a roster that follows the events say
what is so.
"""

import random
from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, initialize, invariant, multiple, rule

from chatroom.core.errors import BadRequest, NameTaken, Refusal, RoomFull
from chatroom.core.events import Joined, Left, Person, Renamed
from chatroom.core.names import NamePool, name_key
from chatroom.core.room import Room
from chatroom.core.roster import Roster

POOL = NamePool(["Ming", "Lotus", "小雨", "Ming2"])
LIMIT = 6

# Names of the pool, other cases and doubles of them, and others'.
names = st.sampled_from(["Ming", "MING", "Мing", "Lotus", "小雨", "Ming2", "Alice", "alice", "Аlice", "Bob"])
wanted_names = st.none() | names
holds = st.sets(names.map(name_key), max_size=3)


class RoomMachine(RuleBasedStateMachine):
    sids = Bundle("sids")

    @initialize(seed=st.integers(0))
    def open(self, seed: int) -> None:
        self.room = Room(POOL, random.Random(seed), LIMIT)
        self.roster = Roster()
        self.told: dict[str, str] = {}
        self.count = 0

    def state(self) -> tuple[object, ...]:
        """All that a room remembers, the order of its members included."""
        return list(self.room.members.items()), dict(self.room._by_key)

    def attempt(self, act: Callable[[], Any]) -> Any:
        """What the room answers: an event, or the refusal that changed nothing."""
        before = self.state()
        try:
            return act()
        except Refusal as refusal:
            assert self.state() == before
            return refusal

    def is_taken(self, name: str | None, held: set[str], but: str | None = None) -> bool:
        others = {name_key(other) for sid, other in self.told.items() if sid != but}
        return name is not None and name_key(name) in others | held

    @rule(target=sids, wanted=wanted_names, held=holds)
    def join(self, wanted: str | None, held: set[str]) -> Any:
        self.count += 1
        sid = f"s{self.count}"
        event = self.attempt(lambda: self.room.join(sid, wanted, held.__contains__))
        if len(self.told) == LIMIT:
            assert isinstance(event, RoomFull)
        elif self.is_taken(wanted, held):
            assert isinstance(event, NameTaken)
        else:
            assert isinstance(event, Joined)
            assert wanted is None or event.who == Person(sid, wanted)
            assert name_key(event.who.name) not in held
            self.told[sid] = event.who.name
            self.roster.apply(event)
            return sid
        return multiple()

    @rule(sid=consumes(sids))
    def leave(self, sid: str) -> None:
        event = self.room.leave(sid)
        assert event == Left(Person(sid, self.told.pop(sid)))
        self.roster.apply(event)

    @rule(sid=sids, wanted=wanted_names, held=holds)
    def rename(self, sid: str, wanted: str | None, held: set[str]) -> None:
        old = self.told[sid]
        event = self.attempt(lambda: self.room.rename(sid, wanted, held.__contains__))
        if self.is_taken(wanted, held - {name_key(old)}, but=sid):
            assert isinstance(event, NameTaken)
            return
        assert isinstance(event, Renamed)
        assert (event.sid, event.old) == (sid, old)
        if wanted is None:
            assert name_key(event.new) != name_key(old)
        else:
            assert event.new == wanted
        self.told[sid] = event.new
        self.roster.apply(event)

    @rule(sid=sids, to=names)
    def whisper(self, sid: str, to: str) -> None:
        before = self.state()
        found = self.roster.find(to)
        listeners = [other for other, name in self.told.items() if name.casefold() == to.casefold()]
        assert ([found.sid] if found is not None else []) == listeners
        if found is not None:
            event = self.attempt(lambda: self.room.whisper(sid, found.sid, "psst"))
            if listeners == [sid]:
                assert isinstance(event, BadRequest)
            else:
                assert [event.who.sid, event.to.sid] == [sid, *listeners]
        assert self.state() == before

    @rule(held=holds, lang=st.sampled_from(["en", "zh", None]))
    def suggest(self, held: set[str], lang: str | None) -> None:
        before = self.state()
        assert not self.is_taken(self.room.suggest(held.__contains__, lang), held)
        assert self.state() == before

    @rule(wanted=wanted_names)
    def pass_through(self, wanted: str | None) -> None:
        """Coming and going at once leaves the room as it was."""
        before = self.state()
        if isinstance(self.attempt(lambda: self.room.join("passer-by", wanted)), Joined):
            self.room.leave("passer-by")
        assert self.state() == before

    @invariant()
    def names_are_unique_by_key(self) -> None:
        assert len({name_key(name) for name in self.told.values()}) == len(self.told) == len(self.room)

    @invariant()
    def members_are_those_told_in_order(self) -> None:
        assert [(person.sid, person.name) for person in self.room.members.values()] == list(self.told.items())
        assert self.roster.people() == list(self.room.members.values())
        for sid, name in self.told.items():
            assert self.roster.find(name) == Person(sid, name)


TestRoomMachine = RoomMachine.TestCase
