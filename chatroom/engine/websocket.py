"""WebSockets: the opening handshake, control frames, the closing handshake, and the transport of a session.

`WebSocket` knows RFC 6455 and connections; its subclass knows what a message means. A WebSocket needs no greenthread.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import time
from typing import Final

from chatroom.engine import frames, packets, reasons
from chatroom.engine.bounds import Bound
from chatroom.engine.exchange import Exchange
from chatroom.engine.http_request import Refusal, Request
from chatroom.engine.http_response import SAFE_LINES
from chatroom.engine.packets import PacketError
from chatroom.engine.session import DELIVER, Outcome, Session
from chatroom.engine.sessions import Sessions
from chatroom.engine.transport import Packet
from chatroom.net.connection import Connection, Role

_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"

_SAFE: Final = SAFE_LINES.encode()

_PONGS = Bound(burst=64, per_second=16.0)
_USELESS = Bound(burst=1024, per_second=64.0)  # control frames and tiny fragments
_READ_BYTES: Final = 4096  # so that a read of the smallest frames takes about a millisecond
_SMALL_READ: Final = 64  # bytes: less, without the end of a frame, is as useless as a tiny fragment
_READ_MOST_BYTES: Final = 65_536  # of a long one

_CLOSE_CODES: Final = {
    reasons.SERVER_DISCONNECT: frames.NORMAL,
    reasons.CLIENT_DISCONNECT: frames.NORMAL,
    reasons.TRANSPORT_CLOSE: frames.GOING_AWAY,
    reasons.PROTOCOL_ERROR: frames.PROTOCOL_ERROR,
}


def accept_response(request: Request) -> bytes:
    """The 101 that turns the connection of `request` into a WebSocket, without extension or subprotocol.

    Raises:
        Refusal: the request is not a WebSocket handshake (RFC 6455, 4.2.1), or one of another version.
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
        b"Sec-WebSocket-Accept: " + digest + b"\r\n" + _SAFE + b"\r\n"
    )


def refuse(exchange: Exchange, refusal: Refusal) -> None:
    """Answer a handshake that `accept_response` refused, with the accepted version (RFC 6455, 4.4)."""
    exchange.request.keep_alive = False
    headers = [("Sec-WebSocket-Version", "13")] if refusal.status == 426 else None
    exchange.respond(refusal.status, refusal.reason.encode(), headers=headers)


def _is_key(key: str) -> bool:
    try:
        return len(base64.b64decode(key, validate=True)) == 16
    except (binascii.Error, ValueError):
        return False


class WebSocket(Role):
    """The role of a connection that has become a WebSocket; the caller writes the 101.

    Args:
        connection: the connection.
        max_message_bytes: the longest message that is accepted.
    """

    __slots__ = ("_kept", "_parser", "_pongs_full_at", "_useless_full_at", "connection", "receive_bytes")

    def __init__(self, connection: Connection, *, max_message_bytes: int) -> None:
        self.connection = connection
        self._parser = frames.FrameParser(max_message_bytes)
        self._pongs_full_at = self._useless_full_at = 0.0
        self._kept = 0  # bytes of a message that is not whole
        self.receive_bytes = _READ_BYTES
        connection.role = self

    # ------------------------------------------------------------------ for the subclass

    def message(self, data: str | bytes) -> None:
        """A whole message came. Called in the loop: it must not wait."""
        raise NotImplementedError

    def ended(self, reason: str) -> None:
        """The WebSocket is over. Called once, unless `finish` ended it. It must not wait."""
        raise NotImplementedError

    def after(self) -> None:
        """All messages of one read have been passed on."""

    # ------------------------------------------------------------------ out

    def finish(self, code: int, why: str = "") -> None:
        """Close the WebSocket after what waits has been sent, without a call of `ended`."""
        self.connection.finish(frames.close_frame(code, why))

    # ------------------------------------------------------------------ the loop's side

    def received(self, connection: Connection, data: bytes) -> None:
        if not data:
            connection.abort(reasons.TRANSPORT_CLOSE)
            return
        parser = self._parser
        events = parser.feed(data)
        kept = parser.unfinished
        if kept or self._kept:
            self._kept = kept
            self.receive_bytes = min(max(_READ_BYTES, parser.missing), _READ_MOST_BYTES)
            connection.loop.keep_unfinished(connection, kept)  # which may close it
            if connection.role is not self:
                return
            if not events and len(data) < _SMALL_READ:
                parser.useless += 1
        useless, parser.useless = parser.useless, 0
        if useless and not self.may_waste(useless):
            self._end(frames.POLICY, reasons.FLOOD, "too many control frames or tiny fragments")
            return
        for event in events:
            if isinstance(event, (str, bytes)):
                self.message(event)
            elif isinstance(event, frames.Ping):
                # In order with the answers; a flood is not answered (RFC 6455, 5.5.3, asks for less).
                if self._may_pong():
                    connection.loop.send(connection, frames.frame(frames.PONG, event.payload))
            elif isinstance(event, frames.Close):
                self._end(event.code, reasons.TRANSPORT_CLOSE)
                return
            elif isinstance(event, frames.Violation):
                self._end(event.code, reasons.PROTOCOL_ERROR)
                return
            if connection.role is not self:
                return  # that event ended it, or an answer to it that could not be sent
        self.after()

    def _end(self, code: int, reason: str, why: str = "") -> None:
        self.finish(code, why)
        self.ended(reason)

    def _may_pong(self) -> bool:
        now = time.monotonic()
        full_at = _PONGS.after(1, self._pongs_full_at, now)
        if full_at is None:
            return False
        self._pongs_full_at = full_at
        return True

    def may_waste(self, count: int) -> bool:
        """Count the useless frames of a read; False if there were too many lately."""
        full_at = _USELESS.after(count, self._useless_full_at, time.monotonic())
        if full_at is None:
            return False
        self._useless_full_at = full_at
        return True

    def lost(self, connection: Connection, reason: str) -> None:
        self.ended(reason)


