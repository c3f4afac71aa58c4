"""Key to paint in the page while a room is busy: `make bench-page`, or `python -m bench.page URL` for a running server.

A room of 500 members, 50 messages per second, and a person who types. The browser says how long each key took from the
event to the next paint (Event Timing, in steps of 8 ms). Printed are p50, p95 and the longest, on a desktop and on a
phone whose CPU is four times slower, and in how many painted frames the newest message was not wholly in view; then the
bounds of `RATIOS`. The exit status is 1 after a fault, and with `--check` also when a bound is missed.
"""

from __future__ import annotations

import argparse
import json
import selectors
import statistics
import sys
import threading
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import urlsplit

import websocket
from playwright.sync_api import Browser, sync_playwright

from bench.scenarios import Figures, Ratio
from bench.summary import missed, missed_line, ratio_lines, ratio_values
from tests.support.program import Program

MEMBERS = 500
SENDERS = 10
PER_SECOND = 50
KEYS = 120
KEY_PAUSE_MS = 120
ROOM = "busy"
TEXTS = (
    "short",
    "a longer one that takes two lines on a phone, as many do",
    "**bold** and `code`",
    "风景很好 🌿",
)
ARGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]
PROFILES: dict[str, tuple[dict[str, Any], int]] = {
    "desktop": ({"viewport": {"width": 1280, "height": 800}}, 1),
    "phone": ({"viewport": {"width": 360, "height": 640}, "is_mobile": True, "has_touch": True}, 4),
}
RATIOS = (
    Ratio("desktop_p95_ms", "desktop", "p95_ms", must=50),
    Ratio("desktop_out_of_view", "desktop", "out_of_view", must=0),
    Ratio("phone_p95_ms", "phone", "p95_ms", must=120),
    Ratio("phone_out_of_view", "phone", "out_of_view", must=0),
)
LEAST_PER_SECOND = 0.9 * PER_SECOND  # messages that must reach the page, or the room was not busy enough
_PING = b"\x81\x012"  # a text frame that holds Engine.IO's ping
_WATCH = """
() => {
  window.keys = [];
  window.missed = window.checked = 0;
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) if (entry.name === 'keydown') window.keys.push(entry.duration);
  }).observe({type: 'event', durationThreshold: 16, buffered: false});
  const after = new MessageChannel();
  // From the end: looking through all rows would cost more than the page spends on a message.
  const newest = () => {
    let row = document.querySelector('.rows').lastElementChild;
    while (row && !row.querySelector('article')) row = row.previousElementSibling;
    return row && row.querySelector('article');
  };
  const inView = () => {
    if (newest() !== window.last) return;
    window.checked += 1;
    const box = window.last.getBoundingClientRect();
    const view = document.querySelector('.scroller').getBoundingClientRect();
    if (box.bottom > view.bottom + 1) window.missed += 1;
  };
  after.port1.onmessage = inView;
  const look = () => {
    // Once this frame has been painted.
    window.last = newest();
    after.port2.postMessage(0);
    requestAnimationFrame(look);
  };
  look();
}
"""
# When the page last looked, and the number that the newest message begins with.
_NEWEST = """
() => [performance.now(), parseInt([...document.querySelectorAll('article .text')].at(-1).textContent, 10)]
"""


class Crowd:
    """Members on one thread: some send, all read and answer pings."""

    def __init__(self, url: str) -> None:
        self._selector = selectors.DefaultSelector()
        self._members = []
        self._over = threading.Event()
        for _ in range(MEMBERS):
            member = websocket.create_connection(
                f"ws://{urlsplit(url).netloc}/socket.io/?EIO=4&transport=websocket", timeout=10
            )
            member.send("40" + json.dumps({"room": ROOM, "v": 1, "roster": "delta"}))
            self._members.append(member)
            self._selector.register(member, selectors.EVENT_READ, member)
        self._threads = [threading.Thread(target=self._read), threading.Thread(target=self._send)]
        for thread in self._threads:
            thread.start()

    def leave(self) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()
        for member in self._members:
            member.close()

    def _read(self) -> None:
        while not self._over.is_set():
            for key, _ in self._selector.select(0.2):
                # Frames are not parsed, which would cost more than it costs the server to send them.
                if _PING in key.data.sock.recv(65_536):
                    key.data.send("3")

    def _send(self) -> None:
        due = time.monotonic()
        number = 0
        while not self._over.is_set():
            message = {"action": "message", "msg": f"{number} {TEXTS[number % len(TEXTS)]}"}
            self._members[number % SENDERS].send("42" + json.dumps(["msg", message]))
            number += 1
            due += 1 / PER_SECOND
            # At fixed times, so that a late message does not delay the next ones.
            time.sleep(max(0.0, due - time.monotonic()))


