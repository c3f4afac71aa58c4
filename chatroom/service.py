"""The use cases: enter, say, whisper, rename, move, look back, leave.

Each asks the core whether it may be and what follows, puts the answer into the backplane's order, and tells the
gateways what comes out of it. It knows no wire format, no socket and no disk; time, randomness and the waiting
are given to it.

What is decided and what is told are two things: a room's `Room` holds who is in, its `Roster` what everybody
has been told so far, which is behind by whatever waits for the disk.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, TypeVar

from chatroom.backplane import Backplane
from chatroom.core.errors import (
    NameChangedHands,
    NameTaken,
    NoSuchPerson,
    RateLimited,
    Refusal,
    RoomFull,
    Unavailable,
)
from chatroom.core.events import Joined, Left, Person, Renamed, Said, Talk, Whispered
from chatroom.core.flood import Bucket, Rate
from chatroom.core.log import PAGE_ENTRIES, Entry, Item, Page
from chatroom.core.names import NamePool, name_key, printable, room_key
from chatroom.core.private_talk import PrivateTalk
from chatroom.core.recent import Addressed, Gone
from chatroom.core.room import Room
from chatroom.core.text import parse_text
from chatroom.sessions import LOBBY, Gateway, Hall, Session, Welcome, Wish
from chatroom.tokens import Claim, Tokens, new_identity, retry_key

WELCOME_ENTRIES = 50  # what a newcomer is shown of the past (protocol, section 1: `you`)
_MAX_GONE = 10_000  # sessions that have left and whose owners may come back, the latest


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """The numbers that the service holds its guests to. A rate of None is no limit."""

    speaking: Rate | None
    events: Rate | None
    max_text: int
    max_rooms: int
    max_room_people: int
    resume_grace_s: float


Told = Callable[[Entry | None], None]


class Service:
    """The use cases over one backplane and any number of gateways."""

    def __init__(
        self,
        *,
        backplane: Backplane,
        names: NamePool,
        tokens: Tokens,
        limits: Limits,
        public_rooms: Iterable[str] = (),
        now_ms: Callable[[], int],
        monotonic: Callable[[], float],
        rng: random.Random,
        spawn: Callable[..., Any],
    ) -> None:
        self.limits = limits
        self._backplane = backplane
        self._names = names
        self._tokens = tokens
        self._public_rooms = tuple(dict.fromkeys((LOBBY, *public_rooms)))
        self._now_ms = now_ms
        self._monotonic = monotonic
        self._rng = rng
        self._spawn = spawn
        self._halls: dict[str, Hall] = {}
        self._sessions: dict[str, Session] = {}
        self._by_identity: dict[str, Session] = {}
        self._gone: dict[str, str] = {}  # from the ids of sessions that have left to their identities
        self._parked: dict[
            str, tuple[PrivateTalk, Addressed]
        ] = {}  # by identity: what cut sessions go on with
        self._gateways: list[Gateway] = []

    def start(self, gateways: Sequence[Gateway]) -> None:
        """Begin to tell these gateways what happens."""
        self._gateways = list(gateways)
        self._backplane.start(self._deliver)

    def session(self, sid: str) -> Session | None:
        """The session with this id, if it has not left."""
        return self._sessions.get(sid)

    def sessions(self) -> list[Session]:
        """Everybody who is in."""
        return list(self._sessions.values())

    def ready(self) -> bool:
        """Whether messages can be taken now."""
        return self._backplane.ready()

    # Coming and going

    def admit(self, sid: str, gateway: Gateway, wish: Wish) -> Session:
        """Decide who a guest is and whether they may come in; nobody is told anything yet.

        A token gives back the name that it was made for, if nobody else has it now. Its session, if it still lives (a
        duplicated tab), is replaced.

        Raises:
            RoomFull: too many people in the room, or too many rooms.
            NameTaken: the wanted name is somebody's; who brings a token gets a random one instead.
        """
        claim = self._tokens.read(wish.token) if wish.token is not None else None
        older = self._by_identity.get(claim.identity) if claim is not None else None
        hall = self._hall(wish.room)
        if older is not None and older.hall is hall:
            self._replace(older)
        identity = claim.identity if claim is not None else new_identity()
        try:
            if claim is not None or wish.token is not None:
                resumed = self._join_again(hall, sid, identity, claim, wish)
            else:
                resumed = False
                self._join(hall, sid, identity, wish.username, wish.lang)
        except Refusal:
            self._close_if_empty(hall)
            raise
        if older is not None and not older.closed:
            self._replace(older)
        now = self._monotonic()
        session = Session(
            sid=sid,
            gateway=gateway,
            hall=hall,
            identity=identity,
            keeps_name=wish.keeps_name,
            resumed=resumed,
            speaking=Bucket(self.limits.speaking, now) if self.limits.speaking is not None else None,
            events=Bucket(self.limits.events, now) if self.limits.events is not None else None,
            since=now if claim is None else float("-inf"),
            lang=wish.lang,
            after=wish.after,
        )
        session.talk, session.addressed = self._parked.pop(identity, (session.talk, session.addressed))
        self._sessions[sid] = self._by_identity[identity] = session
        return session

    def enter(self, session: Session) -> None:
        """Put an admitted guest's coming into the room's order; the welcome follows from there."""
        if self._backplane.at_hand(session.hall.key, session.after):
            self._announce(session)
        else:
            # The disk must be asked first, so that nobody waits for it when the coming's turn is there.
            self._spawn(self._read_and_announce, session)

    def leave(self, session: Session, *, cut: bool) -> None:
        """Take a guest out; a second time does nothing.

        Args:
            cut: the connection was lost, not ended by the guest: the name may be held for them, and their private talk
                goes on if they come back.
        """
        if session.closed:
            return
        session.closed = True
        hall = session.hall
        left = hall.room.leave(session.sid)
        hall.recent.add(left.who.name, session.identity, self._monotonic())
        _remember(self._gone, session.sid, session.identity)
        if cut and (session.addressed or not session.talk.is_plain):
            _remember(self._parked, session.identity, (session.talk, session.addressed))
        del self._sessions[session.sid]
        if self._by_identity.get(session.identity) is session:
            del self._by_identity[session.identity]
        if cut and session.keeps_name and self.limits.resume_grace_s > 0:
            name = left.who.name
            seconds = self.limits.resume_grace_s
            self._backplane.hold(hall.key, name_key(name), name, session.identity, seconds)
        self._speak(session)
        if session.announced:
            self._publish(hall, left)
        self._close_if_empty(hall)

    def move(self, session: Session, room: str) -> None:
        """Take a guest to another room, under the same name.

        Raises:
            NameTaken: somebody there has the name; the guest stays where they are.
            RoomFull: too many people there, or too many rooms.
            RateLimited: too often.
        """
        old = session.hall
        if room_key(room) == old.key:
            return
        new = self._hall(room)
        try:
            self._spend(session.speaking)
            self._join(new, session.sid, session.identity, session.person.name)
        except Refusal:
            self._close_if_empty(new)
            raise
        left = old.room.leave(session.sid)
        old.recent.add(left.who.name, session.identity, self._monotonic())
        self._speak(session)
        if session.announced:
            self._publish(old, left)
        self._close_if_empty(old)
        session.addressed.clear()
        session.hall, session.after, session.early = new, None, None
        session.announced = session.welcomed = session.resumed = False
        self.enter(session)

    # Speaking

    def say(self, session: Session, text: str, cid: str | None, told: Told) -> None:
        """Say something to the room; returns at once.

        Args:
            cid: the client's own id for the message; who sends it again is told of the first one.
            told: called with the entry when it is safe and everybody has been told, with None if it could not be kept.

        Raises:
            BadRequest, Empty, TooLong: the text cannot be said.
            RateLimited: too much at once.
        """
        text = parse_text(text, self.limits.max_text)
        self._spend(session.speaking)
        said = session.hall.room.say(session.sid, text)
        key = None
        if cid is not None:
            said = Said(said.who, said.text, cid)
            key = retry_key(session.identity, cid)
        hall = session.hall
        hall.awaited += 1

        def done(entry: Entry | None) -> None:
            hall.awaited -= 1
            told(entry)
            self._close_if_empty(hall)

        session.early_words.append(partial(self._backplane.append, hall.key, said, key, done))
        if session.announced:
            self._speak(session)

    def whisper(self, session: Session, to: str, text: str, talk: Talk | None = None) -> Whispered:
        """Say something to whom the room calls by a name, at once; it is kept nowhere.

        Args:
            talk: it is part of a private talk, and how. Only a `LINE` has a text. What is no doing of the session's own
                guest (`TURNED`, `ENDED`) costs nothing.

        Raises:
            NoSuchPerson: nobody of that name is there, or (`NameChangedHands`, once) another than the guest knows.
            BadRequest, Empty, TooLong: the text cannot be said.
            RateLimited: too much at once.
        """
        hall = session.hall
        listener = hall.room.find(to)
        if listener is None:
            raise NoSuchPerson(name=printable(to))
        recipient = self._sessions.get(listener.sid)
        if recipient is not None and recipient is not session:
            before = hall.recent.find(listener.name, self._monotonic())
            if before is not None and before.at < session.since:
                before = None
            if session.addressed.is_other(listener.name, recipient.identity, before):
                raise NameChangedHands(name=listener.name)
        return self.whisper_to(session, listener.sid, text, talk)

    def whisper_to(
        self, session: Session, to_sid: str, text: str, talk: Talk | None = None, *, to: str = ""
    ) -> Whispered:
        """Say something to one session, or to the one with which its guest has come back, whatever their name is now.

        Args:
            to: what the guest calls them.

        Raises:
            As `whisper`.
        """
        listener = self.present(session, to_sid)
        recipient = self._sessions.get(listener.sid) if listener is not None else None
        if listener is None or recipient is None or not recipient.welcomed:
            raise NoSuchPerson(name=printable(to or (listener.name if listener is not None else "")))
        is_signal = talk is not None and talk is not Talk.LINE
        text = "" if is_signal else parse_text(text, self.limits.max_text)
        whispered = replace(session.hall.room.whisper(session.sid, listener.sid, text), talk=talk)
        if talk not in (Talk.TURNED, Talk.ENDED):
            self._spend(session.speaking)
        now = self._now_ms()
        for side in (recipient,) if is_signal else (recipient, session):
            side.gateway.whisper(side, whispered, now)
        return whispered

    def lately(self, session: Session) -> Callable[[str], Gone | None]:
        """Finds who gave up a name in the session's room a short while ago."""
        return partial(session.hall.recent.find, now=self._monotonic())

    def present(self, session: Session, sid: str) -> Person | None:
        """Who in the session's room has this id, or had it and has come back, as their token says."""
        person = session.hall.room.members.get(sid)
        heir = self._by_identity.get(self._gone.get(sid, "")) if person is None else None
        return heir.person if heir is not None and heir.hall is session.hall else person

    def rename(self, session: Session, name: str | None) -> tuple[str, str]:
        """Give a guest another name; without one, a random free one.

        Returns:
            The new name, and a token for it.

        Raises:
            NameTaken: somebody has it, or it is held for somebody.
            RateLimited: too often.
        """
        hall = session.hall
        self._spend(session.speaking)
        reserved = self._reserved(hall, session.identity)
        renamed = hall.room.rename(session.sid, name, reserved, session.lang)
        hall.recent.add(renamed.old, session.identity, self._monotonic())
        if session.announced:
            self._publish(hall, renamed)
        return renamed.new, self._tokens.write(session.identity, renamed.new)

    def suggest(self, session: Session) -> str:
        """A random name that the guest could take now; nothing changes."""
        hall = session.hall
        return hall.room.suggest(self._reserved(hall, session.identity), session.lang)

    def choose_language(self, session: Session, lang: str | None) -> None:
        """Draw a guest's names from this language from now on; None: from all."""
        session.lang = lang

    def type(self, session: Session) -> None:
        """Tell the others that somebody types."""
        if session.welcomed:
            session.gateway.typing(session.hall, session.person)

    # Looking

    def spend_event(self, session: Session) -> None:
        """Count one event of any kind.

        Raises:
            RateLimited: too many; the session should be told, and goes on.
        """
        self._spend(session.events)

    def who(self, session: Session) -> list[Person]:
        """Who is in the room, in the order of coming, as everybody has been told."""
        if session.welcomed:
            return session.hall.roster.people()
        return list(session.hall.room.members.values())  # a mover whose coming is still to be told

    def rooms(self) -> list[tuple[str, int]]:
        """The rooms that may be listed, and how many people are in each."""
        listed = []
        for name in self._public_rooms:
            hall = self._halls.get(room_key(name))
            listed.append((name, len(hall.roster) if hall is not None else 0))
        return listed

    def history(
        self,
        session: Session,
        *,
        after: str | None,
        before: str | None,
        limit: int,
        answer: Callable[[Page | None], None],
    ) -> None:
        """A page of the room's log, to `answer`; None if it cannot be read now. Returns at once."""
        key = session.hall.key

        def read() -> None:
            try:
                page = self._backplane.page(key, after=after, before=before, limit=limit)
            except Unavailable:
                answer(None)
            else:
                answer(page)
            self._forget_if_closed(key)

        if before is None and self._backplane.at_hand(key, after):
            read()
        else:
            self._spawn(read)

    # What comes out of the feed

    def _deliver(self, key: str, items: Sequence[Item]) -> None:
        hall = self._halls[key]
        newcomers: list[tuple[Session, Item]] = []
        for item in items:
            event = item.event
            if isinstance(event, Said) and newcomers:
                # They must be in before this is told: the past that they are given ends where they came.
                self._welcome(hall, newcomers)
                newcomers = []
            if isinstance(event, Joined | Left | Renamed):
                hall.awaited -= 1
                hall.roster.apply(event)
            for gateway in self._gateways:
                gateway.tell(hall, item)
            if isinstance(event, Left):
                newcomers = [pair for pair in newcomers if pair[0].sid != event.who.sid]
            elif isinstance(event, Joined):
                session = self._sessions.get(event.who.sid)
                if session is not None and session.hall is hall:
                    newcomers.append((session, item))
        self._welcome(hall, newcomers)
        for gateway in self._gateways:
            gateway.flush(hall)
        self._close_if_empty(hall)

    def _welcome(self, hall: Hall, newcomers: Sequence[tuple[Session, Item]]) -> None:
        for session, item in newcomers:
            try:
                page = self._missed(session, item.position)
            except Unavailable:
                page = Page((), gap=True)  # let in all the same; what has been said can be asked for later
            person = hall.roster.get(session.sid)
            if person is None:
                continue  # came and left within one batch
            token = self._tokens.write(session.identity, person.name)
            session.early = None
            session.welcomed = True
            session.gateway.welcome(session, Welcome(person, hall, token, session.resumed, page, item.at_ms))

    def _missed(self, session: Session, position: str) -> Page:
        key, after, early = session.hall.key, session.after, session.early
        if after is None or (early is not None and early.gap):
            page = self._backplane.page(key, upto=position, limit=WELCOME_ENTRIES)
            return Page(page.entries, gap=early is not None and early.gap)
        if early is None:
            page = self._backplane.page(key, after=after, upto=position)
            if page.gap:
                recent = self._backplane.page(key, upto=position, limit=WELCOME_ENTRIES)
                return Page(recent.entries, gap=True)
            return page
        if early.more:
            return early
        since = early.entries[-1].id if early.entries else after
        rest = self._backplane.page(key, after=since, upto=position, limit=PAGE_ENTRIES - len(early.entries))
        return Page(early.entries + rest.entries, more=rest.more)

    # Helpers

    def _announce(self, session: Session) -> None:
        session.announced = True
        self._publish(session.hall, Joined(session.person))
        self._speak(session)

    @staticmethod
    def _speak(session: Session) -> None:
        words, session.early_words = session.early_words, []
        for append in words:
            append()

    def _read_and_announce(self, session: Session) -> None:
        hall = session.hall
        try:
            session.early = self._backplane.page(hall.key, after=session.after)
        except Unavailable:
            session.early = Page((), gap=True)
        if not session.closed and session.hall is hall:
            self._announce(session)
        else:
            self._forget_if_closed(hall.key)

    def _forget_if_closed(self, key: str) -> None:
        """After a read that may have outlasted the room's last guest."""
        if key not in self._halls:
            self._backplane.forget(key)

    def _publish(self, hall: Hall, event: Joined | Left | Renamed) -> None:
        hall.awaited += 1
        self._backplane.publish(hall.key, event)

    def _hall(self, name: str) -> Hall:
        key = room_key(name)
        hall = self._halls.get(key)
        if hall is None:
            if len(self._halls) >= self.limits.max_rooms:
                raise RoomFull()
            hall = Hall(Room(name, self._names, self._rng, self.limits.max_room_people))
            self._halls[key] = hall
        return hall

    def _close_if_empty(self, hall: Hall) -> None:
        if not hall.room and not hall.awaited and self._halls.get(hall.key) is hall:
            del self._halls[hall.key]
            self._backplane.forget(hall.key)

    def _reserved(self, hall: Hall, identity: str) -> Callable[[str], bool]:
        def reserved(key: str) -> bool:
            return self._backplane.holder(hall.key, key) not in (None, identity)

        return reserved

    def _join(self, hall: Hall, sid: str, identity: str, name: str | None, lang: str | None = None) -> None:
        hall.room.join(sid, name, self._reserved(hall, identity), lang)

    def _join_again(self, hall: Hall, sid: str, identity: str, claim: Claim | None, wish: Wish) -> bool:
        if len(hall.room) >= self.limits.max_room_people:
            raise RoomFull  # before the name that is held is let go of
        held = self._backplane.release(hall.key, identity)
        known = [name for name in (held, claim.name if claim is not None else None) if name is not None]
        for name in (*known, wish.username):
            if name is None:
                continue
            try:
                self._join(hall, sid, identity, name)
            except NameTaken:
                continue
            return name in known
        self._join(hall, sid, identity, None, wish.lang)
        return False

    def _replace(self, older: Session) -> None:
        if older.addressed or not older.talk.is_plain:
            _remember(self._parked, older.identity, (older.talk, older.addressed))
        self.leave(older, cut=False)
        older.gateway.replaced(older)

    def _spend(self, bucket: Bucket | None) -> None:
        if bucket is not None:
            wait_s = bucket.take(self._monotonic())
            if wait_s > 0:
                raise RateLimited(retry_after=round(wait_s, 3))


_Kept = TypeVar("_Kept")


def _remember(kept: dict[str, _Kept], key: str, value: _Kept) -> None:
    """Keep something as the latest, and no more than the bound."""
    kept.pop(key, None)
    kept[key] = value
    if len(kept) > _MAX_GONE:
        del kept[next(iter(kept))]
