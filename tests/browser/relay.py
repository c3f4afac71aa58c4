"""A TCP relay between a browser and the server that can be blocked, cut, slowed and restored."""

from __future__ import annotations

import socket
import threading
import time
from contextlib import suppress


class Relay:
    """Passes bytes both ways between whoever connects and the server.

    Args:
        port: the server's, on 127.0.0.1.
        rewrite: a pair of byte strings: on the way to the server the first is replaced by the second.
    """

    def __init__(self, port: int, rewrite: tuple[bytes, bytes] | None = None) -> None:
        self._server = self._target = port
        self._rewrite = rewrite
        self._open = threading.Event()  # bytes may pass towards the server
        self._open.set()
        self._cut = False
        self._slow_s = 0.0
        self._generation = 0
        self._pairs: list[tuple[socket.socket, socket.socket]] = []
        self._lock = threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port: int = self._listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        threading.Thread(target=self._accept, daemon=True).start()

    def hold(self) -> None:
        """What is sent to the server waits on the way."""
        self._open.clear()

    def release(self) -> None:
        self._open.set()

    def swallow(self) -> None:
        """Open connections stay open but pass nothing more, in either direction; new ones work."""
        self._generation += 1

    def slow(self, seconds: float) -> None:
        """From now on bytes take this long, in each direction."""
        self._slow_s = seconds

    def cut(self) -> None:
        """Every connection breaks, and new ones are refused."""
        with self._lock:
            self._cut = True
            pairs, self._pairs = self._pairs, []
        for pair in pairs:
            for end in pair:
                _close(end)

    def restore(self, port: int | None = None) -> None:
        """New connections pass again, to another server if a port is given."""
        with self._lock:
            self._cut = False
            self._target = port or self._target

    def reset(self) -> None:
        """Break every connection, and be as at the start for those that follow."""
        self.release()
        self.cut()
        self._slow_s = 0.0
        self.restore(self._server)

    def close(self) -> None:
        self.release()
        self.cut()
        _close(self._listener)

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return  # closed
            with self._lock:
                refused, target = self._cut, self._target
            if refused:
                _close(near)
                continue
            try:
                far = socket.create_connection(("127.0.0.1", target), timeout=10)
            except OSError:
                _close(near)
                continue
            far.settimeout(None)
            with self._lock:
                refused = self._cut  # meanwhile
                if not refused:
                    self._pairs.append((near, far))
            if refused:
                _close(near)
                _close(far)
                continue
            threading.Thread(target=self._pass, args=(near, far, True), daemon=True).start()
            threading.Thread(target=self._pass, args=(far, near, False), daemon=True).start()

    def _pass(self, source: socket.socket, sink: socket.socket, inward: bool) -> None:
        generation = self._generation
        with suppress(OSError):  # either end may close at any moment; that is what this is for
            while data := source.recv(65536):
                time.sleep(self._slow_s)  # the delay of a slow link is what this plays
                if generation != self._generation:
                    continue
                if inward:
                    self._open.wait()
                    if self._rewrite is not None:
                        data = data.replace(*self._rewrite)
                sink.sendall(data)
        if generation == self._generation:
            _close(source)
            _close(sink)


def _close(end: socket.socket) -> None:
    with suppress(OSError):  # not connected any more
        end.shutdown(socket.SHUT_RDWR)
    end.close()
