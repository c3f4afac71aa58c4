"""Token buckets: what is granted, and how long the rest waits."""

import pytest

from chatroom.core.flood import Bucket, Rate

RATE = Rate(burst=8, per_second=2)


def test_a_burst_is_granted_then_the_wait_is_returned() -> None:
    bucket = Bucket(RATE, 100.0)
    assert [bucket.take(100.0) for _ in range(8)] == [0.0] * 8
    assert bucket.take(100.0) == 0.5
    assert bucket.take(100.25) == 0.25
    assert bucket.take(100.5) == 0.0


def test_refusal_takes_nothing() -> None:
    bucket = Bucket(RATE, 0.0)
    assert bucket.take(0.0, cost=10) == 1.0
    assert bucket.take(0.0, cost=8) == 0.0


def test_rest_never_gives_more_than_a_burst() -> None:
    bucket = Bucket(RATE, 0.0)
    assert bucket.take(1e9, cost=8) == 0.0
    assert bucket.take(1e9) > 0


def test_clock_that_goes_back_neither_gives_nor_takes() -> None:
    bucket = Bucket(RATE, 100.0)
    assert bucket.take(100.0, cost=8) == 0.0
    assert bucket.take(50.0) == 0.5
    assert bucket.take(50.5) == 0.0


def test_bucket_carries_no_dictionary() -> None:
    with pytest.raises(AttributeError):
        Bucket(RATE, 0.0).__dict__  # noqa: B018 - reading it is the test
