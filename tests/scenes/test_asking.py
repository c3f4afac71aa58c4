"""Clients' requests: each action, its ack, and its refusals by code."""

import re
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.support.counted import Counted
from tests.support.guests import Frame, Guest, Guests, until
from tests.support.program import Program, Start
from tests.support.raw import RawClient


@pytest.mark.parametrize("action", ["message", "send msg"])
def test_a_message_is_acked_with_its_id_and_time(guests: Guests, action: str) -> None:
    romeo = guests()
    answer = romeo.asks(action, msg="hello")
    assert set(answer) == {"ok", "id", "time"}
    assert romeo.receives("message")["id"] == answer["id"]


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"action": "message"}, "bad_request"),
        ({"action": "message", "msg": 5}, "bad_request"),
        ({"action": "message", "msg": "bell\x07"}, "bad_request"),
        ({"action": "message", "msg": "\u202egnp"}, "bad_request"),
        ({"action": "message", "msg": "x", "cid": ""}, "bad_request"),
        ({"action": "message", "msg": "x", "cid": "c" * 65}, "bad_request"),
        ({"action": "message", "msg": ""}, "empty"),
        ({"action": "message", "msg": " \n\t"}, "empty"),
        ({"action": "message", "msg": "x" * 2001}, "too_long"),
        ({"action": "message", "msg": "/nonsense"}, "unknown_command"),
        ({"action": "dance"}, "unknown_action"),
        ({"msg": "x"}, "bad_request"),
        ({"action": ["message"], "msg": "x"}, "bad_request"),
        ({"action": "whisper", "to": "nobody", "msg": "x"}, "no_such_person"),
        ({"action": "whisper", "msg": "x"}, "bad_request"),
        ({"action": "rename", "username": "a\u200bb"}, "name_invalid"),
        ({"action": "rename", "username": "admin"}, "name_reserved"),
        ({"action": "join", "room": "a/b"}, "room_invalid"),
        ({"action": "join"}, "bad_request"),
        ({"action": "history", "limit": 0}, "bad_request"),
        ({"action": "history", "limit": 201}, "bad_request"),
        ({"action": "history", "before": "1", "after": "1"}, "bad_request"),
    ],
    ids=repr,
)
def test_impossible_requests_are_refused_and_change_nothing(
    guests: Guests, fields: dict[str, object], code: str
) -> None:
    romeo, juliet = guests(), guests()
    answer = romeo.asks_raw(fields)
    assert (answer["ok"], answer["code"]) == (False, code)
    assert answer["msg"]
    juliet.receives_nothing()


def test_a_text_for_another_room_is_refused(guests: Guests, room: str) -> None:
    romeo, juliet, _nurse = guests(), guests(username="Juliet"), guests(username="Nurse", room=f"{room}2")
    for other in (
        juliet.sid,
        "juliet",
        "@Juliet",
        "to Juliet",
        f"{room}2",
        f"#{room}3",
        f"/r/{room}",
        "private",
        "",
    ):
        answer = romeo.asks_raw({"action": "message", "msg": "s3cret", "room": other})
        assert (answer["code"], answer["field"]) == ("bad_request", "room")
    for own in (f" {room.upper()}", f"#{room}"):
        romeo.asks_raw({"action": "message", "msg": own, "room": own})
        juliet.receives_next("message", msg=own)


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"action": "message", "msg": "a\u202ab"}, "bad_request"),
        ({"action": "whisper", "to": "Juliet", "msg": "a\u202ab"}, "bad_request"),
        ({"action": "rename", "username": "a\u202ab"}, "name_invalid"),
        ({"action": "join", "room": "a\u202ab"}, "room_invalid"),
    ],
    ids=lambda value: value if isinstance(value, str) else value["action"],
)
@pytest.mark.parametrize(("lang", "words"), [("en", "hidden character"), ("zh", "隐藏字符")])
def test_a_refusal_names_the_hidden_character(
    guests: Guests, fields: dict[str, str], code: str, lang: str, words: str
) -> None:
    guests(username="Juliet")
    answer = guests(lang=lang).asks_raw(fields)
    assert (answer["code"], answer["character"]) == (code, "U+202A")
    assert words in answer["msg"]
    assert "U+202A" in answer["msg"]


def test_names_hold_joiners_where_they_belong(guests: Guests) -> None:
    romeo, juliet = guests(), guests()
    for name in (
        "می\u200cخواهم",
        "ශ්\u200dරී",
        "👨\u200d👩\u200d👧",
        "🏳\ufe0f\u200d🌈",
        "1\ufe0f\u20e3",
        "\U0001fae9",
    ):
        assert romeo.asks("rename", username=name)["ok"], name
        assert juliet.receives("rename")["to"] == name
    assert romeo.asks("rename", username="می\u200cخواهم")["ok"]
    assert juliet.asks("rename", username="میخواهم")["code"] == "name_taken"


