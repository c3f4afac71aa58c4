"""What the browser shows outside the page: notifications, the installed app, its icons."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import FOREIGN_HOST
from tests.browser.visit import Visit
from tests.support.guests import Guests

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Worker

    from tests.browser.visit import Visitor
    from tests.support.program import Program


# Chrome on Android has `Notification`, but its constructor throws.
LIKE_ANDROID = (
    "window.Notification = new Proxy(Notification,"
    " { construct() { throw new TypeError('Illegal constructor.') } })"
)

# Chromium forgets a notification that it is asked about before it shows it: `notified` asks only afterwards.
COUNTS_SHOWN = (
    "const show = ServiceWorkerRegistration.prototype.showNotification; window.shown = 0;"
    " ServiceWorkerRegistration.prototype.showNotification ="
    " async function (...all) { await show.apply(this, all); window.shown++ }"
)


def switch(visitor: Visitor) -> Locator:
    return visitor.page.get_by_role("switch", name="Notify me of mentions and whispers")


def looks_away(visitor: Visitor, away: bool = True) -> None:
    visitor.page.evaluate(
        "(away) => { if (away)"
        " Object.defineProperty(document, 'visibilityState', {get: () => 'hidden', configurable: true});"
        " else delete document.visibilityState; document.dispatchEvent(new Event('visibilitychange')) }",
        away,
    )


def notified(visitor: Visitor, count: int = 1) -> list[list[str]]:
    """The notifications that are shown, once there are so many."""
    # Not by wait_for_function: what it repeats is an eval, which the page's policy forbids.
    shown: list[list[str]] = visitor.page.evaluate(
        "async (count) => { let found = []; for (let turn = 0; turn < 500; turn++) {"
        " if (count > window.shown) { await new Promise((go) => setTimeout(go, 10)); continue }"
        " const all = await (await navigator.serviceWorker.ready).getNotifications();"
        " found = all.map((one) => [one.title, one.body, one.data.url]);"
        " if (found.length === count) break; await new Promise((go) => setTimeout(go, 10)) } return found }",
        count,
    )
    return shown


def is_notified(visit: Visit, server: Program, **options: Any) -> Visitor:
    """A visitor at a secure page who has switched notifications on."""
    visitor: Visitor = visit(url=f"http://localhost:{server.port}", permissions=["notifications"], **options)
    visitor.page.add_init_script(LIKE_ANDROID)
    visitor.page.add_init_script(COUNTS_SHOWN)
    visitor.enter()
    visitor.button("More").click()
    switch(visitor).click()
    expect(switch(visitor)).to_have_attribute("aria-checked", "true")
    expect(visitor.page.locator(".trouble")).to_have_text("")
    visitor.page.keyboard.press("Escape")
    return visitor


def worker_of(visitor: Visitor) -> Worker:
    """The page's service worker, once the browser tells of it."""
    if not visitor.context.service_workers:
        visitor.context.wait_for_event("serviceworker")
    return visitor.context.service_workers[0]


def test_notifications_are_offered_only_where_they_exist(visit: Visit, server: Program) -> None:
    plain = visit(url=f"http://{FOREIGN_HOST}:{server.port}").enter()
    plain.button("More").click()
    expect(plain.page.get_by_role("link", name="New room")).to_be_visible()
    expect(plain.page.get_by_role("switch")).to_have_count(0)


def test_the_worker_notifies_of_a_mention(visit: Visit, guests: Guests, server: Program, room: str) -> None:
    fox = guests(username="fox")
    visitor = is_notified(visit, server)
    looks_away(visitor)
    fox.sends("nothing for you")
    fox.sends(f"@{visitor.name} look")
    fox.sends("nothing again")
    expect(visitor.page).to_have_title(f"(1) {room}")
    assert notified(visitor) == [[f"fox · {room}", f"@{visitor.name} look", visitor.page.url]]
    looks_away(visitor, False)
    expect(visitor.page).to_have_title(room)
    assert notified(visitor, 0) == []
    visitor.button("More").click()
    expect(switch(visitor)).to_have_attribute("aria-checked", "true")


def test_a_whispers_notification_keeps_its_text(visit: Visit, guests: Guests, server: Program) -> None:
    fox = guests(username="fox")
    visitor = is_notified(visit, server)
    looks_away(visitor)
    fox.asks("whisper", to=visitor.name, msg="a secret")
    assert notified(visitor) == [["fox whispers to you", "", visitor.page.url]]


def test_a_click_brings_the_page_of_the_room(visit: Visit, guests: Guests, server: Program) -> None:
    fox = guests(username="fox")
    visitor = is_notified(visit, server)
    url = visitor.page.url
    other = visitor.context.new_page()
    other.goto(f"http://localhost:{server.port}/")
    expect(other.locator(".chip")).to_be_visible()
    looks_away(visitor)
    fox.sends(f"@{visitor.name} look")
    assert len(notified(visitor)) == 1
    worker = worker_of(visitor)
    # Only a person's click may focus a page, and a test cannot click what the system shows.
    focused = worker.evaluate(
        "async () => { const [notification] = await self.registration.getNotifications(); let waited, focused;"
        " WindowClient.prototype.focus = async function () { focused = this.url };"
        " const event = new NotificationEvent('notificationclick', { notification });"
        " event.waitUntil = (promise) => { waited = promise }; self.dispatchEvent(event);"
        " await waited; return focused }"
    )
    assert focused == url
    assert notified(visitor, 0) == []


