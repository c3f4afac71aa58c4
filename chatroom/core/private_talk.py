"""A guest's private chat: who receives plain texts, who must know when that changes, and what is held meanwhile.

It knows the guest's partner and the times that are passed in. It knows no room, no socket and no words: it returns what
to show and to signal, and its owner does both. Only this object knows a guest's partner: the partner's side learns of
it by the flag on a whisper, and has an object of its own.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum, auto
from functools import lru_cache
from math import inf
from typing import Any, Final

from chatroom.core.errors import NoPartner, NotSent, RateLimited, Refusal, Unavailable
from chatroom.core.events import Person, Talk

MOVE_HOLD_S: Final = 1.0  # after someone else has moved the chat, a text may still be for the former partner


@dataclass(frozen=True, slots=True)
class Notice:
    """One of the server's sentences, for the guest."""

    key: str
    values: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Signal:
    """A whisper without a text, for the other side to follow."""

    sid: str
    talk: Talk


Effect = Notice | Signal


_NOBODY: Final = Person("", "")


class _State(Enum):
    """How a private chat is. In the last three, the next text is not sent; once that is answered, there is no chat."""

    NONE = auto()  # texts go to the room
    OPEN = auto()  # they go to the partner
    LEFT = auto()  # the partner has left the room; it is open again if they come back first
    OVER = auto()  # the partner has ended it
    FORGOTTEN = auto()  # it was open when the server restarted, and its partner is unknown


@lru_cache(maxsize=64)
def _not_sent_with(code: str, answer_after_s: float | None, *, people: bool) -> NotSent:
    """What holds texts that come with a refused one: one for all guests, since many guests who were cut are kept."""
    return NotSent("not_sent_with", code).with_doubt(answer_after_s, people=people)


