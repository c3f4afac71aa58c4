"""Same origin: host and port, never the scheme, and no forwarded host."""

import pytest

from chatroom.engine.origins import same_origin


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
