"""The Engine.IO 4 server that `socketio.Server` stands on.

It ties sessions to connections and tells the application of connects, messages and disconnects, each
session's in order. It knows the Engine.IO protocol and nothing of Socket.IO.
"""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING, Any

import engineio

from chatroom import runtime
from chatroom.engine import contracts, frames, origins, packets, reasons
from chatroom.engine.connection import Connection
from chatroom.engine.faults import describe
from chatroom.engine.http_side import INBOX_HIGH, HttpSide, as_frames
from chatroom.engine.loop import Loop
from chatroom.engine.packets import PacketError
from chatroom.engine.session import Did, Session, State
from chatroom.engine.vigil import Vigil
from chatroom.engine.websocket import WebSocket

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from chatroom.engine.exchange import Exchange

log = logging.getLogger(__name__)
# What python-engineio itself has to say is of use to nobody here.
_inherited_log = log.getChild("inherited")
_inherited_log.setLevel(logging.WARNING)

_PING = frames.frame(frames.TEXT, packets.PING.encode())
_PROBE_ANSWER = frames.frame(frames.TEXT, (packets.PONG + packets.PROBE).encode())
_CLOSE = frames.frame(frames.TEXT, packets.CLOSE.encode())

_MESSAGES_A_TURN = 16
_INBOX_LOW = 16

_CLOSE_CODES = {
    reasons.SERVER_DISCONNECT: frames.NORMAL,
    reasons.CLIENT_DISCONNECT: frames.NORMAL,
    reasons.TRANSPORT_CLOSE: frames.GOING_AWAY,
    reasons.PROTOCOL_ERROR: frames.PROTOCOL_ERROR,
}


