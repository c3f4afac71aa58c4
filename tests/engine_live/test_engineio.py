"""Engine.IO 4, as its protocol document describes it, over real sockets."""

from __future__ import annotations

import json
import time

import pytest

from chatroom.engine import frames
from tests.engine_live.client import App, Http, Polling, Socket, loopbacks
from tests.engine_live.test_abuse import hang_up
from tests.engine_live.test_socketio import ask, joined, reason_of
from tests.support.guests import until


def test_the_app_is_reached_by_whatever_localhost_means(engine_app: App) -> None:
    for address in loopbacks():
        assert Http(engine_app.port, address).ask("GET", "/engine.io/?EIO=4&transport=polling")[0] == 200


def test_a_polling_handshake_opens_a_session(engine_app: App) -> None:
    opening = Polling(engine_app.port).opening
    assert opening == {
        "sid": opening["sid"],
        "upgrades": ["websocket"],
        "pingInterval": 300,
        "pingTimeout": 10_000,
        "maxPayload": 1_000_000,
    }


def test_a_websocket_handshake_opens_a_session_that_needs_no_upgrade(engine_app: App) -> None:
    opening = Socket.engine(engine_app.port).opening
    assert opening["upgrades"] == []
    assert opening["pingInterval"] == 300


@pytest.mark.parametrize(
    ("method", "query", "code"),
    [
        ("GET", "transport=polling", 5),
        ("GET", "EIO=abc&transport=polling", 5),
        ("GET", "EIO=3&transport=polling", 5),
        ("GET", "EIO=4", 0),
        ("GET", "EIO=4&transport=abc", 0),
        ("POST", "EIO=4&transport=polling", 2),
        ("PUT", "EIO=4&transport=polling", 2),
        ("DELETE", "EIO=4&transport=polling", 2),
        ("GET", "EIO=4&transport=websocket", 3),
        ("GET", "EIO=4&transport=polling&sid=nobody", 1),
        ("POST", "EIO=4&transport=polling&sid=nobody", 1),
    ],
)
def test_a_bad_request_is_refused_with_its_code(engine_app: App, method: str, query: str, code: int) -> None:
    status, body = Http(engine_app.port).ask(method, "/engine.io/?" + query)
    assert status == 400
    assert json.loads(body)["code"] == code


def test_other_paths_belong_to_the_wsgi_application(engine_app: App) -> None:
    http = Http(engine_app.port)
    assert http.ask("GET", "/elsewhere")[0] == 404
    assert http.ask("GET", "/engine.iox/")[0] == 404
    assert http.ask("GET", "/engine.io")[0] == 400


def poll_waits(client: Polling) -> None:
    """Start a poll, and return once the server holds it: it has answered a later request."""
    client.gets.request("GET", client.target)
    assert client.post(b"3")[0] == 200


def test_messages_come_back_in_one_payload(patient_app: App) -> None:
    client = Polling(patient_app.port)
    assert client.post(b"4hello\x1e4\xe2\x82\xac\x1ebAQIDBA==") == (200, b"ok")
    assert client.poll() == (200, b"4hello\x1e4\xe2\x82\xac\x1ebAQIDBA==")


def test_messages_come_back_over_a_websocket(patient_app: App) -> None:
    client = Socket.engine(patient_app.port)
    client.send("4hello")
    client.send(b"\1\2\3\4")
    assert client.receive() == "4hello"
    assert client.receive() == b"\1\2\3\4"


@pytest.mark.parametrize("body", [b"abc", b"", b"4\xff", b"4a\x1e", b"b*", b"2", b"0{}", b"5", b"6"])
def test_a_bad_post_closes_the_session_at_once(patient_app: App, body: bytes) -> None:
    client = Polling(patient_app.port)
    poll_waits(client)
    assert client.post(body)[0] == 400
    assert client.gets.answer() == (200, b"1")
    assert client.poll()[0] == 400


