"""Where a guest stands in what happens in a room, so that coming back misses nothing and repeats nothing.

It knows the frames of protocol.md, section 1, as far as resuming needs them: tokens, entries' ids, pages of what was
missed. It does no I/O and has no clock. What a server sends is taken as it is: a field that is missing or wrong
counts as absent.
"""

from __future__ import annotations

from typing import Any, Final

from chatroom.core.names import room_key

PAGE: Final = 200  # entries asked for at once
WELCOME: Final = 50  # entries that a newcomer is shown
MAX_HELD: Final = 10_000  # live frames that wait for what was missed before them

Frame = dict[str, Any]


class Overrun(Exception):
    """More is said than can be caught up with; the way is to come in again, from what was told so far."""


class Place:
    """A guest's place in one room after another.

    Args:
        room: the room to enter; None for the server's first one.
        name: the nickname to ask for; None for a random one.
        lang: the language of the server's text and of random names; None: whatever the server prefers.

    Attributes:
        is_in: the server has let us in, on this connection.
        max_text: the longest text that the server takes, in characters; None if it has not told.
    """

    def __init__(self, room: str | None, name: str | None, lang: str | None = None) -> None:
        self.is_in = False
        self.max_text: int | None = None
        self._room = room
        self._name = name
        self._lang = lang
        self._token: str | None = None
        self._last: str | None = None  # the newest entry that was told
        self._held: list[Frame] | None = None  # live frames, while what was missed is still being fetched

    @property
    def is_behind(self) -> bool:
        """Whether there is more that was missed, to be had with `request`."""
        return self._held is not None

    def is_at(self, room: str) -> bool:
        """Whether this is the room that the guest is in, as far as has been told."""
        return room_key(room) == room_key(self._room or "")

    def auth(self) -> Frame:
        """What to enter with: a token and the last entry told, once there are any."""
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
        """What to ask the server for as long as we are behind."""
        return {"action": "history", "after": self._last, "limit": PAGE}

    def renamed(self, token: object) -> None:
        """A change of name gives a new token."""
        if isinstance(token, str):
            self._token = token

    def lose(self) -> None:
        """The connection is lost, and what waited with it: it will be among what was missed."""
        self.is_in, self._held = False, None

    def hear(self, frame: Frame) -> list[Frame]:
        """Take a frame as it comes; gives those that are to be told now, in their order.

        A room's first frame is told with two more fields in `you`: `back`, whether this is the room that the guest
        has been in before, and `gap`, which is also set where nobody can tell.

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
        """Take a page that was asked for; gives the frames that are to be told now, in their order."""
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
            # Nothing had been said when the room was left; what newcomers are shown may not be all that was since.
            gap = gap or len(history) >= WELCOME
        history = self._new([{**entry, "action": "message"} for entry in history])
        self._token, self._room = str(you.get("token")), room
        self.is_in = True
        limits = you.get("limits")
        limit = limits.get("text") if isinstance(limits, dict) else None
        self.max_text = limit if isinstance(limit, int) else None
        self._held = [] if you.get("more") and self._last is not None else None
        return {**frame, "you": {**you, "history": history, "gap": gap, "back": is_back}}

    def _new(self, frames: list[Frame]) -> list[Frame]:
        """Without the entries that were told already."""
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
    """Whether a frame that was told is the first one of a room that the guest has not just been in."""
    you = frame.get("you")
    return isinstance(you, dict) and not you.get("back")


def _entries(value: object) -> list[Frame]:
    found = value if isinstance(value, list) else []
    return [entry for entry in found if isinstance(entry, dict) and isinstance(entry.get("id"), str)]
