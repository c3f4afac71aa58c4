"""What a connection and its loop agree on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, TypeVar

_Connection = TypeVar("_Connection", contravariant=True)


class Owner(Protocol[_Connection]):
    """What a connection needs from its loop."""

    outbox_limit_bytes: int
    outbox_limit_packets: int
    linger_s: float
    generation: int  # counts how often the `send` of any connection was replaced

    def reader_of(self, connection: _Connection) -> Callable[[int], None]:
        """What to call when something has come for it."""

    def writer_of(self, connection: _Connection) -> Callable[[int], None]:
        """What to call when its kernel buffer has room again, or it was lost."""

    def send(self, connection: _Connection, frame: bytes) -> None:
        """Send it `frame` at the end of the turn."""

    def expect(self, connection: _Connection, within_s: float | None) -> None:
        """Set its one deadline, or remove it with None."""

    def keep_unfinished(self, connection: _Connection, size: int) -> None:
        """So many bytes of unfinished input are kept for it now; this may close it."""

    def leave(self, connection: _Connection) -> None:
        """It is being closed and no longer counts."""

    def forget(self, connection: _Connection) -> None:
        """It is closed."""
