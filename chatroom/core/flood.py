"""How much is too much: token buckets, as arithmetic on a time that is given."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Rate:
    """How much may be done: `burst` at once, then `per_second` for good; both above 0."""

    burst: float
    per_second: float


class Bucket:
    """What one session has left of a rate; `now` is in seconds of any one clock."""

    __slots__ = ("_rate", "_then", "_tokens")

    def __init__(self, rate: Rate, now: float) -> None:
        self._rate = rate
        self._tokens = rate.burst
        self._then = now

    def take(self, now: float, cost: float = 1.0) -> float:
        """Take `cost` tokens, or nothing.

        A clock that goes back refills nothing until it moves on from where it is.

        Returns:
            0.0 if granted; otherwise the seconds after which it would be. A cost above the burst never is:
            the wait is then the one for a full bucket's worth and the rest.
        """
        elapsed = max(0.0, now - self._then)
        self._then = now
        self._tokens = min(self._rate.burst, self._tokens + elapsed * self._rate.per_second)
        if cost <= self._tokens:
            self._tokens -= cost
            return 0.0
        return (cost - self._tokens) / self._rate.per_second
