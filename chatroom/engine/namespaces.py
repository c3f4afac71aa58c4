"""A Socket.IO namespace: its members, its groups, and who receives what is emitted to a group.

A group is what python-socketio calls a room. This replaces the storage of python-socketio's manager, which needs two
dictionaries per client and scans every room when a client leaves. Here a client knows its groups, and a group keeps its
last audience until someone joins, leaves or changes transport. It knows sessions and audiences.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from chatroom.engine.session import Session
from chatroom.net.audience import Audience

Encoded = str | bytes | list[str | bytes]
"""A Socket.IO packet as `packet_class.encode` gives it: with attachments, a list."""

_Names = str | None | tuple[str | None, ...]
"""What an audience is kept under: the group that it was gathered from, or the groups."""

_AUDIENCES = 64  # kept for one group: its own, and those of the lists of groups that it was part of

CONNECTING, CONNECTED, LEAVING = "connecting", "connected", "leaving"


class Membership:
    """A session in one namespace."""

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

    def transport_changed(self) -> None:
        self.namespace.transport_changed(self)


class Group:
    """The members of a group, and which audiences change with them."""

    __slots__ = ("audiences", "members")

    def __init__(self) -> None:
        self.members: dict[Membership, None] = {}
        self.audiences: set[_Names] = set()


class Recipients:
    """An audience, the members that get a copy of their own, and how many groups it was gathered from."""

    __slots__ = ("audience", "groups", "others")

    def __init__(self, members: Iterable[Membership], groups: int = 0) -> None:
        self.groups = groups
        connections = []
        self.others: list[Membership] = []
        for member in members:
            session = member.session
            connection = session.transport.connection
            if connection is not None and member.state is not CONNECTING:
                connections.append(connection)
            elif not session.closed:
                self.others.append(member)
        self.audience = Audience(connections)


class Namespace:
    """One namespace. `None` names the group that everybody is in."""

    __slots__ = ("by_eio_sid", "by_sid", "everybody", "groups", "name", "recipients")

    def __init__(self, name: str) -> None:
        self.name = name
        self.by_sid: dict[str, Membership] = {}
        self.by_eio_sid: dict[str, Membership] = {}
        self.groups: dict[str, Group] = {}
        self.everybody = Group()
        self.recipients: dict[_Names, Recipients] = {}

    def changed(self, group: Group) -> None:
        """Forget every audience that this group was part of."""
        if group.audiences:
            for key in group.audiences:
                self.recipients.pop(key, None)
            group.audiences.clear()

    def transport_changed(self, member: Membership) -> None:
        """A member's session has another transport, or none any more."""
        self.changed(self.everybody)
        for name in member.rooms:
            self.changed(self.groups[name])

    def group(self, name: str | None) -> Group | None:
        return self.everybody if name is None else self.groups.get(name)

    def recipients_of(self, name: str | Sequence[str] | None) -> Recipients | None:
        """Who receives what is emitted to a group, or to a list of groups and clients; None if nobody does."""
        if name is None or isinstance(name, str):
            key: _Names = name
            found = self.recipients.get(key)
            if found is not None:
                return found
            names: tuple[str | None, ...] = (name,)
            groups = [group for group in (self.group(name),) if group is not None]
        else:
            key = names = tuple(name)
            found = self.recipients.get(key)
            # A group of the list that was empty then does not know of this audience, and may have filled since.
            if found is not None and found.groups == sum(map(self.groups.__contains__, names)):
                return found
            if any(one in self.by_sid for one in names):
                return Recipients(self.members_of(names))
            groups = [group for group in map(self.group, names) if group is not None]
        if not groups:
            return None
        members = groups[0].members if len(groups) == 1 else self.members_of(names)
        found = self.recipients[key] = Recipients(members, sum(one is not self.everybody for one in groups))
        for group in groups:
            if len(group.audiences) >= _AUDIENCES:
                self.changed(group)
                self.recipients[key] = found
            group.audiences.add(key)
        return found

    def members_of(self, names: Iterable[str | None]) -> dict[Membership, None]:
        """Everybody in any of these groups, once."""
        members: dict[Membership, None] = {}
        for name in names:
            member = self.by_sid.get(name) if name is not None else None
            group = self.group(name)
            if member is not None:
                members[member] = None
            elif group is not None:
                members.update(group.members)
        return members
