"""The bounds of the page's bench: what misses one is named, and fails."""

import pytest

from bench.page import PROFILES, fault, judge
from bench.scenarios import Figures

MET = {
    "p50_ms": 16.0,
    "p95_ms": 50.0,
    "longest_ms": 90.0,
    "frames": 900,
    "out_of_view": 0,
    "messages_per_s": 50.0,
}


def trials(profile: str = "desktop", **figures: float) -> dict[tuple[str, str], list[Figures]]:
    return {(name, "ours"): [MET | (figures if name == profile else {})] for name in PROFILES}


@pytest.mark.parametrize(
    ("profile", "figure", "value", "name"),
    [
        ("desktop", "p95_ms", 56, "desktop_p95_ms 56 (must be <= 50)"),
        ("phone", "p95_ms", 128, "phone_p95_ms 128 (must be <= 120)"),
        ("desktop", "out_of_view", 1, "desktop_out_of_view 1 (must be <= 0)"),
        ("phone", "out_of_view", 1, "phone_out_of_view 1 (must be <= 0)"),
    ],
)
def test_a_missed_bound_is_named(profile: str, figure: str, value: int, name: str) -> None:
    lines, is_met = judge(trials(profile, **{figure: value}))
    assert (lines[-1], is_met) == (f"not met: {name}", False)


def test_what_keeps_to_the_bounds_meets_them() -> None:
    lines, is_met = judge(trials("phone", p95_ms=120))
    assert (lines[-1], is_met) == ("not met: none", True)


def test_a_profile_that_was_not_measured_meets_nothing() -> None:
    assert judge({("desktop", "ours"): [MET]})[1] is False


@pytest.mark.parametrize("figures", [{"messages_per_s": 44}, {"frames": 0}])
def test_a_room_that_was_not_busy_is_a_fault(figures: dict[str, int]) -> None:
    assert fault(MET) is None
    assert fault(MET | figures)
