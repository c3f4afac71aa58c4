"""Rate limits and full rooms: what is over the limit is refused with a code and the time to wait."""

import contextlib
import json
import random
import resource
import signal
import socket
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from functools import partial
from pathlib import Path

import pytest
import requests
import socketio.exceptions
import websocket

from chatroom.backplane.file import FILE_NAME
from tests.browser.relay import Relay
from tests.engine_live.client import Polling
from tests.support.guests import POLLING, UPGRADE, WEBSOCKET, Guest, Guests, Refused, until
from tests.support.lines import Line
from tests.support.program import Program, Start
from tests.support.raw import RawClient


def test_a_flood_is_refused_with_the_time_to_wait(start: Start, guests: Guests) -> None:
    program = start("--message-burst", "3", "--message-rate", "0.1")
    romeo, juliet = guests(url=program.url), guests(url=program.url)
    for number in range(3):
        romeo.sends(str(number))
    answer = romeo.asks("message", msg="one too many")
    assert (answer["ok"], answer["code"]) == (False, "rate_limited")
    assert 0 < answer["retry_after"] <= 10
    juliet.sends("others are not held back")
    assert [juliet.receives("message")["msg"] for _ in range(4)] == [
        "0",
        "1",
        "2",
        "others are not held back",
    ]
    juliet.receives_nothing("message")


def test_a_room_receives_what_its_readers_can_follow(start: Start, guests: Guests, room: str) -> None:
    program = start("--outbox-limit", "16384")
    romeo, juliet = guests(url=program.url), guests(url=program.url)
    with RawClient(program.url) as raw:
        raw.enters(room=room, v=1)
        text = json.dumps(["msg", {"action": "message", "msg": "\U0001f600" * 1000}])
        raw.sends_at_once([f"42{number}{text}" for number in range(8)])
        acks = [raw.receives(lambda packet: packet.startswith("43")) for _ in range(8)]
        answers = [json.loads(ack[3:])[0] for ack in acks]
    sent = sum(answer["ok"] for answer in answers)
    assert 1 <= sent < 8
    assert {answer["code"] for answer in answers if not answer["ok"]} == {"rate_limited"}
    assert all(0 < answer["retry_after"] <= 1 for answer in answers if not answer["ok"])
    for _ in range(sent):
        juliet.receives("message")
    until(lambda: romeo.asks("message", msg="I am heard")["ok"], "room for a short message")
    juliet.receives("message", msg="I am heard")
    assert juliet.disconnects == []


def test_a_full_room_refuses_newcomers_and_movers(start: Start, guests: Guests, room: str) -> None:
    program = start("--max-room-people", "2")
    romeo, juliet = guests(url=program.url), guests(url=program.url)
    with pytest.raises(Refused) as refused:
        guests(url=program.url)
    assert refused.value.data["data"] == {"code": "room_full", "retry_after": 5}
    elsewhere = guests(url=program.url, room=room + " elsewhere")
    answer = elsewhere.asks("join", room=room)
    assert (answer["ok"], answer["code"], answer["retry_after"]) == (False, "room_full", 5)
    elsewhere.sends("still here")
    assert romeo.asks("who")["name_list"] == [[romeo.name, romeo.sid], [juliet.name, juliet.sid]]


def test_joins_in_one_write_then_logout_leak_no_room(tmp_path: Path, rng: random.Random) -> None:
    """Each logout meets the joins at another step. A leaked room shows at the end, when every room is needed."""
    with Program("--max-rooms", "12", "--limits", "off", data_dir=tmp_path) as program:
        for number in range(40):
            steps = [
                ("message", "msg", "bye"),
                ("join", "room", f"{number}"),
                ("join", "room", f"{number} again"),
            ]
            with _enters_when_free(program.url, "lobby") as client:
                client.sends_at_once([_msg(*step) for step in steps])
                time.sleep(rng.uniform(0, 0.004))
                client.sends(_msg("logout"))
                client.receives(lambda text: text == "41")
        with contextlib.ExitStack() as stack:
            for number in range(12):
                stack.enter_context(_enters_when_free(program.url, f"fresh {number}"))


def _enters_when_free(url: str, room: str) -> RawClient:
    """A room that people have left counts until the messages before their leaves are on the disk."""

    def enters() -> RawClient | None:
        client = RawClient(url)
        client.opens()
        kind, data = client.connects({"v": 1, "room": room})
        if kind == "0":
            return client
        client.leaves()
        assert data["data"]["code"] == "room_full", data
        return None

    return until(enters, f"a place for {room}")


