"""The conformance app in its three roles, one process each for all tests."""

from __future__ import annotations

import contextlib
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


def _app(*arguments: str, script: Path = APP, **env: str) -> Iterator[App]:
    app = App(*arguments, script=script, **env)
    written = ""
    try:
        yield app
    finally:
        written = app.stop()
    # Whatever was done to it: nothing is ever a traceback.
    assert "Traceback" not in written, written


@pytest.fixture(scope="module")
def socketio_app() -> Iterator[App]:
    yield from _app()


@pytest.fixture(scope="module")
def engine_app() -> Iterator[App]:
    yield from _app("--engine-only")


@pytest.fixture(scope="module")
def patient_app() -> Iterator[App]:
    """Engine.IO with pings so rare that no test sees one."""
    yield from _app("--engine-only", PING_INTERVAL_S="60", PING_TIMEOUT_S="60")


@pytest.fixture(scope="module")
def echo_app() -> Iterator[App]:
    yield from _app("--websocket-echo")


ROOMS = Path(__file__).resolve().parent / "rooms_app.py"


@contextlib.contextmanager
def rooms(**env: str) -> Iterator[App]:
    """The rooms app with settings of its own."""
    yield from _app(script=ROOMS, **env)


@pytest.fixture(scope="module")
def rooms_app() -> Iterator[App]:
    yield from _app(script=ROOMS)
