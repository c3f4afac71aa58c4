"""Moments as text."""

import pytest

from chatroom.core.utc import day, time_of_day, time_text


@pytest.mark.parametrize(
    ("at_ms", "text"),
    [
        (0, "1970-01-01T00:00:00.000Z"),
        (999, "1970-01-01T00:00:00.999Z"),
        (1_000, "1970-01-01T00:00:01.000Z"),
        (951_782_400_007, "2000-02-29T00:00:00.007Z"),
        (1_763_736_123_456, "2025-11-21T14:42:03.456Z"),
        (253_402_300_799_999, "9999-12-31T23:59:59.999Z"),
        (-1, "1969-12-31T23:59:59.999Z"),
    ],
)
def test_a_moment_is_shown_in_utc_to_the_millisecond(at_ms: int, text: str) -> None:
    assert time_text(at_ms) == text
    assert time_text(at_ms) == text  # from the cache as well


def test_day_and_time_of_day_are_parts_of_it() -> None:
    assert (day(1_763_736_123_456), time_of_day(1_763_736_123_456)) == ("2025-11-21", "14:42:03")
