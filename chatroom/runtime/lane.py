"""Work in order, in greenthreads that never hold each other up."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from typing import Any, Generic, TypeVar

import eventlet.hubs
import greenlet  # type: ignore[import-untyped]  # it ships none

from chatroom.runtime.hub import call_soon

_ItemT = TypeVar("_ItemT")


def begin(function: Callable[..., Any], *args: Any) -> None:
    """Run `function` now, from the loop, in a greenthread of its own: if it waits, the loop goes on.

    It should not raise. Called from a greenthread that may wait itself, it is a mere call.
    """
    loop = eventlet.hubs.get_hub().greenlet
    if greenlet.getcurrent() is loop:
        greenlet.greenlet(function, loop).switch(*args)
    else:
        function(*args)


class Lane(Generic[_ItemT]):
    """Does `work` on one item after another in a greenthread of its own, whoever puts them.

    Should `work` wait for something, a second greenthread goes on with the items behind it, so one slow item
    delays nobody; whoever needs an order among items keeps it by not putting the second before the first is
    done.

    Args:
        work: called with each item; what it raises ends its greenthread with a traceback, so it should not.
        turn_s: how long items are worked on before the loop gets its turn.
    """

    def __init__(self, work: Callable[[_ItemT], None], *, turn_s: float = 0.005) -> None:
        self._work = work
        self._turn_s = turn_s
        self._items: deque[_ItemT] = deque()
        self._woken = False
        self._idle: Any = None

    def put(self, item: _ItemT) -> None:
        """Have `item` worked on from the next turn of the loop on."""
        self._items.append(item)
        self._ring()

    def _ring(self) -> None:
        if not self._woken:
            self._woken = True
            call_soon(self._wake)

    def _wake(self) -> None:
        self._woken = False
        if not self._items:
            return
        worker, self._idle = self._idle, None
        if worker is None:
            worker = greenlet.greenlet(self._run, eventlet.hubs.get_hub().greenlet)
        worker.switch()

    def _run(self) -> None:
        hub = eventlet.hubs.get_hub()
        items, clock = self._items, time.monotonic
        while True:
            stop_at = clock() + self._turn_s
            if len(items) > 1:
                self._ring()  # should the first one wait, somebody must come for the others
            while items:
                self._work(items.popleft())
                if clock() > stop_at:
                    break
            if items:
                self._ring()
            if self._idle is not None:
                return  # `work` waited, and another greenthread has taken over
            self._idle = greenlet.getcurrent()
            hub.switch()
