"""Which first lines are another protocol's."""

from __future__ import annotations

import pytest

from chatroom.gateways.line.codec import Overlong
from chatroom.gateways.line.foreign import is_foreign


@pytest.mark.parametrize(
    "line",
    [
        "GET / HTTP/1.1",
        "get / http/1.1",
        "POST /chat?a=b HTTP/1.0",
        "HEAD http://127.0.0.1:5267/ HTTP/1.1",
        "CONNECT 127.0.0.1:5267 HTTP/1.1",
        "OPTIONS * HTTP/1.1",
        "PRI * HTTP/2.0",
        "M-SEARCH * HTTP/1.1",
        "x!y /a b HTTP/1.1",
        "GET /",
        "OPTIONS rtsp://host/ RTSP/1.0",
        "OPTIONS sip:nm SIP/2.0",
        "SSH-2.0-OpenSSH_9.6",
        "EHLO scanner.example",
        "PROXY TCP4 192.0.2.1 192.0.2.2 56324 443",
        "PROXY UNKNOWN",
        Overlong("POST /" + "x" * 9000),
    ],
    ids=lambda line: str(line)[:40],
)
def test_another_protocols_first_line_is_foreign(line: str | Overlong) -> None:
    assert is_foreign(line)


@pytest.mark.parametrize(
    "line",
    [
        "",
        "hello",
        "I love HTTP/2.0 too",
        "get /etc/passwd",
        "GET / HTTP/1.1 is what a browser sends",
        "/to Bob GET / HTTP/1.1",
        "SSH is down",
        "HELO everyone",
        "proxy unknown to me",
        "PROXY UNKNOWNS",
        "Host: it is I",
        Overlong("hello " * 2000),
        Overlong("你好" * 2000),
    ],
    ids=lambda line: str(line)[:40],
)
def test_what_people_type_is_not(line: str | Overlong) -> None:
    assert not is_foreign(line)
