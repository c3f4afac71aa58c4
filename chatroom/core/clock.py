"""Whether the wall clock is plausible: arithmetic on readings that are passed in.

A wall clock may be wrong, and may be corrected at any moment. While the program runs, a counter of elapsed time shows
that the clock was set. At the start, the log shows that the clock is behind, or years ahead. There are three times:

- `wall_ms`, what the clock shows: messages carry it;
- `aging_ms`, for deleting old messages: it follows a clock that jumped ahead only once that is plausible;
- `steady_ms`, for resume tokens: it advances evenly, whatever the clock does.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple

from chatroom.core.flood import Bucket, Rate

JUMP_MS: Final = 60_000  # a smaller difference is a small correction, or a busy machine
BELIEVED_S: Final = 86_400.0  # a clock that has run evenly for this long is believed
DAY_MS: Final = 86_400_000
_STOPPED_MS: Final = 366 * DAY_MS  # a program that seems to have been stopped for longer has a wrong clock
# A clock that jumps back and forth must not fill the log.
_REPORTS: Final = Rate(burst=10, per_second=1 / 3600)


class Times(NamedTuple):
    """The three times at one moment, in milliseconds since the epoch, UTC."""

    wall_ms: int
    aging_ms: int
    steady_ms: int


class SavedTimes(NamedTuple):
    """The times that a log has saved; None: nothing.

    Attributes:
        newest_ms: the wall time of its newest message.
        aging_ms, steady_ms: as last saved, at the same moment.
    """

    newest_ms: int | None = None
    aging_ms: int | None = None
    steady_ms: int | None = None


_NOTHING_SAVED: Final = SavedTimes()


class Clock:
    """The wall clock, watched.

    Args:
        wall_ms: milliseconds since the epoch, UTC.
        elapsed_s: a counter in seconds that nobody sets.
        report: called with one line whenever the clock turns out to be wrong, or right again.
        saved: the times in the log.
    """

    def __init__(
        self,
        wall_ms: Callable[[], int],
        elapsed_s: Callable[[], float],
        report: Callable[[str], None],
        saved: SavedTimes = _NOTHING_SAVED,
    ) -> None:
        self.now_ms = wall_ms
        self._elapsed_s = elapsed_s
        self._report = report
        self._wall_ms, self._elapsed = wall_ms(), elapsed_s()
        self._steady_ms = self._wall_ms
        if saved.aging_ms is not None and saved.steady_ms is not None:
            # Only the clock knows how long the program was stopped: it is believed up to a day.
            self._steady_ms = saved.steady_ms + min(max(self._wall_ms - saved.aging_ms, 0), DAY_MS)
        self._offset_ms = 0  # how far the clock was set
        self._newest_ms: int | None = None  # of the log, while the clock is behind it
        self._wrong_since_s = self._elapsed
        self._reports = Bucket(_REPORTS, self._elapsed)
        if saved.newest_ms is not None and self._wall_ms < saved.newest_ms - JUMP_MS:
            self._newest_ms = saved.newest_ms
        seen_ms = saved.newest_ms if saved.aging_ms is None else saved.aging_ms
        if seen_ms is not None and self._wall_ms - seen_ms > _STOPPED_MS:
            self._offset_ms = self._wall_ms - seen_ms
        problem = self._problem()
        if problem is not None:
            self._report_limited(problem)

    def times(self) -> Times:
        """The three times now."""
        self.check()
        return Times(self._wall_ms, self._wall_ms - max(self._offset_ms, 0), self._steady_ms)

    def problem(self) -> str | None:
        """What is wrong with the clock now, in one line, if anything is."""
        self.check()
        return self._problem()

    def check(self) -> None:
        """Compare how far the clock has advanced with the time elapsed since the last call."""
        wall_ms, elapsed = self.now_ms(), self._elapsed_s()
        passed_ms = round((elapsed - self._elapsed) * 1000)
        jump_ms = wall_ms - self._wall_ms - passed_ms
        self._wall_ms, self._elapsed = wall_ms, elapsed
        self._steady_ms += passed_ms
        caught_up = self._newest_ms is not None and wall_ms >= self._newest_ms - JUMP_MS
        if caught_up:
            self._newest_ms = None
        if abs(jump_ms) > JUMP_MS:
            # A clock that was behind the log at the start and has caught up was wrong before, not now.
            self._offset_ms = 0 if caught_up else self._offset_ms + jump_ms
            self._wrong_since_s = elapsed
        if abs(self._offset_ms) <= JUMP_MS:
            self._offset_ms = 0
        if elapsed - self._wrong_since_s >= BELIEVED_S:
            self._offset_ms, self._newest_ms = 0, None
        if abs(jump_ms) > JUMP_MS:
            self._report_limited(_went(jump_ms) + ("" if self._problem() else " and seems right again"))

    def _problem(self) -> str | None:
        if self._newest_ms is not None:
            return f"the clock is {_length(self._newest_ms - self._wall_ms)} behind the newest message"
        return _went(self._offset_ms) if self._offset_ms else None

    def _report_limited(self, line: str) -> None:
        if not self._reports.take(self._elapsed):
            self._report(line)


def _went(jump_ms: int) -> str:
    return f"the clock went {'ahead' if jump_ms > 0 else 'back'} by {_length(abs(jump_ms))}"


def _length(ms: int) -> str:
    for name, unit_ms in (("days", DAY_MS), ("hours", 3_600_000), ("minutes", 60_000)):
        if ms >= 2 * unit_ms:
            return f"{round(ms / unit_ms)} {name}"
    return f"{round(ms / 1000)} seconds"
