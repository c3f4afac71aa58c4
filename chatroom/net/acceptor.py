"""The acceptor: takes connections for every gateway, up to one limit, while the system has descriptors for them.

It knows listening sockets; what a connection is for is its gateway's business.
"""

from __future__ import annotations

import logging
import socket
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from chatroom import runtime
from chatroom.net.connection import Connection
from chatroom.net.descriptors import Reserve
from chatroom.net.faults import describe
from chatroom.net.newcomers import Newcomers
from chatroom.net.reasons import SERVER_FULL

log = logging.getLogger(__name__)

# Half of the connections that a gateway takes beyond the limit to answer health checks: such a check is read
# before its connection is the oldest of them.
_ACCEPTS_PER_TURN: Final = 32
_PAUSE_S: Final = 0.1
_RESERVED: Final = 8  # descriptors for health checks when there are no others

OnAccept = Callable[[socket.socket, str], None]
MakeRoom = Callable[[], bool]


@dataclass(eq=False, slots=True)
class _Entry:
    sock: socket.socket  # the real one
    listener: socket.socket  # which is closed with the last reference to it
    on_accept: OnAccept
    make_room: MakeRoom | None
    reader: runtime.Listener | None = None
    closed: bool = False


class Acceptor:
    """Accepts connections on listening sockets.

    Args:
        max_connections: how many may be served at once, over all gateways.
        group_of: the group of a peer's address; of the newcomers, the largest group makes room first.

    Attributes:
        newcomers: connections that may be closed to make room.
    """

    def __init__(self, *, max_connections: int = 10_000, group_of: Callable[[str], str] = str) -> None:
        self.newcomers: Newcomers[Connection] = Newcomers(group_of)
        self._max_connections = max_connections
        self._counts: list[Callable[[], int]] = []
        self._entries: dict[socket.socket, _Entry] = {}
        self._descriptors = Reserve(_RESERVED)

    def include(self, count: Callable[[], int]) -> None:
        """Count a gateway's connections, without those that it refuses."""
        self._counts.append(count)

    def is_full(self) -> bool:
        """Whether the connection that was accepted last is one too many."""
        return self._descriptors.short or sum(count() for count in self._counts) > self._max_connections

    def make_room(self) -> bool:
        """If the connection that was accepted last is one too many, close a newcomer; False if it still is."""
        if not self.is_full():
            return True
        first = self.newcomers.first()
        if first is not None:
            first.abort(SERVER_FULL)
        return not self.is_full()

    def listen(
        self, listener: socket.socket, on_accept: OnAccept, *, make_room: MakeRoom | None = None
    ) -> None:
        """Accept connections on an open listening socket from now on.

        Args:
            listener: the socket.
            on_accept: called with each connection's socket, non-blocking, and the peer's address. It must not wait.
            make_room: closes a connection that may be closed, and returns whether there was one. With it, connections
                are accepted while descriptors are short: `on_accept` refuses those that are not vital.
        """
        entry = self._entries[listener] = _Entry(runtime.raw_socket(listener), listener, on_accept, make_room)
        self._open(entry)

    def close(self, listener: socket.socket) -> None:
        """Stop accepting on this listening socket, and close it."""
        entry = self._entries.pop(listener)
        entry.closed = True
        self._shut(entry)
        entry.sock.close()

    def _open(self, entry: _Entry) -> None:
        if not entry.closed:
            entry.reader = runtime.add_reader(entry.sock.fileno(), lambda _fileno: self._accept(entry))

    @staticmethod
    def _shut(entry: _Entry) -> None:
        if entry.reader is not None:
            runtime.remove_listener(entry.reader)
            entry.reader = None

    def _pause(self, entry: _Entry) -> None:
        """Let clients wait in the backlog; without a pause the loop would try again and again."""
        self._shut(entry)
        runtime.call_later(_PAUSE_S, self._open, entry)

    def _accept(self, entry: _Entry) -> None:
        if self._descriptors.short and entry.make_room is None:
            self._pause(entry)
            return
        for _ in range(_RESERVED // 2 if self._descriptors.short else _ACCEPTS_PER_TURN):
            try:
                accepted = runtime.accept(entry.sock)
            except OSError as problem:
                # Out of descriptors or memory. Connections without a request make room for possible health checks.
                have_some = self._descriptors.ran_out(problem)
                if entry.make_room is None or not (have_some or entry.make_room()):
                    self._pause(entry)
                return
            if accepted is None:
                return
            sock, address = accepted
            try:
                entry.on_accept(sock, str(address[0]) if address else "")
            except Exception as problem:
                # Whatever is wrong with one connection, the next must be accepted.
                log.error("a connection could not be served: %s", describe(problem))
                sock.close()
