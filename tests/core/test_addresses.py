"""Addresses: what is counted as one client, and whom a forwarding header may speak for."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatroom.core.addresses import (
    UNKNOWN,
    Address,
    client_address,
    counted_address,
    group_of,
    parse_networks,
)

PROXIES = parse_networks("127.0.0.1, 10.0.0.0/24, 2001:db8:ffff::/48")
PUBLIC = "198.51.100.7"


@pytest.mark.parametrize(
    ("text", "key", "site"),
    [
        ("203.0.113.9", "203.0.113.9", "203.0.113.9"),
        ("::ffff:203.0.113.9", "203.0.113.9", "203.0.113.9"),
        ("::FFFF:cb00:7109", "203.0.113.9", "203.0.113.9"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64", "2001:db8:1::/48"),
        ("2001:DB8:1:2::", "2001:db8:1:2::/64", "2001:db8:1::/48"),
        ("fe80::1%eth0", "fe80::/64", "fe80::/48"),
        ("::1", "::/64", "::/48"),
    ],
)
def test_an_address_is_counted_by_its_network(text: str, key: str, site: str) -> None:
    assert counted_address(text) == Address(key, site)
    assert group_of(text) == key


@pytest.mark.parametrize(
    "text", ["", "unix:", "localhost", "1.2.3", "1.2.3.4%eth0", "1.2.3.4:80", "1" * 8192]
)
def test_what_is_no_address_is_counted_together(text: str) -> None:
    assert counted_address(text) is UNKNOWN


@pytest.mark.parametrize(
    ("peer", "lines", "client"),
    [
        # A header from anyone but a trusted proxy says nothing, wherever it comes from.
        ("203.0.113.9", [PUBLIC], "203.0.113.9"),
        ("192.168.1.5", [PUBLIC], "192.168.1.5"),
        ("127.0.0.2", [PUBLIC], "127.0.0.2"),
        ("::1", [PUBLIC], "::1"),
        ("10.0.1.1", [PUBLIC], "10.0.1.1"),
        ("", [PUBLIC], ""),
        # Of a trusted one, what the nearest untrusted hop claims is not read.
        ("127.0.0.1", [], "127.0.0.1"),
        ("127.0.0.1", [PUBLIC], PUBLIC),
        ("::ffff:127.0.0.1", [PUBLIC], PUBLIC),
        ("127.0.0.1", [f"127.0.0.1, 10.0.0.1,{PUBLIC}"], PUBLIC),
        ("127.0.0.1", [f"1.1.1.1, {PUBLIC}, 10.0.0.9\t,  10.0.0.8"], PUBLIC),
        ("127.0.0.1", ["1.1.1.1", f"2.2.2.2, {PUBLIC}"], PUBLIC),
        ("127.0.0.1", ["1.1.1.1", PUBLIC, "10.0.0.9"], PUBLIC),
        ("127.0.0.1", ["192.168.1.77"], "192.168.1.77"),
        # All are trusted: the leftmost.
        ("127.0.0.1", ["10.0.0.5, 10.0.0.9", "127.0.0.1"], "10.0.0.5"),
        # Ports and brackets.
        ("127.0.0.1", [f"{PUBLIC}:50812"], PUBLIC),
        ("127.0.0.1", ["[2001:db8::7]:443"], "2001:db8::7"),
        ("127.0.0.1", ["1.1.1.1, [2001:db8::7], [2001:db8:ffff::1]:8080"], "2001:db8::7"),
        ("127.0.0.1", ["2001:db8::7"], "2001:db8::7"),
        ("127.0.0.1", ["fe80::7%eth0"], "fe80::7"),
        ("127.0.0.1", [f"::ffff:{PUBLIC}"], PUBLIC),
        # What is no address hides all that stands before it.
        ("127.0.0.1", [""], "127.0.0.1"),
        ("127.0.0.1", [f"{PUBLIC},"], "127.0.0.1"),
        ("127.0.0.1", [f"{PUBLIC}, unknown, 10.0.0.9"], "10.0.0.9"),
        ("127.0.0.1", [f"{PUBLIC}, _hidden"], "127.0.0.1"),
        ("127.0.0.1", [f"{PUBLIC}, [10.0.0.9]"], "127.0.0.1"),
        ("127.0.0.1", [f"{PUBLIC}, [2001:db8::7"], "127.0.0.1"),
        ("127.0.0.1", [f"{PUBLIC}, [2001:db8::7]x"], "127.0.0.1"),
        ("127.0.0.1", [f"{PUBLIC}:80:80"], "127.0.0.1"),
        ("127.0.0.1", [f"{PUBLIC}:123456"], "127.0.0.1"),
        ("127.0.0.1", [f"for={PUBLIC}"], "127.0.0.1"),
        ("127.0.0.1", ["x" * 8192], "127.0.0.1"),
        ("127.0.0.1", ["1" * 8192 + f", {PUBLIC}"], PUBLIC),
        ("127.0.0.1", ["," * 8192], "127.0.0.1"),
    ],
)
def test_only_trusted_proxies_say_who_the_client_is(peer: str, lines: list[str], client: str) -> None:
    assert client_address(peer, lines, PROXIES) == client


def test_a_chain_without_an_end_is_read_in_part() -> None:
    for lines in (["10.0.0.5" + ",10.0.0.9" * 1000], ["10.0.0.5"] + ["10.0.0.9"] * 1000):
        assert client_address("127.0.0.1", lines, PROXIES) == "10.0.0.9"


def test_without_trusted_proxies_the_client_is_the_peer() -> None:
    assert client_address("127.0.0.1", [PUBLIC], ()) == "127.0.0.1"


addresses = st.one_of(st.ip_addresses(v=4), st.ip_addresses(v=6)).map(str)
junk = (
    st.text(max_size=40)
    | addresses
    | st.sampled_from(["10.0.0.1", "127.0.0.1", "[::1]:5", ",,", "1.2.3.4:9"])
)


@given(st.lists(junk, max_size=6), st.ip_addresses(v=4).filter(lambda one: one.is_global))
def test_nothing_forged_hides_what_the_proxy_saw(forged: list[str], seen: IPv4Address) -> None:
    """However a client begins the header, in this line or in others, the proxy's own entry counts."""
    for lines in ([*forged, str(seen)], [",".join([*forged, str(seen)])]):
        assert client_address("127.0.0.1", lines, PROXIES) == str(seen)


