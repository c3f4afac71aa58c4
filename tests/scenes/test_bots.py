"""The bots of docs/bots.md, run exactly as the page prints them."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.support.guests import Guest, Guests, until
from tests.support.impostor import OPENING, Impostor
from tests.support.lines import Lines
from tests.support.node import FOLDER, node
from tests.support.program import ROOT, Program, Start, free_port
from tests.support.relay import Relay

BLOCKS = dict(
    re.findall(r"```(\w+)\n(.*?)```", (ROOT / "docs" / "bots.md").read_text(encoding="utf-8"), re.DOTALL)
)
BACK_S = 60.0  # until a bot must be back; the shell's needs up to 11 s by itself
MODULES = {**os.environ, "NODE_PATH": str(FOLDER / "node_modules")}


def waits_for_bot(guest: Guest, name: str) -> None:
    """Wait until the bot has joined the room; its earlier messages do not count."""

    def is_here() -> bool:
        people = [person for person, _sid in guest.login["name_list"]]
        frames = [frame for frame in guest.frames if frame["action"] in ("login", "rename")]
        return name in people or any(name in (frame["username"], frame.get("to")) for frame in frames)

    guest.waits_for(is_here, name, BACK_S)


def answers_ping(
    command: list[str],
    guests: Guests,
    tmp_path: Path,
    name: str,
    env: dict[str, str] | None = None,
) -> None:
    bot = subprocess.Popen(command, cwd=tmp_path, env=env, start_new_session=True)
    try:
        guest = guests(room="lobby")
        waits_for_bot(guest, name)
        guest.sends("!ping")
        assert guest.receives("message", msg="pong")["username"] == name
    finally:
        os.killpg(bot.pid, signal.SIGTERM)
        bot.wait(10)


def test_the_python_bot(server: Program, guests: Guests, tmp_path: Path) -> None:
    (tmp_path / "bot.py").write_text(BLOCKS["python"])
    for _run in range(2):  # whoever writes a bot stops it and starts it again
        answers_ping([sys.executable, "bot.py", server.url], guests, tmp_path, "Python bot")


def test_the_python_bot_says_why_it_was_not_let_in(server: Program, guests: Guests, tmp_path: Path) -> None:
    guests(room="lobby", username="Python bot")
    (tmp_path / "bot.py").write_text(BLOCKS["python"])
    command = [sys.executable, "bot.py", server.url]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 1
    assert re.search(r"^cannot join: .*'code': 'name_taken'", done.stderr, re.MULTILINE)


def said(witness: Guest) -> list[str]:
    return [entry["msg"] for entry in witness.asks("history")["entries"]]


def test_the_python_bot_welcomes_each_newcomer_once(start: Start, guests: Guests, tmp_path: Path) -> None:
    program = start("--limits", "off")
    (tmp_path / "bot.py").write_text(BLOCKS["python"])
    witness = guests(url=program.url, room="lobby")
    paris = guests(url=program.url, room="lobby", username="Paris")
    with subprocess.Popen([sys.executable, "bot.py", program.url], cwd=tmp_path) as bot:
        try:
            waits_for_bot(witness, "Python bot")
            paris.emit({"action": "logout"})  # he was there before the bot, and comes back as after a restart
            witness.receives("logout", username="Paris")
            for name in ("Paris", "Romeo", "Romeo", "Juliet"):
                guests(url=program.url, room="lobby", username=name).emit({"action": "logout"})
                witness.receives("logout", username=name)
            until(lambda: "Welcome, Juliet! I answer !ping." in said(witness), "her welcome")
            assert [text.partition("!")[0] for text in said(witness)] == ["Welcome, Romeo", "Welcome, Juliet"]
        finally:
            bot.kill()


def test_the_javascript_bot(server: Program, guests: Guests, tmp_path: Path) -> None:
    (tmp_path / "bot.cjs").write_text(BLOCKS["javascript"])
    answers_ping([node(), "bot.cjs", server.url], guests, tmp_path, "JavaScript bot", MODULES)


# So that each answer names its question: `!ping 1` is answered with `pong 1`.
NUMBERED = {
    "python": {'== "!ping"': '[:5] == "!ping"', 'say("pong")': 'say("pong" + message["msg"][5:])'},
    "javascript": {
        '=== "!ping"': '.slice(0, 5) === "!ping"',
        'say("pong")': 'say("pong" + message.msg.slice(5))',
    },
}


class Bot:
    """Starts the bot written in one language; each call starts one more."""

    def __init__(self, name: str, command: list[str], folder: Path) -> None:
        self.name = name
        self.running: list[subprocess.Popen[bytes]] = []
        self._command = command
        self._folder = folder

    def __call__(self, url: str) -> subprocess.Popen[bytes]:
        process = subprocess.Popen([*self._command, url], cwd=self._folder, env=MODULES)
        self.running.append(process)
        return process


@pytest.fixture(params=["python", "javascript"])
def bot(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Bot]:
    """The bot of docs/bots.md in one language."""
    file = {"python": "bot.py", "javascript": "bot.cjs"}[request.param]
    source = BLOCKS[request.param]
    for old, new in NUMBERED[request.param].items():
        assert source.count(old) == 1
        source = source.replace(old, new)
    (tmp_path / file).write_text(source)
    program = {"python": sys.executable, "javascript": node()}[request.param]

    bot = Bot(
        {"python": "Python bot", "javascript": "JavaScript bot"}[request.param], [program, file], tmp_path
    )
    yield bot
    for process in bot.running:
        process.kill()
        process.wait(10)


def answering(bot: Bot, url: str, asker: Guest) -> subprocess.Popen[bytes]:
    """The bot as a process; it has joined, and has answered once."""
    process = bot(url)
    asker.receives("login", username=bot.name)
    asker.sends("!ping 1")
    asker.receives("message", msg="pong 1")
    return process


def answers(asker: Guest) -> list[tuple[str, str]]:
    """The bots' messages, each with its author's name."""
    entries = asker.asks("history")["entries"]
    return [(entry["username"], entry["msg"]) for entry in entries if "pong" in entry["msg"]]


def test_a_cut_bot_sends_once_and_answers_missed_messages(start: Start, guests: Guests, bot: Bot) -> None:
    program = start("--limits", "off")
    asker = guests(url=program.url, room="lobby")
    relay = Relay(program.port)
    try:
        answering(bot, relay.url, asker)
        relay.hold("in")
        asker.sends("!ping 2")
        relay.waits("in")
        relay.hold("out")
        relay.release("in")
        asker.receives("message", msg="pong 2")  # the bot never receives its ack
        relay.cut()
        asker.receives("logout", username=bot.name)
        asker.sends("!ping 3")
        relay.restore()
        asker.receives("login", username=bot.name)
        asker.receives("message", msg="pong 3")  # what the bot sends again, it sends before
        assert answers(asker) == [(bot.name, f"pong {number}") for number in (1, 2, 3)]
    finally:
        relay.close()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL], ids=["stopped", "killed"])
def test_a_bot_is_back_after_a_restart_of_the_server(
    start: Start, guests: Guests, bot: Bot, tmp_path: Path, number: signal.Signals
) -> None:
    program = start("--limits", "off", port=free_port())
    asker = guests(url=program.url, room="lobby")
    process = answering(bot, program.url, asker)
    program.signal(number)
    program.wait()
    again = start("--limits", "off", port=program.port, data_dir=tmp_path / "data")
    asker = guests(url=again.url, room="lobby")
    waits_for_bot(asker, bot.name)
    asker.sends("!ping 2")
    asker.receives("message", username=bot.name, msg="pong 2")
    assert process.poll() is None
    assert answers(asker) == [(bot.name, "pong 1"), (bot.name, "pong 2")]


def test_a_bot_waits_when_it_is_too_fast(start: Start, guests: Guests, bot: Bot) -> None:
    program = start("--message-burst", "1", "--message-rate", "1")
    askers = [guests(url=program.url, room="lobby") for _ in range(3)]
    bot(program.url)
    waits_for_bot(askers[0], bot.name)
    for number, asker in enumerate(askers):
        asker.sends(f"!ping {number}")
    all_three = {"pong 0", "pong 1", "pong 2"}  # in any order: some are sent again
    askers[0].waits_for(
        lambda: all_three <= {frame.get("msg") for frame in askers[0].frames}, "an answer to each"
    )
    assert len(answers(askers[0])) == 3


class Refusing(BaseHTTPRequestHandler):
    """Refuses every session as our server does, for six seconds."""

    server: Refusals

    def do_GET(self) -> None:
        self.server.came_at.append(time.monotonic())
        self.send_response(429)
        self.send_header("Retry-After", "6")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        pass


class Refusals(ThreadingHTTPServer):
    """A server that refuses every session; `came_at` has the times, in seconds of the monotonic clock."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Refusing)
        self.port = self.server_port
        self.came_at: list[float] = []
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def close(self) -> None:
        self.shutdown()
        self.server_close()


