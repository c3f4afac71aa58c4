"""What is served over plain HTTP beside Socket.IO: the front page, and whether the service lives and can serve.

It knows paths and answers; what lies under the Socket.IO path is handed on as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Final

from chatroom.runtime import WSGIApp

SOCKET_PATH: Final = "/socket.io/"

_PLAIN: Final = "text/plain; charset=utf-8"
_HEADERS: Final = (
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "no-referrer"),
    ("Cache-Control", "no-store"),
)
_FRONT_PAGE: Final = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>chatroom</title>
<style>body {{ font: 16px/1.6 system-ui, sans-serif; max-width: 40rem; margin: 4rem auto; padding: 0 1rem }}</style>
<h1>The chatroom runs.</h1>
<p>Connect any Socket.IO client to this address, path <code>{base}/socket.io/</code>, and listen to the event
<code>msg</code>: the first one says who you are. To speak, emit <code>msg</code> with
<code>{{"action": "message", "msg": "hello"}}</code>.</p>
"""


class HTTPGateway:
    """The WSGI application of the whole port.

    Args:
        socket_app: serves what lies under the Socket.IO path.
        base_path: what a proxy has put before every path, such as "/chat", or "".
        is_ready: whether the service can serve now.
        has_room: whether one more connection may be taken.
    """

    def __init__(
        self,
        socket_app: WSGIApp,
        *,
        base_path: str,
        is_ready: Callable[[], bool],
        has_room: Callable[[], bool],
    ) -> None:
        self._socket_app = socket_app
        self._base_path = base_path
        self._is_ready = is_ready
        self._has_room = has_room
        self.draining = False

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        path: str = environ.get("PATH_INFO", "")
        if self._base_path and path.startswith(self._base_path + "/"):
            path = path[len(self._base_path) :]
        if path.startswith(SOCKET_PATH):
            is_handshake = "sid=" not in environ.get("QUERY_STRING", "")
            if is_handshake and (self.draining or not self._has_room()):
                return _answer(environ, start_response, "503 Service Unavailable", "busy; try again\n")
            return self._socket_app(environ, start_response)
        page = self._page(path)
        if page is None:
            return _answer(environ, start_response, "404 Not Found", "not found\n")
        if environ["REQUEST_METHOD"] not in ("GET", "HEAD"):
            return _answer(
                environ, start_response, "405 Method Not Allowed", "use GET\n", (("Allow", "GET, HEAD"),)
            )
        status, text, kind = page
        return _answer(environ, start_response, status, text, kind=kind)

    def _page(self, path: str) -> tuple[str, str, str] | None:
        if path == "/":
            return "200 OK", _FRONT_PAGE.format(base=self._base_path), "text/html; charset=utf-8"
        if path == "/healthz":
            return "200 OK", "ok\n", _PLAIN
        if path == "/readyz":
            if self.draining or not self._is_ready():
                return "503 Service Unavailable", "not ready\n", _PLAIN
            return "200 OK", "ready\n", _PLAIN
        return None


def _answer(
    environ: dict[str, Any],
    start_response: Callable[..., Any],
    status: str,
    text: str,
    headers: tuple[tuple[str, str], ...] = (),
    kind: str = _PLAIN,
) -> Iterable[bytes]:
    body = text.encode()
    start_response(status, [("Content-Type", kind), ("Content-Length", str(len(body))), *_HEADERS, *headers])
    return [] if environ["REQUEST_METHOD"] == "HEAD" else [body]
