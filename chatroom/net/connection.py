"""A connection: a socket, the role that receives what it reads, and an outbox for what it could not write yet.

It knows bytes and the runtime. Its role knows what the bytes mean, and the loop decides when they are written.
"""

from __future__ import annotations

import logging
import socket
import struct
from collections import deque
from collections.abc import Callable
from itertools import islice
from typing import Final

from chatroom import runtime
from chatroom.net.faults import describe
from chatroom.net.gate import Account
from chatroom.net.newcomers import Newcomers
from chatroom.net.owner import Owner
from chatroom.net.reasons import HANDLER_ERROR, SLOW_READER, TRANSPORT_CLOSE, TRANSPORT_ERROR
from chatroom.net.wheel import NO_TICK

log = logging.getLogger(__name__)

Send = Callable[[bytes], int]
_RESET: Final = struct.pack("ii", 1, 0)  # SO_LINGER for no time
_GATHER = 64  # pieces of an outbox handed to one sendmsg


class Role:
    """What a connection is used for at the moment."""

    __slots__ = ()

    receive_bytes = 65_536  # the most that is read at once

    def received(self, connection: Connection, data: bytes) -> None:
        """Bytes came; empty bytes mean that the peer sends nothing more."""
        raise NotImplementedError

    def lost(self, connection: Connection, reason: str) -> None:
        """The connection was just closed, by the peer, an error or a bound.

        This may be called during a flush. It must not wait, and must send through the loop, never by `write`, which
        would overtake the frames of the flush.
        """

    def drained(self, connection: Connection) -> None:
        """The outbox is empty again."""

    def overflowed(self, connection: Connection) -> None:
        """The peer reads too slowly: its outbox is full, and what should have been sent is lost.

        The connection must be aborted or finished. Like `lost`, this may be called during a flush.
        """
        connection.abort(SLOW_READER)

    def over_budget(self, connection: Connection) -> None:
        """More waits for the connection, and now too much for its account; as in `overflowed`, some must go."""
        self.overflowed(connection)

    def expired(self, connection: Connection) -> None:
        """The deadline set by `Connection.expect` has passed."""
        connection.abort(TRANSPORT_CLOSE)


def _discard(data: bytes) -> int:
    """Replaces `send` once the connection is closed."""
    return len(data)


_ignore: Final[Send] = len  # replaces `send` while the last bytes are sent, which nothing may follow


