"""Which host names and origins the server accepts: one table, tried with a page, polling and a WebSocket."""

from __future__ import annotations

import socket

import pytest

from tests.support.handshakes import POLL, SOCKET, UPGRADE
from tests.support.program import Program, Start

HANDSHAKE = tuple(f"{name}: {value}" for name, value in UPGRADE.items())
HERE = "127.0.0.1:PORT"  # PORT stands for the server's, NAME for the machine's name

OURS = [
    *(HERE, "127.0.0.1", "127.9.9.9:1", "10.0.0.1", "192.168.1.5:5000", "203.0.113.9", "[::1]", "[::1]:PORT"),
    *(
        "[fe80::1%25eth0]",
        "[2001:db8::1]:80",
        "localhost",
        "localhost:PORT",
        "LocalHost",
        "localhost.",
        "NAME",
    ),
    *("NAME:PORT", "chat", "my_chat:5000", "chat.local", "Chat.Local.", "a.b.local:PORT", "chat.lan"),
    *("chat.internal", "chat.home.arpa", "xn--fiq228c.lan"),
]
FOREIGN = [
    *("evil.example", "evil.example:PORT", "evil.example:80", "evil.example.", "EVIL.example", ""),
    *("localhost.evil.example", "127.0.0.1.evil.example", "127.0.0.1.nip.io", "NAME.evil.example"),
    *("chat.local.evil.example", "chat.localdomain", "evillocal.com", "lan.evil.example", "evilhome.arpa"),
    *("127.1", "0x7f.1", "evil..local", ".local", "xn--80ak6aa92e.com", "a.onion", "chat.test"),
]
OWN_PAGES = [
    *("http://127.0.0.1:PORT", "https://127.0.0.1:PORT", "HTTP://127.0.0.1:PORT"),
]
FOREIGN_PAGES = [
    *("null", "", "https://evil.example", "http://127.0.0.1", "http://127.0.0.1:1", "http://localhost:PORT"),
    *(
        "http://127.0.0.1:PORT/",
        "http://127.0.0.1:PORT/path",
        "http://127.0.0.1:PORT?query",
        "http://[::1]:PORT",
    ),
    *("http://127.0.0.1:PORT/?query", "http://127.0.0.1:PORT#part", "http://user@127.0.0.1:PORT"),
    *("http://127.0.0.1:PORT@evil.example", "http://127.0.0.1:PORT.evil.example", "http://127.0.0.1:PORT\\"),
    *("http://127.0.0.1:PORT https://evil.example", "https://evil.example http://127.0.0.1:PORT"),
    *("http://127.0.0.1:PORT, https://evil.example", "http://127.0.0.1:PORT,http://127.0.0.1:PORT"),
    *(
        "file://127.0.0.1:PORT",
        "ws://127.0.0.1:PORT",
        "//127.0.0.1:PORT",
        "127.0.0.1:PORT",
        "http:127.0.0.1:PORT",
    ),
    *("http://", "file://", "http://127.0.0.1:PORT\xe9", "chrome-extension://abcdefgh"),
]
# Host, other headers, status. A page only has its name checked: only Socket.IO has an origin to check.
DEFAULT = [
    *((host, [], 200) for host in OURS),
    *((host, [], 421) for host in FOREIGN),
    *((HERE, [f"Origin: {origin}"], 200) for origin in OWN_PAGES),
    *((HERE, [f"Origin: {origin}"], 403) for origin in FOREIGN_PAGES),
    (HERE, ["Origin: http://127.0.0.1:PORT", "Origin: http://127.0.0.1:PORT"], 403),
    (HERE, ["Origin: http://127.0.0.1:PORT", "Origin: https://evil.example"], 403),
    (HERE, ["Origin: https://evil.example", "Origin: http://127.0.0.1:PORT"], 403),
    (HERE, ["Origin: https://evil.example", "X-Forwarded-Host: evil.example"], 403),
    (HERE, ["Origin: https://evil.example", "Forwarded: host=evil.example"], 403),
    (HERE, ["Origin: https://evil.example", "X-Original-Host: evil.example"], 403),
    ("evil.example", ["X-Forwarded-Host: 127.0.0.1:PORT"], 421),
    ("evil.example:PORT", ["Origin: http://evil.example:PORT"], 421),
    ("evil.example", ["Origin: https://evil.example", "X-Forwarded-For: 8.8.8.8"], 421),
    ("localhost:PORT", ["Origin: http://localhost:PORT"], 200),
    ("[::1]:PORT", ["Origin: http://[::1]:PORT"], 200),
    ("chat.lan", ["Origin: https://chat.lan"], 200),
    ("chat.lan:443", ["Origin: https://chat.lan"], 200),
    ("chat.lan", ["Origin: http://chat.lan:80"], 200),
    ("chat.lan", ["Origin: http://Chat.LAN"], 200),
    ("chat.lan", ["Origin: http://chat.lan:8080"], 403),
    ("chat.lan", ["Origin: http://other.lan"], 403),
    (HERE, ["Sec-Fetch-Site: cross-site"], 403),
    (HERE, ["Sec-Fetch-Site: Cross-Site"], 403),
    (HERE, ["Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: navigate"], 403),
    (HERE, ["Sec-Fetch-Site: same-origin"], 200),
    (HERE, ["Sec-Fetch-Site: none"], 200),
    (HERE, ["Sec-Fetch-Site: cross-site", "Origin: http://127.0.0.1:PORT"], 200),
]
NAMED = [
    *((host, [], 200) for host in ("chat.example.org", "CHAT.example.org:443", "chat.example.org.")),
    *((host, [], 200) for host in ("a.tunnel.example", "a.b.tunnel.example:8443", "xn--qw5a.example")),
    *(
        (host, [], 421)
        for host in ("tunnel.example", "eviltunnel.example", "a.chat.example.org", "example.org")
    ),
    ("chat.example.org", ["Origin: https://chat.example.org"], 200),
    ("chat.example.org", ["Origin: https://a.example"], 200),
    ("chat.example.org", ["Origin: http://b.example:8080"], 200),
    *(
        ("chat.example.org", [f"Origin: {origin}"], 403)
        for origin in ("http://a.example", "https://a.example:8443", "https://a.example/", "http://b.example")
    ),
    ("chat.example.org", ["Origin: https://a.example", "Origin: https://a.example"], 403),
    ("evil.example", ["Origin: https://a.example"], 421),
    ("chat.example.org", ["Sec-Fetch-Site: cross-site"], 403),
]
ANY = [
    ("evil.example", [], 200),
    *(
        (HERE, [f"Origin: {origin}"], 200)
        for origin in ("https://evil.example", "null", "file://", "ionic://a")
    ),
    (HERE, ["Origin: https://a.example", "Origin: https://b.example"], 403),
    (HERE, ["Origin: https://a.example/path"], 403),
    (HERE, ["Sec-Fetch-Site: cross-site"], 403),
]
CASES = {
    (): DEFAULT,
    (
        *("--allowed-hosts", "chat.example.org, *.tunnel.example, 韩.example"),
        *("--allowed-origins", "https://a.example, http://b.example:8080"),
    ): NAMED,
    ("--allowed-hosts", "*", "--allowed-origins", "*"): ANY,
}


