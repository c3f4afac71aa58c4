"""A crowd: thousands of clients in one thread over bare sockets, which must all receive the same in the same order.

A client costs a socket, one entry in an epoll set and a few dozen bytes, so that the test
loads the server and not itself. It knows only as much of the two protocols as joining, receiving and sending need.
"""

from __future__ import annotations

import json
import re
import resource
import select
import socket
import time
from collections import Counter
from collections.abc import Callable, Iterable
from itertools import accumulate
from typing import Final

from tests.support.handshakes import upgrade_request

CROWD_ROOM: Final = "lobby"
_WAIT_S: Final = 60.0
_SPARE_FILES: Final = 100


class Order:
    """The numbers that were sent, in the order in which a client first received each.

    Attributes:
        numbers: the order.
        delays_ms: how often each delay from sending to receiving occurred, over all messages and clients.
    """

    def __init__(self) -> None:
        self.numbers: list[int] = []
        self.delays_ms: Counter[int] = Counter()
        self.said_at: dict[int, float] = {}
        self.now = 0.0

    def heard(self, place: int, number: int) -> None:
        """A client's `place`-th message is this one; every other client's must be the same."""
        if place == len(self.numbers):
            self.numbers.append(number)
        assert self.numbers[place] == number, (place, number, self.numbers[max(0, place - 3) : place + 3])
        self.delays_ms[int(1000 * (self.now - self.said_at[number]))] += 1

    def delay_ms(self, share: float) -> int:
        """The delay that this share (0 to 1) of the messages did not exceed."""
        delays = sorted(self.delays_ms)
        heard = accumulate(self.delays_ms[delay] for delay in delays)
        return next(
            delay
            for delay, count in zip(delays, heard, strict=True)
            if count >= share * self.delays_ms.total()
        )


class Client:
    """What both kinds share: a socket, incomplete input, and the number of messages received."""

    __slots__ = ("_order", "_rest", "entered", "heard", "sock")

    def __init__(self, port: int, order: Order) -> None:
        self.sock = socket.create_connection(("127.0.0.1", port))
        self._order = order
        self._rest = b""
        self.entered = False
        self.heard = 0

    def read(self) -> None:
        """Read what has arrived."""
        data = self.sock.recv(262_144)
        assert data, "the server has closed the connection"
        self._rest = self._take(self._rest + data if self._rest else data)

    def speak(self, number: int) -> None:
        """Send a number to the room."""
        raise NotImplementedError

    def _take(self, data: bytes) -> bytes:
        """Take the complete lines or frames; returns the rest."""
        raise NotImplementedError

    def _hear(self, number: bytes) -> None:
        self._order.heard(self.heard, int(number))
        self.heard += 1


class LineClient(Client):
    """A line terminal with the echo on, so that senders receive their own messages too."""

    __slots__ = ()
    _SAID: Final = re.compile(rb"^\[\d\d:\d\d:\d\d\] [^\r]*: crowd (\d+)\r$", re.MULTILINE)

    def __init__(self, port: int, order: Order) -> None:
        super().__init__(port, order)
        self.sock.sendall(b"/echo on\n")

    def speak(self, number: int) -> None:
        self.sock.sendall(b"crowd %d\n" % number)

    def _take(self, data: bytes) -> bytes:
        lines, end, rest = data.rpartition(b"\n")
        if not self.entered:
            self.entered = b"now shown to you" in lines
        for number in self._SAID.findall(lines + end):
            self._hear(number)
        return rest