def test_new_emoji_are_messages_and_lone_marks_are_not(guests: Guests) -> None:
    romeo, juliet = guests(), guests()
    for text in ("\U0001fa77", "\U0001fae9", "\U0001faff"):
        romeo.sends(text)
        assert juliet.receives("message")["msg"] == text
    for text in ("\u0301", "\ufe00", "\U000e0100", "\U0001d159", "\u115f"):
        assert romeo.asks("message", msg=text)["code"] == "empty"


def test_ping_is_acked_and_no_one_else_sees_it(guests: Guests) -> None:
    romeo, juliet = guests(), guests()
    assert romeo.asks("ping") == {"ok": True}
    juliet.receives_nothing()


def test_too_long_names_the_limit_and_the_longest_is_sent(guests: Guests) -> None:
    romeo = guests()
    assert romeo.asks("message", msg="汉" * 2001)["limit"] == 2000
    romeo.sends("汉" * 2000)


def test_a_taken_name_is_refused_and_the_old_one_kept(guests: Guests) -> None:
    romeo, juliet = guests(), guests(username="Juliet")
    assert romeo.asks("rename", username="JULIET")["code"] == "name_taken"
    assert [romeo.name, romeo.sid] in juliet.asks("who")["name_list"]


def test_rename_without_a_name_draws_another(guests: Guests) -> None:
    romeo = guests()
    answer = romeo.asks("rename")
    assert answer["username"] != romeo.name
    assert romeo.receives("rename")["to"] == answer["username"]


def test_a_member_may_change_the_case_of_their_name(guests: Guests) -> None:
    romeo = guests(username="romeo")
    assert romeo.asks("rename", username="Romeo")["username"] == "Romeo"


def test_a_rename_to_the_present_name_is_not_announced(guests: Guests) -> None:
    romeo, juliet = guests(username="romeo"), guests(username="juliet")
    assert romeo.asks("rename", username="romeo")["username"] == "romeo"
    romeo.sends("/name romeo")
    juliet.receives_nothing("rename")


def test_a_repeated_cid_is_acked_with_the_first_id(guests: Guests) -> None:
    romeo, juliet = guests(), guests()
    first = romeo.sends("once", cid="c1")
    assert romeo.sends("once", cid="c1") == first
    romeo.sends("twice", cid="c2")
    assert juliet.receives("message")["msg"] == "once"
    assert juliet.receives("message")["msg"] == "twice"
    assert juliet.sends("another's", cid="c1")["id"] > first["id"]


def test_a_cid_holds_after_a_resume(guests: Guests) -> None:
    romeo = guests()
    first = romeo.sends("once", cid="c1")
    romeo.is_cut()
    again = guests(token=romeo.you["token"])
    assert again.sends("once", cid="c1") == first


def test_join_moves_a_person(guests: Guests, room: str) -> None:
    other = room + " next door"
    romeo, juliet, nurse = guests(), guests(), guests(room=other)
    assert romeo.asks("join", room=other) == {"ok": True, "room": other}
    juliet.receives("logout", username=romeo.name)
    nurse.receives("login", username=romeo.name, room=other)
    own = romeo.receives("login", sid=romeo.sid, room=other)
    assert own["you"]["sid"] == romeo.sid
    juliet.sends("left behind")
    nurse.sends("welcome")
    romeo.receives_next("message", msg="welcome")


def test_a_join_with_a_taken_name_changes_nothing(guests: Guests, room: str) -> None:
    other = room + " next door"
    romeo, juliet = guests(username="Romeo"), guests()
    double = guests(username="romeo", room=other)
    answer = romeo.asks("join", room=other)
    assert (answer["ok"], answer["code"], answer["name"]) == (False, "name_taken", "Romeo")
    romeo.sends("still here")
    juliet.receives("message", msg="still here")
    double.receives_nothing()


def test_history_pages_in_both_directions(guests: Guests) -> None:
    romeo = guests()
    ids = [romeo.sends(str(number))["id"] for number in range(10)]
    page = romeo.asks("history", before=ids[5], limit=3)
    assert set(page) == {"ok", "entries", "more", "gap"}
    assert [entry["id"] for entry in page["entries"]] == ids[2:5]
    assert page["more"] is True
    page = romeo.asks("history", before=ids[2])
    assert ([entry["id"] for entry in page["entries"]], page["more"]) == (ids[:2], False)
    page = romeo.asks("history", after=ids[6], limit=2)
    assert ([entry["id"] for entry in page["entries"]], page["more"]) == (ids[7:9], True)
    page = romeo.asks("history", after=ids[8])
    assert ([entry["id"] for entry in page["entries"]], page["more"], page["gap"]) == (ids[9:], False, False)
    assert romeo.asks("history", after="0000000000001-000001")["gap"] is True


