"""Fixtures for plays in a real browser: Chromium as the system has it, and visitors who leave nothing behind."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest

from tests.browser.relay import Relay
from tests.browser.visit import DESKTOP, Visit, Visitor

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, BrowserContext, ViewportSize

    from tests.support.program import Program

# Leads to this machine, but is no secure context: of plain HTTP addresses, only localhost is one.
FOREIGN_HOST = "chat.internal"
# The name of another site, whose owner has given it this machine's address (DNS rebinding).
REBOUND_HOST = "evil.example"
_LOCALES = {"en": "en-GB", "zh": "zh-CN"}
# The first two would start two hidden processes for each context, which is more than half of what a context costs. The
# others are Playwright's own: the browser obeys only the last of several such switches, so they must be repeated here.
_DISABLED_FEATURES = (
    "WebUIOmniboxPopup",
    "WebUIOmniboxAimPopup",
    "AimEnabled",
    "AvoidCorsURLLoaderRestartOnRedirect",
    "AvoidUnnecessaryBeforeUnloadCheckSync",
    "DestroyProfileOnBrowserClose",
    "HttpsFirstBalancedModeAutoEnable",
    "HttpsUpgrades",
    "LensOverlay",
    "MediaRouter",
    "NetworkTimeServiceQuerying",
    "OptimizationHints",
    "PaintHolding",
    "PreconnectToSearch",
    "ThirdPartyStoragePartitioning",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    return {
        **browser_type_launch_args,
        "executable_path": "/usr/bin/chromium",
        "args": [
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--process-per-site",  # all pages of a context in one process: see `Profiles`
            f"--disable-features={','.join(_DISABLED_FEATURES)}",
            f"--host-resolver-rules=MAP {FOREIGN_HOST} 127.0.0.1, MAP {REBOUND_HOST} 127.0.0.1",
        ],
    }


@pytest.fixture(params=["en", "zh"])
def lang(request: pytest.FixtureRequest) -> str:
    """The language of a state: each is visited in both."""
    return str(request.param)


class Profiles:
    """Browser contexts. They go from visitor to visitor, emptied in between: what one has cached makes half the cost of
    a page. In each stays a page without scripts: it keeps the process running, whose start is half of the rest.

    Args:
        port: a server's, which has a page without scripts.
    """

    def __init__(self, browser: Browser, port: int) -> None:
        self._browser = browser
        self._port = port
        self._shared: dict[BrowserContext, tuple[str, dict[str, Any]]] = {}  # for what each was made
        self._idle: list[BrowserContext] = []

    def take(self, host: str, lang: str, *, own: bool, **options: Any) -> BrowserContext:
        """A context that nobody else uses now or, if it is to be one's own, ever.

        Who may be notified has a service worker, which stays in the context.
        """
        whole = {"viewport": DESKTOP, "locale": _LOCALES[lang], "timezone_id": "Asia/Shanghai", **options}
        own = own or "notifications" in options.get("permissions", ())
        if not own:
            for context in self._idle:
                if self._shared[context] == (host, whole):
                    self._idle.remove(context)
                    return context
        context = self._browser.new_context(**whole)
        if not own:
            self._shared[context] = host, whole
            context.new_page().goto(f"http://{host}:{self._port}/healthz")
        return context

    def give_back(self, visitor: Visitor) -> None:
        """Take the visitor's page away; nothing that it has stored stays."""
        if visitor.context in self._shared:
            visitor.page.evaluate("() => localStorage.clear()")
            visitor.page.close()
            self._idle.append(visitor.context)
        else:
            visitor.context.close()


@pytest.fixture(scope="session")
def profiles(browser: Browser, server: Program) -> Profiles:
    """Profiles of the browser, for one visitor after another."""
    return Profiles(browser, server.port)


@pytest.fixture
def visit(profiles: Profiles, server: Program, room: str) -> Iterator[Visit]:
    """Lets somebody open the page: `visit(url=…, room=…, lang=…, **context options)`; all must stay calm to the end.

    `lang` is given by tests that run in both languages; `own` by those that leave something in the context.
    """
    visitors: list[Visitor] = []

    def come(
        url: str | None = None,
        lang: str | None = None,
        room: str | None = room,
        viewport: ViewportSize = DESKTOP,
        own: bool = False,
        **options: Any,
    ) -> Visitor:
        url = url or server.url
        host = urlsplit(url).hostname or ""
        context = profiles.take(host, lang or "en", own=own, **options)
        visitor = Visitor(context, url, room, lang or "en", in_both=lang is not None)
        if viewport != DESKTOP:
            visitor.page.set_viewport_size(viewport)
        visitors.append(visitor)
        return visitor

    yield come
    try:
        for visitor in visitors:
            visitor.is_calm()
    finally:
        for visitor in visitors:
            profiles.give_back(visitor)


@pytest.fixture(scope="session")
def shared_relay(server: Program) -> Iterator[Relay]:
    """One address for all relays, so that browsers find the page in their caches."""
    relay = Relay(server.port)
    yield relay
    relay.close()


@pytest.fixture
def relay(shared_relay: Relay) -> Iterator[Relay]:
    """A relay to the server that can be cut."""
    yield shared_relay
    shared_relay.reset()
