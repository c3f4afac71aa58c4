"""Budgets: what an address may do in any minute, what its neighbours share, and what follows a flood."""

from __future__ import annotations

import heapq

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatroom.core.budgets import (
    SITE_FACTOR,
    AddressBudget,
    Allowance,
    Kind,
    Outboxes,
    message_cost,
)
from chatroom.core.conduct import Conduct, Verdict
from chatroom.core.flood import Rate
from chatroom.core.room_budget import RoomBudget, message_size

ISSUE = Allowance()
PER_MINUTE = {Kind.SESSION: 600, Kind.JOIN: 600, Kind.MESSAGE: 600, Kind.CPU: 0.35}


@pytest.mark.parametrize("kind", list(PER_MINUTE))
def test_no_minute_has_more_than_its_share(kind: Kind) -> None:
    cost = 0.001 if kind is Kind.CPU else 1.0
    budget, spent = AddressBudget(ISSUE), [0.0]
    for tenth in range(1800):
        while not budget.spend(kind, tenth / 10, cost):
            spent[-1] += cost
        spent.append(0.0)
    most = max(sum(spent[first : first + 600]) for first in range(1200))
    assert most == pytest.approx(PER_MINUTE[kind], rel=0.01)


def test_one_percent_of_a_core_in_any_ten_seconds() -> None:
    rate = ISSUE.rates[Kind.CPU]
    assert rate.burst + 10 * rate.per_second == pytest.approx(0.1)


def test_clients_that_poll_are_answered_in_turn_however_many() -> None:
    budget = AddressBudget(ISSUE)
    rate = ISSUE.rates[Kind.POLL]
    waits = [budget.answer_wait_s(0.0) for _ in range(1000)]
    assert max(waits[: int(rate.burst)]) < 1e-9
    assert waits[int(rate.burst) + 149] == pytest.approx(150 / rate.per_second)
    assert budget.answer_wait_s(0.0) <= 10  # a client waits so long before it gives up, and longer


@pytest.mark.parametrize(("sessions", "rest_s", "owes"), [(300, 11.0, False), (1000, 0.0, True)])
def test_too_many_posts_together_cost_computing_time(sessions: int, rest_s: float, owes: bool) -> None:
    budget = AddressBudget(ISSUE)
    next_posts = [(rest_s * number / sessions, number) for number in range(sessions)]
    now = 0.0
    while now < 10.0 or (now < 300.0 and not owes):
        now, number = next_posts[0]
        wait_s = budget.post_wait_s(now)
        assert wait_s <= 2  # python-engineio's client gives up after five
        assert owes or not wait_s
        heapq.heapreplace(next_posts, (now + wait_s + rest_s, number))
    assert budget.owes_time(now) is owes


@pytest.mark.parametrize(("sessions", "per_s", "is_too_much"), [(1000, 0.2, False), (800, 60, True)])
def test_an_address_may_send_only_so_many_useless_frames(
    sessions: int, per_s: float, is_too_much: bool
) -> None:
    budget = AddressBudget(ISSUE)
    verdicts = [budget.waste(round(sessions * per_s), now) for now in range(30)]
    assert verdicts == [is_too_much] * 30


def test_what_is_owed_is_made_up_for_before_more() -> None:
    budget = AddressBudget(ISSUE)
    budget.charge(Kind.CPU, 0.0, 0.10)
    assert budget.wait(Kind.CPU, 0.0, 0.0) == pytest.approx(10)
    assert budget.wait(Kind.CPU, 10.1, 0.0) == 0.0


def test_no_more_is_owed_than_a_bucket_holds() -> None:
    budget = AddressBudget(ISSUE)
    for _ in range(100):
        budget.charge(Kind.CPU, 0.0, 0.05)
    assert budget.wait(Kind.CPU, 0.0, 0.0) == pytest.approx(10)


@pytest.mark.parametrize(("length", "cost"), [(0, 1), (1, 1), (500, 1), (501, 2), (2000, 4), (16_000, 32)])
def test_messages_are_counted_by_length(length: int, cost: int) -> None:
    assert message_cost(length) == cost


def test_the_longest_cost_is_granted_once_all_is_there() -> None:
    budget = AddressBudget(ISSUE.scaled(0.01))
    assert budget.spend(Kind.MESSAGE, 0.0, 32) == 0.0
    assert budget.spend(Kind.MESSAGE, 0.0, 1) > 0


@given(st.floats(0.01, 1e6))
def test_a_scale_multiplies_all(factor: float) -> None:
    scaled = ISSUE.scaled(factor)
    assert scaled.sessions == max(1, round(1000 * factor))
    assert scaled.outbox_bytes == round(64_000_000 * factor)
    for kind, rate in ISSUE.rates.items():
        assert scaled.rates[kind].per_second == rate.per_second * factor
        assert scaled.rates[kind].burst in (rate.burst * factor, 1.0)
    assert ISSUE.scaled(1) == ISSUE


