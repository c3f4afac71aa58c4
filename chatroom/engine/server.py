"""The Engine.IO 4 server under `socketio.Server`: python-engineio's interface, over this package.

It knows nothing of Socket.IO.
"""

from __future__ import annotations

import json
import logging
import secrets
import time
from collections.abc import Callable, Collection, Iterable
from functools import partial
from typing import Any, Final, TypedDict

import engineio

from chatroom import runtime
from chatroom.engine import contracts, origins, packets, reasons
from chatroom.engine.endpoint import Endpoint
from chatroom.engine.exchange import Exchange
from chatroom.engine.http_request import Request
from chatroom.engine.polling import forget_encoded
from chatroom.engine.session import Session
from chatroom.engine.sessions import Sessions
from chatroom.net.connection import Connection
from chatroom.net.gate import Gate
from chatroom.net.loop import Loop
from chatroom.net.relief import Relief
from chatroom.net.turns import Turns

# python-engineio's own log lines are of no use here.
_inherited_log = logging.getLogger(__name__).getChild("inherited")
_inherited_log.setLevel(logging.WARNING)

_ID_BYTES = 15  # 120 bits, 20 characters
_READ_S: Final = 0.002  # of a turn: then connections are read address after address


class EngineOptions(TypedDict, total=False):
    """The keyword arguments of `Engine`, for those who make it through a `socketio.Server`."""

    ping_interval_s: float
    ping_timeout_s: float
    max_payload_bytes: int
    outbox_limit_bytes: int
    outbox_limit_packets: int
    leaving_limit: int
    upgrade_timeout_s: float
    cors_allowed_origins: origins.Allowed
    cors_credentials: bool
    gate: Gate | None
    relief: Relief | None
    max_sessions: int | None
    group_of: Callable[[str], str] | None
    kept_environ: Collection[str]
    loop: Loop | None