@given(st.lists(junk, max_size=6), addresses)
def test_a_header_never_changes_an_untrusted_peer(forged: list[str], peer: str) -> None:
    trusted = parse_networks("192.0.2.1")
    if peer != "192.0.2.1":
        assert client_address(peer, forged, trusted) == peer


@given(st.ip_addresses(v=6), st.integers(0, 2**64 - 1))
def test_one_network_is_one_client(address: IPv6Address, host: int) -> None:
    neighbour = IPv6Address(int(address) >> 64 << 64 | host)
    if address.ipv4_mapped is None and neighbour.ipv4_mapped is None:
        assert counted_address(str(address)) == counted_address(str(neighbour))


@given(st.text() | addresses)
def test_any_text_is_counted_somehow(text: str) -> None:
    assert len(counted_address(text).key) < 50


@given(st.text("0123456789.", max_size=16) | st.from_regex(r"([0-9]{1,3}\.){3}[0-9]{1,3}", fullmatch=True))
def test_an_ipv4_address_is_what_the_library_takes_for_one(text: str) -> None:
    try:
        key = str(IPv4Address(text))
    except ValueError:
        key = UNKNOWN.key
    assert counted_address(text).key == key


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("localhost", "networks such as 127.0.0.1 or "),
        ("10.0.0.0/8 192.168.0.0/16", "networks such as "),
        ("10.0.0.0/33", "networks such as "),
        ("fe80::1%eth0/64", "networks: fe80::1%eth0/64 is an address in fe80::/64"),
        ("127.0.0.1:5000", "networks such as "),
        ("10.0.0.1/8", "networks: 10.0.0.1/8 is an address in 10.0.0.0/8"),
        ("::1, 0.0.0.0/0", "networks that have proxies only: everybody is in 0.0.0.0/0"),
        ("::/0", "networks that have proxies only: everybody is in ::/0"),
        ("::ffff:0:0/96", "networks that have proxies only: everybody is in 0.0.0.0/0"),
    ],
)
def test_what_is_no_proxys_network_is_refused(text: str, fault: str) -> None:
    with pytest.raises(ValueError, match="networks") as refused:
        parse_networks(text)
    assert str(refused.value).startswith(fault)


def test_networks_are_read_in_any_notation() -> None:
    assert list(map(str, parse_networks(" ::ffff:10.1.0.0/112,192.0.2.0/255.255.255.0,, ::1 "))) == [
        "10.1.0.0/16",
        "192.0.2.0/24",
        "::1/128",
    ]
