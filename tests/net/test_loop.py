"""The loop's one flush a turn, over real sockets: who is behind gets every byte once and in order, as the others do."""

from __future__ import annotations

import gc
import itertools
import math
import socket
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from types import FrameType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatroom import runtime
from chatroom.net.audience import Audience
from chatroom.net.connection import Connection, Role
from chatroom.net.gate import Account
from chatroom.net.loop import Loop
from chatroom.net.turns import Turns
from tests.support.inside import until

MEMBERS = 5


class Deaf(Role):
    """A role that ignores what it receives and remembers which connections were lost."""

    def __init__(self) -> None:
        self.losses: list[Connection] = []
        self.on_lost: Callable[[Connection], None] = lambda _: None

    def received(self, connection: Connection, data: bytes) -> None:
        """Ignored."""

    def lost(self, connection: Connection, reason: str) -> None:
        self.losses.append(connection)
        self.on_lost(connection)


class Party:
    """An audience of a few, and the far end of each connection."""

    def __init__(self, loop: Loop, members: int = MEMBERS) -> None:
        self.loop, self.role = loop, Deaf()
        self.far: list[socket.socket] = []
        self.near: list[Connection] = []
        for _ in range(members):
            ours, theirs = socket.socketpair()
            ours.setblocking(False)
            theirs.setblocking(False)
            self.near.append(loop.attach(ours, self.role))
            self.far.append(theirs)
        self.audience = Audience(list(self.near))
        self.received_by = [b""] * members

    def read(self, place: int) -> None:
        """Take what has arrived at one far end."""
        try:
            while data := self.far[place].recv(65536):
                self.received_by[place] += data
        except BlockingIOError:
            pass

    def read_all(self) -> None:
        for place in range(len(self.far)):
            self.read(place)

    def close(self) -> None:
        for connection in self.near:
            connection.abort("the test is over")
        for far in self.far:
            far.close()


@pytest.fixture
def party() -> Iterator[Party]:
    party = Party(Loop(outbox_limit_bytes=50_000_000, send_buffer_bytes=4096, pace_limit_s=0))
    yield party
    party.close()


def test_a_reader_that_catches_up_has_everything_in_order(party: Party) -> None:
    slow, speaker = 1, 3
    expected = [b""] * MEMBERS
    for number in range(300):
        shared = b"<%d" % number + b"." * 3000 + b">"
        party.loop.publish(party.audience, shared)
        for place in range(MEMBERS):
            expected[place] += shared
        if number % 3 == 0:  # an ack for this member only, after what was just sent to all
            party.loop.send(party.near[speaker], b"ack")
            expected[speaker] += b"ack"
        party.loop.flush()
        for place in range(MEMBERS):
            if place != slow or number % 40 > 30:
                party.read(place)
        if number % 7 == 0:
            runtime.sleep(0)  # the loop goes on with who can take more

    def all_there() -> bool:
        for place in range(MEMBERS):
            party.read(place)
        return [len(received) for received in party.received_by] == [len(all_of_it) for all_of_it in expected]

    until(all_there)
    assert party.received_by == expected
    assert party.role.losses == []


class Purse:
    """An account that bears so much."""

    def __init__(self, most: int) -> None:
        self.most, self.held = most, 0
        self.last_until = 0.0

    @property
    def group(self) -> Purse:
        return self

    @property
    def has_too_much(self) -> bool:
        return self.held > self.most

    def hold(self, size: int) -> bool:
        self.held += size
        return self.held <= self.most

    def answer_wait_s(self, now: float) -> float:
        return 0.0

    post_wait_s = answer_wait_s

    def owes_time(self, now: float) -> bool:
        return False

    def waste(self, count: int, now: float) -> bool:
        return False


def test_what_waits_is_counted_until_it_is_read_or_dropped(party: Party) -> None:
    purse = Purse(10_000_000)
    for connection in party.near:
        connection.charge(purse)
    for _ in range(20):
        party.loop.publish(party.audience, bytes(100_000))
        party.loop.flush()
    assert purse.held == sum(connection.outbox_bytes for connection in party.near) > 5_000_000
    party.near[0].abort("")
    party.near[1].finish(b"the end", drop=True)

    def all_read() -> bool:
        party.read_all()
        return purse.held == 0

    until(all_read)


def test_those_over_their_account_are_dropped_and_no_others(party: Party) -> None:
    for connection in party.near[:2]:
        connection.charge(Purse(100_000))
    for _ in range(20):
        party.loop.publish(party.audience, bytes(20_000))
        party.loop.flush()
    assert party.role.losses == party.near[:2]


def test_writing_is_timed_once_all_is_written(party: Party) -> None:
    times: list[float] = []
    party.loop.when_written(times.append)
    party.loop.when_written(lambda _: party.read_all())
    party.loop.publish(party.audience, b"one")
    assert times == []
    began = time.thread_time()
    party.loop.flush()
    assert party.received_by == [b"one"] * MEMBERS
    assert len(times) == 1
    assert 0 < times[0] <= time.thread_time() - began


