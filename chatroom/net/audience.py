"""The connections of a group, and how all of them are sent the same bytes."""

from __future__ import annotations

from collections.abc import Sequence
from operator import length_hint

from chatroom.net.connection import Connection, Send
from chatroom.net.reasons import TRANSPORT_ERROR


class Audience:
    """The connections that a group had at one moment; never changed, but replaced when the group changes.

    It has those on a WebSocket; the other clients are sent to one by one.
    """

    __slots__ = ("_positions", "_sends", "_sends_of", "connections")

    def __init__(self, connections: list[Connection]) -> None:
        self.connections = connections
        self._positions: dict[Connection, int] | None = None
        self._sends: list[Send] = []
        self._sends_of = -1

    def __contains__(self, connection: Connection) -> bool:
        return connection in self._find_positions()

    def sends(self, generation: int, apart: Sequence[Connection]) -> list[Send]:
        """The `send` of each connection, in order; for those in `apart`, one that sends nothing.

        The list is kept until the loop's `generation` changes: a flush that asks each connection for its `send` waits
        for memory a thousand times.
        """
        if self._sends_of != generation:
            # New bound methods, made together and so near each other in memory, instead of the connections' own.
            self._sends = [one.send if one.held else one.sock.send for one in self.connections]
            self._sends_of = generation
        if not apart:
            return self._sends
        sends, positions = self._sends.copy(), self._find_positions()
        for connection in apart:
            place = positions.get(connection)
            if place is not None:
                sends[place] = len  # returns what a `send` returns that took everything
        return sends

    def _find_positions(self) -> dict[Connection, int]:
        if self._positions is None:
            self._positions = {connection: place for place, connection in enumerate(self.connections)}
        return self._positions


def send_to_all(connections: list[Connection], sends: list[Send], data: bytes) -> None:
    """Send the same bytes to many. The loop below is where a saturated server spends its time: keep it bare.

    Args:
        connections: who receives them.
        sends: the `send` of each.
        data: the bytes.
    """
    length = len(data)
    rest = iter(sends)

    def current() -> Connection:
        """The connection that was just sent to. Counting in the loop costs 2%; this is called seldom."""
        return connections[len(sends) - length_hint(rest) - 1]

    for send in rest:
        try:
            sent = send(data)
            if sent != length:
                current().stall(data, sent)
        except BlockingIOError:
            current().stall(data, 0)
        except OSError:
            current().abort(TRANSPORT_ERROR)
