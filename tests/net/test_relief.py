"""Slow readers are dropped when too much waits: whose, how many, and how many in one turn."""

from __future__ import annotations

from functools import partial

from chatroom.core.budgets import AddressBudget, Allowance, Outboxes
from chatroom.net.gate import Account
from chatroom.net.relief import Relief, Waiting
from tests.support.inside import until


class Readers:
    """Clients for whom something waits, in one or two gateways."""

    def __init__(self, most: int, most_of_one: int = 64_000) -> None:
        self._outboxes = Outboxes(most)
        self._allowance = Allowance(outbox_bytes=most_of_one)
        self.waiting: dict[str, tuple[AddressBudget, int]] = {}
        self.dropped: list[str] = []
        self.relief = Relief()
        for first in (True, False):
            self.relief.include(partial(self._source, first))

    def address(self, site: AddressBudget | None = None) -> AddressBudget:
        return AddressBudget(self._allowance, site, self._outboxes)

    def hold(self, name: str, account: AddressBudget, size: int) -> None:
        """So much waits for a client now."""
        self.waiting[name] = account, size
        if not account.hold(size):
            self.relief.relieve(account)

    def _source(self, first: bool, account: Account | None) -> list[Waiting]:
        return [
            Waiting(own, size, partial(self._drop, name))
            for name, (own, size) in self.waiting.items()
            if (account is None or own is account) and (name < "m") == first
        ]

    def _drop(self, name: str) -> None:
        account, size = self.waiting.pop(name)
        account.hold(-size)
        self.dropped.append(name)


def test_the_address_with_the_most_loses_its_slowest_readers() -> None:
    readers = Readers(999)
    few, many = readers.address(), readers.address()
    for name, size in {"a": 190, "b": 100, "n": 200, "o": 10}.items():
        readers.hold(name, many, size)
    readers.hold("c", few, 300)
    readers.hold("d", few, 200)
    assert not readers.dropped
    until(lambda: not readers.relief._busy)
    assert readers.dropped == ["n"]  # of 1,000 bytes an eighth
    assert few.hold(0)


def test_neighbours_count_together_when_all_have_too_much() -> None:
    readers = Readers(999)
    site = AddressBudget(Allowance())
    for name in "abcdefghn":
        readers.hold(name, readers.address(site), 80)
    readers.hold("o", readers.address(), 300)
    until(lambda: not readers.relief._busy)
    assert len(readers.dropped) == 2
    assert "o" not in readers.dropped


def test_an_address_above_its_own_bound_relieves_itself() -> None:
    readers = Readers(999, most_of_one=100)
    readers.hold("a", readers.address(), 100)
    small = readers.address()
    for name in "bn":
        readers.hold(name, small, 51)
    until(lambda: not readers.relief._busy)
    assert len(readers.dropped) == 1
    assert "a" in readers.waiting


def test_nobody_is_dropped_if_enough_was_read_meanwhile() -> None:
    readers = Readers(99)
    address = readers.address()
    readers.hold("a", address, 100)
    address.hold(-1)
    until(lambda: not readers.relief._busy)
    assert not readers.dropped
