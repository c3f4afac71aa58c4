"""One Engine.IO session: its states, what came from the client, and the transport that carries it; no I/O and no clock.

Only a session writes its fields, and only by this table its state:

       ┌───────the handshake came over a WebSocket────────┐
       │                                                  ▼
    POLLING ──2probe on a WebSocket──▶ PROBING ──5──▶ WEBSOCKET
       ▲                                  │
       └──────────the WebSocket goes──────┘        each of them ──▶ CLOSED
"""

from __future__ import annotations

import enum
import sys
from collections import deque
from collections.abc import Callable
from typing import Any, Final, Protocol

from chatroom.engine import packets
from chatroom.engine.bounds import Bound
from chatroom.engine.packets import PacketError
from chatroom.engine.reasons import CLIENT_DISCONNECT
from chatroom.engine.transport import NO_TRANSPORT, Transport
from chatroom.net.gate import Account
from chatroom.net.wheel import NO_TICK


class State(enum.Enum):
    """Where packets to the client go."""

    POLLING = "polling"
    PROBING = "probing"
    WEBSOCKET = "websocket"
    CLOSED = "closed"


class Step(enum.Enum):
    """What takes a session from one state to the next."""

    OPEN = "its handshake came over a WebSocket"
    PROBE = "a WebSocket asks to take over"
    UPGRADE = "that WebSocket takes over"
    FALL_BACK = "that WebSocket is gone"
    CLOSE = "it is over"


TRANSITIONS: Final[dict[tuple[State, Step], State]] = {
    (State.POLLING, Step.OPEN): State.WEBSOCKET,
    (State.POLLING, Step.PROBE): State.PROBING,
    (State.PROBING, Step.UPGRADE): State.WEBSOCKET,
    (State.PROBING, Step.FALL_BACK): State.POLLING,
    (State.POLLING, Step.CLOSE): State.CLOSED,
    (State.PROBING, Step.CLOSE): State.CLOSED,
    (State.WEBSOCKET, Step.CLOSE): State.CLOSED,
}

INBOX_HIGH: Final = 64
"""How many messages of a session may wait for the application; with more, nothing is read from the client."""
_INBOX_LOW: Final = 16  # reading resumes at this many
INBOX_HIGH_BYTES: Final = 65_536
"""The same in bytes of memory: beyond this, only the message that is being read may still come."""
_INBOX_LOW_BYTES: Final = 32_768
BACKLOG_S: Final = 2.0  # a client of which many messages wait, for so long without a gap, sends too fast
_USELESS: Final = Bound(burst=64, per_second=4.0)  # packets


class Outcome(enum.Enum):
    """What a packet from the client asks for."""

    NOTHING = "nothing"
    DELIVER = "deliver"
    PONG = "pong"
    PROBED = "probed"
    UPGRADED = "upgraded"
    CLOSE = "close"


# Most packets have this outcome; looking up a member of the enum takes longer than putting the packet into the inbox.
DELIVER: Final = Outcome.DELIVER


class SessionGoneError(PacketError):
    """The request came over a transport that this session no longer uses."""


class NamespaceMembership(Protocol):
    """A session's membership of a Socket.IO namespace, which the client manager keeps here."""

    sid: str

    @property
    def path(self) -> str:
        """The namespace's name."""

    def transport_changed(self) -> None:
        """The session has another transport, or none any more."""


