"""A connection that died silently: noticed when it matters and replaced, with no message lost or sent twice."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from tests.browser.relay import Relay
from tests.browser.visit import Visit, Visitor
from tests.support.guests import Guest, Guests
from tests.support.program import Program

# What a browser does when a person comes back, or the network does.
SIGNS = {
    "visible": "() => document.dispatchEvent(new Event('visibilitychange'))",
    "online": "() => dispatchEvent(new Event('online'))",
    "focus": "() => dispatchEvent(new Event('focus'))",
    "pageshow": "() => dispatchEvent(new PageTransitionEvent('pageshow', {persisted: true}))",
    # Timers stood still and the clock went on.
    "sleep": "() => { const now = Date.now; Date.now = () => now() + 30_000 }",
}
# A dead connection would be noticed by itself only after 45 s.
NOTICED_MS = 15_000


@pytest.fixture(scope="module")
def polling_relay(server: Program) -> Iterator[Relay]:
    """A relay that lets no WebSocket through."""
    relay = Relay(server.port, rewrite=(b"Upgrade: websocket", b"Upgrade: nonsenses"))
    yield relay
    relay.close()


@pytest.fixture(params=["websocket", "polling"])
def either_relay(
    shared_relay: Relay, polling_relay: Relay, request: pytest.FixtureRequest
) -> Iterator[Relay]:
    """A relay to the server, over either transport."""
    relay = polling_relay if request.param == "polling" else shared_relay
    yield relay
    relay.reset()


def enters(visit: Visit, relay: Relay) -> Visitor:
    visitor = visit(url=relay.url)
    visitor.lossy = True
    visitor.enter()
    visitor.sends("before")
    return visitor


def sid_of(fox: Guest, name: str) -> str:
    (sid,) = [sid for who, sid in fox.asks("who")["name_list"] if who == name]
    return str(sid)


def test_a_dead_connection_is_replaced_at_a_sign(visit: Visit, guests: Guests, either_relay: Relay) -> None:
    fox = guests(username="fox")
    visitor = enters(visit, either_relay)
    name, sid = visitor.name, sid_of(fox, visitor.name)
    either_relay.swallow()
    fox.sends("meanwhile")
    visitor.page.evaluate(SIGNS["focus"])
    expect(visitor.bar).to_have_text(re.compile("Reconnected"), timeout=NOTICED_MS)
    visitor.sees("meanwhile")
    visitor.sends("after")
    assert visitor.texts() == ["before", "meanwhile", "after"]
    assert visitor.name == name
    # One member, not the earlier session.
    assert sid_of(fox, name) != sid


def test_each_sign_checks_the_connection(visit: Visit) -> None:
    visitor = visit()
    checks: list[str] = []
    answers: list[str] = []
    with visitor.page.expect_websocket() as socket:
        visitor.enter()
    socket.value.on("framesent", lambda packet: checks.extend(re.findall(r'^42(\d+)\[.*"ping"', str(packet))))
    socket.value.on("framereceived", lambda packet: answers.extend(re.findall(r"^43(\d+)\[", str(packet))))
    for number, sign in enumerate(SIGNS.values(), 1):
        visitor.page.evaluate(sign)

        def is_answered(number: int = number) -> bool:
            return len(checks) == number and checks[-1] in answers

        visitor.waits_until(is_answered)  # while one check is under way, no other begins


def test_a_dead_connection_is_replaced_when_a_message_is_unanswered(
    visit: Visit, guests: Guests, either_relay: Relay
) -> None:
    fox = guests(username="fox")
    visitor = enters(visit, either_relay)
    either_relay.swallow()
    visitor.writes("into the void")
    expect(visitor.message("into the void")).to_have_class(re.compile("sending"))
    expect(visitor.bar).to_have_text(re.compile("Reconnect"), timeout=NOTICED_MS)
    expect(visitor.message("into the void")).not_to_have_class(re.compile("sending"))
    assert [entry["msg"] for entry in fox.asks("history", limit=9)["entries"]] == ["before", "into the void"]
    assert visitor.texts() == ["before", "into the void"]


@pytest.mark.slow
def test_each_of_several_dead_connections_is_replaced(visit: Visit, polling_relay: Relay) -> None:
    # A browser opens six connections to a host: dead ones must not use them up.
    visitor = enters(visit, polling_relay)
    for turn in range(5):
        polling_relay.swallow()
        visitor.writes(f"turn {turn}")
        expect(visitor.message(f"turn {turn}")).not_to_have_class(re.compile("sending"), timeout=NOTICED_MS)
    assert visitor.texts() == ["before", *(f"turn {turn}" for turn in range(5))]


def test_a_busy_page_keeps_its_connection(visit: Visit, guests: Guests, either_relay: Relay) -> None:
    fox = guests(username="fox")
    visitor = enters(visit, either_relay)
    sid = sid_of(fox, visitor.name)
    visitor.page.evaluate(
        "() => { dispatchEvent(new Event('focus'));"
        " const end = performance.now() + 2_600; while (performance.now() < end); }"
    )
    visitor.sends("still here")
    visitor.page.evaluate(SIGNS["focus"])
    visitor.sends("and here")
    assert sid_of(fox, visitor.name) == sid


@pytest.mark.slow
def test_a_slow_link_keeps_its_connection(visit: Visit, guests: Guests, relay: Relay) -> None:
    fox = guests(username="fox")
    visitor = enters(visit, relay)
    relay.slow(1.1)  # a round trip takes longer than the least that an answer is waited for
    relay.cut()
    relay.restore()
    expect(visitor.bar).to_have_text(re.compile("Reconnected"), timeout=60_000)
    sid = sid_of(fox, visitor.name)
    for turn in range(2):
        for sign in ("visible", "focus", "online"):
            visitor.page.evaluate(SIGNS[sign])
        visitor.writes(f"turn {turn}")
        expect(visitor.message(f"turn {turn}")).not_to_have_class(re.compile("sending"))
    assert sid_of(fox, visitor.name) == sid
