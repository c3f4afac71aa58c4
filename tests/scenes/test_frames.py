"""The server's frames: who receives each action, and exactly which fields it has."""

from tests.scenes.test_connecting import TIME
from tests.support.guests import Guests
from tests.support.program import Program
from tests.support.seed import SeedClient


def test_login_announces_a_newcomer_to_the_room(guests: Guests, room: str) -> None:
    romeo = guests()
    juliet = guests()
    frame = romeo.receives_next("login", username=juliet.name, sid=juliet.sid, room=room, count=2)
    assert set(frame) == {"action", "username", "sid", "name_list", "room", "count", "time"}
    assert frame["name_list"] == [[romeo.name, romeo.sid], [juliet.name, juliet.sid]]
    assert TIME.fullmatch(frame["time"])


def test_logout_announces_who_left_the_room(guests: Guests, room: str) -> None:
    romeo, juliet = guests(), guests()
    juliet.leaves()
    frame = romeo.receives("logout", username=juliet.name, sid=juliet.sid, room=room, count=1)
    assert set(frame) == {"action", "username", "sid", "name_list", "room", "count", "time"}
    assert frame["name_list"] == [[romeo.name, romeo.sid]]


def test_a_cut_connection_is_announced_at_once(guests: Guests) -> None:
    romeo, juliet = guests(), guests()
    juliet.is_cut()
    romeo.receives("logout", username=juliet.name)


def test_roster_announces_joins_and_leaves_to_delta_clients(guests: Guests) -> None:
    romeo = guests(roster="delta")
    juliet = guests()
    frame = romeo.receives_next("roster", joined=[[juliet.name, juliet.sid]], left=[], count=2)
    assert set(frame) == {"action", "joined", "left", "count", "time"}
    juliet.leaves()
    romeo.receives_next("roster", joined=[], left=[[juliet.name, juliet.sid]], count=1)


def test_message_reaches_all_and_its_cid_only_the_sender(guests: Guests, room: str) -> None:
    romeo, juliet = guests(), guests()
    romeo.sends("hello", cid="mine")
    own = romeo.receives("message", msg="hello", cid="mine")
    others = juliet.receives("message", msg="hello")
    assert set(others) == {"action", "username", "sid", "msg", "id", "time", "room"}
    assert {key: value for key, value in own.items() if key != "cid"} == others
    assert (others["username"], others["sid"], others["room"]) == (romeo.name, romeo.sid, room)
    stamp, _, sequence = others["id"].partition("-")
    assert (len(stamp), len(sequence)) == (13, 6)
    assert (stamp + sequence).isdigit()
    assert TIME.fullmatch(others["time"])


def test_whisper_reaches_the_two_only_and_is_not_stored(guests: Guests) -> None:
    romeo, juliet, nurse = guests(), guests(), guests()
    assert romeo.asks("whisper", to=juliet.name, msg="psst") == {"ok": True}
    for side in (romeo, juliet):
        frame = side.receives("whisper", username=romeo.name, to=juliet.name, msg="psst")
        assert set(frame) == {"action", "username", "to", "msg", "time"}
    nurse.receives_nothing("whisper")
    assert nurse.asks("history")["entries"] == []


def test_rename_is_announced_with_the_names(guests: Guests) -> None:
    romeo, juliet, nurse = guests(), guests(), guests(roster="delta")
    answer = romeo.asks("rename", username="Montague")
    assert set(answer) == {"ok", "username", "token"}
    assert answer["username"] == "Montague"
    frame = juliet.receives("rename", username=romeo.name, to="Montague", sid=romeo.sid)
    assert set(frame) == {"action", "username", "to", "sid", "msg", "time", "name_list"}
    assert frame["name_list"][0] == ["Montague", romeo.sid]
    assert frame["msg"]
    assert "name_list" not in nurse.receives("rename", to="Montague")
    romeo.receives("rename", to="Montague")


def test_typing_goes_to_the_others_that_sent_v(guests: Guests, server: Program) -> None:
    romeo, juliet, nurse = guests(), guests(), guests(roster="delta")
    assert romeo.asks("typing") == {"ok": True}
    assert juliet.receives("typing") == {"action": "typing", "username": romeo.name}
    nurse.receives("typing", username=romeo.name)
    romeo.receives_nothing("typing")


def test_an_event_without_an_ack_is_answered_by_a_notice(guests: Guests) -> None:
    romeo = guests()
    romeo.emit({"action": "message", "msg": ""})
    frame = romeo.receives_next("notice", username="*", code="empty")
    assert set(frame) == {"action", "username", "msg", "code", "time"}
    romeo.emit({"action": "whisper", "to": "nobody", "msg": "x"})
    assert romeo.receives_next("notice", code="no_such_person")["name"] == "nobody"


def test_a_seed_client_reads_everything_as_a_line(server: Program, guests: Guests) -> None:
    first, second = SeedClient(server.url), SeedClient(server.url)
    insider = guests(room="lobby")
    first.waits_until(lambda: set(first.people) >= {first.name, second.name, insider.name})
    second.sends("hello")
    first.shows(f"{second.name}: hello")
    insider.asks("typing")
    insider.asks("whisper", to=first.name, msg="psst")
    first.shows(f"{insider.name}: (whisper to {first.name}) psst")
    insider.asks("rename", username="Capulet of seeds")
    first.shows(f"{insider.name}: is now called Capulet of seeds")
    second.leaves()
    first.waits_until(lambda: second.name not in first.people)
    assert set(first.actions) <= {"login", "logout", "message", "whisper", "rename", "notice"}
    first.leaves()


def test_what_a_client_claims_about_itself_is_ignored(guests: Guests) -> None:
    romeo, juliet = guests(), guests()
    forged = {
        "username": juliet.name,
        "sid": juliet.sid,
        "id": "9",
        "time": "never",
        "name_list": [],
    }
    romeo.asks("message", msg="truth", **forged)
    frame = juliet.receives("message", msg="truth")
    assert (frame["username"], frame["sid"]) == (romeo.name, romeo.sid)
    assert len(frame["id"]) == 20
    assert frame["time"] != "never"


def test_frames_shaped_like_the_servers_change_nothing(guests: Guests) -> None:
    romeo, juliet = guests(), guests()
    for action in ("login", "roster", "notice", "clear"):
        shaped = {"username": juliet.name, "sid": juliet.sid, "name_list": [], "msg": "x", "ids": ["1"]}
        assert romeo.asks(action, **shaped)["code"] == "unknown_action"
    juliet.receives_nothing()
    romeo.asks("logout", username=juliet.name, sid=juliet.sid)
    juliet.receives_next("logout", username=romeo.name)
    assert juliet.asks("who")["name_list"] == [[juliet.name, juliet.sid]]
