"""One request and its answer: who may answer, how, and what happens if the peer leaves before."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from chatroom.engine.http_request import Refusal, Request
from chatroom.engine.http_response import response
from chatroom.net.connection import Connection


class Http(Protocol):
    """What an exchange needs from the role of its connection.

    Attributes:
        good_host: the last Host header that was found to be a name of this server.
    """

    good_host: str | None

    @property
    def holds_bytes(self) -> bool:
        """Whether something came after the last request."""

    def expect_same_headers(self, request: Request) -> None:
        """The next request will probably have the same header lines as this one."""

    def settle(self, connection: Connection, *, keep_alive: bool) -> None:
        """A response was given to the connection: go on with the next request, or close."""

    def expect_reader(self, connection: Connection) -> None:
        """A part of an answer waits for the peer, who has so long to take it."""

    def release(self, connection: Connection) -> None:
        """The connection is no longer used for HTTP."""


class Exchange:
    """One request and the response that it is waiting for.

    Attributes:
        http: what its connection is used for.
        client: the address of the client that it comes from.
        on_written: called in the loop once all that was written has been handed to the kernel, or is lost.
        on_hangup: called in the loop if the peer leaves, or closes its side, before the response.
        hung_up: whether it has.
        headers: headers that the response gets, whoever writes it.
        cross_origin: a page of another origin asks, and may have the response.
        deferred: a WSGI application has left the answer to a handler.
        reading_s: how much computing time it took to read the request, at most.
    """

    __slots__ = (
        "answered",
        "client",
        "connection",
        "cross_origin",
        "deferred",
        "headers",
        "http",
        "hung_up",
        "on_hangup",
        "on_written",
        "reading_s",
        "request",
    )

    def __init__(
        self,
        http: Http,
        connection: Connection,
        request: Request,
        client: str,
        reading_s: float = 0.0,
    ) -> None:
        self.http = http
        self.connection = connection
        self.request = request
        self.client = client
        self.reading_s = reading_s
        self.on_hangup: Callable[[Exchange], None] | None = None
        self.on_written: Callable[[], None] | None = None
        self.hung_up = False
        self.headers: list[tuple[str, str]] = []
        self.cross_origin = False
        self.answered = False
        self.deferred = False

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
                cross_origin=self.cross_origin,
                keep_alive=self.request.keep_alive,
                without_body=self.request.method == "HEAD",
            )
        )
        self.http.settle(self.connection, keep_alive=self.request.keep_alive)

    def when_written(self, call: Callable[[], None]) -> None:
        """Call `call` in the loop once the kernel has the part of the answer that now waits, or the peer is lost."""
        self.on_written = call
        self.http.expect_reader(self.connection)

    def written(self, *, keep_alive: bool) -> None:
        """All of a response was written to the connection by other code, and nothing of it waits."""
        if not self.answered and not self.connection.closed:
            self.answered = True
            self.http.settle(self.connection, keep_alive=keep_alive)

    def abandon(self) -> None:
        """Give no answer: the peer has left."""
        self.answered = True
        self.on_hangup = None
        self.http.settle(self.connection, keep_alive=False)

    def take_over(self) -> Connection:
        """Take the connection away from HTTP, to write to it and give it another role.

        Raises:
            Refusal: the peer did not wait for the answer, so that what it sent meanwhile would be lost, or has left.
        """
        if self.hung_up or self.http.holds_bytes:
            raise Refusal(400, "bytes after an upgrade request")
        self.answered = True
        self.on_hangup = None
        self.http.release(self.connection)
        return self.connection

    def environ(self) -> dict[str, Any]:
        """The request as WSGI spells it, without a body."""
        return self.request.environ(self.client)
