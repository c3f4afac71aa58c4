"""The nouns that the service and the gateways share: sessions, and what a gateway must be able to do for its own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Protocol

from chatroom.arrival import Membership, Stage
from chatroom.core.addressed import Addressed
from chatroom.core.addresses import Address
from chatroom.core.budgets import Kind
from chatroom.core.events import Person, Whispered, Why
from chatroom.core.flood import Rate
from chatroom.core.log import Item, Page
from chatroom.core.names import LOBBY
from chatroom.core.private_talk import PrivateTalk
from chatroom.quota import Quota
from chatroom.rooms import RoomView

# Messages of one session on their way to the disk; then nothing more is read from it.
MAX_UNCOMMITTED: Final = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """The limits for each session. What has no rate has no limit.

    Attributes:
        room_bytes: how much all people together may send to one room; None for any amount.
    """

    rates: Mapping[Kind, Rate]
    room_bytes: Rate | None = None
    max_text: int
    max_rooms: int
    resume_grace_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class JoinRequest:
    """What a newcomer asks for; every part is parsed already.

    Attributes:
        keeps_name: hold the name for a while if the connection is cut.
        lang: the language of the names to draw from; None for all.
    """

    room: str = LOBBY
    username: str | None = None
    token: str | None = None
    after: str | None = None
    keeps_name: bool = False
    lang: str | None = None


@dataclass(slots=True, eq=False)
class Session:
    """One guest at one gateway, from admission to leaving.

    Attributes:
        membership: in its present room.
        serial: the one in its guest's token.
        address: where its guest comes from.
        quota: what it may still do.
        lang: the language of the names to draw from; None for all.
        since: when its guest was first welcomed, in seconds; infinity before that, and minus infinity for a
            guest who has come back with a token.
        talk: whom its plain texts go to.
        addressed: whom it means by a name.
        last_whisper_from: the session that sent it the last whisper.
    """

    sid: str
    gateway: Gateway
    membership: Membership
    identity: str
    serial: str
    keeps_name: bool
    address: Address
    quota: Quota
    since: float
    lang: str | None = None
    talk: PrivateTalk = field(default_factory=PrivateTalk)
    addressed: Addressed = field(default_factory=Addressed)
    last_whisper_from: str | None = None

    @property
    def room(self) -> RoomView:
        return self.membership.room

    @property
    def person(self) -> Person:
        return self.membership.person

    @property
    def is_in(self) -> bool:
        """Whether its guest has been welcomed to the room."""
        return self.membership.stage is Stage.IN

    @property
    def closed(self) -> bool:
        return self.membership.stage is Stage.GONE


class Sessions:
    """The sessions that are not closed, by id and by identity."""

    def __init__(self) -> None:
        self._by_sid: dict[str, Session] = {}
        self._by_identity: dict[str, Session] = {}

    def get(self, sid: str) -> Session | None:
        return self._by_sid.get(sid)

    def of(self, identity: str) -> Session | None:
        """The newest session of an identity."""
        return self._by_identity.get(identity)

    def add(self, session: Session) -> None:
        self._by_sid[session.sid] = self._by_identity[session.identity] = session

    def remove(self, session: Session) -> None:
        del self._by_sid[session.sid]
        if self._by_identity.get(session.identity) is session:
            del self._by_identity[session.identity]


@dataclass(frozen=True, slots=True)
class Welcome:
    """What a newcomer receives first."""

    person: Person
    room: RoomView
    token: str
    resumed: bool
    page: Page
    at_ms: int


class Gateway(Protocol):
    """What the service needs from a gateway: to pass events on to its guests. No method may wait."""

    def welcome(self, session: Session, welcome: Welcome) -> None:
        """Tell a session that it has joined a room; from now on, it receives what happens there."""

    def announce(self, room: RoomView, item: Item) -> None:
        """Pass on an event to this gateway's guests in a room; a newcomer receives none before the welcome."""

    def flush(self, room: RoomView) -> None:
        """A batch of events has been passed on."""

    def whisper(self, session: Session, whispered: Whispered, at_ms: int) -> None:
        """Pass on a whisper that the session has sent or is to receive."""

    def typing(self, room: RoomView, person: Person) -> None:
        """Show the others in the room that someone is typing."""

    def ended(self, session: Session, why: Why) -> None:
        """The session was ended, and not by its guest: say why, and close the connection."""
