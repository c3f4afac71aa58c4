"""Frames as lines of a terminal, and who is in the room: pure, for lines and the full screen alike.

Whatever the server has sent, nothing that leaves this module moves a cursor, reverses a line or cannot be written as
UTF-8; and no frame is so broken that it raises.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from chatroom.core.presence import PresenceLines
from chatroom.core.quoting import before_text, in_list
from chatroom.core.sentences import Sentences
from chatroom.core.text import clean, fold_empty_lines
from chatroom.terminal.frame import Frame
from chatroom.terminal.words import ENGLISH

_QUOTED: Final = 40  # characters of a refused text
# What makes the character before it part of a longer one: a family emoji is not a mention of its first person.
_GOES_ON: Final = "\ufe0f?[\u200c\u200d\u20e3\U0001f3fb-\U0001f3ff\U000e0020-\U000e007f]"
_SURROGATES = re.compile("[\ud800-\udfff]")  # which JSON can carry and UTF-8 cannot


@dataclass(frozen=True, slots=True)
class Shown:
    """One thing to show.

    Attributes:
        kind: "said", "whisper", "notice" or "refused".
        lines: the text.
        who: the sender, as shown before the text; "" if there is none.
        at: the local time, if the server has sent one.
        entry_id: of a message in the log.
        own: it is the guest's own.
        calls: it is meant for the guest: a whisper, or their name is in it.
    """

    kind: str
    lines: tuple[str, ...]
    who: str = ""
    at: datetime | None = None
    entry_id: str = ""
    own: bool = False
    calls: bool = False

    @property
    def day(self) -> date | None:
        return self.at.date() if self.at is not None else None

    def text(self) -> str:
        """As plain lines; those after the first are indented, so that none can pass for another person's message."""
        body = "\n    ".join(self.lines)
        time = f"[{self.at:%H:%M:%S}] " if self.at is not None else ""
        return f"{time}{self.who}: {body}" if self.who else f"* {body}"


