"""Build the image, run it, chat, stop it; run the commands of docs/operating.md on its stored messages; then try a data
folder that the program may not write.

It uses whichever of docker, podman and buildah works here, and uses the image only from outside.

    BASE               the base image, instead of the Dockerfile's
    IMAGE_BUILD_FLAGS  more flags for the build, such as mounts of a machine's own pip configuration
"""

import json
import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from subprocess import PIPE, Popen
from typing import Protocol

import socketio
from dist_check import STOP_S, address_of

ROOT = Path(__file__).parent.parent
IMAGE = "localhost/chatroom:check"
USER = "10001"
PROBE_S = 20.0
START_S = 30.0
LARGEST_MB = 190
UNWANTED = """
import importlib.util, shutil, sys
unwanted = [*filter(importlib.util.find_spec, ["pip", "redis", "textual"]), *filter(shutil.which, ["pip", "pip3"])]
sys.exit(f"unwanted: {unwanted}" if unwanted else 0)
"""
PORT = "8080"  # as platforms set it, in a container with a network of its own


class Engine(Protocol):
    """A program that can build an image and run it."""

    def works(self) -> bool: ...

    def build(self, flags: Sequence[str]) -> None: ...

    def start(self, data: Path | None) -> "Popen[str]":
        """Start the image as it is configured; the process has its standard error."""

    def address(self, process: "Popen[str]") -> str: ...

    def health(self) -> int:
        """Run the image's own HEALTHCHECK inside; returns its exit code."""

    def size_mb(self) -> float: ...

    def run(self, options: Sequence[str], program: Sequence[str]) -> int:
        """Run a program in a container of its own, with some of docker's options; returns its exit code."""

    def terminate(self, process: "Popen[str]") -> None:
        """Send SIGTERM to the program as stopping the container would."""

    def remove(self, process: "Popen[str]") -> None:
        """End whatever still runs, and remove the container."""


class Daemon:
    """docker or podman: containers in networks of their own."""

    def __init__(self, command: str) -> None:
        self.command = command
        self.name = f"chatroom-check-{os.getpid()}"

    def works(self) -> bool:
        return bool(shutil.which(self.command)) and succeeds(self.command, "info")

    def build(self, flags: Sequence[str]) -> None:
        # podman's own format has no HEALTHCHECK
        form = ["--format", "docker"] if self.command == "podman" else []
        subprocess.run([self.command, "build", *form, "--tag", IMAGE, *flags, str(ROOT)], check=True)

    def start(self, data: Path | None) -> "Popen[str]":
        mount = ["--volume", f"{data}:/data"] if data else []
        ports = ["--env", f"PORT={PORT}", "--publish", f"127.0.0.1::{PORT}"]
        command = [self.command, "run", "--rm", "--name", self.name, *ports, *mount, IMAGE]
        return Popen(command, stderr=PIPE, text=True)

    def address(self, process: "Popen[str]") -> str:
        address_of(process)
        listed = subprocess.run(
            [self.command, "port", self.name, PORT], capture_output=True, text=True, check=True
        )
        return f"http://{listed.stdout.split()[0]}"

    def health(self) -> int:
        return subprocess.run([self.command, "exec", self.name, *health_command()], check=False).returncode

    def size_mb(self) -> float:
        command = [self.command, "image", "inspect", "--format", "{{.Size}}", IMAGE]
        return int(subprocess.run(command, capture_output=True, text=True, check=True).stdout) / 1e6

    def run(self, options: Sequence[str], program: Sequence[str]) -> int:
        command = [self.command, "run", "--rm", *options, "--entrypoint", program[0], IMAGE, *program[1:]]
        return subprocess.run(command, check=False).returncode

    def terminate(self, process: "Popen[str]") -> None:
        subprocess.run([self.command, "kill", "--signal", "TERM", self.name], check=True, stdout=PIPE)

    def remove(self, process: "Popen[str]") -> None:
        succeeds(self.command, "rm", "--force", self.name)
        process.kill()


