"""Rate limits: token buckets, as arithmetic on a time that is passed in."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Rate:
    """A rate limit: `burst` at once, then `per_second`; both above 0."""

    burst: float
    per_second: float


class Bucket:
    """The tokens that one session has left; `now` is in seconds of any one clock."""

    __slots__ = ("_then", "_tokens", "rate")

    def __init__(self, rate: Rate, now: float) -> None:
        self.rate = rate
        self._tokens = rate.burst
        self._then = now

    def take(self, now: float, cost: float = 1.0) -> float:
        """Take `cost` tokens, or nothing.

        Returns:
            0.0 if granted; otherwise the seconds after which it would be, as `wait` says.
        """
        if now != self._then:
            self._refill(now)
        if cost > self._tokens:
            return (cost - self._tokens) / self.rate.per_second
        self._tokens -= cost
        return 0.0

    def wait(self, now: float, cost: float = 1.0) -> float:
        """Say whether `take` would grant `cost` tokens.

        If the clock goes back, nothing is refilled until it advances again.

        Returns:
            0.0 if so; otherwise the seconds after which it would. A cost above the burst is never granted: the
            seconds are then those for that many tokens.
        """
        if now != self._then:
            self._refill(now)
        return 0.0 if cost <= self._tokens else (cost - self._tokens) / self.rate.per_second

    def spent(self, now: float) -> float:
        """How many tokens are missing."""
        if now != self._then:
            self._refill(now)
        return self.rate.burst - self._tokens

    def give_back(self, cost: float = 1.0) -> None:
        """Undo what `take` has granted."""
        self._tokens += cost

    def charge(self, now: float, cost: float) -> None:
        """Take `cost` tokens for what was done already; later tokens pay for what is owed, at most a burst."""
        if now != self._then:
            self._refill(now)
        self._tokens -= cost
        if self._tokens < -self.rate.burst:
            self._tokens = -self.rate.burst

    def _refill(self, now: float) -> None:
        if now > self._then:
            self._tokens += (now - self._then) * self.rate.per_second
            if self._tokens > self.rate.burst:
                self._tokens = self.rate.burst
        self._then = now
