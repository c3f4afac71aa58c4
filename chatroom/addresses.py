"""The addresses that clients come from, and the budget of each: in memory, bounded, and soon forgotten.

It knows which budget is whose. `core/budgets` says what a budget permits, and the callers refuse the rest.
Nothing here is written to the disk or to the log.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice, takewhile
from typing import Final

from chatroom.core.addresses import Address, counted_address
from chatroom.core.budgets import SITE_FACTOR, AddressBudget, Allowance, Kind, Outboxes

_MOST: Final = 100_000
_OUTBOX_BYTES: Final = 256_000_000  # whatever the scale: it is about the memory of the machine
_MOST_FORGOTTEN: Final = 2_000  # at a time, which takes a millisecond
_FORGET_S: Final = 900.0  # by then a budget is full again, and no bar lasts as long


class Addresses:
    """The budgets of all addresses.

    Those with sessions are kept. Of the others, the most recently used are kept for a while.

    Args:
        allowance: what each address may have and do.
        monotonic: a clock in seconds.
        most: how many are kept, as far as they have no sessions.
        outbox_bytes: that may wait for the clients of all addresses together.
    """

    def __init__(
        self,
        allowance: Allowance,
        monotonic: Callable[[], float],
        *,
        most: int = _MOST,
        outbox_bytes: int = _OUTBOX_BYTES,
    ) -> None:
        self._allowance = allowance
        self._site_allowance = allowance.scaled(SITE_FACTOR)
        self._monotonic = monotonic
        self._most = most
        self._outboxes = Outboxes(outbox_bytes)
        self._used: dict[str, AddressBudget] = {}  # with sessions
        # The others, with their last use, oldest first.
        self._idle: dict[str, tuple[float, AddressBudget]] = {}

    def __len__(self) -> int:
        return len(self._used) + len(self._idle)

    def session_opened(self, client: str) -> float:
        """A client wants a session; returns 0.0 if it may have it, else the seconds after which to try again."""
        address = counted_address(client)
        budget = self._find(address)
        wait_s = budget.open_session(self._monotonic())
        if not wait_s:
            self._use(address.key, budget)
            if budget.site is not None:
                self._use(address.site, budget.site)
        return wait_s

    def session_closed(self, client: str) -> None:
        """A session that was granted to this client is over."""
        address = counted_address(client)
        budget = self._used[address.key]
        budget.close_session()
        self._rest(address.key, budget)
        if budget.site is not None:
            self._rest(address.site, budget.site)

    def session_cut(self, client: str) -> None:
        """A session of this client is being closed because it floods."""
        self.budget_of(client).session_cut(self._monotonic())

    def budget_of(self, client: str) -> AddressBudget:
        """The budget of a client's address."""
        budget = self._used.get(client)  # an IPv4 address is counted as it is written
        return self._find(counted_address(client)) if budget is None else budget

    account_of = budget_of

    def requests_wait_s(self, client: str) -> float:
        """For how long HTTP requests of this client are refused; 0.0 if they are not."""
        return self.budget_of(client).owed_s(Kind.REQUEST, self._monotonic())

    def health_wait_s(self, client: str) -> float:
        """Count a health check of a client whose requests are refused; returns for how long to refuse it as well."""
        return self.budget_of(client).spend(Kind.HEALTH, self._monotonic())

    def charge_request(self, client: str, seconds: float) -> None:
        """Charge so much computing time of one of this client's requests.

        Args:
            seconds: negative to return what an earlier charge took too much.
        """
        self.budget_of(client).charge(Kind.REQUEST, self._monotonic(), seconds)

    def _find(self, address: Address) -> AddressBudget:
        budget = self._used.get(address.key)
        if budget is not None:
            return budget
        site = None if address.site == address.key else self._find_site(address.site)
        now = self._monotonic()
        _, budget = self._idle.pop(address.key, (now, None))
        if budget is None:
            budget = AddressBudget(self._allowance, outboxes=self._outboxes)
        budget.site = site  # an idle one's may have been forgotten
        self._put_idle(address.key, budget, now)
        return budget

    def _find_site(self, name: str) -> AddressBudget:
        site = self._used.get(name)
        if site is None:
            now = self._monotonic()
            _, site = self._idle.pop(name, (now, None))
            if site is None:
                site = AddressBudget(self._site_allowance)
            self._put_idle(name, site, now)
        return site

    def _use(self, name: str, budget: AddressBudget) -> None:
        self._idle.pop(name, None)
        self._used[name] = budget

    def _rest(self, name: str, budget: AddressBudget) -> None:
        if not budget.sessions:
            del self._used[name]
            self._put_idle(name, budget, self._monotonic())

    def _put_idle(self, name: str, budget: AddressBudget, now: float) -> None:
        idle = self._idle
        idle[name] = (now, budget)
        if len(self) > self._most:
            for oldest in list(islice(idle, 2)):  # one more came, so they become fewer
                if oldest != name:
                    del idle[oldest]

    def forget_expired(self) -> None:
        """Forget those that nobody has come from for a while; of many, some at each call."""
        until = self._monotonic() - _FORGET_S
        oldest = islice(self._idle.items(), _MOST_FORGOTTEN)
        for name, _ in list(takewhile(lambda item: item[1][0] < until, oldest)):
            del self._idle[name]
