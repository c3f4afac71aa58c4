"""What waits in the kernel for a socket to be read: how much it is, and how to get rid of it."""

from __future__ import annotations

import fcntl
import socket
import sys
import termios
from typing import Final

_PIECE: Final = 65_536


def unread_bytes(sock: socket.socket) -> int:
    """How many bytes have come and are not read yet."""
    try:
        return int.from_bytes(fcntl.ioctl(sock, termios.FIONREAD, bytes(4)), sys.byteorder)
    except OSError:
        return 0  # it is closed


def drop_unread(sock: socket.socket, most: int) -> bytes:
    """Read about `most` bytes, or what has come, and forget it; returns the last piece.

    The end of the stream, or an error, is left for the next read to find.
    """
    last, dropped = b"", 0
    while dropped < most:
        try:
            data = sock.recv(_PIECE)
        except OSError:
            break
        if not data:
            break
        last = data
        dropped += len(data)
    return last
