"""Completion of what is typed: a command, or the name of someone who is here. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from chatroom.core.commands import COMMANDS
from chatroom.core.confusables import fold
from chatroom.core.errors import typed_name

_COMMANDS: Final = tuple(f"/{record.name}" for record in COMMANDS if not record.line_only)
_WHISPERS: Final = tuple(
    f"/{name}" for record in COMMANDS if record.name == "to" for name in ("to", *record.aliases)
)


def complete(text: str, names: Iterable[str], *, asked: bool = True) -> str | None:
    """The whole text with its end completed; None if there is nothing to add.

    Commands and the name after `/to` or `to:` are completed while typing, even from nothing if only one other person is
    here. A name elsewhere is completed only if that is asked for.
    """
    if text.lower().startswith("to:") and "\n" not in text:
        name = _first_person(text[3:].lstrip(), names, "")
        return None if name is None else f"{text[:3]}{name}"
    if text.startswith("/") and not text.startswith("//") and "\n" not in text:
        command, space, rest = text.partition(" ")
        if not space:
            return _first(command, _COMMANDS, " ")
        if command.lower() in _WHISPERS:
            name = _first_person(rest.lstrip(), names, "")
            return None if name is None else f"{command} {typed_name(name)} "
        return None
    if not asked:
        return None
    before, space, word = text.rpartition(" ")
    if not word or "\n" in word:
        return None
    name = _first(word, names, " " if space else ": ")
    return None if name is None else f"{before}{space}{name}"


def _first_person(beginning: str, names: Iterable[str], end: str) -> str | None:
    names = list(names)
    return _first(beginning, names, end) if beginning or len(names) == 1 else None


def _first(beginning: str, candidates: Iterable[str], end: str) -> str | None:
    key = fold(beginning)  # joiners in a name need not be typed
    found = (candidate for candidate in candidates if fold(candidate).startswith(key))
    name = next(found, None)
    return None if name is None else f"{name}{end}"
