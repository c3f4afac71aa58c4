"""Hostile and broken clients: every wait has a deadline, every queue a bound, and other clients notice nothing."""

from __future__ import annotations

import contextlib
import json
import random
import socket
import struct
import time
from functools import partial

import pytest

from tests.engine_live.client import App, Http, Polling, Socket, scale
from tests.engine_live.conftest import rooms
from tests.engine_live.test_socketio import answer_of, ask, joined, reason_of
from tests.support.guests import until


def drain(client: Socket) -> None:
    """Discard what has been received so far."""
    client.sock.setblocking(False)
    with contextlib.suppress(BlockingIOError):
        while client.sock.recv(1 << 20):
            pass
        raise EOFError
    client.http.buffer = b""
    client.sock.settimeout(5)


@pytest.mark.parametrize("answers_pings", [False, True])
def test_only_clients_that_do_not_read_are_dropped(rooms_app: App, answers_pings: bool) -> None:
    readers = [joined(rooms_app) for _ in range(6)]
    stalled = [joined(rooms_app) for _ in range(3)]
    speaker = joined(rooms_app)
    for _ in range(60):
        speaker.send('42["big",16000]')
        time.sleep(0.005)
        for reader in [*readers, speaker]:
            drain(reader)
        if answers_pings:
            for client in stalled:
                with contextlib.suppress(OSError):  # it may have been dropped by now
                    client.send("3")
    for client in stalled:
        assert reason_of(rooms_app, client.sid) == "slow reader"
    for reader in [*readers, speaker]:
        drain(reader)
        assert ask(reader, "tell") is True
        reader.close()


def test_one_long_message_makes_nobody_a_slow_reader(rooms_app: App) -> None:
    client = joined(rooms_app)
    client.send('42["big",900000]')
    time.sleep(0.1)
    while not (packet := str(client.receive())).startswith('42["big"'):
        pass
    assert len(packet) > 900_000
    assert ask(client, "say") is True
    client.close()


def test_a_client_that_does_not_poll_is_dropped(rooms_app: App) -> None:
    poller = Polling(rooms_app.port, "/socket.io/")
    poller.post(b"40")
    sid = json.loads(poller.poll()[1].split(b"\x1e")[0][2:])["sid"]
    speaker = joined(rooms_app)
    for _ in range(30):
        ask(speaker, "big", 16_000)
    assert reason_of(rooms_app, sid) == "slow reader"
    assert poller.poll()[0] == 400
    speaker.close()


@pytest.mark.parametrize(
    "packet",
    ["3", "40/nowhere,", "41", "430[]", "40"],
    ids=["pong", "namespace", "disconnect", "ack", "connect"],
)
@pytest.mark.parametrize("polls", [False, True])
def test_a_client_sending_useless_packets_is_disconnected(rooms_app: App, packet: str, polls: bool) -> None:
    if polls:
        poller = Polling(rooms_app.port, "/socket.io/")
        for _ in range(100):
            poller.post("\x1e".join([packet] * 10).encode())
        until(lambda: poller.poll()[0] == 400)  # the answers come first
    else:
        client = Socket.engine(rooms_app.port, "/socket.io/")
        client.send_all([packet] * 1000)
        with contextlib.suppress(ConnectionError):  # a reset, since more was on the way
            assert client.closing() == 1008


@pytest.mark.parametrize("kind", ["fragments", "frame", "body"])
def test_unfinished_input_of_all_together_is_bounded(kind: str) -> None:
    """80 times 900 KB come, and never end; those who have kept theirs short go on."""
    with rooms() as app:
        other, before = joined(app), app.resident_kb()
        open_ones: list[Http] = []
        for _ in range(80):
            if kind == "body":
                http = Http(app.port)
                http.send(b"POST /socket.io/?EIO=4&transport=polling&sid=x HTTP/1.1\r\nHost: a\r\n")
                http.send(b"Content-Length: 950000\r\n\r\n" + bytes(900_000))
            else:
                client = Socket.engine(app.port, "/socket.io/")
                http = client.http
                first = b"\x02" if kind == "fragments" else b"\x82"
                length = 900_000 if kind == "fragments" else 950_000
                http.send(first + b"\xff" + length.to_bytes(8, "big") + bytes(4) + bytes(900_000))
            open_ones.append(http)
            assert ask(other, "say") is True
        until(lambda: app.resident_kb() - before < 110_000)
        closed = 0
        for http in open_ones:
            http.sock.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                try:
                    closed += not http.sock.recv(1 << 16, socket.MSG_PEEK)
                except ConnectionError:
                    closed += 1
            http.close()
        assert 8 <= closed < 40
        assert ask(other, "say") is True


