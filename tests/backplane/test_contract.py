"""What every backplane promises. Nothing here moves a clock: a backplane may follow one of its own."""

from __future__ import annotations

from chatroom.backplane import Claimed
from chatroom.core.errors import BadRequest, NameTaken, NoSuchPerson, RoomFull
from chatroom.core.events import Joined, Left, Person, Renamed, Said, Whispered, Why
from chatroom.core.log import PAGE_BYTES
from tests.backplane.conftest import Bench


def test_events_are_delivered_once_in_the_order_of_the_calls(bench: Bench) -> None:
    bench.joined("a", "fox")
    bench.append("a", "one")
    bench.append("a", "two")
    bench.left("a", "fox")
    bench.until(lambda: len(bench.texts("a")) == 4)
    assert bench.texts("a") == ["Joined fox", "one", "two", "Left fox"]


def test_a_message_is_delivered_before_its_callback(bench: Bench) -> None:
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


def test_a_position_lies_between_earlier_and_later_events(bench: Bench) -> None:
    (before,) = bench.fill("a", 1)
    bench.joined("a", "fox")
    (after,) = bench.fill("a", 1)
    bench.until(lambda: len(bench.delivered) == 3)
    position = bench.delivered[1][1].position
    assert before <= position < after


def test_a_retried_message_is_not_sent_again(bench: Bench) -> None:
    first = bench.say("a", "one", b"key")
    again = bench.say("a", "one", b"key")
    assert first is not None
    assert again is not None
    assert (first.id, first.at_ms) == (again.id, again.at_ms)
    assert bench.texts("a") == ["one"]


def test_a_message_retried_while_pending_is_delivered_once(bench: Bench) -> None:
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


def test_a_retry_of_a_message_no_longer_kept_is_recognised(bench: Bench) -> None:
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


def test_an_unknown_id_is_a_gap_before_recent_entries(bench: Bench) -> None:
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


def test_a_page_is_bounded_in_bytes(bench: Bench) -> None:
    for _ in range(40):
        bench.append("a", "字" * 1_000)
    bench.until(lambda: len(bench.outcomes) == 40)
    newest = bench.backplane.page("a")
    assert 0 < sum(entry.wire_bytes for entry in newest.entries) <= PAGE_BYTES
    assert newest.more
    oldest = bench.backplane.page("a", before=newest.entries[0].id)
    assert oldest.entries[-1].id < newest.entries[0].id


def test_stored_messages_are_those_that_were_sent(bench: Bench) -> None:
    said = bench.say("a", "你好\n“quoted” \t 🦊")
    bench.backplane.forget("a")
    (kept,) = bench.backplane.page("a").entries
    assert kept == said


def test_settling_brings_what_is_pending_to_its_end(bench: Bench) -> None:
    bench.joined("a", "fox")
    for number in range(20):
        bench.append("a", str(number))
    bench.left("a", "fox")
    bench.backplane.settle()
    assert bench.texts("a") == ["Joined fox", *map(str, range(20)), "Left fox"]
    assert all(entry is not None for _, entry in bench.outcomes)
    assert not bench.backplane.ready()
    assert bench.say("a", "too late") is None


HOLD_S = 0.05  # a short one, for what happens when it is over


def events(bench: Bench, room: str) -> list[object]:
    return [item.event for delivered_to, item in bench.delivered if delivered_to == room]


def test_a_claim_is_not_seen_before_it_is_announced(bench: Bench) -> None:
    claimed = bench.claim("a", "1", wanted="Fox")
    assert claimed == Claimed(Person("1", "Fox"), resumed=False)
    bench.enter("a", "2")
    bench.until(lambda: len(bench.delivered) == 1)
    bench.backplane.announce("a", "1")
    bench.until(lambda: len(bench.delivered) == 2)
    assert events(bench, "a")[1] == Joined(Person("1", "Fox"), claim=1)


