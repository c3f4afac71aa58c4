"""The line codec alone: bytes in, lines out, however they are cut."""

from __future__ import annotations

import itertools
import random
import unicodedata
from collections.abc import Callable

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from chatroom.core.text import clean
from chatroom.gateways.line.codec import (
    Edited,
    LineDecoder,
    NotUtf8,
    Overlong,
    PartlyUtf8,
    encode_line,
    longest_line,
)

MAX_TEXT = 2000
MAX_LINE_BYTES = longest_line(MAX_TEXT)


def decode(*pieces: bytes) -> list[str | Overlong]:
    return decode_with(LineDecoder(MAX_LINE_BYTES), *pieces)


def decode_with(decoder: LineDecoder, *pieces: bytes) -> list[str | Overlong]:
    lines: list[str | Overlong] = []
    for piece in pieces:
        decoder.receive(piece)
        while (line := decoder.next_line()) is not None:
            lines.append(line)
    return lines


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r\0", b"\r"])
def test_a_line_ends_with_any_of_the_ends(end: bytes) -> None:
    assert decode(b"one" + end + b"two" + end) == ["one", "two"]


HELLO = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(range(32))
STUN = b"\x00\x01\x00\x00\x21\x12\xa4\x42" + b"transactions"


@pytest.mark.parametrize(
    "sent",
    [
        HELLO,
        b"\x16\x03\x01\n",
        b"\x16\x03" + b"x" * (MAX_LINE_BYTES + 1) + b"\n",
        STUN,
        b"\0",
        b"\r\n\n \n" + HELLO,  # after empty lines
        b"hel\0lo\n",
        b"\n\0",
        b"\r\n\0",
        b"\x05\x01\x00",  # SOCKS
        b"\x03\x00\x00\x13\x0e\xe0\x00\x00",  # RDP
    ],
)
@pytest.mark.parametrize("step", [1, 10_000])
def test_a_first_line_that_no_terminal_sends_is_binary(sent: bytes, step: int) -> None:
    decoder = LineDecoder(MAX_LINE_BYTES)
    decode_with(decoder, *(sent[place : place + step] for place in range(0, len(sent), step)))
    assert decoder.is_binary


@pytest.mark.parametrize(
    "sent",
    [
        b"hello\r\0",
        b"\r\0\r\0hello\r\0",
        b"\xff\xfd\x00\xff\xfb\x00hello\r\n",  # telnet: DO BINARY, WILL BINARY
        b"\xff\xfa\x18\x00xterm\xff\xf0hello\r\n",  # and its terminal's type
        b"hello\n" + HELLO + b"\n",
        b"x" * (MAX_LINE_BYTES + 1) + b"\0\n",
        b"\x16\n\x03\n",
    ],
)
@pytest.mark.parametrize("step", [1, 10_000])
def test_what_terminals_send_is_not_binary(sent: bytes, step: int) -> None:
    decoder = LineDecoder(MAX_LINE_BYTES)
    decode_with(decoder, *(sent[place : place + step] for place in range(0, len(sent), step)))
    assert not decoder.is_binary


def test_cr_lf_in_two_pieces_is_one_end() -> None:
    assert decode(b"one\r", b"\ntwo\r\n") == ["one", "two"]


def test_a_line_without_its_end_waits() -> None:
    decoder = LineDecoder(MAX_LINE_BYTES)
    assert decode_with(decoder, b"hel") == []
    assert decoder.unfinished
    assert decode_with(decoder, b"lo\n") == ["hello"]
    assert not decoder.unfinished


def test_a_character_cut_in_two_is_whole_again() -> None:
    snowman = "雪人☃".encode()
    for cut in range(len(snowman) + 1):
        assert decode(snowman[:cut], snowman[cut:] + b"\n") == ["雪人☃"]


def test_invalid_utf_8_becomes_the_replacement_character() -> None:
    (line,) = decode(b"a\xc3(b\xf0\x9f\n")
    assert (line, type(line)) == ("a\ufffd(b\ufffd", PartlyUtf8)


@pytest.mark.parametrize(
    ("sent", "kind"),
    [
        ("Привет, мир".encode("cp1251"), NotUtf8),
        ("привет".encode("koi8-r"), NotUtf8),
        ("你好，世界".encode("gbk"), NotUtf8),
        ("to:你好吗".encode("gbk"), NotUtf8),
        ("café".encode("latin-1"), PartlyUtf8),
        # What GNU telnet makes of 私聊小雨 and 的: a command stands for a byte.
        ("私聊小雨".encode().replace(b"\x8f", b"\xff\xf5\xff\xfd\x06"), NotUtf8),
        ("的".encode().replace(b"\x9a", b"\xff\xed\xff\xfd\x06"), NotUtf8),
        ("caf\ufffd, \ufffd and \ufffd".encode(), str),  # whoever speaks of it
        ("天气很好".encode() + b"\xff\xff" * 3, PartlyUtf8),
    ],
)
def test_a_line_in_another_encoding_is_known(sent: bytes, kind: type[str]) -> None:
    (line,) = decode(sent + b"\n")
    assert type(line) is kind


