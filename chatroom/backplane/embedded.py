"""The backplane with a disk: SQLite for the log, memory for the rest; the default, with nothing to install.

An entry is delivered and acknowledged when its transaction is committed. Commits are made in groups: one writer
takes all that gathered during the last commit. It runs in a thread of its own, so a slow disk delays acks and nothing
else. This module knows when to call the `Store` and what to do when it fails; the store knows SQL.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Final, NamedTuple, ParamSpec, TypeVar

from chatroom import runtime
from chatroom.backplane import MOST_KEYS, RECENT_ENTRIES, Keys, OnAppended, Receiver
from chatroom.backplane.feed import Slot
from chatroom.backplane.file import CorruptError, StoreError
from chatroom.backplane.ids import IdSource
from chatroom.backplane.local import LocalAuthority, RoomRules
from chatroom.backplane.store import Pending, Store, Tidied
from chatroom.backplane.tails import Tails
from chatroom.core.clock import Clock
from chatroom.core.errors import Unavailable
from chatroom.core.events import Said
from chatroom.core.log import PAGE_ENTRIES, Entry, Item, Page

log = logging.getLogger(__name__)

_MAX_PENDING: Final = 20_000  # entries that may wait for the disk; more are refused; callbacks likewise
_BATCH: Final = 2_000  # entries in one transaction
_MAINTAIN_S: Final = 0.5  # between checks for due maintenance, and between attempts while the disk fails
_TIDY_S: Final = 30.0
_CHECKPOINT_S: Final = 5.0  # within which expired text disappears from the files
_REWRITE_S: Final = 3600.0  # within which expired text disappears from unused parts of pages
_REWRITE_FIRST_S: Final = 60.0  # after the start
_CLOSE_S: Final = 1.5  # how long a shutdown waits for what is pending
_CLOSE_STEP_S: Final = 0.002
_LOG_AGAIN_S: Final = 60.0  # how often a disk that keeps failing is logged


_ArgsP = ParamSpec("_ArgsP")
_Read = TypeVar("_Read")


class _Appended(NamedTuple):
    """A message on its way to the disk, its place in the feed, and its callback."""

    pending: Pending
    said: Said
    slot: Slot
    on_done: OnAppended


class _Job(NamedTuple):
    """What the worker is to do, which messages or keys it commits, and what to call when it is done."""

    run: Callable[[], Sequence[Entry] | Tidied | None]
    group: Sequence[_Appended] = ()
    keys: Mapping[tuple[Keys, bytes], bool] | None = None
    then: Sequence[Callable[[], None]] = ()


class EmbeddedBackplane(LocalAuthority):
    """Keeps the promises of `Backplane` over one `Store`.

    Args:
        store: opened already.
        last_id: the newest id in the store.
        clock: the wall clock, watched.
        monotonic: a clock in seconds that never goes back.
    """

    def __init__(
        self,
        rules: RoomRules,
        store: Store,
        last_id: str | None,
        clock: Clock,
        monotonic: Callable[[], float],
    ) -> None:
        super().__init__(rules, clock.now_ms, monotonic, IdSource(last_id))
        self._store = store
        self._clock = clock
        self._tails = Tails()
        self._pending: list[_Appended] = []
        self._keys: dict[tuple[Keys, bytes], bool] = {}  # changes that are not saved yet
        self._when_saved: list[Callable[[], None]] = []  # callbacks of those changes
        self._is_tidying = False  # there is more to delete
        # In turns, so that no kind of job waits for as long as others keep coming.
        self._turns = deque((self._commit_job, self._keys_job, self._tidy_job))
        self._worker = runtime.Worker(_do, self._done)
        self._busy = False  # the worker has a job
        self._called = False  # the worker gets a job at the end of this turn
        self._last_group = 0
        self._tidy_at = monotonic() + _TIDY_S
        self._checkpoint_at = monotonic()
        self._rewrite_at = monotonic() + _REWRITE_FIRST_S
        self._reading = runtime.lock()  # held by readers: the connection is not closed under them
        self._is_settled = False
        self._is_closed = False
        self._failing = False
        self._damage: CorruptError | None = None  # found by a reader, for the writer to deal with
        self._logged_at = float("-inf")

    def start(self, receiver: Receiver) -> None:
        super().start(receiver)
        self._worker.start()
        self._is_tidying = True
        self._commit_group()
        runtime.spawn(self._maintain)

    def append(
        self, room: str, sid: str, text: str, cid: str | None, retry_key: bytes | None, on_done: OnAppended
    ) -> None:
        slot = self._feed.reserve(room)
        who = self._person(room, sid)
        if who is None or self._is_settled or self._failing or len(self._pending) >= _MAX_PENDING:
            self._feed.settle(slot, None, partial(on_done, None))
            return
        at_ms = self._now_ms()
        entry = Entry(self._ids.next(at_ms), at_ms, who.name, text)
        pending = Pending(room, entry, retry_key)
        self._pending.append(_Appended(pending, Said(who, text, cid), slot, on_done))
        if not self._busy and not self._called:
            if self._last_group == 1:
                self._commit_group()  # there seems to be only one sender: no reason to wait for more
            else:
                self._called = True
                runtime.call_soon(self._commit_group)

    def at_hand(self, room: str, after: str | None = None) -> bool:
        tail = self._tails.get(room)
        return tail is not None and tail.filled and (after is None or tail.holds(after))

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
        tail = self._tails.use(room)  # from now on, commits are added to it
        if not tail.filled:
            # Later callers must wait for the first read as well, or they would get an empty history.
            try:
                newest = self._read(self._store.older, room, None, None, RECENT_ENTRIES)
            except Unavailable:
                if self._tails.get(room) is tail and not tail.filled:
                    self._tails.forget(room)
                raise
            if not tail.filled:
                self._tails.fill(room, tail, newest)
        if after is None:
            return tail.newest(upto, limit)
        if tail.holds(after):
            return tail.newer(after, upto, limit)
        page = self._read(self._store.newer, room, after, upto, limit)
        if page is None:
            return replace(tail.newest(upto, limit), more=False, gap=True)
        return page

    def keys(self, kind: Keys) -> Sequence[bytes]:
        return self._store.keys(kind)

    def save_key(self, kind: Keys, key: bytes, is_kept: bool, done: Callable[[], None]) -> None:
        if self._is_settled:
            done()
            return
        self._keys.pop((kind, key), None)
        self._keys[kind, key] = is_kept
        if len(self._keys) > MOST_KEYS:
            del self._keys[next(iter(self._keys))]
        if self._failing or len(self._when_saved) >= _MAX_PENDING:
            done()  # it is saved later, but no more callbacks can wait
            return
        self._when_saved.append(done)
        if not self._busy and not self._called:
            self._called = True
            runtime.call_soon(self._commit_group)

    def forget(self, room: str) -> None:
        self._tails.forget(room)

    def ready(self) -> bool:
        return not (self._is_settled or self._failing)

    def settle(self) -> None:
        if self._is_settled:
            return
        self._is_settled = True
        for _ in range(round(_CLOSE_S / _CLOSE_STEP_S)):
            has_keys = bool(self._keys) and not self._failing
            if not (self._busy or self._called or self._pending or has_keys):
                break
            runtime.sleep(_CLOSE_STEP_S)
        self._feed.drain()

    def close(self) -> None:
        self.settle()
        if self._busy or self._is_closed:
            return  # the disk hangs; what it has not stored was not acknowledged
        self._is_closed = True
        with self._reading:
            self._worker.do(_Job(self._store.close))
            self._worker.stop()
            self._worker.join()

    # The writer

    def _commit_group(self) -> None:
        self._called = False
        if self._busy or self._failing:
            return
        for _ in range(len(self._turns)):
            find = self._turns[0]
            self._turns.rotate(-1)
            job = find()
            if job is not None:
                self._give(job)
                return

    def _commit_job(self) -> _Job | None:
        if not self._pending:
            return None
        group, self._pending = self._pending[:_BATCH], self._pending[_BATCH:]
        self._last_group = len(group)
        return _Job(partial(self._store.commit, [appended.pending for appended in group]), group)

    def _keys_job(self) -> _Job | None:
        if not self._keys:
            return None
        keys, self._keys = self._keys, {}
        done, self._when_saved = self._when_saved, []
        return _Job(partial(self._store.save_keys, keys), keys=keys, then=done)

    def _tidy_job(self) -> _Job | None:
        if not self._is_tidying or self._is_settled:
            return None
        return _Job(partial(self._store.tidy, self._clock.times()))

    def _give(self, job: _Job) -> None:
        self._busy = True
        self._worker.do(job)

    def _done(self, job: _Job, outcome: Sequence[Entry] | Tidied | Exception | None) -> None:
        """A job is done; gives the worker the next one."""
        self._busy = False
        group, keys, then = job.group, job.keys, job.then
        if isinstance(outcome, StoreError):
            self._keys = {**(keys or {}), **self._keys}
            self._fail(outcome, group)
        elif isinstance(outcome, Exception):
            # Our own bug, not the disk's fault; the callbacks are still called.
            self._fail(StoreError(f"{type(outcome).__name__} in the program"), group)
        elif isinstance(outcome, Tidied):
            self._tidied(outcome)
        elif outcome is not None:
            # The disk writes the next group while this one is delivered.
            if self._pending:
                self._commit_group()
            for appended, kept in zip(group, outcome, strict=True):
                self._committed(appended, kept)
        for saved in then:
            saved()
        if not self._busy:
            self._commit_group()

    def _committed(self, appended: _Appended, kept: Entry) -> None:
        pending, said, slot, on_done = appended
        entry = pending.entry
        if kept.id != entry.id:  # it is a retry of an earlier message
            self._feed.settle(slot, None, partial(on_done, kept))
            return
        self._tails.add(pending.room, entry)
        self._feed.settle(slot, Item(said, entry.at_ms, entry.id, entry), partial(on_done, entry))

    def _tidied(self, tidied: Tidied) -> None:
        self._is_tidying = not tidied.is_done
        for room, upto in tidied.deleted.items():
            self._tails.drop(room, upto)

    def _maintain(self) -> None:
        """Do what is due now and then: expiry, checkpoints, recovery from a failing disk."""
        while not self._is_settled:
            runtime.sleep(_MAINTAIN_S)  # what is due depends on the time alone: no event announces it
            now = self._monotonic()
            if now >= self._tidy_at or self._store.has_grown:
                self._tidy_at = now + _TIDY_S
                self._is_tidying = True  # its turn comes, however busy the worker is
            if self._busy or self._is_settled:
                continue
            if self._damage is not None:
                damage, self._damage = self._damage, None
                self._fail(damage)
            elif self._failing:
                self._try_again()
            elif self._is_tidying:
                self._commit_group()
            elif now >= self._checkpoint_at and self._store.has_expired:
                self._checkpoint_at = now + _CHECKPOINT_S
                self._give(_Job(self._store.checkpoint))
            elif now >= self._rewrite_at and self._store.has_traces:
                self._rewrite_at = now + _REWRITE_S
                self._give(_Job(self._store.rewrite))

    def _fail(self, problem: StoreError, group: Sequence[_Appended] = ()) -> None:
        """The disk fails: refuse everything that waits for it, and all that comes, until it takes writes again."""
        refused = [*group, *self._pending]
        self._pending = []
        self._failing = True
        now = self._monotonic()
        if now - self._logged_at >= _LOG_AGAIN_S:
            self._logged_at = now
            log.error("the log cannot be written (%s): messages are refused until it can be written", problem)
        for appended in refused:
            self._feed.settle(appended.slot, None, partial(appended.on_done, None))
        saved, self._when_saved = self._when_saved, []
        for done in saved:
            done()
        if isinstance(problem, CorruptError):
            runtime.spawn(self._set_aside, problem)

    def _set_aside(self, problem: CorruptError) -> None:
        with self._reading:
            aside = runtime.run_blocking(self._store.set_aside)
        self._tails.clear()
        log.error(
            "%s is damaged (%s); it was renamed to %s and a new one was created",
            self._store.path,
            problem,
            aside.name,
        )

    def _try_again(self) -> None:
        # The worker has no job while the disk fails, so nothing else writes.
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
            self._commit_group()

    def _read(self, function: Callable[_ArgsP, _Read], *args: _ArgsP.args, **options: _ArgsP.kwargs) -> _Read:
        try:
            with self._reading:
                if self._is_closed:
                    raise Unavailable  # or closing would wait for all reads that are queued
                read = runtime.run_blocking(function, *args, **options)
        except StoreError as problem:
            if isinstance(problem, CorruptError):
                self._damage = problem
            raise Unavailable from None
        return read


def _do(job: _Job) -> Sequence[Entry] | Tidied | None:
    """Do a job, in the worker's thread."""
    return job.run()