def _msg(action: str, key: str = "action", value: str | None = None) -> str:
    return "42" + json.dumps(["msg", {key: value, "action": action}])


def test_a_refused_connection_frees_no_place(tmp_path: Path) -> None:
    with Program("--max-connections", "3", data_dir=tmp_path) as program:
        inside = [RawClient(program.url).enters(v=1) for _ in range(3)]
        for _ in range(6):
            with pytest.raises(websocket.WebSocketBadStatusException, match="503"):
                RawClient(program.url)
        for client in inside:
            client.leaves()


@pytest.fixture
def slow_link(start: Start) -> Iterator[Callable[[str], Relay]]:
    """The address of a server with this connect timeout, behind a link that delays each direction by 0.3 s."""
    links: list[Relay] = []

    def lay(timeout_s: str) -> Relay:
        link = Relay(start("--connect-timeout", timeout_s).port)
        links.append(link)
        link.slow(0.3)
        return link

    yield lay
    for link in links:
        link.close()


@pytest.mark.parametrize("transports", [POLLING, UPGRADE, WEBSOCKET], ids=["polling", "upgrade", "websocket"])
def test_a_slow_link_joins_within_the_connect_timeout(
    slow_link: Callable[[str], Relay], transports: list[str]
) -> None:
    guest = Guest(slow_link("30").url, {"v": 1}, transports).enter()
    assert guest.client.transport() == transports[-1]
    guest.sends("hello")
    guest.leaves()


def test_a_connection_that_asks_too_late_is_closed(slow_link: Callable[[str], Relay]) -> None:
    with RawClient(slow_link("0.5").url) as client:
        client.opens()
        client.sends("40{}")  # it comes 0.6 s after the server has sent the opening
        assert client.receives_the_end() == []


@pytest.mark.slow
def test_a_client_may_take_longer_than_ten_seconds_to_join(start: Start, tmp_path: Path) -> None:
    usual, strict = start(), start("--connect-timeout", "10", data_dir=tmp_path / "strict")
    with RawClient(usual.url) as slow, RawClient(strict.url) as late:
        slow.opens()
        late.opens()
        assert late.receives_the_end(30) == []  # by now the other one has taken longer
        assert slow.connects({"v": 1})[0] == "0"


@pytest.mark.slow
def test_a_client_that_upgrades_has_the_connect_timeout_twice(start: Start) -> None:
    """On a slow link, a client that upgrades first sends its CONNECT only after six one-way trips."""
    program = start("--connect-timeout", "4")
    without, client = (Polling(program.port, "/socket.io/") for _ in range(2))
    time.sleep(2)
    upgrading = client.upgrade()
    upgrading.send("2probe")
    assert upgrading.receive() == "3probe"
    until(lambda: without.poll()[0] == 400)  # the first time is over
    upgrading.send("5")
    upgrading.send("40{}")
    assert upgrading.receive()[:3] == "40{"
    client.close()
    without.close()
    upgrading.close()


def test_a_failed_upgrade_ends_with_the_connect_timeout(start: Start) -> None:
    program = start("--connect-timeout", "0.5")
    client = Polling(program.port, "/socket.io/")
    client.post(b"40{}")
    assert client.poll()[1].startswith(b"40")
    silent = client.upgrade()
    silent.http.reads_the_end()
    silent.close()
    client.post(b"40/elsewhere,")  # which is answered, whatever the first poll has brought already
    assert client.poll()[0] == 200
    client.close()


def test_both_gateways_share_one_connection_limit(tmp_path: Path) -> None:
    """With limits of their own they could use up the descriptors, and a full server would look dead."""
    limited = ["bash", "-c", 'ulimit -n 300; exec "$0" "$@"']
    with Program("--max-connections", "1000", data_dir=tmp_path, before=limited) as program:
        with contextlib.ExitStack() as stack:

            def knock(port: int) -> socket.socket:
                return stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout=10))

            greetings = [knock(program.line_port).recv(100) for _ in range(180)]
            # 136 descriptors are kept
            assert [line.startswith(b"* Welcome") for line in greetings] == [True] * 164 + [False] * 16
            for _ in range(300):
                knock(program.port)
            assert program.get("/healthz").status_code == 200
            with pytest.raises(websocket.WebSocketBadStatusException, match="503"):
                RawClient(program.url)
            assert b"full" in knock(program.line_port).recv(100)
        assert not [line for line in program.errors if "cannot accept" in line]


