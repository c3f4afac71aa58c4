"""The bots of docs/bots.md, run as they stand there."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys

from tests.support.node import FOLDER, node
from tests.support.program import ROOT

BLOCKS = dict(
    re.findall(r"```(\w+)\n(.*?)```", (ROOT / "docs" / "bots.md").read_text(encoding="utf-8"), re.DOTALL)
)


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


def test_the_javascript_bot(server, guests, tmp_path):
    (tmp_path / "bot.cjs").write_text(BLOCKS["javascript"])
    assert len([line for line in BLOCKS["javascript"].splitlines() if line]) <= 15
    modules = {"NODE_PATH": str(FOLDER / "node_modules")}
    answers_ping(
        [node(), "bot.cjs", server.url], guests, tmp_path, "JavaScript bot", {**os.environ, **modules}
    )


def test_the_shell_bot(server, guests, tmp_path):
    (tmp_path / "bot.sh").write_text(BLOCKS["sh"])
    answers_ping(["sh", "bot.sh", "127.0.0.1", str(server.line_port)], guests, tmp_path, "Shell bot")
