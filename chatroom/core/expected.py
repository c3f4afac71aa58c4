"""Whether a text for the room may be meant for one person, and is asked about first.

It often is within a minute of one of these: a whisper outside a private chat; a refused private text, `to:` or
`/join`; a `to:` with no chat to end. A whisper keyword alone is asked about too. Such a text is sent if it is written
again. This object knows names and texts; times are passed in, in seconds.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from chatroom.core.errors import LineEdited, MayAnswer, NotInUtf8, NotSent, Refusal
from chatroom.core.unfinished import is_unfinished
from chatroom.core.unknown_commands import LooksLikeKey, UnknownCommand

ANSWER_S: Final = 60.0
# A text that is written again sooner was written before the question was read, or by somebody who thinks that Enter did
# not work.
CONFIRM_S: Final = 1.5
# Refusals that do not show that something was meant for one person.
_OF_ANY_TEXT: Final = (LineEdited, MayAnswer, NotInUtf8, NotSent)
_OF_ANY_COMMAND: Final = (UnknownCommand, LooksLikeKey)


@dataclass(frozen=True, slots=True)
class Question:
    """A text may be meant for one person.

    Attributes:
        name: of the person; "" if unknown.
    """

    name: str


class ExpectedAnswer:
    """What one guest may be about to write to one person."""

    __slots__ = ("_asked", "_asked_at", "_at", "_name", "_since", "_word")

    def __init__(self) -> None:
        self._name = ""
        self._since = self._at = float("-inf")  # of what may be meant for one person: the first, and the last
        self._asked = ""
        self._asked_at = 0.0
        self._word = ""  # that was confirmed, though a private text may begin so

    def whispered(self, name: str, since: float) -> None:
        """A whisper was received from this person, or sent to them with a command.

        Args:
            since: when it came, or when the command did: what came with a command may be meant for the same person.
        """
        self._expect(since)
        self._name = name

    def refused(self, refusal: Refusal, now: float) -> None:
        """Something was refused, and it is doubtful whom the next texts are for."""
        if isinstance(refusal, NotSent) and refusal.wording == "not_sent_with":
            self.held()
        elif not isinstance(refusal, _OF_ANY_TEXT) and type(refusal) not in _OF_ANY_COMMAND:
            self.doubted(now)

    def doubted(self, since: float) -> None:
        """What comes from now on may be meant for one person, or for another room.

        Something was refused, or a name may follow.

        Args:
            since: what comes sooner is held anyway.
        """
        if self._expect(since):
            self._name = ""

    def _expect(self, since: float) -> bool:
        """Ask about what comes from then on; returns whether nothing was asked about before."""
        is_new = since - self._at >= ANSWER_S
        self._since = since if is_new else min(since, self._since)
        self._at = max(since, self._at)
        return is_new

    def ended(self, now: float, *, had_talk: bool) -> None:
        """`to:` alone.

        Args:
            had_talk: the guest has been in a private chat, which they end, or make sure that it has ended. Otherwise
                the name may follow.
        """
        if had_talk:
            self.forget()
        else:
            self.doubted(now)

    def held(self) -> None:
        """A text was held because of an earlier refusal; its answer already asks the guest to send it again."""
        if not self._name:
            self.forget()

    def renamed(self, old: str, new: str) -> None:
        """Somebody has changed their name."""
        if self._name == old:
            self._name = new

    def forget(self) -> None:
        """The guest has said who their texts are for."""
        self._at, self._asked = float("-inf"), ""

    def question(self, text: str, now: float) -> Question | None:
        """What to ask about a text for the room; None: send it."""
        is_word = text != self._word and is_unfinished(text)
        if is_word:
            self.doubted(now)
        if now < self._since:
            return None
        is_confirmed = text == self._asked and now - self._asked_at >= CONFIRM_S
        if is_confirmed and is_word:
            self._word = text
        if is_confirmed or now - self._at >= ANSWER_S:
            self.forget()
            return None
        self._asked, self._asked_at = text, now
        return Question(self._name)
