"""Engine.IO packets and payloads, as the protocol document writes them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatroom.engine import packets
from chatroom.engine.packets import PacketError, message_text, parse_packet, parse_payload


def test_a_packet_is_its_type_and_its_data() -> None:
    assert parse_packet("4hello") == (packets.MESSAGE, "hello")
    assert parse_packet("2probe") == (packets.PING, "probe")
    assert parse_packet("1") == (packets.CLOSE, "")


@pytest.mark.parametrize("text", ["", "abc", "7", "9x", "-1", "٤x", "b", " 4"])
def test_what_begins_with_no_type_is_no_packet(text: str) -> None:
    with pytest.raises(PacketError):
        parse_packet(text)


def test_a_payload_holds_packets_in_order_and_binary_in_base64() -> None:
    assert parse_payload(b"4hello\x1e4euro \xe2\x82\xac\x1ebAQIDBA==") == [
        (packets.MESSAGE, "hello"),
        (packets.MESSAGE, "euro €"),
        (packets.MESSAGE, b"\x01\x02\x03\x04"),
    ]


@pytest.mark.parametrize(
    "body",
    [b"", b"abc", b"4a\x1e", b"\x1e4a", b"4\xff", b"bAQID*", b"bAQI", b"b\xc3\xa9", b"4a\x1e" * 5000 + b"4"],
)
def test_a_malformed_payload_is_refused_whole(body: bytes) -> None:
    with pytest.raises(PacketError):
        parse_payload(body)


@given(st.lists(st.binary() | st.text(st.characters(codec="utf-8", exclude_characters="\x1e")), min_size=1))
def test_messages_survive_a_payload(messages: list[str | bytes]) -> None:
    body = packets.join_payload([message_text(message).encode() for message in messages])
    assert parse_payload(body) == [(packets.MESSAGE, message) for message in messages]


def test_many_pollers_share_one_packet() -> None:
    text = '2["msg",{}]' * 100
    assert packets.text_packet(text) is packets.text_packet(text)
    assert packets.text_packet(text) == packets.MESSAGE + text