def test_a_name_has_one_owner(bench: Bench) -> None:
    bench.enter("a", "1", wanted="Fox")
    assert isinstance(bench.claim("a", "2", wanted="FOX", insists=True), NameTaken)
    assert isinstance(bench.claim("b", "2", wanted="FOX", insists=True), Claimed)
    other = bench.enter("a", "3", wanted="Fox")
    assert other.casefold() != "fox"
    assert isinstance(bench.rename("a", "3", "fox"), NameTaken)


def test_a_full_room_refuses(bench: Bench) -> None:
    for number in range(4):
        bench.enter("a", str(number))
    assert isinstance(bench.claim("a", "5"), RoomFull)
    assert bench.backplane.count("a") == 4
    bench.backplane.leave("a", "0")
    assert isinstance(bench.claim("a", "5"), Claimed)


def test_rename_then_say_has_the_new_name(bench: Bench) -> None:
    bench.enter("a", "1", wanted="Fox")
    answers: list[object] = []
    bench.backplane.rename("a", "1", "Owl", None, answers.append)
    bench.backplane.append("a", "1", "hoo", "mine", None, answers.append)
    bench.until(lambda: len(answers) == 2)
    assert answers[0] == Renamed("1", "Fox", "Owl")
    assert events(bench, "a")[1:] == [answers[0], Said(Person("1", "Owl"), "hoo", "mine")]


def test_a_new_name_is_not_announced_before_its_owner(bench: Bench) -> None:
    bench.claim("a", "1", wanted="Fox")
    assert bench.rename("a", "1", "Owl") == Renamed("1", "Fox", "Owl")
    bench.backplane.announce("a", "1")
    bench.until(lambda: len(bench.delivered) == 1)
    assert events(bench, "a") == [Joined(Person("1", "Owl"), claim=1)]


def test_the_newest_session_of_an_identity_replaces_the_older(bench: Bench) -> None:
    bench.enter("a", "1", wanted="Fox", identity="fox")
    claimed = bench.claim("a", "2", identity="fox", known=("Fox",))
    assert claimed == Claimed(Person("2", "Fox"), resumed=True)
    bench.enter("b", "3", identity="fox", known=("Fox",))
    bench.until(lambda: len(bench.delivered) == 4)
    replaced = [Left(Person(str(n), "Fox"), Why.REPLACED, claim=n) for n in (1, 2)]
    assert events(bench, "a") == [Joined(Person("1", "Fox"), claim=1), *replaced]


def test_a_session_that_moves_is_not_replaced(bench: Bench) -> None:
    bench.enter("a", "1", wanted="Fox", identity="fox")
    bench.enter("b", "1", wanted="Fox", identity="fox", insists=True)
    bench.backplane.leave("a", "1")
    bench.until(lambda: len(bench.delivered) == 3)
    assert events(bench, "a")[1:] == [Left(Person("1", "Fox"), Why.LEFT, claim=1)]
    bench.enter("a", "2", identity="fox", known=("Fox",))
    bench.until(lambda: len(bench.delivered) == 5)
    assert events(bench, "b")[1:] == [Left(Person("1", "Fox"), Why.REPLACED, claim=2)]


def test_who_is_not_in_the_room_changes_nothing(bench: Bench) -> None:
    bench.enter("a", "1", wanted="Fox")
    answers: list[object] = []
    for sid in ("nobody", "2"):
        bench.backplane.announce("a", sid)
        bench.backplane.leave("a", sid, hold_s=60)
        bench.backplane.append("a", sid, "hi", None, None, answers.append)
        assert not isinstance(bench.rename("a", sid, "Owl"), Renamed)
        assert isinstance(bench.whisper("a", sid, "1", "hi"), NoSuchPerson)
        assert isinstance(bench.whisper("a", "1", sid, "hi"), NoSuchPerson)
    bench.until(lambda: len(answers) == 2)
    assert answers == [None, None]
    assert events(bench, "a") == [Joined(Person("1", "Fox"), claim=1)]
    assert bench.whispers == []


