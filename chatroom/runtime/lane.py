"""Work in order, in greenthreads that never delay each other."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from typing import Any, Generic, TypeVar

import eventlet.hubs
import greenlet

from chatroom.runtime.hub import call_soon
from chatroom.runtime.meter import Meter
from chatroom.runtime.rounds import Rounds

_ItemT = TypeVar("_ItemT")


def begin(function: Callable[..., Any], *args: Any) -> None:
    """Call `function` now, in a greenthread of its own if this is the loop: if it waits, the loop goes on.

    It should not raise. In a greenthread, which may wait itself, this is a plain call.
    """
    loop = eventlet.hubs.get_hub().greenlet
    if greenlet.getcurrent() is loop:
        greenlet.greenlet(function, loop).switch(*args)
    else:
        function(*args)


class Lane(Generic[_ItemT]):
    """Calls `work` with one item after another, in a greenthread of its own.

    If `work` waits for something, a second greenthread goes on with the next items, so one slow item delays nobody.
    To keep an order among items, put the second one only when the first is done.

    Args:
        work: called with each item. It should not raise: that ends its greenthread with a traceback.
        turn_s: how much computing time items may take before the loop gets its turn. By the clock, a process that is
            often interrupted would do less in each turn, and so pay more for the turns themselves.
        meter: measures that time.
    """

    def __init__(
        self, work: Callable[[_ItemT], None], *, turn_s: float = 0.005, meter: Meter | None = None
    ) -> None:
        self._work = work
        self._meter = meter or Meter(time.monotonic, time.thread_time)
        self._turn_s = turn_s
        self._items: deque[_ItemT] = deque()
        self._last: Rounds[_ItemT] = Rounds()
        self._woken = False
        self._idle: Any = None

    def put(self, item: _ItemT) -> None:
        """Call `work` with `item` in the next turn of the loop."""
        self._items.append(item)
        self._wake_soon()

    def put_last(self, item: _ItemT, group: object = None) -> None:
        """Call `work` with `item` when there is nothing else to do, but with one such item in each turn at least.

        Each group has one such item after the other.
        """
        self._last.append(item, group)
        self._wake_soon()

    def _wake_soon(self) -> None:
        if not self._woken:
            self._woken = True
            call_soon(self._wake)

    def _wake(self) -> None:
        self._woken = False
        if not (self._items or self._last.length):
            return
        worker, self._idle = self._idle, None
        if worker is None:
            worker = greenlet.greenlet(self._run, eventlet.hubs.get_hub().greenlet)
        worker.switch()

    def _run(self) -> None:
        hub = eventlet.hubs.get_hub()
        items, last, clock, meter = self._items, self._last, time.monotonic, self._meter
        while True:
            start = meter.begin()
            stop_at = start[0] + self._turn_s
            if len(items) + last.length > 1:
                self._wake_soon()  # if `work` waits with the first item, another greenthread must take the others
            takes_last = last.length > 0  # one in each turn at least
            while items or last.length:
                self._work(last.popleft() if takes_last or not items else items.popleft())
                takes_last = False
                if (now := clock()) > stop_at:
                    left_s = self._turn_s - meter.took_s(start)
                    if left_s <= 0:
                        break
                    stop_at = now + left_s
            if items or last.length:
                self._wake_soon()
            if self._idle is not None:
                return  # `work` waited, and another greenthread has taken over
            self._idle = greenlet.getcurrent()
            hub.switch()
