"""Which names are accepted, and which of them are the same."""

import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from chatroom.core.confusables import _ASCII, _looks, _pairs, fold
from chatroom.core.errors import BadRequest, NameInvalid, NameReserved, Refusal, RoomInvalid
from chatroom.core.names import RESERVED, is_reserved, name_key, parse_name, parse_room, printable, room_key

anything = st.text(st.characters())  # surrogates, controls and unassigned characters included
# Texts in which the characters that matter to keys are likely.
tricky = st.text(st.sampled_from("aAiIlL1|mMrn0oOß µΣσςİı\u0307\u0323\ufe0f\u0345가각ᄀᆨㅣ一ーｉΝν／㎜ﬁŉ"))


@pytest.mark.parametrize(
    "name",
    [
        "a",
        "Ming Li",
        "小雨",
        "O'Brien-Smith",
        "李 4",
        "x" * 32,
        "龍" * 32,
        "😀",
        "❤️",
        "↔️",
        "👍🏽",
        "🇨🇳",
        "नमस्ते",
        "สวัสดี",
        "Ngọc",
        "ليلى",
        "^_^",
        unicodedata.normalize("NFD", "Nguyễn"),
    ],
)
def test_visible_name_is_kept_as_typed(name: str) -> None:
    assert parse_name(name) == name


def test_outer_spaces_are_dropped() -> None:
    assert parse_name(" \u3000Ming Li\u00a0") == "Ming Li"


@pytest.mark.parametrize(
    "name",
    [
        "",
        "   ",
        "x" * 33,
        "x" * 5000,
        "a  b",
        "a\u3000b",
        "a\tb",
        "a\nb",
        "Bob\n",
        "a\0",
        "a\u200bb",
        "a\u200db",
        "a\u202eb",
        "\u2067a",
        "a\u00adb",
        "a\ud800",
        "\ue000",
        "\U000e0041",
        "\u0378",
        "a\ufe0f",
        "\ufe0f",
        "\u3164",
        "a\u2800",
        "b\ufffd",
        "\u0301a",
        "a \u0301",
        "a\u0301\u0302\u0303\u0304",
        "...",
        "-",
        "\u2028",
    ],
)
def test_name_that_hides_something_or_disfigures_is_invalid(name: str) -> None:
    with pytest.raises(NameInvalid):
        parse_name(name)


@pytest.mark.parametrize("value", [None, 5, b"a", ["a"]])
def test_other_types_are_bad_requests(value: object) -> None:
    with pytest.raises(BadRequest):
        parse_name(value)
    with pytest.raises(BadRequest):
        parse_room(value)


@pytest.mark.parametrize(
    "name",
    [
        *RESERVED,
        "Admin",
        "ADMIN",
        "аdmin",
        "adm1n",
        "ΑDΜΙΝ",
        "admi\u0307n",
        "ａｄｍｉｎ",
        "0perat0r",
        "ЅYSTEM",
        "уоu",
        "＊",
        "∗",
        " you ",
    ],
)
def test_name_that_passes_for_the_service_is_reserved(name: str) -> None:
    with pytest.raises(NameReserved) as refusal:
        parse_name(name)
    assert refusal.value.params == {"name": name.strip()}
    assert is_reserved(name_key(name.strip()))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("alice", "ALICE"),
        ("Tom", "Тom"),  # Cyrillic Т
        ("Nick", "Νick"),  # Greek Ν
        ("νοva", "ΝΟVA"),
        ("modern", "rnodern"),
        ("Iris", "lris"),
        ("İbrahim", "ibrahim"),
        ("café", "cafe\u0301"),
        ("straße", "STRASSE"),
        ("❤️", "❤"),
        ("ロ", "口"),
        ("ｶﾞ", "ガ"),
    ],
)
def test_names_that_look_alike_are_one(one: str, other: str) -> None:
    assert name_key(one) == name_key(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Van", "Nan"),
        ("Gus", "Gys"),
        ("Rob", "Tob"),
        ("小明", "小朋"),
        ("각가", "가까"),
        ("café", "cafe"),
        ("😀", "😁"),
        ("Leo2", "Leo3"),
    ],
)
def test_names_that_look_different_are_two(one: str, other: str) -> None:
    assert name_key(one) != name_key(other)