def test_a_refused_bot_comes_back_when_the_server_says(start: Start, guests: Guests, bot: Bot) -> None:
    program = start("--limits", "off")
    asker = guests(url=program.url, room="lobby")
    refusal = {"message": "no", "data": {"code": "rate_limited", "retry_after": 6}}
    # Each in the way that the bot's library shows it.
    python = bot.name == "Python bot"
    refusing = Impostor(OPENING, f"44{json.dumps(refusal)}") if python else Refusals()
    relay = Relay(program.port)
    try:
        answering(bot, relay.url, asker)
        relay.cut()
        relay.restore(refusing.port)
        until(lambda: refusing.came_at, "an attempt to come back", BACK_S)
        relay.restore(program.port)
        asker.sends("!ping 2")
        until(lambda: (bot.name, "pong 2") in answers(asker), "the bot", BACK_S)
        assert time.monotonic() - refusing.came_at[0] >= 6
    finally:
        relay.close()
        refusing.close()


def test_a_bot_does_not_answer_itself(start: Start, guests: Guests, bot: Bot, tmp_path: Path) -> None:
    program = start("--limits", "off")
    asker = guests(url=program.url, room="lobby")
    (file,) = tmp_path.glob("bot.*")
    file.write_text(re.sub(r'"pong" \+', '"!ping" +', file.read_text()))  # it answers what it asks for
    bot(program.url)
    asker.receives("login", username=bot.name)
    asker.sends("!ping 1")
    asker.receives("message", username=bot.name, msg="!ping 1")
    asker.sends("!ping 2")
    asker.receives("message", username=bot.name, msg="!ping 2")
    pings = [text for text in said(asker) if text.startswith("!ping")]
    assert pings == ["!ping 1", "!ping 1", "!ping 2", "!ping 2"]


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP], ids=["killed", "hung"])
def test_a_restarted_bot_has_its_name_at_once(
    start: Start, guests: Guests, bot: Bot, tmp_path: Path, number: signal.Signals
) -> None:
    program = start("--limits", "off")
    asker = guests(url=program.url, room="lobby")
    first = answering(bot, program.url, asker)
    (file,) = tmp_path.glob("*.token")
    assert file.stat().st_mode & 0o777 == 0o600
    first.send_signal(
        number
    )  # of one that is stopped the server knows nothing for 45 s, as after a power cut
    bot(program.url)
    asker.receives("login", username=bot.name)
    asker.sends("!ping 2")
    asker.receives("message", msg="pong 2")
    assert answers(asker) == [(bot.name, "pong 1"), (bot.name, "pong 2")]


