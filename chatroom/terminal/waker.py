"""Wakes a thread that waits for sockets."""

from __future__ import annotations

import socket


class Waker:
    """A socket that can be read once somebody has called `wake`.

    Attributes:
        socket: to wait for.
    """

    def __init__(self) -> None:
        self.socket, self._far_end = socket.socketpair()
        self.socket.setblocking(False)
        self._far_end.setblocking(False)

    def wake(self) -> None:
        """Wake the thread; callable from any thread."""
        try:
            self._far_end.send(b"\0")
        except OSError:
            pass  # full, so the thread is about to wake; or closed, so there is no thread to wake

    def take(self) -> None:
        """Clear the wake-up; called in the thread once it is awake."""
        try:
            self.socket.recv(4096)
        except BlockingIOError:
            pass  # something else has happened

    def close(self) -> None:
        self.socket.close()
        self._far_end.close()
