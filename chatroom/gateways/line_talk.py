"""A guest's private talk: whom plain lines go to, and who must be told when that changes (protocol, section 2).

It knows the guest's partner and the times that it is given. It knows no room, no socket and no words: it answers with
what is to be shown and signalled, and its owner does both. Nobody else knows whom a guest talks to: the partner's side
learns of it by the flag on a whisper, and keeps a talk of its own.
"""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from chatroom.core.events import Person, Talk

NEVER: Final = float("-inf")
HOLD_S: Final = 1.0  # a line typed so soon after the talk has moved was meant for somebody else


@dataclass(frozen=True, slots=True)
class Notice:
    """One of the server's sentences, for the guest."""

    key: str
    values: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Signal:
    """A whisper without a text: what somebody else's side must know."""

    sid: str
    talk: Talk


Effect = Notice | Signal


class Address(NamedTuple):
    """Where a plain line goes: to one person, to nobody for the reason given, or, with neither, to the room."""

    sid: str | None = None
    refusal: Notice | None = None


class PrivateTalk:
    """Whom a guest talks to, if anybody."""

    __slots__ = ("_before", "_has_held", "_is_over", "_moved_at", "_refusal", "_refused_at", "partner")

    def __init__(self) -> None:
        self.partner: Person | None = None
        # The partner has left or ended it: the next line is not sent, and then the partner is forgotten.
        self._is_over = False
        # Who the partner was until somebody moved the talk, and when that was.
        self._before: Person | None = None
        self._moved_at = 0.0
        self._has_held = False
        # Why the last line that was not sent was not, and when the guest was told.
        self._refusal: Notice | None = None
        self._refused_at = NEVER

    # What the guest does

    def turn_to(self, to: Person) -> list[Effect]:
        """`to:NAME`, and the other side knows of it."""
        effects: list[Effect] = [Notice("line_talk", {"name": to.name})]
        if self._is_open and self.partner is not None and self.partner.sid != to.sid:
            effects.append(Signal(self.partner.sid, Talk.TURNED))
        self._begin(to)
        self._refused_at = NEVER  # what stands behind it is meant for them
        return effects

    def end(self) -> list[Effect]:
        """`to:` alone."""
        self._refused_at = NEVER
        if self.partner is None:
            return [Notice("line_choose")]
        effects: list[Effect] = [Notice("line_over", {"name": self.partner.name})]
        if self._is_open:
            effects.append(Signal(self.partner.sid, Talk.ENDED))
        self.partner = None
        return effects

    def leave_behind(self) -> list[Effect]:
        """The guest goes to another room; the partner sees that by itself."""
        self._refused_at = NEVER
        if self.partner is None:
            return []
        over = Notice("line_over", {"name": self.partner.name})
        self.partner = None
        return [over]

    def ask(self) -> list[Effect]:
        """`/to` and no more: whom am I talking to?"""
        if self.partner is None or self._is_over:
            return [Notice("line_choose")]
        return [Notice("line_talk", {"name": self.partner.name})]

    def address(self, present: Container[str], arrived_at: float, now: float) -> Address:
        """Where a plain line goes.

        A line that came within `HOLD_S` of the talk being moved by somebody else is held once: it may have been meant
        for the partner before. One that came before the move, and waited behind others, was: each of those is held.
        So is each that came before the guest could read that the one before it was not sent, as those of a paste.

        Args:
            present: the session ids of those who are in the room.
            arrived_at: when the line came, on the clock of `turned_to`.
        """
        if arrived_at <= self._refused_at:
            return Address(refusal=self._refusal)
        address = self._address(present, arrived_at)
        if address.refusal is not None:
            self._refusal, self._refused_at = address.refusal, now
        return address

    def _address(self, present: Container[str], arrived_at: float) -> Address:
        partner = self.partner
        if partner is None:
            return Address()
        if self._is_over or partner.sid not in present:
            self.partner = None
            return Address(refusal=Notice("line_not_sent", {"name": partner.name}))
        is_older = arrived_at < self._moved_at
        is_early = arrived_at < self._moved_at + HOLD_S and not self._has_held
        if self._before is not None and (is_older or is_early):
            self._has_held = True
            return Address(refusal=Notice("line_held", {"name": partner.name, "before": self._before.name}))
        return Address(partner.sid)

    # What others do

    def turned_to(self, who: Person, now: float) -> list[Effect]:
        """Somebody has turned to the guest, or says them something privately: plain lines now go back there."""
        before, was_open = self.partner, self._is_open
        if before is not None and before.sid == who.sid and was_open:
            return []
        if before is None or before.sid == who.sid:
            self._begin(who)
            return [Notice("line_asked", {"name": who.name})]
        effects: list[Effect]
        if was_open:
            moved = Notice("line_moved", {"name": who.name, "before": before.name})
            effects = [moved, Signal(before.sid, Talk.TURNED)]
        else:
            effects = [Notice("line_asked", {"name": who.name})]
        self._begin(who)
        self._before, self._moved_at, self._refused_at = before, now, NEVER
        return effects

    def signalled(self, who: Person, talk: Talk) -> list[Effect]:
        """Somebody has turned to another person, or talks to the room again."""
        if self.partner is None or self.partner.sid != who.sid or self._is_over:
            return []
        if talk is Talk.TURNED:
            return [Notice("line_turned", {"name": who.name})]
        self._is_over = True
        return [Notice("line_partner_ended", {"name": who.name})]

    def left(self, sid: str) -> list[Effect]:
        """Somebody is no longer in the room."""
        if self.partner is None or self.partner.sid != sid or self._is_over:
            return []
        self._is_over = True
        return [Notice("line_partner_left", {"name": self.partner.name})]

    def renamed(self, sid: str, name: str) -> None:
        """Somebody has another name."""
        if self.partner is not None and self.partner.sid == sid:
            self.partner = Person(sid, name)
        if self._before is not None and self._before.sid == sid:
            self._before = Person(sid, name)

    @property
    def _is_open(self) -> bool:
        """Whether there is somebody who would have to be told."""
        return self.partner is not None and not self._is_over

    def _begin(self, partner: Person) -> None:
        self.partner = partner
        self._is_over = False
        self._before = None
        self._has_held = False
