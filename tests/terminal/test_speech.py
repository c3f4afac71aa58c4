"""What is said, again or not, after each answer."""

from __future__ import annotations

import pytest

from chatroom.core.events import Person
from chatroom.terminal.speech import HOLD_S, LOST, MAX_LOSSES, MAX_WAIT_S, RETRY_S, Line, Speech


def speech(*texts: str) -> Speech:
    spoken = Speech()
    spoken.lines.extend(map(Line, texts))
    return spoken


def sent(spoken: Speech, now: float = 0.0) -> Line:
    """The line that is due, sent."""
    line = spoken.due(now)
    assert line is not None
    line.sent = True
    return line


def test_lines_are_sent_one_after_another():
    spoken = speech("one", "two")
    one = sent(spoken)
    assert spoken.due(0.0) is None
    assert spoken.due_in(0.0) is None
    assert spoken.answered(one, {"ok": True}, 0.0) == []
    assert sent(spoken).text == "two"


@pytest.mark.parametrize(
    ("answer", "wait_s"),
    [
        ({"code": "rate_limited", "retry_after": 2.5}, 2.5),
        ({"code": "slow_mode", "retry_after": 10}, 10.0),
        ({"code": "rate_limited"}, RETRY_S),
        ({"code": "rate_limited", "retry_after": "soon"}, RETRY_S),
        ({"code": "rate_limited", "retry_after": -1}, RETRY_S),
        ({"code": "rate_limited", "retry_after": 1e300}, MAX_WAIT_S),
        ({"code": "rate_limited", "retry_after": float("nan")}, RETRY_S),
        ({"code": "unavailable"}, RETRY_S),
        ({"code": LOST}, 0.0),
    ],
)
def test_what_may_be_tried_again_is_the_same_line_after_a_while(answer, wait_s):
    spoken = speech("one", "two")
    line = sent(spoken, 100.0)
    cid = line.cid
    assert spoken.answered(line, {"ok": False, **answer}, 100.0) == []
    assert spoken.due_in(100.0) == pytest.approx(wait_s)
    if wait_s:
        assert spoken.due(100.0 + wait_s - 0.01) is None
    again = sent(spoken, 100.0 + wait_s)
    assert (again.text, again.cid) == ("one", cid)
    assert spoken.refused == 0


@pytest.mark.parametrize("code", ["unavailable", LOST])
@pytest.mark.parametrize("text", ["/to Romeo psst", "  /name X"])
def test_a_command_of_which_nobody_knows_is_not_sent_again(text, code):
    spoken = speech(text, "/who")
    (refusal,) = spoken.answered(sent(spoken), {"ok": False, "code": code}, 0.0)
    assert refusal["said"] == text
    assert spoken.refused == 1
    assert sent(spoken).text == "/who"


def test_a_text_with_two_slashes_is_a_message():
    spoken = speech("//x")
    assert spoken.answered(sent(spoken), {"code": LOST}, 0.0) == []
    assert sent(spoken).text == "//x"


def test_a_command_that_comes_too_fast_is_sent_again():
    spoken = speech("/who")
    assert spoken.answered(sent(spoken), {"code": "rate_limited", "retry_after": 1}, 0.0) == []
    assert sent(spoken, 1.0).text == "/who"


def test_a_refusal_is_told_with_the_line():
    spoken = speech("x" * 9000)
    (refusal,) = spoken.answered(sent(spoken), {"ok": False, "code": "too_long", "msg": "Too long."}, 0.0)
    assert refusal == {
        "action": "notice",
        "username": "*",
        "msg": "Too long.",
        "code": "too_long",
        "said": "x" * 9000,
    }
    assert not spoken.lines


def test_every_line_has_a_cid_of_its_own():
    assert len({Line("x").cid for _ in range(100)}) == 100
    assert all(1 <= len(Line("x").cid) <= 64 for _ in range(100))


def test_a_line_that_costs_every_connection_is_given_up_and_told():
    spoken = speech("poison", "next")
    for _ in range(MAX_LOSSES - 1):
        assert spoken.answered(sent(spoken), {"code": LOST}, 0.0) == []
    (refusal,) = spoken.answered(sent(spoken), {"code": LOST}, 0.0)
    assert refusal["said"] == "poison"
    assert sent(spoken).text == "next"


