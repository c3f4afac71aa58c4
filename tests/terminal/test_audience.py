"""Whom a typed text goes to, however it is typed; and that nobody else gets it."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chatroom.core import near
from chatroom.core.addressed import Addressed
from chatroom.core.commands import Say, parse_line
from chatroom.core.confusables import fold
from chatroom.core.errors import Refusal
from chatroom.core.events import Person
from chatroom.core.recipients import People
from chatroom.core.spellings import Spellings
from chatroom.terminal.audience import (
    Audience,
    AudienceChanged,
    Command,
    Deliver,
    Message,
    NotSent,
    changes_audience,
    read,
)
from chatroom.terminal.failed_texts import PrivateText
from chatroom.terminal.outbox import HOLD_S, LOST, Line, Outbox
from tests.support.typos import NAMES as PEOPLE
from tests.support.typos import PRIVATE

NAMES = {"me": "Fox", "e": "Eve", "m": "Ming Li", "c": "a:b", "q": '"q"'}


def take(
    audience: Audience, text: str, names: dict[str, str] = NAMES, now: float = 0.0
) -> Deliver | AudienceChanged | NotSent:
    return audience.take(text, names, "me", now)


@pytest.mark.parametrize(("sender", "to"), [("Eve", "Fox"), ("Fox", "Eve")], ids=["received", "sent"])
def test_a_text_that_may_answer_a_whisper_is_asked_about(sender: str, to: str) -> None:
    audience = Audience()
    audience.follow({"action": "whisper", "username": sender, "to": to}, 0.0)
    asked = take(audience, "yes", now=1.0)
    assert isinstance(asked, NotSent)
    assert "/to Eve TEXT or to:Eve. To send it to everyone" in asked.why
    assert not asked.is_doubtful
    assert take(audience, "//yes", now=1.1) == Deliver("//yes", None)
    assert take(audience, "yes", now=3.0) == take(audience, "yes", now=3.1) == Deliver("yes", None)


@pytest.mark.parametrize("line", ["/to eve s3cret", "／TO Ｅve s3cret", '/w "Eve" s3cret', "/to Eve, s3cret"])
def test_a_whisper_says_whose_name_it_is_now(line: str) -> None:
    typed = take(Audience(), line)
    assert isinstance(typed, Deliver)
    assert typed.whisper == PrivateText(Person("e", "Eve"), "s3cret")


@pytest.mark.parametrize("line", ["/to", "/to Ben x", "/who", "//to Eve x", "/join Eve x"])
def test_no_other_line_is_a_whisper_to_a_known_person(line: str) -> None:
    typed = take(Audience(), line)
    assert isinstance(typed, Deliver)
    assert typed.whisper is None


def test_a_text_typed_before_a_whispers_answer_is_held() -> None:
    audience = Audience()
    take(audience, "/to Eve hello", now=0.0)
    assert isinstance(take(audience, "second", now=0.0), NotSent)
    audience.follow({"action": "whisper", "username": "Fox", "to": "Eve"}, 0.2)
    assert isinstance(third := take(audience, "third", now=0.1), NotSent)
    assert "/to Eve TEXT" in third.why


def test_the_question_shows_the_new_name_after_a_rename() -> None:
    audience = Audience()
    audience.follow({"action": "whisper", "username": "Eve", "to": "Fox"}, 0.0)
    audience.follow({"action": "rename", "username": "Eve", "to": "Eva"}, 0.5)
    asked = take(audience, "yes", now=1.0)
    assert isinstance(asked, NotSent)
    assert "/to Eva TEXT" in asked.why


def test_a_wrong_command_ends_no_private_chat() -> None:
    audience = Audience()
    assert take(audience, "/end") == Deliver("/end", None)
    audience.talk_to(Person("e", "Eve"))
    asked = take(audience, "/end")
    assert isinstance(asked, NotSent)
    assert "type to: alone" in asked.why


def test_a_slip_in_a_private_chat_shows_the_usage() -> None:
    audience = Audience()
    audience.talk_to(Person("e", "Eve"))
    asked = take(audience, "to Ming Li you are nicer")
    assert isinstance(asked, NotSent)
    assert "/to Ming Li you are nicer" in asked.why


def test_a_text_after_a_refused_private_one_is_asked_about() -> None:
    box = Outbox()
    audience = Audience(expected=box.expected)
    box.refuse(Line("to:Zed"), "No one.", 0.0)
    asked = take(audience, "I am pregnant", now=2.0)
    assert isinstance(asked, NotSent)
    assert "type it again" in asked.why
    assert take(audience, "I am pregnant", now=4.0) == Deliver("I am pregnant", None)


def test_what_the_server_takes_for_private_gets_one_answer() -> None:
    box = Outbox()
    audience = Audience(expected=box.expected)
    why = "Not sent: it looks like a whisper. To whisper to Eve, type /to Eve my loan."
    answer = {"ok": False, "code": "bad_request", "msg": why, "name": "Eve", "usage": "/to Eve my loan"}
    line = Line("to Eve my loan")
    box.add(line, 0.0)
    box.answered(line, answer, 0.0)
    for now in (2.0, 4.0, 6.0, 8.0):
        assert take(audience, "to Eve my loan", now=now) == NotSent(why)
    for now in (10.0, 12.0):  # not yet known to the server
        asked = take(audience, "to ming li my loan", now=now)
        assert isinstance(asked, NotSent)
        assert asked.why.startswith("To whisper to Ming Li, type /to Ming Li my loan.")
    asked = take(audience, "hello all", now=14.0)
    assert isinstance(asked, NotSent)
    assert "type /to Eve TEXT or to:Eve. To send it to everyone, type it again." in asked.why
    assert take(audience, "hello all", now=16.0) == Deliver("hello all", None)


def test_who_moves_does_not_read_that_the_partner_has_left() -> None:
    audience = Audience()
    audience.entered("lobby")
    audience.talk_to(Person("e", "Eve"))
    audience.entered("den")
    refused = take(audience, "secret", {"me": "Fox"})
    assert isinstance(refused, NotSent)
    assert refused.why.startswith("Eve is not in this room.")


def test_who_chose_an_audience_and_a_script_are_not_asked() -> None:
    audience, script = Audience(), Audience(asks=False)
    for one in (audience, script):
        one.follow({"action": "whisper", "username": "Eve", "to": "Fox"}, 0.0)
    audience.talk_to(Person("e", "Eve"))
    take(audience, "to:", now=1.0)
    assert take(audience, "yes", now=1.1) == take(script, "yes", now=1.1) == Deliver("yes", None)


@pytest.mark.parametrize("word", ["to:", "to :", "msg:", "to", "私聊"])
def test_a_name_after_a_whisper_keyword_is_asked_about(word: str) -> None:
    audience = Audience()
    take(audience, word, now=1.0)
    for text in ("Eve", "I am pregnant"):
        assert isinstance(take(audience, text, now=2.0), NotSent)
    assert take(audience, "I am pregnant", now=4.0) == Deliver("I am pregnant", None)


@pytest.mark.parametrize("text", ["hello", "a/b", "TODO: x", "total: 3", "1/2", "http://x", "🩷", "> to:x"])
def test_an_ordinary_text_is_a_message(text: str) -> None:
    assert read(text) == Message(text)


@pytest.mark.parametrize(
    ("text", "said"),
    [("//x", "/x"), ("／／x", "/x"), (" 、/x", "/x"), ("/say  /x", " /x"), ("／ＳＡＹ to:x", "to:x")],
)
def test_an_escaped_text_is_a_message(text: str, said: str) -> None:
    assert read(text) == Message(said)


@pytest.mark.parametrize(
    "text",
    [
        "/to Bob x",
        "、to Bob x",
        "､to Bob x",
        "／to Bob x",
        "∕ｔｏ Bob x",
        " \u200b/to Bob x",
        "\ufeff/TO Bob x",
    ],
)
def test_a_command_gets_a_plain_slash(text: str) -> None:
    assert read(text) == Command("/to Bob x")
    assert changes_audience(text)


@pytest.mark.parametrize("text", ["/jion den", "/joinden x", "/ｊ den", "\\/join den", "/јоіn den"])
def test_a_misspelt_join_may_change_the_audience(text: str) -> None:
    assert changes_audience(text)


@pytest.mark.parametrize(
    "text", ["/home/u/x.log", "/tools/x", "/too Eve x", "/rooms", "/", "/say", "/say\u2800", "/ /x", "、"]
)
def test_what_begins_like_a_command_is_no_message(text: str) -> None:
    assert isinstance(read(text), Command)
    assert not changes_audience(text)


@pytest.mark.parametrize(
    ("text", "sid"),
    [
        ("to:Eve", "e"),
        ("TO：ＥＶＥ", "e"),
        ("to : “Eve”", "e"),
        ("t\u200bo:E\u200bve", "e"),
        ("to:ming  li", "m"),
        ("to:a:b", "c"),
        ('to:"q"', "q"),
        ("to:@Eve", "e"),
        ("to:「Eve」", "e"),
        ("to:<Eve>:", "e"),
        ("to:a:b.", "c"),
    ],
)
def test_a_marker_turns_to_the_session(text: str, sid: str) -> None:
    audience = Audience()
    assert isinstance(take(audience, text), AudienceChanged)
    assert take(audience, "secret") == Deliver("secret", Person(sid, NAMES[sid]))


@pytest.mark.parametrize("text", ["to:Nobody", "to:Ming", "to:Eve secret", "to:Fox", "to:Eve\nsecret"])
def test_an_unknown_name_turns_to_nobody(text: str) -> None:
    audience = Audience()
    assert isinstance(take(audience, text), NotSent)
    assert audience.partner(NAMES) is None


@pytest.mark.parametrize(
    ("text", "taught"),
    [
        ("to:Eve secret", "/to Eve secret"),
        ("TO： ming li，secret", "/to Ming Li secret"),
        ("to:a:b\nx", "/to a:b x"),
    ],
)
def test_a_text_after_the_name_is_refused_with_the_usage(text: str, taught: str) -> None:
    audience, refused = Audience(), take(Audience(), text)
    assert isinstance(refused, NotSent)
    assert f", type {taught}." in refused.why
    assert audience.partner(NAMES) is None


def test_a_name_with_a_slip_is_refused_with_the_nearest() -> None:
    refused = take(Audience(), "to:Evve")
    assert isinstance(refused, NotSent)
    assert "To whisper to Eve, type to:Eve." in refused.why


def test_no_one_is_denied_who_is_here() -> None:
    refused = take(Audience(), "to:Evethe pin is 8107")
    assert isinstance(refused, NotSent)
    assert refused.why.startswith(
        "No one here is called Evethe. To whisper to Eve, type /to Eve the pin is 8107."
    )


def test_a_slip_in_a_longer_name_is_asked_about() -> None:
    refused = take(Audience(), "to:Ming Lo", {"a": "Ming", "b": "Ming Li"})
    assert refused == NotSent('Is it for Ming or for Ming Li? Type to:"Ming" or to:"Ming Li".')


def test_a_name_that_two_have_turns_to_neither() -> None:
    assert isinstance(take(Audience(), "to:eve", {"a": "Eve", "b": "EVE"}), NotSent)


def test_the_marker_alone_returns_to_everyone() -> None:
    audience = Audience()
    take(audience, "to:Eve")
    assert isinstance(take(audience, " To："), AudienceChanged)
    assert take(audience, "hello") == Deliver("hello", None)


def test_a_new_name_is_followed() -> None:
    audience = Audience()
    take(audience, "to:Eve")
    names = {**NAMES, "e": "Eva", "i": "Eve"}
    assert take(audience, "secret", names) == Deliver("secret", Person("e", "Eva"))


@pytest.mark.parametrize("others", [{}, {"i": "Eve"}])
def test_nobody_inherits_a_talk_and_nothing_becomes_public(others: dict[str, str]) -> None:
    audience = Audience()
    take(audience, "to:Eve")
    names = {"me": "Fox", **others}
    for _ in range(3):
        refused = take(audience, "secret", names)
        assert isinstance(refused, NotSent)
        assert "Eve has left" in refused.why
        assert ("to:Eve" in refused.why) == bool(others)
    take(audience, "to:", names)
    assert take(audience, "hello", names) == Deliver("hello", None)


_HIDDEN = st.sampled_from(
    ["", "", "", "\u200b", "\u200e", "\u2060", "\u00ad", "\ufe0f", "\ufeff", "\u034f", "\U000e0100", "\u202a", "\u2800"]
)  # fmt: skip


@st.composite
def mistyped(draw: st.DrawFn, *lines: str) -> str:
    """One of these lines, as it may come from a keyboard in another mode, or by copy and paste."""
    written = draw(st.sampled_from(["", " ", "\u3000", "\u200b ", "\ufeff"]))
    for character in draw(st.sampled_from(lines)):
        if character == "/":
            character = draw(st.sampled_from("/／、､∕⁄"))
        elif draw(st.booleans()):
            character = character.upper()
        if "!" <= character <= "~" and draw(st.integers(0, 3)) == 0:
            character = chr(ord(character) + 0xFEE0)
        written += character + draw(_HIDDEN)
    return written


@given(mistyped("/op KEY", "/nonsense", "/join x", "/say"))
def test_however_it_is_mistyped_a_command_is_no_message(line: str) -> None:
    command = read(line)
    assert isinstance(command, Command)
    assert command.text[0] == "/" != command.text[1]


@given(st.lists(mistyped("/to Eve x", "/w Eve x", "/msg No x", "to:Eve", "to:No"), min_size=1, max_size=5))
def test_no_one_else_reads_texts_after_a_mistyped_marker(lines: list[str]) -> None:
    audience, outbox = Audience(), Outbox(float("inf"))
    names = {"me": "Fox", "e": "Eve"}
    for typed in [each for line in lines for each in (line, "secret")]:
        match take(audience, typed, names):
            case Deliver(text, to):
                outbox.add(Line(text, to), 0.0)
            case NotSent(why, is_doubtful):
                outbox.refuse(Line(typed), why, 0.0, is_doubtful=is_doubtful)
            case AudienceChanged():
                outbox.audience_changed()
    while outbox.lines:
        line = outbox.lines[0]
        frame = line.frame()
        if frame["action"] == "whisper":
            assert frame["to_sid"] == "e"
        else:
            assert isinstance(read(frame["msg"]), Command), frame
        outbox.answered(line, {"ok": False, "code": "no_such_person", "msg": ""}, 0.0)


def refusal(text: str) -> dict[str, object] | None:
    """What the server answers to a text for the room `lobby`, beside which there is `den`; None: it sends the text."""
    here = {fold(name): Person(name, name) for name in ("Fox", *PEOPLE)}
    try:
        line = parse_line(text)
        if isinstance(line, Say):
            spelled = Spellings(person.name for person in here.values()).find
            people = People(
                lambda name: here.get(fold(name)), lambda _: None, Addressed(), spelled_here=spelled
            )
            near.check(line.near, people, lambda room: room == "den")
            return None
    except Refusal as refused:
        return {"ok": False, "code": refused.code, "msg": ""}
    return {"ok": False, "code": "no_such_person", "msg": ""}


class Client:
    """What a terminal client sends, and what the server answers."""

    def __init__(self, hold_s: float) -> None:
        self.people = {"me": "Fox", **{name: name for name in PEOPLE}}
        self.public: list[str] = []
        self._audience, self._outbox = Audience(), Outbox(hold_s)

    def types(self, text: str) -> None:
        if self._outbox.hold_private(text, 0.0) is not None:
            return
        match take(self._audience, text, self.people):
            case Deliver(said, to):
                self._outbox.add(Line(said, to), 0.0)
            case NotSent(why, is_doubtful):
                self._outbox.refuse(Line(text), why, 0.0, is_doubtful=is_doubtful)
            case AudienceChanged():
                self._outbox.audience_changed()

    def is_answered(self) -> None:
        while line := self._outbox.due(0.0):
            frame = line.frame()
            refused = refusal(frame["msg"]) if frame["action"] == "message" else None
            if refused is None and frame["action"] == "message":
                self.public.append(frame["msg"])
            self._outbox.answered(line, refused or {"ok": True}, 0.0)


@pytest.mark.parametrize(
    ("hold_s", "by_line"), [(float("inf"), True), (HOLD_S, False)], ids=["plain", "screen"]
)
def test_no_private_text_becomes_public_however_it_is_typed(hold_s: float, by_line: bool) -> None:
    @settings(
        max_examples=500,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(PRIVATE, st.booleans())
    def types(texts: list[str], at_once: bool) -> None:
        client = Client(hold_s)
        for text in [text.replace("{secret}", "s3cret").replace("{room}", "den") for text in texts]:
            for line in text.split("\n") if by_line else [text]:
                client.types(line)
                if not at_once:
                    client.is_answered()
        client.is_answered()
        assert not [text for text in client.public if "s3cret" in text]

    types()


def test_a_text_for_everyone_is_sent_to_everyone() -> None:
    """The other test could not fail for a client that sends nothing."""
    client = Client(HOLD_S)
    client.types("s3cret")
    client.is_answered()
    assert client.public == ["s3cret"]


@pytest.mark.parametrize(
    "text",
    ["op 0123456789abcdef", "to Bob s3cret", "\\to Bob: s3cret", "a/to Bob x", "msg to Bob x", "ot:Bob"],
)
def test_a_slip_does_not_go_to_another_partner(text: str) -> None:
    people = {"me": "Me", "e": "Eve", "b": "Bob"}
    audience = Audience()
    audience.talk_to(Person("e", "Eve"))
    assert isinstance(take(audience, text, people), NotSent)
    assert take(audience, f"/say {text}", people) == Deliver(f"/say {text}", Person("e", "Eve"))
    assert take(audience, "to be or not", people) == Deliver("to be or not", Person("e", "Eve"))


def test_a_guest_told_of_a_namesake_is_not_asked_again() -> None:
    audience, people = Audience(), {"me": "Me", "e2": "Eve", "e3": "Nurse"}
    audience.talk_to(Person("e", "Eve"))
    assert isinstance(take(audience, "secret", people), NotSent)
    take(audience, "to:Nurse", people)
    assert take(audience, "hello", people) == Deliver("hello", Person("e3", "Nurse"))
    take(audience, "to:Eve", people)
    assert take(audience, "hello", people) == Deliver("hello", Person("e2", "Eve"), confirmed=True)


@pytest.mark.parametrize(
    ("answer", "times"),
    [
        ({"ok": False, "code": LOST}, 2),
        ({"ok": False, "code": "rate_limited", "retry_after": 1}, 2),
        ({"ok": False, "code": "no_such_person"}, 1),
    ],
)
def test_who_has_a_partners_name_is_asked_until_known(answer: dict[str, object], times: int) -> None:
    audience = Audience()
    audience.talk_to(Person("1", "Ben"))
    asked = []
    for _ in range(2):
        left = audience.session_to_ask_about({"2": "Ben"})
        if left is not None:
            asked.append(left)
            assert audience.resumed(left, answer) is None
    assert asked == ["1"] * times


def test_a_partner_who_is_back_is_the_partner_again() -> None:
    audience = Audience()
    audience.talk_to(Person("1", "Ben"))
    assert audience.session_to_ask_about({"2": "Ben"}) == "1"
    assert audience.resumed("1", {"ok": True, "sid": "2", "username": "Ben"}) is not None
    assert audience.partner({"2": "Ben"}) == Person("2", "Ben")