@pytest.mark.parametrize("erase", [b"\x08", b"\x7f", b"\xff\xf7"])
def test_backspace_takes_back_a_whole_character(erase: bytes) -> None:
    assert decode("a雪".encode() + erase + b"b\n") == ["ab"]
    assert decode(erase * 3 + b"b\n") == ["b"]


@pytest.mark.parametrize("erase", [b"\x15", b"\xff\xf8"])
def test_a_line_can_be_taken_back(erase: bytes) -> None:
    assert decode(b"oh no" + erase + b"hello\n") == ["hello"]


def test_telnet_options_are_refused_and_never_shown() -> None:
    decoder = LineDecoder(MAX_LINE_BYTES)
    will_naws, do_echo, do_sga = b"\xff\xfb\x1f", b"\xff\xfd\x01", b"\xff\xfd\x03"
    assert decode_with(decoder, b"he" + will_naws + do_echo + b"l" + do_sga + b"lo\n") == ["hello"]
    assert decoder.answers() == b"\xff\xfe\x1f" + b"\xff\xfc\x01" + b"\xff\xfc\x03"
    assert decoder.answers() == b""


def test_binary_is_granted_once_each_way() -> None:
    decoder = LineDecoder(MAX_LINE_BYTES)
    will_binary, do_binary = b"\xff\xfb\x00", b"\xff\xfd\x00"
    assert decode_with(decoder, will_binary + do_binary + b"hi\n") == ["hi"]
    assert decoder.answers() == b"\xff\xfd\x00" + b"\xff\xfb\x00"
    assert decode_with(decoder, will_binary + do_binary + b"hi\n") == ["hi"]
    assert decoder.answers() == b""


def test_binary_is_asked_once_of_a_telnet_that_swallows_bytes() -> None:
    decoder = LineDecoder(MAX_LINE_BYTES)
    assert decode_with(decoder, "机".encode().replace(b"\x9c", b"") + b"\r\n") == ["\ufffd"]
    assert decoder.answers() == b"\xff\xfd\x00"
    assert decode_with(decoder, b"\xff\xfb\x00", b"\xe6\r\n") == ["\ufffd"]
    assert decoder.answers() == b""


def test_binary_is_requested_once_telnet_damages_a_byte() -> None:
    decoder = LineDecoder(MAX_LINE_BYTES)
    interrupt_and_timing_mark = b"\xff\xf4\xff\xfd\x06"
    assert decode_with(decoder, b"\xe8" + interrupt_and_timing_mark) == []
    assert decoder.answers() == b"\xff\xfd\x00" + b"\xff\xfc\x06"


def test_who_ends_lines_with_lf_is_asked_nothing() -> None:
    decoder = LineDecoder(MAX_LINE_BYTES)
    assert decode_with(decoder, b"\xe6\n") == ["\ufffd"]
    assert decoder.answers() == b""


def test_wont_and_dont_are_not_answered() -> None:
    decoder = LineDecoder(MAX_LINE_BYTES)
    assert decode_with(decoder, b"\xff\xfc\x01\xff\xfe\x03\xff\xf1hi\n") == ["hi"]
    assert decoder.answers() == b""


def test_subnegotiation_is_skipped_with_a_doubled_iac_in_it() -> None:
    assert decode(b"a\xff\xfa\x1f\x00\x50\xff\xff\x00\x18\xff\xf0b\n") == ["ab"]


def test_a_subnegotiation_without_an_end_does_not_swallow_the_session() -> None:
    lines = decode(b"\xff\xfa" + b"x" * (2 * MAX_LINE_BYTES) + b"\nhello\n")
    assert lines[-1] == "hello"


def test_a_doubled_iac_is_the_byte_itself() -> None:
    assert decode(b"a\xff\xffb\n") == ["a\ufffdb"]


