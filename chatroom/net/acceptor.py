"""The acceptor: takes connections for every gateway, up to one limit, as long as the system has descriptors for them.

It knows listening sockets; what a connection is for is its gateway's business.
"""

from __future__ import annotations

import logging
import socket
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from chatroom import runtime
from chatroom.net.descriptors import Reserve
from chatroom.net.faults import describe

log = logging.getLogger(__name__)

_ACCEPTS_PER_TURN: Final = (
    32  # half of the reserve of `Front`: who asks for its health is read before it is the oldest
)
_PAUSE_S: Final = 0.1
_KEPT_BACK: Final = 8  # descriptors for health checks when there are no others

Greet = Callable[[socket.socket, str], None]
MakeRoom = Callable[[], bool]


@dataclass(eq=False, slots=True)
class _Door:
    sock: socket.socket  # the real one
    listener: socket.socket  # which is closed with the last reference to it
    greet: Greet
    make_room: MakeRoom | None
    reader: runtime.Listener | None = None
    closed: bool = False


class Acceptor:
    """Accepts connections on listening sockets.

    Args:
        max_connections: how many may be served at once, over all gateways.
    """

    def __init__(self, *, max_connections: int = 10_000) -> None:
        self._max_connections = max_connections
        self._counts: list[Callable[[], int]] = []
        self._doors: dict[socket.socket, _Door] = {}
        self._descriptors = Reserve(_KEPT_BACK)

    def include(self, count: Callable[[], int]) -> None:
        """Count a gateway's connections, those that it refuses left out."""
        self._counts.append(count)

    def is_full(self) -> bool:
        """Whether the connection that was accepted last is one too many."""
        return self._descriptors.short or sum(count() for count in self._counts) > self._max_connections

    def listen(self, listener: socket.socket, greet: Greet, *, make_room: MakeRoom | None = None) -> None:
        """Accept connections on an open listening socket from now on.

        Args:
            listener: the socket.
            greet: called with each connection's socket, non-blocking, and the peer's address. It must not wait.
            make_room: ends a connection that may be ended, and gives whether there was one. With it, connections are
                accepted while descriptors are short: `greet` refuses those that are not vital.
        """
        door = self._doors[listener] = _Door(runtime.raw_socket(listener), listener, greet, make_room)
        self._open(door)

    def close(self, listener: socket.socket) -> None:
        """Accept no more on this listening socket, and close it."""
        door = self._doors.pop(listener)
        door.closed = True
        self._shut(door)
        door.sock.close()

    def _open(self, door: _Door) -> None:
        if not door.closed:
            door.reader = runtime.add_reader(door.sock.fileno(), lambda _fileno: self._accept(door))

    @staticmethod
    def _shut(door: _Door) -> None:
        if door.reader is not None:
            runtime.remove_listener(door.reader)
            door.reader = None

    def _pause(self, door: _Door) -> None:
        """Who waits goes on waiting; without a pause the loop would ask again and again."""
        self._shut(door)
        runtime.call_later(_PAUSE_S, self._open, door)

    def _accept(self, door: _Door) -> None:
        if self._descriptors.short and door.make_room is None:
            self._pause(door)
            return
        for _ in range(_KEPT_BACK // 2 if self._descriptors.short else _ACCEPTS_PER_TURN):
            try:
                accepted = runtime.accept(door.sock)
            except OSError as problem:
                # Out of descriptors or memory. Who asks for nothing makes room for those who may ask for health.
                have_some = self._descriptors.ran_out(problem)
                if door.make_room is None or not (have_some or door.make_room()):
                    self._pause(door)
                return
            if accepted is None:
                return
            sock, address = accepted
            try:
                door.greet(sock, str(address[0]) if address else "")
            except Exception as problem:
                # Whatever is wrong with one newcomer, the door must stay open for the next.
                log.error("a connection could not be served: %s", describe(problem))
                sock.close()