def test_a_closed_client_gets_nothing_and_delays_nobody(party: Party) -> None:
    party.loop.publish(party.audience, b"one")
    party.loop.flush()
    party.near[2].abort("closed by the test")
    party.loop.publish(party.audience, b"two")
    party.loop.flush()
    for place in range(MEMBERS):
        party.read(place)
    assert party.received_by == [b"onetwo", b"onetwo", b"one", b"onetwo", b"onetwo"]


def test_whose_peer_has_gone_is_lost_alone(party: Party) -> None:
    party.loop.publish(party.audience, b"one")
    party.loop.flush()
    party.far[0].close()
    party.loop.publish(party.audience, b"two")
    party.loop.flush()
    assert party.role.losses == [party.near[0]]
    for place in range(1, MEMBERS):
        party.read(place)
    assert party.received_by[1:] == [b"onetwo"] * (MEMBERS - 1)


def test_a_skipped_one_is_not_sent_what_the_others_are(party: Party) -> None:
    party.loop.publish(party.audience, b"one", skipped=[party.near[4]])
    party.loop.publish(party.audience, b"two")
    party.loop.flush()
    party.loop.publish(party.audience, b"three")
    party.loop.flush()
    for place in range(MEMBERS):
        party.read(place)
    assert party.received_by == [b"onetwothree"] * 4 + [b"twothree"]


@given(st.data())
def test_each_gets_its_frames_in_the_order_of_the_calls(data: st.DataObject) -> None:
    who = st.integers(0, MEMBERS - 1)
    groups = data.draw(st.lists(st.sets(who), min_size=1, max_size=3))  # which may raise: nothing is open yet
    party = Party(Loop(pace_limit_s=0))
    audiences = [Audience([party.near[place] for place in sorted(group)]) for group in groups]
    expected = [b""] * MEMBERS
    try:
        for number in range(data.draw(st.integers(1, 12))):
            frame = b"<%d>" % number
            if data.draw(st.booleans()):
                place = data.draw(who)
                party.loop.send(party.near[place], frame)
                reached = {place}
            else:
                audience, skipped = data.draw(st.integers(0, len(groups) - 1)), data.draw(st.sets(who))
                party.loop.publish(audiences[audience], frame, [party.near[place] for place in skipped])
                reached = groups[audience] - skipped
            for place in reached:
                expected[place] += frame
        party.loop.flush()
        party.read_all()
        assert party.received_by == expected
    finally:
        party.close()


def calls_of_a_turn(senders: int, rooms: int) -> float:
    """How many functions a turn calls per message, when each sender has sent one, and gets its own copy and an ack."""
    party = Party(Loop(pace_limit_s=0), senders)
    audiences = [Audience(party.near[room::rooms]) for room in range(rooms)]
    for place, sender in enumerate(party.near):
        party.loop.publish(audiences[place % rooms], b"message", [sender])
        party.loop.send(sender, b"own")
        party.loop.send(sender, b"ack")
    calls = 0

    def count(_frame: FrameType, event: str, _function: object) -> None:
        nonlocal calls
        calls += event in ("call", "c_call")

    before = sys.getprofile()
    gc.disable()  # hypothesis has the collector call it, which is no cost of a flush
    sys.setprofile(count)
    party.loop.flush()
    sys.setprofile(before)
    gc.enable()
    party.read_all()
    party.close()
    assert all(received.count(b"ownack") == 1 for received in party.received_by)
    return calls / senders


