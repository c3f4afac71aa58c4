"""What the wire says of a malformed request."""

import json
from itertools import product

import pytest

from chatroom.core.errors import BadRequest
from chatroom.gateways.socketio import wire
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
    *(
        "reciever",
        "recieverName",
        "recipent",
        "recipiant",
        "recepient",
        "RECIPIENTS",
        "traget",
        "targt",
        "tragetId",
    ),
    *(
        "adressee",
        "addresse",
        "destnation",
        "destenation",
        "whipser",
        "wihsper",
        "prvate",
        "pirvateMsg",
        "too",
    ),
    *(
        "to_sdi",
        "tо",
        "то",
        "ещ",
        "visible_to",
        "visibleTo",
        "发给",
        "接收者",
        "宛先",
        "받는사람",
        "получатель",
        "của",
    ),
    *(
        "destinataire",
        "sendPrivately",
        "userTo2",
        "toUser",
        "to-user",
        "cc",
        "onlyFor",
        "audience",
        "hidden_from",
    ),
    *("isOnly", "TOSID", "ｔｏ＿ｓｉｄ", "t.o", "to_" * 9),
]
NOT_FOR_ALL: list[tuple[str, object]] = [
    *product(("public", "is_public", "publc", "isPublic"), ("false", 0, "no", False)),
    *product(("scope", "channel", "type", "visibility"), ("private", "wisper")),
    *product(("visibility", "visible"), ("members", False, None, ["Bob"])),
    ("channel", "@Bob"),
    ("messageType", "私聊"),
    ("options", {"to": "Bob"}),
    ("meta", {"private": True}),
    ("meta", [{"a": {"b": [{"reciever": 1}]}}]),
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
        *(({"action": "message", "msg": "x", field: value}, field) for field, value in NOT_FOR_ALL),
        ({"action": "whisper", "msg": "x", "to": "Ming", "to_sdi": "s1"}, "to_sdi"),
        ({"action": "whisper", "msg": "x", "to": "Bob", "too": "Kim"}, "too"),
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


HARMLESS = """
    username sid id time v cid room lang user token topic tone total photo format form reply reply_to replyTo
    in_reply_to inReplyToId color colour style type timestamp meta directory online text body content title avatar icon
    image url link links file files size width height mime price score version client device platform app build locale
    tz timezone seq index offset count nonce hash signature sig key session room_id roomId nick name names nickname from
    sender sender_id author origin source thread parent quote mention mentions tags emoji reaction reactions pinned
    edited edited_at editedAt created_at sent_at sentAt received received_at viewed_at ts ttl expires retry attempt
    attachments embeds components data payload extra options html markdown language ping pong typing status state level
    priority path position direction secure recipe header headers footer render reader tooltip tool tools stop story
    auto photos customer custom motto tomato touch torn toast toggle total_tokens info into_view
"""


def test_keys_that_name_no_recipient_are_ignored() -> None:
    for key in HARMLESS.split():
        values: list[object] = ["x", 5, True, None, [], {"id": 1}]
        for value in values:
            extra: dict[str, object] = {} if key == "cid" else {key: value}
            assert read_request([{"action": "message", "msg": "x", **extra}]) == Message("x"), key
    others: dict[str, object] = {
        "public": True,
        "mode": "text",
        "kind": "topic",
        "channel": "general",
        "scope": "room",
        "link": {"title": "t", "image": {"url": "u", "width": 5}},
        "waveform": [1, 2, 3],
        "": 1,
    }
    assert read_request([{"action": "message", "msg": "x", **others}]) == Message("x")


def test_a_text_with_too_many_fields_is_refused() -> None:
    nested: object = {}
    for _ in range(10):
        nested = {"a": nested}
    too_many: list[dict[str, object]] = [
        {f"field {number}": 1 for number in range(63)},
        {"meta": {f"field {number}": 1 for number in range(64)}},
        {"meta": [{}] * 65},
        {"meta": nested},
        {"x" * 1025: 1},
    ]
    for others in too_many:
        with pytest.raises(BadRequest):
            read_request([{"action": "message", "msg": "x", **others}])


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
