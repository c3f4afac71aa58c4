"""Same origin: host and port, never the scheme, and no forwarded host."""

import pytest

from chatroom.engine.http_request import Request
from chatroom.engine.origins import same_origin
from chatroom.engine.polling import Polling
from chatroom.engine.server import Engine


@pytest.mark.parametrize(
    ("origin", "host", "same"),
    [
        ("http://a.example:5000", "a.example:5000", True),
        ("https://a.example", "a.example", True),
        ("https://a.example", "a.example:443", True),
        ("https://A.Example:443", "a.example", True),
        ("http://a.example:80", "a.example", True),
        ("http://[::1]:5000", "[::1]:5000", True),
        ("http://a.example:5000", "a.example", False),
        ("http://b.example", "a.example", False),
        ("http://a.example.evil", "a.example", False),
        ("null", "null", False),
        ("file://a.example", "a.example", False),
        ("http://", "", False),
        ("http://:80", "", False),
        ("http://[", "[", False),
    ],
)
def test_same_origin(origin: str, host: str, same: bool) -> None:
    assert same_origin(origin, host) is same


@pytest.mark.parametrize(
    ("headers", "counted"),
    [
        ({}, True),
        ({b"origin": ["http://a.example"]}, True),
        ({b"origin": ["https://listed.example"]}, True),
        ({b"origin": ["http://b.example"]}, False),
        ({b"origin": ["http://a.example"] * 2}, False),
        ({b"origin": ["null"]}, False),
        ({b"sec-fetch-site": ["cross-site"]}, False),
    ],
)
def test_a_session_counts_no_request_that_its_origin_forbids(
    headers: dict[bytes, list[str]], counted: bool
) -> None:
    engine = Engine(cors_allowed_origins=["https://listed.example"])
    session = engine.sessions.create("s", "192.0.2.1")
    session.begin(Polling(session, engine.sessions, engine._endpoint.final_payloads))
    all_headers = {b"host": ["a.example"], **headers}
    for method in ("GET", "POST"):
        request = Request(method, "/engine.io/", "", "1.1", all_headers)
        request.parameters = {"transport": "polling", "sid": "s"}
        assert engine.in_session(request) is counted
