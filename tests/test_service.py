"""The service over a backplane that takes its time: rooms close again, and each join is announced once."""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import greenlet  # type: ignore[import-untyped]  # it ships none
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from chatroom.backplane import Deliver, Done
from chatroom.backplane.holds import Holds
from chatroom.backplane.ids import IdSource
from chatroom.core.errors import NameChangedHands, Refusal, Unavailable
from chatroom.core.events import Event, Joined, Left, Person, Renamed, Said, Whispered
from chatroom.core.log import Entry, Item, Page
from chatroom.core.names import NamePool
from chatroom.service import Limits, Service
from chatroom.sessions import Hall, Session, Welcome, Wish
from chatroom.tokens import Tokens

MAX_ROOMS = 4
ROOMS = ("lobby", "a", "b", "c")
NAMES = ("Ming", "Lotus", "Bob")


@dataclass(eq=False)
class Slot:
    room: str
    event: Event
    done: Done | None  # of a message, which waits for its commit
    item: Item | None = None
    settled: bool = False


class SlowBackplane:
    """Keeps a backplane's promises, and lets the test say when: each read, commit and delivery waits for its call.

    Reads wait in greenlets, as they do in the product; nothing else runs by itself.
    """

    def __init__(self) -> None:
        self.reads: list[greenlet.greenlet] = []
        self.slots: deque[Slot] = deque()
        self._at_hand: set[str] = set()
        self._ids = IdSource()
        self._delivering: greenlet.greenlet | None = None
        self._deliver: Deliver
        holds = Holds(lambda: 0.0)
        self.hold, self.holder, self.release = holds.hold, holds.holder, holds.release

    def start(self, deliver: Deliver) -> None:
        self._deliver = deliver

    def publish(self, room: str, event: Event) -> None:
        self.slots.append(Slot(room, event, None, Item(event, 0, self._ids.last), settled=True))

    def append(self, room: str, said: Said, retry_key: bytes | None, done: Done) -> None:
        self.slots.append(Slot(room, said, done))

    def at_hand(self, room: str, after: str | None = None) -> bool:
        return room in self._at_hand and after is None

    def page(self, room: str, *, after: str | None = None, **_: Any) -> Page:
        if not self.at_hand(room, after):
            here = greenlet.getcurrent()
            self.reads.append(here)
            if not here.parent.switch():
                raise Unavailable
            self._at_hand.add(room)
        return Page(())

    def forget(self, room: str) -> None:
        self._at_hand.discard(room)

    def talks(self) -> Sequence[bytes]:
        return ()

    def save_talk(self, key: bytes, is_open: bool, done: Callable[[], None]) -> None:
        done()

    def ready(self) -> bool:
        return True

    def close(self) -> None:
        """Nothing is kept."""

    # What the test says

    def spawn(self, function: Callable[..., Any], *arguments: Any) -> None:
        """Run a greenthread from the next turn on: it is among the reads that have not begun."""
        thread = greenlet.greenlet(lambda _: function(*arguments))
        self.reads.append(thread)

    def read(self, number: int, readable: bool) -> None:
        """Begin a read, or end it, with success or without."""
        thread = self.reads.pop(number)
        thread.parent = greenlet.getcurrent()
        thread.switch(readable)

    def commit(self, number: int, kept: bool) -> None:
        """Settle a message that waits; it may have failed."""
        slot = [slot for slot in self.slots if not slot.settled][number]
        slot.settled = True
        if kept:
            assert isinstance(slot.event, Said)
            entry = Entry(self._ids.next(0), 0, slot.event.who.name, slot.event.text)
            slot.item = Item(slot.event, 0, entry.id, entry)

    def deliverable(self) -> list[str]:
        """The rooms whose next thing is settled, unless something is being delivered."""
        if self._delivering is not None and not self._delivering.dead:
            return []
        heads = {slot.room: slot.settled for slot in reversed(self.slots)}
        return sorted(room for room, settled in heads.items() if settled)

    def deliver(self, room: str, most: int) -> None:
        """Deliver a batch of one room, in order."""
        batch: list[Slot] = []
        for slot in [slot for slot in self.slots if slot.room == room][:most]:
            if not slot.settled:
                break
            batch.append(slot)
            self.slots.remove(slot)

        def run(_: object) -> None:
            items = [slot.item for slot in batch if slot.item is not None]
            try:
                if items:
                    self._deliver(room, items)
            finally:
                for slot in batch:
                    if slot.done is not None:
                        slot.done(slot.item.entry if slot.item is not None else None)

        self._delivering = greenlet.greenlet(run)
        self._delivering.switch(None)

    def settle(self) -> None:
        """Bring everything to its end."""
        while self.reads or self.slots:
            if self.reads:
                self.read(0, True)
            elif rooms := self.deliverable():
                self.deliver(rooms[0], 100)
            else:
                self.commit(0, True)


