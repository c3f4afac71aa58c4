"""What the log has of failures."""

from __future__ import annotations

import logging

import pytest

from chatroom.net.faults import Faults


def test_a_repeated_failure_is_counted_in_its_next_line(caplog: pytest.LogCaptureFixture) -> None:
    now = 0.0
    faults = Faults(logging.getLogger("chatroom.test"), lambda: now)
    for second in (0, 1, 59, 60, 61, 130):
        now = float(second)
        faults.report("a request failed", ValueError("what people write"))
    endings = [message.partition(" at ")[2] for message in caplog.messages]
    assert endings == ["", " (2 more since the last such line)", " (1 more since the last such line)"]
    for number in range(200):
        faults.report(f"another {number}", ValueError())
    assert len(caplog.records) == 203
