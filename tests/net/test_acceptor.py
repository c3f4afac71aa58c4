"""One acceptor for several gateways: who is let in, and what becomes of one that fails."""

from __future__ import annotations

import contextlib
import errno
import socket
from collections.abc import Iterator

import pytest

from chatroom import runtime
from chatroom.net.acceptor import Acceptor
from chatroom.net.listeners import listen
from tests.support.inside import WAIT_S, until


class Gateway:
    """Keeps the sockets that it is given, those that were one too many apart."""

    def __init__(self, acceptor: Acceptor) -> None:
        self.acceptor = acceptor
        self.served: list[socket.socket] = []
        self.refused: list[socket.socket] = []
        self.fails = False
        acceptor.include(lambda: len(self.served))

    def greet(self, sock: socket.socket, address: str) -> None:
        assert address == "127.0.0.1"
        if self.fails:
            raise RuntimeError("what people write must not be logged")
        self.served.append(sock)
        if self.acceptor.is_full():
            self.refused.append(self.served.pop())


@pytest.fixture
def stack() -> Iterator[contextlib.ExitStack]:
    with contextlib.ExitStack() as stack:
        yield stack


def opened(stack: contextlib.ExitStack, acceptor: Acceptor) -> tuple[Gateway, socket.socket]:
    gateway, (listener,) = Gateway(acceptor), listen("127.0.0.1", 0, backlog=8)
    acceptor.listen(listener, gateway.greet)
    return gateway, listener


def peer(stack: contextlib.ExitStack, listener: socket.socket) -> socket.socket:
    return stack.enter_context(socket.create_connection(listener.getsockname(), timeout=WAIT_S))


def test_gateways_share_one_limit(stack: contextlib.ExitStack) -> None:
    acceptor = Acceptor(max_connections=2)
    (one, first), (two, second) = opened(stack, acceptor), opened(stack, acceptor)
    peer(stack, first)
    peer(stack, second)
    until(lambda: len(one.served) == len(two.served) == 1)
    peer(stack, first)
    until(lambda: bool(one.refused))
    two.served.pop().close()
    peer(stack, first)
    until(lambda: len(one.served) == 2)


def test_one_that_cannot_be_served_is_closed_alone(
    stack: contextlib.ExitStack, caplog: pytest.LogCaptureFixture
) -> None:
    gateway, listener = opened(stack, Acceptor())
    gateway.fails = True
    unlucky = peer(stack, listener)
    until(lambda: "could not be served" in caplog.text)
    assert unlucky.recv(1) == b""
    assert "people" not in caplog.text
    gateway.fails = False
    peer(stack, listener)
    until(lambda: bool(gateway.served))


def test_what_is_closed_accepts_no_more(stack: contextlib.ExitStack) -> None:
    acceptor = Acceptor()
    gateway, listener = opened(stack, acceptor)
    address = listener.getsockname()
    acceptor.close(listener)
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(address, timeout=WAIT_S)
    assert not gateway.served


def test_without_descriptors_who_is_not_vital_waits(
    stack: contextlib.ExitStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    accept, problems = runtime.accept, [OSError(errno.EMFILE, "Too many open files")]

    def failing(sock: socket.socket) -> object:
        if problems:
            raise problems.pop()
        return accept(sock)

    monkeypatch.setattr(runtime, "accept", failing)
    acceptor = Acceptor()
    gateway, listener = opened(stack, acceptor)
    peer(stack, listener)
    until(acceptor.is_full)
    assert not gateway.served
    until(lambda: bool(gateway.served))  # once the reserve could be filled again
    assert not acceptor.is_full()
