"""Where a guest stands: what is told after each way of being away, and what is not told twice."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chatroom.terminal.main import language
from chatroom.terminal.place import MAX_HELD, WELCOME, Frame, Overrun, Place


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
    """Which entries are told."""
    told = [each for frame in frames for each in (frame["you"]["history"] if "you" in frame else [frame])]
    return [int(each["msg"]) for each in told if "msg" in each]


def page(*which: int, more: bool = False, **fields: object) -> Frame:
    return {"ok": True, "entries": [entry(number) for number in which], "more": more, **fields}


def test_the_language_is_asked_for() -> None:
    assert Place("tea", None, "zh").auth()["lang"] == "zh"


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


def entered(*which: int) -> Place:
    place = Place("tea", "Juliet")
    place.hear(welcome(*which))
    return place


def test_one_enters_with_a_name_and_comes_back_with_a_token_and_the_last_entry():
    place = Place("tea", "Juliet")
    assert place.auth() == {"v": 1, "roster": "delta", "room": "tea", "username": "Juliet"}
    place.hear(welcome(1, 2))
    place.hear(live(3))
    place.lose()
    assert place.auth() == {"v": 1, "roster": "delta", "room": "tea", "token": "T", "after": entry(3)["id"]}
    place.renamed("T2")
    place.renamed(None)
    assert place.auth()["token"] == "T2"


def test_coming_back_to_silence_keeps_the_last_entry():
    place = entered(1)
    place.lose()
    (frame,) = place.hear(welcome(resumed=True))
    assert frame["you"]["back"]
    assert place.auth()["after"] == entry(1)["id"]


def test_a_message_without_an_id_is_told_and_hides_no_other():
    place = entered(1)
    nameless = {**live(2), "id": None}
    assert numbers([*place.hear(nameless), *place.hear(live(3))]) == [2, 3]
    assert place.auth()["after"] == entry(3)["id"]


def test_what_was_told_is_not_told_again_when_the_server_shows_the_recent_past():
    place = entered(1, 2, 3)
    place.lose()
    assert numbers(place.hear(welcome(2, 3, 4, gap=True))) == [4]


def test_live_frames_wait_until_what_was_missed_is_here():
    place = entered(1)
    place.lose()
    assert numbers(place.hear(welcome(2, 3, more=True))) == [2, 3]
    assert place.is_behind
    assert place.hear(live(6)) == []
    assert place.hear({"action": "roster"}) == []
    assert place.request() == {"action": "history", "after": entry(3)["id"], "limit": 200}
    assert numbers(place.catch_up(page(4, more=True))) == [4]
    assert place.request()["after"] == entry(4)["id"]
    frames = place.catch_up(page(5, 6))
    assert numbers(frames) == [5, 6]
    assert frames[-1] == {"action": "roster"}
    assert not place.is_behind
    assert numbers(place.hear(live(7))) == [7]


def test_a_page_that_promises_more_and_has_nothing_is_the_last():
    place = entered(1)
    place.lose()
    place.hear(welcome(2, more=True))
    place.catch_up(page(more=True))
    assert not place.is_behind


def test_a_gap_in_a_page_is_told():
    place = entered(1)
    place.lose()
    place.hear(welcome(2, more=True))
    assert place.catch_up(page(9, gap=True))[0] == {"action": "gap"}


def test_a_cut_while_catching_up_begins_again_from_what_was_told():
    place = entered(1)
    place.lose()
    place.hear(welcome(2, more=True))
    place.hear(live(9))
    place.catch_up(page(3, more=True))
    place.lose()
    assert place.auth()["after"] == entry(3)["id"]
    assert place.catch_up(page(4)) == []
    assert numbers(place.hear(welcome(4, 5))) == [4, 5]


def test_another_room_begins_anew_and_an_answer_from_the_old_one_is_dropped():
    place = entered(1)
    place.lose()
    place.hear(welcome(2, more=True))
    (frame,) = place.hear(welcome(1, room="coffee"))
    assert not frame["you"]["back"]
    assert numbers([frame]) == [1]
    assert place.catch_up(page(3)) == []
    assert place.auth()["room"] == "coffee"
    assert place.auth()["after"] == entry(1)["id"]


def test_the_same_room_under_another_spelling_is_the_same():
    place = entered(1)
    place.lose()
    (frame,) = place.hear(welcome(2, room="TEA"))
    assert frame["you"]["back"]


@pytest.mark.parametrize(("count", "gap"), [(WELCOME - 1, False), (WELCOME, True)])
def test_a_room_that_was_empty_when_it_was_left_may_have_said_more_than_is_shown(count, gap):
    place = entered()
    place.lose()
    (frame,) = place.hear(welcome(*range(1, count + 1)))
    assert frame["you"]["gap"] is gap


def test_too_many_live_frames_are_an_overrun_from_which_one_can_begin_again():
    place = entered(1)
    place.lose()
    place.hear(welcome(2, more=True))
    for _ in range(MAX_HELD):
        place.hear({"action": "typing"})
    with pytest.raises(Overrun):
        place.hear({"action": "typing"})
    place.lose()
    assert place.auth()["after"] == entry(2)["id"]


@settings(deadline=None)  # a busy machine is no failure
@given(st.data())
def test_whatever_the_cuts_every_entry_is_told_once_and_in_order(data):
    """A server that keeps everything, a room that goes on, and a guest who is cut off at any moment."""
    total = data.draw(st.integers(1, 40))
    size = data.draw(st.integers(1, 6))
    place, told, said, connected = Place("tea", None), [], 0, False
    told += numbers(place.hear(welcome()))
    place.hear(live(0))
    told.append(0)
    place.lose()

    def missed() -> tuple[list[int], bool]:
        after = int(place.auth()["after"][-6:])
        rest = list(range(after + 1, said + 1))
        return rest[:size], len(rest) > size

    for _ in range(200):
        if not connected:
            which, more = missed()
            told += numbers(place.hear(welcome(*which, more=more)))
            connected = True
        elif place.is_behind and data.draw(st.booleans()):
            which, more = missed()
            told += numbers(place.catch_up(page(*which, more=more)))
        elif data.draw(st.integers(0, 4)) == 0:
            place.lose()
            connected = False
            said = min(total, said + data.draw(st.integers(0, 10)))
        elif said < total:
            said += 1
            told += numbers(place.hear(live(said)))
        elif not place.is_behind:
            break
    if connected and not place.is_behind:
        assert told == list(range(said + 1))
    else:
        assert told == list(range(len(told)))
