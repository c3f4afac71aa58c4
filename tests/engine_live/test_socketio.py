"""Socket.IO 5 on the engine: namespaces, acks, binary data, refusals, and misbehaving clients."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
import socketio

from tests.engine_live.client import PATIENCE_S, App, Http, Polling, Socket
from tests.engine_live.conftest import rooms
from tests.support.guests import until


@pytest.mark.parametrize(
    ("sent", "greeting"),
    [
        ("40", '42["auth",{}]'),
        ('40{"token":"123"}', '42["auth",{"token":"123"}]'),
        ("40/custom,", '42/custom,["auth",{}]'),
        ('40/custom,{"token":"abc"}', '42/custom,["auth",{"token":"abc"}]'),
    ],
)
def test_a_namespace_is_connected_and_greets(socketio_app: App, sent: str, greeting: str) -> None:
    client = Socket.engine(socketio_app.port, "/socket.io/")
    client.send(sent)
    connected = str(client.receive())
    prefix = "40/custom," if "custom" in sent else "40"
    assert json.loads(connected.removeprefix(prefix)).keys() == {"sid"}
    assert client.receive() == greeting


def test_a_second_connect_to_a_namespace_changes_nothing(socketio_app: App) -> None:
    client = Socket.engine(socketio_app.port, "/socket.io/")
    client.send("40")
    client.send("40")
    assert str(client.receive()).startswith("40{")
    assert client.receive() == '42["auth",{}]'
    client.send('40{"token":"123"}')
    client.send('42["message",1]')
    assert client.receive() == '42["message-back",1]'


def test_an_unknown_namespace_is_refused(socketio_app: App) -> None:
    client = Socket.engine(socketio_app.port, "/socket.io/")
    client.send("40/random")
    assert client.receive() == '44/random,{"message":"Invalid namespace"}'


@pytest.mark.parametrize(
    "packet",
    ["4abc", "4", "48", '42["before","connect"]', "452-[]", '44{"message":"x"}', "40[1]"],
)
def test_what_is_no_socketio_packet_closes_at_once(socketio_app: App, packet: str) -> None:
    client = Socket.engine(socketio_app.port, "/socket.io/")
    client.send(packet)
    client.closing()


def test_messages_come_back_with_the_same_arguments(socketio_app: App) -> None:
    client = Socket.client(socketio_app.port)
    client.send('42["message",1,"2",{"3":[true]}]')
    assert client.receive() == '42["message-back",1,"2",{"3":[true]}]'
    client.send('42456["message-with-ack",1,"2",{"3":[false]}]')
    assert client.receive() == '43456[1,"2",{"3":[false]}]'


def test_binary_comes_back_in_its_own_frames(socketio_app: App) -> None:
    client = Socket.client(socketio_app.port)
    holes = '{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}'
    for asked, answered in (
        (f'452-["message",{holes}]', f'452-["message-back",{holes}]'),
        (f'452-789["message-with-ack",{holes}]', f"462-789[{holes}]"),
    ):
        client.send(asked)
        client.send(b"\1\2\3")
        client.send(b"\4\5\6")
        assert client.receive() == answered
        assert client.receive() == b"\1\2\3"
        assert client.receive() == b"\4\5\6"


def test_one_namespace_is_left_and_the_other_goes_on(socketio_app: App) -> None:
    client = Socket.client(socketio_app.port)
    client.send("40/custom")
    client.receive()
    client.receive()
    client.send("41/custom")
    client.send('42["message","still here"]')
    assert client.receive() == '42["message-back","still here"]'


@pytest.mark.parametrize("transports", [["polling"], ["websocket"], ["polling", "websocket"]])
def test_python_socketios_client_works_over_every_transport(socketio_app: App, transports: list[str]) -> None:
    got: list[object] = []
    with socketio.SimpleClient() as client:
        client.connect(f"http://127.0.0.1:{socketio_app.port}", auth={"a": 1}, transports=transports)
        assert client.receive(timeout=PATIENCE_S) == ["auth", {"a": 1}]
        client.emit("message", ("text", b"bytes"))
        got = client.receive(timeout=PATIENCE_S)
        assert client.call("message-with-ack", (1, b"\0")) == (1, b"\0")
    assert got == ["message-back", "text", b"bytes"]


def ask(client: Socket, event: str, *arguments: object) -> Any:
    """Send an event and wait for its ack; events in between are discarded."""
    client.send("429" + json.dumps([event, *arguments]))
    return answer_of(client)


def answer_of(client: Socket) -> Any:
    while not (packet := str(client.receive())).startswith("439"):
        pass
    return json.loads(packet[3:])[0]


def joined(app: App) -> Socket:
    client = Socket.engine(app.port, "/socket.io/")
    client.send("40")
    client.sid = json.loads(str(client.receive())[2:])["sid"]
    return client


def reason_of(app: App, sid: str) -> str:
    """Wait until the disconnect handler has run; returns the reason that it was given."""
    witness = joined(app)
    found: list[str] = []

    def is_reported() -> bool:
        found[:] = [r for r in (ask(witness, "state")["reasons"].get(sid),) if r]
        return bool(found)

    until(is_reported)
    witness.close()
    return found[0]


def test_a_failing_handler_ends_only_its_own_session() -> None:
    with rooms(faults="ERROR .+: ZeroDivisionError at .+") as app:
        victim, witness = joined(app), joined(app)
        victim.send('42["boom"]')
        victim.closing()
        assert reason_of(app, victim.sid) == "handler error"
        assert ask(witness, "say") is True
        refused = Socket.engine(app.port, "/socket.io/")
        refused.send('40{"boom":1}')
        refused.closing()
        assert Http(app.port).ask("GET", "/boom")[0] == 500
        doomed = joined(app)
        assert ask(doomed, "boom_at_the_end") is True
        doomed.close()
        assert reason_of(app, doomed.sid) == "transport close"
        until(lambda: [ask(witness, "state")[what] for what in ("memberships", "environs")] == [1, 1])
        lines = app.stop().splitlines()
        assert len(lines) == 4, lines
        assert all("ZeroDivisionError" in line and "people write" not in line for line in lines)


def test_a_client_lost_while_connecting_is_reported_as_gone() -> None:
    with rooms() as app:
        client, witness = Socket.engine(app.port, "/socket.io/"), joined(app)
        client.send('40{"leave":1}')
        assert client.closing() == 1001
        until(lambda: "transport close" in ask(witness, "state")["reasons"].values())
        assert ask(witness, "state")["memberships"] == 1
        assert app.stop() == ""


@pytest.mark.parametrize(("packets", "welcome"), [(200, True), (5000, False)])
def test_packets_before_the_connect_wait_or_end_the_session(
    rooms_app: App, packets: int, welcome: bool
) -> None:
    client = Socket.engine(rooms_app.port, "/socket.io/")
    client.send(f'40{{"early":{packets}}}')
    if not welcome:
        assert client.closing() == 1008
        return
    assert str(client.receive()).startswith("40{")
    events = [json.loads(str(client.receive())[2:]) for _ in range(packets + 1)]
    assert [name for name, _ in events] == ["early"] * packets + ["hello"]
    numbers = [number for _, number in events]
    assert numbers == sorted(numbers)
    assert numbers[-1] - numbers[0] == packets


def test_a_refused_connect_is_a_connect_error_and_leaves_nothing(rooms_app: App) -> None:
    client = Socket.engine(rooms_app.port, "/socket.io/")
    client.send('40{"refuse":1}')
    assert client.receive() == '44{"message":"no","data":{"code":"no"}}'
    client.send("40")
    assert str(client.receive()).startswith('40{"sid"')


def test_a_waiting_handler_delays_only_its_own_session(rooms_app: App) -> None:
    sleeper, other = joined(rooms_app), joined(rooms_app)
    sleeper.send('421["waits_for_say"]')
    sleeper.send('422["say"]')
    while sleeper.receive() != '42["waits"]':
        pass
    assert ask(other, "say") is True  # for which the other's handler waits
    acks: list[str] = []
    while len(acks) < 2:
        packet = str(sleeper.receive())
        if packet.startswith("43"):
            acks.append(packet)
    assert acks == ['431["waited"]', "432[true]"]


def test_a_session_is_paused_and_resumed_without_a_loss(rooms_app: App) -> None:
    client, witness = joined(rooms_app), joined(rooms_app)
    before = ask(witness, "counted")
    with rooms_app.halted():  # all of it is there before the pause is over
        client.send('42["pause",0.3]')
        for number in range(500):
            client.send(f'42["count",{number}]')
        witness.send('429["counted"]')
    assert answer_of(witness) == before
    until(lambda: ask(witness, "counted") == before + 500)


def test_messages_before_a_paused_clients_close_are_handled(rooms_app: App) -> None:
    client, witness = Polling(rooms_app.port, "/socket.io/"), joined(rooms_app)
    client.post(b"40")
    sid = json.loads(client.poll()[1].split(b"\x1e")[0][2:])["sid"]
    before = ask(witness, "counted")
    client.post("\x1e".join(['42["pause",5]', *['42["count",1]'] * 40]).encode())
    assert ask(witness, "counted") == before
    client.post(b"1")
    assert reason_of(rooms_app, sid) == "client disconnect"
    assert ask(witness, "counted") == before + 40


@pytest.mark.parametrize("ending", [True, False])
def test_a_delayed_post_answer_has_its_cors_headers(rooms_app: App, ending: bool) -> None:
    client = Polling(rooms_app.port, "/socket.io/")
    client.post(b"40")
    messages = ['42["pause",0.1]', *['42["count",1]'] * 80, *['42["away","close"]'] * ending]
    body = "\x1e".join(messages).encode()
    assert client.posts.ask("POST", client.target, body, Origin="http://page.example") == (200, b"ok")
    assert "access-control-allow-origin: http://page.example" in client.posts.head


def test_a_refusal_has_cors_headers(rooms_app: App) -> None:
    http = Http(rooms_app.port)
    assert http.ask("GET", "/socket.io/?EIO=3&transport=polling", Origin="http://page.example")[0] == 400
    assert "access-control-allow-origin: http://page.example" in http.head


@pytest.mark.parametrize(
    ("how", "reason", "code"), [("disconnect", "server disconnect", 1000), ("close", "transport close", 1001)]
)
def test_a_disconnected_client_gets_its_final_messages_first(
    rooms_app: App, how: str, reason: str, code: int
) -> None:
    client = joined(rooms_app)
    client.send(f'42["away","{how}"]')
    frames = []
    while (got := client.frame())[0] == 1:
        frames.append(got[1])
    assert b'42["last","words"]' in frames
    assert got[0] == 8
    assert int.from_bytes(got[1], "big") == code
    assert reason_of(rooms_app, client.sid) == reason


@pytest.mark.parametrize("how", ["disconnect", "close"])
def test_a_polling_client_gets_final_messages_with_its_next_poll(rooms_app: App, how: str) -> None:
    client = Polling(rooms_app.port, "/socket.io/")
    client.post(b"40")
    client.poll()
    client.post(f'42["away","{how}"]'.encode())
    time.sleep(0.05)
    status, body = client.poll()
    assert status == 200
    # A client that reads a CLOSE in the same payload forgets what stands before it.
    assert body.endswith(b'42["last","words"]')
    if how == "disconnect":
        assert client.poll() == (200, b"1")
    assert client.poll()[0] == 400


def test_callbacks_reach_whoever_asked(rooms_app: App) -> None:
    client = joined(rooms_app)
    client.send('42["called_back"]')
    while not (packet := str(client.receive())).endswith('["question","?"]'):
        pass
    number = packet.removeprefix("42").partition("[")[0]
    for nobodys in (0, 99):
        client.send(f"43{nobodys}[]")
    client.send(f'43{number}["yes"]')
    while (packet := str(client.receive())) != '42["answered","yes"]':
        pass


def test_the_engine_answers_through_a_wsgi_application_as_well(rooms_app: App) -> None:
    client = Polling(rooms_app.port, "/wsgi.io/")
    assert client.post(b"40")[0] == 200
    assert client.poll()[1].startswith(b"40{")
    socket = Socket.engine(rooms_app.port, "/wsgi.io/")
    socket.send("40")
    assert str(socket.receive()).startswith("40{")
    assert Http(rooms_app.port).ask("POST", "/other", b"body") == (200, b"well\nbody")


def test_only_a_session_that_never_connects_is_closed() -> None:
    with rooms(CONNECT_TIMEOUT_S="0.3") as app:
        client = joined(app)
        began = time.monotonic()
        idle, polling = Socket.engine(app.port, "/socket.io/"), Polling(app.port, "/socket.io/")
        assert idle.closing() == 1008
        assert time.monotonic() - began >= 0.2
        until(lambda: polling.post(b"3")[0] == 400)
        assert ask(client, "say") is True


def test_all_can_be_closed_so_that_they_come_back() -> None:
    with rooms() as app:
        clients = [joined(app) for _ in range(20)]
        poller = Polling(app.port, "/socket.io/")
        poller.post(b"40")
        clients[0].send('42["close_all"]')
        for client in clients:
            assert client.closing() == 1001
        assert poller.poll()[1].startswith(b"40{")
        assert poller.poll()[0] == 400  # python-socketio's client stays away after a CLOSE
        assert Http(app.port).ask("GET", "/socket.io/?EIO=4&transport=polling")[0] == 503
        assert Socket(app.port, "/socket.io/?EIO=4&transport=websocket").status == 503
