"""What outlives a connection: the log, the feed, the names held for people who are away.

Here stand the promises, as a Protocol; `memory` and `embedded` keep them, and one
contract suite (`tests/backplane/`) is run on each. A backplane knows rooms by their key and nothing of who may do what.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from chatroom.core.events import Event, Said
from chatroom.core.log import PAGE_ENTRIES, Entry, Item, Page

RECENT_ENTRIES = 200  # how many entries of a room are at hand without waiting
RETRY_S = 24 * 3600  # how long a retried message is recognised (protocol, section 1: `cid`)
MOST_TALKS = 100_000  # private talks that are known of, the latest


Deliver = Callable[[str, Sequence[Item]], None]
Done = Callable[[Entry | None], None]


class Backplane(Protocol):
    """One room, one order.

    Promises:
        * Order: whatever is published and appended to a room is delivered exactly once, in the order of the calls.
        * Durability: `done` gets an entry only when it is as safe as the backplane makes anything; `None` means that
        the
          outcome may be unknown and nothing was delivered.
        * Retry: an entry with a `retry_key` that the room has seen in the last 24 h is not said again; `done` gets the
          first one's entry (its `name` and `text` may be empty if it is no longer kept).
        * Ids of entries rise, as ASCII strings, and never go back; an entry's `at_ms` is what the wall clock said.
        * Holding: a name that is held for an identity is nobody else's until the time is over.
    """

    def start(self, deliver: Deliver) -> None:
        """Begin to deliver: `deliver(room, items)` is called for one batch after another, never twice at once."""

    def publish(self, room: str, event: Event) -> None:
        """Put something that is not kept into the room's order. Returns at once."""

    def append(self, room: str, said: Said, retry_key: bytes | None, done: Done) -> None:
        """Put a message into the room's order and log. Returns at once; `done` is called, in order, after delivery."""

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
            upto: a position; what comes behind it is left out, and does not count as `more`.

        Raises:
            Unavailable: the log cannot be read now.
        """

    def talks(self) -> Sequence[bytes]:
        """The keys of all who were in a private talk when the process before this one ended, the oldest first."""

    def save_talk(self, key: bytes, is_open: bool, done: Callable[[], None]) -> None:
        """Keep that somebody is, or is no longer, in a private talk. Returns at once.

        Args:
            done: called when it is as safe as it will be.
        """

    def hold(self, room: str, key: str, name: str, identity: str, seconds: float) -> None:
        """Keep the name with this key for an identity that is away."""

    def holder(self, room: str, key: str) -> str | None:
        """The identity that a name is held for now."""

    def release(self, room: str, identity: str) -> str | None:
        """End what is held for an identity in a room; gives the name that was held, if it still was."""

    def forget(self, room: str) -> None:
        """The room has become empty: let go of what was only kept to be quick."""

    def ready(self) -> bool:
        """Whether messages can be taken now."""

    def close(self) -> None:
        """Bring what is pending to its end and deliver it; afterwards every `append` is answered None."""
