"""What outlives a connection, and the authority over each room: who is in it, who owns which name, its messages.

Here stand the promises, as a Protocol; `memory` and `embedded` keep them, and one contract suite (`tests/backplane/`)
is run on each. What is decided is decided behind it. The service asks, is answered by callback, and announces what the
room's feed yields, whoever it came from.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from chatroom.core.errors import Refusal
from chatroom.core.events import Changed, Deleted, Edited, Person, Reacted, Renamed, Whispered, Why
from chatroom.core.log import PAGE_ENTRIES, Entry, Item, Page

RECENT_ENTRIES = 200  # how many entries of a room are at hand without waiting
RETRY_S = 24 * 3600  # how long a retried message is recognised (protocol, section 1: `cid`)
MOST_TALKS = 100_000  # private talks that are known of, the latest


@dataclass(frozen=True, slots=True, kw_only=True)
class Asks:
    """What a session that wants to be in a room asks for; every name is parsed already.

    Attributes:
        claim: a number of the asking process, another one each time; the feed's `Joined` and `Left` bring it back.
        known: the names that the identity may have back, the best first. One that is held for it comes before them.
        wanted: the name to have if it gets none of these; None draws one.
        insists: rather be refused than be given another name than the wanted one.
        lang: whose names to draw from; None for all.
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
    """The session is in the room, and nobody has been told.

    Attributes:
        resumed: the name is a known one.
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


class House(Protocol):
    """Who receives all this. None of it may wait, apart from `deliver`."""

    def deliver(self, room: str, items: Sequence[Item]) -> None:
        """What comes next in the room's feed: one batch after another, never twice at once."""

    def whispered(self, room: str, whispered: Whispered) -> bool:
        """Pass on a whisper to somebody in the room; False if this process does not serve them there."""

    def typed(self, room: str, who: Person) -> None:
        """Somebody types."""


class Backplane(Protocol):
    """The authority over every room, and what it keeps.

    Promises:
        * Order: what is asked for a room is decided in the order of the calls. What is decided is delivered exactly
          once, in the order of the decisions. A message is in both orders where it was appended.
        * Answers: each `on_done` is called once, at once or later, in the order of the calls of its kind. `None` means
          that the outcome is unknown: if it was done, the feed tells.
        * Names: at any moment a name in a room, and every name that looks like it, has one owner, or is held for one
          identity, or is free. An identity is in one room, by one session.
        * Membership: whatever is asked for a session that is not in the room changes nothing.
        * Durability: `on_done` gets an entry only when it is as safe as the backplane makes anything.
        * Retry: an entry with a `retry_key` that the room has seen in the last 24 h is not said again; `on_done` gets
          the first one's entry (its `name` and `text` may be empty if it is no longer kept).
        * Ids of entries rise, as ASCII strings, and never go back; an entry's `at_ms` is what the wall clock said.
        * Feed: a process receives everything that happens in a room from its first own member's `Joined` up to its last
          own member's `Left`. Where others are in the room already, or something has been missed, there is a `Present`.
          That a session of its own was ended by others is always told, announced or not.
    """

    def start(self, house: House) -> None:
        """Begin to deliver."""

    # Membership and names

    def claim(self, room: str, asks: Asks, on_done: OnClaimed) -> None:
        """Put a session into a room, under a name that is then its own.

        The identity's session before, in whatever room, is no longer in it: `Left(REPLACED)` if it is another one.
        """

    def announce(self, room: str, sid: str) -> None:
        """Have the room told of a member: `Joined` in the feed."""

    def rename(self, room: str, sid: str, wanted: str | None, lang: str | None, on_done: OnRenamed) -> None:
        """Give a member another name, drawn if none is wanted: `Renamed` in the feed, once they are announced."""

    def suggest(self, room: str, sid: str, lang: str | None, on_done: OnSuggested) -> None:
        """Draw a name that a member could take now; nothing changes."""

    def leave(self, room: str, sid: str, *, hold_s: float = 0, why: Why = Why.LEFT) -> None:
        """Take a member out: `Left` in the feed, if they are announced or it is not by their own doing.

        Args:
            hold_s: keep the name for their identity for so long, in seconds. An identity holds one name per room.
        """

    def count(self, room: str) -> int:
        """How many people are in a room, as far as is known without asking."""

    # What is said and done

    def append(
        self, room: str, sid: str, text: str, cid: str | None, retry_key: bytes | None, on_done: OnAppended
    ) -> None:
        """Say something under the name that the member has then: `Said` in the feed, and an entry in the log.

        Args:
            on_done: called after delivery.
        """

    def whisper(self, room: str, whispered: Whispered, on_done: OnWhispered) -> None:
        """Pass on a whisper between two members, whose names are those they have then; nothing keeps it."""

    def notify(self, room: str, typing: Person) -> None:
        """Let the others know that a member types, if that is possible now."""

    def set(self, room: str, name: str, value: object, seconds: float | None, on_done: OnSet) -> None:
        """Change something of the room's state (topic, lock, slow, …): `Changed` in the feed.

        Args:
            seconds: after which it ends by itself; None: it does not.
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
            upto: a position; what comes behind it is left out, and does not count as `more`.

        Raises:
            Unavailable: the log cannot be read now.
        """

    def forget(self, room: str) -> None:
        """Nobody of this process is in the room any more: let go of what was only kept to be quick.

        After this the feed may begin anew with the next claim, if it begins with a `Present`.
        """

    # Private talks

    def talks(self) -> Sequence[bytes]:
        """The keys of all who were in a private talk when the process before this one ended, the oldest first."""

    def save_talk(self, key: bytes, is_open: bool, done: Callable[[], None]) -> None:
        """Keep that somebody is, or is no longer, in a private talk. Returns at once.

        Args:
            done: called when it is as safe as it will be.
        """

    # The end

    def ready(self) -> bool:
        """Whether messages can be taken now."""

    def settle(self) -> None:
        """Take no more messages, and bring what is pending to its end; people may still leave."""

    def close(self) -> None:
        """Nobody is left: let go of everything."""
