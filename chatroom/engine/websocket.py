"""WebSocket connections over the loop: the handshake's rules, control frames, the closing handshake.

It knows RFC 6455 and connections; what a message means is its subclass's business. A WebSocket costs no
greenthread.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import time

from chatroom.engine import frames
from chatroom.engine.connection import Connection
from chatroom.engine.exchange import Exchange
from chatroom.engine.http_gate import Refusal, Request
from chatroom.engine.reasons import PROTOCOL_ERROR, TRANSPORT_CLOSE

_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"

_PONGS_AT_ONCE = 64
_PONGS_A_SECOND = 16.0


def accept_response(request: Request) -> bytes:
    """The 101 that turns the connection of `request` into a WebSocket. No extension and no subprotocol is
    taken up.

    Raises:
        Refusal: the request is no WebSocket handshake (RFC 6455, 4.2.1), or one of another version.
    """
    key = request.header(b"sec-websocket-key")
    if (
        request.method != "GET"
        or request.version != "1.1"
        or not request.wants_upgrade()
        or "upgrade" not in request.tokens(b"connection")
        or not _is_key(key)
    ):
        raise Refusal(400, "bad WebSocket handshake")
    if request.header(b"sec-websocket-version") != "13":
        raise Refusal(426, "unsupported WebSocket version")
    digest = base64.b64encode(hashlib.sha1(key.encode() + _GUID, usedforsecurity=False).digest())
    return (
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Accept: " + digest + b"\r\n\r\n"
    )


def refuse(exchange: Exchange, refusal: Refusal) -> None:
    """Answer a handshake that `accept_response` has not let pass, with the version that would (RFC 6455, 4.4)."""
    exchange.request.keep_alive = False
    headers = [("Sec-WebSocket-Version", "13")] if refusal.status == 426 else None
    exchange.respond(refusal.status, refusal.reason.encode(), headers=headers)


def _is_key(key: str) -> bool:
    try:
        return len(base64.b64decode(key, validate=True)) == 16
    except (binascii.Error, ValueError):
        return False


class WebSocket:
    """The role of a connection that has become a WebSocket; the 101 is the caller's to write.

    Args:
        connection: which.
        max_message_bytes: the longest message taken.
    """

    __slots__ = ("_parser", "_pongs_full_at", "connection")

    def __init__(self, connection: Connection, *, max_message_bytes: int) -> None:
        self.connection = connection
        self._parser = frames.FrameParser(max_message_bytes)
        self._pongs_full_at = 0.0
        connection.role = self

    # ------------------------------------------------------------------ for the subclass

    def message(self, data: str | bytes) -> None:
        """A whole message came. Runs in the loop: it must not wait."""
        raise NotImplementedError

    def ended(self, reason: str) -> None:
        """The WebSocket is over: told once, whoever ended it, unless `finish` did. It must not wait."""
        raise NotImplementedError

    def after(self) -> None:
        """Everything that came in one read has been told."""

    # ------------------------------------------------------------------ out

    def finish(self, code: int) -> None:
        """End the WebSocket after what waits has been sent; `ended` is not told."""
        self.connection.finish(frames.close_frame(code))

    # ------------------------------------------------------------------ the loop's side

    def received(self, connection: Connection, data: bytes) -> None:
        if not data:
            connection.abort(TRANSPORT_CLOSE)
            return
        for event in self._parser.feed(data):
            if isinstance(event, (str, bytes)):
                self.message(event)
            elif isinstance(event, frames.Ping):
                # In its place among the answers; a flood is not answered (RFC 6455, 5.5.3, asks for less).
                if self._may_pong():
                    connection.loop.send(connection, frames.frame(frames.PONG, event.payload))
            elif isinstance(event, frames.Close):
                self._end(event.code, TRANSPORT_CLOSE)
                return
            elif isinstance(event, frames.Violation):
                self._end(event.code, PROTOCOL_ERROR)
                return
            if connection.role is not self:
                return  # that event ended it, or an answer to it that could not be sent
        self.after()

    def _end(self, code: int, reason: str) -> None:
        self.finish(code)
        self.ended(reason)

    def _may_pong(self) -> bool:
        """A bucket of pongs, kept as the one moment at which it will be full again."""
        now = time.monotonic()
        full_at = max(self._pongs_full_at, now) + 1 / _PONGS_A_SECOND
        if full_at - now > _PONGS_AT_ONCE / _PONGS_A_SECOND:
            return False
        self._pongs_full_at = full_at
        return True

    def lost(self, connection: Connection, reason: str) -> None:
        self.ended(reason)

    def drained(self, connection: Connection) -> None:
        """Sending goes on by itself."""

    def expired(self, connection: Connection) -> None:
        connection.abort(TRANSPORT_CLOSE)
