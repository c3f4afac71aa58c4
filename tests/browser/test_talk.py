"""People talk: pages with pages, with seed clients, over cuts, restarts and reloads."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import FOREIGN_HOST
from tests.browser.relay import Relay
from tests.browser.visit import Visit
from tests.support.guests import Guest, Guests
from tests.support.program import Program, Start, free_port


@pytest.mark.parametrize("host", ["localhost", FOREIGN_HOST])
def test_two_people_talk(visit: Visit, server: Program, host: str) -> None:
    url = f"http://{host}:{server.port}"
    one, other = visit(url=url).enter(), visit(url=url).enter()
    secure = one.page.evaluate("() => window.isSecureContext")
    assert secure == (host == "localhost")
    one.sends("hello")
    other.sees("hello")
    other.sends("hello yourself")
    one.sees("hello yourself")
    assert one.texts() == other.texts() == ["hello", "hello yourself"]
    expect(other.message("hello").locator(".name")).to_have_text(one.name)


def test_a_seed_client_and_the_page_talk(visit: Visit, server: Program, guests: Guests) -> None:
    seed = Guest(server.url, None).enter()
    visitor = visit(room=None).enter()
    seed.emit({"action": "send msg", "username": seed.name, "msg": "from the seed"})
    visitor.sees("from the seed")
    visitor.sends("from the page")
    assert seed.receives("message", username=visitor.name)["msg"] == "from the page"
    seed.leaves()


def test_earlier_messages_are_shown(visit: Visit, guests: Guests) -> None:
    guests(username="fox").sends("earlier")
    visitor = visit().enter()
    visitor.sees("earlier")
    expect(visitor.page.locator(".grey").last).to_have_text(f"You are {visitor.name}.")


def test_a_new_name_is_shown(visit: Visit, guests: Guests) -> None:
    fox = guests(username="fox")
    visitor = visit().enter()
    fox.sends("hello")
    fox.asks("rename", username="wolf")
    expect(visitor.page.get_by_text("fox is now called wolf.")).to_be_visible()
    # Not by the name alone: the visitor may be called "Grey Wolf".
    wolf = visitor.page.locator(".rail").get_by_role("button", name="Whisper to wolf", exact=True)
    expect(wolf).to_be_visible()


def test_a_reload_keeps_name_talk_and_draft(visit: Visit) -> None:
    visitor = visit().enter()
    visitor.sends("before")
    name = visitor.name
    visitor.composer.fill("half a thou")
    visitor.page.reload()
    expect(visitor.chip).to_have_text(name)
    visitor.sees("before")
    expect(visitor.composer).to_have_value("half a thou")


def test_a_name_chosen_outlives_a_reload(visit: Visit) -> None:
    visitor = visit().enter()
    visitor.writes("/name river")
    expect(visitor.chip).to_have_text("river")
    visitor.page.reload()
    expect(visitor.chip).to_have_text("river")


@pytest.mark.slow
def test_after_many_cuts_nothing_is_missed_or_sent_twice(visit: Visit, guests: Guests, relay: Relay) -> None:
    fox = guests(username="fox")
    visitor = visit(url=relay.url).enter()
    visitor.lossy = True
    name = visitor.name
    expected = []
    for turn in range(6):
        fox.sends(f"fox {turn}")
        relay.hold()
        visitor.writes(f"page {turn}")
        expected += [f"fox {turn}", f"page {turn}"]
        relay.cut()
        relay.release()
        relay.restore()
        expect(visitor.message(f"page {turn}")).to_be_visible()
        expect(visitor.message(f"page {turn}")).not_to_have_class(re.compile("sending"))
    assert visitor.texts() == expected
    assert [entry["msg"] for entry in fox.asks("history", limit=100)["entries"]] == expected
    assert visitor.name == name


@pytest.mark.slow
def test_the_server_is_killed_and_started_again_in_mid_talk(visit: Visit, start: Start, room: str) -> None:
    server = start("--limits", "off", port=free_port())
    visitor = visit(url=server.url).enter()
    visitor.lossy = True
    name = visitor.name
    visitor.sends("before")
    server.kill()
    visitor.writes("while it is away")
    expect(visitor.bar).to_have_text("Reconnecting… Your messages will be sent once you are back online.")
    server = start("--limits", "off", port=server.port)
    visitor.sees("while it is away")
    expect(visitor.message("while it is away")).not_to_have_class(re.compile("sending"))
    assert visitor.name == name
    assert visitor.texts() == ["before", "while it is away"]
    fox = Guest(server.url, {"room": room, "v": 1}).enter()
    assert [entry["msg"] for entry in fox.you["history"]] == ["before", "while it is away"]
    fox.leaves()


def test_coming_back_to_the_tab_reconnects_at_once(visit: Visit, relay: Relay) -> None:
    visitor = visit(url=relay.url, own=True)  # the clock is its whole context's
    visitor.page.clock.install()
    with visitor.page.expect_websocket() as socket:
        visitor.enter()
    visitor.lossy = True
    # The page's clock stands still: no pause before another try comes to its end. It skips less time than the
    # page waits for a ping before it closes its connection.
    visitor.page.clock.pause_at(visitor.page.evaluate("() => Date.now()") / 1000 + 5)
    with socket.value.expect_event("close"):
        relay.cut()
    relay.restore()
    with visitor.page.expect_websocket():
        visitor.page.evaluate("() => dispatchEvent(new Event('online'))")
    visitor.page.clock.resume()  # what comes is drawn by the clock
    visitor.sends("back")


def test_where_no_websocket_passes_polling_does(visit: Visit, guests: Guests, server: Program) -> None:
    fox = guests(username="fox")
    # As behind a proxy that knows nothing of upgrades.
    relay = Relay(server.port, rewrite=(b"Upgrade: websocket", b"Upgrade: nonsenses"))
    visitor = visit(url=relay.url)
    visitor.lossy = True
    visitor.enter()
    visitor.sends("by the long way")
    assert fox.receives("message")["msg"] == "by the long way"
    fox.sends("and back")
    visitor.sees("and back")
    relay.close()


def test_another_room_by_command(visit: Visit, guests: Guests, room: str) -> None:
    visitor = visit().enter()
    visitor.sends("in the old room")
    visitor.writes(f"/join {room} den")
    expect(visitor.page.locator(".head h1")).to_have_text(f"{room} den")
    expect(visitor.page.locator(".welcome")).to_be_visible()
    expect(visitor.page).to_have_url(f"{visitor.url}/r/{(room + ' den').replace(' ', '%20')}")


def test_an_unknown_command_is_not_sent(visit: Visit) -> None:
    visitor = visit().enter()
    visitor.writes("/nonsense at all")
    expect(visitor.page.locator(".under")).to_have_text(
        "No such command. To whisper, type /to NAME TEXT. To send it as a message, begin it with /say."
    )
    expect(visitor.composer).to_have_value("/nonsense at all")
    expect(visitor.page.locator("article")).to_have_count(0)


def test_a_new_room_has_an_address_that_nobody_can_guess(visit: Visit) -> None:
    visitor = visit().enter()
    visitor.button("More").click()
    visitor.page.get_by_role("link", name="New room").click()
    visitor.page.wait_for_url(re.compile(r"/r/[a-z2-9]{16}$"))
    expect(visitor.page.get_by_text("No one else is here yet.")).to_be_visible()
