"""The WSGI server: one response, to a request that was read elsewhere."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterable
from time import thread_time
from typing import Any

import eventlet.greenio
import eventlet.wsgi

from chatroom.runtime.hub import ignore

PRIVATE_NAMES = (
    "eventlet.wsgi:HttpProtocol.handle_one_response",
    "eventlet.wsgi:Input",
    "eventlet.wsgi:Server",
    "eventlet.wsgi:WSGI_LOCAL",
    "eventlet.greenio:GreenSocket",
    "eventlet.greenio:GreenSocket._trampoline",
)

WSGIApp = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


class _Timed(eventlet.greenio.GreenSocket):
    """A socket that knows how much computing time the thread spent on others while this waited."""

    others_s = 0.0

    def _trampoline(self, *arguments: Any, **options: Any) -> Any:
        began = thread_time()
        try:
            return super()._trampoline(*arguments, **options)
        finally:
            self.others_s += thread_time() - began


class _Answer(eventlet.wsgi.HttpProtocol):
    """One WSGI response by eventlet's server, to a request that was read and checked elsewhere."""

    def __init__(self, app: WSGIApp, environ: dict[str, Any], sock: Any, *, keep_alive: bool) -> None:
        # The inherited constructor would read requests from the socket; what it sets up for a response is set here.
        self.server = eventlet.wsgi.Server(None, None, app, log_output=False, debug=False)
        self.environ = environ
        self.application = app
        self.command = environ["REQUEST_METHOD"]
        self.request_version = environ["SERVER_PROTOCOL"]
        self.headers = {"Connection": "" if keep_alive else "close"}
        self.close_connection = not keep_alive
        self.wfile = sock.makefile("wb", self.wbufsize)
        body = environ["wsgi.input"]
        environ["eventlet.input"] = environ["wsgi.input"] = eventlet.wsgi.Input(
            body, len(body.getbuffer()), sock, chunked_input=False
        )
        environ["eventlet.posthooks"] = []


def answer_wsgi(
    app: WSGIApp, environ: dict[str, Any], sock: socket.socket, *, keep_alive: bool, timeout_s: float
) -> tuple[bool, float]:
    """Answer one request through a WSGI application, in the calling greenthread.

    Args:
        app: the application.
        environ: the request; its body is in `wsgi.input`, as a `BytesIO`.
        sock: the real socket, open before and after.
        keep_alive: whether the peer wants to keep the connection.
        timeout_s: how long the peer may take to accept a piece of the response.

    Returns:
        Whether the connection may be used again, and the computing time that the answer took, in seconds.
    """
    began = thread_time()
    green = _Timed(sock, set_nonblocking=False)
    green.close = ignore  # or the wrapper would close the socket when it is garbage-collected
    green.settimeout(timeout_s)
    answer = _Answer(app, environ, green, keep_alive=keep_alive)
    try:
        answer.handle_one_response()
        answer.wfile.close()
        keep = not answer.close_connection
    except OSError:
        keep = False  # the peer has left, or reads nothing
    return keep, thread_time() - began - green.others_s


def leave_unanswered() -> None:
    """Called in a WSGI application: its response will be written later, by other code."""
    eventlet.wsgi.WSGI_LOCAL.already_handled = True
