"""Who is in, and where: sessions, the halls they are in, and what a gateway must be able to do for its own.

These are the nouns that the service and the gateways share; the rules are the core's, the doing is the service's.
"""

from __future__ import annotations

import enum
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from chatroom.core.errors import Misuse
from chatroom.core.events import Joined, Person, Whispered
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
        awaited: how many things it must stay open for: what is in the backplane's order and has not come out of it,
            and who is being admitted.
    """

    room: Room
    roster: Roster = field(default_factory=Roster)
    recent: RecentNames = field(default_factory=RecentNames)
    awaited: int = 0
    key: str = field(init=False)
    name: str = field(init=False)

    def __post_init__(self) -> None:
        self.key, self.name = self.room.key, self.room.name


class Stage(enum.IntEnum):
    """How far a membership has come; it only goes forward."""

    ADMITTED = enum.auto()  # in the room's own list, which nobody has been told
    READING = enum.auto()  # the disk is asked for what the member has missed
    ANNOUNCED = enum.auto()  # the join is in the room's order, so the leave must be as well
    WELCOMED = enum.auto()  # the member has been told that they are in; nothing else may reach them earlier
    LEFT = enum.auto()


@dataclass(slots=True, eq=False)
class Membership:
    """One session in one room, from admission to leaving; whoever moves, or comes back, has a new one.

    Attributes:
        resumed: the name is the one that the session's token was made for.
        after: the last entry that the member has seen.
        missed: what was read of the log before the join was announced.
        joined: the join, once it is announced.
        pending: what was said before that; it is heard after the join, and not lost if there is none.
    """

    hall: Hall
    resumed: bool = False
    after: str | None = None
    missed: Page | None = None
    joined: Joined | None = None
    pending: list[Callable[[], None]] = field(default_factory=list)
    stage: Stage = Stage.ADMITTED

    def advance(self, stage: Stage) -> None:
        """Go on to a later stage.

        Raises:
            Misuse: it has been reached before.
        """
        if stage <= self.stage:
            raise Misuse(f"a membership cannot be {stage.name} when it is {self.stage.name}")
        self.stage = stage

    @property
    def announced(self) -> bool:
        """Whether the room is told of the join before anything that is put into its order now."""
        return self.stage in (Stage.ANNOUNCED, Stage.WELCOMED)


@dataclass(slots=True, eq=False)
class Session:
    """One guest at one gateway, from admission to leaving.

    Attributes:
        membership: of the room that it is in now.
        lang: whose names to draw from; None for all.
        since: when its guest first came, in seconds; minus infinity for one who has come back with a token.
        talk: whom its plain texts go to.
        addressed: whom it means by a name.
    """

    sid: str
    gateway: Gateway
    membership: Membership
    identity: str
    keeps_name: bool
    speaking: Bucket | None
    events: Bucket | None
    since: float
    lang: str | None = None
    talk: PrivateTalk = field(default_factory=PrivateTalk)
    addressed: Addressed = field(default_factory=Addressed)

    @property
    def hall(self) -> Hall:
        return self.membership.hall

    @property
    def person(self) -> Person:
        return self.hall.room.members[self.sid]

    @property
    def welcomed(self) -> bool:
        return self.membership.stage is Stage.WELCOMED

    @property
    def closed(self) -> bool:
        return self.membership.stage is Stage.LEFT


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
