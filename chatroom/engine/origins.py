"""Which web pages may use this server (docs/protocol.md, "HTTP").

Origin is compared with Host only: a peer can forge a forwarded host. The scheme does not count, because TLS ends at a
proxy. A browser sends Origin with every request that could read an answer; what it sends for a page of another site
without one (a picture, a link) is refused as well, because that could still open sessions.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Collection
from typing import Any, Final

from chatroom.engine.exchange import Exchange
from chatroom.engine.http_request import Request
from chatroom.net.faults import without_addresses

log = logging.getLogger(__name__)

Allowed = str | Collection[str] | Callable[[str, dict[str, Any]], bool] | None
Headers = list[tuple[str, str]]

PREFLIGHT: Headers = [
    ("Access-Control-Allow-Methods", "GET, POST, OPTIONS"),
    ("Access-Control-Allow-Headers", "Content-Type"),
    ("Access-Control-Max-Age", "600"),
]
_DEFAULT_PORTS = (":80", ":443")
# A scheme and an authority (RFC 6454, 7.1): no user, no path, no query. Some apps send `file://`.
_ORIGIN: Final = re.compile(
    r"null|([A-Za-z][A-Za-z0-9+.-]*)://((?:[^\x00- /?#@,:\[\]\\\x7f-\xff]*|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?)"
)
_MAX_SHOWN: Final = 100  # characters of an origin, in the log
_REMEMBERED: Final = 100


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
        request = exchange.request
        origins = request.values(b"origin")
        if not origins:
            return None if "cross-site" in request.tokens(b"sec-fetch-site") else []
        origin = origins[0]
        if len(origins) > 1 or not _ORIGIN.fullmatch(origin):
            return None  # no browser sends it
        same = same_origin(origin, request.header(b"host"))
        if self._any:
            exchange.cross_origin = not same
            return [("Access-Control-Allow-Origin", "*")]
        if self._accepts(origin, exchange, same=same):
            exchange.cross_origin = not same
            headers = [("Access-Control-Allow-Origin", origin), ("Vary", "Origin")]
            if self._credentials:
                headers.append(("Access-Control-Allow-Credentials", "true"))
            return headers
        self._log_once(shown(origin))
        return None

    def surely_accepts(self, request: Request) -> bool:
        """Whether `check` will not refuse this request; a function is not asked, so False if there is one."""
        origins = request.values(b"origin")
        if not origins:
            return "cross-site" not in request.tokens(b"sec-fetch-site")
        origin = origins[0]
        if len(origins) > 1 or self._decide is not None or not _ORIGIN.fullmatch(origin):
            return False
        return self._any or origin in self._listed or same_origin(origin, request.header(b"host"))

    def _accepts(self, origin: str, exchange: Exchange, *, same: bool) -> bool:
        if self._decide is not None:
            return bool(self._decide(origin, exchange.environ()))
        return same or origin in self._listed

    def _log_once(self, origin: str) -> None:
        if origin not in self._refused and len(self._refused) < _REMEMBERED:
            self._refused.add(origin)
            log.warning(
                "a page of the origin %s was refused; if it is yours, add it to --allowed-origins", origin
            )


def shown(origin: str) -> str:
    """An origin as the log may have it: short, in ASCII, and without an address, which may be a guest's."""
    text = ascii(without_addresses(origin))
    return text if len(text) <= _MAX_SHOWN else f"{text[:_MAX_SHOWN]}…"


def same_origin(origin: str, host: str) -> bool:
    """Whether an Origin header names the same host and port as a Host header, default ports dropped."""
    parts = _ORIGIN.fullmatch(origin)
    if parts is None or parts[1] is None or parts[1].lower() not in ("http", "https"):
        return False
    return _bare(parts[2]) == _bare(host) != ""


def _bare(host: str) -> str:
    host = host.lower()
    for port in _DEFAULT_PORTS:
        if host.endswith(port):
            return host[: -len(port)]
    return host
