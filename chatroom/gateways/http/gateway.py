"""What is served over plain HTTP beside Socket.IO: the page, and whether the service is alive and ready.

It knows paths and responses, and nothing of messages.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterable
from typing import Any, Final
from wsgiref.types import WSGIApplication

from chatroom.gateways.http.error_page import error_page
from chatroom.gateways.http.headers import with_safe_headers

log = logging.getLogger(__name__)

VITAL_PATHS: Final = ("/healthz", "/readyz")  # answered even when no more connections are accepted
_PLAIN: Final = "text/plain; charset=utf-8"
_FRONT_PAGE: Final = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>chatroom</title>
<style>body {{ font: 16px/1.6 system-ui, sans-serif; max-width: 40rem; margin: 4rem auto; padding: 0 1rem }}</style>
<h1>The chatroom is running.</h1>
<p>Connect any Socket.IO client to this address, path <code>{base}/socket.io/</code>, and listen to the event
<code>msg</code>: the first one says who you are. To send a message, emit <code>msg</code> with
<code>{{"action": "message", "msg": "hello"}}</code>.</p>
"""
_NO_ROOM: Final = (
    '<h1>There is no such room.</h1><p><a href="{lobby}">Go to the lobby</a></p>',
    '<h1>没有这个房间。</h1><p><a href="{lobby}">去大厅</a></p>',
)
_NO_PAGE: Final = (
    '<h1>There is nothing at this address.</h1><p><a href="{lobby}">Go to the lobby</a></p>',
    '<h1>这个网址没有内容。</h1><p><a href="{lobby}">去大厅</a></p>',
)
_HINT: Final = (
    (
        "<p><small>If you run this chat and a proxy serves it under {prefix}, start it with "
        "<code>--base-path {prefix}</code>.</small></p>"
    ),
    (
        "<p><small>如果这个聊天室由你运行，而代理把它放在 {prefix} 路径下，启动时请加上 "
        "<code>--base-path {prefix}</code>。</small></p>"
    ),
)
# The page's own address, if a proxy has put a path before it and passes on the whole path.
_UNDER_A_PATH: Final = re.compile(
    r"((?:/(?!(?:r|assets)(?:/|$))[A-Za-z0-9_~-]{1,64}){1,4})(?:/(?:r/[^/]+/?)?)?"
)
_MAX_HINTS: Final = 3  # lines in the log, which requests for random paths must not fill


class HTTPGateway:
    """The WSGI application for every path except Socket.IO's.

    Args:
        base_path: what a proxy puts before every path, such as "/chat", or "".
        is_ready: returns whether the service can serve now.
        clock_problem: returns what is wrong with the wall clock now, if anything is.
        find_page: returns the application for a path of the built page, if it is one.
    """

    def __init__(
        self,
        *,
        base_path: str,
        is_ready: Callable[[], bool],
        clock_problem: Callable[[], str | None],
        find_page: Callable[[str], WSGIApplication | None],
    ) -> None:
        self._base_path = base_path
        self._is_ready = is_ready
        self._clock_problem = clock_problem
        self._find_page = find_page
        self._hinted: set[str] = set()
        self._safe = with_safe_headers(self._respond)

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        return self._safe(environ, start_response)

    def _respond(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        path: str = environ.get("PATH_INFO", "")
        if self._base_path and path == self._base_path:
            # Without the slash, the page's relative addresses would be wrong.
            where = (("Location", self._base_path + "/"),)
            return _answer(environ, start_response, "308 Permanent Redirect", "", where)
        if self._base_path and path.startswith(self._base_path + "/"):
            path = path[len(self._base_path) :]
        built = self._find_page(path)
        if built is not None:
            return built(environ, start_response)
        page = self._page(path)
        if page is None:
            return self._not_found(environ, start_response, path)
        if environ["REQUEST_METHOD"] not in ("GET", "HEAD"):
            allow = (("Allow", "GET, HEAD"),)
            return _answer(environ, start_response, "405 Method Not Allowed", "use GET\n", allow)
        status, text, kind = page
        return _answer(environ, start_response, status, text, kind=kind)

    def _not_found(
        self, environ: dict[str, Any], start_response: Callable[..., Any], path: str
    ) -> Iterable[bytes]:
        is_room = path == "/r" or path.startswith("/r/")
        if not is_room and "text/html" not in environ.get("HTTP_ACCEPT", ""):
            return _answer(environ, start_response, "404 Not Found", "not found\n")
        texts = _NO_ROOM if is_room else _NO_PAGE
        prefix = _UNDER_A_PATH.fullmatch(path)
        if prefix is not None:
            texts = (texts[0] + _HINT[0], texts[1] + _HINT[1])
            # A word that nothing follows may be a room's name, and who knows it can join.
            if path.rstrip("/") != prefix[1]:
                self._hint(prefix[1])
        # Relative, because only the browser knows what a proxy puts before the path.
        fields = {"lobby": "../" * (path.count("/") - 1) or "./", "prefix": prefix[1] if prefix else ""}
        en, zh = (text.format(**fields) for text in texts)
        page = error_page("404", en, zh)
        return _answer(environ, start_response, "404 Not Found", page, kind="text/html; charset=utf-8")

    def _hint(self, prefix: str) -> None:
        if prefix in self._hinted or len(self._hinted) >= _MAX_HINTS:
            return
        self._hinted.add(prefix)
        log.warning(
            "a browser asked for %s/: nothing is there; "
            "if a proxy serves the chat there, start the chatroom with --base-path %s",
            prefix,
            prefix,
        )

    def _page(self, path: str) -> tuple[str, str, str] | None:
        if path == "/":
            return "200 OK", _FRONT_PAGE.format(base=self._base_path), "text/html; charset=utf-8"
        if path == "/healthz":
            return "200 OK", "ok\n", _PLAIN
        if path == "/readyz":
            if not self._is_ready():
                return "503 Service Unavailable", "not ready\n", _PLAIN
            problem = self._clock_problem()
            return "200 OK", "ready\n" + (f"{problem}\n" if problem else ""), _PLAIN
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
    start_response(status, [("Content-Type", kind), ("Content-Length", str(len(body))), *headers])
    return [] if environ["REQUEST_METHOD"] == "HEAD" else [body]