class PrivateTalk:
    """A guest's partner in a private chat, if there is one.

    Attributes:
        has_begun: there is a private chat, or there was one.
    """

    __slots__ = (
        "_before",
        "_doubt_until",
        "_ends_after",
        "_held_until",
        "_is_ending",
        "_moved_at",
        "_refusal",
        "_state",
        "_unanswered",
        "has_begun",
        "partner",
    )

    def __init__(self) -> None:
        self.partner: Person | None = None
        self.has_begun = False
        self._state = _State.NONE
        # The text that is not sent has come; if its answer is lost it may be sent again, and still must not go to the
        # room.
        self._is_ending = False
        # Whom texts were for before someone began or moved the chat, if that is known, when that was, and until when
        # they may still be for that person.
        self._before: Person | None = None
        self._moved_at = 0.0
        self._doubt_until = 0.0
        # The refusal of texts that arrive while a refusal is unanswered, or arrived before the last answer; None:
        # nothing was refused.
        self._refusal: NotSent | None = None
        self._unanswered = 0
        # Endless if the connection was lost before that answer, or lines were dropped: the next text is not sent. The
        # answer to that text ends it, after as many answers as this; 0: that text has not come.
        self._held_until = 0.0
        self._ends_after = 0

    @property
    def is_plain(self) -> bool:
        """Whether every text goes to the room."""
        return self._state is _State.NONE and self._refusal is None

    @property
    def is_open(self) -> bool:
        """Whether the next text may be meant for one person, even if it cannot reach them."""
        return self.has_chat or self._unanswered > 0 or self._held_until == inf

    @property
    def has_chat(self) -> bool:
        """Whether there is a private chat whose end, if it has ended, the guest may not know."""
        return self._state is not _State.NONE

    # What the guest does

    def turn_to(self, to: Person) -> list[Effect]:
        """`to:NAME`; the other side knows of it."""
        effects: list[Effect] = [Notice("talk_with", {"name": to.name})]
        partner = self.present_partner
        if partner is not None and partner.sid != to.sid:
            effects.append(Signal(partner.sid, Talk.TURNED))
        self._begin(to)
        self._forget_refusal()  # what is typed after it is meant for them
        return effects

    def end(self) -> list[Effect]:
        """`to:` alone: texts go to the room, whatever was refused before; so it always succeeds."""
        if self.partner is None:
            self._close()
            return [Notice("talk_choose")]
        effects: list[Effect] = [Notice("talk_over", {"name": self.partner.name})]
        if self.present_partner is not None:
            effects.append(Signal(self.partner.sid, Talk.ENDED))
        self._close()  # what is typed after it is meant for the room
        return effects

    def leave_behind(self) -> list[Effect]:
        """The guest joins another room, which the partner sees anyway."""
        partner = self.partner
        self._close()
        return [Notice("talk_over", {"name": partner.name})] if partner is not None else []

    def ask(self) -> list[Effect]:
        """`/to` alone: show the partner.

        Raises:
            NoPartner: texts go to the room.
        """
        partner = self.present_partner
        if partner is None:
            raise NoPartner(usage="/to NAME TEXT")
        return [Notice("talk_with", {"name": partner.name})]

    def come_back(self, find: Callable[[str], Person | None]) -> list[Effect]:
        """The guest has resumed with their token; `find` is as in `address`."""
        if self.partner is None:
            return [Notice("talk_forgotten")] if self._state is _State.FORGOTTEN else []
        if self._state is _State.OVER:
            return [Notice("talk_partner_ended", {"name": self.partner.name})]
        present = find(self.partner.sid)
        if present is None:
            self._state = _State.LEFT
            return [Notice("talk_partner_absent", {"name": self.partner.name})]
        self._go_on(present)
        return [Notice("talk_still", {"name": present.name})]

    def hold(self, refused: Refusal, arrived_at: float) -> None:
        """Something that arrived at this time is refused; if it has an `answer_after_s`, `answered` must follow."""
        people = refused.doubts_people
        if self._refusal is not None and self._is_held(arrived_at):
            people |= self._refusal.doubts_people
        if isinstance(refused, NotSent):
            self._refusal = refused.with_doubt(refused.answer_after_s, people=people)
        else:
            # Clients send again by themselves what was refused for haste or trouble; a held text must not come so.
            is_retried = isinstance(refused, (RateLimited, Unavailable))
            code = NotSent.code if is_retried else refused.code
            self._refusal = _not_sent_with(code, refused.answer_after_s, people=people)
        self._unanswered += 1
        if self._held_until == inf and not self._ends_after and isinstance(refused, NotSent):
            self._ends_after = self._unanswered

    def answered(self, now: float) -> None:
        """The oldest refusal is answered: from now on the guest can know of it."""
        self._unanswered -= 1
        if self._held_until < inf or self._ends_after == 1:
            self._held_until = now
        self._ends_after = max(0, self._ends_after - 1)
        if self._is_ending and not self._unanswered:
            self._end()

    def lines_dropped(self) -> None:
        """Lines were dropped unread, perhaps with a `to:NAME` or a `/join`: the next text is not sent."""
        self._refusal = NotSent("not_sent_dropped").with_doubt(people=True)
        self._held_until, self._ends_after = inf, 0

    def cut(self) -> None:
        """The guest's connection ended before the answers: they do not know of them."""
        # If the chat was ending, it still has to end, which refuses a text anyway.
        if self._unanswered and not self._is_ending:
            self._held_until = inf
        self._unanswered = self._ends_after = 0
        self._is_ending = False
        if self._held_until < inf:
            self._forget_refusal()  # what the guest sends in a later session comes after the answer

    def check_people(self, arrived_at: float) -> None:
        """Check a private text to a name, or a `to:`, before it is used.

        Raises:
            NotSent: it arrived before the answer to a refusal that makes it doubtful who is meant.
        """
        if self._refusal is not None and self._refusal.doubts_people and self._is_held(arrived_at):
            raise self._refusal.copy()

    def address(self, find: Callable[[str], Person | None], arrived_at: float) -> Person | None:
        """The recipient of a text; None: the room.

        If someone else has moved the chat less than `MOVE_HOLD_S` ago, one text is held: it may have been meant for the
        former partner. If someone has begun the chat while an answer to another was expected, the first text is held.
        Every text that arrived before the move or beginning, and waited behind others, is held. So is every text
        that arrived before the guest could read that an earlier one was not sent, like the lines of a paste. If the
        partner has ended the chat or left, the first text is not sent.

        Args:
            find: returns the person in the room who has this session, or has resumed it.
            arrived_at: when the text came, on the clock of `turned_to`.

        Raises:
            NotSent: it is sent to nobody; pass it to `hold`.
        """
        if self._refusal is not None:
            if self._is_held(arrived_at):
                raise self._refusal.copy()
            self._refusal = None
        if self._state is _State.FORGOTTEN:
            self._is_ending = True
            raise NotSent("talk_forgotten_not_sent")
        return self._address(find, arrived_at)

    def _is_held(self, arrived_at: float) -> bool:
        return self._unanswered > 0 or arrived_at <= self._held_until

    def _address(self, find: Callable[[str], Person | None], arrived_at: float) -> Person | None:
        partner = self.partner
        if partner is None:
            return None
        present = None if self._state is _State.OVER else find(partner.sid)
        if present is None:
            self._is_ending = True
            raise NotSent("talk_not_sent", name=partner.name)
        if self._before is not None and arrived_at < self._doubt_until:
            self._doubt_until = self._moved_at
            if not self._before.name:
                raise NotSent("talk_held_begun", name=partner.name).with_doubt(0.0)
            raise NotSent("talk_held", name=partner.name, before=self._before.name).with_doubt(0.0)
        self._go_on(present)
        return present

    # What others do

    def turned_to(self, who: Person, now: float, another: tuple[Person, float] | None = None) -> list[Effect]:
        """Someone has started a private chat with the guest, or sent a line of one: plain lines now go to them.

        Args:
            another: whom the next text of a guest without a chat may be for, and until when.
        """
        before, was_open = self.partner if not self._is_ending else None, self.present_partner is not None
        if before is not None and before.sid == who.sid and was_open:
            return []
        if before is None or before.sid == who.sid:
            self._begin(who)
            self._moved_at = now
            self._before, self._doubt_until = another or (_NOBODY, now)
            return [Notice("talk_asked", {"name": who.name})]
        effects: list[Effect]
        if was_open:
            moved = Notice("talk_moved", {"name": who.name, "before": before.name})
            effects = [moved, Signal(before.sid, Talk.TURNED)]
        else:
            effects = [Notice("talk_asked", {"name": who.name})]
        self._begin(who)
        self._before, self._moved_at, self._doubt_until = before, now, now + MOVE_HOLD_S
        if not self._is_held(now):
            self._refusal = None  # that the chat has moved is now the better reason
        return effects

    def signalled(self, who: Person, talk: Talk) -> list[Effect]:
        """Someone chats with another person, or writes to the room again."""
        if self.partner is None or self.partner.sid != who.sid or self._state is _State.OVER:
            return []
        if talk is Talk.TURNED:
            return [Notice("talk_turned", {"name": who.name})]
        self._state = _State.OVER
        return [Notice("talk_partner_ended", {"name": who.name})]

    def left(self, sid: str) -> list[Effect]:
        """Somebody is no longer in the room."""
        partner = self.present_partner
        if partner is None or partner.sid != sid:
            return []
        self._state = _State.LEFT
        return [Notice("talk_partner_left", {"name": partner.name})]

    def joined(self, find: Callable[[str], Person | None]) -> list[Effect]:
        """Somebody has joined the room: perhaps the partner is back; `find` as in `address`."""
        if self.partner is None or self._state is not _State.LEFT or self._is_ending:
            return []
        present = find(self.partner.sid)
        if present is None:
            return []
        self._go_on(present)
        return [Notice("talk_back", {"name": present.name})]

    def forget(self) -> None:
        """There was a private chat, but its partner is no longer known."""
        self._state = _State.FORGOTTEN
        self.has_begun = True

    def renamed(self, sid: str, name: str) -> None:
        """Somebody has another name."""
        if self.partner is not None and self.partner.sid == sid:
            self.partner = Person(sid, name)
        if self._before is not None and self._before.sid == sid:
            self._before = Person(sid, name)

    @property
    def present_partner(self) -> Person | None:
        """The partner, if they would have to know what happens."""
        return self.partner if self._state is _State.OPEN and not self._is_ending else None

    def _begin(self, partner: Person) -> None:
        self._go_on(partner)
        self._before, self._is_ending = None, False

    def _go_on(self, partner: Person) -> None:
        self.partner, self._state = partner, _State.OPEN
        self.has_begun = True

    def _end(self) -> None:
        self.partner = None
        self._state, self._is_ending = _State.NONE, False

    def _close(self) -> None:
        self._end()
        self._forget_refusal()

    def _forget_refusal(self) -> None:
        self._refusal, self._held_until, self._ends_after = None, 0.0, 0
