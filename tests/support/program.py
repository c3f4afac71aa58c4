"""`python app.py` in a process of its own, on a free port, with deadlines; a test process never patches itself."""

from __future__ import annotations

import os
import queue
import random
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol, Self

import requests

ROOT = Path(__file__).resolve().parents[2]
LEAN = str(Path(__file__).parent / "lean")  # for PYTHONPATH, so that nothing is imported that only tests need
START_S = 30.0  # importing is slow on a busy machine


def free_port() -> int:
    """A free port for a server that comes back to it: too low for an outgoing connection to take it meanwhile."""
    while True:
        port = random.randint(20_000, 32_000)
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) != 0:
                return port


class Program:
    """The running program.

    Args:
        arguments: flags after `python app.py --port 0 --line-port 0`.
        environ: added to the environment, from which every CHATROOM_ name is removed.
        data_dir: its data directory; it has to be a fresh one unless the test is about what is kept.
        before: a command that is given the service to run, and its arguments.
        port: None leaves the flag out, for the environment to choose.
        stdin: a descriptor for its standard input; it is closed here.
        app: what to start in place of `app.py`.
    """

    def __init__(
        self,
        *arguments: str,
        data_dir: Path | None = None,
        environ: dict[str, str] | None = None,
        before: Sequence[str] = (),
        port: int | None = 0,
        stdin: int = subprocess.DEVNULL,
        app: str | None = None,
    ) -> None:
        self._app = app or os.environ.get("TEST_APP", "app.py")
        flags = [] if port is None else ["--port", str(port)]
        self.arguments = [
            *flags,
            *arguments,
            *(("--data-dir", str(data_dir)) if data_dir is not None else ()),
        ]
        self.environ = {key: value for key, value in os.environ.items() if not key.startswith("CHATROOM_")}
        self.environ.pop("PORT", None)
        self.environ["PYTHONPATH"] = LEAN
        self.environ |= environ or {}
        self._before = before
        self._stdin = stdin
        self.port = port or 0
        self.url = ""
        self._line_port: int | None = None
        self.errors: list[str] = []
        self._lines: queue.Queue[str | None] = queue.Queue()
        self._process: subprocess.Popen[str] | None = None

    def start(self) -> Self:
        """Start and wait until it listens."""
        self._process = subprocess.Popen(
            [*self._before, sys.executable, self._app, "--line-port", "0", *self.arguments],
            cwd=ROOT,
            env=self.environ,
            stdin=self._stdin,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        if self._stdin >= 0:
            os.close(self._stdin)
        self._reader = threading.Thread(target=self._read, args=(self._process,), daemon=True)
        self._reader.start()
        try:
            found = self.wait_for_line(r'listening on (http://[^\s"]+)', START_S)
        except AssertionError:
            # Without this, a program that never got ready would run on, and slow down all later tests.
            try:
                self._process.wait(1)
            except subprocess.TimeoutExpired:
                self.kill()
            raise
        self.url = found[1]
        self.port = int(self.url.rsplit(":", 1)[1].split("/")[0])
        return self

    def wait_for_line(self, pattern: str, seconds: float = 10.0) -> re.Match[str]:
        """The first line of standard error, from now on, that matches."""
        deadline = time.monotonic() + seconds
        while True:
            try:
                line = self._lines.get(timeout=max(0.0, deadline - time.monotonic()))
            except queue.Empty:
                raise AssertionError(f"no line like {pattern!r} within {seconds} s: {self.errors}") from None
            if line is None:
                raise AssertionError(f"it ended before a line like {pattern!r}: {self.errors}")
            found = re.search(pattern, line)
            if found:
                return found

    @property
    def line_port(self) -> int:
        """Where the line gateway listens; it is printed right after the address of the page."""
        if self._line_port is None:
            self._line_port = int(self.wait_for_line(r"line gateway on telnet://\S+:(\d+)")[1])
        return self._line_port

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def resident_kb(self) -> int:
        """Its resident memory."""
        status = Path(f"/proc/{self.pid}/status").read_text(encoding="ascii")
        return int(status.partition("VmRSS:")[2].split()[0])

    def computing_s(self) -> float:
        """How much computing time its loop has taken, however busy the machine is."""
        return int(Path(f"/proc/{self.pid}/schedstat").read_text(encoding="ascii").split()[0]) / 1e9

    def signal(self, number: int) -> None:
        assert self._process is not None
        self._process.send_signal(number)

    def wait(self, seconds: float = 10.0) -> int:
        """Wait for the end; returns the exit code."""
        assert self._process is not None
        code = self._process.wait(seconds)
        self._reader.join(seconds)
        return code

    def stop(self) -> None:
        """Stop it as an operator would, and make sure that it has logged no traceback."""
        if self._process is None:
            return
        if self._process.poll() is None:
            self.signal(signal.SIGTERM)
        try:
            code = self.wait()
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
            raise
        assert "Traceback" not in "\n".join(self.errors), "\n".join(self.errors)
        assert code in (0, -signal.SIGKILL), (code, self.errors)

    def kill(self) -> None:
        """End it without any notice, as a power cut would."""
        self.signal(signal.SIGKILL)
        self.wait()

    def get(self, path: str, **options: Any) -> requests.Response:
        return requests.get(self.url + path, timeout=10, **options)

    def _read(self, process: subprocess.Popen[str]) -> None:
        assert process.stderr is not None
        with process.stderr as lines:
            for line in lines:
                self.errors.append(line.rstrip("\n"))
                self._lines.put(line)
        self._lines.put(None)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *exception: object) -> None:
        self.stop()


class Start(Protocol):
    """Starts services with flags of their own; the keywords are those of `Program`."""

    def __call__(
        self,
        *arguments: str,
        data_dir: Path | None = None,
        environ: dict[str, str] | None = None,
        before: Sequence[str] = (),
        port: int | None = 0,
        stdin: int = subprocess.DEVNULL,
        app: str | None = None,
    ) -> Program: ...
