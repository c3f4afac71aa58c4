"""The front door: accepts connections, reads each request through the gate, and gives it to whoever answers
it.

It knows connections, the connection limit and two kinds of answerers: handlers that answer when they like
without a greenthread (the engine), and a WSGI application, which gets a greenthread for each of its requests.
It knows no session.
"""

from __future__ import annotations

import io
import logging
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from chatroom import runtime
from chatroom.engine.connection import Connection
from chatroom.engine.descriptors import Reserve
from chatroom.engine.faults import describe
from chatroom.engine.http_gate import Refusal, Request, RequestReader, Stage, response
from chatroom.engine.loop import Loop
from chatroom.engine.reasons import SLOW_READER, TRANSPORT_CLOSE

if TYPE_CHECKING:
    import socket

log = logging.getLogger(__name__)

_ACCEPTS_A_TURN = 32  # half of `reserve`: who asks for its health is read before it would be the oldest
_ACCEPT_PAUSE_S = 0.1
_KEPT_BACK = 8  # descriptors for health checks when there are no others


class Exchange:
    """One request and the response that it is waiting for.

    Attributes:
        on_hangup: called in the loop if the peer goes, or closes its side, before the response.
        hung_up: whether it has.
        headers: what the answer is to carry, whoever gives it.
        deferred: a WSGI application has left the answer to a handler.
    """

    __slots__ = ("_front", "answered", "connection", "deferred", "headers", "hung_up", "on_hangup", "request")

    def __init__(self, front: Front, connection: Connection, request: Request) -> None:
        self._front = front
        self.connection = connection
        self.request = request
        self.on_hangup: Callable[[Exchange], None] | None = None
        self.hung_up = False
        self.headers: list[tuple[str, str]] = []
        self.answered = False
        self.deferred = False

    @property
    def address(self) -> str:
        """The peer's address, without its port."""
        address = self.connection.address
        return str(address[0]) if address else ""

    def respond(
        self,
        status: int,
        body: bytes,
        *,
        content_type: str = "text/plain; charset=UTF-8",
        headers: list[tuple[str, str]] | None = None,
    ) -> None:
        """Answer; the second answer to one request is an error of the caller."""
        if self.answered:
            raise RuntimeError("a request is answered once")
        self.answered = True
        self.on_hangup = None
        if self.connection.closed:
            return
        self.connection.write(
            response(
                status,
                body,
                content_type=content_type,
                headers=self.headers + (headers or []),
                keep_alive=self.request.keep_alive,
                without_body=self.request.method == "HEAD",
            )
        )
        self._front.settle(self.connection, keep_alive=self.request.keep_alive)

    def abandon(self) -> None:
        """Give no answer: the peer has gone."""
        self.answered = True
        self.on_hangup = None
        self._front.settle(self.connection, keep_alive=False)

    def take_over(self) -> Connection:
        """Take the connection away from HTTP, to write to it and give it another role.

        Raises:
            Refusal: the peer has not waited for its answer: what it sent meanwhile would be lost, or it has gone.
        """
        if self.hung_up or self.connection.parser.holds_bytes:
            raise Refusal(400, "bytes after an upgrade request")
        self.answered = True
        self.on_hangup = None
        self._front.release(self.connection)
        return self.connection

    def environ(self) -> dict[str, Any]:
        """The request as WSGI spells it, without a body."""
        request = self.request
        environ: dict[str, Any] = {
            "REQUEST_METHOD": request.method,
            "SCRIPT_NAME": "",
            "PATH_INFO": _unquote(request.path),
            "RAW_PATH_INFO": request.path,
            "QUERY_STRING": request.query,
            "SERVER_PROTOCOL": "HTTP/" + request.version,
            "REMOTE_ADDR": self.address,
        }
        for name, value in request.headers:
            if b"_" in name:
                continue  # `x_y` and `x-y` would become one key
            key = name.decode("ascii").replace("-", "_").upper()
            if key not in ("CONTENT_TYPE", "CONTENT_LENGTH"):
                key = "HTTP_" + key
            text = value.decode("latin-1")
            environ[key] = f"{environ[key]},{text}" if key in environ else text
        return environ


def _unquote(path: str) -> str:
    if "%" not in path:
        return path
    from urllib.parse import unquote

    return unquote(path, encoding="latin-1")


Handler = Callable[[Exchange], None]


