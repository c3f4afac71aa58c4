"""HTTP/1.1 requests: each is read whole, within bounds, and checked before anything acts on it; no I/O.

h11 checks the head. What h11 accepts but two servers in a row could read differently is refused here, on the raw
bytes: after normalisation it can no longer be seen. `chunks` reads bodies in chunks. This module knows nothing of
paths, sessions or sockets.
"""

from __future__ import annotations

import enum
import re
import traceback
from dataclasses import dataclass, field
from ipaddress import IPv6Address
from typing import Any
from urllib.parse import unquote, unquote_plus

import h11

from chatroom.engine.chunks import ChunkError, ChunkReader
from chatroom.engine.known_lines import Headers, KnownLines

_BARE_LF = re.compile(rb"(?<!\r)\n")
_HOST = re.compile(r"(?:(?:[A-Za-z0-9._-]+|\[([0-9A-Fa-f:.]+)(?:%[A-Za-z0-9._~-]+)?\])(?::([0-9]{1,5}))?)?")
_LENGTHS = re.compile(rb"\ncontent-length:[ \t]*(.*?)[ \t]*\r", re.IGNORECASE)
_CODINGS = re.compile(rb"\ntransfer-encoding:(.*)\r", re.IGNORECASE)
_FORWARDED = re.compile(rb"\r\nX-Forwarded-For:([^\r\n]*)", re.IGNORECASE)
_PLAIN_GET = re.compile(rb"GET (/[!-\"$->@-~]*)(?:\?([!-\"$-~]*))? HTTP/1\.1")
_EMPTY_LINES = 2  # that may precede a request (RFC 9112, 2.2)
# Each costs time, however short it is.
_MAX_HEADER_LINES = 100
_MAX_PARAMETERS = 32
_MAX_KNOWN = 4096  # bytes of a head whose lines may be remembered: twice as many as most browsers send


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
        headers: by name in lower case, the values of all its lines in order, without surrounding space.
        keep_alive: whether the peer wants the connection to live on after the response.
        parameters: of the query; the first of a repeated one counts.
        lines: what follows the first line, as it came, if the head is short and there is no body.
        is_known: its header lines were checked with an earlier request.
    """

    method: str
    path: str
    query: str
    version: str
    headers: Headers
    body: bytes = b""
    keep_alive: bool = True
    parameters: dict[str, str] = field(default_factory=dict)
    lines: bytes = field(default=b"", repr=False)
    is_known: bool = field(default=False, compare=False)

    def forget_headers(self) -> None:
        """Drop the headers, which may say who asks: they are not kept while the request waits for its answer."""
        self.headers = {}
        self.lines = b""

    def header(self, name: bytes) -> str:
        """The value of a header, the last one's if it was repeated, `""` if there is none."""
        return self.headers[name][-1] if name in self.headers else ""

    def values(self, name: bytes) -> list[str]:
        """The values of all lines of a header, in order."""
        return self.headers.get(name, [])

    def tokens(self, name: bytes) -> list[str]:
        """The comma-separated items of a header, in lower case, of all its lines (RFC 9110, 5.3)."""
        return [item.strip().lower() for value in self.headers.get(name, ()) for item in value.split(",")]

    def environ(self, client: str) -> dict[str, Any]:
        """The request of this client as WSGI spells it, without a body."""
        environ: dict[str, Any] = {
            "REQUEST_METHOD": self.method,
            "SCRIPT_NAME": "",
            "PATH_INFO": unquote(self.path, encoding="latin-1"),
            "RAW_PATH_INFO": self.path,
            "QUERY_STRING": self.query,
            "SERVER_PROTOCOL": "HTTP/" + self.version,
            "REMOTE_ADDR": client,
        }
        for name, values in self.headers.items():
            if b"_" in name:
                continue  # `x_y` and `x-y` would become one key
            key = name.decode("ascii").replace("-", "_").upper()
            if key not in ("CONTENT_TYPE", "CONTENT_LENGTH"):
                key = "HTTP_" + key
            environ[key] = ",".join(values)
        return environ

    def wants_upgrade(self) -> bool:
        """Whether the peer asks to use WebSocket from here on."""
        return "websocket" in self.tokens(b"upgrade")


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
        "_chunks",
        "_known",
        "_length",
        "_max_body",
        "_max_head",
        "_request",
        "_scanned",
        "_skipped",
        "wants_continue",
    )

    def __init__(self, *, max_head_bytes: int, max_body_bytes: int) -> None:
        self._max_head = max_head_bytes
        self._max_body = max_body_bytes
        self._buffer = bytearray()
        self._scanned = 0
        self._skipped = 0  # empty lines before this request
        self._request: Request | None = None  # while its body is being read
        self._length = 0  # of that body, unless it comes in chunks
        self._chunks: ChunkReader | None = None
        self._body = bytearray()
        self._known = KnownLines()  # which the next one probably has
        self.wants_continue = False

    @property
    def stage(self) -> Stage:
        """How much of the next request is here."""
        if self._request is not None:
            return Stage.BODY
        # Half of an empty line, which may precede a request, does not begin one (RFC 9112, 2.2).
        return Stage.EMPTY if not self._buffer or self._buffer == b"\r" else Stage.HEAD

    @property
    def expected(self) -> Request | None:
        """The request whose body is being read."""
        return self._request

    @property
    def unfinished(self) -> int:
        """How many bytes are kept of a request that is not complete, or came too early."""
        return len(self._buffer) + len(self._body)

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

    def forwarded(self) -> list[str]:
        """The values of the X-Forwarded-For lines of the request that is read, or refused.

        Empty until its head is whole: the line that the nearest proxy adds last may still be missing.
        """
        if self._request is not None:
            return self._request.values(b"x-forwarded-for")
        found = _FORWARDED.findall(self._buffer, 0, max(0, self._buffer.find(b"\r\n\r\n")))
        return [value.decode("latin-1").strip() for value in found]

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
        if self._request is not None:
            return self._read_body(self._request, data)
        buffer = self._buffer
        buffer += data
        if self._known.size and (request := self._repeat()) is not None:
            return request
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
        if buffer.count(b"\n", 0, stop) > _MAX_HEADER_LINES + 2:  # and the first line, and the empty one
            raise Refusal(431, "too many header lines")
        if end < 0:
            self._scanned = len(buffer)
            return None
        return self._check_head(bytes(buffer[:stop]), bytes(buffer[stop:]))

    def remember(self, request: Request) -> None:
        """The next request will probably have the same header lines; then they are not checked again.

        Only those of a plain GET mean the same before every target.
        """
        is_plain = request.method == "GET" and request.version == "1.1" and request.keep_alive
        if not request.is_known:
            self._known.remember(request.lines if is_plain else b"")

    def _repeat(self) -> Request | None:
        """The next request, if it is here and differs from a known one in nothing but its target."""
        buffer, start = self._buffer, len(self._buffer) - self._known.size
        if start < 0 or len(buffer) > self._max_head:
            return None
        first = _PLAIN_GET.fullmatch(buffer, 0, start)
        if first is None:
            return None
        lines = bytes(buffer[start:])
        headers = self._known.headers(lines)
        if headers is None:
            return None
        path, query = first[1].decode(), (first[2] or b"").decode()
        parameters = _parse_query(query)
        self._drop_head()
        return Request("GET", path, query, "1.1", headers, parameters=parameters, lines=lines, is_known=True)

    def _skip_empty_lines(self) -> None:
        while self._buffer.startswith(b"\r\n"):
            if self._skipped == _EMPTY_LINES:
                raise Refusal(400, "empty lines before a request")
            self._skipped += 1
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
            traceback.clear_frames(problem.__traceback__)  # of h11: one of them holds the error that holds it
            raise _refusal(head, problem) from None
        if not isinstance(event, h11.Request):
            raise Refusal(400, "malformed request head")
        request = _to_request(event)
        if b"content-length" not in request.headers and b"transfer-encoding" not in request.headers:
            if rest and request.wants_upgrade():
                raise Refusal(400, "bytes after an upgrade request")
            self._drop_head()
            self._buffer += rest
            if len(head) <= _MAX_KNOWN:
                request.lines = head[head.index(b"\r\n") :]
            return request
        self._check_framing(request, head)
        self._drop_head()
        self._request = request
        self.wants_continue = request.header(b"expect").lower() == "100-continue" and not rest
        return self._read_body(request, rest)

    def _drop_head(self) -> None:
        self._buffer.clear()
        self._scanned = self._skipped = 0

    def _check_framing(self, request: Request, head: bytes) -> None:
        if b"transfer-encoding" in request.headers:
            if b"content-length" in request.headers or request.version == "1.0":
                raise Refusal(400, "ambiguous length")
            self._chunks = ChunkReader(max_overhead_bytes=self._max_head)
        else:
            lengths = _LENGTHS.findall(head)  # h11 has made one of several that are equal
            if len(lengths) != 1 or not lengths[0].isdigit():
                raise Refusal(400, "ambiguous length")
            self._length = int(lengths[0])
            if self._length > self._max_body:
                raise Refusal(413, "body too big")
        if request.wants_upgrade() and (self._chunks is not None or self._length):
            raise Refusal(400, "body in an upgrade request")

    def _read_body(self, request: Request, data: bytes) -> Request | None:
        if self._chunks is None:
            missing = self._length - len(self._body)
            self._body += data[:missing]
            rest = data[missing:]
            done = len(data) >= missing
        else:
            try:
                self._body += self._chunks.feed(data)
            except ChunkError:
                raise Refusal(400, "malformed request body") from None
            if len(self._body) > self._max_body:
                raise Refusal(413, "body too big")
            rest, done = self._chunks.rest, self._chunks.done
        if not done:
            return None
        request.body = bytes(self._body)
        self._buffer += rest
        self._body.clear()
        self._request = self._chunks = None
        self.wants_continue = False
        return request


