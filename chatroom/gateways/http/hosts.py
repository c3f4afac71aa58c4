"""Which names people near this machine may reach it by.

A web page can give its own name this machine's address (DNS rebinding). Then the page has the server's origin: it may
read the history and send messages, for whoever opened it, from inside a network that its author cannot reach. So
people on this machine and in its network may use only names that no stranger can own: those with private addresses,
with the machine's own, or with an IPv6 address of the same /64, which a firewall may treat as the inside. People who
come from other public addresses are where the page's author is too, and may use any name.
"""

from __future__ import annotations

import logging
import re
import socket
from collections.abc import Callable, Collection, Iterable
from ipaddress import ip_address
from pathlib import Path
from typing import Any, Final
from wsgiref.types import WSGIApplication

from chatroom.core.addresses import is_near
from chatroom.gateways.http.error_page import error_page
from chatroom.gateways.http.headers import with_safe_headers
from chatroom.net.faults import without_addresses
from chatroom.settings import Settings

log = logging.getLogger(__name__)

# Names that no public DNS server holds: of the local link (RFC 6762), of home networks (RFC 8375), of networks.
_LOCAL: Final = (".local", ".lan", ".internal", ".home.arpa")
_HOST: Final = re.compile(r"(?:\[([^\]]*)\]|([^:\[\]]*))(?::[0-9]*)?")
_NAME: Final = re.compile(r"(?=.{1,253}\Z)[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63})*")
_REMEMBERED: Final = 256  # Host headers that are known to be good
_MAX_LOGGED: Final = 20  # names in the log, which a page must not fill
_PAGE: Final = (
    (
        "<h1>This chat cannot be reached by this name.</h1><p><small>If you run it and this is its name, start it with "
        "<code>--allowed-hosts {name}</code></small></p>"
    ),
    (
        "<h1>不能用这个域名访问这个聊天室。</h1><p><small>如果聊天室由你运行，而这就是它的域名，启动时请加上 "
        "<code>--allowed-hosts {name}</code></small></p>"
    ),
)


def host_rule(settings: Settings) -> HostRule | None:
    """The rule of a server with these settings; none if a proxy is known to be in front: its peers are no browsers."""
    if settings.trust_proxy or settings.port.platforms:
        return None
    return HostRule(settings.allowed_hosts, own_names() | {settings.host.lower()})


class HostRule:
    """Decides by which names a request may come.

    Args:
        allowed: names that are allowed besides those that no stranger can own; `*.NAME` is every name below NAME, and
            `*` every name.
        own: this machine's names.
    """

    def __init__(self, allowed: Collection[str], own: Collection[str]) -> None:
        self._any = "*" in allowed
        self._names = frozenset((*allowed, *own))
        self._suffixes = (*_LOCAL, *(name[1:] for name in allowed if name.startswith("*.")))
        self._good: set[str] = set()
        self._logged: set[str] = set()

    def __call__(self, host: str, peer: str, local: str) -> WSGIApplication | None:
        """The application that refuses a request; None if it may come.

        Args:
            host: its Host header.
            peer: the address that it comes from.
            local: this machine's address on that connection.
        """
        if host in self._good or self._any:
            return None
        if self.is_ours(host):
            if len(self._good) < _REMEMBERED:
                self._good.add(host)
            return None
        return self._refuse(host) if is_near(peer, local) else None

    def is_ours(self, host: str) -> bool:
        """Whether no stranger can own the name in a Host header."""
        parts = _HOST.fullmatch(host)
        if parts is None:
            return False
        if parts[1] is not None:
            return _is_address(parts[1])
        name = _name_in(host)
        return name is not None and (
            "." not in name or _is_address(name) or name.endswith(self._suffixes) or name in self._names
        )

    def _refuse(self, host: str) -> WSGIApplication:
        name = _name_in(host)
        if name is not None and name not in self._logged and len(self._logged) < _MAX_LOGGED:
            self._logged.add(name)
            shown = without_addresses(name)
            log.warning(
                "a request for the name %s was refused, because a page of another site may have sent it; "
                "if it is this chatroom's name, start it with --allowed-hosts %s",
                shown,
                shown,
            )
        en, zh = (text.format(name=name or "NAME") for text in _PAGE)
        body = error_page("421", en, zh).encode()

        def answer(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
            headers = [("Content-Type", "text/html; charset=utf-8"), ("Content-Length", str(len(body)))]
            start_response("421 Misdirected Request", headers)
            return [] if environ["REQUEST_METHOD"] == "HEAD" else [body]

        return with_safe_headers(answer)


def _name_in(host: str) -> str | None:
    """The name in a Host header, in lower case; None if there is none, or an IPv6 address."""
    parts = _HOST.fullmatch(host)
    name = (parts[2] or "").lower().removesuffix(".") if parts is not None else ""
    return name if _NAME.fullmatch(name) else None


def _is_address(text: str) -> bool:
    try:
        ip_address(text.partition("%")[0])
    except ValueError:
        return False
    return True


def own_names(
    hosts_file: Path = Path("/etc/hosts"), resolver_file: Path = Path("/etc/resolv.conf")
) -> frozenset[str]:
    """This machine's names, as far as it knows them without asking a DNS server."""
    host = socket.gethostname().lower()
    names = {host}
    for line in _lines(hosts_file):
        aliases = line.lower().split()[1:]
        if host in aliases:  # not every name there: lists of hosts to block have millions
            names.update(aliases)
    for line in _lines(resolver_file):
        words = line.lower().split()
        if words[:1] in (["search"], ["domain"]) and "." not in host:
            names.update(f"{host}.{domain.strip('.')}" for domain in words[1:])
    return frozenset(names)


def _lines(file: Path) -> list[str]:
    try:
        text = file.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return []
    return [line.partition("#")[0] for line in text.splitlines()]
