"""What is sent, again or not, after each answer."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from chatroom.core.events import Person
from chatroom.core.expected import CONFIRM_S, Question
from chatroom.terminal.audience import Audience, Deliver
from chatroom.terminal.failed_texts import PrivateText
from chatroom.terminal.frame import Frame
from chatroom.terminal.outbox import GIVE_UP_S, HOLD_S, LOST, MAX_LOSSES, MAX_WAIT_S, RETRY_S, Line, Outbox
from chatroom.terminal.words import ENGLISH


def outbox(*texts: str) -> Outbox:
    box = Outbox()
    box.lines.extend(map(Line, texts))
    return box


def sent(box: Outbox, now: float = 0.0) -> Line:
    """The line that is due, sent."""
    line = box.due(now)
    assert line is not None
    line.sent = True
    return line


@pytest.mark.parametrize("typed", ["、私聊 小雨，你好", "／TO，Bob x"])
def test_a_refused_command_is_shown_as_it_was_typed(typed: str) -> None:
    taken = Audience().take(typed, {}, "", 0.0)
    assert isinstance(taken, Deliver)
    box = outbox(taken.text)
    line = sent(box)
    (refusal,) = box.answered(line, {"ok": False, "code": "unknown_command"}, 0.0)
    assert refusal["said"] == typed


@pytest.mark.parametrize("text", ["/quit", "、quit", " ／ＱＵＩＴ "])
def test_a_command_to_leave_is_one_however_typed(text: str) -> None:
    assert Line(text).is_quit


def test_lines_are_sent_one_after_another() -> None:
    box = outbox("one", "two")
    one = sent(box)
    assert box.due(0.0) is None
    assert box.due_in(0.0) is None
    assert box.answered(one, {"ok": True}, 0.0) == []
    assert sent(box).text == "two"


@pytest.mark.parametrize(
    ("answer", "wait_s"),
    [
        ({"code": "rate_limited", "retry_after": 2.5}, 2.5),
        ({"code": "rate_limited"}, RETRY_S),
        ({"code": "rate_limited", "retry_after": "soon"}, RETRY_S),
        ({"code": "rate_limited", "retry_after": -1}, RETRY_S),
        ({"code": "rate_limited", "retry_after": 1e300}, MAX_WAIT_S),
        ({"code": "rate_limited", "retry_after": float("nan")}, RETRY_S),
        ({"code": LOST}, 0.0),
    ],
)
def test_a_retry_sends_the_same_line_later(answer: dict[str, object], wait_s: float) -> None:
    box = outbox("one", "two")
    line = sent(box, 100.0)
    cid = line.cid
    assert box.answered(line, {"ok": False, **answer}, 100.0) == []
    assert box.due_in(100.0) == pytest.approx(wait_s)
    if wait_s:
        assert box.due(100.0 + wait_s - 0.01) is None
    again = sent(box, 100.0 + wait_s)
    assert (again.text, again.cid) == ("one", cid)
    assert box.refused == 0


def test_a_message_that_cannot_be_stored_is_given_up() -> None:
    box = outbox("one", "two")
    answer = {"ok": False, "code": "unavailable", "msg": "Try again."}
    now, frames = 100.0, list[list[Frame]]()
    cid = box.lines[0].cid
    while box.lines:
        line = sent(box, now)
        assert (line.text, line.cid) == ("one", cid)
        frames.append(box.answered(line, answer, now))
        now += RETRY_S
    first, *between, last = frames
    assert [frame["msg"] for frame in first] == [ENGLISH.say("unstored")]
    assert "said" not in first[0]
    assert not any(between)
    assert [frame["said"] for frame in last] == ["one", "two"]
    assert last[0]["msg"] == ENGLISH.say("not_stored")
    assert len(frames) == GIVE_UP_S / RETRY_S + 1
    assert box.refused == 2


@pytest.mark.parametrize("code", ["unavailable", LOST])
@pytest.mark.parametrize("text", ["/to Romeo psst", "  /name X"])
def test_a_command_with_an_unknown_outcome_is_not_sent_again(text: str, code: str) -> None:
    box = outbox(text, "/who")
    (refusal,) = box.answered(sent(box), {"ok": False, "code": code}, 0.0)
    assert refusal["said"] == text
    assert box.refused == 1
    assert sent(box).text == "/who"


def test_a_text_with_two_slashes_is_a_message() -> None:
    box = outbox("//x")
    assert box.answered(sent(box), {"code": LOST}, 0.0) == []
    assert sent(box).text == "//x"


def test_a_command_that_comes_too_fast_is_sent_again() -> None:
    box = outbox("/who")
    assert box.answered(sent(box), {"code": "rate_limited", "retry_after": 1}, 0.0) == []
    assert sent(box, 1.0).text == "/who"


def test_a_refusal_is_shown_with_the_line() -> None:
    box = outbox("x" * 9000)
    (refusal,) = box.answered(sent(box), {"ok": False, "code": "too_long", "msg": "Too long."}, 0.0)
    assert refusal == {
        "action": "notice",
        "username": "*",
        "msg": "Too long.",
        "code": "too_long",
        "said": "x" * 9000,
        "to_sid": "",
    }
    assert not box.lines


def test_every_line_has_a_cid_of_its_own() -> None:
    assert len({Line("x").cid for _ in range(100)}) == 100
    assert all(1 <= len(Line("x").cid) <= 64 for _ in range(100))


def test_a_line_that_breaks_every_connection_is_given_up() -> None:
    box = outbox("poison", "next")
    for _ in range(MAX_LOSSES - 1):
        assert box.answered(sent(box), {"code": LOST}, 0.0) == []
    (refusal,) = box.answered(sent(box), {"code": LOST}, 0.0)
    assert refusal["said"] == "poison"
    assert sent(box).text == "next"


def test_a_too_long_text_is_refused_locally() -> None:
    box = outbox("12345", "123")
    assert box.refuse_too_long(5, 0.0) == []
    refusals = box.refuse_too_long(4, 0.0)
    assert [(refusal["code"], refusal["said"]) for refusal in refusals] == [
        ("too_long", "12345"),
        ("refused", "123"),
    ]


@pytest.mark.parametrize(
    ("code", "holds_scripts"), [("bad_request", True), ("too_long", False), ("empty", False)]
)
def test_messages_after_a_refused_message_are_held(code: str, holds_scripts: bool) -> None:
    box = Outbox(float("inf"))
    box.lines.extend(map(Line, ("tp:Bob", "secret", "/who")))
    refusals = box.answered(sent(box), {"ok": False, "code": code, "msg": ""}, 0.0)
    assert [refusal["said"] for refusal in refusals] == ["tp:Bob", "secret"]
    assert texts(box) == ["/who"]
    assert box.add(Line("more"), HOLD_S / 2) is not None
    assert (box.add(Line("for all"), HOLD_S) is not None) is holds_scripts


@pytest.mark.parametrize(
    ("text", "code", "more", "is_asked"),
    [
        ("/to Bob", "bad_request", {"usage": "/to Bob TEXT"}, True),
        ("to Bob", "bad_request", {"usage": "to:Bob"}, True),
        ("/Bob", "unknown_command", {"usage": "/to NAME TEXT"}, True),
        ("/join a/b", "room_invalid", {}, True),
        ("/dance", "unknown_command", {}, False),
        ("bell\x07", "bad_request", {"character": "U+0007"}, False),
    ],
)
def test_the_text_after_a_refused_private_one_is_asked_about(
    text: str, code: str, more: dict[str, str], is_asked: bool
) -> None:
    box = outbox(text)
    box.answered(sent(box), {"ok": False, "code": code, "msg": "", **more}, 0.0)
    assert (box.expected.question("I am pregnant", 2 * HOLD_S) == Question("")) is is_asked
    assert box.expected.question("I am pregnant", 4 * HOLD_S) is None


def test_a_text_that_was_held_is_not_asked_about() -> None:
    box = outbox("/to Bob", "secret")
    box.answered(sent(box), {"ok": False, "code": "bad_request", "msg": ""}, 0.0)
    assert box.expected.question("secret", 2 * HOLD_S) is None


def test_what_follows_a_doubtful_text_is_held() -> None:
    box = Outbox()
    box.refuse(Line("to Eve"), "A slip.", 0.0, is_doubtful=True)
    assert box.add(Line("secret", EVE), HOLD_S / 2) is not None


EVE = Person("e", "Eve")


def texts(box: Outbox) -> list[str]:
    return [line.text for line in box.lines]


def test_a_whisper_goes_to_a_session_as_it_was_typed() -> None:
    frame = {"action": "whisper", "to": "Eve", "to_sid": "e", "msg": "//x", "typed": True}
    assert Line("//x", EVE).frame() == frame
    assert Line("//x", EVE, confirmed=True).frame() == {**frame, "confirmed": True}


def test_private_lines_after_one_for_another_person_are_held() -> None:
    box = Outbox()
    for line in (Line("one", EVE), Line("two", EVE), Line("/to Eve three"), Line("/who")):
        assert box.add(line, 0.0) is None
    answer = {"ok": False, "code": "no_such_person", "again": True, "msg": "Someone else."}
    refusals = box.answered(sent(box), answer, 0.0)
    assert [refusal["said"] for refusal in refusals] == ["one", "two", "/to Eve three"]
    assert texts(box) == ["/who"]
    assert box.add(Line("four", EVE), HOLD_S / 2) is not None


@pytest.mark.parametrize("code", ["unavailable", LOST])
def test_a_whisper_with_an_unknown_outcome_is_not_sent_again(code: str) -> None:
    box = Outbox()
    box.add(Line("secret", EVE), 0.0)
    (refusal,) = box.answered(sent(box), {"ok": False, "code": code}, 0.0)
    assert refusal["said"] == "secret"
    assert not box.lines


def test_a_whisper_that_comes_too_fast_stays_a_whisper() -> None:
    box = Outbox()
    box.add(Line("secret", EVE), 0.0)
    assert box.answered(sent(box), {"code": "rate_limited", "retry_after": 1}, 0.0) == []
    assert sent(box, 1.0).frame()["action"] == "whisper"


@pytest.mark.parametrize("text", ["/join a/b", "/to Bob secret", "/w Bob", "/MSG x y"])
def test_messages_after_a_refused_change_of_audience_are_held(text: str) -> None:
    box = outbox(text, "secret", "/who", "more")
    refusals = box.answered(sent(box), {"ok": False, "code": "no_such_person", "msg": ""}, 10.0)
    assert [refusal["said"] for refusal in refusals] == [text, "secret", "more"]
    assert texts(box) == ["/who"]
    assert box.refused == 3


@pytest.mark.parametrize(("text", "left"), [("/join tea", []), ("/to Bob hello", ["next"])])
def test_messages_after_a_lost_join_are_held(text: str, left: list[str]) -> None:
    box = outbox(text, "next")
    box.answered(sent(box), {"ok": False, "code": LOST}, 0.0)
    assert texts(box) == left


def test_messages_after_another_refused_command_are_sent() -> None:
    box = outbox("/name Eve", "hello")
    assert len(box.answered(sent(box), {"ok": False, "code": "name_taken"}, 0.0)) == 1
    assert texts(box) == ["hello"]


@pytest.mark.parametrize("hold_s", [HOLD_S, float("inf")])
def test_messages_after_an_unknown_command_are_held_for_a_moment(hold_s: float) -> None:
    box = Outbox(hold_s)
    box.lines.extend(map(Line, ("/too Eve", "secret")))
    refusals = box.answered(sent(box), {"ok": False, "code": "unknown_command", "msg": ""}, 0.0)
    assert [refusal["said"] for refusal in refusals] == ["/too Eve", "secret"]
    assert box.add(Line("more"), HOLD_S / 2) is not None
    assert box.add(Line("for all"), HOLD_S) is None


def test_an_unknown_command_does_not_shorten_a_hold() -> None:
    box = Outbox(float("inf"))
    box.refuse(Line("to:Nobody"), "No one.", 0.0)
    box.add(Line("/too Eve"), 0.0)
    box.answered(sent(box), {"ok": False, "code": "unknown_command", "msg": ""}, 0.0)
    assert box.add(Line("secret"), 1e9) is not None


def test_lines_after_another_audience_change_belong_to_it() -> None:
    box = outbox("/join a/b", "secret", "/join tea", "hello")
    box.answered(sent(box), {"ok": False, "code": "room_invalid", "msg": ""}, 0.0)
    assert texts(box) == ["/join tea", "hello"]


@pytest.mark.parametrize("join", ["/join a/b", "/jion den", "join den"])
def test_after_a_room_not_joined_names_are_in_doubt(join: str) -> None:
    box = Outbox(float("inf"))
    box.lines.append(Line(join))
    code = "unknown_command" if join == "/jion den" else "bad_request"
    box.answered(sent(box), {"ok": False, "code": code, "msg": ""}, 0.0)
    for private in ("to:Bob", "to:", "/w Bob secret"):
        assert box.hold_private(private, 60.0) is not None
    assert box.hold_private("/join den", 60.0) is None
    assert box.add(Line("/join den"), 60.0) is None
    box.answered(sent(box, 60.0), {"ok": True}, 60.0)
    assert box.hold_private("to:Bob", 60.0) is None


def test_after_another_refusal_names_are_in_no_doubt() -> None:
    box = outbox("to Bob")
    box.answered(sent(box), {"ok": False, "code": "bad_request", "msg": ""}, 0.0)
    assert box.hold_private("to:Bob", 0.0) is None


def test_a_hold_lasts_until_it_could_be_read() -> None:
    box = Outbox()
    box.refuse(Line("to:Nobody"), "No one.", 10.0)
    assert box.add(Line("secret"), 10.0 + HOLD_S - 0.1) is not None
    assert box.add(Line("more"), 10.0 + 2 * HOLD_S - 0.2) is not None  # a paste that takes its time
    assert box.add(Line("for all"), 20.0) is None
    assert (texts(box), box.refused) == (["for all"], 3)


def test_what_was_begun_before_a_refusal_is_held_however_late() -> None:
    box = Outbox()
    box.refuse(Line("to:Nobody"), "No one.", 10.0)
    assert box.add(Line("secret"), 60.0, begun_at=10.0) is not None
    assert box.add(Line("for all"), 70.0, begun_at=65.0) is None
    assert texts(box) == ["for all"]


def test_a_script_is_held_until_it_changes_the_audience() -> None:
    box = Outbox(float("inf"))
    box.refuse(Line("to:Nobody"), "No one.", 0.0)
    assert box.add(Line("secret"), 1e9) is not None
    box.audience_changed()
    assert box.add(Line("for all"), 1e9) is None


def test_a_successful_join_ends_a_hold() -> None:
    box = Outbox(float("inf"))
    box.refuse(Line("to:Nobody"), "No one.", 0.0)
    box.add(Line("/join tea"), 0.0)
    box.answered(sent(box), {"ok": True}, 0.0)
    assert box.add(Line("for tea"), 0.0) is None


def test_the_refused_character_is_named() -> None:
    box = outbox("a\u202ab")
    answer = {"ok": False, "code": "bad_request", "msg": "", "character": "U+202A"}
    (refusal,) = box.answered(sent(box), answer, 0.0)
    assert refusal["character"] == "U+202A"


EVE_NOW = Person("e2", "EVE")


def in_private(to: Person, text: str) -> Line:
    return Line(text, to)


def whisper(to: Person, text: str) -> Line:
    """`/to NAME TEXT`, typed while this person had the name."""
    return Line(f"/to Eve {text}", whisper=PrivateText(to, text))


@pytest.mark.parametrize("code", [LOST, "no_such_person"])
@pytest.mark.parametrize("typed", [in_private, whisper])
def test_a_failed_private_text_asks_before_a_namesake_gets_it(
    code: str, typed: Callable[[Person, str], Line]
) -> None:
    box = Outbox()
    box.add(typed(EVE, "secret"), 0.0)
    box.answered(sent(box), {"ok": False, "code": code}, 0.0)
    # The server has asked about another text, and will not ask again.
    assert box.add(typed(EVE_NOW, "hello"), 10.0) is None
    box.answered(sent(box, 10.0), {"ok": True}, 10.0)
    for now in (20.0, 20.1):  # pasted twice
        asked = box.add(typed(EVE_NOW, "secret"), now)
        assert asked is not None
        assert asked["msg"] == ENGLISH.say("other_person", name="EVE")
    assert not box.lines
    assert box.add(typed(EVE_NOW, "secret"), 30.0) is None
    assert sent(box, 30.0).confirmed


def test_a_failed_private_text_goes_to_the_same_person_unasked() -> None:
    box = Outbox()
    for said in ("one", "two"):
        box.add(Line(said, EVE), 0.0)
        box.answered(sent(box), {"ok": False, "code": LOST}, 0.0)
    assert box.add(Line("one", EVE), 10.0) is None
    box.failed.resumed("e", {"ok": True, "sid": "e2", "username": "Eve"})
    assert box.add(Line("two", EVE_NOW), 10.0) is None
    assert box.add(Line("two", Person("b", "Bob")), 10.0) is None  # chosen by another name


def test_a_whisper_typed_while_away_goes_to_no_namesake() -> None:
    box = Outbox()
    for line in (Line("one"), whisper(EVE, "secret"), Line("two"), Line("three", EVE)):
        assert box.add(line, 0.0) is None
    assert box.came_back([("me", "Me"), ("e", "Eve"), ("b", "Bob")], 1.0) == []
    refusals = box.came_back([("me", "Me"), ("e2", "Eve")], 2.0)
    assert [refusal["said"] for refusal in refusals] == ["/to Eve secret", "two", "three"]
    assert refusals[0]["msg"] == ENGLISH.say("other_person", name="Eve")
    assert texts(box) == ["one"]
    assert box.add(whisper(EVE_NOW, "secret"), 2.0 + CONFIRM_S) is None
