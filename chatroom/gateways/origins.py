"""Which web origins may connect (protocol, section 3): the page's own, and those that were allowed by name."""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping
from urllib.parse import urlsplit

log = logging.getLogger(__name__)

_DEFAULT_PORTS = {80, 443}


class Origins:
    """The rule, and the one log line that tells how to mend a refusal.

    Same origin compares host and port of `Origin` with `Host`, default ports dropped, never the scheme: TLS ends at
    a proxy.
    `X-Forwarded-Host` is not looked at: anybody can send one.
    """

    def __init__(self, allowed: Collection[str]) -> None:
        self._any = "*" in allowed
        self._allowed = frozenset(origin.casefold() for origin in allowed)
        self._logged = False

    def allows(self, origin: str | None, environ: Mapping[str, object]) -> bool:
        """Whether a request with this `Origin` header may go on; one without any comes from no web page."""
        if origin is None or self._any or origin.casefold() in self._allowed:
            return True
        host = environ.get("HTTP_HOST")
        own = _host_and_port(f"//{host}") if isinstance(host, str) else None
        if own is not None and _host_and_port(origin) == own:
            return True
        if not self._logged:
            self._logged = True
            log.warning(
                "a web page of another origin was refused; if it is yours, start with "
                "--allowed-origins %s (further refusals are not logged)",
                _printable(origin),
            )
        return False


def _host_and_port(url: str) -> tuple[str, int | None] | None:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return None
    if not parts.hostname:
        return None
    return parts.hostname, None if port in _DEFAULT_PORTS else port


def _printable(origin: str) -> str:
    return "".join(char for char in origin[:100] if char.isascii() and char.isprintable())
