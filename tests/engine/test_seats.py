"""Who hears what is emitted to a room, and what is remembered of it."""

from __future__ import annotations

from typing import Any

from chatroom.engine.seats import CONNECTED, Namespace, Room, Seat


class WebSocket:
    """Stands for a transport: only the identity of its connection counts here."""

    def __init__(self) -> None:
        self.connection: Any = object()


class Member:
    """What a seat knows of a session."""

    closed = False

    def __init__(self) -> None:
        self.transport = WebSocket()


def seated(space: Namespace, sid: str, *rooms: str) -> Seat:
    seat = Seat(sid, space, Member())  # type: ignore[arg-type]  # all of a session that is asked for
    seat.state = CONNECTED
    space.by_sid[sid] = seat
    for name in rooms:
        room = space.rooms.setdefault(name, Room())
        room.seats[seat] = None
        seat.rooms += (name,)
        space.changed(room)
    return seat


def heard_by(space: Namespace, name: str | list[str]) -> list[Any]:
    heard = space.hearing(name)
    return [] if heard is None else heard.audience.connections


def test_a_list_of_rooms_is_heard_by_who_is_in_any_of_them_once():
    space = Namespace("/")
    both, one = seated(space, "a", "red", "blue"), seated(space, "b", "blue")
    links = [both.session.transport.connection, one.session.transport.connection]
    assert heard_by(space, ["red", "blue", "nobody"]) == links
    late = seated(space, "c", "nobody")
    assert heard_by(space, ["red", "blue", "nobody"]) == [*links, late.session.transport.connection]


def test_audiences_of_ever_other_lists_are_not_all_remembered():
    space = Namespace("/")
    member = seated(space, "a", "red")
    for number in range(10_000):
        assert heard_by(space, ["red", f"gone {number}"]) == [member.session.transport.connection]
    assert len(space.heard) < 100
    other = seated(space, "b", "red")
    for name in ("red", ["red", "gone 9999"], ["red", "gone 1"]):
        assert heard_by(space, name) == [
            member.session.transport.connection,
            other.session.transport.connection,
        ]
