"""What a guest has typed and the server has not answered yet: each message is sent once, in order.

It knows the answers of protocol.md, section 1, and what may be tried again after each. It does no I/O; the time is
passed in, in seconds.
"""

from __future__ import annotations

import secrets
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Final

from chatroom.core.events import Person
from chatroom.core.expected import ExpectedAnswer, suggested
from chatroom.core.sentences import Sentences
from chatroom.terminal.audience import Command, Message, changes_audience, is_join, joined_room, read
from chatroom.terminal.failed_texts import FailedTexts, PrivateText, is_namesake
from chatroom.terminal.frame import Frame, notice
from chatroom.terminal.words import ENGLISH

RETRY_S: Final = 1.0  # when the server could not store a message
GIVE_UP_S: Final = 30.0  # for so long a message is sent again that the server cannot store
MAX_LOSSES: Final = 6  # connections lost with one line on its way: then the line is probably the cause
MAX_WAIT_S: Final = 60.0  # that a server can ask for before the next try
UNSTORED: Final = "unstored"  # the code of the notice that a message is sent again
LOST: Final = "lost"  # the code of answers that never came: the connection has ended
# A text typed this soon after a refused change of audience was typed before that was read.
HOLD_S: Final = 1.0


@dataclass(slots=True, eq=False)
class Line:
    """Something typed.

    Attributes:
        text: as it was typed.
        to: its recipient; None for everyone, and for a command.
        confirmed: the guest knows that this may not be the person who had the name before.
        whisper: what a `/to NAME TEXT` says, and whose name it was when it was typed.
        cid: how the server recognises a message that is sent again.
        sent: it was sent on this connection, and is not answered.
        losses: how many connections were lost while it was on its way.
        unstored_at: when the server first could not store it; None: it never said so.
    """

    text: str
    to: Person | None = None
    confirmed: bool = False
    whisper: PrivateText | None = None
    cid: str = field(default_factory=lambda: secrets.token_urlsafe(12))
    sent: bool = False
    losses: int = 0
    unstored_at: float | None = None

    @property
    def is_command(self) -> bool:
        return self.to is None and not isinstance(read(self.text), Message)

    @property
    def is_message(self) -> bool:
        """Whether it is a text for the room."""
        return self.to is None and not self.is_command

    @property
    def moves(self) -> bool:
        """Whether it decides who receives what is typed after it."""
        return self.to is None and changes_audience(self.text)

    @property
    def can_repeat(self) -> bool:
        """Whether it may be sent again: after a restart, the server recognises only messages, by their `cid`."""
        return self.is_message

    @property
    def private(self) -> PrivateText | None:
        """What it says to one person, if it is known to whom."""
        return PrivateText(self.to, self.text) if self.to is not None else self.whisper

    @property
    def is_quit(self) -> bool:
        typed = read(self.text)
        return self.to is None and isinstance(typed, Command) and typed.text.strip() == "/quit"

    def frame(self) -> Frame:
        if self.to is not None:
            frame = {
                "action": "whisper",
                "to": self.to.name,
                "to_sid": self.to.sid,
                "msg": self.text,
                "typed": True,
            }
            return frame | {"confirmed": True} if self.confirmed else frame
        return {"action": "message", "msg": self.text, "cid": self.cid}