class ShellBot:
    """Starts the shell bot; each call starts one more. Its FIFOs are in `fifos`."""

    def __init__(self, folder: Path) -> None:
        self.fifos = folder / "tmp"
        self.running: list[subprocess.Popen[bytes]] = []
        self._folder = folder
        self._tries = folder / "tries"
        (folder / "bot.sh").write_text(BLOCKS["sh"])
        own_nc = folder / "bin" / "nc"
        self.fifos.mkdir()
        own_nc.parent.mkdir()
        own_nc.write_text(f'#!/bin/sh\necho "$@" >> {self._tries}\nexec {shutil.which("nc")} "$@"\n')
        own_nc.chmod(0o700)
        path = f"{own_nc.parent}:{os.environ['PATH']}"
        self._environ = {**os.environ, "TMPDIR": str(self.fifos), "PATH": path}

    def __call__(self, port: int) -> subprocess.Popen[bytes]:
        command = ["sh", "bot.sh", "127.0.0.1", str(port)]
        bot = subprocess.Popen(command, cwd=self._folder, env=self._environ, start_new_session=True)
        self.running.append(bot)
        return bot

    def tries(self) -> int:
        """How many connections it has tried."""
        return len(self._tries.read_text().splitlines())


@pytest.fixture
def shell_bot(tmp_path: Path) -> Iterator[ShellBot]:
    shell_bot = ShellBot(tmp_path)
    yield shell_bot
    for bot in shell_bot.running:
        with suppress(ProcessLookupError):
            os.killpg(bot.pid, signal.SIGKILL)
        bot.wait(10)


