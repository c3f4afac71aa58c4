"""What the kernel knows of a peer: whether it is still there."""

from __future__ import annotations

import socket
from typing import Final

_OPTIONS: Final = {"TCP_KEEPIDLE": 60, "TCP_KEEPINTVL": 20, "TCP_KEEPCNT": 4, "TCP_USER_TIMEOUT": 140_000}


def keep_alive(sock: socket.socket) -> None:
    """Have the kernel ask a peer that is silent for a minute; one that does not answer is gone after two more."""
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for name, value in _OPTIONS.items():
            if hasattr(socket, name):  # not every system has all of them
                sock.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
    except OSError:
        pass  # not TCP, or the peer has left, which the first read will show


def was_reset(sock: socket.socket) -> bool:
    """Whether the peer has closed the socket and reads nothing more, though what it sent may still wait.

    The caller must close the socket: the kernel says it only once.
    """
    return sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) != 0
