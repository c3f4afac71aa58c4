"""The backplane without a disk (`--history 0`): the last 200 entries of each room, for as long as the process lives."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial

from chatroom.backplane import RECENT_ENTRIES, RETRY_S, OnAppended
from chatroom.backplane.ids import IdSource, is_id
from chatroom.backplane.local import LocalAuthority, RoomRules
from chatroom.backplane.pages import newer, older
from chatroom.core.events import Said
from chatroom.core.log import PAGE_ENTRIES, Entry, Item, Page


@dataclass(slots=True)
class _Log:
    entries: list[Entry] = field(default_factory=list)
    dropped: str | None = None  # the id of the newest entry that is no longer here
    retries: OrderedDict[bytes, tuple[float, Entry]] = field(default_factory=OrderedDict)

    def add(self, entry: Entry, retry_key: bytes | None, now: float) -> None:
        self.entries.append(entry)
        if len(self.entries) > 2 * RECENT_ENTRIES:  # cut seldom: each cut moves the list
            self.dropped = self.entries[-RECENT_ENTRIES - 1].id
            del self.entries[:-RECENT_ENTRIES]
        if retry_key is not None:
            self.retries[retry_key] = (now, entry)
            oldest, _ = next(iter(self.retries.values()))
            if len(self.retries) > _RETRIES or oldest < now - RETRY_S:
                self.retries.popitem(last=False)


_RETRIES = 10_000  # retry keys per room, the newest


class MemoryBackplane(LocalAuthority):
    """Keeps the promises of `Backplane` within one process; entries are settled as soon as they are appended.

    Args:
        now_ms: the wall clock, UTC, milliseconds since the epoch.
        monotonic: a clock in seconds that never goes back.
        max_logs: how many rooms are remembered; the log of the room whose last message is oldest goes first.
    """

    def __init__(
        self, rules: RoomRules, now_ms: Callable[[], int], monotonic: Callable[[], float], *, max_logs: int
    ) -> None:
        super().__init__(rules, now_ms, monotonic, IdSource())
        self._logs: OrderedDict[str, _Log] = OrderedDict()
        self._max_logs = max_logs
        self._is_settled = False

    def append(
        self, room: str, sid: str, text: str, cid: str | None, retry_key: bytes | None, on_done: OnAppended
    ) -> None:
        slot = self._feed.reserve(room)
        who = self._person(room, sid)
        if self._is_settled or who is None:
            self._feed.settle(slot, None, partial(on_done, None))
            return
        log = self._logs.setdefault(room, _Log())
        self._logs.move_to_end(room)
        first = log.retries.get(retry_key) if retry_key is not None else None
        if first is not None:
            self._feed.settle(slot, None, partial(on_done, first[1]))
            return
        at_ms = self._now_ms()
        entry = Entry(self._ids.next(at_ms), at_ms, who.name, text)
        log.add(entry, retry_key, self._monotonic())
        if len(self._logs) > self._max_logs:
            self._logs.popitem(last=False)
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

    def talks(self) -> tuple[bytes, ...]:
        return ()

    def save_talk(self, key: bytes, is_open: bool, done: Callable[[], None]) -> None:
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
