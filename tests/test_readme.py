"""The two READMEs promise the same, and what they show runs."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.guests import Guests
from tests.support.program import Program

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
CHINESE = (ROOT / "README.zh-CN.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def test_both_languages_show_the_same_commands_code_and_sections() -> None:
    assert BLOCK.findall(README) == BLOCK.findall(CHINESE)
    assert len(re.findall("^## ", README, re.MULTILINE)) == len(re.findall("^## ", CHINESE, re.MULTILINE))


@pytest.mark.parametrize(
    "page", ["README.md", "README.zh-CN.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md"]
)
def test_every_link_to_a_file_leads_somewhere(page: str) -> None:
    links = re.findall(r"\]\(([^):#]+)\)", (ROOT / page).read_text(encoding="utf-8"))
    assert [link for link in links if not (ROOT / link).exists()] == []


def test_the_bot_answers(guests: Guests, server: Program, room: str) -> None:
    """The bot of the README, with nothing changed but where it goes."""
    (code,) = (body for language, body in BLOCK.findall(README) if language == "python")
    assert "http://127.0.0.1:5000" in code
    assert '"lobby"' in code
    code = code.replace("http://127.0.0.1:5000", server.url).replace('"lobby"', repr(room))
    asker = guests(v=1)
    with subprocess.Popen([sys.executable, "-c", code]) as bot:
        try:
            asker.receives("login", username="ping bot")
            asker.sends("ping")
            asker.receives("message", username="ping bot", msg=f"pong, {asker.name}")
        finally:
            bot.kill()
