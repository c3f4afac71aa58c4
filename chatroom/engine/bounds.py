"""How much of something may come: a token bucket of which only the time is kept at which it will be full again."""

from __future__ import annotations

from typing import NamedTuple


class Bound(NamedTuple):
    """So many at once, and so many per second."""

    burst: int
    per_second: float

    def after(self, count: int, full_at: float, now: float) -> float | None:
        """When the bucket will be full if `count` more are taken; None if there are not as many.

        Args:
            count: how many.
            full_at: when it would be full without them; 0.0 at first.
            now: the time.
        """
        full_at = max(full_at, now) + count / self.per_second
        return None if full_at - now > self.burst / self.per_second else full_at
