"""One terminal's connection: lines out of its bytes, and whether its reader is behind.

It knows the socket layer. What the lines mean is its owner's business, and it does not know who that is.
"""

from __future__ import annotations

import socket
from typing import Final, Protocol

from chatroom.gateways.line.codec import LineDecoder
from chatroom.net.connection import Connection, Role
from chatroom.net.loop import Loop

PEEK_BYTES: Final = 64 * 1024
BEHIND_BYTES: Final = 32 * 1024  # with more to read a peer is behind, and asks for no more


class Owner(Protocol):
    """Whose connection it is."""

    def received(self) -> None:
        """The decoder has new input."""

    def ended(self) -> None:
        """The peer has sent its last; it may still read."""

    def lost(self) -> None:
        """The connection is no more."""

    def caught_up(self) -> None:
        """The peer is no longer behind."""

    def fell_behind(self) -> None:
        """The peer reads too slowly: more waits for it than may. The connection must be finished or aborted."""

    def idled(self) -> None:
        """The time that was given by `LineConnection.expect_line` has passed."""


class LineConnection(Role):
    """A connected terminal. Nothing in it waits.

    Args:
        sock: non-blocking.
        loop: where the connection lives.
        max_line_bytes: the longest line.

    Attributes:
        has_more: besides what was read last, something has come.
    """

    __slots__ = ("connection", "decoder", "has_more", "owner")

    receive_bytes = 1024  # so that the worst of input keeps the loop for about a millisecond

    def __init__(self, sock: socket.socket, loop: Loop, max_line_bytes: int) -> None:
        self.owner: Owner | None = None
        self.decoder = LineDecoder(max_line_bytes)
        self.has_more = False
        self.connection = loop.attach(sock, self, reading=False)
        self.connection.keep_alive()

    @property
    def is_open(self) -> bool:
        """Whether it is neither closed nor being closed."""
        return self.connection.role is self

    @property
    def is_behind(self) -> bool:
        """Whether so much waits for the peer that what adds to it should wait; `Owner.caught_up` tells when no more."""
        return self.connection.outbox_bytes > BEHIND_BYTES

    # In

    def read_on(self) -> None:
        """Have the owner told of what comes."""
        if self.is_open:
            self.connection.read_on()

    def read_off(self) -> None:
        """Let input wait in the kernel, and the peer with it."""
        if self.is_open:
            self.connection.read_off()

    def received(self, connection: Connection, data: bytes) -> None:
        if self.owner is None:
            return
        if data:
            self.decoder.receive(data)
            self.has_more = len(data) == self.receive_bytes and bool(self.peek(1))
            self.owner.received()
        else:
            connection.read_off()
            self.owner.ended()

    def peek(self, size: int = PEEK_BYTES) -> bytes:
        """What has come and is not read yet, or its beginning."""
        return self.connection.peek(size)

    # Out

    def write(self, data: bytes) -> None:
        """Send `data` at the end of this turn."""
        if self.is_open:
            self.connection.loop.send(self.connection, data)

    def drained(self, connection: Connection) -> None:
        if self.owner is not None:
            self.owner.caught_up()

    def overflowed(self, connection: Connection) -> None:
        if self.owner is not None:
            self.owner.fell_behind()
        else:
            super().overflowed(connection)

    def expect_line(self, within_s: float) -> None:
        """Have the owner told when so much time has passed, unless this is called again."""
        if self.is_open:
            self.connection.expect(within_s)

    def expired(self, connection: Connection) -> None:
        if self.owner is not None:
            self.owner.idled()

    # The end

    def finish(self, farewell: bytes = b"", *, drop: bool = False) -> None:
        """Send what waits and a farewell, then close; what still comes is not looked at.

        Args:
            drop: what waits is thrown away, since the peer does not read it.
        """
        self.owner = None
        # Something may stand in the line already.
        self.connection.finish(b"\r\n" + farewell if drop else farewell, drop=drop)

    def abort(self) -> None:
        """Close now."""
        self.connection.abort("aborted")

    def lost(self, connection: Connection, reason: str) -> None:
        owner, self.owner = self.owner, None
        if owner is not None:
            owner.lost()
