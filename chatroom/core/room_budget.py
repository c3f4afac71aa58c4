"""What one room may receive, so that its readers can follow: how large things are, and a budget for all people.

Arithmetic on times that are passed in, in seconds of any one clock.
"""

from __future__ import annotations

from typing import Final

from chatroom.core.flood import Bucket, Rate
from chatroom.core.roster import NAME_BYTES, SMALL_ROOM

_FRAME_BYTES: Final = 250  # what comes with a text: names, ids, the time
TYPING_BYTES: Final = 100  # of the notice that someone is typing


def message_size(text: str) -> int:
    """About how many bytes of a message or a whisper each of its readers receives."""
    return _FRAME_BYTES + (len(text) if text.isascii() else len(text.encode()))


def change_size(people: int) -> int:
    """About how many bytes of a join, a leave or a rename in a room of so many people each receives at most."""
    return _FRAME_BYTES + NAME_BYTES * min(people, SMALL_ROOM)


class RoomBudget:
    """How many bytes all people together may send to one room, so that its readers can follow.

    When it runs short, what is left is for those who have used the least of their own address's budget.
    """

    __slots__ = ("_bucket",)

    def __init__(self, rate: Rate, now: float) -> None:
        self._bucket = Bucket(rate, now)

    def wait(self, now: float, size: int, kept: float) -> float:
        """Say whether `spend` would succeed: 0.0, or the seconds after which it would."""
        burst = self._bucket.rate.burst
        return self._bucket.wait(now, min(burst, size + kept * burst))

    def spend(self, now: float, size: float, kept: float) -> float:
        """Spend so many bytes, or nothing.

        Args:
            kept: the part of the budget that is left for others: as large as what the sender has used of their own.

        Returns:
            0.0, or the seconds after which it would succeed.
        """
        bucket = self._bucket
        burst = bucket.rate.burst
        left = kept * burst
        if size + left > burst:
            size = min(size, burst)
            left = burst - size
        return bucket.take(now, size, left)

    def spend_spare(self, now: float, size: int) -> bool:
        """Spend so many bytes on what can be left out; False, and nothing is spent, if half of the budget is used."""
        return not self.spend(now, size, 0.5)
