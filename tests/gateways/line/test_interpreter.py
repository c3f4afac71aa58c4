"""What typed lines do: interpreters over a real service, whose log is in memory but has to be asked as a disk has."""

from __future__ import annotations

import contextlib
import os
import random
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from chatroom import runtime
from chatroom.backplane.local import RoomRules
from chatroom.backplane.memory import MemoryBackplane
from chatroom.core.errors import (
    ANSWER_AFTER_S,
    LooksPrivate,
    MayAnswer,
    NameNow,
    NameTaken,
    NoSuchPerson,
    NotInUtf8,
    NotSent,
    Refusal,
    TooLong,
)
from chatroom.core.events import Left, Person, Renamed, Said, Whispered, Why
from chatroom.core.expected import CONFIRM_S
from chatroom.core.log import Item
from chatroom.core.names import NamePool
from chatroom.core.unknown_commands import StillTalking, UnknownCommand, UnknownWhisper
from chatroom.gateways.line.codec import Edited, NotUtf8, Overlong, PartlyUtf8
from chatroom.gateways.line.interpreter import Interpreter, LineContext
from chatroom.gateways.words import Words
from chatroom.net.relief import Relief
from chatroom.net.turns import Turns
from chatroom.rooms import RoomView
from chatroom.service import Service
from chatroom.sessions import JoinRequest, Limits, Session, Welcome
from chatroom.tokens import Tokens
from tests.support.inside import until
from tests.support.typos import NAMES, PRIVATE

SCALE = float(os.environ.get("CHATROOM_TEST_SCALE", "1"))


RULES = RoomRules(NamePool(["Nobody"]), random.Random(6), max_people=10)


class FarLog(MemoryBackplane):
    """A log that is never at hand."""

    def at_hand(self, room: str, after: str | None = None) -> bool:
        return False


class LineGuest:
    """A guest at a line terminal, without a connection: records what is shown, and why they are disconnected."""

    def __init__(self, harness: Harness, name: str) -> None:
        self.name = name
        self.shown: list[str] = []
        self.farewell: str | None = None
        self.is_talking = False
        self.settlings = 0
        self._later_s = 0.0
        self._harness = harness
        self.session = harness.service.admit(name, harness, JoinRequest(username=name))
        self.interpreter = Interpreter(harness.context, self, self.session)
        harness.people[name] = self
        harness.service.enter(self.session)
        harness.reads_the_log()
        until(lambda: self.interpreter.may_take)

    def types(self, *lines: str | Overlong) -> None:
        """Type lines; what follows from each is over before the next."""
        for line in lines:
            assert self.interpreter.may_take
            try:
                self.interpreter.take(line, time.monotonic() + self._later_s)
            except Refusal as refused:
                self.interpreter.answer(refused)
                raise
            until(lambda: self.interpreter.is_settled)

    def may_type(self) -> bool:
        return self.interpreter.may_take

    def comes_back_later(self) -> None:
        """As long after a question as it takes to read it."""
        self._later_s += 2 * CONFIRM_S

    def types_together(self, lines: list[str]) -> list[str]:
        """Type lines in one write, before any of them is answered; gives what is shown."""
        before, arrived_at = len(self.shown), time.monotonic()
        refusals: list[Refusal] = []
        for line in lines:
            until(lambda: self.interpreter.may_take)
            try:
                self.interpreter.take(line, arrived_at)
            except Refusal as refused:
                refusals.append(refused)
        for refusal in refusals:
            self.interpreter.answer(refusal)
        until(lambda: self.interpreter.is_settled)
        return self.shown[before:]

    # What an interpreter needs

    def write(self, data: bytes) -> None:
        self.shown.append(data.decode().rstrip("\r\n"))

    def disconnect(self, key: str) -> None:
        self.farewell = key

    def settled(self) -> None:
        self.settlings += 1

    def mark_talking(self, is_talking: bool) -> None:
        self.is_talking = is_talking


