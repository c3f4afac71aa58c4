"""`chatroom chat --plain` in scripts, pipes and small terminals: what it writes where, and its exit codes."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.guests import Guest, Guests, becomes_free
from tests.support.impostor import OPENING, Impostor
from tests.support.lines import Terminals
from tests.support.program import ROOT, Program, Start, free_port

CHAT = (sys.executable, "-m", "chatroom", "chat")
WAIT_S = 60.0


class Ended:
    """A finished run of the client: its output and exit code."""

    def __init__(self, code: int, out: bytes, err: bytes) -> None:
        self.code = code
        self.out = out.decode()
        self.err = err.decode()
        assert "Traceback" not in self.err, self.err


def chat(url: str, *arguments: str, typed: str | bytes = "") -> Ended:
    """Run the client with this input until it ends."""
    ended = subprocess.run(
        [*CHAT, url, *arguments],
        input=typed if isinstance(typed, bytes) else typed.encode(),
        capture_output=True,
        timeout=WAIT_S,
        cwd=ROOT,
        check=False,
    )
    return Ended(ended.returncode, ended.stdout, ended.stderr)


class Running:
    """A running client with pipes for its input, output and errors."""

    def __init__(self, url: str, *arguments: str) -> None:
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(
            [*CHAT, url, "--plain", *arguments], cwd=ROOT, stdin=pipe, stdout=pipe, stderr=pipe
        )
        self._deadline = threading.Timer(WAIT_S, self.process.kill)  # so that no read waits forever
        self._deadline.start()

    def types(self, data: bytes) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(data)
        self.process.stdin.flush()

    def reads(self, what: str) -> None:
        """Read lines up to the first that contains this."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if what in line.decode():
                return
        raise AssertionError(f"it ended before {what!r}")

    def ends(self) -> Ended:
        """Wait until it has ended, with its input still open."""
        assert self.process.stderr is not None
        err = self.process.stderr.read()
        code = self.process.wait(WAIT_S)
        return Ended(code, b"", err)

    def closes(self) -> None:
        self._deadline.cancel()
        self.process.kill()
        for pipe in (self.process.stdin, self.process.stdout, self.process.stderr):
            assert pipe is not None
            pipe.close()
        self.process.wait(WAIT_S)


@pytest.fixture
def running() -> Iterator[Callable[..., Running]]:
    started: list[Running] = []

    def start_one(*arguments: Any) -> Running:
        started.append(Running(*arguments))
        return started[-1]

    yield start_one
    for each in started:
        each.closes()


# Scripts


def test_a_script_says_its_lines_and_ends(server: Program, guests: Guests, room: str) -> None:
    romeo = guests()
    romeo.sends("said before")
    ended = chat(server.url, "--plain", "--room", room, "--name", "Script", typed="hello\nworld\n")
    assert (ended.code, ended.err) == (0, "")
    assert ended.out == f"* You are Script in {room}. 2 people here.\n"
    assert [romeo.receives("message", username="Script")["msg"] for _ in range(2)] == ["hello", "world"]


def test_without_a_terminal_it_is_plain_by_itself(server: Program, guests: Guests, room: str) -> None:
    romeo = guests()
    assert chat(server.url, "--room", room, typed="hello").code == 0
    assert romeo.receives("message")["msg"] == "hello"


def test_a_script_hears_that_nothing_can_be_stored(running: Callable[..., Running]) -> None:
    login = '42["msg",{"action":"login","room":"tea","name_list":[],"you":{"username":"Fox","sid":"f"}}]'
    impostor = Impostor(OPENING, "40{}", login, refusal='{"ok":false,"code":"unavailable","msg":"no"}')
    try:
        script = running(impostor.url)
        script.types(b"hello\n")
        assert script.process.stderr is not None
        said = script.process.stderr.readline().decode()
        script.process.kill()
    finally:
        impostor.close()
    assert said == "chatroom: The server can't store messages at the moment. Trying again.\n"


def test_lines_of_every_kind_are_sent(server: Program, guests: Guests, room: str) -> None:
    romeo = guests()
    typed = "one\r\n\n \t \n  two  \n水 🦊\nlast".encode()
    ended = chat(server.url, "--plain", "--room", room, typed=typed)
    assert (ended.code, ended.err) == (0, "")
    heard = [romeo.receives("message")["msg"] for _ in range(4)]
    assert heard == ["one", "  two  ", "水 🦊", "last"]


