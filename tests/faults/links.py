"""Connections of the three kinds, in one thread and without any queue between the wire and the test.

`socketio.Client` starts a thread per packet, which loses their order; these keep it.
"""

from __future__ import annotations

import http.client
import select
import socket
import struct
import time
from typing import Protocol
from urllib.parse import urlsplit

import websocket

LOCAL = "127.0.0.1"
PATIENCE_S = 10.0
_RECORD = "\x1e"  # between the packets of a polling payload (Engine.IO 4)


class Gone(Exception):
    """The connection has ended, or could not be made."""


class Link(Protocol):
    """An Engine.IO session that packets go through, both ways."""

    def send(self, packet: str) -> None: ...

    def receive(self, seconds: float) -> list[str]:
        """What arrives within that time, in order; empty if nothing does."""
        ...

    def cut(self, how: str) -> None:
        """End it without notice: "close" or "reset" the sockets."""
        ...


class Connects(Protocol):
    """Makes a link to a server, from one of this machine's addresses."""

    def __call__(self, url: str, source: str = ...) -> Link: ...


class WebSocketLink:
    """A WebSocket from the first byte on."""

    def __init__(self, url: str, source: str = LOCAL, query: str = "") -> None:
        address = url.replace("http", "ws", 1) + "/socket.io/?EIO=4&transport=websocket" + query
        place = urlsplit(url)
        try:
            sock = socket.create_connection(
                (place.hostname, place.port), PATIENCE_S, source_address=(source, 0)
            )
            try:
                self._socket = websocket.create_connection(address, timeout=PATIENCE_S, socket=sock)
            except BaseException:
                sock.close()
                raise
        except (OSError, websocket.WebSocketException) as problem:
            raise Gone from problem

    def send(self, packet: str) -> None:
        try:
            self._socket.send(packet)
        except (OSError, websocket.WebSocketException) as problem:
            raise Gone from problem

    def receive(self, seconds: float) -> list[str]:
        try:
            self._socket.settimeout(max(seconds, 0.001))
            packet = self._socket.recv()
        except websocket.WebSocketTimeoutException:
            return []
        except (OSError, websocket.WebSocketException) as problem:
            raise Gone from problem
        if not packet:
            raise Gone
        return [packet if isinstance(packet, str) else packet.decode()]

    def cut(self, how: str) -> None:
        _end(self._socket.sock, how)


class PollingLink:
    """Long polling: one connection that waits, one that posts."""

    def __init__(self, url: str, source: str = LOCAL) -> None:
        place = urlsplit(url)
        assert place.hostname is not None
        self._waits, self._posts = (
            http.client.HTTPConnection(
                place.hostname, place.port, timeout=PATIENCE_S, source_address=(source, 0)
            )
            for _ in range(2)
        )
        self._path = "/socket.io/?EIO=4&transport=polling"
        self._asked = False
        try:
            self._ask()
            (opening,) = self._answer()
        except Gone:
            self.cut("close")
            raise
        self.sid = opening.split('"sid":"')[1].split('"')[0]
        self._path += f"&sid={self.sid}"

    def send(self, packet: str) -> None:
        if not self._asked:
            self._ask()  # a client always has a poll under way, which brings the reason if the session has ended
        try:
            self._posts.request("POST", self._path, packet.encode())
            answer = self._posts.getresponse()
            answer.read()
        except (OSError, http.client.HTTPException) as problem:
            raise Gone from problem
        if answer.status != 200:
            raise Gone

    def receive(self, seconds: float) -> list[str]:
        if not self._asked:
            self._ask()
        if self._waits.sock is None:
            raise Gone
        waits = select.poll()  # not `select`, which knows the first 1,024 descriptors only
        waits.register(self._waits.sock, select.POLLIN)
        return self._answer() if waits.poll(1000 * seconds) else []

    def cut(self, how: str) -> None:
        for connection in (self._waits, self._posts):
            _end(connection.sock, how)

    def _ask(self) -> None:
        try:
            self._waits.request("GET", self._path)
        except (OSError, http.client.HTTPException) as problem:
            raise Gone from problem
        self._asked = True

    def _answer(self) -> list[str]:
        try:
            answer = self._waits.getresponse()
            body = answer.read().decode()
        except (OSError, http.client.HTTPException) as problem:
            raise Gone from problem
        if answer.status != 200:
            raise Gone
        self._asked = False
        return body.split(_RECORD)


class UpgradingLink:
    """Begins with polling and goes over to a WebSocket after a few packets, as browsers do."""

    def __init__(self, url: str, source: str = LOCAL) -> None:
        self._url = url
        self._source = source
        self._polling: PollingLink | None = PollingLink(url, source)
        self._left: list[Link] = []
        self._socket: WebSocketLink | None = None

    def send(self, packet: str) -> None:
        link = self._polling or self._socket
        assert link is not None
        link.send(packet)

    def receive(self, seconds: float) -> list[str]:
        if self._socket is not None:
            return self._socket.receive(seconds)
        assert self._polling is not None
        packets = self._polling.receive(seconds)
        if any(packet.startswith("40") for packet in packets):
            packets += self._upgrade(self._polling)
        return packets

    def cut(self, how: str) -> None:
        for link in (self._polling, self._socket, *self._left):
            if link is not None:
                link.cut(how)

    def _upgrade(self, polling: PollingLink) -> list[str]:
        self._socket = WebSocketLink(self._url, self._source, f"&sid={polling.sid}")
        self._socket.send("2probe")
        packets: list[str] = []
        answered: list[str] = []
        deadline = time.monotonic() + PATIENCE_S
        while not answered:  # what comes by polling meanwhile comes before anything by the WebSocket
            if time.monotonic() > deadline:
                raise AssertionError("the probe was never answered")
            packets += polling.receive(0.0)
            answered = self._socket.receive(0.005)
        assert answered == ["3probe"], answered
        if polling._asked:
            # A client ends its poll before it says that it goes over: the server frees it with a NOOP.
            while time.monotonic() < deadline and polling._asked:
                packets += polling.receive(0.05)
            assert not polling._asked, "the poll was never answered"
        self._socket.send("5")
        self._left.append(polling)
        self._polling = None
        return packets


class LineLink:
    """A terminal at the line gateway: its packets are lines.

    Args:
        port: of the line gateway.
    """

    def __init__(self, port: int, source: str = LOCAL) -> None:
        self._rest = b""
        try:
            self._socket = socket.create_connection((LOCAL, port), PATIENCE_S, source_address=(source, 0))
        except OSError as problem:
            raise Gone from problem

    def send(self, packet: str) -> None:
        try:
            self._socket.sendall(packet.encode() + b"\n")
        except OSError as problem:
            raise Gone from problem

    def receive(self, seconds: float) -> list[str]:
        try:
            self._socket.settimeout(max(seconds, 0.001))
            data = self._socket.recv(65_536)
        except TimeoutError:
            return []
        except OSError as problem:
            raise Gone from problem
        finally:
            self._socket.settimeout(PATIENCE_S)
        if not data:
            raise Gone
        *lines, self._rest = (self._rest + data).split(b"\n")
        return [line.decode().rstrip("\r") for line in lines]

    def cut(self, how: str) -> None:
        _end(self._socket, how)


LINKS: dict[str, Connects] = {
    "polling": PollingLink,
    "upgrading": UpgradingLink,
    "websocket": WebSocketLink,
}


def _end(sock: socket.socket | None, how: str) -> None:
    if sock is None or sock.fileno() == -1:
        return
    if how == "reset":
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()
