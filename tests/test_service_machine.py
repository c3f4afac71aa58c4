"""The service over a slow backplane, in every order: what must always hold.

Guests do everything that they may, in every order with requests, answers, facts and reads. Answers are lost, people of
other processes are in the same rooms, sessions are ended elsewhere, and the feed has gaps.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any, Final

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from chatroom.backplane import ClaimRequest, OnChanged
from chatroom.core.errors import Refusal
from chatroom.core.events import Deleted, Edited, Reacted, Why
from chatroom.sessions import Session
from tests.support.harness import NAMES, CheckingGateway, Harness

ROOMS = ("lobby", "a", "b", "c")

CHANGES: Final = (Edited, Deleted, Reacted)

Change = Callable[[str, str, str, Edited | Deleted | Reacted, OnChanged], None]

rooms = st.sampled_from(ROOMS)
wanted_names = st.none() | st.sampled_from(NAMES)


def changed(what: type[Edited | Deleted | Reacted], entry_id: str) -> Edited | Deleted | Reacted:
    """What is asked for; the authority numbers it."""
    if what is Edited:
        return Edited(entry_id, "hey", at="")
    if what is Deleted:
        return Deleted((entry_id,), at="")
    return Reacted(entry_id, "👍", 1, (), at="")


class Faults(logging.Handler):
    """Collects log lines about our own bugs, which the program survives."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.records: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(self.format(record))


