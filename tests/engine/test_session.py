"""A session's states: what each packet means in each, and what is refused."""

import pytest

from chatroom.engine import packets
from chatroom.engine.packets import PacketError
from chatroom.engine.session import Did, PollOverlapError, Session, SessionGoneError, State

LINK, OTHER, POLL = object(), object(), object()


@pytest.fixture
def session() -> Session:
    return Session("s", outbox_limit_bytes=100, outbox_limit_packets=5)


@pytest.fixture
def upgraded(session) -> Session:
    session.probe = LINK
    assert session.receive(packets.PING, "probe", LINK) is Did.PROBED
    assert session.receive(packets.UPGRADE, "", LINK) is Did.UPGRADED
    return session


def test_what_waits_answers_a_poll_at_once(session):
    session.enqueue("4a")
    session.enqueue("bAQ==")
    assert session.begin_poll(POLL) == b"4a\x1ebAQ=="
    assert session.begin_poll(POLL) is None
    assert session.end_poll() is POLL
    assert session.end_poll() is None


def test_two_polls_at_once_are_an_error(session):
    assert session.begin_poll(POLL) is None
    with pytest.raises(PollOverlapError):
        session.begin_poll(object())
    assert session.poll is POLL


def test_an_outbox_is_bounded_in_packets_and_in_bytes(session):
    assert all(session.enqueue("4") for _ in range(5))
    assert not session.enqueue("4")
    session.take_packets()
    for first in (1, 500):  # whatever its length
        assert session.enqueue("4" * first)
        assert session.enqueue("€" * 33)
        assert session.enqueue("é" * 250)  # there was room when it came
        assert not session.enqueue("4")
        session.take_packets()
    assert session.enqueue("4" * 500)
    assert session.enqueue(packets.PING)  # it goes first, and is not what may be long
    assert session.enqueue("4" * 101)
    assert not session.enqueue("4")
    session.take_payload()
    assert session.outbox_bytes == 0


def test_messages_wait_in_order(session):
    assert session.receive(packets.MESSAGE, "a", None) is Did.DELIVER
    assert session.receive(packets.MESSAGE, b"b", None) is Did.DELIVER
    assert list(session.inbox or ()) == ["a", b"b"]


@pytest.mark.parametrize("kind", [packets.OPEN, packets.PING, packets.UPGRADE, packets.NOOP])
def test_a_client_sends_no_packet_of_the_servers(session, kind):
    with pytest.raises(PacketError):
        session.receive(kind, "", None)


def test_while_probing_polls_are_answered_with_noop_and_packets_wait(session):
    session.probe = LINK
    session.receive(packets.PING, "probe", LINK)
    session.enqueue("4a")
    assert session.begin_poll(POLL) == b"6"
    assert session.take_packets() == ["4a"]
    assert session.receive(packets.MESSAGE, "still by POST", None) is Did.DELIVER


def test_after_the_upgrade_only_the_websocket_speaks(upgraded):
    assert upgraded.upgraded
    assert upgraded.receive(packets.MESSAGE, "a", LINK) is Did.DELIVER
    with pytest.raises(SessionGoneError):
        upgraded.receive(packets.MESSAGE, "a", None)
    with pytest.raises(SessionGoneError):
        upgraded.begin_poll(POLL)
    with pytest.raises(PacketError):
        upgraded.receive(packets.UPGRADE, "", LINK)


@pytest.mark.parametrize(
    ("kind", "data"),
    [(packets.MESSAGE, "early"), (packets.UPGRADE, ""), (packets.PING, ""), (packets.MESSAGE, b"early")],
)
def test_a_websocket_that_does_not_probe_first_is_refused_and_polling_goes_on(session, kind, data):
    session.probe = LINK
    with pytest.raises(PacketError):
        session.receive(kind, data, LINK)
    session.drop_probe()
    assert session.state is State.POLLING
    assert not session.inbox


def test_a_failed_upgrade_loses_nothing(session):
    session.probe = LINK
    session.receive(packets.PING, "probe", LINK)
    session.enqueue("4a")
    session.drop_probe()
    assert session.begin_poll(POLL) == b"4a"


def test_some_other_websocket_is_refused(session):
    session.probe = LINK
    with pytest.raises(SessionGoneError):
        session.receive(packets.PING, "probe", OTHER)


def test_a_closed_session_closes_once_and_hears_nothing(session):
    assert session.close("client disconnect")
    assert not session.close("ping timeout")
    assert session.closed_because == "client disconnect"
    assert session.receive(packets.MESSAGE, "a", None) is Did.NOTHING


def test_what_cannot_be_encoded_is_not_kept(session):
    with pytest.raises(UnicodeEncodeError):
        session.enqueue("4\ud800")
    assert session.begin_poll("exchange") is None
