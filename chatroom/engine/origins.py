"""Which web pages may use this server (docs/protocol.md, "HTTP").

Origin is compared with Host only: a peer can forge a forwarded host. The scheme does not count, because TLS ends at a
proxy.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection
from typing import Any
from urllib.parse import urlsplit

from chatroom.engine.exchange import Exchange

log = logging.getLogger(__name__)

Allowed = str | Collection[str] | Callable[[str, dict[str, Any]], bool] | None
Headers = list[tuple[str, str]]

PREFLIGHT: Headers = [
    ("Access-Control-Allow-Methods", "GET, POST, OPTIONS"),
    ("Access-Control-Allow-Headers", "Content-Type"),
    ("Access-Control-Max-Age", "600"),
]
_DEFAULT_PORTS = (":80", ":443")
_REMEMBERED = 100


class Policy:
    """The rule for Origin headers.

    Args:
        allowed: None for the same origin only; "*" for any, without credentials; a list of other origins; or a function
            of origin and environ that decides alone.
        credentials: whether pages of other origins that are allowed by name may send cookies.
    """

    def __init__(self, allowed: Allowed, *, credentials: bool) -> None:
        self._credentials = credentials
        self._any = allowed == "*" or (isinstance(allowed, Collection) and "*" in allowed)
        self._decide = allowed if callable(allowed) else None
        self._listed: frozenset[str] = frozenset()
        if isinstance(allowed, str):
            self._listed = frozenset((allowed,))
        elif isinstance(allowed, Collection):
            self._listed = frozenset(allowed)
        self._refused: set[str] = set()

    def check(self, exchange: Exchange) -> Headers | None:
        """The CORS headers of the response, or None if the page may not use this server."""
        origin = exchange.request.header(b"origin")
        if not origin:
            return []
        if self._any:
            return [("Access-Control-Allow-Origin", "*")]
        if self._accepts(origin, exchange):
            headers = [("Access-Control-Allow-Origin", origin), ("Vary", "Origin")]
            if self._credentials:
                headers.append(("Access-Control-Allow-Credentials", "true"))
            return headers
        self._log_once(origin)
        return None

    def _accepts(self, origin: str, exchange: Exchange) -> bool:
        if self._decide is not None:
            return bool(self._decide(origin, exchange.environ()))
        return origin in self._listed or same_origin(origin, exchange.request.header(b"host"))

    def _log_once(self, origin: str) -> None:
        if origin not in self._refused and len(self._refused) < _REMEMBERED:
            self._refused.add(origin)
            log.warning(
                "a page of the origin %.200r was refused; if it is yours, add it to --allowed-origins",
                origin,
            )


def same_origin(origin: str, host: str) -> bool:
    """Whether an Origin header names the same host and port as a Host header, default ports dropped."""
    try:
        parts = urlsplit(origin)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.netloc) and _bare(parts.netloc) == _bare(host)


def _bare(host: str) -> str:
    host = host.lower()
    for port in _DEFAULT_PORTS:
        if host.endswith(port):
            return host[: -len(port)]
    return host
