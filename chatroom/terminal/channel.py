"""One connection: as much of Socket.IO over a WebSocket as a guest of one room needs.

It knows packets (Engine.IO 4, Socket.IO 5), TLS and why a connection fails. It does not reconnect, and what the packets
mean is `link`'s business. Only one thread may use a channel: TLS does not allow reading and writing at the same time.
"""

from __future__ import annotations

import json
import re
import select
import socket
import ssl
import time
from dataclasses import dataclass
from enum import Enum
from math import ceil
from typing import Any, Final

import websocket

from chatroom import __version__
from chatroom.terminal.address import Address
from chatroom.terminal.retries import asked_s

CONNECT_S: Final = 10.0
_SEND_S: Final = 10.0
_CLOSE_S: Final = 2.0
# How long to wait for the rest of a frame before other work is done; no part is lost.
_PART_S: Final = 0.05

# Engine.IO's packet types, and Socket.IO's after a message's 4. The only namespace is `/`, which is not written.
_OPEN, _CLOSE, _PING, _PONG, _MESSAGE = "01234"
_PACKET: Final = re.compile(r"([0-6])(\d*)(.*)", re.DOTALL)
_TEMPORARY: Final = (
    "unavailable",
    "rate_limited",
    "room_full",
)  # refusals after which trying again makes sense


class ChannelError(Exception):
    """There is no connection, or no longer; the text is part of a line.

    Attributes:
        retry_s: for how long the server asks to wait before the next attempt, or 0.
    """

    def __init__(self, text: str, retry_s: float = 0.0) -> None:
        super().__init__(text)
        self.retry_s = retry_s


class Refused(ChannelError):
    """The server has answered, and refuses the connection.

    Attributes:
        code: the stable name of the reason; "" if it gives none.
    """

    def __init__(self, code: str, text: str, retry_s: float) -> None:
        super().__init__(text, retry_s)
        self.code = code


class Untrusted(ChannelError):
    """The server's certificate is not trusted; the text says what is wrong with it."""


class Kind(Enum):
    """What a packet is, by Socket.IO's number."""

    CONNECT = "0"
    DISCONNECT = "1"
    EVENT = "2"
    ACK = "3"
    CONNECT_ERROR = "4"


@dataclass(frozen=True, slots=True)
class Packet:
    """A Socket.IO packet.

    Attributes:
        ack: the number of the ack that is requested, or given.
        data: the event's or the ack's arguments, or the refusal.
    """

    kind: Kind
    ack: int | None
    data: Any


class Channel:
    """An open connection; whoever opens it closes it.

    Args:
        address: the chatroom's.
        auth: the auth of the Socket.IO CONNECT.

    Raises:
        Refused: the server has answered, and refuses the connection.
        Untrusted: its certificate is not trusted.
        ChannelError: nothing answers there, or something with another protocol.
    """

    def __init__(self, address: Address, auth: dict[str, object]) -> None:
        deadline = time.monotonic() + CONNECT_S
        self._socket = _connect(address)
        assert self._socket.sock is not None  # it is connected
        self._sock = self._socket.sock
        self._silence_s = CONNECT_S
        self._received_at = time.monotonic()
        try:
            self._enter(auth, deadline)
        except BaseException:
            self._sock.close()
            raise

    def emit(self, frame: dict[str, object], ack: int | None = None) -> None:
        """Send a `msg` event.

        Raises:
            ChannelError: the connection is lost; whether the event has arrived is not known.
        """
        number = "" if ack is None else str(ack)
        self._send(f"{_MESSAGE}{Kind.EVENT.value}{number}{json.dumps(['msg', frame], ensure_ascii=False)}")

    def wait(self, waker: socket.socket, seconds: float) -> None:
        """Wait until something has come, `waker` can be read, or the time is over."""
        seconds = max(0.0, min(seconds, self._received_at + self._silence_s - time.monotonic()))
        if not self._has_pending():
            select.select([self._sock, waker], [], [], seconds)

    def receive(self) -> list[Packet]:
        """Return what has come meanwhile, perhaps nothing.

        Raises:
            ChannelError: the connection is lost, or what came is not of this protocol.
        """
        packets = []
        while self._has_pending() or select.select([self._sock], [], [], 0)[0]:
            text = self._receive_text()
            if text is None:
                break
            packet = self._read(text)
            if packet is not None:
                packets.append(packet)
                if len(packets) == 100:
                    break  # now something may be sent
        if time.monotonic() > self._received_at + self._silence_s:
            raise ChannelError("the server stopped answering")
        return packets

    def close(self, last: dict[str, object] | None = None) -> None:
        """End the connection, after a last event if one is given; never raises."""
        try:
            if last is not None:
                self.emit(last)
            self._socket.close(timeout=_CLOSE_S)  # waits for the other side, so that nothing sent is lost
        except (ChannelError, OSError, websocket.WebSocketException):
            pass  # it has ended already
        self._sock.close()  # the library leaves it open if the other side closed first

    def _enter(self, auth: dict[str, object], deadline: float) -> None:
        opening = self._next(deadline)
        try:
            if opening[:1] != _OPEN:
                raise ValueError
            shake = json.loads(opening[1:])
            self._silence_s = (float(shake["pingInterval"]) + float(shake["pingTimeout"])) / 1000
        except (ValueError, TypeError, KeyError, RecursionError):
            raise ChannelError("it is not a chatroom") from None
        self._send(f"{_MESSAGE}{Kind.CONNECT.value}{json.dumps(auth, ensure_ascii=False)}")
        while True:
            packet = self._read(self._next(deadline))
            if packet is None:
                continue
            if packet.kind is Kind.CONNECT:
                return
            refusal = packet.data if isinstance(packet.data, dict) else {}
            data = refusal.get("data")
            data = data if isinstance(data, dict) else {}
            text = str(refusal.get("message") or "it refused the connection")
            raise Refused(str(data.get("code") or ""), text, asked_s(data.get("retry_after")))

    def _next(self, deadline: float) -> str:
        while True:
            text = self._receive_text()
            if text is not None:
                return text
            if time.monotonic() > deadline:
                raise ChannelError("it did not answer in time")

    def _has_pending(self) -> bool:
        """Whether TLS has decrypted more than was read, which select() cannot see."""
        return isinstance(self._sock, ssl.SSLSocket) and self._sock.pending() > 0

    def _receive_text(self) -> str | None:
        """The next frame's text, or None while a part of it is still to come."""
        self._socket.settimeout(_PART_S)
        try:
            text = self._socket.recv()
        except websocket.WebSocketTimeoutException:
            return None
        except (OSError, websocket.WebSocketException, UnicodeDecodeError) as problem:
            raise ChannelError(_reason(problem)) from None
        self._received_at = time.monotonic()
        if not isinstance(text, str) or not text:
            raise ChannelError("the server closed the connection")
        return text

    def _read(self, text: str) -> Packet | None:
        """The Socket.IO packet in a text; None for one of Engine.IO's own, which is handled here."""
        if text[0] == _PING:
            self._send(_PONG + text[1:])
            return None
        if text[0] == _CLOSE:
            raise ChannelError("the server closed the connection")
        found = _PACKET.fullmatch(text, 1)
        if text[0] != _MESSAGE or found is None:
            return None
        kind, ack, data = found.groups()
        try:
            return Packet(Kind(kind), int(ack) if ack else None, json.loads(data) if data else None)
        except (ValueError, RecursionError):
            raise ChannelError("the server sent something that cannot be understood") from None

    def _send(self, packet: str) -> None:
        self._socket.settimeout(_SEND_S)
        try:
            self._socket.send(packet.encode("utf-8", "replace"), websocket.ABNF.OPCODE_TEXT)
        except (OSError, websocket.WebSocketException) as problem:
            raise ChannelError(_reason(problem)) from None


