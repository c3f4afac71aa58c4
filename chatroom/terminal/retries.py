"""When to connect again: after ever longer pauses, and never earlier than the server asks. It does not wait itself."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Final

FIRST_S: Final = 0.5  # doubled after each failure
LAST_S: Final = 10.0
MOST_S: Final = 3600.0  # a server that asks for a longer pause is ignored


class Retries:
    """The pauses before attempts to connect.

    Args:
        uniform: draws a number between two bounds, so that clients that were cut off together do not return together.
    """

    def __init__(self, uniform: Callable[[float, float], float] = random.uniform) -> None:
        self._uniform = uniform
        self._delay_s = FIRST_S
        self._asked_s = 0.0

    def refused(self, retry_s: float) -> None:
        """An attempt has failed; `retry_s` is the pause that the server asks for, or 0."""
        self._asked_s = retry_s

    def joined(self) -> None:
        """The guest is in the room."""
        self._delay_s = FIRST_S

    def next_s(self) -> float:
        """How long to wait before the next attempt."""
        delay_s = self._delay_s * self._uniform(0.75, 1.25)
        self._delay_s = min(2 * self._delay_s, LAST_S)
        asked_s, self._asked_s = self._asked_s, 0.0
        return max(delay_s, asked_s * self._uniform(1.0, 1.25))


def asked_s(value: object) -> float:
    """The pause in seconds that a server asks for, as a number or a header; 0 if it is neither, or is absurd."""
    try:
        seconds = float(value) if isinstance(value, str | int | float) else 0.0
    except (ValueError, OverflowError):
        return 0.0
    return seconds if 0 < seconds <= MOST_S else 0.0
