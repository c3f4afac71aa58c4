"""Reads of the log that wait for the disk: which of them comes next.

Few are under way at once. All others wait here, where they can still be dropped: those of a session that has ended
never begin. This module does not know what is read.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Callable
from functools import partial
from typing import Final

from chatroom.core.errors import RateLimited

AT_ONCE: Final = 4  # reads that are under way
MAX_WAITING: Final = 4  # reads of one owner, besides those
_RETRY_AFTER_S: Final = 0.1

_Read = Callable[[], None]


class Reads:
    """The reads that wait. Each owner has a bounded number of them, and there are as many owners as sessions.

    Args:
        spawn: runs a function that may wait.
    """

    def __init__(self, spawn: Callable[[_Read], object]) -> None:
        self._spawn = spawn
        self._first: OrderedDict[object, _Read] = OrderedDict()
        self._others: OrderedDict[object, deque[_Read]] = OrderedDict()  # the owner whose turn it is first
        self._under_way = 0

    def put(self, owner: object, read: _Read) -> None:
        """Read when it is the owner's turn.

        Raises:
            RateLimited: too many reads of this owner wait.
        """
        reads = self._others.setdefault(owner, deque())
        if len(reads) == MAX_WAITING:
            raise RateLimited(retry_after=_RETRY_AFTER_S)
        reads.append(read)
        self._begin()

    def put_first(self, owner: object, read: _Read) -> None:
        """Read before all those that `put` was given; an owner has one such read."""
        self._first[owner] = read
        self._begin()

    def drop(self, owner: object) -> None:
        """Forget the owner's reads that have not begun."""
        self._first.pop(owner, None)
        self._others.pop(owner, None)

    def _begin(self) -> None:
        while self._under_way < AT_ONCE and (self._first or self._others):
            self._under_way += 1
            self._spawn(partial(self._run, self._next()))

    def _next(self) -> _Read:
        if self._first:
            return self._first.popitem(last=False)[1]
        owner, reads = self._others.popitem(last=False)
        read = reads.popleft()
        if reads:
            self._others[owner] = reads
        return read

    def _run(self, read: _Read) -> None:
        try:
            read()
        finally:
            self._under_way -= 1
            self._begin()
