"""Messages of more than twelve lines: folded, shown whole and folded again, at any width and by any means."""

from __future__ import annotations

import re

from playwright.sync_api import Locator, expect

from tests.browser.visit import DESKTOP, PHONE, Visit, Visitor
from tests.support.guests import Guests

LINES = 12
THIRTEEN = "\n".join(f"line {number}" for number in range(1, 14))
PARAGRAPH = " ".join(f"word{number}" for number in range(100))  # 7 lines on a desktop, 20 on a phone


def row(visitor: Visitor, text: str) -> Locator:
    return visitor.page.locator("article", has_text=text).last


def lines_shown(message: Locator) -> float:
    """How many lines high the text is that can be seen."""
    lines: float = message.locator(".text").evaluate(
        "(text) => text.getBoundingClientRect().height / parseFloat(getComputedStyle(text).lineHeight)"
    )
    return lines


def stands_in_sight(message: Locator, words: str) -> bool:
    """Whether words of a message are where they can be seen: within its text's box and within the list's."""
    in_sight: bool = message.evaluate(
        """(row, words) => {
            const walker = document.createTreeWalker(row.querySelector('.text'), NodeFilter.SHOW_TEXT);
            while (walker.nextNode()) {
                const at = walker.currentNode.data.indexOf(words);
                if (at < 0) continue;
                const range = document.createRange();
                range.setStart(walker.currentNode, at);
                range.setEnd(walker.currentNode, at + words.length);
                const place = range.getBoundingClientRect();
                return [row.querySelector('.text'), document.querySelector('.scroller')].every((element) => {
                    const box = element.getBoundingClientRect();
                    return place.top >= box.top - 1 && place.bottom <= box.bottom + 1;
                });
            }
            throw new Error(`no ${words}`);
        }""",
        words,
    )
    return in_sight


def test_more_than_twelve_lines_are_folded_and_shown_whole(visit: Visit, guests: Guests) -> None:
    fox = guests(username="fox")
    visitor = visit().enter()
    fox.sends(THIRTEEN)
    message = row(visitor, "line 13")
    assert lines_shown(message) == LINES
    assert stands_in_sight(message, "line 11")
    assert not stands_in_sight(message, "line 13")
    visitor.button("Show all").click()
    assert lines_shown(message) == LINES + 1
    assert stands_in_sight(message, "line 13")
    visitor.button("Show less").click()
    assert lines_shown(message) == LINES
    visitor.shows("folded")


def test_up_to_twelve_lines_are_not_folded(visit: Visit, guests: Guests) -> None:
    fox = guests(username="fox")
    visitor = visit().enter()
    for what, text in (
        ("twelve", "\n".join(f"line {number}" for number in range(1, 13))),
        ("twelve of several kinds", "\n\n".join(["> quote", "```\ncode\n```", "text"] * 2 + ["end"])),
        ("one", "short"),
        ("a wall", "a" + "\n" * 1998 + "b"),
    ):
        message = visitor.page.locator(f"article[data-id='{fox.sends(text)['id']}']")
        expect(message, what).to_be_visible()
        visitor.rests()
        assert lines_shown(message) <= LINES + 0.75, what
        expect(visitor.button("Show all"), what).to_have_count(0)


def test_a_line_is_what_stands_on_the_screen(visit: Visit, guests: Guests) -> None:
    fox = guests(username="fox")
    visitor = visit(viewport=PHONE).enter()
    fox.sends(PARAGRAPH)
    message = row(visitor, "word99")
    assert lines_shown(message) == LINES
    assert not stands_in_sight(message, "word99")
    visitor.page.set_viewport_size(DESKTOP)
    expect(visitor.button("Show all")).to_have_count(0)
    assert lines_shown(message) < LINES
    visitor.page.set_viewport_size(PHONE)
    expect(visitor.button("Show all")).to_have_count(1)
    assert lines_shown(message) == LINES
    visitor.page.evaluate("() => { document.documentElement.style.fontSize = '50%' }")
    expect(visitor.button("Show all")).to_have_count(0)