def test_a_text_longer_than_the_server_takes_is_refused_before_it_is_sent():
    spoken = speech("12345", "123")
    assert spoken.refuse_too_long(5, 0.0) == []
    refusals = spoken.refuse_too_long(4, 0.0)
    assert [(refusal["code"], refusal["said"]) for refusal in refusals] == [
        ("too_long", "12345"),
        ("refused", "123"),
    ]


@pytest.mark.parametrize(
    ("code", "holds_scripts"), [("bad_request", True), ("too_long", False), ("muted", False)]
)
def test_messages_behind_a_refused_message_are_held(code, holds_scripts):
    spoken = Speech(float("inf"))
    spoken.lines.extend(map(Line, ("tp:Bob", "secret", "/who")))
    refusals = spoken.answered(sent(spoken), {"ok": False, "code": code, "msg": ""}, 0.0)
    assert [refusal["said"] for refusal in refusals] == ["tp:Bob", "secret"]
    assert texts(spoken) == ["/who"]
    assert spoken.add(Line("more"), HOLD_S / 2) is not None
    assert (spoken.add(Line("for all"), HOLD_S) is not None) is holds_scripts


def test_what_follows_a_doubtful_text_is_held():
    spoken = Speech()
    spoken.refuse(Line("to Eve"), "A slip.", 0.0, is_doubtful=True)
    assert spoken.add(Line("secret", EVE), HOLD_S / 2) is not None


EVE = Person("e", "Eve")


def texts(spoken: Speech) -> list[str]:
    return [line.text for line in spoken.lines]


def test_a_whisper_goes_to_a_session_as_it_was_typed():
    frame = {"action": "whisper", "to": "Eve", "to_sid": "e", "msg": "//x", "typed": True}
    assert Line("//x", EVE).frame() == frame
    assert Line("//x", EVE, confirmed=True).frame() == {**frame, "confirmed": True}


def test_private_lines_behind_one_for_another_person_are_held():
    spoken = Speech()
    for line in (Line("one", EVE), Line("two", EVE), Line("/to Eve three"), Line("/who")):
        assert spoken.add(line, 0.0) is None
    answer = {"ok": False, "code": "no_such_person", "again": True, "msg": "Someone else."}
    refusals = spoken.answered(sent(spoken), answer, 0.0)
    assert [refusal["said"] for refusal in refusals] == ["one", "two", "/to Eve three"]
    assert texts(spoken) == ["/who"]
    assert spoken.add(Line("four", EVE), HOLD_S / 2) is not None


@pytest.mark.parametrize("code", ["unavailable", LOST])
def test_a_whisper_of_which_nobody_knows_is_not_sent_again(code):
    spoken = Speech()
    spoken.add(Line("secret", EVE), 0.0)
    (refusal,) = spoken.answered(sent(spoken), {"ok": False, "code": code}, 0.0)
    assert refusal["said"] == "secret"
    assert not spoken.lines


def test_a_whisper_that_comes_too_fast_stays_a_whisper():
    spoken = Speech()
    spoken.add(Line("secret", EVE), 0.0)
    assert spoken.answered(sent(spoken), {"code": "rate_limited", "retry_after": 1}, 0.0) == []
    assert sent(spoken, 1.0).frame()["action"] == "whisper"


@pytest.mark.parametrize("text", ["/join a/b", "/to Bob secret", "/w Bob", "/MSG x y"])
def test_messages_behind_a_refused_change_of_audience_are_held(text):
    spoken = speech(text, "secret", "/who", "more")
    refusals = spoken.answered(sent(spoken), {"ok": False, "code": "no_such_person", "msg": ""}, 10.0)
    assert [refusal["said"] for refusal in refusals] == [text, "secret", "more"]
    assert texts(spoken) == ["/who"]
    assert spoken.refused == 3


@pytest.mark.parametrize(("text", "left"), [("/join tea", []), ("/to Bob hello", ["next"])])
def test_messages_behind_a_lost_join_are_held(text, left):
    spoken = speech(text, "next")
    spoken.answered(sent(spoken), {"ok": False, "code": LOST}, 0.0)
    assert texts(spoken) == left


def test_messages_behind_another_refused_command_are_sent():
    spoken = speech("/name Eve", "hello")
    assert len(spoken.answered(sent(spoken), {"ok": False, "code": "name_taken"}, 0.0)) == 1
    assert texts(spoken) == ["hello"]


