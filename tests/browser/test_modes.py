"""The page where its usual looks do not hold: system colours, paper, and the time beside a long line."""

from __future__ import annotations

import base64
import re
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import FOREIGN_HOST
from tests.browser.visit import DESKTOP, PHONE, Visit
from tests.support.guests import Guests

if TYPE_CHECKING:
    from playwright.sync_api import Locator, ViewportSize

    from tests.support.program import Program


LONG = "a line that is much longer than the column is wide " * 12


def colours(part: Locator) -> dict[str, float]:
    """The colours that make up what a person sees of a part, with their shares."""
    picture = base64.b64encode(part.screenshot(animations="disabled")).decode()
    shares: dict[str, float] = part.page.evaluate(
        "async (picture) => { const image = new Image(); image.src = `data:image/png;base64,${picture}`;"
        " await image.decode(); const canvas = document.createElement('canvas');"
        " canvas.width = image.naturalWidth; canvas.height = image.naturalHeight;"
        " const pen = canvas.getContext('2d'); pen.drawImage(image, 0, 0);"
        " const { data } = pen.getImageData(0, 0, canvas.width, canvas.height); const counts = {};"
        " for (let at = 0; at < data.length; at += 4) {"
        " const colour = data.slice(at, at + 3).join(); counts[colour] = (counts[colour] ?? 0) + 4 / data.length }"
        " return counts }",
        picture,
    )
    return shares


def ground(part: Locator) -> str:
    """The colour that covers most of a part."""
    found = colours(part)
    return max(found, key=lambda colour: found[colour])


def is_readable(part: Locator) -> bool:
    """Whether something in it stands out against its ground."""
    behind = [int(one) for one in ground(part).split(",")]
    return any(
        sum(abs(int(one) - other) for one, other in zip(colour.split(","), behind, strict=True)) > 200
        for colour in colours(part)
    )


def test_the_code_to_scan_is_dark_squares_on_white(visit: Visit, server: Program) -> None:
    visitor = visit(url=f"http://{FOREIGN_HOST}:{server.port}", color_scheme="dark").enter()
    code = visitor.page.locator(".welcome svg[role=img]")
    side = code.evaluate("(code) => code.viewBox.baseVal.width")
    squares = code.locator("path").evaluate("(path) => path.getAttribute('d').split('M').length - 1")
    seen = colours(code)
    assert seen["38,35,31"] == pytest.approx(squares / side**2, abs=0.02)
    assert seen["255,255,255"] == pytest.approx(1 - squares / side**2, abs=0.03)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_what_is_chosen_shows_in_system_colours(
    visit: Visit, guests: Guests, server: Program, theme: Any
) -> None:
    fox = guests(username="fox")
    visitor = visit(url=f"http://localhost:{server.port}", permissions=["notifications"]).enter()
    visitor.has_fetched("later")
    visitor.page.emulate_media(forced_colors="active", color_scheme=theme, reduced_motion="reduce")

    send = visitor.page.locator(".disc")
    before = ground(send)
    visitor.composer.fill("own")
    expect(visitor.page.locator(".send.ready")).to_be_visible()
    assert ground(send) != before
    assert is_readable(send)
    visitor.sends("own")
    fox.sends("other")
    visitor.sees("other")
    edges = [set(colours(visitor.message(text))) for text in ("own", "other")]
    assert edges[0] - edges[1]

    visitor.composer.fill("/")
    options = visitor.page.get_by_role("option")
    expect(options.first).to_have_attribute("aria-selected", "true")
    assert ground(options.nth(0)) != ground(options.nth(1))
    assert is_readable(options.nth(0))
    visitor.composer.fill("")

    visitor.button("More").click()
    for kind in ("theme", "lang"):
        labels = visitor.page.locator(f"label:has(input[name={kind}])")
        chosen = visitor.page.locator(f"input[name={kind}]:checked + span")
        other = visitor.page.locator(f"input[name={kind}]:not(:checked) + span").first
        assert labels.count() > 1
        assert ground(chosen) != ground(other)
        assert is_readable(chosen)
    track = visitor.page.locator(".track")
    off = ground(track)
    visitor.page.get_by_role("switch").click()
    expect(visitor.page.get_by_role("switch")).to_have_attribute("aria-checked", "true")
    assert ground(track) != off
    visitor.page.keyboard.press("Escape")

    for number in range(40):
        fox.sends(f"filling {number}")
    visitor.sees("filling 39")
    visitor.page.locator(".scroller").evaluate("(list) => { list.scrollTop = -400 }")
    pill = visitor.page.locator(".pill")
    expect(pill).to_be_visible()
    quiet = ground(pill)
    fox.sends("new")
    expect(visitor.page.locator(".pill.count")).to_be_visible()
    assert ground(pill) != quiet
    assert is_readable(pill)


