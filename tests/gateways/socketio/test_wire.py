"""What the wire says of a malformed request."""

import json

import pytest

from chatroom.core.errors import BadRequest
from chatroom.gateways.socketio import wire
from chatroom.gateways.socketio.wire import Message, read_auth, read_request
from chatroom.gateways.words import WORDS

NO_NAMES: tuple[object, ...] = ("", None, False, [])
NOT_FOR_ALL: list[tuple[str, object]] = [
    *(
        (key, "Bob")
        for key in ("To", "toSid", "sendTo", "recipient", "reciever", "ｔｏ", "to\u200b", "收件人", "私聊")
    ),
    *(
        (key, "Bob")
        for key in ("user", "user_id", "userId", "member", "person", "nick", "ro", "t", "@", "channel", "")
    ),
    *((key, "s1") for key in ("chat_id", "socket_id", "room_id", "roomId", "conversation")),
    *((key, False) for key in ("broadcast", "all", "public", "typed", "confirmed", "true")),
    ("subtype", "whisper"),
    ("mode", "w"),
    ("scope", "members"),
    *(("type", value) for value in ("whisper", "w", True)),
    ("type", ["text"]),
    ("options", {"to": "Bob"}),
    ("meta", [{"a": {"b": [{"reciever": 1}]}}]),
    ("room", 5),
    ("room", {"name": "Bob"}),
    *((key, "Bob") for key in ("reply_to", "in_reply_to", "replyTo", "inReplyTo", "bot", "isBot")),
    *(("reply_to", value) for value in ({"to": "Bob"}, ["Bob"], True, "", "5", "1700000000000-00000x")),
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
        ({"action": "whisper", "msg": "x", "to": "Bob", "toSid": "s1"}, "toSid"),
        ({"action": "whisper", "msg": "x"}, "to"),
        *(({"action": "message", "msg": "x", field: value}, field) for field, value in NOT_FOR_ALL),
        ({"action": "whisper", "msg": "x", "to": "Ming", "to_sdi": "s1"}, "to_sdi"),
        ({"action": "whisper", "msg": "x", "to": "Bob", "too": "Kim"}, "too"),
    ],
)
def test_a_malformed_request_names_its_field(request_fields: dict[str, object], field: str) -> None:
    with pytest.raises(BadRequest) as refused:
        read_request([request_fields])
    assert refused.value.params == {"field": field}
    assert f"the field {field} is missing" in WORDS["en"].refusal(refused.value)


IGNORED = """
    username sid id time name_list count v lang token mine edited reactions timestamp ts nonce color avatar
    sender author uuid msgId message_id created_at sentAt platform version user_agent
"""


def test_fields_that_name_no_recipient_are_ignored() -> None:
    for key in IGNORED.split():
        values: list[object] = ["x", 5, True, None, [], {"id": 1}]
        for value in values:
            assert read_request([{"action": "message", "msg": "x", key: value}]) == Message("x"), key
    others = {
        "reply_to": "1700000000000-000001",
        "in_reply_to": 5,
        "replyTo": None,
        "bot": True,
        "type": "text",
    }
    assert read_request([{"action": "message", "msg": "x", **others}]) == Message("x")


def test_the_name_of_an_unknown_field_is_shortened() -> None:
    with pytest.raises(BadRequest) as refused:
        read_request([{"action": "message", "msg": "x", "x" * 1000: 1}])
    assert refused.value.params == {"field": "x" * 64}


def test_a_malformed_auth_names_its_field() -> None:
    with pytest.raises(BadRequest) as refused:
        read_auth({"room": 5})
    assert refused.value.params == {"field": "room"}


def test_the_longest_requests_are_within_the_bounds() -> None:
    def escaped(length: int) -> str:
        return "\U0001f600" * length

    string, longest = escaped(wire._MAX_STRING), 2000
    whisper = {
        "action": "whisper",
        "msg": escaped(longest),
        "to": string,
        "to_sid": string,
        "cid": escaped(64),
    }
    auth = dict.fromkeys(("room", "username", "token", "after", "lang"), string)
    assert len(json.dumps(["msg", whisper])) <= wire.max_event(longest)
    assert len(json.dumps({**auth, "roster": "delta", "v": 1})) <= wire.MAX_AUTH
    assert json.dumps(["msg", {**whisper, "msg": "," * longest}]).count(",") <= wire.max_commas(longest)
    read_request([whisper])
    wire.read_auth(auth)
