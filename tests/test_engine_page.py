"""`docs/engine.md` says what the engine does, and its example runs with nothing of the chatroom around it."""

import inspect
import queue
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import socketio

from chatroom.engine import endpoint, reasons
from chatroom.engine.server import Engine
from tests.support.guests import WAIT_S

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs" / "engine.md").read_text(encoding="utf-8")
OPTIONS = [
    parameter
    for parameter in inspect.signature(Engine).parameters.values()
    if parameter.name != "async_handlers"
]


def quoted_after(words: str) -> list[str]:
    """What stands in backquotes from these words to the end of their paragraph."""
    return re.findall(r"`([^`]+)`", PAGE[PAGE.index(words) :].split("\n\n", 1)[0])


@pytest.fixture
def example(tmp_path: Path) -> Iterator[str]:
    """The example's address; it runs on a copy of what the page says that it needs."""
    (code,) = re.findall(r"^```python\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    (tmp_path / "news.py").write_text(code)
    package = tmp_path / "chatroom"
    for folder in ("engine", "net", "runtime"):
        shutil.copytree(
            ROOT / "chatroom" / folder, package / folder, ignore=shutil.ignore_patterns("__pycache__")
        )
    (package / "__init__.py").touch()
    command = [sys.executable, "news.py", "0"]
    with subprocess.Popen(
        command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as program:
        try:
            assert program.stdout is not None
            assert program.stderr is not None
            yield program.stdout.readline().split()[-1]
            program.send_signal(signal.SIGTERM)
            assert program.wait(WAIT_S) == 0
            assert program.stderr.read() == ""
        finally:
            program.kill()


class Client:
    """One of the example's clients, and the news that it has received."""

    def __init__(self, address: str, transport: str) -> None:
        self.news: queue.Queue[str] = queue.Queue()
        self.socket = socketio.Client(reconnection=False)
        self.socket.on("news", self.news.put)
        self.socket.connect(address, transports=[transport], wait_timeout=WAIT_S)


@pytest.mark.parametrize("transport", ["polling", "websocket"])
def test_the_example_sends_to_all_others(example: str, transport: str) -> None:
    romeo, juliet = Client(example, transport), Client(example, transport)
    assert romeo.socket.call("publish", "the lark", timeout=WAIT_S) == "done"
    assert juliet.news.get(timeout=WAIT_S) == "the lark"
    assert romeo.news.empty()
    for guest in (romeo, juliet):
        guest.socket.disconnect()


def test_every_option_is_in_the_table_with_its_default() -> None:
    rows = re.findall(r"^\| `(\w+)` \| `([^`]+)` \|", PAGE, re.MULTILINE)
    assert rows == [(option.name, str(option.default)) for option in OPTIONS]


def test_options_documented_as_refused_are_refused() -> None:
    refused = quoted_after("the server raises a `TypeError`")[1:-1]
    assert "async_mode" in refused
    assert {option.name for option in OPTIONS} & set(refused) == set()


def test_every_reason_and_every_key_that_is_kept_is_named() -> None:
    named = set(re.findall(r"`([a-z]+ [a-z]+)`", PAGE))
    assert {value for name, value in vars(reasons).items() if name.isupper()} <= named
    assert tuple(quoted_after("**The engine keeps one key")) == endpoint.KEPT_ENVIRON
