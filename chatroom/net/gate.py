"""What a client's address may have: the engine and the gateways ask, and their owner answers."""

from __future__ import annotations

from typing import Protocol


class Account(Protocol):
    """What waits for all clients of one address together.

    Attributes:
        last_until: until then, clients of other addresses go first.
    """

    last_until: float

    @property
    def group(self) -> Account:
        """What it belongs to, such as a /48: of all, the group with the most is relieved first."""

    @property
    def has_too_much(self) -> bool:
        """Whether more waits than may wait for it, or for its group."""

    def hold(self, size: int) -> bool:
        """Count bytes that wait, or (negative) no longer do; returns whether the sum, and that of all, may wait."""

    def answer_wait_s(self, now: float) -> float:
        """Count an answer to a client that polls; returns after how many seconds to send it, a few at most."""

    def post_wait_s(self, now: float) -> float:
        """Count a POST of a client that polls; returns after how many seconds to answer it, a few at most."""

    def owes_time(self, now: float) -> bool:
        """Whether its clients took too much computing time; those that send useless packets then are cut."""

    def waste(self, count: int, now: float) -> bool:
        """Count useless frames or packets of one of its clients; returns whether all sent too many lately."""


class RequestMeter(Protocol):
    """Counts the computing time of HTTP requests."""

    def requests_wait_s(self, client: str) -> float:
        """For how long requests of this client are refused; 0.0 if they are not."""

    def health_wait_s(self, client: str) -> float:
        """Count a health check of a client whose requests are refused; returns for how long to refuse it as well."""

    def charge_request(self, client: str, seconds: float) -> None:
        """Charge so much computing time of one of this client's requests.

        Args:
            seconds: negative to return what an earlier charge took too much.
        """


class Gate(Protocol):
    """Counts the sessions of each client address, and what waits for them."""

    def session_opened(self, client: str) -> float:
        """A client wants a session; returns 0.0 if it may have it, else the seconds after which to try again."""

    def session_closed(self, client: str) -> None:
        """A session that was granted to this client is over."""

    def session_cut(self, client: str) -> None:
        """A session of this client is being closed because it floods; new ones may be refused for that."""

    def account_of(self, client: str) -> Account:
        """The account of the address of a client that has a session."""
