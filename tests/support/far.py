"""A test double: a remote backplane, which requests reach late and from which answers come late.

What it decides is decided by the authority of one process, at the moment when a request arrives there. Requests arrive
in the order of the calls. Answers and each room's facts come back in order, but not in step with each other. An answer
may be lost, other processes have people in the same rooms, and a `Present` may make up for facts that are trimmed away.

Nothing happens by itself: whoever drives it says what comes next. Reads and waiting happen in greenlets, as in the
product; `Far.run` begins one.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import greenlet

from chatroom.backplane import (
    Claimed,
    ClaimRequest,
    Keys,
    OnAppended,
    OnChanged,
    OnClaimed,
    OnRenamed,
    OnSet,
    OnSuggested,
    OnWhispered,
    Receiver,
)
from chatroom.backplane.feed import Deliver, Feed, Slot
from chatroom.backplane.local import RoomRules
from chatroom.backplane.memory import MemoryBackplane
from chatroom.core.addresses import Address
from chatroom.core.errors import BadRequest, Refusal, Unavailable
from chatroom.core.events import (
    Changed,
    Deleted,
    Edited,
    Joined,
    Left,
    Person,
    Presence,
    Present,
    Reacted,
    Renamed,
    Said,
    Whispered,
    Why,
)
from chatroom.core.log import Entry, Item, Page


class _Facts(Feed):
    """Replaces an authority's feed: passes on each event as it is decided."""

    def __init__(self, decided: Callable[[str, Item], None]) -> None:
        super().__init__()
        self._decided = decided

    def start(self, deliver: Deliver) -> None:
        """Nothing to do: everything is passed on at once."""

    def put(self, room: str, item: Item) -> None:
        self._decided(room, item)

    def reserve(self, room: str) -> Slot:
        return Slot(room)

    def settle(self, slot: Slot, item: Item | None, after: Callable[[], None] | None = None) -> None:
        if item is not None:
            self._decided(slot.room, item)
        if after is not None:
            after()

    def drain(self) -> None:
        """Nothing waits here."""


class Truth(MemoryBackplane):
    """The authority, which decides at once. Members may change their own messages, and react to all.

    Attributes:
        announced: by room, who has been announced, as joins under their present names, in order of joining.
        states: by room, what was set there.
        lapsing: what was set for some time; whoever drives this says when the time is over.
        changes: by room, the numbers of what happened to its messages.
    """

    def __init__(
        self,
        rules: RoomRules,
        decided: Callable[[str, Item], None],
        now_ms: Callable[[], int],
        monotonic: Callable[[], float],
    ) -> None:
        super().__init__(rules, now_ms, monotonic)
        self.announced: dict[str, dict[str, Joined]] = {}
        self.states: dict[str, dict[str, object]] = {}
        self.lapsing: set[tuple[str, str]] = set()
        self.changes: dict[str, list[str]] = {}
        self._senders: dict[str, str] = {}  # by entry: the session
        self._decided = decided
        self._feed = _Facts(self._note)

    def is_member(self, room: str, sid: str) -> bool:
        return self._person(room, sid) is not None

    def name_of(self, room: str, sid: str) -> str | None:
        person = self._person(room, sid)
        return person.name if person is not None else None

    def present(self, room: str) -> Item:
        """Who is in a room, as a `Present`."""
        people = tuple(self.announced.get(room, {}).values())
        return Item(Present(people, dict(self.states.get(room, {}))), self._now_ms(), self._ids.last)

    def set(self, room: str, name: str, value: object, seconds: float | None, on_done: OnSet) -> None:
        state = self.states.setdefault(room, {})
        self.lapsing.discard((room, name))
        if value is None:
            state.pop(name, None)
        else:
            state[name] = value
            if seconds is not None:
                self.lapsing.add((room, name))
        changed = Changed(name, value)
        self._put(room, changed)
        on_done(changed)

    def lapse(self, room: str, name: str) -> None:
        """End what was set for some time."""
        self.set(room, name, None, None, lambda _: None)

    def change(
        self, room: str, sid: str, entry_id: str, what: Edited | Deleted | Reacted, on_done: OnChanged
    ) -> None:
        entries = self._logs[room].entries if room in self._logs else []
        place = next((place for place, entry in enumerate(entries) if entry.id == entry_id), None)
        is_own = self._senders.get(entry_id) == sid
        if place is None or not self.is_member(room, sid) or not (is_own or isinstance(what, Reacted)):
            on_done(BadRequest())
            return
        now_ms = self._now_ms()
        done = replace(what, at=self._ids.next(now_ms))
        if isinstance(done, Edited):
            entries[place] = entries[place]._replace(text=done.text)
        elif isinstance(done, Deleted):
            del entries[place]
        self.changes.setdefault(room, []).append(done.at)
        self._feed.put(room, Item(done, now_ms, done.at))
        on_done(done)

    def _note(self, room: str, item: Item) -> None:
        people = self.announced.setdefault(room, {})
        match item.event:
            case Joined(who) as joined:
                people[who.sid] = joined
            case Left(who):
                people.pop(who.sid, None)
            case Renamed(sid, _, new):
                people[sid] = Joined(Person(sid, new), people[sid].claim)
            case Said(who):
                self._senders[item.position] = who.sid
        self._decided(room, item)


