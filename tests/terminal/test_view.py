"""Frames as lines: what they say, and that nothing a server sends can do anything to a terminal."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatroom.core.presence import INTERVAL_S
from chatroom.terminal.frame import Frame
from chatroom.terminal.view import Shown, View, plain_text

TIME = "2026-11-21T20:15:30.123Z"


def entered(**you: object) -> View:
    view = View()
    view.show(welcome(**you))
    return view


def welcome(**you: object) -> Frame:
    return {
        "action": "login",
        "room": "tea",
        "name_list": [["Fox", "f"], ["Owl", "o"]],
        "you": {"sid": "f", "username": "Fox", "history": [], **you},
        "time": TIME,
    }


def message(text: str, name: str = "Owl", sid: str = "o") -> Frame:
    return {"action": "message", "username": name, "sid": sid, "msg": text, "id": "1", "time": TIME}


def texts(shown: list[Shown]) -> list[str]:
    return [each.text() for each in shown]


def test_a_message_has_its_time_its_speaker_and_its_text() -> None:
    (shown,) = entered().show(message("hello"))
    assert shown.at is not None
    assert shown.text() == f"[{shown.at:%H:%M:%S}] Owl: hello"
    assert not shown.own


def test_the_lines_of_a_text_are_indented() -> None:
    (shown,) = entered().show(message("one\n[20:00:00] Fox: two\r\n* three\u2028four\x0bfive"))
    assert shown.text().split("\n")[1:] == ["    [20:00:00] Fox: two", "    * three", "    four", "    five"]


def test_runs_of_empty_lines_are_folded() -> None:
    (shown,) = entered().show(message("a" + "\n \u200b" * 1000 + "\nb"))
    assert len(shown.lines) == 4
    (shown,) = entered().history([message("a" + "\u2028" * 1998 + "b")])
    assert shown.lines == ("a", "", "", "b")


def test_a_long_text_is_whole() -> None:
    (shown,) = entered().show(message("\n".join(map(str, range(100)))))
    assert shown.text().endswith("\n    98\n    99")


def test_no_name_can_pass_for_more_than_a_name() -> None:
    view = entered()
    disguised = message("no", "Owl: yes")
    whisper = {**disguised, "action": "whisper", "to": "Fox"}
    assert [shown.who for frame in (disguised, whisper) for shown in view.show(frame)] == [
        '"Owl: yes"',
        '"Owl: yes" -> you',
    ]
    view.show({"action": "roster", "joined": [["Owl left (1 here), Elk", "e"]], "left": []})
    (came,) = view.presence(0.0)
    assert came.text() == '* "Owl left (1 here), Elk" joined (3 here)'
    (renamed,) = view.show(
        {"action": "rename", "sid": "e", "username": "Owl left (1 here), Elk", "to": "Elk"}
    )
    assert renamed.text() == '* "Owl left (1 here), Elk" is now called Elk'


def test_own_messages_are_recognised_by_session_or_name() -> None:
    view = entered()
    assert view.show(message("x", "Fox", "f"))[0].own
    assert not view.show(message("x", "Fox", "o"))[0].own
    missed = [{"username": "Fox", "msg": "x", "id": "2"}, {"username": "Owl", "msg": "y", "id": "3"}]
    assert [each.own for each in view.show(welcome(back=True, history=missed))] == [True, False]
    assert [each.own for each in View().show(welcome(history=missed))][:2] == [False, False]


def test_a_return_is_shown_only_under_another_name() -> None:
    view = entered()
    assert view.show(welcome(back=True)) == []
    (shown,) = view.show(welcome(back=True, username="Hen"))
    assert shown.text().endswith("You are Hen in tea. 2 people here.")


def test_a_gap_is_shown_only_after_a_return() -> None:
    assert "no longer kept" in texts(entered().show(welcome(back=True, gap=True)))[0]
    assert "no longer kept" in texts(entered().show({"action": "gap"}))[0]
    assert not any("no longer kept" in text for text in texts(View().show(welcome(gap=True))))


@pytest.mark.parametrize(
    ("text", "calls"),
    [
        ("Fox?", True),
        ("hey FOX", True),
        ("foxes", False),
        ("a firefox", False),
        ("owl", False),
        ("@Fox,", True),
    ],
)
def test_a_line_with_the_guests_name_is_a_mention(text: str, calls: bool) -> None:
    view = entered()
    assert view.show(message(text))[0].calls is calls
    assert not view.show(message(text, "Fox", "f"))[0].calls


@pytest.mark.parametrize(
    ("name", "text", "calls"),
    [
        ("👨", "👨 hi", True),
        ("👨", "👨\u200d👩\u200d👧 hi", False),
        ("👧", "👨\u200d👩\u200d👧 hi", False),
        ("👨\u200d👩\u200d👧", "hi 👨\u200d👩\u200d👧", True),
        ("👍", "👍🏽", False),
        ("❤", "❤\ufe0f", True),
        ("می", "می\u200cخواهم", False),
    ],
)
def test_a_part_of_a_longer_character_is_no_name(name: str, text: str, calls: bool) -> None:
    view = View()
    view.show({**welcome(), "you": {**welcome()["you"], "username": name}})
    assert view.show(message(text))[0].calls is calls


def test_a_whisper_calls_whom_it_is_for() -> None:
    view = entered()
    frame = {"action": "whisper", "username": "Owl", "to": "Fox", "msg": "psst"}
    (shown,) = view.show(frame)
    assert (shown.text(), shown.calls) == ("Owl -> you: psst", True)
    (shown,) = view.show({**frame, "username": "Fox", "to": "Owl"})
    assert (shown.text(), shown.calls, shown.own) == ("you -> Owl: psst", False, True)


def test_people_come_go_and_are_renamed() -> None:
    view = entered()
    joined = [[f"P{number}", str(number)] for number in range(12)]
    assert view.show({"action": "roster", "joined": joined, "left": [], "time": TIME}) == []
    (shown,) = view.presence(100.0)
    assert shown.at is not None
    names = ", ".join(f"P{number}" for number in range(10))
    assert shown.lines == (f"{names} and 2 more joined (14 here)",)
    assert view.show({"action": "roster", "joined": [], "left": [["Owl", "o"]]}) == []
    assert (view.presence(101.0), view.presence_due_in(101.0)) == ([], INTERVAL_S - 1)
    assert "o" not in view.names  # who may be written to is known at once
    (shown,) = view.presence(100.0 + INTERVAL_S)
    assert shown.text() == "* Owl left (13 here)"
    (shown,) = view.show({"action": "rename", "username": "P3", "to": "Q", "sid": "3"})
    assert (shown.text(), view.names["3"]) == ("* P3 is now called Q", "Q")
    assert view.show({"action": "rename", "username": "Fox", "to": "Vixen", "sid": "f"}) == []
    assert (view.name, view.names["f"]) == ("Vixen", "Vixen")
    assert view.show({"action": "roster", "joined": [["Vixen", "f"]], "left": []}) == []
    assert view.presence_due_in(200.0) is None


def test_a_rename_is_shown_if_the_room_knows_the_person() -> None:
    view = entered()
    rename = {"action": "rename", "username": "Hen", "to": "Rooster", "sid": "h"}
    view.show({"action": "roster", "joined": [["Hen", "h"]], "left": []})
    assert view.show(rename) == []
    assert texts(view.presence(0.0)) == ["* Rooster joined (3 here)"]
    assert len(view.show({**rename, "username": "Rooster", "to": "Hen"})) == 1


def test_another_room_begins_without_the_joins_of_the_last() -> None:
    view = entered()
    view.show({"action": "roster", "joined": [["Hen", "h"]], "left": []})
    view.show(welcome())
    assert view.presence_due_in(0.0) is None


def test_a_refusal_quotes_the_beginning_of_the_text() -> None:
    (shown,) = entered().show({"action": "notice", "msg": "Too long.", "said": "x" * 100})
    assert shown.text() == f"* Failed: “{'x' * 39}…”. Too long."


def test_what_this_client_does_not_know_is_passed_over() -> None:
    assert entered().show({"action": "confetti", "username": "Owl", "msg": "x"}) == []


HOSTILE = "\x1b[2J\x1b]0;owned\x07\x9b31mred\x1bP1;2q\x1b\\\u202eevil\u2066\ud800\x00\x08\r\nnext"


def is_harmless(text: str) -> bool:
    text.encode()
    return not any(
        unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp") or character in "\u202e\u2066"
        for character in text.replace("\n", "").replace("\t", "")
    )


def test_controls_of_a_terminal_are_taken_out_wherever_they_stand() -> None:
    view = View()
    shown = view.show(
        {
            **welcome(username=HOSTILE, sid=HOSTILE, history=[message(HOSTILE, HOSTILE)]),
            "room": HOSTILE,
            "name_list": [[HOSTILE, HOSTILE]],
        }
    )
    shown += view.show(message(HOSTILE, HOSTILE))
    shown += view.show({"action": "notice", "msg": HOSTILE, "said": HOSTILE})
    shown += view.show({"action": "rename", "username": HOSTILE, "to": HOSTILE, "sid": HOSTILE})
    shown += view.show({"action": "whisper", "username": HOSTILE, "to": HOSTILE, "msg": HOSTILE})
    view.show({"action": "roster", "joined": [[HOSTILE, "h"]], "left": [[HOSTILE, "o"]]})
    shown += view.presence(0.0)
    assert len(shown) == 6
    for text in (*texts(shown), *view.names.values(), view.name, view.room, plain_text(HOSTILE)):
        assert is_harmless(text)
        assert "owned" not in text


KEYS = (
    "username",
    "sid",
    "msg",
    "id",
    "time",
    "room",
    "to",
    "joined",
    "left",
    "name_list",
    "said",
    "history",
)
ACTIONS = ("login", "message", "whisper", "roster", "rename", "notice", "gap", "logout")
json = st.recursive(
    st.sampled_from([None, True, 0.5, float("nan"), "x", "Fox", TIME, "+275760-09-13T00:00:00Z", HOSTILE]),
    lambda inner: (
        st.lists(inner, max_size=2) | st.fixed_dictionaries({}, optional=dict.fromkeys(KEYS, inner))
    ),
    max_leaves=4,
)


@given(action=st.sampled_from(ACTIONS), data=st.data())
def test_no_frame_raises_and_all_that_is_shown_is_harmless(action: str, data: st.DataObject) -> None:
    you = {
        key: data.draw(json) for key in data.draw(st.sets(st.sampled_from(("sid", "username", "history"))))
    }
    frame = {key: data.draw(json) for key in data.draw(st.sets(st.sampled_from(KEYS), max_size=5))}
    view = entered()
    shown_by_frame = view.show({**frame, "action": action, "you": you})
    for shown in shown_by_frame + view.presence(0.0) + view.history(data.draw(json)):
        assert is_harmless(shown.text())
    assert all(map(is_harmless, view.names.values()))
