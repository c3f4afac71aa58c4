"""Times as text, in UTC; the time itself is passed in."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Final

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def time_text(at_ms: int) -> str:
    """ISO 8601 with milliseconds and a Z."""
    seconds, ms = divmod(at_ms, 1000)
    return f"{_to_the_second(seconds)}.{ms:03d}Z"


def day(at_ms: int) -> str:
    """`YYYY-MM-DD`."""
    return time_text(at_ms)[:10]


def time_of_day(at_ms: int) -> str:
    """`HH:MM:SS`."""
    return time_text(at_ms)[11:19]


@lru_cache(maxsize=256)  # all messages of a second share it
def _to_the_second(seconds: int) -> str:
    return (_EPOCH + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%S")
