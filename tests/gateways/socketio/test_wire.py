"""What the wire says of a malformed request."""

import pytest

from chatroom.core.errors import BadRequest
from chatroom.gateways.socketio.wire import Message, read_auth, read_request
from chatroom.gateways.words import WORDS

NO_NAMES: tuple[object, ...] = ("", None, False, [])
RECIPIENTS = [
    *(
        "To",
        "toSid",
        "to_id",
        "TO-NAME",
        "ｔｏ",
        "to\u200b",
        "to[]",
        f"t{'_' * 40}o",
        "sendTo",
        "to_username",
    ),
    *("recipient", "recipientName", "target_sid", "receiverId", "destination", "whom", "dm", "PM", "whisper"),
    *(
        "rcpt",
        "dest",
        "dst",
        "for",
        "user_to",
        "userTo",
        "sid_to",
        "only",
        "peer",
        "partnerSid",
        "toWho",
        "direct",
    ),
    *(
        "secret",
        "wisper",
        "whsiper",
        "privat",
        "prviate",
        "priv",
        "ot",
        "tp",
        "t0",
        "收件人",
        "对",
        "私聊",
        "Кому",
    ),
    *("private", "isPrivate", "in_private", "privateTo", f"recipient_{'x' * 100}"),
]


@pytest.mark.parametrize(
    ("request_fields", "field"),
    [
        ({"action": "message", "msg": 5}, "msg"),
        ({"action": "message"}, "msg"),
        ({"action": "history", "limit": 0}, "limit"),
        ({"action": "whisper", "msg": "x", "to": "Bob", "to_sid": None}, "to_sid"),
        *(({"action": "message", "msg": "x", "to": value}, "to") for value in NO_NAMES),
        ({"action": "send msg", "msg": "x", "to_sid": None}, "to_sid"),
        *(({"action": "message", "msg": "x", key: "Bob"}, key) for key in RECIPIENTS),
        *(({"action": "message", "msg": "x", key: False}, key) for key in ("typed", "confirmed")),
        ({"action": "whisper", "msg": "x", "to": "Bob", "toSid": "s1"}, "toSid"),
        ({"action": "whisper", "msg": "x"}, "to"),
        ({"action": "message", "msg": "x", "public": False}, "public"),
        ({"action": "message", "msg": "x", "type": "whisper"}, "type"),
        ({"action": "message", "msg": "x", "Visibility": "Private"}, "Visibility"),
    ],
)
def test_a_malformed_request_names_its_field(request_fields: dict[str, object], field: str) -> None:
    with pytest.raises(BadRequest) as refused:
        read_request([request_fields])
    assert refused.value.params == {"field": field}
    assert f"the field {field} is missing" in WORDS["en"].refusal(refused.value)


def test_keys_that_name_no_recipient_are_ignored() -> None:
    claims = {
        "username": "Bob",
        "sid": "s1",
        "id": "1",
        "time": "now",
        "room": "den",
        "reply_to": "1",
        "v": 1,
    }
    others: dict[str, object] = dict.fromkeys(
        ("token", "topic", "tone", "user", "type", "timestamp", "meta", "lang", "in_reply_to", "的")
    )
    others |= {
        "public": True,
        "mode": "text",
        "kind": "topic",
        "directory": "/",
        "format": "plain",
        "online": True,
    }
    assert read_request([{"action": "message", "msg": "x", **claims, **others}]) == Message("x")


def test_a_text_with_too_many_fields_is_refused() -> None:
    others = {f"field {number}": 1 for number in range(63)}
    with pytest.raises(BadRequest):
        read_request([{"action": "message", "msg": "x", **others}])


def test_a_malformed_auth_names_its_field() -> None:
    with pytest.raises(BadRequest) as refused:
        read_auth({"room": 5})
    assert refused.value.params == {"field": "room"}
