"""Rates and fullness: what is too much is refused by code, with what a client needs to try again."""

import json

import pytest
import websocket

from tests.support.guests import Guest, Refused
from tests.support.program import Program
from tests.support.raw import RawClient


def test_a_flood_is_refused_with_the_time_to_wait(start, guests):
    program = start("--message-burst", "3", "--message-rate", "0.1")
    romeo, juliet = guests(url=program.url), guests(url=program.url)
    for number in range(3):
        romeo.says(str(number))
    answer = romeo.asks("message", msg="one too many")
    assert (answer["ok"], answer["code"]) == (False, "rate_limited")
    assert 0 < answer["retry_after"] <= 10
    juliet.says("others are not held back")
    assert [juliet.hears("message")["msg"] for _ in range(4)] == ["0", "1", "2", "others are not held back"]
    juliet.hears_nothing("message")


def test_a_full_room_refuses_newcomers_and_movers(start, guests, room):
    program = start("--max-room-people", "2")
    romeo, juliet = guests(url=program.url), guests(url=program.url)
    with pytest.raises(Refused) as refused:
        guests(url=program.url)
    assert refused.value.data["data"]["code"] == "room_full"
    elsewhere = guests(url=program.url, room=room + " elsewhere")
    answer = elsewhere.asks("join", room=room)
    assert (answer["ok"], answer["code"]) == (False, "room_full")
    elsewhere.says("still here")
    assert romeo.asks("who")["name_list"] == [[romeo.name, romeo.sid], [juliet.name, juliet.sid]]


def test_who_is_turned_away_makes_no_room_for_the_next(tmp_path):
    with Program("--max-connections", "3", data_dir=tmp_path) as program:
        inside = [RawClient(program.url) for _ in range(3)]
        for _ in range(6):
            with pytest.raises(websocket.WebSocketBadStatusException, match="503"):
                RawClient(program.url)
        for client in inside:
            client.leaves()


def test_all_who_come_at_once_are_shown_the_past(tmp_path):
    with Program(data_dir=tmp_path) as program:
        speaker = Guest(program.url).enter()
        speaker.says("before")
        speaker.leaves()
        crowd = [RawClient(program.url) for _ in range(8)]
        for client in crowd:
            client.opens()
        for client in crowd:
            client.sends("40{}")
        for client in crowd:
            login = json.loads(client.hears(lambda text: text.startswith("42"))[2:])[1]
            assert [entry["msg"] for entry in login["you"]["history"]] == ["before"]
            client.leaves()
