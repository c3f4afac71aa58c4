"""Which slow readers are dropped if more waits for the clients of an address, or for all together, than may wait.

It knows accounts and sizes. Each gateway says what waits for its clients, and how to drop one. What is kept for clients
whose sessions have ended goes first.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from heapq import heapify, heappop, heapreplace
from typing import Final, NamedTuple

from chatroom import runtime
from chatroom.net.gate import Account

_DROPS_PER_TURN: Final = 16
_PART: Final = 1 / 8  # of what waits


class Waiting(NamedTuple):
    """What waits for one client.

    Attributes:
        account: of its address.
        size: how many bytes.
        drop: drops the client as a slow reader, or what is kept for it.
    """

    account: Account
    size: int
    drop: Callable[[], None]


Source = Callable[[Account | None], Iterable[Waiting]]


class Relief:
    """Drops the slowest readers of an account, or, if all accounts together have too much, of that with the most."""

    def __init__(self) -> None:
        self._sources: list[Source] = []
        self._leftovers: list[Source] = []
        self._busy: set[Account | None] = set()  # for which readers are being dropped; None for all

    def include(self, source: Source) -> None:
        """Let `source` say what waits for the clients of one account, or (None) of all."""
        self._sources.append(source)

    def include_leftovers(self, source: Source) -> None:
        """The same for clients whose sessions have ended, the first one first: they are dropped before any reader."""
        self._leftovers.append(source)

    def relieve(self, account: Account) -> None:
        """More came for a client of this account than may wait: drop some, if that is still so in the next turn."""
        scope = account if account.has_too_much else None
        if scope not in self._busy:
            self._busy.add(scope)
            runtime.call_soon(partial(self._begin, account, scope))

    def _begin(self, account: Account, scope: Account | None) -> None:
        if account.hold(0):
            self._busy.discard(scope)
            return
        leftovers = [waiting for source in self._leftovers for waiting in source(scope)]
        readers = [waiting for source in self._sources for waiting in source(scope)]
        enough = sum(waiting.size for waiting in (*leftovers, *readers)) * _PART
        chosen = _of_the_most(reversed(leftovers), enough)
        chosen += slowest(readers, enough - sum(waiting.size for waiting in chosen))
        self._drop(scope, deque(chosen))

    def _drop(self, scope: Account | None, slow: deque[Waiting]) -> None:
        """Drop only some in each turn: nobody else waits for that."""
        for _ in range(min(len(slow), _DROPS_PER_TURN)):
            slow.popleft().drop()
        if slow:
            runtime.call_soon(partial(self._drop, scope, slow))
        else:
            self._busy.discard(scope)


def slowest(readers: Sequence[Waiting], enough: float) -> list[Waiting]:
    """Choose readers for whom `enough` bytes wait, or a little more: always the slowest of the group with the most."""
    return _of_the_most(sorted(readers, key=lambda waiting: waiting.size), enough)


def _of_the_most(ordered: Iterable[Waiting], enough: float) -> list[Waiting]:
    """The same, but always the last one of the group."""
    groups: dict[Account, list[Waiting]] = {}
    for waiting in ordered:
        groups.setdefault(waiting.account.group, []).append(waiting)
    heap = [
        (-sum(waiting.size for waiting in group), number, group)
        for number, group in enumerate(groups.values())
    ]
    heapify(heap)
    chosen = []
    while heap and enough > 0:
        most, number, group = heap[0]
        waiting = group.pop()
        chosen.append(waiting)
        enough -= waiting.size
        if group:
            heapreplace(heap, (most + waiting.size, number, group))
        else:
            heappop(heap)
    return chosen
