"""The memory of the process: what the collector need not look at, and what goes back to the system.

The C library keeps what is freed between pieces that are in use. After a burst of long texts, that was 25 MB for good,
and people who come and go made it grow for hours. It gives back whole pages only when it is asked to.
"""

from __future__ import annotations

import ctypes
import gc
from collections.abc import Callable
from typing import Final

# Neither messages nor connections leave reference cycles. What does, by a mistake, does not fill the memory.
_GC_THRESHOLDS: Final = (20_000, 3, 3)
_TRIM_EVERY_S: Final = 60.0  # it takes a few milliseconds


def tune_collector() -> None:
    """Keep the collector from looking again at what is built by now: it lives as long as the process."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_GC_THRESHOLDS)


class Trimmer:
    """Gives free memory back to the system every minute; elsewhere than with glibc, it does nothing.

    Args:
        monotonic: a clock in seconds.
    """

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._due = monotonic() + _TRIM_EVERY_S
        self._trim = getattr(ctypes.CDLL(None), "malloc_trim", lambda _: 0)

    def trim(self) -> None:
        """Give it back if it is time; to be called now and then."""
        now = self._monotonic()
        if now >= self._due:
            self._due = now + _TRIM_EVERY_S
            self._trim(0)