def test_a_line_not_in_utf8_is_refused(server: Program, guests: Guests, room: str) -> None:
    nurse = guests()
    typed = "、join 秘密\nsecret\nto:\nhello\n".encode("gbk")
    ended = chat(server.url, "--plain", "--room", room, typed=typed)
    assert ended.code == 1
    assert "It did not arrive as UTF-8." in ended.err
    assert nurse.receives("message")["msg"] == "hello"
    receives_no(nurse, "secret")


def test_many_lines_are_all_sent_before_it_ends(server: Program, guests: Guests, room: str) -> None:
    romeo = guests()
    texts = [f"line {number}" for number in range(200)]
    assert chat(server.url, "--plain", "--room", room, typed="\n".join(texts)).code == 0
    page = romeo.asks("history", limit=200)
    assert [entry["msg"] for entry in page["entries"]] == texts
    assert [romeo.receives("message")["msg"] for _ in texts] == texts


def test_rate_limited_lines_arrive_in_order(start: Start, guests: Guests) -> None:
    program = start("--message-burst", "3", "--message-rate", "10")
    romeo = guests(url=program.url, room="lobby")
    texts = [f"line {number}" for number in range(9)]
    ended = chat(program.url, "--plain", typed="\n".join(texts))
    assert (ended.code, ended.err) == (0, "")
    assert [romeo.receives("message")["msg"] for _ in texts] == texts


def test_messages_go_to_stdout_and_errors_to_stderr(
    server: Program, guests: Guests, running: Callable[..., Running], room: str
) -> None:
    romeo = guests(username="Romeo")
    juliet = running(server.url, "--room", room, "--name", "Juliet")
    juliet.reads("You are Juliet")
    romeo.sends("one\n* two\n[20:00:00] Juliet: three")
    juliet.reads("Romeo: one")
    juliet.reads("    * two")
    juliet.reads("    [20:00:00] Juliet: three")
    romeo.asks("whisper", to="Juliet", msg="psst")
    juliet.reads("Romeo -> you: psst")
    guests(username="Nurse")
    juliet.reads("* Nurse joined (3 here)")
    out, err = juliet.process.communicate(b"/who\n/nonsense\n", WAIT_S)
    assert "* 3 here: Romeo, Juliet, Nurse" in out.decode()
    assert (
        err.decode() == "chatroom: Failed: “/nonsense”. No such command. /help lists the commands."
        " To send it as a message, begin it with /say.\n"
    )
    assert juliet.process.returncode == 1


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("--plian",), "--plian; did you mean --plain?"),
        (("a", "b"), "unrecognized arguments: b"),
        (("a", "--room"), "--room: expected one"),
        (("ftp://x",), "ftp"),
        (("http://[::1",), "[::1"),
    ],
)
def test_wrong_arguments_end_with_2_and_one_line(arguments: tuple[str, ...], why: str) -> None:
    ended = chat(*arguments)
    assert (ended.code, ended.out, ended.err.count("\n")) == (2, "", 1)
    assert ended.err.startswith("chatroom: ")
    assert why in ended.err


def test_quit_ends_with_0(server: Program, running: Callable[..., Running], room: str) -> None:
    juliet = running(server.url, "--room", room)
    juliet.types(b"/quit\n")
    ended = juliet.ends()
    assert (ended.code, ended.err) == (0, "")


# Pipes and signals


def test_a_closed_output_ends_it_after_sending(
    server: Program, guests: Guests, running: Callable[..., Running], room: str
) -> None:
    romeo = guests()
    juliet = running(server.url, "--room", room)
    juliet.reads("You are")
    assert juliet.process.stdout is not None
    juliet.process.stdout.close()  # as `| head -1` does
    juliet.types(b"typed\n")
    assert romeo.receives("message")["msg"] == "typed"
    romeo.sends("heard by nobody")
    ended = juliet.ends()
    assert (ended.code, ended.err) == (0, "")


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-", "</dev/null", ">/dev/full"])
def test_closed_and_odd_files_are_no_trouble(server: Program, room: str, closed: str) -> None:
    ended = with_files(closed, server.url, "--room", room)
    assert (ended.code, ended.err) == (0, "")


def with_files(redirection: str, *arguments: str) -> Ended:
    sh = ["timeout", "15", "sh", "-c", f'exec "$@" {redirection}', "sh", *CHAT, *arguments, "--plain"]
    ended = subprocess.run(sh, input=b"x\n", capture_output=True, timeout=WAIT_S, cwd=ROOT, check=False)
    return Ended(ended.returncode, ended.stdout, ended.stderr)


