"""Strict Socket.IO: a packet class, and a `socketio.Server` that passes on only what it has understood.

python-socketio trusts its clients in a few places: numbers of attachments, ids of any length, reserved event names,
acks that are not lists, events before their CONNECT. Here, whatever is not a Socket.IO packet closes the connection,
and an event that makes no sense is given to `on_bad_event`. This module knows the Socket.IO protocol, revision 5, and
nothing of chat.
"""

from __future__ import annotations

import logging
import math
import re
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, Final

import msgspec
import socketio
from socketio import packet
from socketio.exceptions import ConnectionRefusedError as ConnectRefusedError

from chatroom.engine import reasons
from chatroom.engine.fanout import Fanout
from chatroom.engine.server import Engine

log = logging.getLogger(__name__)

MAX_ATTACHMENTS: Final = 16  # binary attachments of one packet; the protocol names no bound
_MAX_ID_DIGITS: Final = 15  # JavaScript's safe integers
RESERVED_EVENTS: Final = frozenset(
    {"connect", "connect_error", "disconnect", "disconnecting", "newListener", "removeListener"}
)


Ack = Callable[[Any], None]
OnEvent = Callable[[str, str, Sequence[object], Ack], None]
OnBadEvent = Callable[[str, Ack], None]
MayRead = Callable[[str, Ack, int], bool]
MayConnect = Callable[[Mapping[str, str], int], None]


def no_ack(answer: Any) -> None:
    """The ack of an event that asked for none."""


class PacketError(ValueError):
    """The bytes are not a Socket.IO packet; their connection must be closed."""


