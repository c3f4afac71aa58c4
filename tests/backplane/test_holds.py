"""Names held in memory: no more than the bounds."""

from __future__ import annotations

import random
from pathlib import Path

from chatroom.backplane import Claimed, ClaimRequest
from chatroom.backplane.holds import MOST_HELD, Holds
from chatroom.backplane.ids import IdSource
from chatroom.backplane.local import LocalAuthority, RoomRules
from chatroom.core.addresses import Address, counted_address
from chatroom.core.budgets import SITE_FACTOR, Allowance
from chatroom.core.events import Why
from chatroom.core.names import NamePool

NAMES = Path(__file__).parents[2] / "name.txt"


def test_of_too_many_names_the_oldest_is_free() -> None:
    holds = Holds(lambda: 0.0)
    for number in range(MOST_HELD + 1):
        holds.hold("lobby", f"name {number}", f"Name {number}", f"identity {number}", 300)
    assert holds.holder("lobby", "name 0") is None
    assert holds.release("lobby", "identity 0") is None
    assert holds.holder("lobby", "name 1") == "identity 1"
    assert holds.release("lobby", f"identity {MOST_HELD}") == f"Name {MOST_HELD}"


def held(holds: Holds, first: int, addresses: list[Address]) -> list[int]:
    """Hold a name for each of these addresses; returns which of all names are held now."""
    for number, address in enumerate(addresses, first):
        holds.hold(f"room {number % 2}", f"n{number}", f"N{number}", f"i{number}", 300, address)
    last = first + len(addresses)
    return [number for number in range(last) if holds.holder(f"room {number % 2}", f"n{number}")]


def test_one_address_holds_its_latest_names_in_all_rooms() -> None:
    holds = Holds(lambda: 0.0, per_address=2)
    one, other = counted_address("192.0.2.1"), counted_address("192.0.2.2")
    assert held(holds, 0, [one, other, one]) == [0, 1, 2]
    holds.release("room 0", "i2")
    assert held(holds, 3, [one]) == [0, 1, 3]
    assert held(holds, 4, [one, one]) == [1, 4, 5]


def test_an_ipv6_site_holds_four_times_as_many() -> None:
    holds = Holds(lambda: 0.0, per_address=1)
    site = [counted_address(f"2001:db8:1:{number}::1") for number in range(SITE_FACTOR + 1)]
    assert held(holds, 0, site) == list(range(1, SITE_FACTOR + 1))
    assert held(holds, len(site), [counted_address("2001:db8:2::1")]) == list(range(1, SITE_FACTOR + 2))


def test_what_has_expired_counts_for_no_address() -> None:
    now = [0.0]
    holds = Holds(lambda: now[0], per_address=1)
    one = counted_address("192.0.2.1")
    held(holds, 0, [one])
    now[0] = 299.0
    holds.forget_expired()
    assert holds._by_address
    now[0] = 300.0
    holds.forget_expired()
    assert not holds._by_address
    assert not holds._by_key
    assert not holds._by_identity
    held(holds, 0, [one])
    now[0] = 700.0
    assert held(holds, 1, [counted_address("192.0.2.2")]) == [1]
    assert holds._by_address.keys() == {"192.0.2.2"}


def test_one_address_cannot_use_up_the_names() -> None:
    """It connects 5,000 times, and is cut each time."""
    names = NamePool.from_lines(NAMES.read_text(encoding="utf-8").splitlines())
    rules = RoomRules(names, random.Random(7), max_people=None, held_per_address=Allowance().held_names)
    room = LocalAuthority(rules, lambda: 0, lambda: 0.0, IdSource())
    room.start(Nowhere())
    flooder = counted_address("192.0.2.1")
    for number in range(5000):
        request = ClaimRequest(sid=f"f{number}", identity=f"f{number}", claim=number)
        room.claim("lobby", request, lambda _: None)
        room.leave("lobby", request.sid, hold_s=300, address=flooder, why=Why.CUT)
    claimed: list[object] = []
    for number in range(100):
        request = ClaimRequest(sid=f"n{number}", identity=f"n{number}", claim=number)
        room.claim("lobby", request, claimed.append)
    people = [one.person.name for one in claimed if isinstance(one, Claimed)]
    assert len(people) == 100
    assert sum(name in names.names for name in people) >= 90


class Nowhere:
    """Receives a room's feed, and keeps nothing."""

    def deliver(self, room: str, items: object) -> None: ...
    def whispered(self, room: str, whispered: object) -> bool:
        return False

    def typed(self, room: str, who: object) -> None: ...
