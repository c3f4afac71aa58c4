"""The limits that follow from the settings."""

from __future__ import annotations

import pytest

from chatroom.core.budgets import SESSION_RATES, Kind
from chatroom.core.flood import Rate
from chatroom.limits import session_limits
from chatroom.settings import Settings


def test_a_scale_multiplies_what_a_session_may_do() -> None:
    settings = Settings.read(["--address-scale", "10", "--message-rate", "3"], {})
    rates = session_limits(settings).rates
    assert rates[Kind.MESSAGE] == Rate(settings.message_burst, 3)
    for kind, rate in SESSION_RATES.items():
        assert rates[kind] == Rate(rate.burst * 10, rate.per_second * 10)


@pytest.mark.parametrize("scale", ["0.1", "1", "1000"])
def test_what_a_room_may_receive_fits_its_readers_outboxes(scale: str) -> None:
    settings = Settings.read(["--address-scale", scale, "--outbox-limit", "100000"], {})
    assert session_limits(settings).room_bytes == Rate(50_000, 100_000)
