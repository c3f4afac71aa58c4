"""How the page is served: small, once, and under a policy that a browser enforces."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
import requests

from chatroom.gateways.http import HTTPGateway
from chatroom.gateways.page import BuiltPage
from tests.support.program import Program


def script(server: Program, base: str = "") -> str:
    """The path of the built script that the document names."""
    found = re.search(r'"\./(assets/[\w-]+\.js)"', server.get(base + "/").text)
    assert found
    return f"{base}/{found[1]}"


@pytest.mark.parametrize("path", ["/", "/r/den", "/r/%E7%8B%90", "/?x=1"])
def test_every_room_has_the_same_document(server: Program, path: str) -> None:
    answer = server.get(path)
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    assert answer.text == server.get("/").text
    assert '<base href="/" />' in answer.text


def test_the_document_is_asked_for_each_time_and_sent_when_it_changed(server: Program) -> None:
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
def test_a_built_file_is_pressed_and_kept_for_good(server: Program, coding: str) -> None:
    answer = server.get(script(server), headers={"Accept-Encoding": coding}, stream=True)
    assert answer.headers["Content-Encoding"] == coding
    assert "immutable" in answer.headers["Cache-Control"]
    assert answer.headers["Content-Type"].startswith("text/javascript")
    answer.close()


def test_a_file_that_keeps_its_name_is_not_kept_for_good(server: Program) -> None:
    answer = server.get("/boot.js")
    assert "immutable" not in answer.headers["Cache-Control"]
    assert server.get("/boot.js", headers={"If-None-Match": answer.headers["ETag"]}).status_code == 304


@pytest.mark.parametrize("path", ["/", "/boot.js", "/icon.svg", "/app.webmanifest", "/commands.json"])
def test_nothing_is_guessed_framed_or_told_on(server: Program, path: str) -> None:
    headers = server.get(path).headers
    policy = dict(part.strip().split(" ", 1) for part in headers["Content-Security-Policy"].split(";"))
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == "'self'"
    assert policy["frame-ancestors"] == "'none'"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "no-referrer"


@pytest.mark.parametrize(
    "path", ["/index.html", "/.stamp", "/assets/", "/assets/none.js", "/../app.py", "/r", "/x"]
)
def test_what_is_not_there_is_not_there(server: Program, path: str) -> None:
    assert server.get(path).status_code == 404


@pytest.mark.parametrize("path", ["/", "/commands.json"])
def test_the_document_is_only_read(server: Program, path: str) -> None:
    answer = requests.post(server.url + path, timeout=10)
    assert (answer.status_code, answer.headers["Allow"]) == (405, "GET, HEAD")
    head = requests.head(server.url + path, timeout=10)
    assert (head.status_code, head.content) == (200, b"")


def test_the_table_of_commands_is_the_servers(server: Program) -> None:
    table = server.get("/commands.json").json()
    assert "/who" in [row["usage"] for row in table]
    assert all(row["help"]["en"] and row["help"]["zh"] for row in table)


def test_behind_a_base_path_the_document_says_so(start: Callable[..., Program]) -> None:
    server = start("--base-path", "/chat")
    root = f"http://127.0.0.1:{server.port}"
    server.url = root
    assert '<base href="/chat/" />' in server.get("/chat/").text
    bare = server.get("/chat", allow_redirects=False)
    assert (bare.status_code, bare.headers["Location"]) == (308, "/chat/")
    assert server.get(script(server, "/chat")).status_code == 200


def test_where_nothing_was_built_a_plain_page_says_how_to_connect(tmp_path: Path) -> None:
    gateway = HTTPGateway(
        base_path="/chat", is_ready=lambda: True, find_page=BuiltPage(tmp_path, "/chat").find
    )
    answers: list[str] = []
    environ = {"REQUEST_METHOD": "GET", "PATH_INFO": "/chat/"}
    body = b"".join(gateway(environ, lambda status, headers: answers.append(status)))
    assert answers == ["200 OK"]
    assert b"/chat/socket.io/" in body
