"""How the values of settings are written. It knows forms, and no setting.

A parser takes the text and returns the value. If there is none, it raises ValueError with what the text must be, as in
"a whole number from 1 to 9".
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from chatroom.core.errors import RoomInvalid
from chatroom.core.names import parse_room

_BYTES = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9}
_HOST_NAME = re.compile(r"[a-z0-9_-]+(?:\.[a-z0-9_-]+)*")


def whole(low: int, high: int) -> Callable[[str], int]:
    """A parser of whole numbers within these bounds."""

    def parse(text: str) -> int:
        try:
            value = int(text)
        except ValueError:
            raise ValueError(f"a whole number from {low} to {high}") from None
        if not low <= value <= high:
            raise ValueError(f"a whole number from {low} to {high}")
        return value

    return parse


def number(low: float, high: float) -> Callable[[str], float]:
    """A parser of numbers within these bounds."""

    def parse(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            raise ValueError(f"a number from {low:g} to {high:g}") from None
        if not low <= value <= high:  # also refuses nan
            raise ValueError(f"a number from {low:g} to {high:g}")
        return value

    return parse


def one_of(*choices: str) -> Callable[[str], str]:
    """A parser of one of these words."""

    def parse(text: str) -> str:
        if text not in choices:
            raise ValueError(" or ".join(choices))
        return text

    return parse


def on_off(text: str) -> bool:
    """A switch."""
    if text.lower() not in ("on", "off", "true", "false", "1", "0", "yes", "no"):
        raise ValueError("on or off")
    return text.lower() in ("on", "true", "1", "yes")


def size(text: str) -> int:
    """A number of bytes; its unit may be written."""
    digits = text.lower().removesuffix("b")
    unit = digits[-1:] if digits[-1:] in ("k", "m", "g") else ""
    count = digits.removesuffix(unit).strip()
    if not (count.isascii() and count.isdigit()):
        raise ValueError("a size such as 500MB or 1GB")
    return int(count) * _BYTES[unit]


def base_path(text: str) -> str:
    """The path before the page's own, without a slash at its end."""
    base = "/" + text.strip("/")
    if any(not (char.isascii() and (char.isalnum() or char in "/-._~")) for char in base) or "//" in base:
        raise ValueError("a path such as /chat")
    return "" if base == "/" else base


def origins(text: str) -> tuple[str, ...]:
    """Web origins, separated by commas."""
    found = tuple(part.strip().rstrip("/") for part in text.split(",") if part.strip())
    for origin in found:
        parts = urlsplit(origin)
        if origin != "*" and not (parts.scheme and parts.netloc and not parts.path):
            raise ValueError("origins such as https://chat.example.org, separated by commas, or *")
    return found


def hosts(text: str) -> tuple[str, ...]:
    """Names of servers, separated by commas."""
    return tuple(_host(part.strip()) for part in text.split(",") if part.strip())


def _host(text: str) -> str:
    """A name as browsers send it: in lower case, other letters than English ones encoded; perhaps below `*.`."""
    wildcard = "*." if text.startswith("*.") else ""
    try:
        name = text.removeprefix(wildcard).removesuffix(".").encode("idna").decode().lower()
    except UnicodeError:
        name = ""
    if text != "*" and not _HOST_NAME.fullmatch(name):
        raise ValueError("names such as chat.example.org, without a port, separated by commas; *.NAME, or *")
    return wildcard + name


def rooms(text: str) -> tuple[str, ...]:
    """Names of rooms, separated by commas."""
    names = [part.strip() for part in text.split(",") if part.strip()]
    try:
        return tuple(parse_room(name) for name in names)
    except RoomInvalid:
        raise ValueError("names of rooms, separated by commas") from None


@dataclass(frozen=True, slots=True)
class WebPort:
    """The web port. If a platform has chosen it, by `PORT`, its proxy stands between people and the server."""

    number: int
    platforms: bool = field(default=False, compare=False)

    def __str__(self) -> str:
        return str(self.number)


def web_port(text: str) -> WebPort:
    """The port of the web."""
    return WebPort(whole(0, 65535)(text))


@dataclass(frozen=True, slots=True)
class LinePort:
    """The line gateway's port; if the default one is taken, the gateway stays off."""

    number: int
    chosen: bool

    def __str__(self) -> str:
        return str(self.number)


def line_port(text: str) -> LinePort | None:
    """The port of the line gateway; None if it is off."""
    if text.lower() == "off":
        return None
    try:
        return LinePort(whole(0, 65535)(text), chosen=True)
    except ValueError:
        raise ValueError("a whole number from 0 to 65535, or off") from None


def path(text: str) -> Path:
    """A path in the file system."""
    try:
        if text.strip():  # an empty path would be the current folder
            return Path(text).expanduser()
    except RuntimeError:  # `~name` of an unknown user
        pass
    raise ValueError("a path such as ./data")
