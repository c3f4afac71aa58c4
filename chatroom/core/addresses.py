"""Whose request it is: addresses as they are counted, and what proxies say about the clients behind them.

It knows texts and networks. It counts nothing, and looks nothing up.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final

Network = IPv4Network | IPv6Network
_IP = IPv4Address | IPv6Address

_HOST_BITS: Final = 64  # an IPv6 customer gets at least this much, and may use all of it
_SITE_BITS: Final = 80  # and many get this much
_OCTET: Final = "(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])"
_IPV4: Final = re.compile(rf"(?:{_OCTET}\.){{3}}{_OCTET}")
_MOST_HOPS: Final = 32
_LONGEST: Final = 64  # characters: an IPv6 address with a zone, in brackets, and a port


@dataclass(frozen=True, slots=True)
class Address:
    """What is counted as one client.

    Attributes:
        key: an IPv4 address, or the /64 of an IPv6 address.
        site: the /48 of an IPv6 address; for IPv4, the address again.
    """

    key: str
    site: str


UNKNOWN: Final = Address("unknown", "unknown")
"""All peers without an IP address."""


def counted_address(text: str) -> Address:
    """The address that a peer or client is counted under."""
    if _IPV4.fullmatch(text):  # most are: this takes a quarter of the time
        return Address(text, text)
    address = _parse(text)
    if address is None:
        return UNKNOWN
    if isinstance(address, IPv4Address):
        return Address(str(address), str(address))
    return Address(_network(address, _HOST_BITS), _network(address, _SITE_BITS))


def group_of(text: str) -> str:
    """The key of the address that a peer or client is counted under."""
    return text if _IPV4.fullmatch(text) else counted_address(text).key


def _network(address: IPv6Address, host_bits: int) -> str:
    return f"{IPv6Address(int(address) >> host_bits << host_bits)}/{128 - host_bits}"


def client_address(peer: str, forwarded: Sequence[str], trusted: Collection[Network]) -> str:
    """The client behind a request: the nearest hop that is no trusted proxy.

    Each proxy adds the address that it was called from, so only the part of the header that trusted proxies wrote is
    true: it is read from its end, and what stands before the first untrusted hop is ignored.

    Args:
        peer: the other end of the connection.
        forwarded: the values of all `X-Forwarded-For` lines of the request, in order.
        trusted: the networks of trusted proxies.

    Returns:
        The client's address. If all hops are trusted, it is the farthest one; an entry that is no address hides those
        before it.
    """
    if not forwarded or not is_in(peer, trusted):
        return peer
    nearest = peer
    for hop in _hops(forwarded):
        nearest = str(hop)
        if not _is_in(hop, trusted):
            break
    return nearest


def _hops(forwarded: Sequence[str]) -> Iterator[_IP]:
    """The addresses of the lines, the nearest one first, up to an entry that is none."""
    left = _MOST_HOPS
    for line in reversed(forwarded):
        for entry in reversed(line.rsplit(",", left)):
            hop = _parse_entry(entry.strip(" \t"))
            if hop is None or not left:
                return
            left -= 1
            yield hop


def is_in(text: str, networks: Collection[Network]) -> bool:
    """Whether a text is an address in one of these networks."""
    address = _parse(text) if networks else None
    return address is not None and _is_in(address, networks)


def _is_in(address: _IP, networks: Collection[Network]) -> bool:
    return any(address in network for network in networks)


def is_private(text: str) -> bool:
    """Whether a text is an address that only this machine or a private network can have."""
    address = _parse(text)
    return address is not None and not address.is_global


def is_near(peer: str, local: str) -> bool:
    """Whether a peer may be on this machine or in its network.

    Besides private addresses, these are the machine's own and, for IPv6, those of the same /64.

    Args:
        local: the machine's own address on the same connection.
    """
    counted = counted_address(peer)
    return is_private(peer) or (counted is not UNKNOWN and counted == counted_address(local))


def parse_networks(text: str) -> tuple[Network, ...]:
    """Parse the networks of proxies, separated by commas; an address is a network of one.

    Raises:
        ValueError: what the text must be.
    """
    return tuple(_parse_network(part.strip()) for part in text.split(",") if part.strip())


def _parse_network(text: str) -> Network:
    try:
        network, address = ip_network(text, strict=False), ip_address(text.partition("/")[0])
    except ValueError:
        raise ValueError("networks such as 127.0.0.1 or 172.30.57.0/24, separated by commas") from None
    if isinstance(address, IPv6Address) and address.ipv4_mapped and network.prefixlen >= 96:
        return _parse_network(f"{address.ipv4_mapped}/{network.prefixlen - 96}")
    if address != network.network_address:
        raise ValueError(f"networks: {text} is an address in {network}")
    if not network.prefixlen:
        raise ValueError(f"networks that have proxies only: everybody is in {network}")
    return network


def _parse(text: str) -> _IP | None:
    """An address, without the zone that is this machine's own name for an interface."""
    if len(text) > _LONGEST:
        return None
    try:
        address = ip_address(text.partition("%")[0] if ":" in text else text)
    except ValueError:
        return None
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        return address.ipv4_mapped
    return address


def _parse_entry(text: str) -> _IP | None:
    """An entry of the header: an address, perhaps with a port, and an IPv6 address perhaps in brackets."""
    if text.startswith("["):
        host, bracket, port = text[1:].partition("]")
        return _parse(host) if bracket and ":" in host and _is_port(port) else None
    host, colon, port = text.partition(":")
    if colon and "." in host:  # not IPv6
        return _parse(host) if _is_port(colon + port) else None
    return _parse(text)


def _is_port(text: str) -> bool:
    """Whether this may follow a host: nothing, or a colon and a port."""
    return not text or (text[0] == ":" and text[1:].isascii() and text[1:].isdigit() and len(text) <= 6)
