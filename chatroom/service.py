"""The use cases: join, send a message, rename, move to another room, leave.

Each checks that the request is allowed, and asks the backplane. What the room's feed then yields is passed on by
`announcer`, whoever caused it. This module knows no wire format, no socket and no disk; time, and how to wait, are
passed in.

What is decided and what has been announced are two things. The backplane decides who is in a room. A room's `Roster`
holds what has been announced so far: it lags behind by whatever waits for the disk.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from functools import partial

from chatroom.announcer import Announcer
from chatroom.answers import Answers, Signal
from chatroom.arrival import Arrivals, Membership, PendingMessage, Stage
from chatroom.backplane import Backplane, ClaimRequest, OnAppended
from chatroom.claims import Claims
from chatroom.core.addresses import counted_address
from chatroom.core.budgets import AddressBudget, Kind
from chatroom.core.errors import Refusal, Unavailable
from chatroom.core.events import Left, Person, Renamed, Why
from chatroom.core.names import LOBBY, may_be_room, room_key
from chatroom.core.reserved import is_reserved
from chatroom.core.room_budget import TYPING_BYTES, change_size
from chatroom.core.text import parse_text
from chatroom.ended import EndedTokens
from chatroom.history import History
from chatroom.quota import Quota
from chatroom.reads import Reads
from chatroom.refused import RefusedTexts
from chatroom.returning import Returning
from chatroom.rooms import Rooms, RoomView
from chatroom.sessions import Gateway, JoinRequest, Limits, Session, Sessions
from chatroom.tokens import Tokens, new_identity, retry_key
from chatroom.whispers import Whispers

log = logging.getLogger(__name__)


class Service:
    """The use cases over one backplane and any number of gateways.

    Args:
        budget_of: finds the budget of a client's address; None without limits.
        spawn: runs a function that may wait.
        signal: makes something that such a function can wait for.

    Attributes:
        whispers: the use cases of private texts.
    """

    def __init__(
        self,
        *,
        backplane: Backplane,
        tokens: Tokens,
        limits: Limits,
        public_rooms: Iterable[str] = (),
        budget_of: Callable[[str], AddressBudget] | None = None,
        now_ms: Callable[[], int],
        monotonic: Callable[[], float],
        spawn: Callable[[Callable[[], None]], object],
        signal: Callable[[], Signal],
    ) -> None:
        self.limits = limits
        self._backplane = backplane
        self._tokens = tokens
        self._ended = EndedTokens(backplane, tokens.now_s)
        self._public_rooms = tuple(dict.fromkeys((LOBBY, *public_rooms)))
        self._budget_of = budget_of
        self._monotonic = monotonic
        self._spawn = spawn
        self._rooms = Rooms(backplane, limits.max_rooms, limits.room_bytes, monotonic)
        self._reads = Reads(spawn)
        self._arrivals = Arrivals(backplane, self._rooms, self._reads)
        self.history = History(backplane, self._rooms, self._reads).page
        self._sessions = Sessions()
        self._answers = Answers(signal)
        self._claims = Claims(backplane, self._answers)
        self._returning = Returning(backplane, monotonic)
        self.refused = RefusedTexts(monotonic)
        self.whispers = Whispers(
            backplane,
            self._answers,
            self._sessions,
            self._returning,
            max_text=limits.max_text,
            now_ms=now_ms,
            monotonic=monotonic,
        )
        self._announcer = Announcer(
            self._rooms, self._sessions, self._arrivals, tokens, left=self._left, monotonic=monotonic
        )
        self.deliver, self.typed = self._announcer.deliver, self._announcer.typed
        self.whispered = self.whispers.deliver
        self.save_talk = self._returning.save_talk
        self.forget_returned = self._returning.forget_expired
        self.forget_rooms = self._rooms.forget_expired

    def start(self, gateways: Sequence[Gateway]) -> None:
        """Begin to pass events on to these gateways."""
        self._announcer.gateways = list(gateways)
        self._backplane.start(self)

    def ready(self) -> bool:
        """Whether messages can be taken now."""
        return self._backplane.ready()

    # Joining and leaving

    def quota_of(self, client: str) -> Quota:
        """What a new session of a client may do."""
        return Quota(self.limits.rates, self._budget_of and self._budget_of(client), self._monotonic)

    def admit(
        self, sid: str, gateway: Gateway, request: JoinRequest, client: str = "", quota: Quota | None = None
    ) -> Session:
        """Decide who a guest is and whether they may join; nothing is announced yet. May wait.

        A token gives back the name that it was made for, if no one else has it now. If its session is still connected
        (a duplicated tab), it is replaced.

        Args:
            client: the address that the guest comes from.
            quota: what the session may do, if the gateway has asked already.

        Raises:
            RateLimited: too many have joined from this address.
            RoomFull: too many people in the room, or too many rooms.
            NameTaken: someone has the wanted name; a guest with a token gets a random one instead.
            Unavailable: it cannot be decided now.
        """
        quota = quota or self.quota_of(client)
        quota.spend(Kind.JOIN)
        written = self._tokens.read(request.token) if request.token is not None else None
        token = written if written not in self._ended else None
        claim_request = ClaimRequest(
            sid=sid,
            identity=token.identity if token is not None else new_identity(),
            claim=self._claims.number(),
            known=(token.name,) if token is not None and not is_reserved(token.name) else (),
            wanted=request.username,
            insists=request.token is None,
            lang=request.lang,
        )
        with self._rooms.opened(request.room) as room:
            claimed = self._claims.claim(room.key, claim_request)
            older = self._sessions.of(claim_request.identity)
            pending: list[PendingMessage] = []
            if older is not None:
                if older.room is room:  # they come from the same guest
                    pending, older.membership.pending = older.membership.pending, pending
                self._replace(older)
            member = self._arrivals.admit(
                room, claimed.person, claim_request.claim, resumed=claimed.resumed, after=request.after
            )
            member.pending += pending
        session = Session(
            sid=sid,
            gateway=gateway,
            membership=member,
            identity=claim_request.identity,
            serial=self._ended.new_serial() if token is None or token in self._ended else token.serial,
            keeps_name=request.keeps_name,
            address=counted_address(client),
            quota=quota,
            since=float("inf" if token is None else "-inf"),
            lang=request.lang,
        )
        self._sessions.add(session)
        if request.token is not None and (written is None or written.is_earlier):
            is_first = self._returning.note_restart(claim_request.identity)
            if token is not None and is_first:
                quota.give_back_return()
        if token is not None:
            self._returning.go_on(session)
        elif written is not None:
            self._returning.doubt(session, written.identity)
        return session

    def enter(self, session: Session) -> None:
        """Announce an admitted guest to the room; the welcome follows."""
        if not session.closed:
            self._arrivals.enter(session.membership)

    def log_out(self, session: Session) -> None:
        """End a guest's session and token, because the guest wants it."""
        if not session.closed:
            self._ended.end(session)
            self.leave(session, cut=False)

    def leave(self, session: Session, *, cut: bool) -> None:
        """End a guest's session; a second call does nothing.

        Args:
            cut: the connection was lost, not ended by the guest: the name may be held for them, and their private chat
                goes on if they come back.
        """
        if session.closed:
            return
        if cut:
            self._returning.park(session)
        else:
            self._returning.leave(session)
        self._take_out(session, Why.CUT if cut else Why.LEFT)

    def _take_out(self, session: Session, why: Why) -> None:
        self._sessions.remove(session)
        self._reads.drop(session)
        hold_s = self.limits.resume_grace_s if why is Why.CUT and session.keeps_name else 0
        self._arrivals.end(session.membership, hold_s=hold_s, address=session.address, why=why)

    def _replace(self, older: Session) -> None:
        self._returning.park(older)
        self._end(older, Why.REPLACED)

    def _end(self, session: Session, why: Why) -> None:
        """End a session that its guest did not end."""
        self._take_out(session, why)
        try:
            session.gateway.ended(session, why)
        except Exception:  # a fault in this session's gateway must not keep a newer session out
            log.exception("a gateway failed to close a session")

    def move(self, session: Session, room: str) -> None:
        """Take a guest to another room, under the same name. May wait.

        Raises:
            NameTaken: someone there has the name; the guest stays where they are.
            RoomFull: too many people there, or too many rooms.
            RateLimited: too often.
            Unavailable: it cannot be decided now.
        """
        if room_key(room) == session.room.key:
            session.quota.spend(Kind.OTHER)
            return
        with self._rooms.opened(room) as new:
            session.quota.spend(Kind.JOIN)
            before = session.membership
            claim_request = ClaimRequest(
                sid=session.sid,
                identity=session.identity,
                claim=self._claims.number(),
                wanted=session.person.name,
                insists=True,
            )
            claimed = self._claims.claim(new.key, claim_request)
            if session.closed or session.membership is not before:  # it has ended while this was decided
                self._backplane.leave(new.key, session.sid)
                raise Unavailable
            session.addressed.move(before.room.key, new.key)
            session.membership = self._arrivals.admit(new, claimed.person, claim_request.claim)
            self._arrivals.end(before)
        self.enter(session)

    # Messages and names

    def say(self, session: Session, text: str, cid: str | None, on_done: OnAppended) -> None:
        """Send a message to the room; returns at once.

        Args:
            cid: the client's own id for the message. If it is sent again, `on_done` gets the first one's entry.
            on_done: called with the entry once it is stored and delivered; with None if it may not have been stored.

        Raises:
            BadRequest, Empty, TooLong: the text cannot be sent.
            RateLimited: too much at once.
        """
        text = parse_text(text, self.limits.max_text)
        session.quota.spend_text(text, session.room.budget)
        key = retry_key(session.identity, cid) if cid is not None else None
        member = session.membership
        if member.is_announced:
            self._backplane.append(member.room.key, session.sid, text, cid, key, on_done)
        elif member.stage is Stage.GONE:
            raise Unavailable
        else:
            member.pending.append(PendingMessage(text, cid, key, on_done))

    def rename(self, session: Session, name: str | None) -> tuple[str, str]:
        """Give a guest another name; without one, a random free one. May wait.

        Returns:
            The new name, and a token for it; the earlier ones end.

        Raises:
            NameTaken: someone has it, or it is held for someone.
            RateLimited: too often.
            Unavailable: it cannot be decided now.
        """
        member = session.membership
        session.quota.spend(Kind.RENAME, room=member.room.budget, size=change_size(len(member.room.roster)))
        question = partial(self._backplane.rename, member.room.key, session.sid, name, session.lang)
        outcome: Renamed = self._answers.ask(question)
        member.person, member.renamed = Person(session.sid, outcome.new), True
        # A session that is closed receives no new token, and its old one may be in use again.
        if outcome.new != outcome.old and not session.closed:
            self._ended.end(session)
        token = self._tokens.write(session.identity, outcome.new, session.serial)
        return outcome.new, token

    def suggest(self, session: Session) -> str:
        """A random name that the guest could take now; nothing changes. May wait, and raise `Unavailable`."""
        session.quota.spend(Kind.OTHER)
        question = partial(self._backplane.suggest, session.room.key, session.sid, session.lang)
        suggested: str = self._answers.ask(question)
        return suggested

    def choose_language(self, session: Session, lang: str | None) -> None:
        """Draw a guest's names from this language from now on; None: from all."""
        session.lang = lang

    def type(self, session: Session) -> None:
        """Let the others know that this guest is typing."""
        session.quota.spend(Kind.TYPING)
        budget = session.room.budget
        if session.is_in and (budget is None or budget.spend_spare(self._monotonic(), TYPING_BYTES)):
            self._backplane.notify(session.room.key, session.person)

    # Queries

    def who(self, session: Session) -> list[Person]:
        """Who is in the room, as announced, in the order of joining."""
        session.quota.spend(Kind.WHO)
        people = session.room.roster.people()
        if session.sid not in session.room.roster:  # it has moved here, and its join is not announced yet
            people.append(session.person)
        return people

    def rooms(self) -> list[tuple[str, int]]:
        """The rooms that may be listed, and how many people are in each."""
        return [(name, self._rooms.count(room_key(name))) for name in self._public_rooms]

    def is_other_room(self, session: Session, name: str) -> bool:
        """Whether someone is in a room of this name, and it is not the session's own."""
        if not may_be_room(name):
            return False
        key = room_key(name)
        return key != session.room.key and self._backplane.count(key) > 0

    # Events from the backplane

    def _left(self, room: RoomView, left: Left) -> None:
        """Someone is no longer in a room. If it is a session of ours that has not ended, it was ended elsewhere."""
        sid = left.who.sid
        self._claims.ended(left)
        session = self._sessions.get(sid)
        if session is None or session.room is not room or session.membership.claim != left.claim:
            return
        member = session.membership
        if left.why is Why.LOST and member.stage is not Stage.ADMITTED:
            # The session is still connected: it joins the room again, as if from another room.
            session.membership = self._arrivals.admit(room, member.person, self._claims.number())
            self._arrivals.end(member)
            self._spawn(partial(self._claim_again, session, session.membership))
        elif left.why is Why.REPLACED:
            self._replace(session)
        else:
            self._end(session, left.why)

    def _claim_again(self, session: Session, member: Membership) -> None:
        known = (member.person.name,)
        claim_request = ClaimRequest(
            sid=session.sid, identity=session.identity, claim=member.claim, known=known
        )
        try:
            claimed = self._claims.claim(member.room.key, claim_request)
        except Refusal:
            if session.membership is member and not session.closed:
                self._returning.park(session)
                self._end(session, Why.LOST)
            return
        if member.stage is Stage.GONE:
            self._backplane.leave(member.room.key, session.sid)
        else:
            member.person = claimed.person
            self._arrivals.enter(member)
