"""What a typed text begins with, however it was typed."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chatroom.core import embedded_commands
from chatroom.core.embedded_commands import embedded_whispers
from chatroom.core.folding import trimmed
from chatroom.core.long_texts import Reading
from chatroom.core.markers import Escaped, Slash, TalkMarker, _read_beginning, beginning, is_nearly_move
from chatroom.core.near_misses import BareKey, NearJoin, NearWhisper

# What keyboards, copied texts and phones put where nothing can be seen.
INVISIBLE = [
    "\ufeff",
    "\u200b",
    "\u200e",
    "\u2060",
    "\u00ad",
    "\ufe0f",
    "\u034f",
    "\u180e",
    "\u3164",
    "\u115f",
    "\U000e0020",
    "\U000e0100",
    "\x07",
    "\u202e",
]
SPACES = [" ", "\t", "\u00a0", "\u3000", "\u2003", "\u202f", "\n"]


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "\u3000x",
        "hello",
        "你好",
        "привет",
        "to",
        "t你好",
        "tä",
        "op",
        "op is away",
        "re: x",
        "mt: x",
        "wow: x",
        "только: x",
        "8 to 9",
        "77to Bob",
        "so Bob, hello",
        "we Bob and I",
        "into the blue",
        "at 10:30",
        "a/b",
        "whisperers",
        "OP 这首太好听了我循环了一整天都没有腻啊啊",
        "ещё раз",
        "새로운: x",
        "とても: x",
        "telling Bob x",
        "私下说",
        "wished Bob well",
        "对，小雨来了",
        "mug Bob",
        "тот Bob",
        "coin den",
    ],
)
def test_ordinary_texts_are_no_more_than_that(text: str) -> None:
    assert beginning(text) is None


@settings(max_examples=500)
@given(
    st.text("\"'(*~tomsgwdpjinrhelkay", min_size=1, max_size=5)
    | st.text("tomsgwdpjinr0", min_size=10, max_size=18),
    st.sampled_from([" ", ", ", "! ", "", " : ", "\n"]),
    st.text("toBb pKEY9x:,'/\n", max_size=24),
)
def test_the_quick_look_calls_nothing_ordinary_that_is_not(word: str, space: str, rest: str) -> None:
    text = word + space + rest
    assert beginning(text) == _read_beginning(text)


@settings(max_examples=500)
@given(st.text("topmDM/:;\\.?(> wB\t\n", max_size=16))
def test_a_command_after_ascii_text_is_never_passed_over(text: str) -> None:
    quickly = [*embedded_whispers(text, Reading())]
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(embedded_commands, "_IN_ASCII", re.compile(""))
        assert quickly == [*embedded_whispers(text, Reading())]


@pytest.mark.parametrize("slash", list("/／⁄∕⟋⧸╱、､"), ids=ascii)
@pytest.mark.parametrize("before", ["", *INVISIBLE, *SPACES, "\ufeff \u200b", "\u0301"], ids=ascii)
def test_a_slash_counts_in_any_form_after_hidden_characters(before: str, slash: str) -> None:
    assert beginning(f"{before}{slash}to Bob  秘密 ") == Slash("to", " Bob  秘密 ")


@pytest.mark.parametrize("word", ["TO", "ｔｏ", "T\u200bo", "\u00adto", "t\ufe0fo\u2060"], ids=ascii)
def test_a_command_is_read_without_case_width_and_hidden_characters(word: str) -> None:
    assert beginning(f"/{word}\u3000Bob\u200b x") == Slash("to", "\u3000Bob\u200b x")


def test_a_path_is_an_unknown_command() -> None:
    assert beginning("/home/u/x.log is full") == Slash("home/u/x.log", " is full")
    assert beginning("/ who") == Slash("", " who")


@pytest.mark.parametrize(
    ("text", "sent"),
    [
        ("//x", "/x"),
        ("／／x", "/x"),
        ("、、ｘ  你 ", "/ｘ  你 "),
        ("\ufeff / / x", None),
        ("///", "//"),
        ("\u200b//\u200bx", "/\u200bx"),
    ],
)
def test_two_slashes_escape_one_and_the_rest_is_as_typed(text: str, sent: str | None) -> None:
    assert beginning(text) == (Escaped(sent) if sent is not None else Slash("", " / x"))


@pytest.mark.parametrize("colon", list(":：﹕∶꞉"), ids=ascii)
@pytest.mark.parametrize(
    "word", ["to", "To", "TO", "ｔｏ", "t\u200bo", "\ufeff to", "tO\u2060 ", "to\u3000"], ids=ascii
)
def test_a_talk_is_opened_in_any_case_width_and_spacing(word: str, colon: str) -> None:
    assert beginning(f"{word}{colon} Ｂob Li\u200b ") == TalkMarker("Ｂob Li")
    assert beginning(f"{word}{colon}\u3000\u200b") == TalkMarker("")


@pytest.mark.parametrize(
    "text",
    [
        "op 0123456789abcdef",
        "OP: 0123456789abcdef ",
        "ｏｐ\u3000０１２３４５６７８９abcdef",
        "\\op 0123456789ab-def",
        "。op x" + "y" * 15,
        "po 0123456789abcdef",
        "o p 0123456789abcdef",
        "0p: 0123456789abcdef",
        "operator 0123456789abcdef",
    ],
)
def test_a_key_without_its_slash_is_known(text: str) -> None:
    assert beginning(text) == BareKey()


@pytest.mark.parametrize(
    "text",
    ["op 0123456789abcde", "op 0123456789abcdef is it", "oops 0123456789abcdef", "op https://example.org/x"],
)
def test_what_is_no_key_is_none(text: str) -> None:
    assert beginning(text) is None


@pytest.mark.parametrize(
    ("text", "rest"),
    [
        ("to Bob secret", "Bob secret"),
        ("TO Bob: secret", "Bob: secret"),
        ("to;Bob", "Bob"),
        ("to小雨 秘密", "小雨 秘密"),
        ("\\to Bob secret", "Bob secret"),
        ("。to Bob secret", "Bob secret"),
        ("-> w Bob x", "Bob x"),
        ("msg\u200b Bob x", "Bob x"),
        ("?whisper Bob x", "Bob x"),
        ("ot: Bob", "Bob"),
        ("тo Bob x", "Bob x"),
        ("mgs Bob x", "Bob x"),
        ("mssg Bob x", "Bob x"),
        ("mdg Bob x", "Bob x"),
        ("tlel Bob x", "Bob x"),
        ("\\message Bob x", "Bob x"),
        ("too : Bob", "Bob"),
        ("yo:Bob", "Bob"),
        ("t：Bob", "Bob"),
        ("t o : Bob", "Bob"),
        ("dm Bob x", "Bob x"),
        ("ещ:Боб", "Боб"),
        ("ЕЩЖБоб", "Боб"),
        (".ещ Боб секрет", "Боб секрет"),
        (".ц  Боб секрет", "Боб секрет"),
        ("새:小雨", "小雨"),
        ("と： 小雨", "小雨"),
        ("فخ:Bob", "Bob"),
        ("אם:Bob", "Bob"),
        ("7to Bob x", "Bob x"),
        ("a/to Bob x", "Bob x"),
        ("7/w Bob x", "Bob x"),
        ("t/o Bob x", "Bob x"),
        ("m/sg Bob x", "Bob x"),
        ("tto Bob x", "Bob x"),
        ("_to Bob x", "Bob x"),
        ("t;:Bob", "Bob"),
        ("t.o:Bob", "Bob"),
        ("to;:Bob", "Bob"),
        ("toBob", "Bob"),
        ("7msg Bob x", "Bob x"),
        ("7whisper Bob x", "Bob x"),
        ("tell Bob x", "Bob x"),
        ("private: Bob x", "Bob x"),
        ("pvt Bob x", "Bob x"),
        ("ot Bob x", "Bob x"),
        ("t Bob x", "Bob x"),
        ("to(Bob)", "Bob)"),
        ("私聊小雨 x", "小雨 x"),
        ("，悄悄话给小雨：x", "小雨：x"),
        ("wisper Bob x", "Bob x"),
        ("wispher Bob x", "Bob x"),
        ("Whsiper  Bob x", "Bob x"),
        ("qhisper Bob x", "Bob x"),
        ("tp Bob x", "Bob x"),
    ],
)
def test_a_near_whisper_gives_what_follows_the_command(text: str, rest: str) -> None:
    found = beginning(text)
    assert isinstance(found, NearWhisper)
    assert found.rest == rest


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("对Bob说 x", "Bob"),
        ("悄悄对 小雨 说：x", "小雨"),
        ("给小雨：x", "小雨"),
        ("for Bob only: x", "Bob"),
        ("talk to Bob: x", "Bob"),
    ],
)
def test_a_name_between_words_is_given_with_its_text(text: str, name: str) -> None:
    found = beginning(text)
    assert isinstance(found, NearWhisper)
    assert (name, "x") in found.exact_names


@pytest.mark.parametrize(
    "text", ["ot:Bob", "tp:小雨", "ТО： Bob x", "τo: Bob", "το:Bob", "too:Bob ", "t0:Bob", "t o:Bob"]
)
def test_a_slipped_marker_and_one_word_is_certain(text: str) -> None:
    found = beginning(text)
    assert isinstance(found, NearWhisper)
    assert found.is_certain


@pytest.mark.parametrize(
    "text", ["join den", "Ｊｏｉｎ: den", "jion den", "7join den", "\\join den", "јоіn den"]
)
def test_a_join_without_its_slash_names_its_room(text: str) -> None:
    assert beginning(text) == NearJoin("den")


@pytest.mark.parametrize("text", ["\\/join den", "。/join den", ".,/JOIN den", "🩷/join den"])
def test_a_slash_counts_after_a_stray_key(text: str) -> None:
    found = beginning(text)
    assert isinstance(found, Slash)
    assert (is_nearly_move(found.word), found.arguments) == (True, " den")


@pytest.mark.parametrize(
    "word", ["to:bob", "tobob", "jion", "joim", "j", "joinx", "msgbob", "dm", "ot", "tel"]
)
def test_a_command_that_nearly_moves_is_known(word: str) -> None:
    assert is_nearly_move(word)


@pytest.mark.parametrize("word", ["", "home/u/x.log", "nosuch", "foo", "help2", "me", "unknown", "你好"])
def test_other_commands_nearly_move_nothing(word: str) -> None:
    assert not is_nearly_move(word)


def test_a_beginning_is_found_after_any_number_of_invisible_characters() -> None:
    assert beginning("\u200b" * 5000 + "/to Bob") == Slash("to", " Bob")


def test_what_cannot_be_seen_is_taken_off_the_ends() -> None:
    assert trimmed(" \u200b B b \ufeff\n") == "B b"
    assert trimmed("\u200b ") == ""