def ask(program: Program, target: str, *lines: str) -> tuple[int, str]:
    """Send a request on its own connection; returns the answer's status and the rest of it."""
    text = "\r\n".join([f"GET {target} HTTP/1.1", *lines, "", ""])
    text = text.replace("PORT", str(program.port)).replace("NAME", socket.gethostname())
    with socket.create_connection(("127.0.0.1", program.port), timeout=20) as peer:
        peer.sendall(text.encode("latin-1"))
        answer = b""
        while b"\r\n\r\n" not in answer and (data := peer.recv(1 << 16)):
            answer += data
        if b" 101 " not in answer[:20]:
            length = int(answer.partition(b"Content-Length: ")[2].split(b"\r\n")[0])
            while len(answer.partition(b"\r\n\r\n")[2]) < length and (data := peer.recv(1 << 16)):
                answer += data
    return int(answer.split()[1]), answer.decode(errors="replace")


def test_there_are_as_many_cases_as_the_docs_say() -> None:
    assert sum(map(len, CASES.values())) >= 110


@pytest.mark.parametrize("flags", CASES, ids=["default", "named", "any"])
def test_each_host_and_origin_is_answered_as_listed(start: Start, flags: tuple[str, ...]) -> None:
    program = start(*flags)
    wrong = []
    for host, lines, status in CASES[flags]:
        asked = {
            "page": ask(program, "/", f"Host: {host}", *lines)[0],
            "polling": ask(program, POLL, f"Host: {host}", *lines)[0],
            "websocket": ask(program, SOCKET, f"Host: {host}", *lines, *HANDSHAKE)[0],
        }
        expected = {
            "page": 421 if status == 421 else 200,
            "polling": status,
            "websocket": 101 if status == 200 else status,
        }
        if asked != expected:
            wrong.append((host, lines, asked))
    assert wrong == []


@pytest.mark.parametrize("target", ["/", "/r/den", "/nowhere", "/boot.js", POLL, "/socket.io/?EIO=4&sid=x"])
def test_a_foreign_name_is_refused_on_every_path(server: Program, target: str) -> None:
    status, answer = ask(server, target, "Host: evil.example:5000", "Origin: http://evil.example:5000")
    assert status == 421
    assert "Connection: close" in answer
    assert answer.count("--allowed-hosts evil.example<") == 2
    assert "This chat cannot be reached by this name." in answer
    assert "不能用这个域名访问" in answer
    for path in ("/healthz", "/readyz"):
        assert ask(server, path, "Host: evil.example")[0] == 200


def test_a_refused_name_is_logged_once_with_its_flag(start: Start) -> None:
    program = start()
    for _ in range(3):
        assert ask(program, "/", "Host: chat.example.org")[0] == 421
        assert ask(program, POLL, "Host: Chat.Example.org:5000")[0] == 421
    program.stop()
    (line,) = (line for line in program.errors if "chat.example.org" in line)
    assert line.endswith("start it with --allowed-hosts chat.example.org")


@pytest.mark.parametrize(
    ("flags", "environ"), [((), {"PORT": "0"}), (("--port", "0", "--trust-proxy", "10.0.0.0/8"), {})]
)
def test_behind_a_proxy_any_name_is_accepted(
    start: Start, flags: tuple[str, ...], environ: dict[str, str]
) -> None:
    program = start(*flags, port=None, environ=environ)
    for target in ("/", POLL):
        assert ask(program, target, "Host: chat.example.org")[0] == 200
