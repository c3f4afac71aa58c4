"""The composer: text typed, dropped or pasted anywhere on the page, the keys it takes, and its height."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from playwright.sync_api import expect

from tests.browser.visit import PHONE, Visitor
from tests.support.guests import Guest

if TYPE_CHECKING:
    pass

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