def test_sessions_are_bounded_and_come_back() -> None:
    budget = AddressBudget(Allowance(sessions=3, rates={Kind.SESSION: Rate(5, 1)}))
    assert [budget.open_session(0.0) for _ in range(3)] == [0.0] * 3
    assert budget.open_session(0.0) > 0
    budget.close_session()
    assert budget.open_session(0.0) == 0.0  # one refused for lack of a place has cost nothing
    budget.close_session()
    assert budget.open_session(0.0) == 0.0
    budget.close_session()
    assert budget.open_session(0.0) == 1.0
    assert budget.sessions == 2


def test_a_refusal_by_the_site_takes_nothing_from_the_address() -> None:
    site = AddressBudget(Allowance(sessions=2, rates={Kind.SESSION: Rate(9, 1), Kind.MESSAGE: Rate(1, 1)}))
    one, other = (AddressBudget(ISSUE, site) for _ in range(2))
    assert one.spend(Kind.MESSAGE, 0.0) == 0.0
    assert other.spend(Kind.MESSAGE, 0.0) == 1.0
    other.site = None
    assert [other.spend(Kind.MESSAGE, 0.0) for _ in range(60)] == [0.0] * 60
    other.site = site
    assert one.open_session(0.0) == other.open_session(0.0) == 0.0
    assert one.open_session(0.0) > 0
    assert (one.sessions, other.sessions, site.sessions) == (1, 1, 2)


def test_outboxes_are_added_up() -> None:
    site = AddressBudget(Allowance(outbox_bytes=100))
    one, other = (AddressBudget(Allowance(outbox_bytes=70), site) for _ in range(2))
    assert one.hold(70)
    assert not other.hold(40)
    assert other.hold(-10)
    assert not one.hold(1)
    assert site.outbox_bytes == 101
    assert one.group is other.group is site


def test_outboxes_of_all_addresses_are_added_up() -> None:
    outboxes = Outboxes(100)
    one, other = (AddressBudget(Allowance(outbox_bytes=70), outboxes=outboxes) for _ in range(2))
    assert one.hold(60)
    assert not other.hold(41)
    assert not one.has_too_much
    assert not other.has_too_much
    assert other.hold(-1)
    assert not one.hold(11)
    assert one.has_too_much


ROOM = Rate(131_072, 262_144)


class Sender:
    """Somebody who sends the same text again and again, from an address of their own."""

    def __init__(self, text: str, site: AddressBudget | None = None) -> None:
        self.text, self.site = text, site
        self.budget = AddressBudget(ISSUE, site)
        self.sent = 0

    def sends(self, room: RoomBudget, now: float) -> bool:
        """Send once, if the budgets permit; gives whether they did."""
        cost, size = message_cost(len(self.text)), message_size(self.text)
        if self.budget.spend(Kind.MESSAGE, now, cost):
            return False
        if room.spend(now, size, self.budget.used(Kind.MESSAGE, now)):
            self.budget.give_back(Kind.MESSAGE, cost)
            return False
        self.sent += size
        return True


@pytest.mark.parametrize("text", ["x", "x" * 2000, "\U0001f600" * 2000])
def test_a_room_stays_open_to_those_who_send_little(text: str) -> None:
    room, flooders, person = RoomBudget(ROOM, 0.0), [Sender(text) for _ in range(50)], Sender("hello")
    for step in range(3000):
        now = step / 100
        for flooder in flooders:
            flooder.sends(room, now)
        if step % 50 == 49:
            assert person.sends(room, now)
    assert sum(flooder.sent for flooder in flooders) <= ROOM.burst + 30 * ROOM.per_second


def test_networks_of_one_site_get_no_more_of_a_room() -> None:
    room, site, person = RoomBudget(ROOM, 0.0), AddressBudget(ISSUE.scaled(SITE_FACTOR)), Sender("hello")
    for step in range(1000):
        Sender("x" * 2000, site).sends(room, step / 100)
        if step % 50 == 49:
            assert person.sends(room, step / 100)


@pytest.mark.parametrize(("people", "every_s", "length"), [(50, 1, 400), (10_000, 20, 60), (10, 0.5, 2000)])
def test_ordinary_people_never_use_up_a_rooms_budget(people: int, every_s: float, length: int) -> None:
    room, crowd = RoomBudget(ROOM, 0.0), [Sender("x" * length) for _ in range(people)]
    for number in range(3 * people):
        assert crowd[number % people].sends(room, number / people * every_s)


def test_a_room_without_spare_bytes_shows_no_typing() -> None:
    room = RoomBudget(Rate(1000, 100), 0.0)
    assert [room.spend_spare(0.0, 100) for _ in range(7)] == [True] * 5 + [False] * 2
    assert room.spend_spare(1.0, 100)
    assert room.wait(1.0, 500, 0.0) == 0.0


def test_a_site_is_worth_several_addresses() -> None:
    assert ISSUE.scaled(SITE_FACTOR).sessions == 4000