@pytest.mark.parametrize("hold_s", [HOLD_S, float("inf")])
def test_messages_behind_an_unknown_command_are_held_for_a_moment(hold_s):
    spoken = Speech(hold_s)
    spoken.lines.extend(map(Line, ("/too Eve", "secret")))
    refusals = spoken.answered(sent(spoken), {"ok": False, "code": "unknown_command", "msg": ""}, 0.0)
    assert [refusal["said"] for refusal in refusals] == ["/too Eve", "secret"]
    assert spoken.add(Line("more"), HOLD_S / 2) is not None
    assert spoken.add(Line("for all"), HOLD_S) is None


def test_an_unknown_command_does_not_shorten_a_hold():
    spoken = Speech(float("inf"))
    spoken.refuse(Line("to:Nobody"), "No one.", 0.0)
    spoken.add(Line("/too Eve"), 0.0)
    spoken.answered(sent(spoken), {"ok": False, "code": "unknown_command", "msg": ""}, 0.0)
    assert spoken.add(Line("secret"), 1e9) is not None


def test_what_stands_behind_a_further_change_of_audience_is_for_that():
    spoken = speech("/join a/b", "secret", "/join tea", "hello")
    spoken.answered(sent(spoken), {"ok": False, "code": "room_invalid", "msg": ""}, 0.0)
    assert texts(spoken) == ["/join tea", "hello"]


@pytest.mark.parametrize("join", ["/join a/b", "/jion den", "join den"])
def test_behind_a_room_not_joined_names_are_in_doubt(join):
    spoken = Speech(float("inf"))
    spoken.lines.append(Line(join))
    code = "unknown_command" if join == "/jion den" else "bad_request"
    spoken.answered(sent(spoken), {"ok": False, "code": code, "msg": ""}, 0.0)
    for private in ("to:Bob", "to:", "/w Bob secret"):
        assert spoken.hold_private(private, 60.0) is not None
    assert spoken.hold_private("/join den", 60.0) is None
    assert spoken.add(Line("/join den"), 60.0) is None
    spoken.answered(sent(spoken, 60.0), {"ok": True}, 60.0)
    assert spoken.hold_private("to:Bob", 60.0) is None


def test_behind_another_refusal_names_are_in_no_doubt():
    spoken = speech("to Bob")
    spoken.answered(sent(spoken), {"ok": False, "code": "bad_request", "msg": ""}, 0.0)
    assert spoken.hold_private("to:Bob", 0.0) is None


def test_a_hold_lasts_until_it_could_be_read():
    spoken = Speech()
    spoken.refuse(Line("to:Nobody"), "No one.", 10.0)
    assert spoken.add(Line("secret"), 10.0 + HOLD_S - 0.1) is not None
    assert spoken.add(Line("more"), 10.0 + 2 * HOLD_S - 0.2) is not None  # a paste that takes its time
    assert spoken.add(Line("for all"), 20.0) is None
    assert (texts(spoken), spoken.refused) == (["for all"], 3)


def test_what_was_begun_before_a_refusal_is_held_however_late():
    spoken = Speech()
    spoken.refuse(Line("to:Nobody"), "No one.", 10.0)
    assert spoken.add(Line("secret"), 60.0, begun_at=10.0) is not None
    assert spoken.add(Line("for all"), 70.0, begun_at=65.0) is None
    assert texts(spoken) == ["for all"]


def test_a_script_is_held_until_it_changes_the_audience():
    spoken = Speech(float("inf"))
    spoken.refuse(Line("to:Nobody"), "No one.", 0.0)
    assert spoken.add(Line("secret"), 1e9) is not None
    spoken.turned()
    assert spoken.add(Line("for all"), 1e9) is None


def test_a_successful_join_ends_a_hold():
    spoken = Speech(float("inf"))
    spoken.refuse(Line("to:Nobody"), "No one.", 0.0)
    spoken.add(Line("/join tea"), 0.0)
    spoken.answered(sent(spoken), {"ok": True}, 0.0)
    assert spoken.add(Line("for tea"), 0.0) is None


def test_the_character_that_was_refused_is_told():
    spoken = speech("a\u202ab")
    answer = {"ok": False, "code": "bad_request", "msg": "", "character": "U+202A"}
    (refusal,) = spoken.answered(sent(spoken), answer, 0.0)
    assert refusal["character"] == "U+202A"
