"""Deadlines: a timing wheel that turns by itself.

It knows time and the runtime; its owner knows what is due and what happens then.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Generic

from chatroom import runtime
from chatroom.net.faults import describe
from chatroom.net.wheel import Item, Wheel

log = logging.getLogger(__name__)


class Deadlines(Generic[Item]):
    """A wheel that turns by itself: one timer for everything in it, none while it is empty.

    Args:
        tick_s: how coarse it is.
        fire: called in the loop with each item that is due; it must not wait.
    """

    def __init__(self, tick_s: float, fire: Callable[[Item], None]) -> None:
        self._wheel: Wheel[Item] = Wheel(tick_s)
        self._fire = fire
        self._timer: runtime.Timer | None = None
        self._timer_at = 0.0

    def put(self, item: Item, within_s: float) -> None:
        """Let `item` be due in `within_s`."""
        self._wheel.put(item, time.monotonic() + within_s)
        self._set_timer()

    def drop(self, item: Item) -> None:
        """Forget `item`."""
        self._wheel.drop(item)

    def _set_timer(self) -> None:
        at = self._wheel.next_at()
        if at is None or (self._timer is not None and self._timer_at <= at):
            return
        if self._timer is not None:
            self._timer.cancel()
        self._timer_at = at
        self._timer = runtime.call_later(max(0.0, at - time.monotonic()), self._advance)

    def _advance(self) -> None:
        self._timer = None
        for item in self._wheel.advance(time.monotonic()):
            try:
                self._fire(item)
            except Exception as problem:
                # The outermost place that a deadline reaches: one log line, and the others go on.
                log.error("a deadline failed: %s", describe(problem))
        self._set_timer()
