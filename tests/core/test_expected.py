"""Which texts for the room may be the answer to a whisper."""

import pytest

from chatroom.core.errors import LineEdited, LooksPrivate, NoPartner, NoSuchPartner, NotInUtf8, NotSent
from chatroom.core.expected import ANSWER_S, ExpectedAnswer
from chatroom.core.unknown_commands import UnknownCommand, UnknownWhisper

NOW = 1000.0


def whispered() -> ExpectedAnswer:
    expected = ExpectedAnswer()
    expected.whispered("Bob", NOW)
    return expected


def test_a_text_without_a_whisper_before_it_is_sent() -> None:
    assert ExpectedAnswer().asks_about("yes", NOW) is None
    assert whispered().asks_about("yes", NOW + ANSWER_S) is None


def test_the_same_text_is_sent_the_second_time() -> None:
    expected = whispered()
    assert expected.asks_about("yes", NOW + 1) == "Bob"
    assert expected.asks_about("yes", NOW + 1.5) is None
    assert expected.asks_about("next", NOW + 2) is None


def test_another_text_or_a_hasty_one_is_asked_about() -> None:
    expected = whispered()
    assert expected.asks_about("yes", NOW + 1) == "Bob"
    assert expected.asks_about("yes", NOW + 1.1) == "Bob"
    assert expected.asks_about("at nine", NOW + 3) == "Bob"
    assert expected.asks_about("yes", NOW + 4) == "Bob"
    assert expected.asks_about("yes", NOW + 5) is None


def test_a_text_from_before_a_whisper_is_not_its_answer() -> None:
    assert whispered().asks_about("hello", NOW - 0.1) is None


def test_an_answer_lets_nothing_through_that_waited() -> None:
    expected = whispered()
    expected.whispered("Bob", NOW + 5)
    assert expected.asks_about("second", NOW) == "Bob"


def test_another_whisper_takes_back_no_question() -> None:
    expected = whispered()
    assert expected.asks_about("yes", NOW + 1) == "Bob"
    expected.whispered("Kim", NOW + 2)
    assert expected.asks_about("yes", NOW + 3) is None


def test_the_text_after_a_refused_private_one_is_asked_about() -> None:
    for refusal in (
        NoPartner(usage=""),
        NoSuchPartner(name="Bob"),
        LooksPrivate.of("Bob", ""),
        UnknownWhisper(command="t"),
    ):
        expected = ExpectedAnswer()
        expected.refused(refusal, NOW)
        assert expected.asks_about("I am pregnant", NOW + 2) == ""
        assert expected.asks_about("I am pregnant", NOW + 4) is None
    for refused in (LineEdited(), NotInUtf8(), UnknownCommand(command="x"), NotSent("talk_not_sent")):
        expected = ExpectedAnswer()
        expected.refused(refused, NOW)
        assert expected.asks_about("hello", NOW + 2) is None


def test_a_held_text_is_not_asked_about_again() -> None:
    expected, answering = ExpectedAnswer(), whispered()
    for one in (expected, answering):
        one.refused(NoSuchPartner(name="Kim"), NOW + 1)
        one.refused(NotSent("not_sent_with"), NOW + 1)
    assert expected.asks_about("I am pregnant", NOW + 2) is None
    assert answering.asks_about("yes", NOW + 2) == "Bob"


@pytest.mark.parametrize("word", ["to", " W", "msg:", "ＴＯ；", "私聊：", "悄悄话"])
def test_a_word_to_whisper_alone_is_asked_about(word: str) -> None:
    expected = ExpectedAnswer()
    assert expected.asks_about(word, NOW) == ""
    assert expected.asks_about("I am pregnant", NOW + 2) == ""
    assert expected.asks_about(word, NOW + 3) == ""
    assert expected.asks_about(word, NOW + 4) is expected.asks_about("hello", NOW + 4) is None
    assert expected.asks_about(word, NOW + 5) is expected.asks_about("hello", NOW + 6) is None


@pytest.mark.parametrize("text", ["to do", "W!", "top", "私人", "tomorrow", "https://to", "o:"])
def test_an_ordinary_word_is_not_asked_about(text: str) -> None:
    assert ExpectedAnswer().asks_about(text, NOW) is None


def test_to_without_a_chat_so_far_is_asked_about() -> None:
    first, second = whispered(), whispered()
    first.ended(NOW + 70, had_talk=False)
    assert first.asks_about("Bob", NOW + 71) == ""
    second.ended(NOW + 1, had_talk=True)
    assert second.asks_about("Bob", NOW + 2) is None


def test_who_chooses_an_audience_is_not_asked() -> None:
    expected = whispered()
    expected.forget()
    assert expected.asks_about("yes", NOW + 1) is None
