"""A client that sends whatever it likes: Engine.IO over a bare WebSocket, with a deadline on every wait."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from typing import Any, Self

import websocket

from tests.support.guests import WAIT_S


class RawClient:
    """One WebSocket that speaks Engine.IO by hand; pings are answered, whatever else comes is the test's."""

    def __init__(self, url: str, path: str = "/socket.io/", **options: Any) -> None:
        address = url.replace("http", "ws", 1) + path + "?EIO=4&transport=websocket"
        self._socket = websocket.create_connection(address, timeout=WAIT_S, **options)
        self.login: dict[str, Any] = {}

    def opens(self) -> None:
        """Read the Engine.IO handshake."""
        assert self.receives()[0] == "0"

    def enters(self, **auth: Any) -> RawClient:
        """Connect to `/` and read one's own login."""
        self.opens()
        kind, data = self.connects(auth)
        assert kind == "0", data
        self.login = json.loads(self.receives(lambda text: text.startswith("42"))[2:])[1]
        return self

    def connects(self, auth: Any) -> tuple[str, Any]:
        """Send a CONNECT packet; gives the type of the answer ("0" or "4") and its data."""
        self.sends("40" + json.dumps(auth))
        answer = self.receives(lambda text: text[:2] in ("40", "44"))
        return answer[1], json.loads(answer[2:])

    def sends(self, text: str | bytes) -> None:
        """Send one frame, as it is."""
        if isinstance(text, bytes):
            self._socket.send_binary(text)
        else:
            self._socket.send(text)

    def sends_at_once(self, texts: Sequence[str | websocket.ABNF]) -> None:
        """Send several texts, or frames, in one write."""
        frames = [
            websocket.ABNF.create_frame(text, websocket.ABNF.OPCODE_TEXT) if isinstance(text, str) else text
            for text in texts
        ]
        assert self._socket.sock is not None
        self._socket.sock.sendall(b"".join(frame.format() for frame in frames))

    def receives(self, wanted: Callable[[str], bool] = lambda text: True) -> str:
        """The next Engine.IO packet that is wanted; others are passed over."""
        deadline = time.monotonic() + WAIT_S
        while time.monotonic() < deadline:
            self._socket.settimeout(max(0.01, deadline - time.monotonic()))
            packet = self._socket.recv()
            text = packet if isinstance(packet, str) else packet.decode()
            if text == "2":
                self._socket.send("3")
            elif text and wanted(text):
                return text
        raise AssertionError("nothing that was waited for has come")

    def receives_answer(self, ack_id: int) -> Any:
        """The answer under this ack id."""
        head = f"43{ack_id}["
        return json.loads(self.receives(lambda text: text.startswith(head))[len(head) - 1 :])[0]

    def receives_the_end(self, within_s: float = WAIT_S) -> list[str]:
        """All that still comes; then the connection must have been closed, with or without a farewell."""
        heard: list[str] = []
        self._socket.settimeout(within_s)
        try:
            while True:
                opcode, data = self._socket.recv_data()
                if opcode == websocket.ABNF.OPCODE_CLOSE:
                    return heard
                heard.append(data.decode())
        except (websocket.WebSocketConnectionClosedException, ConnectionError):
            return heard

    def is_closed(self, seconds: float = 2.0) -> int | None:
        """The server must close the connection within this time; gives the code that it closed with, if it said one."""
        deadline = time.monotonic() + seconds
        try:
            while True:
                self._socket.settimeout(max(0.01, deadline - time.monotonic()))
                opcode, data = self._socket.recv_data()
                if opcode == websocket.ABNF.OPCODE_CLOSE:
                    return int.from_bytes(data[:2], "big") or None
                assert time.monotonic() < deadline, "it was not closed"
        except websocket.WebSocketTimeoutException:
            raise AssertionError("it was not closed") from None
        except (websocket.WebSocketConnectionClosedException, ConnectionError):
            return None

    def leaves(self) -> None:
        try:
            self._socket.close(timeout=1)
        except (OSError, websocket.WebSocketException):
            pass  # the server was first
        finally:
            self._socket.shutdown()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.leaves()
