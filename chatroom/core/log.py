"""What a room's feed yields and its log stores: entries, items, pages."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, NamedTuple

from chatroom.core.events import Event

PAGE_ENTRIES: Final = 200  # the longest page (protocol, section 1: at most 200 entries and 64 KB)
PAGE_BYTES: Final = 64 * 1024
WELCOME_ENTRIES: Final = 50  # of history that a newcomer receives (protocol, section 1: `you`)
_FIELDS_BYTES: Final = 160  # an entry's id, time and room, the names of its fields, and punctuation


class Entry(NamedTuple):
    """A message as it is stored: nothing links it to a connection or to another message of the same person."""

    id: str
    at_ms: int  # UTC, milliseconds since the epoch
    name: str
    text: str

    @property
    def wire_bytes(self) -> int:
        """About how many bytes it takes in a frame: what pages are bounded by."""
        escaped = sum(map(self.text.count, '\n\t"\\'))
        return len(self.text.encode()) + escaped + len(self.name.encode()) + _FIELDS_BYTES


class Item(NamedTuple):
    """One thing that happened in a room, as the room's feed yields it.

    Attributes:
        position: the id of the last entry up to this item. The room's log up to it is what someone who joins here has
            missed; the feed then yields only later entries.
        entry: set if it was a message.
    """

    event: Event
    at_ms: int
    position: str
    entry: Entry | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """A piece of a room's log, oldest first.

    Attributes:
        more: there is more in the requested direction (newer with `after`, else older).
        gap: some of what followed `after` is no longer kept, or `after` is unknown: this is the recent history.
    """

    entries: tuple[Entry, ...]
    more: bool = False
    gap: bool = False
