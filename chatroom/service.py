"""The use cases: enter, say, whisper, rename, move, look back, leave.

Each asks the core whether it may be and what follows, puts the answer into the backplane's order, and tells the
gateways what comes out of it. It knows no wire format, no socket and no disk; time, randomness and the waiting
are given to it.

What is decided and what is told are two things: a room's `Room` holds who is in, its `Roster` what everybody
has been told so far, which is behind by whatever waits for the disk.
"""

from __future__ import annotations

import logging
import random
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Final

from chatroom.backplane import Backplane
from chatroom.core.errors import (
    Misuse,
    NameAfterRestart,
    NameChangedHands,
    NameTaken,
    NoSuchPerson,
    RateLimited,
    RoomFull,
    Unavailable,
)
from chatroom.core.events import Joined, Left, Person, Renamed, Said, Talk, Whispered
from chatroom.core.flood import Bucket, Rate
from chatroom.core.log import PAGE_ENTRIES, Entry, Item, Page
from chatroom.core.names import NamePool, name_key, printable, room_key
from chatroom.core.recent import Gone
from chatroom.core.room import Room
from chatroom.core.text import parse_text
from chatroom.returning import Returning, remember
from chatroom.sessions import LOBBY, Gateway, Hall, Membership, Session, Stage, Welcome, Wish
from chatroom.tokens import Claim, Tokens, new_identity, retry_key

log = logging.getLogger(__name__)

