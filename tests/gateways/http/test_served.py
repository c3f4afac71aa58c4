"""How the page is served: small, once, and under a policy that a browser enforces."""

from __future__ import annotations

import re
import struct
from pathlib import Path
from urllib.parse import urljoin

import pytest
import requests

from chatroom.gateways.http.gateway import HTTPGateway
from chatroom.gateways.http.page import BuiltPage
from tests.support.program import Program, Start


def script(server: Program, base: str = "") -> str:
    """The path of the built script that the document names."""
    found = re.search(r'"\./(assets/[\w-]+\.js)"', server.get(base + "/").text)
    assert found
    return f"{base}/{found[1]}"


@pytest.mark.parametrize(
    ("path", "base"),
    [("/", "./"), ("/?x=1", "./"), ("/r/den", "../"), ("/r/%E7%8B%90", "../"), ("/r/den/", "../../")],
)
def test_a_document_finds_its_files_wherever_a_proxy_puts_it(server: Program, path: str, base: str) -> None:
    answer = server.get(path)
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    assert answer.text == server.get("/").text.replace('<base href="./" />', f'<base href="{base}" />')
    assert f'<base href="{base}" />' in answer.text


@pytest.mark.parametrize("path", ["/r", "/r/", "/r//", "/r/a/b", "/r/a%2Fb", "/r/a/b/", "/r/茶/馆"])
def test_the_page_for_a_missing_room_has_both_languages(server: Program, path: str) -> None:
    answer = requests.get(server.url + path, timeout=10)
    assert (answer.status_code, answer.headers["Content-Type"]) == (404, "text/html; charset=utf-8")
    assert "There is no such room." in answer.text
    assert "没有这个房间。" in answer.text
    link = re.search(r'<a href="([^"]+)">', answer.text)
    assert link
    assert urljoin(answer.url, link[1]) == server.url + "/"
    assert "<script" not in answer.text


