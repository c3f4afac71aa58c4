"""One answer of a WSGI application (PEP 3333), written to its connection as everything else is.

An answer that is complete, a list, is handed to the connection: nothing waits for its reader. Only for one that comes
in pieces, the calling greenthread waits until the peer has read a piece before it asks for the next.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Callable
from functools import partial
from time import thread_time
from typing import Any, Final
from wsgiref.types import WSGIApplication

from chatroom import runtime
from chatroom.engine.exchange import Exchange
from chatroom.engine.http_response import current_date, header_lines
from chatroom.engine.reasons import SLOW_READER
from chatroom.net.newcomers import Newcomers

_JOINED_BYTES: Final = 16_384  # a body up to this length is copied behind its head, and sent with it
_BODILESS: Final = ("1", "204", "304")  # what the status of an answer without a body begins with


class PeerLeftError(ConnectionError):
    """Nobody reads the rest of an answer."""


class WaitingAnswers:
    """The answers that slow readers have not taken yet: the oldest of the address with the most makes room.

    Args:
        most: how many wait at once.
        group_of: the group of an address; by default each is one.
    """

    def __init__(self, most: int, group_of: Callable[[str], str] = str) -> None:
        self._most = most
        self._waiting: Newcomers[Exchange] = Newcomers(group_of)

    def __len__(self) -> int:
        return len(self._waiting)

    def when_read(self, exchange: Exchange, call: Callable[[], None]) -> None:
        """Call `call` once the kernel has all that was written, or the connection is lost; perhaps at once."""
        if exchange.connection.idle:
            call()
            return
        exchange.request.forget_headers()
        exchange.when_written(partial(self._end, exchange, call))
        self._waiting.add(exchange, exchange.client)
        oldest = self._waiting.first()
        if len(self._waiting) > self._most and oldest is not None:
            oldest.connection.abort(SLOW_READER)

    def _end(self, exchange: Exchange, call: Callable[[], None]) -> None:
        self._waiting.remove(exchange)
        call()


class WSGIAnswer:
    """What one application answers to one request.

    Args:
        exchange: the request, whose connection is idle.
        waiting: where it waits for a slow reader.

    Attributes:
        began: whether a part of it was written.
        keep_alive: whether the connection may be used again.
        took_s: how much computing time it took, without what others did meanwhile.
    """

    def __init__(self, exchange: Exchange, waiting: WaitingAnswers) -> None:
        self.began = False
        self.keep_alive = exchange.request.keep_alive
        self.took_s = 0.0
        self._exchange = exchange
        self._waiting = waiting
        self._status = ""
        self._headers: list[tuple[str, str]] = []
        self._left: int | None = None  # of the body, if its length is known
        self._is_chunked = False

    def give(self, app: WSGIApplication, server: tuple[str, str]) -> None:
        """Call the application and write what it answers, unless it leaves that to a handler.

        Args:
            app: the application.
            server: our name and port.

        Raises:
            PeerLeftError: the peer has left, or reads too slowly.
            Exception: whatever the application raises.
        """
        began = thread_time()
        try:
            self._give(app, self._environ(server))
        finally:
            self.took_s += thread_time() - began

    def _environ(self, server: tuple[str, str]) -> dict[str, Any]:
        name, port = server
        return self._exchange.environ() | {
            "SERVER_NAME": name,
            "SERVER_PORT": port,
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": "http",
            "wsgi.input": io.BytesIO(self._exchange.request.body),
            "wsgi.errors": sys.stderr,
            "wsgi.multithread": True,
            "wsgi.multiprocess": False,
            "wsgi.run_once": False,
            "engine.exchange": self._exchange,
        }

    def _give(self, app: WSGIApplication, environ: dict[str, Any]) -> None:
        body = app(environ, self._start)
        try:
            if self._exchange.deferred:
                return
            if isinstance(body, (list, tuple)):
                whole = body[0] if len(body) == 1 else b"".join(body)
                self._write(whole, is_whole=not self.began)
            else:
                for piece in body:
                    if piece:
                        self._write_piece(piece)
                self._write(b"")
            self._end()
        finally:
            close: Callable[[], None] | None = getattr(body, "close", None)
            if close is not None:
                close()

    def _start(self, status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
        """What the application calls as `start_response`."""
        if exc_info is not None and self.began:
            raise exc_info[1].with_traceback(exc_info[2])
        if self._status and exc_info is None:
            raise RuntimeError("start_response is called once")
        self._status, self._headers = status, headers
        return self._write_piece

    def _write_piece(self, data: bytes) -> None:
        """Write a part of the body, and wait until the peer has taken it."""
        self._write(data)
        connection = self._exchange.connection
        if not connection.idle:
            is_read, began = runtime.Signal(), thread_time()
            self._waiting.when_read(self._exchange, is_read.set)
            is_read.wait()
            connection.expect(None)
            self.took_s -= thread_time() - began
        if connection.closed:
            raise PeerLeftError

    def _write(self, data: bytes, *, is_whole: bool = False) -> None:
        head = b"" if self.began else self._begin(len(data) if is_whole else None)
        if self._left is not None:
            data = data[: self._left]  # what is longer would be taken for another answer
            self._left -= len(data)
        elif self._is_chunked and data:
            data = b"%x\r\n%b\r\n" % (len(data), data)
        write = self._exchange.connection.write
        if len(data) <= _JOINED_BYTES:
            data, head = head + data, b""
        if head:
            write(head)
        if data:
            write(data)

    def _begin(self, length: int | None) -> bytes:
        """The head of the answer, which says how the client finds the end of the body.

        Args:
            length: the body's length, if the application has given all of it.
        """
        if not self._status:
            raise RuntimeError("a body came before start_response")
        request, given = self._exchange.request, {name.lower(): value for name, value in self._headers}
        ours = [] if "date" in given else [("Date", current_date())]
        if request.method == "HEAD" or self._status.startswith(_BODILESS):
            self._left = 0
        elif "content-length" in given:
            self._left = int(given["content-length"])
        elif length is not None:
            self._left = length
            ours.append(("Content-Length", str(length)))
        elif request.version == "1.1":
            self._is_chunked = True
            ours.append(("Transfer-Encoding", "chunked"))
        else:
            self.keep_alive = False
        ours.append(("Connection", "keep-alive" if self.keep_alive else "close"))
        head = f"HTTP/1.1 {self._status}\r\n{header_lines([*self._headers, *ours])}\r\n".encode("latin-1")
        self.began = True
        return head

    def _end(self) -> None:
        if self._is_chunked:
            self._exchange.connection.write(b"0\r\n\r\n")
        elif self._left:
            self.keep_alive = False  # the peer waits for more than there is
