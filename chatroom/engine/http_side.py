"""The engine's HTTP side: handshakes, polls, POSTs and upgrades, with every refusal that the protocol asks for.

It knows Engine.IO over HTTP (its protocol document, "Transports"); sessions end, and packets are judged, elsewhere.
"""

from __future__ import annotations

import json
import logging
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_plus

from chatroom import runtime
from chatroom.engine import packets, reasons, websocket
from chatroom.engine.faults import describe
from chatroom.engine.frames import BINARY, NORMAL, TEXT, close_frame, frame
from chatroom.engine.http_gate import Refusal
from chatroom.engine.origins import PREFLIGHT, Policy
from chatroom.engine.packets import PacketError
from chatroom.engine.session import Did, PollOverlapError, Session, SessionGoneError, State

if TYPE_CHECKING:
    from chatroom.engine.exchange import Exchange
    from chatroom.engine.server import Engine

log = logging.getLogger(__name__)

INBOX_HIGH = 64
"""So many messages of a session may wait for the application before the session is read no further."""

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


class HttpSide:
    """Answers the engine's HTTP requests; called in its lane.

    Args:
        engine: whose.
        policy: which web pages may speak to us.
        upgrade_timeout_s: how long a WebSocket may take to become a session's link.
    """

    def __init__(self, engine: Engine, *, policy: Policy, upgrade_timeout_s: float) -> None:
        self._engine = engine
        self._origins = policy
        self._upgrade_timeout_s = upgrade_timeout_s
        # What polling clients that were sent away are still to be told, a poll each.
        self.parting: dict[str, list[bytes]] = {}
        self._open = json.dumps(
            {
                "sid": "%s",
                "upgrades": ["%s"],
                "pingInterval": round(engine.ping_interval * 1000),
                "pingTimeout": round(engine.ping_timeout * 1000),
                "maxPayload": engine.max_http_buffer_size,
            },
            separators=(",", ":"),
        ).replace('["%s"]', "%s")

    def answer(self, exchange: Exchange) -> None:
        """Answer a request under the Engine.IO path; a poll that has to wait is answered later."""
        request = exchange.request
        verdict = self._origins.judge(exchange)
        if verdict is None:
            self._bad(exchange, _FORBIDDEN, status=403)
            return
        if request.method == "OPTIONS":
            exchange.respond(204, b"", headers=verdict + PREFLIGHT)
            return
        exchange.headers = verdict
        query = _parse_query(request.query)
        transport = query.get("transport")
        if transport not in ("polling", "websocket"):
            self._bad(exchange, _UNKNOWN_TRANSPORT)
            return
        sid = query.get("sid")
        if sid is None:
            self._handshake(exchange, transport, query.get("EIO"))
            return
        session = self._engine.sockets.get(sid)
        if session is None:
            self._farewell(exchange, sid)
        elif transport == "websocket":
            self._upgrade(exchange, session)
        elif request.method == "GET":
            self._poll(exchange, session)
        elif request.method == "POST":
            self._post(exchange, session)
        else:
            self._bad(exchange, _BAD_METHOD)

    @staticmethod
    def _bad(exchange: Exchange, error: tuple[int, str], *, status: int = 400) -> None:
        code, message = error
        body = json.dumps({"code": code, "message": message}, separators=(",", ":")).encode()
        if exchange.request.wants_upgrade():
            exchange.request.keep_alive = False
        exchange.respond(status, body, content_type="application/json")

    def _handshake(self, exchange: Exchange, transport: str, version: str | None) -> None:
        request = exchange.request
        upgrading = request.wants_upgrade()
        if version != "4":
            self._bad(exchange, _BAD_VERSION)
        elif request.method != "GET":
            self._bad(exchange, _BAD_METHOD)
        elif upgrading is not (transport == "websocket"):
            self._bad(exchange, _BAD_REQUEST)
        elif self._engine.refusing:
            request.keep_alive = False
            exchange.respond(503, b"the server is closing\n", headers=[("Retry-After", "1")])
        elif upgrading:
            self._open_websocket(exchange)
        else:
            session = self._open_session(exchange, upgrades='["websocket"]')
            if session is not None:
                exchange.respond(200, session.take_payload())

    def _open_session(self, exchange: Exchange, *, upgrades: str) -> Session | None:
        """Begin a session and ask the application; None if it refused: then the request is answered."""
        sid = self._engine.generate_id()
        session = self._engine.new_session(sid)
        session.enqueue(packets.OPEN + self._open % (sid, upgrades))
        handler = self._engine.handlers.get("connect")
        if handler is not None:
            accepted: Any = False
            try:
                accepted = handler(sid, _slim(exchange.environ()))
            except Exception as problem:
                # The outermost place that a handshake reaches: one line, and it is refused.
                log.error("a connect handler failed: %s", describe(problem))
            if accepted is not None and accepted is not True:
                self._engine.sockets.pop(sid, None)
                session.close(reasons.SERVER_DISCONNECT)
                session.told = True
            if session.closed:  # refused, or sent away while the application was thinking
                exchange.request.keep_alive = False
                exchange.respond(401, b"Unauthorized")
                return None
        if exchange.hung_up:
            # The peer went while the application was thinking.
            exchange.abandon()
            self._engine.end(session, reasons.TRANSPORT_CLOSE)
            return None
        self._engine.opened(session)
        return session

    def _open_websocket(self, exchange: Exchange) -> None:
        try:
            welcome = websocket.accept_response(exchange.request)
        except Refusal as refusal:
            websocket.refuse(exchange, refusal)
            return
        session = self._open_session(exchange, upgrades="[]")
        if session is None:
            return
        try:
            connection = exchange.take_over()
        except Refusal as refusal:
            self._engine.end(session, reasons.PROTOCOL_ERROR)
            websocket.refuse(exchange, refusal)
            return
        self._engine.begin_websocket(connection, session)
        session.state = State.WEBSOCKET
        session.link = connection
        connection.limit_bytes = max(connection.limit_bytes, session.limit_bytes)
        connection.write(welcome + as_frames(session.take_packets()))

    def _upgrade(self, exchange: Exchange, session: Session) -> None:
        try:
            welcome = websocket.accept_response(exchange.request)
            connection = exchange.take_over()
        except Refusal as refusal:
            websocket.refuse(exchange, refusal)
            return
        if session.state is not State.POLLING or session.probe is not None:
            # A second one is of no use. As in the reference it is opened first: a refusal would raise in Node's `ws`.
            connection.write(welcome)
            connection.finish(close_frame(NORMAL))
            return
        connection.limit_bytes = max(connection.limit_bytes, session.limit_bytes)
        session.probe = connection
        self._engine.begin_websocket(connection, session)
        connection.expect(self._upgrade_timeout_s)
        connection.write(welcome)

    def _poll(self, exchange: Exchange, session: Session) -> None:
        if exchange.hung_up:
            exchange.abandon()
            self._engine.end(session, reasons.TRANSPORT_CLOSE)
            return
        try:
            payload = session.begin_poll(exchange)
        except PollOverlapError:
            self._bad(exchange, _BAD_REQUEST)
            self._engine.end(session, reasons.PROTOCOL_ERROR)
            return
        except SessionGoneError:
            self._bad(exchange, _BAD_REQUEST)
            return
        if payload is not None:
            exchange.respond(200, payload)
        else:
            exchange.on_hangup = self._poll_hung_up

    def _poll_hung_up(self, exchange: Exchange) -> None:
        """The peer has cancelled the poll that waited: the session ends (protocol, "HTTP long-polling")."""
        session = self._engine.sockets.get(_parse_query(exchange.request.query).get("sid", ""))
        if session is not None and session.poll is exchange:
            session.end_poll()
            self._engine.end(session, reasons.TRANSPORT_CLOSE, heard_out=True)
        exchange.abandon()

    @staticmethod
    def answer_poll(session: Session, payload: bytes) -> None:
        """Answer the poll that waits, if one does."""
        poll: Exchange | None = session.end_poll()
        if poll is not None:
            poll.respond(200, payload)

    def _post(self, exchange: Exchange, session: Session) -> None:
        try:
            if session.post is not None:
                raise PollOverlapError("two POSTs at once")
            for kind, data in packets.parse_payload(exchange.request.body):
                did = session.receive(kind, data, None)
                if did is Did.PONG:
                    self._engine.ponged(session)
                elif did is Did.CLOSE:
                    # A poll that was sent before this may be in the same turn of the loop, and behind it.
                    self._engine.soon(
                        partial(self._engine.end, session, reasons.CLIENT_DISCONNECT, heard_out=True)
                    )
                    break
        except SessionGoneError:
            self._bad(exchange, _BAD_REQUEST)
            return
        except PacketError:
            self._bad(exchange, _BAD_REQUEST)
            self._engine.end(session, reasons.PROTOCOL_ERROR)
            return
        if len(session.inbox or ()) > INBOX_HIGH:
            session.post = exchange
            exchange.on_hangup = self._post_hung_up
        else:
            exchange.respond(200, b"ok")
        if session.inbox:
            self._engine.schedule(session)

    def _post_hung_up(self, exchange: Exchange) -> None:
        exchange.abandon()
        session = self._engine.sockets.get(_parse_query(exchange.request.query).get("sid", ""))
        if session is not None and session.post is exchange:
            session.post = None

    def _farewell(self, exchange: Exchange, sid: str) -> None:
        """A poll for a session that was closed: what waited for it, if it was sent away, else 400."""
        payloads = self.parting.get(sid)
        if payloads is None or exchange.request.method != "GET" or exchange.request.wants_upgrade():
            self._bad(exchange, _UNKNOWN_SESSION)
            return
        exchange.respond(200, payloads.pop(0))
        if not payloads:
            del self.parting[sid]

    def resume_polling(self, session: Session) -> None:
        """An upgrade has come to nothing: what waited meanwhile goes out by the poll that waits, if one does."""
        if session.outbox and session.poll is not None:
            self._engine.loop.at_end_of_turn(lambda: self.flush_poll(session))

    def flush_poll(self, session: Session) -> None:
        """Give the poll that waits what there is for it."""
        if session.poll is not None and session.outbox and session.state is State.POLLING:
            self.answer_poll(session, session.take_payload())

    def close_polling(self, session: Session, reason: str) -> None:
        """Tell a client that polls that its session is over: by its poll, or by the next ones if something waits.

        A CLOSE packet says that the server wants it gone: python-socketio's client then stays away. One that has lost
        its connection is to come back, and does after a 400.

        The last words and the CLOSE go by two polls: client libraries hand a message on a moment after they have
        read it, and one that reads a CLOSE in the same payload has forgotten by then whom to hand it to.
        """
        if reason == reasons.CLIENT_DISCONNECT:
            self.answer_poll(session, packets.NOOP.encode())
            return
        payloads = []
        while session.outbox and reason in (reasons.SERVER_DISCONNECT, reasons.TRANSPORT_CLOSE):
            payloads.append(session.take_payload())
        if reason == reasons.SERVER_DISCONNECT or (
            reason == reasons.PROTOCOL_ERROR and session.poll is not None
        ):
            payloads.append(packets.CLOSE.encode())
        if session.poll is not None:
            if payloads:
                self.answer_poll(session, payloads.pop(0))
            else:
                self._bad(session.end_poll(), _UNKNOWN_SESSION)
        if payloads:
            self.parting[session.sid] = payloads
            runtime.call_later(_PARTING_S, self.parting.pop, session.sid, None)


def as_frames(waiting: list[str]) -> bytes:
    """Packets that were meant for a poll, as WebSocket frames."""
    return b"".join([_as_frame(packet) for packet in waiting])


def _as_frame(packet: str) -> bytes:
    if packet[:1] == "b":
        return frame(BINARY, packets.parse_base64(packet[1:]))
    return frame(TEXT, packet.encode())


def _parse_query(query: str) -> dict[str, str]:
    """A query string's parameters; of one that is repeated, the first counts."""
    found: dict[str, str] = {}
    for pair in query.split("&"):
        key, _, value = pair.partition("=")
        found.setdefault(unquote_plus(key), unquote_plus(value) if "%" in value or "+" in value else value)
    return found


def _slim(environ: dict[str, Any]) -> dict[str, Any]:
    """What of an environ is kept; values that thousands of clients share are stored once."""
    return {key: _shared(environ[key]) for key in KEPT_ENVIRON if key in environ}


@lru_cache(maxsize=1024)
def _shared(text: str) -> str:
    """The same text, and the same object for everybody who brought it of late (`sys.intern` has no bound)."""
    return text
