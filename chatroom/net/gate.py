"""Whether a client may have another session: the engine and the gateways ask, and their owner answers."""

from __future__ import annotations

from typing import Protocol


class Gate(Protocol):
    """Counts the sessions of each client address."""

    def session_opened(self, client: str) -> float:
        """A client wants a session; returns 0.0 if it may have it, else the seconds after which to try again."""

    def session_closed(self, client: str) -> None:
        """A session that was granted to this client is over."""
