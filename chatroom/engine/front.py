"""The HTTP server: takes connections, and gives each request to a handler or to the WSGI application.

Handlers (the engine) answer when they are ready and need no greenthread. The WSGI application gets a greenthread for
each of its requests, until it has answered. This module knows no session.
"""

from __future__ import annotations

import logging
import socket
import time
from collections.abc import Callable
from functools import partial
from typing import Final
from wsgiref.types import WSGIApplication

from chatroom import runtime
from chatroom.engine.bounds import HttpLimits
from chatroom.engine.exchange import Exchange
from chatroom.engine.http_connection import ClientOf, HttpConnection, TakesBody
from chatroom.engine.http_request import Refusal, Request
from chatroom.engine.reasons import TRANSPORT_CLOSE
from chatroom.engine.refusals import TOO_MANY_REQUESTS, refuse
from chatroom.engine.wsgi import PeerLeftError, WaitingAnswers, WSGIAnswer
from chatroom.net.acceptor import Acceptor
from chatroom.net.connection import Connection
from chatroom.net.faults import Faults
from chatroom.net.gate import RequestMeter
from chatroom.net.loop import Loop
from chatroom.net.turns import Turns

log = logging.getLogger(__name__)

Handler = Callable[[Exchange], None]
# What it takes to answer a request, on average. For the application's answers, it is measured afterwards.
_ANSWER_S: Final = 0.0002


