"""Clients that send as fast as they can, each from an address of its own; run as a program, so that they delay no test.

    python -m tests.faults.flooders KIND COUNT PORT LINE_PORT SECONDS [SESSIONS]

Each has so many sessions, by default one; with more, all begin at the same moment. It ends after so many seconds, or
once each of them was cut off, and prints what each session has seen as JSON.
"""

from __future__ import annotations

import json
import selectors
import socket
import sys
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Final

ROOM: Final = "flooded"
_CHUNK: Final = 65_536
_PATIENCE_S: Final = 20.0
_JOINING: Final = 8  # of them at the same time
_TOGETHER_S: Final = 60.0  # for all of them to join, if they are to begin together
_PAUSE_S: Final = 1.0  # before a flooder that was cut off connects again
_HEAD: Final = b"Host: 127.0.0.1\r\n"


def frame(first: int, payload: bytes = b"") -> bytes:
    """A WebSocket frame, masked with zeros."""
    length = len(payload)
    if length < 126:
        head = bytes((first, 0x80 | length))
    elif length < 65_536:
        head = bytes((first, 0x80 | 126)) + length.to_bytes(2, "big")
    else:
        head = bytes((first, 0x80 | 127)) + length.to_bytes(8, "big")
    return head + bytes(4) + payload


def text(packet: str) -> bytes:
    return frame(0x81, packet.encode())


def event(**fields: Any) -> bytes:
    return text("42" + json.dumps(["msg", fields]))


def say(msg: str) -> bytes:
    return event(action="message", msg=msg)


EVENTS: Final[Mapping[str, bytes]] = {
    "small": say("x"),
    "large": say("x" * 2000),
    "returns": say("\r" * 49_000),
    "ligatures": say("/to " + "\ufdfa" * 1990),
    "marks": say("a\u0301\u0323" * 660),
    "brackets": text('42["msg",[' + "[]," * 33_000 + "[]]]"),
    "binary": text('451-["msg",{"_placeholder":true,"num":0}]') + frame(0x82, bytes(90_000)),
    "pings": frame(0x89),
    "pongs": frame(0x8A),
    "engine pongs": text("3"),
    "fragments": frame(0x01) + frame(0x00) * 10_000,
    "acks": text("430[]"),
    "namespaces": text("40/nowhere,"),
    "renames": event(action="rename"),
    "joins": event(action="join", room="a") + event(action="join", room="b"),
    "whispers": event(action="whisper", to="nobody", msg="x"),
    "history": event(action="history", limit=200),
    "typing": event(action="typing"),
}
LINES: Final[Mapping[str, bytes]] = {"lines": b"hello\n", "bytes": b"\xff" * 1024}
KINDS: Final = (*EVENTS, "polling", *LINES)


@dataclass
class Seen:
    """What one flooder has seen: how often it connected, was turned away, warned and cut off."""

    connects: int = 0
    refused: int = 0
    warnings: int = 0
    cuts: int = 0
    longest_after_warning_s: float = 0.0


