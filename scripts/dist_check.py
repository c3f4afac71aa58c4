"""Build wheel and sdist; install each into a clean environment outside the checkout, start it, request /healthz, chat.

It uses the program only from outside: the command `chatroom`, the line `listening on …`, `/healthz`, and `chatroom
chat`, which prints plain lines without the extra `tui`, even on a terminal.
"""

import os
import pty
import re
import selectors
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
import venv
from pathlib import Path
from subprocess import Popen

ROOT = Path(__file__).parent.parent
START_S = 30.0
STOP_S = 10.0


def main() -> int:
    dist = ROOT / "dist"
    shutil.rmtree(dist, ignore_errors=True)
    for target in ("sdist", "wheel"):
        build(target, dist)
    for package in sorted(dist.iterdir()):
        check(package)
    return 0


def build(target: str, dist: Path) -> None:
    """Build with the hatchling of constraints.txt, in an environment of its own."""
    with tempfile.TemporaryDirectory() as folder:
        python = make_environment(Path(folder))
        run(python, "-m", "pip", "install", "--quiet", "hatchling")
        run(python, "-m", "hatchling", "build", "--target", target, "--directory", str(dist), cwd=ROOT)


def check(package: Path) -> None:
    with tempfile.TemporaryDirectory() as folder:
        python = make_environment(Path(folder))
        run(python, "-m", "pip", "install", "--quiet", str(package))
        print(f"{package.name} ({package.stat().st_size / 1000:.0f} kB): installed, ", end="", flush=True)
        chatroom = str(Path(python).with_name("chatroom"))
        command = [chatroom, "serve", "--host", "127.0.0.1", "--port", "0", "--line-port", "0"]
        with Popen(command, cwd=folder, stderr=subprocess.PIPE, text=True) as server:
            try:
                address = address_of(server)
                with urllib.request.urlopen(f"{address}/healthz", timeout=START_S) as answer:
                    assert answer.status == 200, answer.status
                print("healthy, ", end="", flush=True)
                chat_on_a_terminal(chatroom, address)
                print("talks, ", end="", flush=True)
                server.send_signal(signal.SIGTERM)
                code = server.wait(STOP_S)
            finally:
                server.kill()
    if code != 0:
        raise SystemExit(f"SIGTERM: exit code {code} instead of 0")
    print("stopped cleanly")


def chat_on_a_terminal(chatroom: str, address: str) -> None:
    """Send a message with the terminal client, and leave.

    Raises:
        SystemExit: it fails, or shows something other than plain lines.
    """
    terminal, slave = pty.openpty()
    os.write(terminal, b"hello\n\x04")  # Ctrl-D
    environment = {**os.environ, "TERM": "xterm"}
    client = Popen([chatroom, "chat", address], stdin=slave, stdout=slave, stderr=slave, env=environment)
    os.close(slave)
    code = client.wait(START_S)
    shown = os.read(terminal, 65536).decode()
    os.close(terminal)
    if code != 0 or "* You are " not in shown or "\x1b" in shown:
        raise SystemExit(f"chat: exit code {code}; it printed:\n{shown}")


def address_of(server: Popen[str]) -> str:
    """Wait for the line that says where the server listens.

    Raises:
        SystemExit: it ended, or did not print the line in time.
    """
    assert server.stderr is not None
    deadline = time.monotonic() + START_S
    said = ""
    os.set_blocking(server.stderr.fileno(), False)
    with selectors.DefaultSelector() as selector:
        selector.register(server.stderr, selectors.EVENT_READ)
        while (left := deadline - time.monotonic()) > 0 and selector.select(left):
            part = server.stderr.read()
            if not part:
                break
            said += part
            if found := re.search(r"listening on (http://\S+)\s", said):
                return found[1]
    raise SystemExit(f"it does not start:\n{said}")


def make_environment(folder: Path) -> str:
    """Make a virtual environment in `folder`; returns its Python."""
    venv.create(folder / "venv", with_pip=True)
    return str(folder / "venv" / "bin" / "python")


def run(*command: str, cwd: Path | None = None) -> None:
    subprocess.run(command, cwd=cwd, check=True, stdout=subprocess.DEVNULL)


if __name__ == "__main__":
    sys.exit(main())
