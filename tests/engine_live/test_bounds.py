"""Bounds on closing connections and on what one turn gathers: they hold, and no client loses its final messages."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from chatroom.engine import frames
from tests.engine_live.client import PATIENCE_S, App, Http, Polling, Socket
from tests.engine_live.conftest import running
from tests.support.guests import until

if TYPE_CHECKING:
    from collections.abc import Iterator

NEVER_MS = "60000"  # longer than any test here waits


def bounds(**settings: str) -> contextlib.AbstractContextManager[App]:
    """Run the app of these tests with these bounds."""
    return running(script=Path(__file__).resolve().parent / "bounds_app.py", **settings)


def receive_all(client: Socket) -> list[bytes]:
    """Everything a client receives until the end: the texts, and the close frame's code."""
    received = []
    with contextlib.suppress(EOFError):
        while True:
            received.append(client.frame()[1])
    return received


FAREWELL = [b"1", frames.NORMAL.to_bytes(2, "big")]


def is_cut_off(client: Socket) -> bool:
    """Whether the server has closed its end: it then answers anything sent with a reset."""
    try:
        client.sock.send(b"?")
    except OSError:
        return True
    return False


# ------------------------------------------------------------------ leaving_limit


def test_of_too_many_closing_connections_the_oldest_are_cut() -> None:
    with bounds(LEAVING_LIMIT="3", LINGER_MS=NEVER_MS) as app:
        before = app.descriptors()
        for _ in range(4):  # those who close count no more
            polite = Socket.engine(app.port)
            polite.send("4away 1 10")
            receive_all(polite)
            polite.close()
        until(lambda: app.descriptors() == before)
        leavers = []
        for _ in range(5):
            leavers.append(Socket.engine(app.port))
            leavers[-1].send("4away 1 10")
            assert receive_all(leavers[-1]) == [b"4" + b"w" * 10, *FAREWELL]
        until(lambda: is_cut_off(leavers[0]) and is_cut_off(leavers[1]))
        until(lambda: app.descriptors() == before + 3)
        assert not any(is_cut_off(client) for client in leavers[2:] * 2)


def test_a_cut_connection_has_received_its_final_messages() -> None:
    with bounds(LEAVING_LIMIT="3", LINGER_MS=NEVER_MS) as app:
        before = app.descriptors()
        leavers = [Socket.engine(app.port) for _ in range(10)]
        leavers[9].send("4all_away")
        for client in leavers:
            assert receive_all(client) == [b"4last words", *FAREWELL]
        # The last has received everything before the oldest is cut off.
        until(lambda: app.descriptors() == before + 3)


# ------------------------------------------------------------------ linger_s


def leaves_after_reading(app: App) -> Http:
    """A client that has read its final message, and does not close."""
    client = Socket.engine(app.port)
    client.send("4away 1 10")
    assert receive_all(client)[-2:] == FAREWELL
    return client.http


def leaves_without_reading(app: App) -> Http:
    """A client whose final message waits behind more than the kernel takes."""
    client = Socket.engine(app.port)
    client.send("4away 1 10000000")
    assert client.sock.recv(1)  # it is on its way out
    return client.http


def is_refused(app: App) -> Http:
    """A client whose request makes the server close the connection."""
    http = Http(app.port)
    http.send(b"nonsense\r\n\r\n")
    assert http.answer()[0] == 400
    return http


LEAVERS = [leaves_after_reading, leaves_without_reading, is_refused]


@pytest.mark.parametrize("leaves", LEAVERS)
@pytest.mark.parametrize("talks", [False, True])
def test_an_unclosed_connection_loses_its_descriptor_in_time(
    leaves: Callable[[App], Http], talks: bool
) -> None:
    with bounds(LINGER_MS="200") as app:
        before = app.descriptors()
        http = leaves(app)
        http.sock.setblocking(False)

        def is_gone() -> bool:
            if talks:  # which wins it no time
                with contextlib.suppress(OSError):
                    http.sock.send(b"and another thing")
            return app.descriptors() == before

        until(is_gone)


@pytest.mark.parametrize("leaves", LEAVERS)
def test_an_unclosed_connection_keeps_its_descriptor_until_then(leaves: Callable[[App], Http]) -> None:
    with bounds(LINGER_MS=NEVER_MS) as app:
        before = app.descriptors()
        http = leaves(app)
        # The wheel that ends upgrades which come to nothing would have ended it too.
        polling = Polling(app.port)
        polling.upgrade().http.reads_the_end()
        assert app.descriptors() == before + 3
        polling.close()
        http.close()
        until(lambda: app.descriptors() == before)


# ------------------------------------------------------------------ turn_limit_bytes


@contextlib.contextmanager
def in_mid_turn(app: App) -> Iterator[None]:
    """Let the test act while the process is stopped in the middle of a turn."""

    def halted() -> bool:
        return Path(f"/proc/{app.pid}/stat").read_text().rpartition(")")[2].split()[0] == "T"

    until(halted)
    try:
        yield
    finally:
        os.kill(app.pid, signal.SIGCONT)


def readable_bytes(client: Socket) -> int:
    """How many bytes can be read."""
    client.sock.setblocking(False)
    with contextlib.suppress(BlockingIOError):
        while True:
            client.http._more()
    client.sock.settimeout(PATIENCE_S)
    return len(client.http.buffer)


@pytest.mark.parametrize("to", ["shared", "own"])
def test_more_than_the_turn_limit_is_written_at_once(to: str) -> None:
    with bounds(TURN_LIMIT_BYTES="20000") as app:
        client = Socket.engine(app.port)
        client.send(f"4burst {to} 5 5995")
        with in_mid_turn(app):
            # Three are 18,000 bytes; the fourth is too much, and the fifth begins anew.
            assert readable_bytes(client) == 4 * 6000
        assert [client.frame() for _ in range(5)] == [(frames.TEXT, b"4" + b"b" * 5995)] * 5
        client.send(f"4burst {to} 3 5995")
        with in_mid_turn(app):
            assert readable_bytes(client) == 0
        assert [client.frame() for _ in range(3)] == [(frames.TEXT, b"4" + b"b" * 5995)] * 3


# ------------------------------------------------------------------ polling


@pytest.mark.slow
def test_final_payloads_that_nobody_fetches_are_dropped() -> None:
    with bounds() as app:
        witness, client, prompt = Socket.engine(app.port), Polling(app.port), Polling(app.port)

        def nothing_waits() -> bool:
            witness.send("4drained")
            return witness.receive() == "4True"

        assert nothing_waits()
        assert client.post(b"4away 40 10") == (200, b"ok")
        assert prompt.post(b"4away 1 10") == (200, b"ok")
        assert not nothing_waits()
        # One fetches everything, the other a part.
        assert prompt.poll() == (200, b"4" + b"w" * 10)
        assert prompt.poll() == (200, b"1")
        assert prompt.poll()[0] == 400
        assert client.poll()[1].split(b"\x1e") == [b"4" + b"w" * 10] * 16
        assert not nothing_waits()
        until(nothing_waits, seconds=20)
        assert client.poll()[0] == 400
