"""Who is in a room, what they may do, and what follows from it.

Every call either returns what has happened, or raises a refusal and leaves everything as it was. A room keeps no
history and sends nothing: it decides, others act.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from chatroom.core.errors import AlreadyAMember, BadRequest, NameTaken, NotAMember, RoomFull
from chatroom.core.events import Joined, Left, Person, Renamed, Talk, Whispered
from chatroom.core.names import NamePool, Randomness, name_key, never


class Room:
    """The people in one room, their names all different by key.

    Attributes:
        members: by session id, in order of joining.
    """

    def __init__(self, pool: NamePool, rng: Randomness, limit: int | None) -> None:
        """Open an empty room.

        Args:
            pool: has names for those who choose none.
            rng: draws them.
            limit: the most people at once; None for no bound.
        """
        self._pool = pool
        self._rng = rng
        self._limit = limit
        self._members: dict[str, Person] = {}
        self._by_key: dict[str, Person] = {}
        self.members: Mapping[str, Person] = MappingProxyType(self._members)

    def __len__(self) -> int:
        return len(self._members)

    def join(
        self, sid: str, name: str | None, reserved: Callable[[str], bool] = never, lang: str | None = None
    ) -> Joined:
        """Add a member.

        Args:
            sid: who joins; one session is one member.
            name: the wanted name, already through `parse_name`; None draws a random free one.
            reserved: whether the name with this key is held for someone who is away.
            lang: the language of the names to draw from, as in `NamePool.draw`.

        Raises:
            AlreadyAMember: the session is in the room.
            RoomFull: the room has as many people as it may have.
            NameTaken: the wanted name, or one that looks like it, is somebody's or is held.
        """
        if sid in self._members:
            raise AlreadyAMember(sid)
        if self._limit is not None and len(self._members) >= self._limit:
            raise RoomFull
        person = Person(sid, self._obtain(name, reserved, lang))
        self._members[sid] = self._by_key[name_key(person.name)] = person
        return Joined(person)

    def leave(self, sid: str) -> Left:
        """Remove a member; the name is free at once.

        Raises:
            NotAMember: the session is not in the room.
        """
        person = self._member(sid)
        del self._members[sid], self._by_key[name_key(person.name)]
        return Left(person)

    def rename(
        self, sid: str, name: str | None, reserved: Callable[[str], bool] = never, lang: str | None = None
    ) -> Renamed:
        """Give a member another name, keeping the place in the room.

        Names are compared by key but shown as typed, so a member may change the case of their own.

        Args:
            sid: who asks.
            name: the wanted name, already through `parse_name`; None draws one, different from the present.
            reserved: whether the name with this key is held for someone who is away.
            lang: the language of the names to draw from, as in `NamePool.draw`.

        Raises:
            NotAMember: the session is not in the room.
            NameTaken: the wanted name, or one that looks like it, is somebody else's or is held.
        """
        before = self._member(sid)
        if name is None or name_key(name) != name_key(before.name):
            name = self._obtain(name, reserved, lang)
            del self._by_key[name_key(before.name)]
        person = Person(sid, name)
        self._members[sid] = self._by_key[name_key(name)] = person
        return Renamed(sid, before.name, name)

    def suggest(self, reserved: Callable[[str], bool] = never, lang: str | None = None) -> str:
        """A random name that a member could take now; nothing changes.

        Args:
            reserved: whether the name with this key is held for someone who is away.
            lang: the language of the names to draw from, as in `NamePool.draw`.
        """
        return self._obtain(None, reserved, lang)

    def whisper(self, sid: str, to_sid: str, text: str, talk: Talk | None = None) -> Whispered:
        """Send a text, already through `parse_text`, to one member, whatever their name is now.

        Raises:
            NotAMember: one of the two sessions is not in the room.
            BadRequest: they are the same.
        """
        who, listener = self._member(sid), self._member(to_sid)
        if listener is who:
            raise BadRequest
        return Whispered(who, listener, text, talk)

    def _member(self, sid: str) -> Person:
        try:
            return self._members[sid]
        except KeyError:
            raise NotAMember(sid) from None

    def _obtain(self, name: str | None, reserved: Callable[[str], bool], lang: str | None) -> str:
        """The wanted name if it is free, or a random one."""
        if name is None:
            return self._pool.draw(self._rng, self._by_key, reserved, lang)
        key = name_key(name)
        if key in self._by_key or reserved(key):
            raise NameTaken(name=name)
        return name
