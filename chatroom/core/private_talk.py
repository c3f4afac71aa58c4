"""A guest's private chat: who receives plain texts, who must know when that changes, and what is held meanwhile.

It knows the guest's partner and the times that are passed in. It knows no room, no socket and no words: it returns what
to show and to signal, and its owner does both. Only this object knows a guest's partner: the partner's side learns of
it by the flag on a whisper, and has an object of its own.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
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


class PrivateTalk:
    """A guest's partner in a private chat, if there is one."""

    __slots__ = (
        "_before",
        "_has_held",
        "_has_left",
        "_held_until",
        "_is_ending",
        "_is_forgotten",
        "_is_over",
        "_is_unread",
        "_moved_at",
        "_refusal",
        "_unanswered",
        "partner",
    )

    def __init__(self) -> None:
        self.partner: Person | None = None
        # The partner has ended it: the next line is not sent, and once that is answered the partner is forgotten.
        self._is_over = False
        # The partner has left: the same, unless they come back first.
        self._has_left = False
        # There was one before the server restarted, with an unknown partner: the next line is not sent.
        self._is_forgotten = False
        # That line has come; if its answer is lost it may be sent again, and still must not go to the room.
        self._is_ending = False
        # The partner before someone moved the chat, and when that was.
        self._before: Person | None = None
        self._moved_at = 0.0
        self._has_held = False
        # The refusal of texts that arrive while a refusal is unanswered, or arrived before the last answer; None:
        # nothing was refused.
        self._refusal: NotSent | None = None
        self._unanswered = 0
        self._held_until = 0.0
        # The connection was lost before that answer: the first text after it is not sent.
        self._is_unread = False

    @property
    def is_plain(self) -> bool:
        """Whether every text goes to the room."""
        return self.partner is None and self._refusal is None and not self._is_forgotten

    @property
    def is_open(self) -> bool:
        """Whether the next text is meant for one person, even if it cannot reach them."""
        return self.partner is not None or self._is_forgotten

    # What the guest does

    def turn_to(self, to: Person) -> list[Effect]:
        """`to:NAME`; the other side knows of it."""
        effects: list[Effect] = [Notice("talk_with", {"name": to.name})]
        if self._is_open and self.partner is not None and self.partner.sid != to.sid:
            effects.append(Signal(self.partner.sid, Talk.TURNED))
        self._begin(to)
        self._refusal = None  # what is typed after it is meant for them
        self._is_unread = False
        return effects

    def end(self) -> list[Effect]:
        """`to:` alone: texts go to the room, whatever was refused before; so it always succeeds."""
        if self.partner is None:
            self._close()
            return [Notice("talk_choose")]
        effects: list[Effect] = [Notice("talk_over", {"name": self.partner.name})]
        if self._is_open:
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
        if self.partner is None or not self._is_open:
            raise NoPartner(usage="/to NAME TEXT")
        return [Notice("talk_with", {"name": self.partner.name})]

    def come_back(self, find: Callable[[str], Person | None]) -> list[Effect]:
        """The guest has resumed with their token; `find` is as in `address`."""
        if self.partner is None:
            return [Notice("talk_forgotten")] if self._is_forgotten else []
        if self._is_over:
            return [Notice("talk_partner_ended", {"name": self.partner.name})]
        present = find(self.partner.sid)
        self._has_left = present is None
        if present is None:
            return [Notice("talk_partner_absent", {"name": self.partner.name})]
        self.partner = present
        return [Notice("talk_still", {"name": present.name})]

    def hold(self, refused: Refusal, arrived_at: float) -> None:
        """Something that arrived at this time is refused; if it has an `answer_after_s`, `answered` must follow."""
        if isinstance(refused, NotSent):
            held = refused
        else:
            # Clients send again by themselves what was refused for haste or trouble; a held text must not come so.
            is_retried = isinstance(refused, (RateLimited, Unavailable))
            held = NotSent("not_sent_with", NotSent.code if is_retried else refused.code)
        people = refused.doubts_people
        if self._refusal is not None and self._is_held(arrived_at):
            people |= self._refusal.doubts_people
        self._refusal = held.with_doubt(refused.answer_after_s, people=people)
        self._unanswered += 1

    def answered(self, now: float) -> None:
        """The oldest refusal is answered: from now on the guest can know of it."""
        self._unanswered -= 1
        self._held_until = now
        self._is_unread = False
        if self._is_ending and not self._unanswered:
            self.partner = None
            self._is_forgotten = self._is_ending = False

    def cut(self) -> None:
        """The guest's connection ended before the answers: they do not know of them."""
        # If the chat was ending, it still has to end, which refuses a text anyway.
        self._is_unread |= self._unanswered > 0 and not self._is_ending
        self._unanswered = 0
        self._is_ending = False

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
        former partner. Every text that arrived before the move, and waited behind others, is held. So is every text
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
        if self._is_forgotten:
            self._is_ending = True
            raise NotSent("talk_forgotten_not_sent")
        return self._address(find, arrived_at)

    def _is_held(self, arrived_at: float) -> bool:
        return self._is_unread or self._unanswered > 0 or arrived_at <= self._held_until

    def _address(self, find: Callable[[str], Person | None], arrived_at: float) -> Person | None:
        partner = self.partner
        if partner is None:
            return None
        present = None if self._is_over else find(partner.sid)
        if present is None:
            self._is_ending = True
            raise NotSent("talk_not_sent", name=partner.name)
        is_older = arrived_at < self._moved_at
        is_early = arrived_at < self._moved_at + MOVE_HOLD_S and not self._has_held
        if self._before is not None and (is_older or is_early):
            self._has_held = True
            raise NotSent("talk_held", name=partner.name, before=self._before.name).with_doubt(0.0)
        self.partner, self._has_left = present, False
        return present

    # What others do

    def turned_to(self, who: Person, now: float) -> list[Effect]:
        """Someone has started a private chat with the guest, or sent a line of one: plain lines now go to them."""
        before, was_open = self.partner if not self._is_ending else None, self._is_open
        if before is not None and before.sid == who.sid and was_open:
            return []
        if before is None or before.sid == who.sid:
            self._begin(who)
            return [Notice("talk_asked", {"name": who.name})]
        effects: list[Effect]
        if was_open:
            moved = Notice("talk_moved", {"name": who.name, "before": before.name})
            effects = [moved, Signal(before.sid, Talk.TURNED)]
        else:
            effects = [Notice("talk_asked", {"name": who.name})]
        self._begin(who)
        self._before, self._moved_at = before, now
        if not self._is_held(now):
            self._refusal = None  # that the chat has moved is now the better reason
        return effects

    def signalled(self, who: Person, talk: Talk) -> list[Effect]:
        """Someone chats with another person, or writes to the room again."""
        if self.partner is None or self.partner.sid != who.sid or self._is_over:
            return []
        if talk is Talk.TURNED:
            return [Notice("talk_turned", {"name": who.name})]
        self._is_over = True
        return [Notice("talk_partner_ended", {"name": who.name})]

    def left(self, sid: str) -> list[Effect]:
        """Somebody is no longer in the room."""
        if self.partner is None or self.partner.sid != sid or not self._is_open:
            return []
        self._has_left = True
        return [Notice("talk_partner_left", {"name": self.partner.name})]

    def joined(self, find: Callable[[str], Person | None]) -> list[Effect]:
        """Somebody has joined the room: perhaps the partner is back; `find` as in `address`."""
        if self.partner is None or not self._has_left or self._is_ending:
            return []
        present = find(self.partner.sid)
        if present is None:
            return []
        self.partner, self._has_left = present, False
        return [Notice("talk_back", {"name": present.name})]

    def forget(self) -> None:
        """There was a private chat, but its partner is no longer known."""
        self._is_forgotten = True

    def renamed(self, sid: str, name: str) -> None:
        """Somebody has another name."""
        if self.partner is not None and self.partner.sid == sid:
            self.partner = Person(sid, name)
        if self._before is not None and self._before.sid == sid:
            self._before = Person(sid, name)

    @property
    def _is_open(self) -> bool:
        """Whether there is a partner who would have to know."""
        return self.partner is not None and not (self._is_over or self._has_left or self._is_ending)

    def _close(self) -> None:
        self.partner = self._refusal = None
        self._is_forgotten = self._is_ending = self._is_unread = False

    def _begin(self, partner: Person) -> None:
        self.partner = partner
        self._is_over = self._has_left = self._is_forgotten = self._is_ending = False
        self._before = None
        self._has_held = False