def test_the_keyboard_shows_and_folds(visit: Visit, guests: Guests) -> None:
    fox = guests(username="fox")
    visitor = visit().enter()
    fox.sends(THIRTEEN)
    message = row(visitor, "line 13")
    button = message.get_by_role("button", name=re.compile("^Show"))
    button.focus()
    visitor.page.keyboard.press("Enter")
    expect(button).to_have_text("Show less")
    expect(button).to_be_focused()
    visitor.page.keyboard.press("Space")
    expect(button).to_have_text("Show all")


def test_focusing_a_folded_link_unfolds_the_message(visit: Visit, guests: Guests) -> None:
    fox = guests(username="fox")
    fox.sends("\n".join(f"line {number}" for number in range(1, 90)) + "\nhttps://example.com/\n" + THIRTEEN)
    visitor = visit().enter()
    message = row(visitor, "line 89")
    message.get_by_role("button").focus()
    visitor.page.keyboard.press("Shift+Tab")
    expect(message.get_by_role("link")).to_be_focused()
    expect(message.get_by_role("button")).to_have_text("Show less")
    visitor.rests()
    assert stands_in_sight(message, "https://example.com/")


def test_unfolding_the_last_message_keeps_the_reading_position(visit: Visit, guests: Guests) -> None:
    fox = guests(username="fox")
    for number in range(30):
        fox.sends(f"number {number}")
    fox.sends("\n".join(f"line {number}" for number in range(1, 100)))
    visitor = visit().enter()
    message = row(visitor, "line 99")
    top = visitor.top_of(message.get_attribute("data-id") or "")
    message.get_by_role("button").click()
    visitor.rests()
    assert abs(visitor.top_of(message.get_attribute("data-id") or "") - top) < 1
    assert stands_in_sight(message, "line 13")
    fox.sends("after it")
    expect(visitor.button("1 new")).to_be_visible()
    visitor.rests()
    assert abs(visitor.top_of(message.get_attribute("data-id") or "") - top) < 1


def test_a_finger_finds_the_button(visit: Visit, guests: Guests) -> None:
    fox = guests(username="fox")
    visitor = visit(lang="zh", viewport=PHONE, has_touch=True, is_mobile=True).enter()
    fox.sends(PARAGRAPH)
    button = visitor.button("显示全部")
    box = button.bounding_box()
    assert box is not None
    assert box["height"] >= 44
    assert box["width"] >= 44
    button.tap()
    expect(visitor.button("收起")).to_have_count(1)
    assert lines_shown(row(visitor, "word99")) > LINES


def test_what_is_read_stays_while_others_send_long_messages(visit: Visit, guests: Guests) -> None:
    fox = guests(username="fox")
    for number in range(12):
        fox.sends(f"number {number}\n{THIRTEEN}")
    visitor = visit().enter()
    visitor.sees_id(row(visitor, "number 11").get_attribute("data-id") or "")
    visitor.scrolls(visitor.scroller.evaluate("(list) => list.scrollHeight / 2"))
    first, top = visitor.first_row()
    read = visitor.page.locator(f"article[data-id='{first}']")
    read.get_by_role("button").click()
    visitor.rests()
    assert lines_shown(read) > LINES
    assert visitor.top_of(first) == top
    for number in range(12, 18):
        fox.sends(f"number {number}\n{THIRTEEN}")
    expect(visitor.button("6 new")).to_be_visible()
    visitor.rests()
    assert visitor.top_of(first) == top
    assert lines_shown(read) > LINES


def test_folding_from_the_end_leads_back_to_the_beginning(visit: Visit, guests: Guests) -> None:
    fox = guests(username="fox")
    fox.sends("\n".join(f"line {number}" for number in range(1, 100)))
    for number in range(30):
        fox.sends(f"after {number}")
    visitor = visit().enter()
    visitor.scrolls(0)
    message = row(visitor, "line 99")
    message.get_by_role("button").click()
    visitor.rests()
    message.get_by_role("button").scroll_into_view_if_needed()
    message.get_by_role("button").click()
    visitor.rests()
    assert stands_in_sight(message, "line 1")


def test_on_paper_nothing_is_folded(visit: Visit, guests: Guests) -> None:
    fox = guests(username="fox")
    visitor = visit().enter()
    fox.sends(THIRTEEN)
    message = row(visitor, "line 13")
    assert lines_shown(message) == LINES
    visitor.page.emulate_media(media="print")
    assert lines_shown(message) == LINES + 1
    expect(message.get_by_role("button", name=re.compile("^Show"))).to_have_count(0)
