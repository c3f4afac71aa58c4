"""WebSocket frames, server side (RFC 6455), without I/O.

It turns bytes into messages and control frames and back. It negotiates no extension: frames are shared between
clients, and one compressor per client would cost 64 to 256 KB each. It knows nothing of Engine.IO.
"""

from __future__ import annotations

import codecs
from typing import NamedTuple

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0x0, 0x1, 0x2, 0x8, 0x9, 0xA

NORMAL = 1000
GOING_AWAY = 1001
PROTOCOL_ERROR = 1002
BAD_DATA = 1007
POLICY = 1008
TOO_BIG = 1009
NO_STATUS = 1005
"""Stands for a close frame without a code; never on the wire (RFC 6455, 7.4.1)."""

_LARGEST_CONTROL = 125
_SMALL_FRAGMENT = 64  # bytes; nobody has a reason to send many that are smaller


class Ping(NamedTuple):
    """A ping; its payload goes back in the pong."""

    payload: bytes


class Pong(NamedTuple):
    """A pong, asked for or not."""

    payload: bytes


class Close(NamedTuple):
    """The peer's close frame. Nothing that follows it is read."""

    code: int


class Violation(NamedTuple):
    """How the peer violated the protocol. Nothing that follows is read."""

    code: int
    reason: str


Event = str | bytes | Ping | Pong | Close | Violation
"""A whole message (text or bytes), a control frame, or the end."""


class FrameParser:
    """One connection's incoming frames.

    Args:
        max_message_bytes: the longest message, reassembled. A longer one is a violation with code 1009 as soon as its
            length is known, before its bytes are kept.

    Attributes:
        useless: how many control frames and tiny fragments came; its owner sets it back.
    """

    __slots__ = ("_decoder", "_done", "_fragments", "_max", "_need", "_parts", "_size", "useless")

    def __init__(self, max_message_bytes: int) -> None:
        self._max = max_message_bytes
        self._parts: list[bytes] | None = None  # bytes of a frame that is not whole yet
        self._size = 0
        self._need = 0
        self._fragments: bytearray | None = None
        self._decoder: codecs.IncrementalDecoder | None = None  # when the fragments are text
        self._done = False
        self.useless = 0

    @property
    def missing(self) -> int:
        """How many bytes the frame that is under way still needs, as far as that is known."""
        return self._need - self._size if self._parts is not None else 0

    @property
    def unfinished(self) -> int:
        """How many bytes of a message that is not whole yet are kept."""
        kept = self._size if self._parts is not None else 0
        return kept + len(self._fragments) if self._fragments is not None else kept

    def feed(self, data: bytes) -> list[Event]:
        """Take bytes from the socket and return the events that they complete, in order."""
        if self._done:
            return []
        parts = self._parts
        if parts is not None:
            # Joined only once a whole frame is there: a frame that arrives in tiny pieces is not copied for each piece.
            parts.append(data)
            self._size += len(data)
            if self._size < self._need:
                return []
            data = b"".join(parts)
            self._parts = None
        events: list[Event] = []
        position, end = 0, len(data)
        while True:
            if end - position < 2:
                need = position + 2
                break
            first, second = data[position], data[position + 1]
            problem = self._check(first, second)
            if problem is not None:
                return self._stop(events, problem)
            length = second & 0x7F
            start = position + 2
            if length > 125:
                width = 2 if length == 126 else 8
                need = start + width
                if need > end:
                    break
                length = int.from_bytes(data[start:need], "big")
                start = need
                if length < (126 if width == 2 else 65536) or length >> 63:
                    return self._stop(events, Violation(PROTOCOL_ERROR, "length not in its shortest form"))
            gathered = self._fragments
            if length + (len(gathered) if gathered and first & 0x8 == 0 else 0) > self._max:
                return self._stop(events, Violation(TOO_BIG, "message too big"))
            need = start + 4 + length
            if need > end:
                break
            event = self._frame(first, unmask(data[start + 4 : need], data[start : start + 4]))
            if event is not None:
                events.append(event)
                if type(event) is Close or type(event) is Violation:
                    self._done = True
                    return events
            position = need
        if position < end:
            rest = data[position:] if position else data
            self._parts = [rest]
            self._size = len(rest)
            self._need = need - position
        return events

    def _check(self, first: int, second: int) -> Violation | None:
        """What is wrong with the first two bytes of a frame."""
        opcode = first & 0xF
        if first & 0x70:
            return Violation(PROTOCOL_ERROR, "reserved bits set")
        if not second & 0x80:
            return Violation(PROTOCOL_ERROR, "frame not masked")
        if opcode > 7:
            if opcode > PONG:
                return Violation(PROTOCOL_ERROR, "unknown opcode")
            if not first & 0x80 or second & 0x7F > _LARGEST_CONTROL:
                return Violation(PROTOCOL_ERROR, "control frame fragmented or too long")
        elif opcode > BINARY:
            return Violation(PROTOCOL_ERROR, "unknown opcode")
        elif (opcode == CONTINUATION) == (self._fragments is None):
            return Violation(PROTOCOL_ERROR, "continuation out of place")
        return None

    def _stop(self, events: list[Event], violation: Violation) -> list[Event]:
        self._done = True
        self._fragments = self._parts = None
        events.append(violation)
        return events

    def _frame(self, first: int, payload: bytes) -> Event | None:
        """The event of one whole frame, or None if more fragments must come."""
        opcode = first & 0xF
        if opcode > 7:
            self.useless += 1
            if opcode == PING:
                return Ping(payload)
            return Pong(payload) if opcode == PONG else _parse_close(payload)
        final = bool(first & 0x80)
        fragments = self._fragments
        if fragments is None:
            if final:
                return _as_text(payload) if opcode == TEXT else payload
            fragments = self._fragments = bytearray()
            self._decoder = codecs.getincrementaldecoder("utf-8")() if opcode == TEXT else None
        fragments += payload
        if self._decoder is not None:
            # Bad text is reported at its first bad fragment, not after the last one.
            try:
                self._decoder.decode(payload, final)
            except UnicodeDecodeError:
                return Violation(BAD_DATA, "text is not UTF-8")
        if not final:
            self.useless += len(payload) < _SMALL_FRAGMENT
            return None
        self._fragments = None
        return bytes(fragments) if self._decoder is None else fragments.decode()


