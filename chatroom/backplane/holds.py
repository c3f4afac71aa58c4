"""Names held for people whose connection was cut: who may have them back, and until when."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

MOST_HELD: Final = 100_000  # names at once, the latest


@dataclass(frozen=True, slots=True)
class _Hold:
    key: str
    name: str
    identity: str
    until: float


class Holds:
    """The holds of every room, in memory; expired ones are removed as new ones come, so memory follows what is held."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._now = monotonic
        # Two ways to the same hold. Insertion order is nearly the order of expiry, which makes sweeping cheap.
        self._by_key: dict[tuple[str, str], _Hold] = {}
        self._by_identity: dict[tuple[str, str], _Hold] = {}

    def hold(self, room: str, key: str, name: str, identity: str, seconds: float) -> None:
        """Keep a name for an identity: one per room, the newest."""
        self._sweep()
        self.release(room, identity)
        if len(self._by_identity) >= MOST_HELD:
            self.release(*next(iter(self._by_identity)))
        held = _Hold(key, name, identity, self._now() + seconds)
        self._by_key[room, key] = held
        self._by_identity[room, identity] = held

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
        return held.name if held.until > self._now() else None

    def _sweep(self) -> None:
        now = self._now()
        while self._by_identity:
            (room, identity), held = next(iter(self._by_identity.items()))
            if held.until > now:
                return
            self.release(room, identity)
