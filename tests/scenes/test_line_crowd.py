"""Many line terminals at once, and terminals that send random bytes; `make faults` raises the counts."""

from __future__ import annotations

import os
import random
import unicodedata
from collections.abc import Callable, Iterator

import pytest

from tests.gateways.line.test_codec import mutated
from tests.support.crowd import Crowd, LineClient, SocketClient
from tests.support.guests import Guests
from tests.support.lines import Lines
from tests.support.program import Start

SCALE = float(os.environ.get("CHATROOM_TEST_SCALE", "1"))
PEOPLE = 1000  # of each kind
SPEAKERS = 5  # of each kind; the others listen
SECONDS = min(60, 5 * SCALE)
RATE = 50  # messages per second
PIECES_A_SESSION = 100
KB_A_SESSION = 40


@pytest.fixture
def crowd() -> Iterator[Crowd]:
    crowd = Crowd()
    yield crowd
    crowd.leave()


@pytest.mark.faults
@pytest.mark.slow
@pytest.mark.alone
def test_in_a_crowd_of_both_kinds_nobody_misses_a_message(
    start: Start, crowd: Crowd, report: Callable[[str], None]
) -> None:
    """1,000 lines and 1,000 Socket.IO clients in one room, 50 messages/s: 60 s long in `make faults`, otherwise 5 s."""
    program = start("--limits", "off")
    total = int(RATE * SECONDS)
    before = program.resident_kb()
    lines = crowd.enter(LineClient, program.line_port, PEOPLE)
    sockets = crowd.enter(SocketClient, program.port, PEOPLE)
    crowd.talk([*lines[:SPEAKERS], *sockets[:SPEAKERS]], total, RATE)
    grown = program.resident_kb() - before
    order = crowd.order
    assert sorted(order.numbers) == list(range(total))
    assert order.delays_ms.total() == total * 2 * PEOPLE
    report(
        f"{PEOPLE} lines and {PEOPLE} Socket.IO clients: {total} messages at {RATE}/s, each at all of them once and in "
        f"one order; p50 {order.delay_ms(0.5)} ms, p99 {order.delay_ms(0.99)} ms, slowest {max(order.delays_ms)} ms; "
        f"the server grew by {grown / 1024:.1f} MB"
    )
    assert grown <= 2 * PEOPLE * KB_A_SESSION


@pytest.mark.faults
@pytest.mark.slow
@pytest.mark.alone
def test_a_session_takes_little_memory(start: Start, crowd: Crowd, report: Callable[[str], None]) -> None:
    program = start("--address-scale", "100")
    crowd.enter(LineClient, program.line_port, 6 * PEOPLE)  # these live in what the start has left over
    before = program.resident_kb()
    crowd.enter(LineClient, program.line_port, 2 * PEOPLE)
    used = (program.resident_kb() - before) / (2 * PEOPLE)
    report(f"{used:.1f} KB a line session")
    assert 0 < used <= KB_A_SESSION


@pytest.mark.faults
@pytest.mark.slow
def test_mutated_input_harms_nobody(
    start: Start,
    lines: Lines,
    guests: Guests,
    rng: random.Random,
    scale: Callable[[int], int],
    report: Callable[[str], None],
) -> None:
    """20,000 pieces in `make faults`: each session is served to its end, and nobody else sees anything unprintable."""
    program = start("--limits", "off")
    terminal = lines(port=program.line_port, room=None)
    socket = guests(url=program.url, room="lobby")
    pieces, sent, sessions = scale(20_000), 0, 0
    while sent < pieces:
        wild = lines(port=program.line_port, room=None)
        sessions += 1
        for _ in range(min(PIECES_A_SESSION, pieces - sent)):
            end = rng.choice((b"", b"\r\n", b"\n")) if rng.random() < 0.995 else b"\nquit\n"
            try:
                wild.types_raw(mutated(rng) + end)
            except (BrokenPipeError, ConnectionResetError):
                break  # it has said quit
            sent += 1
        wild.ends()
        wild.reads_the_end()
        wild.closes()
        terminal.types("/rooms please")
        terminal.reads(r"^\* Usage: /rooms$")
        if sessions % 40 == 0:
            report(f"{sent} pieces in {sessions} sessions")
    socket.sends("the end")
    terminal.receives(socket.name, "the end")
    socket.waits_for(lambda: socket.frames and socket.frames[-1].get("msg") == "the end", "the end")
    shown = [str(frame.get(field, "")) for frame in socket.frames for field in ("username", "msg", "to")]
    assert unprintable(terminal.seen) <= set("\r\n\t")
    assert unprintable("".join(shown)) <= set("\n\t")
    assert all(line.startswith(("[", "* ", "    ")) for line in terminal.seen.split("\r\n") if line)
    report(
        f"{sent} pieces in {sessions} sessions: others received {len(socket.frames)} frames, nothing unprintable"
    )


def unprintable(text: str) -> set[str]:
    """The text's control characters, lone surrogates, and characters that reverse the direction of writing."""
    turning = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}
    return {
        char
        for char in text
        if unicodedata.category(char) in ("Cc", "Cs") or unicodedata.bidirectional(char) in turning
    }
