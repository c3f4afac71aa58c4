"""The client manager: one encoding for everybody in a room.

It knows python-socketio's manager interface and the engine; who is in which room is kept by `seats`.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Any

import socketio
from socketio import packet as sio_packet

from chatroom.engine import frames
from chatroom.engine.reasons import SLOW_READER
from chatroom.engine.seats import CONNECTED, CONNECTING, LEAVING, Encoded, Namespace, Room, Seat
from chatroom.engine.server import Engine
from chatroom.engine.session import Session


class Fanout(socketio.Manager):
    """A `client_manager` for a `socketio.Server` that stands on `Engine`.

    Args:
        connect_timeout_s: how long a session may live without a Socket.IO CONNECT that was accepted.
        on_connected: called with a client's sid and namespace once it has its CONNECT packet.
    """

    def __init__(
        self,
        *,
        connect_timeout_s: float | None = 30.0,
        on_connected: Callable[[str, str], None] | None = None,
    ) -> None:
        super().__init__()
        self._connect_timeout_s = connect_timeout_s
        self._on_connected = on_connected
        self._namespaces: dict[str, Namespace] = {}
        self._engine: Engine

    def set_server(self, server: Any) -> None:
        super().set_server(server)
        self._engine = server.eio
        self._engine.sessions.admission_timeout_s = self._connect_timeout_s
        self._engine.sessions.on_moved = self._moved

    def _moved(self, session: Session) -> None:
        """A session has another transport, is closed, or (last) its end has been told to the application.

        Until it is told, one that is connecting keeps its seat: its connect handler may be at work, and if that accepts
        it the application must hear of its end as well.
        """
        for place in session.places:
            place.moved()
            if session.reported:
                self.basic_disconnect(place.sid, place.path)
        if session.reported:
            self.server.environ.pop(session.sid, None)
            self.server._binary_packet.pop(session.sid, None)  # noqa: SLF001 - in `contracts`

    # ------------------------------------------------------------------ emitting

    def emit(
        self,
        event: str,
        data: Any,
        namespace: str,
        room: str | list[str] | tuple[str, ...] | None = None,
        skip_sid: str | list[str] | None = None,
        callback: Callable[..., Any] | None = None,
        to: str | list[str] | tuple[str, ...] | None = None,
        **_: Any,
    ) -> None:
        """Send an event to a room, a list of rooms, one client by its sid, or the whole namespace."""
        space = self._namespaces.get(namespace)
        if space is None:
            return
        room = to or room
        arguments = [event]
        if isinstance(data, tuple):
            arguments += data
        elif data is not None:
            arguments.append(data)
        if callback is not None:
            self._emit_with_callback(space, room, arguments, skip_sid, callback)
            return
        packet = self.server.packet_class(sio_packet.EVENT, namespace=namespace, data=arguments)
        self._spread(space, room, packet.encode(), skip_sid)

    def emit_encoded(
        self,
        namespace: str,
        room: str | Sequence[str] | None,
        encoded: Encoded,
        skip_sid: str | list[str] | None = None,
    ) -> None:
        """As `emit`, for a packet that was encoded before."""
        space = self._namespaces.get(namespace)
        if space is not None:
            self._spread(space, room, encoded, skip_sid)

    def _spread(
        self,
        space: Namespace,
        room: str | Sequence[str] | None,
        encoded: Encoded,
        skip_sid: str | list[str] | None,
    ) -> None:
        heard = space.hearing(room)
        if heard is None:
            return
        skipped: Collection[str] = (skip_sid,) if isinstance(skip_sid, str) else skip_sid or ()
        if heard.audience.connections:
            seats = [seat for seat in map(space.by_sid.get, skipped) if seat is not None]
            connections = [seat.session.transport.connection for seat in seats]
            skipped_connections = [connection for connection in connections if connection is not None]
            self._engine.loop.publish(heard.audience, _as_frame(encoded), skipped_connections)
        for seat in heard.others:
            if seat.sid not in skipped:
                self._send(seat, encoded)

    def _emit_with_callback(
        self,
        space: Namespace,
        room: str | list[str] | tuple[str, ...] | None,
        arguments: list[Any],
        skip_sid: str | list[str] | None,
        callback: Callable[..., Any],
    ) -> None:
        skipped = (skip_sid,) if isinstance(skip_sid, str) else skip_sid or ()
        names = (room,) if room is None or isinstance(room, str) else room
        for seat in space.seats_of(names):
            if seat.sid not in skipped:
                number = self._generate_ack_id(seat.sid, callback)
                packet = self.server.packet_class(
                    sio_packet.EVENT, namespace=space.name, data=list(arguments), id=number
                )
                self._send(seat, packet.encode())

    def _send(self, seat: Seat, encoded: Encoded) -> None:
        if seat.state is not CONNECTING:
            self._engine.send_all(seat.session, encoded if isinstance(encoded, list) else (encoded,))
            return
        if seat.waiting is None:
            seat.waiting = []
        session = seat.session
        # As in an outbox: the bound is on what waits already.
        if len(seat.waiting) >= session.limit_packets or seat.waiting_chars > session.limit_bytes:
            self._engine.sessions.end(session, SLOW_READER)
            return
        if seat.waiting:  # the first may be as long as it likes
            seat.waiting_chars += sum(map(len, encoded)) if isinstance(encoded, list) else len(encoded)
        seat.waiting.append(encoded)

    # ------------------------------------------------------------------ coming and going

    def pre_connect(self, eio_sid: str, namespace: str) -> str | None:
        """Give a session a seat that hears nothing yet; None if it has one."""
        session = self._engine.sockets.get(eio_sid)
        space = self._namespaces.get(namespace)
        if session is None or (space is not None and eio_sid in space.by_eio_sid):
            return None
        if space is None:
            space = self._namespaces[namespace] = Namespace(namespace)
        # Public, and in every list of names: as short as uniqueness permits (72 bits).
        sid = secrets.token_urlsafe(9)
        seat = Seat(sid, space, session)
        space.by_sid[sid] = space.by_eio_sid[eio_sid] = seat
        session.enter(seat)
        return sid

    def connect(self, sid: str, namespace: str) -> str:
        """The client has been told that it is connected: from now on it hears what is emitted."""
        seat = self._seat(sid, namespace)
        if seat is None or seat.state is not CONNECTING:
            return sid
        seat.state = CONNECTED
        seat.session.admit()
        space = seat.namespace
        space.everybody.seats[seat] = None
        space.moved(seat)
        waiting, seat.waiting = seat.waiting, None
        for encoded in waiting or ():
            self._send(seat, encoded)
        if self._on_connected is not None:
            self._on_connected(sid, namespace)
        return sid

    def basic_disconnect(self, sid: str, namespace: str, **_: Any) -> None:
        """Take a client out of every room it is in, and forget it."""
        seat = self._seat(sid, namespace)
        if seat is None:
            return
        for name in seat.rooms:
            self._leave(seat, name)
        space = seat.namespace
        space.everybody.seats.pop(seat, None)
        space.changed(space.everybody)
        del space.by_sid[sid]
        space.by_eio_sid.pop(seat.session.sid, None)
        seat.session.leave(seat)
        self.callbacks.pop(sid, None)
        if not space.by_sid:
            del self._namespaces[namespace]

    def pre_disconnect(self, sid: str, namespace: str) -> str | None:
        """The client is about to go: it counts as connected no more, but still has its rooms."""
        seat = self._seat(sid, namespace)
        if seat is None:
            return None
        seat.state = LEAVING
        return seat.session.sid

    # ------------------------------------------------------------------ rooms

    def basic_enter_room(
        self, sid: str, namespace: str, room: str | None, eio_sid: str | None = None
    ) -> None:
        """Add a client to a room.

        Raises:
            ValueError: there is no such client, or the room's name is another client's sid.
        """
        seat = self._seat(sid, namespace)
        if seat is None:
            raise ValueError("sid is not connected to requested namespace")
        space = seat.namespace
        if room is None or room == sid or room in seat.rooms:
            return
        if room in space.by_sid:
            raise ValueError("cannot enter a sid room")
        place = space.rooms.get(room)
        if place is None:
            place = space.rooms[room] = Room()
        place.seats[seat] = None
        seat.rooms += (room,)
        space.changed(place)

    def basic_leave_room(self, sid: str, namespace: str, room: str | None) -> None:
        """Take a client out of a room; harmless when it is not in it."""
        seat = self._seat(sid, namespace)
        if seat is not None and room is not None:
            self._leave(seat, room)

    @staticmethod
    def _leave(seat: Seat, name: str) -> None:
        space = seat.namespace
        room = space.rooms.get(name)
        if room is None or seat not in room.seats:
            return
        del room.seats[seat]
        seat.rooms = tuple(other for other in seat.rooms if other != name)
        space.changed(room)
        if not room.seats:
            del space.rooms[name]

    def basic_close_room(self, room: str, namespace: str) -> None:
        """Take everybody out of a room.

        Raises:
            ValueError: the room's name is a client's sid.
        """
        space = self._namespaces.get(namespace)
        if space is None:
            return
        if room in space.by_sid:
            raise ValueError("cannot close a sid room")
        place = space.rooms.get(room)
        for seat in list(place.seats) if place is not None else ():
            self._leave(seat, room)

    def is_heard(self, namespace: str, rooms: Sequence[str]) -> bool:
        """Whether anyone is in any of these rooms."""
        space = self._namespaces.get(namespace)
        return space is not None and any(map(space.rooms.__contains__, rooms))

    def get_rooms(self, sid: str, namespace: str) -> list[str]:
        """The rooms that a client is in, its own included."""
        seat = self._seat(sid, namespace)
        return [] if seat is None else [sid, *seat.rooms]

    def get_participants(
        self, namespace: str, room: str | list[str] | tuple[str, ...] | None
    ) -> Iterator[tuple[str, str]]:
        """The clients in a room, or in any of several, as pairs of sid and Engine.IO sid."""
        space = self._namespaces.get(namespace)
        if space is not None:
            names = (room,) if room is None or isinstance(room, str) else room
            yield from [(seat.sid, seat.session.sid) for seat in space.seats_of(names)]

    # ------------------------------------------------------------------ looking up

    def _seat(self, sid: str, namespace: str) -> Seat | None:
        space = self._namespaces.get(namespace)
        return None if space is None else space.by_sid.get(sid)

    def get_namespaces(self) -> list[str]:
        return list(self._namespaces)

    def is_pre_connected(self, sid: str, namespace: str) -> bool:
        seat = self._seat(sid, namespace)
        return seat is not None and seat.state is CONNECTING

    def is_connected(self, sid: str, namespace: str) -> bool:
        seat = self._seat(sid, namespace)
        return seat is not None and seat.state is CONNECTED

    def is_sid_room(self, namespace: str, room: str) -> bool:
        return self._seat(room, namespace) is not None

    def sid_from_eio_sid(self, eio_sid: str, namespace: str) -> str | None:
        space = self._namespaces.get(namespace)
        seat = None if space is None else space.by_eio_sid.get(eio_sid)
        return None if seat is None else seat.sid

    def eio_sid_from_sid(self, sid: str, namespace: str) -> str | None:
        seat = self._seat(sid, namespace)
        return None if seat is None else seat.session.sid


def _as_frame(encoded: Encoded) -> bytes:
    """A Socket.IO packet as the WebSocket frames that carry it."""
    if isinstance(encoded, str):
        return frames.frame(frames.TEXT, b"4" + encoded.encode())
    if isinstance(encoded, list):
        return b"".join([_as_frame(part) for part in encoded])
    return frames.frame(frames.BINARY, bytes(encoded))