def test_who_lists_names_and_ids_in_order_of_joining(guests: Guests) -> None:
    people = [guests() for _ in range(3)]
    answer = people[0].asks("who")
    assert answer == {"ok": True, "name_list": [[one.name, one.sid] for one in people], "count": 3}


def test_logout_frees_the_name_at_once_and_disconnects(guests: Guests) -> None:
    romeo, juliet = guests(username="Romeo"), guests()
    assert romeo.asks("logout") == {"ok": True}
    romeo.waits_for_disconnect()
    juliet.receives("logout", username="Romeo")
    assert guests(username="Romeo").name == "Romeo"


# Typed commands


def command(guest: Guest, line: str) -> str:
    """Type a command and read its answer."""
    assert guest.asks("message", msg=line)["ok"]
    return str(guest.receives("notice", code="command")["msg"])


def test_commands_are_answered_by_a_notice_and_never_sent(guests: Guests) -> None:
    romeo, juliet = guests(username="Romeo"), guests(username="Ming Li")
    assert "/who" in command(romeo, "/help")
    assert "Ming Li" in command(romeo, "  /who")
    assert "lobby" in command(romeo, "/rooms")
    romeo.sends("hello")
    assert "Romeo: hello" in command(romeo, "/history 5")
    juliet.receives("message", msg="hello")
    juliet.receives_nothing("message")


def test_the_history_command_shows_days_utc_and_indented_lines(guests: Guests) -> None:
    romeo = guests(username="Romeo: no")
    romeo.sends("one\n[2026-01-01 00:00:00Z] Juliet: two\u2028* three")
    stamp = r"\[20\d\d-\d\d-\d\d \d\d:\d\d:\d\dZ\]"
    shown = command(romeo, "/history 1")
    more = r"    \[2026-01-01 00:00:00Z\] Juliet: two\n    \* three"
    assert re.fullmatch(stamp + rf' "Romeo: no": one\n{more}', shown), shown


def test_a_whisper_goes_to_the_longest_matching_name(guests: Guests) -> None:
    romeo, ming, ming_li = guests(), guests(username="Ming"), guests(username="Ming Li")
    command(romeo, "/to ming li hello")
    assert ming_li.receives("whisper")["msg"] == "hello"
    command(romeo, '/w "Ming" Li hello')
    assert ming.receives_next("login")
    assert ming.receives("whisper")["msg"] == "Li hello"
    assert romeo.asks("message", msg="/to nobody hello")["code"] == "no_such_person"


def test_name_and_join_as_commands(guests: Guests, room: str) -> None:
    romeo = guests()
    answer = romeo.asks("message", msg="/nick Montague")
    assert set(answer) == {"ok", "username", "token"}
    assert answer["username"] == "Montague"
    command(romeo, f"/join {room} two")
    assert romeo.asks("who")["name_list"] == [["Montague", romeo.sid]]


def test_two_slashes_say_one(guests: Guests) -> None:
    romeo = guests()
    romeo.sends("//who")
    romeo.receives("message", msg="/who")


def test_quit_as_a_command_leaves(guests: Guests) -> None:
    romeo, juliet = guests(), guests()
    assert romeo.asks("message", msg="/quit")["ok"]
    juliet.receives("logout", username=romeo.name)
    romeo.waits_for_disconnect()


# Resuming


def test_a_token_restores_the_name_and_missed_messages(guests: Guests) -> None:
    romeo, juliet = guests(username="Romeo"), guests()
    last = romeo.sends("hello")["id"]
    romeo.is_cut()
    juliet.receives("logout", username="Romeo")
    juliet.sends("missed")
    again = guests(token=romeo.you["token"], after=last)
    assert (again.name, again.you["resumed"]) == ("Romeo", True)
    assert [entry["msg"] for entry in again.you["history"]] == ["missed"]


def test_a_cut_name_is_held_for_its_token(guests: Guests) -> None:
    romeo, juliet = guests(username="Romeo"), guests()
    romeo.is_cut()
    juliet.receives("logout", username="Romeo")
    assert juliet.asks("rename", username="Romeo")["code"] == "name_taken"
    assert guests(token=romeo.you["token"]).name == "Romeo"


def test_a_cut_seed_client_frees_its_name(guests: Guests, server: Program) -> None:
    seed = Guest(server.url).enter()
    witness = guests(room="lobby")
    seed.is_cut()
    witness.receives("logout", sid=seed.sid)
    assert witness.asks("rename", username=seed.name)["ok"]


