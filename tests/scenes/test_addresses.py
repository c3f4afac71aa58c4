"""How many sessions one address may have, over all transports and behind proxies."""

from __future__ import annotations

import contextlib
import http.client
import json
import socket
from collections.abc import Iterable
from contextlib import closing
from typing import Final

import pytest
import websocket

from tests.support.guests import WAIT_S, until
from tests.support.handshakes import POLL
from tests.support.program import Program, Start
from tests.support.raw import RawClient

FEW = ("--address-scale", "0.01")  # 3 sessions at once, and then one every 20 s
FLOODS: Final[dict[str, list[str | websocket.ABNF]]] = {
    "pings": [websocket.ABNF.create_frame("", websocket.ABNF.OPCODE_PING)] * 2000,
    "pongs": ["3"] * 1000,
    "namespaces": ["40/nowhere,"] * 1000,
}
CLIENT, OTHER = "198.51.100.7", "2001:db8:1:2::3"


def handshake(
    program: Program, forwarded: Iterable[str] = (), peer: str = "127.0.0.1"
) -> tuple[http.client.HTTPResponse, bytes]:
    """Ask for a session by polling, with these lines of X-Forwarded-For."""
    connection = http.client.HTTPConnection(
        "127.0.0.1", program.port, timeout=WAIT_S, source_address=(peer, 0)
    )
    with closing(connection):
        connection.putrequest("GET", POLL)
        for line in forwarded:
            connection.putheader("X-Forwarded-For", line)
        connection.endheaders()
        answer = connection.getresponse()
        return answer, answer.read()


def is_welcome(program: Program, forwarded: Iterable[str] = (), peer: str = "127.0.0.1") -> bool:
    status = handshake(program, forwarded, peer)[0].status
    assert status in (200, 429)
    return status == 200


def test_an_address_has_one_session_limit_over_all_transports(start: Start) -> None:
    program = start(*FEW)
    with socket.create_connection(("127.0.0.1", program.line_port), timeout=WAIT_S) as line:
        assert line.recv(100).startswith(b"* Welcome")
        with RawClient(program.url).enters(v=1):
            assert is_welcome(program)
            answer, body = handshake(program)
            assert answer.status == 429
            wait_s = int(answer.headers["Retry-After"])
            assert 1 <= wait_s <= 20
            assert json.loads(body) == {"code": 6, "message": "Too many sessions", "retry_after": wait_s}
            with pytest.raises(websocket.WebSocketBadStatusException, match="429"):
                RawClient(program.url)
            with socket.create_connection(("127.0.0.1", program.line_port), timeout=WAIT_S) as second:
                refusal = second.makefile("rb").read().decode()
            assert refusal.startswith("* Too many connections from this address. Try again in ")
            assert is_welcome(program, peer="127.0.0.2")


def test_sessions_count_as_new_ones_after_they_have_ended(start: Start) -> None:
    program = start(*FEW)
    with RawClient(program.url) as client:
        client.opens()
    with socket.create_connection(("127.0.0.1", program.line_port), timeout=WAIT_S) as line:
        assert line.recv(100).startswith(b"* Welcome")
    assert [is_welcome(program) for _ in range(2)] == [True, False]


@pytest.mark.parametrize("kind", [*FLOODS, "polling pongs"])
def test_sending_useless_packets_bars_an_address_for_a_while(start: Start, kind: str) -> None:
    program = start()
    floods = 0

    def is_barred() -> bool:
        nonlocal floods
        answer, body = handshake(program)
        if answer.status == 429:
            return True
        floods += 1
        assert floods < 10
        if kind == "polling pongs":
            target = f"{POLL}&sid={json.loads(body[1:])['sid']}"
            with closing(http.client.HTTPConnection("127.0.0.1", program.port, timeout=WAIT_S)) as connection:
                connection.request("POST", target, "\x1e".join(["3"] * 1000))
                assert connection.getresponse().status == 400
            return False
        with RawClient(program.url) as client, contextlib.suppress(OSError):  # a reset
            client.sends_at_once(FLOODS[kind])
            client.receives_the_end()
        return False

    until(is_barred, "a refusal")
    assert int(handshake(program)[0].headers["Retry-After"]) >= 1
    assert is_welcome(program, peer="127.0.0.2")


def test_without_limits_nobody_is_counted(start: Start) -> None:
    program = start(*FEW, "--limits", "off")
    assert all(is_welcome(program) for _ in range(20))


def test_a_trusted_proxy_tells_its_clients_apart(start: Start) -> None:
    program = start(*FEW, "--trust-proxy", "127.0.0.1,127.0.0.8/30")
    for number in range(3):
        assert is_welcome(program, [f"10.9.9.{number}, {CLIENT}, 127.0.0.9"])
    for forged in ([CLIENT], ["203.0.113.1", f"203.0.113.2, {CLIENT}:4711"], [CLIENT, "127.0.0.10"]):
        assert not is_welcome(program, forged)
    for host in range(3):
        assert is_welcome(program, [f"[2001:db8:1:2::{host}]:80"])
    assert not is_welcome(program, [OTHER])
    assert is_welcome(program, ["192.168.1.7"])
    assert not [line for line in program.errors if "X-Forwarded-For" in line]


def test_forged_headers_do_not_change_who_is_counted(start: Start) -> None:
    program = start(*FEW, "--trust-proxy", "192.0.2.0/24")
    for peer in ("127.0.0.1", "127.0.0.2"):
        for number in range(3):
            assert is_welcome(program, [f"198.51.100.{number}"], peer)
        for forged in ([], [CLIENT], ["192.0.2.1"], [CLIENT, "192.0.2.1"], [f"[{OTHER}]:80"], ["127.0.0.3"]):
            assert not is_welcome(program, forged, peer)
    assert is_welcome(program, peer="127.0.0.3")
    line = program.wait_for_line("X-Forwarded-For")
    assert "--trust-proxy" in line.string
    assert "127.0.0" not in line.string
    until(lambda: handshake(program)[0].status == 429, "still refused")
    assert len([line for line in program.errors if "X-Forwarded-For" in line]) == 1


def test_one_address_has_eight_names_kept_after_cuts(start: Start) -> None:
    program = start("--history", "0")
    for number in range(9):
        with RawClient(program.url) as client:
            client.enters(v=1, username=f"Fox{number}")

    def is_free(name: str) -> bool:
        with RawClient(program.url) as client:
            client.opens()
            kind, answer = client.connects({"v": 1, "username": name})
            assert kind == "0" or answer["data"]["code"] == "name_taken"
            return kind == "0"

    until(lambda: is_free("Fox0"), "the oldest name is free")
    assert [name for name in ("Fox2", "Fox8") if is_free(name)] == []
