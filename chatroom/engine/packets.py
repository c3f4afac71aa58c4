"""Engine.IO packets and polling payloads, as text and bytes.

It knows the Engine.IO 4 wire format (its protocol, "Packet encoding"), and nothing of sessions, sockets or time.
"""

from __future__ import annotations

import binascii
from functools import lru_cache

OPEN, CLOSE, PING, PONG, MESSAGE, UPGRADE, NOOP = "0123456"
"""The packet types, as the one character that begins a packet."""

PROBE = "probe"
"""The data of the ping that asks whether a WebSocket works, and of the pong that answers it."""

_SEPARATOR = "\x1e"
_TYPES = frozenset("0123456")
_PACKETS_PER_PAYLOAD = 4096

Packet = tuple[str, str | bytes]
"""A type and what comes after it; `bytes` is always a message."""


class PacketError(ValueError):
    """The peer sent something that is not a packet. The message is safe to log: it never quotes the peer."""


def parse_packet(text: str) -> tuple[str, str]:
    """Split one text packet into its type and its data.

    Raises:
        PacketError: the text is empty or begins with something other than a packet type.
    """
    kind = text[:1]
    if kind not in _TYPES or not kind:
        raise PacketError("unknown Engine.IO packet type")
    return kind, text[1:]


def parse_payload(body: bytes) -> list[Packet]:
    """Split the body of a polling POST into its packets; one that begins with `b` is a message in base64.

    Raises:
        PacketError: the body is empty or not UTF-8, has no packet between two separators, has more packets than a
            client has reason to send at once, or bad base64.
    """
    try:
        text = body.decode()
    except UnicodeDecodeError:
        raise PacketError("a polling payload must be UTF-8") from None
    pieces = text.split(_SEPARATOR, _PACKETS_PER_PAYLOAD)
    if len(pieces) > _PACKETS_PER_PAYLOAD:
        raise PacketError("too many packets in one payload")
    return [_parse_piece(piece) for piece in pieces]


def _parse_piece(piece: str) -> Packet:
    if piece[:1] != "b":
        return parse_packet(piece)
    return MESSAGE, parse_base64(piece[1:])


def parse_base64(text: str) -> bytes:
    """Decode a binary packet of a payload.

    Raises:
        PacketError: it is not base64.
    """
    try:
        return binascii.a2b_base64(text.encode(), strict_mode=True)
    except binascii.Error:
        raise PacketError("bad base64 in a binary packet") from None


@lru_cache(maxsize=16)
def text_packet(text: str) -> str:
    """A text as a packet: one and the same for all who receive it, however long it waits for them."""
    return MESSAGE + text


def message_text(data: str | bytes) -> str:
    """Write a message as polling carries it: text after a `4`, bytes in base64 after a `b`."""
    if isinstance(data, str):
        return MESSAGE + data
    return "b" + binascii.b2a_base64(data, newline=False).decode()


def join_payload(packets: list[bytes]) -> bytes:
    """Join text packets, encoded, into the body of a polling response."""
    return _SEPARATOR.encode().join(packets)
