"""The bots of docs/bots.md, run as they stand there."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.program import ROOT

BLOCKS = dict(
    re.findall(r"```(\w+)\n(.*?)```", (ROOT / "docs" / "bots.md").read_text(encoding="utf-8"), re.DOTALL)
)


@pytest.fixture(scope="module")
def modules(tmp_path_factory):
    """A folder with socket.io-client in it: the page's, or installed for this."""
    if (ROOT / "web" / "node_modules" / "socket.io-client").exists():
        return ROOT / "web" / "node_modules"
    folder = tmp_path_factory.mktemp("npm")
    subprocess.run(
        ["npm", "install", "--silent", "--no-audit", "--no-fund", "--ignore-scripts", "socket.io-client@4.8"],
        cwd=folder,
        check=True,
        timeout=120,
    )
    return folder / "node_modules"


def answers_ping(command, guests, tmp_path, name, env=None):
    bot = subprocess.Popen(command, cwd=tmp_path, env=env, start_new_session=True)
    try:
        guest = guests(room="lobby")
        if not any(person == name for person, _sid in guest.login["name_list"]):
            guest.waits_for(lambda: any(name in str(frame) for frame in guest.frames), f"{name} coming")
        guest.says("!ping")
        assert guest.hears("message", msg="pong")["username"] == name
    finally:
        os.killpg(bot.pid, signal.SIGTERM)
        bot.wait(10)


def test_the_python_bot(server, guests, tmp_path):
    (tmp_path / "bot.py").write_text(BLOCKS["python"])
    assert len([line for line in BLOCKS["python"].splitlines() if line]) <= 15
    for _run in range(2):  # whoever writes a bot stops it and starts it again
        answers_ping([sys.executable, "bot.py", server.url], guests, tmp_path, "Python bot")


def test_the_javascript_bot(server, guests, tmp_path, modules: Path):
    (tmp_path / "bot.cjs").write_text(BLOCKS["javascript"])
    command = [str(shutil.which("node")), "bot.cjs", server.url]
    answers_ping(command, guests, tmp_path, "JavaScript bot", {**os.environ, "NODE_PATH": str(modules)})


def test_the_shell_bot(server, guests, tmp_path):
    (tmp_path / "bot.sh").write_text(BLOCKS["sh"])
    answers_ping(["sh", "bot.sh", "127.0.0.1", str(server.line_port)], guests, tmp_path, "Shell bot")
