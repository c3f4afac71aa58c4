"""The list of messages: the newest is in view, what is being read stays where it is, and everything can be reached."""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import BrowserType, ViewportSize, expect

from tests.browser.visit import DESKTOP, PHONE, Visit, Visitor
from tests.support.guests import Guest, Guests, until
from tests.support.program import Program, Start

# Two frames after it has arrived, no row is below the end of the scroller's box, and the newest one is wholly inside
# it, or the pill is shown.
_WATCH = """
() => {
  const list = document.querySelector('.rows');
  // Below the newest row; one that is taller than the rest of the view shows its end.
  const space = parseFloat(getComputedStyle(list).paddingBottom);
  const seen = window.seen = {arrived: 0, drawings: 0, checked: 0, pills: 0, missed: []};
  const inView = (row) => {
    seen.checked += 1;
    const box = row.firstElementChild.getBoundingClientRect();
    const view = document.querySelector('.scroller').getBoundingClientRect();
    // One that has been followed by others since may stand above the view, but not below it.
    const isAbove = row === list.lastElementChild && box.top < view.top - 0.5 && box.height <= view.height - space;
    if (document.querySelector('.pill')) seen.pills += 1;
    else if (!row.isConnected || box.bottom > view.bottom + 0.5 || isAbove) {
      seen.missed.push([row.innerText.slice(0, 30), box.bottom - view.bottom, view.top - box.top]);
    }
  };
  new MutationObserver((changes) => {
    seen.drawings += 1;
    for (const change of changes) for (const row of change.addedNodes) {
      if (!row.querySelector?.('article')) continue;
      seen.arrived += 1;
      requestAnimationFrame(() => requestAnimationFrame(() => inView(row)));
    }
  }).observe(list, {childList: true});
}
"""
# Scrolls up until rows come into view that were never drawn, above others that were.
_TO_GUESSED = """
(list) => {
  const rows = [...list.querySelectorAll('.row[data-key]')];
  const drawn = (row) => row.firstElementChild.checkVisibility({contentVisibilityAuto: true});
  const last = rows.slice(0, rows.findIndex(drawn)).pop();
  list.scrollTop += last.getBoundingClientRect().top - list.getBoundingClientRect().top - 200;
}
"""
# Makes a scroll last until `scrollEnds` is called: the timers that would notice its end are held back.
_SCROLL_ON = """
() => {
  const {setTimeout} = window;
  const waiting = [];
  window.setTimeout = (run, delay, ...rest) => (delay === 150 ? waiting.push(run) : setTimeout(run, delay, ...rest));
  window.scrollEnds = () => {
    window.setTimeout = setTimeout;
    waiting.at(-1)();
  };
}
"""
# The middle of the scroll bar's thumb while the list is at its end, and the bottom of the view.
_THUMB = """
(list) => {
  const {right, bottom} = list.getBoundingClientRect();
  const bar = list.offsetWidth - list.clientWidth;
  if (bar < 4) throw new Error('no scroll bar');
  const thumb = Math.max(40, list.clientHeight ** 2 / list.scrollHeight);
  return [right - bar / 2, bottom - thumb / 2, innerHeight - 1];
}
"""
# Messages are to be shown in a font that is not there yet, and is larger than the one in its place.
_WAITS_FOR_FONT = """
async () => {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync('.rows, .rows * { font-family: Late, sans-serif !important; line-height: normal !important }');
  document.adoptedStyleSheets = [sheet];
  const names = ['DejaVu Sans', 'Liberation Sans', 'Noto Sans', 'Arial', 'Helvetica', 'Noto Sans CJK SC'];
  const sources = names.map((name) => `local("${name}")`).join();
  window.late = await new FontFace('Late', sources, {sizeAdjust: '150%', ascentOverride: '110%'}).load();
}
"""
_TEXTS = (
    "short",
    "a longer line that runs over the edge of a narrow view, " * 3,
    "one\ntwo\nthree",
    "风景很好，顶上能看到整条河。" * 4,
    "🌿🦊🎉 🏳️‍🌈 👨‍👩‍👧",
    "`code` and **bold** and https://example.org/paths/north",
    "```\nblock\nof code\n```",
    "> quoted\nanswer",
)


