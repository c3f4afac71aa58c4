"""A guest's private talk: whom plain texts go to, who must be told when that changes, and what is held meanwhile.

It knows the guest's partner and the times that it is given. It knows no room, no socket and no words: it answers with
what is to be shown and signalled, and its owner does both. Nobody else knows whom a guest talks to: the partner's side
learns of it by the flag on a whisper, and keeps a talk of its own.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from chatroom.core.errors import HOLD_S, NoPartner, NotSent, RateLimited, Refusal
from chatroom.core.events import Person, Talk


@dataclass(frozen=True, slots=True)
class Notice:
    """One of the server's sentences, for the guest."""

    key: str
    values: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Signal:
    """A whisper without a text: what the other side must know."""

    sid: str
    talk: Talk


Effect = Notice | Signal


class PrivateTalk:
    """Whom a guest talks to, if anybody."""

    __slots__ = (
        "_before",
        "_has_held",
        "_has_left",
        "_held_until",
        "_holds_escaped_until",
        "_is_forgotten",
        "_is_over",
        "_moved_at",
        "_over_at",
        "_refusal",
        "partner",
    )

    def __init__(self) -> None:
        self.partner: Person | None = None
        # The partner has ended it: the next line is not sent, and then the partner is forgotten.
        self._is_over = False
        # The partner has left: the same, unless they come back first.
        self._has_left = False
        self._over_at = 0.0  # when the partner did either
        # There was one before the server restarted, with nobody knows whom: the next line is not sent.
        self._is_forgotten = False
        # Who the partner was until somebody moved the talk, and when that was.
        self._before: Person | None = None
        self._moved_at = 0.0
        self._has_held = False
        # What is answered to texts that came until then, since something before them was refused; None: nothing was.
        self._refusal: NotSent | None = None
        self._held_until = 0.0
        self._holds_escaped_until = 0.0

    @property
    def is_plain(self) -> bool:
        """Whether every text goes to the room."""
        return self.partner is None and self._refusal is None and not self._is_forgotten

    @property
    def is_open(self) -> bool:
        """Whether the next text is meant for somebody in private, even if it cannot reach them."""
        return self.partner is not None or self._is_forgotten

    # What the guest does

    def turn_to(self, to: Person) -> list[Effect]:
        """`to:NAME`, and the other side knows of it."""
        effects: list[Effect] = [Notice("talk_with", {"name": to.name})]
        if self._is_open and self.partner is not None and self.partner.sid != to.sid:
            effects.append(Signal(self.partner.sid, Talk.TURNED))
        self._begin(to)
        self._refusal = None  # what stands behind it is meant for them
        return effects

    def end(self) -> list[Effect]:
        """`to:` alone: to the room, whatever was refused before.

        Raises:
            NoPartner: there is nothing to go back from.
        """
        if self.partner is None:
            if self.is_plain:
                raise NoPartner(usage="to:NAME")
            self._refusal, self._is_forgotten = None, False
            return [Notice("talk_choose")]
        effects: list[Effect] = [Notice("talk_over", {"name": self.partner.name})]
        if self._is_open:
            effects.append(Signal(self.partner.sid, Talk.ENDED))
        self.partner = self._refusal = None  # what stands behind it is meant for the room
        return effects

    def leave_behind(self) -> list[Effect]:
        """The guest goes to another room; the partner sees that by itself."""
        self._refusal, self._is_forgotten = None, False
        if self.partner is None:
            return []
        over = Notice("talk_over", {"name": self.partner.name})
        self.partner = None
        return [over]

    def ask(self) -> list[Effect]:
        """`/to` and no more: whom am I talking to?

        Raises:
            NoPartner: to the room.
        """
        if self.partner is None or not self._is_open:
            raise NoPartner(usage="/to NAME TEXT")
        return [Notice("talk_with", {"name": self.partner.name})]

    def come_back(self) -> list[Effect]:
        """The guest has come back with their token."""
        if self.partner is not None:
            return [Notice("talk_still", {"name": self.partner.name})]
        return [Notice("talk_forgotten")] if self._is_forgotten else []

    def hold(self, refused: Refusal, now: float) -> None:
        """Hold what came together with something that was refused, or comes within its `hold_s`."""
        if refused.hold_s is not None:
            # Clients send again by themselves what is refused for its haste; what is held must not come again so.
            code = NotSent.code if isinstance(refused, RateLimited) else refused.code
            held = NotSent("not_sent_with", code)
            held.doubts_people = refused.doubts_people
            self._hold(held, now, refused.hold_s)

    def check_people(self, arrived_at: float) -> None:
        """Before a private text to a name, or `to:`.

        Raises:
            NotSent: it came together with what was refused, and that leaves in doubt who is meant.
        """
        refusal = self._refusal
        if refusal is not None and refusal.doubts_people and arrived_at <= self._holds_escaped_until:
            raise refusal.with_traceback(None)

    def address(
        self,
        find: Callable[[str], Person | None],
        arrived_at: float,
        now: float,
        *,
        is_escaped: bool = False,
    ) -> Person | None:
        """Whom a text goes to; None: the room.

        A text that came within `HOLD_S` of the talk being moved by somebody else is held once: it may have been meant
        for the partner before. One that came before the move, and waited behind others, was: each of those is held.
        So is each that came before the guest could read that the one before it was not sent, as those of a paste.
        When the talk has ended by itself, the first text is not sent, nor is any that comes within `HOLD_S` of the end.
        Each text that is held for a time prolongs it.

        Args:
            find: gives the person in the room who has this session, or goes on with it.
            arrived_at: when the text came, on the clock of `turned_to`.
            is_escaped: it was typed as a refusal teaches, so that one has been read, unless they came together.

        Raises:
            NotSent: it goes to nobody.
        """
        if self._refusal is not None:
            if arrived_at <= (self._holds_escaped_until if is_escaped else self._held_until):
                if (
                    self._held_until > self._holds_escaped_until
                ):  # a time, which what streams in does not outlast
                    self._held_until = max(self._held_until, arrived_at + HOLD_S)
                raise self._refusal.with_traceback(None)
            if arrived_at > self._held_until:
                self._refusal = None
        if self._is_forgotten:
            self._is_forgotten = False
            raise self._held(NotSent("talk_forgotten_not_sent"), now, self._over_at + HOLD_S - now)
        return self._address(find, arrived_at, now)

    def _held(self, refusal: NotSent, now: float, seconds: float = 0.0) -> NotSent:
        self._hold(refusal, now, max(0.0, seconds))
        return refusal

    def _hold(self, refusal: NotSent, now: float, seconds: float = 0.0) -> None:
        if self._refusal is not None and self._refusal is not refusal and now <= self._held_until:
            refusal.doubts_people |= self._refusal.doubts_people
        self._held_until = max(now + seconds, self._held_until if self._refusal is not None else now)
        self._refusal, self._holds_escaped_until = refusal, now

    def _address(self, find: Callable[[str], Person | None], arrived_at: float, now: float) -> Person | None:
        partner = self.partner
        if partner is None:
            return None
        present = None if self._is_over else find(partner.sid)
        if present is None:
            self.partner = None
            over_at = self._over_at if self._is_over or self._has_left else now  # nobody has told the guest
            raise self._held(NotSent("talk_not_sent", name=partner.name), now, over_at + HOLD_S - now)
        is_older = arrived_at < self._moved_at
        is_early = arrived_at < self._moved_at + HOLD_S and not self._has_held
        if self._before is not None and (is_older or is_early):
            self._has_held = True
            raise self._held(NotSent("talk_held", name=partner.name, before=self._before.name), now)
        self.partner, self._has_left = present, False
        return present

    # What others do

    def turned_to(self, who: Person, now: float) -> list[Effect]:
        """Somebody has turned to the guest, or says them something privately: plain lines now go back there."""
        before, was_open = self.partner, self._is_open
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
        if self._held_until <= now:
            self._refusal = None  # that the talk has moved is now the better reason
        return effects

    def signalled(self, who: Person, talk: Talk, now: float) -> list[Effect]:
        """Somebody has turned to another person, or talks to the room again."""
        if self.partner is None or self.partner.sid != who.sid or self._is_over:
            return []
        if talk is Talk.TURNED:
            return [Notice("talk_turned", {"name": who.name})]
        self._is_over, self._over_at = True, now
        return [Notice("talk_partner_ended", {"name": who.name})]

    def left(self, sid: str, now: float) -> list[Effect]:
        """Somebody is no longer in the room."""
        if self.partner is None or self.partner.sid != sid or not self._is_open:
            return []
        self._has_left, self._over_at = True, now
        return [Notice("talk_partner_left", {"name": self.partner.name})]

    def joined(self, find: Callable[[str], Person | None]) -> list[Effect]:
        """Somebody has joined the room: perhaps the partner is back; `find` as in `address`."""
        present = find(self.partner.sid) if self.partner is not None and self._has_left else None
        if present is None:
            return []
        self.partner, self._has_left = present, False
        return [Notice("talk_back", {"name": present.name})]

    def forget(self, now: float) -> None:
        """With whom it was is not known any more, only that there was one."""
        self._is_forgotten, self._over_at = True, now

    def renamed(self, sid: str, name: str) -> None:
        """Somebody has another name."""
        if self.partner is not None and self.partner.sid == sid:
            self.partner = Person(sid, name)
        if self._before is not None and self._before.sid == sid:
            self._before = Person(sid, name)

    @property
    def _is_open(self) -> bool:
        """Whether there is somebody who would have to be told."""
        return self.partner is not None and not self._is_over and not self._has_left

    def _begin(self, partner: Person) -> None:
        self.partner = partner
        self._is_over = self._has_left = self._is_forgotten = False
        self._before = None
        self._has_held = False
