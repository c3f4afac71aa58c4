"""The backplane with a disk: SQLite for the log, memory for the rest; the default, with nothing to install.

An entry is delivered and acknowledged when its transaction is committed. Commits are made in groups: one writer
takes all that has
gathered while the last commit ran, off the loop, so that a slow disk delays acks and nothing else. It knows when to
ask the
`Store` and what to do when it fails; SQL is the store's.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Final, TypeVar

from chatroom import runtime
from chatroom.backplane import RECENT_ENTRIES, Deliver, Done
from chatroom.backplane.feed import Feed, Slot
from chatroom.backplane.holds import Holds
from chatroom.backplane.ids import IdSource, id_ms
from chatroom.backplane.store import CorruptError, Pending, Store, StoreError
from chatroom.backplane.tails import Tail
from chatroom.core.errors import Unavailable
from chatroom.core.events import Event, Said
from chatroom.core.log import PAGE_ENTRIES, Entry, Item, Page

log = logging.getLogger(__name__)

_MAX_PENDING: Final = 20_000  # entries waiting for the disk; more are refused
_BATCH: Final = 2_000  # entries in one transaction
_TIDY_S: Final = 30.0
_CHECKPOINT_S: Final = 2.0
_WAL_BYTES: Final = 4_000_000
_PROBE_S: Final = 0.5  # between attempts to write while the disk refuses
_LOG_AGAIN_S: Final = 60.0  # a disk that fails now and then is told of this often


_Read = TypeVar("_Read")


class EmbeddedBackplane:
    """Keeps the promises of `Backplane` over one `Store`.

    Args:
        store: opened already.
        last_id: the id that the store was left with.
        now_ms: the wall clock, UTC, milliseconds since the epoch.
        monotonic: a clock in seconds that never goes back.
    """

    def __init__(
        self, store: Store, last_id: str | None, now_ms: Callable[[], int], monotonic: Callable[[], float]
    ) -> None:
        self._store = store
        self._now_ms = now_ms
        self._monotonic = monotonic
        self._ids = IdSource(last_id)
        self._feed = Feed()
        self._holds = Holds(monotonic)
        self._tails: dict[str, Tail] = {}
        self._pending: list[tuple[Pending, Said, Slot, Done]] = []
        self._wake = runtime.Signal()
        self._stopped = runtime.Signal()
        self._reading = runtime.lock()  # no connection is closed while somebody reads from it
        self._closed = False
        self._failing = False
        self._damage: CorruptError | None = None  # found by a reader, for the writer to deal with
        self._logged_at = float("-inf")
        self.hold = self._holds.hold
        self.holder = self._holds.holder
        self.release = self._holds.release

    def start(self, deliver: Deliver) -> None:
        self._feed.start(deliver)
        runtime.spawn(self._write)

    def publish(self, room: str, event: Event) -> None:
        self._feed.put(room, Item(event, self._now_ms(), self._ids.last))

    def append(self, room: str, said: Said, retry_key: bytes | None, done: Done) -> None:
        slot = self._feed.reserve(room)
        if self._closed or self._failing or len(self._pending) >= _MAX_PENDING:
            self._feed.settle(slot, None, partial(done, None))
            return
        entry_id = self._ids.next(self._now_ms())
        entry = Entry(entry_id, id_ms(entry_id), said.who.name, said.text)
        self._pending.append((Pending(room, entry, retry_key), said, slot, done))
        self._wake.set()

    def at_hand(self, room: str, after: str | None = None) -> bool:
        tail = self._tails.get(room)
        return tail is not None and (after is None or tail.holds(after))

    def page(
        self,
        room: str,
        *,
        after: str | None = None,
        before: str | None = None,
        upto: str | None = None,
        limit: int = PAGE_ENTRIES,
    ) -> Page:
        if before is not None:
            return self._read(self._store.older, room, before, upto, limit)
        tail = self._tails.get(room)
        if tail is None:
            tail = self._tails[room] = Tail(
                self._store.entries_kept
            )  # from now on what is committed is added to it
            try:
                tail.put_before(self._read(self._store.older, room, None, None, RECENT_ENTRIES))
            except Unavailable:
                del self._tails[room]
                raise
        if after is None:
            return tail.newest(upto, limit)
        if tail.holds(after):
            return tail.newer(after, upto, limit)
        page = self._read(self._store.newer, room, after, upto, limit)
        if page is None:
            return replace(tail.newest(upto, limit), more=False, gap=True)
        return page

    def forget(self, room: str) -> None:
        self._tails.pop(room, None)

    def ready(self) -> bool:
        return not (self._closed or self._failing)

    def close(self) -> None:
        if self._closed:
            return
        self._closed = True
        self._wake.set()
        self._stopped.wait()
        self._feed.drain()
        with self._reading:
            runtime.run_blocking(self._store.close)

    # The writer

    def _write(self) -> None:
        tidy_at = checkpoint_at = self._monotonic()
        while not (self._closed and not self._pending):
            self._wake.wait(_CHECKPOINT_S)
            while self._pending and not self._failing:
                self._commit_group()
            now = self._monotonic()
            try:
                if self._damage is not None:
                    damage, self._damage = self._damage, None
                    self._fail(damage)
                elif self._failing:
                    self._try_again()
                elif now >= tidy_at:
                    tidy_at = now + _TIDY_S
                    if runtime.run_blocking(self._store.tidy, self._now_ms()):
                        self._tails.clear()  # they must not outlive what was deleted
                elif now >= checkpoint_at and self._store.wants_checkpoint(_WAL_BYTES):
                    checkpoint_at = now + _CHECKPOINT_S
                    runtime.run_blocking(self._store.checkpoint)
            except StoreError as problem:
                self._fail(problem)
        self._stopped.set()

    def _commit_group(self) -> None:
        group, self._pending = self._pending[:_BATCH], self._pending[_BATCH:]
        try:
            kept = runtime.run_blocking(self._store.commit, [pending for pending, *_ in group])
        except StoreError as problem:
            self._fail(problem, group)
        else:
            for (pending, said, slot, done), entry_id in zip(group, kept, strict=True):
                self._settle(pending, said, slot, done, entry_id)

    def _settle(self, pending: Pending, said: Said, slot: Slot, done: Done, entry_id: str) -> None:
        entry = pending.entry
        if entry_id != entry.id:  # it had been said before
            first = Entry(entry_id, id_ms(entry_id), entry.name, entry.text)
            self._feed.settle(slot, None, partial(done, first))
            return
        tail = self._tails.get(pending.room)
        if tail is not None:
            tail.add(entry)
        self._feed.settle(slot, Item(said, entry.at_ms, entry.id, entry), partial(done, entry))

    def _fail(self, problem: StoreError, group: list[tuple[Pending, Said, Slot, Done]] | None = None) -> None:
        """The disk refuses: so is everything that waits for it, at once, until it takes writes again."""
        refused = [*(group or []), *self._pending]
        self._pending = []
        self._failing = True
        now = self._monotonic()
        if now - self._logged_at >= _LOG_AGAIN_S:
            self._logged_at = now
            log.error("the log cannot be written (%s): messages are refused until it can", problem)
        for _, _, slot, done in refused:
            self._feed.settle(slot, None, partial(done, None))
        if isinstance(problem, CorruptError):
            self._set_aside(problem)

    def _set_aside(self, problem: CorruptError) -> None:
        with self._reading:
            aside = runtime.run_blocking(self._store.set_aside)
        self._tails.clear()
        log.error(
            "%s is damaged (%s); it is kept as %s and a new one begun", self._store.path, problem, aside.name
        )

    def _try_again(self) -> None:
        runtime.sleep(_PROBE_S)
        try:
            with self._reading:
                runtime.run_blocking(self._store.probe)
        except CorruptError as problem:
            self._set_aside(problem)
        except StoreError:
            return
        else:
            self._failing = False
            log.warning("the log can be written again")

    def _read(self, function: Callable[..., _Read], *arguments: object) -> _Read:
        try:
            with self._reading:
                read: _Read = runtime.run_blocking(function, *arguments)
        except StoreError as problem:
            if isinstance(problem, CorruptError):
                self._damage = problem
                self._wake.set()
            raise Unavailable from None
        return read