def watched(visitor: Visitor) -> Callable[[], dict[str, Any]]:
    """Watch the rows that arrive from now on; gives what was seen, once every one of them has been checked."""
    visitor.page.evaluate(_WATCH)

    def seen() -> dict[str, Any]:
        visitor.page.wait_for_function("() => window.seen.checked === window.seen.arrived")
        found: dict[str, Any] = visitor.page.evaluate("() => window.seen")
        return found

    return seen


def filled(guests: Guests, count: int = 50) -> Guest:
    """A guest who has sent more than a screenful."""
    fox = guests(username="fox")
    for number in range(count):
        fox.sends(f"before {number} " + "word " * (number % 40))
    return fox


@pytest.mark.slow
@pytest.mark.faults
@pytest.mark.parametrize(
    ("size", "options"),
    [
        (DESKTOP, {}),
        (PHONE, {"has_touch": True, "is_mobile": True}),
        ({"width": 360, "height": 300}, {}),
        ({"width": 640, "height": 400}, {"device_scale_factor": 2}),  # a desktop at 200%
    ],
    ids=["desktop", "phone", "small", "zoomed"],
)
def test_the_newest_message_is_in_view(
    visit: Visit,
    guests: Guests,
    rng: random.Random,
    scale: Callable[[int], int],
    size: ViewportSize,
    options: dict[str, Any],
) -> None:
    fox = filled(guests)
    visitor = visit(viewport=size, **options).enter()
    visitor.message(re.compile("^before 49")).wait_for()
    result = watched(visitor)
    own = 0
    count = scale(500)  # 2,000 in the four sizes
    for number in range(count):
        fox.emit({"action": "message", "msg": f"{number} {rng.choice(_TEXTS)}"})
        # From 50 messages per second to one in 1.5 s, most of them fast.
        visitor.page.wait_for_timeout(20 * 75 ** (rng.random() ** 2))
        turn = number % 16
        if turn in (2, 3, 4):
            visitor.composer.press("Shift+Enter")
        elif turn == 6:
            visitor.composer.fill("")
        elif turn == 8:
            # The keyboard opens, and closes again.
            visitor.page.set_viewport_size({"width": size["width"], "height": int(size["height"] * 0.6)})
        elif turn == 11:
            visitor.page.set_viewport_size(size)
        elif turn == 13:
            visitor.writes(f"own {number}")
            own += 1
    visitor.sees_text(f"{count - 1} ")
    seen = result()
    assert seen["missed"] == []
    assert seen["pills"] == 0
    assert seen["checked"] == count + own


def test_a_burst_is_followed_to_its_end(visit: Visit, guests: Guests) -> None:
    fox = filled(guests, 10)
    visitor = visit().enter()
    visitor.message(re.compile("^before 9")).wait_for()
    result = watched(visitor)
    for number in range(300):
        fox.emit({"action": "message", "msg": f"{number} " + _TEXTS[number % len(_TEXTS)]})
    visitor.sees_text("299 ")
    seen = result()
    assert (seen["checked"], seen["missed"]) == (300, [])
    # What came between two paints was drawn at once.
    assert seen["drawings"] < 300
    assert visitor.is_at_end()


def test_a_font_that_loads_late_leaves_the_newest_in_view(visit: Visit, guests: Guests) -> None:
    filled(guests)
    visitor = visit().enter()
    visitor.message(re.compile("^before 49")).wait_for()
    visitor.page.evaluate(_WAITS_FOR_FONT)
    plain = newest_row(visitor)
    for step, is_larger in (("add", True), ("delete", False)):
        visitor.page.evaluate(f"() => document.fonts.{step}(window.late)")
        visitor.rests()
        row = newest_row(visitor)
        assert (row["height"] > 1.2 * plain["height"]) == is_larger
        assert row["below"] <= 0.5
        assert visitor.page.locator(".pill").count() == 0


def test_growing_the_composer_does_not_count_as_scrolling(visit: Visit, guests: Guests) -> None:
    fox = filled(guests)
    visitor = visit().enter()
    visitor.message(re.compile("^before 49")).wait_for()
    for _ in range(5):
        visitor.composer.press("Shift+Enter")
        visitor.rests()
        assert visitor.is_at_end()
    assert visitor.page.locator(".pill").count() == 0
    fox.sends("and on")
    visitor.message("and on").wait_for()
    visitor.rests()
    assert visitor.is_at_end()


