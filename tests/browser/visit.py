"""A visitor: one page in a real browser, and checks for what must never happen on it."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal, Protocol
from urllib.parse import quote, urlsplit

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import BrowserContext, ConsoleMessage, Locator, Page, Request, ViewportSize, expect

DESKTOP: ViewportSize = {"width": 1280, "height": 800}
PHONE: ViewportSize = {"width": 360, "height": 640}
_THEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
PICTURES = os.environ.get("CHATROOM_TEST_SCREENSHOTS")
WAIT_MS = 10_000
# The browser logs a broken connection; if a test broke it, that is not an error of the page.
_LOST = re.compile(
    r"WebSocket connection to|ERR_CONNECTION|ERR_EMPTY_RESPONSE|ERR_INTERNET_DISCONNECTED|Failed to load resource"
)

_AXE = Axe().axe_script
# `innerText` knows nothing of rows that are not drawn (`content-visibility`), so lines are broken by hand.
_TEXTS = """
() => [...document.querySelectorAll('article .text')].map((text) => {
  const copy = text.cloneNode(true);
  for (const line of copy.querySelectorAll('br')) line.replaceWith('\\n');
  return copy.textContent;
})
"""
# Where rows stand in the frame that is drawn next. A script that asks for a box at any other time may get one that
# nobody sees: a row has a guessed height until it is drawn, and one that was moved is put back before the frame.
_DRAWN = """
(rows) => new Promise((done) => {
  const watcher = new IntersectionObserver((all) => {
    watcher.disconnect();
    done(all.map(({target, isIntersecting, boundingClientRect, rootBounds}) =>
      [target.dataset.id, boundingClientRect.top - rootBounds.top, isIntersecting]));
  }, {root: document.querySelector('.scroller')});
  for (const row of document.querySelectorAll(rows)) watcher.observe(row);
})
"""
expect.set_options(timeout=WAIT_MS)


class Visitor:
    """A user at a page.

    Args:
        context: a browser context of its own.
        url: where the server is reached, without a path.
        room: the room to enter.
        lang: "en" or "zh", for the names of pictures; the context's locale decides what the page speaks.
        in_both: the same test runs in the other language as well.
    """

    def __init__(
        self, context: BrowserContext, url: str, room: str | None, lang: str, *, in_both: bool
    ) -> None:
        self.context = context
        self.url = url
        self.room = room
        self.lang = lang
        self.in_both = in_both
        self.page: Page = context.new_page()
        self.faults: list[str] = []
        self.lossy = False
        self.page.on("console", self._hear)
        self.page.on("pageerror", lambda problem: self.faults.append(f"uncaught: {problem}"))
        self.page.on("request", self._asks)
        self.page.add_init_script(
            "addEventListener('securitypolicyviolation', (event) =>"
            " console.error('CSP', event.violatedDirective, event.blockedURI, event.sample))"
        )

    @property
    def address(self) -> str:
        return self.url + ("/" if self.room is None else f"/r/{quote(self.room, safe='')}")

    def go(self) -> Visitor:
        """Open the page; the user need not have joined yet."""
        self.page.goto(self.address)
        return self

    def enter(self) -> Visitor:
        """Open the page; wait until the user has a name, and the page what it fetches after its first load."""
        self.go()
        expect(self.chip).to_be_visible()
        self.is_whole()
        return self

    def is_whole(self) -> None:
        """Wait until what the page fetches after its first load is at work."""
        self.page.locator(".rail li").first.wait_for(state="attached")

    # What is on the page

    @property
    def composer(self) -> Locator:
        return self.page.locator("textarea")

    @property
    def chip(self) -> Locator:
        return self.page.locator(".chip")

    @property
    def name(self) -> str:
        return self.chip.inner_text()

    @property
    def scroller(self) -> Locator:
        return self.page.locator(".scroller")

    @property
    def bar(self) -> Locator:
        return self.page.locator(".bar")

    def message(self, text: str | re.Pattern[str]) -> Locator:
        return self.page.locator("article", has=self.page.get_by_text(text, exact=True))

    def texts(self) -> list[str]:
        """The texts of the messages in the document, top to bottom."""
        texts: list[str] = self.page.evaluate(_TEXTS)
        return texts

    def has_fetched(self, *names: str) -> None:
        """Wait until files of the page are there that it fetches after the first load."""
        # Not by wait_for_function: what it repeats is an eval, which the page's policy forbids.
        assert self.page.evaluate(
            "async (names) => { for (let turn = 0; turn < 1000; turn++) {"
            " const all = performance.getEntriesByType('resource').filter((one) => one.responseEnd > 0);"
            " if (names.every((name) => all.some((one) => one.name.includes(`/assets/${name}-`)))) return true;"
            " await new Promise((go) => setTimeout(go, 10)) } return false }",
            names,
        )

    # What the user does

    def sends(self, text: str) -> None:
        """Write and send; wait until it is acknowledged."""
        self.writes(text)
        said = self.message(text).last
        expect(said).to_be_visible()
        expect(said).not_to_have_class(re.compile("sending"))

    def writes(self, text: str) -> None:
        """Write and send, without waiting for the outcome."""
        self.composer.fill(text)
        self.composer.press("Enter")

    def sees(self, text: str) -> None:
        expect(self.message(text).last).to_be_visible()

    def sees_text(self, beginning: str) -> None:
        """Wait for a message that begins like this."""
        self.page.locator("article .text", has_text=re.compile("^" + re.escape(beginning))).last.wait_for()

    def sees_id(self, message: str) -> None:
        expect(self.page.locator(f"article[data-id='{message}']")).to_be_visible()

    def goes_to_room(self, room: str) -> bool:
        """Go to a room by its address; whether there can be one of that name."""
        self.page.goto(f"{self.url}/r/{quote(room, safe='')}")
        self.page.locator(".chip, [role=alert]").first.wait_for()
        return self.chip.count() > 0

    def button(self, name: str | re.Pattern[str]) -> Locator:
        # A guest may be called "More Tea": names of buttons are meant wholly, unless they are patterns.
        return self.page.get_by_role("button", name=name, exact=isinstance(name, str))

    def scrolls(self, top: float) -> None:
        """Scroll the list to a distance from its top, in pixels."""
        self.scroller.evaluate(
            "(list, top) => { list.scrollTop = top - (list.scrollHeight - list.clientHeight) }", top
        )
        self.rests()

    def above(self) -> float:
        """How much of the list lies above the view, in pixels."""
        return float(
            self.scroller.evaluate("(list) => list.scrollHeight - list.clientHeight + list.scrollTop")
        )

    def closes_sheet(self) -> None:
        """Press Escape; wait until the browser has also left the sheet's entry in its history."""
        self.page.keyboard.press("Escape")
        expect(self.page.get_by_role("dialog")).to_have_count(0)
        self.waits_until(lambda: self.page.evaluate("() => history.state === null"))

    def rests(self) -> None:
        """Wait until two frames have been drawn."""
        self.page.evaluate(
            "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"
        )

    def waits_until(self, condition: Callable[[], Any]) -> None:
        """Wait, drawing frame after frame, until something is so that the page itself does not show."""
        deadline = time.monotonic() + WAIT_MS / 1000
        while not condition():
            assert time.monotonic() < deadline, "never so"
            self.rests()

    def first_row(self) -> tuple[str, float]:
        """The first message wholly in view, and where it stands: [id, pixels from the top of the list]."""
        drawn = self.page.evaluate(_DRAWN, "article[data-id]")
        top, row = min((top, row) for row, top, in_view in drawn if in_view and top >= 0)
        return row, top

    def top_of(self, row: str) -> float:
        """The position of a message, in pixels from the top of the list."""
        ((_, top, in_view),) = self.page.evaluate(_DRAWN, f"article[data-id='{row}']")
        assert in_view, "the row is out of view"
        return float(top)

    def is_at_end(self) -> bool:
        return bool(self.scroller.evaluate("(list) => Math.abs(list.scrollTop) < 1"))

    # What must hold

    def shows(self, name: str) -> None:
        """This is a state: axe finds nothing in it, light or dark, wide or narrow; pictures are taken if asked for.

        A test that runs in both languages looks at each theme and each size once per language, and at every pair of
        them in one language or the other; for pictures, at all.
        """
        odd = 1 if self.lang == "zh" else 0
        # What changes its colours does so at once then, and need not be waited for.
        self.page.emulate_media(reduced_motion="reduce")
        for row, (size, dimensions) in enumerate((("desktop", DESKTOP), ("phone", PHONE))):
            self.page.set_viewport_size(dimensions)
            for column, theme in enumerate(_THEMES):
                if self.in_both and not PICTURES and (row + column) % 2 != odd:
                    continue
                self.page.emulate_media(color_scheme=theme)
                self.rests()
                self.is_accessible(f"{name}, {size}, {theme}")
                if PICTURES:
                    self.page.screenshot(path=Path(PICTURES) / f"{name}-{size}-{theme}-{self.lang}.png")
        self.page.emulate_media(color_scheme="light", reduced_motion="no-preference")
        self.page.set_viewport_size(DESKTOP)
        self.rests()

    def is_accessible(self, where: str) -> None:
        # What fades in has not its colours yet.
        self.page.evaluate(
            "() => Promise.all(document.getAnimations().map((one) => one.finished.catch(() => 0)))"
        )
        if not self.page.evaluate("() => 'axe' in window"):
            self.page.evaluate(_AXE)
        # Without `preload`, by which axe asks for every style sheet again, also where a test has the server away.
        found = self.page.evaluate("() => axe.run({resultTypes: ['violations'], preload: false})")
        violations = [
            (
                violation["id"],
                [
                    node["html"][:200] + " " + (node.get("failureSummary") or "")
                    for node in violation["nodes"]
                ],
            )
            for violation in found["violations"]
        ]
        assert violations == [], f"{where}: {violations}"

    def is_calm(self) -> None:
        """Check that nothing happened that must never happen."""
        faults = [fault for fault in self.faults if not (self.lossy and _LOST.search(fault))]
        assert faults == [], faults

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.faults.append(f"console {message.type}: {message.text}")

    def _asks(self, request: Request) -> None:
        asked: Any = urlsplit(request.url)
        if asked.scheme not in ("data", "blob") and asked.netloc != urlsplit(self.url).netloc:
            self.faults.append(f"a request left the origin: {request.url}")


class Visit(Protocol):
    """Lets somebody open the page; other keywords are options of the browser context."""

    def __call__(
        self,
        url: str | None = None,
        lang: str | None = None,
        room: str | None = ...,
        viewport: ViewportSize = DESKTOP,
        own: bool = False,
        **options: Any,
    ) -> Visitor: ...
