"""Which tests may run at the same time, in several processes: most side by side, some alone.

A test that measures time or memory would measure its neighbours too; it is marked `alone`.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_ENTRY_LOCK = Path(__file__).resolve()
_RUN_LOCK = _ENTRY_LOCK.parent


@contextmanager
def turn(*, alone: bool) -> Iterator[None]:
    """Wait until no test that must be alone runs or, to be alone, until none runs at all; meanwhile no other begins.

    The locks are the kernel's, on this file and its folder: they end with their process, and leave nothing behind.
    """
    with (
        _lock(_ENTRY_LOCK, fcntl.LOCK_EX) as entry,
        _lock(_RUN_LOCK, fcntl.LOCK_EX if alone else fcntl.LOCK_SH),
    ):
        # Whoever waits to be alone holds the entry lock meanwhile, so that nobody else begins; then it is released.
        fcntl.flock(entry, fcntl.LOCK_UN)
        yield


@contextmanager
def _lock(place: Path, kind: int) -> Iterator[int]:
    descriptor = os.open(place, os.O_RDONLY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, kind)
        yield descriptor
    finally:
        os.close(descriptor)
