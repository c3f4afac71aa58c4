"""Addresses as people write them."""

from __future__ import annotations

import pytest

from chatroom.terminal.address import Address, AddressError


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("localhost:5000", Address("http://localhost:5000", "socket.io", None)),
        (" localhost ", Address("http://localhost", "socket.io", None)),
        ("https://chat.example.org/", Address("https://chat.example.org", "socket.io", None)),
        ("HTTPS://chat.example.org", Address("https://chat.example.org", "socket.io", None)),
        ("http://[::1]:5000", Address("http://[::1]:5000", "socket.io", None)),
        ("[::1]:5000/r/tea", Address("http://[::1]:5000", "socket.io", "tea")),
        ("https://x.org/base/r/tea%20room", Address("https://x.org", "base/socket.io", "tea room")),
        ("https://x.org/base/", Address("https://x.org", "base/socket.io", None)),
        ("http://x/r/%E8%8C%B6", Address("http://x", "socket.io", "茶")),
        ("http://x/r/茶/", Address("http://x", "socket.io", "茶")),
        ("http://x/r/", Address("http://x", "socket.io", None)),
        ("http://x/?a=b#c", Address("http://x", "socket.io", None)),
    ],
)
def test_an_address_is_read(text: str, address: Address) -> None:
    assert Address.parse(text) == address


@pytest.mark.parametrize(
    "text",
    [
        *("", "ftp://x", "ws://x", "http://", "/r/tea", "http://a b", "http://\x1b[2J"),
        *("http://x:99999", "http://x:0", "http://x:y", "::1", "http://[::1"),
    ],
)
def test_an_invalid_address_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(AddressError, match=r"https://chat\.example\.org") as told:
        Address.parse(text)
    assert "\x1b" not in str(told.value)


def test_an_address_with_a_password_is_refused() -> None:
    with pytest.raises(AddressError) as told:
        Address.parse("https://me:secret@x.org")
    assert "secret" not in str(told.value)
