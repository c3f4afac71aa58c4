"""Who sits where: the sessions in a namespace, its rooms, and who hears what is emitted to one.

It knows sessions and audiences. It stands in for the storage of python-socketio's manager, which takes two dictionaries
a client and scans every room when a client leaves: here a client knows its rooms, and a room keeps the audience that it
last had until somebody comes, goes or changes transport.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from chatroom.engine.session import Session
from chatroom.net.loop import Audience

Encoded = str | bytes | list[str | bytes]
"""A Socket.IO packet as `packet_class.encode` gives it: with attachments, a list."""

_AUDIENCES = 64  # kept for one room: it alone, and with the lists of rooms that it was emitted to in

CONNECTING, CONNECTED, LEAVING = "connecting", "connected", "leaving"


class Seat:
    """A session's place in one namespace."""

    __slots__ = ("namespace", "rooms", "session", "sid", "state", "waiting", "waiting_chars")

    def __init__(self, sid: str, namespace: Namespace, session: Session) -> None:
        self.sid = sid
        self.namespace = namespace
        self.session = session
        self.state = CONNECTING
        self.rooms: tuple[str, ...] = ()
        self.waiting: list[Encoded] | None = None  # what was sent to it before its CONNECT
        self.waiting_chars = 0

    @property
    def path(self) -> str:
        return self.namespace.name

    def moved(self) -> None:
        self.namespace.moved(self)


class Room:
    """The seats in a room, and which audiences would be wrong if they changed."""

    __slots__ = ("audiences", "seats")

    def __init__(self) -> None:
        self.seats: dict[Seat, None] = {}
        self.audiences: set[Any] = set()


class Heard:
    """An audience, the sessions in it that are sent to one by one, and how many rooms it was gathered from."""

    __slots__ = ("audience", "others", "rooms")

    def __init__(self, seats: Iterable[Seat], rooms: int = 0) -> None:
        self.rooms = rooms
        connections = []
        self.others: list[Seat] = []
        for seat in seats:
            session = seat.session
            connection = session.transport.connection
            if connection is not None and seat.state is not CONNECTING:
                connections.append(connection)
            elif not session.closed:
                self.others.append(seat)
        self.audience = Audience(connections)


class Namespace:
    """One namespace's seats and rooms. `None` names the room that everybody is in."""

    __slots__ = ("by_eio_sid", "by_sid", "everybody", "heard", "name", "rooms")

    def __init__(self, name: str) -> None:
        self.name = name
        self.by_sid: dict[str, Seat] = {}
        self.by_eio_sid: dict[str, Seat] = {}
        self.rooms: dict[str, Room] = {}
        self.everybody = Room()
        self.heard: dict[Any, Heard] = {}

    def changed(self, room: Room) -> None:
        """Forget every audience that this room was a part of."""
        if room.audiences:
            for key in room.audiences:
                self.heard.pop(key, None)
            room.audiences.clear()

    def moved(self, seat: Seat) -> None:
        """A seat's session has another transport, or none any more."""
        self.changed(self.everybody)
        for name in seat.rooms:
            self.changed(self.rooms[name])

    def room(self, name: str | None) -> Room | None:
        return self.everybody if name is None else self.rooms.get(name)

    def hearing(self, name: str | Sequence[str] | None) -> Heard | None:
        """Who hears what is emitted to a room, or to a list of rooms; None if nobody does."""
        if name is None or isinstance(name, str):
            key: Any = name
            found = self.heard.get(key)
            if found is not None:
                return found
            seat = self.by_sid.get(name) if name is not None else None
            if seat is not None:
                return Heard((seat,))
            rooms = [room for room in (self.room(name),) if room is not None]
        else:
            key = tuple(name)
            found = self.heard.get(key)
            # A room of the list that was empty when the audience was found knows nothing of it, and may have filled.
            if found is not None and found.rooms == sum(map(self.rooms.__contains__, key)):
                return found
            if any(one in self.by_sid for one in key):
                return Heard(self.seats_of(key))
            rooms = [room for room in map(self.room, key) if room is not None]
        if not rooms:
            return None
        seats = rooms[0].seats if len(rooms) == 1 else self.seats_of(key)
        heard = self.heard[key] = Heard(seats, sum(one is not self.everybody for one in rooms))
        for room in rooms:
            if len(room.audiences) >= _AUDIENCES:
                self.changed(room)
                self.heard[key] = heard
            room.audiences.add(key)
        return heard

    def seats_of(self, names: Iterable[str | None]) -> dict[Seat, None]:
        """Everybody in any of these rooms, once."""
        seats: dict[Seat, None] = {}
        for name in names:
            seat = self.by_sid.get(name) if name is not None else None
            room = self.room(name)
            if seat is not None:
                seats[seat] = None
            elif room is not None:
                seats.update(room.seats)
        return seats
