"""Descriptors that are kept back, so that somebody can still be let in when the process has no other left.

It knows how many, when they are given up and when they are back, and says once a minute that they are short; who is
let in is the front's business.
"""

from __future__ import annotations

import logging
import os
import time
from typing import Final

from chatroom import runtime

log = logging.getLogger(__name__)

_TRY_S: Final = 0.5  # between attempts to have them all again
_LOG_AGAIN_S: Final = 60.0


class Reserve:
    """So many descriptors, open for nothing.

    Attributes:
        short: they are given up: what can be opened now is for those who ask for vital paths.
    """

    def __init__(self, size: int) -> None:
        self.short = False
        self._size = size
        self._held: list[int] = []
        self._logged_at = float("-inf")
        self._fill()

    def ran_out(self, problem: OSError) -> bool:
        """The system refuses a descriptor, or memory for it; gives whether some have become free now."""
        now = time.monotonic()
        if now - self._logged_at >= _LOG_AGAIN_S:
            self._logged_at = now
            log.warning(
                "cannot accept connections (%s): all but health checks wait; raise the limit of open files (ulimit -n)",
                problem.strerror,
            )
        if self.short:
            return False
        self.short = True
        self._release()
        runtime.call_later(_TRY_S, self._try)
        return True

    def _try(self) -> None:
        if self._fill():
            self.short = False
        else:
            runtime.call_later(_TRY_S, self._try)

    def _fill(self) -> bool:
        try:
            while len(self._held) < self._size:
                self._held.append(os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC))
        except OSError:
            self._release()
            return False
        return True

    def _release(self) -> None:
        while self._held:
            os.close(self._held.pop())
