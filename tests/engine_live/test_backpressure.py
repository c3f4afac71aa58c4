"""A client that reads long answers is kept, one that never reads them is dropped."""

from __future__ import annotations

import socket
import struct

import pytest

from tests.engine_live.client import App, Polling, Socket
from tests.support.guests import until

LONG = 90_000  # three of them are more than may wait for a client


@pytest.fixture
def polling(rooms_app: App) -> Polling:
    client = Polling(rooms_app.port, "/socket.io/")
    client.post(b"40")
    assert client.poll()[1].startswith(b"40")
    return client


def polled(client: Polling, count: int) -> list[str]:
    got: list[str] = []
    while len(got) < count:
        status, body = client.poll()
        assert status == 200
        got += [packet for packet in body.decode().split("\x1e") if packet.startswith("43")]
    return got


def test_what_follows_a_long_answer_drops_nobody(polling: Polling, rooms_app: App) -> None:
    both = ['420["long",900000]', '421["long",200000]']
    answers = [f'430["{"x" * 900_000}"]', f'431["{"x" * 200_000}"]']
    assert polling.post("\x1e".join(both).encode()) == (200, b"ok")
    assert polled(polling, 2) == answers
    client = Socket.engine(rooms_app.port, "/socket.io/")
    client.send("40")
    with rooms_app.halted():  # all in one turn
        client.send_all(both)
    got: list[str] = []
    while len(got) < 2:
        packet = str(client.receive())
        if packet.startswith("43"):
            got.append(packet)
    assert got == answers


def test_a_client_that_asks_but_never_reads_is_dropped(patient_app: App) -> None:
    client = Socket.engine(patient_app.port)
    sock = client.http.sock
    sock.settimeout(0.2)

    def dropped() -> bool:
        try:
            client.send_all(["4" + "x" * LONG] * 4)
        except TimeoutError:
            return False  # the server reads no more
        except OSError:
            return True
        return False

    until(dropped)


def test_a_reset_during_a_read_logs_no_error() -> None:
    own_app = App("--engine-only", PING_INTERVAL_S="60", PING_TIMEOUT_S="60")
    for _ in range(3):
        client = Polling(own_app.port)
        link = client.upgrade()
        link.send("2probe")
        assert link.receive() == "3probe"
        client.post(b"4" + b"x" * 200_000)  # the echo waits for the WebSocket, and is more than a turn holds
        with own_app.halted():
            link.send("5")
            link.http.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            link.close()
    other = Socket.engine(own_app.port)
    other.send("4still here")
    assert other.receive() == "4still here"
    assert own_app.stop() == ""
