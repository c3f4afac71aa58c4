"""WebSocket frames: RFC 6455 case by case, and wsproto as the reference both ways."""

import os

import pytest
import wsproto
import wsproto.frame_protocol as reference
from hypothesis import given, settings
from hypothesis import strategies as st
from wsproto.connection import Connection, ConnectionType

from chatroom.engine import frames
from chatroom.engine.frames import Close, FrameParser, Ping, Pong, Violation

KEY = b"\x01\xf2\x03\x84"
MAX = 1000


def masked(first: int, payload: bytes = b"", *, key: bytes = KEY, length: bytes | None = None) -> bytes:
    """A client's frame, with the length spelled as given or as it should be."""
    if length is None:
        unmasked = frames.frame(first & 0xF, payload)
        length = unmasked[1 : len(unmasked) - len(payload)]
    length = bytes((length[0] | 0x80,)) + length[1:]
    return bytes((first,)) + length + key + bytes(b ^ key[i % 4] for i, b in enumerate(payload))


def parse(data: bytes, max_bytes: int = MAX) -> list[frames.Event]:
    return FrameParser(max_bytes).feed(data)


def the_code(data: bytes, max_bytes: int = MAX) -> int:
    """The code of the violation that ends `data`."""
    event = parse(data, max_bytes)[-1]
    assert isinstance(event, Violation)
    return event.code


STREAM = (
    masked(0x81, b"hello")
    + masked(0x82, bytes(range(256)))
    + masked(0x01, b"eu")
    + masked(0x89, b"now")
    + masked(0x00, "ro €"[:-1].encode() + "€".encode()[:1])
    + masked(0x80, "€".encode()[1:])
    + masked(0x8A)
    + masked(0x81, b"")
    + masked(0x88, b"\x03\xe8bye")
)
EVENTS = ["hello", bytes(range(256)), Ping(b"now"), "euro €", Pong(b""), "", Close(1000)]


def test_a_stream_is_the_same_events_wherever_it_is_split() -> None:
    assert parse(STREAM) == EVENTS
    for cut in range(len(STREAM)):
        parser = FrameParser(MAX)
        assert parser.feed(STREAM[:cut]) + parser.feed(STREAM[cut:]) == EVENTS
    parser = FrameParser(MAX)
    assert [event for i in range(len(STREAM)) for event in parser.feed(STREAM[i : i + 1])] == EVENTS


def test_nothing_after_a_close_is_read() -> None:
    parser = FrameParser(MAX)
    assert parser.feed(masked(0x88) + masked(0x81, b"x")) == [Close(frames.NO_STATUS)]
    assert parser.feed(masked(0x81, b"x")) == []


@pytest.mark.parametrize("bit", [0x40, 0x20, 0x10])
@pytest.mark.parametrize("opcode", [0x1, 0x2, 0x8, 0x9])
def test_every_reserved_bit_is_refused(bit: int, opcode: int) -> None:
    assert the_code(masked(0x80 | bit | opcode)) == frames.PROTOCOL_ERROR


@pytest.mark.parametrize("opcode", [3, 4, 5, 6, 7, 0xB, 0xC, 0xD, 0xE, 0xF])
def test_every_reserved_opcode_is_refused(opcode: int) -> None:
    assert the_code(masked(0x80 | opcode)) == frames.PROTOCOL_ERROR


@pytest.mark.parametrize(
    "data",
    [
        frames.frame(frames.TEXT, b"unmasked"),
        masked(0x09, b""),
        masked(0x89, b"x" * 126),
        masked(0x80, b"nothing to continue"),
        masked(0x01, b"a") + masked(0x81, b"a new one in between"),
        masked(0x81, b"x", length=b"\x7e\x00\x01"),
        masked(0x81, b"x", length=b"\x7f" + (1).to_bytes(8, "big")),
        masked(0x81, b"", length=b"\x7f" + (1 << 63).to_bytes(8, "big")),
        masked(0x88, b"\x03"),
        *(
            masked(0x88, code.to_bytes(2, "big"))
            for code in (0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000)
        ),
    ],
)
def test_what_the_rfc_forbids_is_a_protocol_error(data: bytes) -> None:
    assert the_code(data) == frames.PROTOCOL_ERROR


def test_a_violation_in_the_first_two_bytes_is_immediate() -> None:
    assert the_code(b"\xf1\xff") == frames.PROTOCOL_ERROR


@pytest.mark.parametrize("text", [b"\xff", b"\xed\xa0\x80", b"\xc0\xaf", b"\xf4\x90\x80\x80", b"\xe2\x82"])
def test_text_that_is_not_utf8_is_bad_data(text: bytes) -> None:
    assert the_code(masked(0x81, text)) == frames.BAD_DATA
    assert the_code(masked(0x88, b"\x03\xe8" + text)) == frames.BAD_DATA


def test_a_message_is_bounded_before_it_is_kept() -> None:
    assert parse(masked(0x82, b"x" * MAX)) == [b"x" * MAX]
    assert the_code(b"\x82\xff" + (1 << 40).to_bytes(8, "big")) == frames.TOO_BIG
    assert the_code(b"\x82\xfe" + (MAX + 1).to_bytes(2, "big")) == frames.TOO_BIG