def _as_text(payload: bytes) -> str | Violation:
    try:
        return payload.decode()
    except UnicodeDecodeError:
        return Violation(BAD_DATA, "text is not UTF-8")


def _parse_close(payload: bytes) -> Close | Violation:
    if not payload:
        return Close(NO_STATUS)
    code = int.from_bytes(payload[:2], "big")
    if len(payload) == 1 or not (1000 <= code <= 1003 or 1007 <= code <= 1014 or 3000 <= code <= 4999):
        return Violation(PROTOCOL_ERROR, "bad close code")
    try:
        payload[2:].decode()
    except UnicodeDecodeError:
        return Violation(BAD_DATA, "close reason is not UTF-8")
    return Close(code)


def unmask(payload: bytes, key: bytes) -> bytes:
    """XOR a payload with its four-byte key, as one operation on two long integers: a loop over bytes is slow."""
    length = len(payload)
    if not length:
        return b""
    mask = (key * ((length + 3) >> 2))[:length]
    return (int.from_bytes(payload, "little") ^ int.from_bytes(mask, "little")).to_bytes(length, "little")


def frame(opcode: int, payload: bytes) -> bytes:
    """One whole unmasked frame."""
    length = len(payload)
    if length < 126:
        return bytes((0x80 | opcode, length)) + payload
    if length < 65536:
        return bytes((0x80 | opcode, 126)) + length.to_bytes(2, "big") + payload
    return bytes((0x80 | opcode, 127)) + length.to_bytes(8, "big") + payload


def close_frame(code: int, reason: str = "") -> bytes:
    """A close frame; NO_STATUS makes one without a code."""
    return frame(CLOSE, b"" if code == NO_STATUS else code.to_bytes(2, "big") + reason.encode())