WELCOME_ENTRIES = 50  # what a newcomer is shown of the past (protocol, section 1: `you`)
_PRESENCE: Final = (Joined, Left, Renamed)  # what a roster follows


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
        self._whispered: dict[bytes, None] = {}  # the retry keys of private texts that were sent
        self._returning = Returning(backplane, monotonic)
        self.save_talk = self._returning.save_talk
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
        identity = claim.identity if claim is not None else new_identity()
        with self._open_hall(wish.room) as hall:
            if older is not None and older.hall is hall:
                self._replace(older)
            if wish.token is not None:
                resumed = self._join_again(hall, sid, identity, claim, wish)
            else:
                resumed = False
                self._join(hall, sid, identity, wish.username, wish.lang)
        now = self._monotonic()
        session = Session(
            sid=sid,
            gateway=gateway,
            membership=Membership(hall, resumed, wish.after),
            identity=identity,
            keeps_name=wish.keeps_name,
            speaking=Bucket(self.limits.speaking, now) if self.limits.speaking is not None else None,
            events=Bucket(self.limits.events, now) if self.limits.events is not None else None,
            since=now if claim is None else float("-inf"),
            lang=wish.lang,
        )
        self._sessions[sid] = self._by_identity[identity] = session
        if wish.token is not None and (claim is None or claim.is_earlier):
            self._returning.note_restart(identity, claim.name if claim is not None else "")
        if older is not None and not older.closed:
            self._replace(older)
        if claim is not None:
            self._returning.go_on(session)
        return session

    def enter(self, session: Session) -> None:
        """Put an admitted guest's coming into the room's order; the welcome follows from there."""
        membership = session.membership
        if self._backplane.at_hand(membership.hall.key, membership.after):
            self._announce(session)
        else:
            # The disk must be asked first, so that nobody waits for it when the coming's turn is there.
            membership.advance(Stage.READING)
            self._spawn(self._read_and_announce, session, membership)

    def leave(self, session: Session, *, cut: bool) -> None:
        """Take a guest out; a second time does nothing.

        Args:
            cut: the connection was lost, not ended by the guest: the name may be held for them, and their private talk
                goes on if they come back.
        """
        if session.closed:
            return
        if cut:
            self._returning.park(session)
        else:
            self._returning.forget(session.identity)
        self._take_out(session, cut=cut)

    def _take_out(self, session: Session, *, cut: bool) -> None:
        hall, name = session.hall, session.person.name
        if not cut:
            self._returning.left(session.identity)
        del self._sessions[session.sid]
        if self._by_identity.get(session.identity) is session:
            del self._by_identity[session.identity]
        if cut and session.keeps_name and self.limits.resume_grace_s > 0:
            seconds = self.limits.resume_grace_s
            self._backplane.hold(hall.key, name_key(name), name, session.identity, seconds)
        self._leave_hall(session)

    def move(self, session: Session, room: str) -> None:
        """Take a guest to another room, under the same name.

        Raises:
            NameTaken: somebody there has the name; the guest stays where they are.
            RoomFull: too many people there, or too many rooms.
            RateLimited: too often.
        """
        if room_key(room) == session.hall.key:
            return
        with self._open_hall(room) as new:
            self._spend(session.speaking)
            self._join(new, session.sid, session.identity, session.person.name)
            self._leave_hall(session)
            session.addressed.clear()
            session.membership = Membership(new)
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
            try:
                told(entry)
            finally:
                hall.awaited -= 1
                self._close_if_empty(hall)

        membership = session.membership
        membership.pending.append(partial(self._backplane.append, hall.key, said, key, done))
        if membership.announced:
            self._speak(membership)

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
        self._check_hands(session, listener)
        return self.whisper_to(session, listener.sid, text, talk)

    def check_stranger(self, session: Session, sid: str, *, confirmed: bool = False) -> None:
        """Before a guest's first text to a session, whose name may have been another's when the guest chose it.

        Args:
            confirmed: the guest has been told that it may be someone else, and wants to write to them.

        Raises:
            NameChangedHands: it was; said once.
        """
        listener = self.present(session, sid)
        recipient = self._sessions.get(listener.sid) if listener is not None else None
        if listener is not None and recipient is not None and not session.addressed.knows(recipient.identity):
            try:
                self._check_hands(session, listener)
            except NameChangedHands:
                if not confirmed:
                    raise

    def _check_hands(self, session: Session, listener: Person) -> None:
        recipient = self._sessions.get(listener.sid)
        if recipient is not None and recipient is not session:
            now = self._monotonic()
            before = session.hall.recent.find(listener.name, now)
            if before is not None and before.at < session.since:
                before = None
            refusal: type[NameChangedHands] = NameChangedHands
            is_new = listener.name not in session.addressed
            if is_new and self._returning.is_doubtful(session.identity, listener.name, recipient.identity):
                refusal, before = NameAfterRestart, Gone(listener.name, "", now)
            if session.addressed.is_other(listener.name, recipient.identity, before):
                raise refusal(name=listener.name, again=True)

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

    def has_whispered(self, session: Session, cid: str | None) -> bool:
        """Whether a private text of this guest with this id was sent already."""
        return cid is not None and retry_key(session.identity, cid) in self._whispered

    def note_whispered(self, session: Session, cid: str | None) -> None:
        """Remember that a private text was sent, in case its client sends it again."""
        if cid is not None:
            remember(self._whispered, retry_key(session.identity, cid), None)

    def lately(self, session: Session) -> Callable[[str], Gone | None]:
        """Finds who gave up a name in the session's room a short while ago."""
        return partial(session.hall.recent.find, now=self._monotonic())

    def present(self, session: Session, sid: str) -> Person | None:
        """Who in the session's room has this id, or had it and has come back, as their token says."""
        person = session.hall.room.members.get(sid)
        heir = self._by_identity.get(self._returning.identity(sid) or "") if person is None else None
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
        if session.membership.announced:
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

    def is_other_room(self, session: Session, name: str) -> bool:
        """Whether somebody is in a room of this name, and it is not the session's own."""
        hall = self._halls.get(room_key(name))
        return hall is not None and hall is not session.hall

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
        try:
            self._tell(hall, items)
        finally:  # whatever has failed, the room must be able to close
            hall.awaited -= len([item for item in items if isinstance(item.event, _PRESENCE)])
            self._close_if_empty(hall)

    def _tell(self, hall: Hall, items: Sequence[Item]) -> None:
        newcomers: list[tuple[Session, Item]] = []
        for item in items:
            event = item.event
            if isinstance(event, Said) and newcomers:
                # They must be in before this is told: the past that they are given ends where they came.
                self._welcome(hall, newcomers)
                newcomers = []
            try:
                if isinstance(event, _PRESENCE):
                    hall.roster.apply(event)
            except Misuse:  # a fault of ours: who has heard the rest must not hear this
                log.exception("an event contradicts the roster")
                continue
            for gateway in self._gateways:
                try:
                    gateway.tell(hall, item)
                except Exception:  # one gateway's fault must spare the others and what comes behind
                    log.exception("a gateway failed to deliver an event")
            if isinstance(event, Left):
                newcomers = [pair for pair in newcomers if pair[0].sid != event.who.sid]
            elif isinstance(event, Joined):
                session = self._sessions.get(event.who.sid)
                # Who has gone and come back meanwhile is welcomed by the later join.
                if session is not None and session.membership.joined is event:
                    newcomers.append((session, item))
        self._welcome(hall, newcomers)
        for gateway in self._gateways:
            try:
                gateway.flush(hall)
            except Exception:  # one gateway's fault must spare the others
                log.exception("a gateway failed to deliver an event")

    def _welcome(self, hall: Hall, newcomers: Sequence[tuple[Session, Item]]) -> None:
        for session, item in newcomers:
            membership = session.membership
            try:
                page = self._missed(membership, item.position)
            except Unavailable:
                page = Page((), gap=True)  # let in all the same; what has been said can be asked for later
            person = hall.roster.get(session.sid)
            if person is None or session.membership is not membership or session.closed:
                continue  # came and left within one batch, or while the disk was asked
            token = self._tokens.write(session.identity, person.name)
            membership.missed = None
            membership.advance(Stage.WELCOMED)
            welcome = Welcome(person, hall, token, membership.resumed, page, item.at_ms)
            try:
                session.gateway.welcome(session, welcome)
            except Exception:  # one guest's fault must spare the others
                log.exception("a gateway failed to welcome a newcomer")

    def _missed(self, membership: Membership, position: str) -> Page:
        key, after, early = membership.hall.key, membership.after, membership.missed
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
        membership = session.membership
        membership.advance(Stage.ANNOUNCED)
        membership.joined = Joined(session.person)
        self._publish(membership.hall, membership.joined)
        self._speak(membership)

    @staticmethod
    def _speak(membership: Membership) -> None:
        pending, membership.pending = membership.pending, []
        for append in pending:
            append()

    def _read_and_announce(self, session: Session, membership: Membership) -> None:
        """Runs later, and waits: the session may have moved on by then, and even be on its way back."""
        key = membership.hall.key
        try:
            membership.missed = self._backplane.page(key, after=membership.after)
        except Unavailable:
            membership.missed = Page((), gap=True)
        if membership.stage is Stage.READING:
            self._announce(session)
        else:
            self._forget_if_closed(key)

    def _forget_if_closed(self, key: str) -> None:
        """After a read that may have outlasted the room's last guest."""
        if key not in self._halls:
            self._backplane.forget(key)

    def _publish(self, hall: Hall, event: Joined | Left | Renamed) -> None:
        hall.awaited += 1
        self._backplane.publish(hall.key, event)

    @contextmanager
    def _open_hall(self, name: str) -> Iterator[Hall]:
        """The hall of a room, which stays open for whoever is to join it; afterwards it closes if nobody has.

        Raises:
            RoomFull: there are too many rooms.
        """
        key = room_key(name)
        hall = self._halls.get(key)
        if hall is None:
            if len(self._halls) >= self.limits.max_rooms:
                raise RoomFull()
            hall = self._halls[key] = Hall(Room(name, self._names, self._rng, self.limits.max_room_people))
        hall.awaited += 1
        try:
            yield hall
        finally:
            hall.awaited -= 1
            self._close_if_empty(hall)

    def _leave_hall(self, session: Session) -> None:
        """End a session's membership: what it has said is heard, then the room is told if it knew of the member."""
        membership, hall, announced = session.membership, session.hall, session.membership.announced
        left = hall.room.leave(session.sid)
        membership.advance(Stage.LEFT)
        hall.recent.add(left.who.name, session.identity, self._monotonic())
        self._speak(membership)
        if announced:
            self._publish(hall, left)
        self._close_if_empty(hall)

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
        self._returning.park(older)
        self._take_out(older, cut=False)
        try:
            older.gateway.replaced(older)
        except Exception:  # the older one's gateway must not keep the newer one out
            log.exception("a gateway failed to close a replaced session")

    def _spend(self, bucket: Bucket | None) -> None:
        if bucket is not None:
            wait_s = bucket.take(self._monotonic())
            if wait_s > 0:
                raise RateLimited(retry_after=round(wait_s, 3))
