"""What follows when events of one session are refused: silence, then the end.

Arithmetic on times that are passed in, in seconds of any one clock.
"""

from __future__ import annotations

import enum
from collections import deque
from typing import Final

# A session that is refused `_REFUSALS` times within `_WINDOW_S` is warned, and silenced for as long.
_REFUSALS: Final = 20
ENOUGH: Final = _REFUSALS
"""So many refused events are enough for a warning."""
_WINDOW_S: Final = 10.0
_ON_THE_WAY_S: Final = 1.0  # what comes so soon after the warning was sent before it was read
# In a crowd (an address whose sessions together are refused more than `Kind.REFUSAL` permits), fewer are enough, but
# only those that came early: so whoever comes back when told is not warned for what the others do.
_EARLY_REFUSALS: Final = 5
CROWDED_S: Final = 10.0  # how long sessions in a crowd have to wait; less while it is only forming


class Verdict(enum.Enum):
    """What follows when an event of a session is refused because there are too many."""

    REFUSE = "answer it"
    WARN = "answer it, and warn: the session is silenced"
    CUT = "disconnect the session"


class Conduct:
    """How often one session was refused something lately.

    Attributes:
        wait_until: the client has to wait until then, and knows it; what comes sooner is early.
    """

    __slots__ = ("_early", "_refused", "_silent_until", "wait_until")

    def __init__(self) -> None:
        self._refused: deque[float] = deque(maxlen=_REFUSALS)
        self._early: deque[float] = deque(maxlen=_EARLY_REFUSALS)
        self.wait_until = float("-inf")
        self._silent_until = float("-inf")

    def silent_s(self, now: float) -> float:
        """For how long its events are not even read."""
        return max(0.0, self._silent_until - now)

    def refused(self, now: float, *, waiting: int = 0, crowded: bool = False) -> Verdict:
        """One more of its events was refused, or came while it is silenced.

        Args:
            waiting: how many came after it, as much too soon, and are not handled yet. They count for this verdict,
                except in a crowd, where the guest may be innocent: a server too busy to refuse them all would otherwise
                never warn the session, or never cut it.
            crowded: whether its address has too many refusals. Then what was on the way counts later:
                otherwise each session could send without limit in the second after its warning.
        """
        was_on_the_way = self.silent_s(now) > _WINDOW_S - _ON_THE_WAY_S
        if was_on_the_way and not crowded:
            return Verdict.REFUSE
        self._refused.append(now)
        if now < self.wait_until:
            self._early.append(now)
        counted, most = (self._early, _EARLY_REFUSALS) if crowded else (self._refused, _REFUSALS)
        while counted and now - counted[0] > _WINDOW_S:
            counted.popleft()
        if was_on_the_way or len(counted) + (0 if crowded else waiting) < most:
            return Verdict.REFUSE
        self._refused.clear()
        self._early.clear()
        if self.silent_s(now):
            return Verdict.CUT
        self._silent_until = now + _WINDOW_S
        return Verdict.WARN