def test_a_reassembled_message_is_bounded() -> None:
    parser = FrameParser(MAX)
    assert parser.feed(masked(0x02, b"x" * 600) + masked(0x89, b"p")) == [Ping(b"p")]
    (event,) = parser.feed(b"\x00" + masked(0, b"x" * 401)[1:4])
    assert event == Violation(frames.TOO_BIG, "message too big")


def test_a_message_in_endless_empty_fragments_takes_no_room() -> None:
    parser = FrameParser(MAX)
    parser.feed(masked(0x02, b"x"))
    for _ in range(1000):
        assert parser.feed(masked(0x00)) == []
    assert parser.feed(masked(0x80)) == [b"x"]


def test_a_long_frame_in_tiny_pieces_is_copied_once() -> None:
    payload = os.urandom(100_000)
    data = masked(0x82, payload)
    parser = FrameParser(1_000_000)
    events = [event for start in range(0, len(data), 7) for event in parser.feed(data[start : start + 7])]
    assert events == [payload]


@given(st.binary(max_size=300), st.binary(min_size=4, max_size=4))
@settings(max_examples=25)
def test_unmasking_is_xor(payload: bytes, key: bytes) -> None:
    assert frames.unmask(payload, key) == bytes(b ^ key[i % 4] for i, b in enumerate(payload))


messages = st.lists(
    st.text(max_size=200) | st.binary(max_size=200) | st.integers(65_000, 66_000).map(bytes), max_size=5
)


@given(messages, st.integers(1, 100))
@settings(max_examples=25)
def test_we_read_what_the_reference_writes(sent: list[str | bytes], cut: int) -> None:
    client = Connection(ConnectionType.CLIENT)
    data = b"".join(
        client.send(wsproto.events.TextMessage(data=message))
        if isinstance(message, str)
        else client.send(wsproto.events.BytesMessage(data=message))
        for message in sent
    )
    parser = FrameParser(100_000)
    step = max(1, len(data) * cut // 100)
    assert [
        event for start in range(0, len(data), step) for event in parser.feed(data[start : start + step])
    ] == sent


@given(messages)
@settings(max_examples=25)
def test_the_reference_reads_what_we_write(sent: list[str | bytes]) -> None:
    client = Connection(ConnectionType.CLIENT)
    for message in sent:
        if isinstance(message, str):
            client.receive_data(frames.frame(frames.TEXT, message.encode()))
        else:
            client.receive_data(frames.frame(frames.BINARY, message))
    client.receive_data(frames.frame(frames.PING, b"p") + frames.close_frame(frames.GOING_AWAY))
    read: list[object] = []
    text, data = "", b""
    for event in client.events():
        if isinstance(event, wsproto.events.TextMessage):
            text += event.data
            if event.message_finished:
                read.append(text)
                text = ""
        elif isinstance(event, wsproto.events.BytesMessage):
            data += event.data
            if event.message_finished:
                read.append(data)
                data = b""
        else:
            read.append(event)
    assert read[: len(sent)] == sent
    assert isinstance(read[-2], wsproto.events.Ping)
    assert isinstance(read[-1], wsproto.events.CloseConnection)
    assert read[-1].code == frames.GOING_AWAY


@given(st.binary(max_size=60))
@settings(max_examples=150)
def test_any_input_ends_as_in_the_reference(data: bytes) -> None:
    """Random bytes: either both refuse, or both read the same messages."""
    parser = FrameParser(1 << 62)
    ours = parser.feed(data)
    decoder = reference.FrameProtocol(client=False, extensions=[])
    decoder.receive_bytes(data)
    theirs: list[reference.Opcode] = []
    refused = False
    try:
        for got in decoder.received_frames():
            theirs.append(got.opcode)
            if got.opcode is reference.Opcode.CLOSE:
                break
    except reference.ParseFailed:
        refused = True
    ended = bool(ours) and isinstance(ours[-1], Violation)
    # The reference also looks into text that is not whole yet.
    assert ended or not refused or parser._parts is not None
    if not ended and not refused:
        assert len([event for event in ours if not isinstance(event, str | bytes)]) == len(
            [opcode for opcode in theirs if opcode.iscontrol()]
        )


def test_a_frame_is_read_in_pieces_of_its_own_length() -> None:
    parser = FrameParser(1_000_000)
    parser.feed(b"\x89\x80\0\0\0\0" * 10 + b"\x89")
    assert (parser.useless, parser.missing) == (10, 1)
    parser.feed(b"\x80\0\0\0\0\x82\xff" + (500_000).to_bytes(8, "big") + b"\0\0\0\0")
    assert parser.missing == 500_000
    parser.feed(bytes(400_000))
    assert (parser.missing, parser.unfinished) == (100_000, 400_014)
    parser.feed(bytes(100_000))
    assert (parser.missing, parser.unfinished) == (0, 0)
