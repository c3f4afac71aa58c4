"""Which characters can be seen, and where hidden ones belong."""

import json
import unicodedata
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from chatroom.core.characters import _NEW_MARKS, Kind, is_blank, pieces, shortened, without_ignorable

# The page's tests read the same file.
CASES = json.loads((Path(__file__).parent / "blank.json").read_text(encoding="utf-8"))
ENGLAND = "\U0001f3f4\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f"

hidden = st.sampled_from("\u200c\u200d\ufe0e\ufe0f\ufe00\u180b\U000e0100\U000e0067\u034f\u202a")
visible = st.sampled_from("ab1# कত্ර්رمب葛ᠠ👩👧🏳🌈❤🏽🇨🇳↔\u20e3\u0301\u094d\u093f\u064b")
tricky = st.text(hidden | visible, max_size=40)


@pytest.mark.parametrize("text", CASES["blank"])
def test_nothing_can_be_seen_of_a_blank(text: str) -> None:
    assert is_blank(text)


@pytest.mark.parametrize("text", CASES["seen"])
def test_something_can_be_seen_of_other_texts(text: str) -> None:
    assert not is_blank(text)


def test_what_these_data_do_not_know_can_be_seen() -> None:
    reserved = {
        *range(0x2065, 0x2066),
        *range(0xFFF0, 0xFFF9),
        *range(0xE0000, 0xE1000),
        *range(0x13430, 0x13440),
        *(0x13441, 0x13442),
    }
    unknown = [
        code
        for code in range(0x110000)
        if unicodedata.category(chr(code)) == "Cn"
        and code not in reserved
        and not _NEW_MARKS.match(chr(code))
        and not (0xFDD0 <= code < 0xFDF0 or code & 0xFFFE == 0xFFFE)
    ]
    assert len(unknown) > 100_000
    assert [hex(code) for code in unknown if is_blank(chr(code))] == []


@pytest.mark.parametrize(
    "text",
    [
        "👨\u200d👩\u200d👧",
        "👨\u200d👩\u200d👧\u200d👦",
        "👩🏿\u200d❤\ufe0f\u200d💋\u200d👩🏽",
        "🏳\ufe0f\u200d🌈",
        "🏳\u200d🌈",
        "🏃🏽\u200d♀\ufe0f\u200d➡\ufe0f",
        "1\ufe0f\u20e3",
        "#\u20e3",
        ENGLAND,
        "🇨🇳",
        "👍🏽",
        "❤\ufe0f",
        "❤\ufe0e",
        "ℹ\ufe0f",
        "‼\ufe0f",
        "🧑\u200d\U0001fa70",
        "\U0001fae9",
        "\U0001faff\u200d\U0001f8ff",
    ],
)
def test_an_emoji_sequence_is_one_character(text: str) -> None:
    assert list(pieces(text)) == [(text, Kind.SEEN)]


@pytest.mark.parametrize(
    ("text", "stray"),
    [
        ("a\u200db", "\u200d"),
        ("a\ufe0f", "\ufe0f"),
        ("1\ufe0f", "\ufe0f"),
        ("\u200d👩", "\u200d"),
        ("👩\u200d", "\u200d"),
        ("👩\u200d\u200d👧", "\u200d\u200d"),
        ("👩\u200da", "\u200d"),
        ("🇨🇳\u200d🇨🇳", "\u200d"),
        ("👩" + "\u200d👩" * 4, "\u200d"),
        ("🏴\U000e0075\U000e0073\U000e007f", "\U000e0075\U000e0073\U000e007f"),
        ("👍🏽\ufe0f", "\ufe0f"),
        # ZWNJ: at the ends, twice, after letters that do not join to the left, between those that never do.
        ("\u200cب", "\u200c"),
        ("ب\u200c", "\u200c"),
        ("ب\u200c\u200cب", "\u200c\u200c"),
        ("دا\u200cد", "\u200c"),
        ("א\u200cב", "\u200c"),
        ("क\u200cष", "\u200c"),
        ("क्\u200c", "\u200c"),
        # ZWJ: without a virama, before a dependent vowel, between Arabic letters.
        ("क\u200dष", "\u200d"),
        ("क्\u200d\u093f", "\u200d"),
        ("\u094d\u200dष", "\u200d"),
        ("ب\u200dب", "\u200d"),
        ("葛\ufe0f", "\ufe0f"),
        ("a\U000e0100", "\U000e0100"),
        ("葛\U000e0100\U000e0101", "\U000e0101"),
        ("a\u180b", "\u180b"),
        ("\u202aa", "\u202a"),
        ("a\u3000b\tc", "\u3000\t"),
    ],
)
def test_a_hidden_character_out_of_place_is_stray(text: str, stray: str) -> None:
    assert "".join(piece for piece, kind in pieces(text) if kind is Kind.STRAY) == stray


@pytest.mark.parametrize(
    "text",
    [
        "می\u200cخواهم",
        "نامه\u064b\u200cای",
        "ශ්\u200dරී",
        "ක්\u200d",
        "क्\u200cष",
        "क्\u200dष",
        "র\u200d্যাব",
        "葛\U000e0100城",
        "ᠠ\u180b",
    ],
)
def test_joiners_and_selectors_belong_in_their_scripts(text: str) -> None:
    kinds = [kind for _, kind in pieces(text)]
    assert Kind.JOINER in kinds
    assert Kind.STRAY not in kinds


def test_every_emoji_that_rich_knows_is_one_character() -> None:
    emoji = pytest.importorskip("rich._emoji_codes").EMOJI.values()
    components = {"🏻", "🏼", "🏽", "🏾", "🏿"}
    wrong = [one for one in emoji if one not in components and [*pieces(one)] != [(one, Kind.SEEN)]]
    assert len(emoji) > 3000
    assert {one for one in wrong if any(kind is not Kind.SEEN for _, kind in pieces(one))} == set()
    assert [one for one in wrong if len(one) > 1] == []


@given(tricky)
def test_pieces_make_up_the_text(text: str) -> None:
    assert "".join(piece for piece, _ in pieces(text)) == text


@given(tricky, st.integers(1, 10))
@example(ENGLAND * 2, 3)
@example("👨\u200d👩\u200d👧" * 2, 2)
@example("می\u200cخ", 2)
@example("a\u200d\u094da", 1)
def test_a_shortened_text_is_its_beginning_without_loose_ends(text: str, most: int) -> None:
    short = shortened(text, most)
    assert text.startswith(short)
    assert len(short) <= 4 * most
    assert shortened(short, most) == short
    strays = [piece for piece, kind in pieces(short) if kind is Kind.STRAY]
    assert strays == [piece for piece, kind in pieces(text) if kind is Kind.STRAY][: len(strays)]


def test_only_the_three_flags_keep_their_tags() -> None:
    assert without_ignorable(f"a\u200db{ENGLAND}c\ufe0f") == f"ab{ENGLAND}c"
    assert without_ignorable("🏴\U000e0075\U000e0073\U000e007f") == "🏴"
    assert without_ignorable(f"🏴\u200d{ENGLAND[1:]}") == "🏴"