@pytest.mark.parametrize("anchored", [True, False], ids=["anchored", "without scroll anchoring"])
def test_what_is_read_stays_while_others_talk(visit: Visit, guests: Guests, *, anchored: bool) -> None:
    fox = filled(guests)
    visitor = visit()
    if not anchored:
        without_anchoring(visitor)
    visitor.enter()
    visitor.message(re.compile("^before 49")).wait_for()
    visitor.scrolls(400)
    row, top = visitor.first_row()
    for number in range(100):
        fox.sends(f"after {number} " + _TEXTS[number % len(_TEXTS)])
    expect(visitor.button(re.compile("^100 new"))).to_be_visible()
    visitor.message(re.compile("^after 99")).wait_for(state="attached")
    assert visitor.top_of(row) == top
    # The composer grows below, and the row above it is where it was to within the growth.
    visitor.button(re.compile("^100 new")).click()
    visitor.rests()
    assert visitor.is_at_end()


def test_no_row_comes_while_the_view_moves(visit: Visit, guests: Guests) -> None:
    fox = filled(guests)
    visitor = visit()
    # The view moves until the page's timer says that it rests.
    visitor.page.add_init_script(
        "{ const begin = setTimeout; window.setTimeout = (act, ms, ...rest) =>"
        " { if (ms !== 150) return begin(act, ms, ...rest); window.rest = act; return 0; } }"
    )
    visitor.enter()
    visitor.message(re.compile("^before 49")).wait_for()
    visitor.scrolls(visitor.above() - 400)
    visitor.page.wait_for_function("() => window.rest")
    row, top = visitor.first_row()
    fox.sends("below")
    expect(visitor.button(re.compile("^1 new"))).to_be_visible()
    assert visitor.texts()[-1].startswith("before 49")
    assert visitor.top_of(row) == top
    visitor.page.evaluate("() => window.rest()")
    visitor.message("below").wait_for(state="attached")
    assert visitor.top_of(row) == top


@pytest.mark.parametrize("anchored", [True, False], ids=["anchored", "without scroll anchoring"])
def test_older_messages_load_above_and_move_nothing(visit: Visit, guests: Guests, *, anchored: bool) -> None:
    filled(guests, 220)
    visitor = visit()
    if not anchored:
        without_anchoring(visitor)
    visitor.enter()
    visitor.message(re.compile("^before 219")).wait_for()
    moved = []
    while not reaches_the_start(visitor):
        # A little up, so that more is fetched; then the row in view must stay while it loads.
        visitor.scrolls(max(0.0, visitor.above() - 500))
        row, top = visitor.first_row()
        older_have_loaded(visitor)
        visitor.rests()
        moved.append(visitor.top_of(row) - top)
    assert moved == [0] * len(moved)


def test_dragging_the_scroll_bar_to_the_top_reaches_everything(visit: Visit, guests: Guests) -> None:
    filled(guests, 400)
    visitor = visit().enter()
    visitor.message(re.compile("^before 399")).wait_for()
    for _ in range(20):
        if reaches_the_start(visitor):
            break
        visitor.scrolls(0)
        row, top = visitor.first_row()
        older_have_loaded(visitor)
        visitor.rests()
        assert visitor.top_of(row) == top
    assert reaches_the_start(visitor)


def test_dragging_the_scroll_bar_down_reaches_the_end(
    browser_type: BrowserType,
    browser_type_launch_args: dict[str, Any],
    server: Program,
    room: str,
    guests: Guests,
) -> None:
    fox = filled(guests, 120)
    browser = browser_type.launch(**browser_type_launch_args, ignore_default_args=["--hide-scrollbars"])
    try:
        visitor = Visitor(
            browser.new_context(viewport=DESKTOP), server.url, room, "en", in_both=False
        ).enter()
        visitor.message(re.compile("^before 119")).wait_for()
        visitor.rests()
        mouse = visitor.page.mouse
        x, thumb, bottom = visitor.scroller.evaluate(_THUMB)
        mouse.move(x, thumb)
        mouse.down()
        mouse.move(x, thumb - 200, steps=10)
        assert not visitor.is_at_end()
        for number in range(20):
            fox.sends(f"meanwhile {number}")
        expect(visitor.button(re.compile("^20 new"))).to_be_visible()
        mouse.move(x, bottom, steps=10)
        for number in range(5):
            fox.sends(f"then {number}")
            mouse.move(x, bottom - number % 2)
        mouse.move(x, bottom)
        visitor.waits_until(visitor.is_at_end)
        mouse.up()
        visitor.message("then 4").wait_for(state="attached")
        visitor.rests()
        assert visitor.is_at_end()
        assert visitor.faults == []
    finally:
        browser.close()


