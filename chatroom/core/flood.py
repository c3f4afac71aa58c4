"""Rate limits: token buckets, as arithmetic on a time that is passed in."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Rate:
    """A rate limit: `burst` at once, then `per_second`; both above 0."""

    burst: float
    per_second: float


class Bucket:
    """The tokens that one session has left; `now` is in seconds of any one clock."""

    __slots__ = ("_burst", "_per_second", "_then", "_tokens", "rate")

    def __init__(self, rate: Rate, now: float) -> None:
        self.rate = rate
        self._per_second = rate.per_second
        self._tokens = self._burst = rate.burst
        self._then = now

    def take(self, now: float, cost: float = 1.0, kept: float = 0.0) -> float:
        """Take `cost` tokens if at least `kept` are left then; otherwise take nothing.

        Returns:
            0.0 if granted; otherwise the seconds after which it would be, as `wait` says.
        """
        tokens = self._tokens
        if now > self._then:  # as `_refill`, without a call: each message takes from several buckets
            tokens += (now - self._then) * self._per_second
            if tokens > self._burst:
                tokens = self._burst
        self._then = now
        missing = cost + kept - tokens
        if missing > 0:
            self._tokens = tokens
            return missing / self._per_second
        self._tokens = tokens - cost
        return 0.0

    def wait(self, now: float, cost: float = 1.0) -> float:
        """Say whether `take` would grant `cost` tokens.

        If the clock goes back, nothing is refilled until it advances again.

        Returns:
            0.0 if so; otherwise the seconds after which it would. A cost above the burst is never granted: the
            seconds are then those for that many tokens.
        """
        if cost > self._tokens:
            self._refill(now)
        return 0.0 if cost <= self._tokens else (cost - self._tokens) / self._per_second

    def spent(self, now: float) -> float:
        """How many tokens are missing."""
        if now != self._then:
            self._refill(now)
        return self._burst - self._tokens

    def give_back(self, cost: float = 1.0) -> None:
        """Undo what `take` has granted."""
        self._tokens += cost

    def charge(self, now: float, cost: float) -> None:
        """Take `cost` tokens for what was done already, even if they are not there: at most a burst can be owed."""
        self._refill(now)
        self._tokens -= cost
        if self._tokens < -self._burst:
            self._tokens = -self._burst

    def _refill(self, now: float) -> None:
        if now > self._then:
            self._tokens += (now - self._then) * self._per_second
            if self._tokens > self._burst:
                self._tokens = self._burst
        self._then = now