def test_the_time_of_a_row_never_covers_its_text(visit: Visit, guests: Guests) -> None:
    fox = guests(username="fox")
    fox.sends("head")
    texts = (LONG, "שורה ארוכה מאוד " * 30, f"```\n{LONG}\n```", "一行很长的中文" * 60, f"> {LONG}")
    for text in texts:
        fox.sends(text)
    visitor = visit().enter()
    rows = visitor.page.locator("article:not(.head)")
    expect(rows).to_have_count(len(texts))
    sizes: tuple[ViewportSize, ...] = (DESKTOP, {"width": 700, "height": 500})
    for size in sizes:
        visitor.page.set_viewport_size(size)
        for row, text in zip(rows.all(), texts, strict=True):
            row.hover()
            time = row.locator("time")
            expect(time).to_have_css("opacity", "1")
            (left, top, right, bottom), lines = row.evaluate(_TIME_AND_LINES)
            assert lines
            assert right > left
            for line in lines:
                beside = line[2] <= left or line[0] >= right or line[3] <= top or line[1] >= bottom
                assert beside, (size, text[:20])


# Where the time of a row stands, and the lines of its text; of a block of code, what is in view.
_TIME_AND_LINES = (
    "(row) => { const rects = []; "
    " const walk = document.createTreeWalker(row.querySelector('.text'), NodeFilter.SHOW_TEXT);"
    " const clip = [...row.querySelectorAll('pre')].map((one) => one.getBoundingClientRect())[0];"
    " while (walk.nextNode()) { const range = document.createRange(); range.selectNodeContents(walk.currentNode);"
    " for (const one of range.getClientRects())"
    " rects.push([one.left, one.top, Math.min(one.right, clip?.right ?? Infinity), one.bottom]) }"
    " const one = row.querySelector('time').getBoundingClientRect();"
    " return [[one.left, one.top, one.right, one.bottom], rects] }"
)


def test_print_shows_every_message_and_no_control(visit: Visit, guests: Guests) -> None:
    fox = guests(username="fox")
    for number in range(60):
        fox.sends(f"message {number}")
    fox.sends("\n".join(f"line {number}" for number in range(30)))
    fox.sends(f"```\n{'x' * 300}\n```")
    visitor = visit(color_scheme="dark").enter()
    visitor.has_fetched("later")
    visitor.sees("message 59")
    visitor.sends("mine")
    assert len(re.findall(rb"/Type /Page\b", visitor.page.pdf(format="A4"))) > 1

    visitor.page.emulate_media(media="print")
    count, tallest, controls, colour, cut = visitor.page.evaluate(
        "() => { const rows = [...document.querySelectorAll('article')]; const page = document.scrollingElement;"
        " const seen = (one) => one.checkVisibility() && one.getBoundingClientRect().height > 0;"
        " const controls = [...document.querySelectorAll('button, textarea, input, aside, header.head, .bar')]"
        ".filter(seen).map((one) => one.outerHTML);"
        " const tops = rows.map((row) => row.getBoundingClientRect());"
        " const cut = rows.filter((row) => { for (let up = row; up; up = up.parentElement)"
        " if (up.scrollHeight > up.clientHeight + 1 && getComputedStyle(up).overflowY !== 'visible'"
        " && up !== page) return true; return false });"
        " return [rows.filter(seen).length, tops[tops.length - 1].bottom - tops[0].top, controls,"
        " [...new Set(rows.flatMap((row) => [...row.querySelectorAll('.name, time, p')]).filter(seen)"
        ".map((one) => getComputedStyle(one).color))], cut.length] }"
    )
    assert count == visitor.page.locator("article").count() >= 50
    assert tallest > 2 * PHONE["height"]
    assert controls == []
    assert colour == ["rgb(0, 0, 0)"]
    assert cut == 0
    assert visitor.page.locator("pre").evaluate("(one) => one.scrollWidth <= one.clientWidth")
    expect(visitor.page.locator(".grey")).not_to_be_visible()
    last = visitor.page.locator("article", has_text="line 29")
    expect(last.get_by_text("line 29")).to_be_visible()
    heads = visitor.page.locator("article.head")
    for index in range(heads.count()):
        assert heads.nth(index).locator("header .name").is_visible()
        assert heads.nth(index).locator("header time").is_visible()


def test_own_messages_keep_their_tint_over_a_reload(visit: Visit, guests: Guests) -> None:
    fox = guests(username="fox")
    visitor = visit().enter()
    visitor.sends("own")
    fox.sends("other")
    visitor.sees("other")
    tint = ground(visitor.message("own"))
    assert tint != ground(visitor.message("other"))
    visitor.page.reload()
    visitor.sees("other")
    visitor.page.mouse.move(0, 0)
    assert ground(visitor.message("own")) == tint
    assert ground(visitor.message("other")) != tint
