"""What people and rooms may be called, when two names are one, and which to give to those who bring none.

A name is kept and shown as typed. Two are compared by key: people's by how they look (`name_key`), rooms' by
NFKC and casefolding (`room_key`), so that nobody can pass for somebody else while a room's address stays what
was typed.

Drawing a name takes constant time however many are taken, and a deck's memory grows with the names taken, not
with the list, so that ten thousand rooms may share a long one.
"""

from collections.abc import Callable, Iterable, Sequence
from functools import cache
from itertools import count
from typing import Protocol
from unicodedata import category, normalize

from chatroom.core.confusables import fold, skeleton
from chatroom.core.errors import BadRequest, NameInvalid, NameReserved, RoomInvalid

NAME_LENGTH = 32  # visible characters
ROOM_LENGTH = 64

# Nobody but the service may seem to be the service (protocol.md, "Client → server").
RESERVED = ("*", "you", "server", "system", "admin", "operator", "系统", "管理员", "服务器")

_SPACES = " \u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000"
_EMOJI_STYLE = "\ufe0f"  # VARIATION SELECTOR-16, which keyboards put after symbols such as ❤
_MARKS_IN_A_ROW = 3  # as Hebrew and Devanagari need; towers of them disfigure the lines around
# Assigned, of a visible category, and yet blank, or the sign of text that was damaged on the way.
_BLANKS = frozenset(
    "\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u2800\u3164\uffa0\ufffc\ufffd\U0001d159\U00016fe4"
    + "".join(map(chr, range(0xFE00, 0xFE10)))
    + "".join(map(chr, range(0xE0100, 0xE01F0)))
)

_REFUSED_DRAWS = 32  # free in the deck, held elsewhere: so many draws are tried before a number is added
_NUMBER_DRAWS = 20  # random numbers tried, from two digits up to six, before counting


def parse_name(text: object) -> str:
    """A person's name as typed, without the spaces around it.

    It has 1–32 visible characters: no control, format (bidi, zero-width), unassigned or private characters,
    no spaces but single ones inside, at most three combining marks in a row, and something other than
    punctuation.

    Raises:
        BadRequest: it is no string.
        NameInvalid: it cannot be a name.
        NameReserved: it would pass for the service.
    """
    name = _visible(text, NAME_LENGTH)
    if name is None:
        raise NameInvalid
    if is_reserved(name_key(name)):
        raise NameReserved(name=name)
    if not any(category(character)[0] in "LNS" for character in name):
        raise NameInvalid
    return name


def name_key(name: str) -> str:
    """What makes a name unique: the same for any two that differ in case or composition, or look alike.

    Stable (`name_key(name_key(x)) == name_key(x)`) and for comparing only: it is often no readable name.
    """
    return skeleton(name)


def is_reserved(key: str) -> bool:
    """Whether a name with this key would pass for the service itself."""
    return key in _reserved_keys()


def parse_room(text: object) -> str:
    """A room's name as typed, without the spaces around it: 1–64 visible characters, no `/` even in disguise.

    Raises:
        BadRequest: it is no string.
        RoomInvalid: it cannot be a room's name.
    """
    room = _visible(text, ROOM_LENGTH)
    if room is None or "/" in fold(room):
        raise RoomInvalid
    return room


def room_key(room: str) -> str:
    """What tells rooms apart: the name after NFKC and casefolding."""
    return normalize("NFKC", fold(room.replace(_EMOJI_STYLE, "")))


def printable(text: str) -> str:
    """Any text, made fit for a refusal to quote: cut to 32 characters, U+FFFD for what cannot be seen."""
    return "".join(
        "\ufffd" if category(character)[0] in "CZ" and character != " " else character
        for character in text[:NAME_LENGTH]
    )


@cache
def _reserved_keys() -> frozenset[str]:
    return frozenset(map(name_key, RESERVED))


def _visible(text: object, most: int) -> str | None:
    """The text without outer spaces, or None unless all of it can be seen and counts 1 to `most`."""
    if not isinstance(text, str):
        raise BadRequest
    text = text.strip(_SPACES)
    if len(text) > most * (1 + _MARKS_IN_A_ROW):
        return None
    seen = marks = 0
    before = " "
    for character in text:
        kind = category(character)
        if character == _EMOJI_STYLE:
            if category(before)[0] != "S":
                return None
        elif character in _BLANKS:
            return None
        elif kind[0] == "M":
            marks += 1
            seen += kind == "Mc"  # a spacing mark takes a place of its own
            if before == " " or marks > _MARKS_IN_A_ROW:
                return None
        elif kind[0] in "LNPS" or (character == " " and before != " "):
            marks = 0
            seen += 1
        else:
            return None
        before = character
    return text if 1 <= seen <= most else None


class Randomness(Protocol):
    """As much of `random.Random` as a deck needs."""

    def randrange(self, start: int, stop: int, /) -> int: ...