def test_all_hangul_syllables_and_kana_differ() -> None:
    for first, last in ((0xAC00, 0xD7A3), (0x3041, 0x3096), (0x30A1, 0x30FA)):
        assert len({name_key(chr(code)) for code in range(first, last + 1)}) == last - first + 1


def test_common_ideographs_differ_but_for_true_twins() -> None:
    alike: dict[str, str] = {}
    for code in range(0x4E00, 0xA000):
        alike[name_key(chr(code))] = alike.get(name_key(chr(code)), "") + chr(code)
    twins = [group for group in alike.values() if len(group) > 1]
    assert {"土士", "黑黒"} <= set(twins)
    assert len(twins) < 50  # of 20,992
    assert max(map(len, twins)) == 2


def test_key_of_every_character_is_stable() -> None:
    """All characters that the data speak of, with their other case, and every eleventh of the rest."""
    known = map(chr, _looks())
    others = map(chr, range(0, 0x30000, 11))
    for character in {*known, *others}:
        for text in (character, character.upper(), "i" + character):
            assert name_key(name_key(text)) == name_key(text), ascii(text)


def test_ascii_needs_no_data_and_agrees_with_it() -> None:
    """The table in the source is what UTS #39 says of ASCII, read without case."""
    alike = [(one, other) for one, other in _pairs() if one.isascii() and other.isascii()]
    assert ("m", "rn") in alike
    for one, other in alike:
        if other.isalnum() or len(other) == 1:
            assert name_key(one) == name_key(other), (one, other)
    # Nothing else became one: each folded character either stands for itself or is in the data.
    touched = {fold(character) for pair in alike for character in pair}
    assert {chr(code) for code in _ASCII} <= touched


@given(anything | tricky)
@example("i\u0323\u0307")
@example("l\u0307\u0301\u0307")
def test_keys_are_stable_and_case_blind(text: str) -> None:
    key = name_key(text)
    assert name_key(key) == key
    # Decomposed first, as canonical caseless matching asks (Unicode, 3.13): casefolding alone moves U+0345.
    assert name_key(unicodedata.normalize("NFD", text).casefold()) == key
    assert name_key(unicodedata.normalize("NFKC", text)) == key
    assert room_key(room_key(text)) == room_key(text)


@given(anything | tricky)
def test_any_text_is_a_stable_name_or_refused(text: str) -> None:
    try:
        name = parse_name(text)
    except Refusal:
        return
    assert parse_name(name) == name
    assert name in text
    assert 1 <= len(name) <= 128
    name.encode()


@given(anything)
def test_printable_is_short_and_can_be_encoded(text: str) -> None:
    assert len(printable(text).encode()) <= 32 * 4
    assert printable(printable(text)) == printable(text)


@pytest.mark.parametrize(
    "room",
    ["lobby", "Tea House", "茶馆", "!!!", "you", "x" * 64, "...", "a.", "..a", "50%", "%2e%2e%2e", "a\\b"],
)
def test_visible_room_is_kept_as_typed(room: str) -> None:
    assert parse_room(f" {room} ") == room


@pytest.mark.parametrize("room", ["", " ", "a/b", "a／b", "℀", "x" * 65, "a\nb", "a\u200bb", "a\ud800"])
def test_room_that_hides_something_or_has_a_slash_is_invalid(room: str) -> None:
    with pytest.raises(RoomInvalid):
        parse_room(room)


@pytest.mark.parametrize(
    "room", [".", "..", "%2e", "%2E%2e", ".%2e", "%2E.", "．", "．．", "‥", "％２ｅ．", " .. "]
)
def test_room_whose_address_is_another_page_is_invalid(room: str) -> None:
    with pytest.raises(RoomInvalid):
        parse_room(room)


def test_rooms_are_one_by_case_and_width_but_not_by_looks() -> None:
    assert room_key("Lobby") == room_key("ｌｏｂｂｙ") == "lobby"
    assert room_key("1obby") != "lobby"
    assert room_key("❤️") == room_key("❤")
