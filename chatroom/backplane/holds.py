"""Names held for people whose connection was cut: who may have them back, and until when."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice, takewhile
from typing import Final

from chatroom.core.addresses import Address
from chatroom.core.budgets import SITE_FACTOR

MOST_HELD: Final = 100_000  # names at once, the latest
_MOST_FORGOTTEN: Final = 1_000  # at a time, which takes a millisecond


@dataclass(frozen=True, slots=True)
class _Hold:
    key: str
    name: str
    identity: str
    until: float
    address: Address | None


class Holds:
    """The holds of every room, in memory.

    Args:
        monotonic: a clock in seconds.
        per_address: the most names held for one address; None for no bound.
    """

    def __init__(self, monotonic: Callable[[], float], per_address: int | None = None) -> None:
        self._now = monotonic
        self._per_address = per_address
        # Two ways to the same hold. Insertion order is nearly the order of expiry, which makes sweeping cheap.
        self._by_key: dict[tuple[str, str], _Hold] = {}
        self._by_identity: dict[tuple[str, str], _Hold] = {}
        # By address and by site: the rooms and identities, the oldest first.
        self._by_address: dict[str, dict[tuple[str, str], None]] = {}

    def hold(
        self, room: str, key: str, name: str, identity: str, seconds: float, address: Address | None = None
    ) -> None:
        """Keep a name for an identity: one per room, the newest.

        Args:
            address: where the identity came from. If too many names are held for it, or for its site, the oldest is
                released.
        """
        self.forget_expired()
        self.release(room, identity)
        if len(self._by_identity) >= MOST_HELD:
            self.release(*next(iter(self._by_identity)))
        held = _Hold(key, name, identity, self._now() + seconds, address)
        self._by_key[room, key] = held
        self._by_identity[room, identity] = held
        for counted, most in self._bounds(address):
            of_address = self._by_address.setdefault(counted, {})
            of_address[room, identity] = None
            if len(of_address) > most:
                self.release(*next(iter(of_address)))

    def holder(self, room: str, key: str) -> str | None:
        """The identity that the name is held for now, or None."""
        held = self._by_key.get((room, key))
        return held.identity if held is not None and held.until > self._now() else None

    def release(self, room: str, identity: str) -> str | None:
        """End the hold; returns the name if it had not expired."""
        held = self._by_identity.pop((room, identity), None)
        if held is None:
            return None
        if self._by_key.get((room, held.key)) is held:
            del self._by_key[room, held.key]
        for counted, _ in self._bounds(held.address):
            of_address = self._by_address[counted]
            of_address.pop((room, identity), None)
            if not of_address:
                del self._by_address[counted]
        return held.name if held.until > self._now() else None

    def _bounds(self, address: Address | None) -> tuple[tuple[str, int], ...]:
        """What a hold of this address counts for, and how many names may be held for each."""
        most = self._per_address
        if most is None or address is None:
            return ()
        if address.site == address.key:
            return ((address.key, most),)
        return (address.key, most), (address.site, most * SITE_FACTOR)

    def forget_expired(self) -> None:
        """Forget the names and addresses of holds whose time is over; of many, some at each call."""
        now = self._now()
        oldest = islice(self._by_identity.items(), _MOST_FORGOTTEN)
        for (room, identity), _ in list(takewhile(lambda item: item[1].until <= now, oldest)):
            self.release(room, identity)
