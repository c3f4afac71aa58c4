"""What typed lines mean."""

import weakref

import pytest

from chatroom.core.commands import (
    COMMANDS,
    Command,
    Echo,
    Help,
    History,
    Join,
    Name,
    Quit,
    Rooms,
    Say,
    TalkTo,
    WhisperTo,
    Who,
    parse_line,
)
from chatroom.core.errors import BadRequest
from chatroom.core.near_misses import NearWhisper
from chatroom.core.unknown_commands import LooksLikeKey, UnknownCommand
from tests.support.inside import no_collector


@pytest.mark.parametrize("text", ["hi", " hi ", "", "a/b", "quit", "\u3000x"])
def test_plain_text_is_sent_unchanged(text: str) -> None:
    assert parse_line(text) == Say(text)


def test_two_slashes_say_one() -> None:
    assert parse_line("//help me") == Say("/help me")
    assert parse_line(" ///") == Say("//")


@pytest.mark.parametrize(
    "text", ["x", "/x", "to:Bob", " two  spaces ", "op 0123456789abcdef", "//", "to Bob x"]
)
def test_say_sends_exactly_what_stands_after_it(text: str) -> None:
    assert parse_line(f"/say {text}") == Say(text)
    assert parse_line(f"\ufeff／SAY\u3000{text}") == Say(text)


def test_what_is_nearly_private_is_marked_and_not_changed() -> None:
    assert parse_line("to Bob: psst") == Say(
        "to Bob: psst",
        near=(
            NearWhisper(
                "Bob: psst",
                is_certain=True,
                runs_on=True,
                has_exact_keyword=True,
                may_be_sentence=True,
                keyword="to",
                misspaced="to Bob: psst",
            ),
        ),
    )


def test_a_key_without_its_slash_is_refused() -> None:
    with pytest.raises(LooksLikeKey) as refusal:
        parse_line("op 0123456789abcdef")
    assert (refusal.value.code, refusal.value.params) == ("unknown_command", {"command": "op"})


@pytest.mark.parametrize(
    ("line", "command"),
    [
        ("/help", Help()),
        ("  /WHO ", Who()),
        ("/name", Name(None)),
        ("/name\u200b \ufeff", Name(None)),
        ("/name \u0301", Name("\u0301")),  # no name, but typed as one
        ("/name\u0301", Name("\u0301")),
        ("/nick  Ming Li ", Name("Ming Li")),
        ("/to Ming hello  there", WhisperTo("Ming hello  there")),
        ("/msg Ming", WhisperTo("Ming")),
        ("/w\tMing\nhello", WhisperTo("Ming\nhello")),
        ("/to", WhisperTo("")),
        ("to:Ming Li ", TalkTo("Ming Li")),
        ("to:", TalkTo("")),
        ("／ｊｏｉｎ tea house", Join("tea house")),
        ("/join tea house", Join("tea house")),
        ("/rooms", Rooms()),
        ("/history", History(None)),
        ("/history 007", History(7)),
        ("/echo ON", Echo(True)),
        ("/echo off", Echo(False)),
        ("/quit", Quit()),
    ],
)
def test_commands_are_read(line: str, command: Command) -> None:
    assert parse_line(line) == command


@pytest.mark.parametrize(
    "line",
    [
        "/who me",
        "/say",
        "/say ",
        "/join ",
        "/history 0",
        "/history 201",
        "/history -1",
        "/history ٣",
        "/history 9999",
        "/echo",
        "/echo 1",
    ],
)
def test_wrong_arguments_are_refused_with_the_usage(line: str) -> None:
    with pytest.raises(BadRequest) as refusal:
        parse_line(line)
    assert str(refusal.value.params["usage"]).startswith(line.split()[0])


@pytest.mark.parametrize("line", ["/echo 1", "/join"])
def test_a_refused_command_is_freed_without_the_collector(line: str) -> None:
    with no_collector():
        try:
            parse_line(line)
        except BadRequest as refused:
            refusal = weakref.ref(refused)
        assert refusal() is None


@pytest.mark.parametrize(
    ("line", "name"), [("/", ""), ("/ who", ""), ("/frobnicate x", "frobnicate"), ("/\ud800", "")]
)
def test_unknown_command_is_named(line: str, name: str) -> None:
    with pytest.raises(UnknownCommand) as refusal:
        parse_line(line)
    assert refusal.value.params == {"command": name}


def test_every_command_explains_itself() -> None:
    for record in COMMANDS:
        assert record.usage.startswith(f"/{record.name}")
        assert all(record.help[language] for language in ("en", "zh"))
    names = [name for record in COMMANDS for name in (record.name, *record.aliases)]
    assert len(names) == len(set(names))
    assert [record.name for record in COMMANDS if record.line_only] == ["echo"]
