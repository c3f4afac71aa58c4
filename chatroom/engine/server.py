"""The Engine.IO 4 server that `socketio.Server` stands on.

It ties sessions to connections and tells the application of connects, messages and disconnects, each
session's in order. It knows the Engine.IO protocol and nothing of Socket.IO.
"""

from __future__ import annotations

import json
import logging
import random
import time
from collections import deque
from sys import intern
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_plus

import engineio

from chatroom import runtime
from chatroom.engine import contracts, frames, origins, packets, websocket
from chatroom.engine.front import Exchange, describe
from chatroom.engine.http_gate import Refusal
from chatroom.engine.loop import SLOW_READER, TRANSPORT_CLOSE, Clockwork, Connection, Loop
from chatroom.engine.packets import PacketError
from chatroom.engine.session import Did, PollOverlapError, Session, SessionGoneError, State
from chatroom.engine.websocket import PROTOCOL_ERROR, WebSockets

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

log = logging.getLogger(__name__)
_inherited_log = log.getChild(
    "inherited"
)  # what python-engineio itself has to say, which is of use to nobody here
_inherited_log.setLevel(logging.WARNING)

SERVER_DISCONNECT = "server disconnect"
CLIENT_DISCONNECT = "client disconnect"
PING_TIMEOUT = "ping timeout"
NEVER_CONNECTED = "connect timeout"
HANDLER_ERROR = "handler error"

_PING = frames.frame(frames.TEXT, packets.PING.encode())
_PROBE_ANSWER = frames.frame(frames.TEXT, (packets.PONG + packets.PROBE).encode())
_CLOSE = frames.frame(frames.TEXT, packets.CLOSE.encode())

_MESSAGES_A_TURN = 16
_INBOX_HIGH, _INBOX_LOW = 64, 16
_PARTING_S = 5.0

# What of a handshake's environ is kept for as long as the session lives; the rest costs kilobytes a client.
KEPT_ENVIRON = (
    "PATH_INFO",
    "QUERY_STRING",
    "REMOTE_ADDR",
    "HTTP_HOST",
    "HTTP_ORIGIN",
    "HTTP_COOKIE",
    "HTTP_USER_AGENT",
    "HTTP_ACCEPT_LANGUAGE",
    "HTTP_X_FORWARDED_FOR",
    "HTTP_X_REAL_IP",
)

# The codes of Engine.IO's own reference server.
_UNKNOWN_TRANSPORT = (0, "Transport unknown")
_UNKNOWN_SESSION = (1, "Session ID unknown")
_BAD_METHOD = (2, "Bad handshake method")
_BAD_REQUEST = (3, "Bad request")
_FORBIDDEN = (4, "Forbidden")
_BAD_VERSION = (5, "Unsupported protocol version")