@pytest.mark.parametrize(
    ("sent", "left"),
    [
        (b"\x1b[31mred\x1b[0m", "red"),
        (b"\x1b[A\x1b[1;5Cup", "up"),
        (b"\x1b]0;title\x07text", "text"),
        (b"\x1b]0;title\x1b\\text", "text"),
        (b"\x1bP1$r\x1b\\text", "text"),
        (b"\x1bctext\x1b(B", "text"),
        ("\x9b31mred".encode(), "red"),
        (b"\x1b", ""),
        (b"\x1b]never ended", "never ended"),
        (b"\x1b\x1b[A[2Jx", "[2Jx"),
        (b"bell\x07 tab\there", "bell tab\there"),
    ],
)
def test_escapes_and_controls_are_left_out(sent: bytes, left: str) -> None:
    assert decode(sent + b"\n") == [left]


HOME, LEFT, DELETE = b"\x1b[H", b"\x1b[D", b"\x1b[3~"
KEYS = [
    *(
        HOME,
        LEFT,
        DELETE,
        b"\x1bOH",
        b"\x1b[1~",
        b"\x1b[1;5C",
        b"\x1bb",
        b"\x1b",
        b"\xff\xf4",
        b"\xff\xf4\xff\xfd\x06",
    ),
    *(bytes((code,)) for code in b"\x01\x02\x03\x04\x05\x06\x0b\x14\x17\x19\x1a"),
]


@pytest.mark.parametrize("key", KEYS, ids=ascii)
def test_a_line_with_keys_that_edit_is_known(key: bytes) -> None:
    edited, cleared, next_one = decode(b"Bob secret1" + key + b"/to \nwrong" + key + b"\x15right\nnext\n")
    assert (type(edited), type(cleared), type(next_one)) == (Edited, str, str)
    assert (cleared, next_one) == ("right", "next")


@pytest.mark.parametrize(
    "erased",
    [
        *("👨‍👩‍👧", "e\u0301", "👍🏽", "🇩🇪", "1\ufe0f\u20e3", "क्ष", "\u1112\u1161\u11ab", "o\u200b", "\x1b"),
        *(b"\xe4\xbd", b"\xc4\xe3", b"\xa8"),  # half a character, GBK, CP1251
    ],
    ids=ascii,
)
def test_backspace_over_part_of_a_character_edits(erased: str | bytes) -> None:
    part = erased if isinstance(erased, bytes) else erased.encode()
    edited, cleared, next_one = decode(b"t" + part + b"\x08o:Bob\nwrong" + part + b"\x08\x15right\nnext\n")
    assert type(edited) in (Edited, NotUtf8)
    assert (type(cleared), cleared, next_one) == (str, "right", "next")


@pytest.mark.parametrize("erased", ["é", "雪", "🎉", "한", "ﾊ", "\u3000", "\t", "ก", "ب"], ids=ascii)
def test_backspace_over_a_whole_character_does_not_edit(erased: str) -> None:
    (line,) = decode(f"t{erased}\x08o\n".encode())
    assert (type(line), line) == (str, "to")


def test_backspace_over_a_whole_line_deletes_it() -> None:
    (line,) = decode("👨‍👩‍👧".encode() + b"\x08" * 5 + b"hello\n")
    assert (type(line), line) == (str, "hello")


@pytest.mark.parametrize(
    "sent",
    [
        *(
            b"\x1b[1;31mred\x1b[0m\x1b[K x",
            b"\x1b[200~pasted\x1b[201~",
            b"\x1b]0;title\x07text",
            b"\x1b(Btext",
        ),
        *(b"a\tb", b"typo\x08\x7fs", b"wrong\x15right", b"x\xff\xf8right", b"bell\x07", "é🎉".encode()),
        b"\xff\xfb\x18\xff\xfd\x06text",
    ],
    ids=ascii,
)
def test_a_pasted_or_corrected_line_is_not_edited(sent: bytes) -> None:
    assert [type(line) for line in decode(sent + b"\n")] == [str]


def test_the_longest_line_passes_and_a_longer_one_is_refused() -> None:
    assert len(f"/to {'😀' * 128} {'😀' * MAX_TEXT}".encode()) <= MAX_LINE_BYTES
    longest = b"x" * MAX_LINE_BYTES
    assert decode(longest + b"\nhi\n") == [longest.decode(), "hi"]
    assert decode(longest, b"x", b"more" * 5000, b"\nhi\n") == [Overlong(), "hi"]
    assert decode(longest + b"\xff\xff" + b"y\nhi\n") == [Overlong(), "hi"]


def test_a_line_of_any_length_takes_little_memory() -> None:
    decoder = LineDecoder(MAX_LINE_BYTES)
    assert decode_with(decoder, *[b"x" * 4096] * 1000) == [Overlong()]
    assert len(decoder._line) <= MAX_LINE_BYTES


