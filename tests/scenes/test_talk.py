"""Two or three people send messages in a room."""

from __future__ import annotations

import json

from tests.support.guests import Guests
from tests.support.lines import Lines
from tests.support.program import Program
from tests.support.raw import RawClient


def is_event(packet: str) -> bool:
    return packet.startswith("42")


def test_a_message_reaches_the_whole_room_sender_included(guests: Guests) -> None:
    romeo, juliet = guests(), guests()
    answer = romeo.sends("hello")
    for listener in (romeo, juliet):
        frame = listener.receives("message", msg="hello", username=romeo.name, sid=romeo.sid)
        assert (frame["id"], frame["time"]) == (answer["id"], answer["time"])


def test_a_wall_of_empty_lines_is_folded_for_everyone(guests: Guests, lines: Lines) -> None:
    romeo, juliet, nurse = guests(), guests(), lines()
    romeo.sends("a" + "\n" * 1998 + "b")
    assert juliet.receives("message")["msg"] == "a\n\n\nb"
    nurse.reads(rf"{romeo.name}: a$")
    assert nurse.reads_up_to("b$") == ["    ", "    "]
    assert guests().you["history"][-1]["msg"] == "a\n\n\nb"
    romeo.emit({"action": "whisper", "to": juliet.name, "msg": "c\r\n\r\n\r\n\r\nd"})
    assert juliet.receives("whisper")["msg"] == "c\n\n\nd"


def test_people_in_another_room_receive_nothing(guests: Guests, room: str) -> None:
    romeo, juliet = guests(), guests(room=room + " elsewhere")
    romeo.sends("hello")
    juliet.receives_nothing("message")


def test_everyone_receives_messages_in_the_same_order(guests: Guests) -> None:
    people = [guests() for _ in range(3)]
    for number in range(30):
        people[number % 3].emit({"action": "message", "msg": str(number)})
    heard = [[person.receives("message")["id"] for _ in range(30)] for person in people]
    assert heard[0] == heard[1] == heard[2] == sorted(heard[0])


def test_a_newcomer_of_another_kind_receives_messages(guests: Guests) -> None:
    # What is said to several groups at once is remembered by group: a group that was empty then must not stay so.
    fox = guests(username="fox")
    fox.sends("to oneself")
    owl = guests(roster="delta")
    fox.sends("to both")
    assert owl.receives("message")["msg"] == "to both"


def test_a_message_sent_while_joining_follows_the_join(server: Program, room: str) -> None:
    for number in range(20):
        # Into an empty room one is let in only when the disk has been asked for its past.
        with RawClient(server.url) as raw:
            raw.opens()
            raw.sends("40" + json.dumps({"v": 1, "room": f"{room} at once {number}"}))
            raw.sends('42["msg",{"action":"message","msg":"I am here"}]')
            login, message = (json.loads(raw.receives(is_event)[2:])[1] for _ in range(2))
            assert (login["action"], login["you"]["history"]) == ("login", [])
            assert (message["action"], message["msg"]) == ("message", "I am here")


def test_messages_sent_while_joining_and_leaving_are_kept(server: Program, room: str, guests: Guests) -> None:
    with RawClient(server.url) as raw:
        raw.opens()
        raw.sends("40" + json.dumps({"v": 1, "room": room}))
        raw.sends('42["msg",{"action":"message","msg":"just passing"}]')
        raw.sends('42["msg",{"action":"logout"}]')
        raw.receives(lambda text: text in ("1", "41"))
    assert [entry["msg"] for entry in guests().login["you"]["history"]] == ["just passing"]
