"""One Engine.IO session: its states, what waits in it, its bounds; no I/O and no clock.

    POLLING ──2probe on a WebSocket──▶ PROBING ──5──▶ WEBSOCKET
       ▲                                  │               │
       └──────────the WebSocket goes──────┘               ▼
       └──────────────────────────────────────────────▶ CLOSED

Connections and HTTP exchanges are opaque here: the engine puts them in and gets told what to do with them.
"""

from __future__ import annotations

import enum
from collections import deque
from typing import Any, Final, TypeAlias

from chatroom.engine import packets
from chatroom.engine.packets import PacketError
from chatroom.engine.wheel import NO_TICK

PAYLOAD_PACKETS: Final = 16  # python-engineio's client takes more in one payload for an attack, and goes

Opaque: TypeAlias = Any
"""A connection or an exchange: kept, compared, never called."""


class State(enum.Enum):
    """Where packets to the client go."""

    POLLING = "polling"
    PROBING = "probing"
    WEBSOCKET = "websocket"
    CLOSED = "closed"


class Did(enum.Enum):
    """What a packet from the client means to the engine."""

    NOTHING = "nothing"
    DELIVER = "deliver"
    PONG = "pong"
    PROBED = "probed"
    UPGRADED = "upgraded"
    CLOSE = "close"


class PollOverlapError(PacketError):
    """A second poll, or a second POST, while the first one waits for its answer (protocol: the session is closed).

    A POST whose body is still coming waits for none yet: it is read when it is whole, behind one that was whole before.
    """


class SessionGoneError(PacketError):
    """The request comes over a transport that this session does not use any more."""


def _size(packet: str) -> int:
    """A packet's length in bytes."""
    return len(packet) if packet.isascii() else len(packet.encode())


class Session:
    """A client, over whatever transport it has.

    Args:
        sid: the Engine.IO session id.
        outbox_limit_bytes: what may wait for a client that polls; more, and it is too slow.
        outbox_limit_packets: the same in packets.
    """

    __slots__ = (
        "admitted",
        "awaiting_pong",
        "closed_because",
        "inbox",
        "limit_bytes",
        "limit_packets",
        "link",
        "outbox",
        "outbox_bytes",
        "paused",
        "poll",
        "post",
        "probe",
        "scheduled",
        "seats",
        "session",
        "sid",
        "state",
        "tick",
        "told",
    )

    def __init__(self, sid: str, *, outbox_limit_bytes: int, outbox_limit_packets: int) -> None:
        self.sid = sid
        self.state = State.POLLING
        self.limit_bytes = outbox_limit_bytes
        self.limit_packets = outbox_limit_packets
        self.link: Opaque = None  # the WebSocket, once upgraded
        self.probe: Opaque = None  # a WebSocket that wants to become the link
        self.poll: Opaque = None  # the GET that waits
        self.post: Opaque = None  # the POST whose answer waits until its messages are handled
        self.outbox: list[str] = []  # packets for the next poll
        self.outbox_bytes = 0
        self.inbox: deque[str | bytes] | None = None  # messages for the application; made when needed
        self.scheduled = False  # somebody is handling the inbox, or will
        self.paused = False
        self.awaiting_pong = False
        self.admitted = False
        self.told = False  # the application knows that it is closed
        self.closed_because = ""
        self.tick = NO_TICK
        self.seats: tuple[Opaque, ...] = ()  # for the client manager
        self.session: Any = None  # python-socketio keeps its user sessions here

    @property
    def closed(self) -> bool:
        return self.state is State.CLOSED

    @property
    def upgraded(self) -> bool:
        return self.state is State.WEBSOCKET

    # ------------------------------------------------------------------ to the client, while it polls

    def enqueue(self, packet: str) -> bool:
        """Let a packet wait for the next poll; False when more waits than may.

        A ping goes first: behind what takes many polls to fetch it would find no answer in time.
        """
        fits = self._has_room()
        self.outbox_bytes += _size(packet)  # first, as what cannot be encoded must not be kept either
        if packet == packets.PING:
            self.outbox.insert(0, packet)
        else:
            self.outbox.append(packet)
        return fits

    def _has_room(self) -> bool:
        """The bound in bytes is on what waits already behind the first message: each may be as long as it likes."""
        if self.outbox_bytes > self.limit_bytes:
            first = next((packet for packet in self.outbox if packet != packets.PING), "")
            if self.outbox_bytes - _size(first) > self.limit_bytes:
                return False
        return len(self.outbox) < self.limit_packets

    def begin_poll(self, exchange: Opaque) -> bytes | None:
        """A GET: the payload that answers it at once, or None when it has to wait.

        Raises:
            PollOverlapError: one is waiting already.
            SessionGoneError: the session uses its WebSocket, or is closed.
        """
        if self.state is State.PROBING:
            return packets.NOOP.encode()
        if self.state is not State.POLLING:
            raise SessionGoneError("the session does not poll any more")
        if self.poll is not None:
            raise PollOverlapError("two polls at once")
        if self.outbox:
            return self.take_payload()
        self.poll = exchange
        return None

    def take_payload(self) -> bytes:
        """What waits for a poll, as its body; the rest of very much is for the next polls."""
        now, self.outbox = self.outbox[:PAYLOAD_PACKETS], self.outbox[PAYLOAD_PACKETS:]
        self.outbox_bytes -= sum(map(_size, now))
        return packets.join_payload(now)

    def take_packets(self) -> list[str]:
        waiting, self.outbox = self.outbox, []
        self.outbox_bytes = 0
        return waiting

    def end_poll(self) -> Opaque:
        """Take out the GET that waits, if any."""
        poll, self.poll = self.poll, None
        return poll

    # ------------------------------------------------------------------ from the client

    def receive(self, kind: str, data: str | bytes, source: Opaque) -> Did:
        """Judge a packet from the client; messages go into the inbox.

        Args:
            kind: its type.
            data: what came after it.
            source: the WebSocket it came on, or None for a POST.

        Raises:
            PacketError: a client must not send this here.
        """
        if self.state is State.CLOSED:
            return Did.NOTHING
        if source is not self.link:
            return self._receive_probe(kind, data, source)
        if kind == packets.MESSAGE:
            self.deliver(data)
            return Did.DELIVER
        if kind == packets.PONG:
            return Did.PONG
        if kind == packets.CLOSE:
            return Did.CLOSE
        raise PacketError("unexpected Engine.IO packet")

    def _receive_probe(self, kind: str, data: str | bytes, source: Opaque) -> Did:
        if source is None or source is not self.probe:
            raise SessionGoneError("the session uses another transport")
        if kind == packets.PING and data == packets.PROBE and self.state is State.POLLING:
            self.state = State.PROBING
            return Did.PROBED
        if kind == packets.UPGRADE and self.state is State.PROBING:
            self.state = State.WEBSOCKET
            self.link, self.probe = source, None
            return Did.UPGRADED
        raise PacketError("unexpected packet while upgrading")

    def deliver(self, message: str | bytes) -> None:
        """Put a message into the inbox."""
        if self.inbox is None:
            self.inbox = deque()
        self.inbox.append(message)

    def drop_probe(self) -> None:
        """The WebSocket that wanted to become the link is gone; polling goes on."""
        self.probe = None
        if self.state is State.PROBING:
            self.state = State.POLLING

    # ------------------------------------------------------------------ the end

    def close(self, reason: str) -> bool:
        """Close the session; False if it was closed before."""
        if self.state is State.CLOSED:
            return False
        self.state = State.CLOSED
        self.closed_because = reason
        return True
