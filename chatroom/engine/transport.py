"""What carries a session's packets: the interface that `polling` and `websocket` implement."""

from __future__ import annotations

from typing import Final, Protocol

from chatroom.net.connection import Connection

Packet = str | bytes
"""An Engine.IO packet as text, or the bytes of a binary message."""


class Transport(Protocol):
    """Carries packets between a session and its client."""

    @property
    def connection(self) -> Connection | None:
        """Where frames for many clients may be published; None if every packet must go through `send`."""

    @property
    def reading(self) -> bool:
        """Whether what the client sends is read; if not, a pong may be waiting."""

    @property
    def waiting_bytes(self) -> int:
        """How many of the bytes that were sent are still waiting."""

    @property
    def unread_bytes(self) -> int:
        """How many of these the client could have read by now."""

    def send(self, packet: Packet) -> None:
        """Send a packet, in the order of these calls. A client that reads too slowly is dropped."""

    def raise_limit(self, limit_bytes: int) -> None:
        """Allow at least this much to wait for the client."""

    def pause(self) -> None:
        """Stop reading what the client sends, until `resume`."""

    def resume(self) -> None:
        """Read what the client sends again."""

    def hand_over(self) -> list[Packet]:
        """Return what waits for the client: another transport carries the session from now on."""

    def close(self, reason: str) -> None:
        """Close it, after what waits has been sent if the reason permits; it no longer calls the session."""


class _NoTransport:
    """The transport of a session that has none yet, or none any more."""

    connection = None
    reading = True
    waiting_bytes = unread_bytes = 0

    def send(self, packet: Packet) -> None:
        """Drop the packet: there is no client."""

    def raise_limit(self, limit_bytes: int) -> None:
        """Nothing waits."""

    def pause(self) -> None:
        """Nothing comes."""

    def resume(self) -> None:
        """Nothing comes."""

    def hand_over(self) -> list[Packet]:
        return []

    def close(self, reason: str) -> None:
        """It is closed already."""


NO_TRANSPORT: Final[Transport] = _NoTransport()
