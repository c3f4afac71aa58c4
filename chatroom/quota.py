"""What one session may still do: its own rates, what is left of shared budgets, and how often it was refused.

Gateways and the service ask it before they do anything for a client. `core/budgets` has the numbers and the arithmetic.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from chatroom.core.budgets import (
    AddressBudget,
    Kind,
    event_cost,
    message_cost,
)
from chatroom.core.conduct import CROWDED_S, Conduct, Verdict
from chatroom.core.errors import RateLimited
from chatroom.core.flood import Bucket, Rate
from chatroom.core.room_budget import RoomBudget, message_size

_MESSAGE, _EVENT, _CPU = Kind.MESSAGE, Kind.EVENT, Kind.CPU  # looking them up takes as long as a call
_FOR_MESSAGES: Final = 0.25  # of a room's budget, kept for messages and whispers
_BACKLOG_WAIT_S: Final = 1.0
_ANSWER_EVERY_S: Final = 1.0  # while a session is silenced


class Quota:
    """The quota of one session.

    Args:
        rates: its own; a kind without one has none.
        budget: its address's; None without limits.
        monotonic: a clock in seconds.
    """

    __slots__ = ("_answered_at", "_buckets", "_budget", "_conduct", "_monotonic", "_rates")

    def __init__(
        self, rates: Mapping[Kind, Rate], budget: AddressBudget | None, monotonic: Callable[[], float]
    ) -> None:
        self._rates = rates
        self._budget = budget
        self._monotonic = monotonic
        self._buckets: dict[Kind, Bucket] = {}
        self._conduct: Conduct | None = None
        self._answered_at = float("-inf")

    def spend(
        self,
        kind: Kind,
        cost: float = 1.0,
        *,
        own: float = 1.0,
        room: RoomBudget | None = None,
        size: int = 0,
    ) -> None:
        """Count one thing of a kind, which costs its address `cost`.

        Args:
            own: what it costs the session.
            room: the budget of the room whose members receive it.
            size: how many bytes each of them receives.

        Raises:
            RateLimited: the session, its address or the room is over its limit; nothing is spent.
        """
        self._spend(kind, cost, self._monotonic(), own, room, size)

    def _spend(
        self, kind: Kind, cost: float, now: float, own: float, room: RoomBudget | None = None, size: int = 0
    ) -> None:
        bucket, budget = self._buckets.get(kind), self._budget
        if bucket is None and kind in self._rates:
            bucket = self._buckets[kind] = Bucket(self._rates[kind], now)
        if bucket is not None and own > bucket.rate.burst:
            own = bucket.rate.burst
        # Each message comes here: to spend, and give back if a later one refuses, costs less than to ask all first.
        if bucket is None or not bucket.take(now, own):
            if budget is None or not budget.spend(kind, now, cost):
                if budget is None or room is None or not room.spend(now, size, _kept(budget, kind, now)):
                    return
                budget.give_back(kind, cost)
            if bucket is not None:
                bucket.give_back(own)
        wait_s = bucket.wait(now, own) if bucket is not None else 0.0
        if budget is not None:
            wait_s = max(wait_s, budget.wait(kind, now, cost))
            if room is not None:
                wait_s = max(wait_s, room.wait(now, size, _kept(budget, kind, now, cost)))
        raise RateLimited(retry_after=round(wait_s, 3))

    def spend_text(self, text: str, room: RoomBudget | None) -> None:
        """Count a message or a whisper.

        Raises:
            RateLimited: as `spend`.
        """
        self._spend(_MESSAGE, message_cost(len(text)), self._monotonic(), 1.0, room, message_size(text))

    def give_back_text(self, text: str) -> None:
        """Undo what `spend_text` has granted without a room."""
        if (bucket := self._buckets.get(_MESSAGE)) is not None:
            bucket.give_back()
        if self._budget is not None:
            self._budget.give_back(_MESSAGE, message_cost(len(text)))

    def give_back_return(self) -> None:
        """Undo what the new session of someone who was here before a restart has cost their address.

        Otherwise many people behind one address would come back no faster than strangers may.
        """
        if self._budget is not None:
            self._budget.give_back(Kind.SESSION, 1)
            self._budget.give_back(Kind.JOIN, 1)

    def spend_event(self, length: int = 0) -> None:
        """Count one event of any kind, before it is read.

        Args:
            length: how long it is.

        Raises:
            RateLimited: there were too many, the session is silenced, or its address owes computing time.
        """
        now = self._monotonic()
        if self._conduct is not None and (silent_s := self._conduct.silent_s(now)):
            raise RateLimited(retry_after=round(silent_s, 3))
        if self._budget is not None and (owed_s := self._budget.owed_s(_CPU, now)):
            raise RateLimited(retry_after=round(owed_s, 3))
        cost = event_cost(length)
        self._spend(_EVENT, cost, now, cost)

    def refuse_backlog(self) -> None:
        """Refuse an event of a client that sends more than is handled, be there limits.

        Otherwise a slow server would never refuse it, since what is handled keeps within all limits.

        Raises:
            RateLimited: the client has to wait.
        """
        if self._budget is not None:
            raise RateLimited(retry_after=_BACKLOG_WAIT_S)

    def charge_cpu(self, seconds: float) -> None:
        """Charge the address for computing time that an event has taken.

        One event takes at most all that may be spent at once: what was done for others meanwhile, while it waited or
        the memory was cleaned up, then makes nobody owe anything who has spent nothing before.
        """
        if self._budget is not None:
            self._budget.charge_one(_CPU, self._monotonic(), seconds)

    def silent_s(self) -> float:
        """For how long the session's events are not read, because too many were refused."""
        return 0.0 if self._conduct is None else self._conduct.silent_s(self._monotonic())

    def refused(self, refused: RateLimited, waiting: int = 0) -> tuple[Verdict, RateLimited]:
        """Count one refusal for a rate: what follows from it, and the refusal with the time to wait.

        Args:
            waiting: how many events came after the refused one, as much too soon, and are not handled yet.
        """
        if self._budget is None:
            return Verdict.REFUSE, refused
        conduct = self._conduct = self._conduct or Conduct()
        now = self._monotonic()
        self._budget.charge(Kind.REFUSAL, now, 1.0)
        used = self._budget.used(Kind.REFUSAL, now)
        verdict = conduct.refused(now, waiting=waiting, crowded=used > 1)
        wait_s = round(max(refused.retry_after, conduct.silent_s(now), min(used, 1) * CROWDED_S), 3)
        conduct.wait_until = now + wait_s
        return verdict, refused.later(wait_s)

    def may_answer(self) -> bool:
        """Whether a refusal is answered now: always, but while the session is silenced only once per second."""
        if not self.silent_s():
            return True
        now = self._monotonic()
        if now - self._answered_at < _ANSWER_EVERY_S:
            return False
        self._answered_at = now
        return True


def _kept(budget: AddressBudget, kind: Kind, now: float, cost: float = 0.0) -> float:
    """The part of a room's budget that a sender leaves to others."""
    return budget.used(kind, now, cost) + (0.0 if kind is _MESSAGE else _FOR_MESSAGES)
