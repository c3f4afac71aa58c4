"""What the wire says of a malformed request."""

import pytest

from chatroom.core.errors import BadRequest
from chatroom.gateways.socketio.wire import read_auth, read_request
from chatroom.gateways.words import WORDS


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
