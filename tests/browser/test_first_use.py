"""What made people stop who used the page for the first time."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.browser.visit import PHONE, Visit
from tests.support.guests import Guests


def test_stacked_accents_do_not_cover_the_name(visit: Visit, guests: Guests) -> None:
    guests(username="fox").sends("accents")
    visitor = visit().enter()
    row = visitor.page.locator("article")
    expect(row).to_be_visible()
    visitor.page.mouse.move(1, 1)
    before = row.locator("header").screenshot(animations="disabled")
    row.locator("p").evaluate("(text) => text.append('e' + '\\u0301'.repeat(200))")
    visitor.rests()
    assert row.locator("header").screenshot(animations="disabled") == before


def test_the_pill_leaves_the_focus_to_the_composer(visit: Visit, guests: Guests) -> None:
    fox = guests(username="fox")
    for number in range(40):
        fox.sends(f"before {number}")
    visitor = visit(viewport=PHONE, has_touch=True).enter()
    visitor.sees("before 39")
    visitor.composer.tap()
    visitor.scrolls(200)
    visitor.button("Jump to the newest message").tap()
    expect(visitor.page.locator(".pill")).to_have_count(0)
    expect(visitor.composer).to_be_focused()


def test_after_quit_nobody_is_counted(visit: Visit) -> None:
    visitor = visit().enter()
    expect(visitor.page.locator(".here.wide")).to_have_text("1 here")
    visitor.writes("/quit")
    expect(visitor.page.get_by_role("alert")).to_contain_text("You left the room.")
    expect(visitor.page.locator(".here")).to_have_count(0)
    expect(visitor.page.locator(".rail")).to_have_count(0)
    visitor.button("Join again").click()
    expect(visitor.page.locator(".here.wide")).to_have_text("1 here")


@pytest.mark.parametrize("spelled", ["lobby", "LOBBY"])
def test_the_lobby_has_one_address(visit: Visit, spelled: str) -> None:
    visitor = visit(room=spelled).enter()
    assert visitor.page.url == f"{visitor.url}/"


def test_people_keep_their_places_under_the_pointer(visit: Visit, guests: Guests) -> None:
    people = [guests(username=name) for name in ("bee", "cat", "dog")]
    visitor = visit().enter()
    names = visitor.page.locator(".rail li .name")
    expect(names).to_have_text([visitor.name, "bee", "cat", "dog"])
    names.nth(2).hover()
    people[0].asks("rename", username="zebra")
    expect(names).to_have_text([visitor.name, "zebra", "cat", "dog"])
    visitor.page.mouse.move(1, 1)
    expect(names).to_have_text([visitor.name, "cat", "dog", "zebra"])


def test_history_shows_what_is_above(visit: Visit, guests: Guests) -> None:
    fox = guests(username="fox")
    for number in range(40):
        fox.sends(f"before {number}")
    visitor = visit().enter()
    visitor.sees("before 39")
    before = visitor.above()
    visitor.writes("/history")
    visitor.waits_until(lambda: visitor.above() < before - 200)
    expect(visitor.page.locator(".grey.answer")).to_have_count(0)
    expect(visitor.composer).to_have_value("")


def test_a_command_with_its_own_row_is_answered_once(visit: Visit, guests: Guests) -> None:
    fox = guests(username="fox")
    visitor = visit().enter()
    visitor.sends("first")
    visitor.writes("/name heron")
    expect(visitor.chip).to_have_text("heron")
    expect(visitor.page.locator(".grey", has_text="heron")).to_have_count(1)
    visitor.writes("/to fox psst")
    assert fox.receives("whisper")["msg"] == "psst"
    expect(visitor.page.locator("article.whisper")).to_have_count(1)
    visitor.writes("/say last")
    visitor.sees("last")
    expect(visitor.page.locator(".grey.answer")).to_have_count(0)


def test_a_refused_message_stands_where_it_was_written(visit: Visit, guests: Guests) -> None:
    fox = guests(username="fox")
    visitor = visit().enter()
    visitor.sends("first")
    visitor.writes("a control \u0007 character")
    expect(visitor.page.locator("article.failed")).to_be_visible()
    for number in range(30):
        fox.sends(f"later {number}")
    visitor.sees("later 29")
    expect(visitor.page.locator("article").last).to_contain_text("later 29")
    expect(visitor.page.locator(".pill")).to_have_count(0)
    tops = visitor.page.evaluate(
        "() => [document.querySelector('.failed'), [...document.querySelectorAll('article')].pop()]"
        ".map((row) => row.getBoundingClientRect().top)"
    )
    assert tops[0] < tops[1]


def test_a_link_to_this_computer_says_so(visit: Visit) -> None:
    visitor = visit().enter()
    local = "This link works on this computer only. To invite others, open this page at the address printed"
    expect(visitor.page.locator(".welcome .local")).to_contain_text(local)
    expect(visitor.page.locator(".welcome svg")).to_have_count(0)
    visitor.button("Invite").click()
    dialog = visitor.page.get_by_role("dialog")
    expect(dialog).to_contain_text(local)
    expect(dialog).not_to_contain_text("Anyone")
    expect(dialog.locator(".address")).to_have_text(re.compile(r"^http://127\.0\.0\.1"))