class Buildah:
    """buildah, which needs no daemon: the program runs in a chroot, in this machine's network."""

    def __init__(self) -> None:
        self.container = ""
        self.ports: list[str] = []

    def works(self) -> bool:
        return bool(shutil.which("buildah")) and succeeds("buildah", "info")

    def build(self, flags: Sequence[str]) -> None:
        command = ["buildah", "build", "--isolation", "chroot", "--format", "docker", "--tag", IMAGE]
        subprocess.run([*command, *flags, str(ROOT)], check=True)

    def start(self, data: Path | None) -> "Popen[str]":
        made = subprocess.run(["buildah", "from", IMAGE], capture_output=True, text=True, check=True)
        self.container = made.stdout.strip()
        seen = subprocess.run(
            ["buildah", "inspect", self.container], capture_output=True, text=True, check=True
        )
        config = json.loads(seen.stdout)["Docker"]["config"]
        assert config["User"].split(":")[0] == USER, config["User"]
        mount = ["--volume", f"{data}:/data"] if data else []
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.ports = ["--env", f"PORT={probe.getsockname()[1]}"]
        program = [*config["Entrypoint"], *(config["Cmd"] or [])]
        return Popen(
            [*self._run(), *self.ports, *mount, self.container, "--", *program], stderr=PIPE, text=True
        )

    def address(self, process: "Popen[str]") -> str:
        found = address_of(process)
        assert found.endswith(self.ports[1].replace("PORT=", ":")), f"{found} is not at PORT"
        return found

    def health(self) -> int:
        command = [*self._run(), *self.ports, self.container, "--", *health_command()]
        return subprocess.run(command, check=False).returncode

    def size_mb(self) -> float:
        command = ["buildah", "images", "--format", "{{.Size}}", IMAGE]
        number, unit = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
        return float(number) * {"KB": 0.001, "MB": 1, "GB": 1000}[unit]

    def run(self, options: Sequence[str], program: Sequence[str]) -> int:
        made = subprocess.run(["buildah", "from", IMAGE], capture_output=True, text=True, check=True)
        container = made.stdout.strip()
        try:
            command = [*self._run(), *options, container, "--", *program]
            return subprocess.run(command, check=False).returncode
        finally:
            succeeds("buildah", "rm", container)

    def terminate(self, process: "Popen[str]") -> None:
        program = descendants(process.pid)[-1]
        status = Path(f"/proc/{program}/status").read_text()
        assert re.search(rf"^Uid:\s+{USER}\s", status, re.MULTILINE), "the program runs as another user"
        os.kill(program, signal.SIGTERM)

    def remove(self, process: "Popen[str]") -> None:
        # Ending buildah does not end the program, and an orphan would keep its mounts.
        for pid in [*descendants(process.pid), process.pid]:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        succeeds("buildah", "rm", self.container)

    def _run(self) -> list[str]:
        return ["buildah", "run", "--isolation", "chroot"]


def main() -> int:
    engines: list[Engine] = [Daemon("docker"), Daemon("podman"), Buildah()]
    engine = next((engine for engine in engines if engine.works()), None)
    if engine is None:
        print("image-check: none of docker, podman and buildah works here; install one", file=sys.stderr)
        return 2
    flags = shlex.split(os.environ.get("IMAGE_BUILD_FLAGS", ""))
    if base := os.environ.get("BASE"):
        flags += ["--build-arg", f"BASE={base}"]
    engine.build(flags)
    check_contents(engine)
    check_conversation(engine)
    check_recipes(engine)
    check_foreign_data(engine)
    return 0


def check_contents(engine: Engine) -> None:
    size = engine.size_mb()
    assert size <= LARGEST_MB, f"the image has {size:.0f} MB; at most {LARGEST_MB} are allowed"
    assert engine.run([], ["python", "-c", UNWANTED]) == 0, "the image has pip or an extra"
    print(f"image-check: {size:.0f} MB, without pip and extras")


def check_conversation(engine: Engine) -> None:
    with running(engine, None) as (process, address):
        assert talk(address, "hello") == []
        assert engine.health() == 0, "HEALTHCHECK says that it is unhealthy"
        print("image-check: it listens on PORT, is healthy and delivers messages")
        stop(engine, process)
        print("image-check: SIGTERM stops it with exit code 0")


