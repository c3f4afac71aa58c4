"""The Socket.IO gateway over a service in memory: what each kind of request costs whom."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from chatroom.core.budgets import Kind
from tests.support.chat import ADDRESS, Chat, Client

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