def group_is_empty(pgid: int) -> bool:
    try:
        os.killpg(pgid, 0)
    except ProcessLookupError:
        return True
    return False


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_the_shell_bot_leaves_nothing_behind(
    server: Program, guests: Guests, shell_bot: ShellBot, number: signal.Signals
) -> None:
    bot = shell_bot(server.line_port)
    guest = guests(room="lobby")
    waits_for_bot(guest, "Shell bot")
    guest.sends("!ping")
    guest.receives("message", username="Shell bot", msg="pong")
    assert list(shell_bot.fifos.iterdir()) != []
    bot.send_signal(number)
    bot.wait(BACK_S)
    until(lambda: group_is_empty(bot.pid), "the end of what it started")
    assert list(shell_bot.fifos.iterdir()) == []


def test_a_stranger_cannot_keep_the_shell_bot_to_themselves(
    start: Start,
    guests: Guests,
    lines: Lines,
    shell_bot: ShellBot,
) -> None:
    program = start("--limits", "off")
    shell_bot(program.line_port)
    asker = guests(url=program.url, room="lobby")
    waits_for_bot(asker, "Shell bot")
    stranger = lines(port=program.line_port, room=None)
    stranger.types("to:Shell bot")
    stranger.reads(r"^\* Shell bot ended the private chat")
    asker.sends("!ping")
    asker.receives("message", username="Shell bot", msg="pong")


def test_the_shell_bot_says_that_its_name_is_taken(server: Program, guests: Guests, tmp_path: Path) -> None:
    guests(room="lobby", username="Shell bot")
    (tmp_path / "bot.sh").write_text(BLOCKS["sh"])
    command = ["sh", "bot.sh", "127.0.0.1", str(server.line_port)]
    with subprocess.Popen(
        command, cwd=tmp_path, stderr=subprocess.PIPE, text=True, start_new_session=True
    ) as bot:
        try:
            assert bot.stderr is not None
            assert bot.stderr.readline().startswith("* Reuse: Shell bot is taken")
        finally:
            os.killpg(bot.pid, signal.SIGTERM)


def test_the_shell_bot_returns_and_answers_nothing_old(
    start: Start, guests: Guests, shell_bot: ShellBot, tmp_path: Path
) -> None:
    arguments = ("--limits", "off", "--line-port", str(free_port()))
    program = start(*arguments, port=free_port())
    asker = guests(url=program.url, room="lobby")
    asker.sends("!ping")  # before it is there
    bot = shell_bot(program.line_port)
    asker.receives("rename", to="Shell bot")
    asker.sends("!ping")
    asker.receives("message", username="Shell bot", msg="pong")
    program.stop()
    until(lambda: shell_bot.tries() >= 4, "a third attempt in vain", BACK_S)
    again = start(*arguments, port=program.port, data_dir=tmp_path / "data")
    asker = guests(url=again.url, room="lobby")
    waits_for_bot(asker, "Shell bot")
    asker.sends("!ping")
    asker.receives("message", username="Shell bot", msg="pong")
    assert [name for name, _text in answers(asker)] == ["Shell bot"] * 2
    assert bot.poll() is None
