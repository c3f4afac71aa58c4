"""What can happen in a room, as facts: who, and what. How they are announced is the gateways' business."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody in a room: a session's public id, and the name that others see."""

    sid: str
    name: str


class Why(Enum):
    """Why somebody is no longer in a room."""

    LEFT = "left"  # they wanted to, or went to another room
    CUT = "cut"  # their connection was lost
    REPLACED = "replaced"  # their newer session took the place of this one
    LOST = "lost"  # the process that served them is gone, or lost track of them
    KICKED = "kicked"  # somebody with the right to do so removed them


@dataclass(frozen=True, slots=True)
class Joined:
    """Somebody is in the room.

    Attributes:
        claim: which of the session's claims it follows from.
    """

    who: Person
    claim: int = 0


@dataclass(frozen=True, slots=True)
class Left:
    """Somebody is no longer in the room; `claim` is as in `Joined`."""

    who: Person
    why: Why = Why.LEFT
    claim: int = 0


@dataclass(frozen=True, slots=True)
class Renamed:
    sid: str
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class Said:
    """A message to the room; `cid` is the sender's own id for it, which nobody else receives."""

    who: Person
    text: str
    cid: str | None = None


@dataclass(frozen=True, slots=True)
class Changed:
    """Something of the room's state (topic, lock, slow, …) has another value; None ends it."""

    name: str
    value: object


@dataclass(frozen=True, slots=True)
class Edited:
    """A message has another text. `at` numbers the change among the room's ids."""

    id: str
    text: str
    at: str


@dataclass(frozen=True, slots=True)
class Deleted:
    """Messages are deleted. `at` is as in `Edited`."""

    ids: Sequence[str]
    at: str


@dataclass(frozen=True, slots=True)
class Reacted:
    """So many people react to a message with this emoji now. `at` is as in `Edited`."""

    id: str
    emoji: str
    count: int
    names: Sequence[str]
    at: str


@dataclass(frozen=True, slots=True)
class Present:
    """The whole truth about a room at its place in the feed: what was announced before may have had a gap.

    Attributes:
        people: who is in the room, in order of joining, with their present names.
        state: what `Changed` changes, by name.
    """

    people: Sequence[Joined]
    state: Mapping[str, object] = field(default_factory=dict)


class Talk(Enum):
    """What a whisper means for a private chat between terminals; other clients use only its text."""

    LINE = "line"  # a line of the chat: the recipient's next texts go back to the sender
    OPENED = "opened"  # no text: the sender has started a chat with the recipient
    TURNED = "turned"  # no text: the sender chats with someone else now
    ENDED = "ended"  # no text: the sender writes to the room again


@dataclass(frozen=True, slots=True)
class Whispered:
    """A private message from `who` to `to`: nobody else receives it, and it is not stored."""

    who: Person
    to: Person
    text: str
    talk: Talk | None = None


Presence = Joined | Left | Renamed
Event = Presence | Said | Changed | Edited | Deleted | Reacted | Present  # what a room's feed yields
