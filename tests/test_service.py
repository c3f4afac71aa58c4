"""The service over a backplane that is far away: rooms close again, and each join is announced once."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, TypeVar

import pytest

from chatroom.backplane.local import RoomRules
from chatroom.core.errors import NameChangedHands, Refusal
from chatroom.core.events import Joined, Left, Person, Renamed, Said, Whispered, Why
from chatroom.core.log import Item
from chatroom.core.names import NamePool, name_key
from chatroom.rooms import RoomView
from chatroom.service import Limits, Service
from chatroom.sessions import JoinRequest, Session, Welcome
from chatroom.tokens import Tokens
from tests.support.far import Far

_Result = TypeVar("_Result")

MAX_ROOMS = 4
ROOMS = ("lobby", "a", "b", "c")
NAMES = ("Ming", "Lotus", "Bob")


class Witness:
    """A gateway that knows what it was told, and objects to what cannot be."""

    def __init__(self) -> None:
        self.present: dict[str, dict[str, str]] = {}
        self.welcomed: dict[str, tuple[RoomView, str]] = {}
        self.ended_sids: dict[str, Why] = {}
        self.last_ids: dict[str, str] = {}
        self.seen: dict[str, list[str]] = {}  # by session: the ids of the messages that it has, in this room

    def welcome(self, session: Session, welcome: Welcome) -> None:
        sid, room = session.sid, welcome.room
        assert session.room is room, "welcomed to a room that it has left"
        assert self.present[room.key][sid] == welcome.person.name
        assert self.welcomed.get(sid, (None, ""))[0] is not room, "welcomed twice"
        self.welcomed[sid] = (room, welcome.token)
        self.seen[sid] = [entry.id for entry in welcome.page.entries]

    def tell(self, room: RoomView, item: Item) -> None:
        names = self.present.setdefault(room.key, {})
        match item.event:
            case Joined(who):
                assert who.sid not in names, "announced twice"
                names[who.sid] = who.name
            case Left(who):
                assert names.pop(who.sid) == who.name
                if self.welcomed.get(who.sid, (None, ""))[0] is room:
                    del self.welcomed[who.sid]
            case Renamed(sid, old, new):
                assert names[sid] == old
                names[sid] = new
            case Said():
                assert item.entry is not None
                assert item.entry.id > self.last_ids.get(room.key, ""), "out of order, or twice"
                self.last_ids[room.key] = item.entry.id
                for sid, (welcomed_to, _) in self.welcomed.items():
                    if welcomed_to is room:
                        self.seen[sid].append(item.entry.id)

    def flush(self, room: RoomView) -> None:
        names = {person.sid: person.name for person in room.roster.people()}
        assert names == self.present.get(room.key, {})
        assert len({name_key(name) for name in names.values()}) == len(names), "a name has two owners"

    def whisper(self, session: Session, whispered: Whispered, at_ms: int) -> None:
        assert session.is_in

    def typing(self, room: RoomView, person: Person) -> None:
        """Not of interest."""

    def ended(self, session: Session, why: Why) -> None:
        assert session.closed
        self.ended_sids[session.sid] = why


class Faulty(Witness):
    """A gateway with a fault in everything that it is told."""

    def tell(self, room: RoomView, item: Item) -> None:
        raise RuntimeError("a fault of ours")

    welcome = flush = ended = tell  # type: ignore[assignment]


class House:
    """A service, its far backplane and who is in it."""

    def __init__(self, gateways: Sequence[Witness], lossy: Callable[[], str] = lambda: "") -> None:
        self.backplane = Far(RoomRules(NamePool(NAMES), random.Random(1), max_people=4), lossy)
        self.gateway = gateways[0]
        self.sessions: list[Session] = []
        self.now = 0.0
        self.tokens = Tokens(b"s" * 32, 1000.0, lambda: 0.0)
        self.service = Service(
            backplane=self.backplane,
            tokens=self.tokens,
            limits=Limits(speaking=None, events=None, max_text=9, max_rooms=MAX_ROOMS, resume_grace_s=9),
            now_ms=lambda: 0,
            monotonic=lambda: self.now,
            spawn=self.backplane.spawn,
            signal=self.backplane.signal,
        )
        self.service.start(gateways)
        self.count = 0

    def does(self, act: Callable[[], _Result]) -> _Result:
        """Let somebody do something, and bring it to its end.

        Raises:
            Refusal: what it was refused with.
        """
        outcome: list[Any] = []

        def run() -> None:
            try:
                outcome.append(act())
            except Refusal as refused:
                outcome.append(refused)

        self.backplane.run(run)
        while not outcome:
            self.backplane.step()
        if isinstance(outcome[0], Refusal):
            raise outcome[0]
        result: _Result = outcome[0]
        return result

    def admit(self, **asked: Any) -> Session:
        return self.does(partial(self.admits, **asked))

    def admits(self, **asked: Any) -> Session:
        """As `admit`, in whatever greenlet it is called."""
        self.count += 1
        session = self.service.admit(f"s{self.count}", self.gateway, JoinRequest(keeps_name=True, **asked))
        self.sessions = [one for one in self.sessions if not one.closed]
        self.sessions.append(session)
        return session

    def moves_by_requests(self, session: Session, room: str) -> None:
        """Move somebody, and let requests and answers go their way, but no facts."""
        self.backplane.run(lambda: self.service.move(session, room))
        while self.backplane.requests or self.backplane.answers:
            if self.backplane.requests:
                self.backplane.arrive()
            else:
                self.backplane.answer()

    def enter(self, room: str, **asked: Any) -> Session:
        session = self.admit(room=room, **asked)
        self.service.enter(session)
        self.backplane.settle_all()
        return session

    def leave(self, session: Session, *, cut: bool = False) -> None:
        self.service.leave(session, cut=cut)
        self.sessions.remove(session)

    def close(self) -> None:
        """Everybody leaves; then as many rooms can be opened as may be, or one has leaked."""
        self.backplane.settle_all()
        for session in list(self.sessions):
            if not session.closed:
                self.leave(session)
        self.backplane.settle_all()
        assert not any(self.gateway.present.values())
        assert self.gateway.welcomed == {}
        for number in range(MAX_ROOMS):
            self.enter(f"fresh {number}")


def test_two_joins_in_one_write_announce_once() -> None:
    house = House([Witness()])
    romeo = house.enter("lobby")
    house.service.say(romeo, "hi", None, lambda _: None)
    for room in ("a", "b"):
        house.does(lambda room=room: house.service.move(romeo, room))
    house.backplane.settle_all()
    house.close()


def test_a_token_used_while_its_session_joins_is_welcomed() -> None:
    house = House([Witness()])
    token = house.tokens.write("identity", "Bob")
    house.service.enter(house.admit(token=token))
    newer = house.admit(token=token)
    house.service.enter(newer)
    house.backplane.settle_all()
    assert newer.is_in
    house.close()


def test_back_before_the_first_join_is_delivered_welcomes_once() -> None:
    house = House([Witness()])
    house.enter("b")
    romeo = house.enter("a")
    for room in ("b", "a", "b"):  # at hand: announced at once
        house.moves_by_requests(romeo, room)
    assert house.backplane.facts["b"]
    house.backplane.deliver_some("b", 1)
    assert not romeo.is_in
    house.backplane.settle_all()
    assert romeo.is_in
    house.close()


def test_moving_while_the_welcome_is_read_welcomes_elsewhere() -> None:
    house = House([Witness()])
    house.enter("b")
    romeo = house.admit(room="a", after="0000000000000-000000")
    house.service.enter(romeo)
    house.backplane.read(0)
    house.backplane.read(0)
    house.backplane.arrive()
    house.backplane.deliver_some("a", 10)  # asks for what came since
    house.moves_by_requests(romeo, "b")
    house.backplane.settle_all()
    assert house.gateway.welcomed[romeo.sid][0].key == "b"
    house.close()


def test_a_faulty_gateway_holds_no_room_open(caplog: pytest.LogCaptureFixture) -> None:
    house = House([Witness(), Faulty()])
    romeo, juliet = house.enter("a"), house.enter("a")
    assert romeo.is_in
    assert juliet.is_in
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
        self.house.backplane.settle_all()
        return self.house.enter("lobby", token=token)

    def rename(self, session: Session, name: str) -> None:
        self.house.does(lambda: self.house.service.rename(session, name))
        self.house.backplane.settle_all()

    def whispers(self, to: str = "Bob") -> None:
        self.house.does(lambda: self.house.service.whisper(self.ming, to, "hi"))


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
    restarted.house.does(lambda: restarted.house.service.whisper(restarted.bob, "Ming", "hi"))


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