class Engine(engineio.Server):
    """An Engine.IO 4 server made for fan-out.

    Args:
        ping_interval_s: how often a client is pinged; each ping comes a little early, at random, so that a burst of
            connects does not become a burst of pings.
        ping_timeout_s: how long a client may take to answer.
        max_payload_bytes: the longest message and the longest polling body that are accepted.
        outbox_limit_bytes: what may wait for a client; more, and it is dropped as a slow reader.
        outbox_limit_packets: the same in packets.
        leaving_limit: how many connections may be closing at once.
        upgrade_timeout_s: how long a WebSocket may take to replace polling.
        cors_allowed_origins: None for the same origin only, "*" for any, a list of origins, or a function of origin and
            environ.
        cors_credentials: whether pages of other origins that are allowed by name may send cookies.
        gate: counts the sessions of each client address, and refuses them with 429; by default nobody does.
        max_sessions: how many there may be at once. With more, one that has connected no namespace is ended; if there
            is none, a handshake gets a 503.
        group_of: the group of a client's address, by default each its own: the oldest session of the largest group
            makes room first.
        kept_environ: keys of a handshake's environ that connect handlers need besides `endpoint.KEPT_ENVIRON`, such as
            "HTTP_COOKIE"; they are kept as long as the session lives.
        loop: the loop to live on; by default one of its own, on `engine.loop`.

    Attributes:
        meter: measures the computing time of what it does; one for all asks the system least.
    """

    def __init__(
        self,
        *,
        ping_interval_s: float = 25.0,
        ping_timeout_s: float = 20.0,
        max_payload_bytes: int = 1_000_000,
        outbox_limit_bytes: int = 262_144,
        outbox_limit_packets: int = 4096,
        leaving_limit: int = 512,
        upgrade_timeout_s: float = 30.0,
        cors_allowed_origins: origins.Allowed = None,
        cors_credentials: bool = False,
        gate: Gate | None = None,
        relief: Relief | None = None,
        max_sessions: int | None = None,
        group_of: Callable[[str], str] | None = None,
        kept_environ: Collection[str] = (),
        loop: Loop | None = None,
        async_handlers: bool = False,
    ) -> None:
        contracts.check()
        if async_handlers:
            raise ValueError("a session's packets are handled in order: async_handlers must be False")
        super().__init__(
            async_mode="eventlet",
            ping_interval=ping_interval_s,
            ping_timeout=ping_timeout_s,
            max_http_buffer_size=max_payload_bytes,
            async_handlers=False,
            monitor_clients=False,
            logger=_inherited_log,
        )
        self.meter = runtime.Meter(time.monotonic, time.thread_time)
        self.loop = loop or Loop(
            outbox_limit_bytes=outbox_limit_bytes,
            outbox_limit_packets=outbox_limit_packets,
            leaving_limit=leaving_limit,
            turns=Turns(group_of=group_of or str, meter=self.meter),
            at_once_s=_READ_S,
        )
        self.sessions = Sessions(
            self.loop,
            self.handlers,
            ping_interval_s=ping_interval_s,
            ping_timeout_s=ping_timeout_s,
            outbox_limit_bytes=outbox_limit_bytes,
            outbox_limit_packets=outbox_limit_packets,
            meter=self.meter,
            gate=gate,
            relief=relief,
            max_sessions=max_sessions,
            group_of=group_of or str,
        )
        self.sockets = self.sessions.by_id  # as python-engineio calls them
        self._endpoint = Endpoint(
            self.sessions,
            origins.Policy(cors_allowed_origins, credentials=cors_credentials),
            self.generate_id,
            kept_environ=kept_environ,
            ping_interval_s=ping_interval_s,
            ping_timeout_s=ping_timeout_s,
            max_payload_bytes=max_payload_bytes,
            upgrade_timeout_s=upgrade_timeout_s,
        )

    # ------------------------------------------------------------------ what python-socketio calls

    def generate_id(self) -> str:
        """A new session id, of Engine.IO or Socket.IO.

        python-engineio's own ends in a counter, which shows each client how many others connect.
        """
        return secrets.token_urlsafe(_ID_BYTES)

    def send(self, sid: str, data: Any) -> None:
        """Send a message; a session that is gone is no error."""
        session = self.sockets.get(sid)
        if session is not None:
            self.send_to(session, data)

    def send_packet(self, sid: str, pkt: Any) -> None:
        """Send a packet of python-engineio's own class."""
        session = self.sockets.get(sid)
        if session is None:
            return
        encoded = pkt.encode()
        session.transport.send(encoded if isinstance(encoded, str) else bytes(encoded))

    def send_to(self, session: Session, data: Any) -> None:
        """Send a message to a session: text, bytes, or what JSON can say."""
        if isinstance(data, str):
            session.transport.send(packets.text_packet(data))
        elif isinstance(data, (bytes, bytearray)):
            session.transport.send(bytes(data))
        else:
            text = json.dumps(data, separators=(",", ":"), allow_nan=False)
            session.transport.send(packets.MESSAGE + text)

    def send_all(self, session: Session, messages: Iterable[str | bytes]) -> None:
        """Send several messages with nothing between them."""
        for message in messages:
            self.send_to(session, message)

    def get_session(self, sid: str) -> dict[str, Any]:
        session: Session = self._get_socket(sid)
        return session.user_session()

    def save_session(self, sid: str, session: dict[str, Any]) -> None:
        self._get_socket(sid).save_user_session(session)

    def disconnect(self, sid: str | None = None) -> None:
        """Disconnect a client, or all of them: what waits is still sent, then the application is notified."""
        chosen = list(self.sockets.values()) if sid is None else [s for s in (self.sockets.get(sid),) if s]
        for session in chosen:
            self.sessions.end(session, reasons.SERVER_DISCONNECT)

    def handle_request(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Answer a request that came through a WSGI application; only behind this package's `Front`.

        Raises:
            RuntimeError: some other server called.
        """
        exchange = environ.get("engine.exchange")
        if exchange is None:
            raise RuntimeError(
                "the engine is served by chatroom.engine.front.Front and by no other WSGI server"
            )
        exchange.deferred = True
        self.handle(exchange)
        return []

    def handle(self, exchange: Exchange) -> None:
        """Answer an HTTP request, soon. Called in the loop."""
        is_handshake = "sid=" not in exchange.request.query
        call = self.sessions.call_last if is_handshake else self.sessions.call_soon
        call(partial(self._endpoint.answer, exchange))

    def takes_body(self, connection: Connection, request: Request) -> bool:
        """Whether to read the body of a request from this connection, for `Front`."""
        return self._endpoint.takes_body(connection, request)

    def in_session(self, request: Request) -> bool:
        """Whether a request belongs to a session that polls, for `Front`."""
        return self._endpoint.in_session(request)

    def allow_origin(self, exchange: Exchange) -> None:
        """Let a page that may use this server read the answer, for `Front`."""
        self._endpoint.allow_origin(exchange)

    def shutdown(self) -> None:
        """Nothing to do: nothing runs in the background."""

    # ------------------------------------------------------------------ for applications

    def close(self, sid: str, reason: str = reasons.TRANSPORT_CLOSE) -> None:
        """End a session as if the connection were lost, after what waits is sent: JavaScript clients reconnect."""
        session = self.sockets.get(sid)
        if session is not None:
            self.sessions.end(session, reason)

    def pause(self, sid: str) -> None:
        """Handle no more messages of a session, and read no more of them, until `resume`."""
        session = self.sockets.get(sid)
        if session is not None and session.pause():
            session.transport.pause()

    def resume(self, sid: str) -> None:
        """Go on with a session that was paused."""
        session = self.sockets.get(sid)
        if session is not None and session.resume():
            if not session.overfull:
                session.transport.resume()
            self.sessions.schedule(session)

    def after_read(self, sid: str, call: Callable[[], None]) -> None:
        """Call `call` once all that the client has sent by now is handled; never if the session ends before."""
        session = self.sockets.get(sid)
        if session is not None:
            self.sessions.after_read(session, call)

    def waiting_messages(self, sid: str) -> int:
        """How many messages of this client have come and are not handled yet."""
        session = self.sockets.get(sid)
        return 0 if session is None else session.waiting

    def has_backlog(self, sid: str) -> bool:
        """Whether this client has sent more than is handled for a while, however little the server gets done."""
        session = self.sockets.get(sid)
        return session is not None and session.has_backlog(time.monotonic())

    def raise_outbox_limit(self, sid: str, limit_bytes: int) -> None:
        """Allow at least `limit_bytes` to wait for this client from now on."""
        session = self.sockets.get(sid)
        if session is not None:
            session.raise_limit(limit_bytes)

    def unread_bytes(self, sid: str) -> int:
        """How much this client could have read, and has not: an application may refuse to answer more."""
        session = self.sockets.get(sid)
        return 0 if session is None else session.transport.unread_bytes

    def has_room(self, sid: str, size: int) -> bool:
        """Whether so many bytes more may wait for this client."""
        session = self.sockets.get(sid)
        return session is None or session.transport.waiting_bytes + size <= session.limit_bytes

    def forget_sent(self) -> None:
        """Forget the last packets, which are kept so that clients share them; to be called now and then."""
        packets.text_packet.cache_clear()
        forget_encoded()

    def refuse_newcomers(self) -> None:
        """Answer every handshake with 503 from now on; open sessions go on."""
        self._endpoint.refusing = True

    @property
    def refusing(self) -> bool:
        """Whether handshakes are answered with 503."""
        return self._endpoint.refusing

    def drained(self) -> bool:
        """Whether everything that was sent has been handed to the kernel."""
        self.loop.flush()
        return self.loop.idle() and not self._endpoint.final_payloads
