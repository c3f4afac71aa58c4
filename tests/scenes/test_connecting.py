"""Connecting: what a client may ask for in `auth`, and the first frame that it receives."""

import re
from typing import Any

import pytest

from tests.support.guests import POLLING, UPGRADE, WEBSOCKET, Frame, Guest, Guests, Refused
from tests.support.program import Program
from tests.support.raw import RawClient

TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")


def refusal(guests: Guests, **auth: Any) -> Frame:
    with pytest.raises(Refused) as refused:
        guests(**auth)
    assert set(refused.value.data) == {"message", "data"}
    assert refused.value.data["message"]
    data: Frame = refused.value.data["data"]
    return data


@pytest.mark.parametrize("transports", [POLLING, UPGRADE, WEBSOCKET], ids=["polling", "upgrade", "websocket"])
def test_every_transport_carries_a_talk(guests: Guests, transports: list[str]) -> None:
    romeo, juliet = guests(transports=transports), guests()
    for number in range(20):
        romeo.sends(f"from romeo {number}")
        juliet.sends(f"from juliet {number}")
    for listener in (romeo, juliet):
        for number in range(20):
            listener.receives("message", msg=f"from romeo {number}")
            listener.receives("message", msg=f"from juliet {number}")


def test_a_polling_client_survives_a_burst_of_messages(guests: Guests) -> None:
    romeo, juliet = guests(), guests(transports=POLLING)
    for number in range(200):
        romeo.emit({"action": "message", "msg": str(number)})
    assert [juliet.receives("message")["msg"] for _ in range(200)] == [str(number) for number in range(200)]
    assert juliet.disconnects == []


def test_without_auth_one_enters_the_lobby_under_a_random_name(server: Program) -> None:
    guest = Guest(server.url).enter()
    assert guest.login["room"] == "lobby"
    assert guest.name
    assert not guest.you["resumed"]
    guest.leaves()


def test_the_first_frame_is_the_clients_own_login(guests: Guests, room: str) -> None:
    early = guests()
    early.sends("before")
    late = guests()
    login = late.login
    assert set(login) == {"action", "username", "sid", "name_list", "room", "count", "time", "you"}
    assert login["name_list"] == [[early.name, early.sid], [late.name, late.sid]]
    assert (login["room"], login["count"]) == (room, 2)
    assert TIME.fullmatch(login["time"])
    you = late.you
    assert set(you) == {"sid", "username", "token", "resumed", "history", "more", "gap", "limits", "v"}
    assert (you["sid"], you["username"], you["v"]) == (login["sid"], login["username"], 1)
    assert (you["resumed"], you["more"], you["gap"]) == (False, False, False)
    assert [entry["msg"] for entry in you["history"]] == ["before"]
    assert set(you["history"][0]) == {"action", "username", "msg", "id", "time", "room"}
    assert you["limits"]["text"] == 2000


def test_the_sid_is_the_socketio_id(guests: Guests) -> None:
    guest = guests()
    assert guest.sid == guest.client.get_sid()
    assert guest.sid != guest.client.eio.sid


def test_a_room_is_the_same_in_any_case_and_width(guests: Guests, room: str) -> None:
    romeo, juliet = guests(room=room.upper()), guests(room=room.replace("r", "ｒ"))
    romeo.sends("hello")
    juliet.receives("message", msg="hello")


def test_a_wanted_name_is_given(guests: Guests) -> None:
    assert guests(username="Ming Li").name == "Ming Li"


@pytest.mark.parametrize("room", ["", "a/b", "x" * 65, "a\u200bb", "a\nb", "  "])
def test_an_invalid_room_name_is_refused(guests: Guests, room: str) -> None:
    assert refusal(guests, room=room)["code"] == "room_invalid"


@pytest.mark.parametrize("name", ["", "x" * 33, "a\u202eb", "a\tb", "\u200b", "a\u0000"])
def test_an_invalid_name_is_refused(guests: Guests, name: str) -> None:
    assert refusal(guests, username=name)["code"] == "name_invalid"


