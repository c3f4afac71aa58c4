"""The composer: text typed, dropped or pasted anywhere on the page, the keys it takes, and its height."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.browser.visit import PHONE, Visitor
from tests.support.guests import Guest

if TYPE_CHECKING:
    from playwright.sync_api import ViewportSize


Visit = Callable[..., Visitor]
Guests = Callable[..., Guest]
ONLY_TEXT = {"en": "Only text can be sent.", "zh": "只能发文字。"}
TOUCH = {"viewport": PHONE, "has_touch": True, "is_mobile": True}


def test_arrows_step_through_your_own_messages(visit: Visit) -> None:
    visitor = visit().enter()
    for text in ("first", "second\nof two lines", "third"):
        visitor.writes(text)
    expect(visitor.page.locator("article:not(.sending)")).to_have_count(3)

    def steps(*keys: str) -> str:
        for key in keys:
            visitor.composer.press(key)
        visitor.rests()
        return visitor.composer.input_value()

    assert steps("ArrowUp") == "third"
    assert steps("ArrowUp") == "second\nof two lines"
    assert steps("ArrowUp") == "second\nof two lines"  # up within the text
    assert steps("ArrowUp") == "first"
    assert steps("ArrowUp") == "first"  # there is none before
    assert steps("ArrowDown") == "second\nof two lines"
    assert steps("ArrowDown") == "third"
    assert steps("ArrowDown") == ""
    assert steps("ArrowDown") == ""
    assert steps("ArrowUp", "x") == "thirdx"
    assert steps("ArrowUp") == "thirdx"  # edited: it is a draft like any other
    assert steps("ArrowDown") == "thirdx"


def test_arrows_never_recall_a_whisper_in_the_room(visit: Visit, guests: Guests) -> None:
    guests(username="fox"), guests(username="owl")
    visitor = visit().enter()
    visitor.says("for all")
    for name in ("fox", "owl"):
        visitor.button(f"Whisper to {name}").first.click()
        visitor.says(f"for {name}")
    visitor.composer.press("ArrowUp")
    expect(visitor.composer).to_have_value("for owl")
    visitor.composer.press("ArrowUp")
    expect(visitor.composer).to_have_value("for owl")
    visitor.composer.press("Escape")
    visitor.composer.press("ArrowUp")
    expect(visitor.composer).to_have_value("for all")


def test_the_composer_grows_to_six_lines_without_collapsing(visit: Visit) -> None:
    visitor = visit().enter()
    heights = []
    visitor.page.evaluate(
        "() => { window.heights = []; new ResizeObserver(() => window.heights.push("
        "document.querySelector('textarea').offsetHeight)).observe(document.querySelector('textarea')) }"
    )
    visitor.composer.focus()
    for line in range(9):
        visitor.page.keyboard.type(f"line {line}")
        visitor.page.keyboard.press("Shift+Enter")
        visitor.rests()
        heights.append(visitor.composer.evaluate("(box) => box.offsetHeight"))
    assert heights == [46 + 24 * lines for lines in (1, 2, 3, 4, 5, 5, 5, 5, 5)]
    seen = visitor.page.evaluate("() => window.heights")
    assert seen == sorted(seen)
    assert visitor.composer.evaluate("(box) => box.scrollHeight > box.clientHeight")
    visitor.composer.fill("")
    visitor.rests()
    assert visitor.composer.evaluate("(box) => box.offsetHeight") == 46


@pytest.mark.parametrize("viewport", [{"width": 1280, "height": 800}, PHONE])
def test_growing_keeps_the_end_in_view(visit: Visit, guests: Guests, viewport: ViewportSize) -> None:
    fox = guests(username="fox")
    for number in range(50):
        fox.says(f"line {number}")
    visitor = visit(viewport=viewport).enter()
    visitor.sees("line 49")
    visitor.composer.focus()
    for _ in range(8):
        visitor.page.keyboard.press("Shift+Enter")
        visitor.rests()
        expect(visitor.page.locator(".pill")).to_have_count(0)
        assert visitor.is_at_end()


@pytest.mark.parametrize("size", [16, 28, 32])
@pytest.mark.parametrize("whisper", [False, True])
@pytest.mark.parametrize("lang", ["en", "zh"])
def test_large_text_is_not_clipped(visit: Visit, guests: Guests, lang: str, size: int, whisper: bool) -> None:
    guests(username="fox-of-the-north")
    visitor = visit(lang=lang, viewport=PHONE, locale={"en": "en-GB", "zh": "zh-CN"}[lang])
    devtools = visitor.context.new_cdp_session(visitor.page)
    devtools.send("Page.setFontSizes", {"fontSizes": {"standard": size, "fixed": size}})
    visitor.enter()
    assert visitor.page.evaluate("() => getComputedStyle(document.documentElement).fontSize") == f"{size}px"
    if whisper:
        visitor.page.locator("button.here").click()
        visitor.page.get_by_role("dialog").locator("li button").last.click()
        expect(visitor.page.locator(".only")).to_be_visible()
    guests(username="owl").asks("typing")
    expect(visitor.page.locator(".typing")).not_to_have_text("")
    visitor.rests()
    found = visitor.page.evaluate(_CLIPPED)
    assert found == []
    assert visitor.page.evaluate("() => document.documentElement.scrollWidth") <= PHONE["width"]


# What of the composer stands outside its own box, or is higher than the box that shows it; the placeholder as if it
# were written. A long name may be cut at its end.
_CLIPPED = """() => {
  const found = [];
  const box = document.querySelector('textarea');
  box.value = box.placeholder;
  if (box.scrollHeight > box.clientHeight) found.push(['placeholder', box.scrollHeight, box.clientHeight]);
  box.value = '';
  for (const part of document.querySelectorAll('.composer :is(button, .typing, .only span)')) {
    const around = part.getBoundingClientRect();
    if (around.width === 0) continue;
    const { className, scrollHeight, clientHeight } = part;
    if (scrollHeight > clientHeight + 1) found.push([className, scrollHeight, clientHeight]);
    const inside = around.left >= 0 && around.right <= innerWidth && around.bottom <= innerHeight;
    if (!inside) found.push([className, 'outside']);
  }
  const line = document.querySelector('.line').getBoundingClientRect();
  for (const part of document.querySelector('.line').children) {
    const own = part.getBoundingClientRect();
    const inside = own.top >= line.top - 0.5 && own.bottom <= line.bottom + 0.5;
    if (own.height && !inside) found.push([part.className, 'out of line']);
  }
  return found;
}"""