def has_counted(client: Socket, count: int) -> bool:
    return bool(ask(client, "counted") == count)


def test_a_flood_of_one_client_delays_nobody_else(rooms_app: App) -> None:
    flooder, other = joined(rooms_app), joined(rooms_app)
    frame = b"\x81\x8f\0\0\0\0" + b'42["count", 11]'
    for _ in range(5):
        before = ask(other, "counted")
        with rooms_app.halted():  # all of it is there before the other asks
            flooder.http.send(frame * 2000)
            other.send('429["counted"]')
        assert answer_of(other) - before < 200
        until(partial(has_counted, other, before + 2000))
    flooder.close()
    other.close()


def test_excess_input_waits_in_the_kernel(rooms_app: App) -> None:
    flooder = joined(rooms_app)
    ask(flooder, "tell")
    flooder.send('42["sleepy",1]')
    frames = (b"\x81\x8f\0\0\0\0" + b'42["count", 11]') * 5000
    flooder.sock.settimeout(0.3)

    def flood() -> None:
        sent = 0
        while sent < 100_000_000:
            sent += flooder.sock.send(frames)

    with pytest.raises(TimeoutError):
        flood()
    flooder.close()


@pytest.mark.alone
@pytest.mark.parametrize("polls", [False, True])
def test_a_client_behind_our_backlog_is_not_dropped(polls: bool) -> None:
    """Its pongs are behind data that the server has not read yet."""
    with rooms(PING_INTERVAL_S="0.3", PING_TIMEOUT_S="0.6") as app:
        messages = ['421["sleepy",1.2]', *['42["count",1]'] * 100]
        if polls:
            poller = Polling(app.port, "/socket.io/")
            poller.post(b"40")
            assert poller.post("\x1e".join(messages).encode()) == (200, b"ok")
            poller.post(b"3")
            body = b""
            while b'431["slept"]' not in body:
                status, body = poller.poll()
                assert status == 200
            return
        client = joined(app)
        for message in messages:
            client.send(message)
        while client.receive() != '431["slept"]':
            pass
        assert ask(client, "counted") == 100


@pytest.mark.faults
def test_malformed_posts_hold_no_slot(rooms_app: App) -> None:
    before = rooms_app.descriptors()
    bodies = [b"abc", b"", b"4\xff", b"\x1e", b"b!!", b"9", b"4a\x1e\x1e4b"]
    for number in range(scale(10_000)):
        client = Polling(rooms_app.port, "/socket.io/")
        assert client.post(bodies[number % len(bodies)])[0] == 400
        client.close()
    until(lambda: rooms_app.descriptors() <= before)
    assert Http(rooms_app.port).ask("GET", "/healthz")[0] == 200


def test_a_request_head_must_be_whole_in_time() -> None:
    with rooms(HEAD_TIMEOUT_S="0.3") as app:
        silent, dribbling = Http(app.port), Http(app.port)
        dribbling.send(b"GET / HTTP/1.1\r\n")

        def is_cut_off() -> bool:
            """Send single bytes, which must not extend the deadline, until the server closes."""
            try:
                dribbling.sock.send(b"X: y\r\n")
                dribbling.sock.recv(4096, socket.MSG_DONTWAIT)
            except BlockingIOError:
                return False
            except OSError:
                pass
            return True

        until(is_cut_off)
        silent.reads_the_end()


def test_a_body_must_be_whole_in_time() -> None:
    with rooms(BODY_TIMEOUT_S="0.3") as app:
        client = Polling(app.port, "/socket.io/")
        began = time.monotonic()
        client.posts.send(
            f"POST {client.target} HTTP/1.1\r\nHost: a\r\nContent-Length: 50\r\n\r\n4short".encode()
        )
        assert client.posts.answer()[0] == 408
        assert time.monotonic() - began >= 0.2
        assert Http(app.port).ask("GET", "/healthz")[0] == 200