def test_a_long_talk_keeps_five_hundred_rows(visit: Visit, start: Start, room: str) -> None:
    server = start("--limits", "off", "--history", "3000")
    fox = Guest(server.url, {"room": room, "v": 1, "username": "fox"}).enter()
    visitor = visit(url=server.url).enter()
    talk(fox, 0, 1200)
    visitor.message("message 1199").wait_for()
    assert visitor.is_at_end()
    assert rows(visitor) <= 500
    # Reading further up while others talk: the list is left behind, and the row stays.
    visitor.scrolls(visitor.above() / 2)
    visitor.page.wait_for_function("() => document.querySelector('.pill')")
    row, top = visitor.first_row()
    talk(fox, 1200, 2300)
    expect(visitor.button(re.compile("^1100 new"))).to_be_visible()
    visitor.rests()
    assert visitor.top_of(row) == top
    assert rows(visitor) <= 500
    # Downwards again, nothing is missing.
    texts = visitor.texts()
    while texts[-1] != "message 2299":
        visitor.scroller.evaluate("(list) => { list.scrollTop = 0 }")

        def has_more(last: str = texts[-1]) -> bool:
            return visitor.texts()[-1] != last or visitor.is_at_end()

        until(has_more, "newer messages")
        now = visitor.texts()
        assert now[now.index(texts[-1]) :] == [
            f"message {n}" for n in range(number(texts[-1]), number(now[-1]) + 1)
        ]
        texts = now
    # And by the pill, at once.
    visitor.scroller.evaluate("(list) => { list.scrollTop = 0 }")
    expect(visitor.page.locator(".pill")).to_have_count(0)
    visitor.scrolls(0)
    visitor.page.wait_for_function("() => document.querySelector('.pill')")
    talk(fox, 2300, 3400)
    visitor.button(re.compile("^1100 new")).click()
    visitor.message("message 3399").wait_for()
    visitor.rests()
    assert visitor.is_at_end()
    assert rows(visitor) <= 500
    fox.leaves()


@pytest.mark.parametrize(
    ("anchored", "scrolls"),
    [(True, False), (False, False), (True, True)],
    ids=["anchored", "without scroll anchoring", "before a scroll is over"],
)
def test_the_row_being_read_stays_when_newer_rows_are_dropped(
    visit: Visit, guests: Guests, *, anchored: bool, scrolls: bool
) -> None:
    fox = filled(guests, 50)
    visitor = visit()
    if not anchored:
        without_anchoring(visitor)
    visitor.enter()
    visitor.message(re.compile("^before 49")).wait_for()
    visitor.scrolls(0)
    # As many rows as the list holds. Those that are not near the view are not drawn, so that their heights are guessed.
    new = 500 - visitor.page.locator(".row[data-key]").count()
    talk(fox, 0, new)
    expect(visitor.button(re.compile(f"^{new} new"))).to_be_visible()
    expect(visitor.page.locator(".row[data-key]")).to_have_count(500)  # they come once the view rests
    visitor.scrolls(6000)
    if scrolls:
        # Chromium's scroll anchoring sometimes misses that rows get their real heights. Turned off, it always does.
        visitor.page.add_style_tag(content=".scroller { overflow-anchor: none !important }")
        visitor.page.evaluate(_SCROLL_ON)
    visitor.scroller.evaluate(_TO_GUESSED)
    visitor.rests()
    row, top = visitor.first_row()
    talk(fox, new, new + 1)
    expect(visitor.button(re.compile(f"^{new + 1} new"))).to_be_visible()
    if scrolls:
        visitor.rests()
        assert visitor.top_of(row) == top
        visitor.page.evaluate("() => scrollEnds()")
    until(lambda: rows(visitor) < new, "rows to be dropped")
    visitor.rests()
    assert visitor.top_of(row) == top


