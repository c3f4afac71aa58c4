"""Reserved descriptors: with them, a few connections can be accepted when the process has no others left.

It knows how many there are and when they are released and taken back, and logs once per minute that descriptors are
short. Which connections are accepted then is the caller's business.
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
    """A number of descriptors that are open and unused.

    Attributes:
        short: they are released: what can be opened now is for vital paths only.
    """

    def __init__(self, size: int) -> None:
        self.short = False
        self._size = size
        self._held: list[int] = []
        self._logged_at = float("-inf")
        self._fill()

    def ran_out(self, problem: OSError) -> bool:
        """The system refuses a descriptor, or memory for it; returns whether some are free now."""
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
        runtime.call_later(_TRY_S, self._try_again)
        return True

    def _try_again(self) -> None:
        if self._fill():
            self.short = False
        else:
            runtime.call_later(_TRY_S, self._try_again)

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
