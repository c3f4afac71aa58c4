"""Listening sockets."""

from __future__ import annotations

import errno
import socket
from collections.abc import Sequence
from typing import Any


def listen(host: str, port: int, *, backlog: int) -> list[socket.socket]:
    """Open the listening sockets of `host`; an empty host, "::" or "*" means every address, IPv4 and IPv6.

    With port 0 the system picks one, the same for all. SO_REUSEPORT stays off: with it, a second copy on the same port
    would start silently and take half of the connections.

    Raises:
        OSError: the address is not available; `errno` says why (EADDRINUSE, EADDRNOTAVAIL, EACCES, …).
    """
    hosts: Sequence[str] = ("0.0.0.0", "::") if host in ("", "*", "::") else (host,)
    found = [info for name in hosts for info in _resolve(name, port)]
    listeners: list[socket.socket] = []
    try:
        for family, address in found:
            if port == 0 and listeners:
                address = (address[0], listeners[0].getsockname()[1], *address[2:])
            try:
                listeners.append(_listen_one(family, address, backlog))
            except OSError as problem:
                # A machine without IPv6 still serves every address that it has.
                if family == socket.AF_INET6 and listeners and problem.errno in _NO_IPV6:
                    continue
                raise
    except OSError:
        for listener in listeners:
            listener.close()
        raise
    return listeners


_NO_IPV6 = {errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL, errno.EPROTONOSUPPORT}


def _resolve(host: str, port: int) -> list[tuple[int, tuple[Any, ...]]]:
    infos = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    return list(dict.fromkeys((info[0], info[4]) for info in infos))


def _listen_one(family: int, address: tuple[Any, ...], backlog: int) -> socket.socket:
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        # Accepted sockets inherit it. Without it twenty emits with acks take 877 ms, with it 3 ms.
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        listener.bind(address)
        listener.listen(backlog)
    except OSError:
        listener.close()
        raise
    return listener
