"""What carries a session's packets: the interface that `polling` and `websocket` implement."""

from __future__ import annotations

from typing import Final, Protocol

from chatroom.net.connection import Connection

Packet = str | bytes
"""An Engine.IO packet as text, or the bytes of a binary message."""


class Transport(Protocol):
    """The way between a session and its client."""

    @property
    def connection(self) -> Connection | None:
        """Where frames that are the same for many may be published; None if every packet must go through `send`."""

    @property
    def reading(self) -> bool:
        """Whether what the client sends is taken; a pong may be waiting if not."""

    @property
    def waiting_bytes(self) -> int:
        """How much of what was sent the client has not taken."""

    def send(self, packet: Packet) -> None:
        """Let the client have a packet, in the order of these calls. A client that takes too little is dropped."""

    def raise_limit(self, limit_bytes: int) -> None:
        """Let at least so much wait for the client."""

    def pause(self) -> None:
        """Take nothing more of what the client sends, until `resume`."""

    def resume(self) -> None:
        """Take what the client sends again."""

    def hand_over(self) -> list[Packet]:
        """Give up what waits for the client: another transport carries the session from now on."""

    def close(self, reason: str) -> None:
        """End it, after what waits has been sent if the reason permits; the session hears no more of it."""


class _NoTransport:
    """Of a session that has none yet, or none any more."""

    connection = None
    reading = True
    waiting_bytes = 0

    def send(self, packet: Packet) -> None:
        """Nobody is there."""

    def raise_limit(self, limit_bytes: int) -> None:
        """Nothing waits."""

    def pause(self) -> None:
        """Nothing comes."""

    def resume(self) -> None:
        """Nothing comes."""

    def hand_over(self) -> list[Packet]:
        return []

    def close(self, reason: str) -> None:
        """It is."""


NO_TRANSPORT: Final[Transport] = _NoTransport()