class Flooder:
    def __init__(self, kind: str, peer: str, port: int, line_port: int, room: str = ROOM) -> None:
        self.kind, self.peer, self.port, self.line_port, self.room = kind, peer, port, line_port, room
        self.seen = Seen()
        self.is_ready = False  # it has joined, or was refused
        self.sock: socket.socket | None = None
        self.again_at = 0.0
        self._data = memoryview(b"")
        self._rest = memoryview(b"")
        self._warned_at: float | None = None

    def connect(self) -> socket.socket | None:
        """Join the room; gives the socket, which then does not block, unless it was refused."""
        port = self.line_port if self.kind in LINES else self.port
        sock = socket.create_connection(("127.0.0.1", port), _PATIENCE_S, source_address=(self.peer, 0))
        try:
            once = self._join(sock)
        except (OSError, EOFError):
            sock.close()
            self.seen.refused += 1
            self.again_at = time.monotonic() + _PAUSE_S
            return None
        self._data = self._rest = memoryview(once * (_CHUNK // len(once) + 1))
        self._warned_at = None
        sock.setblocking(False)
        self.sock = sock
        self.seen.connects += 1
        return sock

    def _join(self, sock: socket.socket) -> bytes:
        """Join; returns what to send again and again."""
        connect = "40" + json.dumps({"v": 1, "room": self.room})
        if self.kind in LINES:
            _read(sock, b"* Welcome")
            sock.sendall(f"/join {self.room}\n".encode())
            return LINES[self.kind]
        if self.kind == "polling":
            sock.sendall(b"GET /socket.io/?EIO=4&transport=polling HTTP/1.1\r\n" + _HEAD + b"\r\n")
            sid = _read(sock, b'"sid":"').split(b'"sid":"')[1].split(b'"')[0]
            sock.sendall(_post(sid, connect.encode()))
            _read(sock, b"\r\n\r\nok")
            return _post(sid, b'42["msg",{"action":"message","msg":"x"}]')
        sock.sendall(
            b"GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\n" + _HEAD + b"Connection: Upgrade\r\n"
            b"Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
        )
        _read(sock, b'"sid"')
        sock.sendall(text(connect))
        _read(sock, b'"login"')
        return EVENTS[self.kind]

    def readable(self) -> None:
        assert self.sock is not None
        try:
            data = self.sock.recv(1 << 20)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        is_warning = (b'"notice"' in data and b"rate_limited" in data) or b"* Too much at once" in data
        if is_warning and self._warned_at is None:
            self.seen.warnings += 1
            self._warned_at = time.monotonic()
        if not data or b"HTTP/1.1 400" in data:
            self.cut()

    def writable(self) -> None:
        assert self.sock is not None
        try:
            self._rest = self._rest[self.sock.send(self._rest) :] or self._data
        except BlockingIOError:
            pass
        except OSError:
            self.cut()

    def cut(self) -> None:
        self.seen.cuts += 1
        if self._warned_at is not None:
            after_s = time.monotonic() - self._warned_at
            self.seen.longest_after_warning_s = max(self.seen.longest_after_warning_s, after_s)
        self.again_at = time.monotonic() + _PAUSE_S

    def close(self) -> None:
        if self.sock is not None:
            self.sock.close()
            self.sock = None


def _post(sid: bytes, body: bytes) -> bytes:
    target = b"POST /socket.io/?EIO=4&transport=polling&sid=" + sid
    return target + b" HTTP/1.1\r\n" + _HEAD + b"Content-Length: %d\r\n\r\n" % len(body) + body


def _read(sock: socket.socket, wanted: bytes) -> bytes:
    data = b""
    while wanted not in data:
        more = sock.recv(65_536)
        data += more
        if not more or data.startswith(b"HTTP/1.1 4"):
            raise EOFError
    return data


def flood(flooders: list[Flooder], seconds: float, is_over: Callable[[], bool], *, together: bool) -> None:
    """Let them all send until the time is over, or they have seen enough."""
    deadline = time.monotonic() + (_TOGETHER_S if together else seconds)
    sends = selectors.EVENT_READ if together else selectors.EVENT_READ | selectors.EVENT_WRITE
    connecting: dict[Future[socket.socket | None], Flooder] = {}
    # A busy server lets them wait to join: meanwhile the others go on, and see at once that they are cut off.
    with selectors.DefaultSelector() as selector, ThreadPoolExecutor(_JOINING) as pool:
        while (now := time.monotonic()) < deadline and not is_over():
            for flooder in flooders:
                if flooder.sock is None and flooder.again_at <= now:
                    flooder.again_at = float("inf")
                    connecting[pool.submit(flooder.connect)] = flooder
            for done in [future for future in connecting if future.done()]:
                flooder, sock = connecting.pop(done), done.result()
                flooder.is_ready = True
                if sock is not None:
                    selector.register(sock, sends, flooder)
            if together and all(flooder.is_ready for flooder in flooders):
                together, deadline = False, time.monotonic() + seconds
                sends = selectors.EVENT_READ | selectors.EVENT_WRITE
                for key in list(selector.get_map().values()):
                    selector.modify(key.fileobj, sends, key.data)
            for key, ready in selector.select(0.05):
                flooder = key.data
                cuts = flooder.seen.cuts
                if ready & selectors.EVENT_READ:
                    flooder.readable()
                if ready & selectors.EVENT_WRITE and flooder.seen.cuts == cuts:
                    flooder.writable()
                if flooder.seen.cuts > cuts:
                    selector.unregister(key.fileobj)
                    flooder.close()
        pool.shutdown(cancel_futures=True)


def main() -> None:
    kind, count, port, line_port, seconds, sessions = [*sys.argv[1:], "1"][:6]
    is_crowd = int(sessions) > 1
    flooders = [
        Flooder(
            kind,
            f"127.50.{number // 250}.{number % 250 + 1}",
            int(port),
            int(line_port),
            f"{ROOM} {number}" if is_crowd else ROOM,  # a thousand in one room would take a minute to join
        )
        for number in range(int(count))
        for _ in range(int(sessions))
    ]

    def is_over() -> bool:
        return len(flooders) == 1 and flooders[0].seen.cuts > 0

    flood(flooders, float(seconds), is_over, together=is_crowd)
    for flooder in flooders:
        flooder.close()
    print(json.dumps([vars(flooder.seen) for flooder in flooders]))


if __name__ == "__main__":
    main()