class Connection:
    """A socket and its outbox.

    Args:
        loop: its owner.
        sock: real and non-blocking.
        role: what it is used for; whatever takes the connection over replaces it.
        address: the peer's, without its port.

    Attributes:
        account: counts what waits for it, with what waits for others of its address; None if nobody does.
        newcomers: where it is listed while it may be closed to make room; None if it never may.
    """

    __slots__ = (
        "_outbox",
        "_outbox_bytes",
        "_reader",
        "_writer",
        "account",
        "address",
        "finishing",
        "limit_bytes",
        "loop",
        "newcomers",
        "own",
        "role",
        "send",
        "sock",
        "tick",
    )

    def __init__(self, loop: Owner[Connection], sock: socket.socket, role: Role, address: str = "") -> None:
        self.loop = loop
        self.sock = sock
        self.role = role
        self.address = address
        self.send: Send = sock.send
        self.limit_bytes = loop.outbox_limit_bytes
        self.account: Account | None = None
        # This turn's direct frames, and their positions among the shared ones.
        self.own: list[tuple[int, bytes | None]] | None = None
        self.finishing = False
        self.newcomers: Newcomers[Connection] | None = None
        self.tick = NO_TICK
        self._outbox: deque[bytes | memoryview] | None = None  # what the kernel has not taken
        self._outbox_bytes = 0
        self._writer: runtime.Listener | None = None
        self._reader: runtime.Listener | None = None

    @property
    def closed(self) -> bool:
        return self.send is _discard

    @property
    def held(self) -> bool:
        """Whether `send` is not the socket's own at the moment."""
        return self._outbox is not None or self.closed

    @property
    def idle(self) -> bool:
        """Whether everything that was sent has been handed to the kernel."""
        return self._outbox is None and self.own is None

    @property
    def waiting_bytes(self) -> int:
        """How many bytes were sent to it alone, or left over from earlier turns, and are not in the kernel yet."""
        return self._outbox_bytes + sum(len(frame) for _, frame in self.own or () if frame is not None)

    @property
    def outbox_bytes(self) -> int:
        """How many bytes of earlier turns the kernel has not taken."""
        return self._outbox_bytes

    # ------------------------------------------------------------------ in

    @property
    def reading(self) -> bool:
        """Whether the role receives bytes that come."""
        return self._reader is not None

    @property
    def has_unread(self) -> bool:
        """Whether bytes wait in the kernel."""
        return bool(self.peek(1))

    def start_reading(self) -> None:
        """Let the role receive bytes that come."""
        if self._reader is None and not self.closed:
            self._reader = runtime.add_reader(self.sock.fileno(), self.loop.reader_of(self))

    def stop_reading(self) -> None:
        """Let bytes wait in the kernel, and the peer wait with them."""
        if self._reader is not None:
            runtime.remove_listener(self._reader)
            self._reader = None

    def read(self, _fileno: int = -1) -> None:
        """Let the role receive what has come."""
        if self._reader is None:
            return
        try:
            data = self.sock.recv(self.role.receive_bytes)
        except BlockingIOError:
            return
        except OSError:
            self.abort(TRANSPORT_ERROR)
            return
        try:
            self.role.received(self, data)
        except Exception as problem:
            # The outermost place that bytes reach: one log line, this connection ends, the others go on.
            log.error("a connection failed and is closed: %s", describe(problem))
            self.abort(HANDLER_ERROR)

    def peek(self, size: int) -> bytes:
        """The beginning of what has come and is not read yet."""
        try:
            return self.sock.recv(size, socket.MSG_PEEK)
        except OSError:
            return b""  # there is nothing, or the peer has left

    # ------------------------------------------------------------------ out

    def write(self, data: bytes) -> None:
        """Send now what the kernel takes; the rest waits. Only the loop may write to members of audiences."""
        try:
            sent = self.send(data)
        except BlockingIOError:
            sent = 0
        except OSError:
            self.abort(TRANSPORT_ERROR)
            return
        if sent != len(data):
            self.stall(data, sent)

    def stall(self, data: bytes, sent: int) -> None:
        """The kernel took only `sent` bytes of `data`: put the rest into an outbox."""
        self._outbox = deque((memoryview(data)[sent:] if sent else data,))
        self._replace_send(self._hold)
        self._writer = runtime.add_writer(self.sock.fileno(), self.loop.writer_of(self))
        self._count(len(data) - sent)

    def _hold(self, data: bytes) -> int:
        """Replaces `send` while the kernel takes nothing.

        The bound is on what already waits behind the piece that is being sent. So a message may have any length, and
        its reader is not taken for a slow one because of it, nor because of what follows before it has been read.
        """
        outbox = self._outbox
        if outbox is None:
            raise RuntimeError("an outbox is held that was never begun")
        waiting = self._outbox_bytes - len(outbox[0])
        if waiting > self.limit_bytes or len(outbox) >= self.loop.outbox_limit_packets:
            self._call_role(self.role.overflowed)
        else:
            outbox.append(data)
            self._count(len(data))
        return len(data)

    def charge(self, account: Account) -> None:
        """Count what waits for it under this account from now on."""
        if self.account is None and not self.closed:
            self.account = account
            account.hold(self._outbox_bytes)

    def _count(self, change: int) -> None:
        """So many bytes more wait, or less."""
        self._outbox_bytes += change
        account = self.account
        if account is not None and not account.hold(change) and change > 0:
            self._call_role(self.role.over_budget)

    def _call_role(self, call: Callable[[Connection], None]) -> None:
        try:
            call(self)
        except Exception as problem:
            # One fault must not disturb the rest of a flush, or of a turn: one log line, and this connection ends.
            log.error("a connection failed and is closed: %s", describe(problem))
            self.abort(HANDLER_ERROR)

    def write_waiting(self, _fileno: int = -1) -> None:
        """Send what the kernel takes of what waits."""
        outbox = self._outbox
        if outbox is None:
            return
        try:
            sent = self.sock.sendmsg(islice(outbox, _GATHER))
        except BlockingIOError:
            return
        except OSError:
            self.abort(TRANSPORT_ERROR)
            return
        self._count(-sent)
        while outbox and sent >= len(outbox[0]):
            sent -= len(outbox.popleft())
        if outbox:
            outbox[0] = memoryview(outbox[0])[sent:] if sent else outbox[0]
            return
        self._outbox = None
        self._replace_send(self.sock.send)
        self._stop_writing()
        if not self.finishing:
            self._call_role(self.role.drained)
        elif self.own is None:  # otherwise the last bytes wait for the flush, which closes
            self._half_close()

    def _replace_send(self, send: Send) -> None:
        self.send = send
        self.loop.generation += 1

    def _stop_writing(self) -> None:
        if self._writer is not None:
            runtime.remove_listener(self._writer)
            self._writer = None

    def expect(self, within_s: float | None) -> None:
        """Set the connection's one deadline, or remove it with None."""
        self.loop.expect(self, within_s)

    def list_as_newcomer(self, address: str) -> None:
        """Nobody who has joined uses it, but perhaps a newcomer from this address: it may be closed to make room."""
        if self.newcomers is not None and not (self.finishing or self.closed):
            self.newcomers.add(self, address)

    def unlist(self) -> None:
        """Somebody who has joined uses it, or it is being closed: it is not closed to make room."""
        if self.newcomers is not None:
            self.newcomers.remove(self)

    # ------------------------------------------------------------------ the end

    def finish(self, last: bytes = b"", *, drop: bool = False) -> None:
        """Close once everything that waits, and `last`, has been sent; what still comes in is dropped.

        The role is not called any more. A peer that does not read everything within `linger_s` is cut off.

        Args:
            last: the last bytes.
            drop: whether to drop what the kernel has not taken, because the reader is too slow.
        """
        if self.finishing or self.closed:
            return
        self.finishing = True
        self.unlist()
        self.role = GONE
        if drop and self._outbox is not None:
            self._outbox = deque((last,))
            self._count(len(last) - self._outbox_bytes)
            if self.own is not None:
                self.own.clear()
            self._replace_send(_ignore)
        else:
            self.loop.send(self, last)
        if self.send is not _discard:  # then the turn was full and was written at once, and the peer has left
            self.loop.expect(self, self.loop.linger_s)
            self.loop.leave(self)

    def flushed(self) -> None:
        """The loop has written this connection's part of a turn."""
        if self.finishing and self.idle and not self.closed:
            self._half_close()

    def _half_close(self) -> None:
        # Closing with unread bytes would send a reset, and the peer might never receive the last bytes.
        try:
            self.sock.shutdown(socket.SHUT_WR)
        except OSError:
            self.abort(TRANSPORT_ERROR)
            return
        self.start_reading()

    def abort(self, reason: str) -> None:
        """Close now; what waits is lost. The role's `lost` is called."""
        if self.closed:
            return
        self._replace_send(_discard)
        if self._outbox is not None:
            # It reads too slowly, and the rest is lost: the kernel would keep what it has for it, 100 KB, for minutes.
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        self._outbox = None
        self._count(-self._outbox_bytes)
        self.stop_reading()
        self._stop_writing()
        self.unlist()
        self.loop.forget(self)
        self.sock.close()
        role, self.role = self.role, GONE  # which leaves no cycle of references behind
        role.lost(self, reason)


class _Gone(Role):
    """The role of a connection that is being closed."""

    __slots__ = ()

    def received(self, connection: Connection, data: bytes) -> None:
        if data:
            return
        if connection.idle:
            connection.abort(TRANSPORT_CLOSE)
        else:
            connection.stop_reading()  # until the rest has been sent, which has a deadline


GONE: Final = _Gone()
