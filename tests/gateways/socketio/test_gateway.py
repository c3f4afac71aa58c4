"""The Socket.IO gateway over a service in memory: what each kind of request costs whom."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping
from functools import partial
from types import FrameType
from typing import Any

import pytest

from chatroom.backplane import Keys
from chatroom.core.budgets import Kind
from chatroom.core.roster import SMALL_ROOM
from chatroom.engine.session import INBOX_HIGH
from tests.support.chat import ADDRESS, Chat, Client
from tests.support.inside import no_collector, until

# What each is counted as, besides as an event.
KINDS: dict[Kind, Callable[[Client], Any]] = {
    Kind.PING: lambda client: client.asks("ping"),
    Kind.LANG: lambda client: client.asks("lang", lang="en"),
    Kind.HELP: lambda client: client.asks("message", msg="/help"),
    Kind.ROOMS: lambda client: client.asks("message", msg="/rooms"),
    Kind.WHO: lambda client: client.asks("who", sid=client.sid),
    Kind.TALK: lambda client: client.asks("message", msg="to:"),
    Kind.OTHER: lambda client: client.asks("join", room="lobby"),  # where it is
}


@pytest.mark.parametrize("kind", list(KINDS), ids=lambda kind: kind.name)
def test_each_kind_of_request_has_a_budget_of_its_own(kind: Kind) -> None:
    chat = Chat()
    client, budget = chat.joins(), chat.addresses.budget_of(ADDRESS)
    before = {one: budget.used(one, chat.now) for one in Kind}
    assert KINDS[kind](client)["ok"]
    used = {one for one in Kind if budget.used(one, chat.now) > before[one]}
    assert used - {Kind.CPU} == {Kind.EVENT, kind}


def test_no_request_costs_more_in_a_large_room() -> None:
    """Except for the list of names; as calls of functions, not as time."""
    requests: dict[str, dict[str, object]] = {
        "message": {"msg": "hello"},
        "whisper": {"to": "Anna 1", "msg": "hello"},
        "rename": {"username": "Romeo"},
        "history": {"limit": 50},
        "who": {"sid": "filler 1"},
        "typing": {},
        "lang": {"lang": "zh"},
    }
    typed = ("/to Anna x", "to:Anna", "to:", "tp Anna x", "Anna: x", "/who", "/join a")
    asked: list[tuple[str, Mapping[str, object]]] = [
        *requests.items(),
        *(("message", {"msg": text}) for text in typed),
    ]
    calls: list[dict[str, int]] = []
    for names in (300, 900):
        chat = Chat()
        chat.fill("lobby", [f"Anna {number}" for number in range(names)])
        calls.append({})
        for action, fields in asked:
            for _ in range(2):  # the first time, some is made once, and remembered
                client = chat.joins(username="Tybalt")
                calls[-1][f"{action} {fields}"] = count_calls(client, action, fields)
                chat.now += 1000  # it may owe computing time
                client.sends('2["msg",{"action":"logout"}]')
    few, many = calls
    assert {each: (few[each], many[each]) for each in few if many[each] > 1.2 * few[each] + 20} == {}


def count_calls(client: Client, action: str, fields: Mapping[str, object]) -> int:
    """How many functions are called for a request."""
    calls = 0

    def count(_frame: FrameType, event: str, _function: object) -> None:
        nonlocal calls
        calls += event in ("call", "c_call")

    packet = f"2{json.dumps(['msg', {'action': action, **fields}])}"
    before = sys.getprofile()
    with no_collector():
        sys.setprofile(count)
        client.sends(packet)
        sys.setprofile(before)
    return calls


def test_only_announced_names_are_shown_as_typing() -> None:
    chat = Chat()
    chat.fill("lobby", [f"Anna {number}" for number in range(SMALL_ROOM)])
    romeo = chat.joins(username="Romeo")
    tybalt = chat.joins("192.0.2.2", username="Tybalt")
    frames: list[Any] = []

    def has_received(action: str) -> bool:
        frames.extend(romeo.received())
        return any(frame["action"] == action for frame in frames)

    assert tybalt.asks("typing")["ok"]
    assert tybalt.asks("rename", username="Prince of Cats")["ok"]
    assert tybalt.asks("typing")["ok"]
    assert not has_received("rename")
    assert not has_received("typing")
    until(lambda: has_received("rename"))
    chat.now += 1000  # one is passed on now and then
    assert tybalt.asks("typing")["ok"]
    until(lambda: has_received("typing"))
    assert frames[-1] == {"action": "typing", "username": "Prince of Cats"}
    assert [frame["action"] for frame in frames[-3:]] == ["login", "rename", "typing"]


def test_a_refused_event_is_charged_its_computing_time() -> None:
    chat = Chat()
    client, budget = chat.joins(), chat.addresses.budget_of(ADDRESS)
    while not budget.used(Kind.REFUSAL, chat.now):
        client.sends('2["msg",{"action":"ping"}]')
    before = budget.used(Kind.CPU, chat.now)
    for _ in range(3):  # unread
        client.sends('2["msg",{"action":"ping"}]')
    assert budget.used(Kind.REFUSAL, chat.now) == pytest.approx(4 / 300)
    assert budget.used(Kind.CPU, chat.now) > before


def test_a_waiting_refusal_is_kept_for_a_restart(monkeypatch: pytest.MonkeyPatch) -> None:
    chat = Chat()
    client = chat.joins()
    kept: list[bool] = []

    def save_key(_kind: Keys, _key: bytes, is_kept: bool, done: Callable[[], None]) -> None:
        kept.append(is_kept)
        done()

    monkeypatch.setattr(chat.backplane, "save_key", save_key)
    client.sends('27["msg",{"action":"message","msg":"to:Nobody"}]')
    assert kept == [True]
    chat.now += 1
    until(lambda: kept == [True, False])  # it has been answered


def test_who_sends_faster_than_the_server_handles_is_warned() -> None:
    chat = Chat()
    client = chat.joins()
    assert client.asks("ping")["ok"]
    client.session.schedule(float("-inf"))
    for _ in range(INBOX_HIGH):
        client.session.deliver('2["msg",{"action":"ping"}]')
    client.sends('2["msg",{"action":"ping"}]')
    until(lambda: client.session.transport.waiting_bytes > 0)
    assert [frame["code"] for frame in client.received()] == ["rate_limited"]


def test_choosing_the_same_language_keeps_the_audience() -> None:
    chat = Chat()
    romeo, juliet = chat.joins(), chat.joins()
    assert romeo.asks("message", msg="hello")["ok"]
    audiences = chat.gateway._server.manager._namespaces["/"].recipients
    kept = dict(audiences)
    assert juliet.asks("lang", lang="en")["ok"]
    assert audiences == kept
    assert juliet.asks("lang", lang="zh")["ok"]
    assert audiences != kept


def reader_of_a_long_history(chat: Chat) -> Client:
    writer = chat.joins(username="Tybalt")
    for number in range(8):
        writer.sends("2" + json.dumps(["msg", {"action": "message", "msg": f"{number}" + "\u4e00" * 1900}]))
    reader = Client(chat, "reader", "192.0.2.9")
    reader.enters()
    return reader


def test_who_has_not_read_a_page_gets_no_other() -> None:
    reader = reader_of_a_long_history(Chat())
    page = json.dumps(["msg", {"action": "history", "limit": 200}])
    reader.sends(f"27{page}")
    reader.sends(f"27{page}")
    answers = reader.received(acks=True)
    assert [answer.get("code") for answer in answers] == [None, "rate_limited"]
    assert len(answers[0]["entries"]) == 8
    assert len(reader.asks("history", limit=200)["entries"]) == 8


def test_who_moves_between_two_polls_gets_the_history() -> None:
    chat = Chat(outbox_limit_bytes=100_000)
    reader = reader_of_a_long_history(chat)
    welcomes = moves(reader, "other", "lobby", "other", "lobby", "other", "lobby")
    histories = [(len(you["history"]), you["gap"]) for you in welcomes]
    # Only what would be more than may wait is left out.
    assert histories[1::2] == [(8, False), (8, False), (0, True)]
    assert len(reader.asks("history", limit=200)["entries"]) == 8
    chat.now += 60  # it may move again
    assert [len(you["history"]) for you in moves(reader, "other", "lobby")] == [0, 8]


def moves(reader: Client, *rooms: str) -> list[Any]:
    """The welcome to each room, for a client that reads nothing meanwhile."""
    for number, room in enumerate(rooms, 1):
        reader.sends(f'2["msg",{{"action":"join","room":"{room}"}}]')
        until(partial(reader.has_waiting, b'"login"', number))
    return [packet["you"] for packet in reader.received() if packet["action"] == "login"]
