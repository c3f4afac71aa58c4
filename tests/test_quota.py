"""What a session may still do: a refusal takes nothing, and what counting a message costs."""

from __future__ import annotations

import gc
import heapq
import sys
from types import FrameType

import pytest

from chatroom.core.budgets import AddressBudget, Allowance, Kind
from chatroom.core.conduct import Verdict
from chatroom.core.errors import RateLimited
from chatroom.core.flood import Rate
from chatroom.core.room_budget import RoomBudget
from chatroom.quota import Quota

LITTLE = Allowance(rates={Kind.MESSAGE: Rate(1, 1)})
LARGE = Rate(1e9, 1e9)
MOST_CALLS = 42  # per message, of a thousand in all


class Crowd:
    """Budgets that are shared, and a clock that stands still."""

    def __init__(self, allowance: Allowance = LITTLE, room: Rate = LARGE) -> None:
        self.now = 0.0
        self.room = RoomBudget(room, self.now)
        self.address = AddressBudget(allowance)

    def quota(self, rate: Rate) -> Quota:
        return Quota({Kind.MESSAGE: rate, Kind.EVENT: LARGE}, self.address, lambda: self.now)

    def refused_s(self, quota: Quota) -> float:
        """For how long a message is refused; 0 if it is not."""
        try:
            quota.spend_text("hello", self.room)
        except RateLimited as refused:
            return float(str(refused.params["retry_after"]))
        return 0.0


def test_a_refusal_by_the_address_takes_nothing_from_the_session() -> None:
    crowd = Crowd()
    quota = crowd.quota(Rate(2, 0.001))
    assert [crowd.refused_s(quota) for _ in range(5)] == [0.0, 1.0, 1.0, 1.0, 1.0]
    crowd.now = 1.0
    assert crowd.refused_s(quota) == 0.0


def test_a_refusal_by_the_session_takes_nothing_from_the_address() -> None:
    crowd = Crowd(Allowance(rates={Kind.MESSAGE: Rate(2, 1)}))
    quota = crowd.quota(Rate(1, 0.001))
    assert [crowd.refused_s(quota) for _ in range(3)] == [0.0, 1000.0, 1000.0]
    assert crowd.refused_s(crowd.quota(LARGE)) == 0.0


def test_a_refusal_by_the_room_takes_nothing_from_anyone() -> None:
    crowd = Crowd(Allowance(rates={Kind.MESSAGE: Rate(2, 0.001)}), Rate(1000, 1))
    quota = crowd.quota(Rate(2, 0.001))
    assert not crowd.room.spend(0.0, 900, 0.0)
    assert crowd.refused_s(quota) > 0
    crowd.room = RoomBudget(LARGE, 0.0)
    assert [crowd.refused_s(quota) for _ in range(2)] == [0.0, 0.0]


def test_the_longest_wait_is_the_answer() -> None:
    crowd = Crowd()
    quota = crowd.quota(Rate(1, 0.5))
    assert [crowd.refused_s(quota) for _ in range(2)] == [0.0, 2.0]
    crowd.room = RoomBudget(Rate(1, 0.25), 0.0)
    assert not crowd.room.spend(0.0, 1, 0.0)
    assert crowd.refused_s(quota) == 4.0


def test_counting_a_message_takes_few_calls() -> None:
    crowd, calls = Crowd(Allowance()), 0
    quota = crowd.quota(LARGE)

    def count(_frame: FrameType, event: str, _function: object) -> None:
        nonlocal calls
        calls += event in ("call", "c_call")

    def handle_message() -> None:
        quota.spend_event(100)
        assert not crowd.refused_s(quota)
        quota.charge_cpu(0.00001)

    handle_message()
    before = sys.getprofile()
    gc.disable()  # hypothesis has the collector call it, which is no cost of a message
    sys.setprofile(count)
    handle_message()
    sys.setprofile(before)
    gc.enable()
    assert calls <= MOST_CALLS


def test_an_event_is_charged_what_it_took() -> None:
    crowd = Crowd(Allowance())
    quota = crowd.quota(LARGE)
    burst = Allowance().rates[Kind.CPU].burst
    quota.charge_cpu(10.0)  # once, it can be what was done for others meanwhile
    quota.spend_event()
    quota.charge_cpu(burst / 2)
    with pytest.raises(RateLimited):
        quota.spend_event()


def test_sessions_that_are_each_refused_a_little_are_cut_together() -> None:
    crowd, cut, refused = Crowd(Allowance()), set(), 0
    quotas = [crowd.quota(LARGE) for _ in range(290)]
    for step in range(1, 21):  # for 10 s, each is refused 19 times
        crowd.now = step / 2
        for number, quota in enumerate(quotas):
            if number not in cut and step % 20:
                refused += 1
                if quota.refused(RateLimited(retry_after=0.1))[0] is Verdict.CUT:
                    cut.add(number)
    assert len(cut) == len(quotas)
    assert refused < 290 * 13


def test_people_who_wait_as_told_are_never_warned() -> None:
    """Of one address, 300 people send 15 messages/s, of which it may send 9."""
    crowd, sent, warned = Crowd(Allowance()), 0, 0
    quotas = [crowd.quota(Rate(10, 2)) for _ in range(300)]
    due = [(20 * number / 300, number) for number in range(300)]
    heapq.heapify(due)
    while (first := heapq.heappop(due))[0] < 300:
        crowd.now, number = first
        try:
            quotas[number].spend_text("hello", None)
        except RateLimited as limited:
            verdict, refused = quotas[number].refused(limited)
            warned += verdict is not Verdict.REFUSE
            heapq.heappush(due, (crowd.now + max(0.1, refused.retry_after), number))
        else:
            sent += 1
            heapq.heappush(due, (crowd.now + 20, number))
    assert warned == 0
    assert sent > 0.9 * 9 * 300
