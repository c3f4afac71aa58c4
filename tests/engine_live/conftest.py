"""The conformance app in its three roles, one process each for all tests."""

from __future__ import annotations

import contextlib
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.engine_live.client import APP, App, Http

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(autouse=True)
def closes_connections() -> Iterator[None]:
    """Closes what a test has left open."""
    yield
    while Http.opened:
        Http.opened[-1].close()


@contextlib.contextmanager
def running(*arguments: str, script: Path = APP, faults: str | None = None, **env: str) -> Iterator[App]:
    """Run an app, and check that it logged no warning and no error, whatever a test did to it.

    Args:
        arguments: for the script.
        script: which app.
        faults: a pattern of the log lines that a test provokes on purpose; the test should count them itself.
        env: additional environment variables of the app.
    """
    app = App(*arguments, script=script, **env)
    try:
        yield app
    finally:
        written = app.stop()
    complaints = [line for line in written.splitlines() if faults is None or not re.fullmatch(faults, line)]
    assert not complaints, "\n".join(complaints[:10])


@pytest.fixture(scope="module")
def socketio_app() -> Iterator[App]:
    with running(PING_INTERVAL_S="60", PING_TIMEOUT_S="60") as app:
        yield app


@pytest.fixture(scope="module")
def engine_app() -> Iterator[App]:
    """Engine.IO with frequent pings and a long timeout."""
    with running("--engine-only", PING_INTERVAL_S="0.3", PING_TIMEOUT_S="10") as app:
        yield app


@pytest.fixture(scope="module")
def hasty_app() -> Iterator[App]:
    """Engine.IO that drops clients that have not answered a ping for 0.2 s."""
    with running("--engine-only", PING_INTERVAL_S="0.3", PING_TIMEOUT_S="0.2") as app:
        yield app


@pytest.fixture(scope="module")
def patient_app() -> Iterator[App]:
    """Engine.IO with pings too rare for a test to receive one."""
    with running("--engine-only", PING_INTERVAL_S="60", PING_TIMEOUT_S="60") as app:
        yield app


@pytest.fixture(scope="module")
def echo_app() -> Iterator[App]:
    with running("--websocket-echo") as app:
        yield app


ROOMS = Path(__file__).resolve().parent / "rooms_app.py"


def rooms(faults: str | None = None, **env: str) -> contextlib.AbstractContextManager[App]:
    """The rooms app with settings of its own."""
    return running(script=ROOMS, faults=faults, **env)


@pytest.fixture(scope="module")
def rooms_app() -> Iterator[App]:
    with rooms() as app:
        yield app
