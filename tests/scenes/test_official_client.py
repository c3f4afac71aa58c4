"""The official `socket.io-client` from npm, on Node, works with the server as with Socket.IO's own."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.support.guests import POLLING, UPGRADE, WEBSOCKET, Guests
from tests.support.node import NodeGuest
from tests.support.program import Program, Start, free_port


@pytest.fixture
def officials(server: Program, room: str) -> Iterator[Callable[..., NodeGuest]]:
    """Lets official clients join this play's room; keywords other than `transports` and `url` go into `auth`."""
    present: list[NodeGuest] = []

    def enter(url: str | None = None, transports: list[str] = WEBSOCKET, **auth: Any) -> NodeGuest:
        guest = NodeGuest(url or server.url, {"room": room, "v": 1, **auth}, transports=transports)
        present.append(guest)
        return guest

    yield enter
    for guest in present:
        guest.leaves()


@pytest.mark.parametrize(
    ("transports", "first"),
    [(POLLING, "polling"), (UPGRADE, "polling"), (WEBSOCKET, "websocket")],
    ids=["polling", "upgrade", "websocket"],
)
def test_it_talks_over_every_transport(
    officials: Callable[..., NodeGuest], guests: Guests, transports: list[str], first: str
) -> None:
    romeo = officials(transports=transports)
    romeo.sees("open", transport=first)
    expected = ["connect", "msg", "upgrade"] if transports == UPGRADE else ["connect", "msg"]
    sid = romeo.sees_one_of_each(*expected)["connect"]["sid"]
    login = romeo.receives("login")
    assert (login["sid"], login["you"]["sid"]) == (sid, sid)
    juliet = guests()
    romeo.receives("login", username=juliet.name)
    answer = romeo.sends("hello, 朱丽叶 🌹")
    assert juliet.receives("message", msg="hello, 朱丽叶 🌹", sid=sid)["id"] == answer["id"]
    juliet.sends("good night")
    romeo.receives("message", msg="good night", username=juliet.name)


def test_without_auth_it_enters_the_lobby(server: Program, guests: Guests) -> None:
    witness = guests(room="lobby")
    seed = NodeGuest(server.url)
    try:
        login = seed.receives("login")
        assert login["room"] == "lobby"
        witness.receives("login", sid=login["sid"])
    finally:
        seed.leaves()


def test_a_refusal_is_a_connect_error_with_data(officials: Callable[..., NodeGuest], guests: Guests) -> None:
    guests(username="Romeo")
    double = officials(username="romeo")
    refusal = double.sees("connect_error")
    assert refusal["data"] == {"code": "name_taken", "name": "romeo"}
    assert refusal["message"]
    double.sees_nothing("connect", 0.5)


def test_it_comes_back_by_itself_after_its_connection_was_cut(
    officials: Callable[..., NodeGuest], guests: Guests
) -> None:
    romeo, juliet = officials(transports=UPGRADE), guests()
    romeo.sees_one_of_each("connect", "msg", "upgrade")
    sid = romeo.receives("login")["sid"]
    romeo.is_cut()
    juliet.receives("logout", sid=sid)
    back = romeo.sees("connect")["sid"]
    assert romeo.receives("login")["sid"] == back != sid
    juliet.receives("login", sid=back)


@pytest.mark.parametrize("transports", [POLLING, WEBSOCKET], ids=["polling", "websocket"])
def test_it_comes_back_by_itself_after_a_restart(
    officials: Callable[..., NodeGuest], start: Start, transports: list[str]
) -> None:
    program = start("--limits", "off", port=free_port())
    romeo = officials(url=program.url, transports=transports)
    romeo.receives("login")
    romeo.sends("before")
    program.signal(signal.SIGTERM)
    romeo.receives("notice", code="closing")
    assert romeo.sees("disconnect")["comes_back"] is True
    assert program.wait(5) == 0
    start("--limits", "off", port=program.port)
    romeo.sees("connect")
    login = romeo.receives("login")
    assert [entry["msg"] for entry in login["you"]["history"]] == ["before"]


def test_a_replaced_client_stays_away(officials: Callable[..., NodeGuest], guests: Guests) -> None:
    older = officials(username="Romeo")
    token = older.receives("login")["you"]["token"]
    newer = guests(token=token)
    assert newer.name == "Romeo"
    older.receives("notice", code="replaced")
    assert older.sees("disconnect") == {
        "event": "disconnect",
        "reason": "io server disconnect",
        "comes_back": False,
    }
    older.sees_nothing("connect", 0.5)
    assert newer.asks("who")["count"] == 1
