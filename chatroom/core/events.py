"""What can happen in a room, as facts: who, and what. How they are told is the gateways' business."""

from dataclasses import dataclass
from enum import Enum


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody in a room: a session's public id, and the name that others see."""

    sid: str
    name: str


@dataclass(frozen=True, slots=True)
class Joined:
    who: Person


@dataclass(frozen=True, slots=True)
class Left:
    who: Person


@dataclass(frozen=True, slots=True)
class Renamed:
    sid: str
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class Said:
    """Said to the room; `cid` is the speaker's own id for it, which nobody else is told."""

    who: Person
    text: str
    cid: str | None = None


class Talk(Enum):
    """What a whisper has to do with a private talk between terminals; others pass over all but its text."""

    LINE = "line"  # a line of the talk: what the listener says next goes back to the speaker
    OPENED = "opened"  # no text: the speaker has turned to the listener
    TURNED = "turned"  # no text: the speaker has turned to somebody else
    ENDED = "ended"  # no text: the speaker talks to the room again


@dataclass(frozen=True, slots=True)
class Whispered:
    """Said for two only: `who` speaks, `to` listens, nobody else learns of it, and nothing keeps it."""

    who: Person
    to: Person
    text: str
    talk: Talk | None = None


@dataclass(frozen=True, slots=True)
class Typing:
    who: Person


Event = Joined | Left | Renamed | Said | Whispered | Typing