class View:
    """Follows one guest's frames.

    Args:
        words: the client's sentences.

    Attributes:
        name, sid, room: the guest's.
        names: who is in the room, by session id, in the order of joining.
    """

    def __init__(self, words: Sentences = ENGLISH) -> None:
        self._words = words
        self.name = ""
        self.sid = ""
        self.room = ""
        self.names: dict[str, str] = {}
        self._presence = PresenceLines()
        self._presence_at: datetime | None = None

    def show(self, frame: Frame) -> list[Shown]:
        """What a frame adds to the screen; frames that this client does not know are ignored.

        Joins and leaves are collected for `presence`.
        """
        match frame.get("action"):
            case "login" if isinstance(frame.get("you"), dict):
                return self._enter(frame, frame["you"])
            case "message":
                return [self._message(frame)]
            case "whisper":
                return [self._whisper(frame)]
            case "roster":
                self._roster(frame)
            case "rename":
                return self._rename(frame)
            case "notice" if "said" in frame:
                return [
                    Shown(
                        "refused",
                        _lines(self._words.say("failed", text=_quote(frame["said"]), why=self._why(frame))),
                    )
                ]
            case "notice":
                return [Shown("notice", _lines(frame.get("msg")), at=_time(frame))]
            case "gap":
                return [self._gap()]
        return []

    def presence_due_in(self, now: float) -> float | None:
        """In how many seconds `presence` has something to show; None: there is nothing to show."""
        return self._presence.due_in(now)

    def presence(self, now: float) -> list[Shown]:
        """Who joined and left, if it is time to show it; `now` is in seconds."""
        if self._presence.due_in(now) != 0:
            return []
        text = self._presence.take(now).text(self._words, len(self.names))
        return [Shown("notice", (text,), at=self._presence_at)]

    def history(self, entries: object, *, back: bool = False) -> list[Shown]:
        """A page of history; `back` if it was sent while the guest was away for a moment."""
        found = entries if isinstance(entries, list) else []
        return [self._message({**entry, "back": back}) for entry in found if isinstance(entry, dict)]

    def _enter(self, frame: Frame, you: Frame) -> list[Shown]:
        is_back = bool(you.get("back"))
        before = self.name
        self.name, self.sid = _line(you.get("username")), _line(you.get("sid"))
        self.room = _line(frame.get("room"))
        self.names = dict(people_in(frame.get("name_list")))
        self._presence = PresenceLines()  # the list contains everybody
        shown = self.history(you.get("history"), back=is_back)
        if is_back and you.get("gap"):
            shown.insert(0, self._gap())
        if is_back and before == self.name:
            return shown
        count = len(self.names)
        key = "greeting_one" if count == 1 else "greeting"
        greeting = self._words.say(key, name=self.name, room=self.room, count=count)
        return [*shown, Shown("notice", (greeting,), at=_time(frame))]

    def _message(self, frame: Frame) -> Shown:
        who, lines = _line(frame.get("username")), _lines(frame.get("msg"))
        self._presence.sent(_line(frame.get("sid")))
        # History has no session ids; in what was missed, the guest's own messages are recognised by the name.
        own = frame.get("sid") == self.sid if "sid" in frame else bool(frame.get("back")) and who == self.name
        calls = not own and _mentions("\n".join(lines), self.name)
        return Shown("said", lines, before_text(who), _time(frame), str(frame.get("id", "")), own, calls)

    def _whisper(self, frame: Frame) -> Shown:
        sender = _line(frame.get("username"))
        own = sender == self.name
        key, name = ("whisper_by", _line(frame.get("to"))) if own else ("whisper_to", sender)
        who = self._words.say(key, name=before_text(name))
        return Shown("whisper", _lines(frame.get("msg")), who, _time(frame), own=own, calls=not own)

    def _roster(self, frame: Frame) -> None:
        self._presence_at = _time(frame)
        for sid, name in people_in(frame.get("left")):
            if sid != self.sid:
                self.names.pop(sid, None)
                self._presence.left(sid, name)
        for sid, name in people_in(frame.get("joined")):
            if sid != self.sid:
                self.names[sid] = name
                self._presence.joined(sid, name)

    def _rename(self, frame: Frame) -> list[Shown]:
        sid, old, new = _line(frame.get("sid")), _line(frame.get("username")), _line(frame.get("to"))
        if sid in self.names:
            self.names[sid] = new
        if sid == self.sid:
            self.name = new
            return []  # the answer to the command says it
        if not self._presence.renamed(sid, new):
            return []
        return [
            Shown(
                "notice", (self._words.say("renamed", old=in_list(old), new=in_list(new)),), at=_time(frame)
            )
        ]

    def _why(self, refusal: Frame) -> str:
        if "character" in refusal:
            return self._words.say("hidden", character=_line(refusal["character"]))
        return str(refusal.get("msg"))

    def _gap(self) -> Shown:
        return Shown("notice", (self._words.say("gap"),))


def plain_text(text: object) -> str:
    """Any text on one line, safe for any terminal."""
    return _line(text)


def without(text: str, character: object) -> str | None:
    """The text without a character such as "U+202A", and without controls and direction marks.

    Returns:
        None if no character is named, or nothing is left.
    """
    found = re.fullmatch(r"U\+([0-9A-F]{4,5})", character) if isinstance(character, str) else None
    if found is None:
        return None
    rest = text.replace(chr(int(found[1], 16)), "")
    return "\n".join(map(clean, rest.split("\n"))).strip() or None


def people_in(value: object) -> Iterable[tuple[str, str]]:
    """Session ids and names, from a list of pairs of name and id."""
    for pair in value if isinstance(value, list) else ():
        if isinstance(pair, list) and len(pair) == 2:
            yield _line(pair[1]), _line(pair[0])


def _time(frame: Frame) -> datetime | None:
    try:
        return datetime.fromisoformat(str(frame.get("time"))).astimezone()
    except (ValueError, OverflowError):
        return None


def _mentions(text: str, name: str) -> bool:
    """Whether a name is in a text, as separate words, and not as part of an emoji sequence."""
    pattern = rf"(?<![\w\u200d]){re.escape(name)}(?!\w|{_GOES_ON})"
    return bool(name) and re.search(pattern, text, re.IGNORECASE) is not None


def _quote(text: object) -> str:
    line = _line(text)
    return line if len(line) <= _QUOTED else f"{line[: _QUOTED - 1]}…"


def _lines(text: object) -> tuple[str, ...]:
    return tuple(map(_clean, fold_empty_lines(str(text)).splitlines())) or ("",)


def _line(text: object) -> str:
    return _clean(" ".join(str(text).splitlines()))


def _clean(line: str) -> str:
    return _SURROGATES.sub("\ufffd", clean(line))