def test_a_body_may_have_the_announced_length_at_most(patient_app: App) -> None:
    client = Polling(patient_app.port)
    assert client.post(b"4" + b"x" * 999_999)[0] == 200
    assert len(client.poll()[1]) == 1_000_000
    assert client.post(b"4" + b"x" * 1_000_000)[0] == 413


def test_a_session_sends_one_body_at_a_time(patient_app: App) -> None:
    client = Polling(patient_app.port)

    def begins(http: Http) -> int:
        """Send a head, and read the answer to it."""
        head = (
            f"POST {client.target} HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 6\r\n\r\n"
        )
        http.send(head.encode())
        return http.answer()[0]

    first, second = Http(patient_app.port), Http(patient_app.port)
    assert begins(first) == 100
    assert begins(second) == 400
    second.reads_the_end()
    first.send(b"4hello")
    assert first.answer() == (200, b"ok")
    assert client.poll() == (200, b"4hello")
    assert begins(first) == 100
    first.close()
    until(lambda: begins(Http(patient_app.port)) == 100)


def test_two_polls_at_once_close_the_session(patient_app: App) -> None:
    client = Polling(patient_app.port)
    poll_waits(client)
    assert client.posts.ask("GET", client.target)[0] == 400
    assert client.gets.answer() == (200, b"1")
    assert client.poll()[0] == 400


@pytest.mark.parametrize("abruptly", [False, True])
def test_a_cancelled_poll_closes_the_session(patient_app: App, abruptly: bool) -> None:
    client = Polling(patient_app.port)
    poll_waits(client)
    hang_up(client.gets, abruptly=abruptly)
    # By a POST: a second poll would be refused, and close the session, if the first still waited.
    until(lambda: client.post(b"3")[0] == 400)


def test_a_close_packet_answers_the_poll_with_noop(patient_app: App) -> None:
    client = Polling(patient_app.port)
    poll_waits(client)
    assert client.post(b"1") == (200, b"ok")
    assert client.gets.answer() == (200, b"6")
    assert client.poll()[0] == 400


def test_a_poll_before_a_close_is_answered_first(patient_app: App) -> None:
    for _ in range(12):
        client = Polling(patient_app.port)
        with patient_app.halted():
            client.gets.request("GET", client.target)
            client.posts.request("POST", client.target, b"4last\x1e1\x1e4too late")
        assert client.posts.answer() == (200, b"ok")
        assert client.gets.answer() == (200, b"6")
        assert client.poll()[0] == 400


def test_pings_are_answered_over_polling(engine_app: App) -> None:
    client = Polling(engine_app.port)
    for _ in range(3):
        assert client.poll() == (200, b"2")
        assert client.post(b"3")[0] == 200


def test_a_ping_does_not_wait_behind_what_takes_many_polls(engine_app: App) -> None:
    client = Polling(engine_app.port)
    client.post(b"\x1e".join([b"4x"] * 24))
    packets: list[bytes] = []
    while b"2" not in packets:  # each poll leaves 24 waiting
        client.post(b"\x1e".join([b"4x"] * 16))
        packets = client.poll()[1].split(b"\x1e")
    assert packets == [b"2", *[b"4x"] * 15]


@pytest.mark.parametrize("polls", [False, True])
def test_a_polling_client_without_pongs_is_dropped(hasty_app: App, polls: bool) -> None:
    client = Polling(hasty_app.port)
    began = time.monotonic()
    if polls:
        assert client.poll() == (200, b"2")
        assert client.poll()[0] == 400
    time.sleep(max(0.0, began + 0.5 - time.monotonic()))
    until(lambda: client.poll()[0] == 400)


def test_a_slow_upgrade_outlives_pings_that_wait_for_it(hasty_app: App) -> None:
    client = Polling(hasty_app.port)
    upgrading = client.upgrade()
    upgrading.send("2probe")
    assert upgrading.receive() == "3probe"
    assert client.poll() == (200, b"6")
    later = Polling(hasty_app.port)  # when it is gone, each deadline of the first one is over
    until(lambda: later.poll()[0] == 400)
    upgrading.send("5")
    assert upgrading.frame() == (1, b"2")
    upgrading.send("3")
    upgrading.send("4here")
    assert upgrading.receive() == "4here"


