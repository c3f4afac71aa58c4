"""What frames look like as lines of a terminal, and who is in the room: pure, for both faces of the client."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from chatroom.gateways.line_codec import clean

Frame = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Shown:
    """One thing to show.

    Attributes:
        kind: "said", "whisper" or "notice".
        at: the local time of day, or "".
        who: who speaks, or "" for a notice.
        lines: the text; nothing in it moves a cursor.
        entry_id: of a message in the log.
        own: it is the guest's own.
    """

    kind: str
    at: str
    who: str
    lines: tuple[str, ...]
    entry_id: str = ""
    own: bool = False

    def text(self) -> str:
        """As plain lines; those that follow the first are indented, and so are nobody's."""
        body = "\n    ".join(self.lines)
        return f"[{self.at}] {self.who}: {body}" if self.who else f"* {body}"


class View:
    """Follows one guest's frames.

    Attributes:
        names: who is in the room, by session id, in the order of coming.
    """

    def __init__(self) -> None:
        self.name = ""
        self.sid = ""
        self.room = ""
        self.names: dict[str, str] = {}

    def show(self, frame: Frame) -> list[Shown]:
        """What a frame adds to the screen; frames that this client does not know are passed over."""
        match frame.get("action"):
            case "login" if isinstance(frame.get("you"), dict):
                return self._enter(frame, frame["you"])
            case "message":
                return [self._said(frame)]
            case "whisper":
                own = frame.get("username") == self.name
                who = f"you -> {frame.get('to')}" if own else f"{frame.get('username')} -> you"
                return [Shown("whisper", _time(frame), _line(who), _lines(frame.get("msg")), own=own)]
            case "roster":
                return self._roster(frame)
            case "rename":
                return self._rename(frame)
            case "notice":
                return [Shown("notice", _time(frame), "", _lines(frame.get("msg")))]
        return []

    def past(self, entries: list[Frame]) -> list[Shown]:
        """A page of history."""
        return [self._said(entry) for entry in entries]

    def _enter(self, frame: Frame, you: Frame) -> list[Shown]:
        was_here = self.room == frame.get("room")
        self.name, self.sid, self.room = you["username"], you["sid"], frame["room"]
        self.names = {sid: name for name, sid in frame.get("name_list", ())}
        shown = self.past(you.get("history", []))
        if was_here and you.get("resumed") and not you.get("gap"):
            return shown
        if you.get("gap") and was_here:
            shown.insert(
                0, Shown("notice", "", "", ("Something of what was said meanwhile is no longer kept.",))
            )
        greeting = f"You are {self.name} in {self.room}, {len(self.names)} here."
        return [*shown, Shown("notice", _time(frame), "", (_line(greeting),))]

    def _said(self, frame: Frame) -> Shown:
        own = bool(self.sid) and frame.get("sid") == self.sid
        who = _line(str(frame.get("username")))
        return Shown("said", _time(frame), who, _lines(frame.get("msg")), str(frame.get("id", "")), own)

    def _roster(self, frame: Frame) -> list[Shown]:
        joined = [(name, sid) for name, sid in frame.get("joined", ()) if sid != self.sid]
        left = [(name, sid) for name, sid in frame.get("left", ()) if sid != self.sid]
        for _, sid in left:
            self.names.pop(sid, None)
        self.names |= {sid: name for name, sid in joined}
        told = []
        for people, verb in ((left, "left"), (joined, "came in")):
            if people:
                names = ", ".join(name for name, _ in people[:10]) + (
                    " and others" if len(people) > 10 else ""
                )
                told.append(
                    Shown("notice", _time(frame), "", (_line(f"{names} {verb} ({len(self.names)} here)"),))
                )
        return told

    def _rename(self, frame: Frame) -> list[Shown]:
        sid, new = frame.get("sid", ""), str(frame.get("to"))
        if sid in self.names:
            self.names[sid] = new
        if sid == self.sid:
            self.name = new
        return [Shown("notice", _time(frame), "", (_line(f"{frame.get('username')} is now called {new}"),))]


def _time(frame: Frame) -> str:
    try:
        return datetime.fromisoformat(str(frame["time"])).astimezone().strftime("%H:%M:%S")
    except (KeyError, ValueError):
        return ""


def _lines(text: object) -> tuple[str, ...]:
    return tuple(clean(line) for line in str(text).splitlines()) or ("",)


def _line(text: str) -> str:
    return clean(" ".join(text.splitlines()))
