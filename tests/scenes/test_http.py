"""What is served beside Socket.IO, and how it ends."""

import signal
import sqlite3
from contextlib import closing

import pytest
import requests

from chatroom.backplane.file import FILE_NAME
from tests.support.guests import POLLING, until
from tests.support.raw import RawClient


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_a_running_server_is_healthy_and_ready(server, path):
    assert server.get(path).status_code == 200


def test_the_front_page_is_the_chat(server):
    for path in ("/", "/r/somewhere"):
        answer = server.get(path)
        assert answer.status_code == 200
        assert answer.headers["Content-Type"].startswith("text/html")
        assert "<script" in answer.text


def test_what_is_not_there_is_404(server):
    assert server.get("/nowhere").status_code == 404


def test_behind_a_base_path_everything_is_there(start):
    program = start("--base-path", "/chat")
    root = program.url.removesuffix("/chat")
    assert root != program.url
    for path in ("/chat/healthz", "/chat/readyz", "/chat/", "/chat/r/den"):
        assert requests.get(root + path, timeout=5).status_code == 200, path
    with RawClient(root, path="/chat/socket.io/") as romeo:
        assert romeo.enters().login["room"] == "lobby"


def test_while_draining_it_is_healthy_but_not_ready(start, guests):
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
def test_an_unwritable_log_refuses_messages_and_readiness(start, guests, tmp_path):
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
