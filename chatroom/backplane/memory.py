"""The backplane without a disk (`--history 0`): the recent entries of each room, for as long as the process lives."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Final, NamedTuple

from chatroom.backplane import RECENT_ENTRIES, RETRY_S, SLACK, YOUNG_S, Keys, OnAppended
from chatroom.backplane.ids import IdSource, is_id
from chatroom.backplane.local import LocalAuthority, RoomRules
from chatroom.backplane.pages import newer, older
from chatroom.core.events import Said
from chatroom.core.log import PAGE_ENTRIES, Entry, Item, Page
from chatroom.core.names import LOBBY
from chatroom.core.shares import Shares

MEMORY_BYTES: Final = 64_000_000  # of all entries
_ENTRY_BYTES: Final = 400  # of an entry, besides its text
_ROOM_BYTES: Final = 1000
_RETRIES: Final = 100_000  # retry keys, the newest


@dataclass(slots=True)
class _Log:
    entries: list[Entry] = field(default_factory=list)
    dropped: str | None = None  # the id of the newest entry that is no longer here


class _Retry(NamedTuple):
    """What a message got that may come again; `came` is by the monotonic clock."""

    came: float
    id: str
    at_ms: int


class MemoryBackplane(LocalAuthority):
    """Keeps the promises of `Backplane` within one process; entries are settled as soon as they are appended.

    Args:
        now_ms: the wall clock, UTC, milliseconds since the epoch.
        monotonic: a clock in seconds that never goes back.
        public_rooms: keys of the rooms that together keep half of the space.
        limit_bytes: of all entries; beyond it, `Shares` says which room loses its oldest.
    """

    def __init__(
        self,
        rules: RoomRules,
        now_ms: Callable[[], int],
        monotonic: Callable[[], float],
        *,
        public_rooms: Iterable[str] = (LOBBY,),
        limit_bytes: int = MEMORY_BYTES,
    ) -> None:
        super().__init__(rules, now_ms, monotonic, IdSource())
        self._logs: dict[str, _Log] = {}
        self._shares = Shares(public_rooms)
        self._limit_bytes = limit_bytes
        self._retries: OrderedDict[tuple[str, bytes], _Retry] = OrderedDict()
        self._is_settled = False

    def append(
        self, room: str, sid: str, text: str, cid: str | None, retry_key: bytes | None, on_done: OnAppended
    ) -> None:
        slot = self._feed.reserve(room)
        who = self._person(room, sid)
        if self._is_settled or who is None:
            self._feed.settle(slot, None, partial(on_done, None))
            return
        first = self._retries.get((room, retry_key)) if retry_key is not None else None
        if first is not None:
            self._feed.settle(slot, None, partial(on_done, Entry(first.id, first.at_ms, who.name, text)))
            return
        at_ms = self._now_ms()
        entry = Entry(self._ids.next(at_ms), at_ms, who.name, text)
        self._keep(room, entry)
        if retry_key is not None:
            self._remember(room, retry_key, entry)
        item = Item(Said(who, text, cid), entry.at_ms, entry.id, entry)
        self._feed.settle(slot, item, partial(on_done, entry))

    def at_hand(self, room: str, after: str | None = None) -> bool:
        return True

    def page(
        self,
        room: str,
        *,
        after: str | None = None,
        before: str | None = None,
        upto: str | None = None,
        limit: int = PAGE_ENTRIES,
    ) -> Page:
        log = self._logs.get(room) or _Log()
        if before is not None and not is_id(before):
            return Page(())
        if after is None:
            return older(log.entries, before, upto, limit)
        if after == log.dropped or any(entry.id == after for entry in log.entries):
            return newer(log.entries, after, upto, limit)
        return replace(older(log.entries, None, upto, limit), more=False, gap=True)

    def keys(self, kind: Keys) -> tuple[bytes, ...]:
        return ()

    def save_key(self, kind: Keys, key: bytes, is_kept: bool, done: Callable[[], None]) -> None:
        done()  # no token outlives the process either

    def forget(self, room: str) -> None:
        """Nothing: what is in memory is all there is."""

    def ready(self) -> bool:
        return not self._is_settled

    def settle(self) -> None:
        self._is_settled = True
        self._feed.drain()

    def close(self) -> None:
        self.settle()

    def _keep(self, room: str, entry: Entry) -> None:
        size = _entry_bytes(entry)
        if room not in self._logs:
            self._logs[room] = _Log()
            size += _ROOM_BYTES
        entries = self._logs[room].entries
        entries.append(entry)
        self._shares.add(room, size, entry.id)
        old_ms = entry.at_ms - YOUNG_S * 1000
        surplus = len(entries) - RECENT_ENTRIES
        if surplus > RECENT_ENTRIES and entries[RECENT_ENTRIES - 1].at_ms < old_ms:  # cut seldom
            self._cut(room, next((n for n in range(surplus) if entries[n].at_ms >= old_ms), surplus))
        if self._shares.total > self._limit_bytes:
            self._make_space(self._limit_bytes - self._limit_bytes // SLACK)

    def _make_space(self, goal: int) -> None:
        while self._shares.total > goal:
            room, surplus = self._shares.first()
            surplus = min(surplus, self._shares.total - goal)
            count = freed = 0
            for entry in self._logs[room].entries:
                if freed >= surplus:
                    break
                freed += _entry_bytes(entry)
                count += 1
            self._cut(room, count)

    def _cut(self, room: str, count: int) -> None:
        """Delete a room's oldest entries."""
        log = self._logs[room]
        cut = log.entries[:count]
        if not cut:
            return
        log.dropped = cut[-1].id
        del log.entries[:count]
        freed = sum(map(_entry_bytes, cut))
        if not log.entries:
            del self._logs[room]
            freed += _ROOM_BYTES
        self._shares.remove(room, freed)

    def _remember(self, room: str, retry_key: bytes, entry: Entry) -> None:
        now = self._monotonic()
        self._retries[room, retry_key] = _Retry(now, entry.id, entry.at_ms)
        oldest = next(iter(self._retries.values()))
        if len(self._retries) > _RETRIES or oldest.came < now - RETRY_S:
            self._retries.popitem(last=False)


def _entry_bytes(entry: Entry) -> int:
    return len(entry.text.encode()) + _ENTRY_BYTES
