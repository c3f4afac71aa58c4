"""People of a random play, and what a model knows of each: only what the server has told them."""

from __future__ import annotations

import re
import time
from collections import Counter, deque
from typing import Any, Final

from itsdangerous import URLSafeTimedSerializer

from tests.faults.links import Link, PollingLink, UpgradingLink
from tests.faults.visitors import Visitor
from tests.support.counted import Counted

_KEPT: Final = 60  # packets of each person, for the report of a failure
_SHOWN: Final = 300  # characters of each

# Of renames and of moves at a terminal: with more, its lines would wait for their turn, one every two seconds.
MOST_CHANGES: Final = 7


def identity_in(token: str) -> str:
    """The identity that a token carries, which its signature does not hide."""
    _, (identity, *_) = URLSafeTimedSerializer("").loads_unsafe(token)
    return str(identity)


def polling(link: Link) -> PollingLink | None:
    """The polling behind a link, unless it goes by a WebSocket alone."""
    return (
        link._polling if isinstance(link, UpgradingLink) else link if isinstance(link, PollingLink) else None
    )


class Person(Visitor):
    """A visitor, and what the model knows of it.

    Attributes:
        room, name, token: what it was told last.
        offered: the token that it came with.
        offered_is_dead: that token had ended before.
        waiting: the requests that are not answered yet, by their numbers.
        moves: the rooms that it has asked to join, likewise.
        moved: the rooms that it has moved to since the model has looked.
        listed: the names in its room, by the last answer to `who`.
        seen: the same, by the last announcement.
        unread: the requests that may never be answered: they came while the server did not read its events.
        misbehaves: it has sent what may end its connection.
        may_be_dropped: more may wait for it than it reads.
        is_over: the server has said that it has left, or that another has replaced it.
        is_noticed: the model knows that it has joined.
        is_counted_out: the model knows that it has left.
        dead: tokens that have ended.
    """

    def __init__(self, program: Counted, kind: str, room: str, offered: str | None) -> None:
        self._began = time.monotonic()
        self._transcript: deque[str] = deque(maxlen=_KEPT)
        super().__init__(program, kind)
        self.room = room
        self.name = ""
        self.token: str | None = None
        self.offered = offered
        self.offered_is_dead = False
        self.waiting: dict[int, str] = {}
        self.unread: set[int] = set()
        self.moves: dict[int, str] = {}
        self.moved: list[str] = []
        self.listed: list[str] | None = None
        self.seen: list[str] | None = None
        self.misbehaves = False
        self.may_be_dropped = False
        self.is_over = False
        self.is_noticed = False
        self.is_counted_out = False
        self.dead: list[str] = []
        self._lists_asked = 0  # at a terminal
        self._changes_asked: Counter[str] = Counter()
        self._silent_until = float("-inf")  # until then, the server perhaps does not read its events
        self._unannounced: str | None = None  # the name that it was given last, until the room receives it

    @property
    def identity(self) -> str | None:
        return None if self.token is None else identity_in(self.token)

    @property
    def is_sure(self) -> bool:
        """Whether what it was told last is still so, unless the connection has ended."""
        is_asking = set(self.waiting.values()) & {"rename", "join", "logout"}
        return self.you is not None and not is_asking and self._unannounced is None

    @property
    def is_settled(self) -> bool:
        """Whether nothing more is to come for it."""
        if self.is_gone or self.refusal is not None:
            return True
        return self.you is not None and self.waiting.keys() <= self.unread and not self._lists_asked

    @property
    def is_listening(self) -> bool:
        """Whether it is in a room, and told everything that happens there."""
        return self.you is not None and not (self.is_over or self.is_gone or self.misbehaves)

    @property
    def may_end(self) -> bool:
        """Whether it has given a reason for which its connection may end."""
        reasons = self.is_over, self.misbehaves, self.may_be_dropped, self.refusal is not None
        return any(reasons) or "logout" in self.waiting.values()

    def asks(self, action: str, **fields: Any) -> None:
        number = self.sends(action, **fields)
        self.waiting[number] = action
        if time.monotonic() < self._silent_until:
            self.unread.add(number)
        if action == "join":
            self.moves[number] = fields["room"]

    def asks_who(self) -> None:
        """Ask who is in the room, unless the last answer is still to come."""
        if self.is_line:
            if not self._lists_asked:
                self.types("/who")
        elif "who" not in self.waiting.values():
            self.asks("who")

    def types(self, line: str) -> None:
        """Send a line from a terminal, unless it would have to wait for its turn."""
        command = line.split(" ")[0]
        if command in ("/name", "/join"):
            if self._changes_asked[command] == MOST_CHANGES:
                return
            self._changes_asked[command] += 1
        self._lists_asked += line == "/who"
        self.sends_raw(line)

    def sends_raw(self, packet: str) -> None:
        self._note("->", packet)
        super().sends_raw(packet)

    def transcript(self) -> str:
        """The last packets from and to it."""
        about = [self.kind, *(what for what in ("is_gone", "is_over", "misbehaves") if getattr(self, what))]
        return "\n".join((f"{self.name or '?'} ({', '.join(about)}):", *self._transcript))

    def _note(self, way: str, packet: str) -> None:
        self._transcript.append(f"  {time.monotonic() - self._began:7.3f} {way} {packet[:_SHOWN]!r}")

    def _take(self, packet: str) -> None:
        self._note("<-", packet)
        super()._take(packet)
        if self.is_line:
            self._read(packet)
        elif packet.startswith("42"):
            self._heard(self.frames[-1])
        elif packet.startswith("43"):
            for number in self.answers.keys() & self.waiting.keys():
                self._answered(self.waiting.pop(number), self.answers[number])
                room = self.moves.pop(number, None)
                if room is not None and self.answers[number]["ok"]:
                    self.moved.append(room)
                    self.room = room  # the connection may end before its own login comes

    def _heard(self, frame: dict[str, Any]) -> None:
        if "you" in frame:
            you = frame["you"]
            self.room, self.name, self.token = frame["room"], you["username"], you["token"]
            self._announced(self.name)
        elif frame["action"] == "rename" and self.you is not None and frame["sid"] == self.you["sid"]:
            if self.name == frame["username"]:  # else it has a newer one
                self.name = frame["to"]
            self._announced(frame["to"])
        if "name_list" in frame:
            self.seen = sorted(name for name, _ in frame["name_list"])
        self.is_over |= frame.get("code") == "replaced"
        if frame["action"] == "notice" and frame["code"] == "rate_limited":
            self.misbehaves = True
            self._silent_until = time.monotonic() + frame["retry_after"]
            self.unread.update(self.waiting)  # those that were on the way as well

    def _announced(self, name: str) -> None:
        if self._unannounced == name:
            self._unannounced = None

    def _answered(self, action: str, answer: dict[str, Any]) -> None:
        if action == "rename" and answer["ok"]:
            if answer["username"] != self.name:
                self._unannounced = answer["username"]
                self.dead += [self.token] if self.token is not None else []
            self.name, self.token = answer["username"], answer["token"]
        elif action == "logout" and answer["ok"] and self.token is not None:
            self.dead.append(self.token)
            self.is_over = True
        elif action == "who" and answer["ok"]:
            self.listed = sorted(name for name, _ in answer["name_list"])

    def _read(self, line: str) -> None:
        if self.you is None:
            self.refusal = {"message": line}
        elif self.name == "":
            self.name = self.you["username"]
        elif found := re.match(r"\* You are in (.+)\. \d+ p", line):
            self.room = found[1]
        elif found := re.match(r"\* You are now called (.+)\.$", line):
            self.name = found[1]
        elif found := re.match(r"\* \d+ here: (.*)", line):
            self._lists_asked -= 1
            self.listed = sorted(found[1].split(", "))