def test_the_document_is_revalidated_each_time(server: Program) -> None:
    first = server.get("/")
    assert first.headers["Cache-Control"] == "no-cache"
    again = server.get("/", headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert server.get("/", headers={"If-None-Match": '"other"'}).status_code == 200


def test_the_document_is_pressed_for_who_can_read_it(server: Program) -> None:
    assert server.get("/", headers={"Accept-Encoding": "gzip"}).headers["Content-Encoding"] == "gzip"
    plain = server.get("/", headers={"Accept-Encoding": "identity"})
    assert "Content-Encoding" not in plain.headers
    assert plain.headers["Vary"] == "Accept-Encoding"


@pytest.mark.parametrize("coding", ["br", "gzip"])
def test_built_files_are_compressed_and_cached_forever(server: Program, coding: str) -> None:
    answer = server.get(script(server), headers={"Accept-Encoding": coding}, stream=True)
    assert answer.headers["Content-Encoding"] == coding
    assert "immutable" in answer.headers["Cache-Control"]
    assert answer.headers["Content-Type"].startswith("text/javascript")
    answer.close()


def test_a_file_without_a_hash_is_cached_briefly(server: Program) -> None:
    answer = server.get("/boot.js")
    assert "immutable" not in answer.headers["Cache-Control"]
    assert server.get("/boot.js", headers={"If-None-Match": answer.headers["ETag"]}).status_code == 304


@pytest.mark.parametrize(
    "path",
    ["/", "/boot.js", "/sw.js", "/icon.svg", "/icon-192.png", "/manifest.webmanifest", "/commands.json"],
)
def test_headers_forbid_sniffing_framing_and_referrers(server: Program, path: str) -> None:
    headers = server.get(path).headers
    policy = dict(part.strip().split(" ", 1) for part in headers["Content-Security-Policy"].split(";"))
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == "'self'"
    assert policy["frame-ancestors"] == "'none'"
    assert policy["worker-src"] == "'self'"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "no-referrer"


@pytest.mark.parametrize(
    "path", ["/index.html", "/.stamp", "/assets/", "/assets/none.js", "/../app.py", "/r", "/x", "//"]
)
def test_what_is_not_there_is_not_there(server: Program, path: str) -> None:
    assert server.get(path).status_code == 404


@pytest.mark.parametrize("path", ["/", "/commands.json", "/manifest.webmanifest"])
def test_the_document_is_only_read(server: Program, path: str) -> None:
    answer = requests.post(server.url + path, timeout=10)
    assert (answer.status_code, answer.headers["Allow"]) == (405, "GET, HEAD")
    head = requests.head(server.url + path, timeout=10)
    assert (head.status_code, head.content) == (200, b"")


def test_the_table_of_commands_is_the_servers(server: Program) -> None:
    table = server.get("/commands.json").json()
    assert "/who" in [row["usage"] for row in table]
    assert all(row["help"]["en"] and row["help"]["zh"] for row in table)


def test_each_room_has_a_manifest(server: Program) -> None:
    answer = server.get("/manifest.webmanifest?room=%E8%8C%B6%E9%A6%86")
    assert answer.headers["Content-Type"] == "application/manifest+json"
    assert answer.headers["Cache-Control"] == "no-cache"
    start = urljoin(answer.url, answer.json()["start_url"])
    assert start == f"{server.url}/r/%E8%8C%B6%E9%A6%86"
    assert requests.get(start, timeout=10).status_code == 200


@pytest.mark.parametrize("room", ["a/b", "..", "%FF", "x" * 65])
def test_what_cannot_be_a_room_has_no_manifest(server: Program, room: str) -> None:
    answer = server.get(f"/manifest.webmanifest?room={room}")
    assert (answer.status_code, answer.text) == (400, "that room name cannot be used\n")


def test_manifest_icons_have_the_sizes_they_declare(server: Program) -> None:
    icons = {icon["src"]: icon for icon in server.get("/manifest.webmanifest").json()["icons"]}
    icons["apple-touch-icon.png"] = {"type": "image/png", "sizes": "180x180"}
    for src, icon in icons.items():
        answer = server.get(f"/{src}")
        assert answer.headers["Content-Type"] == icon["type"]
        assert len(answer.content) < 12_000
        if icon["type"] == "image/png":
            width, height = struct.unpack(">II", answer.content[16:24])
            assert f"{width}x{height}" == icon["sizes"]
    assert {"192x192", "512x512"} <= {icon["sizes"] for icon in icons.values()}
    assert 'rel="apple-touch-icon" href="apple-touch-icon.png"' in server.get("/").text


def test_the_service_worker_is_asked_for_each_time(server: Program) -> None:
    answer = server.get("/sw.js")
    assert answer.headers["Content-Type"].startswith("text/javascript")
    assert answer.headers["Cache-Control"] == "no-cache"


def test_the_page_and_its_files_work_behind_a_base_path(start: Start) -> None:
    server = start("--base-path", "/chat")
    server.url = f"http://127.0.0.1:{server.port}"
    assert '<base href="./" />' in server.get("/chat/").text
    assert '<base href="../" />' in server.get("/chat/r/den").text
    bare = server.get("/chat", allow_redirects=False)
    assert (bare.status_code, bare.headers["Location"]) == (308, "/chat/")
    assert server.get(script(server, "/chat")).status_code == 200


@pytest.mark.parametrize(("path", "logged"), [("/chat", 0), ("/chat/", 0), ("/chat/r/den", 1)])
def test_under_an_unknown_path_the_answer_names_the_setting(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, path: str, logged: int
) -> None:
    gateway = HTTPGateway(
        base_path="", is_ready=lambda: True, clock_problem=lambda: None, find_page=BuiltPage(tmp_path).find
    )
    for _ in range(2):
        status, page = ask(gateway, path, HTTP_ACCEPT="text/html,*/*")
        assert status == "404 Not Found"
        assert page.count("--base-path /chat<") == 2  # once in each language
    assert len(caplog.records) == logged
    assert all("start the chatroom with --base-path /chat" in line for line in caplog.messages)


def test_many_unknown_paths_do_not_fill_the_log(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    gateway = HTTPGateway(
        base_path="", is_ready=lambda: True, clock_problem=lambda: None, find_page=BuiltPage(tmp_path).find
    )
    for number in range(50):
        assert ask(gateway, f"/path{number}/r/den", HTTP_ACCEPT="text/html")[0] == "404 Not Found"
    assert len(caplog.records) == 3


@pytest.mark.parametrize(
    "path", ["/<b>x</b>/", "/a\nb/", "/x.php", "/" + "x" * 500 + "/", "/a" * 50, "/é/", "/assets/", "/r/a/b"]
)
def test_a_path_that_cannot_be_a_prefix_is_not_suggested(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, path: str
) -> None:
    gateway = HTTPGateway(
        base_path="", is_ready=lambda: True, clock_problem=lambda: None, find_page=BuiltPage(tmp_path).find
    )
    status, page = ask(gateway, path, HTTP_ACCEPT="text/html")
    assert status == "404 Not Found"
    assert "--base-path" not in page
    assert path.strip("/") not in page
    assert caplog.records == []


def test_files_are_served_from_memory_without_a_copy(tmp_path: Path) -> None:
    (tmp_path / "assets").mkdir()
    (tmp_path / "index.html").write_text('<base href="./" />')
    file = tmp_path / "assets" / "index-1.js"
    file.write_text("old")
    gateway = HTTPGateway(
        base_path="", is_ready=lambda: True, clock_problem=lambda: None, find_page=BuiltPage(tmp_path).find
    )
    file.unlink()  # a new build removes what the page that people have may still need
    environ = {"REQUEST_METHOD": "GET", "PATH_INFO": "/assets/index-1.js", "HTTP_RANGE": "bytes=0-1"}
    first, second = (list(gateway(dict(environ), lambda _status, _headers: None)) for _ in range(2))
    assert first == [b"old"]
    assert second[0] is first[0]


def test_a_program_that_asks_for_nothing_gets_plain_text(server: Program) -> None:
    answer = server.get("/nowhere/", headers={"Accept": "*/*"})
    assert (answer.status_code, answer.text) == (404, "not found\n")


def ask(gateway: HTTPGateway, path: str, **headers: str) -> tuple[str, str]:
    """What the gateway answers a GET: status and body."""
    answers: list[str] = []
    environ = {"REQUEST_METHOD": "GET", "PATH_INFO": path, **headers}
    body = b"".join(gateway(environ, lambda status, headers: answers.append(status)))
    return answers[0], body.decode()


def test_without_a_build_a_plain_page_explains_connecting(tmp_path: Path) -> None:
    gateway = HTTPGateway(
        base_path="/chat",
        is_ready=lambda: True,
        clock_problem=lambda: None,
        find_page=BuiltPage(tmp_path).find,
    )
    status, page = ask(gateway, "/chat/")
    assert status == "200 OK"
    assert "/chat/socket.io/" in page