def test_an_answer_must_be_read_in_time() -> None:
    with rooms(RESPONSE_TIMEOUT_S="4") as app:  # also for a test process that waits for its turn
        pollers = [Polling(app.port, "/socket.io/") for _ in range(2)]
        for poller in pollers:
            poller.post(b"40")
            poller.poll()
        pollers[0].poll()  # the other's coming
        assert pollers[0].post(b'42["big",6000000]')[0] == 200
        late, stalled = (poller.gets for poller in pollers)
        before = app.descriptors()
        for poller in pollers:
            poller.gets.request("GET", poller.target)
        time.sleep(0.2)
        assert len(late.answer()[1]) > 6_000_000
        assert late.ask("GET", "/healthz")[0] == 200  # its connection goes on
        until(lambda: app.descriptors() < before, seconds=20)
        with pytest.raises((EOFError, ConnectionResetError)):
            stalled.answer()


def test_a_full_server_refuses_but_answers_health_checks() -> None:
    with rooms(MAX_CONNECTIONS="20") as app:
        members = [joined(app) for _ in range(20)]
        for _ in range(200):
            assert Socket(app.port, "/socket.io/?EIO=4&transport=websocket").status == 503
            assert Http(app.port).ask("GET", "/healthz")[0] == 200
        asking = Http(app.port)
        asking.request("GET", "/healthz?slow")
        silent = [Http(app.port) for _ in range(100)]
        assert Http(app.port).ask("GET", "/healthz")[0] == 200
        assert asking.answer() == (200, b"well\n")
        assert silent[0].answer()[0] == 503
        assert "retry-after: 5" in silent[0].head
        for http in silent:
            http.close()
        members.pop().close()
        until(lambda: Socket(app.port, "/socket.io/?EIO=4&transport=websocket").status == 101)
        assert ask(members[0], "say") is True


def joined_by_polling(app: App) -> Polling:
    """A member that has sent a request on each of its two connections since it joined."""
    poller = Polling(app.port, "/socket.io/")
    assert poller.post(b"40")[0] == 200
    assert poller.poll()[1][:2] == b"40"
    assert poller.post(b'42["tell"]')[0] == 200
    assert b'42["n",' in poller.poll()[1]
    return poller


def test_newcomers_make_room_oldest_first_and_members_stay() -> None:
    with rooms(MAX_CONNECTIONS="20") as app:
        member, poller = joined(app), joined_by_polling(app)
        lone = [Http(app.port, peer=f"127.3.0.{number}") for number in range(1, 31)]
        for place, http in enumerate(lone):
            if place < 13:
                http.reads_the_end()
            else:
                assert http.ask("GET", "/healthz")[0] == 200
        assert poller.post(b'42["say"]')[0] == 200
        assert b"n" in poller.poll()[1]
        assert ask(member, "say") is True


def test_the_address_with_the_most_newcomers_makes_room() -> None:
    with rooms(MAX_CONNECTIONS="20") as app:
        first = Http(app.port, peer="127.3.0.1")
        assert first.ask("GET", "/healthz")[0] == 200
        crowd = [Http(app.port, peer="127.3.0.2") for _ in range(60)]
        newcomers = [joined(app) for _ in range(10)]
        assert first.ask("GET", "/healthz")[0] == 200
        assert ask(newcomers[0], "say") is True
        for http in crowd[:51]:
            http.reads_the_end()
        assert crowd[-1].ask("GET", "/healthz")[0] == 200


def test_a_member_who_polls_keeps_two_connections_only() -> None:
    with rooms(MAX_CONNECTIONS="20") as app:
        poller = joined_by_polling(app)
        for _ in range(40):
            poller.posts = Http(app.port)
            assert poller.post(b"3")[0] == 200
        newcomers = [joined(app) for _ in range(18)]
        assert ask(newcomers[0], "say") is True
        assert poller.post(b"3")[0] == 200


