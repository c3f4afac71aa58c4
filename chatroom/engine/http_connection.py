"""HTTP on one connection: a request is read and answered, then the next one.

It knows connections and the request reader; who answers is its caller's business.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Final

from chatroom import runtime
from chatroom.engine.bounds import HttpLimits
from chatroom.engine.exchange import Exchange
from chatroom.engine.http_request import Refusal, Request, RequestReader, Stage
from chatroom.engine.http_response import response
from chatroom.engine.reasons import SLOW_READER, TRANSPORT_CLOSE
from chatroom.net.connection import Connection, Role
from chatroom.net.gate import RequestMeter
from chatroom.net.turns import Turns

ClientOf = Callable[[str, Sequence[str]], str]
"""Finds the address of the client behind a request, from the peer's and the values of all X-Forwarded-For lines."""
TakesBody = Callable[[Connection, Request], bool]
"""Says whether to read the body of this request from this connection."""

_PIECE_BYTES: Final = 65_536  # of a response, each of which a slow reader has the same time for
_READ_S: Final = 0.001  # what it takes to read a part of a request, at most: the longest head


class HttpConnection(Role):
    """The role of a connection that speaks HTTP.

    Args:
        limits: its bounds.
        on_request: called in the loop with each request; it must not wait.
        on_over: called when the connection serves no more requests: it is closed, being closed, or taken over.
        client_of: finds the client of a request; by default that is the peer.
        takes_body: asked before a request's body is read; by default all are.
        turns: when newcomers' requests are read; by default at once.
        meter: is charged for reading what was no request, or was not answered.
        in_session: says whether a request belongs to a session, which is not charged.
        is_proxied: the peer is a proxy, so its clients take turns, not the proxies.

    Attributes:
        exchange: the request that is being answered.
        good_host: the last Host header that was found to be a name of this server.
    """

    __slots__ = (
        "_client_of",
        "_in_session",
        "_is_proxied",
        "_limits",
        "_meter",
        "_on_over",
        "_on_request",
        "_reader",
        "_reading_s",
        "_stage",
        "_takes_body",
        "_turns",
        "_waits",
        "exchange",
        "good_host",
    )

    def __init__(
        self,
        limits: HttpLimits,
        on_request: Callable[[Exchange], None],
        on_over: Callable[[Connection], None],
        client_of: ClientOf | None = None,
        takes_body: TakesBody | None = None,
        turns: Turns | None = None,
        meter: RequestMeter | None = None,
        in_session: Callable[[Request], bool] = lambda _request: False,
        is_proxied: bool = False,
    ) -> None:
        self._limits = limits
        self._turns = turns
        self._meter = meter
        self._in_session = in_session
        self._waits = False  # what has come is read in another turn
        self._stage: Stage | None = Stage.EMPTY  # which the deadline is for, if there is one
        self._reading_s = 0.0  # computing time that the next request has taken so far
        self._client_of = client_of
        self._is_proxied = is_proxied
        self._takes_body = takes_body
        self._on_request = on_request
        self._on_over = on_over
        self._reader = RequestReader(
            max_head_bytes=limits.max_head_bytes, max_body_bytes=limits.max_body_bytes
        )
        self.exchange: Exchange | None = None
        self.good_host: str | None = None

    @property
    def is_reading_body(self) -> bool:
        """Whether part of a body is still to come."""
        return self._reader.stage is Stage.BODY

    @property
    def holds_bytes(self) -> bool:
        """Whether something came after the last request."""
        return self._reader.holds_bytes

    def expect_same_headers(self, request: Request) -> None:
        """The next request will probably have the same header lines as this one."""
        self._reader.remember(request)

    # ------------------------------------------------------------------ reading requests

    def received(self, connection: Connection, data: bytes) -> None:
        reader = self._reader
        if not data:
            self._half_closed(connection)
            return
        reader.hold(data)
        if self.exchange is None and connection.idle:
            self._read_soon(connection)
        if connection.role is not self:
            return
        # The peer has not received the last answer yet, or this request waits for its turn.
        if reader.full:
            connection.stop_reading()
        if reader.unfinished:  # otherwise it was counted out with the request
            connection.loop.keep_unfinished(connection, reader.unfinished)  # which may close it

    def _read_soon(self, connection: Connection) -> None:
        """Read what has come: at once if the peer has joined, otherwise in its turn."""
        newcomers = connection.newcomers
        if self._turns is None or newcomers is None or connection not in newcomers:
            self._read(connection)
        elif not self._waits:
            self._waits = True
            call = partial(self._take_turn, connection, self._turns.meter)
            self._turns.put(self._client_behind(connection), call)

    def _client_behind(self, connection: Connection) -> str:
        """The client whose request is read, before it is checked."""
        if self._is_proxied and self._client_of is not None:
            return self._client_of(connection.address, self._reader.forwarded())
        return connection.address

    def _take_turn(self, connection: Connection, meter: runtime.Meter) -> None:
        self._waits = False
        if connection.role is self and self.exchange is None and connection.idle:
            self._read(connection, meter)

    def _read(self, connection: Connection, meter: runtime.Meter | None = None) -> None:
        """Read what has come; newcomers' requests are measured."""
        reader = self._reader
        start = meter.begin() if meter is not None else (0.0, 0.0)
        request = refusal = None
        try:
            request = reader.proceed()
        except Refusal as refused:
            refusal = refused.with_traceback(None)  # which holds this frame
            refusal.__context__ = None  # whose traceback does, too
        self._reading_s += meter.took_s(start) if meter is not None else _READ_S
        if refusal is not None:
            self.refuse(connection, refusal)
            return
        if not reader.full:
            connection.start_reading()
        if request is not None:
            self._begin(connection, request)
        elif reader.stage is not self._stage:
            self._advance(connection)

    def _advance(self, connection: Connection) -> None:
        """Another part of a request has begun."""
        self._stage = self._reader.stage
        request = self._reader.expected
        if request is not None and self._takes_body is not None and not self._takes_body(connection, request):
            self.refuse(connection, Refusal(400, "another body is on the way"))
            return
        self._send_continue(connection)
        self._set_deadline(connection)

    def _begin(self, connection: Connection, request: Request) -> None:
        client = connection.address
        if self._client_of is not None:
            client = self._client_of(client, request.values(b"x-forwarded-for"))
            if client != connection.address and connection.newcomers is not None:
                connection.newcomers.move(connection, client)
        self.exchange = Exchange(self, connection, request, client, self._reading_s)
        self._stage = None
        connection.loop.keep_unfinished(connection, self._reader.unfinished)  # which may close it
        if connection.role is not self:
            return
        self._reading_s = 0.0  # whoever answers it charges for it
        connection.expect(None)
        self._on_request(self.exchange)

    def _send_continue(self, connection: Connection) -> None:
        """Ask for the body that a peer holds back until it is asked for it (RFC 9110, 10.1.1)."""
        if self._reader.wants_continue:
            self._reader.wants_continue = False
            connection.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def _set_deadline(self, connection: Connection) -> None:
        stage, limits = self._reader.stage, self._limits
        within_s = limits.head_timeout_s if stage is Stage.HEAD else limits.keepalive_timeout_s
        connection.expect(limits.body_timeout_s if stage is Stage.BODY else within_s)

    def _half_closed(self, connection: Connection) -> None:
        """The peer sends nothing more. The present request is still answered, later ones are not, and a poll ends."""
        exchange = self.exchange
        if self._waits:
            connection.stop_reading()  # until what came before is read; then the end is read once more
            return
        if exchange is None and connection.idle:
            connection.abort(TRANSPORT_CLOSE)
            return
        connection.stop_reading()
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

    # ------------------------------------------------------------------ after a response

    def settle(self, connection: Connection, *, keep_alive: bool) -> None:
        """A response was given to the connection: go on with the next request, or close."""
        self.exchange = None
        if connection.closed:
            return
        if not keep_alive:
            self._close_after_writing(connection)
        elif connection.idle:
            self._go_on(connection)
        else:
            connection.expect(self._limits.response_timeout_s)

    def _go_on(self, connection: Connection) -> None:
        """Take up the next request, if it is here already."""
        if self._reader.holds_bytes:
            self._read_soon(connection)
        else:
            connection.start_reading()
            self._advance(connection)

    def expect_reader(self, connection: Connection) -> None:
        """A part of an answer waits for the peer, who has so long to take it."""
        pieces = 1 + connection.outbox_bytes // _PIECE_BYTES
        connection.expect(self._limits.response_timeout_s * pieces)

    def drained(self, connection: Connection) -> None:
        if self.exchange is None:
            self._go_on(connection)
        else:
            self._report_written(self.exchange)

    @staticmethod
    def _report_written(exchange: Exchange) -> None:
        on_written, exchange.on_written = exchange.on_written, None
        if on_written is not None:
            on_written()

    # ------------------------------------------------------------------ the end

    def release(self, connection: Connection) -> None:
        """The connection is no longer used for HTTP."""
        self.exchange = None
        connection.expect(None)
        self._on_over(connection)

    def refuse(self, connection: Connection, refusal: Refusal) -> None:
        """Answer what is not a request, or is one too many, and close."""
        self._charge_reading(connection)
        headers = [("Retry-After", "5")] if refusal.status == 503 else None
        body = refusal.reason.encode() + b"\n"
        connection.write(response(refusal.status, body, headers=headers, keep_alive=False))
        self._close_after_writing(connection)

    def _charge_reading(self, connection: Connection, exchange: Exchange | None = None) -> None:
        """Charge for a request that never will be answered, often since it was read in part."""
        seconds, self._reading_s = self._reading_s, 0.0
        request = exchange.request if exchange is not None else self._reader.expected
        if not seconds or self._meter is None or (request is not None and self._in_session(request)):
            return
        client = exchange.client if exchange is not None else self._client_behind(connection)
        self._meter.charge_request(client, seconds)

    def _close_after_writing(self, connection: Connection) -> None:
        self._on_over(connection)
        connection.finish()

    def lost(self, connection: Connection, reason: str) -> None:
        exchange, self.exchange = self.exchange, None
        self._charge_reading(connection, exchange)
        self._on_over(connection)
        if exchange is not None:
            self._hang_up(exchange)
            self._report_written(exchange)

    def expired(self, connection: Connection) -> None:
        if self._waits:
            self._set_deadline(connection)  # the peer is not late
        elif not connection.idle:
            connection.abort(SLOW_READER)
        elif self._reader.stage is not Stage.EMPTY:
            self.refuse(connection, Refusal(408, "the request took too long"))
        else:
            self._close_after_writing(connection)
