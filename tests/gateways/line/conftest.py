"""A line gateway in the tests' own process, over a service that keeps nothing on disk."""

from __future__ import annotations

import random
import socket
import time
from collections.abc import Callable, Iterator

import pytest

from chatroom import runtime
from chatroom.backplane.local import RoomRules
from chatroom.backplane.memory import MemoryBackplane
from chatroom.core.names import NamePool
from chatroom.gateways.line.connection import LineConnection
from chatroom.gateways.line.gateway import LineGateway
from chatroom.gateways.words import Words
from chatroom.net.acceptor import Acceptor
from chatroom.net.listeners import listen
from chatroom.service import Service
from chatroom.sessions import Limits
from chatroom.tokens import Tokens
from tests.support.inside import WAIT_S, until

OUTBOX_LIMIT_BYTES = 300_000


RULES = RoomRules(NamePool(["Romeo", "Juliet", "Paris", "Nurse"]), random.Random(6), max_people=10)


class Ends:
    """Both ends of one connection: the client's socket, and the terminal in the gateway.

    Attributes:
        heard: what the client has read.
    """

    def __init__(self, gateway: LineGateway, address: tuple[str, int]) -> None:
        known = set(gateway._guests)
        self.gateway = gateway
        self.client = socket.create_connection(address, timeout=WAIT_S)
        self.client.setblocking(False)
        self.heard = b""
        self.is_over = False
        until(lambda: len(gateway._guests) > len(known))
        (self.sid,) = set(gateway._guests) - known
        self.terminal: LineConnection = gateway._guests[self.sid]
        self.reads_until(lambda: b"/help" in self.heard)
        until(lambda: self.terminal.connection.idle and self.terminal.connection.reading)
        self.heard = b""

    @property
    def is_known(self) -> bool:
        """Whether the gateway still has a session for it."""
        return self.sid in self.gateway._guests

    def may_type(self) -> bool:
        """Whether the gateway takes the client's next line."""
        return self.terminal.may_take

    def reads_until(self, condition: Callable[[], bool]) -> None:
        """The client reads, while the loop turns."""

        def read() -> bool:
            try:
                data = self.client.recv(1 << 20)
            except BlockingIOError:
                return condition()
            self.heard += data
            self.is_over = not data
            return condition()

        until(read)


@pytest.fixture
def gateway() -> Iterator[LineGateway]:
    backplane = MemoryBackplane(RULES, lambda: time.time_ns() // 1_000_000, time.monotonic)
    service = Service(
        backplane=backplane,
        tokens=Tokens(b"s" * 32, 1000.0, time.time),
        limits=Limits(rates={}, max_text=2000, max_rooms=10, resume_grace_s=0),
        now_ms=lambda: time.time_ns() // 1_000_000,
        monotonic=time.monotonic,
        spawn=runtime.spawn,
        signal=runtime.Signal,
    )
    gateway = LineGateway(
        service,
        Words("en"),
        history_entries=0,
        history_days=0,
        idle_timeout_s=1000,
        outbox_limit_bytes=OUTBOX_LIMIT_BYTES,
        leaving_limit=10,
        acceptor=Acceptor(),
        monotonic=time.monotonic,
    )
    service.start([gateway])
    yield gateway
    gateway.refuse_newcomers()
    backplane.close()


@pytest.fixture
def connect(gateway: LineGateway) -> Iterator[Callable[[], Ends]]:
    """Connects a client, and lets it read the greeting."""
    made: list[Ends] = []
    (listener,) = listen("127.0.0.1", 0, backlog=10)
    address = listener.getsockname()
    gateway.open([listener])

    def one() -> Ends:
        made.append(Ends(gateway, address))
        return made[-1]

    yield one
    for ends in made:
        ends.terminal.connection.abort("the test is over")
        ends.client.close()
