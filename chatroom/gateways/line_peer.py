"""One terminal's connection: its input, its outbox, its end.

It knows sockets and the loop. What the lines mean is its owner's business, and it does not know who that is.
"""

from __future__ import annotations

import logging
import socket
from collections.abc import Callable
from typing import Final, Protocol

from chatroom import runtime
from chatroom.gateways.line_codec import LineDecoder

log = logging.getLogger(__name__)

# Of the kernel's, for a peer: it would take megabytes, and the outbox's bound mean little.
SEND_BUFFER_BYTES: Final = 128 * 1024
RECEIVE_BYTES: Final = 1024  # read at once, so that the worst of input keeps the loop for about a millisecond
PEEK_BYTES: Final = 64 * 1024
BEHIND_BYTES: Final = 32 * 1024  # with more to show a peer is behind, and asks for no more
LINGER_S: Final = 5.0  # time for the peer to take a farewell

_KEEPALIVE: Final = {"TCP_KEEPIDLE": 60, "TCP_KEEPINTVL": 20, "TCP_KEEPCNT": 4, "TCP_USER_TIMEOUT": 140_000}


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
        """The peer reads too slowly: more waits for it than may."""


class Turn:
    """Sends at the end of a turn of the loop what was written in it: one send a peer."""

    def __init__(self) -> None:
        self._peers: list[Peer] = []

    def add(self, peer: Peer) -> None:
        if not self._peers:
            runtime.call_last(self._flush)
        self._peers.append(peer)

    def _flush(self) -> None:
        peers, self._peers = self._peers, []
        for peer in peers:
            try:
                peer.flush()
            except Exception:
                # One peer's fault must spare the others of this turn: they would never be sent to again.
                log.exception("a line connection failed and is closed")
                peer.abort()


class Peer:
    """A connected terminal. Nothing in it waits.

    Args:
        sock: non-blocking.
        outbox_limit_bytes: how much may wait for a peer who reads slowly.
        max_line_bytes: the longest line.

    Attributes:
        has_more: besides what was read last, something has come.
        deadline: when the connection is closed whatever the peer does; set once it is finishing.
    """

    __slots__ = (
        "_in_turn",
        "_now",
        "_out",
        "_out_bytes",
        "_outbox_limit_bytes",
        "_peer_ended",
        "_reader",
        "_sock",
        "_turn",
        "_writer",
        "closed",
        "deadline",
        "decoder",
        "finishing",
        "has_more",
        "owner",
    )

    def __init__(
        self,
        sock: socket.socket,
        turn: Turn,
        now: Callable[[], float],
        outbox_limit_bytes: int,
        max_line_bytes: int,
    ) -> None:
        _prepare(sock)
        self._sock = sock
        self._turn = turn
        self._now = now
        self._outbox_limit_bytes = outbox_limit_bytes
        self._out: list[bytes] = []
        self._out_bytes = 0
        self._in_turn = False
        self._reader: runtime.Listener | None = None
        self._writer: runtime.Listener | None = None
        self._peer_ended = False
        self.owner: Owner | None = None
        self.decoder = LineDecoder(max_line_bytes)
        self.finishing = False
        self.has_more = False
        self.closed = False
        self.deadline = float("inf")

    @property
    def flushed(self) -> bool:
        """Whether the kernel has taken everything."""
        return not self._out

    @property
    def is_behind(self) -> bool:
        """Whether so much waits for the peer that what adds to it should wait; `Owner.caught_up` tells when no more."""
        return self._out_bytes > BEHIND_BYTES

    # In

    def read_on(self) -> None:
        """Have the owner told of what comes."""
        if self._reader is None and not self.closed and not self._peer_ended:
            self._reader = runtime.add_reader(self._sock.fileno(), self._readable)

    def read_off(self) -> None:
        """Let input wait in the kernel, and the peer with it."""
        if self._reader is not None:
            runtime.remove_listener(self._reader)
            self._reader = None

    def _readable(self, _fileno: int) -> None:
        try:
            data = self._sock.recv(RECEIVE_BYTES)
        except BlockingIOError:
            return
        except OSError:
            self.abort()
            return
        if not data:
            self._peer_ended = True
            self.read_off()
            if self.finishing:
                if not self._out:
                    self.abort()
            elif self.owner is not None:
                self.owner.ended()
        elif not self.finishing and self.owner is not None:
            self.decoder.receive(data)
            self.has_more = len(data) == RECEIVE_BYTES and bool(self.peek(1))
            self.owner.received()

    def peek(self, size: int = PEEK_BYTES) -> bytes:
        """What has come and is not read yet, or its beginning."""
        try:
            return self._sock.recv(size, socket.MSG_PEEK)
        except OSError:
            return b""  # nothing is there, or the peer is not

    # Out

    def write(self, data: bytes) -> None:
        """Send `data` at the end of this turn."""
        if self.finishing or self.closed:
            return
        self._out.append(data)
        self._out_bytes += len(data)
        if not self._in_turn:
            self._in_turn = True
            self._turn.add(self)

    def flush(self) -> None:
        """Hand the kernel what it takes."""
        self._in_turn = False
        if self.closed:
            return
        if self._writer is None:
            self._send()
        elif self._out_bytes > self._outbox_limit_bytes and not self.finishing and self.owner is not None:
            # Only who was behind before this turn is too slow: a burst alone is nobody's fault.
            self.owner.fell_behind()

    def _writable(self, _fileno: int) -> None:
        self._send()

    def _send(self) -> None:
        was_behind = self.is_behind
        self._send_what_goes()
        if was_behind and not self.is_behind and not self.finishing and self.owner is not None:
            self.owner.caught_up()

    def _send_what_goes(self) -> None:
        if self._out:
            data = b"".join(self._out) if len(self._out) > 1 else self._out[0]
            try:
                sent = self._sock.send(data)
            except BlockingIOError:
                sent = 0
            except OSError:
                self.abort()
                return
            self._out = [data[sent:]] if sent < len(data) else []
            self._out_bytes = len(data) - sent
        if self._out:
            if self._writer is None:
                self._writer = runtime.add_writer(self._sock.fileno(), self._writable)
            return
        if self._writer is not None:
            runtime.remove_listener(self._writer)
            self._writer = None
        if self.finishing:
            self._say_goodbye()

    # The end

    def finish(self, farewell: bytes = b"", *, drop: bool = False) -> None:
        """Send what waits and a farewell, then close; what still comes is not looked at.

        Args:
            drop: what waits is thrown away, since the peer does not read it.
        """
        if self.closed or self.finishing:
            return
        if drop:
            self._out = [b"\r\n"]  # something may stand in the line already
        self._out.append(farewell)
        self.finishing = True
        self.deadline = self._now() + LINGER_S
        if self._writer is None and not self._in_turn:
            self._in_turn = True
            self._turn.add(self)
        self.read_on()

    def _say_goodbye(self) -> None:
        if self._peer_ended:
            self.abort()
            return
        try:
            # Closed at once, with input unread, the kernel would take back what the peer has not read yet.
            self._sock.shutdown(socket.SHUT_WR)
        except OSError:
            self.abort()

    def abort(self) -> None:
        """Close now."""
        if self.closed:
            return
        self.closed = True
        self.read_off()
        if self._writer is not None:
            runtime.remove_listener(self._writer)
            self._writer = None
        self._out = []
        self._sock.close()
        owner, self.owner = self.owner, None
        if owner is not None:
            owner.lost()


def _prepare(sock: socket.socket) -> None:
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER_BYTES)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    for name, value in _KEEPALIVE.items():
        if hasattr(socket, name):  # not every system has all of them
            sock.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