class Harness:
    """A service with one gateway, and its guests."""

    def __init__(self) -> None:
        self.people: dict[str, LineGuest] = {}
        self.said: list[str] = []
        self.confirms_whispers = True
        self._reads: list[Callable[[], Any]] = []
        self._backplane = FarLog(RULES, lambda: time.time_ns() // 1_000_000, time.monotonic)
        self.service = Service(
            backplane=self._backplane,
            tokens=Tokens(b"s" * 32, 1000.0, time.time),
            limits=Limits(rates={}, max_text=2000, max_rooms=10, resume_grace_s=0),
            now_ms=lambda: time.time_ns() // 1_000_000,
            monotonic=time.monotonic,
            spawn=lambda read, *args: self._reads.append(lambda: read(*args)),
            signal=runtime.Signal,
        )
        self.context = LineContext(
            service=self.service,
            words=Words("en"),
            kept="",
            max_line_bytes=10_000,
            idle_timeout_s=1000,
            monotonic=time.monotonic,
            call_later=runtime.call_later,
            turns=Turns(),
            relief=Relief(),
        )
        self.service.start([self])

    def reads_the_log(self) -> None:
        """The log answers all that it was asked."""
        reads, self._reads = self._reads, []
        for read in reads:
            read()

    def close(self) -> None:
        self._backplane.close()

    # What the service needs of a gateway

    def welcome(self, session: Session, welcome: Welcome) -> None:
        self.people[session.sid].interpreter.arrived()

    def announce(self, room: RoomView, item: Item) -> None:
        if isinstance(item.event, Said):
            assert type(item.event.text) is str  # of another class, it could not be encoded for the page
            self.said.append(f"{item.event.who.name}: {item.event.text}")
        elif isinstance(item.event, Renamed):
            for one in self.people.values():
                one.interpreter.person_renamed(item.event.sid, item.event.old, item.event.new)
        elif isinstance(item.event, Left):
            for one in self.people.values():
                one.interpreter.person_left(item.event.who.sid)

    def flush(self, room: RoomView) -> None:
        pass

    def whisper(self, session: Session, whispered: Whispered, at_ms: int) -> None:
        if self.confirms_whispers or whispered.who.sid != session.sid:
            self.people[session.sid].interpreter.whispered(whispered, at_ms)

    def typing(self, room: RoomView, person: Person) -> None:
        pass

    def ended(self, session: Session, why: Why) -> None:
        pass


@pytest.fixture
def harness() -> Iterator[Harness]:
    harness = Harness()
    yield harness
    harness.close()


@pytest.fixture
def romeo(harness: Harness) -> LineGuest:
    return LineGuest(harness, "Romeo")


@pytest.fixture
def juliet(harness: Harness, romeo: LineGuest) -> LineGuest:
    return LineGuest(harness, "Juliet")


def test_a_line_is_sent_and_a_blank_one_is_not(harness: Harness, romeo: LineGuest) -> None:
    romeo.types("hello", "", "   ", "//shrug")
    assert harness.said == ["Romeo: hello", "Romeo: /shrug"]
    assert romeo.shown == []


def test_nothing_is_taken_before_one_is_in_the_room(harness: Harness) -> None:
    session = harness.service.admit("x", harness, JoinRequest())
    assert not Interpreter(harness.context, LineGuest(harness, "Host"), session).may_take


def test_what_is_typed_after_history_waits_until_it_is_shown(harness: Harness, romeo: LineGuest) -> None:
    romeo.types("one", "two", "/history 1")
    assert not romeo.may_type()
    assert romeo.shown == []
    before = romeo.settlings
    harness.reads_the_log()
    assert romeo.may_type()
    assert romeo.settlings == before + 1
    assert [line[10:] for line in romeo.shown[1:]] == [" Romeo: two"]


def test_lines_after_name_wait_for_the_rename(harness: Harness, romeo: LineGuest) -> None:
    romeo.types("/name Montague")
    assert not romeo.may_type()
    until(lambda: romeo.interpreter.may_take)
    assert romeo.settlings == 1
    romeo.types("/who")
    assert romeo.shown[-1] == "* 1 here: Montague"


def test_what_is_typed_after_join_waits_for_the_other_room(harness: Harness, romeo: LineGuest) -> None:
    romeo.types("/join garden")
    assert not romeo.may_type()
    harness.reads_the_log()
    until(lambda: romeo.interpreter.may_take)
    romeo.types("/join garden")  # one is there
    assert romeo.may_type()
    assert romeo.shown == ["* You are in garden. 1 person here."]


@pytest.mark.parametrize("command", ["/name", "/nick", "/join"])
@pytest.mark.parametrize(
    "argument",
    [
        "/to Juliet at nine",
        "/to Zed at nine",
        "to Juliet at nine",
        "msg Juliet x",
        "x /to Juliet at nine",
        "to:Juliet",
        *("\n/to Juliet at nine", "/toJuliet at nine", "/x Juliet at nine", "/tpo Zed at nine"),
    ],
)
def test_no_command_makes_a_private_text_public(
    harness: Harness, romeo: LineGuest, juliet: LineGuest, command: str, argument: str
) -> None:
    with pytest.raises(LooksPrivate) as refused:
        romeo.types(f"{command} {argument}")
    assert refused.value.answer_after_s
    assert "others would see it" in romeo.shown[0]
    assert (romeo.session.person.name, romeo.session.room.name) == ("Romeo", "lobby")
    assert juliet.shown == harness.said == []


@pytest.mark.parametrize("key", ["op 0123456789abcdef", "/op 0123456789abcdef"])
def test_a_key_does_not_become_a_name(romeo: LineGuest, key: str) -> None:
    with pytest.raises(UnknownCommand):
        romeo.types(f"/name {key}")


@pytest.mark.parametrize("name", ["/x", "//x", "Toto", "DM me", "/help", "Tom", "to", "a:b", "join"])
def test_a_name_may_be_like_a_command(romeo: LineGuest, name: str) -> None:
    romeo.types(f"/name {name}")
    assert romeo.session.person.name == name


@pytest.mark.parametrize(
    ("line", "refusal", "shown"),
    [
        ("/name Juliet", NameTaken, "* Reuse: Juliet is taken"),
        ("to:Paris", NoSuchPerson, "* no one here is called Paris"),
        ("/to Paris come here", NoSuchPerson, "* no one here is called Paris"),
        ('/to "Count Paris" come here', NoSuchPerson, "* no one here is called Count Paris"),
        (
            "/dance",
            UnknownCommand,
            "* No such command. /help lists the commands. To send it as a message, begin it with /say.",
        ),
    ],
)
def test_a_refusal_changes_nothing_and_has_its_words(
    harness: Harness, romeo: LineGuest, juliet: LineGuest, line: str, refusal: type[Refusal], shown: str
) -> None:
    with pytest.raises(refusal) as refused:
        romeo.types(line)
    assert romeo.interpreter.refusal(refused.value).decode().splitlines()[0] == shown
    assert (harness.said, romeo.session.talk.partner) == ([], None)
    romeo.types("/say hello")
    assert harness.said == ["Romeo: hello"]


@pytest.mark.parametrize("line", ["quit", "close", "/quit", "  quit "])
def test_leaving(romeo: LineGuest, line: str) -> None:
    romeo.types(line)
    assert romeo.farewell == "bye"


def test_a_line_too_long_is_answered_with_its_bound(harness: Harness, romeo: LineGuest) -> None:
    with pytest.raises(TooLong) as refused:
        romeo.types(Overlong())
    assert romeo.interpreter.refusal(refused.value) == b"* That is too long: at most 2000 characters.\r\n"
    assert harness.said == []


def test_a_line_in_another_encoding_is_not_sent(
    harness: Harness, romeo: LineGuest, juliet: LineGuest
) -> None:
    with pytest.raises(NotInUtf8) as refused:
        romeo.types(NotUtf8("\ufffd\ufffd\ufffd"))
    assert romeo.interpreter.refusal(refused.value).startswith(b"* Not sent: it did not arrive as UTF-8.")
    romeo.types("hello")
    assert harness.said == ["Romeo: hello"]


@pytest.mark.parametrize("line", ["私聊\ufffd雨 今晚见", "to Zo\ufffd secret"])
def test_a_nearly_private_line_with_stray_bytes_is_refused(
    harness: Harness, romeo: LineGuest, line: str
) -> None:
    for text in ("caf\ufffd", "cafe"):  # the stray byte was in an escape sequence
        romeo.types(PartlyUtf8(text))
    with pytest.raises(NotInUtf8) as refused:
        romeo.types(PartlyUtf8(line))
    romeo.interpreter.answer(refused.value)
    with pytest.raises(MayAnswer):
        romeo.interpreter.take("secret", time.monotonic() + 1)
    assert harness.said == ["Romeo: caf\ufffd", "Romeo: cafe"]


@pytest.mark.parametrize("line", ["/Juliet hi", "/juleit hi", "/Júliet hi", "/julie hi", "/ Juliet hi"])
def test_a_name_after_a_slash_shows_how_to_whisper(romeo: LineGuest, juliet: LineGuest, line: str) -> None:
    with pytest.raises(UnknownWhisper):
        romeo.types(line)
    assert "To whisper, type /to Juliet hi." in romeo.shown[-1]


@pytest.mark.parametrize("line", ["/hist", "/rome", "/shrug", "/"])
def test_a_wrong_command_near_no_name_shows_no_whisper(
    romeo: LineGuest, juliet: LineGuest, line: str
) -> None:
    with pytest.raises(UnknownCommand):
        romeo.types(line)
    assert "NAME TEXT" not in romeo.shown[-1]


@pytest.mark.parametrize("line", ["/rome hi", "/ x", "/e not here"])
def test_a_text_after_a_wrong_command_shows_whispers_first(
    harness: Harness, romeo: LineGuest, juliet: LineGuest, line: str
) -> None:
    with pytest.raises(UnknownCommand):
        romeo.types(line)
    assert romeo.shown[-1].endswith(
        "To whisper, type /to NAME TEXT. To send it as a message, begin it with /say."
    )
    romeo.comes_back_later()
    romeo.types("good morning")
    assert harness.said == ["Romeo: good morning"]


@pytest.mark.parametrize(
    "line", ["/e not here", "/rr not here", "/ r not here", "/R，not here", "/r Juliet not here"]
)
def test_a_wrong_command_after_a_whisper_shows_its_sender(
    romeo: LineGuest, juliet: LineGuest, line: str
) -> None:
    juliet.types("/to Romeo are you coming?")
    with pytest.raises(UnknownWhisper):
        romeo.types(line)
    assert romeo.shown[-1].endswith(
        "To whisper, type /to Juliet not here. To send it as a message, begin it with /say."
    )


@pytest.mark.parametrize("line", ["/ to Juliet hi", "／　to Juliet hi", "/ w Juliet", "/ join den"])
def test_a_space_after_the_slash_is_named(
    harness: Harness, romeo: LineGuest, juliet: LineGuest, line: str
) -> None:
    right = f"/{line[1:].strip()}"
    assert romeo.types_together([line, "s3cret"])[0] == (
        f"* Not done: there is a space after the slash. Type {right}. To send it as a message, begin it with /say."
    )
    assert harness.said == []


@pytest.mark.parametrize("line", ["/Bob secret", "/t", "op 0123456789abcdefgh"])
def test_a_refusal_that_holds_is_never_answered_at_once(romeo: LineGuest, line: str) -> None:
    with pytest.raises(UnknownCommand) as refused:
        romeo.types(line)
    assert refused.value.answer_after_s == ANSWER_AFTER_S


@pytest.mark.parametrize("unread", ["to:\ufffd\ufffd\ufffd", "\ufffd\ufffd\ufffd"])
def test_texts_after_a_line_in_another_encoding_are_held(
    harness: Harness, romeo: LineGuest, unread: str
) -> None:
    now = time.monotonic()
    for line, refusal in ((NotUtf8(unread), NotInUtf8), ("secret", NotSent)):
        with pytest.raises(refusal):
            romeo.interpreter.take(line, now)
    assert harness.said == []


def test_a_private_talk_goes_to_the_partner_only(
    harness: Harness, romeo: LineGuest, juliet: LineGuest
) -> None:
    romeo.types("to:Juliet", "/echo on", "my love")
    assert juliet.is_talking
    assert juliet.shown[-1].endswith("] Romeo -> you: my love")
    assert romeo.shown[-1].endswith("] you -> Juliet: my love")
    juliet.types("good night")
    assert romeo.shown[-1].endswith("] Juliet -> you: good night")
    assert harness.said == []


def test_the_answer_to_a_whisper_shows_its_name(
    harness: Harness, romeo: LineGuest, juliet: LineGuest
) -> None:
    for line, usage in (("/r yes", "/to NAME TEXT"), ("/reply yes", "/to Juliet yes"), ("/r", "to:Juliet")):
        with pytest.raises(UnknownCommand):
            romeo.types(line)
        assert f"To whisper, type {usage}." in romeo.shown[-1]
        juliet.types("/to Romeo are you coming?")


def test_a_wrong_command_ends_no_private_chat(romeo: LineGuest, juliet: LineGuest) -> None:
    romeo.types("to:Juliet")
    with pytest.raises(UnknownCommand):
        romeo.types("/end")
    assert "To end the private chat, type to: alone." in romeo.shown[-1]
    romeo.types("to:")


@pytest.mark.parametrize("slip", ["to", "t:", "to;", "o:", "ｔｏ；", "too:"])
def test_a_slip_of_to_is_not_sent_to_the_partner(slip: str, romeo: LineGuest, juliet: LineGuest) -> None:
    romeo.types("to:Juliet")
    with pytest.raises(StillTalking):
        romeo.types(slip)
    assert romeo.shown[-1] == "* Not sent. You still talk to Juliet only. To end it, type to:"
    romeo.types(f"/say {slip}")
    assert juliet.shown[-1].endswith(f"Romeo -> you: {slip}")
    romeo.types("to:")


def test_the_question_shows_the_new_name_after_a_rename(
    harness: Harness, romeo: LineGuest, juliet: LineGuest
) -> None:
    juliet.types("/to Romeo are you coming?")
    romeo.interpreter.person_renamed(juliet.session.sid, "Juliet", "Julia")
    with pytest.raises(MayAnswer):
        romeo.types("yes")
    assert "/to Julia TEXT" in romeo.shown[-1]


@pytest.mark.parametrize("line", ["/to Juliet at nine", None], ids=["sent", "received"])
def test_a_text_that_may_answer_a_whisper_is_asked_about(
    harness: Harness, romeo: LineGuest, juliet: LineGuest, line: str | None
) -> None:
    if line is None:
        juliet.types("/to Romeo are you coming?")
    else:
        romeo.types(line)
    with pytest.raises(MayAnswer):
        romeo.types("yes, tell nobody")
    assert "To write to Juliet only, type /to Juliet TEXT or to:Juliet. To send" in romeo.shown[-1]
    assert harness.said == []
    romeo.comes_back_later()
    romeo.types("yes, tell nobody", "more")
    assert harness.said == ["Romeo: yes, tell nobody", "Romeo: more"]


@pytest.mark.parametrize("word", ["to", "w"])
def test_lines_pasted_with_a_whisper_are_not_sent_to_all(
    harness: Harness, romeo: LineGuest, juliet: LineGuest, word: str
) -> None:
    romeo.types_together([f"/{word} Juliet hello", "second", "", "third"])
    assert harness.said == []
    assert [line.split(":")[0] for line in romeo.shown[-2:]] == ["* Not sent"] * 2


def test_lines_pasted_with_an_unconfirmed_whisper_are_asked_about(
    harness: Harness, romeo: LineGuest, juliet: LineGuest
) -> None:
    harness.confirms_whispers = False  # yet, like a backplane that answers by a callback
    shown = romeo.types_together(["/to Juliet hello", "a secret"])
    assert harness.said == []
    assert shown[-1].startswith("* Not sent")


@pytest.mark.parametrize("before", ["received", "/to Juliet part one", "to:Zed", "/to Zed secret", "msg:"])
def test_no_third_person_catches_an_answer(
    harness: Harness, romeo: LineGuest, juliet: LineGuest, before: str
) -> None:
    paris = LineGuest(harness, "Paris")
    if before == "received":
        juliet.types("/to Romeo the password?")
    else:
        with contextlib.suppress(Refusal):
            romeo.types(before)
    paris.types("to:Romeo")
    romeo.comes_back_later()
    with pytest.raises(NotSent) as held:
        romeo.types("hunter2")
    is_known = before in ("received", "/to Juliet part one")
    assert held.value.params == {"name": "Paris", "held": True} | ({"before": "Juliet"} if is_known else {})
    assert "Paris" in romeo.shown[-1]
    assert not any("hunter2" in line for line in paris.shown)
    romeo.comes_back_later()
    romeo.types("hello", "and so on")
    assert [line.endswith(("hello", "and so on")) for line in paris.shown[-2:]] == [True, True]
    assert harness.said == []


def test_whoever_one_answers_may_begin_a_private_chat(
    harness: Harness, romeo: LineGuest, juliet: LineGuest
) -> None:
    romeo.types("/to Juliet are you there?")
    juliet.types("/to Romeo yes", "to:Romeo")
    romeo.types("hello")
    assert juliet.shown[-1].endswith("] Romeo -> you: hello")


@pytest.mark.parametrize("line", ["/to Juliet", "/t", "to Juliet", "/Juliet", "/join a/b", "to:Zed"])
def test_a_text_after_a_refused_private_one_is_asked_about(
    harness: Harness, romeo: LineGuest, juliet: LineGuest, line: str
) -> None:
    with pytest.raises(Refusal):
        romeo.types(line)
    romeo.comes_back_later()
    with pytest.raises(MayAnswer):
        romeo.types("I am pregnant")
    taught = "type /to Juliet TEXT or to:Juliet." if line.endswith("to Juliet") else "type /to NAME TEXT."
    assert romeo.shown[-1].endswith(f"{taught} To send it to everyone, type it again.")
    assert harness.said == []
    romeo.comes_back_later()
    romeo.types("I am pregnant")
    assert harness.said == ["Romeo: I am pregnant"]


@pytest.mark.parametrize("line", ["to:", "to :", "ＴＯ：", "msg:", "to", "w", "私聊"])
def test_a_name_after_a_whisper_keyword_is_asked_about(harness: Harness, romeo: LineGuest, line: str) -> None:
    for text in (line, "Juliet", "I am pregnant"):
        with suppress(MayAnswer):
            romeo.types(text)
        romeo.comes_back_later()
    romeo.types_together([line, "Juliet", "I am pregnant too"])
    assert harness.said == []


def test_to_after_a_private_chat_is_not_asked_about(
    harness: Harness, romeo: LineGuest, juliet: LineGuest
) -> None:
    romeo.types("to:Juliet", "to:")
    assert romeo.types_together(["to:", "hello"])[-1].startswith("* You are not in a private chat.")
    assert harness.said == ["Romeo: hello"]


@pytest.mark.parametrize(
    "lines", [["/say yes"], ["//yes"], ["to:Juliet", "to:", "yes"], ["/join den", "yes"]]
)
def test_who_says_where_a_text_goes_is_not_asked(
    harness: Harness, romeo: LineGuest, juliet: LineGuest, lines: list[str]
) -> None:
    juliet.types("/to Romeo are you coming?")
    for line in lines:
        romeo.types(line)
        harness.reads_the_log()
        until(romeo.may_type)
    assert harness.said in (["Romeo: yes"], ["Romeo: /yes"])


def test_a_line_with_keys_that_edit_is_not_sent(
    harness: Harness, romeo: LineGuest, juliet: LineGuest
) -> None:
    shown = romeo.types_together([Edited("Juliet s3cret/to "), "more"])
    assert shown[0].startswith("* Not sent: arrow keys")
    assert shown[1].startswith("* Not sent: something just before")
    romeo.types(Edited(" "))
    assert harness.said == juliet.shown == []


def test_a_quoted_name_is_found(harness: Harness, romeo: LineGuest) -> None:
    one, other = LineGuest(harness, "a: b"), LineGuest(harness, "c")
    for typed, found in (('to:"a: b"', one), ('to:"c"', other)):
        romeo.types(typed)
        assert romeo.session.talk.partner == found.session.person
    quoted = LineGuest(harness, '"d"')
    romeo.types('to:"d"')
    assert romeo.session.talk.partner == quoted.session.person


def test_a_former_name_is_answered_with_the_new_one(harness: Harness, romeo: LineGuest) -> None:
    first = LineGuest(harness, "Hugo")
    harness.service.leave(first.session, cut=False)
    harness.reads_the_log()
    hugo, late = LineGuest(harness, "Hugo"), LineGuest(harness, "Paris")
    hugo.types("/name Victor")
    until(hugo.may_type)
    for line in ("/to Hugo hi", "to:Hugo"):
        with pytest.raises(NameNow):
            late.types(line)
        with pytest.raises(NoSuchPerson):  # Romeo may mean the first one
            romeo.types(line)
        assert "Victor" in late.shown[-1]
        assert "Victor" not in romeo.shown[-1]


def test_who_is_left_by_their_partner_no_longer_talks(
    harness: Harness, romeo: LineGuest, juliet: LineGuest
) -> None:
    romeo.types("to:Juliet")
    harness.service.leave(juliet.session, cut=False)
    with pytest.raises(NotSent):
        romeo.types("are you there")
    romeo.types("hello all")
    assert harness.said == ["Romeo: hello all"]
    assert not romeo.is_talking


def test_nothing_private_becomes_public_however_it_was_typed(harness: Harness) -> None:
    people = [LineGuest(harness, name) for name in NAMES]
    sender, elsewhere = LineGuest(harness, "Sender"), LineGuest(harness, "Denny")
    elsewhere.types("/join den")
    harness.reads_the_log()
    until(lambda: elsewhere.interpreter.may_take)

    @settings(
        max_examples=max(1, round(300 * SCALE)),
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(PRIVATE)
    def types(texts: list[str]) -> None:
        lines = [text.replace("{secret}", "s3cret").replace("{room}", "den") for text in texts]
        harness.said.clear()
        for one in people:
            one.shown.clear()
        shown = sender.types_together([line for text in lines for line in text.split("\n")])
        heard = [line for one in people for line in one.shown if "s3cret" in line]
        assert shown or heard, lines
        assert not [said for said in harness.said if "s3cret" in said], lines
        assert sender.session.room.name == "lobby"
        sender.types("to:Bob", "to:")  # whatever it did to the talk is over

    types()


def test_escaped_and_ordinary_texts_are_still_sent(harness: Harness) -> None:
    """What a slip is refused for can be sent: the other test could not fail for what refuses everything."""
    sender = LineGuest(harness, "Sender")
    LineGuest(harness, "Bob")
    assert sender.types_together(["to Bob s3cret"])
    sender = LineGuest(harness, "Another")
    sender.types("/say to Bob s3cret", "to be honest", "join us later", "talk to Bob later")
    assert len(harness.said) == 4