def test_a_websocket_without_pongs_is_closed(hasty_app: App) -> None:
    began = time.monotonic()
    client = Socket.engine(hasty_app.port)
    assert client.frame() == (1, b"2")
    client.closing()
    assert time.monotonic() - began >= 0.4  # the interval and the time for an answer, of 0.5 s in all


def test_a_websocket_that_answers_pings_stays(engine_app: App) -> None:
    client = Socket.engine(engine_app.port)
    for _ in range(4):
        assert client.frame() == (1, b"2")
        client.send("3")
    client.send("4still here")
    assert client.receive() == "4still here"


@pytest.mark.parametrize("packet", ["abc", "", "9", "0", "2", "5", "6", "b"])
def test_a_bad_packet_closes_a_websocket_at_once(patient_app: App, packet: str) -> None:
    client = Socket.engine(patient_app.port)
    client.send(packet)
    assert client.closing() == 1002


def test_a_close_packet_closes_a_websocket(patient_app: App) -> None:
    client = Socket.engine(patient_app.port)
    client.send("1")
    client.closing()


def test_an_upgrade_ends_the_poll_with_noop_and_carries_on(patient_app: App) -> None:
    client = Polling(patient_app.port)
    socket = client.upgrade()
    client.gets.request("GET", client.target)
    socket.send("2probe")
    assert socket.receive() == "3probe"
    assert client.gets.answer() == (200, b"6")
    socket.send("5")
    socket.send("4hello")
    assert socket.receive() == "4hello"
    assert client.poll()[0] == 400
    assert client.post(b"4x")[0] == 400
    socket.send("4still")
    assert socket.receive() == "4still"


def test_a_second_websocket_for_a_session_is_closed(patient_app: App) -> None:
    client = Polling(patient_app.port)
    socket = client.upgrade()
    assert client.upgrade().closing() == frames.NORMAL
    socket.send("2probe")
    assert socket.receive() == "3probe"
    assert client.upgrade().closing() == frames.NORMAL
    socket.send("5")
    second = client.upgrade()
    second.send("4hello")  # it is nobody's
    assert second.closing() == frames.NORMAL
    socket.send("4hello")
    assert socket.receive() == "4hello"


@pytest.mark.parametrize("packet", ["4hello", "5", "2", "abc", "3probe"])
def test_polling_survives_a_websocket_without_a_probe(patient_app: App, packet: str) -> None:
    client = Polling(patient_app.port)
    socket = client.upgrade()
    socket.send(packet)
    socket.closing()
    assert client.post(b"4hello")[0] == 200
    assert client.poll() == (200, b"4hello")


def test_an_upgrade_that_breaks_off_loses_nothing(patient_app: App) -> None:
    client = Polling(patient_app.port)
    socket = client.upgrade()
    socket.send("2probe")
    assert socket.receive() == "3probe"
    assert client.post(b"4hello")[0] == 200
    assert client.poll() == (200, b"6")
    socket.close()
    until(lambda: client.poll() == (200, b"4hello"))


def test_a_message_before_the_close_frame_is_still_handled(rooms_app: App) -> None:
    witness, client = joined(rooms_app), joined(rooms_app)
    before = ask(witness, "counted")
    ask(client, "tell")  # after this nothing is on its way to it
    # In one piece, so that one read brings both.
    client.http.send(b"\x81\x8e\0\0\0\0" + b'421["count",1]' + b"\x88\x82\0\0\0\0\x03\xe8")
    assert client.frame() == (frames.CLOSE, b"\x03\xe8")
    with pytest.raises(EOFError):  # nothing follows
        client.frame()
    assert reason_of(rooms_app, client.sid) == "transport close"
    assert ask(witness, "counted") == before + 1