def test_what_has_no_line_end_at_all_is_no_text(server: Program, room: str) -> None:
    ended = with_files("</dev/zero", server.url, "--room", room)
    assert (ended.code, ended.err) == (1, "chatroom: not sent: more than 1048576 bytes without a line end\n")


def test_a_far_too_long_line_is_refused_locally(server: Program, guests: Guests, room: str) -> None:
    romeo = guests()
    ended = chat(server.url, "--plain", "--room", room, typed="x" * 500_000 + "\nwith it\n")
    assert ended.code == 1
    assert "That is too long: at most " in ended.err
    assert ended.err.count("\n") == 2
    receives_no(romeo, "with it")


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_leaves_the_room_at_once_without_a_traceback(
    server: Program,
    guests: Guests,
    running: Callable[..., Running],
    room: str,
    number: signal.Signals,
    code: int,
) -> None:
    romeo = guests()
    juliet = running(server.url, "--room", room, "--name", "Juliet")
    juliet.reads("You are Juliet")
    juliet.process.send_signal(number)
    ended = juliet.ends()
    assert (ended.code, ended.err) == (code, "")
    romeo.waits_for(
        lambda: any("Juliet" in str(frame.get("name_list")) for frame in romeo.frames), "her coming"
    )
    becomes_free(guests, "Juliet")  # it is not held for somebody who has left