class Witness:
    """A gateway that knows what it was told, and objects to what cannot be."""

    def __init__(self) -> None:
        self.present: dict[str, dict[str, str]] = {}
        self.welcomed: dict[str, tuple[Hall, str]] = {}

    def welcome(self, session: Session, welcome: Welcome) -> None:
        sid, hall = session.sid, welcome.hall
        assert session.hall is hall, "welcomed to a room that it has left"
        assert self.present[hall.key][sid] == welcome.person.name
        assert self.welcomed.get(sid, (None, ""))[0] is not hall, "welcomed twice"
        self.welcomed[sid] = (hall, welcome.token)

    def tell(self, hall: Hall, item: Item) -> None:
        names = self.present.setdefault(hall.key, {})
        match item.event:
            case Joined(who):
                assert who.sid not in names, "announced twice"
                names[who.sid] = who.name
            case Left(who):
                assert names.pop(who.sid) == who.name
                if self.welcomed.get(who.sid, (None, ""))[0] is hall:
                    del self.welcomed[who.sid]
            case Renamed(sid, old, new):
                assert names[sid] == old
                names[sid] = new

    def flush(self, hall: Hall) -> None:
        assert {person.sid: person.name for person in hall.roster.people()} == self.present[hall.key]

    def whisper(self, session: Session, whispered: Whispered, at_ms: int) -> None:
        """Not of interest."""

    def typing(self, hall: Hall, person: Person) -> None:
        """Not of interest."""

    def replaced(self, session: Session) -> None:
        assert session.closed


class Faulty(Witness):
    """A gateway with a fault in everything that it is told."""

    def tell(self, hall: Hall, item: Item) -> None:
        raise RuntimeError("a fault of ours")

    welcome = flush = replaced = tell  # type: ignore[assignment]


class House:
    """A service, its slow backplane and who is in it."""

    def __init__(self, gateways: Sequence[Witness]) -> None:
        self.backplane = SlowBackplane()
        self.gateway = gateways[0]
        self.sessions: list[Session] = []
        self.now = 0.0
        self.tokens = Tokens(b"s" * 32, 1000.0, lambda: 0.0)
        self.service = Service(
            backplane=self.backplane,
            names=NamePool(NAMES),
            tokens=self.tokens,
            limits=Limits(
                speaking=None,
                events=None,
                max_text=9,
                max_rooms=MAX_ROOMS,
                max_room_people=4,
                resume_grace_s=9,
            ),
            now_ms=lambda: 0,
            monotonic=lambda: self.now,
            rng=random.Random(1),
            spawn=self.backplane.spawn,
        )
        self.service.start(gateways)
        self.count = 0

    def admit(self, **wish: Any) -> Session:
        self.count += 1
        session = self.service.admit(f"s{self.count}", self.gateway, Wish(keeps_name=True, **wish))
        self.sessions = [one for one in self.sessions if not one.closed]
        self.sessions.append(session)
        return session

    def enter(self, room: str, **wish: Any) -> Session:
        session = self.admit(room=room, **wish)
        self.service.enter(session)
        self.backplane.settle()
        return session

    def leave(self, session: Session, *, cut: bool = False) -> None:
        self.service.leave(session, cut=cut)
        self.sessions.remove(session)

    def close(self) -> None:
        """Everybody leaves; then as many rooms can be opened as may be, or one has leaked."""
        self.backplane.settle()
        for session in list(self.sessions):
            self.leave(session)
        self.backplane.settle()
        assert self.service.sessions() == []
        assert not any(self.gateway.present.values())
        assert self.gateway.welcomed == {}
        for number in range(MAX_ROOMS):
            self.enter(f"fresh {number}")


def test_two_joins_in_one_write_announce_once() -> None:
    house = House([Witness()])
    romeo = house.enter("lobby")
    house.service.say(romeo, "hi", None, lambda _: None)
    house.service.move(romeo, "a")
    house.service.move(romeo, "b")
    house.backplane.settle()
    house.close()


