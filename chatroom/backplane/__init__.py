"""What outlives a connection, and the authority over each room: who is in it, who owns which name, its messages.

This module has the promises, as a Protocol. `memory` and `embedded` keep them; one contract suite (`tests/backplane/`)
runs on each. All decisions are made behind the Protocol. The service asks, gets the answer by callback, and announces
what the room's feed yields, whoever caused it.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from chatroom.core.addresses import Address
from chatroom.core.errors import Refusal
from chatroom.core.events import Changed, Deleted, Edited, Person, Reacted, Renamed, Whispered, Why
from chatroom.core.log import PAGE_ENTRIES, Entry, Item, Page

RECENT_ENTRIES = 200  # how many entries of a room are at hand without waiting
RETRY_S = 24 * 3600  # how long a retried message is recognised (protocol, section 1: `cid`)
YOUNG_S = 3600  # a room's count never removes a younger entry; only lack of space does
SLACK = 1024  # at least this part of a limit in bytes is freed at once: it is done seldom
MOST_KEYS = 100_000  # of each kind


class Keys(enum.StrEnum):
    """Kinds of keys that are kept for the next start; no identity follows from a key."""

    TALK = "talk"  # of people in a private chat
    ENDED = "ended"  # of tokens that have ended


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimRequest:
    """What a session that wants to join a room asks for; every name is parsed already.

    Attributes:
        claim: a number that this process uses once; the feed's `Joined` and `Left` carry it.
        known: the names that the identity may get back, the best first. A name that is held for it comes before these.
        wanted: the name to take if none of these is free; None draws one.
        insists: refuse rather than give another name than the wanted one.
        lang: the language of the names to draw from; None for all.
    """

    sid: str
    identity: str
    claim: int
    known: Sequence[str] = ()
    wanted: str | None = None
    insists: bool = False
    lang: str | None = None


@dataclass(frozen=True, slots=True)
class Claimed:
    """The session is in the room; its join is not announced yet.

    Attributes:
        resumed: the name is one of the known ones.
    """

    person: Person
    resumed: bool


OnClaimed = Callable[[Claimed | Refusal | None], None]
OnRenamed = Callable[[Renamed | Refusal | None], None]
OnSuggested = Callable[[str | Refusal | None], None]
OnWhispered = Callable[[Whispered | Refusal | None], None]
OnAppended = Callable[[Entry | None], None]
OnSet = Callable[[Changed | Refusal | None], None]
OnChanged = Callable[[Edited | Deleted | Reacted | Refusal | None], None]


class Receiver(Protocol):
    """Receives what a backplane delivers to this process. No method but `deliver` may wait."""

    def deliver(self, room: str, items: Sequence[Item]) -> None:
        """Take the next items of the room's feed: one batch after another, never two at once."""

    def whispered(self, room: str, whispered: Whispered) -> bool:
        """Pass on a whisper to its recipient; False if this process does not serve them in that room."""

    def typed(self, room: str, who: Person) -> None:
        """Someone is typing."""