def check_recipes(engine: Engine) -> None:
    """Run the commands of docs/operating.md that delete and restore messages."""
    page = (ROOT / "docs" / "operating.md").read_text(encoding="utf-8")
    restore, *deletes = map(recipe, re.findall(r"^    (docker run --rm .*)$", page, re.MULTILINE))
    text = "what nobody should read"
    with tempfile.TemporaryDirectory() as folder:
        data, backup = Path(folder, "data"), Path(folder, "backup")
        for made in (data, backup):
            made.mkdir(mode=0o700)
        os.chown(data, int(USER), int(USER))
        mount = ["--volume", f"{data}:/data"]
        with running(engine, data) as (process, address):
            talk(address, f"this is {text}!")
            stop(engine, process)
        for name in ("chatroom.db", "secret"):
            shutil.copy(data / name, backup)
        for options, program in deletes:
            assert engine.run([*mount, *options], program) == 0, program
        assert text.encode() not in (data / "chatroom.db").read_bytes()
        with running(engine, data) as (process, address):
            assert talk(address, "after") == []
            stop(engine, process)
        options, program = restore
        options = [option.replace("./backup", str(backup)) for option in options]
        assert engine.run([*mount, *options], program) == 0, program
        with running(engine, data) as (process, address):
            history = talk(address, "again")
            assert history == [f"this is {text}!"], history
            stop(engine, process)
    print("image-check: the documented commands delete and restore messages")


def recipe(line: str) -> tuple[list[str], list[str]]:
    """The options and the program of a documented `docker run`; here, the data folder is mounted differently."""
    words = shlex.split(line)[3:]
    at = words.index("--entrypoint")
    entrypoint, image, *arguments = words[at + 1 :]
    assert image == "chatroom", line
    options = words[:at]
    volumes = options.index("--volumes-from")
    del options[volumes : volumes + 2]
    return options, [entrypoint, *arguments]


@contextmanager
def running(engine: Engine, data: Path | None) -> Iterator[tuple["Popen[str]", str]]:
    with engine.start(data) as process:
        try:
            yield process, engine.address(process)
        finally:
            engine.remove(process)


def stop(engine: Engine, process: "Popen[str]") -> None:
    engine.terminate(process)
    code = process.wait(STOP_S)
    assert code == 0, f"SIGTERM: exit code {code} instead of 0"


def talk(address: str, text: str) -> list[str]:
    """Join, send a message and leave; returns the messages that were there."""
    client = socketio.SimpleClient()
    client.connect(address, wait_timeout=START_S)
    name, first = client.receive(timeout=START_S)
    assert (name, first["action"]) == ("msg", "login"), (name, first)
    answer = client.call("msg", {"action": "message", "msg": text}, timeout=START_S)
    assert answer["ok"] is True, answer
    client.disconnect()
    return [entry["msg"] for entry in first["you"]["history"]]


def check_foreign_data(engine: Engine) -> None:
    """With another user's folder as /data: exit code 2, and one line that names the owner that it needs."""
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder)
        data.chmod(0o755)
        with engine.start(data) as process:
            try:
                _, said = process.communicate(timeout=START_S)
            finally:
                engine.remove(process)
    assert process.returncode == 2, f"exit code {process.returncode} instead of 2:\n{said}"
    assert re.search(rf"chown (-R )?{USER} ", said), said
    assert "Traceback" not in said, said
    print("image-check: it refuses a data folder that it may not write, and names the owner that it needs")


def health_command() -> list[str]:
    """The HEALTHCHECK as the Dockerfile spells it."""
    found = re.search(r"^HEALTHCHECK .*CMD (\[.*\])$", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    assert found is not None, "the Dockerfile has no HEALTHCHECK in exec form"
    command: list[str] = json.loads(found[1])
    return command


def descendants(pid: int) -> list[int]:
    """The processes that `pid` started, directly or not, the deepest last."""
    deadline = time.monotonic() + PROBE_S
    found: list[int] = []
    level = [pid]
    while level and time.monotonic() < deadline:
        level = [int(child) for parent in level for child in children(parent)]
        found += level
    return found


def children(pid: int) -> list[str]:
    return [
        child for task in Path(f"/proc/{pid}/task").glob("*/children") for child in task.read_text().split()
    ]


def succeeds(*command: str) -> bool:
    try:
        return subprocess.run(command, capture_output=True, timeout=PROBE_S, check=False).returncode == 0
    except subprocess.TimeoutExpired:
        return False


if __name__ == "__main__":
    sys.exit(main())