def test_a_member_who_has_upgraded_is_no_newcomer() -> None:
    with rooms(MAX_CONNECTIONS="5") as app:
        poller = joined_by_polling(app)
        upgraded = poller.upgrade()
        upgraded.send("2probe")
        assert upgraded.receive() == "3probe"
        upgraded.send("5")
        until(lambda: ask(upgraded, "say") is True)
        lone = [Http(app.port, peer=f"127.3.0.{number}") for number in range(1, 21)]
        assert lone[-1].ask("GET", "/healthz")[0] == 200
        assert ask(upgraded, "say") is True


def test_sessions_that_never_join_make_room_on_one_connection() -> None:
    with rooms(MAX_SESSIONS="10") as app:
        member, http = joined(app), Http(app.port)
        for _ in range(50):
            assert http.ask("GET", "/socket.io/?EIO=4&transport=polling")[0] == 200
        others = [joined(app) for _ in range(9)]
        status, body = http.ask("GET", "/socket.io/?EIO=4&transport=polling")
        assert (status, json.loads(body)["code"]) == (503, 7)
        assert "retry-after: 5" in http.head
        for client in (member, *others):
            assert ask(client, "say") is True


def test_who_makes_room_while_it_is_answered_leaves_nothing() -> None:
    with rooms(MAX_CONNECTIONS="20") as app:
        before = app.descriptors()
        for _ in range(3):
            slow = [Http(app.port, peer="127.3.0.1") for _ in range(20)]
            for http in slow:
                http.request("GET", "/healthz?slow")
            newcomers = [joined(app) for _ in range(20)]
            for http in slow:
                http.reads_the_end()
            for client in newcomers:
                assert ask(client, "say") is True
                client.close()
            until(lambda: app.descriptors() == before)


def test_half_open_connections_keep_nobody_out(rooms_app: App) -> None:
    idle = [Http(rooms_app.port) for _ in range(500)]
    client = joined(rooms_app)
    assert ask(client, "tell") is True
    client.close()
    for http in idle:
        http.close()


def settled(app: App) -> dict[str, int]:
    """The server's count of live objects, those of the asking client excluded."""
    witness = joined(app)
    ask(witness, "state")
    found = ask(witness, "state")
    witness.close()
    assert isinstance(found, dict)
    del found["reasons"]
    return found


def hang_up(client: Http | Polling | Socket, *, abruptly: bool) -> None:
    """Close a client's connections. An abrupt close resets them: what was sent before may never be read."""
    connections = [client.gets, client.posts] if isinstance(client, Polling) else [client]
    for connection in connections:
        if abruptly:
            connection.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.close()


def churn(app: App, times: int, chance: random.Random) -> None:
    """Clients that connect over every transport and disconnect in every way."""
    for _ in range(times):
        way = chance.randrange(8)
        # A poll that a reset overtakes is never read, and its session waits for a ping: how many of them do so at once
        # would be measured with the memory.
        abruptly = way != 3 and chance.random() < 0.4
        if way == 0:
            hang_up(Http(app.port), abruptly=abruptly)
        elif way == 1:
            http = Http(app.port)
            http.send(b"GET /socket.io/?EIO=4&tra")
            hang_up(http, abruptly=abruptly)
        elif way in (2, 3):
            polling = Polling(app.port, "/socket.io/")
            polling.post(b"40")
            if way == 3:
                polling.gets.request("GET", polling.target)
                polling.gets.request("GET", polling.target)
            else:
                polling.post(b"1")
            hang_up(polling, abruptly=abruptly)
        elif way == 4:
            polling = Polling(app.port, "/socket.io/")
            upgrade = polling.upgrade()
            upgrade.send("2probe")
            if chance.random() < 0.5:
                upgrade.send("5")
                upgrade.send("40")
            hang_up(upgrade, abruptly=abruptly)
            polling.post(b"1")
            hang_up(polling, abruptly=abruptly)
        else:
            client = Socket.engine(app.port, "/socket.io/")
            client.send("40")
            if way == 5:
                client.receive()
                client.send('42["say"]')
            elif way == 6:
                client.raw(0x88)
            elif way == 7:
                client.send("41")
                client.send("1")
            hang_up(client, abruptly=abruptly)