def test_a_text_of_several_lines_is_indented_after_its_first() -> None:
    assert encode_line("a: one\nmallory: two\u2028three", "    ") == (
        b"a: one\r\n    mallory: two\r\n    three\r\n"
    )


def test_nothing_that_a_terminal_acts_upon_goes_out() -> None:
    assert encode_line("\x1b[2Jone\x07\x9b1m\ud800") == b"one?\r\n"


@given(
    st.binary(max_size=300)
    | st.lists(st.sampled_from([b"\xff", b"\xfb", b"a", b"\n"]), max_size=300).map(b"".join),
    st.lists(st.integers(0, 300), max_size=8),
)
@example(b"a\xff\xff\xff\xff\xff\xfb\x01b\n", list(range(10)))
@example(b"\xff" * 3 * MAX_LINE_BYTES + b"\nnext\n", list(range(3 * MAX_LINE_BYTES)))
def test_cuts_change_nothing(data: bytes, cuts: list[int]) -> None:
    places = sorted({min(cut, len(data)) for cut in cuts} | {0, len(data)})
    pieces = [data[start:end] for start, end in itertools.pairwise(places)]
    whole, cut = LineDecoder(MAX_LINE_BYTES), LineDecoder(MAX_LINE_BYTES)
    assert decode_with(whole, data) == decode_with(cut, *pieces)
    assert whole.answers() == cut.answers()


@pytest.mark.faults
def test_mutated_bytes_give_clean_bounded_lines(
    rng: random.Random, scale: Callable[[int], int], report: Callable[[str], None]
) -> None:
    """200,000 in `make faults`, through one decoder, in pieces of any size."""
    decoder = LineDecoder(MAX_LINE_BYTES)
    pieces, lines, refused = scale(200_000), 0, 0
    for number in range(1, pieces + 1):
        data = mutated(rng)
        cut = rng.randrange(len(data) + 1)
        for line in decode_with(decoder, data[:cut], data[cut:]):
            lines += 1
            if isinstance(line, Overlong):
                refused += 1
                continue
            assert isinstance(line, str)
            assert len(line.encode()) <= 3 * MAX_LINE_BYTES  # a stray byte becomes the three of U+FFFD
            assert all(unicodedata.category(char) != "Cc" or char == "\t" for char in line), data
            assert clean(line) == line
        assert len(decoder._line) <= MAX_LINE_BYTES
        answers = decoder.answers()
        assert len(answers) % 3 == 0
        assert set(answers[::3]) <= {0xFF}
        assert set(answers[1::3]) <= {0xFC, 0xFE} or b"\0" in answers[2::3]  # WONT and DONT, but for BINARY
        shown = encode_line(data.decode("utf-8", "replace"), "    ").decode()
        assert shown.endswith("\r\n")
        assert all(unicodedata.category(char) != "Cc" or char in "\t\r\n" for char in shown), data
        assert all(line.startswith("    ") for line in shown.split("\r\n")[1:-1])
        if number % 20_000 == 0:
            report(f"{number} pieces: {lines} lines, {refused} of them too long")


_PIECES = (
    b"hello world",
    "雪人🙂é\u2028".encode(),
    b"\r\n",
    b"\r\0",
    b"\n",
    b"\r",
    b"\xff\xfb\x1f",
    b"\xff\xfd\x01",
    b"\xff\xfa\x1f\x00\x50\x00\x18\xff\xf0",
    b"\xff\xff",
    b"\xff\xf4\xff\xfd\x06",
    b"\x1b[31m",
    b"\x1b]0;t\x07",
    b"\x08\x7f\x15",
    b"\x00\x01\x02",
    b"to:somebody",
    b"/to ",
    b"/name fox",
    b"/join garden",
    b"/echo on",
    "\u202eright\u2066\u2069".encode(),
    "\x9b31m\x85\x9d".encode(),
    b"x" * 700,
    b"y" * MAX_LINE_BYTES,
)


def mutated(rng: random.Random) -> bytes:
    """Pieces of what terminals send, with bytes changed, left out and put in."""
    data = bytearray(b"".join(rng.choices(_PIECES, k=rng.randint(1, 6))))
    for _ in range(rng.randint(0, 4)):
        place = rng.randrange(len(data) + 1)
        match rng.randrange(3):
            case 0:
                data[place:place] = rng.randbytes(rng.randint(1, 4))
            case 1:
                del data[place : place + rng.randint(1, 8)]
            case _:
                data[place : place + 1] = bytes([rng.randrange(256)])
    return bytes(data)
