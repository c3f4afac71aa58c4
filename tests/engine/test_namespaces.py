"""Who receives what is emitted to a group, and which audiences are remembered."""

from __future__ import annotations

from typing import Any

from chatroom.engine.namespaces import CONNECTED, Group, Membership, Namespace


class WebSocket:
    """Stands for a transport: only the identity of its connection counts here."""

    def __init__(self) -> None:
        self.connection: Any = object()


class Session:
    """What a membership knows of a session."""

    closed = False

    def __init__(self) -> None:
        self.transport = WebSocket()


def join(space: Namespace, sid: str, *rooms: str) -> Membership:
    member = Membership(sid, space, Session())  # type: ignore[arg-type]  # all of a session that is asked for
    member.state = CONNECTED
    space.by_sid[sid] = member
    for name in rooms:
        group = space.groups.setdefault(name, Group())
        group.members[member] = None
        member.rooms += (name,)
        space.changed(group)
    return member


def recipients(space: Namespace, name: str | list[str]) -> list[Any]:
    found = space.recipients_of(name)
    return [] if found is None else found.audience.connections


def test_an_event_for_several_groups_reaches_each_member_once() -> None:
    space = Namespace("/")
    both, one = join(space, "a", "red", "blue"), join(space, "b", "blue")
    links = [both.session.transport.connection, one.session.transport.connection]
    assert recipients(space, ["red", "blue", "nobody"]) == links
    late = join(space, "c", "nobody")
    assert recipients(space, ["red", "blue", "nobody"]) == [*links, late.session.transport.connection]


def test_the_number_of_remembered_audiences_is_bounded() -> None:
    space = Namespace("/")
    member = join(space, "a", "red")
    for number in range(10_000):
        assert recipients(space, ["red", f"gone {number}"]) == [member.session.transport.connection]
    assert len(space.recipients) < 100
    other = join(space, "b", "red")
    for name in ("red", ["red", "gone 9999"], ["red", "gone 1"]):
        assert recipients(space, name) == [
            member.session.transport.connection,
            other.session.transport.connection,
        ]
