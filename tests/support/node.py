"""Clients in processes of their own, with deadlines: commands go in as JSON lines, events come out as JSON lines.

`NodeGuest` is the official `socket.io-client`, by `tests/node/guest.mjs`.
"""

from __future__ import annotations

import importlib.util
import json
import shutil
import subprocess
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from tests.support.guests import WAIT_S
from tests.support.program import ROOT

FOLDER = ROOT / "tests" / "node"
NEWEST = "socket.io-client"
Happening = dict[str, Any]


def node() -> str:
    """The Node that the page is built with, however that was found."""
    spec = importlib.util.spec_from_file_location("build_page", ROOT / "web" / "build_page.py")
    assert spec is not None
    assert spec.loader is not None
    builder = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(builder)
    _npm, environ = builder.npm_command()
    found = shutil.which("node", path=environ["PATH"])
    assert found is not None
    return found


class ClientProcess:
    """One client, and the events that the test has not checked yet.

    Args:
        command: the program that it runs in, and its arguments.
        folder: where that runs.
    """

    def __init__(self, command: Sequence[str], folder: Path) -> None:
        self._happenings: list[Happening] = []
        self._changed = threading.Condition()
        self._process = subprocess.Popen(
            command,
            cwd=folder,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            encoding="utf-8",
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def counts(self, wanted: Callable[[Happening], bool], count: int, seconds: float) -> bool:
        """Whether so many events like this come in this time; none is consumed."""
        deadline = time.monotonic() + seconds
        with self._changed:
            while sum(map(wanted, self._happenings)) < count:
                left = deadline - time.monotonic()
                if left <= 0:
                    return False
                self._changed.wait(left)
        return True

    def sees(self, event: str, **fields: Any) -> Happening:
        """Wait for the next event like this; those before it are skipped."""
        deadline = time.monotonic() + WAIT_S
        with self._changed:
            while True:
                for index, one in enumerate(self._happenings):
                    if one["event"] == event and fields.items() <= one.items():
                        del self._happenings[: index + 1]
                        return one
                left = deadline - time.monotonic()
                assert left > 0, f"never saw: {event} {fields}; saw {self._happenings[:20]}"
                self._changed.wait(left)

    def sees_one_of_each(self, *events: str) -> dict[str, Happening]:
        """Wait until each has happened, in any order; none is consumed."""
        deadline = time.monotonic() + WAIT_S
        with self._changed:
            while True:
                seen = {one["event"]: one for one in reversed(self._happenings)}
                if all(event in seen for event in events):
                    return {event: seen[event] for event in events}
                left = deadline - time.monotonic()
                assert left > 0, f"never saw all of {events}; saw {self._happenings[:20]}"
                self._changed.wait(left)

    def sees_nothing(self, event: str, seconds: float) -> None:
        """No such event may come for this long: there is no other way to see that a client stays away."""
        deadline = time.monotonic() + seconds
        with self._changed:
            while (left := deadline - time.monotonic()) > 0:
                self._changed.wait(left)
            assert [one for one in self._happenings if one["event"] == event] == []

    def receives(self, action: str, **fields: Any) -> Happening:
        """Wait for the next `msg` frame like this; what came before it is skipped."""
        while True:
            (frame,) = self.sees("msg")["frames"]
            if frame["action"] == action and all(frame.get(key) == value for key, value in fields.items()):
                return dict(frame)

    def sends(self, text: str) -> Happening:
        """Send a message and wait until it is acknowledged."""
        self._order(emit=[{"action": "message", "msg": text}], ask=True)
        answer: Happening = self.sees("answer")["answer"]
        assert answer["ok"], answer
        return answer

    def is_cut(self) -> None:
        """Lose the connection without a Socket.IO DISCONNECT."""
        self._order(cut=True)

    def leaves(self) -> None:
        """End the process as its last line is read."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        try:
            self._process.wait(WAIT_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
            raise
        finally:
            self._reader.join(WAIT_S)
            self._process.stdout.close()

    def _order(self, **order: Any) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            with self._changed:
                self._happenings.append(json.loads(line))
                self._changed.notify_all()


class NodeGuest(ClientProcess):
    """One official client.

    Args:
        url: the server's.
        auth: what to send as `auth`; None sends none.
        library: which of those in `tests/node/package.json`.
        options: more for `io()`, such as `transports`.
    """

    def __init__(
        self, url: str, auth: dict[str, Any] | None = None, *, library: str = NEWEST, **options: Any
    ) -> None:
        assert (FOLDER / "node_modules").is_dir(), "socket.io-client is missing: `make test` installs it"
        if auth is not None:
            options["auth"] = auth
        # It reconnects soon, so that tests need not wait for the library's default delay.
        options = {"reconnectionDelay": 50, "reconnectionDelayMax": 200, **options}
        order = json.dumps({"url": url, "library": library, "options": options})
        super().__init__([node(), "guest.mjs", order], FOLDER)
