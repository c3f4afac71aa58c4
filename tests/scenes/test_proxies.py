"""The proxies of docs/deploy.md with the configurations shown there, at the root and under a path."""

from __future__ import annotations

import http.client
import json
import os
import re
import shutil
import socket
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from ipaddress import ip_address, ip_network
from pathlib import Path
from urllib.parse import urljoin

import pytest
import requests

from tests.faults.disks import needed
from tests.support.ambiguous import AMBIGUOUS, HIDDEN_ROOM, HOST, PLAIN
from tests.support.guests import POLLING, UPGRADE, WEBSOCKET, Guest, until
from tests.support.program import ROOT, START_S, Program, Start, free_port

FEW = ("--address-scale", "0.01")  # 3 sessions at once, and then one every 20 s
PAGE = (ROOT / "docs" / "deploy.md").read_text(encoding="utf-8")


QUIET_S = 0.5  # after so long, a proxy is waiting for more


def documented(language: str, path: str) -> str:
    """The configuration that the page shows: the first for the root, the second for a path."""
    blocks: list[str] = re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    return blocks[1 if path else 0]


Write = Callable[[str, int, Path], list[str]]  # gives the command of a proxy with this configuration and port


def caddy(text: str, port: int, folder: Path) -> list[str]:
    site = re.sub(r"^(\{\$DOMAIN\}|\S*example\.org)", f"http://127.0.0.1:{port}", text, flags=re.MULTILINE)
    (folder / "Caddyfile").write_text(re.sub(r"^\{\n", "{\n\tadmin off\n", site, count=1, flags=re.MULTILINE))
    return ["caddy", "run", "--config", str(folder / "Caddyfile")]


def nginx(text: str, port: int, folder: Path) -> list[str]:
    temporary = "\n".join(
        f"{kind}_temp_path {folder}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    head = f"pid {folder}/pid; error_log stderr; events {{}}" + ("\nuser root;" if os.geteuid() == 0 else "")
    logs = f"access_log {folder}/access.log; error_log {folder}/error.log;"  # as in the packages of Linux distributions
    server = f"server {{ listen 127.0.0.1:{port}; {text} }}"
    (folder / "nginx.conf").write_text(f"{head}\nhttp {{ {logs}\n{temporary}\n{server} }}\n")
    return ["nginx", "-c", str(folder / "nginx.conf"), "-g", "daemon off;"]


def haproxy(text: str, port: int, folder: Path) -> list[str]:
    # With logs, as in the packages of Linux distributions.
    logs = "log stdout format raw local0\n    option httplog\n    option dontlognull"
    text = text.replace("bind :80", f"bind 127.0.0.1:{port}")
    text = text.replace("    mode http\n", f"    mode http\n    {logs}\n")
    (folder / "haproxy.cfg").write_text(text)
    return ["haproxy", "-db", "-f", str(folder / "haproxy.cfg")]


@contextmanager
def running(command: list[str], url: str, folder: Path) -> Iterator[None]:
    program = shutil.which(command[0], path=os.environ.get("PATH", "") + ":/usr/sbin")
    if program is None:
        needed(f"{command[0]} is not installed")
    environ = {**os.environ, "HOME": str(folder)}
    output = folder / "output.log"
    with (
        output.open("w") as log,
        subprocess.Popen(
            [str(program), *command[1:]], env=environ, stdout=log, stderr=subprocess.STDOUT
        ) as proxy,
    ):
        try:
            until(lambda: proxy.poll() is not None or answers(url), f"{command[0]} answers", START_S)
            assert proxy.poll() is None, output.read_text()
            yield
        finally:
            proxy.terminate()


def answers(url: str) -> bool:
    try:
        return requests.get(f"{url}/healthz", timeout=5).text == "ok\n"
    except requests.ConnectionError:
        return False


@pytest.mark.parametrize("path", ["", "/chat"], ids=["root", "path"])
@pytest.mark.parametrize("write", [caddy, nginx, haproxy])
def test_the_server_counts_the_clients_of_a_documented_proxy(
    start: Start, tmp_path: Path, write: Write, path: str
) -> None:
    port, text = free_port(), documented(write.__name__, path)
    program = start(*FEW, *trusts(text))
    command = write(text.replace("127.0.0.1:5000", f"127.0.0.1:{program.port}"), port, tmp_path)
    check_addresses(command, program, port, path, tmp_path)


def test_the_server_counts_the_clients_of_composes_caddy(start: Start, tmp_path: Path) -> None:
    port, text = free_port(), (ROOT / "deploy" / "Caddyfile").read_text(encoding="utf-8")
    compose = (ROOT / "compose.yaml").read_text(encoding="utf-8")
    (flag, address) = trusts(text)
    assert re.findall(r"ipv4_address: (\S+)|CHATROOM_TRUST_PROXY: (\S+)", compose) == [
        ("", address),
        (address, ""),
    ]
    subnet, pool = (ip_network(re.findall(rf"{key}: (\S+)", compose)[0]) for key in ("subnet", "ip_range"))
    assert ip_address(address) in subnet
    assert ip_address(address) not in pool
    assert ip_address(address) != subnet[1]  # Docker's gateway, from which this machine's own clients come
    program = start(*FEW, flag, "127.0.0.1")
    command = caddy(text.replace("chatroom:5000", f"127.0.0.1:{program.port}"), port, tmp_path)
    check_addresses(command, program, port, "", tmp_path)


CLIENT = "127.66.77.88"
CLAIMED = "198.51.100.7"
ROOM = "hidden-room"


@pytest.mark.parametrize("path", ["", "/chat"], ids=["root", "path"])
@pytest.mark.parametrize("write", [caddy, nginx, haproxy])
def test_a_documented_proxy_writes_nothing_about_its_clients(
    start: Start, tmp_path: Path, write: Write, path: str
) -> None:
    port, program = free_port(), start("--trust-proxy", "127.0.0.1")
    text = documented(write.__name__, path).replace("127.0.0.1:5000", f"127.0.0.1:{program.port}")
    check_logs(write(text, port, tmp_path), program, port, path, tmp_path)


def test_the_caddyfile_of_compose_writes_nothing_about_its_clients(start: Start, tmp_path: Path) -> None:
    port, program = free_port(), start("--trust-proxy", "127.0.0.1")
    text = (ROOT / "deploy" / "Caddyfile").read_text(encoding="utf-8")
    command = caddy(text.replace("chatroom:5000", f"127.0.0.1:{program.port}"), port, tmp_path)
    check_logs(command, program, port, "", tmp_path)


def connected(port: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), timeout=30, source_address=(CLIENT, 0))


