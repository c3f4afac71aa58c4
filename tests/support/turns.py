"""Who may run beside whom, when several processes run tests at once: most beside each other, some with nobody.

A test that judges time or memory would judge its neighbours; it is marked `alone`.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_DOOR = Path(__file__).resolve()
_ROOM = _DOOR.parent


@contextmanager
def turn(*, alone: bool) -> Iterator[None]:
    """Wait until nobody runs who must be alone or, to be alone, until nobody runs at all; meanwhile nobody else begins.

    The locks are the kernel's, on this file and its folder: they end with their process, and leave nothing behind.
    """
    with _lock(_DOOR, fcntl.LOCK_EX) as door, _lock(_ROOM, fcntl.LOCK_EX if alone else fcntl.LOCK_SH):
        # Who waits for the room to be empty waits in the door, so that no newcomer slips past; once in, it is free.
        fcntl.flock(door, fcntl.LOCK_UN)
        yield


@contextmanager
def _lock(place: Path, kind: int) -> Iterator[int]:
    descriptor = os.open(place, os.O_RDONLY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, kind)
        yield descriptor
    finally:
        os.close(descriptor)