def measure(browser: Browser, url: str, name: str) -> Figures:
    """Type in the busy room; returns the times from key to paint, and how often the newest message was out of view."""
    options, slower = PROFILES[name]
    context = browser.new_context(**options)
    page = context.new_page()
    page.goto(f"{url}/r/{ROOM}")
    page.locator("article").first.wait_for()
    page.context.new_cdp_session(page).send("Emulation.setCPUThrottlingRate", {"rate": slower})
    page.evaluate(_WATCH)
    page.locator("textarea").focus()
    began, first = page.evaluate(_NEWEST)
    for _ in range(KEYS):
        page.keyboard.press("a")
        page.wait_for_timeout(KEY_PAUSE_MS)
    ended, last = page.evaluate(_NEWEST)
    slow: list[float] = page.evaluate("() => window.keys")
    out_of_view, frames = page.evaluate("() => [window.missed, window.checked]")
    context.close()
    # Keys that took less than the threshold are not reported: they took at most 16 ms.
    keys = sorted([16.0] * (KEYS - len(slow)) + slow)
    return {
        "p50_ms": statistics.median(keys),
        "p95_ms": keys[int(0.95 * len(keys))],
        "longest_ms": keys[-1],
        "frames": frames,
        "out_of_view": out_of_view,
        "messages_per_s": (last - first) / (ended - began) * 1000,
    }


def fault(figures: Figures) -> str | None:
    """Why the figures are not those of a busy room."""
    if figures["messages_per_s"] < LEAST_PER_SECOND:
        return f"{figures['messages_per_s']:.3g} messages/s reached the page, not {PER_SECOND}"
    return None if figures["frames"] else "the newest message was checked in no frame"


def judge(trials: dict[tuple[str, str], list[Figures]]) -> tuple[list[str], bool]:
    """The lines that say which bounds were met, and whether all of them were."""
    values = ratio_values(RATIOS, trials)
    lines = [*ratio_lines(RATIOS, values), missed_line(RATIOS, values)]
    return lines, len(values) == len(RATIOS) and not missed(RATIOS, values)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument(
        "url", nargs="?", help="a server that runs with --limits off; without it one is started"
    )
    parser.add_argument("--check", action="store_true", help="exit with 1 when a bound is missed")
    arguments = parser.parse_args()
    url = arguments.url
    trials: dict[tuple[str, str], list[Figures]] = {}
    is_faulty = False
    with TemporaryDirectory() as folder:
        program = None if url else Program("--limits", "off", data_dir=Path(folder)).start()
        if program is not None:
            url = program.url
        crowd = Crowd(url)
        try:
            with sync_playwright() as playwright:
                browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=ARGS)
                for name in PROFILES:
                    figures = measure(browser, url, name)
                    for figure, value in figures.items():
                        print(f"  {name:<8} {figure:<15} {value:.4g}", flush=True)
                    if why := fault(figures):
                        print(f"  FAULT {name}: {why}", flush=True)
                        is_faulty = True
                    trials[name, "ours"] = [figures]
                browser.close()
        finally:
            crowd.leave()
            if program:
                program.stop()
    lines, is_met = judge(trials)
    print("\n".join(lines))
    return 1 if is_faulty or (arguments.check and not is_met) else 0


if __name__ == "__main__":
    sys.exit(main())
