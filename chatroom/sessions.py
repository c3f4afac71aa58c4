"""Who is in, and where: sessions, the halls they are in, and what a gateway must be able to do for its own.

These are the nouns that the service and the gateways share; the rules are the core's, the doing is the service's.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from chatroom.core.events import Person, Whispered
from chatroom.core.flood import Bucket
from chatroom.core.log import Item, Page
from chatroom.core.private_talk import PrivateTalk
from chatroom.core.recent import Addressed, RecentNames
from chatroom.core.room import Room
from chatroom.core.roster import Roster

LOBBY = "lobby"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What a guest who comes asks for; every part is parsed already.

    Attributes:
        keeps_name: hold the name for a while should the connection be cut.
        lang: whose names to draw from; None for all.
    """

    room: str = LOBBY
    username: str | None = None
    token: str | None = None
    after: str | None = None
    keeps_name: bool = False
    lang: str | None = None


@dataclass(slots=True, eq=False)
class Hall:
    """A room with people in it: what is decided, and what everybody has been told.

    Attributes:
        recent: whose names were here until lately.
        awaited: how many things are in the backplane's order that have not come out of it.
    """

    room: Room
    roster: Roster = field(default_factory=Roster)
    recent: RecentNames = field(default_factory=RecentNames)
    awaited: int = 0
    key: str = field(init=False)
    name: str = field(init=False)

    def __post_init__(self) -> None:
        self.key, self.name = self.room.key, self.room.name


@dataclass(slots=True, eq=False)
class Session:
    """One guest at one gateway, from admission to leaving.

    Attributes:
        lang: whose names to draw from; None for all.
        since: when its guest first came, in seconds; minus infinity for one who has come back with a token.
        talk: whom its plain texts go to.
        addressed: whom it means by a name.
        announced: the coming was put into the room's order, so the leaving must be as well.
        early_words: what was said before that; it is heard after the coming, and not lost if there is none.
        welcomed: the guest has been told that they are in; nothing else may reach them earlier.
    """

    sid: str
    gateway: Gateway
    hall: Hall
    identity: str
    keeps_name: bool
    resumed: bool
    speaking: Bucket | None
    events: Bucket | None
    since: float
    lang: str | None = None
    talk: PrivateTalk = field(default_factory=PrivateTalk)
    addressed: Addressed = field(default_factory=Addressed)
    after: str | None = None
    early: Page | None = None
    announced: bool = False
    early_words: list[Callable[[], None]] = field(default_factory=list)
    welcomed: bool = False
    closed: bool = False

    @property
    def person(self) -> Person:
        return self.hall.room.members[self.sid]


@dataclass(frozen=True, slots=True)
class Welcome:
    """All that a newcomer is told first."""

    person: Person
    hall: Hall
    token: str
    resumed: bool
    page: Page
    at_ms: int


class Gateway(Protocol):
    """What the service needs of a gateway: to pass things on to its people. None of it may wait."""

    def welcome(self, session: Session, welcome: Welcome) -> None:
        """Tell a session that it is in a room, and from now on what happens there."""

    def tell(self, hall: Hall, item: Item) -> None:
        """Tell this gateway's people in a room what has happened; who has just come is not among them yet."""

    def flush(self, hall: Hall) -> None:
        """A batch of things told is over."""

    def whisper(self, session: Session, whispered: Whispered, at_ms: int) -> None:
        """Pass on a whisper that the session has sent or is to receive."""

    def typing(self, hall: Hall, person: Person) -> None:
        """Tell the others that somebody types."""

    def replaced(self, session: Session) -> None:
        """The session's guest has come in elsewhere: say so and close it."""
