"""By hand: keyboard, touch, input methods, screen readers, languages."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import FOREIGN_HOST
from tests.browser.visit import PHONE, Visit
from tests.support.guests import Guests

if TYPE_CHECKING:
    from tests.support.program import Program


def test_enter_sends_and_shift_enter_breaks(visit: Visit) -> None:
    visitor = visit().enter()
    visitor.composer.press_sequentially("one")
    visitor.composer.press("Shift+Enter")
    visitor.composer.press_sequentially("two")
    visitor.composer.press("Enter")
    expect(visitor.composer).to_have_value("")
    expect(visitor.page.locator("article")).to_have_count(1)
    assert visitor.texts() == ["one\ntwo"]


# How far the ring around what has the focus is inside of what clips it, and its text inside of the ring.
RING = """
(part) => {
  const style = getComputedStyle(part), box = part.getBoundingClientRect();
  const inner = parseFloat(style.outlineOffset), outer = inner + parseFloat(style.outlineWidth);
  const clip = (part.closest('.row') ?? document.documentElement).getBoundingClientRect();
  const text = document.createRange();
  text.selectNodeContents(part);
  const words = text.getBoundingClientRect();
  return [box.top - outer - clip.top, clip.bottom - box.bottom - outer, words.left - box.left + inner,
    box.right + inner - words.right].map((gap) => Math.round(gap * 10) / 10);
}
"""


def test_the_ring_of_the_focus_is_whole(visit: Visit) -> None:
    visitor = visit().enter()
    visitor.page.set_viewport_size(PHONE)
    visitor.writes("\n".join(map(str, range(30))))
    visitor.page.keyboard.press("Tab")  # from here on, the browser shows where the focus is
    for part in (visitor.page.locator("button.here"), visitor.button("Show all"), visitor.chip):
        part.focus()
        gaps = part.evaluate(RING)
        assert min(gaps) >= 0, gaps


def test_composing_chinese_never_sends_by_accident(visit: Visit) -> None:
    visitor = visit().enter()
    visitor.composer.focus()
    devtools = visitor.context.new_cdp_session(visitor.page)
    devtools.send("Input.imeSetComposition", {"text": "nihao", "selectionStart": 5, "selectionEnd": 5})
    expect(visitor.composer).to_have_value("nihao")
    # Enter picks a candidate: the browser says that it composes, or (Safari) only gives the code 229.
    for key in ({"isComposing": True}, {"keyCode": 229}):
        visitor.composer.evaluate(
            "(box, more) => box.dispatchEvent("
            "new KeyboardEvent('keydown', {key: 'Enter', bubbles: true, cancelable: true, ...more}))",
            key,
        )
    expect(visitor.composer).to_have_value("nihao")
    devtools.send("Input.insertText", {"text": "你好"})
    expect(visitor.composer).to_have_value("你好")
    expect(visitor.page.locator("article")).to_have_count(0)
    visitor.composer.press("Enter")
    visitor.sees("你好")


def test_what_cannot_be_seen_is_not_sent(visit: Visit, guests: Guests) -> None:
    fox = guests(username="fox")
    visitor = visit().enter()
    for text in ("\u200b", " \u200d\u2800 ", "\u202e"):
        visitor.writes(text)
        expect(visitor.composer).to_have_value(text)
        expect(visitor.button("Send")).to_have_attribute("aria-disabled", "true")
    visitor.sends("\u200bseen")
    assert [entry["msg"] for entry in fox.asks("history")["entries"]] == ["\u200bseen"]


def test_the_length_is_counted_near_its_limit(visit: Visit) -> None:
    visitor = visit().enter()
    visitor.composer.fill("字" * 1799)
    expect(visitor.page.locator(".under")).to_have_text("")
    visitor.composer.fill("字" * 1990)
    expect(visitor.page.locator(".under")).to_have_text("10")
    visitor.composer.fill("😀" * 2003)
    expect(visitor.page.locator(".under")).to_have_text("3 characters over the limit")
    visitor.composer.press("Enter")
    expect(visitor.page.locator("article")).to_have_count(0)


def test_names_are_completed(visit: Visit, guests: Guests) -> None:
    guests(username="foxtrot")
    visitor = visit().enter()
    expect(visitor.page.locator(".rail li")).to_have_count(2)
    visitor.composer.press_sequentially("hi @fo")
    expect(visitor.page.get_by_role("option")).to_have_text(["foxtrot"])
    visitor.composer.press("Enter")
    expect(visitor.composer).to_have_value("hi @foxtrot ")
    visitor.composer.press("Enter")
    visitor.sees("hi @foxtrot")


def test_recipients_are_completed(visit: Visit, guests: Guests) -> None:
    guests(username="My Fox")
    visitor = visit().enter()
    expect(visitor.page.locator(".rail li")).to_have_count(2)
    for typed, completed in (("/to My F", '/to "My Fox" '), ("to:my", "to:My Fox")):
        visitor.composer.fill("")
        visitor.composer.press_sequentially(typed)
        offer = visitor.page.get_by_role("option", name="My Fox", exact=True)
        expect(offer).to_be_in_viewport(ratio=1)
        assert visitor.composer.get_attribute("aria-activedescendant") == offer.get_attribute("id")
        offer.click()
        expect(visitor.composer).to_have_value(completed)
        visitor.composer.fill("")
        visitor.composer.press_sequentially(typed)
        visitor.composer.press("Enter")
        expect(visitor.composer).to_have_value(completed)


def test_a_whole_command_is_sent_by_one_enter(visit: Visit) -> None:
    visitor = visit().enter()
    visitor.composer.press_sequentially("、help")
    expect(visitor.page.get_by_role("option")).to_contain_text(["/help"])
    visitor.composer.press("Enter")
    expect(visitor.page.locator(".answer")).to_contain_text("/help")
    expect(visitor.composer).to_have_value("")


def test_commands_are_completed_from_the_servers_table(visit: Visit) -> None:
    visitor = visit().enter()
    visitor.composer.press_sequentially("/wh")
    expect(visitor.page.get_by_role("option")).to_contain_text(["/who"])
    visitor.composer.press("Tab")
    expect(visitor.composer).to_have_value("/who ")
    visitor.composer.press("Enter")
    expect(visitor.page.locator(".answer")).to_contain_text(visitor.name)


def test_a_desktop_shows_every_command_whole(visit: Visit) -> None:
    visitor = visit().enter()
    visitor.composer.fill("/")
    visitor.page.get_by_role("option").filter(has_text="/quit").wait_for()
    cut = visitor.page.evaluate(
        "() => { const list = document.querySelector('[role=listbox]').getBoundingClientRect();"
        " return [...document.querySelectorAll('[role=option]')].filter((one) => {"
        " const box = one.getBoundingClientRect(); return box.top < list.top || box.bottom > list.bottom })"
        ".map((one) => one.textContent) }"
    )
    assert cut == []


def test_a_narrow_phone_shows_the_whole_name(visit: Visit) -> None:
    visitor = visit(viewport=PHONE, has_touch=True, is_mobile=True).enter()
    for name in ("Trotting Corgi", "Cornflower", "吐泡泡的金鱼"):
        visitor.writes(f"/name {name}")
        expect(visitor.chip).to_have_text(name)
        # The letters themselves, wherever they are cut.
        assert visitor.chip.evaluate(
            "(chip) => { const range = document.createRange(); range.selectNodeContents(chip);"
            " const [text, box] = [range.getBoundingClientRect(), chip.getBoundingClientRect()];"
            " return text.width > 0 && text.left >= box.left && text.right <= box.right"
            " && text.top >= box.top && text.bottom <= box.bottom }"
        ), name


def test_what_was_tapped_is_not_left_underlined(visit: Visit, guests: Guests) -> None:
    guests(username="fox").sends("\n".join(["a", "long", "message"] * 9))
    visitor = visit(viewport=PHONE, has_touch=True, is_mobile=True).enter()
    line = "(one) => getComputedStyle(one).textDecorationLine"
    fold = visitor.page.locator(".fold")
    fold.tap()
    assert fold.evaluate(line) == "none"
    visitor.chip.tap()
    expect(visitor.page.get_by_role("dialog")).to_be_visible()
    visitor.page.keyboard.press("Escape")
    expect(visitor.page.get_by_role("dialog")).to_have_count(0)
    assert visitor.chip.evaluate(line) == "none"


def test_escape_closes_the_sheet_before_it_ends_the_whisper(visit: Visit, guests: Guests) -> None:
    guests(username="fox")
    visitor = visit().enter()
    visitor.button("Whisper to fox").click()
    visitor.button("More").click()
    visitor.page.keyboard.press("Escape")
    expect(visitor.page.get_by_role("dialog")).to_have_count(0)
    expect(visitor.page.locator(".only")).to_be_visible()
    expect(visitor.composer).to_be_focused()
    visitor.page.keyboard.press("Escape")
    expect(visitor.page.locator(".only")).to_have_count(0)


def test_back_closes_the_sheet(visit: Visit) -> None:
    visitor = visit(viewport=PHONE).enter()
    visitor.button("More").click()
    expect(visitor.page.get_by_role("dialog")).to_be_visible()
    visitor.page.go_back()
    expect(visitor.page.get_by_role("dialog")).to_have_count(0)
    expect(visitor.chip).to_be_visible()
    visitor.button("Invite").click()
    visitor.page.keyboard.press("Escape")
    expect(visitor.page.get_by_role("dialog")).to_have_count(0)
    expect(visitor.composer).to_be_focused()


def test_a_swipe_down_closes_the_sheet(visit: Visit) -> None:
    visitor = visit(viewport=PHONE, has_touch=True, is_mobile=True).enter()
    visitor.button("More").tap()
    head = visitor.page.get_by_role("dialog").locator(".grip")
    head.hover()  # waits until the sheet has come to rest: where it is on its way up, it is not a moment later
    box = head.bounding_box()
    assert box is not None
    visitor.page.mouse.move(box["x"] + 100, box["y"] + 20)
    visitor.page.mouse.down()
    visitor.page.mouse.move(box["x"] + 100, box["y"] + 140, steps=6)
    visitor.page.mouse.up()
    expect(visitor.page.get_by_role("dialog")).to_have_count(0)


def test_a_phone_with_its_keyboard_open(visit: Visit, guests: Guests) -> None:
    fox = guests(username="fox")
    for number in range(20):
        fox.sends(f"line {number}")
    visitor = visit(viewport=PHONE, has_touch=True, is_mobile=True).enter()
    expect(visitor.composer).not_to_be_focused()
    visitor.composer.tap()
    visitor.page.set_viewport_size({"width": 360, "height": 300})
    visitor.rests()
    expect(visitor.composer).to_be_in_viewport(ratio=1)
    expect(visitor.message("line 19")).to_be_in_viewport(ratio=1)
    visitor.composer.fill("from my phone")
    visitor.button("Send").tap()
    visitor.sees("from my phone")
    expect(visitor.composer).to_be_focused()


def test_what_is_touched_is_large_enough(visit: Visit, guests: Guests) -> None:
    guests(username="fox").sends("hello")
    visitor = visit(viewport=PHONE, has_touch=True, is_mobile=True).enter()
    measure = (
        "() => [...document.querySelectorAll('button, a, input, textarea, [role=option]')]"
        ".filter((one) => one.checkVisibility() && one.type !== 'radio')"
        ".map((one) => [one.outerHTML.slice(0, 80), one.getBoundingClientRect()])"
        ".filter(([, box]) => box.width > 0 && (box.height < 43.9 || box.width < 43.9)).map(([html]) => html)"
    )
    assert visitor.page.evaluate(measure) == []
    for opens in (visitor.button("More"), visitor.button("Invite"), visitor.chip, visitor.button("2 here")):
        opens.tap()
        expect(visitor.page.get_by_role("dialog")).to_be_visible()
        assert visitor.page.evaluate(measure) == []
        visitor.button("Close").tap()
        expect(visitor.page.get_by_role("dialog")).to_have_count(0)
    assert visitor.composer.get_attribute("enterkeyhint") == "send"
    assert (
        float(visitor.composer.evaluate("(box) => getComputedStyle(box).fontSize").removesuffix("px")) >= 16
    )


def test_an_emoji_is_put_where_one_writes(visit: Visit) -> None:
    visitor = visit().enter()
    visitor.composer.fill("good ")
    visitor.button("Emoji").click()
    visitor.page.get_by_role("dialog").get_by_role("button", name="👍").click()
    expect(visitor.composer).to_have_value("good 👍")
    expect(visitor.composer).to_be_focused()


@pytest.mark.parametrize("host", ["localhost", FOREIGN_HOST])
def test_the_link_is_copied(visit: Visit, server: Program, host: str) -> None:
    visitor = visit(url=f"http://{host}:{server.port}", permissions=["clipboard-read"]).enter()
    visitor.button("Copy link").click()
    expect(visitor.button("Copied")).to_be_visible()
    visitor.composer.focus()
    visitor.page.keyboard.press("Control+V")
    expect(visitor.composer).to_have_value(visitor.page.url)


def test_a_screen_reader_announces_new_messages_and_summarises_bursts(visit: Visit, guests: Guests) -> None:
    fox = guests(username="fox")
    fox.sends("old news")
    visitor = visit().enter()
    region = visitor.page.get_by_role("log")
    expect(region).to_have_attribute("aria-live", "polite")
    expect(region).to_have_text("")
    fox.sends("something new")
    expect(region).to_have_text("fox: something new")
    for number in range(30):
        fox.sends(f"burst {number}")
    expect(region).to_have_text(re.compile(r"^\d+ new messages$"))
    assert visitor.scroller.get_attribute("aria-live") is None


def test_the_language_is_the_browsers_and_can_be_changed(visit: Visit) -> None:
    visitor = visit(lang="zh").enter()
    expect(visitor.page.locator("html")).to_have_attribute("lang", "zh-CN")
    visitor.button("更多").click()
    visitor.page.get_by_text("English").click()
    expect(visitor.page.locator("html")).to_have_attribute("lang", "en")
    expect(visitor.page.get_by_role("dialog")).to_contain_text("New room")
    visitor.page.reload()
    expect(visitor.page.get_by_text("No one else is here yet.")).to_be_visible()


def test_dates_are_written_as_in_the_readers_country(visit: Visit) -> None:
    visitor = visit(locale="en-GB").enter()
    visitor.sends("what time is it?")
    # An American would read "November 28, 2026 at 10:18:04 PM", beside a clock that shows 22:18.
    whole = re.compile(r"^\d{1,2} \w+ \d{4} at \d\d:\d\d:\d\d$")
    expect(visitor.message("what time is it?").locator("time")).to_have_attribute("title", whole)


def test_the_look_is_the_systems_and_can_be_changed(visit: Visit) -> None:
    visitor = visit(color_scheme="dark").enter()
    paper = "() => getComputedStyle(document.body).backgroundColor"
    dark = visitor.page.evaluate(paper)
    visitor.button("More").click()
    visitor.page.get_by_text("Light", exact=True).click()
    light = visitor.page.evaluate(paper)
    assert dark != light
    visitor.page.reload()
    assert visitor.page.evaluate(paper) == light
    visitor.page.emulate_media(color_scheme="light")
    visitor.page.emulate_media(color_scheme="dark")
    assert visitor.page.evaluate(paper) == light
    visitor.button("More").click()
    visitor.page.get_by_text("System").click()
    assert visitor.page.evaluate(paper) == dark
    visitor.page.emulate_media(color_scheme="light")
    expect(visitor.page.locator("body")).to_have_css("background-color", light)


def test_everything_is_reached_by_keyboard(visit: Visit, guests: Guests) -> None:
    guests(username="fox").sends("hello")
    visitor = visit().enter()
    visitor.sees("hello")
    reached = set()
    for _ in range(12):
        visitor.page.keyboard.press("Tab")
        reached.add(
            visitor.page.evaluate(
                "() => document.activeElement.getAttribute('aria-label') || document.activeElement.textContent"
            )
        )
    assert {"Invite", "More", "Messages", "Write a message", "Emoji", "Send", "Whisper to fox"} <= reached


def test_reduced_motion_moves_nothing(visit: Visit, guests: Guests) -> None:
    fox = guests(username="fox")
    visitor = visit(reduced_motion="reduce").enter()
    fox.sends("still")
    visitor.sees("still")
    assert visitor.page.evaluate("() => document.getAnimations().length") == 0


@pytest.mark.parametrize(
    ("locale", "chosen", "comes"), [("zh-CN", None, "zh"), ("fr", None, "en"), ("en-GB", "zh", "zh")]
)
def test_one_language_comes_beside_the_page(
    visit: Visit, server: Program, locale: str, chosen: str | None, comes: str
) -> None:
    visitor = visit(locale=locale)
    if chosen:
        visitor.page.add_init_script(f"localStorage.setItem('chatroom:/:lang', '{chosen}')")
    asked: list[str] = []
    visitor.page.on(
        "request",
        lambda request: asked.extend(re.findall(r"/assets/(en|zh|index|later)-\S+\.js$", request.url)),
    )
    visitor.enter()
    expect(visitor.page.locator("html")).to_have_attribute("lang", {"en": "en", "zh": "zh-CN"}[comes])
    expect(visitor.page.locator(".rail button").first).to_be_visible()
    assert sorted(asked) == sorted([comes, "index", "later"])
    visitor.has_fetched("en", "zh")
    preloaded = visitor.page.locator("link[rel=modulepreload]").first.get_attribute("href")
    assert preloaded is not None
    assert preloaded.startswith(f"assets/{comes}-")
