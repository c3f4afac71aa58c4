"""What a guest has received so far, so that reconnecting misses nothing and repeats nothing.

It knows the frames of protocol.md, section 1, as far as resuming needs them: tokens, entry ids, pages of what was
missed. It does no I/O and has no clock. A field that is missing or wrong in a frame counts as absent.
"""

from __future__ import annotations

from typing import Final

from chatroom.core.log import PAGE_ENTRIES, WELCOME_ENTRIES
from chatroom.core.names import room_key
from chatroom.terminal.frame import Frame

MAX_HELD: Final = 10_000  # live frames that wait while earlier ones are fetched


class Overrun(Exception):
    """Messages arrive faster than history is fetched; the way out is to reconnect from the last entry."""


class ResumeState:
    """A guest's position in the history of one room after another.

    Args:
        room: the room to join; None for the server's first one.
        name: the nickname to ask for; None for a random one.
        lang: the language of the server's text and of random names; None: whatever the server prefers.

    Attributes:
        is_in: the guest has joined, on this connection.
        max_text: the longest text that the server takes, in characters; None if it is unknown.
    """

    def __init__(self, room: str | None, name: str | None, lang: str | None = None) -> None:
        self.is_in = False
        self.max_text: int | None = None
        self._room = room
        self._name = name
        self._lang = lang
        self._token: str | None = None
        self._last: str | None = None  # the newest entry that was passed on
        self._held: list[Frame] | None = None  # live frames, while what was missed is being fetched

    @property
    def is_behind(self) -> bool:
        """Whether more was missed, which `request` asks for."""
        return self._held is not None

    def is_at(self, room: str) -> bool:
        """Whether this is the room that the guest is in."""
        return room_key(room) == room_key(self._room or "")

    def auth(self) -> Frame:
        """The auth for the next connection: with a token and the last entry, once there are any."""
        auth = {
            "v": 1,
            "roster": "delta",
            "room": self._room,
            "username": self._name if self._token is None else None,
            "token": self._token,
            "after": self._last,
            "lang": self._lang,
        }
        return {key: value for key, value in auth.items() if value is not None}

    def request(self) -> Frame:
        """The request for what was missed, while `is_behind`."""
        return {"action": "history", "after": self._last, "limit": PAGE_ENTRIES}

    def renamed(self, token: object) -> None:
        """A change of name gives a new token."""
        if isinstance(token, str):
            self._token = token

    def disconnected(self) -> None:
        """The connection is lost, and what waited is dropped: it will be among what was missed."""
        self.is_in, self._held = False, None

    def receive(self, frame: Frame) -> list[Frame]:
        """Take a frame from the server; returns the frames to show now, in order.

        A room's first frame gets two more fields in `you`: `back`, whether the guest was in this room before, and
        `gap`, which is also set where it is unknown.

        Raises:
            Overrun: too many frames wait.
        """
        you = frame.get("you")
        if isinstance(you, dict):
            return [self._enter(frame, you)]
        if self._held is None:
            return self._new([frame])
        if len(self._held) == MAX_HELD:
            raise Overrun
        self._held.append(frame)
        return []

    def catch_up(self, answer: Frame) -> list[Frame]:
        """Take a page that was requested; returns the frames to show now, in order."""
        if self._held is None:
            return []  # the guest has gone to another room meanwhile
        entries = _entries(answer.get("entries"))
        frames = [{"action": "gap"}] if answer.get("gap") else []
        frames += self._new([{**entry, "action": "message", "back": True} for entry in entries])
        if not answer.get("more") or not entries:
            held, self._held = self._held, None
            frames += self._new(held)
        return frames

    def _enter(self, frame: Frame, you: Frame) -> Frame:
        room = str(frame.get("room"))
        is_back = self._token is not None and self.is_at(room)
        history, gap = _entries(you.get("history")), bool(you.get("gap"))
        if not is_back:
            self._last = None
        elif self._last is None:
            # The room had no messages when it was left; a newcomer's history may not hold all that came since.
            gap = gap or len(history) >= WELCOME_ENTRIES
        history = self._new([{**entry, "action": "message"} for entry in history])
        self._token, self._room = str(you.get("token")), room
        self.is_in = True
        limits = you.get("limits")
        limit = limits.get("text") if isinstance(limits, dict) else None
        self.max_text = limit if isinstance(limit, int) else None
        self._held = [] if you.get("more") and self._last is not None else None
        return {**frame, "you": {**you, "history": history, "gap": gap, "back": is_back}}

    def _new(self, frames: list[Frame]) -> list[Frame]:
        """The frames without the entries that were passed on already."""
        new = []
        for frame in frames:
            entry_id = frame.get("id")
            if frame.get("action") == "message" and isinstance(entry_id, str):
                if self._last is not None and entry_id <= self._last:
                    continue
                self._last = entry_id
            new.append(frame)
        return new


def is_arrival(frame: Frame) -> bool:
    """Whether a frame is the first one of a room that the guest was not in just before."""
    you = frame.get("you")
    return isinstance(you, dict) and not you.get("back")


def is_return(frame: Frame) -> bool:
    """Whether a frame is the first one after the guest has reconnected to a room."""
    you = frame.get("you")
    return isinstance(you, dict) and bool(you.get("back"))


def _entries(value: object) -> list[Frame]:
    found = value if isinstance(value, list) else []
    return [entry for entry in found if isinstance(entry, dict) and isinstance(entry.get("id"), str)]
