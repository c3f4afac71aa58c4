"""Fixtures that scenes share, and the order of tests that must have the machine to themselves."""

from __future__ import annotations

import itertools
import os
import random
import time
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import Any

import hypothesis
import pytest

from tests.support.guests import WEBSOCKET, Guest, Guests
from tests.support.lines import Line, Lines, Terminal, Terminals
from tests.support.program import Program, Start
from tests.support.turns import turn

_SCALE = float(os.environ.get("CHATROOM_TEST_SCALE", "1"))  # 20 in `make faults`

hypothesis.settings.register_profile(
    "all tests",
    max_examples=max(1, round(25 * _SCALE)),
    stateful_step_count=20,
    # Both judge by time, and a busy machine is no failure.
    deadline=None,
    suppress_health_check=[hypothesis.HealthCheck.too_slow],
)
hypothesis.settings.load_profile("all tests")

_rooms = itertools.count(1)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    with turn(alone=_is(item, "alone")):
        return (yield)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Long tests first, so that none is left at the end; tests marked `alone` last, so that they delay no others."""
    items.sort(key=lambda item: (_is(item, "alone"), not _is(item, "slow")))


def _is(item: pytest.Item, marker: str) -> bool:
    return item.get_closest_marker(marker) is not None


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    """One running server for all scenes that need no special one; without rate limits. Each scene has its own room."""
    with Program("--limits", "off", data_dir=tmp_path_factory.mktemp("data")) as program:
        yield program


@pytest.fixture
def room() -> str:
    """A room that no other scene uses."""
    return f"room {next(_rooms)}"


@pytest.fixture
def guests(server: Program, room: str) -> Iterator[Guests]:
    """Lets guests join this scene's room: `guests(username="fox")`; all keywords but the first two are auth keys."""
    present: list[Guest] = []

    def enter(transports: list[str] | None = None, url: str | None = None, **auth: Any) -> Guest:
        guest = Guest(url or server.url, {"room": room, "v": 1, **auth}, transports or WEBSOCKET)
        present.append(guest)
        return guest.enter()

    yield enter
    for guest in present:
        guest.leaves()


@pytest.fixture
def lines(server: Program, room: str) -> Iterator[Lines]:
    """Lets line clients join this scene's room: `lines(name="fox")`; `room=None` stays in the lobby."""
    present: list[Line] = []

    def enter(
        *, port: int | None = None, room: str | None = room, name: str | None = None, lang: str = "en"
    ) -> Line:
        line = Line(port or server.line_port, room=room, name=name, lang=lang)
        present.append(line)
        return line

    yield enter
    for line in present:
        line.closes()


@pytest.fixture
def terminals() -> Iterator[Terminals]:
    """Starts programs on terminals of their own: `terminals("telnet", "127.0.0.1", port)`."""
    running: list[Terminal] = []

    def start_one(*command: object, **options: Any) -> Terminal:
        terminal = Terminal(*map(str, command), **options)
        running.append(terminal)
        return terminal

    yield start_one
    for terminal in running:
        terminal.closes()


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts servers with other flags; at the end they are stopped, and must have logged no traceback."""
    running: list[Program] = []

    def start_one(*arguments: str, **options: Any) -> Program:
        options.setdefault("data_dir", tmp_path / "data")
        program = Program(*arguments, **options)
        running.append(program)
        return program.start()

    yield start_one
    for program in running:
        program.stop()


@pytest.fixture
def rng(request: pytest.FixtureRequest, report: Callable[[str], None]) -> random.Random:
    """Seeded by CHATROOM_TEST_SEED, or always the same; the seed is printed, so that a failure can be repeated."""
    seed = os.environ.get("CHATROOM_TEST_SEED", "3")
    report(f"CHATROOM_TEST_SEED={seed}")
    return random.Random(f"{seed} {request.node.name}")


@pytest.fixture
def scale() -> Callable[[int], int]:
    """A count: a twentieth of it, or the share that CHATROOM_TEST_SCALE says (20: all of it)."""
    return lambda count: max(1, round(count * _SCALE / 20))


@pytest.fixture
def report(capsys: pytest.CaptureFixture[str]) -> Callable[[str], None]:
    """Prints a line in spite of pytest's capture if the counts are long, so that `make faults` shows its progress."""
    began = time.monotonic()

    def line(text: str) -> None:
        stamped = f"{time.monotonic() - began:7.1f} s  {text}"
        if _SCALE > 1:
            with capsys.disabled():
                print(f"\n{stamped}", end="", flush=True)
        else:
            print(stamped)

    return line
