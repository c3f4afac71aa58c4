"""The engine's bounds on what waits for one client, in process."""

from __future__ import annotations

import base64
import socket
import struct
import time
from collections.abc import Sequence
from types import SimpleNamespace

import pytest

from chatroom import runtime
from chatroom.core.budgets import AddressBudget, Allowance
from chatroom.engine import packets, polling
from chatroom.engine.fanout import Fanout
from chatroom.engine.final_payloads import FinalPayloads
from chatroom.engine.front import Front
from chatroom.engine.polling import Polling
from chatroom.engine.server import Engine
from chatroom.engine.session import Session, State
from chatroom.engine.strict import StrictServer
from chatroom.net.listeners import listen
from tests.support.handshakes import upgrade_request
from tests.support.inside import WAIT_S, nothing_here, until

LIMIT = 262_144
HANDSHAKE = upgrade_request("/engine.io/?EIO=4&transport=websocket")


@pytest.mark.parametrize("pieces", [1, 100])
def test_what_waits_for_a_connect_is_bounded(pieces: int) -> None:
    server = StrictServer(client_manager=Fanout())
    session: Session = server.eio.sessions.create("session", "192.0.2.1")
    sid = server.manager.pre_connect("session", "/")
    for _ in range(pieces):
        server.emit("news", "x" * (2 * LIMIT // pieces), to=sid)
    assert session.closed is (pieces > 1)
    if session.closed:
        assert session.closed_because == "slow reader"


def test_what_an_application_stores_is_kept_per_client() -> None:
    engine = Engine()
    for sid in ("one", "two"):
        engine.sessions.create(sid, "192.0.2.1")
    with engine.session("one") as stored:
        stored["name"] = "Ming"
    engine.save_session("two", {"name": "Bob"})
    assert [engine.get_session(sid)["name"] for sid in ("one", "two")] == ["Ming", "Bob"]


def test_a_limit_raised_during_connect_applies_to_the_websocket() -> None:
    engine = Engine(cors_allowed_origins="*")
    engine.on("connect", lambda sid, environ: engine.raise_outbox_limit(sid, 5_000_000))
    listener = listen("127.0.0.1", 0, backlog=8)[0]
    Front(engine.loop, nothing_here, handlers={"/engine.io/": engine.handle}).listen(listener)
    with socket.create_connection(listener.getsockname(), timeout=WAIT_S) as peer:
        peer.sendall(HANDSHAKE)
        until(lambda: any(session.state is State.WEBSOCKET for session in engine.sockets.values()))
        (session,) = engine.sockets.values()
        connection = session.transport.connection
        assert connection is not None
        assert connection.limit_bytes == session.limit_bytes == 5_000_000
    until(lambda: not engine.sockets)


def test_a_call_after_reading_comes_after_all_that_was_sent() -> None:
    engine = Engine(cors_allowed_origins="*")
    handled: list[str] = []
    engine.on("message", lambda sid, message: handled.append(message))
    listener = listen("127.0.0.1", 0, backlog=8)[0]
    Front(engine.loop, nothing_here, handlers={"/engine.io/": engine.handle}).listen(listener)
    masked = b"".join(b"\x81\xfe\x0f\xa1" + bytes(4) + b"4" + b"x" * 4000 for _ in range(25))
    with socket.create_connection(listener.getsockname(), timeout=WAIT_S) as peer:
        peer.sendall(HANDSHAKE)
        until(lambda: any(session.state is State.WEBSOCKET for session in engine.sockets.values()))
        (session,) = engine.sockets.values()
        peer.sendall(masked)  # more than one read brings, or one turn handles
        engine.after_read(session.sid, lambda: handled.append("called"))
        until(lambda: "called" in handled)
        assert handled.index("called") == 25
        engine.after_read("nobody", lambda: handled.append("called"))
    until(lambda: not engine.sockets)
    assert handled.count("called") == 1


def test_nothing_more_is_handled_of_a_client_that_has_gone() -> None:
    engine = Engine(cors_allowed_origins="*")
    handled: list[str] = []
    listener = listen("127.0.0.1", 0, backlog=8)[0]
    Front(engine.loop, nothing_here, handlers={"/engine.io/": engine.handle}).listen(listener)
    peer = socket.create_connection(listener.getsockname(), timeout=WAIT_S)
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # so that closing resets it

    def handle(sid: str, message: str) -> None:
        handled.append(message)
        peer.close()

    engine.on("message", handle)
    peer.sendall(HANDSHAKE)
    until(lambda: any(session.state is State.WEBSOCKET for session in engine.sockets.values()))
    peer.sendall((b"\x81\x82" + bytes(4) + b"4x") * 60)
    until(lambda: not engine.sockets)
    assert len(handled) <= 16  # of a turn


def sends(engine: Engine, senders: Sequence[str]) -> None:
    """Let each of these sessions send a message, in one turn of the loop."""
    for sid in senders:
        engine.sockets[sid].deliver("")
        engine.sessions.schedule(engine.sockets[sid])


def joins(engine: Engine, sid: str) -> None:
    """Let a session join, and wait until it counts as quiet."""
    session = engine.sessions.create(sid, "192.0.2.1")
    engine.sessions.admit(session)
    until(lambda: time.monotonic() > session.last_until)


def with_long_turns() -> Engine:
    """An engine whose turns no other program of a busy machine makes shorter; each turn has one busy session."""
    engine = Engine()
    engine.sessions._lane._turn_s = WAIT_S
    return engine


def test_members_do_not_wait_for_a_crowd_of_newcomers() -> None:
    engine, handled = with_long_turns(), list[str]()
    engine.on("message", lambda sid, message: handled.append(sid))
    joins(engine, "member")
    newcomers = [f"newcomer {number}" for number in range(20)]
    for sid in newcomers:
        engine.sessions.create(sid, "192.0.2.1")
    sends(engine, [*newcomers, "member"])
    until(lambda: len(handled) == 21)
    assert handled.index("member") <= 1  # each turn also handles one of those that go last


def test_a_quiet_session_does_not_wait_for_busy_ones() -> None:
    engine, handled = with_long_turns(), list[str]()
    engine.on("message", lambda sid, message: handled.append(sid))
    joins(engine, "quiet")
    busy = [f"busy {number}" for number in range(20)]
    for sid in busy:
        session = engine.sessions.create(sid, "192.0.2.1")
        engine.sessions.admit(session)
        session.served(time.monotonic(), WAIT_S)
    sends(engine, [*busy, "quiet"])
    until(lambda: len(handled) == 21)
    assert handled.index("quiet") <= 1


def test_sessions_of_one_address_have_one_share(monkeypatch: pytest.MonkeyPatch) -> None:
    engine, handled = with_long_turns(), list[str]()
    engine.on("message", lambda sid, message: handled.append(sid))
    joins(engine, "quiet")
    for address in "ab":
        account = AddressBudget(Allowance())
        for number in range(3):
            joins(engine, f"{address}{number}")
            engine.sockets[f"{address}{number}"].account = account
    sends(engine, ["a0"])
    # However long it waits, it remains the one that goes first.
    monkeypatch.setattr(
        "chatroom.engine.sessions.time", SimpleNamespace(monotonic=lambda: time.monotonic() + 60)
    )
    sends(engine, ["a1", "a2", "b0", "b1", "b2", "quiet"])
    until(lambda: len(handled) == 7)
    assert handled == ["a1", "a0", "b0", "quiet", "b1", "a2", "b2"]  # a turn begins with one that goes last


def test_a_session_that_was_interrupted_does_not_go_last() -> None:
    engine = Engine()
    engine.sessions._meter = runtime.Meter(time.monotonic, lambda: 0.0)  # other programs run all the time

    def handle(sid: str, message: str) -> None:
        began = time.monotonic()
        while time.monotonic() < began + 0.01:
            pass

    engine.on("message", handle)
    joins(engine, "interrupted")
    session = engine.sockets["interrupted"]
    session.account = AddressBudget(Allowance())
    sends(engine, ["interrupted"])
    until(lambda: not session.scheduled)
    # What it was charged would put this off: half a second for a whole turn.
    assert session.last_until <= time.monotonic()
    assert session.account.last_until <= time.monotonic()


def test_an_address_that_takes_too_much_goes_last() -> None:
    engine = Engine()
    engine.sessions._meter = runtime.Meter(time.monotonic, time.monotonic)

    def handle(sid: str, message: str) -> None:
        began = time.monotonic()
        while time.monotonic() < began + 0.002:
            pass

    engine.on("message", handle)
    account = AddressBudget(Allowance())
    for number in range(5):
        joins(engine, str(number))
        engine.sockets[str(number)].account = account
    began = time.monotonic()
    sends(engine, "01234")
    until(lambda: not any(session.scheduled for session in engine.sockets.values()))
    # 1 s for the first two, while the last of them waits for the others.
    assert account.last_until >= began + 0.8


def test_session_ids_show_no_counter() -> None:
    engine = Engine()
    numbers = [base64.urlsafe_b64decode(engine.generate_id()) for _ in range(50)]
    assert {len(number) for number in numbers} == {15}  # 120 bits
    for place in range(15):
        assert len({number[place] for number in numbers}) > 25, "a part of them hardly changes"


@pytest.mark.parametrize("kept", [(), ("HTTP_COOKIE",)])
def test_who_a_guest_is_is_not_kept(kept: tuple[str, ...]) -> None:
    engine = Engine(cors_allowed_origins="*", kept_environ=kept)
    environs: list[dict[str, str]] = []
    engine.on("connect", lambda sid, environ: environs.append(environ))
    listener = listen("127.0.0.1", 0, backlog=8)[0]
    Front(engine.loop, nothing_here, handlers={"/engine.io/": engine.handle}).listen(listener)
    told = b"Cookie: who\r\nUser-Agent: me\r\nX-Forwarded-For: 1.2.3.4\r\nForwarded: for=1.2.3.4\r\n"
    with socket.create_connection(listener.getsockname(), timeout=WAIT_S) as peer:
        peer.sendall(HANDSHAKE.replace(b"Upgrade: websocket\r\n", b"Upgrade: websocket\r\n" + told))
        until(lambda: bool(environs))
    assert set(environs[0]) == {"REMOTE_ADDR", *kept}
    until(lambda: not engine.sockets)


def test_what_was_sent_is_forgotten() -> None:
    engine = Engine()
    session = engine.sessions.create("session", "192.0.2.1")
    session.begin(Polling(session, engine.sessions, FinalPayloads(engine.sessions.relief)))
    engine.forget_sent()  # what other tests have sent
    caches = (packets.text_packet, polling._encoded)
    engine.send_to(session, "a secret")
    assert [cache.cache_info().currsize for cache in caches] == [1, 1]
    engine.forget_sent()
    assert [cache.cache_info().currsize for cache in caches] == [0, 0]
