"""Addresses: every room has one that survives proxies, other programs and the Back button."""

from __future__ import annotations

import json
import re
from urllib.parse import quote

import pytest
from playwright.sync_api import WebSocketRoute, expect

from tests.browser.relay import Relay
from tests.browser.visit import PHONE, Visit, Visitor
from tests.support.guests import Guests
from tests.support.program import Program


def test_under_a_path_that_a_proxy_strips(visit: Visit, server: Program) -> None:
    proxy = Relay(server.port, rewrite=(b" /chat/", b" /"))
    root = f"{proxy.url}/chat"
    visitor = visit(url=root, room="茶馆 1").enter()
    visitor.sends("under a path")
    visitor.button("Invite").click()
    expect(visitor.page.get_by_role("dialog").locator(".address")).to_have_text(f"{root}/r/{quote('茶馆 1')}")
    visitor.page.keyboard.press("Escape")
    visitor.writes("/join 茶馆 2")
    expect(visitor.page.locator(".head h1")).to_have_text("茶馆 2")
    expect(visitor.page).to_have_url(f"{root}/r/{quote('茶馆 2')}")
    # What is asked for later, when the page's own address has changed, is found as well.
    visitor.composer.fill("/")
    expect(visitor.page.get_by_role("option").first).to_be_visible()
    visitor.page.goto(f"{root}/")
    expect(visitor.page.locator(".head h1")).to_have_text("Lobby")
    expect(visitor.page).to_have_title("Lobby")
    proxy.close()


@pytest.mark.parametrize("files", ["**/boot.js", "**/assets/*.js", "**/*.js"])
def test_a_page_whose_scripts_do_not_load_says_so(visit: Visit, files: str) -> None:
    visitor = visit()
    visitor.lossy = True
    visitor.page.route(files, lambda route: route.fulfill(status=404, body="not found"))
    visitor.go()
    if files == "**/boot.js":
        expect(visitor.chip).to_be_visible()  # the chat works without
        expect(visitor.page.locator("#unloaded")).to_have_count(0)
        return
    sentence = visitor.page.get_by_text("The chat did not load.")
    expect(sentence).to_be_visible()
    box = sentence.bounding_box()
    assert box is not None
    assert box["y"] > 0
    size = visitor.page.viewport_size
    assert size is not None
    assert box["y"] + box["height"] < size["height"]
    expect(visitor.page.get_by_text("聊天室没有加载出来")).to_be_in_viewport()
    visitor.is_accessible("scripts that do not load")


def test_a_history_that_the_server_left_out_is_asked_for(visit: Visit, guests: Guests) -> None:
    visitor = visit()
    other = f"{visitor.room} next"
    talker = guests(room=other)
    talker.sends("hello")

    def leave_out(route: WebSocketRoute) -> None:
        server = route.connect_to_server()

        def pass_on(packet: str | bytes) -> None:
            if isinstance(packet, str) and f'"room":"{other}"' in packet and packet.startswith('42["msg",'):
                event, frame = json.loads(packet[2:])
                if "you" in frame:
                    frame["you"] |= {"history": [], "gap": True}
                    packet = f"42{json.dumps([event, frame])}"
            route.send(packet)

        server.on_message(pass_on)

    visitor.page.route_web_socket(re.compile("socket.io"), leave_out)
    visitor.enter()
    visitor.writes(f"/join {other}")
    visitor.sees("hello")
    talker.sends("again")
    visitor.sees("again")
    assert visitor.texts() == ["hello", "again"]


def test_an_invalid_room_address_leads_to_the_lobby(visit: Visit) -> None:
    visitor = visit(room=None)
    visitor.lossy = True  # the browser logs a 404
    for path in ("/r/", "/r/a/b", "/nowhere/"):
        visitor.page.goto(visitor.url + path)
        heading = visitor.page.get_by_role("heading").first
        expect(heading, path).to_have_text(
            "There is no such room." if path != "/nowhere/" else "There is nothing at this address."
        )
        if path != "/r/":
            visitor.shows("no-such-room" if path != "/nowhere/" else "no-such-address")
        visitor.page.get_by_role("link", name="Go to the lobby").click()
        expect(visitor.page.locator(".head h1"), path).to_have_text("Lobby")


def joins(visitor: Visitor, room: str) -> None:
    visitor.writes(f"/join {room}")
    in_room(visitor, room)


def in_room(visitor: Visitor, room: str) -> None:
    expect(visitor.page.locator(".head h1")).to_have_text(room)
    expect(visitor.page).to_have_url(f"{visitor.url}/r/{quote(room)}")