class Front:
    """Serves HTTP on listening sockets.

    Args:
        loop: where the connections live.
        app: the WSGI application for every path that no handler has.
        handlers: path prefixes, each ending with `/`, and who answers the requests under them. A handler is
            called in the loop, must not wait, and answers what keeps its connection after it has returned.
        max_connections: beyond it a connection gets a 503, unless it asks for one of `vital_paths`.
        vital_paths: what is answered even when full, so that a full server is not taken for a dead one.
        reserve: how many connections beyond the limit may be asking at once.
        elsewhere: how many connections of others count towards the limit.
        max_body_bytes: the longest request body.
        head_timeout_s: for the request head, from the first byte, or from the connect, on.
        body_timeout_s: for the body, from the head on.
        keepalive_timeout_s: how long an idle connection is kept.
        response_timeout_s: how long a peer may take to accept a piece of a WSGI response, or the whole of another.
    """

    def __init__(
        self,
        loop: Loop,
        app: runtime.WSGIApp,
        *,
        handlers: dict[str, Handler],
        max_connections: int = 10_000,
        vital_paths: frozenset[str] = frozenset({"/healthz", "/readyz"}),
        reserve: int = 64,
        elsewhere: Callable[[], int] = lambda: 0,
        max_head_bytes: int = 16_384,
        max_body_bytes: int = 1_000_000,
        head_timeout_s: float = 10.0,
        body_timeout_s: float = 20.0,
        keepalive_timeout_s: float = 65.0,
        response_timeout_s: float = 30.0,
    ) -> None:
        self._loop = loop
        self._app = app
        self._handlers = handlers
        self._max_connections = max_connections
        self._vital_paths = vital_paths
        self._reserve = reserve
        self._elsewhere = elsewhere
        self._max_head_bytes = max_head_bytes
        self._max_body_bytes = max_body_bytes
        self._head_timeout_s = head_timeout_s
        self._body_timeout_s = body_timeout_s
        self._keepalive_timeout_s = keepalive_timeout_s
        self._response_timeout_s = response_timeout_s
        self._spare: dict[Connection, None] = {}  # those beyond the limit, oldest first
        self._listeners: set[socket.socket] = set()
        self.descriptors = Reserve(_KEPT_BACK)

    def __len__(self) -> int:
        """How many connections there are, without those beyond the limit."""
        return len(self._loop.connections) - len(self._spare)

    # ------------------------------------------------------------------ accepting

    def listen(self, listener: socket.socket) -> None:
        """Accept connections on an open listening socket from now on."""
        self._listeners.add(listener)  # it is closed with the last reference to it
        raw = runtime.raw_socket(listener)

        def ready(_fileno: int) -> None:
            self._accept(raw, listening)

        listening = runtime.add_reader(raw.fileno(), ready)

    def _accept(self, raw: socket.socket, listening: runtime.Listener) -> None:
        for _ in range(_KEPT_BACK // 2 if self.descriptors.short else _ACCEPTS_A_TURN):
            try:
                accepted = runtime.accept(raw)
            except OSError as problem:
                # Out of descriptors or memory. Who asks for nothing makes room for those who may ask for health.
                if not self.descriptors.ran_out(problem) and not self._drop_silent():
                    self._pause(raw, listening)
                return
            if accepted is None:
                return
            self._greet(*accepted)

    def _drop_silent(self) -> bool:
        silent = next((spare for spare in self._spare if spare.context is None), None)
        if silent is None:
            return False
        silent.abort(TRANSPORT_CLOSE)
        return True

    def _pause(self, raw: socket.socket, listening: runtime.Listener) -> None:
        runtime.remove_listener(listening)
        runtime.call_later(_ACCEPT_PAUSE_S, self.listen, raw)

    def _greet(self, sock: socket.socket, address: Any) -> None:
        connection = self._loop.attach(sock, self, address)
        connection.parser = RequestReader(
            max_head_bytes=self._max_head_bytes, max_body_bytes=self._max_body_bytes
        )
        self._loop.expect(connection, self._head_timeout_s)
        if self.descriptors.short or len(self) + self._elsewhere() > self._max_connections:
            self._spare[connection] = None
            if len(self._spare) > self._reserve:
                # Whoever has asked for its health is being answered.
                silent = next(spare for spare in self._spare if spare.context is None)
                self._refuse(silent, Refusal(503, "the server is full"))

    # ------------------------------------------------------------------ reading requests

    def received(self, connection: Connection, data: bytes) -> None:
        exchange: Exchange | None = connection.context
        reader: RequestReader = connection.parser
        if not data:
            self._half_closed(connection, exchange)
            return
        if exchange is not None or not connection.idle:
            # A request that was sent before the last one was answered, and the answer taken, waits its turn.
            reader.hold(data)
            if reader.full:
                connection.read_off()
            return
        stage = reader.stage
        try:
            request = reader.feed(data)
        except Refusal as refusal:
            self._refuse(connection, refusal)
            return
        if request is not None:
            self._dispatch(connection, request)
            return
        self._invite(connection)
        if reader.stage is not stage:
            self._set_deadline(connection)

    def _set_deadline(self, connection: Connection) -> None:
        stage = connection.parser.stage
        self._loop.expect(
            connection,
            self._body_timeout_s
            if stage is Stage.BODY
            else self._head_timeout_s
            if stage is Stage.HEAD
            else self._keepalive_timeout_s,
        )

    def _half_closed(self, connection: Connection, exchange: Exchange | None) -> None:
        """The peer sends nothing more. What is being answered still is, what was sent ahead is not; a poll is over."""
        if exchange is None and connection.idle:
            connection.abort(TRANSPORT_CLOSE)
            return
        connection.read_off()
        if exchange is None:
            return  # the answer is still on its way, and has a deadline; then the end is read once more
        exchange.request.keep_alive = False
        self._hang_up(exchange)

    @staticmethod
    def _hang_up(exchange: Exchange) -> None:
        exchange.hung_up = True
        hangup, exchange.on_hangup = exchange.on_hangup, None
        if hangup is not None:
            hangup(exchange)

    def _dispatch(self, connection: Connection, request: Request) -> None:
        exchange = connection.context = Exchange(self, connection, request)
        self._loop.expect(connection, None)
        if self._spare and connection in self._spare and request.path not in self._vital_paths:
            request.keep_alive = False
            exchange.respond(503, b"the server is full\n", headers=[("Retry-After", "5")])
            return
        for prefix, handler in self._handlers.items():
            if request.path.startswith(prefix) or request.path == prefix[:-1]:
                handler(exchange)
                return
        runtime.spawn(self._answer, exchange)

    def _answer(self, exchange: Exchange) -> None:
        """Answer through the WSGI application; runs in a greenthread of its own."""
        connection, request = exchange.connection, exchange.request
        environ = exchange.environ()
        name, port = self._server_name(connection)
        environ.update(
            {
                "SERVER_NAME": name,
                "SERVER_PORT": port,
                "wsgi.version": (1, 0),
                "wsgi.url_scheme": "http",
                "wsgi.input": io.BytesIO(request.body),
                "wsgi.errors": sys.stderr,
                "wsgi.multithread": True,
                "wsgi.multiprocess": False,
                "wsgi.run_once": False,
                "engine.exchange": exchange,
            }
        )
        try:
            keep = runtime.answer_wsgi(
                self._logged,
                environ,
                connection.sock,
                keep_alive=request.keep_alive,
                timeout_s=self._response_timeout_s,
            )
        except Exception as problem:
            # The application's, in the middle of its response or after it: one line, and this connection ends.
            log.error("a response failed: %s", describe(problem))
            keep = False
        if not exchange.deferred and not exchange.answered and not connection.closed:
            exchange.answered = True
            self.settle(connection, keep_alive=keep)

    def _logged(self, environ: dict[str, Any], start_response: Any) -> Any:
        try:
            return self._app(environ, start_response)
        except Exception as problem:
            # The peer gets a 500 from the WSGI machinery, which would say nothing here.
            log.error("a request failed: %s", describe(problem))
            raise

    def _server_name(self, connection: Connection) -> tuple[str, str]:
        try:
            name = connection.sock.getsockname()
        except OSError:
            return "", ""
        return (str(name[0]), str(name[1])) if isinstance(name, tuple) else ("", "")

    # ------------------------------------------------------------------ after a response

    def settle(self, connection: Connection, *, keep_alive: bool) -> None:
        """A response has been handed to the connection: go on with the next request, or close."""
        connection.context = None
        if connection.closed:
            return
        if not keep_alive:
            self._part(connection)
        elif connection.idle:
            self._go_on(connection)
        else:
            self._loop.expect(connection, self._response_timeout_s)

    def _part(self, connection: Connection) -> None:
        self._spare.pop(connection, None)  # or the limit would grow by everybody who was turned away
        connection.finish()

    def _go_on(self, connection: Connection) -> None:
        """Take up the next request, if it is here already."""
        reader: RequestReader = connection.parser
        try:
            request = reader.proceed()
        except Refusal as refusal:
            self._refuse(connection, refusal)
            return
        if not reader.full:
            connection.read_on()
        if request is not None:
            self._dispatch(connection, request)
        else:
            self._invite(connection)
            self._set_deadline(connection)

    @staticmethod
    def _invite(connection: Connection) -> None:
        """Ask for the body that a peer holds back until it is asked for it (RFC 9110, 10.1.1)."""
        reader: RequestReader = connection.parser
        if reader.wants_continue:
            reader.wants_continue = False
            connection.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def drained(self, connection: Connection) -> None:
        if connection.context is None:
            self._go_on(connection)

    def release(self, connection: Connection) -> None:
        """The connection is HTTP's no more."""
        self._spare.pop(connection, None)
        self._loop.expect(connection, None)
        connection.context = connection.parser = None

    def _refuse(self, connection: Connection, refusal: Refusal) -> None:
        self._spare.pop(connection, None)
        connection.write(response(refusal.status, refusal.reason.encode() + b"\n", keep_alive=False))
        connection.finish()

    def lost(self, connection: Connection, reason: str) -> None:
        self._spare.pop(connection, None)
        exchange: Exchange | None = connection.context
        connection.context = None
        if exchange is not None:
            self._hang_up(exchange)

    def expired(self, connection: Connection) -> None:
        if not connection.idle:
            connection.abort(SLOW_READER)
        elif connection.parser.stage is not Stage.EMPTY:
            self._refuse(connection, Refusal(408, "the request took too long"))
        else:
            self._part(connection)