def _refusal(head: bytes, problem: h11.RemoteProtocolError) -> Refusal:
    """The answer to a head that h11 refuses: 501 for a transfer coding that is unknown here, else mostly 400."""
    status = problem.error_status_hint
    if status == 501 and all(
        coding.strip().lower() in (b"", b"chunked")
        for value in _CODINGS.findall(head)
        for coding in value.split(b",")
    ):
        status = 400  # no unknown one: `chunked` twice, or none at all
    return Refusal(status, "malformed request head")


def _to_request(event: h11.Request) -> Request:
    version = event.http_version.decode()
    if version not in ("1.0", "1.1"):
        raise Refusal(505, "HTTP version")
    headers: Headers = {}
    for written, value in event.headers.raw_items():  # to iterate over h11's headers takes a call for each
        headers.setdefault(written.lower(), []).append(value.decode("latin-1"))
    host = headers.get(b"host", [""])[0]
    if not _is_host(host):
        raise Refusal(400, "bad Host")
    target, method = event.target, event.method.decode()
    if b"#" in target:
        raise Refusal(400, "bad request target")
    if not target.startswith(b"/") and not (target == b"*" and method == "OPTIONS"):
        scheme, _, rest = target.partition(b"://")
        authority, slash, path = rest.partition(b"/")
        if scheme.lower() not in (b"http", b"https") or authority.decode().lower() != host.lower():
            raise Refusal(400, "bad request target")
        target = slash + path or b"/"
    where, _, query = target.decode("ascii").partition("?")
    request = Request(method, where, query, version, headers, parameters=_parse_query(query))
    options = request.tokens(b"connection")
    request.keep_alive = "close" not in options if version == "1.1" else "keep-alive" in options
    return request


def _parse_query(query: str) -> dict[str, str]:
    if query.count("&") >= _MAX_PARAMETERS:
        raise Refusal(400, "too many parameters")
    found: dict[str, str] = {}
    decode = unquote_plus if "%" in query or "+" in query else str
    for pair in query.split("&") if query else ():
        key, _, value = pair.partition("=")
        found.setdefault(decode(key), decode(value))
    return found


def _is_host(value: str) -> bool:
    """Whether a Host header has the form of a name or an address, and perhaps a port; an empty one names nothing."""
    parts = _HOST.fullmatch(value)
    if parts is None or int(parts[2] or 0) > 65535:
        return False
    try:
        return parts[1] is None or bool(IPv6Address(parts[1]))
    except ValueError:
        return False