def test_back_and_forward_move_between_rooms_without_loading_the_page(visit: Visit, room: str) -> None:
    visitor = visit().enter()
    visitor.page.evaluate("() => { window.same = true }")
    name = visitor.name
    visitor.sends("in the first")
    second, third = f"{room} 茶馆", f"{room} 3"
    joins(visitor, second)
    visitor.sends("in the second")
    joins(visitor, third)
    visitor.page.go_back()
    in_room(visitor, second)
    visitor.sees("in the second")
    visitor.page.go_back()
    in_room(visitor, room)
    visitor.sees("in the first")
    assert visitor.texts() == ["in the first"]
    visitor.page.go_forward()
    visitor.page.go_forward()
    in_room(visitor, third)
    visitor.sends("in the third")
    visitor.page.evaluate("() => { history.go(-2) }")
    in_room(visitor, room)
    assert visitor.page.evaluate("() => window.same")
    assert visitor.name == name


def test_pressing_back_twice_at_once_ends_where_the_address_sends(
    visit: Visit, room: str, relay: Relay
) -> None:
    visitor = visit(url=relay.url).enter()
    rooms = [room, f"{room} 2", f"{room} 3", f"{room} 4"]
    for other in rooms[1:]:
        joins(visitor, other)
    relay.hold()
    visitor.page.evaluate("() => { history.back(); setTimeout(() => history.back(), 50) }")
    expect(visitor.page).to_have_url(f"{relay.url}/r/{quote(rooms[1])}")
    relay.release()
    in_room(visitor, rooms[1])
    visitor.page.go_forward()
    in_room(visitor, rooms[2])
    visitor.page.go_forward()
    in_room(visitor, rooms[3])


def test_back_closes_a_sheet_first_and_then_leaves_the_room(visit: Visit, room: str) -> None:
    visitor = visit().enter()
    joins(visitor, f"{room} 2")
    visitor.button("Invite").click()
    expect(visitor.page.get_by_role("dialog")).to_be_visible()
    visitor.page.go_back()
    expect(visitor.page.get_by_role("dialog")).to_have_count(0)
    in_room(visitor, f"{room} 2")
    visitor.button("More").click()
    expect(visitor.page.get_by_role("dialog")).to_be_visible()
    visitor.closes_sheet()
    visitor.page.go_back()
    in_room(visitor, room)
    visitor.page.go_forward()
    in_room(visitor, f"{room} 2")


def test_an_open_sheet_leaves_no_entry_when_the_room_changes(visit: Visit, room: str, relay: Relay) -> None:
    visitor = visit(url=relay.url).enter()
    # The menu's own script is loaded when it opens first.
    visitor.button("More").click()
    expect(visitor.page.get_by_role("link", name="New room")).to_be_visible()
    visitor.page.keyboard.press("Escape")
    expect(visitor.page.get_by_role("dialog")).to_have_count(0)
    relay.hold()
    visitor.writes(f"/join {room} 2")
    visitor.button("More").click()
    expect(visitor.page.get_by_role("dialog")).to_be_visible()
    relay.release()
    in_room(visitor, f"{room} 2")
    visitor.closes_sheet()
    visitor.page.go_back()
    in_room(visitor, room)


def test_a_room_changed_during_back_has_its_address(visit: Visit, room: str) -> None:
    visitor = visit().enter()
    there = f"{room} 2"
    # The browser takes its time to go back, as it may.
    visitor.page.evaluate(
        "() => { const back = history.back.bind(history);"
        " history.back = () => (window.goesBack = back, history.back = back) }"
    )
    visitor.button("More").click()
    expect(visitor.page.get_by_role("dialog")).to_be_visible()
    visitor.page.keyboard.press("Escape")
    expect(visitor.page.get_by_role("dialog")).to_have_count(0)
    visitor.writes(f"/join {there}")
    expect(visitor.page.locator(".head h1")).to_have_text(there)
    visitor.page.evaluate("() => window.goesBack()")
    in_room(visitor, there)
    visitor.page.go_back()
    in_room(visitor, room)


def test_a_room_joined_after_forward_has_its_address(visit: Visit, room: str) -> None:
    visitor = visit().enter()
    visitor.button("More").click()
    expect(visitor.page.get_by_role("dialog")).to_be_visible()
    visitor.closes_sheet()
    visitor.page.go_forward()
    visitor.waits_until(lambda: visitor.page.evaluate("() => history.state !== null"))
    joins(visitor, f"{room} 2")
    visitor.page.reload()
    in_room(visitor, f"{room} 2")
    visitor.page.go_back()
    in_room(visitor, room)


