"""The authority of one process: it decides at once, and is the only one there is.

It joins the core's rooms with the names that are held for people who are away, and puts what it decides into the feed.
It knows no log: its subclasses store messages.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from chatroom.backplane import (
    Claimed,
    ClaimRequest,
    OnChanged,
    OnClaimed,
    OnRenamed,
    OnSet,
    OnSuggested,
    OnWhispered,
    Receiver,
)
from chatroom.backplane.feed import Feed
from chatroom.backplane.holds import Holds
from chatroom.backplane.ids import IdSource
from chatroom.core.addresses import Address
from chatroom.core.errors import (
    BadRequest,
    NameTaken,
    NoSuchPerson,
    NotAMember,
    Refusal,
    RoomFull,
    Unavailable,
)
from chatroom.core.events import Deleted, Edited, Event, Joined, Left, Person, Reacted, Whispered, Why
from chatroom.core.log import Item
from chatroom.core.names import NamePool, Randomness, name_key
from chatroom.core.room import Room


@dataclass(frozen=True, slots=True)
class RoomRules:
    """The rules of every room.

    Attributes:
        names: the names for those who choose none.
        rng: draws them.
        max_people: the most people at once; None for no bound.
        held_per_address: the most names held for one address; None for no bound.
    """

    names: NamePool
    rng: Randomness
    max_people: int | None
    held_per_address: int | None = None


@dataclass(slots=True)
class _Member:
    identity: str
    claim: int
    is_announced: bool = False


@dataclass(slots=True)
class _OccupiedRoom:
    """An occupied room, and what `Room` does not know of its members."""

    room: Room
    members: dict[str, _Member] = field(default_factory=dict)


class LocalAuthority:
    """Keeps the promises of `Backplane` that concern names and membership.

    Args:
        now_ms: the wall clock, UTC, milliseconds since the epoch.
        monotonic: a clock in seconds that never goes back.
        ids: makes the ids of the log's entries.
    """

    def __init__(
        self, rules: RoomRules, now_ms: Callable[[], int], monotonic: Callable[[], float], ids: IdSource
    ) -> None:
        self._rules = rules
        self._now_ms = now_ms
        self._monotonic = monotonic
        self._ids = ids
        self._feed = Feed()
        self._holds = Holds(monotonic, rules.held_per_address)
        self._rooms: dict[str, _OccupiedRoom] = {}
        self._locations: dict[str, tuple[str, str]] = {}  # by identity: the room, and the session in it
        self._receiver: Receiver | None = None

    def start(self, receiver: Receiver) -> None:
        self._receiver = receiver
        self._feed.start(receiver.deliver)

    def forget_expired(self) -> None:
        self._holds.forget_expired()

    def claim(self, room: str, request: ClaimRequest, on_done: OnClaimed) -> None:
        try:
            claimed: Claimed | Refusal = self._claim(room, request)
        except Refusal as refused:
            claimed = refused
        on_done(claimed)

    def _claim(self, key: str, request: ClaimRequest) -> Claimed:
        occupied = self._rooms.get(key)
        older_key, older_sid = self._locations.get(request.identity, (None, ""))
        limit = self._rules.max_people
        if limit is not None and occupied is not None and len(occupied.room) >= limit and older_key != key:
            raise RoomFull  # first, so that a name that is held stays held
        if older_key == key:
            self.leave(key, older_sid, why=Why.REPLACED)
        occupied = self._rooms.get(key) or _OccupiedRoom(Room(self._rules.names, self._rules.rng, limit))
        claimed = self._obtain(occupied, key, request)
        self._rooms[key] = occupied
        occupied.members[request.sid] = _Member(request.identity, request.claim)
        self._locations[request.identity] = (key, request.sid)
        if older_key is not None and older_key != key and older_sid != request.sid:
            self.leave(older_key, older_sid, why=Why.REPLACED)
        return claimed

    def _obtain(self, occupied: _OccupiedRoom, key: str, request: ClaimRequest) -> Claimed:
        reserved = self._reserved(key, request.identity)
        if request.insists:
            joined = occupied.room.join(request.sid, request.wanted, reserved, request.lang)
            self._holds.release(key, request.identity)  # its owner is here, under this name or another
            return Claimed(joined.who, resumed=False)
        held = self._holds.release(key, request.identity)
        known = [name for name in (held, *request.known) if name is not None]
        for name in (*known, request.wanted):
            if name is not None:
                try:
                    return Claimed(occupied.room.join(request.sid, name, reserved).who, resumed=name in known)
                except NameTaken:
                    continue
        return Claimed(occupied.room.join(request.sid, None, reserved, request.lang).who, resumed=False)

    def announce(self, room: str, sid: str) -> None:
        occupied, member = self._find(room, sid)
        if occupied is not None and member is not None and not member.is_announced:
            member.is_announced = True
            self._put(room, Joined(occupied.room.members[sid], member.claim))

    def rename(self, room: str, sid: str, wanted: str | None, lang: str | None, on_done: OnRenamed) -> None:
        occupied, member = self._find(room, sid)
        if occupied is None or member is None:
            on_done(Unavailable())
            return
        try:
            renamed = occupied.room.rename(sid, wanted, self._reserved(room, member.identity), lang)
        except Refusal as refused:
            on_done(refused)
            return
        if member.is_announced and renamed.new != renamed.old:
            self._put(room, renamed)
        on_done(renamed)

    def suggest(self, room: str, sid: str, lang: str | None, on_done: OnSuggested) -> None:
        occupied, member = self._find(room, sid)
        if occupied is None or member is None:
            on_done(Unavailable())
        else:
            on_done(occupied.room.suggest(self._reserved(room, member.identity), lang))

    def leave(
        self,
        room: str,
        sid: str,
        *,
        hold_s: float = 0,
        address: Address | None = None,
        why: Why = Why.LEFT,
    ) -> None:
        occupied, member = self._find(room, sid)
        if occupied is None or member is None:
            return
        who = occupied.room.leave(sid).who
        del occupied.members[sid]
        if not occupied.members:
            del self._rooms[room]
        if self._locations.get(member.identity) == (room, sid):
            del self._locations[member.identity]
        if hold_s > 0:
            self._holds.hold(room, name_key(who.name), who.name, member.identity, hold_s, address)
        if member.is_announced or why not in (Why.LEFT, Why.CUT):
            self._put(room, Left(who, why, member.claim))

    def count(self, room: str) -> int:
        occupied = self._rooms.get(room)
        return len(occupied.room) if occupied is not None else 0

    def whisper(self, room: str, whispered: Whispered, on_done: OnWhispered) -> None:
        occupied = self._rooms.get(room)
        gone = NoSuchPerson(name=whispered.to.name)
        if occupied is None or self._receiver is None:
            on_done(gone)
            return
        try:
            stamped = occupied.room.whisper(
                whispered.who.sid, whispered.to.sid, whispered.text, whispered.talk
            )
        except NotAMember:
            on_done(gone)
        except Refusal as refused:
            on_done(refused)
        else:
            on_done(stamped if self._receiver.whispered(room, stamped) else gone)

    def notify(self, room: str, typing: Person) -> None:
        who = self._person(room, typing.sid)
        if who is not None and self._receiver is not None:
            self._receiver.typed(room, who)

    def set(self, room: str, name: str, value: object, seconds: float | None, on_done: OnSet) -> None:
        on_done(BadRequest())  # a room has no state yet

    def change(
        self, room: str, sid: str, entry_id: str, what: Edited | Deleted | Reacted, on_done: OnChanged
    ) -> None:
        on_done(BadRequest())  # messages cannot be changed yet

    def _find(self, room: str, sid: str) -> tuple[_OccupiedRoom | None, _Member | None]:
        occupied = self._rooms.get(room)
        return occupied, occupied.members.get(sid) if occupied is not None else None

    def _person(self, room: str, sid: str) -> Person | None:
        """The member with this id, under their present name."""
        occupied = self._rooms.get(room)
        return occupied.room.members.get(sid) if occupied is not None else None

    def _reserved(self, room: str, identity: str) -> Callable[[str], bool]:
        def reserved(key: str) -> bool:
            return self._holds.holder(room, key) not in (None, identity)

        return reserved

    def _put(self, room: str, event: Event) -> None:
        self._feed.put(room, Item(event, self._now_ms(), self._ids.last))
