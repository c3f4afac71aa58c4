"""The header lines that a client sends with each poll: they are checked once, and recognised after that.

Of the lines, which may have cookies, a user agent and addresses, only a keyed digest is kept. It knows no request.
"""

from __future__ import annotations

from hashlib import blake2b
from secrets import token_bytes
from typing import Final

Headers = dict[bytes, list[str]]
"""By name in lower case, the values of all lines in order, without surrounding space."""

_KEY: Final = token_bytes(32)


class KnownLines:
    """Header lines that were checked, if there are any.

    Attributes:
        size: how many bytes they have; 0 if there are none.
    """

    __slots__ = ("_digest", "size")

    def __init__(self) -> None:
        self._digest = b""
        self.size = 0

    def remember(self, lines: bytes) -> None:
        """Remember these lines, all that follow the first line of a head; empty ones forget the last."""
        self._digest = _digest(lines)
        self.size = len(lines)

    def headers(self, lines: bytes) -> Headers | None:
        """The headers of the same lines; None if these are others."""
        if _digest(lines) != self._digest:
            return None
        headers: Headers = {}
        for line in lines[2:-4].decode("latin-1").split("\r\n"):
            name, _, value = line.partition(":")
            headers.setdefault(name.lower().encode("latin-1"), []).append(value.strip(" \t"))
        return headers


def _digest(lines: bytes) -> bytes:
    return blake2b(lines, digest_size=16, key=_KEY).digest()
