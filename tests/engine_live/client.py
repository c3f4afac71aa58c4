"""Raw clients for the engine's tests, with no library between a test and the bytes on the wire."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from chatroom.engine import frames
from tests.support.program import LEAN

if TYPE_CHECKING:
    from collections.abc import Iterator

APP = Path(__file__).resolve().parent.parent / "conformance_app.py"
PATIENCE_S = 5.0


class App:
    """A server in a process of its own."""

    def __init__(self, *arguments: str, script: Path = APP, **env: str) -> None:
        self._errors = tempfile.TemporaryFile("w+")  # noqa: SIM115 - a pipe that nobody reads would fill up and halt it
        self._process = subprocess.Popen(
            [sys.executable, str(script), *arguments],
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
            env={**os.environ, "PORT": "0", "PYTHONPATH": LEAN, "PYTHONWARNINGS": "ignore", **env},
        )
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, self.stop()
        self.port = int(line.rpartition(":")[2])

    @property
    def pid(self) -> int:
        return self._process.pid

    def descriptors(self) -> int:
        return len(os.listdir(f"/proc/{self.pid}/fd"))  # noqa: PTH208 - names only

    def resident_kb(self) -> int:
        for line in Path(f"/proc/{self.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1])
        raise AssertionError("no VmRSS")

    @contextlib.contextmanager
    def halted(self) -> Iterator[None]:
        """Stop the server meanwhile, so that it then reads at once everything sent to it."""
        os.kill(self.pid, signal.SIGSTOP)
        os.waitid(os.P_PID, self.pid, os.WSTOPPED | os.WNOWAIT)  # it runs on for a moment after the signal
        try:
            yield
        finally:
            os.kill(self.pid, signal.SIGCONT)

    def stop(self) -> str:
        """Stop it; returns what it wrote to standard error."""
        if not self._errors.closed:
            self._process.terminate()
            self._process.communicate(timeout=PATIENCE_S)
            with self._errors:
                self._errors.seek(0)
                self._written = self._errors.read()
        return self._written


class Http:
    """A keep-alive HTTP connection that sends any bytes."""

    opened: ClassVar[list[Http]] = []  # for the fixture that closes what a test leaves open

    def __init__(self, port: int, address: str = "127.0.0.1", *, peer: str = "") -> None:
        self.sock = socket.create_connection((address, port), timeout=PATIENCE_S, source_address=(peer, 0))
        self.buffer = b""
        Http.opened.append(self)

    def send(self, data: bytes) -> None:
        self.sock.sendall(data)

    def ask(self, method: str, target: str, body: bytes | None = None, **headers: str) -> tuple[int, bytes]:
        self.request(method, target, body, **headers)
        return self.answer()

    def request(self, method: str, target: str, body: bytes | None = None, **headers: str) -> None:
        lines = [f"{method} {target} HTTP/1.1", "Host: 127.0.0.1"]
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        if body is not None:
            lines.append(f"Content-Length: {len(body)}")
        self.send("\r\n".join([*lines, "", ""]).encode() + (body or b""))

    def answer(self) -> tuple[int, bytes]:
        """The next response: its status and body. A connection that closes first is an error."""
        while b"\r\n\r\n" not in self.buffer:
            self._more()
        head, _, self.buffer = self.buffer.partition(b"\r\n\r\n")
        self.head = head.decode("latin-1").lower()
        status = int(head.split()[1])
        length = 0
        for line in head.lower().split(b"\r\n"):
            if line.startswith(b"content-length:"):
                length = int(line.split(b":")[1])
        while len(self.buffer) < length:
            self._more()
        body, self.buffer = self.buffer[:length], self.buffer[length:]
        return status, body

    def _more(self) -> None:
        data = self.sock.recv(65536)
        if not data:
            raise EOFError(self.buffer)
        self.buffer += data

    def reads_the_end(self) -> None:
        """Wait until the server closes, and discard what it sends first."""
        try:
            while self.sock.recv(65536):
                pass
        except ConnectionResetError:
            pass  # closed all the same

    def close(self) -> None:
        self.sock.close()
        if self in Http.opened:
            Http.opened.remove(self)


class Polling:
    """An Engine.IO session over polling."""

    def __init__(self, port: int, path: str = "/engine.io/") -> None:
        self.port = port
        self.base = f"{path}?EIO=4&transport=polling"
        self.gets, self.posts = Http(port), Http(port)
        status, body = self.gets.ask("GET", self.base)
        assert status == 200, body
        assert body[:1] == b"0"
        self.opening: dict[str, Any] = json.loads(body[1:])
        self.sid = self.opening["sid"]
        self.target = f"{self.base}&sid={self.sid}"

    def poll(self) -> tuple[int, bytes]:
        return self.gets.ask("GET", self.target)

    def post(self, body: bytes) -> tuple[int, bytes]:
        return self.posts.ask("POST", self.target, body)

    def upgrade(self) -> Socket:
        return Socket(
            self.port, self.target.replace("transport=polling", "transport=websocket"), opening=False
        )

    def close(self) -> None:
        self.gets.close()
        self.posts.close()


class Socket:
    """A WebSocket that sends any frames, valid or not."""

    def __init__(self, port: int, target: str = "/", *, opening: bool = False, **headers: str) -> None:
        self.http = Http(port)
        self.sock = self.http.sock
        self.http.request(
            "GET",
            target,
            None,
            **{
                "Connection": "Upgrade",
                "Upgrade": "websocket",
                "Sec_WebSocket_Version": "13",
                "Sec_WebSocket_Key": "AAAAAAAAAAAAAAAAAAAAAA==",
                **headers,
            },
        )
        self.status, self.refusal = self.http.answer()
        self.pieces: list[bytes] = []
        if opening:
            self.opening = json.loads(self.receive()[1:])

    @classmethod
    def engine(cls, port: int, path: str = "/engine.io/") -> Socket:
        return cls(port, f"{path}?EIO=4&transport=websocket", opening=True)

    @classmethod
    def client(cls, port: int) -> Socket:
        """A Socket.IO client that has connected to `/` and received its greeting."""
        found = cls.engine(port, "/socket.io/")
        found.send("40")
        found.sid = json.loads(found.receive()[2:])["sid"]
        assert found.receive() == '42["auth",{}]'
        return found

    sid: str

    def send_all(self, messages: list[str]) -> None:
        """Many messages in one send, masked with zeros."""
        frame = b""
        for message in messages:
            payload = message.encode()
            plain = frames.frame(frames.TEXT, payload)
            head = plain[: len(plain) - len(payload)]
            frame += head[:1] + bytes((head[1] | 0x80,)) + head[2:] + b"\0\0\0\0" + payload
        self.http.send(frame)

    def raw(self, first: int, payload: bytes = b"", *, mask: bool = True) -> None:
        plain = frames.frame(first & 0xF, payload)
        head = bytearray(plain[: len(plain) - len(payload)])
        head[0] = first
        if mask:
            head[1] |= 0x80
            self.http.send(bytes(head) + b"\1\2\3\4" + frames.unmask(payload, b"\1\2\3\4"))
        else:
            self.http.send(bytes(head) + payload)

    def send(self, message: str | bytes) -> None:
        if isinstance(message, str):
            self.raw(0x81, message.encode())
        else:
            self.raw(0x82, message)

    def frame(self) -> tuple[int, bytes]:
        """The next frame: its opcode and payload."""
        head = self._take(2)
        length = head[1]
        if length > 125:
            length = int.from_bytes(self._take(2 if length == 126 else 8), "big")
        return head[0] & 0xF, self._take(length)

    def _take(self, count: int) -> bytes:
        while len(self.http.buffer) < count:
            self.http._more()
        data, self.http.buffer = self.http.buffer[:count], self.http.buffer[count:]
        return data

    def receive(self) -> str | bytes:
        """The next message other than an Engine.IO ping; pings are answered."""
        while True:
            opcode, payload = self.frame()
            if opcode == frames.TEXT:
                if payload != b"2":
                    return payload.decode()
                self.send("3")
            elif opcode == frames.BINARY:
                return payload
            else:
                raise AssertionError((opcode, payload))

    def closing(self) -> int:
        """Wait until the connection is closed; returns the server's close code."""
        while True:
            opcode, payload = self.frame()
            if opcode == frames.CLOSE:
                self.http.reads_the_end()
                return int.from_bytes(payload[:2], "big") if payload else frames.NO_STATUS

    def close(self) -> None:
        self.http.close()


def loopbacks() -> list[str]:
    """What `localhost` may mean on this machine."""
    with contextlib.suppress(OSError), socket.socket(socket.AF_INET6) as probe:
        probe.bind(("::1", 0))
        return ["127.0.0.1", "::1"]
    return ["127.0.0.1"]


def scale(count: int) -> int:
    """Scale a count from the issue: to a twentieth, unless `make faults` asks for more."""
    return max(1, round(count * float(os.environ.get("CHATROOM_TEST_SCALE", "1")) / 20))
