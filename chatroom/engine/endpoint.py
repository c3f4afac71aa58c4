"""The engine's HTTP requests: handshakes, upgrades, and which session a poll or a POST is for.

It knows Engine.IO over HTTP (its protocol document, "Transports") and the refusals that this requires. What a packet
means is decided elsewhere.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Collection
from typing import Any, Final

from chatroom.engine import packets, reasons, websocket
from chatroom.engine.exchange import Exchange
from chatroom.engine.final_payloads import FinalPayloads
from chatroom.engine.frames import NORMAL, close_frame
from chatroom.engine.http_request import Refusal, Request
from chatroom.engine.origins import PREFLIGHT, Policy
from chatroom.engine.polling import Polling
from chatroom.engine.refusals import (
    BAD_METHOD,
    BAD_REQUEST,
    BAD_VERSION,
    FORBIDDEN,
    SERVER_FULL,
    TOO_MANY_SESSIONS,
    UNKNOWN_SESSION,
    UNKNOWN_TRANSPORT,
    refuse,
)
from chatroom.engine.session import Session, State
from chatroom.engine.sessions import NoSessionError, Sessions
from chatroom.engine.websocket import WebSocketTransport, as_frame
from chatroom.net.connection import Connection
from chatroom.net.faults import describe

log = logging.getLogger(__name__)

# The part of a handshake's environ that is kept as long as the session lives. The rest costs kilobytes per client, and
# says who a guest is: cookies, the browser, the addresses behind a proxy, what was in the query.
KEPT_ENVIRON: Final = ("REMOTE_ADDR",)


class Endpoint:
    """Answers the requests under the Engine.IO path; called in the lane.

    Args:
        sessions: the sessions that the requests are for.
        policy: which web pages may use this server.
        generate_id: makes session ids.
        kept_environ: keys of a handshake's environ that are kept besides `KEPT_ENVIRON`.
        ping_interval_s: seconds between pings, as announced to clients.
        ping_timeout_s: the same.
        max_payload_bytes: the longest message, and the longest body, that is accepted.
        upgrade_timeout_s: how long a WebSocket may take to become a session's transport.

    Attributes:
        refusing: handshakes are answered with 503.
        final_payloads: what polling clients still have to receive.
    """

    def __init__(
        self,
        sessions: Sessions,
        policy: Policy,
        generate_id: Callable[[], str],
        *,
        kept_environ: Collection[str],
        ping_interval_s: float,
        ping_timeout_s: float,
        max_payload_bytes: int,
        upgrade_timeout_s: float,
    ) -> None:
        self.refusing = False
        self.final_payloads = FinalPayloads(sessions.relief)
        self._sessions = sessions
        self._origins = policy
        self._generate_id = generate_id
        self._kept_environ = (*KEPT_ENVIRON, *kept_environ)
        self._max_payload_bytes = max_payload_bytes
        self._upgrade_timeout_s = upgrade_timeout_s
        self._welcome = {
            "pingInterval": round(ping_interval_s * 1000),
            "pingTimeout": round(ping_timeout_s * 1000),
            "maxPayload": max_payload_bytes,
        }

    def takes_body(self, connection: Connection, request: Request) -> bool:
        """Whether to read the body of this request: a session sends one at a time."""
        session = self._sessions.by_id.get(request.parameters.get("sid", ""))
        polling = session.transport if session is not None else None
        return not isinstance(polling, Polling) or polling.takes_body(connection)

    def in_session(self, request: Request) -> bool:
        """Whether this is a request of a session that polls: what it may do is counted there."""
        session = self._sessions.by_id.get(request.parameters.get("sid", ""))
        polls = session is not None and session.state is State.POLLING and request.method in ("GET", "POST")
        if not polls or request.parameters.get("transport") != "polling":
            return False
        return self._origins.surely_accepts(request)  # otherwise it is refused before the session sees it

    def allow_origin(self, exchange: Exchange) -> bool:
        """Let the page that asks read the answer, whatever it will be; False if it may not use this server."""
        cors_headers = self._origins.check(exchange)
        exchange.headers = cors_headers or []
        return cors_headers is not None

    def answer(self, exchange: Exchange) -> None:
        """Answer a request; a poll that has to wait is answered later."""
        try:
            self._answer(exchange)
        except Exception as problem:
            # The outermost place that an HTTP request reaches: one log line, and the other requests go on.
            log.error("an Engine.IO request failed: %s", describe(problem))
            if not exchange.answered:
                exchange.request.keep_alive = False
                exchange.respond(500, b"")

    def _answer(self, exchange: Exchange) -> None:
        request = exchange.request
        if not self.allow_origin(exchange):
            refuse(exchange, FORBIDDEN, status=403)
            return
        if request.method == "OPTIONS":
            exchange.respond(204, b"", headers=PREFLIGHT)
            return
        query = request.parameters
        transport = query.get("transport")
        if transport not in ("polling", "websocket"):
            refuse(exchange, UNKNOWN_TRANSPORT)
            return
        sid = query.get("sid")
        if sid is None:
            self._handshake(exchange, transport, query.get("EIO"))
            return
        session = self._sessions.by_id.get(sid)
        if session is None:
            self._answer_closed_session(exchange, sid)
        elif transport == "websocket":
            self._upgrade(exchange, session)
        elif request.method not in ("GET", "POST"):
            refuse(exchange, BAD_METHOD)
        elif not isinstance(session.transport, Polling):
            refuse(exchange, BAD_REQUEST)  # it uses its WebSocket
        elif request.method == "GET":
            session.transport.get(exchange)
        else:
            session.transport.post(exchange)

    def _answer_closed_session(self, exchange: Exchange, sid: str) -> None:
        """Answer a poll for a session that was closed: with what still waits for it, or with 400."""
        payload = None
        if exchange.request.method == "GET" and not exchange.request.wants_upgrade():
            payload = self.final_payloads.take(sid)
        if payload is None:
            refuse(exchange, UNKNOWN_SESSION)
        else:
            exchange.respond(200, payload)

    # ------------------------------------------------------------------ handshakes

    def _handshake(self, exchange: Exchange, transport: str, version: str | None) -> None:
        request = exchange.request
        upgrading = request.wants_upgrade()
        if version != "4":
            refuse(exchange, BAD_VERSION)
        elif request.method != "GET":
            refuse(exchange, BAD_METHOD)
        elif upgrading is not (transport == "websocket"):
            refuse(exchange, BAD_REQUEST)
        elif self.refusing:
            request.keep_alive = False
            exchange.respond(503, b"the server is closing\n", headers=[("Retry-After", "1")])
        elif upgrading:
            self._open_websocket(exchange)
        else:
            polling = self._open_session(exchange, upgrades=["websocket"])
            if polling is not None:
                exchange.respond(200, polling.take_payload())

    def _open_session(self, exchange: Exchange, *, upgrades: list[str]) -> Polling | None:
        """Start a session and ask the application.

        Returns:
            What waits for the client; None if there is no session, and the request is answered.
        """
        try:
            session = self._sessions.create(self._generate_id(), exchange.client)
        except NoSessionError as refused:
            if refused.by_address:
                refuse(exchange, TOO_MANY_SESSIONS, status=429, retry_s=refused.retry_s)
            else:
                refuse(exchange, SERVER_FULL, status=503, retry_s=refused.retry_s)
            return None
        polling = Polling(session, self._sessions, self.final_payloads)
        session.begin(polling)
        welcome = {"sid": session.sid, "upgrades": upgrades, **self._welcome}
        polling.send(packets.OPEN + json.dumps(welcome, separators=(",", ":")))
        if not self._sessions.connect(session, self._kept(exchange)):
            polling.hand_over()
            exchange.request.keep_alive = False
            exchange.respond(401, b"Unauthorized")
            return None
        if exchange.hung_up:
            # The peer left while the application was deciding.
            exchange.abandon()
            self._sessions.end(session, reasons.TRANSPORT_CLOSE)
            return None
        self._sessions.begin(session)
        return polling

    def _kept(self, exchange: Exchange) -> dict[str, Any]:
        """The part of a handshake's environ that is kept."""
        if self._kept_environ == KEPT_ENVIRON:
            return {"REMOTE_ADDR": exchange.client}  # to make the rest takes a hundredth of a join
        environ = exchange.environ()
        return {key: environ[key] for key in self._kept_environ if key in environ}

    def _open_websocket(self, exchange: Exchange) -> None:
        try:
            welcome = websocket.accept_response(exchange.request)
        except Refusal as refusal:
            websocket.refuse(exchange, refusal)
            return
        polling = self._open_session(exchange, upgrades=[])
        if polling is None:
            return
        session = polling.session
        try:
            connection = exchange.take_over()
        except Refusal as refusal:
            self._sessions.end(session, reasons.PROTOCOL_ERROR)
            websocket.refuse(exchange, refusal)
            return
        session.open(
            WebSocketTransport(connection, session, self._sessions, max_message_bytes=self._max_payload_bytes)
        )
        self._sessions.keep_connection(session)
        connection.write(welcome + b"".join(map(as_frame, polling.hand_over())))

    def _upgrade(self, exchange: Exchange, session: Session) -> None:
        try:
            welcome = websocket.accept_response(exchange.request)
            connection = exchange.take_over()
        except Refusal as refusal:
            websocket.refuse(exchange, refusal)
            return
        if not session.accepts_probe:
            # A second one is useless. As in the reference, it is opened first: a refusal would raise in Node's `ws`.
            connection.write(welcome)
            connection.finish(close_frame(NORMAL))
            return
        session.begin_probe(
            WebSocketTransport(connection, session, self._sessions, max_message_bytes=self._max_payload_bytes)
        )
        connection.expect(self._upgrade_timeout_s)
        connection.write(welcome)
