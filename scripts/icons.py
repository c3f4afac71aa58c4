"""Draw the PNG icons of the page from `web/public/icon.svg`, with the system's Chromium: `make icons`."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from playwright.sync_api import sync_playwright

PUBLIC: Final = Path(__file__).resolve().parent.parent / "web" / "public"
CHROMIUM: Final = "/usr/bin/chromium"
# File, pixels, and whether the background fills the square: systems cut maskable icons and Apple's to their own shape.
# The bubble of icon.svg lies within the safe zone, a circle of 40% of the width around the middle.
ICONS: Final = (
    ("icon-192.png", 192, False),
    ("icon-512.png", 512, False),
    ("icon-maskable-512.png", 512, True),
    ("apple-touch-icon.png", 180, True),
)
_CORNERS: Final = re.compile(r'(<rect width="64" height="64") rx="16"')


def main() -> None:
    svg = (PUBLIC / "icon.svg").read_text(encoding="utf-8")
    filled, count = _CORNERS.subn(r"\1", svg)
    assert count == 1, "icon.svg no longer begins with the background that this script expects"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM)
        for name, size, fills in ICONS:
            page = browser.new_page(viewport={"width": size, "height": size})
            page.set_content(
                f"<style>body {{ margin: 0 }} svg {{ display: block }}</style>{filled if fills else svg}"
            )
            page.screenshot(path=PUBLIC / name, omit_background=True)
            page.close()
        browser.close()


if __name__ == "__main__":
    main()
