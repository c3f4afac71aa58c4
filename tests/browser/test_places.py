"""Addresses: every room has one that survives proxies, other programs and the Back button."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import quote

import pytest
from playwright.sync_api import expect

from tests.browser.relay import Relay
from tests.browser.visit import Visitor
from tests.support.program import Program

Visit = Callable[..., Visitor]


def test_under_a_path_that_a_proxy_strips(visit: Visit, server: Program) -> None:
    proxy = Relay(server.port, rewrite=(b" /chat/", b" /"))
    root = f"{proxy.url}/chat"
    visitor = visit(url=root, room="茶馆 1").enter()
    visitor.says("under a path")
    visitor.button("Invite").click()
    expect(visitor.page.get_by_role("dialog").locator(".address")).to_have_text(f"{root}/r/{quote('茶馆 1')}")
    visitor.page.keyboard.press("Escape")
    visitor.writes("/join 茶馆 2")
    expect(visitor.page.locator("h1")).to_have_text("茶馆 2")
    assert visitor.page.url == f"{root}/r/{quote('茶馆 2')}"
    # What is asked for later, when the page's own address has changed, is found as well.
    visitor.composer.fill("/")
    expect(visitor.page.get_by_role("option").first).to_be_visible()
    visitor.page.goto(f"{root}/")
    expect(visitor.page.locator("h1")).to_have_text("Lobby")
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
    sentence = visitor.page.get_by_text("The chat has not loaded.")
    expect(sentence).to_be_visible()
    box = sentence.bounding_box()
    assert box is not None
    assert box["y"] > 0
    assert box["y"] + box["height"] < visitor.page.viewport_size["height"]  # type: ignore[index]
    expect(visitor.page.get_by_text("聊天室没有加载出来")).to_be_in_viewport()
    visitor.is_accessible("scripts that do not load")


@pytest.mark.parametrize("path", ["/r/", "/r/a/b", "/nowhere/"])
def test_an_address_of_no_room_says_so_and_leads_to_the_lobby(visit: Visit, path: str) -> None:
    visitor = visit(room=None)
    visitor.lossy = True  # the browser logs a 404
    visitor.page.goto(visitor.url + path)
    heading = visitor.page.get_by_role("heading").first
    expect(heading).to_have_text(
        "There is no such room." if path != "/nowhere/" else "There is nothing at this address."
    )
    visitor.shows("no-such-room")
    visitor.page.get_by_role("link", name="Go to the lobby").click()
    expect(visitor.page.locator("h1")).to_have_text("Lobby")