def test_without_descriptors_health_answers_and_one_line_says_so(tmp_path: Path) -> None:
    with Program(data_dir=tmp_path) as program:
        port = program.line_port
        last = max(int(one.name) for one in Path(f"/proc/{program.pid}/fd").iterdir())
        resource.prlimit(program.pid, resource.RLIMIT_NOFILE, (last + 6, last + 6))
        with contextlib.ExitStack() as stack:
            for place in [program.port, port] * 20:
                stack.enter_context(socket.create_connection(("127.0.0.1", place), timeout=10))
            for _ in range(5):
                assert program.get("/healthz").status_code == 200
        program.wait_for_line("cannot accept")
        assert len([line for line in program.errors if "cannot accept" in line]) == 1
        # The terminals that waited in the backlog, and have gone, are accepted first: they may need it all once more.
        until(partial(_serves, program.url), "everybody is served again", 30)
        Line(port).closes()


def _serves(url: str) -> bool:
    try:
        with RawClient(url) as client:
            client.enters(v=1)
    except websocket.WebSocketBadStatusException:
        return False
    return True


def test_newcomers_arriving_at_once_all_get_history(tmp_path: Path) -> None:
    with Program("--limits", "off", data_dir=tmp_path) as program:
        speaker = Guest(program.url).enter()
        for number in range(50):
            speaker.sends(str(number))
        speaker.leaves()
    # Another process has nothing of it in memory; while the first newcomer's read is on its way, the others come.
    with Program(data_dir=tmp_path) as program, contextlib.ExitStack() as stack:
        crowd = [stack.enter_context(RawClient(program.url)) for _ in range(8)]
        for client in crowd:
            client.opens()
        program.signal(signal.SIGSTOP)
        for client in crowd:
            client.sends("40{}")
        program.signal(signal.SIGCONT)
        for client in crowd:
            login = json.loads(client.receives(lambda text: text.startswith("42"))[2:])[1]
            assert [entry["msg"] for entry in login["you"]["history"]] == [
                str(number) for number in range(50)
            ]


def test_events_of_any_kind_are_counted(start: Start, guests: Guests) -> None:
    program = start("--event-burst", "5", "--event-rate", "0.1")
    romeo, juliet = guests(url=program.url), guests(url=program.url)
    assert all(romeo.asks("who")["ok"] for _ in range(5))
    answer = romeo.asks("who")
    assert (answer["ok"], answer["code"]) == (False, "rate_limited")
    assert 0 < answer["retry_after"] <= 10
    assert juliet.asks("who")["ok"]
    assert romeo.disconnects == []


def test_a_long_event_counts_as_many_short_ones(start: Start, room: str) -> None:
    program = start("--event-burst", "10", "--event-rate", "0.1")
    with RawClient(program.url) as raw:
        raw.enters(room=room, v=1)
        text = json.dumps(["msg", {"action": "message", "msg": "x" * 40_000}])
        raw.sends_at_once([f"421{text}", '422["msg",{"action":"who"}]'])
        assert raw.receives_answer(1)["code"] == "too_long"
        assert raw.receives_answer(2)["code"] == "rate_limited"


def test_a_nearly_private_text_counts_as_a_message(start: Start, guests: Guests) -> None:
    program = start("--message-burst", "3", "--message-rate", "0.01")
    romeo, _juliet = guests(url=program.url), guests(url=program.url, username="Juliet")
    assert romeo.asks("message", msg="msg me later")["ok"]  # it counts once
    codes = [romeo.asks("message", msg="msg Juliet hi")["code"] for _ in range(3)]
    assert codes == ["bad_request", "bad_request", "rate_limited"]
    assert romeo.asks("rename", username="Romeo")["ok"]
    assert romeo.asks("message", msg="/name msg Juliet hi")["code"] == "rate_limited"


def test_a_flood_without_acks_gets_one_notice_per_second(start: Start, guests: Guests) -> None:
    program = start("--message-burst", "1", "--message-rate", "0.1")
    romeo = guests(url=program.url)
    for number in range(20):
        romeo.emit({"action": "message", "msg": str(number)})
    romeo.receives("notice", code="rate_limited")
    romeo.receives_nothing("notice")