_CLOSE_CODES = {
    SERVER_DISCONNECT: frames.NORMAL,
    CLIENT_DISCONNECT: frames.NORMAL,
    TRANSPORT_CLOSE: frames.GOING_AWAY,
    PROTOCOL_ERROR: frames.PROTOCOL_ERROR,
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
        upgrade_timeout_s: float = 10.0,
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
            outbox_limit_bytes=outbox_limit_bytes, outbox_limit_packets=outbox_limit_packets
        )
        self.refusing = False
        self.admission_timeout_s: float | None = None
        self.on_moved: Callable[[Session], None] | None = None
        self._outbox_limit_bytes = outbox_limit_bytes
        self._outbox_limit_packets = outbox_limit_packets
        self._upgrade_timeout_s = upgrade_timeout_s
        self._origins = origins.Policy(cors_allowed_origins, credentials=cors_credentials)
        self._websockets = _SessionSockets(self, max_message_bytes=max_payload_bytes)
        self._lane: runtime.Lane[Session | Exchange] = runtime.Lane(self._work, rest=self.loop.flush_if_due)
        tick_s = min(0.5, max(0.005, min(ping_interval_s, ping_timeout_s) / 40))
        self._heartbeats: Clockwork[Session] = Clockwork(tick_s, self._heartbeat_due)
        self._waiting_admission: deque[tuple[float, str]] = deque()
        self._parting: dict[str, bytes] = {}  # the last words for polling clients that were sent away
        self._open = json.dumps(
            {
                "sid": "%s",
                "upgrades": ["%s"],
                "pingInterval": round(ping_interval_s * 1000),
                "pingTimeout": round(ping_timeout_s * 1000),
                "maxPayload": max_payload_bytes,
            },
            separators=(",", ":"),
        ).replace('["%s"]', "%s")

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
        """Send a client away, or all of them: what waits for it is still sent. The application is told
        afterwards.
        """
        chosen = list(self.sockets.values()) if sid is None else [s for s in (self.sockets.get(sid),) if s]
        for session in chosen:
            self._close(session, SERVER_DISCONNECT)

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

    def close(self, sid: str, reason: str = TRANSPORT_CLOSE) -> None:
        """End a session as a lost connection would end: a JavaScript client comes back by itself. What waits
        is sent.
        """
        session = self.sockets.get(sid)
        if session is not None:
            self._close(session, reason)

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
            if session.link is not None and len(session.inbox or ()) < _INBOX_HIGH:
                session.link.read_on()
            self._schedule(session)

    def raise_outbox_limit(self, sid: str, limit_bytes: int) -> None:
        """Let at least `limit_bytes` wait for this client from now on."""
        session = self.sockets.get(sid)
        if session is not None:
            session.limit_bytes = max(session.limit_bytes, limit_bytes)
            for connection in (session.link, session.probe):
                if connection is not None:
                    connection.limit_bytes = max(connection.limit_bytes, limit_bytes)

    def refuse_newcomers(self) -> None:
        """Answer every handshake with 503 from now on; sessions that live go on."""
        self.refusing = True

    def drained(self) -> bool:
        """Whether everything that was sent has been handed to the kernel."""
        self.loop.flush()
        return self.loop.idle() and not self._parting

    def admit(self, sid: str) -> None:
        """This session has shown what it came for; `admission_timeout_s` threatens it no more."""
        session = self.sockets.get(sid)
        if session is not None:
            session.admitted = True

    # ------------------------------------------------------------------ work, in the lane

    def handle(self, exchange: Exchange) -> None:
        """Answer an HTTP request, soon. Called in the loop."""
        self._lane.put(exchange)

    def _work(self, item: Session | Exchange) -> None:
        if isinstance(item, Session):
            self._serve(item)
            return
        try:
            self._answer(item)
        except Exception as problem:
            # The outermost place that an HTTP request reaches: one line, and the others go on.
            log.error("an Engine.IO request failed: %s", describe(problem))
            if not item.answered:
                item.request.keep_alive = False
                item.respond(500, b"")

    def _schedule(self, session: Session) -> None:
        if not session.scheduled:
            session.scheduled = True
            self._lane.put(session)

    def _serve(self, session: Session) -> None:
        """Give the application some of what a session has for it, in order."""
        handler = self.handlers.get("message")
        for _ in range(_MESSAGES_A_TURN):
            if not session.inbox or session.paused:
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
        if session.closed and (session.paused or not waiting):
            session.inbox = None
            session.scheduled = False
            self._tell(session)
            return
        if not waiting:
            session.inbox = None
        session.scheduled = bool(waiting) and not session.paused
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
            self._close(session, PROTOCOL_ERROR)
        else:
            log.error("a message handler failed, its session is closed: %s", describe(problem))
            self._close(session, HANDLER_ERROR)

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

    # ------------------------------------------------------------------ HTTP

    def _answer(self, exchange: Exchange) -> None:
        request = exchange.request
        verdict = self._origins.judge(exchange)
        if verdict is None:
            self._bad(exchange, _FORBIDDEN, status=403)
            return
        if request.method == "OPTIONS":
            exchange.respond(204, b"", headers=verdict + origins.PREFLIGHT)
            return
        query = _parse_query(request.query)
        transport = query.get("transport")
        if transport not in ("polling", "websocket"):
            self._bad(exchange, _UNKNOWN_TRANSPORT)
            return
        sid = query.get("sid")
        if sid is None:
            self._handshake(exchange, transport, query.get("EIO"), verdict)
            return
        session = self.sockets.get(sid)
        if session is None:
            self._farewell(exchange, sid, verdict)
        elif transport == "websocket":
            self._upgrade(exchange, session)
        elif request.method == "GET":
            self._poll(exchange, session, verdict)
        elif request.method == "POST":
            self._post(exchange, session, verdict)
        else:
            self._bad(exchange, _BAD_METHOD)

    @staticmethod
    def _bad(exchange: Exchange, error: tuple[int, str], *, status: int = 400) -> None:
        code, message = error
        body = json.dumps({"code": code, "message": message}, separators=(",", ":")).encode()
        if exchange.request.wants_upgrade():
            exchange.request.keep_alive = False
        exchange.respond(status, body, content_type="application/json")

    def _handshake(
        self, exchange: Exchange, transport: str, version: str | None, headers: list[tuple[str, str]]
    ) -> None:
        request = exchange.request
        upgrading = request.wants_upgrade()
        if version != "4":
            self._bad(exchange, _BAD_VERSION)
        elif request.method != "GET":
            self._bad(exchange, _BAD_METHOD)
        elif upgrading is not (transport == "websocket"):
            self._bad(exchange, _BAD_REQUEST)
        elif self.refusing:
            request.keep_alive = False
            exchange.respond(503, b"the server is closing\n", headers=[*headers, ("Retry-After", "1")])
        elif upgrading:
            self._open_websocket(exchange)
        else:
            session = self._open_session(exchange, upgrades='["websocket"]')
            if session is not None:
                exchange.respond(200, session.take_payload(), headers=headers)

    def _open_session(self, exchange: Exchange, *, upgrades: str) -> Session | None:
        """Begin a session and ask the application; None if it refused: then the request is answered."""
        sid = self.generate_id()
        session = Session(
            sid, outbox_limit_bytes=self._outbox_limit_bytes, outbox_limit_packets=self._outbox_limit_packets
        )
        session.enqueue(packets.OPEN + self._open % (sid, upgrades))
        self.sockets[sid] = session
        handler = self.handlers.get("connect")
        if handler is not None:
            accepted: Any = False
            try:
                accepted = handler(sid, _slim(exchange.environ()))
            except Exception as problem:
                # The outermost place that a handshake reaches: one line, and it is refused.
                log.error("a connect handler failed: %s", describe(problem))
            if accepted is not None and accepted is not True:
                self.sockets.pop(sid, None)
                session.close(SERVER_DISCONNECT)
                session.told = True
                exchange.request.keep_alive = False
                exchange.respond(401, b"Unauthorized")
                return None
        if exchange.hung_up:
            # The peer went while the application was thinking.
            exchange.abandon()
            self._close(session, TRANSPORT_CLOSE)
            return None
        self._expect_ping(session)
        if self.admission_timeout_s is not None:
            self._expect_admission(sid, self.admission_timeout_s)
        return session

    def _open_websocket(self, exchange: Exchange) -> None:
        try:
            welcome = websocket.accept_response(exchange.request)
        except Refusal as refusal:
            self._refuse_websocket(exchange, refusal)
            return
        session = self._open_session(exchange, upgrades="[]")
        if session is None:
            return
        connection = exchange.take_over()
        self._websockets.begin(connection, session)
        session.state = State.WEBSOCKET
        session.link = connection
        connection.write(welcome + _as_frames(session.take_packets()))

    @staticmethod
    def _refuse_websocket(exchange: Exchange, refusal: Refusal) -> None:
        exchange.request.keep_alive = False
        headers = [("Sec-WebSocket-Version", "13")] if refusal.status == 426 else None
        exchange.respond(refusal.status, str(refusal).encode(), headers=headers)

    def _upgrade(self, exchange: Exchange, session: Session) -> None:
        if session.state is not State.POLLING or session.probe is not None:
            self._bad(exchange, _BAD_REQUEST)
            return
        try:
            welcome = websocket.accept_response(exchange.request)
        except Refusal as refusal:
            self._refuse_websocket(exchange, refusal)
            return
        connection = exchange.take_over()
        connection.limit_bytes = max(connection.limit_bytes, session.limit_bytes)
        session.probe = connection
        self._websockets.begin(connection, session)
        self.loop.expect(connection, self._upgrade_timeout_s)
        connection.write(welcome)

    def _poll(self, exchange: Exchange, session: Session, headers: list[tuple[str, str]]) -> None:
        if exchange.hung_up:
            exchange.abandon()
            self._close(session, TRANSPORT_CLOSE)
            return
        try:
            payload = session.begin_poll(exchange)
        except PollOverlapError:
            self._bad(exchange, _BAD_REQUEST)
            self._close(session, PROTOCOL_ERROR)
            return
        except SessionGoneError:
            self._bad(exchange, _BAD_REQUEST)
            return
        exchange.headers = headers
        if payload is not None:
            exchange.respond(200, payload, headers=headers)
        else:
            exchange.on_hangup = self._poll_hung_up

    def _poll_hung_up(self, exchange: Exchange) -> None:
        """The peer has cancelled the poll that waited: the session ends (protocol, "HTTP long-polling")."""
        session = self.sockets.get(_parse_query(exchange.request.query).get("sid", ""))
        if session is not None and session.poll is exchange:
            session.end_poll()
            self._close(session, TRANSPORT_CLOSE, heard_out=True)
        exchange.abandon()

    def _answer_poll(self, session: Session, payload: bytes) -> None:
        poll: Exchange | None = session.end_poll()
        if poll is not None:
            poll.respond(200, payload, headers=poll.headers)

    def _post(self, exchange: Exchange, session: Session, headers: list[tuple[str, str]]) -> None:
        try:
            if session.post is not None:
                raise PollOverlapError("two POSTs at once")
            for kind, data in packets.parse_payload(exchange.request.body):
                did = session.receive(kind, data, None)
                if did is Did.PONG:
                    self._ponged(session)
                elif did is Did.CLOSE:
                    self._close(session, CLIENT_DISCONNECT, heard_out=True)
        except SessionGoneError:
            self._bad(exchange, _BAD_REQUEST)
            return
        except PacketError:
            self._bad(exchange, _BAD_REQUEST)
            self._close(session, PROTOCOL_ERROR)
            return
        exchange.headers = headers
        if len(session.inbox or ()) > _INBOX_HIGH:
            session.post = exchange
            exchange.on_hangup = self._post_hung_up
        else:
            exchange.respond(200, b"ok", headers=headers)
        if session.inbox:
            self._schedule(session)

    def _post_hung_up(self, exchange: Exchange) -> None:
        exchange.abandon()
        session = self.sockets.get(_parse_query(exchange.request.query).get("sid", ""))
        if session is not None and session.post is exchange:
            session.post = None

    def _farewell(self, exchange: Exchange, sid: str, headers: list[tuple[str, str]]) -> None:
        """A poll for a session that was closed: what waited for it, if it was sent away, else 400."""
        last_words = self._parting.pop(sid, None) if exchange.request.method == "GET" else None
        if last_words is None or exchange.request.wants_upgrade():
            self._bad(exchange, _UNKNOWN_SESSION)
        else:
            exchange.respond(200, last_words, headers=headers)

    # ------------------------------------------------------------------ packets to the client

    def _push(self, session: Session, packet: str) -> None:
        """Send a text packet over whatever transport the session has."""
        link: Connection | None = session.link
        if link is not None:
            self.loop.send(link, frames.frame(frames.TEXT, packet.encode()))
        elif session.state is not State.CLOSED:
            if not session.enqueue(packet):
                self._close(session, SLOW_READER)
            elif session.poll is not None and len(session.outbox) == 1:
                self.loop.at_end_of_turn(lambda: self._flush_poll(session))

    def _flush_poll(self, session: Session) -> None:
        if session.poll is not None and session.outbox and session.state is State.POLLING:
            self._answer_poll(session, session.take_payload())

    # ------------------------------------------------------------------ packets from WebSockets, in the loop

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
            self._ponged(session)
        elif did is Did.CLOSE:
            self._close(session, CLIENT_DISCONNECT, heard_out=True)
        elif did is Did.PROBED:
            self.loop.send(connection, _PROBE_ANSWER)
            self._answer_poll(session, packets.NOOP.encode())
        else:
            self._upgraded(connection, session)

    def inbox_filled(self, connection: Connection, session: Session) -> None:
        """Everything that one read brought has been taken in."""
        if session.inbox and session.link is connection:
            if len(session.inbox) > _INBOX_HIGH:
                connection.read_off()
            self._schedule(session)

    def _upgraded(self, connection: Connection, session: Session) -> None:
        """What waited for a poll goes first; whoever emits to the session's rooms must know its new
        transport.
        """
        self.loop.expect(connection, None)
        self._answer_poll(session, packets.NOOP.encode())
        waiting = session.take_packets()
        if waiting:
            self.loop.send(connection, _as_frames(waiting))
        if self.on_moved is not None:
            self.on_moved(session)

    def _misbehaved(self, connection: Connection, session: Session) -> None:
        if connection is session.probe:
            session.drop_probe()
            self._websockets.close(connection, frames.PROTOCOL_ERROR)
            self._resume_polling(session)
        else:
            self._close(session, PROTOCOL_ERROR)

    def websocket_ended(self, connection: Connection, session: Session, reason: str) -> None:
        """A WebSocket of this session is over."""
        if connection is session.probe:
            session.drop_probe()
            self._resume_polling(session)
        elif connection is session.link:
            self._close(session, reason, heard_out=reason == TRANSPORT_CLOSE)

    def _resume_polling(self, session: Session) -> None:
        if session.outbox and session.poll is not None:
            self.loop.at_end_of_turn(lambda: self._flush_poll(session))

    # ------------------------------------------------------------------ deadlines

    def _expect_ping(self, session: Session) -> None:
        session.awaiting_pong = False
        self._heartbeats.put(session, self.ping_interval * random.uniform(0.75, 0.9))

    def _ponged(self, session: Session) -> None:
        if session.awaiting_pong:
            self._expect_ping(session)

    def _heartbeat_due(self, session: Session) -> None:
        if session.closed:
            return
        if session.awaiting_pong:
            if not session.paused:
                self._close(session, PING_TIMEOUT)
                return
            # Its pong may be waiting, unread because of us.
        else:
            session.awaiting_pong = True
            if session.link is not None:
                self.loop.send(session.link, _PING)
            else:
                self._push(session, packets.PING)
        self._heartbeats.put(session, self.ping_timeout)

    def _expect_admission(self, sid: str, within_s: float) -> None:
        self._waiting_admission.append((time.monotonic() + within_s, sid))
        if len(self._waiting_admission) == 1:
            runtime.call_later(within_s, self._admission_due)

    def _admission_due(self) -> None:
        waiting, now = self._waiting_admission, time.monotonic()
        while waiting and waiting[0][0] <= now + 0.05:
            session = self.sockets.get(waiting.popleft()[1])
            if session is not None and not session.admitted:
                self._close(session, NEVER_CONNECTED)
        if waiting:
            runtime.call_later(waiting[0][0] - now, self._admission_due)

    # ------------------------------------------------------------------ the end of a session

    def _close(self, session: Session, reason: str, *, heard_out: bool = False) -> None:
        """End a session, whatever its state, and tell the application.

        Args:
            session: the session.
            reason: for the disconnect handler.
            heard_out: whether the messages that came before still count, as when the client said goodbye.
        """
        if not session.close(reason):
            return
        self.sockets.pop(session.sid, None)
        self._heartbeats.drop(session)
        link: Connection | None = session.link
        probe: Connection | None = session.probe
        session.link = session.probe = None
        if link is not None:
            if reason == SERVER_DISCONNECT:
                self.loop.send(link, _CLOSE)
            link.context = None
            self._websockets.close(link, _CLOSE_CODES.get(reason, frames.POLICY))
        else:
            self._close_polling(session, reason)
        if probe is not None:
            probe.context = None
            self._websockets.close(probe, frames.NORMAL)
        post, session.post = session.post, None
        if post is not None:
            post.respond(200, b"ok")
        if self.on_moved is not None:
            self.on_moved(session)
        if not heard_out:
            session.inbox = None
        self._schedule(session)

    def _close_polling(self, session: Session, reason: str) -> None:
        if reason == CLIENT_DISCONNECT:
            self._answer_poll(session, packets.NOOP.encode())
            return
        sent_away = reason in (SERVER_DISCONNECT, TRANSPORT_CLOSE)
        if session.poll is not None:
            self._answer_poll(session, packets.join_payload([*session.take_packets(), packets.CLOSE]))
        elif sent_away and session.outbox:
            session.outbox.append(packets.CLOSE)
            self._parting[session.sid] = session.take_payload()
            runtime.call_later(_PARTING_S, self._parting.pop, session.sid, None)


