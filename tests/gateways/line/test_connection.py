"""One terminal of a line gateway: real sockets on both sides, and a service in this process."""

from __future__ import annotations

import contextlib
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass
from fcntl import ioctl
from termios import TIOCOUTQ

import pytest

from chatroom.core.budgets import AddressBudget, Allowance, Kind
from chatroom.core.errors import RateLimited
from chatroom.core.flood import Rate
from chatroom.gateways.line.connection import BEHIND_BYTES, LineConnection
from chatroom.gateways.line.gateway import LineGateway
from chatroom.gateways.line.intake import NOTICE_S
from chatroom.gateways.line.interpreter import Interpreter
from chatroom.net.connection import Connection
from chatroom.net.turns import Turns
from chatroom.quota import Quota
from tests.gateways.line.conftest import OUTBOX_LIMIT_BYTES, Ends
from tests.support.inside import WAIT_S, alive, no_collector, until

RECEIVE_BYTES = LineConnection.receive_bytes
MUCH = b"x" * 8_000_000  # more than the kernel takes for somebody who does not read


def overflow(ends: Ends) -> None:
    """Send more than may wait; what was sent first fills the kernel's buffers."""
    for words in (MUCH, b"z" * (OUTBOX_LIMIT_BYTES + 1)):
        ends.terminal.write(words)
        until(lambda: ends.terminal.connection.own is None)
    ends.terminal.write(b"z")


def test_what_one_turn_writes_is_sent_together(connect: Callable[[], Ends]) -> None:
    ends = connect()
    for word in (b"one ", b"two ", b"three"):
        ends.terminal.write(word)
    assert not ends.terminal.connection.idle
    until(lambda: ends.terminal.connection.idle)
    assert ends.client.recv(100) == b"one two three"


def test_telnet_commands_cost_the_address_computing_time(connect: Callable[[], Ends]) -> None:
    ends = connect()
    rates = {**Allowance().rates, Kind.CPU: Rate(0.001, 1e-6)}
    budget = AddressBudget(Allowance(rates=rates))
    ends.terminal.session.quota = Quota({}, budget, time.monotonic)
    ends.client.send(b"\xff\xf1" * 100_000)  # IAC NOP
    until(lambda: budget.wait(Kind.CPU, time.monotonic(), 0.0) > 0)
    until(lambda: not ends.terminal.connection.reading)  # the rest waits in the kernel


def test_bytes_are_read_a_little_at_a_time(
    connect: Callable[[], Ends], monkeypatch: pytest.MonkeyPatch
) -> None:
    ends = connect()
    taken: list[object] = []
    sizes: list[int] = []
    received = LineConnection.received

    def note(terminal: LineConnection, connection: Connection, data: bytes) -> None:
        sizes.append(len(data))
        received(terminal, connection, data)

    monkeypatch.setattr(Interpreter, "take", lambda _self, line, _at: taken.append(line))
    monkeypatch.setattr(LineConnection, "received", note)
    ends.client.sendall(b"y" * RECEIVE_BYTES * 2 + b"\n")
    until(lambda: taken == ["y" * RECEIVE_BYTES * 2])
    assert max(sizes) <= RECEIVE_BYTES
    assert not ends.terminal.has_more


def test_an_unfinished_line_at_the_end_is_not_sent(connect: Callable[[], Ends]) -> None:
    ends = connect()
    ends.client.sendall(b"/rooms\nhal")
    ends.client.shutdown(socket.SHUT_WR)
    ends.reads_until(lambda: ends.is_over)
    rooms, unfinished = ends.heard.splitlines()
    assert rooms.startswith(b"* Rooms:")
    assert unfinished == b"* Not sent: the last line has no line end."
    assert not ends.is_known


def test_a_long_burst_drops_nobody(connect: Callable[[], Ends]) -> None:
    ends = connect()
    ends.terminal.write(MUCH)
    until(lambda: ends.terminal.is_behind)
    assert not ends.may_type()
    ends.reads_until(lambda: len(ends.heard) == len(MUCH))
    until(lambda: ends.terminal.connection.idle)
    assert ends.heard == MUCH
    assert ends.may_type()
    assert ends.is_known


