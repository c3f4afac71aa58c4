"""HTTP/1.1 requests: each is read whole, within bounds, and checked before anything acts on it; no I/O.

h11 checks the head, its framing and chunked bodies. What h11 accepts but two servers in a row could read differently
is refused here, on the raw bytes: after normalisation it can no longer be seen. This module knows nothing of paths,
sessions or sockets.
"""

from __future__ import annotations

import enum
import re
import time
from dataclasses import dataclass
from email.utils import formatdate
from http import HTTPStatus

import h11

Headers = list[tuple[bytes, bytes]]

_BARE_LF = re.compile(rb"(?<!\r)\n")
_HOST = re.compile(rb"[A-Za-z0-9._~%:\[\]-]*\Z")
_EMPTY_LINES = 2  # that may precede a request (RFC 9112, 2.2)


class Refusal(Exception):
    """The request is answered with `status` and the connection closed; `reason` never quotes the peer."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason


@dataclass(slots=True)
class Request:
    """A whole request.

    Attributes:
        headers: names in lower case, values without surrounding space, in the order of arrival.
        keep_alive: whether the peer wants the connection to live on after the response.
    """

    method: str
    path: str
    query: str
    version: str
    headers: Headers
    body: bytes = b""
    keep_alive: bool = True

    def header(self, name: bytes) -> str:
        """The value of a header, the last one's if it was repeated, `""` if there is none."""
        for key, value in reversed(self.headers):
            if key == name:
                return value.decode("latin-1")
        return ""

    def values(self, name: bytes) -> list[str]:
        """The values of all lines of a header, in order."""
        return [value.decode("latin-1") for key, value in self.headers if key == name]

    def tokens(self, name: bytes) -> list[str]:
        """The comma-separated items of a header, in lower case, of all its lines (RFC 9110, 5.3)."""
        return _tokens(self.headers, name)

    def wants_upgrade(self) -> bool:
        """Whether the peer asks to use WebSocket from here on."""
        return "websocket" in self.tokens(b"upgrade")


def _tokens(headers: Headers, name: bytes) -> list[str]:
    return [
        item.strip().lower()
        for key, value in headers
        if key == name
        for item in value.decode("latin-1").split(",")
    ]


class Stage(enum.Enum):
    """How much of a request has been read."""

    EMPTY = "empty"
    HEAD = "head"
    BODY = "body"