def times_until(conduct: Conduct, verdict: Verdict, per_second: float, now: float) -> float:
    """When this verdict falls, if its session is refused so often."""
    for _ in range(2000):
        now += 1 / per_second
        if conduct.refused(now) is verdict:
            return now
    raise AssertionError("never")


def test_requests_sent_before_the_warning_do_not_cut_the_session() -> None:
    conduct = Conduct()
    assert [conduct.refused(0.0) for _ in range(20)][-1] is Verdict.WARN
    assert {conduct.refused(0.9) for _ in range(500)} == {Verdict.REFUSE}
    assert [conduct.refused(1.1) for _ in range(20)][-1] is Verdict.CUT


@pytest.mark.parametrize("per_second", [2.5, 20, 1000])
def test_a_flood_is_warned_silenced_and_cut_within_ten_seconds(per_second: float) -> None:
    conduct = Conduct()
    warned = times_until(conduct, Verdict.WARN, per_second, 0.0)
    assert warned == pytest.approx(20 / per_second)
    assert conduct.silent_s(warned) == pytest.approx(10)
    assert times_until(conduct, Verdict.CUT, per_second, warned) <= warned + 10


def test_what_waits_counts_as_if_it_were_refused() -> None:
    conduct = Conduct()
    assert conduct.refused(0.0, waiting=18) is Verdict.REFUSE
    assert conduct.refused(0.1, waiting=18) is Verdict.WARN
    assert conduct.refused(0.5, waiting=64) is Verdict.REFUSE  # it was sent before the warning was read
    assert conduct.refused(1.2, waiting=18) is Verdict.REFUSE
    assert conduct.refused(2.0, waiting=18) is Verdict.CUT


@pytest.mark.parametrize("crowded", [False, True])
def test_old_refusals_do_not_count(crowded: bool) -> None:
    conduct = Conduct()
    conduct.wait_until = 60.0
    for second in range(0, 60, 4):
        assert conduct.refused(second, waiting=1, crowded=crowded) is Verdict.REFUSE


def test_in_a_crowd_few_early_refusals_warn_then_cut() -> None:
    conduct = Conduct()
    conduct.wait_until = 30.0
    verdicts = [conduct.refused(10 + number / 4, crowded=True) for number in range(10)]
    assert verdicts[4::5] == [Verdict.WARN, Verdict.CUT]


def test_no_burst_in_a_crowd_is_cut_before_its_warning() -> None:
    conduct = Conduct()
    verdicts = []
    for number in range(30):
        verdicts.append(conduct.refused(number * 0.0001, waiting=29 - number, crowded=True))
        conduct.wait_until = 10.0
    assert [verdict for verdict in verdicts if verdict is not Verdict.REFUSE] == [Verdict.WARN]
    assert verdicts.index(Verdict.WARN) == 5
    assert conduct.refused(1.2, crowded=True) is Verdict.CUT


def test_in_a_crowd_waiting_as_told_earns_no_warning() -> None:
    conduct = Conduct()
    for second in range(0, 10_000, 10):
        assert conduct.refused(second, crowded=True) is Verdict.REFUSE
        conduct.wait_until = second + 10.0


def test_who_is_refused_now_and_then_is_not_warned() -> None:
    conduct = Conduct()
    assert {conduct.refused(second * 0.6) for second in range(1000)} == {Verdict.REFUSE}


def test_a_sender_that_pauses_is_no_longer_silenced() -> None:
    conduct = Conduct()
    warned = times_until(conduct, Verdict.WARN, 20, 0.0)
    assert conduct.silent_s(warned + 10) == 0
    assert times_until(conduct, Verdict.WARN, 20, warned + 11) > warned + 11


def test_one_flooder_does_not_bar_its_neighbours() -> None:
    budget = AddressBudget(ISSUE)
    for minute in range(5):
        budget.session_cut(minute * 62.0)
        budget.session_cut(minute * 62.0 + 1)
        assert budget.barred_s(minute * 62.0 + 1) == 0


@pytest.mark.parametrize(("scale", "cuts"), [(10, 30), (1, 3), (0.1, 3)])
def test_a_scaled_address_is_barred_after_as_many_more_cuts(scale: float, cuts: int) -> None:
    budget = AddressBudget(ISSUE.scaled(scale))
    for _ in range(cuts - 1):
        budget.session_cut(0.0)
    assert budget.barred_s(0.0) == 0
    budget.session_cut(0.0)
    assert budget.barred_s(0.0) == 10


def test_each_bar_is_twice_as_long_up_to_five_minutes() -> None:
    budget, now, bars = AddressBudget(ISSUE), 0.0, []
    for _ in range(8):
        for _ in range(3):
            budget.session_cut(now)
        bars.append(budget.barred_s(now))
        assert budget.open_session(now) == bars[-1]
        now += bars[-1]
        assert budget.open_session(now) == 0.0
    assert bars == [10, 20, 40, 80, 160, 300, 300, 300]
    now += 601
    for _ in range(3):
        budget.session_cut(now)
    assert budget.barred_s(now) == 10
