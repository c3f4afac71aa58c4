"""How much computing time something takes. To ask the system each time would cost more than to count the event."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

Start = tuple[float, float]
"""When an event began, and the computing time of the thread shortly before."""

_SHORT_S: Final = 0.001  # what takes less is hardly ever interrupted
_FRESH_S: Final = 0.0005  # an event is charged at most this much for what came before it


class Meter:
    """Measures the computing time of events.

    For a short event, that is the time that has passed: another program hardly ever runs meanwhile. For a longer one,
    the system is asked; the answer counts from at most half a millisecond before the event.

    Args:
        monotonic: a clock in seconds.
        computed: the computing time of this thread so far, in seconds.
    """

    def __init__(self, monotonic: Callable[[], float], computed: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._computed = computed
        self._asked_at = float("-inf")
        self._answer = 0.0

    def begin(self) -> Start:
        """An event begins."""
        now = self._monotonic()
        if now > self._asked_at + _FRESH_S:
            self._asked_at, self._answer = now, self._computed()
        return now, self._answer

    def took_s(self, start: Start) -> float:
        """How many seconds the event that began then has taken, about."""
        began, computed = start
        now = self._monotonic()
        passed_s = now - began
        if passed_s < _SHORT_S:
            return passed_s
        self._asked_at, self._answer = now, self._computed()
        return min(passed_s, self._answer - computed)

    def has_taken(self, start: Start, seconds: float) -> bool:
        """Whether the event that began then has taken at least so long; before that, the system is not asked."""
        return self._monotonic() - start[0] >= seconds and self.took_s(start) >= seconds
