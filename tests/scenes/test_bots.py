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


def test_the_python_bot_says_why_it_was_not_let_in(server, guests, tmp_path):
    guests(room="lobby", username="Python bot")
    (tmp_path / "bot.py").write_text(BLOCKS["python"])
    command = [sys.executable, "bot.py", server.url]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 1
    assert re.search(r"^not let in: .*'code': 'name_taken'", done.stderr, re.MULTILINE)


def test_the_python_bot_says_what_was_not_said(start, guests, tmp_path):
    program = start("--message-burst", "1", "--message-rate", "0.01")
    (tmp_path / "bot.py").write_text(BLOCKS["python"])
    command = [sys.executable, "bot.py", program.url]
    with subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, text=True) as bot:
        try:
            asker = guests(url=program.url, room="lobby")
            asker.waits_for(lambda: "Python bot" in str([asker.login, *asker.frames]), "the bot")
            asker.says("!ping")
            asker.hears("message", msg="pong")
            guests(url=program.url, room="lobby").says("!ping")
            assert bot.stderr.readline().startswith("not sent: ")
        finally:
            bot.kill()


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


def test_the_shell_bot_says_that_its_name_is_taken(server, guests, tmp_path):
    guests(room="lobby", username="Shell bot")
    (tmp_path / "bot.sh").write_text(BLOCKS["sh"])
    command = ["sh", "bot.sh", "127.0.0.1", str(server.line_port)]
    with subprocess.Popen(
        command, cwd=tmp_path, stderr=subprocess.PIPE, text=True, start_new_session=True
    ) as bot:
        try:
            assert bot.stderr.readline().startswith("* Reuse: Shell bot is taken")
        finally:
            os.killpg(bot.pid, signal.SIGTERM)
