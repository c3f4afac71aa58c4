"""Ways to make a running server's disk fail and recover; each is a `with` block around the fault."""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

_HOLDER = """
import sqlite3, sys
file = sqlite3.connect(sys.argv[1], isolation_level=None)
file.execute("BEGIN IMMEDIATE")
print("held", flush=True)
sys.stdin.read()
"""


def needed(problem: str) -> None:
    """Skip what this machine does not permit, but never in CI."""
    if os.environ.get("CI"):
        raise AssertionError(problem)
    pytest.skip(problem)


def run(*command: str) -> bool:
    """Run a system command; returns whether it exists and succeeded."""
    if shutil.which(command[0]) is None:
        return False
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


@contextmanager
def small_disk(place: Path, size: str) -> Iterator[Path]:
    """A file system of its own, of this size."""
    place.mkdir()
    if not run("mount", "-t", "tmpfs", "-o", f"size={size},mode=700", "chatroom-test", str(place)):
        needed("no tmpfs can be mounted here (needs root)")
    try:
        yield place
    finally:
        assert run("umount", "--lazy", str(place))


@contextmanager
def full_disk(place: Path) -> Iterator[None]:
    """Another program has filled a small disk."""
    filler = place / "filler"
    with filler.open("wb", buffering=0) as file:
        for size in (65_536, 512):
            try:
                while True:
                    file.write(b"x" * size)
            except OSError:
                continue  # no room for that much; maybe for less
    yield
    filler.unlink()


@contextmanager
def used_up_quota(pid: int, largest: int) -> Iterator[None]:
    """The process may not make a file larger than that: a quota that needs no rights."""
    _, hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (largest, hard))
    yield
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (hard, hard))


@contextmanager
def read_only_files(folder: Path) -> Iterator[None]:
    """The kernel refuses every write to the log's files, also through descriptors that are open already.

    A file system cannot be made read-only while somebody writes to it, other than by its own failure. The index of the
    write-ahead log (`-shm`) is left out: SQLite maps it into memory, where a refused write is a SIGBUS.
    """
    files = [str(folder / name) for name in ("chatroom.db", "chatroom.db-wal")]
    if not run("chattr", "+i", *files):
        needed("files cannot be made immutable here (needs root and a file system that knows it)")
    try:
        yield
    finally:
        assert run("chattr", "-i", *files)


@contextmanager
def locked(database: Path) -> Iterator[None]:
    """Another process holds the database's lock."""
    with subprocess.Popen(
        [sys.executable, "-c", _HOLDER, str(database)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        yield
        assert holder.stdin is not None
        holder.stdin.close()
