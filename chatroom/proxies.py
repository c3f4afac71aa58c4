"""Which client a request comes from, where trusted proxies say so."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from chatroom.core.addresses import Network, client_address, is_in, is_private

log = logging.getLogger(__name__)


class Proxies:
    """The proxies that are trusted.

    Args:
        trusted: their networks.
    """

    def __init__(self, trusted: Sequence[Network]) -> None:
        self._trusted = trusted
        self._warned = False

    def are_trusted(self, peer: str) -> bool:
        """Whether this is the address of one of them."""
        return is_in(peer, self._trusted)

    def client_of(self, peer: str, forwarded: Sequence[str]) -> str:
        """The address of the client behind a request, which is the peer's unless a trusted proxy passed it on.

        Args:
            peer: the other end of the connection.
            forwarded: the values of all `X-Forwarded-For` lines of the request, in order.
        """
        if not forwarded:
            return peer
        if not self._warned and is_private(peer) and not is_in(peer, self._trusted):
            self._warned = True
            log.warning(
                "a proxy on this machine or a private network sends X-Forwarded-For and is not trusted, so everyone"
                " behind it counts as one address: add its network to --trust-proxy"
            )
        return client_address(peer, forwarded, self._trusted)