def test_the_worker_serves_no_request_and_has_no_cache(visit: Visit, server: Program) -> None:
    visitor = is_notified(visit, server)
    worker = worker_of(visitor)
    assert worker.url == f"http://localhost:{server.port}/sw.js"
    assert visitor.page.evaluate("async () => (await navigator.serviceWorker.ready).scope") == (
        f"http://localhost:{server.port}/"
    )
    served = visitor.page.reload()
    assert served is not None
    assert not served.from_service_worker
    assert visitor.page.evaluate("() => caches.keys()") == []


def test_a_permission_that_was_taken_away_is_named(visit: Visit, server: Program) -> None:
    visitor = is_notified(visit, server)
    visitor.context.clear_permissions()
    visitor.page.reload()
    visitor.button("More").click()
    expect(switch(visitor)).to_have_attribute("aria-checked", "false")
    expect(visitor.page.locator(".trouble")).to_have_text(
        re.compile("^Your browser .* notifications from this site")
    )
    visitor.shows("notifications-refused")


def test_a_notification_that_cannot_be_shown_is_named(visit: Visit, guests: Guests, server: Program) -> None:
    fox = guests(username="fox")
    visitor = is_notified(visit, server)
    visitor.page.evaluate(
        "() => { ServiceWorkerRegistration.prototype.showNotification = async () => { throw new TypeError('no') } }"
    )
    looks_away(visitor)
    fox.sends(f"@{visitor.name} look")
    visitor.sees(f"@{visitor.name} look")
    visitor.button("More").click()
    expect(visitor.page.locator(".trouble")).to_have_text("Your browser couldn't show the last notification.")
    expect(switch(visitor)).to_have_attribute("aria-checked", "true")


def test_a_worker_that_is_not_served_is_named(visit: Visit, server: Program) -> None:
    visitor = visit(url=f"http://localhost:{server.port}", permissions=["notifications"]).enter()
    visitor.lossy = True
    visitor.page.evaluate(
        "() => { navigator.serviceWorker.register = async () => { throw new TypeError('404') } }"
    )
    visitor.button("More").click()
    switch(visitor).click()
    expect(visitor.page.locator(".trouble")).to_have_text("Your browser couldn't show the last notification.")


@pytest.mark.parametrize("base", ["", "/chat"])
def test_the_page_can_be_installed_for_its_room(visit: Visit, start: Any, base: str) -> None:
    server = start(*(["--base-path", base] if base else []))
    root = f"http://localhost:{server.port}{base}"
    visitor = visit(url=root, room="tea").enter()
    devtools = visitor.context.new_cdp_session(visitor.page)
    for room in ("tea", "茶馆"):
        if room != "tea":
            visitor.writes(f"/join {room}")
            expect(visitor.page).to_have_title(room)
        link = visitor.page.locator("link[rel=manifest]")
        expect(link).to_have_attribute("href", f"manifest.webmanifest?room={quote(room)}")
        answer = devtools.send("Page.getAppManifest")
        assert answer["errors"] == []
        assert answer["manifest"]["startUrl"] == f"{root}/r/{quote(room)}"
        assert answer["manifest"]["scope"] == f"{root}/"
        assert answer["manifest"]["id"] == f"{root}/r/{quote(room)}"
        errors = devtools.send("Page.getInstallabilityErrors")["installabilityErrors"]
        assert [error["errorId"] for error in errors] == ["in-incognito"]  # as every context of a test is
        assert room in json.loads(answer["data"])["name"]


def test_icons_are_whole_within_their_shapes(visit: Visit, server: Program) -> None:
    """Systems cut a maskable icon to a circle of 40% of its width at the smallest, and Apple's at its corners."""
    visitor = visit().enter()
    for name, maskable in (
        ("icon-maskable-512.png", True),
        ("apple-touch-icon.png", True),
        ("icon-512.png", False),
    ):
        outside, inside, clear = visitor.page.evaluate(
            "async (name) => { const image = new Image(); image.src = name; await image.decode();"
            " const size = image.naturalWidth; const canvas = document.createElement('canvas');"
            " canvas.width = canvas.height = size; const pen = canvas.getContext('2d'); pen.drawImage(image, 0, 0);"
            " const { data } = pen.getImageData(0, 0, size, size); const seen = [new Set(), new Set()]; let clear = 0;"
            " for (let y = 0; y < size; y++) for (let x = 0; x < size; x++) {"
            " const at = 4 * (y * size + x); if (data[at + 3] < 255) clear++;"
            " const far = Math.hypot(x + 0.5 - size / 2, y + 0.5 - size / 2) > 0.4 * size;"
            " seen[far ? 0 : 1].add(data.slice(at, at + 3).join()) } return [seen[0].size, seen[1].size, clear] }",
            name,
        )
        assert inside > 1
        assert (outside == 1, clear == 0) == (maskable, maskable)
