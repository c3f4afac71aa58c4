"""Whether a text for the room may be meant for one person, and is asked about first.

It often is within a minute of one of these: a whisper outside a private chat; a refused private text, `to:` or
`/join`; a `to:` with no chat to end. A whisper keyword alone is asked about too. Such a text is sent if it is written
again. If somebody else begins a private chat meanwhile, the text is not meant for them. This object knows people and
texts; times are passed in, in seconds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from chatroom.core.errors import LineEdited, MayAnswer, NotInUtf8, NotSent, Refusal
from chatroom.core.events import Person
from chatroom.core.unfinished import is_unfinished
from chatroom.core.unknown_commands import LooksLikeKey, UnknownCommand

ANSWER_S: Final = 60.0
# A text that is written again sooner was written before the question was read, or by somebody who thinks that Enter did
# not work.
CONFIRM_S: Final = 1.5
# Refusals that do not show that something was meant for one person.
_OF_ANY_TEXT: Final = (LineEdited, MayAnswer, NotInUtf8, NotSent)
_REMEMBERED: Final = 20  # texts that were refused
_OF_ANY_COMMAND: Final = (UnknownCommand, LooksLikeKey)
SOMEONE: Final = Person("", "")  # who is not known


@dataclass(frozen=True, slots=True)
class Question:
    """A text may be meant for one person.

    Attributes:
        name: of the person; "" if unknown.
        why: the answer to this text before, if it looked private: it must not be asked about, since to write it again
            does not send it.
    """

    name: str
    why: str = ""


def suggested(params: Mapping[str, object]) -> str:
    """The name of the person to whom a refusal, by its fields, suggests to whisper; "" if there is none."""
    name, usage = params.get("near", params.get("now", params.get("name"))), str(params.get("usage", ""))
    teaches = usage.startswith((f"to:{name}", f"/to {name}", f'/to "{name}"'))
    return name if isinstance(name, str) and teaches else ""


class ExpectedAnswer:
    """What one guest may be about to write to one person."""

    __slots__ = (
        "_asked",
        "_asked_at",
        "_at",
        "_is_doubtful",
        "_other",
        "_person",
        "_private",
        "_since",
        "_suggested",
        "_word",
    )

    def __init__(self) -> None:
        # The last person of a whisper, and the last one before who was someone else.
        self._person = self._other = SOMEONE
        self._is_doubtful = False  # it may be for someone whose name is unknown
        self._suggested = ""  # the name in the last refusal
        self._private: dict[str, str] = {}  # what looked private, with its answer
        self._since = self._at = float("-inf")  # of what may be meant for one person: the first, and the last
        self._asked = ""
        self._asked_at = 0.0
        self._word = ""  # that was confirmed, though a private text may begin so

    def whispered(self, who: Person, since: float) -> None:
        """A whisper was received from this person, or sent to them with a command.

        Args:
            since: when it came, or when the command did: what came with a command may be meant for the same person.
        """
        self._expect(since)
        if who.sid != self._person.sid:
            self._other = self._person
        self._person, self._suggested = who, ""

    def whispers(self, since: float) -> None:
        """A whisper is about to be sent with a command; lines that came with it may be taken first."""
        self._expect(since)

    def refused(self, refusal: Refusal, now: float) -> None:
        """Something was refused, and it is doubtful whom the next texts are for."""
        if isinstance(refusal, NotSent) and refusal.wording == "not_sent_with":
            self.held()
        elif not isinstance(refusal, _OF_ANY_TEXT) and type(refusal) not in _OF_ANY_COMMAND:
            self.doubted(now, suggested(refusal.params))

    def looked_private(self, text: str, why: str) -> None:
        """This text was refused, with this answer, because it looked private."""
        self._private.pop(text, None)
        self._private[text] = why
        if len(self._private) > _REMEMBERED:
            del self._private[next(iter(self._private))]

    def doubted(self, since: float, name: str = "") -> None:
        """What comes from now on may be meant for one person, or for another room.

        Something was refused, or a name may follow.

        Args:
            since: what comes sooner is held anyway.
            name: of the person whom a refusal has suggested.
        """
        self._expect(since)
        self._is_doubtful = True
        self._suggested = name or self._suggested

    def _expect(self, since: float) -> None:
        """Ask about what comes from then on."""
        is_new = since - self._at >= ANSWER_S
        if is_new:
            self._person = self._other = SOMEONE
            self._is_doubtful, self._suggested = False, ""
        self._since = since if is_new else min(since, self._since)
        self._at = max(since, self._at)

    def expects_another(self, sid: str, now: float) -> tuple[Person, float] | None:
        """Whether the next text may be for someone other than this session, and until when.

        Returns:
            The other person, perhaps `SOMEONE`, and the time when that ends; None if it is for nobody else.
        """
        until = self._at + ANSWER_S
        others = [one for one in (self._person, self._other) if one.sid not in ("", sid)]
        if now >= until or not (others or self._is_doubtful):
            return None
        return (others[0] if others else SOMEONE), until

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
        if not self._person.name:
            self.forget()

    def renamed(self, sid: str, name: str) -> None:
        """Somebody has changed their name."""
        if self._person.sid == sid and self._person != SOMEONE:
            self._person = Person(sid, name)
        if self._other.sid == sid:
            self._other = Person(sid, name)

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
        name = self._suggested or self._person.name
        if text in self._private and now - self._at < ANSWER_S:
            return Question(name, self._private[text])
        is_confirmed = text == self._asked and now - self._asked_at >= CONFIRM_S
        if is_confirmed and is_word:
            self._word = text
        if is_confirmed or now - self._at >= ANSWER_S:
            self.forget()
            return None
        self._asked, self._asked_at = text, now
        return Question(name)
