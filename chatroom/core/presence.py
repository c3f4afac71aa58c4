"""Joins and leaves as lines: those of a burst together, in at most one line per interval.

It collects and words what the people of one room have not seen yet. Who receives a line is its owner's business, and
times are passed in, in seconds.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from chatroom.core.quoting import in_list
from chatroom.core.sentences import Sentences

INTERVAL_S: Final = 5.0
# Above this many people before or after, or joins and leaves at once, lines have numbers instead of names.
CROWD: Final = 20
NAMES_SHOWN: Final = 10  # of those who joined or left at once

SENTENCES: Final[Mapping[str, Mapping[str, str]]] = {
    "en": {
        "comma": ", ",
        "semicolon": "; ",
        "line_presence": "{changes} ({count} here)",
        "line_joined": "{names} joined",
        "line_left": "{names} left",
        "line_many_joined": "{number} joined",
        "line_many_left": "{number} left",
        "line_more": "{names} and {more} more",
    },
    "zh": {
        "comma": "、",
        "semicolon": "；",
        "line_presence": "{changes}（{count} 人在线）",
        "line_joined": "{names} 进入了房间",
        "line_left": "{names} 离开了房间",
        "line_many_joined": "{number} 人进入了房间",
        "line_many_left": "{number} 人离开了房间",
        "line_more": "{names} 和另外 {more} 人",
    },
}


class Change(NamedTuple):
    """Someone joined or left.

    Attributes:
        position: how many changes there were up to this one since the last line.
    """

    position: int
    name: str


@dataclass(frozen=True, slots=True)
class Changes:
    """Who joined and who left between two lines, in order.

    Attributes:
        greeted: the newcomers' session ids, and the position up to which they know the changes.
    """

    joined: Sequence[Change]
    left: Sequence[Change]
    greeted: Mapping[str, int]

    def text(self, sentences: Sentences, count: int, after: int = 0) -> str:
        """The line, without the changes up to the position `after`; empty if there are no others.

        Args:
            count: how many people are in the room now.
        """
        before = count - len(self.joined) + len(self.left)
        is_crowd = max(count, before, len(self.joined) + len(self.left)) > CROWD
        parts = []
        for key, changes in (("left", self.left), ("joined", self.joined)):
            start = bisect_right(changes, after, key=lambda change: change.position)
            number = len(changes) - start
            if number and is_crowd:
                parts.append(sentences.say(f"line_many_{key}", number=number))
            elif number:
                names = sentences.listed(in_list(each.name) for each in changes[start : start + NAMES_SHOWN])
                more = number - NAMES_SHOWN
                shown = names if more <= 0 else sentences.say("line_more", names=names, more=more)
                parts.append(sentences.say(f"line_{key}", names=shown))
        if not parts:
            return ""
        return sentences.say("line_presence", changes=sentences.say("semicolon").join(parts), count=count)


class PresenceLines:
    """The joins and leaves that the people of one room have not seen yet.

    Someone who joins and leaves between two lines is in neither, unless they have sent a message: then their leave is
    shown.

    Attributes:
        is_scheduled: its owner will ask again when the next line is due.
    """

    __slots__ = ("_greeted", "_has_sent", "_joined", "_left", "_next_at", "_position", "is_scheduled")

    def __init__(self) -> None:
        self._joined: dict[str, Change] = {}
        self._left: dict[str, Change] = {}
        self._has_sent: set[str] = set()  # of those who joined: the room knows them already
        self._greeted: dict[str, int] = {}
        self._position = 0
        self._next_at = float("-inf")
        self.is_scheduled = False

    def joined(self, sid: str, name: str) -> None:
        """Someone joined; a session that left and is back before a line was shown is in neither."""
        before = self._left.get(sid)
        if before is not None and before.name == name:
            del self._left[sid]
        else:
            self._joined[sid] = self._change(name)

    def left(self, sid: str, name: str) -> None:
        """Someone left."""
        if self._joined.pop(sid, None) is None or sid in self._has_sent:
            self._left[sid] = self._change(name)
        self._has_sent.discard(sid)
        self._greeted.pop(sid, None)

    def sent(self, sid: str) -> None:
        """Someone sent a message to the room."""
        if sid in self._joined:
            self._has_sent.add(sid)

    def renamed(self, sid: str, name: str) -> bool:
        """Someone has another name.

        Returns:
            Whether the room knows the old one.
        """
        change = self._joined.get(sid)
        if change is None:
            return True
        self._joined[sid] = change._replace(name=name)
        return sid in self._has_sent

    def greeted(self, sid: str) -> None:
        """A newcomer has received the number of people here: earlier changes are no news to them."""
        self._greeted[sid] = self._position

    def due_in(self, now: float) -> float | None:
        """In how many seconds there is a line to show; None: there is nothing to show."""
        return max(0.0, self._next_at - now) if self._joined or self._left else None

    def take(self, now: float) -> Changes:
        """Take the changes to show now; the next line is due after the interval."""
        changes = Changes(tuple(self._joined.values()), tuple(self._left.values()), self._greeted)
        self._joined, self._left, self._greeted, self._has_sent = {}, {}, {}, set()
        self._position = 0
        self._next_at = now + INTERVAL_S
        return changes

    def _change(self, name: str) -> Change:
        self._position += 1
        return Change(self._position, name)