def test_a_whisper_has_the_names_of_its_moment(bench: Bench) -> None:
    bench.enter("a", "1", wanted="Fox")
    bench.enter("a", "2", wanted="Owl")
    bench.rename("a", "2", "Hen")
    whispered = Whispered(Person("1", "Fox"), Person("2", "Hen"), "psst")
    assert bench.whisper("a", "1", "2", "psst") == whispered
    assert bench.whispers == [whispered]
    assert isinstance(bench.whisper("a", "1", "1", "psst"), BadRequest)
    bench.is_away = True
    assert isinstance(bench.whisper("a", "1", "2", "psst"), NoSuchPerson)


def test_typing_is_passed_on_for_members(bench: Bench) -> None:
    bench.enter("a", "1", wanted="Fox")
    bench.backplane.notify("a", Person("1", "?"))
    bench.backplane.notify("a", Person("2", "?"))
    assert bench.typing == [Person("1", "Fox")]


def test_a_suggested_name_is_free_and_changes_nothing(bench: Bench) -> None:
    bench.enter("a", "1", wanted="Ming")
    bench.enter("a", "2", wanted="Lotus")
    answers: list[object] = []
    bench.backplane.suggest("a", "1", None, answers.append)
    bench.until(lambda: bool(answers))
    assert answers == ["Bob"]
    assert isinstance(bench.claim("a", "3", wanted="Bob", insists=True), Claimed)


def test_a_held_name_is_given_back_to_its_identity_only(bench: Bench) -> None:
    bench.enter("a", "1", wanted="Fox", identity="fox")
    bench.backplane.leave("a", "1", hold_s=60, why=Why.CUT)
    assert isinstance(bench.claim("a", "2", wanted="fox", insists=True), NameTaken)
    assert isinstance(bench.claim("b", "2", wanted="fox", insists=True), Claimed)
    assert bench.claim("a", "3", identity="fox") == Claimed(Person("3", "Fox"), resumed=True)
    bench.backplane.leave("a", "3")
    assert isinstance(bench.claim("a", "4", wanted="fox", insists=True), Claimed)


def test_a_held_name_is_free_when_its_time_is_over(bench: Bench) -> None:
    bench.enter("a", "1", wanted="Fox", identity="fox")
    bench.backplane.leave("a", "1", hold_s=HOLD_S, why=Why.CUT)
    bench.until(lambda: isinstance(bench.claim("a", "2", wanted="fox", insists=True), Claimed))


def test_an_identity_holds_one_name_per_room(bench: Bench) -> None:
    for sid, name in (("1", "Fox"), ("2", "Owl")):
        bench.enter("a", sid, wanted=name, insists=True, identity="fox")
        bench.backplane.leave("a", sid, hold_s=60, why=Why.CUT)
    assert isinstance(bench.claim("a", "3", wanted="Fox", insists=True), Claimed)
    assert isinstance(bench.claim("a", "4", wanted="Owl", insists=True), NameTaken)


def test_moving_to_where_a_name_is_held_ends_the_hold(bench: Bench) -> None:
    bench.enter("a", "1", wanted="Fox", identity="fox")
    bench.backplane.leave("a", "1", hold_s=60, why=Why.CUT)
    bench.enter("b", "2", wanted="Fox", identity="fox")
    bench.enter("a", "2", wanted="Fox", insists=True, identity="fox")
    bench.backplane.leave("a", "2")
    assert isinstance(bench.claim("a", "3", wanted="Fox", insists=True), Claimed)


def test_people_may_still_leave_after_settling(bench: Bench) -> None:
    bench.enter("a", "1", wanted="Fox")
    bench.backplane.settle()
    bench.backplane.leave("a", "1")
    bench.until(lambda: bench.texts("a") == ["Joined Fox", "Left Fox"])