def test_a_client_that_ignores_refusals_is_warned_then_cut(start: Start, guests: Guests) -> None:
    program = start("--message-burst", "1", "--message-rate", "0.1")
    romeo, juliet = guests(url=program.url), guests(url=program.url)
    sid = romeo.you["sid"]
    for number in range(21):
        romeo.emit({"action": "message", "msg": str(number)})
    romeo.receives("notice", code="rate_limited", retry_after=10)
    assert romeo.asks("who")["code"] == "rate_limited"  # unread: names are not messages
    assert juliet.asks("who")["ok"]

    def goes_on() -> bool:
        with contextlib.suppress(socketio.exceptions.SocketIOError):  # it is disconnected
            romeo.emit({"action": "typing"})
        return bool(romeo.disconnects)

    until(goes_on, "the end of the session")
    juliet.receives("logout", sid=sid)


def test_events_after_a_refused_one_count_as_refused(start: Start, room: str) -> None:
    program = start("--event-burst", "5", "--event-rate", "0.1")
    with RawClient(program.url) as raw:
        raw.enters(room=room, v=1)
        raw.sends_at_once([f'42{number}["msg",{{"action":"ping"}}]' for number in range(60)])
        raw.receives(lambda packet: '"notice"' in packet and "rate_limited" in packet)
        assert raw.receives_answer(5)["code"] == "rate_limited"
        raw.sends("1")
        rest = raw.receives_the_end()
    # Not one for each before the warning.
    assert len([packet for packet in rest if packet.startswith("43")]) < 5


def test_attachments_are_refused_and_not_kept(server: Program, guests: Guests, room: str) -> None:
    romeo = guests(room=room)
    with RawClient(server.url) as raw:
        raw.enters(room=room)
        raw.sends('451-7["msg",{"action":"message","msg":{"_placeholder":true,"num":0}}]')
        raw.sends(b"x" * 90_000)
        assert raw.receives_answer(7)["code"] == "bad_request"
    romeo.receives_nothing("message")


def test_what_no_request_can_be_is_refused_unread(server: Program, room: str) -> None:
    with RawClient(server.url) as raw:
        raw.enters(room=room, v=1)
        for number, (msg, more, code) in enumerate(
            [
                ("x" * 70_000, [], "too_long"),
                ("x", [0] * 2800, "bad_request"),
                ("," * 2000, [0] * 60, None),
                ("x", 1.5, None),
            ],
            start=1,
        ):
            fields = {"action": "message", "msg": msg, "name_list": more}
            raw.sends(f"42{number}{json.dumps(['msg', fields])}")
            assert raw.receives_answer(number).get("code") == code


def test_an_auth_that_no_client_needs_is_refused_unread(server: Program, room: str) -> None:
    with RawClient(server.url) as raw:
        raw.opens()
        _, refused = raw.connects({"room": room, "more": "x" * 70_000})
        assert refused["data"]["code"] == "bad_request"
        assert raw.connects({"room": room})[0] == "0"


def test_without_rates_the_bounds_of_size_stay(start: Start, guests: Guests) -> None:
    program = start("--limits", "off", "--max-text", "10", "--max-payload", "10000")
    romeo = guests(url=program.url)
    for _ in range(200):
        romeo.emit({"action": "message", "msg": "x"})
    romeo.sends("x" * 10)
    assert romeo.you["limits"]["text"] == 10
    answer = romeo.asks("message", msg="x" * 11)
    assert (answer["code"], answer["limit"]) == ("too_long", 10)


def test_a_packet_that_is_too_big_is_not_read(start: Start, guests: Guests, room: str) -> None:
    program = start("--max-payload", "10000")
    romeo = guests(url=program.url, room=room)
    big = '42["msg",{"action":"message","msg":"' + "x" * 10_001 + '"}]'
    with RawClient(program.url) as raw:
        raw.enters(room=room)
        romeo.receives("login", sid=raw.login["sid"])
        raw.sends(big)
        assert raw.is_closed() == 1009
    romeo.receives("logout", sid=raw.login["sid"])
    address = f"{program.url}/socket.io/?EIO=4&transport=polling"
    sid = requests.get(address, timeout=5).text.split('"sid":"')[1].split('"')[0]
    posted = requests.post(f"{address}&sid={sid}", data=big, timeout=5)
    assert posted.status_code == 413
    assert requests.post(f"{address}&sid={sid}", data="40", timeout=5).text == "ok"
    assert romeo.asks("history")["entries"] == []


