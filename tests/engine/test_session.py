"""A session's states: what each packet means in each, and what is refused."""

import itertools
import sys

import pytest

from chatroom.engine import packets
from chatroom.engine.packets import PacketError
from chatroom.engine.session import (
    BACKLOG_S,
    INBOX_HIGH,
    INBOX_HIGH_BYTES,
    TRANSITIONS,
    Outcome,
    Session,
    SessionGoneError,
    State,
    Step,
)
from chatroom.engine.transport import Packet


class Carrier:
    """A transport that keeps what it is asked."""

    connection = None
    reading = True
    waiting_bytes = unread_bytes = 0

    def __init__(self, *waiting: Packet) -> None:
        self.waiting = list(waiting)
        self.calls: list[tuple[object, ...]] = []

    def send(self, packet: Packet) -> None:
        self.calls.append(("send", packet))

    def raise_limit(self, limit_bytes: int) -> None:
        self.calls.append(("raise_limit", limit_bytes))

    def pause(self) -> None:
        self.calls.append(("pause",))

    def resume(self) -> None:
        self.calls.append(("resume",))

    def hand_over(self) -> list[Packet]:
        self.calls.append(("hand_over",))
        return self.waiting

    def close(self, reason: str) -> None:
        self.calls.append(("close", reason))


@pytest.fixture
def polling() -> Carrier:
    return Carrier("4a", b"b")


@pytest.fixture
def websocket() -> Carrier:
    return Carrier()


@pytest.fixture
def session(polling: Carrier) -> Session:
    session = Session("s", outbox_limit_bytes=100, outbox_limit_packets=5)
    session.begin(polling)
    return session


@pytest.fixture
def probing(session: Session, websocket: Carrier) -> Session:
    session.begin_probe(websocket)
    assert session.receive(packets.PING, "probe", websocket) is Outcome.PROBED
    return session


@pytest.fixture
def upgraded(probing: Session, websocket: Carrier) -> Session:
    assert probing.receive(packets.UPGRADE, "", websocket) is Outcome.UPGRADED
    return probing


def test_messages_wait_in_order(session: Session, polling: Carrier) -> None:
    assert session.receive(packets.MESSAGE, "a", polling) is Outcome.DELIVER
    assert session.receive(packets.MESSAGE, b"b", polling) is Outcome.DELIVER
    assert [session.next_message() for _ in range(3)] == ["a", b"b", None]


@pytest.mark.parametrize("kind", [packets.OPEN, packets.PING, packets.UPGRADE, packets.NOOP])
def test_a_client_sends_no_packet_of_the_servers(session: Session, polling: Carrier, kind: str) -> None:
    with pytest.raises(PacketError):
        session.receive(kind, "", polling)


def test_while_probing_polling_still_receives(probing: Session, polling: Carrier) -> None:
    assert probing.state is State.PROBING
    assert probing.receive(packets.MESSAGE, "still by POST", polling) is Outcome.DELIVER
    assert not probing.accepts_probe


def test_after_the_upgrade_only_the_websocket_is_used(
    upgraded: Session, polling: Carrier, websocket: Carrier
) -> None:
    assert upgraded.state is State.WEBSOCKET
    assert upgraded.receive(packets.MESSAGE, "a", websocket) is Outcome.DELIVER
    with pytest.raises(SessionGoneError):
        upgraded.receive(packets.MESSAGE, "a", polling)
    with pytest.raises(PacketError):
        upgraded.receive(packets.UPGRADE, "", websocket)


def test_what_waited_for_a_poll_goes_over_the_websocket(
    upgraded: Session, polling: Carrier, websocket: Carrier
) -> None:
    assert polling.calls == [("hand_over",)]
    assert websocket.calls == [("send", "4a"), ("send", b"b")]


@pytest.mark.parametrize(
    ("kind", "data"),
    [(packets.MESSAGE, "early"), (packets.UPGRADE, ""), (packets.PING, ""), (packets.MESSAGE, b"early")],
)
def test_a_websocket_without_a_probe_is_refused(
    session: Session, polling: Carrier, websocket: Carrier, kind: str, data: bytes | str
) -> None:
    session.begin_probe(websocket)
    with pytest.raises(PacketError):
        session.receive(kind, data, websocket)
    session.drop_probe()
    assert session.state is State.POLLING
    assert session.transport is polling
    assert not session.inbox