def _connect(address: Address) -> websocket.WebSocket:
    try:
        return websocket.create_connection(
            f"{address.origin.replace('http', 'ws', 1)}/{address.socket_path}/?EIO=4&transport=websocket",
            timeout=CONNECT_S,
            header=[f"User-Agent: chatroom/{__version__}"],
            suppress_origin=True,  # this is not a web page
            redirect_limit=0,
        )
    except ssl.SSLCertVerificationError as problem:
        raise Untrusted(problem.verify_message.rstrip(".")) from None
    except ssl.SSLError as problem:
        raise ChannelError(f"it does not speak TLS: {(problem.reason or 'SSL error').lower()}") from None
    except websocket.WebSocketBadStatusException as problem:
        retry_s = asked_s((problem.resp_headers or {}).get("retry-after"))
        raise ChannelError(_status_reason(problem.status_code, retry_s), retry_s) from None
    except (OSError, websocket.WebSocketException, ValueError) as problem:
        raise ChannelError(_reason(problem)) from None


def _status_reason(status: int, retry_s: float) -> str:
    when = f"in {ceil(retry_s)} s" if retry_s else "later"
    if status == 421:
        return "it cannot be reached by this name: whoever runs it can allow that with --allowed-hosts (HTTP 421)"
    if status == 429:
        return f"too many sessions from this address: try again {when} (HTTP 429)"
    if status == 503:
        return f"it is full, or not ready: try again {when} (HTTP 503)"
    return f"HTTP {status}"


def _reason(problem: Exception) -> str:
    """A short reason, without the peer's own words."""
    if isinstance(problem, OSError) and problem.strerror:
        return problem.strerror
    cause = problem.args[0] if problem.args else None
    if isinstance(cause, OSError) and cause.strerror:
        return cause.strerror  # the name cannot be resolved
    if isinstance(problem, websocket.WebSocketTimeoutException | TimeoutError):
        return "it did not answer in time"
    if isinstance(problem, websocket.WebSocketConnectionClosedException):
        return "the connection was closed"
    if isinstance(problem, websocket.WebSocketException) and "edirect" in str(problem):
        return "it redirects to another address (HTTP redirect)"
    return "it does not speak WebSocket"


def is_final(problem: ChannelError) -> bool:
    """Whether trying again is useless."""
    return isinstance(problem, Untrusted) or (isinstance(problem, Refused) and problem.code not in _TEMPORARY)


def explain(problem: ChannelError, origin: str) -> str:
    """What is wrong, for the guest."""
    if isinstance(problem, Refused):
        return str(problem)
    if isinstance(problem, Untrusted):
        return (
            f"the certificate of {origin} is not trusted: {problem}"
            " (set SSL_CERT_FILE to a file of certificates to trust)"
        )
    return f"no chatroom answers at {origin}: {problem}"
