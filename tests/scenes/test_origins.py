"""Which web pages may use the server: its own, and those of `--allowed-origins`."""

import socket

import pytest
import requests
import websocket

from tests.support.handshakes import POLL, SOCKET
from tests.support.program import Program, Start


def polls(program: Program, origin: str, **headers: str) -> requests.Response:
    """Ask for a session as a page of this origin does."""
    return requests.get(program.url + POLL, headers={"Origin": origin, **headers}, timeout=5)


def connects(program: Program, origin: str) -> bool:
    """Whether a page of this origin gets a WebSocket."""
    address = program.url.replace("http", "ws", 1) + SOCKET
    try:
        client = websocket.create_connection(address, origin=origin, timeout=5)
    except websocket.WebSocketBadStatusException as refusal:
        return refusal.status_code != 403
    assert client.recv()[:2] == "0{"
    client.shutdown()
    return True


def ask_raw(program: Program, origin: str) -> str:
    """Send an Origin header unchanged; returns the answer."""
    with socket.create_connection(("127.0.0.1", program.port), timeout=5) as peer:
        lines = (f"GET {POLL} HTTP/1.1", f"Host: 127.0.0.1:{program.port}", f"Origin: {origin}", "", "")
        peer.sendall("\r\n".join(lines).encode("latin-1"))
        return peer.recv(4096).decode()


def test_the_pages_own_origin_is_welcome_whatever_its_scheme(server: Program) -> None:
    host = f"127.0.0.1:{server.port}"
    for origin in (f"http://{host}", f"https://{host}"):
        assert polls(server, origin).status_code == 200
        assert connects(server, origin)
    # TLS ends at a proxy, and default ports are not named.
    assert polls(server, "https://chat.internal", Host="chat.internal:443").status_code == 200


@pytest.mark.parametrize("origin", ["https://evil.example", "http://127.0.0.1:1", "http://127.0.0.1", "null"])
def test_another_origin_is_refused_over_every_transport(server: Program, origin: str) -> None:
    assert polls(server, origin).status_code == 403
    assert not connects(server, origin)


def test_a_forwarded_host_does_not_count(server: Program) -> None:
    forged = polls(server, "https://evil.example", **{"X-Forwarded-Host": "evil.example"})
    assert forged.status_code == 403


def test_a_refused_origin_is_logged_once_with_the_cure(start: Start) -> None:
    program = start()
    for _ in range(3):
        assert polls(program, "https://elsewhere.example").status_code == 403
    program.stop()
    (line,) = (line for line in program.errors if "elsewhere.example" in line)
    assert "--allowed-origins" in line


def test_a_logged_origin_is_short_and_shows_no_address(start: Start) -> None:
    program = start()
    origins = ["http://203.0.113.7:8000", "http://[2001:db8::7]", "http://203-0-113-8.nip.example"]
    origins += ["https://" + "x" * 5000 + ".example", "https://x'\x1b.example"]
    for origin in origins:
        assert ask_raw(program, origin).startswith("HTTP/1.1 403 ")
    program.stop()
    lines = [line for line in program.errors if "--allowed-origins" in line]
    assert 3 <= len(lines) <= 4
    assert max(map(len, lines)) < 300
    text = "".join(lines)
    assert not any(part in text for part in ("203", "2001", "\x1b"))


def test_listed_origins_are_allowed_besides_the_own_one(start: Start) -> None:
    program = start("--allowed-origins", "https://a.example, https://b.example:8443")
    for origin in ("https://a.example", "https://b.example:8443", program.url):
        answer = polls(program, origin)
        assert (answer.status_code, answer.headers["Access-Control-Allow-Origin"]) == (200, origin)
        whose = "same-origin" if origin == program.url else "cross-origin"
        assert answer.headers["Cross-Origin-Resource-Policy"] == whose
        assert connects(program, origin)
    for origin in ("http://a.example", "https://b.example", "https://c.example"):
        assert polls(program, origin).status_code == 403
        assert not connects(program, origin)


def test_a_star_lets_all_in_without_credentials(start: Start) -> None:
    program = start("--allowed-origins", "*")
    answer = polls(program, "https://anybody.example")
    assert (answer.status_code, answer.headers["Access-Control-Allow-Origin"]) == (200, "*")
    assert "Access-Control-Allow-Credentials" not in answer.headers
    assert connects(program, "https://anybody.example")
