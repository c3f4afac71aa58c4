"""The conformance app as whoever points a suite at it meets it: its help, and what it says when it cannot start."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.program import LEAN

APP = Path(__file__).parent / "conformance_app.py"


def run(*arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    """Run it where it must end by itself."""
    return subprocess.run(
        [sys.executable, str(APP), *arguments],
        env={**os.environ, "PYTHONPATH": LEAN, **environ},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


def test_its_help_names_modes_and_variables() -> None:
    done = run("--help")
    assert done.returncode == 0
    for word in ("--engine-only", "--websocket-echo", "/custom", "PORT", "PING_INTERVAL_S", "PING_TIMEOUT_S"):
        assert word in done.stdout


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORT", "many"),
        ("PORT", "65536"),
        ("PORT", "3.5"),
        ("PING_INTERVAL_S", "0"),
        ("PING_TIMEOUT_S", "nan"),
    ],
)
def test_a_value_that_cannot_be_is_one_line(name: str, value: str) -> None:
    done = run(**{"PORT": "0", name: value})
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"conformance_app: {name} is {value!r}; it must be ")
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize("mode", [(), ("--engine-only",), ("--websocket-echo",)])
def test_a_port_that_is_taken_is_one_line(mode: tuple[str, ...]) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        done = run(*mode, PORT=str(port))
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"conformance_app: cannot listen on port {port} (")
    assert len(done.stderr.splitlines()) == 1