def test_a_held_name_is_free_after_resume_grace(start: Start, room: str) -> None:
    program = start("--resume-grace", "0.3", "--history", "0", "--limits", "off")
    romeo, juliet = (Guest(program.url, {"v": 1, "room": room}).enter() for _ in range(2))
    romeo.is_cut()
    juliet.receives("logout", username=romeo.name)
    until(lambda: juliet.asks("rename", username=romeo.name)["ok"], "the name to be free")
    late = Guest(program.url, {"v": 1, "room": room, "token": romeo.you["token"]}).enter()
    assert late.you["resumed"] is False
    assert late.name != romeo.name
    late.leaves()
    juliet.leaves()


@pytest.mark.parametrize("leaving", [{"action": "logout"}, {"action": "message", "msg": "/quit"}], ids=str)
def test_after_logout_a_token_does_not_resume(guests: Guests, leaving: Frame) -> None:
    romeo, juliet = guests(username="Romeo"), guests()
    assert romeo.asks_raw(leaving)["ok"]
    juliet.receives("logout", username="Romeo")
    again = guests(token=romeo.you["token"])
    assert again.you["resumed"] is False
    assert again.name != "Romeo"


def test_after_a_rename_only_the_new_token_resumes(guests: Guests) -> None:
    romeo, juliet = guests(username="Romeo"), guests()
    renamed = romeo.asks("rename", username="Paris")
    other = guests(token=romeo.you["token"])
    assert (other.you["resumed"], other.name in ("Romeo", "Paris")) == (False, False)
    romeo.sends("still here")  # it was not replaced
    assert romeo.asks("message", msg="/name Balthasar")["token"] != renamed["token"]
    romeo.is_cut()
    juliet.receives("logout", username="Balthasar")
    for old in (romeo.you["token"], renamed["token"]):
        assert guests(token=old).you["resumed"] is False


def test_the_token_of_a_rename_has_the_old_identity(guests: Guests) -> None:
    romeo, juliet = guests(username="Romeo"), guests()
    sent = romeo.sends("once", cid="c")
    token = romeo.asks("rename", username="Paris")["token"]
    romeo.is_cut()
    juliet.receives("logout", username="Paris")
    paris = guests(token=token)
    assert (paris.name, paris.you["resumed"]) == ("Paris", True)
    assert paris.sends("once", cid="c") == sent


@pytest.mark.parametrize("token", ["", "nonsense", "x" * 1024])
def test_an_invalid_token_locks_nobody_out(guests: Guests, token: str) -> None:
    guest = guests(token=token)
    assert guest.you["resumed"] is False
    assert guest.name


def test_a_duplicated_tab_replaces_the_older_one_for_good(guests: Guests, server: Program, room: str) -> None:
    with RawClient(server.url) as older:
        older.enters(room=room, v=1, username="Romeo")
        newer = guests(token=older.login["you"]["token"])
        assert (newer.name, newer.you["resumed"]) == ("Romeo", True)
        assert '"code":"replaced"' in older.receives(lambda text: "notice" in text)
        assert older.receives(lambda text: text.startswith("41")) == "41"
    assert newer.asks("who")["count"] == 1


def test_a_tab_replaced_before_its_welcome_is_told_why(tmp_path: Path) -> None:
    with Counted(data_dir=tmp_path) as program, ExitStack() as stack:
        speaker, cut, older, newer = (stack.enter_context(RawClient(program.url)) for _ in range(4))
        auth = {"v": 1, "token": cut.enters(v=1).login["you"]["token"]}
        speaker.enters(v=1)
        program.asks("hold")
        speaker.sends('421["msg",{"action":"message","msg":"hi"}]')
        speaker.sends('422["msg",{"action":"ping"}]')
        speaker.receives_answer(2)
        for tab in (older, newer):  # their welcomes wait behind the message
            tab.opens()
            assert tab.connects(auth)[0] == "0"
        assert '"code":"replaced"' in older.receives(lambda text: text[:2] in ("41", "42"))
        assert older.receives() == "41"
        program.asks("free")
        assert '"action":"login"' in newer.receives(lambda text: text.startswith("42"))


@pytest.mark.parametrize("transports", [["polling"], ["websocket"]], ids=str)
def test_too_many_pages_at_once_are_refused(start: Start, transports: list[str]) -> None:
    server = start("--limits", "off")
    romeo = Guest(server.url, {"v": 1}).enter()
    for _ in range(32):
        romeo.sends("好" * 2000)
    juliet = Guest(server.url, {"v": 1}, transports).enter()
    answers: list[Frame] = []
    for _ in range(40):
        asked = ({"action": "history", "limit": 200},)
        juliet.client.emit("msg", asked, callback=answers.append)
    until(lambda: len(answers) == 40, "all are answered")
    assert {answer.get("code", "ok") for answer in answers} <= {"ok", "rate_limited"}
    assert any(answer["ok"] for answer in answers)
    assert juliet.sends("still here")["ok"]
    assert romeo.receives("message", msg="still here")
    juliet.leaves()
    romeo.leaves()