def test_ctrl_c_while_it_connects_is_no_traceback(running: Callable[..., Running]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        juliet = running(f"http://127.0.0.1:{silent.getsockname()[1]}")
        visitor, _ = silent.accept()
        with visitor:
            juliet.process.send_signal(signal.SIGINT)
            ended = juliet.ends()
    assert (ended.code, ended.err) == (130, "")


# Small terminals


def test_it_resumes_after_a_restart_and_misses_nothing(
    start: Start,
    terminals: Terminals,
    guests: Guests,
    tmp_path: Path,
) -> None:
    program = start(port=free_port())
    romeo = guests(url=program.url, room="lobby")
    juliet = terminals(*CHAT, program.url, "--plain", "--name", "Juliet")
    juliet.reads(r"\* You are Juliet in lobby")
    romeo.sends("before")
    juliet.reads("before$")
    program.stop()
    juliet.reads("^chatroom: the connection was lost")
    again = start(port=program.port, data_dir=tmp_path / "data")
    back = guests(url=again.url, room="lobby")
    back.sends("meanwhile or after")
    juliet.reads("meanwhile or after$")
    juliet.types("I am back")
    assert back.receives("message", msg="I am back")["username"] == "Juliet"
    assert juliet.seen.count("before") == 1


def test_a_dumb_terminal_gets_history_and_no_escapes(
    server: Program, terminals: Terminals, guests: Guests, room: str
) -> None:
    romeo = guests()
    romeo.sends("said before")
    juliet = terminals(*CHAT, server.url, "--room", room, env={**os.environ, "TERM": "dumb"}, raw=False)
    juliet.reads("said before$")
    juliet.reads(r"\* You are ")
    juliet.types("from a dumb one")
    assert romeo.receives("message", msg="from a dumb one")
    juliet.types_raw(b"\x04")  # Ctrl-D
    juliet.reads_the_end()
    assert juliet.process.wait(WAIT_S) == 0
    assert "\x1b" not in juliet.seen


def test_an_answer_on_a_terminal_is_asked_about(
    server: Program, guests: Guests, terminals: Terminals, room: str
) -> None:
    romeo = guests()
    juliet = terminals(*CHAT, server.url, "--plain", "--room", room, "--name", "Juliet", raw=False)
    juliet.reads(r"\* You are ")
    romeo.asks("whisper", to="Juliet", msg="are you coming?")
    juliet.reads("are you coming")
    juliet.types("s3cret")
    juliet.reads("Everyone here would see it")
    juliet.types(f"/to {romeo.name} yes")
    romeo.receives("whisper", msg="yes")
    juliet.types("to:")  # with no private chat to end, the name may follow
    juliet.types("hello all")
    juliet.reads("Everyone here would see it")
    juliet.types("/say hello all")
    romeo.receives("message", msg="hello all")
    assert "s3cret" not in str(romeo.frames)


def test_ctrl_c_on_a_terminal_leaves(server: Program, terminals: Terminals, room: str) -> None:
    takes_control = ("sh", "-c", 'exec "$@" <"$(tty)"', "sh")  # of the terminal, so that Ctrl-C is a signal
    juliet = terminals(*takes_control, *CHAT, server.url, "--plain", "--room", room, raw=False)
    juliet.reads(r"\* You are ")
    juliet.types_raw(b"\x03")
    juliet.reads_the_end()
    assert juliet.process.wait(WAIT_S) == 130
    assert "Traceback" not in juliet.seen


# The client without the extra, whether or not it is installed here.
WITHOUT_EXTRA = """
import importlib.util, sys
from chatroom.terminal import main

find = importlib.util.find_spec
importlib.util.find_spec = lambda name: None if name == "textual" else find(name)
sys.exit(main.main(sys.argv[1:]))
"""


def test_without_the_extra_it_names_the_install_command(
    server: Program, terminals: Terminals, room: str
) -> None:
    command = (sys.executable, "-c", WITHOUT_EXTRA, server.url, "--room", room)
    env = {**os.environ, "TERM": "xterm"}
    juliet = terminals(*command, env=env)
    installs = juliet.reads(r"^chatroom: lines only; for the full screen, run: (.*)$")[1]
    assert re.fullmatch(r"\S+ -m pip install 'rich\S+' 'textual\S+'", installs)
    juliet.reads(r"\* You are ")
    for arguments, term in ((["--plain"], "xterm"), ([], "dumb")):
        quiet = terminals(*command, *arguments, env={**env, "TERM": term})
        quiet.reads(r"\* You are ")
        assert "full screen" not in quiet.seen


# The client, with a thread that takes Ctrl-C in the main thread's place, which waits for its input and is not woken.
TAKEN_ELSEWHERE = """
import select, signal, sys, threading
from chatroom.terminal import main, plain

def take():
    signal.pthread_kill(threading.get_ident(), signal.SIGINT)

def wait(*files):
    threading.Timer(0.1, take).start()
    return select.select(*files)

class Select:
    select = staticmethod(wait)

plain.select = Select
sys.exit(main.main(sys.argv[1:]))
"""


def test_ctrl_c_is_noticed_whichever_thread_takes_it(server: Program, room: str) -> None:
    command = (sys.executable, "-c", TAKEN_ELSEWHERE, server.url, "--plain", "--room", room)
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as client:
        try:
            assert client.wait(WAIT_S) == 130
        finally:
            client.kill()


# Private talks


def receives_no(guest: Guest, secret: str) -> None:
    """Check that nothing this guest has ever received contains the secret."""
    guest.asks("who")
    assert secret not in str(guest.frames)


@pytest.mark.parametrize("marker", ["to:Eve", "TO：ＥＶＥ", ' to : "Eve"', "\u200bto:Eve"])
def test_lines_after_a_marker_go_to_that_person_only(
    server: Program, guests: Guests, room: str, marker: str
) -> None:
    eve, nurse = guests(username="Eve"), guests(username="Nurse")
    ended = chat(server.url, "--plain", "--room", room, typed=f"{marker}\nsecret\n//x\nto:\nhello\n")
    assert (ended.code, ended.err) == (0, "")
    assert [eve.receives("whisper")["msg"] for _ in range(2)] == ["secret", "/x"]
    assert nurse.receives("message")["msg"] == "hello"
    receives_no(nurse, "secret")


@pytest.mark.parametrize(
    "refused",
    [
        "to:Nobody",
        "/join a/b",
        "/to Nobody x",
        "、to Nobody x",
        "／join a/b",
        "\ufeff/w Nobody x",
        "tp:Nurse",
        "to Nurse",
    ],
)
def test_after_a_refused_change_of_audience_nothing_is_sent(
    server: Program, guests: Guests, room: str, refused: str
) -> None:
    nurse = guests(username="Nurse")
    many = "".join(f"secret {number}\n" for number in range(150))
    ended = chat(server.url, "--plain", "--room", room, typed=f"{refused}\n{many}")
    assert ended.code == 1
    assert ended.err.count("may be meant for someone else") == 150
    receives_no(nurse, "secret")


@pytest.mark.parametrize("refused", ["/join a/b", "/jion den", "join {room} den"])
@pytest.mark.parametrize("private", ["to:Eve", "to:", "/to Eve s3cret"])
def test_after_a_room_not_joined_nothing_is_private_here(
    server: Program, guests: Guests, room: str, refused: str, private: str
) -> None:
    nurse, eve = guests(username="Nurse"), guests(username="Eve")
    there = guests(room=f"{room} den")
    ended = chat(
        server.url, "--plain", "--room", room, typed=f"{refused.format(room=room)}\n{private}\ns3cret\n"
    )
    assert ended.code == 1
    for each in (nurse, eve, there):
        receives_no(each, "s3cret")


def test_a_talk_opened_after_a_near_miss_is_open(server: Program, guests: Guests, room: str) -> None:
    eve, nurse = guests(username="Eve"), guests(username="Nurse")
    ended = chat(server.url, "--plain", "--room", room, typed="tp:Eve\ns3cret one\nto:Eve\ns3cret two\n")
    assert ended.code == 1
    assert eve.receives("whisper")["msg"] == "s3cret two"
    receives_no(nurse, "s3cret")


def test_the_marker_alone_lets_a_script_go_on(server: Program, guests: Guests, room: str) -> None:
    nurse = guests(username="Nurse")
    ended = chat(server.url, "--plain", "--room", room, typed="to:Nobody\nsecret\nto:\nhello\n")
    assert ended.code == 1
    assert nurse.receives("message")["msg"] == "hello"
    receives_no(nurse, "secret")


def test_a_talk_begins_in_the_room_that_was_joined(server: Program, guests: Guests, room: str) -> None:
    eve, nurse = guests(username="Eve", room=f"{room} den"), guests(username="Nurse", room=f"{room} den")
    ended = chat(server.url, "--plain", "--room", room, typed=f"/join {room} den\nto:Eve\nsecret\n")
    assert (ended.code, ended.err) == (0, "")
    assert eve.receives("whisper")["msg"] == "secret"
    receives_no(nurse, "secret")


def in_private(juliet: Running, eve: Guest) -> None:
    """They talk: her texts go to Eve."""
    juliet.types(b"to:Eve\nfirst\n")
    assert eve.receives("whisper")["msg"] == "first"


def test_who_moves_does_not_read_that_the_partner_has_left(
    server: Program, guests: Guests, running: Callable[..., Running], room: str
) -> None:
    eve, juliet = guests(room=room, username="Eve"), running(server.url, "--room", room)
    in_private(juliet, eve)
    juliet.types(f"/join {room} den\n".encode())
    juliet.reads("* Eve is not in this room. Type to: alone")


def test_a_private_chat_goes_on_when_the_partner_comes_back(
    server: Program, guests: Guests, running: Callable[..., Running], room: str
) -> None:
    eve, juliet = guests(room=room, username="Eve"), running(server.url, "--room", room)
    in_private(juliet, eve)
    eve.is_cut()
    juliet.reads("* Eve has left")
    again = guests(room=room, token=eve.you["token"])
    juliet.reads("* Eve is back. Only Eve sees what you write")
    juliet.types(b"second\n")
    assert again.receives("whisper")["msg"] == "second"


def test_nobody_inherits_a_talk_with_the_name(
    server: Program, guests: Guests, running: Callable[..., Running], room: str
) -> None:
    eve, nurse = guests(username="Eve"), guests(username="Nurse")
    juliet = running(server.url, "--room", room)
    juliet.reads("You are")
    in_private(juliet, eve)
    eve.emit({"action": "logout"})  # gives up the name as well
    juliet.reads("* Eve has left. Type to: alone to write to everyone again.")
    impostor = becomes_free(guests, "Eve")
    juliet.reads("* Eve joined")
    _, err = juliet.process.communicate(b"secret\n", WAIT_S)
    assert "Eve has left. to:Eve writes to the person who has that name now" in err.decode()
    assert juliet.process.returncode == 1
    for each in (nurse, impostor):
        receives_no(each, "secret")


def test_a_restart_makes_nothing_private_public(
    start: Start,
    terminals: Terminals,
    guests: Guests,
    tmp_path: Path,
) -> None:
    program = start(port=free_port())
    guests(url=program.url, room="lobby", username="Eve")
    juliet = terminals(*CHAT, program.url, "--plain", "--name", "Juliet")
    juliet.reads(r"\* You are Juliet in lobby")
    juliet.types("to:Eve")
    juliet.reads("Only Eve sees")
    program.stop()
    juliet.reads("^chatroom: the connection was lost")
    juliet.types("secret one")
    again = start(port=program.port, data_dir=tmp_path / "data")
    nurse = guests(url=again.url, room="lobby")
    juliet.reads("secret one")
    juliet.types("secret two")
    juliet.reads("Eve has left")
    receives_no(nurse, "secret")
    impostor = guests(url=again.url, room="lobby", username="Eve")
    juliet.reads("Eve joined")
    juliet.types("to:Eve")
    juliet.reads("Only Eve sees")
    juliet.types("secret three")
    juliet.reads("Eve may now be someone else")
    receives_no(impostor, "secret")
