"""Clients that answer pings but read nothing are dropped, and neither memory nor the others pay for them."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
from collections.abc import Callable, Iterator

import pytest

from tests.support.crowd import Crowd, SocketClient
from tests.support.handshakes import upgrade_request
from tests.support.program import Start

pytestmark = [pytest.mark.faults, pytest.mark.slow]

_READERS = 20
_PER_SECOND = 200
_PONG_EVERY_S = 1.0
_RECEIVE_BUFFER = 4096  # bytes: what the kernel takes for a client that does not read
_MOST_GROWTH_KB = 150_000


def frame(text: bytes) -> bytes:
    """A short text frame, masked with zeros."""
    return bytes((0x81, 0x80 | len(text))) + b"\0\0\0\0" + text


class NonReaders:
    """Clients that join, send pongs, never read, and come back whenever they were dropped.

    Attributes:
        dropped: how often one of them was.
    """

    def __init__(self, port: int, count: int) -> None:
        self.dropped = 0
        self._port = port
        self._sockets = [self._join() for _ in range(count)]
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run)

    @contextlib.contextmanager
    def running(self) -> Iterator[None]:
        """Let them go on for the length of a `with`."""
        self._thread.start()
        try:
            yield
        finally:
            self._over.set()
            self._thread.join()
            for sock in self._sockets:
                sock.close()

    def _join(self) -> socket.socket:
        sock = socket.socket()
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE_BUFFER)
        sock.settimeout(30)
        sock.connect(("127.0.0.1", self._port))
        auth = json.dumps({"room": "lobby", "v": 1, "roster": "delta"}).encode()
        sock.sendall(upgrade_request())
        sock.sendall(frame(b"40" + auth))
        return sock

    def _run(self) -> None:
        while not self._over.wait(_PONG_EVERY_S):
            for number, sock in enumerate(self._sockets):
                try:
                    sock.sendall(frame(b"3"))
                except OSError:
                    sock.close()
                    self.dropped += 1
                    self._sockets[number] = self._join()


def test_those_who_read_nothing_are_dropped_and_cost_no_memory(
    start: Start, scale: Callable[[int], int], report: Callable[[str], None]
) -> None:
    rates = ("--message-burst", "10000", "--message-rate", "10000", "--address-scale", "10000")
    program = start(*rates)
    crowd = Crowd()
    try:
        readers = crowd.enter(SocketClient, program.port, _READERS)
        before_kb = program.resident_kb()
        non_readers = NonReaders(program.port, scale(500))
        with non_readers.running():
            crowd.talk(readers, max(20, scale(300)) * _PER_SECOND, _PER_SECOND)
            growth_kb = program.resident_kb() - before_kb
        report(
            f"{non_readers.dropped} drops, growth {growth_kb / 1000:.0f} MB, "
            f"the readers' p99 {crowd.order.delay_ms(0.99)} ms"
        )
        assert non_readers.dropped >= scale(500)
        assert growth_kb < _MOST_GROWTH_KB
    finally:
        crowd.leave()