class Undecodable:
    """Stands for the data of a packet that is well-formed except for its data."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "UNDECODABLE"


UNDECODABLE: Final = Undecodable()


_encoder: Final = msgspec.json.Encoder()


def _float(number: str) -> float:
    value = float(number)
    if math.isinf(value):
        raise ValueError("a number out of range")
    return value


# msgspec takes 25 times as long as Python for a number such as 1.7976931348623157e308.
_decoder: Final = msgspec.json.Decoder(float_hook=_float)


def encode(data: Any) -> str:
    """JSON without NaN and Infinity: one bare NaN would disconnect every JavaScript client."""
    return _encoder.encode(data).decode()


def _decode(text: str, max_commas: int | None) -> Any:
    if max_commas is not None and text.count(",") > max_commas:
        return UNDECODABLE
    try:
        return _decoder.decode(text)
    except (ValueError, RecursionError):  # msgspec's errors are ValueErrors
        return UNDECODABLE


class StrictPacket(packet.Packet):
    """A Socket.IO packet (protocol revision 5): type, namespace and id are read first, the JSON strictly after.

    So an event that is refused unread, or whose data cannot be decoded, has its id and can be answered under it.

    Attributes:
        discards: its data and its attachments are not kept.
        refused: it was refused when its head came, and is only read to its end.
        size: how long its data are.
    """

    discards = False
    refused = False
    size = 0
    _encoded = ""  # the data, as long as it is not decoded

    def decode(self, encoded_packet: Any) -> int:
        """Read a packet's head, and keep its data for `read`; returns how many attachments follow.

        Raises:
            PacketError: it is no Socket.IO packet.
        """
        if not isinstance(encoded_packet, str):
            raise PacketError("a binary frame that no packet announced")
        if encoded_packet[:1] not in _TYPES:
            raise PacketError("an unknown packet type")
        self.packet_type = int(encoded_packet[0])
        self.namespace = self.data = None
        rest = encoded_packet[1:]
        attachments = 0
        if self.packet_type in (packet.BINARY_EVENT, packet.BINARY_ACK):
            digits, dash, rest = rest.partition("-")
            if not (dash and digits.isascii() and digits.isdigit() and len(digits) < 4):
                raise PacketError("no number of attachments")
            attachments = int(digits)
            if not 0 < attachments <= MAX_ATTACHMENTS:
                raise PacketError("more attachments than are taken")
        if rest.startswith("/"):
            self.namespace, _, rest = rest.partition(",")
            self.namespace = self.namespace.partition("?")[0]
        # A CONNECT has no id: what follows is its data, even a bare number.
        number = _DIGITS.match(rest) if self.packet_type != packet.CONNECT else None
        if number is not None:
            if number.end() > _MAX_ID_DIGITS:
                raise PacketError("an id that is no safe integer")
            self.id = int(number[0])
            rest = rest[number.end() :]
        self._encoded = rest
        self.size = len(rest)
        return attachments

    def read(self, max_commas: int | None = None) -> Any:
        """The decoded data; `UNDECODABLE` if it is no JSON, or has more commas, which are between its values."""
        if self._encoded:
            self.data, self._encoded = _decode(self._encoded, max_commas), ""
            if self.attachments:
                self.data = self._with_attachments(self.data)
        return self.data

    def discard(self) -> None:
        """Keep nothing of it but its head, however long its attachments take to come."""
        self.discards = True
        self._encoded = self._encoded[:1]  # for `is_list`

    @property
    def is_list(self) -> bool:
        """Whether the data, if they can be decoded, are a list."""
        return self._encoded.startswith("[")

    def _with_attachments(self, data: Any) -> Any:
        try:
            return self.reconstruct_binary(data, self.attachments)
        except (LookupError, TypeError, RecursionError):
            return UNDECODABLE

    def encode(self) -> str | list[str | bytes]:
        content, count = self.data, ""
        attachments: list[bytes] | None = None
        if self.packet_type in (packet.BINARY_EVENT, packet.BINARY_ACK):
            content, attachments = self.deconstruct_binary(self.data)
            count = f"{len(attachments)}-"
        namespace = "" if self.namespace in (None, "/") else f"{self.namespace},"
        number = "" if self.id is None else str(self.id)
        data = "" if content is None else encode(content)
        text = f"{self.packet_type}{count}{namespace}{number}{data}"
        return text if attachments is None else [text, *attachments]

    def add_attachment(self, attachment: Any) -> bool:
        """Add the next attachment; returns whether it was the last.

        Raises:
            PacketError: it is text.
        """
        if not isinstance(attachment, bytes):
            raise PacketError("text where an attachment was announced")
        self.attachments.append(b"" if self.discards else attachment)
        return bool(len(self.attachments) >= self.attachment_count)


_DIGITS: Final = re.compile("[0-9]+")
_TYPES: Final = frozenset("012356")  # 4, CONNECT_ERROR, is for servers to send


class StrictServer(socketio.Server):
    """A `socketio.Server` in which every packet is checked before anything of the application runs.

    Args:
        client_manager: who is in which room.
        on_event: receives the events of the namespace `/`, in place of handlers: the client's sid, the event's name,
            its arguments, and an ack, which may be called later (`no_ack` if the client wants none).
        on_bad_event: receives the sid and the ack of an event of `/` that makes no sense: undecodable, without a name,
            or with a reserved one. By default its connection is closed, as the Socket.IO protocol's reference server
            does.
        may_read: is asked, with the sid, the ack and the length, before an event of `/` is decoded, and for a binary
            one when its head and each attachment come; if it returns False, the event is dropped. It is asked about
            useless packets of the client's as well, with `no_ack`.
        may_connect: is called, with the environ and the length, before the data of a CONNECT are decoded. It may raise
            python-socketio's ConnectionRefusedError, as a connect handler does.
        max_event: events of `/` that are longer are given to `on_long_event`, as they are; None for any length.
        max_commas: data with more are not decoded, since each comma may cost a value; None for any number.
        takes_binary: whether attachments are taken; otherwise an event with some is a bad event.
        options: python-socketio's and the engine's.
    """

    eio: Engine
    manager: Fanout

    def __init__(
        self,
        *,
        client_manager: Fanout,
        on_event: OnEvent | None = None,
        on_bad_event: OnBadEvent | None = None,
        may_read: MayRead | None = None,
        may_connect: MayConnect | None = None,
        max_event: int | None = None,
        on_long_event: OnBadEvent | None = None,
        max_commas: int | None = None,
        takes_binary: bool = True,
        **options: Any,
    ) -> None:
        self._on_event = on_event
        self._on_bad_event = on_bad_event
        self._may_read = may_read
        self._may_connect = may_connect
        self._max_event = max_event
        self._on_long_event = on_long_event
        self._max_commas = max_commas
        self._takes_binary = takes_binary
        super().__init__(
            client_manager=client_manager, serializer=StrictPacket, async_handlers=False, **options
        )

    def _engineio_server_class(self) -> type[Engine]:
        return Engine

    def send_ack(self, eio_sid: str, ack_id: int, answer: Any) -> None:
        """Answer an event of the namespace `/` that asked for it, now or later; the answer can hold no bytes."""
        self.eio.send(eio_sid, f"{packet.ACK}{ack_id}[{encode(answer)}]")

    def emit_json(
        self, event: str, encoded: str, to: str | Sequence[str], skip_sid: str | None = None
    ) -> None:
        """Emit an event of the namespace `/` whose one argument is JSON already.

        Args:
            event: a name that JSON need not escape.
            to: a room, several, or a client's sid.
        """
        self.manager.emit_encoded("/", to, f'{packet.EVENT}["{event}",{encoded}]', skip_sid)

    def has_recipients(self, rooms: Sequence[str]) -> bool:
        """Whether anyone is in any of these rooms of the namespace `/`."""
        return self.manager.has_recipients("/", rooms)

    def _ack(self, eio_sid: str, ack_id: int | None) -> Ack:
        return no_ack if ack_id is None else partial(self.send_ack, eio_sid, ack_id)

    def _handle_eio_message(self, eio_sid: str, data: Any) -> bool:
        """Handle a message; returns False if it is an event that was refused unread."""
        try:
            return self._take(eio_sid, data)
        except PacketError as problem:
            log.debug("closing a connection: %s", problem)
            self._binary_packet.pop(eio_sid, None)
            self.eio.disconnect(eio_sid)
        return True

    def _take(self, eio_sid: str, data: str | bytes) -> bool:
        pkt = self._binary_packet.get(eio_sid)
        if pkt is not None:
            is_last = pkt.add_attachment(data)
            if is_last:
                del self._binary_packet[eio_sid]
            if not self._may_read_part(eio_sid, pkt, len(data), no_ack):
                return False
            if not is_last:
                return True
        else:
            if not data:
                raise PacketError("an empty packet")
            pkt = self.packet_class(encoded_packet=data, binary=False)
            if pkt.attachment_count:
                if self.manager.sid_from_eio_sid(eio_sid, pkt.namespace or "/") is None:
                    raise PacketError("an event before its namespace was connected")
                self._binary_packet[eio_sid] = pkt
                ack = self._ack(eio_sid, pkt.id) if pkt.packet_type == packet.BINARY_EVENT else no_ack
                return self._may_read_part(eio_sid, pkt, pkt.size, ack)
        if pkt.packet_type == packet.CONNECT:
            self._take_connect(eio_sid, pkt)
        elif pkt.packet_type == packet.DISCONNECT:
            if self.manager.sid_from_eio_sid(eio_sid, pkt.namespace or "/") is None:
                return self._may_read_useless(eio_sid)
            self._handle_disconnect(eio_sid, pkt.namespace, self.reason.CLIENT_DISCONNECT)
        elif pkt.packet_type in (packet.EVENT, packet.BINARY_EVENT):
            return self._handle_event(eio_sid, pkt)
        else:
            return self._handle_ack(eio_sid, pkt)
        return True

    def _may_read_part(self, eio_sid: str, pkt: StrictPacket, size: int, ack: Ack) -> bool:
        """Count a part of a packet with attachments, its head or one of them; once refused, none of it is kept."""
        name = pkt.namespace or "/"
        sid = self.manager.sid_from_eio_sid(eio_sid, name)
        if sid is not None and name == "/" and self._may_read is not None:
            pkt.refused = not self._may_read(sid, no_ack if pkt.refused else ack, size) or pkt.refused
        if pkt.refused or not self._takes_binary:
            pkt.discard()
        return not pkt.refused

    def _take_connect(self, eio_sid: str, pkt: StrictPacket) -> None:
        name = pkt.namespace or "/"
        if not self._may_read_useless(eio_sid):  # or refused, or the first one
            return
        if not (name in self.handlers or name in self.namespace_handlers or name in self.namespaces):
            self._refuse_connect(eio_sid, name, {"message": "Invalid namespace"})
            return
        if self.manager.sid_from_eio_sid(eio_sid, name) is not None:
            return  # the official client sends a second CONNECT if `connect` is called while it connects
        try:
            if self._may_connect is not None:
                self._may_connect(self.environ[eio_sid], pkt.size)
        except ConnectRefusedError as refused:
            self._refuse_connect(eio_sid, name, refused.error_args)
            return
        data = pkt.read(self._max_commas)
        # An empty object means "no auth". Anything else that is not an object must reach the handler as such;
        # python-socketio would turn it into None if it is falsy.
        well_formed = data is None or isinstance(data, dict)
        self._handle_connect(eio_sid, name, data if well_formed else UNDECODABLE)

    def _refuse_connect(self, eio_sid: str, namespace: str, data: object) -> None:
        self._send_packet(eio_sid, self.packet_class(packet.CONNECT_ERROR, data=data, namespace=namespace))

    def _may_read_useless(self, eio_sid: str) -> bool:
        """Count a useless packet; the application does it for those who have joined.

        Returns:
            Whether it may be answered; if there were too many lately, the session is ended.
        """
        sid = self.manager.sid_from_eio_sid(eio_sid, "/")
        if sid is not None and self._may_read is not None:
            return self._may_read(sid, no_ack, 0)
        session = self.eio.sockets.get(eio_sid)
        if session is not None and not self.eio.sessions.may_waste(session):
            self.eio.close(eio_sid, reasons.FLOOD)
            return False
        return True

    def _handle_event(self, eio_sid: str, pkt: StrictPacket) -> bool:
        name = pkt.namespace or "/"
        sid = self.manager.sid_from_eio_sid(eio_sid, name)
        if sid is None:
            raise PacketError("an event before its namespace was connected")
        if not self.manager.is_connected(sid, name):
            return True  # it is being disconnected: the event is too late, which is nobody's fault
        ack = self._ack(eio_sid, pkt.id)
        may_read = None if pkt.attachments else self._may_read  # with attachments, it was counted as it came
        if may_read is not None and name == "/" and not may_read(sid, ack, pkt.size):
            return False
        is_long = self._max_event is not None and pkt.size > self._max_event and not pkt.discards
        if is_long and self._on_long_event is not None and name == "/":
            self._on_long_event(sid, ack)
            return True
        data = UNDECODABLE if pkt.discards else pkt.read(self._max_commas)
        if not (isinstance(data, list) and data and isinstance(data[0], str)) or data[0] in RESERVED_EVENTS:
            if self._on_bad_event is None or name != "/":
                raise PacketError("an event that makes no sense")
            self._on_bad_event(sid, ack)
        elif self._on_event is not None and name == "/":
            # Not a handler: the ack can be sent later, from elsewhere, and no greenthread waits for it.
            self._on_event(sid, data[0], data[1:], ack)
        else:
            self._handle_event_internal(self, sid, eio_sid, data, name, pkt.id)
        return True

    def _handle_ack(self, eio_sid: str, pkt: StrictPacket) -> bool:
        if not self._may_read_useless(eio_sid):
            return False
        if pkt.id is None or not pkt.is_list:
            raise PacketError("an ack without an id or arguments")
        sid = self.manager.sid_from_eio_sid(eio_sid, pkt.namespace or "/")
        if sid is None or not self.manager.awaits_ack(sid, pkt.id):
            return True
        data = pkt.read()
        if not isinstance(data, list):
            raise PacketError("an ack without arguments")
        self.manager.trigger_callback(sid, pkt.id, data)
        return True
