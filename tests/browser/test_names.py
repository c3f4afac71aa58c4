"""Names: previewed before anyone is told, in the reader's script. The server uses the page's language."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, ViewportSize, WebSocketRoute, expect

from chatroom.core.commands import COMMANDS
from tests.browser.relay import Relay
from tests.browser.visit import DESKTOP, PHONE, Visit, Visitor
from tests.support.guests import Guests

HAN = re.compile("[\u4e00-\u9fff]")
LATIN = re.compile("[A-Za-z]")
# What is left of a phone's screen while its keyboard is open.
WITH_KEYBOARD: ViewportSize = {"width": 375, "height": 330}
WORDS = {
    "en": ("Your name", "Random name", "Or type your own", "Use this name"),
    "zh": ("你的名字", "随机换一个", "或者自己起一个", "用这个名字"),
}


def open_form(visitor: Visitor) -> Locator:
    visitor.chip.click()
    return visitor.page.get_by_role("dialog")


def is_wholly_seen(part: Locator) -> bool:
    """Whether nothing of it is cut off: not its text by its own box, nor the box by the dialog or the window."""
    is_seen: bool = part.evaluate(
        "(part) => { const box = part.getBoundingClientRect();"
        " const frame = part.closest('dialog').getBoundingClientRect();"
        " return box.width > 0 && part.scrollWidth <= part.clientWidth && box.left >= frame.left"
        " && box.right <= frame.right && box.top >= frame.top && box.bottom <= frame.bottom"
        " && box.right <= innerWidth && box.bottom <= innerHeight }"
    )
    return is_seen


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_drawn_names_are_seen_first_and_announced_once(
    visit: Visit, guests: Guests, lang: str, size: ViewportSize
) -> None:
    fox = guests(username="fox")
    visitor = visit(lang=lang).enter()
    visitor.page.set_viewport_size(size)
    fox.sends("hello")
    visitor.sees("hello")
    before = visitor.name
    wrong = HAN if lang == "en" else LATIN
    assert not wrong.search(before)
    title, draw, own, use = WORDS[lang]
    dialog = open_form(visitor)
    expect(dialog.get_by_role("heading")).to_have_text(title)
    field = dialog.get_by_label(own)
    drawn: list[str] = []
    for _ in range(3):
        field.fill("")  # the same name may be drawn again
        visitor.button(draw).click()
        expect(field).not_to_have_value("")
        drawn.append(field.input_value())
        expect(dialog.get_by_role("status")).to_have_text(drawn[-1])
        for part in (field, visitor.button(draw), visitor.button(use)):
            assert is_wholly_seen(part)
    assert [name for name in (*drawn, before) if wrong.search(name)] == []
    assert len({*drawn, before}) > 1
    fox.receives_nothing("rename")
    assert visitor.name == before
    visitor.button(use).click()
    expect(dialog).to_have_count(0)
    expect(visitor.chip).to_have_text(drawn[-1])
    assert fox.receives("rename")["to"] == drawn[-1]
    fox.receives_nothing("rename")
    line = visitor.page.locator(".scroller p.grey", has_text=drawn[-1])
    expect(line).to_have_count(1)
    box = line.bounding_box()
    assert box is not None
    assert box["height"] > 0


def test_what_is_typed_while_a_name_is_drawn_stays(visit: Visit) -> None:
    visitor = visit()
    asked: list[Callable[[], None]] = []
    answered: list[str] = []

    def pass_on(page: WebSocketRoute) -> None:
        server = page.connect_to_server()

        def to_server(message: str | bytes) -> None:
            if '"suggest":true' in str(message):
                asked.append(lambda: server.send(message))
            else:
                server.send(message)

        def to_page(message: str | bytes) -> None:
            page.send(message)
            if str(message).startswith("43"):
                answered.append(str(message))

        page.on_message(to_server)
        server.on_message(to_page)

    visitor.page.route_web_socket(re.compile("/socket.io/"), pass_on)
    visitor.enter()
    field = open_form(visitor).get_by_label("Or type your own")
    visitor.button("Random name").click()
    field.fill("my own")
    visitor.waits_until(lambda: asked)
    asked[0]()
    visitor.waits_until(lambda: answered)
    visitor.rests()
    expect(field).to_have_value("my own")


def test_a_name_that_somebody_took_meanwhile_is_refused(visit: Visit, guests: Guests) -> None:
    fox = guests()
    visitor = visit().enter()
    dialog = open_form(visitor)
    visitor.button("Random name").click()
    field = dialog.get_by_label("Or type your own")
    expect(field).not_to_have_value("")
    drawn = field.input_value()
    assert fox.asks("rename", username=drawn)["ok"]
    visitor.button("Use this name").click()
    expect(dialog.get_by_role("status")).to_have_text(f"That name is taken. Try {drawn}2?")
    assert is_wholly_seen(dialog.get_by_role("status"))
    field.fill("admin")
    field.press("Enter")
    expect(dialog.get_by_role("status")).to_have_text("That name is reserved.")
    visitor.page.set_viewport_size(WITH_KEYBOARD)
    field.fill(drawn)
    field.press("Enter")
    expect(dialog.get_by_role("status")).to_have_text(re.compile("taken"))
    # The sheet is another one at this width: it rises first.
    visitor.waits_until(lambda: is_wholly_seen(dialog.get_by_role("status")))


def test_the_servers_text_follows_the_language_of_the_page(visit: Visit, guests: Guests) -> None:
    fox = guests(username="fox")
    visitor = visit(lang="zh").enter()
    fox.receives("login")
    for line in ("/help", "/who", "/rooms"):
        answers = visitor.page.locator("p.answer")
        count = answers.count()
        visitor.writes(line)
        expect(answers).to_have_count(count + 1)
        expect(answers.last).to_have_text(HAN)
    visitor.button("更多").click()
    visitor.page.get_by_text("English").click()
    expect(visitor.page.get_by_role("dialog").get_by_role("heading")).to_have_text("More")
    visitor.page.keyboard.press("Escape")
    visitor.writes("/help")
    expect(visitor.page.locator("p.answer").last).to_contain_text(COMMANDS[0].help["en"])
    fox.receives_nothing("logout")
    fox.receives_nothing("login")


def test_the_language_holds_over_a_lost_connection(visit: Visit, relay: Relay) -> None:
    visitor = visit(url=relay.url).enter()
    visitor.has_fetched("later", "zh")
    visitor.lossy = True
    relay.cut()
    visitor.button("More").click()
    visitor.page.get_by_text("中文").click()
    visitor.page.keyboard.press("Escape")
    relay.restore()
    visitor.sends("回来了")
    visitor.writes("/help")
    expect(visitor.page.locator("p.answer").last).to_contain_text(COMMANDS[0].help["zh"])
