"""Many line terminals at once, and terminals that send anything; `make faults` raises the counts."""

from __future__ import annotations

import asyncio
import os
import random
import re
import time
import unicodedata
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.gateways.test_line_codec import mutated
from tests.support import loops
from tests.support.guests import Guest
from tests.support.lines import Line
from tests.support.program import Program

SCALE = float(os.environ.get("CHATROOM_TEST_SCALE", "1"))
LINES = min(1000, int(100 * SCALE))
GUESTS = min(1000, int(20 * SCALE))
SECONDS = min(60, 3 * SCALE)
RATE = 50  # messages a second
KB_A_SESSION = 40


def resident_kb(program: Program) -> int:
    status = Path(f"/proc/{program.pid}/status").read_text()
    return int(re.search(r"VmRSS:\s+(\d+)", status)[1])


@pytest.mark.faults
def test_in_a_crowd_of_both_kinds_nobody_misses_a_message(start: Callable[..., Program]) -> None:
    program = start("--limits", "off")
    speaker = Guest(program.url, {"v": 1, "roster": "delta", "room": "lobby"}).enter()
    browsers = [
        Guest(program.url, {"v": 1, "roster": "delta", "room": "lobby"}).enter() for _ in range(GUESTS)
    ]
    total = int(RATE * SECONDS)

    async def read(index: int) -> int:
        """Count the messages in their order; gives how many came."""
        reader, writer = await asyncio.open_connection("127.0.0.1", program.line_port)
        seen = 0
        async with asyncio.timeout(SECONDS + 60):
            while seen < total:
                line = (await reader.readline()).decode()
                if found := re.search(r": number (\d+)\r\n$", line):
                    assert int(found[1]) == seen, (index, seen, line)
                    seen += 1
                elif "/help" in line:
                    entered.append(index)
        writer.close()
        await writer.wait_closed()
        return seen

    async def speak() -> None:
        deadline = time.monotonic() + 60
        while len(entered) < LINES:
            assert time.monotonic() < deadline, len(entered)
            await asyncio.sleep(0.05)
        began = time.monotonic()
        for number in range(total):
            speaker.emit({"action": "message", "msg": f"number {number}"})
            await asyncio.sleep(max(0.0, began + number / RATE - time.monotonic()))

    async def play() -> list[int]:
        readers = asyncio.gather(*(read(index) for index in range(LINES)))
        await speak()
        return await readers

    entered: list[int] = []
    assert loops.run(play()) == [total] * LINES
    for guest in browsers:
        numbers = [guest.hears("message")["msg"] for _ in range(total)]
        assert numbers == [f"number {number}" for number in range(total)]
        guest.leaves()
    speaker.leaves()


@pytest.mark.faults
def test_a_session_takes_little_memory(start: Callable[..., Program]) -> None:
    program = start()
    people = 1000  # fewer would live in what the start has left over

    async def enter(index: int) -> asyncio.StreamWriter:
        reader, writer = await asyncio.open_connection("127.0.0.1", program.line_port)
        await reader.readuntil(b"/help")
        return writer

    async def play() -> float:
        first = [await enter(index) for index in range(20)]  # what is made once is made now
        before = resident_kb(program)
        writers = await asyncio.gather(*(enter(index) for index in range(people)))
        used = (resident_kb(program) - before) / people
        for writer in [*first, *writers]:
            writer.close()
            await writer.wait_closed()
        return used

    used = loops.run(play())
    print(f"{used:.1f} KB a line session")
    assert used <= KB_A_SESSION


@pytest.mark.faults
def test_mutated_input_harms_nobody(start: Callable[..., Program], lines: Callable[..., Line]) -> None:
    """20,000 pieces in `make faults`; the listener must see nothing that a terminal would act upon."""
    program = start("--limits", "off")
    listener = lines(port=program.line_port, room=None)
    rng = random.Random(6)
    for connection in range(int(10 * SCALE)):
        wild = lines(port=program.line_port, room=None)
        for _ in range(100):
            try:
                wild.types_raw(
                    mutated(rng) + rng.choice((b"", b"\r\n", b"\nquit\n" if rng.random() < 0.02 else b"\n"))
                )
            except (BrokenPipeError, ConnectionResetError):
                break  # it has said quit
        wild.closes()
        listener.types(f"//alive {connection}")
    listener.types("/echo on")
    listener.types("the end")
    listener.reads(f"{re.escape(listener.name)}: the end$", 60)
    harmful = {char for char in listener.seen if unicodedata.category(char) in ("Cc", "Cs")} - set("\r\n\t")
    assert harmful == set()
    assert all(line.startswith(("[", "* ", "    ")) for line in listener.seen.split("\r\n") if line)
