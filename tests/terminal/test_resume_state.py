"""What a guest receives after each kind of absence, and what is not repeated."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatroom.core.log import WELCOME_ENTRIES
from chatroom.terminal.frame import Frame
from chatroom.terminal.main import language
from chatroom.terminal.resume_state import MAX_HELD, Overrun, ResumeState


def entry(number: int) -> Frame:
    return {"id": f"1700000000000-{number:06}", "username": "Romeo", "msg": str(number)}


def welcome(*numbers: int, room: str = "tea", **you: object) -> Frame:
    return {
        "action": "login",
        "room": room,
        "you": {"token": "T", "history": [entry(number) for number in numbers], **you},
    }


def live(number: int) -> Frame:
    return {**entry(number), "action": "message", "sid": "s"}


def numbers(frames: list[Frame]) -> list[int]:
    """Which entries are received."""
    received = [each for frame in frames for each in (frame["you"]["history"] if "you" in frame else [frame])]
    return [int(each["msg"]) for each in received if "msg" in each]


def page(*which: int, more: bool = False, **fields: object) -> Frame:
    return {"ok": True, "entries": [entry(number) for number in which], "more": more, **fields}


def test_the_language_is_asked_for() -> None:
    assert ResumeState("tea", None, "zh").auth()["lang"] == "zh"


@pytest.mark.parametrize(
    ("environ", "lang"),
    [
        ({"LANG": "zh_CN.UTF-8"}, "zh"),
        ({"LC_ALL": "en_GB", "LANG": "zh_CN.UTF-8"}, "en"),
        ({"LC_ALL": "", "LANG": "C.UTF-8"}, None),
        ({}, None),
    ],
)
def test_the_locale_names_the_language(environ: dict[str, str], lang: str | None) -> None:
    assert language(environ) == lang


def entered(*which: int) -> ResumeState:
    state = ResumeState("tea", "Juliet")
    state.receive(welcome(*which))
    return state


def test_auth_has_a_name_first_and_then_a_token() -> None:
    state = ResumeState("tea", "Juliet")
    assert state.auth() == {"v": 1, "roster": "delta", "room": "tea", "username": "Juliet"}
    state.receive(welcome(1, 2))
    state.receive(live(3))
    state.disconnected()
    assert state.auth() == {"v": 1, "roster": "delta", "room": "tea", "token": "T", "after": entry(3)["id"]}
    state.renamed("T2")
    state.renamed(None)
    assert state.auth()["token"] == "T2"


def test_coming_back_to_silence_keeps_the_last_entry() -> None:
    state = entered(1)
    state.disconnected()
    (frame,) = state.receive(welcome(resumed=True))
    assert frame["you"]["back"]
    assert state.auth()["after"] == entry(1)["id"]


def test_a_message_without_an_id_is_shown() -> None:
    state = entered(1)
    nameless = {**live(2), "id": None}
    assert numbers([*state.receive(nameless), *state.receive(live(3))]) == [2, 3]
    assert state.auth()["after"] == entry(3)["id"]


def test_recent_history_is_not_shown_twice() -> None:
    state = entered(1, 2, 3)
    state.disconnected()
    assert numbers(state.receive(welcome(2, 3, 4, gap=True))) == [4]


def test_live_frames_wait_until_what_was_missed_is_here() -> None:
    state = entered(1)
    state.disconnected()
    assert numbers(state.receive(welcome(2, 3, more=True))) == [2, 3]
    behind = [state.is_behind]
    assert state.receive(live(6)) == []
    assert state.receive({"action": "roster"}) == []
    assert state.request() == {"action": "history", "after": entry(3)["id"], "limit": 200}
    assert numbers(state.catch_up(page(4, more=True))) == [4]
    assert state.request()["after"] == entry(4)["id"]
    frames = state.catch_up(page(5, 6))
    assert numbers(frames) == [5, 6]
    assert frames[-1] == {"action": "roster"}
    assert [*behind, state.is_behind] == [True, False]
    assert numbers(state.receive(live(7))) == [7]


def test_an_empty_page_is_the_last() -> None:
    state = entered(1)
    state.disconnected()
    state.receive(welcome(2, more=True))
    state.catch_up(page(more=True))
    assert not state.is_behind


def test_a_gap_in_a_page_is_shown() -> None:
    state = entered(1)
    state.disconnected()
    state.receive(welcome(2, more=True))
    assert state.catch_up(page(9, gap=True))[0] == {"action": "gap"}


def test_a_cut_while_catching_up_resumes_there() -> None:
    state = entered(1)
    state.disconnected()
    state.receive(welcome(2, more=True))
    state.receive(live(9))
    state.catch_up(page(3, more=True))
    state.disconnected()
    assert state.auth()["after"] == entry(3)["id"]
    assert state.catch_up(page(4)) == []
    assert numbers(state.receive(welcome(4, 5))) == [4, 5]


def test_another_room_starts_anew() -> None:
    state = entered(1)
    state.disconnected()
    state.receive(welcome(2, more=True))
    (frame,) = state.receive(welcome(1, room="coffee"))
    assert not frame["you"]["back"]
    assert numbers([frame]) == [1]
    assert state.catch_up(page(3)) == []
    assert state.auth()["room"] == "coffee"
    assert state.auth()["after"] == entry(1)["id"]


def test_the_same_room_under_another_spelling_is_the_same() -> None:
    state = entered(1)
    state.disconnected()
    (frame,) = state.receive(welcome(2, room="TEA"))
    assert frame["you"]["back"]


@pytest.mark.parametrize(("count", "gap"), [(WELCOME_ENTRIES - 1, False), (WELCOME_ENTRIES, True)])
def test_returning_to_a_formerly_empty_room_may_have_a_gap(count: int, gap: bool) -> None:
    state = entered()
    state.disconnected()
    (frame,) = state.receive(welcome(*range(1, count + 1)))
    assert frame["you"]["gap"] is gap


def test_too_many_live_frames_are_an_overrun() -> None:
    state = entered(1)
    state.disconnected()
    state.receive(welcome(2, more=True))
    for _ in range(MAX_HELD):
        state.receive({"action": "typing"})
    with pytest.raises(Overrun):
        state.receive({"action": "typing"})
    state.disconnected()
    assert state.auth()["after"] == entry(2)["id"]


@given(st.data())
def test_with_any_cuts_every_entry_is_shown_once(data: st.DataObject) -> None:
    """A server that keeps everything, a room that goes on, and a guest who is cut off at any moment."""
    total = data.draw(st.integers(1, 40))
    size = data.draw(st.integers(1, 6))
    state, received, said, connected = ResumeState("tea", None), [], 0, False
    received += numbers(state.receive(welcome()))
    state.receive(live(0))
    received.append(0)
    state.disconnected()

    def missed() -> tuple[list[int], bool]:
        after = int(state.auth()["after"][-6:])
        rest = list(range(after + 1, said + 1))
        return rest[:size], len(rest) > size

    for _ in range(200):
        if not connected:
            which, more = missed()
            received += numbers(state.receive(welcome(*which, more=more)))
            connected = True
        elif state.is_behind and data.draw(st.booleans()):
            which, more = missed()
            received += numbers(state.catch_up(page(*which, more=more)))
        elif data.draw(st.integers(0, 4)) == 0:
            state.disconnected()
            connected = False
            said = min(total, said + data.draw(st.integers(0, 10)))
        elif said < total:
            said += 1
            received += numbers(state.receive(live(said)))
        elif not state.is_behind:
            break
    if connected and not state.is_behind:
        assert received == list(range(said + 1))
    else:
        assert received == list(range(len(received)))
