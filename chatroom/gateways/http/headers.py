"""The headers that tell browsers what they may do with an answer; every answer of this gateway gets them.

It knows kinds of answers, and nothing of paths.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Final
from wsgiref.types import WSGIApplication

Headers = list[tuple[str, str]]

_EVERYWHERE: Final = (
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "no-referrer"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
    ("Cache-Control", "no-store"),  # what may be cached says so itself
)
# The page asks for none of these; it copies by the clipboard, which browsers grant to a page by default.
_FEATURES: Final = ("camera", "display-capture", "geolocation", "microphone", "midi", "payment", "usb")
_OPENER: Final = ("Cross-Origin-Opener-Policy", "same-origin")
_DOCUMENTS: Final = (
    ("Permissions-Policy", ", ".join(f"{feature}=()" for feature in _FEATURES)),
    # For a document that has no policy of its own: only what stands in it.
    ("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"),
)


def with_safe_headers(app: WSGIApplication) -> WSGIApplication:
    """The same application, whose answers have all of these headers that they do not set themselves."""

    def answer(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        def start(status: str, headers: Headers, *rest: Any) -> Any:
            return start_response(status, _completed(headers, environ), *rest)

        return app(environ, start)

    return answer


def _completed(headers: Headers, environ: dict[str, Any]) -> Headers:
    given = {name.lower(): value for name, value in headers}
    wanted = list(_EVERYWHERE)
    if given.get("content-type", "").startswith("text/html"):
        wanted += _DOCUMENTS
        if not _is_insecure(environ):
            wanted.append(_OPENER)
    return headers + [header for header in wanted if header[0].lower() not in given]


def _is_insecure(environ: dict[str, Any]) -> bool:
    """Whether a browser came over plain HTTP from another machine.

    There, browsers ignore the opener policy, and Chromium logs an error on the page. They send `Sec-Fetch-Mode` to
    secure origins only, which is all that shows the difference behind a proxy.
    """
    return "HTTP_UPGRADE_INSECURE_REQUESTS" in environ and "HTTP_SEC_FETCH_MODE" not in environ