def test_a_failed_upgrade_falls_back_to_polling(probing: Session, polling: Carrier) -> None:
    probing.drop_probe()
    assert probing.state is State.POLLING
    assert probing.transport is polling
    assert polling.calls == []
    assert probing.accepts_probe


def test_some_other_websocket_is_refused(session: Session, websocket: Carrier) -> None:
    session.begin_probe(websocket)
    with pytest.raises(SessionGoneError):
        session.receive(packets.PING, "probe", Carrier())


def test_a_closed_session_closes_once_and_receives_nothing(
    probing: Session, polling: Carrier, websocket: Carrier
) -> None:
    assert probing.close("server disconnect")
    assert not probing.close("ping timeout")
    assert probing.closed_because == "server disconnect"
    assert polling.calls == [("close", "server disconnect")]
    assert websocket.calls == [("close", "client disconnect")]
    assert probing.receive(packets.MESSAGE, "a", polling) is Outcome.NOTHING


def test_closing_drops_messages_unless_they_still_count(session: Session, polling: Carrier) -> None:
    session.receive(packets.MESSAGE, "a", polling)
    session.close("client disconnect", keep_inbox=True)
    assert session.next_message() == "a"
    assert not session.end_batch()
    assert session.report()
    assert not session.report()


def test_a_paused_session_keeps_its_messages_until_it_is_closed(session: Session, polling: Carrier) -> None:
    assert session.schedule(0.0)
    assert not session.schedule(0.0)
    session.receive(packets.MESSAGE, "a", polling)
    assert session.pause()
    assert session.next_message() is None
    assert not session.end_batch()
    assert not session.may_read_more
    session.close("transport close", keep_inbox=True)
    assert session.end_batch()
    assert session.next_message() == "a"


def test_many_messages_that_wait_for_long_are_a_backlog(session: Session, polling: Carrier) -> None:
    late = BACKLOG_S + 0.1
    session.receive(packets.MESSAGE, "a", polling)
    session.schedule(0.0)
    assert not session.has_backlog(late)
    for _ in range(INBOX_HIGH):
        session.receive(packets.MESSAGE, "a", polling)
    assert not session.has_backlog(BACKLOG_S)
    assert session.has_backlog(late)
    while session.next_message():
        pass
    session.end_batch()
    for _ in range(INBOX_HIGH):
        session.receive(packets.MESSAGE, "a", polling)
    session.schedule(late)
    assert not session.has_backlog(late)


def test_a_raised_limit_holds_for_every_transport(
    session: Session, polling: Carrier, websocket: Carrier
) -> None:
    session.begin_probe(websocket)
    session.raise_limit(500)
    session.raise_limit(200)
    assert session.limit_bytes == 500
    assert polling.calls == websocket.calls == [("raise_limit", 500), ("raise_limit", 200)]


def test_only_steps_of_the_table_change_the_state(session: Session) -> None:
    for state, step in itertools.product(State, Step):
        session.state = state
        if (state, step) in TRANSITIONS:
            session._move(step)
            assert session.state is TRANSITIONS[state, step]
        else:
            with pytest.raises(PacketError):
                session._move(step)
            assert session.state is state


@pytest.mark.parametrize("letter", ["x", "\u4e2d", "\U0001f600"])
def test_an_inbox_is_full_by_its_memory(letter: str) -> None:
    width = sys.getsizeof(2 * letter) - sys.getsizeof(letter)
    just_fits = letter * ((INBOX_HIGH_BYTES - sys.getsizeof(letter)) // width + 1)
    session = Session("sid", outbox_limit_bytes=1, outbox_limit_packets=1)
    states = []
    for message in (just_fits, b"y"):
        session.deliver(message)
        states.append((session.overfull, session.may_read_more))
    while session.next_message() is not None:
        states.append((session.overfull, session.may_read_more))
    assert states == [(False, False), (True, False), (False, True), (False, True)]
    assert session.inbox_bytes == 0
