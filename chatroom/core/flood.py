"""Rate limits: token buckets, as arithmetic on a time that is passed in."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Rate:
    """A rate limit: `burst` at once, then `per_second`; both above 0."""

    burst: float
    per_second: float


class Bucket:
    """The tokens that one session has left; `now` is in seconds of any one clock."""

    __slots__ = ("_rate", "_then", "_tokens")

    def __init__(self, rate: Rate, now: float) -> None:
        self._rate = rate
        self._tokens = rate.burst
        self._then = now

    def take(self, now: float, cost: float = 1.0) -> float:
        """Take `cost` tokens, or nothing.

        If the clock goes back, nothing is refilled until it advances again.

        Returns:
            0.0 if granted; otherwise the seconds after which it would be. A cost above the burst is never granted: the
            seconds are then those for that many tokens.
        """
        elapsed = max(0.0, now - self._then)
        self._then = now
        self._tokens = min(self._rate.burst, self._tokens + elapsed * self._rate.per_second)
        if cost <= self._tokens:
            self._tokens -= cost
            return 0.0
        return (cost - self._tokens) / self._rate.per_second
