"""Everything served over HTTP besides Socket.IO, also while the server drains."""

import http.client
import signal
import socket
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
import requests

from chatroom.backplane.file import FILE_NAME
from tests.support.ambiguous import AMBIGUOUS, HIDDEN_ROOM, HOST
from tests.support.guests import POLLING, WAIT_S, Guests, until
from tests.support.handshakes import POLL, SOCKET, UPGRADE
from tests.support.program import Program, Start
from tests.support.raw import RawClient


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_a_running_server_is_healthy_and_ready(server: Program, path: str) -> None:
    assert server.get(path).status_code == 200


def test_the_front_page_is_the_chat(server: Program) -> None:
    for path in ("/", "/r/somewhere"):
        answer = server.get(path)
        assert answer.status_code == 200
        assert answer.headers["Content-Type"].startswith("text/html")
        assert "<script" in answer.text


def test_an_unknown_path_is_404(server: Program) -> None:
    assert server.get("/nowhere").status_code == 404


def test_behind_a_base_path_everything_is_there(start: Start) -> None:
    program = start("--base-path", "/chat")
    root = program.url.removesuffix("/chat")
    assert root != program.url
    for path in ("/chat/healthz", "/chat/readyz", "/chat/", "/chat/r/den"):
        assert requests.get(root + path, timeout=5).status_code == 200, path
    with RawClient(root, path="/chat/socket.io/") as romeo:
        assert romeo.enters().login["room"] == "lobby"


def test_while_draining_it_is_healthy_but_not_ready(start: Start, guests: Guests) -> None:
    program = start("--drain-delay", "1.5")
    # By polling: python-engineio's client leaves its socket open when a server closes the WebSocket.
    romeo = guests(url=program.url, transports=POLLING)
    assert program.get("/readyz").status_code == 200
    program.signal(signal.SIGTERM)
    until(lambda: program.get("/readyz").status_code == 503, "not ready")
    assert program.get("/healthz").status_code == 200
    romeo.receives("notice", code="closing")
    romeo.waits_for_disconnect()
    assert program.wait() == 0


@pytest.mark.slow
def test_an_unwritable_log_refuses_messages_and_readiness(
    start: Start, guests: Guests, tmp_path: Path
) -> None:
    program = start(data_dir=tmp_path)
    romeo, juliet = guests(url=program.url), guests(url=program.url)
    with closing(sqlite3.connect(tmp_path / FILE_NAME, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        answer = romeo.asks("message", msg="refused", cid="1")
        assert (answer["ok"], answer["code"]) == (False, "unavailable")
        assert program.get("/readyz").status_code == 503
        assert program.get("/healthz").status_code == 200
        other.execute("ROLLBACK")
    until(lambda: program.get("/readyz").status_code == 200, "ready")
    romeo.sends("said", cid="1")
    juliet.receives_next("message", msg="said")


def test_ambiguous_requests_are_refused_and_closed(server: Program) -> None:
    host = f"Host: 127.0.0.1:{server.port}\r\n".encode()
    wrong = {}
    for name, (data, status) in AMBIGUOUS.items():
        with socket.create_connection(("127.0.0.1", server.port), timeout=WAIT_S) as peer:
            try:
                peer.sendall(data.replace(HOST, host))
            except ConnectionError:
                pass  # it was refused before its end
            answer = b""
            while more := peer.recv(1 << 16):  # until the server closes
                answer += more
        one_answer = answer.count(b"HTTP/1.1") == 1 and HIDDEN_ROOM not in answer
        if not (
            answer.startswith(b"HTTP/1.1 %d " % status) and one_answer and b"Connection: close" in answer
        ):
            wrong[name] = answer
    assert wrong == {}
    assert server.get("/healthz").text == "ok\n"


@pytest.mark.parametrize(
    ("method", "path", "headers", "status"),
    [
        ("GET", "/", {}, 200),
        ("GET", "/r/a", {"Upgrade-Insecure-Requests": "1", "Sec-Fetch-Mode": "navigate"}, 200),
        ("GET", "/", {"Upgrade-Insecure-Requests": "1"}, 200),
        ("GET", "/", {"Host": "evil.example"}, 421),
        ("GET", "/r/a/b", {}, 404),
        ("GET", "/nowhere", {}, 404),
        ("POST", "/", {}, 405),
        ("POST", "/boot.js", {}, 405),
        ("GET", "/boot.js", {}, 200),
        ("GET", "/boot.js", {"Range": "bytes=9999999-"}, 200),  # which is ignored
        ("GET", "/healthz", {}, 200),
        ("HEAD", "/readyz", {}, 200),
        ("GET", "/manifest.webmanifest?room=/", {}, 400),
        ("GET", "/", {"Host": "a:b:c"}, 400),
        ("GET", "/", {"Transfer-Encoding": "gzip"}, 501),
        ("GET", "/" + "x" * 20_000, {}, 431),
        ("GET", POLL, {}, 200),
        ("POST", POLL, {}, 400),
        ("GET", "/socket.io/", {}, 400),
        ("GET", POLL + "&sid=none", {}, 400),
        ("GET", POLL, {"Origin": "https://evil.example"}, 403),
        ("OPTIONS", POLL, {}, 204),
        ("GET", SOCKET, UPGRADE, 101),
        ("GET", SOCKET, {**UPGRADE, "Sec-WebSocket-Version": "8"}, 426),
    ],
)
def test_every_answer_has_its_security_headers(
    server: Program, method: str, path: str, headers: dict[str, str], status: int
) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=WAIT_S)
    connection.request(method, path, headers=headers)
    answer = connection.getresponse()
    connection.close()
    assert answer.status == status
    assert answer.headers.get_all("X-Content-Type-Options") == ["nosniff"]
    assert answer.headers.get_all("Referrer-Policy") == ["no-referrer"]
    assert answer.headers.get_all("Cross-Origin-Resource-Policy") == ["same-origin"]
    (caching,) = answer.headers.get_all("Cache-Control", [])
    assert caching == "no-store" or (status == 200 and path in ("/", "/r/a", "/boot.js"))
    if answer.headers.get_content_type() == "text/html":
        insecure = "Upgrade-Insecure-Requests" in headers and "Sec-Fetch-Mode" not in headers
        assert answer.headers.get_all("Cross-Origin-Opener-Policy") == (None if insecure else ["same-origin"])
        assert "microphone=()" in answer.headers["Permissions-Policy"]
        (policy,) = answer.headers.get_all("Content-Security-Policy", [])
        assert policy.startswith("default-src 'none'")
        assert "frame-ancestors 'none'" in policy
