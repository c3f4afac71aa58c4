"""How a member joins: ADMITTED → READING → ANNOUNCED → IN → GONE.

A newcomer's history ends where their join is in the room's feed, so that nothing is missing and nothing comes twice. If
the history must be read from the disk, that is done before the join is announced, so that the join does not hold up the
feed. This module knows memberships, the log and the feed, and no session.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from functools import partial
from math import inf
from typing import Final, NamedTuple

from chatroom.backplane import Backplane, OnAppended
from chatroom.core.addresses import Address
from chatroom.core.errors import Misuse, Unavailable
from chatroom.core.events import Person, Why
from chatroom.core.log import PAGE_ENTRIES, WELCOME_ENTRIES, Page
from chatroom.reads import Reads
from chatroom.rooms import Rooms, RoomView


class Stage(enum.IntEnum):
    """How far a join has come; it only goes forward."""

    ADMITTED = enum.auto()  # the backplane has admitted the member, or is asked to again
    READING = enum.auto()  # what the member has missed is read from the disk
    ANNOUNCED = enum.auto()  # the join is on its way through the room's feed
    IN = enum.auto()  # the member has been welcomed; they receive nothing before that
    GONE = enum.auto()


_ANNOUNCED: Final = (Stage.ANNOUNCED, Stage.IN)


class PendingMessage(NamedTuple):
    """A message that waits for its sender's join."""

    text: str
    cid: str | None
    retry_key: bytes | None
    on_done: OnAppended


@dataclass(slots=True, eq=False)
class Membership:
    """One session in one room, from admission to leaving; after a move or a return there is a new one.

    Attributes:
        person: the member, under the latest name that the backplane gave them.
        claim: the number by which the feed names it.
        renamed: the member has since changed their name; the join may still be announced under the first one.
        resumed: the name is the one in the session's token.
        since: when the member was welcomed, in seconds; infinity before that, and minus infinity for one who has come
            back.
        after: the last entry that the member has seen.
        missed: what was read from the log before the join was announced.
        pending: messages that came before that; they are sent after the join, and also if the session ends before it.
    """

    room: RoomView
    person: Person
    claim: int
    resumed: bool = False
    after: str | None = None
    missed: Page | None = None
    pending: list[PendingMessage] = field(default_factory=list)
    stage: Stage = Stage.ADMITTED
    renamed: bool = False
    since: float = inf

    def advance(self, stage: Stage) -> None:
        """Go on to a later stage.

        Raises:
            Misuse: the membership has reached it already.
        """
        if stage <= self.stage:
            raise Misuse(f"a membership cannot be {stage.name} when it is {self.stage.name}")
        self.stage = stage

    @property
    def is_announced(self) -> bool:
        """Whether the join will be announced before anything that is requested now."""
        return self.stage in _ANNOUNCED


class Arrivals:
    """Takes memberships from stage to stage."""

    def __init__(self, backplane: Backplane, rooms: Rooms, reads: Reads) -> None:
        self._backplane = backplane
        self._rooms = rooms
        self._reads = reads

    def admit(
        self, room: RoomView, person: Person, claim: int, *, resumed: bool = False, after: str | None = None
    ) -> Membership:
        """A new membership, for which the room stays open."""
        room.memberships += 1
        return Membership(room, person, claim, resumed, after)

    def enter(self, member: Membership) -> None:
        """Announce an admitted member to the room; the welcome follows."""
        if self._backplane.at_hand(member.room.key, member.after):
            self._announce(member)
        else:
            member.advance(Stage.READING)
            self._reads.put_first(member, partial(self._read_and_announce, member))

    def end(
        self,
        member: Membership,
        *,
        hold_s: float = 0,
        address: Address | None = None,
        why: Why = Why.LEFT,
    ) -> None:
        """Remove a member, after sending their pending messages."""
        member.advance(Stage.GONE)
        self._reads.drop(member)
        if member.pending:  # or someone would send who was never announced
            self._backplane.announce(member.room.key, member.person.sid)
        self._send_pending(member)
        self._backplane.leave(member.room.key, member.person.sid, hold_s=hold_s, address=address, why=why)
        member.room.memberships -= 1
        self._rooms.close_if_empty(member.room)

    def history(self, member: Membership, position: str) -> Page:
        """What a member whose join is at this position has missed. May wait for the disk.

        Raises:
            Unavailable: it cannot be read now.
        """
        key, after, early = member.room.key, member.after, member.missed
        if after is None or (early is not None and early.gap):
            page = self._backplane.page(key, upto=position, limit=WELCOME_ENTRIES)
            return Page(page.entries, gap=early is not None and early.gap)
        if early is None:
            page = self._backplane.page(key, after=after, upto=position)
            if page.gap:
                recent = self._backplane.page(key, upto=position, limit=WELCOME_ENTRIES)
                return Page(recent.entries, gap=True)
            return page
        if early.more:
            return early
        since = early.entries[-1].id if early.entries else after
        rest = self._backplane.page(key, after=since, upto=position, limit=PAGE_ENTRIES - len(early.entries))
        return Page(early.entries + rest.entries, more=rest.more)

    def _announce(self, member: Membership) -> None:
        member.advance(Stage.ANNOUNCED)
        self._backplane.announce(member.room.key, member.person.sid)
        self._send_pending(member)

    def _send_pending(self, member: Membership) -> None:
        pending, member.pending = member.pending, []
        for message in pending:
            self._backplane.append(member.room.key, member.person.sid, *message)

    def _read_and_announce(self, member: Membership) -> None:
        """Read the history, then announce. While this waits, the session may leave the room, and even come back."""
        key = member.room.key
        try:
            member.missed = self._backplane.page(key, after=member.after)
        except Unavailable:
            member.missed = Page((), gap=True)
        if member.stage is Stage.READING:
            self._announce(member)
        else:
            self._rooms.forget_if_closed(key)