def check_logs(command: list[str], program: Program, port: int, path: str, folder: Path) -> None:
    """No file of the proxy has an address, a room or a text, even if the server dies and stays away."""

    def ask(method: str, target: str, body: bytes | None = None) -> tuple[int, bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30, source_address=(CLIENT, 0))
        with closing(connection):
            connection.request(method, path + target, body, {"X-Forwarded-For": CLAIMED, "User-Agent": ROOM})
            answer = connection.getresponse()
            return answer.status, answer.read()

    poll = "/socket.io/?EIO=4&transport=polling"
    with running(command, f"http://127.0.0.1:{port}{path}", folder):
        assert ask("GET", f"/r/{ROOM}")[0] == 200
        _, opened = ask("GET", poll)
        sid = json.loads(opened[1:])["sid"]
        before = {place: place.stat().st_mtime_ns for place in folder.iterdir() if place.is_dir()}
        message = json.dumps(["msg", {"action": "message", "msg": f"{ROOM} " * 7000}])
        both = f"40{json.dumps({'room': ROOM})}\x1e427{message}".encode()
        assert ask("POST", f"{poll}&sid={sid}", both)[0] == 200
        assert {place: place.stat().st_mtime_ns for place in before} == before, "a text was written to a file"
        fetched = b""
        while b'"login"' not in fetched or b"437[" not in fetched:  # its own login, and the ack
            status, packets = ask("GET", f"{poll}&sid={sid}")
            assert status == 200
            fetched += packets
        request = f"GET {path}{poll}&sid={sid} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nX-Forwarded-For: {CLAIMED}\r\n\r\n"
        with connected(port) as waiting, connected(port) as broken:
            waiting.sendall(request.encode())  # there is nothing to fetch
            if not path:  # under a path, only a whole request shows that it is for the chat
                broken.sendall(f"GET /r/{ROOM} HTTP/9.9.9\r\nHost:: {ROOM}\r\n\r\n".encode())
                assert broken.recv(1)
            program.kill()
            assert b" 50" in waiting.recv(1 << 16)
        for target in (f"/r/{ROOM}", f"{poll}&sid={sid}"):
            assert ask("GET", target)[0] in (502, 503, 504)
    private = (CLIENT, CLAIMED, ROOM, sid)
    written = {
        file: file.read_bytes() for file in folder.rglob("*") if file.is_file() and file.suffix == ".log"
    }
    assert [
        (file.name, word) for file, text in written.items() for word in private if word.encode() in text
    ] == []


def trusts(text: str) -> tuple[str, str]:
    """The flag that a configuration says the server needs."""
    return "--trust-proxy", re.findall(r"--trust-proxy ([\d.]+)", text)[0]


