"""The address of a chatroom as people write it: perhaps with a path, perhaps a room's link."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import unquote, urlsplit


class AddressError(ValueError):
    """It is not the address of a chatroom; the text says what one looks like."""


@dataclass(frozen=True, slots=True)
class Address:
    """An origin such as `https://chat.example.org`, the path of Socket.IO there, and the room of the link, if any."""

    origin: str
    socket_path: str
    room: str | None

    @classmethod
    def parse(cls, text: str) -> Address:
        """Read `http(s)://HOST[:PORT][/BASE][/r/ROOM]`; without a scheme it is http.

        Raises:
            AddressError: it is not an address.
        """
        text = text.strip()
        try:
            parts = urlsplit(text if "://" in text else f"http://{text}")
            is_right = (
                parts.scheme in ("http", "https")
                and parts.hostname is not None
                and parts.port != 0
                and parts.netloc.isprintable()
                and " " not in parts.netloc
            )
        except ValueError:
            is_right = False  # a port that is not a number, brackets that do not close
        if not is_right:
            raise AddressError(
                f"{text!r} is not an address; use one such as https://chat.example.org or localhost:5000"
            )
        if "@" in parts.netloc:
            raise AddressError("an address must not contain a user name or password")
        base, _, room = parts.path.partition("/r/")
        path = f"{base.rstrip('/')}/socket.io".lstrip("/")
        return cls(f"{parts.scheme}://{parts.netloc}", path, unquote(room.rstrip("/")) or None)