def test_a_slow_reader_is_dropped_without_a_notice(start: Start, guests: Guests, room: str) -> None:
    program = start("--limits", "off", "--outbox-limit", "16384")
    romeo = guests(url=program.url, room=room)
    with RawClient(program.url) as raw:
        raw.enters(room=room)
        romeo.receives("login", sid=raw.login["sid"])
        sid = raw.login["sid"]
        for _ in range(20_000):
            romeo.sends("x" * 2000)
            if any(frame["action"] == "logout" for frame in romeo.frames):
                break
        romeo.receives("logout", sid=sid)
        heard = raw.receives_the_end()
        assert heard
        assert all('"action":"message"' in text for text in heard)


def test_the_number_of_rooms_is_bounded(start: Start, guests: Guests, room: str) -> None:
    program = start("--max-rooms", "2")
    romeo, juliet = guests(url=program.url, room=room + " 1"), guests(url=program.url, room=room + " 2")
    with pytest.raises(Refused) as refused:
        guests(url=program.url, room=room + " 3")
    assert refused.value.data["data"]["code"] == "room_full"
    assert romeo.asks("join", room=room + " 3")["code"] == "room_full"
    assert guests(url=program.url, room=room + " 2").login["count"] == 2
    assert romeo.asks("join", room=room + " 2")["ok"]
    juliet.receives("login", sid=romeo.sid)
    assert guests(url=program.url, room=room + " 3").login["count"] == 1


def test_a_slow_reader_is_dropped_and_delays_nobody(start: Start, guests: Guests, room: str) -> None:
    program = start("--limits", "off", "--outbox-limit", "16384")
    romeo, juliet = guests(url=program.url), guests(url=program.url)
    with RawClient(program.url) as stalled:
        stalled.enters(room=room, v=1, username="Sloth")
        for _ in range(1000):
            romeo.sends("x" * 2000)
            if any(frame["action"] == "logout" for frame in juliet.frames):
                break
        juliet.receives("logout", username="Sloth")
    romeo.sends("on we go")
    juliet.receives("message", msg="on we go")


def test_a_client_without_pongs_leaves_the_room(start: Start, guests: Guests, room: str) -> None:
    program = start("--ping-interval", "0.2", "--ping-timeout", "0.2")
    witness = guests(url=program.url)
    with RawClient(program.url) as silent:
        silent.enters(room=room, v=1, username="Sphinx")
        witness.receives("logout", username="Sphinx")
    assert witness.disconnects == []


def test_reading_pauses_with_many_uncommitted_messages(
    start: Start, guests: Guests, room: str, tmp_path: Path
) -> None:
    program = start("--limits", "off", data_dir=tmp_path)
    juliet = guests(url=program.url)
    with RawClient(program.url) as romeo, closing(sqlite3.connect(tmp_path / FILE_NAME)) as other:
        romeo.enters(room=room, v=1)
        other.execute("BEGIN IMMEDIATE")  # commits wait for as long as somebody else has the lock
        for number in range(40):
            romeo.sends(f'42{number}["msg",{{"action":"message","msg":"{number}"}}]')
        romeo.sends('4240["msg",{"action":"who"}]')
        assert all(juliet.asks("who")["ok"] for _ in range(20))
        other.rollback()
        answers = [romeo.receives(lambda text: text.startswith("43")) for _ in range(41)]
    numbers = [int(answer[2:].partition("[")[0]) for answer in answers]
    assert numbers[:32] == list(range(32)), "the question was read although 32 messages waited"
    assert [number for number in numbers if number != 40] == list(range(40))
    assert all('"ok":true' in answer for answer in answers)


def test_rooms_that_are_public_are_listed_and_no_others(start: Start, guests: Guests) -> None:
    program = start("--public-rooms", "garden, 河边")
    romeo = guests(url=program.url, room="a secret of two")
    assert romeo.asks("message", msg="/rooms")["ok"]
    listed = romeo.receives("notice", code="command")["msg"]
    assert all(name in listed for name in ("lobby", "garden", "河边"))
    assert "secret" not in listed