@pytest.mark.parametrize("senders_in_a_room", [32, 2])
def test_a_message_costs_no_more_among_many(senders_in_a_room: int) -> None:
    many, few = 32, max(2, senders_in_a_room // 4)
    most = calls_of_a_turn(few, max(1, few // senders_in_a_room))
    assert calls_of_a_turn(many, many // senders_in_a_room) <= most


def test_the_last_bytes_follow_everything_that_waits(party: Party) -> None:
    leaver = party.near[1]
    before = b"." * 300_000
    party.loop.publish(party.audience, before)
    party.loop.flush()
    party.loop.publish(party.audience, b"said last")
    leaver.finish(b"farewell")
    while leaver.held:  # it catches up before the turn is flushed
        party.read(1)
        leaver.write_waiting()  # as the runtime calls it
    party.loop.flush()
    expected = before + b"said last" + b"farewell"

    def all_there() -> bool:
        party.read(1)
        return len(party.received_by[1]) == len(expected)

    until(all_there)
    assert party.received_by[1] == expected


def test_what_is_sent_during_a_flush_follows_it(party: Party) -> None:
    def tell_the_others(_: Connection) -> None:
        party.loop.send(party.near[3], b" (one has gone)")
        party.loop.publish(party.audience, b" next", skipped=[party.near[4]])

    party.role.on_lost = tell_the_others
    party.far[0].close()
    party.loop.publish(party.audience, b"one")
    for place in (3, 4):
        party.loop.send(party.near[place], b" ack")
    party.loop.publish(party.audience, b" two")
    party.loop.flush()
    party.loop.flush()
    for place in range(1, MEMBERS):
        party.read(place)
    assert party.received_by[1:] == [
        b"one two next",
        b"one two next",
        b"one ack two (one has gone) next",
        b"one ack two",
    ]


def test_last_bytes_sent_during_a_flush_follow_it(party: Party) -> None:
    party.role.on_lost = lambda _: party.near[3].finish(b" farewell")
    party.far[0].close()
    party.loop.publish(party.audience, b"one")
    party.loop.send(party.near[3], b" ack")
    party.loop.flush()
    party.loop.flush()
    party.read(3)
    assert party.received_by[3] == b"one ack farewell"


def test_finishing_a_dead_peer_in_a_full_turn_leaks_nothing(party: Party) -> None:
    party.loop.publish(Audience([party.near[1]]), b"x" * 131_072)  # a turn that the next bytes make too full
    party.far[0].close()
    party.near[0].finish(b"farewell")
    assert party.near[0].closed
    assert not party.loop.leaving


def test_too_many_closing_dead_peers_are_no_error() -> None:
    party = Party(Loop(leaving_limit=1))
    for far in party.far:
        far.close()
    for near in party.near:
        near.finish(b"farewell")
    party.loop.flush()
    assert not party.loop.leaving


def test_a_closing_peer_that_closes_first_gets_everything(party: Party) -> None:
    farewell = b"x" * 1_000_000
    party.near[0].finish(farewell)
    party.loop.flush()
    party.far[0].shutdown(socket.SHUT_WR)
    runtime.sleep(0.01)  # turns in which the end can be read

    def all_there() -> bool:
        party.read(0)
        return party.near[0].closed

    until(all_there)
    party.read(0)
    assert party.received_by[0] == farewell


def read_by(loop: Loop, clients: Sequence[str], account_of: Mapping[str, Account]) -> list[str]:
    """Let each of these send a byte, behind one proxy if they have accounts; in which order they were read."""
    heard = list[str]()

    class Reader(Role):
        def __init__(self, client: str) -> None:
            self.client = client

        def received(self, connection: Connection, data: bytes) -> None:
            heard.append(self.client)

    far: list[socket.socket] = []
    for client in clients:
        near, other = socket.socketpair()
        near.setblocking(False)
        far.append(other)
        connection = loop.attach(near, Reader(client), "proxy" if account_of else client)
        if account_of:
            connection.charge(account_of[client])
        other.send(b"x")
    until(lambda: len(heard) == len(clients))
    for connection in list(loop.connections):
        connection.abort("the test is over")
    for other in far:
        other.close()
    return heard


@pytest.mark.parametrize("accounts", [{}, {"crowd": Purse(1000), "one": Purse(1000)}], ids=["peers", "proxy"])
def test_connections_can_be_read_address_after_address(accounts: Mapping[str, Account]) -> None:
    heard = read_by(Loop(turns=Turns(0.0)), ("crowd", "crowd", "crowd", "one"), accounts)
    assert heard[:2] in (["crowd", "one"], ["one", "crowd"])


def test_lost_slow_readers_are_dropped_in_turns() -> None:
    party, turn, dropped = Party(Loop(turns=Turns(0.0))), 0, list[int]()
    party.role.on_lost = lambda _: dropped.append(turn)

    def tick() -> None:
        nonlocal turn
        turn += 1
        if len(dropped) < MEMBERS:
            runtime.call_soon(tick)

    party.loop.publish(party.audience, bytes(5_000_000))
    party.loop.flush()
    for near, far in zip(party.near, party.far, strict=True):
        assert near.outbox_bytes
        near.stop_reading()
        far.close()
    runtime.call_soon(tick)
    until(lambda: len(dropped) == MEMBERS)
    assert len(set(dropped)) == MEMBERS


def busy_until(until: float) -> Account:
    """An account behind which others go first until then."""
    purse = Purse(1000)
    purse.last_until = until
    return purse


def test_only_what_a_turn_has_no_time_for_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    turns, clock = Turns(0.0), itertools.count()
    put: list[str] = []

    def note(address: str, call: Callable[[], None], _account: Account | None) -> None:
        put.append(address)
        call()

    monkeypatch.setattr(turns, "put", note)
    monkeypatch.setattr("chatroom.net.loop.time.monotonic", lambda: next(clock))
    read_by(Loop(turns=turns, at_once_s=5), ("a", "b", "c", "d", "e"), {})
    assert put == []
    read_by(Loop(turns=turns, at_once_s=3), ("a", "b", "c", "d", "e"), {})
    assert len(put) == 2
    read_by(Loop(turns=turns, at_once_s=3), ("a", "b", "c", "d", "e"), dict.fromkeys("abcde", busy_until(0)))
    assert len(put) == 2  # there is time for those who have taken little
    read_by(
        Loop(turns=turns, at_once_s=3),
        ("a", "b", "c", "d", "e"),
        dict.fromkeys("abcde", busy_until(math.inf)),
    )
    assert len(put) == 4
