"""Draw docs/terminal.svg: the terminal client in a room of a server that is started for it."""

from __future__ import annotations

import asyncio
import re
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from textual import events  # noqa: E402  # the path has to be set first

from chatroom.terminal.address import Address  # noqa: E402  # the path has to be set first
from chatroom.terminal.screen import ChatApp  # noqa: E402  # the path has to be set first
from tests.support.guests import Guest  # noqa: E402  # the path has to be set first
from tests.support.lines import Line  # noqa: E402  # the path has to be set first
from tests.support.program import Program  # noqa: E402  # the path has to be set first

PICTURE = ROOT / "docs" / "terminal.svg"
WAIT_S = 10.0


async def draw(program: Program) -> str:
    """Play a short conversation; returns the screen as SVG."""
    owl = Guest(program.url, {"v": 1, "username": "Night Owl"}).enter()
    crane = Line(program.line_port, name="Paper Crane")
    owl.sends("Good evening! Who is on a terminal tonight?")
    crane.types("I am: plain telnet, and it is fine.")
    owl.receives("message", username="Paper Crane")
    app = ChatApp(Address.parse(program.url), None, "Fox")
    async with app.run_test(size=(76, 16)) as pilot:

        async def until(text: str) -> None:
            deadline = time.monotonic() + WAIT_S
            while text not in app.export_screenshot().replace("&#160;", " "):
                if time.monotonic() > deadline:
                    raise SystemExit(f"never shown: {text}")
                await asyncio.sleep(0.05)

        await until("You are Fox")
        await pilot.press(*"Hello from a full screen.", "enter")
        await until("Hello from a full")
        await asyncio.to_thread(owl.asks, "whisper", to="Fox", msg="Tea later?")
        await until("Tea later?")
        app.post_message(events.AppBlur())
        await pilot.pause()
        await asyncio.to_thread(owl.sends, "One room, three ways in.")
        await until("three ways in")
        await pilot.press(*"/to Pap")
        await asyncio.sleep(0.3)
        picture = app.export_screenshot(title="chatroom chat")
    owl.leaves()
    crane.closes()
    return re.sub(r"@font-face \{.*?\}\s*", "", picture, flags=re.DOTALL)  # it must load nothing


def main() -> None:
    with tempfile.TemporaryDirectory() as folder, Program(data_dir=Path(folder)) as program:
        PICTURE.write_text(asyncio.run(draw(program)), encoding="utf-8")
    print(f"{PICTURE.relative_to(ROOT)}: {PICTURE.stat().st_size} bytes")


if __name__ == "__main__":
    main()
