"""A guest whose lines hit a fault of ours: that session ends, and is not left to hang."""

from __future__ import annotations

import random
import socket
import time
from collections.abc import Iterator

import pytest

from chatroom import runtime
from chatroom.backplane.memory import MemoryBackplane
from chatroom.core.errors import RateLimited
from chatroom.core.names import NamePool
from chatroom.gateways.line.gateway import LineGateway
from chatroom.gateways.line.interpreter import Interpreter
from chatroom.gateways.words import Words
from chatroom.net.acceptor import Acceptor
from chatroom.net.listeners import listen
from chatroom.service import Limits, Service
from chatroom.tokens import Tokens

WAIT_S = 10.0


@pytest.fixture
def gateway() -> Iterator[LineGateway]:
    backplane = MemoryBackplane(lambda: time.time_ns() // 1_000_000, time.monotonic, max_logs=10)
    service = Service(
        backplane=backplane,
        names=NamePool(["Romeo"]),
        tokens=Tokens(b"s" * 32, 1000.0, time.time),
        limits=Limits(
            speaking=None, events=None, max_text=2000, max_rooms=10, max_room_people=10, resume_grace_s=0
        ),
        now_ms=lambda: time.time_ns() // 1_000_000,
        monotonic=time.monotonic,
        rng=random.Random(6),
        spawn=runtime.spawn,
    )
    gateway = LineGateway(
        service,
        Words("en"),
        {"history_entries": 0, "history_days": 0},
        idle_timeout_s=1000,
        outbox_limit_bytes=100_000,
        leaving_limit=10,
        acceptor=Acceptor(),
        monotonic=time.monotonic,
    )
    service.start([gateway])
    yield gateway
    gateway.refuse_newcomers()
    backplane.close()


def test_a_fault_in_a_line_that_had_to_wait_closes_its_session(
    gateway: LineGateway, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    faults = iter([RateLimited(retry_after=0.01), RuntimeError("a fault of ours")])

    def take(*_: object) -> None:
        raise next(faults)

    monkeypatch.setattr(Interpreter, "take", take)
    (door,) = listen("127.0.0.1", 0, backlog=10)
    gateway.open([door])
    with socket.create_connection(door.getsockname()) as romeo:
        romeo.setblocking(False)
        romeo.sendall(b"hello\n")
        heard, deadline = b"", time.monotonic() + WAIT_S
        while True:
            assert time.monotonic() < deadline, heard
            runtime.sleep(0.01)
            try:
                data = romeo.recv(1000)
            except BlockingIOError:
                continue
            if not data:
                break
            heard += data
    assert heard.endswith(b"* Too fast: your lines wait and are sent one by one. This takes about 1 s.\r\n")
    assert "a line session failed and is closed" in caplog.messages
