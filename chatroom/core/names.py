"""Names of people and rooms: which are valid, which are equal, and random ones for guests who choose none.

A name is kept and shown as typed. Two are compared by key: people's by how they look without punctuation around them
(`name_key`), rooms' by NFKC and casefolding (`room_key`). So nobody can pass for someone else, and a room's address
stays what was typed.

Drawing a name costs a few lookups, and one pass over the list in a room with nearly as many members. Rooms keep nothing
to draw from, so that ten thousand may share a long list.
"""

from collections.abc import Callable, Container, Iterable, Sequence
from functools import lru_cache
from itertools import chain, count
from typing import Protocol, TypeVar
from unicodedata import category, normalize
from unicodedata import name as unicode_name

from chatroom.core.bare import bare
from chatroom.core.characters import POINTS_EACH, Kind, code_point, pieces, shortened
from chatroom.core.confusables import fold, skeleton
from chatroom.core.errors import BadRequest, NameInvalid, NameReserved, Refusal, RoomInvalid
from chatroom.core.reserved import is_reserved

NAME_LENGTH = 32  # visible characters
ROOM_LENGTH = 64
# Code points for each character, once they are decomposed: U+FDFA becomes 18.
_POINTS_FOLDED = 2 * POINTS_EACH

LOBBY = "lobby"

_SPACES = " \u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000"
_MARKS_IN_A_ROW = 3  # as Hebrew and Devanagari need; stacks of them overlap the lines around
_DAMAGED = "\ufffd"  # shows text that was damaged in transit

_TRIES = 16  # names tried at random; then as many of the unused ones, which may all be reserved
_NUMBER_TRIES = 20  # random numbers tried, from two digits up to six, before counting

# The languages that names are drawn for, and the first word of Unicode's names for the letters they are written in.
_SCRIPTS = {"en": frozenset({"LATIN"}), "zh": frozenset({"CJK", "BOPOMOFO", "HIRAGANA", "KATAKANA"})}


def never(key: str) -> bool:
    """No name is held for anyone."""
    return False


def parse_name(text: object) -> str:
    """A person's name as typed, without the spaces around it.

    It has 1–32 visible characters, an emoji sequence counting as one, and no hidden characters except joiners and
    selectors where they belong (`characters.pieces`). It has only single spaces, inside, at most three combining marks
    in a row, and something other than punctuation.

    Raises:
        BadRequest: it is not a string.
        NameInvalid: it cannot be a name; a hidden character that is the reason is named.
        NameReserved: it would pass for the service or its staff, with or without its hidden characters.
    """
    name = _stripped(text, NAME_LENGTH, NameInvalid)
    if is_reserved(name):
        raise NameReserved(name=printable(name))
    _check(name, NAME_LENGTH, NameInvalid)
    if not any(_is_more_than_punctuation(piece) for piece, kind in pieces(name) if kind is Kind.SEEN):
        raise NameInvalid
    return name


def name_key(name: str) -> str:
    """The key of a name: the same for any two that differ in case, composition or joiners, or look alike.

    Punctuation around a name makes no difference either (`core.bare`). Idempotent
    (`name_key(name_key(x)) == name_key(x)`), and only for comparing: it is often not a readable name.
    """
    return bare(" ".join(map(_word_key, name.split(" "))))


@lru_cache(maxsize=8192)
def _word_key(word: str) -> str:
    # A name is looked for at the beginning of a text by each number of words: every word is likened once.
    return skeleton(word)


def name_typed(name: str) -> str:
    """A name folded: the same for any two that differ only in case, width, composition or joiners."""
    return name.lower() if name.isascii() else " ".join(map(word_typed, name.split(" ")))


def word_typed(word: str) -> str:
    """A word of a name folded."""
    return word.lower() if word.isascii() else _word_typed(word)


@lru_cache(maxsize=8192)
def _word_typed(word: str) -> str:
    return fold(word)  # once for each word, as above


def parse_room(text: object) -> str:
    """A room's name as typed, without the spaces around it: 1–64 visible characters, and nothing that looks like `/`.

    `.` and `..`, also written `%2e`, are not names: browsers turn such an address into that of another page.
    The lobby has one spelling, or its first guest would choose how everyone sees it.

    Raises:
        BadRequest: it is not a string.
        RoomInvalid: it cannot be a room's name; a hidden character that is the reason is named.
    """
    room = _stripped(text, ROOM_LENGTH, RoomInvalid)
    _check(room, ROOM_LENGTH, RoomInvalid)
    folded = fold(room)
    if "/" in folded or folded.replace("%2e", ".") in (".", ".."):
        raise RoomInvalid
    return LOBBY if room_key(room) == LOBBY else room


def room_key(room: str) -> str:
    """The key of a room: its name after NFKC and casefolding, without joiners and selectors."""
    return normalize("NFKC", fold(room))


def printable(text: str) -> str:
    """Any text, made safe to quote in a refusal: at most 32 characters, with U+FFFD for stray hidden ones."""
    whole = pieces(shortened(text, NAME_LENGTH))
    shown = "".join(_DAMAGED if kind is Kind.STRAY else piece for piece, kind in whole)
    return shown if shown == text else printable(shown)  # a joiner beside what was replaced is stray as well


