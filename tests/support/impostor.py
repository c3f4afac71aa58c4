"""A fake server: sends what no server of ours would send."""

from __future__ import annotations

import re
import socket
import threading
import time
from collections.abc import Sequence

import wsproto
from wsproto.events import AcceptConnection, CloseConnection, Request, TextMessage


class Impostor:
    """A server of which only the first packets are right.

    Args:
        packets: what it says to everybody who comes, after the WebSocket's handshake.
        answers: what it says next, one each, to those who ask for `history`.
        refusal: its answer, as JSON, to every message; None: it gives none.

    Attributes:
        packets: what it says to those who come from now on.
        came_at: when each of them came, in seconds of the monotonic clock.
    """

    def __init__(self, *packets: str, answers: Sequence[str] = (), refusal: str | None = None) -> None:
        self.packets = packets
        self._refusal = refusal
        self._answers = list(answers)
        self._door = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._door.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.visits = 0
        self.came_at: list[float] = []
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            visitor, _ = self._door.accept()
            with visitor:
                peer = wsproto.WSConnection(wsproto.ConnectionType.SERVER)
                data = visitor.recv(65536)
                if not data:
                    return  # that was `close`
                self.visits += 1
                self.came_at.append(time.monotonic())
                peer.receive_data(data)
                assert isinstance(next(peer.events()), Request)
                answer = peer.send(AcceptConnection())
                visitor.sendall(answer + b"".join(peer.send(TextMessage(packet)) for packet in self.packets))
                while data := visitor.recv(65536):
                    peer.receive_data(data)
                    for event in peer.events():
                        if isinstance(event, CloseConnection):
                            visitor.sendall(peer.send(event.response()))
                        if isinstance(event, TextMessage) and '"history"' in event.data:
                            visitor.sendall(peer.send(TextMessage(self._answers.pop(0))))
                        asked = (
                            self._refusal and isinstance(event, TextMessage) and _MESSAGE.match(event.data)
                        )
                        if asked:
                            visitor.sendall(peer.send(TextMessage(f"43{asked[1]}[{self._refusal}]")))

    def close(self) -> None:
        socket.create_connection(("127.0.0.1", self.port)).close()
        self._thread.join(10)
        self._door.close()


_MESSAGE = re.compile(r'42(\d+)\["msg", ?\{.*"action": ?"message"')
OPENING = '0{"sid":"x","upgrades":[],"pingInterval":25000,"pingTimeout":20000}'
