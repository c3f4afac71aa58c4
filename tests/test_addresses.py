"""The table of addresses: those in use stay, the others are few and forgotten."""

from __future__ import annotations

import gc
from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from chatroom.addresses import Addresses
from chatroom.core.budgets import Allowance, Kind
from chatroom.core.flood import Rate

SMALL = Allowance(sessions=3, rates={**Allowance().rates, Kind.SESSION: Rate(1000, 1000)})


class Now:
    """A clock that is set."""

    def __init__(self) -> None:
        self.s = 0.0

    def __call__(self) -> float:
        return self.s


def test_little_may_wait_for_many_addresses_together() -> None:
    addresses = Addresses(SMALL.scaled(100), Now(), outbox_bytes=1_000)
    clients = ["192.0.2.1", "192.0.2.2", "2001:db8:1::1", "2001:db8:1:2::1"]
    assert [addresses.account_of(client).hold(250) for client in clients] == [True] * 4
    assert not addresses.account_of(clients[0]).hold(1)


def table(allowance: Allowance = SMALL, most: int = 100_000) -> tuple[Addresses, Now]:
    now = Now()
    return Addresses(allowance, now, most=most), now


def test_each_address_has_its_own_sessions() -> None:
    addresses, _ = table()
    assert [addresses.session_opened("192.0.2.1") for _ in range(3)] == [0.0] * 3
    assert addresses.session_opened("::ffff:192.0.2.1") > 0
    assert addresses.session_opened("192.0.2.2") == 0.0
    addresses.session_closed("192.0.2.1")
    assert addresses.session_opened("192.0.2.1") == 0.0


def test_a_site_has_as_many_as_four_of_its_addresses() -> None:
    addresses, _ = table()
    granted = Counter(
        f"2001:db8:1:{net:x}::"
        for net in range(10)
        for host in range(5)
        if not addresses.session_opened(f"2001:db8:1:{net:x}::{host:x}")
    )
    assert granted == {f"2001:db8:1:{net:x}::": 3 for net in range(4)}
    assert addresses.session_opened("2001:db8:2::1") == 0.0
    addresses.session_closed("2001:db8:1:0::")
    assert addresses.session_opened("2001:db8:1:9::1") == 0.0


def test_a_new_session_has_what_its_address_has_left() -> None:
    addresses, _ = table()
    addresses.session_opened("192.0.2.1")
    for _ in range(60):
        assert addresses.budget_of("192.0.2.1").spend(Kind.MESSAGE, 0.0) == 0.0
    addresses.session_closed("192.0.2.1")
    addresses.session_opened("192.0.2.1")
    assert addresses.budget_of("192.0.2.1").spend(Kind.MESSAGE, 0.0) > 0


def test_the_table_is_bounded_and_those_in_use_stay() -> None:
    addresses, _ = table(most=100)
    inside = [f"192.0.2.{number}" for number in range(50)]
    budgets = []
    for client in inside:
        addresses.session_opened(client)
        budgets.append(addresses.budget_of(client))
    for number in range(10_000):
        addresses.budget_of(f"10.0.{number // 256}.{number % 256}")
        addresses.budget_of(f"2001:db8:{number:x}::1")
        assert len(addresses) <= 101
    assert [addresses.budget_of(client) for client in inside] == budgets


def test_those_who_were_here_last_are_remembered() -> None:
    addresses, _ = table(most=3)
    first = addresses.budget_of("192.0.2.1")
    for number in range(2, 10):
        addresses.budget_of(f"192.0.2.{number}")
        assert addresses.budget_of("192.0.2.1") is first
    for number in range(2, 10):
        addresses.budget_of(f"192.0.2.{number}")
    assert addresses.budget_of("192.0.2.1") is not first


def test_an_address_is_forgotten_after_a_quarter_of_an_hour() -> None:
    addresses, now = table()
    for number in range(200):
        addresses.budget_of(f"2001:db8:{number:x}::1")
    assert len(addresses) == 400
    addresses.session_opened("192.0.2.1")
    now.s = 901
    addresses.forget_expired()
    assert len(addresses) == 1  # who is here stays


def test_a_full_table_takes_little_memory() -> None:
    """With objects that each hold several others it would be hundreds of megabytes."""
    addresses, _ = table()
    gc.collect()
    before = len(gc.get_objects())
    for number in range(1000):
        addresses.budget_of(f"10.0.{number // 256}.{number % 256}")
    gc.collect()
    assert len(gc.get_objects()) - before < 2500


clients = st.sampled_from(
    [
        "192.0.2.1",
        "::ffff:192.0.2.1",
        "192.0.2.2",
        "2001:db8:1::1",
        "2001:db8:1::2",
        "2001:db8:1:1::1",
        "",
        "?",
    ]
)


@given(st.lists(st.tuples(st.booleans(), clients, st.floats(0, 1000)), max_size=60))
def test_any_play_counts_as_a_model_does(steps: list[tuple[bool, str, float]]) -> None:
    addresses, now = table(most=2)
    keys = {
        "192.0.2.1": "a",
        "::ffff:192.0.2.1": "a",
        "2001:db8:1::1": "c",
        "2001:db8:1::2": "c",
        "": "u",
        "?": "u",
    }
    inside: Counter[str] = Counter()
    for opens, client, pause_s in steps:
        now.s += pause_s
        key = keys.get(client, client)
        if opens:
            granted = not addresses.session_opened(client)
            assert granted is (inside[key] < 3)
            inside[key] += granted
        elif inside[key]:
            addresses.session_closed(client)
            inside[key] -= 1
        assert addresses.budget_of(client).sessions == inside[key]


def test_three_hundred_people_load_the_page_within_a_minute() -> None:
    """Each asks for a dozen things, on a slow computer; a thousand requests in a second are too many."""
    addresses, now = table(Allowance())
    for _ in range(300 * 12):
        assert addresses.requests_wait_s("192.0.2.1") == 0.0
        addresses.charge_request("192.0.2.1", 0.0006)
        now.s += 60 / (300 * 12)
    for _ in range(10_000):
        addresses.charge_request("192.0.2.1", 0.0006)
    assert addresses.requests_wait_s("192.0.2.1") > 10.0
    assert addresses.requests_wait_s("192.0.2.2") == 0.0
