"""What the backplanes of one process promise about the clocks that they are given."""

from __future__ import annotations

from chatroom.backplane import RETRY_S
from chatroom.core.clock import DAY_MS
from tests.backplane.conftest import Bench


def test_ids_rise_although_the_clock_goes_back(clocked: Bench) -> None:
    first = clocked.fill("a", 2)
    clocked.now_ms -= 3_600_000
    second = clocked.fill("a", 2)
    clocked.now_ms += 7_200_000
    third = clocked.fill("a", 2)
    ids = first + second + third
    assert ids == sorted(set(ids))


def test_each_message_keeps_its_own_time_whatever_the_ids_do(clocked: Bench) -> None:
    times = []
    for jump_ms in (0, 3652 * DAY_MS, -3652 * DAY_MS, -DAY_MS, 0):
        clocked.now_ms += jump_ms
        clocked.passes(1)
        clocked.say("a", "one")
        times.append(clocked.now_ms)
    assert [entry.at_ms for _, entry in clocked.outcomes if entry is not None] == times
    assert [item.at_ms for _, item in clocked.delivered] == times
    page = clocked.backplane.page("a")
    assert [entry.at_ms for entry in page.entries] == times
    clocked.backplane.forget("a")  # so that they are read from where they are kept
    assert clocked.backplane.page("a") == page


def test_a_retry_is_recognised_although_the_clock_is_set(clocked: Bench) -> None:
    first = clocked.say("a", "one", b"key")
    for jump_ms in (3652 * DAY_MS, -2 * 3652 * DAY_MS):
        clocked.now_ms += jump_ms
        clocked.passes(60)  # time to tidy
        clocked.say("a", "other", b"other %d" % jump_ms)
        assert clocked.say("a", "one", b"key") == first


def test_an_id_that_is_no_longer_kept_is_a_gap(clocked: Bench) -> None:
    ids = clocked.fill("a", 1_500)
    assert not clocked.backplane.page(
        "a", after=ids[0], limit=50
    ).gap  # as long as it is younger than an hour
    clocked.passes(3_601)
    (last,) = clocked.fill("a", 1)
    clocked.until(lambda: clocked.backplane.page("a", after=ids[0], limit=50).gap)
    assert clocked.backplane.page("a", after=ids[0], limit=50).entries[-1].id == last
    clocked.until(lambda: not clocked.backplane.page("a", after=ids[-100]).gap)


def test_a_retry_key_is_forgotten_after_a_day(clocked: Bench) -> None:
    first = clocked.say("a", "one", b"key")
    clocked.passes(RETRY_S + 60)
    clocked.say("a", "other", b"other")
    clocked.passes(3600)  # time to tidy
    clocked.until(lambda: _is_forgotten(clocked))
    assert first is not None


def test_a_retry_key_from_a_wrong_future_is_forgotten(clocked: Bench) -> None:
    clocked.now_ms += 3652 * DAY_MS
    clocked.say("a", "one", b"key")
    clocked.now_ms -= 3652 * DAY_MS

    def an_hour_later() -> bool:
        clocked.passes(3600)
        clocked.say("a", "other", b"other %d" % clocked.now_ms)
        return _is_forgotten(clocked)

    clocked.until(an_hour_later)


def _is_forgotten(clocked: Bench) -> bool:
    seen = len(clocked.texts("a"))
    clocked.say("a", "one", b"key")
    return len(clocked.texts("a")) > seen