class Waiting:
    """A signal that a greenlet waits for, as the service waits for an answer."""

    def __init__(self, far: Far) -> None:
        self._far = far
        self._greenlet: greenlet.greenlet | None = None
        self.is_set = False

    def set(self) -> None:
        self.is_set = True
        if self._greenlet is not None:
            self._far.woken.append(self)

    def wait(self, timeout_s: float | None = None) -> bool:
        if not self.is_set:
            self._greenlet = greenlet.getcurrent()
            self._far.waiting.append(self)
            self._greenlet.parent.switch()
        return self.is_set

    def go_on(self) -> None:
        """The answer has come, or the wait has timed out."""
        thread, self._greenlet = self._greenlet, None
        if thread is not None:
            self._far.waiting.remove(self)
            thread.parent = greenlet.getcurrent()
            thread.switch()


class Far:
    """Keeps a backplane's promises for one process among several.

    Attributes:
        reads: greenlets that read the log, or are to begin something.
        waiting: what greenlets wait for.
        lossy: returns what happens to each request that has an answer: "" (nothing), "request" (it is lost), or
            "answer" (its answer is lost).
    """

    def __init__(
        self,
        rules: RoomRules,
        lossy: Callable[[], str] = lambda: "",
        *,
        now_ms: Callable[[], int] = lambda: 1,
        monotonic: Callable[[], float] = lambda: 0.0,
    ) -> None:
        self.truth = Truth(rules, self._decided, now_ms, monotonic)
        self.reads: list[greenlet.greenlet] = []
        self.waiting: list[Waiting] = []
        self.woken: list[Waiting] = []
        self.lossy = lossy
        self.requests: deque[Callable[[], None]] = deque()
        self.answers: deque[Callable[[], None]] = deque()
        self.facts: dict[str, deque[Item | Callable[[], None]]] = {}
        self.own: dict[str, set[str]] = {}  # by room, the sessions of this process that are in it
        self.foreign: dict[str, str] = {}  # the sessions of other processes, and their rooms
        self._at_hand: set[str] = set()
        self._followed: set[str] = set()  # the rooms whose facts come here
        self._delivering: greenlet.greenlet | None = None
        self._receiver: Receiver

    def start(self, receiver: Receiver) -> None:
        self._receiver = receiver
        self.truth.start(self)

    # Calls from the service

    def claim(self, room: str, request: ClaimRequest, on_done: OnClaimed) -> None:
        def arrive(answer: OnClaimed) -> None:
            def claimed(outcome: Claimed | Refusal | None) -> None:
                if isinstance(outcome, Claimed):
                    self._follow(room, request.sid)
                answer(outcome)

            self.truth.claim(room, request, claimed)

        self._ask(arrive, on_done)

    def announce(self, room: str, sid: str) -> None:
        self.requests.append(partial(self.truth.announce, room, sid))

    def rename(self, room: str, sid: str, wanted: str | None, lang: str | None, on_done: OnRenamed) -> None:
        self._ask(lambda answer: self.truth.rename(room, sid, wanted, lang, answer), on_done)

    def suggest(self, room: str, sid: str, lang: str | None, on_done: OnSuggested) -> None:
        self._ask(lambda answer: self.truth.suggest(room, sid, lang, answer), on_done)

    def leave(
        self,
        room: str,
        sid: str,
        *,
        hold_s: float = 0,
        address: Address | None = None,
        why: Why = Why.LEFT,
    ) -> None:
        self.requests.append(partial(self.truth.leave, room, sid, hold_s=hold_s, address=address, why=why))
        self.requests.append(partial(self._unfollow, room, sid))

    def count(self, room: str) -> int:
        return self.truth.count(room)

    def append(
        self, room: str, sid: str, text: str, cid: str | None, retry_key: bytes | None, on_done: OnAppended
    ) -> None:
        loss = self.lossy()

        def arrive() -> None:
            def kept(entry: Entry | None) -> None:
                # The outcome is known once this process has read its own feed up to it.
                outcome = partial(on_done, None if loss else entry)
                self.facts.setdefault(room, deque()).append(outcome)

            if loss == "request":
                kept(None)
            else:
                self.truth.append(room, sid, text, cid, retry_key, kept)

        self.requests.append(arrive)

    def whisper(self, room: str, whispered: Whispered, on_done: OnWhispered) -> None:
        self._ask(lambda answer: self.truth.whisper(room, whispered, answer), on_done)

    def notify(self, room: str, typing: Person) -> None:
        self.requests.append(partial(self.truth.notify, room, typing))

    def set(self, room: str, name: str, value: object, seconds: float | None, on_done: OnSet) -> None:
        self._ask(lambda answer: self.truth.set(room, name, value, seconds, answer), on_done)

    def change(
        self, room: str, sid: str, entry_id: str, what: Edited | Deleted | Reacted, on_done: OnChanged
    ) -> None:
        self._ask(lambda answer: self.truth.change(room, sid, entry_id, what, answer), on_done)

    def at_hand(self, room: str, after: str | None = None) -> bool:
        return room in self._at_hand and after is None

    def page(self, room: str, *, after: str | None = None, **which: Any) -> Page:
        if not self.at_hand(room, after):
            here = greenlet.getcurrent()
            self.reads.append(here)
            if not here.parent.switch():
                raise Unavailable
            self._at_hand.add(room)
        return self.truth.page(room, after=after, **which)

    def forget(self, room: str) -> None:
        self._at_hand.discard(room)
        self._followed.discard(room)
        if room in self.facts:  # outcomes are still reported
            self.facts[room] = deque(fact for fact in self.facts[room] if not isinstance(fact, Item))

    def forget_expired(self) -> None:
        self.truth.forget_expired()

    def keys(self, kind: Keys) -> Sequence[bytes]:
        return ()

    def save_key(self, kind: Keys, key: bytes, is_kept: bool, done: Callable[[], None]) -> None:
        done()

    def ready(self) -> bool:
        return True

    def settle(self) -> None:
        """Nothing is kept."""

    def close(self) -> None:
        """Nothing is kept."""

    # Calls from the authority

    def deliver(self, room: str, items: Sequence[Item]) -> None:
        raise AssertionError("facts come one by one")

    def whispered(self, room: str, whispered: Whispered) -> bool:
        return whispered.to.sid in self.foreign or self._receiver.whispered(room, whispered)

    def typed(self, room: str, who: Person) -> None:
        self._receiver.typed(room, who)

    def _decided(self, room: str, item: Item) -> None:
        if room in self._followed:
            self.facts.setdefault(room, deque()).append(item)
        if isinstance(item.event, Left):
            self._unfollow(room, item.event.who.sid)

    # Calls from the test

    def spawn(self, function: Callable[..., Any], *arguments: Any) -> None:
        """Start a greenlet at a later step: until then, it is among the reads that have not begun."""
        self.reads.append(greenlet.greenlet(lambda _: function(*arguments)))

    def signal(self) -> Waiting:
        return Waiting(self)

    def run(self, function: Callable[[], Any]) -> greenlet.greenlet:
        """Begin something that may wait."""
        thread = greenlet.greenlet(function)
        thread.switch()
        return thread

    def read(self, number: int, readable: bool = True) -> None:
        """Begin a read, or end it, successfully or not."""
        thread = self.reads.pop(number)
        thread.parent = greenlet.getcurrent()
        thread.switch(readable)
        self._wake()

    def arrive(self) -> None:
        """Deliver the oldest request."""
        self.requests.popleft()()

    def answer(self) -> None:
        """Deliver the oldest answer."""
        self.answers.popleft()()
        self._wake()

    def deliverable(self) -> list[str]:
        """The rooms with events to deliver; none while a delivery is under way."""
        if self._delivering is not None and not self._delivering.dead:
            return []
        return sorted(room for room, facts in self.facts.items() if facts)

    def deliver_some(self, room: str, most: int) -> None:
        """Deliver a batch of one room's events, in order."""
        facts = self.facts[room]
        batch = [facts.popleft() for _ in range(min(most, len(facts)))]

        def run() -> None:
            items = [fact for fact in batch if isinstance(fact, Item)]
            try:
                if items:
                    self._receiver.deliver(room, items)
            finally:
                for fact in batch:
                    if not isinstance(fact, Item):
                        fact()

        self._delivering = self.run(run)
        self._wake()

    def reconnect(self, room: str) -> None:
        """The feed was disconnected: a `Present` replaces people and state; messages and their changes stay."""
        if room in self._followed:
            facts = self.facts.setdefault(room, deque())
            kept = [fact for fact in facts if not _can_be_made_up_for(fact)]
            facts.clear()
            facts.extend(kept)
            facts.append(self.truth.present(room))

    def present(self, room: str) -> None:
        """Put a `Present` into the feed for no reason."""
        if room in self._followed:
            self.facts.setdefault(room, deque()).append(self.truth.present(room))

    def settle_all(self) -> None:
        """Step until nothing is pending."""
        while self.requests or self.answers or self.reads or any(self.facts.values()):
            self.step()

    def step(self) -> None:
        """Deliver one thing that is pending."""
        if self.reads:
            self.read(0)
        elif self.requests:
            self.arrive()
        elif self.answers:
            self.answer()
        else:
            self.deliver_some(self.deliverable()[0], 100)

    def _ask(self, arrive: Callable[[Callable[[Any], None]], None], on_done: Callable[[Any], None]) -> None:
        loss = self.lossy()

        def answer(outcome: object) -> None:
            self.answers.append(partial(on_done, None if loss else outcome))

        if loss == "request":
            self.requests.append(partial(answer, None))
        else:
            self.requests.append(partial(arrive, answer))

    def _follow(self, room: str, sid: str) -> None:
        self.own.setdefault(room, set()).add(sid)
        if room not in self._followed:
            self._followed.add(room)
            self.reconnect(room)

    def _unfollow(self, room: str, sid: str) -> None:
        """A session of this process is out of a room; with the last one, the process follows it no longer."""
        if room in self.own and not self.truth.is_member(room, sid):
            self.own[room].discard(sid)
            if not self.own[room]:
                del self.own[room]
                self._followed.discard(room)

    def _wake(self) -> None:
        while self.woken:
            self.woken.pop(0).go_on()


def _can_be_made_up_for(fact: Item | Callable[[], None]) -> bool:
    if not isinstance(fact, Item) or not isinstance(fact.event, Presence | Present | Changed):
        return False
    return not isinstance(fact.event, Left) or fact.event.why in (Why.LEFT, Why.CUT)
