"""Which texts for the room may be the answer to a whisper."""

import json
from pathlib import Path

import pytest

from chatroom.core.errors import LineEdited, LooksPrivate, NoPartner, NoSuchPartner, NotInUtf8, NotSent
from chatroom.core.events import Person
from chatroom.core.expected import ANSWER_S, SOMEONE, ExpectedAnswer, Question
from chatroom.core.unknown_commands import UnknownCommand, UnknownWhisper

NOW = 1000.0
BOB, KIM = Person("b", "Bob"), Person("k", "Kim")
WORDS = json.loads((Path(__file__).parent / "unfinished.json").read_text(encoding="utf-8"))


def whispered() -> ExpectedAnswer:
    expected = ExpectedAnswer()
    expected.whispered(BOB, NOW)
    return expected


def test_a_text_without_a_whisper_before_it_is_sent() -> None:
    assert ExpectedAnswer().question("yes", NOW) is None
    assert whispered().question("yes", NOW + ANSWER_S) is None


def test_the_same_text_is_sent_the_second_time() -> None:
    expected = whispered()
    assert expected.question("yes", NOW + 1) == Question("Bob")
    assert expected.question("yes", NOW + 3) is None
    assert expected.question("next", NOW + 4) is None


def test_another_text_or_a_hasty_one_is_asked_about() -> None:
    expected = whispered()
    assert expected.question("yes", NOW + 1) == Question("Bob")
    for later in (1.5, 2.0, 2.5, 3.0):  # Enter again and again, as if it had not worked
        assert expected.question("yes", NOW + later) == Question("Bob")
    assert expected.question("at nine", NOW + 5) == Question("Bob")
    assert expected.question("yes", NOW + 6) == Question("Bob")
    assert expected.question("yes", NOW + 8) is None


def test_a_refusal_that_names_somebody_keeps_the_name() -> None:
    expected = ExpectedAnswer()
    expected.refused(NoSuchPartner(name="Bbo", near="Bob"), NOW)
    assert expected.question("yes", NOW + 1) == Question("Bob")
    expected.refused(NoSuchPartner(name="Kim"), NOW + 3)
    assert expected.question("at nine", NOW + 4) == Question("Bob")


def test_a_text_from_before_a_whisper_is_not_its_answer() -> None:
    assert whispered().question("hello", NOW - 0.1) is None


def test_an_answer_lets_nothing_through_that_waited() -> None:
    expected = whispered()
    expected.whispered(BOB, NOW + 5)
    assert expected.question("second", NOW) == Question("Bob")


def test_another_whisper_takes_back_no_question() -> None:
    expected = whispered()
    assert expected.question("yes", NOW + 1) == Question("Bob")
    expected.whispered(KIM, NOW + 2)
    assert expected.question("yes", NOW + 4) is None


def test_the_text_after_a_refused_private_one_is_asked_about() -> None:
    for refusal, name in (
        (NoPartner(usage=""), ""),
        (NoSuchPartner(name="Bob"), ""),
        (LooksPrivate.of("Bob", ""), "Bob"),
        (UnknownWhisper(command="t"), ""),
    ):
        expected = ExpectedAnswer()
        expected.refused(refusal, NOW)
        assert expected.question("I am pregnant", NOW + 2) == Question(name)
        assert expected.question("I am pregnant", NOW + 4) is None
    for refused in (LineEdited(), NotInUtf8(), UnknownCommand(command="x"), NotSent("talk_not_sent")):
        expected = ExpectedAnswer()
        expected.refused(refused, NOW)
        assert expected.question("hello", NOW + 2) is None


def test_a_held_text_is_not_asked_about_again() -> None:
    expected, answering = ExpectedAnswer(), whispered()
    for one in (expected, answering):
        one.refused(NoSuchPartner(name="Kim"), NOW + 1)
        one.refused(NotSent("not_sent_with"), NOW + 1)
    assert expected.question("I am pregnant", NOW + 2) is None
    assert answering.question("yes", NOW + 2) == Question("Bob")


@pytest.mark.parametrize("word", WORDS["alone"])
def test_a_word_to_whisper_alone_is_asked_about(word: str) -> None:
    expected = ExpectedAnswer()
    assert expected.question(word, NOW) == Question("")
    assert expected.question("I am pregnant", NOW + 2) == Question("")
    assert expected.question(word, NOW + 4) == Question("")
    assert expected.question(word, NOW + 6) is expected.question("hello", NOW + 6) is None
    assert expected.question(word, NOW + 7) is expected.question("hello", NOW + 8) is None


@pytest.mark.parametrize("text", WORDS["ordinary"])
def test_an_ordinary_word_is_not_asked_about(text: str) -> None:
    assert ExpectedAnswer().question(text, NOW) is None


def test_to_is_asked_about_before_any_private_chat() -> None:
    first, second = whispered(), whispered()
    first.ended(NOW + 70, had_talk=False)
    assert first.question("Bob", NOW + 71) == Question("")
    second.ended(NOW + 1, had_talk=True)
    assert second.question("Bob", NOW + 2) is None


def test_who_chooses_an_audience_is_not_asked() -> None:
    expected = whispered()
    expected.forget()
    assert expected.question("yes", NOW + 1) is None


def test_an_answer_to_one_is_not_for_another() -> None:
    expected, until = whispered(), NOW + ANSWER_S
    assert expected.expects_another("k", NOW + 1) == (BOB, until)
    assert expected.expects_another("b", NOW + 1) is None
    expected.whispered(KIM, NOW)
    expected.renamed("b", "Rob")
    assert expected.expects_another("k", NOW + 1) == (Person("b", "Rob"), until)
    assert expected.expects_another("b", NOW + 1) == (KIM, until)
    assert expected.expects_another("x", until) is None


def test_a_text_after_a_refusal_is_for_someone_unknown() -> None:
    expected = whispered()
    assert expected.expects_another("b", NOW + 1) is None
    expected.refused(NoSuchPartner(name="Zed"), NOW)
    assert expected.expects_another("b", NOW + 1) == (SOMEONE, NOW + ANSWER_S)
    sender = ExpectedAnswer()
    sender.whispers(NOW)
    sender.whispered(BOB, NOW)
    assert sender.expects_another("b", NOW + 1) is None