def check_addresses(command: list[str], program: Program, port: int, path: str, folder: Path) -> None:
    """Check that each client is counted by its own address, whatever its headers claim."""

    def status(client: str, forged: dict[str, str], at: int = port) -> int:
        connection = http.client.HTTPConnection("127.0.0.1", at, timeout=10, source_address=(client, 0))
        with closing(connection):
            connection.request("GET", f"{path}/socket.io/?EIO=4&transport=polling", headers=forged)
            return connection.getresponse().status

    headers: list[dict[str, str]] = [
        {},
        {"X-Forwarded-For": "198.51.100.1"},
        {"X-Forwarded-For": "198.51.100.2, 127.0.0.1", "Forwarded": "for=198.51.100.3"},
        {"X-Forwarded-For": "127.0.0.1", "X-Real-IP": "198.51.100.4"},
    ]
    with running(command, f"http://127.0.0.1:{port}{path}", folder):
        assert [status("127.5.0.1", forged) for forged in headers] == [200, 200, 200, 429]
        assert [status("127.5.0.2", forged) for forged in reversed(headers)] == [200, 200, 200, 429]
        path = ""
        assert [status("127.5.0.3", forged, program.port) for forged in headers] == [200, 200, 200, 429]


@pytest.mark.parametrize("path", ["", "/chat"], ids=["root", "path"])
@pytest.mark.parametrize("write", [caddy, nginx, haproxy])
def test_a_documented_proxy_carries_the_chat(
    server: Program, room: str, tmp_path: Path, write: Write, path: str
) -> None:
    port = free_port()
    text = documented(write.__name__, path).replace("127.0.0.1:5000", f"127.0.0.1:{server.port}")
    check(write(text, port, tmp_path), f"http://127.0.0.1:{port}{path}", room, tmp_path)


def test_the_caddyfile_of_compose_carries_the_chat(server: Program, room: str, tmp_path: Path) -> None:
    port = free_port()
    text = (ROOT / "deploy" / "Caddyfile").read_text(encoding="utf-8")
    command = caddy(text.replace("chatroom:5000", f"127.0.0.1:{server.port}"), port, tmp_path)
    check(command, f"http://127.0.0.1:{port}", room, tmp_path)


@pytest.mark.parametrize("write", [caddy, nginx, haproxy])
def test_a_proxy_reads_every_request_as_the_server_does(
    server: Program, tmp_path: Path, write: Write
) -> None:
    port = free_port()
    text = documented(write.__name__, "").replace("127.0.0.1:5000", f"127.0.0.1:{server.port}")
    url = f"http://127.0.0.1:{port}"
    wrong = {}
    with running(write(text, port, tmp_path), url, tmp_path):
        for name, data in [*PLAIN.items(), *((name, data) for name, (data, _) in AMBIGUOUS.items())]:
            answered = converse(port, data)
            # A hidden request that both see is answered before the last one. Seen by the server alone, its answer would
            # go out as the last one's, or to whoever comes next on the proxy's connection.
            if HIDDEN_ROOM in answered.rpartition(b"HTTP/1.1 ")[2] or not (answers(url) and answers(url)):
                wrong[name] = answered
        assert wrong == {}


def converse(port: int, data: bytes) -> bytes:
    """Send bytes and then an ordinary request on one connection; returns everything that comes back."""
    host = f"Host: 127.0.0.1:{port}\r\n".encode()
    last = b"GET /healthz HTTP/1.1\r\n" + host + b"Connection: close\r\n\r\n"
    answered = b""
    with socket.create_connection(("127.0.0.1", port), timeout=QUIET_S) as peer:
        try:
            peer.sendall(data.replace(HOST, host) + last)
            while more := peer.recv(1 << 16):
                answered += more
        except TimeoutError:
            pass  # the proxy waits for the rest of what it takes for a body
        except ConnectionError:
            pass  # it has refused the rest
    return answered


def check(command: list[str], url: str, room: str, folder: Path) -> None:
    """Check that the page loads with its parts, also without the last slash, and that every transport works."""
    with running(command, url, folder):
        page = requests.get(url, timeout=10)
        assert page.status_code == 200
        parts = re.findall(r'(?:src|href)="([^"]+\.(?:js|css))"', page.text)
        assert parts
        for part in parts:
            assert requests.get(urljoin(page.url, part), timeout=10).status_code == 200, part
        guests = [
            Guest(url, {"room": room, "v": 1}, transports).enter()
            for transports in (POLLING, UPGRADE, WEBSOCKET)
        ]
        for speaker in guests:
            speaker.sends(f"hello from {speaker.name}")
            for guest in guests:
                guest.receives("message", msg=f"hello from {speaker.name}")
        for guest in guests:
            guest.leaves()
