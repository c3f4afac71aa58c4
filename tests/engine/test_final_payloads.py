"""What is kept for clients that poll no more is dropped before what waits for others."""

from __future__ import annotations

from chatroom.addresses import Addresses
from chatroom.core.budgets import Allowance
from chatroom.engine.final_payloads import FinalPayloads
from chatroom.engine.polling import Polling
from chatroom.engine.sessions import Sessions
from chatroom.net.loop import Loop
from tests.support.inside import until


class Server:
    """Polling clients of several addresses, for each of which, and for all, so much may wait."""

    def __init__(self, most: int, most_of_one: int) -> None:
        self.addresses = Addresses(Allowance(outbox_bytes=most_of_one), lambda: 0.0, outbox_bytes=most)
        self.sessions = Sessions(
            Loop(),
            {},
            ping_interval_s=25,
            ping_timeout_s=20,
            outbox_limit_bytes=10_000,
            outbox_limit_packets=100,
            gate=self.addresses,
        )
        self.final_payloads = FinalPayloads(self.sessions.relief)

    def reader(self, client: str) -> Polling:
        """A client for which 30 bytes wait."""
        polling = Polling(self.sessions.create(client, client), self.sessions, self.final_payloads)
        polling.session.begin(polling)
        polling.send("4" + "x" * 29)
        return polling

    def keep(self, sid: str, client: str, size: int) -> None:
        """So much is kept for a client whose session has ended."""
        self.final_payloads.keep(sid, [[b"x" * size]], self.addresses.account_of(client))

    def kept(self, sids: list[str]) -> list[str]:
        """For which of them something is kept, once there is no more than may be."""
        until(lambda: not self.sessions.relief._busy)
        return [sid for sid in sids if self.final_payloads.take(sid) is not None]


def test_no_reader_is_dropped_while_final_payloads_are_kept() -> None:
    server = Server(most=1000, most_of_one=900)
    readers = [server.reader(f"192.0.2.{number}") for number in range(5)]
    sids = [f"gone {number}" for number in range(20)]
    for number, sid in enumerate(sids):
        server.keep(sid, f"203.0.113.{number % 2}", 50)
    for _ in range(4):
        for reader in readers:
            reader.send("4" + "x" * 29)
        until(lambda: not server.sessions.relief._busy)
    assert not any(reader.session.closed for reader in readers)
    kept = server.kept(sids)
    assert 4 <= len(kept) <= 8  # beside the readers' 750 bytes there is room for five, or an eighth less
    assert kept == sids[-len(kept) :]  # the last ones


def test_an_address_with_too_much_loses_what_was_kept_first() -> None:
    server = Server(most=1000, most_of_one=100)
    reader = server.reader("203.0.113.1")
    server.keep("another's", "192.0.2.1", 90)
    for sid in ("first", "second", "third"):
        server.keep(sid, "203.0.113.1", 30)
    assert server.kept(["another's", "first", "second", "third"]) == ["another's", "second", "third"]
    assert not reader.session.closed