class ServiceMachine(RuleBasedStateMachine):
    @initialize()
    def open(self) -> None:
        self.loss = ""
        self.faults = Faults()
        logging.getLogger("chatroom").addHandler(self.faults)
        self.harness = Harness([CheckingGateway()], self.takes_loss)
        self.far, self.service = self.harness.backplane, self.harness.service
        self.tokens = [self.harness.tokens.write(f"identity {name}", name) for name in NAMES]
        self.admitted: set[Session] = set()
        self.busy: dict[Session | None, int] = {}  # who waits for an answer: later requests wait behind it
        self.outcomes: list[list[Any]] = []  # of each message, each change of one, and each thing set
        self.count = 0

    def takes_loss(self) -> str:
        loss, self.loss = self.loss, ""
        return loss

    def begins(self, session: Session | None, act: Callable[[], Any]) -> None:
        """Begin something that may wait; it may be refused."""

        def run() -> None:
            self.busy[session] = self.busy.get(session, 0) + 1
            try:
                act()
            except Refusal:
                pass
            finally:
                self.busy[session] -= 1

        self.far.run(run)

    def live(self) -> list[Session]:
        return [one for one in self.harness.sessions if not one.closed]

    def free(self) -> list[Session]:
        """The sessions that may send a request now."""
        return [one for one in self.live() if one not in self.admitted and not self.busy.get(one)]

    def someone(self, data: st.DataObject) -> Session:
        return data.draw(st.sampled_from(self.free()))

    # Guests

    @rule(
        room=rooms,
        name=wanted_names,
        token=st.none() | st.integers(0, 2),
        after=st.none() | st.just("0000000000000-000000"),
    )
    def come(self, room: str, name: str | None, token: int | None, after: str | None) -> None:
        asked = {"room": room, "username": name, "after": after}
        if token is not None:
            asked["token"] = self.tokens[token]
        self.begins(None, lambda: self.admitted.add(self.harness.admits(**asked)))

    @precondition(lambda self: self.admitted)
    @rule(data=st.data())
    def enter(self, data: st.DataObject) -> None:
        session = data.draw(st.sampled_from(sorted(self.admitted, key=lambda one: one.sid)))
        self.admitted.discard(session)
        self.service.enter(session)

    @precondition(lambda self: self.free())
    @rule(data=st.data(), room=rooms)
    def move(self, data: st.DataObject, room: str) -> None:
        session = self.someone(data)
        self.begins(session, lambda: self.service.move(session, room))

    @precondition(lambda self: self.free())
    @rule(data=st.data())
    def say(self, data: st.DataObject) -> None:
        outcome: list[Any] = []
        self.service.say(self.someone(data), "hi", None, outcome.append)
        self.outcomes.append(outcome)

    @precondition(lambda self: self.free())
    @rule(data=st.data(), what=st.sampled_from(CHANGES))
    def change(self, data: st.DataObject, what: type[Edited | Deleted | Reacted]) -> None:
        session = self.someone(data)
        self.changes(data, session.sid, session.room.key, what, self.far.change)

    def changes(
        self, data: st.DataObject, sid: str, room: str, what: type[Edited | Deleted | Reacted], act: Change
    ) -> None:
        entries = self.far.truth.page(room).entries
        if entries:
            entry_id = data.draw(st.sampled_from(entries)).id
            outcome: list[Any] = []
            act(room, sid, entry_id, changed(what, entry_id), outcome.append)
            self.outcomes.append(outcome)

    @precondition(lambda self: self.free())
    @rule(data=st.data(), value=st.sampled_from([None, 1, 2]), seconds=st.sampled_from([None, 9.0]))
    def set(self, data: st.DataObject, value: int | None, seconds: float | None) -> None:
        outcome: list[Any] = []
        self.far.set(self.someone(data).room.key, "slow", value, seconds, outcome.append)
        self.outcomes.append(outcome)

    @precondition(lambda self: self.far.truth.lapsing)
    @rule(data=st.data())
    def lapse(self, data: st.DataObject) -> None:
        self.far.truth.lapse(*data.draw(st.sampled_from(sorted(self.far.truth.lapsing))))

    @precondition(lambda self: self.free())
    @rule(data=st.data(), name=wanted_names)
    def rename(self, data: st.DataObject, name: str | None) -> None:
        session = self.someone(data)
        self.begins(session, lambda: self.service.rename(session, name))

    @precondition(lambda self: self.free())
    @rule(data=st.data(), name=st.sampled_from(NAMES))
    def whisper(self, data: st.DataObject, name: str) -> None:
        session = self.someone(data)
        self.begins(session, lambda: self.service.whispers.whisper(session, name, "psst"))

    @precondition(lambda self: self.live())
    @rule(data=st.data(), cut=st.booleans())
    def leave(self, data: st.DataObject, cut: bool) -> None:
        session = data.draw(st.sampled_from(self.live()))
        self.admitted.discard(session)
        self.harness.leave(session, cut=cut)

    # Other processes

    @rule(room=rooms, name=wanted_names, token=st.none() | st.integers(0, 2))
    def foreign_come(self, room: str, name: str | None, token: int | None) -> None:
        self.count += 1
        sid = f"x{self.count}"
        identity = sid if token is None else f"identity {NAMES[token]}"
        known = () if token is None else (NAMES[token],)
        request = ClaimRequest(sid=sid, identity=identity, claim=self.count, wanted=name, known=known)
        self.far.foreign[sid] = room
        self.far.truth.claim(room, request, lambda _: None)
        self.far.truth.announce(room, sid)

    @precondition(lambda self: self.far.foreign)
    @rule(data=st.data(), name=wanted_names, act=st.sampled_from(["say", "rename", "leave", *CHANGES]))
    def foreign_act(
        self, data: st.DataObject, name: str | None, act: str | type[Edited | Deleted | Reacted]
    ) -> None:
        sid, room = data.draw(st.sampled_from(sorted(self.far.foreign.items())))
        if act == "say":
            self.far.truth.append(room, sid, "hello", None, None, lambda _: None)
        elif act == "rename":
            self.far.truth.rename(room, sid, name, None, lambda _: None)
        elif act == "leave":
            self.far.truth.leave(room, sid)
            del self.far.foreign[sid]
        elif not isinstance(act, str):
            self.changes(data, sid, room, act, self.far.truth.change)

    @precondition(lambda self: self.live())
    @rule(data=st.data(), why=st.sampled_from([Why.LOST, Why.KICKED]))
    def end_elsewhere(self, data: st.DataObject, why: Why) -> None:
        session = data.draw(st.sampled_from(self.live()))
        self.far.truth.leave(session.room.key, session.sid, why=why)

    # The way there and back

    @rule(loss=st.sampled_from(["request", "answer"]))
    def lose(self, loss: str) -> None:
        self.loss = loss

    @precondition(lambda self: self.far.requests)
    @rule()
    def arrive(self) -> None:
        self.far.arrive()

    @precondition(lambda self: self.far.answers)
    @rule()
    def answer(self) -> None:
        self.far.answer()

    @precondition(lambda self: self.far.waiting)
    @rule(data=st.data())
    def time_out(self, data: st.DataObject) -> None:
        data.draw(st.sampled_from(self.far.waiting)).go_on()

    @precondition(lambda self: self.far.deliverable())
    @rule(data=st.data(), most=st.integers(1, 4))
    def deliver(self, data: st.DataObject, most: int) -> None:
        self.far.deliver_some(data.draw(st.sampled_from(self.far.deliverable())), most)

    @precondition(lambda self: self.far.reads)
    @rule(data=st.data(), readable=st.booleans())
    def read(self, data: st.DataObject, readable: bool) -> None:
        self.far.read(data.draw(st.integers(0, len(self.far.reads) - 1)), readable)

    @rule(room=rooms)
    def present(self, room: str) -> None:
        self.far.present(room)

    @rule(room=rooms)
    def reconnect(self, room: str) -> None:
        self.harness.gateway.gaps.add(room)
        self.far.reconnect(room)

    def teardown(self) -> None:
        try:
            self.settle()
        finally:
            logging.getLogger("chatroom").removeHandler(self.faults)
        assert self.faults.records == []

    def settle(self) -> None:
        """Finish everything, and compare."""
        self.loss = ""
        self.far.settle_all()
        for session in self.admitted:
            self.service.enter(session)
        self.far.settle_all()
        assert not any(self.busy.values()), "a session waits forever"
        assert all(len(outcome) == 1 for outcome in self.outcomes), "an outcome is missing, or came twice"
        for session in self.live():
            self.check(session)
        self.harness.close()

    def check(self, session: Session) -> None:
        """A session that is still open must see the room as it is."""
        sid, room = session.sid, session.room
        assert session.is_in
        assert self.far.truth.name_of(room.key, sid) == session.person.name
        people = [joined.who for joined in self.far.truth.announced[room.key].values()]
        assert sorted(room.roster.people(), key=lambda one: one.sid) == sorted(
            people, key=lambda one: one.sid
        )
        gateway = self.harness.gateway
        seen = list(gateway.seen[sid].items())
        kept = [(entry.id, entry.text) for entry in self.far.truth.page(room.key).entries]
        assert seen == kept[len(kept) - len(seen) :], "a message or its change is missing, or came twice"
        changes = [at for at in self.far.truth.changes.get(room.key, ()) if at > gateway.joined_at[sid]]
        assert gateway.changes[sid] == changes, "a change of a message is missing"


TestServiceMachine = ServiceMachine.TestCase
TestServiceMachine.settings = settings(stateful_step_count=40)
