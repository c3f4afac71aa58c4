"""What the log may have of an exception, and of a text that a peer sent: no words of people, and no addresses."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from typing import Final

_LINES = 6
_AGAIN_S: Final = 60.0
_MOST: Final = 64
# As in an origin, and as names spell it: `[2001:db8::1]`, `192.0.2.1`, `192-0-2-1`, `c0000201`, `2001-db8--1`.
_ADDRESS: Final = re.compile(
    r"\[[^\]]*\]|[0-9]{1,3}(?:[.-][0-9]{1,3}){3}"
    r"|(?<![0-9A-Za-z])(?:[0-9A-Fa-f]{8}|(?:[0-9A-Fa-f]{0,4}-){2,7}[0-9A-Fa-f]{1,4})(?![0-9A-Za-z])"
)


def without_addresses(text: str) -> str:
    """A text with "(an address)" in the place of what may be one, and a guest's."""
    return _ADDRESS.sub("(an address)", text)


def describe(problem: BaseException) -> str:
    """An exception's type and traceback, innermost line first; never its text, which may quote a peer."""
    positions = []
    trace = problem.__traceback__
    while trace is not None:
        file = trace.tb_frame.f_code.co_filename.rpartition("/")[2]
        positions.append(f"{file}:{trace.tb_lineno}")
        trace = trace.tb_next
    return f"{type(problem).__name__} at {' < '.join(reversed(positions[-_LINES:]))}"


class Faults:
    """Logs failures that strangers may cause again and again: the same line once a minute, with how many were left out.

    Args:
        log: where.
        monotonic: a clock in seconds.
    """

    def __init__(self, log: logging.Logger, monotonic: Callable[[], float]) -> None:
        self._log = log
        self._monotonic = monotonic
        self._lines: dict[str, tuple[float, int]] = {}  # until when it is left out, and how often it was

    def report(self, what: str, problem: BaseException) -> None:
        """Log what failed, and where."""
        now, line = self._monotonic(), f"{what}: {describe(problem)}"
        until, left_out = self._lines.pop(line, (now, 0))
        if now < until:
            self._lines[line] = (until, left_out + 1)
            return
        while len(self._lines) >= _MOST:
            del self._lines[next(iter(self._lines))]
        self._lines[line] = (now + _AGAIN_S, 0)
        self._log.error("%s%s", line, f" ({left_out} more since the last such line)" if left_out else "")
