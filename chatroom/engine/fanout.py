"""The client manager: one encoding for everybody in a room.

It knows python-socketio's manager interface and the engine; `namespaces` keeps who is in which room.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Any

import socketio
from socketio import packet as sio_packet

from chatroom.engine import frames
from chatroom.engine.namespaces import CONNECTED, CONNECTING, LEAVING, Encoded, Group, Membership, Namespace
from chatroom.engine.reasons import SLOW_READER
from chatroom.engine.server import Engine
from chatroom.engine.session import Session


class Fanout(socketio.Manager):
    """A `client_manager` for a `socketio.Server` over `Engine`.

    Args:
        connect_timeout_s: how long a session may live without an accepted Socket.IO CONNECT.
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
        self._engine.sessions.on_change = self._session_changed

    def _session_changed(self, session: Session) -> None:
        """A session has another transport, is closed, or (last) the application knows that it has ended.

        Until then, one that is connecting keeps its membership: its connect handler may be running, and if that accepts
        it, the application must learn of its end as well.
        """
        for membership in session.memberships:
            membership.transport_changed()
            if session.reported:
                self.basic_disconnect(membership.sid, membership.path)
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
        self._publish(space, room, packet.encode(), skip_sid)

    def emit_encoded(
        self,
        namespace: str,
        room: str | Sequence[str] | None,
        encoded: Encoded,
        skip_sid: str | list[str] | None = None,
    ) -> None:
        """Like `emit`, for a packet that is already encoded."""
        space = self._namespaces.get(namespace)
        if space is not None:
            self._publish(space, room, encoded, skip_sid)

    def _publish(
        self,
        space: Namespace,
        room: str | Sequence[str] | None,
        encoded: Encoded,
        skip_sid: str | list[str] | None,
    ) -> None:
        skipped: Collection[str] = (skip_sid,) if isinstance(skip_sid, str) else skip_sid or ()
        one = space.by_sid.get(room) if isinstance(room, str) else None
        if one is not None:
            if not one.session.closed and room not in skipped:
                self._send(one, encoded)
            return
        recipients = space.recipients_of(room)
        if recipients is None:
            return
        if recipients.audience.connections:
            members = [member for member in map(space.by_sid.get, skipped) if member is not None]
            connections = [member.session.transport.connection for member in members]
            skipped_connections = [connection for connection in connections if connection is not None]
            self._engine.loop.publish(recipients.audience, _as_frame(encoded), skipped_connections)
        for member in recipients.others:
            if member.sid not in skipped:
                self._send(member, encoded)

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
        for member in space.members_of(names):
            if member.sid not in skipped:
                number = self._generate_ack_id(member.sid, callback)
                packet = self.server.packet_class(
                    sio_packet.EVENT, namespace=space.name, data=list(arguments), id=number
                )
                self._send(member, packet.encode())

    def _send(self, member: Membership, encoded: Encoded) -> None:
        if member.state is not CONNECTING:
            self._engine.send_all(member.session, encoded if isinstance(encoded, list) else (encoded,))
            return
        if member.waiting is None:
            member.waiting = []
        session = member.session
        # As in an outbox, the bound is on what already waits.
        if len(member.waiting) >= session.limit_packets or member.waiting_chars > session.limit_bytes:
            self._engine.sessions.end(session, SLOW_READER)
            return
        if member.waiting:  # the first may have any length
            member.waiting_chars += sum(map(len, encoded)) if isinstance(encoded, list) else len(encoded)
        member.waiting.append(encoded)

    # ------------------------------------------------------------------ connects and disconnects

    def pre_connect(self, eio_sid: str, namespace: str) -> str | None:
        """Add a session to a namespace, where it receives nothing yet; None if it is in it."""
        session = self._engine.sockets.get(eio_sid)
        space = self._namespaces.get(namespace)
        if session is None or (space is not None and eio_sid in space.by_eio_sid):
            return None
        if space is None:
            space = self._namespaces[namespace] = Namespace(namespace)
        # Public, and in every list of names: as short as uniqueness permits (72 bits).
        sid = secrets.token_urlsafe(9)
        member = Membership(sid, space, session)
        space.by_sid[sid] = space.by_eio_sid[eio_sid] = member
        session.enter(member)
        return sid

    def connect(self, sid: str, namespace: str) -> str:
        """The client has its CONNECT packet: from now on it receives what is emitted."""
        member = self._member(sid, namespace)
        if member is None or member.state is not CONNECTING:
            return sid
        member.state = CONNECTED
        self._engine.sessions.admit(member.session)
        space = member.namespace
        space.everybody.members[member] = None
        space.transport_changed(member)
        waiting, member.waiting = member.waiting, None
        for encoded in waiting or ():
            self._send(member, encoded)
        if self._on_connected is not None:
            self._on_connected(sid, namespace)
        return sid

    def basic_disconnect(self, sid: str, namespace: str, **_: Any) -> None:
        """Remove a client from every room that it is in, and forget it."""
        member = self._member(sid, namespace)
        if member is None:
            return
        for name in member.rooms:
            self._leave(member, name)
        space = member.namespace
        space.everybody.members.pop(member, None)
        space.changed(space.everybody)
        del space.by_sid[sid]
        space.by_eio_sid.pop(member.session.sid, None)
        member.session.leave(member)
        self.callbacks.pop(sid, None)
        if not space.by_sid:
            del self._namespaces[namespace]

    def pre_disconnect(self, sid: str, namespace: str) -> str | None:
        """The client is about to leave: it no longer counts as connected, but still has its rooms."""
        member = self._member(sid, namespace)
        if member is None:
            return None
        member.state = LEAVING
        return member.session.sid

    # ------------------------------------------------------------------ rooms

    def basic_enter_room(
        self, sid: str, namespace: str, room: str | None, eio_sid: str | None = None
    ) -> None:
        """Add a client to a room.

        Raises:
            ValueError: there is no such client, or the room's name is another client's sid.
        """
        member = self._member(sid, namespace)
        if member is None:
            raise ValueError("sid is not connected to requested namespace")
        space = member.namespace
        if room is None or room == sid or room in member.rooms:
            return
        if room in space.by_sid:
            raise ValueError("cannot enter a sid room")
        group = space.groups.get(room)
        if group is None:
            group = space.groups[room] = Group()
        group.members[member] = None
        member.rooms += (room,)
        space.changed(group)

    def basic_leave_room(self, sid: str, namespace: str, room: str | None) -> None:
        """Remove a client from a room, if it is in it."""
        member = self._member(sid, namespace)
        if member is not None and room is not None:
            self._leave(member, room)

    @staticmethod
    def _leave(member: Membership, name: str) -> None:
        space = member.namespace
        group = space.groups.get(name)
        if group is None or member not in group.members:
            return
        del group.members[member]
        member.rooms = tuple(other for other in member.rooms if other != name)
        space.changed(group)
        if not group.members:
            del space.groups[name]

    def basic_close_room(self, room: str, namespace: str) -> None:
        """Remove everybody from a room.

        Raises:
            ValueError: the room's name is a client's sid.
        """
        space = self._namespaces.get(namespace)
        if space is None:
            return
        if room in space.by_sid:
            raise ValueError("cannot close a sid room")
        group = space.groups.get(room)
        for member in list(group.members) if group is not None else ():
            self._leave(member, room)

    def has_recipients(self, namespace: str, rooms: Sequence[str]) -> bool:
        """Whether anyone is in any of these rooms."""
        space = self._namespaces.get(namespace)
        return space is not None and any(map(space.groups.__contains__, rooms))

    def get_rooms(self, sid: str, namespace: str) -> list[str]:
        """The rooms that a client is in, its own included."""
        member = self._member(sid, namespace)
        return [] if member is None else [sid, *member.rooms]

    def get_participants(
        self, namespace: str, room: str | list[str] | tuple[str, ...] | None
    ) -> Iterator[tuple[str, str]]:
        """The clients in a room, or in any of several, as pairs of sid and Engine.IO sid."""
        space = self._namespaces.get(namespace)
        if space is not None:
            names = (room,) if room is None or isinstance(room, str) else room
            yield from [(member.sid, member.session.sid) for member in space.members_of(names)]

    # ------------------------------------------------------------------ queries

    def _member(self, sid: str, namespace: str) -> Membership | None:
        space = self._namespaces.get(namespace)
        return None if space is None else space.by_sid.get(sid)

    def get_namespaces(self) -> list[str]:
        return list(self._namespaces)

    def is_pre_connected(self, sid: str, namespace: str) -> bool:
        member = self._member(sid, namespace)
        return member is not None and member.state is CONNECTING

    def is_connected(self, sid: str, namespace: str) -> bool:
        member = self._member(sid, namespace)
        return member is not None and member.state is CONNECTED

    def is_sid_room(self, namespace: str, room: str) -> bool:
        return self._member(room, namespace) is not None

    def sid_from_eio_sid(self, eio_sid: str, namespace: str) -> str | None:
        space = self._namespaces.get(namespace)
        member = None if space is None else space.by_eio_sid.get(eio_sid)
        return None if member is None else member.sid

    def awaits_ack(self, sid: str, number: int) -> bool:
        """Whether an event with this number was sent to a client, and its answer has not come yet."""
        # Under 0, python-socketio keeps its counter.
        return number != 0 and number in self.callbacks.get(sid, ())

    def eio_sid_from_sid(self, sid: str, namespace: str) -> str | None:
        member = self._member(sid, namespace)
        return None if member is None else member.session.sid


def _as_frame(encoded: Encoded) -> bytes:
    """A Socket.IO packet as the WebSocket frames that carry it."""
    if isinstance(encoded, str):
        return frames.frame(frames.TEXT, b"4" + encoded.encode())
    if isinstance(encoded, list):
        return b"".join([_as_frame(part) for part in encoded])
    return frames.frame(frames.BINARY, bytes(encoded))