class Outbox:
    """The lines of one guest.

    Args:
        hold_s: for how long messages are refused after a refused change of audience.
        words: the client's sentences.

    Attributes:
        lines: the first one is on its way, or will be next.
        refused: how many were refused, or have an unknown outcome.
        expected: decides whether the next text for the room is asked about first.
        failed: decides whether a private text is asked about that could not be sent to someone else.
    """

    def __init__(self, hold_s: float = HOLD_S, words: Sentences = ENGLISH) -> None:
        self._words = words
        self.lines: deque[Line] = deque()
        self.refused = 0
        self._not_before = 0.0
        self._hold_s = hold_s
        self._held_until = 0.0
        # While texts are held: names may be those of another room, which was not joined.
        self._doubts_people = False
        self.expected = ExpectedAnswer()
        self.failed = FailedTexts()
        self._extension_s = 0.0  # by which each line that is held prolongs the hold

    def add(self, line: Line, now: float, begun_at: float | None = None) -> Frame | None:
        """Take a line that was typed; returns the refusal if it is held.

        Args:
            begun_at: when its first character was typed; None: now. A line begun before a refusal could be read is
                held, however late it is sent.
        """
        if line.private is not None and (is_asked := self.failed.question(line.private, now)) is not None:
            if is_asked:
                why = self._words.say("other_person", name=line.private.to.name)
                return self.refuse(line, why, now)
            line.confirmed = True
        begun_at = now if begun_at is None else begun_at
        # After another change of audience, the outcome of that one decides.
        if line.is_command or begun_at >= self._held_until or any(each.moves for each in self.lines):
            self.lines.append(line)
            return None
        self.expected.held()
        return self.refuse(line, self._words.say("held"), now)

    def refuse(self, line: Line, why: str, now: float, *, is_doubtful: bool = False) -> Frame:
        """Refuse a line that must not be sent; returns the notice for the guest.

        Args:
            is_doubtful: it may have been meant to change the audience.
        """
        if line.moves or is_doubtful:
            self._hold(self._hold_s, now)
            self.expected.doubted(self._held_until)
        elif now < self._held_until:
            self._held_until = max(self._held_until, now + self._extension_s)
        return self._refusal(line, {"code": "refused", "msg": why})

    def came_back(self, people: Iterable[tuple[str, str]], now: float) -> list[Frame]:
        """The guest has reconnected to the room: what waits for a name does not go to someone else who has it now.

        Args:
            people: the session ids and names in the room.

        Returns:
            The notices for the guest.
        """
        present = [Person(*person) for person in people]
        waiting, self.lines = self.lines, deque()
        refusals: list[Frame] = []
        for line in waiting:
            said = line.whisper
            namesake = next((one for one in present if said and is_namesake(said.to, one)), None)
            if said is not None and namesake is not None:
                self.failed.add(said)
                line.whisper = replace(said, to=namesake)
            if namesake is None and not refusals:
                self.lines.append(line)
            elif (refusal := self.add(line, now)) is not None:
                refusals.append(refusal)
        return refusals

    def hold_private(self, text: str, now: float) -> Frame | None:
        """Refuse a private text to a name, or `to:`, after a room that was not joined; None: it may be sent."""
        if (
            not (self._doubts_people and now < self._held_until)
            or not changes_audience(text)
            or is_join(text)
        ):
            return None
        return self.refuse(Line(text), self._words.say("held"), now)

    def audience_changed(self) -> None:
        """The audience has changed as requested: the next texts are meant for it."""
        self._held_until = 0.0
        self._doubts_people = False

    def refuse_too_long(self, limit: int, now: float) -> list[Frame]:
        """Refuse the first line if the server would refuse it as too long; a far longer one would end the connection.

        Returns:
            The notices for the guest.
        """
        if not self.lines or len(self.lines[0].text) <= limit:
            return []
        text = self._words.say("too_long", limit=limit)
        return self.answered(self.lines[0], {"code": "too_long", "msg": text}, now)

    def due(self, now: float) -> Line | None:
        """The line to send now. Only one at a time: after a rate limit, the next line must not overtake this one."""
        if not self.lines or self.lines[0].sent or now < self._not_before:
            return None
        return self.lines[0]

    def due_in(self, now: float) -> float | None:
        """In how many seconds there is a line to send; None if that does not depend on time."""
        return max(0.0, self._not_before - now) if self.lines and not self.lines[0].sent else None

    def answered(self, line: Line, answer: Frame, now: float) -> list[Frame]:
        """The server has answered the line that is on its way.

        Returns:
            The refusals for the guest, each a `notice` frame with the text in `said`. If it is doubtful who was meant,
            the messages after it are refused as well. When the server cannot store a message, one notice says so.
        """
        code = answer.get("code")
        line.losses += code == LOST
        is_first = code == "unavailable" and line.unstored_at is None
        if is_first:
            line.unstored_at = now
        is_over = line.unstored_at is not None and now - line.unstored_at >= GIVE_UP_S
        can_repeat = code in ("unavailable", LOST) and line.can_repeat and line.losses < MAX_LOSSES
        if (can_repeat and not is_over) or code == "rate_limited":
            line.sent = False
            self._not_before = now + (0.0 if code == LOST else wait_s(answer))
            text = self._words.say("unstored")
            return [notice(text, UNSTORED)] if is_first else []
        self.lines.popleft()
        if answer.get("ok"):
            if line.moves:
                self.audience_changed()
            if joined_room(line.text) is not None and line.to is None:
                self.expected.forget()
            return []
        refusals = [self._refusal(line, answer)]
        # If a whisper is lost, nothing follows from it. If a `/join` is lost, the next line depends on its outcome.
        is_move = line.moves and (code != LOST or joined_room(line.text) is not None)
        is_other = answer.get("again") is True  # the name may be another person's now
        # Perhaps a misspelt `to:`.
        is_doubtful = is_move or is_other or (line.is_message and code == "bad_request")
        # Or a misspelt `/to`. A script's next lines are held only for a moment: its input may contain such lines.
        if is_doubtful or code == "unknown_command" or (line.is_message and code != LOST):
            self._hold(self._hold_s if is_doubtful else 0.0, now)
            is_private = line.is_message and (code == "no_such_person" or "usage" in answer)
            if is_move or is_other or is_private or (code == "unknown_command" and "usage" in answer):
                self.expected.doubted(self._held_until, suggested(answer))
            if is_private:
                self.expected.looked_private(line.text, str(answer.get("msg")))
            self._doubts_people |= is_doubtful and is_join(line.text)
            rest, self.lines = self.lines, deque()
            for each in rest:
                is_for_one = each.moves or each.to is not None
                refusal = (
                    self.refuse(each, self._words.say("held"), now)
                    if is_other and is_for_one
                    else self.add(each, now)
                )
                refusals += [refusal] if refusal is not None else []
        return refusals

    def _hold(self, extension_s: float, now: float) -> None:
        self._doubts_people &= now < self._held_until
        self._extension_s = max(extension_s, self._extension_s if now < self._held_until else 0.0)
        self._held_until = max(self._held_until, now + max(extension_s, HOLD_S))

    def _refusal(self, line: Line, answer: Frame) -> Frame:
        self.refused += 1
        if line.private is not None:
            self.failed.add(line.private)
        code, text = str(answer.get("code")), str(answer.get("msg"))
        if code == LOST:
            text = self._words.say("lost")
        elif code == "unavailable" and line.is_message:
            text = self._words.say("not_stored")
        refusal = notice(text, code, said=line.text)
        if not line.is_command:  # which does the same whomever the next texts are for
            refusal["to_sid"] = line.to.sid if line.to is not None else ""
        if isinstance(answer.get("character"), str):
            refusal["character"] = answer["character"]
        return refusal


def wait_s(answer: Frame) -> float:
    """How long a refusal asks to wait."""
    seconds = answer.get("retry_after")
    return min(float(seconds), MAX_WAIT_S) if isinstance(seconds, int | float) and seconds >= 0 else RETRY_S
