"""HTTP/1.1 responses as bytes, with the headers that protect every one of them; no I/O."""

from __future__ import annotations

import time
from collections.abc import Iterable
from email.utils import formatdate
from functools import lru_cache
from http import HTTPStatus
from typing import Final

Header = tuple[str, str]

# Nothing here is for caches, and no other site may embed it unless its origin is allowed (CROSS_ORIGIN).
SAFE_HEADERS: Final[tuple[Header, ...]] = (
    ("Cache-Control", "no-store"),
    ("Referrer-Policy", "no-referrer"),
    ("X-Content-Type-Options", "nosniff"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
)
CROSS_ORIGIN: Final[Header] = ("Cross-Origin-Resource-Policy", "cross-origin")


def header_lines(headers: Iterable[Header]) -> str:
    """Headers as they stand in a head, each with its line end."""
    return "".join(f"{name}: {value}\r\n" for name, value in headers)


SAFE_LINES: Final = header_lines(SAFE_HEADERS)
_SAFE_CROSS_ORIGIN: Final = header_lines((*SAFE_HEADERS[:-1], CROSS_ORIGIN))
_date: tuple[int, str] = (0, "")


def response(
    status: int,
    body: bytes,
    *,
    content_type: str = "text/plain; charset=UTF-8",
    headers: list[Header] | None = None,
    cross_origin: bool = False,
    keep_alive: bool = True,
    without_body: bool = False,
) -> bytes:
    """Write a response with a body of known length.

    Args:
        cross_origin: whether it is for a page of another origin, which is allowed to have it.
        without_body: for HEAD.
    """
    first = _first_lines(status, content_type, cross_origin=cross_origin)
    head = (
        f"{first}Date: {current_date()}\r\nContent-Length: {len(body)}\r\n"
        f"Connection: {'keep-alive' if keep_alive else 'close'}\r\n{header_lines(headers) if headers else ''}\r\n"
    ).encode("latin-1")
    return head if without_body else head + body


def current_date() -> str:
    """The value of the header `Date`."""
    global _date
    now = int(time.time())
    if _date[0] != now:
        _date = (now, formatdate(now, usegmt=True))
    return _date[1]


@lru_cache(maxsize=64)
def _first_lines(status: int, content_type: str, *, cross_origin: bool) -> str:
    safe = _SAFE_CROSS_ORIGIN if cross_origin else SAFE_LINES
    return f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\nContent-Type: {content_type}\r\n{safe}"
