"""When the terminal client connects again."""

from __future__ import annotations

import pytest

from chatroom.terminal.retries import FIRST_S, LAST_S, MOST_S, Retries, asked_s


def latest(_low: float, high: float) -> float:
    return high


def soonest(low: float, _high: float) -> float:
    return low


def test_pauses_double_until_the_guest_has_joined() -> None:
    retries = Retries(soonest)
    pauses = [retries.next_s() for _ in range(8)]
    assert pauses[:4] == [0.75 * FIRST_S * factor for factor in (1, 2, 4, 8)]
    assert pauses[-1] == 0.75 * LAST_S
    retries.joined()
    assert retries.next_s() == 0.75 * FIRST_S


def test_no_attempt_comes_before_the_server_allows_it() -> None:
    for uniform in (soonest, latest):
        retries = Retries(uniform)
        retries.refused(60.0)
        assert 60.0 <= retries.next_s() <= 75.0
        assert retries.next_s() < LAST_S  # asked for once only
        retries.refused(0.01)
        assert retries.next_s() >= 0.75 * FIRST_S


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        *((12, 12.0), ("12", 12.0), (0.5, 0.5), (MOST_S, MOST_S)),
        *((None, 0.0), ("soon", 0.0), ("Wed, 21 Oct 2026 07:28:00 GMT", 0.0), (-1, 0.0)),
        *((1e300, 0.0), (float("nan"), 0.0), ("inf", 0.0), (10**400, 0.0), ([], 0.0)),
    ],
)
def test_only_a_sensible_number_of_seconds_counts(value: object, seconds: float) -> None:
    assert asked_s(value) == seconds