def _stripped(text: object, most: int, refusal: type[Refusal]) -> str:
    """The text without the spaces around it, refused if it is far too long."""
    if not isinstance(text, str):
        raise BadRequest
    text = text.strip(_SPACES)
    if not _fits(text, most):
        raise refusal
    return text


def may_be_name(text: str) -> bool:
    """Whether a text is short enough for a name of a person; one that is not need not be compared with any."""
    return _fits(text, NAME_LENGTH)


def may_be_room(text: str) -> bool:
    """Whether a text is short enough for a room's name."""
    return _fits(text, ROOM_LENGTH)


def _fits(text: str, most: int) -> bool:
    if len(text) > most * POINTS_EACH:
        return False
    return text.isascii() or len(normalize("NFKD", text)) <= most * _POINTS_FOLDED


def _check(text: str, most: int, refusal: type[Refusal]) -> None:
    """Refuse the text unless it has 1 to `most` visible characters, and no hidden ones except joiners in place."""
    if text.isascii() and text.isprintable() and "  " not in text and 1 <= len(text) <= most:
        return
    seen = marks = 0
    before = Kind.SPACE
    for piece, kind in pieces(text):
        if kind is Kind.JOINER:
            continue
        if kind is Kind.STRAY:
            raise refusal(character=code_point(piece))
        if kind is Kind.MARK:
            marks += 1
            seen += category(piece) == "Mc"  # a spacing mark takes up space
        else:
            marks = 0
            seen += 1
        if piece == _DAMAGED or marks > _MARKS_IN_A_ROW:
            raise refusal
        if before is Kind.SPACE and kind is not Kind.SEEN:
            raise refusal
        before = kind
    if not 1 <= seen <= most:
        raise refusal


def _is_more_than_punctuation(piece: str) -> bool:
    return len(piece) > 1 or category(piece)[0] != "P"


_One = TypeVar("_One")


class Randomness(Protocol):
    """The part of `random.Random` that drawing needs."""

    def randrange(self, start: int, stop: int, /) -> int: ...
    def choice(self, seq: Sequence[_One], /) -> _One: ...
    def sample(self, population: Sequence[_One], k: int, /) -> list[_One]: ...


class NamePool:
    """Nicknames, all different by key; immutable, and shared by all rooms."""

    def __init__(self, names: Iterable[str]) -> None:
        """Take the names, dropping those that look like an earlier one.

        Raises:
            ValueError: there is none.
        """
        by_key: dict[str, str] = {}
        for name in names:
            by_key.setdefault(name_key(name), name)
        if not by_key:
            raise ValueError("the list of names is empty")
        self._lines = tuple(by_key.items())
        scripts = {key: _scripts(name) for key, name in self._lines}
        # If a line is in a language's script alone, the language leaves out lines that are only in other scripts.
        self._by_lang = {
            lang: tuple(line for line in self._lines if scripts[line[0]] in ({lang}, set(), set(_SCRIPTS)))
            for lang in _SCRIPTS
            if {lang} in scripts.values()
        }

    @classmethod
    def from_lines(cls, lines: Iterable[str]) -> "NamePool":
        """Read one name per line, skipping blank lines and `#` comments.

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
                except NameInvalid as refused:
                    hidden = refused.params.get("character")
                    why = f": it contains {hidden}" if hidden else ""
                    raise ValueError(f"line {number}: {written!r} cannot be a nickname{why}") from None
        return cls(names)

    @property
    def names(self) -> Sequence[str]:
        """All names, as they are drawn."""
        return [name for _, name in self._lines]

    def __len__(self) -> int:
        return len(self._lines)

    def draw(
        self,
        rng: Randomness,
        used: Container[str],
        reserved: Callable[[str], bool] = never,
        lang: str | None = None,
    ) -> str:
        """A random name that is neither used nor reserved; with a number added when there is none.

        Args:
            used: the keys of the names in the room.
            reserved: whether the name with this key is held for someone. It must not be true for every possible key.
            lang: the language of the names to draw from, by script. Names in both scripts or in neither serve every
                language. If no name is in the language's script, or the language is unknown, all names do.
        """
        lines = self._by_lang.get(lang, self._lines) if lang is not None else self._lines
        for _ in range(_TRIES):
            key, name = rng.choice(lines)
            if key not in used and not reserved(key):
                return name
        # Most of them are used: the room has as many members, and everyone who joins receives all their names anyway.
        free = [line for line in lines if line[0] not in used]
        for key, name in rng.sample(free, min(_TRIES, len(free))):
            if not reserved(key):
                return name
        numbers = (rng.randrange(2, 10 ** (2 + attempt // 4)) for attempt in range(_NUMBER_TRIES))
        # Fewer names are taken than there are numbers, so this ends. `Roo7` would pass for `root`.
        numbered = (_numbered(rng.choice(lines)[1], number) for number in chain(numbers, count(10**6)))
        return next(
            name
            for name in numbered
            if not ((key := name_key(name)) in used or reserved(key) or is_reserved(name))
        )


def _scripts(name: str) -> set[str]:
    """The languages in whose scripts this name has letters."""
    words = {
        word for character in normalize("NFKC", name) for word in unicode_name(character, "").split()[:1]
    }
    return {lang for lang, scripts in _SCRIPTS.items() if not scripts.isdisjoint(words)}


def _numbered(name: str, number: int) -> str:
    digits = str(number)
    return shortened(name, NAME_LENGTH - len(digits)) + digits