def test_a_slow_reader_is_dropped_with_the_reason(connect: Callable[[], Ends]) -> None:
    ends = connect()
    overflow(ends)
    until(lambda: not ends.is_known)
    ends.reads_until(lambda: ends.is_over)
    assert ends.heard.endswith(b"x\r\n* This terminal reads too slowly. Bye.\r\n")
    assert len(ends.heard) < len(MUCH)


@pytest.mark.parametrize("more", [0, 1])
def test_only_much_that_waits_is_behind(connect: Callable[[], Ends], more: int) -> None:
    ends = connect()
    ends.terminal.connection.stall(b"x" * (BEHIND_BYTES + more), 0)
    assert ends.terminal.is_behind is bool(more)


def test_a_guest_who_sends_nothing_is_sent_away(connect: Callable[[], Ends]) -> None:
    ends = connect()
    ends.terminal.connection.expect(0.01)
    ends.reads_until(lambda: ends.is_over)
    assert ends.heard == b"* You were idle for too long. Bye.\r\n"
    assert not ends.is_known


def test_a_farewell_arrives_though_input_is_left_unread(connect: Callable[[], Ends]) -> None:
    ends = connect()
    ends.terminal.stop_reading()
    ends.client.sendall(b"unread " * 1000)
    ends.terminal.disconnect("bye")
    ends.terminal.write(b"too late")
    ends.reads_until(lambda: ends.is_over)
    assert ends.heard == b"* Bye.\r\n"
    assert not ends.terminal.connection.closed
    ends.client.close()
    until(lambda: ends.terminal.connection.closed)


def test_a_client_that_resets_the_connection_has_left(connect: Callable[[], Ends]) -> None:
    ends = connect()
    ends.client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    ends.client.close()
    until(lambda: not ends.is_known)
    assert ends.terminal.connection.closed


def test_a_guest_who_has_left_is_freed_without_the_collector(connect: Callable[[], Ends]) -> None:
    ends = connect()
    with no_collector():
        before = alive(LineConnection)
        with socket.create_connection(ends.client.getpeername(), WAIT_S) as other:
            other.sendall(b"hello\n/history\nto:nobody\n")
            until(lambda: alive(LineConnection) == before + 1)
            ends.reads_until(lambda: b"hello" in ends.heard)
        until(lambda: alive(LineConnection) == before)


