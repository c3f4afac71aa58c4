"""A service over a slow backplane, with a gateway that checks what it receives; in this process, step by step."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, TypeVar

from chatroom.backplane import ClaimRequest
from chatroom.backplane.local import RoomRules
from chatroom.core.budgets import AddressBudget
from chatroom.core.errors import Refusal
from chatroom.core.events import Deleted, Edited, Joined, Left, Person, Reacted, Renamed, Said, Whispered, Why
from chatroom.core.log import Item
from chatroom.core.names import NamePool, name_key
from chatroom.rooms import RoomView
from chatroom.service import Service
from chatroom.sessions import JoinRequest, Limits, Session, Welcome
from chatroom.tokens import Tokens
from tests.support.far import Far

_Result = TypeVar("_Result")

MAX_ROOMS = 4
ROOMS = ("lobby", "a", "b", "c")
NAMES = ("Ming", "Lotus", "Bob")


class CheckingGateway:
    """A gateway that records what it receives, and fails on what must not happen."""

    def __init__(self) -> None:
        self.present: dict[RoomView, dict[str, str]] = {}
        self.welcomed: dict[str, tuple[RoomView, str]] = {}
        self.ended_sids: dict[str, Why] = {}
        self.last_ids: dict[str, str] = {}
        self.seen: dict[str, dict[str, str]] = {}  # by session: the texts that it has in this room, by id
        self.joined_at: dict[str, str] = {}  # by session: the position of its join
        self.gaps: set[str] = (
            set()
        )  # rooms whose feed was interrupted: messages may come before their senders' joins
        self.changes: dict[str, list[str]] = {}  # by session: what it received of changed messages, by number

    def welcome(self, session: Session, welcome: Welcome) -> None:
        sid, room = session.sid, welcome.room
        assert session.room is room, "welcomed to a room that it has left"
        assert self.present[room][sid] == welcome.person.name
        assert self.welcomed.get(sid, (None, ""))[0] is not room, "welcomed twice"
        self.welcomed[sid] = (room, welcome.token)
        self.seen[sid] = {entry.id: entry.text for entry in welcome.page.entries}
        self.changes[sid] = []

    def announce(self, room: RoomView, item: Item) -> None:
        names = self.present.setdefault(room, {})
        match item.event:
            case Joined(who):
                assert who.sid not in names, "announced twice"
                names[who.sid] = who.name
                self.joined_at[who.sid] = item.position
            case Left(who):
                assert names.pop(who.sid) == who.name
                if self.welcomed.get(who.sid, (None, ""))[0] is room:
                    del self.welcomed[who.sid]
            case Renamed(sid, old, new):
                assert names[sid] == old
                names[sid] = new
            case Said(who):
                assert who.sid in names or room.key in self.gaps, "sent by someone who has not joined"
                assert item.entry is not None
                self._is_next(room, item.entry.id)
                for seen in self._seen_in(room):
                    seen[item.entry.id] = item.entry.text
            case Edited(entry_id, text, at):
                self._is_next(room, at)
                for seen in self._seen_in(room):
                    if entry_id in seen:
                        seen[entry_id] = text
            case Deleted(ids, at):
                self._is_next(room, at)
                for seen in self._seen_in(room):
                    for entry_id in ids:
                        seen.pop(entry_id, None)
            case Reacted():
                self._is_next(room, item.event.at)
        if isinstance(item.event, Edited | Deleted | Reacted):
            for sid in self._welcomed_in(room):
                self.changes[sid].append(item.event.at)

    def _is_next(self, room: RoomView, number: str) -> None:
        assert number > self.last_ids.get(room.key, ""), "out of order, or twice"
        self.last_ids[room.key] = number

    def _welcomed_in(self, room: RoomView) -> list[str]:
        return [sid for sid, (welcomed_to, _) in self.welcomed.items() if welcomed_to is room]

    def _seen_in(self, room: RoomView) -> list[dict[str, str]]:
        return [self.seen[sid] for sid in self._welcomed_in(room)]

    def flush(self, room: RoomView) -> None:
        names = {person.sid: person.name for person in room.roster.people()}
        assert names == self.present.get(room, {})
        assert len({name_key(name) for name in names.values()}) == len(names), "a name has two owners"

    def whisper(self, session: Session, whispered: Whispered, at_ms: int) -> None:
        assert session.is_in

    def typing(self, room: RoomView, person: Person) -> None:
        """Not recorded."""

    def ended(self, session: Session, why: Why) -> None:
        assert session.closed
        self.ended_sids[session.sid] = why


class FailingGateway(CheckingGateway):
    """A gateway that fails at every event."""

    def welcome(self, session: Session, welcome: Welcome) -> None:
        raise RuntimeError("a fault of ours")

    def announce(self, room: RoomView, item: Item) -> None:
        raise RuntimeError("a fault of ours")

    def flush(self, room: RoomView) -> None:
        raise RuntimeError("a fault of ours")

    def ended(self, session: Session, why: Why) -> None:
        raise RuntimeError("a fault of ours")


class Harness:
    """A service, its slow backplane, a gateway and the sessions."""

    def __init__(
        self,
        gateways: Sequence[CheckingGateway],
        lossy: Callable[[], str] = lambda: "",
        budget: AddressBudget | None = None,
    ) -> None:
        self.backplane = Far(RoomRules(NamePool(NAMES), random.Random(1), max_people=4), lossy)
        self.gateway = gateways[0]
        self.sessions: list[Session] = []
        self.now = 0.0
        self.tokens = Tokens(b"s" * 32, 1000.0, lambda: 0.0)
        self.service = Service(
            backplane=self.backplane,
            tokens=self.tokens,
            limits=Limits(rates={}, max_text=9, max_rooms=MAX_ROOMS, resume_grace_s=9),
            budget_of=None if budget is None else lambda _: budget,
            now_ms=lambda: 0,
            monotonic=lambda: self.now,
            spawn=self.backplane.spawn,
            signal=self.backplane.signal,
        )
        self.service.start(gateways)
        self.count = 0

    def does(self, act: Callable[[], _Result]) -> _Result:
        """Call something that may wait, and step until it is done.

        Raises:
            Refusal: it was refused.
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
        """Move a session: requests and answers are delivered, but nothing from the feed."""
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

    def foreigner(self, room: str, name: str) -> str:
        """Add a person whom another process serves; returns their session id."""
        sid = f"x{len(self.backplane.foreign) + 1}"
        self.backplane.foreign[sid] = room
        request = ClaimRequest(sid=sid, identity=f"identity {sid}", claim=1, wanted=name, insists=True)
        self.backplane.truth.claim(room, request, lambda _: None)
        self.backplane.truth.announce(room, sid)
        return sid

    def leave(self, session: Session, *, cut: bool = False) -> None:
        self.service.leave(session, cut=cut)
        self.sessions.remove(session)

    def close(self) -> None:
        """End all sessions; then the most rooms can be opened, unless one has leaked."""
        self.backplane.settle_all()
        for session in list(self.sessions):
            if not session.closed:
                self.leave(session)
        self.backplane.settle_all()
        assert not any(sid.startswith("s") for names in self.gateway.present.values() for sid in names)
        assert self.gateway.welcomed == {}
        for number in range(MAX_ROOMS):
            self.enter(f"fresh {number}")