def test_a_token_used_while_its_session_joins_is_welcomed() -> None:
    house = House([Witness()])
    token = house.tokens.write("identity", "Bob")
    house.service.enter(house.admit(token=token))
    newer = house.admit(token=token)
    house.service.enter(newer)
    house.backplane.settle()
    assert newer.welcomed
    house.close()


def test_back_before_the_first_join_is_delivered_welcomes_once() -> None:
    house = House([Witness()])
    house.enter("b")
    romeo = house.enter("a")
    for room in ("b", "a"):  # at hand: announced at once
        house.service.move(romeo, room)
    house.service.move(romeo, "b")
    house.backplane.deliver("b", 1)
    assert not romeo.welcomed
    house.backplane.settle()
    assert romeo.welcomed
    house.close()


def test_moving_while_the_welcome_is_read_welcomes_elsewhere() -> None:
    house = House([Witness()])
    house.enter("b")
    romeo = house.admit(room="a", after="0000000000000-000000")
    house.service.enter(romeo)
    house.backplane.read(0, True)
    house.backplane.read(0, True)
    house.backplane.deliver("a", 1)  # asks for what came since
    house.service.move(romeo, "b")
    house.backplane.settle()
    assert house.gateway.welcomed[romeo.sid][0].key == "b"
    house.close()


def test_a_faulty_gateway_holds_no_room_open(caplog: pytest.LogCaptureFixture) -> None:
    house = House([Witness(), Faulty()])
    romeo, juliet = house.enter("a"), house.enter("a")
    assert romeo.welcomed
    assert juliet.welcomed
    house.close()
    assert "a fault of ours" in caplog.text


class Restarted:
    """A house after a restart: Ming is back with her token, and somebody without one has taken the name Bob."""

    def __init__(self) -> None:
        self.tokens = House([Witness()]).tokens
        self.house = House([Witness()])
        self.ming = self.comes_back("Ming")
        self.bob = self.house.enter("lobby", username="Bob")

    def comes_back(self, name: str) -> Session:
        """Somebody comes back with the token that the server before this one gave them."""
        return self.house.enter("lobby", token=self.tokens.write(f"identity {name}", name))

    def again(self, session: Session) -> Session:
        """Somebody's connection is cut, and they come back with the token that this server gave them."""
        token = self.house.gateway.welcomed[session.sid][1]
        self.house.leave(session, cut=True)
        self.house.backplane.settle()
        return self.house.enter("lobby", token=token)

    def rename(self, session: Session, name: str) -> None:
        self.house.service.rename(session, name)
        self.house.backplane.settle()

    def whispers(self, to: str = "Bob") -> None:
        self.house.service.whisper(self.ming, to, "hi")


def test_after_a_restart_a_name_is_asked_about_once() -> None:
    restarted = Restarted()
    with pytest.raises(NameChangedHands) as refused:
        restarted.whispers()
    assert (refused.value.wording, refused.value.params["again"]) == ("name_after_restart", True)
    restarted.whispers()


def test_no_way_of_taking_a_name_avoids_the_question() -> None:
    restarted = Restarted()
    restarted.bob = restarted.again(restarted.bob)
    restarted.ming = restarted.again(restarted.ming)
    for name in ("Lotus", "Bob"):
        restarted.rename(restarted.bob, name)
    with pytest.raises(NameChangedHands):
        restarted.house.service.check_stranger(restarted.ming, restarted.bob.sid)
    restarted.house.leave(restarted.bob)
    restarted.rename(restarted.comes_back("Lotus"), "Bob")
    with pytest.raises(NameChangedHands):
        restarted.whispers()


def test_who_came_back_as_themselves_is_not_asked_about() -> None:
    restarted = Restarted()
    lotus = restarted.comes_back("Lotus")
    restarted.whispers("Lotus")
    restarted.again(lotus)
    restarted.whispers("Lotus")
    restarted.house.service.whisper(restarted.bob, "Ming", "hi")


def test_a_day_after_a_restart_nobody_is_asked_about() -> None:
    restarted = Restarted()
    restarted.house.now += 24 * 3600
    restarted.whispers()