class _SessionSockets(WebSockets):
    """The role of a WebSocket that is a session's link, or wants to be."""

    def __init__(self, engine: Engine, *, max_message_bytes: int) -> None:
        super().__init__(max_message_bytes=max_message_bytes)
        self._engine = engine

    def message(self, connection: Connection, data: str | bytes) -> None:
        self._engine.packet_came(connection, connection.context, data)

    def after(self, connection: Connection) -> None:
        self._engine.inbox_filled(connection, connection.context)

    def ended(self, connection: Connection, reason: str) -> None:
        session, connection.context = connection.context, None
        if session is not None:
            self._engine.websocket_ended(connection, session, reason)


def _as_frames(waiting: list[str]) -> bytes:
    """Packets that were meant for a poll, as WebSocket frames."""
    return b"".join([_as_frame(packet) for packet in waiting])


def _as_frame(packet: str) -> bytes:
    if packet[:1] == "b":
        return frames.frame(frames.BINARY, packets.parse_base64(packet[1:]))
    return frames.frame(frames.TEXT, packet.encode())


def _parse_query(query: str) -> dict[str, str]:
    """A query string's parameters; of one that is repeated, the first counts."""
    found: dict[str, str] = {}
    for pair in query.split("&"):
        key, _, value = pair.partition("=")
        found.setdefault(unquote_plus(key), unquote_plus(value) if "%" in value or "+" in value else value)
    return found


def _slim(environ: dict[str, Any]) -> dict[str, Any]:
    """What of an environ is kept; values that thousands of clients share are stored once."""
    return {key: intern(environ[key]) for key in KEPT_ENVIRON if key in environ}