class RequestReader:
    """The requests of one connection, one at a time.

    Bytes that follow a request wait until `proceed` is called, which is when its response has been written.

    Args:
        max_head_bytes: request line and headers together.
        max_body_bytes: the body, after its transfer coding is undone.
    """

    __slots__ = (
        "_body",
        "_buffer",
        "_h11",
        "_max_body",
        "_max_head",
        "_request",
        "_scanned",
        "wants_continue",
    )

    def __init__(self, *, max_head_bytes: int, max_body_bytes: int) -> None:
        self._max_head = max_head_bytes
        self._max_body = max_body_bytes
        self._buffer = bytearray()
        self._scanned = 0
        self._h11: h11.Connection | None = None  # while a body is being read
        self._request: Request | None = None
        self._body = bytearray()
        self.wants_continue = False

    @property
    def stage(self) -> Stage:
        """How much of the next request is here."""
        if self._h11 is not None:
            return Stage.BODY
        # Half of an empty line, which may precede a request, does not begin one (RFC 9112, 2.2).
        return Stage.EMPTY if not self._buffer or self._buffer == b"\r" else Stage.HEAD

    def hold(self, data: bytes) -> None:
        """Keep bytes that arrived before the last request was answered."""
        self._buffer += data

    @property
    def holds_bytes(self) -> bool:
        """Whether something came after the last request, be it half of an empty line."""
        return bool(self._buffer)

    @property
    def full(self) -> bool:
        """Whether more is kept than a request head may have; then nothing more is read until some of it is answered."""
        return len(self._buffer) > self._max_head

    def proceed(self) -> Request | None:
        """Go on to the next request; returns it if all of it is here.

        Raises:
            Refusal: as `feed` does.
        """
        data = bytes(self._buffer)
        self._buffer.clear()
        return self.feed(data) if data else None

    def feed(self, data: bytes) -> Request | None:
        """Take bytes from the socket; returns the request once it is complete.

        Raises:
            Refusal: the request is malformed, ambiguous or too big.
        """
        if self._h11 is not None:
            return self._read_body(data)
        buffer = self._buffer
        buffer += data
        if buffer.startswith((b"\r", b"\n")):
            self._skip_empty_lines()
            if buffer == b"\r":
                return None
        if buffer and not (65 <= buffer[0] <= 90):
            raise Refusal(400, "no HTTP request")
        end = buffer.find(b"\r\n\r\n", max(0, self._scanned - 3))
        stop = len(buffer) if end < 0 else end + 4
        if stop > self._max_head:
            raise Refusal(431, "request head too long")
        if _BARE_LF.search(buffer, self._scanned, stop):
            raise Refusal(400, "bare LF in the request head")
        if end < 0:
            self._scanned = len(buffer)
            return None
        head, rest = bytes(buffer[:stop]), bytes(buffer[stop:])
        buffer.clear()
        self._scanned = 0
        return self._check_head(head, rest)

    def _skip_empty_lines(self) -> None:
        for _ in range(_EMPTY_LINES):
            if self._buffer.startswith(b"\r\n"):
                del self._buffer[:2]
                self._scanned = 0

    def _check_head(self, head: bytes, rest: bytes) -> Request | None:
        if b"\r\n " in head or b"\r\n\t" in head:
            raise Refusal(400, "folded header")
        parser = h11.Connection(h11.SERVER, max_incomplete_event_size=self._max_head)
        try:
            parser.receive_data(head)
            event = parser.next_event()
        except h11.RemoteProtocolError as problem:
            raise Refusal(problem.error_status_hint, "malformed request head") from None
        if not isinstance(event, h11.Request):
            raise Refusal(400, "malformed request head")
        request = _to_request(event)
        names = {name for name, _ in request.headers}
        if b"content-length" not in names and b"transfer-encoding" not in names:
            if rest:
                if request.wants_upgrade():
                    raise Refusal(400, "bytes after an upgrade request")
                self._buffer += rest
            return request
        self._check_framing(request, names)
        self._h11 = parser
        self._request = request
        self.wants_continue = request.header(b"expect").lower() == "100-continue" and not rest
        return self._read_body(rest)

    def _check_framing(self, request: Request, names: set[bytes]) -> None:
        if b"transfer-encoding" in names and (b"content-length" in names or request.version == "1.0"):
            raise Refusal(400, "ambiguous length")
        length = request.header(b"content-length")
        if length and int(length) > self._max_body:
            raise Refusal(413, "body too big")
        if request.wants_upgrade() and length != "0":
            raise Refusal(400, "body in an upgrade request")

    def _read_body(self, data: bytes) -> Request | None:
        parser, request = self._h11, self._request
        if parser is None or request is None:
            raise RuntimeError("a body without a head")
        try:
            if data:
                parser.receive_data(data)
            while True:
                event = parser.next_event()
                if isinstance(event, h11.Data):
                    self._body += event.data
                    if len(self._body) > self._max_body:
                        raise Refusal(413, "body too big")
                elif isinstance(event, h11.EndOfMessage):
                    break
                else:
                    return None
        except h11.RemoteProtocolError as problem:
            raise Refusal(problem.error_status_hint, "malformed request body") from None
        request.body = bytes(self._body)
        self._buffer += parser.trailing_data[0]
        self._body.clear()
        self._h11 = self._request = None
        self.wants_continue = False
        return request


def _to_request(event: h11.Request) -> Request:
    version = event.http_version.decode()
    if version not in ("1.0", "1.1"):
        raise Refusal(505, "HTTP version")
    headers = list(event.headers)
    host = next((value for name, value in headers if name == b"host"), b"")
    if not _HOST.match(host):
        raise Refusal(400, "bad Host")
    target = event.target
    if not target.startswith(b"/") and target != b"*":
        scheme, _, rest = target.partition(b"://")
        authority, slash, path = rest.partition(b"/")
        if scheme.lower() not in (b"http", b"https") or authority.lower() != host.lower():
            raise Refusal(400, "bad request target")
        target = slash + path or b"/"
    where, _, query = target.decode("ascii").partition("?")
    connection = _tokens(headers, b"connection")
    keep_alive = "close" not in connection if version == "1.1" else "keep-alive" in connection
    return Request(event.method.decode(), where, query, version, headers, keep_alive=keep_alive)


_date: tuple[int, str] = (0, "")


def response(
    status: int,
    body: bytes,
    *,
    content_type: str = "text/plain; charset=UTF-8",
    headers: list[tuple[str, str]] | None = None,
    keep_alive: bool = True,
    without_body: bool = False,
) -> bytes:
    """Write a response with a body of known length; `without_body` is for HEAD."""
    global _date
    now = int(time.time())
    if _date[0] != now:
        _date = (now, formatdate(now, usegmt=True))
    lines = [
        f"HTTP/1.1 {status} {HTTPStatus(status).phrase}",
        f"Date: {_date[1]}",
        f"Content-Type: {content_type}",
        f"Content-Length: {len(body)}",
        f"Connection: {'keep-alive' if keep_alive else 'close'}",
    ]
    lines += [f"{name}: {value}" for name, value in headers or ()]
    head = ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")
    return head if without_body else head + body