class Engine(engineio.Server):
    """An Engine.IO 4 server made for fan-out.

    Args:
        ping_interval_s: how often a client is pinged; each ping comes a little early, at random, so that a
            burst of connects does not become a burst of pings.
        ping_timeout_s: how long a client may take to answer.
        max_payload_bytes: the longest message and the longest polling body taken.
        outbox_limit_bytes: what may wait for a client; more, and it is dropped as a slow reader.
        outbox_limit_packets: the same in packets.
        leaving_limit: how many connections may be on their way out at once.
        upgrade_timeout_s: how long a WebSocket may take to become a session's link.
        cors_allowed_origins: None for the same origin only, "*" for any, a list of origins, or a function of
            origin and environ.
        cors_credentials: whether pages of other origins that are allowed by name may send cookies.
        loop: the loop to live on; by default one of its own, on `engine.loop`.
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
        self.sockets: dict[str, Session] = {}
        self.loop = loop or Loop(
            outbox_limit_bytes=outbox_limit_bytes,
            outbox_limit_packets=outbox_limit_packets,
            leaving_limit=leaving_limit,
        )
        self.refusing = False
        self.admission_timeout_s: float | None = None
        self.on_moved: Callable[[Session], None] | None = None
        self._outbox_limit_bytes = outbox_limit_bytes
        self._outbox_limit_packets = outbox_limit_packets
        self._http = HttpSide(
            self,
            policy=origins.Policy(cors_allowed_origins, credentials=cors_credentials),
            upgrade_timeout_s=upgrade_timeout_s,
        )
        self._lane: runtime.Lane[Session | Exchange | Callable[[], None]] = runtime.Lane(self._work)
        self._vigil = Vigil(self.sockets, ping_interval_s, ping_timeout_s, ping=self._ping, end=self.end)

    # ------------------------------------------------------------------ what python-socketio calls

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
        if isinstance(encoded, bytes):
            self.send_to(session, encoded)
        else:
            self._push(session, encoded)

    def send_to(self, session: Session, data: Any) -> None:
        """Send a message to a session: text, bytes, or what JSON can say."""
        if isinstance(data, str):
            self._push(session, packets.MESSAGE + data)
        elif isinstance(data, (bytes, bytearray)):
            link: Connection | None = session.link
            if link is not None:
                self.loop.send(link, frames.frame(frames.BINARY, bytes(data)))
            else:
                self._push(session, packets.message_text(bytes(data)))
        else:
            self._push(session, packets.MESSAGE + json.dumps(data, separators=(",", ":"), allow_nan=False))

    def send_all(self, session: Session, messages: Iterable[str | bytes]) -> None:
        """Send several messages with nothing between them."""
        for message in messages:
            self.send_to(session, message)

    def get_session(self, sid: str) -> Any:
        session = self._get_socket(sid)
        if session.session is None:
            session.session = {}
        return session.session

    def disconnect(self, sid: str | None = None) -> None:
        """Send a client away, or all of them: what waits is still sent, then the application is told."""
        chosen = list(self.sockets.values()) if sid is None else [s for s in (self.sockets.get(sid),) if s]
        for session in chosen:
            self.end(session, reasons.SERVER_DISCONNECT)

    def handle_request(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Answer a request that came through a WSGI application; only under this package's `Front`.

        Raises:
            RuntimeError: some other server called.
        """
        exchange = environ.get("engine.exchange")
        if exchange is None:
            raise RuntimeError(
                "the engine is served by chatroom.engine.front.Front and by no other WSGI server"
            )
        exchange.deferred = True
        runtime.leave_unanswered()
        self.handle(exchange)
        return []

    def shutdown(self) -> None:
        """Nothing runs in the background that would have to be stopped."""

    # ------------------------------------------------------------------ what else an application may want

    def close(self, sid: str, reason: str = reasons.TRANSPORT_CLOSE) -> None:
        """End a session as a lost connection ends: JavaScript clients come back by themselves. What waits is sent."""
        session = self.sockets.get(sid)
        if session is not None:
            self.end(session, reason)

    def pause(self, sid: str) -> None:
        """Handle no more messages of a session, and read no more of them, until `resume`."""
        session = self.sockets.get(sid)
        if session is not None and not session.paused:
            session.paused = True
            if session.link is not None:
                session.link.read_off()

    def resume(self, sid: str) -> None:
        """Go on with a session that was paused."""
        session = self.sockets.get(sid)
        if session is not None and session.paused:
            session.paused = False
            if session.link is not None and len(session.inbox or ()) < INBOX_HIGH:
                session.link.read_on()
            self.schedule(session)

    def raise_outbox_limit(self, sid: str, limit_bytes: int) -> None:
        """Let at least `limit_bytes` wait for this client from now on."""
        session = self.sockets.get(sid)
        if session is not None:
            session.limit_bytes = max(session.limit_bytes, limit_bytes)
            for connection in (session.link, session.probe):
                if connection is not None:
                    connection.limit_bytes = max(connection.limit_bytes, limit_bytes)

    def waiting_bytes(self, sid: str) -> int:
        """How much of what was sent to this client it has not taken: an application may refuse to answer more."""
        session = self.sockets.get(sid)
        if session is None:
            return 0
        link: Connection | None = session.link
        return session.outbox_bytes if link is None else link.waiting_bytes

    def refuse_newcomers(self) -> None:
        """Answer every handshake with 503 from now on; sessions that live go on."""
        self.refusing = True

    def drained(self) -> bool:
        """Whether everything that was sent has been handed to the kernel."""
        self.loop.flush()
        return self.loop.idle() and not self._http.parting

    def admit(self, sid: str) -> None:
        """This session has shown what it came for; `admission_timeout_s` threatens it no more."""
        session = self.sockets.get(sid)
        if session is not None:
            session.admitted = True

    # ------------------------------------------------------------------ work, in the lane

    def handle(self, exchange: Exchange) -> None:
        """Answer an HTTP request, soon. Called in the loop."""
        self._lane.put(exchange)

    def soon(self, call: Callable[[], None]) -> None:
        """Call `call` once the requests that are here already are answered. It must not raise."""
        self._lane.put(call)

    def _work(self, item: Session | Exchange | Callable[[], None]) -> None:
        if isinstance(item, Session):
            self._serve(item)
            return
        if callable(item):
            item()
            return
        try:
            self._http.answer(item)
        except Exception as problem:
            # The outermost place that an HTTP request reaches: one line, and the others go on.
            log.error("an Engine.IO request failed: %s", describe(problem))
            if not item.answered:
                item.request.keep_alive = False
                item.respond(500, b"")

    def new_session(self, sid: str) -> Session:
        """A session that nobody knows yet but the list of all."""
        session = self.sockets[sid] = Session(
            sid,
            outbox_limit_bytes=self._outbox_limit_bytes,
            outbox_limit_packets=self._outbox_limit_packets,
        )
        return session

    def opened(self, session: Session) -> None:
        """The application has accepted the session: its deadlines begin."""
        self._vigil.begin(session, self.admission_timeout_s)

    def schedule(self, session: Session) -> None:
        """Have the session's inbox looked at."""
        if not session.scheduled:
            session.scheduled = True
            self._lane.put(session)

    def _serve(self, session: Session) -> None:
        """Give the application some of what a session has for it, in order."""
        handler = self.handlers.get("message")
        for _ in range(_MESSAGES_A_TURN):
            if not session.inbox or (session.paused and not session.closed):
                break
            message = session.inbox.popleft()
            if handler is not None:
                try:
                    handler(session.sid, message)
                except Exception as problem:
                    # The outermost place that a message reaches: one line, this session ends, the others go
                    # on.
                    self._failed(session, problem)
        waiting = len(session.inbox) if session.inbox else 0
        if waiting <= _INBOX_LOW:
            self._catch_up(session)
        if session.closed and not waiting:
            session.inbox = None
            session.scheduled = False
            self._tell(session)
            return
        if not waiting:
            session.inbox = None
        session.scheduled = bool(waiting) and (session.closed or not session.paused)
        if session.scheduled:
            self._lane.put(session)

    def _catch_up(self, session: Session) -> None:
        """The inbox is nearly empty: read on."""
        if session.paused:
            return
        if session.link is not None:
            session.link.read_on()
        post, session.post = session.post, None
        if post is not None:
            post.respond(200, b"ok")

    def _failed(self, session: Session, problem: Exception) -> None:
        if isinstance(problem, PacketError):
            log.info("a session was closed: %s", problem)
            self.end(session, reasons.PROTOCOL_ERROR)
        else:
            log.error("a message handler failed, its session is closed: %s", describe(problem))
            self.end(session, reasons.HANDLER_ERROR)

    def _tell(self, session: Session) -> None:
        """Tell the application that a session is over, once."""
        if session.told:
            return
        session.told = True
        handler = self.handlers.get("disconnect")
        if handler is not None:
            try:
                handler(session.sid, session.closed_because)
            except Exception as problem:
                # The outermost place, as above.
                log.error("a disconnect handler failed: %s", describe(problem))
        if self.on_moved is not None:
            self.on_moved(session)

    # ------------------------------------------------------------------ packets to the client

    def _push(self, session: Session, packet: str) -> None:
        """Send a text packet over whatever transport the session has."""
        link: Connection | None = session.link
        if link is not None:
            self.loop.send(link, frames.frame(frames.TEXT, packet.encode()))
        elif session.state is not State.CLOSED:
            if not session.enqueue(packet):
                self.end(session, reasons.SLOW_READER)
            elif session.poll is not None and len(session.outbox) == 1:
                self.loop.at_end_of_turn(lambda: self._http.flush_poll(session))

    # ------------------------------------------------------------------ packets from WebSockets, in the loop

    def begin_websocket(self, connection: Connection, session: Session) -> None:
        """From now on packets of this session may come on `connection`."""
        SessionWebSocket(connection, self, session)

    def packet_came(self, connection: Connection, session: Session, data: str | bytes) -> None:
        """A message came over a WebSocket of this session."""
        if isinstance(data, bytes):
            kind: str = packets.MESSAGE
            content: str | bytes = data
        elif data[:1] == packets.MESSAGE:
            kind, content = packets.MESSAGE, data[1:]
        else:
            try:
                kind, content = packets.parse_packet(data)
            except PacketError:
                self._misbehaved(connection, session)
                return
        try:
            did = session.receive(kind, content, connection)
        except PacketError:
            self._misbehaved(connection, session)
            return
        if did is Did.DELIVER or did is Did.NOTHING:
            return
        if did is Did.PONG:
            self.ponged(session)
        elif did is Did.CLOSE:
            self.end(session, reasons.CLIENT_DISCONNECT, heard_out=True)
        elif did is Did.PROBED:
            self.loop.send(connection, _PROBE_ANSWER)
            self._http.answer_poll(session, packets.NOOP.encode())
        else:
            self._upgraded(connection, session)

    def inbox_filled(self, connection: Connection, session: Session) -> None:
        """Everything that one read brought has been taken in."""
        if session.inbox and session.link is connection:
            if len(session.inbox) > INBOX_HIGH:
                connection.read_off()
            self.schedule(session)

    def _upgraded(self, connection: Connection, session: Session) -> None:
        """What waited for a poll goes first; whoever emits to the session's rooms must know its transport."""
        connection.expect(None)
        self._http.answer_poll(session, packets.NOOP.encode())
        waiting = session.take_packets()
        if waiting:
            self.loop.send(connection, as_frames(waiting))
        if self.on_moved is not None:
            self.on_moved(session)

    def _misbehaved(self, connection: Connection, session: Session) -> None:
        if connection is session.probe:
            session.drop_probe()
            connection.finish(frames.close_frame(frames.PROTOCOL_ERROR))
            self._http.resume_polling(session)
        else:
            self.end(session, reasons.PROTOCOL_ERROR)

    def websocket_ended(self, connection: Connection, session: Session, reason: str) -> None:
        """A WebSocket of this session is over."""
        if connection is session.probe:
            session.drop_probe()
            self._http.resume_polling(session)
        elif connection is session.link:
            self.end(session, reason, heard_out=reason == reasons.TRANSPORT_CLOSE)

    def ponged(self, session: Session) -> None:
        """The client has answered a ping, or pretends to."""
        self._vigil.ponged(session)

    def _ping(self, session: Session) -> None:
        if session.link is not None:
            self.loop.send(session.link, _PING)
        else:
            self._push(session, packets.PING)

    # ------------------------------------------------------------------ the end of a session

    def end(self, session: Session, reason: str, *, heard_out: bool = False) -> None:
        """End a session, whatever its state, and tell the application.

        Args:
            session: the session.
            reason: for the disconnect handler.
            heard_out: whether the messages that came before still count, as when the client said goodbye.
        """
        if not session.close(reason):
            return
        self.sockets.pop(session.sid, None)
        self._vigil.end(session)
        link: Connection | None = session.link
        probe: Connection | None = session.probe
        session.link = session.probe = None
        if link is not None:
            if reason == reasons.SERVER_DISCONNECT:
                self.loop.send(link, _CLOSE)
            link.finish(frames.close_frame(_CLOSE_CODES.get(reason, frames.POLICY)))
        else:
            self._http.close_polling(session, reason)
        if probe is not None:
            probe.finish(frames.close_frame(frames.NORMAL))
        post, session.post = session.post, None
        if post is not None:
            post.respond(200, b"ok")
        if self.on_moved is not None:
            self.on_moved(session)
        if not heard_out:
            session.inbox = None
        self.schedule(session)


class SessionWebSocket(WebSocket):
    """A WebSocket that is the link of a session, or wants to be."""

    __slots__ = ("_engine", "_session")

    def __init__(self, connection: Connection, engine: Engine, session: Session) -> None:
        super().__init__(connection, max_message_bytes=engine.max_http_buffer_size)
        self._engine = engine
        self._session = session

    def message(self, data: str | bytes) -> None:
        self._engine.packet_came(self.connection, self._session, data)

    def after(self) -> None:
        self._engine.inbox_filled(self.connection, self._session)

    def ended(self, reason: str) -> None:
        self._engine.websocket_ended(self.connection, self._session, reason)
