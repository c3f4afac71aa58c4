"""How much of something may come: a token bucket of which only the time is kept at which it will be full again."""

from __future__ import annotations

from typing import NamedTuple


class Bound(NamedTuple):
    """So many at once, and so many per second."""

    burst: int
    per_second: float

    def taken(self, count: int, full_at: float, now: float) -> float:
        """When the bucket will be full if `count` more are taken, be they there or not.

        Args:
            count: how many.
            full_at: when it would be full without them; 0.0 at first.
            now: the time.
        """
        return max(full_at, now) + count / self.per_second

    def late_s(self, full_at: float, now: float) -> float:
        """For how long it will hold less than nothing; 0.0 if it does not."""
        return max(0.0, full_at - now - self.burst / self.per_second)

    def after(self, count: int, full_at: float, now: float) -> float | None:
        """As `taken`; None if there are not as many."""
        full_at = self.taken(count, full_at, now)
        return None if self.late_s(full_at, now) else full_at
