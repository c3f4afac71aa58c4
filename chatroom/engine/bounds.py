"""How much of something may come: the bounds of HTTP requests, and a token bucket.

Of the bucket, only the time is kept at which it will be full again.
"""

from __future__ import annotations

from dataclasses import dataclass
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


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpLimits:
    """How long a request may be, and how long its parts may take.

    Attributes:
        head_timeout_s: for the request head, from the first byte, or from the connect, on.
        body_timeout_s: for the body, from the head on.
        keepalive_timeout_s: how long an idle connection is kept.
        response_timeout_s: how long a peer may take to accept a response.
    """

    max_head_bytes: int
    max_body_bytes: int
    head_timeout_s: float
    body_timeout_s: float
    keepalive_timeout_s: float
    response_timeout_s: float
