"""The bots of docs/bots.md, run as they stand there."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys

import pytest

from tests.support.node import FOLDER, node
from tests.support.program import ROOT
from tests.support.road import Road

BLOCKS = dict(
    re.findall(r"```(\w+)\n(.*?)```", (ROOT / "docs" / "bots.md").read_text(encoding="utf-8"), re.DOTALL)
)
MODULES = {**os.environ, "NODE_PATH": str(FOLDER / "node_modules")}


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
    answers_ping([node(), "bot.cjs", server.url], guests, tmp_path, "JavaScript bot", MODULES)


# So that each answer names its question: `!ping 1` is answered with `pong 1`.
NUMBERED = {
    "python": {'== "!ping"': '[:5] == "!ping"', 'send("pong")': 'send("pong" + message["msg"][5:])'},
    "javascript": {
        '=== "!ping"': '.slice(0, 5) === "!ping"',
        'send("pong")': 'send("pong" + message.msg.slice(5))',
    },
}


@pytest.fixture(params=["python", "javascript"])
def bot(request, tmp_path):
    """Starts the bot of a language against an address; its name is in `name`."""
    running = []
    file = {"python": "bot.py", "javascript": "bot.cjs"}[request.param]
    source = BLOCKS[request.param]
    for old, new in NUMBERED[request.param].items():
        assert source.count(old) == 1
        source = source.replace(old, new)
    (tmp_path / file).write_text(source)
    program = {"python": sys.executable, "javascript": node()}[request.param]

    def start_one(url):
        process = subprocess.Popen([program, file, url], cwd=tmp_path, env=MODULES)
        running.append(process)
        return process

    start_one.name = {"python": "Python bot", "javascript": "JavaScript bot"}[request.param]
    yield start_one
    for process in running:
        process.kill()
        process.wait(10)


def answers(asker):
    """What the bots have said, and under which name."""
    entries = asker.asks("history")["entries"]
    return [(entry["username"], entry["msg"]) for entry in entries if "pong" in entry["msg"]]


def test_a_bot_cut_while_it_sends_sends_once_and_answers_what_it_missed(start, guests, bot):
    program = start("--limits", "off")
    asker = guests(url=program.url, room="lobby")
    road = Road(program.port)
    try:
        bot(road.url)
        asker.hears("login", username=bot.name)
        asker.says("!ping 1")
        asker.hears("message", msg="pong 1")
        road.hold("in")
        asker.says("!ping 2")
        road.waits("in")
        road.hold("out")
        road.release("in")
        asker.hears("message", msg="pong 2")  # the bot never receives its ack
        road.cut()
        asker.hears("logout", username=bot.name)
        asker.says("!ping 3")
        road.mend()
        asker.hears("login", username=bot.name)
        asker.hears("message", msg="pong 3")  # what the bot sends again, it sends before
        assert answers(asker) == [(bot.name, f"pong {number}") for number in (1, 2, 3)]
    finally:
        road.close()


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP], ids=["killed", "hung"])
def test_a_bot_that_is_started_again_has_its_name_at_once(start, guests, bot, tmp_path, number):
    program = start("--limits", "off")
    asker = guests(url=program.url, room="lobby")
    first = bot(program.url)
    asker.hears("login", username=bot.name)
    asker.says("!ping 1")
    asker.hears("message", msg="pong 1")
    (file,) = tmp_path.glob("*.token")
    assert file.stat().st_mode & 0o777 == 0o600
    first.send_signal(
        number
    )  # of one that is stopped the server knows nothing for 45 s, as after a power cut
    bot(program.url)
    asker.hears("login", username=bot.name)
    asker.says("!ping 2")
    asker.hears("message", msg="pong 2")
    assert answers(asker) == [(bot.name, "pong 1"), (bot.name, "pong 2")]


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