class NamePool:
    """Nicknames, all different by key; immutable and shared by the rooms."""

    __slots__ = ("index", "keys", "names")

    def __init__(self, names: Iterable[str]) -> None:
        """Take the names, dropping those that look like an earlier one.

        Raises:
            ValueError: there is none.
        """
        by_key: dict[str, str] = {}
        for name in names:
            by_key.setdefault(name_key(name), name)
        if not by_key:
            raise ValueError("the list of nicknames is empty")
        self.names: Sequence[str] = tuple(by_key.values())
        self.keys: Sequence[str] = tuple(by_key)
        self.index = {key: place for place, key in enumerate(self.keys)}

    @classmethod
    def from_lines(cls, lines: Iterable[str]) -> "NamePool":
        """Read one name a line, skipping blank lines and `#` comments.

        Raises:
            ValueError: a line holds no valid name (the message says which), or no line holds any.
        """
        names = []
        for number, line in enumerate(lines, 1):
            written = line.strip().removeprefix("\ufeff")
            if written and not written.startswith("#"):
                try:
                    names.append(parse_name(written))
                except NameReserved:
                    raise ValueError(f"line {number}: {written!r} is a reserved name") from None
                except NameInvalid:
                    raise ValueError(f"line {number}: {written!r} cannot be a nickname") from None
        return cls(names)

    def __len__(self) -> int:
        return len(self.names)

    def deck(self, rng: Randomness) -> "NameDeck":
        """A room's own view of the pool, with every name free."""
        return NameDeck(self, rng)


class NameDeck:
    """Which of a pool's names are free in one room; hands them out at random.

    The free names lie in places `0 … free-1`, each at its own place if it has one there. A name whose own
    place is beyond the last sits in the place of a taken one, its host; `_guests` and `_hosts` hold these
    pairs and nothing else. (Fisher and Yates' shuffle without the array: a name put back goes home, and its
    guest moves on.)
    """

    __slots__ = ("_free", "_guests", "_hosts", "_pool", "_rng")

    def __init__(self, pool: NamePool, rng: Randomness) -> None:
        self._pool = pool
        self._rng = rng
        self._free = len(pool)
        self._guests: dict[int, int] = {}  # place of a taken name → the free name that sits there
        self._hosts: dict[int, int] = {}  # the other way round

    def draw(self, taken: Callable[[str], bool]) -> str:
        """Take a random name that is free here and not `taken`; with a number added when there is none.

        Args:
            taken: whether somebody has the name with this key. It must not say so of every key there can be.
        """
        refused: list[int] = []
        while self._free and len(refused) < _REFUSED_DRAWS:
            place = self._rng.randrange(0, self._free)
            name = self._guests.get(place, place)
            self._take(name)
            if not taken(self._pool.keys[name]):
                drawn = self._pool.names[name]
                break
            refused.append(name)
        else:
            drawn = self._draw_numbered(taken)
        for name in refused:
            self._put_back(name)
        return drawn

    def take(self, key: str) -> None:
        """Note that somebody has the name with this key; idle if it is not in the pool, or taken already."""
        name = self._pool.index.get(key)
        if name is not None and self._is_free(name):
            self._take(name)

    def put_back(self, key: str) -> None:
        """Note that the name with this key is free again; idle if it is not in the pool, or free already."""
        name = self._pool.index.get(key)
        if name is not None and not self._is_free(name):
            self._put_back(name)

    def _is_free(self, name: int) -> bool:
        return name not in self._guests if name < self._free else name in self._hosts

    def _take(self, name: int) -> None:
        self._free -= 1
        last = self._free
        place = self._hosts.pop(name, name)
        # Whoever sits in the last place moves to the one that has become empty.
        guest = self._guests.pop(last, last)
        if guest == name:
            return
        self._guests[place] = guest
        self._hosts[guest] = place

    def _put_back(self, name: int) -> None:
        opened = self._free
        self._free += 1
        # Who needs a seat: the name itself if it still lives beyond the last place, else its guest.
        guest = name
        if name < opened:
            guest = self._guests.pop(name)
            del self._hosts[guest]
        if guest == opened:
            return  # the place that opened is its own
        # The owner of that place goes home, if free, and leaves a seat elsewhere.
        place = self._hosts.pop(opened, opened)
        self._guests[place] = guest
        self._hosts[guest] = place

    def _draw_numbered(self, taken: Callable[[str], bool]) -> str:
        for attempt in range(_NUMBER_DRAWS):
            name = self._numbered(self._rng.randrange(2, 10 ** (2 + attempt // 4)))
            if self._claim(name, taken):
                return name
        # Fewer names are taken than there are numbers, so this ends.
        return next(name for name in map(self._numbered, count(10**6)) if self._claim(name, taken))

    def _numbered(self, number: int) -> str:
        base = self._pool.names[self._rng.randrange(0, len(self._pool))]
        digits = str(number)
        return base[: NAME_LENGTH - len(digits)].rstrip(" ") + digits

    def _claim(self, name: str, taken: Callable[[str], bool]) -> bool:
        key = name_key(name)
        if taken(key):
            return False
        self.take(key)  # a pool may well hold `Ming2` beside `Ming`
        return True
