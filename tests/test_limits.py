"""The limits that follow from the settings."""

from __future__ import annotations

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
