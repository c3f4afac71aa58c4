"""Reads, and work that newcomers wait for: only so much in each turn of the loop, and address after address.

It knows calls and addresses. Without it, one turn would do what hundreds of connections ask for, and everyone else
would wait for its end.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from chatroom import runtime
from chatroom.net.gate import Account
from chatroom.runtime import Rounds


class Turns:
    """Calls that wait for a turn of the loop.

    Args:
        turn_s: how much computing time they may take in a turn; one call is made in any case.
        group_of: the group of an address; each group has one call after the other.
        meter: measures that time.
    """

    def __init__(
        self,
        turn_s: float = 0.003,
        *,
        group_of: Callable[[str], str] = str,
        meter: runtime.Meter | None = None,
    ) -> None:
        self.meter = meter or runtime.Meter(time.monotonic, time.thread_time)
        self._turn_s = turn_s
        self._group_of = group_of
        self._calls: Rounds[Callable[[], None]] = Rounds()
        self._scheduled = False

    def put(self, address: str, call: Callable[[], None], account: Account | None = None) -> None:
        """Make this call at the end of a turn. It must not raise.

        Args:
            account: that of the client's address, if it is known: behind a proxy, many clients have one address.
        """
        self._calls.append(call, self._group_of(address) if account is None else account)
        self._schedule()

    def _schedule(self) -> None:
        if not self._scheduled:
            self._scheduled = True
            runtime.call_last(self._run)

    def _run(self) -> None:
        self._scheduled = False
        start = self.meter.begin()
        while self._calls.length:
            self._calls.popleft()()
            if self.meter.has_taken(start, self._turn_s):
                break
        if self._calls.length:
            self._schedule()