def test_bytes_that_follow_an_upgrade_request_are_refused(patient_app: App) -> None:
    http = Http(patient_app.port)
    http.send(
        b"GET /engine.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\n"
        b"Upgrade: websocket\r\n"
        b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n\x81\x81\0\0\0\x004"
    )
    assert http.answer()[0] == 400
    http.reads_the_end()


def test_bytes_during_an_upgrade_request_are_refused(rooms_app: App) -> None:
    other = joined(rooms_app)
    http = Http(rooms_app.port)
    http.request(
        "GET",
        "/socket.io/?EIO=4&transport=websocket&think",
        Connection="Upgrade",
        Upgrade="websocket",
        Sec_WebSocket_Version="13",
        Sec_WebSocket_Key="AAAAAAAAAAAAAAAAAAAAAA==",
    )
    ask(other, "tell")  # by its answer the application thinks
    http.send(b"\x81\x82\0\0\0\x0040")
    ask(other, "tell")  # and by this one the bytes are there
    ask(other, "say")
    assert http.answer()[0] == 400
    http.reads_the_end()


@pytest.mark.parametrize("transport", ["polling", "websocket"])
def test_a_client_disconnected_in_its_connect_handler_never_connects(rooms_app: App, transport: str) -> None:
    target = f"/socket.io/?EIO=4&transport={transport}&leave"
    if transport == "polling":
        assert Http(rooms_app.port).ask("GET", target)[0] == 401
    else:
        assert Socket(rooms_app.port, target).status == 401


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Sec_WebSocket_Version": "8"}, 426),
        ({"Sec_WebSocket_Key": "short"}, 400),
        ({"Sec_WebSocket_Key": ""}, 400),
        ({"Connection": "keep-alive"}, 400),
    ],
)
def test_a_bad_websocket_handshake_is_refused(engine_app: App, headers: dict[str, str], status: int) -> None:
    socket = Socket(engine_app.port, "/engine.io/?EIO=4&transport=websocket", opening=False, **headers)
    assert socket.status == status
    socket.http.reads_the_end()


def test_a_websocket_handshake_may_spread_a_list_over_lines(engine_app: App) -> None:
    http = Http(engine_app.port)
    http.send(
        b"GET /engine.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\n"
        b"Connection: keep-alive\r\nUpgrade: websocket\r\nUpgrade: h2c\r\n"
        b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
    )
    assert http.answer()[0] == 101


def test_a_refused_websocket_version_gets_the_supported_one(echo_app: App) -> None:
    socket = Socket(echo_app.port, Sec_WebSocket_Version="8")
    assert socket.status == 426
    assert "sec-websocket-version: 13" in socket.http.head


def test_no_compression_is_negotiated(patient_app: App) -> None:
    socket = Socket(
        patient_app.port,
        "/engine.io/?EIO=4&transport=websocket",
        Sec_WebSocket_Extensions="permessage-deflate; client_max_window_bits",
    )
    assert socket.status == 101
    assert "extensions" not in socket.http.head


def test_any_origin_gets_no_credentials(engine_app: App) -> None:
    http = Http(engine_app.port)
    assert http.ask("GET", "/engine.io/?EIO=4&transport=polling", Origin="http://b")[0] == 200
    assert "access-control-allow-origin: *" in http.head
    assert "credentials" not in http.head
    assert http.ask("OPTIONS", "/engine.io/?EIO=4&transport=polling", Origin="http://b")[0] == 204
    assert "access-control-allow-methods" in http.head


def test_pipelined_requests_are_answered_in_order(patient_app: App) -> None:
    http = Http(patient_app.port)
    http.request("GET", "/engine.io/?EIO=4&transport=abc")
    http.request("GET", "/elsewhere")
    http.request("GET", "/engine.io/?EIO=3&transport=polling")
    assert [http.answer()[0] for _ in range(3)] == [400, 404, 400]
    assert json.loads(http.ask("GET", "/engine.io/?EIO=4")[1])["code"] == 0
