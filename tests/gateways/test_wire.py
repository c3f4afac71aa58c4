"""What the wire says: moments."""

import pytest

from chatroom.core.errors import BadRequest
from chatroom.gateways.wire import read_auth, read_request, time_text
from chatroom.gateways.words import WORDS


@pytest.mark.parametrize(
    ("at_ms", "text"),
    [
        (0, "1970-01-01T00:00:00.000Z"),
        (999, "1970-01-01T00:00:00.999Z"),
        (1_000, "1970-01-01T00:00:01.000Z"),
        (951_782_400_007, "2000-02-29T00:00:00.007Z"),
        (1_763_736_123_456, "2025-11-21T14:42:03.456Z"),
        (253_402_300_799_999, "9999-12-31T23:59:59.999Z"),
        (-1, "1969-12-31T23:59:59.999Z"),
    ],
)
def test_a_moment_is_told_in_utc_to_the_millisecond(at_ms: int, text: str) -> None:
    assert time_text(at_ms) == text
    assert time_text(at_ms) == text  # from the cache as well


@pytest.mark.parametrize(
    ("request_fields", "field"),
    [
        ({"action": "message", "msg": 5}, "msg"),
        ({"action": "message"}, "msg"),
        ({"action": "history", "limit": 0}, "limit"),
        ({"action": "whisper", "msg": "x", "to": "Bob", "to_sid": None}, "to_sid"),
    ],
)
def test_a_malformed_request_names_its_field(request_fields: dict[str, object], field: str) -> None:
    with pytest.raises(BadRequest) as refused:
        read_request([request_fields])
    assert refused.value.params == {"field": field}
    assert f"the field {field} is missing" in WORDS["en"].refusal(refused.value)


def test_a_malformed_auth_names_its_field() -> None:
    with pytest.raises(BadRequest) as refused:
        read_auth({"room": 5})
    assert refused.value.params == {"field": "room"}