class Backplane(Protocol):
    """The authority over every room, and its storage.

    Promises:
        * Order: requests for a room are decided in the order of the calls. Each decision is delivered exactly once, in
          the order of the decisions. A message is in both orders where it was appended.
        * Answers: each `on_done` is called once, at once or later, in the order of the calls of its kind. `None` means
          that the outcome is unknown: if it was done, the feed shows it.
        * Names: at any moment a name in a room, and every name that looks like it, has one owner, or is held for one
          identity, or is free. An identity is in one room, with one session.
        * Membership: a request for a session that is not in the room changes nothing.
        * Durability: `on_done` gets an entry only when it is as durable as this backplane makes any.
        * Retry: an entry with a `retry_key` that the room has seen in the last 24 h is not sent again; `on_done` gets
          the first one's entry (its `name` and `text` may be empty if it is no longer kept).
        * Ids of entries rise, as ASCII strings, and never go back; an entry's `at_ms` is what the wall clock showed.
        * Feed: a process receives everything that happens in a room from the `Joined` of its own first member up to the
          `Left` of its own last one. Where others are in the room already, or something was missed, there is a
          `Present`. If others ended one of its sessions, it always gets the `Left`, even if the join was not announced.
    """

    def start(self, receiver: Receiver) -> None:
        """Begin to deliver."""

    # Membership and names

    def claim(self, room: str, request: ClaimRequest, on_done: OnClaimed) -> None:
        """Put a session into a room, under a name that is then its own.

        An earlier session of the identity leaves the room that it was in: `Left(REPLACED)` if it is another session.
        """

    def announce(self, room: str, sid: str) -> None:
        """Announce a member: `Joined` in the feed."""

    def rename(self, room: str, sid: str, wanted: str | None, lang: str | None, on_done: OnRenamed) -> None:
        """Give a member another name, drawn if none is wanted: `Renamed` in the feed, once they are announced."""

    def suggest(self, room: str, sid: str, lang: str | None, on_done: OnSuggested) -> None:
        """Draw a name that a member could take now; nothing changes."""

    def leave(
        self,
        room: str,
        sid: str,
        *,
        hold_s: float = 0,
        address: Address | None = None,
        why: Why = Why.LEFT,
    ) -> None:
        """Remove a member: `Left` in the feed, if they are announced or did not leave by themselves.

        Args:
            hold_s: how long to hold the name for their identity, in seconds. One name per identity and room is held.
            address: where they came from: only so many names are held for one address, the latest.
        """

    def count(self, room: str) -> int:
        """How many people are in a room, as far as this process knows without waiting."""

    # Messages and state

    def append(
        self, room: str, sid: str, text: str, cid: str | None, retry_key: bytes | None, on_done: OnAppended
    ) -> None:
        """Send a message under the name that the member has by then: `Said` in the feed, and an entry in the log.

        Args:
            on_done: called after delivery.
        """

    def whisper(self, room: str, whispered: Whispered, on_done: OnWhispered) -> None:
        """Pass on a whisper between two members, under the names that they have by then; it is not stored."""

    def notify(self, room: str, typing: Person) -> None:
        """Let the others know that a member is typing, if that is possible now."""

    def set(self, room: str, name: str, value: object, seconds: float | None, on_done: OnSet) -> None:
        """Change something of the room's state (topic, lock, slow, …): `Changed` in the feed.

        Args:
            seconds: how long it lasts; None: until it is changed.
        """

    def change(
        self, room: str, sid: str, entry_id: str, what: Edited | Deleted | Reacted, on_done: OnChanged
    ) -> None:
        """Change a message that was sent: `what` in the feed, numbered `at` from the room's ids."""

    # The log

    def at_hand(self, room: str, after: str | None = None) -> bool:
        """Whether `page` of what is recent, or of what came after an id, answers without waiting."""

    def page(
        self,
        room: str,
        *,
        after: str | None = None,
        before: str | None = None,
        upto: str | None = None,
        limit: int = PAGE_ENTRIES,
    ) -> Page:
        """A page of the room's log: after an id, before an id, or the most recent. May wait for the disk.

        Args:
            upto: a position; what comes after it is left out, and does not count as `more`.

        Raises:
            Unavailable: the log cannot be read now.
        """

    def forget(self, room: str) -> None:
        """No one of this process is in the room any more: drop its caches.

        After this, the next claim may begin a new feed, if that begins with a `Present`.
        """

    def forget_expired(self) -> None:
        """Forget the names that are held no longer, and where their owners came from. Called every second or so."""

    # Keys

    def keys(self, kind: Keys) -> Sequence[bytes]:
        """The keys of this kind that were kept when the previous process ended, the oldest first."""

    def save_key(self, kind: Keys, key: bytes, is_kept: bool, done: Callable[[], None]) -> None:
        """Keep a key, or drop it. Returns at once.

        Args:
            done: called when it is stored as durably as it will be.
        """

    # Shutdown

    def ready(self) -> bool:
        """Whether messages can be accepted now."""

    def settle(self) -> None:
        """Accept no more messages, and finish what is pending; people may still leave."""

    def close(self) -> None:
        """Release everything; no one is in any room."""
