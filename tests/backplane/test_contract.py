"""What every backplane promises."""

from __future__ import annotations

from chatroom.backplane import RETRY_S
from chatroom.core.clock import DAY_MS
from chatroom.core.log import PAGE_BYTES
from tests.backplane.conftest import Bench


def test_what_happens_in_a_room_is_delivered_once_in_the_order_of_the_calls(bench: Bench) -> None:
    bench.joined("a", "fox")
    bench.append("a", "one")
    bench.append("a", "two")
    bench.left("a", "fox")
    bench.until(lambda: len(bench.texts("a")) == 4)
    assert bench.texts("a") == ["Joined fox", "one", "two", "Left fox"]


def test_a_message_is_delivered_before_its_outcome_is_told(bench: Bench) -> None:
    bench.say("a", "one")
    assert bench.events == ["deliver one", "done one"]


def test_rooms_do_not_wait_for_each_other(bench: Bench) -> None:
    bench.append("a", "slow")
    bench.joined("b", "fox")
    bench.until(lambda: bench.texts("b") == ["Joined fox"])
    bench.until(lambda: bench.texts("a") == ["slow"])


def test_outcomes_come_in_order(bench: Bench) -> None:
    ids = bench.fill("a", 50)
    assert [text for text, _ in bench.outcomes] == [f"a {number}" for number in range(50)]
    assert ids == sorted(set(ids))


def test_ids_rise_although_the_clock_goes_back(bench: Bench) -> None:
    first = bench.fill("a", 2)
    bench.now_ms -= 3_600_000
    second = bench.fill("a", 2)
    bench.now_ms += 7_200_000
    third = bench.fill("a", 2)
    ids = first + second + third
    assert ids == sorted(set(ids))


def test_each_message_keeps_its_own_time_whatever_the_ids_do(bench: Bench) -> None:
    times = []
    for jump_ms in (0, 3652 * DAY_MS, -3652 * DAY_MS, -DAY_MS, 0):
        bench.now_ms += jump_ms
        bench.passes(1)
        bench.say("a", "one")
        times.append(bench.now_ms)
    assert [entry.at_ms for _, entry in bench.outcomes if entry is not None] == times
    assert [item.at_ms for _, item in bench.delivered] == times
    page = bench.backplane.page("a")
    assert [entry.at_ms for entry in page.entries] == times
    bench.backplane.forget("a")  # so that they are read from where they are kept
    assert bench.backplane.page("a") == page


def test_a_retry_is_recognised_although_the_clock_is_set(bench: Bench) -> None:
    first = bench.say("a", "one", b"key")
    for jump_ms in (3652 * DAY_MS, -2 * 3652 * DAY_MS):
        bench.now_ms += jump_ms
        bench.passes(60)  # time to tidy
        bench.say("a", "other", b"other %d" % jump_ms)
        assert bench.say("a", "one", b"key") == first


def test_a_position_lies_between_what_was_before_and_what_comes_after(bench: Bench) -> None:
    (before,) = bench.fill("a", 1)
    bench.joined("a", "fox")
    (after,) = bench.fill("a", 1)
    bench.until(lambda: len(bench.delivered) == 3)
    position = bench.delivered[1][1].position
    assert before <= position < after


def test_a_retried_message_is_not_said_again(bench: Bench) -> None:
    first = bench.say("a", "one", b"key")
    again = bench.say("a", "one", b"key")
    assert first is not None
    assert again is not None
    assert (first.id, first.at_ms) == (again.id, again.at_ms)
    assert bench.texts("a") == ["one"]


def test_a_message_retried_while_the_first_is_on_its_way_is_not_said_again(bench: Bench) -> None:
    bench.append("a", "one", b"key")
    bench.append("a", "one", b"key")
    bench.until(lambda: len(bench.outcomes) == 2)
    ids = {entry.id for _, entry in bench.outcomes if entry is not None}
    assert len(ids) == 1
    assert bench.texts("a") == ["one"]


def test_the_same_key_in_another_room_is_another_message(bench: Bench) -> None:
    bench.say("a", "one", b"key")
    bench.say("b", "one", b"key")
    assert (bench.texts("a"), bench.texts("b")) == (["one"], ["one"])


def test_a_retry_is_recognised_although_the_first_is_no_longer_kept(bench: Bench) -> None:
    first = bench.say("a", "first", b"key")
    bench.fill("a", 1_100)
    again = bench.say("a", "first", b"key")
    assert first is not None
    assert again is not None
    assert again.id == first.id


def test_recent_history_is_the_newest_entries_oldest_first(bench: Bench) -> None:
    ids = bench.fill("a", 10)
    page = bench.backplane.page("a", limit=3)
    assert [entry.id for entry in page.entries] == ids[-3:]
    assert page.more
    assert not page.gap


def test_a_room_without_history_has_an_empty_page(bench: Bench) -> None:
    page = bench.backplane.page("nowhere")
    assert (page.entries, page.more, page.gap) == ((), False, False)


def test_pages_before_lead_back_to_the_beginning(bench: Bench) -> None:
    ids = bench.fill("a", 25)
    found: list[str] = []
    before = None
    while True:
        page = bench.backplane.page("a", before=before, limit=10)
        found = [entry.id for entry in page.entries] + found
        if not page.more:
            break
        before = found[0]
    assert found == ids