@pytest.mark.alone
@pytest.mark.faults
def test_ten_thousand_connections_leave_nothing_behind() -> None:
    with rooms(PING_INTERVAL_S="0.5", PING_TIMEOUT_S="0.5") as app:
        chance = random.Random(4)
        churn(app, scale(2000), chance)
        time.sleep(0.1)
        until(lambda: settled(app)["sessions"] == 1, seconds=10)
        before, files, memory = settled(app), app.descriptors(), app.resident_kb()
        churn(app, scale(8000), chance)
        until(lambda: settled(app)["sessions"] == 1, seconds=10)
        after = settled(app)
        assert {**after, "collected": 0} == {**before, "collected": 0}
        assert app.descriptors() <= files + 1
        assert app.resident_kb() - memory < 5000


def test_what_is_closed_is_freed_without_the_garbage_collector(rooms_app: App) -> None:
    witness = joined(rooms_app)
    ask(witness, "state")
    before = rooms_app.descriptors()
    for _ in range(50):
        joined(rooms_app).close()
        polling = Polling(rooms_app.port, "/socket.io/")
        polling.post(b"40")
        polling.post(b"1")
        polling.close()
    until(lambda: rooms_app.descriptors() <= before)
    # Of a hundred sessions with a dozen objects each.
    assert ask(witness, "state")["collected"] < 100
    witness.close()


WELL_FORMED = [
    "0", '0{"a":1}', '2["say"]', '21["tell"]', '2["count",1]', "31[]", "0/x,", "1/x,", '212["both"]',
    '2["judged",{"a":[1.5e3,"\\u00e9",null,true]},[[]]]',
]  # fmt: skip
# Most of these end a session, at once or with the next packet.
LAST_WORDS = [
    "3",
    "2probe",
    "5",
    "6",
    "1",
    "9",
    "",
    "41",
    '42/x,["say"]',
    '451-["count",{"_placeholder":true,"num":0}]',
]


def mutated(chance: random.Random) -> str:
    """A mutated Engine.IO packet; most are messages, since others are refused by the first check."""
    if chance.random() < 0.02:
        return chance.choice(LAST_WORDS)
    text = chance.choice(WELL_FORMED)
    for _ in range(chance.choice((0, 0, 0, 1, 1, 2, 5))):
        place = chance.randrange(len(text) + 1)
        kind = chance.randrange(4)
        if kind == 0:
            text = text[:place] + chance.choice('0123456789[]{}",:-/\\\0é\ud7ff😀 _b') + text[place:]
        elif kind == 1:
            text = text[:place] + text[place + 1 :]
        elif kind == 2:
            text = text[:place] + text[place:] * 2
        else:
            text = text[:place] + chance.choice(WELL_FORMED)
    return "4" + text


@pytest.mark.faults
def test_mutated_packets_break_nothing() -> None:
    with rooms() as app:
        chance = random.Random(2026)
        witness = joined(app)
        sent = 0
        while sent < scale(1_000_000):
            sent += fuzz_websocket(app, chance)
            sent += fuzz_polling(app, chance)
            ask(witness, "tell")  # whoever is alive hears what the others have caused
        # What is sent until a session is seen to have ended is never looked at; but a good part must have been.
        assert ask(witness, "judged") > sent / 12
        assert ask(witness, "say") is True
        assert app.stop() == ""


def fuzz_websocket(app: App, chance: random.Random) -> int:
    """Send packets until the server closes the connection; returns how many."""
    client = Socket.engine(app.port, "/socket.io/")
    client.send("40")
    sent = 0
    with contextlib.suppress(OSError, EOFError):  # closed, as some of these deserve
        for _ in range(20):
            packets = [mutated(chance) for _ in range(5)]
            client.send_all(packets)
            sent += len(packets)
            if chance.random() < 0.1:
                client.send(chance.randbytes(5))
            drain(client)
    client.close()
    return sent


def fuzz_polling(app: App, chance: random.Random) -> int:
    """The same in POSTs of many packets."""
    client = Polling(app.port, "/socket.io/")
    client.post(b"40")
    sent = 0
    for _ in range(10):
        packets = [mutated(chance) for _ in range(5)]
        sent += len(packets)
        status, _ = client.post("\x1e".join(packets).encode())
        assert status in (200, 400)
        if status == 400:
            break
    client.close()
    return sent