def test_a_fault_of_one_spares_the_others_of_its_turn(
    connect: Callable[[], Ends], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    slow, other = connect(), connect()

    def fails(*_: object, **__: object) -> None:
        raise RuntimeError("on purpose")

    monkeypatch.setattr(LineConnection, "disconnect", fails)
    overflow(slow)
    other.terminal.write(b"hello")
    until(lambda: slow.terminal.connection.closed and other.terminal.connection.idle)
    other.reads_until(lambda: b"hello" in other.heard)
    assert not slow.is_known
    assert "a line session failed and is closed" in caplog.messages


def test_a_failing_delayed_line_closes_its_session(
    connect: Callable[[], Ends], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    ends = connect()
    faults = iter([RateLimited(retry_after=0.01), RuntimeError("a fault of ours")])

    def take(*_: object) -> None:
        raise next(faults)

    monkeypatch.setattr(Interpreter, "take", take)
    ends.client.sendall(b"hello\n")
    ends.reads_until(lambda: ends.is_over)
    assert ends.heard == (b"* Too fast: your lines wait and are sent one by one. This takes about 1 s.\r\n")
    assert "a line session failed and is closed" in caplog.messages


class Newcomer:
    """A client that sends something as soon as it connects."""

    def __init__(self, gateway: LineGateway, port: int, sent: bytes, *, ends: bool) -> None:
        self._gateway = gateway
        self.client = socket.create_connection(("127.0.0.1", port), timeout=WAIT_S)
        self.client.sendall(sent)
        if ends:
            self.client.shutdown(socket.SHUT_WR)
        self.client.setblocking(False)
        self.heard = b""

    def is_over(self) -> bool:
        try:
            data = self.client.recv(1 << 20)
        except BlockingIOError:
            return False
        self.heard += data
        return not data


@pytest.mark.parametrize("ends", [False, True])
@pytest.mark.parametrize(
    "sent",
    [
        b"\x16\x03\x01\x02\x00",
        b"\x16\x03",
        b"GET / HTTP/1.1\r\n\r\nhello\n",
        b"\0\1",
        b"\r\n\0",
        b"SSH-2.0-x\r\n",
        b"\xff\xf1" * 10_000,
        b"a\b" * 10_000,
    ],
)
def test_the_room_never_knows_of_other_protocols_clients(
    gateway: LineGateway, connect: Callable[[], Ends], sent: bytes, ends: bool
) -> None:
    witness = connect()
    newcomer = Newcomer(gateway, witness.client.getpeername()[1], sent, ends=ends)
    until(newcomer.is_over)
    assert newcomer.heard.startswith(b"* This port is for terminals")
    assert newcomer.heard.count(b"\n") == 1
    witness.client.sendall(b"/who\n")
    witness.reads_until(lambda: b"\n" in witness.heard)
    assert witness.heard.startswith(b"* 1 here: ")
    newcomer.client.close()


def test_what_comes_before_the_first_line_is_counted(
    gateway: LineGateway, connect: Callable[[], Ends], monkeypatch: pytest.MonkeyPatch
) -> None:
    witness = connect()
    joined: list[bool] = []

    def spend(terminal: LineConnection) -> None:
        joined.append(terminal._has_joined)
        if len(joined) <= 3:
            raise RateLimited(retry_after=0.001)

    monkeypatch.setattr(LineConnection, "spend", spend)
    newcomer = Newcomer(gateway, witness.client.getpeername()[1], b"hello\n", ends=False)
    witness.reads_until(lambda: b": hello" in witness.heard)
    assert joined[:4] == [False] * 4
    newcomer.client.close()


def test_a_client_with_unread_bytes_joins_in_the_end(
    connect: Callable[[], Ends], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(LineConnection, "peek", lambda _terminal: b"a")
    connect()  # until it is greeted


class Cuts:
    """A gate that lets everybody in, and counts who was cut."""

    def __init__(self) -> None:
        self.addresses: list[str] = []

    def session_cut(self, client: str) -> None:
        self.addresses.append(client)

    def session_closed(self, client: str) -> None:
        pass


@dataclass
class Flood:
    """A terminal that floods, and the time, which the test turns."""

    ends: Ends
    now: float = 0.0

    def __post_init__(self) -> None:
        self.ends.terminal.session.quota = Quota({}, AddressBudget(Allowance()), lambda: self.now)
        self.ends.terminal.stop_reading()

    def sends(self, data: bytes) -> None:
        """The client sends as much as the kernels take."""
        with contextlib.suppress(BlockingIOError):
            while data:
                data = data[self.ends.client.send(data) :]

    def is_judged(self, seconds: float, data: bytes = b"") -> None:
        """Time passes, while the client sends this again and again."""
        for _ in range(round(seconds / NOTICE_S)):
            self.sends(data)
            if self.ends.is_known:
                self.ends.terminal.judge_flood()
                self.now += NOTICE_S

    def is_dropped(self) -> bool:
        """Whether nothing of what the client sent is unread, or on its way: the kernels pass it on in turns."""
        on_its_way = ioctl(self.ends.client, TIOCOUTQ, bytes(4))
        self.ends.terminal.judge_flood()
        return not any(on_its_way) and not self.ends.terminal.peek()


@pytest.mark.parametrize("data", [b"hello\n" * 50_000, b"\xff" * 300_000], ids=["lines", "bytes"])
def test_a_terminal_that_goes_on_is_warned_then_cut(
    gateway: LineGateway, connect: Callable[[], Ends], monkeypatch: pytest.MonkeyPatch, data: bytes
) -> None:
    cuts, flood = Cuts(), Flood(connect())
    monkeypatch.setattr(gateway, "_gate", cuts)
    flood.is_judged(4.5, data)
    flood.ends.reads_until(lambda: True)
    assert b"Too much" not in flood.ends.heard
    flood.is_judged(1, data)
    flood.ends.reads_until(lambda: b"in the next 10 s" in flood.ends.heard)
    assert cuts.addresses == []
    flood.is_judged(9, data)
    assert (flood.ends.is_known, cuts.addresses) == (False, ["127.0.0.1"])
    flood.ends.reads_until(lambda: b"You kept sending too much" in flood.ends.heard)


def test_who_stops_when_warned_goes_on_with_whole_lines(
    connect: Callable[[], Ends], monkeypatch: pytest.MonkeyPatch
) -> None:
    flood, taken = Flood(connect()), list[str]()
    flood.is_judged(5, b"hello\n" * 50_000 + b"half")
    flood.ends.reads_until(lambda: b"Too much" in flood.ends.heard)
    until(flood.is_dropped)
    flood.is_judged(20)
    assert flood.ends.is_known
    monkeypatch.setattr(Interpreter, "take", lambda _self, line, _at: taken.append(line))
    flood.ends.terminal.start_reading()
    flood.sends(b" a line\nwhole\n")
    until(lambda: bool(taken))
    assert taken == ["whole"]


@pytest.mark.parametrize("more", ["to:Paris\n", "/join den\n", "half a line"])
def test_the_line_after_a_dropped_flood_is_not_sent(connect: Callable[[], Ends], more: str) -> None:
    flood, reader = Flood(connect()), connect()
    flood.is_judged(5.5, b"hello\n" * 50_000)
    flood.ends.reads_until(lambda: b"Too much" in flood.ends.heard)
    flood.is_judged(1, more.encode())
    until(flood.is_dropped)
    flood.now += 20
    flood.ends.terminal.start_reading()
    flood.sends(b"\nsecret\n")  # after the end of what was dropped
    flood.ends.reads_until(lambda: b"the lines before it were dropped" in flood.ends.heard)
    flood.sends(b"secret\n")
    reader.reads_until(lambda: b"secret" in reader.heard)
    assert reader.heard.count(b"secret") == 1


def test_a_long_paste_is_never_dropped(connect: Callable[[], Ends]) -> None:
    flood = Flood(connect())
    flood.sends(b"a line of three hundred, which are pasted at once\n" * 300)
    flood.is_judged(60)
    flood.ends.reads_until(lambda: True)
    assert flood.ends.heard == b""
    until(lambda: flood.ends.terminal.peek().count(b"\n") == 300)


def test_what_is_due_takes_its_turn_unless_cancelled(
    connect: Callable[[], Ends], monkeypatch: pytest.MonkeyPatch
) -> None:
    ends = connect()
    held: list[tuple[str, Callable[[], None]]] = []
    made: list[str] = []
    monkeypatch.setattr(Turns, "put", lambda _self, *put: held.append(put))
    ends.terminal._call_later(0, lambda: made.append("kept"))
    ends.terminal._call_later(0, lambda: made.append("cancelled")).cancel()
    late = ends.terminal._call_later(0, lambda: made.append("cancelled late"))
    until(lambda: len(held) == 2)
    late.cancel()
    assert made == []
    for address, call in held:
        assert address == "127.0.0.1"
        call()
    assert made == ["kept"]


def test_unfinished_lines_count_and_the_largest_are_closed(
    connect: Callable[[], Ends], gateway: LineGateway
) -> None:
    ends, unfinished = connect(), gateway._loop._unfinished
    ends.client.sendall(b"y" * 1500)
    until(lambda: unfinished.total == 1500)
    ends.client.sendall(b"\n")
    until(lambda: unfinished.total == 0)
    unfinished._limit_bytes = 1000
    other = connect()
    other.client.sendall(b"y" * 500)
    ends.client.sendall(b"y" * 1500)
    until(lambda: not ends.is_known)
    assert other.is_known
    until(lambda: unfinished.total == 500)
