"""What is served over plain HTTP beside Socket.IO: the front page, and whether the service lives and can serve.

It knows paths and answers, and nothing of what is said.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Final

from chatroom.runtime import WSGIApp

VITAL_PATHS: Final = ("/healthz", "/readyz")  # answered even when no more connections are taken
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
    """The WSGI application for every path but Socket.IO's.

    Args:
        base_path: what a proxy has put before every path, such as "/chat", or "".
        is_ready: whether the service can serve now.
        find_page: what answers for a path of the built page, if it is one.
    """

    def __init__(
        self,
        *,
        base_path: str,
        is_ready: Callable[[], bool],
        find_page: Callable[[str], WSGIApp | None],
    ) -> None:
        self._base_path = base_path
        self._is_ready = is_ready
        self._find_page = find_page

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        path: str = environ.get("PATH_INFO", "")
        if self._base_path and path == self._base_path:
            # Without its slash the page's own addresses would lead past it.
            where = (("Location", self._base_path + "/"),)
            return _answer(environ, start_response, "308 Permanent Redirect", "", where)
        if self._base_path and path.startswith(self._base_path + "/"):
            path = path[len(self._base_path) :]
        built = self._find_page(path)
        if built is not None:
            return built(environ, start_response)
        page = self._page(path)
        if page is None:
            return _answer(environ, start_response, "404 Not Found", "not found\n")
        if environ["REQUEST_METHOD"] not in ("GET", "HEAD"):
            allow = (("Allow", "GET, HEAD"),)
            return _answer(environ, start_response, "405 Method Not Allowed", "use GET\n", allow)
        status, text, kind = page
        return _answer(environ, start_response, status, text, kind=kind)

    def _page(self, path: str) -> tuple[str, str, str] | None:
        if path == "/":
            return "200 OK", _FRONT_PAGE.format(base=self._base_path), "text/html; charset=utf-8"
        if path == "/healthz":
            return "200 OK", "ok\n", _PLAIN
        if path == "/readyz":
            if not self._is_ready():
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