def test_a_second_ack_of_a_talk_waits_for_the_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    house = House([Witness()])
    romeo, bob = house.enter("lobby"), house.enter("lobby")
    saving: list[Callable[[], None]] = []
    acks: list[str] = []
    monkeypatch.setattr(house.backplane, "save_talk", lambda key, is_open, done: saving.append(done))
    romeo.talk.turn_to(bob.person)
    house.service.save_talk(romeo, partial(acks.append, "first"))
    house.service.save_talk(romeo, partial(acks.append, "second"))
    assert acks == []
    for done in saving:
        done()
    assert acks == ["first", "second"]
    house.service.save_talk(romeo, partial(acks.append, "third"))
    assert acks == ["first", "second", "third"]


class ServiceMachine(RuleBasedStateMachine):
    """Guests do everything that they may, in every order with reads, commits and deliveries."""

    @initialize()
    def open(self) -> None:
        self.house = House([Witness()])
        self.tokens: list[str] = [self.house.tokens.write(f"identity {name}", name) for name in NAMES]
        self.admitted: set[Session] = set()

    def someone(self, data: st.DataObject) -> Session:
        return data.draw(st.sampled_from(self.house.sessions))

    def has_guests(self) -> bool:
        return bool(self.house.sessions)

    @rule(
        room=st.sampled_from(ROOMS),
        name=st.none() | st.sampled_from(NAMES),
        token=st.none() | st.integers(0, 2),
        after=st.none() | st.just("0000000000000-000000"),
    )
    def admit(self, room: str, name: str | None, token: int | None, after: str | None) -> None:
        try:
            session = self.house.admit(
                room=room, username=name, token=None if token is None else self.tokens[token], after=after
            )
        except Refusal:
            return
        self.admitted.add(session)

    @precondition(lambda self: self.admitted)
    @rule(data=st.data())
    def enter(self, data: st.DataObject) -> None:
        session = data.draw(st.sampled_from(sorted(self.admitted, key=lambda one: one.sid)))
        self.admitted.discard(session)
        if not session.closed:
            self.house.service.enter(session)

    def entered(self) -> list[Session]:
        return [one for one in self.house.sessions if one not in self.admitted]

    @precondition(lambda self: self.entered())
    @rule(data=st.data(), rooms=st.lists(st.sampled_from(ROOMS), min_size=1, max_size=3))
    def move(self, data: st.DataObject, rooms: list[str]) -> None:
        session = data.draw(st.sampled_from(self.entered()))
        for room in rooms:
            try:
                self.house.service.move(session, room)
            except Refusal:
                pass

    @precondition(lambda self: self.entered())
    @rule(data=st.data())
    def say(self, data: st.DataObject) -> None:
        self.house.service.say(data.draw(st.sampled_from(self.entered())), "hi", None, lambda _: None)

    @precondition(lambda self: self.entered())
    @rule(data=st.data(), name=st.none() | st.sampled_from(NAMES))
    def rename(self, data: st.DataObject, name: str | None) -> None:
        try:
            self.house.service.rename(data.draw(st.sampled_from(self.entered())), name)
        except Refusal:
            pass

    @precondition(has_guests)
    @rule(data=st.data(), cut=st.booleans())
    def leave(self, data: st.DataObject, cut: bool) -> None:
        session = self.someone(data)
        self.admitted.discard(session)
        self.house.leave(session, cut=cut)

    @precondition(lambda self: self.house.backplane.reads)
    @rule(data=st.data(), readable=st.booleans())
    def read(self, data: st.DataObject, readable: bool) -> None:
        self.house.backplane.read(data.draw(st.integers(0, len(self.house.backplane.reads) - 1)), readable)

    @precondition(lambda self: any(not slot.settled for slot in self.house.backplane.slots))
    @rule(kept=st.booleans())
    def commit(self, kept: bool) -> None:
        self.house.backplane.commit(0, kept)

    @precondition(lambda self: self.house.backplane.deliverable())
    @rule(data=st.data(), most=st.integers(1, 4))
    def deliver(self, data: st.DataObject, most: int) -> None:
        self.house.backplane.deliver(data.draw(st.sampled_from(self.house.backplane.deliverable())), most)

    def teardown(self) -> None:
        for session in self.admitted:
            if not session.closed:
                self.house.service.enter(session)
        self.house.close()


TestServiceMachine = ServiceMachine.TestCase
TestServiceMachine.settings = settings(stateful_step_count=30, deadline=None)
