"""The composer: text typed, dropped or pasted anywhere on the page, the keys it takes, and its height."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import Locator, Route, expect

from chatroom.core.names import NAME_LENGTH
from tests.browser.visit import DESKTOP, PHONE, Visit, Visitor
from tests.support.guests import Guests

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.program import Program

ONLY_TEXT = {"en": "Only text can be sent.", "zh": "只能发文字。"}
TOUCH: dict[str, Any] = {"viewport": PHONE, "has_touch": True, "is_mobile": True}


def under(visitor: Visitor) -> Locator:
    return visitor.page.locator(".under")


def drags(visitor: Visitor, place: Locator, files: list[str], text: str | None = None) -> None:
    """Drag something in from outside the browser and drop it."""
    box = place.bounding_box()
    assert box is not None
    data = {
        "items": [] if text is None else [{"mimeType": "text/plain", "data": text}],
        "files": files,
        "dragOperationsMask": 1,
    }
    devtools = visitor.context.new_cdp_session(visitor.page)
    for step in ("dragEnter", "dragOver", "drop"):
        middle = {"x": box["x"] + box["width"] / 2, "y": box["y"] + box["height"] / 2}
        devtools.send("Input.dispatchDragEvent", {"type": step, **middle, "data": data})
    devtools.detach()


def test_a_dropped_file_never_leaves_the_chat(
    visit: Visit, guests: Guests, tmp_path: Path, lang: str
) -> None:
    guests(username="fox").sends("hello")
    visitor = visit(lang=lang).enter()
    visitor.sees("hello")
    photo = tmp_path / "photo.png"
    photo.write_bytes(b"\x89PNG\r\n\x1a\n")
    for place in (".scroller", "header.head", "textarea", "dialog", "dialog input"):
        if "dialog" in place:
            visitor.chip.click()
            expect(visitor.page.get_by_role("dialog")).to_be_visible()
        drags(visitor, visitor.page.locator(place), [str(photo)])
        expect(under(visitor), place).to_have_text(ONLY_TEXT[lang])
        assert visitor.page.url == visitor.address, place
        expect(visitor.composer).to_have_value("")
        line = under(visitor).locator("span")
        expect(line, place).to_be_in_viewport(ratio=1)
        assert line.evaluate(_IS_UNCOVERED), place
        if "dialog" in place:
            visitor.closes_sheet()
        # Writing takes the sentence away, so that the next one is the next file's.
        visitor.composer.fill("x")
        expect(under(visitor)).to_have_text("")
        visitor.composer.fill("")


def test_what_comes_before_the_page_is_whole_is_answered(
    visit: Visit, server: Program, tmp_path: Path
) -> None:
    visitor = visit(url=f"http://localhost:{server.port}", permissions=["clipboard-read", "clipboard-write"])
    photo = tmp_path / "photo.png"
    photo.write_bytes(b"\x89PNG\r\n\x1a\n")
    # It never comes.
    visitor.page.route(re.compile("/assets/later-"), lambda _: None)
    visitor.go()
    expect(visitor.chip).to_be_visible()
    heading = visitor.page.locator("header.head")
    drags(visitor, heading, [str(photo)])
    expect(under(visitor)).to_have_text(ONLY_TEXT["en"])
    drags(visitor, heading, [], "https://example.org/")
    expect(visitor.composer).to_have_value("https://example.org/")
    visitor.composer.fill("")
    expect(under(visitor)).to_have_text("")
    copies(visitor)
    visitor.page.keyboard.press("Control+V")
    expect(under(visitor)).to_have_text(ONLY_TEXT["en"])
    assert visitor.page.url == visitor.address


def test_a_whisper_keyword_waits_until_the_page_can_ask(visit: Visit, guests: Guests) -> None:
    third, visitor = guests(), visit()
    waiting: list[Route] = []
    visitor.page.route(re.compile("/assets/later-"), lambda route: waiting.append(route))
    visitor.go()
    expect(visitor.chip).to_be_visible()
    visitor.writes("hello to everybody")
    third.receives("message", msg="hello to everybody")
    visitor.writes("小窗")
    expect(visitor.message("小窗")).to_have_class(re.compile("sending"))
    visitor.waits_until(lambda: waiting)
    for route in waiting:
        route.continue_()
    expect(under(visitor)).to_contain_text("Send it again to confirm")
    expect(visitor.composer).to_have_value("小窗")
    third.sends("hello")
    visitor.sees("hello")
    expect(visitor.page.get_by_text("小窗", exact=True)).to_have_count(0)


def test_what_is_typed_after_a_text_that_waits_stays(visit: Visit, guests: Guests) -> None:
    third, visitor = guests(), visit()
    waiting: list[Route] = []
    visitor.page.route(re.compile("/assets/later-"), lambda route: waiting.append(route))
    visitor.go()
    expect(visitor.chip).to_be_visible()
    visitor.writes("hello one")
    expect(visitor.message("hello one")).to_be_in_viewport(ratio=1)
    visitor.page.keyboard.type("and a draft")
    visitor.waits_until(lambda: waiting)
    for route in waiting:
        route.continue_()
    assert third.receives("message")["msg"] == "hello one"
    visitor.is_whole()
    expect(visitor.composer).to_have_value("and a draft")
    visitor.composer.press("Enter")
    assert third.receives("message")["msg"] == "and a draft"


@pytest.mark.parametrize("fate", ["missing", "silent"])
def test_a_short_text_is_sent_if_the_page_cannot_ask(visit: Visit, guests: Guests, fate: str) -> None:
    third, visitor = guests(), visit()
    visitor.lossy = True
    visitor.page.route(
        re.compile("/assets/later-"),
        lambda route: route.fulfill(status=404, body="not found") if fate == "missing" else None,
    )
    visitor.page.clock.install()
    visitor.go()
    expect(visitor.chip).to_be_visible()
    visitor.writes("hi")
    if fate == "silent":
        expect(visitor.message("hi")).to_have_class(re.compile("sending"))
        visitor.page.clock.fast_forward(10_000)
    third.receives("message", msg="hi")
    expect(visitor.message("hi")).not_to_have_class(re.compile("sending"))
    visitor.sends("hello")


def test_a_refusal_before_its_sentence_has_loaded_shows_the_servers(visit: Visit) -> None:
    visitor = visit()
    # They never come.
    visitor.page.route(re.compile(r"/assets/(later|refusal)-"), lambda _: None)
    visitor.go()
    expect(visitor.chip).to_be_visible()
    visitor.writes("/nonsense")
    expect(under(visitor)).to_have_text(
        "No such command. /help lists the commands. To send it as a message, begin it with /say."
    )
    expect(under(visitor)).to_be_in_viewport(ratio=1)
    expect(visitor.composer).to_have_value("/nonsense")


# A dialog dims what is behind it, and must not stand before it.
_IS_UNCOVERED = (
    "(line) => { const at = line.getBoundingClientRect();"
    " return [...document.querySelectorAll('dialog')].every((one) => { const box = one.getBoundingClientRect();"
    " return at.right <= box.left || at.left >= box.right || at.bottom <= box.top || at.top >= box.bottom }) }"
)


def test_dropped_text_goes_into_the_composer(visit: Visit, guests: Guests) -> None:
    guests(username="fox").sends("hello")
    visitor = visit().enter()
    visitor.sees("hello")
    for place in (".scroller", "header.head"):
        visitor.composer.fill("see ")
        visitor.composer.blur()
        drags(visitor, visitor.page.locator(place), [], "what I found")
        expect(visitor.composer, place).to_have_value("see what I found")
        expect(visitor.composer, place).to_be_focused()


def test_text_dragged_from_the_page_drops_only_in_the_composer(visit: Visit, guests: Guests) -> None:
    guests(username="fox").sends("hello")
    visitor = visit().enter()
    visitor.sees("hello")
    text = visitor.message("hello").locator(".text")
    visitor.page.evaluate("(text) => getSelection().selectAllChildren(text)", text.element_handle())
    text.drag_to(visitor.page.locator("header.head"), source_position={"x": 8, "y": 10})
    expect(visitor.composer).to_have_value("")
    text.drag_to(visitor.composer, source_position={"x": 8, "y": 10})
    expect(visitor.composer).to_have_value("hello")


_COPY = (
    "async (texts) => { const canvas = new OffscreenCanvas(2, 2); canvas.getContext('2d').fillRect(0, 0, 2, 2);"
    " const image = await canvas.convertToBlob({type: 'image/png'});"
    " await navigator.clipboard.write([new ClipboardItem({'image/png': image, ...texts})]) }"
)


def copies(visitor: Visitor, **texts: str) -> None:
    """Copy an image, alone or with its text, as an office program does."""
    visitor.page.evaluate(_COPY, {kind.replace("_", "/"): text for kind, text in texts.items()})


def test_a_pasted_image_is_answered(visit: Visit, server: Program) -> None:
    visitor = visit(
        url=f"http://localhost:{server.port}", permissions=["clipboard-read", "clipboard-write"]
    ).enter()
    copies(visitor)
    visitor.composer.focus()
    visitor.page.keyboard.press("Control+V")
    expect(under(visitor)).to_have_text(ONLY_TEXT["en"])
    visitor.composer.press_sequentially("x")
    expect(under(visitor)).to_have_text("")
    visitor.page.locator("body").evaluate("() => document.activeElement.blur()")
    visitor.page.keyboard.press("Control+V")
    expect(under(visitor)).to_have_text(ONLY_TEXT["en"])


def test_text_that_comes_with_an_image_is_pasted(visit: Visit, server: Program) -> None:
    visitor = visit(
        url=f"http://localhost:{server.port}", permissions=["clipboard-read", "clipboard-write"]
    ).enter()
    copies(visitor, text_plain="1\t2\n3\t4")
    visitor.composer.focus()
    visitor.page.keyboard.press("Control+V")
    expect(visitor.composer).to_have_value("1\t2\n3\t4")
    expect(under(visitor)).to_have_text("")
    visitor.page.locator("body").evaluate("() => document.activeElement.blur()")
    visitor.page.keyboard.press("Control+V")
    expect(visitor.composer).to_have_value("1\t2\n3\t4" * 2)
    expect(visitor.composer).to_be_focused()


def test_typing_anywhere_writes(visit: Visit, guests: Guests) -> None:
    guests(username="fox").sends("hello")
    visitor = visit().enter()
    expect(visitor.composer).to_be_focused()
    visitor.sees("hello")
    for place in (visitor.scroller, visitor.button("More"), visitor.page.locator("body")):
        visitor.composer.fill("")
        visitor.page.evaluate("() => document.activeElement.blur()")
        place.focus()
        expect(visitor.composer).not_to_be_focused()
        visitor.page.keyboard.type("Hi!")
        expect(visitor.composer).to_have_value("Hi!")
        expect(visitor.composer).to_be_focused()


def test_other_keys_leave_the_focus_alone(visit: Visit, guests: Guests) -> None:
    guests(username="fox").sends("hello")
    visitor = visit().enter()
    visitor.sees("hello")
    for key in ("Control+C", "Alt+x", "Meta+k", "Tab", "F2", "Escape", "PageUp", "Home", "Shift", "Enter"):
        visitor.scroller.focus()
        expect(visitor.scroller).to_be_focused()
        visitor.page.keyboard.press(key)
        visitor.rests()
        expect(visitor.composer, key).not_to_be_focused()
        expect(visitor.composer, key).to_have_value("")


def test_space_and_enter_press_the_button_that_has_the_focus(visit: Visit) -> None:
    visitor = visit().enter()
    for key in ("Space", "Enter"):
        visitor.button("Invite").focus()
        visitor.page.keyboard.press(key)
        expect(visitor.page.get_by_role("dialog")).to_be_visible()
        visitor.page.keyboard.type("abc")  # the dialog's
        visitor.page.keyboard.press("Escape")
        expect(visitor.page.get_by_role("dialog")).to_have_count(0)
        expect(visitor.composer).to_be_focused()
        expect(visitor.composer).to_have_value("")


def test_a_key_of_an_input_method_elsewhere_stays_there(visit: Visit, guests: Guests) -> None:
    guests(username="fox").sends("hello")
    visitor = visit().enter()
    visitor.sees("hello")
    visitor.scroller.focus()
    press = (
        "(list, more) => list.dispatchEvent("
        "new KeyboardEvent('keydown', {key: 'n', bubbles: true, cancelable: true, ...more}))"
    )
    for composing in ({"isComposing": True}, {"keyCode": 229}):
        visitor.scroller.evaluate(press, composing)
        expect(visitor.composer).not_to_be_focused()
    visitor.scroller.evaluate(press, {})
    expect(visitor.composer).to_be_focused()


def test_a_phone_opens_its_keyboard_only_when_asked(visit: Visit, guests: Guests) -> None:
    guests(username="fox")
    visitor = visit(**TOUCH).enter()
    expect(visitor.composer).not_to_be_focused()
    visitor.page.keyboard.type("x")
    expect(visitor.composer).to_have_value("")
    for opens in (visitor.button("More"), visitor.chip):
        opens.tap()
        expect(visitor.page.get_by_role("dialog")).to_be_visible()
        visitor.button("Close").tap()
        expect(visitor.page.get_by_role("dialog")).to_have_count(0)
        expect(opens).to_be_focused()
    visitor.button("2 here").tap()
    visitor.button("Whisper to fox").tap()
    expect(visitor.composer).to_be_focused()
    visitor.button("End private chat").tap()
    expect(visitor.composer).not_to_be_focused()


def test_page_keys_scroll_the_list(visit: Visit, guests: Guests) -> None:
    fox = guests(username="fox")
    for number in range(50):
        fox.sends(f"line {number}")
    visitor = visit().enter()
    visitor.sees("line 49")
    visitor.rests()
    height = visitor.scroller.evaluate("(list) => list.clientHeight")
    visitor.composer.fill("a draft")
    row, at = visitor.first_row()
    visitor.composer.press("PageUp")
    visitor.rests()
    assert height - 40 <= visitor.top_of(row) - at < height
    # It counts as the reader's own scrolling: what arrives does not take the list back.
    row, at = visitor.first_row()
    fox.sends("meanwhile")
    expect(visitor.button(re.compile("^1 new"))).to_be_visible()
    assert abs(visitor.top_of(row) - at) < 1
    visitor.composer.press("PageDown")
    visitor.composer.press("PageDown")
    visitor.rests()
    assert visitor.is_at_end()
    expect(visitor.composer).to_be_focused()
    expect(visitor.composer).to_have_value("a draft")


@pytest.mark.parametrize("key", ["End", "Control+End"])
def test_end_in_an_empty_composer_goes_to_the_newest_message(visit: Visit, guests: Guests, key: str) -> None:
    fox = guests(username="fox")
    for number in range(40):
        fox.sends(f"line {number}")
    visitor = visit().enter()
    visitor.sees("line 39")
    visitor.composer.press("PageUp")
    visitor.waits_until(lambda: not visitor.is_at_end())
    visitor.composer.press(key)
    visitor.waits_until(visitor.is_at_end)
    expect(visitor.message("line 39")).to_be_in_viewport(ratio=1)


@pytest.mark.parametrize("part", ["header.head", ".composer", ".rail", "html"])
def test_the_wheel_scrolls_the_list_from_anywhere(visit: Visit, guests: Guests, part: str) -> None:
    fox = guests(username="fox")
    for number in range(40):
        fox.sends(f"line {number}")
    visitor = visit().enter()
    visitor.sees("line 39")
    box = visitor.page.locator(part).bounding_box()
    assert box
    visitor.page.mouse.move(box["x"] + 8, box["y"] + box["height"] - 4)
    visitor.page.mouse.wheel(0, -200)
    visitor.waits_until(lambda: visitor.scroller.evaluate("(list) => list.scrollTop") == -200)
    # What scrolls by itself does so alone.
    visitor.composer.fill("line\n" * 30)
    visitor.composer.hover()
    visitor.composer.evaluate("(box) => (box.scrollTop = 200)")
    visitor.rests()
    at = visitor.scroller.evaluate("(list) => list.scrollTop")
    visitor.page.mouse.wheel(0, -100)
    visitor.waits_until(lambda: visitor.composer.evaluate("(box) => box.scrollTop") == 100)
    assert visitor.scroller.evaluate("(list) => list.scrollTop") == at


def test_the_lists_keys_scroll_it_whatever_arrives(visit: Visit, guests: Guests) -> None:
    fox = guests(username="fox")
    for number in range(100):
        fox.sends(f"line {number}")
    visitor = visit().enter()
    visitor.sees("line 99")
    visitor.rests()
    visitor.scroller.press("PageUp")  # so that older messages load
    visitor.waits_until(lambda: visitor.scroller.locator("article").count() >= 100)
    visitor.scroller.press("End")
    # At once, since a smooth scroll ends where it is when a message arrives.
    for key, part in ((" ", -1), ("PageUp", -1), ("ArrowUp", 0), ("PageDown", 1)):
        moved, height = visitor.scroller.evaluate(
            """(list, key) => {
              const before = list.scrollTop;
              const pressed = { key, shiftKey: key === ' ', bubbles: true, cancelable: true };
              list.dispatchEvent(new KeyboardEvent('keydown', pressed));
              return [list.scrollTop - before, list.clientHeight];
            }""",
            key,
        )
        least, most = (abs(part) * (height - 40), abs(part) * height) if part else (40, 40.5)
        assert least <= abs(moved) <= most, key
        assert moved < 0 or part == 1, key
    for number in range(2):
        visitor.scroller.press("PageUp")
        fox.sends(f"meanwhile {number}")
    expect(visitor.button(re.compile("^2 new"))).to_be_visible()
    assert visitor.scroller.evaluate("(list) => -list.scrollTop / (list.clientHeight - 40)") > 3
    visitor.scroller.press("End")
    visitor.rests()
    assert visitor.is_at_end()
    expect(visitor.message("meanwhile 1")).to_be_in_viewport(ratio=1)


def test_home_and_end_are_the_texts_own(visit: Visit) -> None:
    visitor = visit().enter()
    visitor.composer.fill("middle")
    visitor.composer.press("Home")
    visitor.page.keyboard.type("<")
    visitor.composer.press("End")
    visitor.page.keyboard.type(">")
    expect(visitor.composer).to_have_value("<middle>")


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
    visitor.sends("for all")
    for name in ("fox", "owl"):
        visitor.button(f"Whisper to {name}").first.click()
        visitor.sends(f"for {name}")
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
    # The padding below the last line is in view.
    assert visitor.composer.evaluate("(box) => box.scrollHeight - box.clientHeight - box.scrollTop") < 1
    visitor.composer.fill("")
    visitor.rests()
    assert visitor.composer.evaluate("(box) => box.offsetHeight") == 46


def test_the_end_stays_in_view_while_the_composer_grows(visit: Visit, guests: Guests) -> None:
    fox = guests(username="fox")
    for number in range(50):
        fox.sends(f"line {number}")
    visitor = visit().enter()
    visitor.sees("line 49")
    for viewport in (DESKTOP, PHONE):
        visitor.page.set_viewport_size(viewport)
        visitor.composer.fill("")
        for _ in range(8):
            visitor.composer.press("Shift+Enter")
            visitor.rests()
            expect(visitor.page.locator(".pill")).to_have_count(0)
            assert visitor.is_at_end(), viewport


def test_a_long_whisper_leaves_the_newest_message_in_view(visit: Visit, guests: Guests) -> None:
    fox = guests(username="fox")
    for number in range(20):
        fox.sends(f"line {number}")
    # A phone whose keyboard is open.
    visitor = visit(viewport={"width": 360, "height": 300}, has_touch=True, is_mobile=True).enter()
    visitor.sees("line 19")
    visitor.button("2 here").tap()
    visitor.page.get_by_role("dialog").get_by_role("button", name="Whisper to fox").tap()
    expect(visitor.page.get_by_role("dialog")).to_have_count(0)
    fox.sends("the newest")
    visitor.composer.fill("1\n2\n3\n4\n5\n6\n7")
    visitor.rests()
    expect(visitor.message("the newest")).to_be_in_viewport(ratio=1)


def test_large_text_is_not_clipped(visit: Visit, guests: Guests, lang: str) -> None:
    guests(username="fox-of-the-north")
    owl = guests(username="owl")
    visitor = visit(lang=lang, viewport=PHONE).enter()
    # As wide as there can be: the name that was drawn may be narrow.
    widest = "W" * NAME_LENGTH
    visitor.writes(f"/name {widest}")
    expect(visitor.chip).to_have_text(widest)
    devtools = visitor.context.new_cdp_session(visitor.page)
    for size in (16, 28, 32):
        devtools.send("Page.setFontSizes", {"fontSizes": {"standard": size, "fixed": size}})
        visitor.enter()
        expect(visitor.chip).to_have_text(widest)
        assert (
            visitor.page.evaluate("() => getComputedStyle(document.documentElement).fontSize") == f"{size}px"
        )
        for whispering in (False, True):
            if whispering:
                visitor.page.locator("button.here").click()
                visitor.page.get_by_role("dialog").locator("li button", has_text="fox").click()
                expect(visitor.page.locator(".only")).to_be_visible()
            owl.asks("typing")
            expect(visitor.page.locator(".typing")).not_to_have_text("")
            visitor.rests()
            assert visitor.page.evaluate(_CLIPPED) == [], size
            assert visitor.page.evaluate("() => document.documentElement.scrollWidth") <= PHONE["width"], size
        visitor.composer.press("Escape")
        expect(visitor.page.locator(".only")).to_have_count(0)


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