def test_a_room_joined_during_back_wins(visit: Visit, room: str, relay: Relay) -> None:
    visitor = visit(url=relay.url).enter()
    joins(visitor, f"{room} 2")
    relay.hold()
    visitor.page.evaluate("() => history.back()")
    expect(visitor.page).to_have_url(f"{relay.url}/r/{quote(room)}")
    visitor.writes(f"/join {room} 3")
    relay.release()
    in_room(visitor, f"{room} 3")
    visitor.page.go_back()
    in_room(visitor, room)


def test_back_joins_under_another_name_where_it_is_taken(visit: Visit, guests: Guests, room: str) -> None:
    visitor = visit().enter()
    name = visitor.name
    joins(visitor, f"{room} 2")
    guests(username=name)
    visitor.page.go_back()
    in_room(visitor, room)
    expect(visitor.chip).not_to_have_text(name)
    visitor.sends("back under another name")


def test_back_while_the_connection_is_gone_enters_when_it_returns(
    visit: Visit, guests: Guests, room: str, relay: Relay
) -> None:
    fox = guests(username="fox")
    visitor = visit(url=relay.url)
    visitor.lossy = True
    visitor.enter()
    joins(visitor, f"{room} 2")
    relay.cut()
    expect(visitor.bar).to_have_text(re.compile("Reconnecting"))
    visitor.page.go_back()
    expect(visitor.page.locator(".head h1")).to_have_text(room)
    relay.restore()
    expect(visitor.chip).to_be_visible()
    fox.sends("welcome back")
    visitor.sees("welcome back")
    in_room(visitor, room)


def test_back_while_the_page_connects_needs_no_second_attempt(visit: Visit, room: str, relay: Relay) -> None:
    visitor = visit(url=relay.url)
    visitor.lossy = True
    visitor.enter()
    joins(visitor, f"{room} 2")
    relay.cut()
    expect(visitor.bar).to_have_text(re.compile("Reconnecting"))
    relay.hold()
    with visitor.page.expect_websocket():
        relay.restore()
    attempts: list[str] = []
    visitor.page.on("websocket", lambda attempt: attempts.append(attempt.url))
    visitor.page.go_back()
    expect(visitor.page.locator(".head h1")).to_have_text(room)
    relay.release()
    visitor.sends("here again")
    in_room(visitor, room)
    assert attempts == []
    # As the browser says of an attempt that is given up.
    assert not any("before the connection is established" in fault for fault in visitor.faults)


def test_a_link_in_a_message_opens_a_chinese_room(visit: Visit, guests: Guests, room: str) -> None:
    visitor = visit().enter()
    visitor.sends(f"{visitor.url}/r/茶馆{room.split()[-1]}")
    visitor.button("Invite").click()
    dialog = visitor.page.get_by_role("dialog")
    expect(dialog.locator(".address")).to_have_text(visitor.address)
    visitor.page.keyboard.press("Escape")
    with visitor.context.expect_page() as opened:
        visitor.page.locator("article a").click()
    other = opened.value
    expect(other.locator(".head h1")).to_have_text(f"茶馆{room.split()[-1]}")
    other.close()


def test_a_room_whose_address_is_another_page_is_refused(visit: Visit) -> None:
    visitor = visit().enter()
    address = visitor.page.url
    for name in (".", "..", "%2e%2e", "．．"):
        visitor.writes(f"/join {name}")
        expect(visitor.page.locator(".under"), name).to_have_text(
            "That room name can't be used: it needs 1 to 64 visible characters and no slash."
        )
        assert visitor.page.url == address, name
        visitor.composer.fill("")
        expect(visitor.page.locator(".under")).to_have_text("")


def test_one_sheet_that_opens_another_takes_one_step_back(visit: Visit, room: str) -> None:
    visitor = visit(viewport=PHONE).enter()
    joins(visitor, f"{room} 2")
    visitor.page.locator("button.here").click()
    people = visitor.page.get_by_role("dialog")
    people.get_by_role("button", name=visitor.name).click()
    field = visitor.page.get_by_role("dialog").get_by_role("textbox")
    expect(field).to_be_visible()
    visitor.rests()
    expect(field).to_be_in_viewport()
    visitor.page.go_back()
    expect(visitor.page.get_by_role("dialog")).to_have_count(0)
    in_room(visitor, f"{room} 2")
    visitor.page.go_back()
    in_room(visitor, room)