class WebSocketTransport(WebSocket):
    """A WebSocket that is a session's transport, or wants to become it.

    Args:
        connection: the WebSocket's.
        session: the session that it carries, or wants to.
        sessions: all sessions.
        max_message_bytes: the longest message that is accepted.
    """

    __slots__ = ("_session", "_sessions")

    def __init__(
        self, connection: Connection, session: Session, sessions: Sessions, *, max_message_bytes: int
    ) -> None:
        super().__init__(connection, max_message_bytes=max_message_bytes)
        self._session = session
        self._sessions = sessions
        self.raise_limit(session.limit_bytes)
        if session.account is not None:
            connection.charge(session.account)

    # ------------------------------------------------------------------ to the client

    def send(self, packet: Packet) -> None:
        self.connection.loop.send(self.connection, as_frame(packet))

    @property
    def waiting_bytes(self) -> int:
        return self.connection.waiting_bytes

    @property
    def unread_bytes(self) -> int:
        return self.connection.outbox_bytes

    def raise_limit(self, limit_bytes: int) -> None:
        self.connection.limit_bytes = max(self.connection.limit_bytes, limit_bytes)

    # ------------------------------------------------------------------ from the client

    def message(self, data: str | bytes) -> None:
        session = self._session
        try:
            if isinstance(data, bytes):
                outcome = session.receive(packets.MESSAGE, data, self)
            elif data[:1] == packets.MESSAGE:
                outcome = session.receive(packets.MESSAGE, data[1:], self)
            else:
                outcome = session.receive(*packets.parse_packet(data), self)
        except PacketError:
            self._misbehaved()
            return
        if outcome is DELIVER or outcome is Outcome.NOTHING:
            return
        if outcome is Outcome.PONG:
            if not self._sessions.pong_received(session):
                self._sessions.end(session, reasons.FLOOD)
        elif outcome is Outcome.CLOSE:
            self._sessions.end(session, reasons.CLIENT_DISCONNECT, keep_inbox=True)
        elif outcome is Outcome.PROBED:
            self.send(packets.PONG + packets.PROBE)
            session.transport.send(packets.NOOP)
        else:
            self.connection.expect(None)
            self._sessions.upgraded(session)

    def may_waste(self, count: int) -> bool:
        return super().may_waste(count) and self._sessions.may_waste_frames(self._session, count)

    def over_budget(self, connection: Connection) -> None:
        if connection.account is not None:
            self._sessions.relief.relieve(connection.account)

    def after(self) -> None:
        session = self._session
        if session.inbox and session.transport is self:
            if session.overfull:
                self.pause()
            self._sessions.schedule(session)

    def _misbehaved(self) -> None:
        if self._session.probe is self:
            self._session.drop_probe()
            self.close(reasons.PROTOCOL_ERROR)
        else:
            self._sessions.end(self._session, reasons.PROTOCOL_ERROR)

    def ended(self, reason: str) -> None:
        if self._session.probe is self:
            self._session.drop_probe()
            if reason == reasons.FLOOD:
                self._sessions.end(self._session, reason)
        elif self._session.transport is self:
            self._sessions.end(self._session, reason, keep_inbox=reason == reasons.TRANSPORT_CLOSE)

    @property
    def reading(self) -> bool:
        return self.connection.reading

    def pause(self) -> None:
        self.connection.stop_reading()

    def resume(self) -> None:
        self.connection.start_reading()

    # ------------------------------------------------------------------ the end

    def hand_over(self) -> list[Packet]:
        """Nothing: a WebSocket is never replaced."""
        return []

    def close(self, reason: str) -> None:
        if reason == reasons.SERVER_DISCONNECT:
            self.send(packets.CLOSE)
        self.finish(_CLOSE_CODES.get(reason, frames.POLICY))


def as_frame(packet: Packet) -> bytes:
    """A packet as the WebSocket frame that carries it."""
    if isinstance(packet, str):
        return frames.frame(frames.TEXT, packet.encode())
    return frames.frame(frames.BINARY, packet)