def test_pages_after_lead_on_to_the_end(bench: Bench) -> None:
    ids = bench.fill("a", 25)
    found = ids[:1]
    while True:
        page = bench.backplane.page("a", after=found[-1], limit=10)
        assert not page.gap
        found += [entry.id for entry in page.entries]
        if not page.more:
            break
    assert found == ids


def test_nothing_comes_after_the_newest(bench: Bench) -> None:
    ids = bench.fill("a", 3)
    page = bench.backplane.page("a", after=ids[-1])
    assert (page.entries, page.more, page.gap) == ((), False, False)


def test_a_page_ends_at_a_position(bench: Bench) -> None:
    ids = bench.fill("a", 10)
    after = bench.backplane.page("a", after=ids[1], upto=ids[5])
    recent = bench.backplane.page("a", upto=ids[5], limit=2)
    assert [entry.id for entry in after.entries] == ids[2:6]
    assert not after.more
    assert [entry.id for entry in recent.entries] == ids[4:6]


def test_an_unknown_id_is_a_gap_and_gives_what_is_recent(bench: Bench) -> None:
    ids = bench.fill("a", 3)
    for unknown in ("1700000000000-000000", "1900000000000-000000", "nonsense", ""):
        page = bench.backplane.page("a", after=unknown)
        assert page.gap, unknown
        assert not page.more
        assert [entry.id for entry in page.entries] == ids


def test_an_id_of_another_room_is_a_gap(bench: Bench) -> None:
    (foreign,) = bench.fill("b", 1)
    bench.fill("a", 3)
    assert bench.backplane.page("a", after=foreign).gap


def test_an_id_that_is_no_longer_kept_is_a_gap(bench: Bench) -> None:
    ids = bench.fill("a", 1_500)
    page = bench.backplane.page("a", after=ids[0], limit=50)
    assert page.gap
    assert page.entries[-1].id == ids[-1]


def test_a_page_is_bounded_in_bytes(bench: Bench) -> None:
    for _ in range(40):
        bench.append("a", "字" * 1_000)
    bench.until(lambda: len(bench.outcomes) == 40)
    newest = bench.backplane.page("a")
    assert 0 < sum(entry.wire_bytes for entry in newest.entries) <= PAGE_BYTES
    assert newest.more
    oldest = bench.backplane.page("a", before=newest.entries[0].id)
    assert oldest.entries[-1].id < newest.entries[0].id


def test_what_is_kept_is_what_was_said(bench: Bench) -> None:
    said = bench.say("a", "你好\n“quoted” \t 🦊")
    bench.backplane.forget("a")
    (kept,) = bench.backplane.page("a").entries
    assert kept == said


def test_a_held_name_is_nobody_elses_until_the_time_is_over(bench: Bench) -> None:
    bench.backplane.hold("a", "fox", "Fox", "identity", 300)
    assert bench.backplane.holder("a", "fox") == "identity"
    assert bench.backplane.holder("b", "fox") is None
    bench.monotonic += 301
    assert bench.backplane.holder("a", "fox") is None
    assert bench.backplane.release("a", "identity") is None


def test_a_held_name_is_given_back_once(bench: Bench) -> None:
    bench.backplane.hold("a", "fox", "Fox", "identity", 300)
    assert bench.backplane.release("a", "identity") == "Fox"
    assert bench.backplane.holder("a", "fox") is None
    assert bench.backplane.release("a", "identity") is None


def test_an_identity_holds_one_name_a_room(bench: Bench) -> None:
    bench.backplane.hold("a", "fox", "Fox", "identity", 300)
    bench.backplane.hold("a", "owl", "Owl", "identity", 300)
    assert bench.backplane.holder("a", "fox") is None
    assert bench.backplane.holder("a", "owl") == "identity"


def test_closing_brings_what_is_pending_to_its_end(bench: Bench) -> None:
    for number in range(20):
        bench.append("a", str(number))
    bench.left("a", "fox")
    bench.backplane.close()
    assert bench.texts("a") == [*map(str, range(20)), "Left fox"]
    assert all(entry is not None for _, entry in bench.outcomes)
    assert not bench.backplane.ready()
    assert bench.say("a", "too late") is None


def test_a_retry_key_is_forgotten_after_a_day(bench: Bench) -> None:
    first = bench.say("a", "one", b"key")
    bench.passes(RETRY_S + 60)
    bench.say("a", "other", b"other")
    bench.passes(3600)  # time to tidy
    bench.until(lambda: _is_forgotten(bench))
    assert first is not None


def test_a_retry_key_of_a_wrong_future_is_forgotten_as_well(bench: Bench) -> None:
    bench.now_ms += 3652 * DAY_MS
    bench.say("a", "one", b"key")
    bench.now_ms -= 3652 * DAY_MS

    def an_hour_later() -> bool:
        bench.passes(3600)
        bench.say("a", "other", b"other %d" % bench.now_ms)
        return _is_forgotten(bench)

    bench.until(an_hour_later)


def _is_forgotten(bench: Bench) -> bool:
    seen = len(bench.texts("a"))
    bench.say("a", "one", b"key")
    return len(bench.texts("a")) > seen
