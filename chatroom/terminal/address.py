"""Where a chatroom is, as people write it: an address, perhaps with a path, perhaps a room's own link."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import unquote, urlsplit


class AddressError(ValueError):
    """It is no address of a chatroom; the text says what would be."""


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
            AddressError: it is none.
        """
        parts = urlsplit(text if "://" in text else f"http://{text}")
        try:
            is_right = parts.scheme in ("http", "https") and parts.hostname and (parts.port or 1)
        except ValueError:
            is_right = False
        if not is_right:
            raise AddressError(f"{text!r} is no address; it must be one such as https://chat.example.org")
        base, _, room = parts.path.partition("/r/")
        path = f"{base.rstrip('/')}/socket.io".lstrip("/")
        return cls(f"{parts.scheme}://{parts.netloc}", path, unquote(room) or None)
