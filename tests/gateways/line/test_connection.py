"""One terminal's connection alone: real sockets on both sides, and an owner who writes down what it is told."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator

import pytest

from chatroom import runtime
from chatroom.gateways.line.codec import longest_line
from chatroom.gateways.line.connection import BEHIND_BYTES, LineConnection
from chatroom.net.loop import Loop
from tests.support.inside import WAIT_S, until

RECEIVE_BYTES = LineConnection.receive_bytes
LIMIT_BYTES = 300_000
MUCH = b"x" * 8_000_000  # more than the kernel takes for somebody who does not read


class Ear:
    """An owner."""

    def __init__(self) -> None:
        self.told: list[str] = []
        self.when_behind: Callable[[], None] = lambda: None

    def received(self) -> None:
        self.told.append("received")

    def ended(self) -> None:
        self.told.append("ended")

    def lost(self) -> None:
        self.told.append("lost")

    def caught_up(self) -> None:
        self.told.append("caught up")

    def fell_behind(self) -> None:
        self.told.append("fell behind")
        self.when_behind()

    def idled(self) -> None:
        self.told.append("idled")


class Ends:
    """Both ends of one connection."""

    def __init__(self, door: socket.socket, loop: Loop) -> None:
        self.client = socket.create_connection(door.getsockname(), timeout=WAIT_S)
        served = door.accept()[0]
        served.setblocking(False)
        self.ear = Ear()
        self.peer = LineConnection(served, loop, longest_line(2000))
        self.peer.owner = self.ear

    def takes(self, count: int) -> bytes:
        """The client reads so many bytes, while the loop turns."""
        self.client.setblocking(False)
        received = bytearray()

        def all_is_here() -> bool:
            try:
                data = self.client.recv(count - len(received))
            except BlockingIOError:
                return False
            received.extend(data)
            return len(received) == count or not data

        until(all_is_here)
        return bytes(received)


@pytest.fixture
def connect() -> Iterator[Callable[[], Ends]]:
    made: list[Ends] = []
    loop = Loop(outbox_limit_bytes=LIMIT_BYTES)
    with socket.create_server(("127.0.0.1", 0)) as door:

        def one() -> Ends:
            made.append(Ends(door, loop))
            return made[-1]

        yield one
    for ends in made:
        ends.peer.abort()
        ends.client.close()


def test_what_is_written_in_one_turn_leaves_together_at_its_end(connect: Callable[[], Ends]) -> None:
    ends = connect()
    for word in (b"one ", b"two ", b"three"):
        ends.peer.write(word)
    assert not ends.peer.connection.idle
    until(lambda: ends.peer.connection.idle)
    assert ends.client.recv(100) == b"one two three"


def test_nothing_is_read_before_it_is_asked_for_and_then_a_little_at_a_time(
    connect: Callable[[], Ends],
) -> None:
    ends = connect()
    ends.client.sendall(b"y" * RECEIVE_BYTES * 2 + b"\n")
    runtime.sleep(0.05)
    assert ends.ear.told == []
    ends.peer.read_on()
    until(lambda: ends.ear.told == ["received"] * 3)
    assert not ends.peer.has_more
    assert ends.peer.decoder.next_line() == "y" * RECEIVE_BYTES * 2


def test_the_end_of_input_is_told_once_and_one_may_still_write(connect: Callable[[], Ends]) -> None:
    ends = connect()
    ends.peer.read_on()
    ends.client.shutdown(socket.SHUT_WR)
    until(lambda: ends.ear.told == ["ended"])
    ends.peer.write(b"still here")
    until(lambda: ends.peer.connection.idle)
    assert ends.client.recv(100) == b"still here"
    assert ends.ear.told == ["ended"]


def test_a_burst_alone_drops_nobody_and_its_end_is_told(connect: Callable[[], Ends]) -> None:
    ends = connect()
    ends.peer.write(MUCH)
    until(lambda: ends.peer.is_behind)
    assert ends.takes(len(MUCH)) == MUCH
    until(lambda: ends.peer.connection.idle)
    assert not ends.peer.is_behind
    assert ends.ear.told == ["caught up"]


def test_who_is_given_more_than_may_wait_has_fallen_behind(
    connect: Callable[[], Ends],
) -> None:
    ends = connect()
    for words in (MUCH, b"z" * (LIMIT_BYTES + 1)):
        ends.peer.write(words)
        until(lambda: ends.peer.connection.own is None)
    ends.peer.write(b"z")
    until(lambda: ends.ear.told == ["fell behind"])


@pytest.mark.parametrize("more", [0, 1])
def test_only_much_that_waits_is_behind(connect: Callable[[], Ends], more: int) -> None:
    ends = connect()
    ends.peer.connection.stall(b"x" * (BEHIND_BYTES + more), 0)
    assert ends.peer.is_behind is bool(more)


def test_a_line_that_was_expected_in_vain_is_told(connect: Callable[[], Ends]) -> None:
    ends = connect()
    ends.peer.expect_line(0.01)
    until(lambda: ends.ear.told == ["idled"])


def test_a_farewell_arrives_though_input_is_left_unread(connect: Callable[[], Ends]) -> None:
    ends = connect()
    ends.client.sendall(b"unread " * 1000)
    ends.peer.finish(b"bye\r\n")
    ends.peer.write(b"too late")
    until(lambda: ends.peer.connection.idle)
    assert ends.takes(100) == b"bye\r\n"
    assert not ends.peer.connection.closed
    ends.client.close()
    until(lambda: ends.peer.connection.closed)
    assert ends.ear.told == []


def test_what_waited_for_a_slow_reader_is_dropped_for_the_reason(connect: Callable[[], Ends]) -> None:
    ends = connect()
    ends.peer.write(MUCH)
    until(lambda: ends.peer.is_behind)
    ends.peer.finish(b"too slow\r\n", drop=True)
    received = ends.takes(len(MUCH))
    assert received.endswith(b"x\r\ntoo slow\r\n")
    assert len(received) < len(MUCH)


def test_a_peer_that_resets_the_connection_is_lost(connect: Callable[[], Ends]) -> None:
    ends = connect()
    ends.peer.read_on()
    ends.client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    ends.client.close()
    until(lambda: ends.ear.told == ["lost"])
    assert ends.peer.connection.closed


def test_a_fault_of_one_spares_the_others_of_its_turn(
    connect: Callable[[], Ends], caplog: pytest.LogCaptureFixture
) -> None:
    slow, other = connect(), connect()

    def fails() -> None:
        raise RuntimeError("on purpose")

    slow.ear.when_behind = fails
    for words in (MUCH, b"z" * (LIMIT_BYTES + 1)):
        slow.peer.write(words)
        until(lambda: slow.peer.connection.own is None)
    slow.peer.write(b"z")
    other.peer.write(b"hello")
    until(lambda: slow.peer.connection.closed and other.peer.connection.idle)
    assert other.client.recv(100) == b"hello"
    assert "a connection failed" in caplog.text