@pytest.mark.parametrize(
    "name", ["you", "Server", "[Mod1]", "аdmin", "版 主", "*", "系统", "管理员", "服务器", "ｙｏｕ"]
)
def test_a_reserved_name_and_its_lookalikes_are_refused(guests: Guests, name: str) -> None:
    assert refusal(guests, username=name)["code"] in ("name_reserved", "name_invalid")
    assert refusal(guests, username="server") == {"code": "name_reserved", "name": "server"}


@pytest.mark.parametrize(
    "double", ["romeo", "ROMEO", "Ｒomeo", "Rоmeo"], ids=["case", "upper", "width", "cyrillic"]
)
def test_a_taken_name_is_refused_however_it_is_written(guests: Guests, double: str) -> None:
    guests(username="Romeo")
    assert refusal(guests, username=double) == {"code": "name_taken", "name": double}


@pytest.mark.parametrize("auth", ["text", 7, True, ["room"], [], 0, ""], ids=lambda auth: repr(auth))
def test_auth_that_is_no_object_is_refused(server: Program, auth: object) -> None:
    with RawClient(server.url) as raw:
        raw.opens()
        answer = raw.connects(auth)
    assert answer[0] == "4"
    assert answer[1]["data"]["code"] == "bad_request"


@pytest.mark.parametrize(
    "wrong",
    [{"room": 1}, {"username": []}, {"token": {}}, {"after": 5}, {"roster": "half"}, {"v": "1"}, {"v": 0}],
)
def test_auth_of_a_wrong_type_is_refused(guests: Guests, wrong: dict[str, object]) -> None:
    (field,) = wrong
    assert refusal(guests, **wrong) == {"code": "bad_request", "field": field}


def test_a_refused_client_changes_nothing_for_those_inside(guests: Guests) -> None:
    inside = guests(username="Romeo")
    refusal(guests, username="romeo")
    inside.receives_nothing()
    assert inside.asks("who")["count"] == 1


def test_a_higher_version_is_treated_as_the_first(guests: Guests) -> None:
    assert guests(v=7).you["v"] == 1


def test_after_brings_exactly_what_was_missed(guests: Guests) -> None:
    early = guests()
    ids = [early.sends(str(number))["id"] for number in range(5)]
    late = guests(after=ids[1])
    assert [entry["msg"] for entry in late.you["history"]] == ["2", "3", "4"]
    assert not late.you["gap"]
    early.sends("live")
    assert late.receives_next("message")["msg"] == "live"


def test_an_unknown_after_brings_recent_history_with_a_gap(guests: Guests) -> None:
    early = guests()
    early.sends("hello")
    late = guests(after="0000000000001-000001")
    assert late.you["gap"] is True
    assert [entry["msg"] for entry in late.you["history"]] == ["hello"]


def test_more_was_missed_than_fits_and_the_rest_is_fetched(guests: Guests) -> None:
    early = guests()
    first = early.sends("first")["id"]
    for number in range(250):
        early.emit({"action": "message", "msg": str(number)})
    early.sends("last")
    late = guests(after=first)
    assert late.you["more"] is True
    entries = late.you["history"]
    while True:
        page = late.asks("history", after=entries[-1]["id"], limit=200)
        entries += page["entries"]
        if not page["more"]:
            break
    assert [entry["msg"] for entry in entries] == [*map(str, range(250)), "last"]


def test_the_last_fifty_entries_greet_a_newcomer(guests: Guests) -> None:
    early = guests()
    for number in range(60):
        early.emit({"action": "message", "msg": str(number)})
    early.sends("60")
    late = guests()
    assert [entry["msg"] for entry in late.you["history"]] == [str(number) for number in range(11, 61)]


def test_an_unknown_namespace_is_refused_with_an_object(server: Program) -> None:
    with RawClient(server.url) as raw:
        raw.opens()
        raw.sends("40/elsewhere,")
        assert (
            raw.receives(lambda text: text.startswith("44/elsewhere,"))
            == '44/elsewhere,{"message":"Invalid namespace"}'
        )
