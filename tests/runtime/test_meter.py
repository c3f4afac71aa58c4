"""How much computing time an event takes, without asking the system for it each time."""

from __future__ import annotations

import pytest

from chatroom.runtime import Meter


class Machine:
    """Its clocks, which only move when something is done."""

    def __init__(self) -> None:
        self.now = self.computed_s = 0.0
        self.questions = 0

    def computes(self, seconds: float) -> None:
        self.now += seconds
        self.computed_s += seconds

    def computed(self) -> float:
        self.questions += 1
        return self.computed_s


@pytest.fixture
def machine() -> Machine:
    return Machine()


@pytest.fixture
def meter(machine: Machine) -> Meter:
    return Meter(lambda: machine.now, machine.computed)


def test_the_system_is_asked_twice_per_millisecond(machine: Machine, meter: Meter) -> None:
    for _ in range(1000):
        began = meter.begin()
        machine.computes(0.0001)
        assert meter.took_s(began) == pytest.approx(0.0001)
    assert machine.questions <= 200


def test_a_long_event_is_charged_what_it_has_computed(machine: Machine, meter: Meter) -> None:
    meter.begin()
    machine.computes(0.0004)
    began = meter.begin()
    machine.computes(0.002)
    machine.now += 10.0  # other programs run
    assert 0.002 <= meter.took_s(began) <= 0.0025


def test_an_event_after_a_long_one_pays_its_own_time(machine: Machine, meter: Meter) -> None:
    meter.took_s(meter.begin())
    began = meter.begin()
    machine.computes(0.01)
    meter.took_s(began)
    began = meter.begin()
    machine.computes(0.0001)
    machine.now += 10.0  # other programs run
    assert meter.took_s(began) == pytest.approx(0.0001)


def test_no_event_is_charged_more_than_has_passed(machine: Machine, meter: Meter) -> None:
    meter.begin()
    machine.computes(0.0004)
    began = meter.begin()
    machine.computes(0.001)
    assert meter.took_s(began) == pytest.approx(0.001)


def test_a_share_of_time_is_judged_without_asking_before(machine: Machine, meter: Meter) -> None:
    began = meter.begin()
    for _ in range(29):
        machine.computes(0.0001)
        assert not meter.has_taken(began, 0.003)
    assert machine.questions == 1
    machine.now += 10.0  # other programs run
    assert not meter.has_taken(began, 0.003)
    machine.computes(0.0002)
    assert meter.has_taken(began, 0.003)