class Front:
    """Serves HTTP on listening sockets.

    Args:
        loop: where the connections live.
        app: the WSGI application, for every path that has no handler.
        handlers: by path prefix, each ending with `/`, the handler of the requests under it. It is called in the loop,
            must not wait, and answers a request that keeps its connection only after it has returned.
        client_of: finds the client of a request that a proxy has passed on; by default that is the peer.
        is_proxy: says whether an address is that of such a proxy; then clients, not their proxies, take turns.
        meter: counts the computing time of each client's requests, and says how long to refuse them; by default nobody
            does.
        allow_origin: called before a request that has a handler is refused without asking it. It adds the headers that
            let a page of another origin read the answer; by default none are added.
        in_session: says whether a request that has a handler belongs to a session, which counts what it does itself.
        takes_body: asked before the body of a request is read; by default all are read. The engine's lets each session
            send one at a time.
        refuse_host: called with a request's Host header, its peer's address, and ours on that connection. Unless it
            returns None, the WSGI application that it returns answers, whatever the path: the server is not to be
            reached by that name. `vital_paths` are answered under any name.
        acceptor: accepts connections, and counts them; by default one of its own. When it is full, a connection that
            no joined client uses is closed. If there is none, the new one gets a 503, unless it requests one of
            `vital_paths`.
        vital_paths: what is answered even when full, so that a full server is not mistaken for a dead one.
        reserve: how many connections beyond the limit may send a request at once.
        max_body_bytes: the longest request body.
        head_timeout_s: for the request head, from the first byte, or from the connect, on.
        body_timeout_s: for the body, from the head on.
        keepalive_timeout_s: how long an idle connection is kept.
        refusal_pause_s: how long the answer 429 waits, so that a client that asks again after it asks less often.
        response_timeout_s: how long a peer may take to accept each 64 KB of a WSGI response, or the whole of another.
        max_waiting: how many WSGI responses may wait for slow readers. With more, a connection is closed: the oldest of
            these from the address with the most.
        group_of: the group of an address, by default each its own, which counts as one address there.
    """

    def __init__(
        self,
        loop: Loop,
        app: WSGIApplication,
        *,
        handlers: dict[str, Handler],
        client_of: ClientOf | None = None,
        is_proxy: Callable[[str], bool] = lambda _peer: False,
        takes_body: TakesBody | None = None,
        meter: RequestMeter | None = None,
        in_session: Callable[[Request], bool] = lambda _request: False,
        allow_origin: Handler = lambda _exchange: None,
        refuse_host: Callable[[str, str, str], WSGIApplication | None] | None = None,
        acceptor: Acceptor | None = None,
        vital_paths: frozenset[str] = frozenset({"/healthz", "/readyz"}),
        reserve: int = 64,
        max_head_bytes: int = 16_384,
        max_body_bytes: int = 1_000_000,
        head_timeout_s: float = 10.0,
        body_timeout_s: float = 20.0,
        keepalive_timeout_s: float = 65.0,
        refusal_pause_s: float = 1.0,
        response_timeout_s: float = 30.0,
        max_waiting: int = 512,
        group_of: Callable[[str], str] = str,
    ) -> None:
        self._loop = loop
        self._app = app
        self._handlers = handlers
        self._client_of = client_of
        self._is_proxy = is_proxy
        self._takes_body = takes_body
        self._meter = meter
        self._in_session = in_session
        self._allow_origin = allow_origin
        self._turns = loop.turns or Turns()
        self._refuse_host = refuse_host
        self._acceptor = acceptor or Acceptor()
        self._acceptor.include(self.__len__)
        self._vital_paths = vital_paths
        self._reserve = reserve
        self._refusal_pause_s = refusal_pause_s
        self._limits = HttpLimits(
            max_head_bytes=max_head_bytes,
            max_body_bytes=max_body_bytes,
            head_timeout_s=head_timeout_s,
            body_timeout_s=body_timeout_s,
            keepalive_timeout_s=keepalive_timeout_s,
            response_timeout_s=response_timeout_s,
        )
        self._waiting = WaitingAnswers(max_waiting, group_of)
        self._report = Faults(log, time.monotonic).report
        self._spare: dict[Connection, HttpConnection] = {}  # those beyond the limit, oldest first

    def __len__(self) -> int:
        """How many connections there are, without those beyond the limit."""
        return len(self._loop.connections) - len(self._spare)

    # ------------------------------------------------------------------ accepting

    def listen(self, listener: socket.socket) -> None:
        """Accept connections on an open listening socket from now on."""
        self._acceptor.listen(listener, self._greet, make_room=self._drop_idle)

    def _drop_idle(self) -> bool:
        for connection, http in self._spare.items():
            if http.exchange is None:
                connection.abort(TRANSPORT_CLOSE)
                return True
        return False

    def _greet(self, sock: socket.socket, address: str) -> None:
        http = HttpConnection(
            self._limits,
            self._dispatch,
            self._over,
            self._client_of,
            self._takes_body,
            turns=self._turns,
            meter=self._meter,
            in_session=self._is_in_session,
            is_proxied=self._is_proxy(address),
        )
        connection = self._loop.attach(sock, http, address)
        connection.expect(self._limits.head_timeout_s)
        if self._acceptor.make_room():
            connection.newcomers = self._acceptor.newcomers
            connection.list_as_newcomer(address)
        else:
            self._spare[connection] = http
            if len(self._spare) > self._reserve:
                self._refuse_idle()

    def _refuse_idle(self) -> None:
        """Close the oldest connection beyond the limit that has sent no request yet."""
        connection = next(one for one, http in self._spare.items() if http.exchange is None)
        self._spare[connection].refuse(connection, Refusal(503, "the server is full"))

    def _over(self, connection: Connection) -> None:
        """It sends no more requests: otherwise each refused connection would raise the limit."""
        self._spare.pop(connection, None)

    # ------------------------------------------------------------------ answering requests

    def _dispatch(self, exchange: Exchange) -> None:
        request = exchange.request
        handler = self._find_handler(request.path)
        is_vital = request.path in self._vital_paths
        if self._meter is not None and not self._is_in_session(request):
            wait_s = self._meter.requests_wait_s(exchange.client)
            if wait_s:
                request.keep_alive = False
                if not is_vital or self._meter.health_wait_s(exchange.client):
                    # Who waits for the answer asks for less meanwhile. Beyond the limit, connections make room at once.
                    pause_s = 0.0 if exchange.connection in self._spare else self._refusal_pause_s
                    runtime.call_later(pause_s, self._refuse, exchange, max(0.0, wait_s - pause_s))
                    return
            self._meter.charge_request(exchange.client, exchange.reading_s + _ANSWER_S)
        if not is_vital:
            if self._spare and exchange.connection in self._spare:
                request.keep_alive = False
                if handler is not None:
                    self._allow_origin(exchange)
                exchange.respond(503, b"the server is full\n", headers=[("Retry-After", "5")])
                return
            refusal = self._judge_host(exchange)
            if refusal is not None:
                request.keep_alive = False
                self._answer_soon(exchange, refusal)
                return
        if handler is not None:
            handler(exchange)
        else:
            self._answer_soon(exchange, self._app)

    def _refuse(self, exchange: Exchange, retry_s: float) -> None:
        """Refuse a request of an address that has asked too much, unless its connection has been closed."""
        if exchange.connection.closed:
            return
        if self._find_handler(exchange.request.path) is not None:
            self._allow_origin(exchange)
        refuse(exchange, TOO_MANY_REQUESTS, status=429, retry_s=retry_s)

    def _is_in_session(self, request: Request) -> bool:
        return self._find_handler(request.path) is not None and self._in_session(request)

    def _judge_host(self, exchange: Exchange) -> WSGIApplication | None:
        """The application that answers a request by a wrong name. On a connection, a name is judged when it changes."""
        host, connection = exchange.request.header(b"host"), exchange.connection
        if self._refuse_host is None or host == exchange.http.good_host:
            return None
        refusal = self._refuse_host(host, connection.address, self._server_name(connection)[0])
        if refusal is None:
            exchange.http.good_host = host
        return refusal

    def _find_handler(self, path: str) -> Handler | None:
        for prefix, handler in self._handlers.items():
            if path.startswith(prefix) or path == prefix[:-1]:
                return handler
        return None

    def _answer_soon(self, exchange: Exchange, app: WSGIApplication) -> None:
        """Answer through a WSGI application, at the end of a turn, address after address."""
        self._turns.put(exchange.client, partial(runtime.begin, self._answer, exchange, app))

    def _answer(self, exchange: Exchange, app: WSGIApplication) -> None:
        """Answer through a WSGI application, in a greenthread: the application may wait."""
        connection = exchange.connection
        if connection.closed:
            return
        answer = WSGIAnswer(exchange, self._waiting)
        try:
            answer.give(app, self._server_name(connection))
        except PeerLeftError:
            pass
        except Exception as problem:
            # The outermost place that a page's request reaches: one log line, and the others go on.
            self._report("a response failed" if answer.began else "a request failed", problem)
            if not (answer.began or exchange.deferred):
                exchange.respond(500, b"the server failed\n")
            answer.keep_alive = False
        if self._meter is not None:
            self._meter.charge_request(exchange.client, answer.took_s - _ANSWER_S)
        if not (exchange.deferred or exchange.answered):
            self._waiting.when_read(exchange, partial(exchange.written, keep_alive=answer.keep_alive))

    def _server_name(self, connection: Connection) -> tuple[str, str]:
        try:
            name = connection.sock.getsockname()
        except OSError:
            return "", ""
        return (str(name[0]), str(name[1])) if isinstance(name, tuple) else ("", "")