class Session:
    """A client, over whatever transport it has.

    Args:
        sid: the Engine.IO session id.
        client: the address that its client connected from.
        outbox_limit_bytes: what may wait for the client; more, and it is too slow.
        outbox_limit_packets: the same in packets.

    Attributes:
        account: counts what waits for it, with what waits for others of its address; None if nobody does.
        transport: what carries its packets.
        probe: a WebSocket that wants to become the transport.
        inbox: messages for the application, and calls that wait behind them; None while it is empty.
        scheduled: the inbox is being handled, or will be, since `scheduled_at` without a gap.
        paused: the application takes no more messages for now.
        awaiting_pong: a ping has been sent.
        admitted: it has connected a namespace.
        closed: its state is CLOSED.
        last_until: until then, sessions that took less time lately go first.
        reported: the application knows that it is closed.
    """

    __slots__ = (
        "_user_session",
        "account",
        "admitted",
        "awaiting_pong",
        "client",
        "closed",
        "closed_because",
        "inbox",
        "inbox_bytes",
        "last_until",
        "limit_bytes",
        "limit_packets",
        "memberships",
        "paused",
        "probe",
        "reported",
        "scheduled",
        "scheduled_at",
        "sid",
        "state",
        "tick",
        "transport",
        "useless_full_at",
    )

    def __init__(
        self, sid: str, client: str = "", *, outbox_limit_bytes: int, outbox_limit_packets: int
    ) -> None:
        self.sid = sid
        self.client = client
        self.account: Account | None = None
        self.state = State.POLLING
        self.closed = False
        self.limit_bytes = outbox_limit_bytes
        self.limit_packets = outbox_limit_packets
        self.transport = NO_TRANSPORT
        self.probe: Transport | None = None
        self.inbox: deque[str | bytes | Callable[[], None]] | None = None
        self.inbox_bytes = 0
        self.scheduled = False
        self.scheduled_at = 0.0
        self.paused = False
        self.awaiting_pong = False
        self.admitted = False
        self.last_until = 0.0
        self.reported = False
        self.closed_because = ""
        self.tick = NO_TICK  # the heartbeat's wheel writes it
        self.memberships: tuple[NamespaceMembership, ...] = ()
        self.useless_full_at = 0.0
        self._user_session: dict[str, Any] | None = None

    def _move(self, step: Step) -> None:
        state = TRANSITIONS.get((self.state, step))
        if state is None:
            raise PacketError(f"{step.value}, while the session is {self.state.value}")
        self.state = state
        self.closed = state is State.CLOSED

    # ------------------------------------------------------------------ transports

    def begin(self, polling: Transport) -> None:
        """The handshake has come: at first, packets wait for polls, whatever it came over."""
        self.transport = polling

    def open(self, websocket: Transport) -> None:
        """The handshake came over a WebSocket, which carries the session from now on."""
        self._move(Step.OPEN)
        self.transport = websocket

    def begin_probe(self, websocket: Transport) -> None:
        """A WebSocket wants to become the transport."""
        self.probe = websocket

    @property
    def accepts_probe(self) -> bool:
        """Whether a WebSocket may try to become the transport."""
        return self.state is State.POLLING and self.probe is None

    def drop_probe(self) -> None:
        """The WebSocket that wanted to become the transport is gone; polling goes on."""
        self.probe = None
        if self.state is State.PROBING:
            self._move(Step.FALL_BACK)

    def raise_limit(self, limit_bytes: int) -> None:
        """Allow at least this much to wait for the client, over whatever transport."""
        self.limit_bytes = max(self.limit_bytes, limit_bytes)
        for transport in (self.transport, self.probe):
            if transport is not None:
                transport.raise_limit(limit_bytes)

    # ------------------------------------------------------------------ from the client

    def receive(self, kind: str, data: str | bytes, source: Transport) -> Outcome:
        """Take a packet from the client; messages go into the inbox.

        Args:
            kind: its type.
            data: what came after it.
            source: the transport that it came over.

        Raises:
            PacketError: a client must not send this here.
        """
        if self.closed:
            return Outcome.NOTHING
        if source is not self.transport:
            return self._receive_probe(kind, data, source)
        if kind == packets.MESSAGE:
            self.deliver(data)
            return DELIVER
        if kind == packets.PONG:
            return Outcome.PONG
        if kind == packets.CLOSE:
            return Outcome.CLOSE
        raise PacketError("unexpected Engine.IO packet")

    def _receive_probe(self, kind: str, data: str | bytes, source: Transport) -> Outcome:
        if source is not self.probe:
            raise SessionGoneError("the session uses another transport")
        if kind == packets.PING and data == packets.PROBE:
            self._move(Step.PROBE)
            return Outcome.PROBED
        if kind == packets.UPGRADE:
            self._move(Step.UPGRADE)
            polling, self.transport, self.probe = self.transport, source, None
            for packet in polling.hand_over():
                source.send(packet)
            return Outcome.UPGRADED
        raise PacketError("unexpected packet while upgrading")

    # ------------------------------------------------------------------ to the application

    @property
    def overfull(self) -> bool:
        """Whether too many messages wait to read more."""
        return len(self.inbox or ()) > INBOX_HIGH or self.inbox_bytes > INBOX_HIGH_BYTES

    @property
    def may_read_more(self) -> bool:
        """Whether few enough messages wait to read more."""
        if self.paused or self.inbox is None:
            return not self.paused
        return len(self.inbox) <= _INBOX_LOW and self.inbox_bytes <= _INBOX_LOW_BYTES

    def schedule(self, now: float) -> bool:
        """Mark the inbox to be handled; False if it already is."""
        was, self.scheduled = self.scheduled, True
        self.scheduled_at = self.scheduled_at if was else now
        return not was

    def has_backlog(self, now: float) -> bool:
        """Whether the client has sent more than is handled for a while."""
        return self.scheduled and not self.may_read_more and now - self.scheduled_at > BACKLOG_S

    def deliver(self, message: str | bytes | Callable[[], None]) -> None:
        """Put a message, or a call, into the inbox."""
        if self.inbox is None:
            self.inbox = deque()
        self.inbox.append(message)
        if not callable(message):
            self.inbox_bytes += sys.getsizeof(message)

    @property
    def waiting(self) -> int:
        """How many messages wait for the application."""
        return sum(not callable(message) for message in self.inbox or ())

    def next_message(self) -> str | bytes | Callable[[], None] | None:
        """Take out the next message, or call, for the application; None if there is none now."""
        if not self.inbox or (self.paused and not self.closed):
            return None
        message = self.inbox.popleft()
        if not callable(message):
            self.inbox_bytes -= sys.getsizeof(message)
        return message

    def served(self, now: float, rest_s: float) -> None:
        """Some messages were handled; for `rest_s` seconds, sessions that took less time go first."""
        self.last_until = now + rest_s

    def end_batch(self) -> bool:
        """Some messages were handled; returns whether to go on with the others."""
        if not self.inbox:
            self.inbox = None
        self.scheduled = self.inbox is not None and (self.closed or not self.paused)
        return self.scheduled

    def pause(self) -> bool:
        """Let messages wait; False if they already did."""
        was, self.paused = self.paused, True
        return not was

    def resume(self) -> bool:
        """Handle messages again; False if they did not wait."""
        was, self.paused = self.paused, False
        return was

    def admit(self) -> None:
        """It has connected a namespace."""
        self.admitted = True

    def user_session(self) -> dict[str, Any]:
        """Where python-socketio keeps what the application stores for this client."""
        if self._user_session is None:
            self._user_session = {}
        return self._user_session

    def save_user_session(self, user_session: dict[str, Any]) -> None:
        """Replace what the application stores for this client."""
        self._user_session = user_session

    def enter(self, membership: NamespaceMembership) -> None:
        """It is in one more namespace."""
        self.memberships += (membership,)

    def leave(self, membership: NamespaceMembership) -> None:
        """It is no longer in this namespace."""
        self.memberships = tuple(other for other in self.memberships if other is not membership)

    # ------------------------------------------------------------------ heartbeat

    def ping_sent(self) -> None:
        """A ping has been sent."""
        self.awaiting_pong = True

    def pong_received(self) -> bool:
        """A pong has come; False if none was asked for."""
        was, self.awaiting_pong = self.awaiting_pong, False
        return was

    def may_waste(self, now: float, count: int = 1) -> bool:
        """Count useless packets; False if there were too many lately, and the session must be ended."""
        full_at = _USELESS.after(count, self.useless_full_at, now)
        if full_at is not None:
            self.useless_full_at = full_at
        return full_at is not None

    # ------------------------------------------------------------------ the end

    def close(self, reason: str, *, keep_inbox: bool = False) -> bool:
        """Close the session and its transports; False if it was closed before.

        Args:
            reason: why.
            keep_inbox: whether the messages that came before are still handled.
        """
        if self.closed:
            return False
        self._move(Step.CLOSE)
        self.closed_because = reason
        transport, self.transport = self.transport, NO_TRANSPORT
        probe, self.probe = self.probe, None
        transport.close(reason)
        if probe is not None:
            probe.close(CLIENT_DISCONNECT)  # it has carried nothing, and is closed as usual
        if not keep_inbox:
            self.drop_inbox()
        return True

    def drop_inbox(self) -> None:
        """Forget what waits for the application."""
        self.inbox, self.inbox_bytes = None, 0

    def refuse(self) -> None:
        """The application refuses it: its end is not reported."""
        if not self.closed:
            self._move(Step.CLOSE)
            self.transport = NO_TRANSPORT
        self.reported = True

    def report(self) -> bool:
        """Report the session's end to the application; False if that was done before."""
        was, self.reported = self.reported, True
        return not was