class SocketClient(Client):
    """A Socket.IO client over a WebSocket."""

    __slots__ = ("_upgraded",)
    _SAID: Final = re.compile(rb'^42\["msg",\{"action":"message",.*"msg":"crowd (\d+)"')

    def __init__(self, port: int, order: Order) -> None:
        super().__init__(port, order)
        self._upgraded = False
        self.sock.sendall(upgrade_request())

    def speak(self, number: int) -> None:
        self._send(b'42["msg",{"action":"message","msg":"crowd %d"}]' % number)

    def _take(self, data: bytes) -> bytes:
        place = 0
        if not self._upgraded:
            place = data.find(b"\r\n\r\n") + 4
            if place < 4:
                return data
            assert data.startswith(b"HTTP/1.1 101"), data
            self._upgraded = True
        while (found := _frame(data, place)) is not None:
            payload, place = found
            self._packet(payload)
        return data[place:]

    def _packet(self, packet: bytes) -> None:
        if packet == b"2":
            self._send(b"3")  # Engine.IO's ping and pong
        elif said := self._SAID.match(packet):
            self._hear(said[1])
        elif packet[:1] == b"0":
            auth = {"room": CROWD_ROOM, "v": 1, "roster": "delta"}
            self._send(b"40" + json.dumps(auth).encode())
        elif not self.entered:
            self.entered = packet.startswith(b'42["msg",{"action":"login"')

    def _send(self, payload: bytes) -> None:
        size = len(payload)
        head = bytes((0x81, 0x80 | size)) if size < 126 else b"\x81\xfe" + size.to_bytes(2, "big")
        self.sock.sendall(head + b"\0\0\0\0" + payload)  # masked with zeros, which is valid and costs nothing


def _frame(data: bytes, place: int) -> tuple[bytes, int] | None:
    """The server's frame at `place`, and where the next one begins; None if it is incomplete."""
    if len(data) < place + 2:
        return None
    start, size = place + 2, data[place + 1]
    if size > 125:
        start += 2 if size == 126 else 8
        size = int.from_bytes(data[place + 2 : start], "big")
    return (data[start : start + size], start + size) if start <= len(data) >= start + size else None


class Crowd:
    """All clients, and the loop that reads for them."""

    def __init__(self) -> None:
        self.order = Order()
        self.clients: list[Client] = []
        self._epoll = select.epoll()
        self._by_file: dict[int, Client] = {}

    def enter(self, kind: type[Client], port: int, count: int) -> list[Client]:
        """Connect so many clients; returns when all have joined."""
        _need_files(len(self.clients) + count)
        comers = []
        for number in range(count):
            client = kind(port, self.order)
            self.clients.append(client)
            comers.append(client)
            self._by_file[client.sock.fileno()] = client
            self._epoll.register(client.sock, select.EPOLLIN)
            if number % 20 == 19:
                self.listen(0)
        self.listens_until(lambda: all(client.entered for client in comers), "all are in")
        return comers

    def talk(self, speakers: list[Client], total: int, rate: float) -> None:
        """Have them send the numbers below `total` in turn, `rate` per second; returns when everyone has all."""
        began = time.monotonic()
        for number in range(total):
            while (left := began + number / rate - time.monotonic()) > 0:
                self.listen(left)
            self.order.said_at[number] = time.monotonic()
            speakers[number % len(speakers)].speak(number)
            self.listen(0)
        self.listens_until(lambda: all(client.heard == total for client in self.clients), "all is heard")

    def listens_until(self, condition: Callable[[], bool], what: str) -> None:
        """Read until the condition holds."""
        deadline = time.monotonic() + _WAIT_S
        while not condition():
            assert time.monotonic() < deadline, f"never so: {what}; {_spread(self.clients)}"
            self.listen(0.05)

    def listen(self, seconds: float) -> None:
        """Read what arrives within so many seconds."""
        ready = self._epoll.poll(seconds)
        self.order.now = time.monotonic()
        for file, _event in ready:
            self._by_file[file].read()

    def leave(self) -> None:
        """Close all connections."""
        self._epoll.close()
        for client in self.clients:
            client.sock.close()


def _spread(clients: Iterable[Client]) -> str:
    heard = sorted(client.heard for client in clients)
    return f"heard {heard[0]} to {heard[-1]}"


def _need_files(count: int) -> None:
    """Raise the limit of open files to so many connections and some more."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < count + _SPARE_FILES:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 2 * count + _SPARE_FILES), hard))