def test_who_reads_the_first_message_keeps_it(visit: Visit, start: Start, room: str) -> None:
    server = start("--limits", "off", "--history", "3000")
    fox = Guest(server.url, {"room": room, "v": 1, "username": "fox"}).enter()
    visitor = visit(url=server.url).enter()
    talk(fox, 0, 450)
    visitor.message("message 449").wait_for()
    # Above it is the line of the day.
    visitor.scrolls(0)
    visitor.page.wait_for_function("() => document.querySelector('.pill')")
    row, top = visitor.first_row()
    talk(fox, 450, 650)
    expect(visitor.button(re.compile("^200 new"))).to_be_visible()
    visitor.rests()
    assert visitor.texts()[0] == "message 0"
    assert visitor.top_of(row) == top
    assert rows(visitor) <= 500
    fox.leaves()


def test_sending_scrolls_to_the_end_from_anywhere(visit: Visit, guests: Guests) -> None:
    filled(guests)
    visitor = visit().enter()
    visitor.message(re.compile("^before 49")).wait_for()
    visitor.scrolls(0)
    visitor.writes("here I am")
    visitor.message("here I am").wait_for()
    visitor.rests()
    assert visitor.is_at_end()
    assert visitor.page.locator(".pill").count() == 0


def test_several_messages_are_copied_with_time_and_name(visit: Visit, guests: Guests) -> None:
    fox = guests(username="fox")
    fox.sends("first\nof two lines")
    fox.sends("second")
    visitor = visit(permissions=["clipboard-read", "clipboard-write"]).enter()
    visitor.message("second").wait_for()
    fox.asks("whisper", to=visitor.name, msg="third")
    visitor.message("third").wait_for()
    visitor.page.evaluate(
        "() => { const all = document.querySelectorAll('.text');"
        " getSelection().setBaseAndExtent(all[0], 0, all[2], all[2].childNodes.length) }"
    )
    visitor.page.keyboard.press("Control+c")
    copied = visitor.page.evaluate("() => navigator.clipboard.readText()")
    assert re.sub(r"\[\d\d:\d\d\]", "[]", copied) == (
        f"[] fox: first\n    of two lines\n[] fox: second\n[] fox (whisper to {visitor.name}): third"
    )


def test_every_message_of_a_group_names_its_author(visit: Visit, guests: Guests) -> None:
    fox = guests(username="fox")
    fox.sends("first")
    fox.sends("second")
    visitor = visit().enter()
    visitor.message("second").wait_for()
    tree = visitor.page.locator(".rows").aria_snapshot()
    assert [line.count("fox") for line in tree.split("- article")[1:]] == [1, 1], tree


def without_anchoring(visitor: Visitor) -> None:
    """As in a browser without scroll anchoring (Safari)."""
    visitor.page.add_init_script(
        "{ const supports = CSS.supports.bind(CSS);"
        " CSS.supports = (...query) => query[0] !== 'overflow-anchor' && supports(...query); }"
    )


def newest_row(visitor: Visitor) -> dict[str, float]:
    """How high the newest row is, and how far it stands below the view; in pixels."""
    found: dict[str, float] = visitor.page.evaluate(
        "() => { const row = document.querySelector('.rows').lastElementChild.firstElementChild;"
        " const box = row.getBoundingClientRect();"
        " const view = document.querySelector('.scroller').getBoundingClientRect();"
        " return {height: box.height, below: box.bottom - view.bottom}; }"
    )
    return found


def reaches_the_start(visitor: Visitor) -> bool:
    return visitor.texts()[0].startswith("before 0 ")


def older_have_loaded(visitor: Visitor) -> None:
    expect(visitor.page.locator(".older")).to_have_count(0)


def rows(visitor: Visitor) -> int:
    count: int = visitor.page.evaluate("() => document.querySelectorAll('.rows article').length")
    assert count > 0
    return count


def number(text: str) -> int:
    return int(text.removeprefix("message "))


def talk(guest: Guest, first: int, end: int) -> None:
    """Send `message N` for each number, as fast as they are taken and no faster."""
    for n in range(first, end):
        guest.emit({"action": "message", "msg": f"message {n}"})
        if n % 250 == 0:
            guest.asks("who")
    guest.asks("who")
