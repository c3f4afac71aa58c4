"""`chatroom chat`: in scripts, on a small terminal, and as a full screen."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time

from chatroom.terminal.address import Address
from chatroom.terminal.composer import Composer
from chatroom.terminal.people import People
from chatroom.terminal.screen import ChatApp
from chatroom.terminal.talk import Talk
from tests.support import loops
from tests.support.program import ROOT

CHAT = (sys.executable, "-m", "chatroom", "chat")
DEADLINE_S = 15.0


def test_a_script_says_its_lines_and_ends(server, guests, room):
    romeo = guests()
    ended = subprocess.run(
        [*CHAT, server.url, "--plain", "--room", room, "--name", "Script"],
        input="hello\nworld\n",
        capture_output=True,
        text=True,
        timeout=20,
        cwd=ROOT,
        check=False,
    )
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout.startswith(f"* You are Script in {room}, 2 here.\n")
    assert [romeo.hears("message", username="Script")["msg"] for _ in range(2)] == ["hello", "world"]


def test_what_is_too_fast_waits_and_arrives_whole_and_in_order(start, guests):
    program = start("--message-burst", "3", "--message-rate", "10")
    romeo = guests(url=program.url, room="lobby")
    texts = [f"line {number}" for number in range(9)]
    subprocess.run(
        [*CHAT, program.url, "--plain"],
        input="\n".join(texts) + "\n",
        text=True,
        timeout=20,
        cwd=ROOT,
        check=True,
        stdout=subprocess.DEVNULL,
    )
    assert [romeo.hears("message")["msg"] for _ in texts] == texts


def test_a_refused_line_and_no_server_have_exit_codes_of_their_own(server, room):
    refused = subprocess.run(
        [*CHAT, server.url, "--plain", "--room", room],
        input="/nonsense\n",
        capture_output=True,
        text=True,
        timeout=20,
        cwd=ROOT,
        check=False,
    )
    assert refused.returncode == 1
    assert refused.stderr.startswith("chatroom: Not done: “/nonsense”. There is no such command")
    nobody = subprocess.run(
        [*CHAT, "http://127.0.0.1:1"],
        input="",
        capture_output=True,
        text=True,
        timeout=20,
        cwd=ROOT,
        check=False,
    )
    assert nobody.returncode == 2
    assert nobody.stderr.startswith("chatroom: no chatroom answers")
    assert nobody.stderr.count("\n") == 1


def test_it_comes_back_with_its_name_after_a_restart_and_misses_nothing(start, terminals, guests, tmp_path):
    program = start()
    romeo = guests(url=program.url, room="lobby")
    juliet = terminals(*CHAT, program.url, "--plain", "--name", "Juliet")
    juliet.reads(r"\* You are Juliet in lobby")
    romeo.says("before")
    juliet.reads("before$")
    port = program.port
    program.stop()
    juliet.reads("^chatroom: the connection is lost")
    again = start(port=port, data_dir=tmp_path / "data")
    back = guests(url=again.url, room="lobby")
    back.says("meanwhile or after")
    juliet.reads("meanwhile or after$")
    juliet.types("I am back")
    assert back.hears("message", msg="I am back")["username"] == "Juliet"
    assert juliet.seen.count("before") == 1


# The full screen


async def until(found, what):
    deadline = time.monotonic() + DEADLINE_S
    while not (result := found()):
        assert time.monotonic() < deadline, what() if callable(what) else what
        await asyncio.sleep(0.02)
    return result


def shown(app: ChatApp) -> str:
    return "\n".join(app.query_one(Talk).lines())


def on_screen(server, room, play, name="Fox"):
    """Run a play against a full screen of 80 by 24; `play(app, pilot)` is a coroutine."""

    async def run():
        app = ChatApp(Address.parse(server.url), room, name)
        async with app.run_test(size=(80, 24)) as pilot:
            await until(lambda: f"You are {name}" in shown(app), "the room")
            await play(app, pilot)
            await pilot.press("ctrl+q")
        await until(lambda: app._link.is_over, "the end of the connection")

    loops.run(run())


def test_the_screen_shows_history_people_and_talk(server, guests, room):
    romeo = guests()
    romeo.says("said before")

    async def play(app, pilot):
        assert "said before" in shown(app)
        people = app.query_one(People)
        assert [str(people.get_option_at_index(place).prompt) for place in range(2)] == [
            "Fox (you)",
            romeo.name,
        ]
        await pilot.press(*"hi", "enter")
        await until(lambda: "Fox: hi" in shown(app), "one's own line")
        assert (await asyncio.to_thread(romeo.hears, "message", msg="hi"))["username"] == "Fox"
        await asyncio.to_thread(romeo.says, "[bold]x[/bold]\nmallory: y\x09z")
        await until(lambda: "[bold]x[/bold]" in shown(app), lambda: shown(app))
        assert "    mallory: y" in shown(app)

    on_screen(server, room, play)


def test_long_lines_are_wrapped_and_nothing_is_cut(server, guests, room):
    romeo = guests()

    async def play(app, pilot):
        await asyncio.to_thread(romeo.says, " ".join(f"word{number}" for number in range(40)))
        await until(lambda: "word39" in shown(app), "the end of it")
        talk = app.query_one(Talk)
        assert all(len(line) <= talk.size.width for line in talk.lines())
        await pilot.resize_terminal(60, 20)
        await until(lambda: all(len(line) <= talk.size.width for line in talk.lines()), "narrower lines")
        assert "word39" in shown(app)

    on_screen(server, room, play)


def test_commands_and_names_are_completed(server, guests, room):
    guests(username="Great Horned Owl")

    async def play(app, pilot):
        composer = app.query_one(Composer)
        await pilot.press(*"/na")
        await until(lambda: composer.suggestion == "me ", "a suggestion")
        await pilot.press("tab", *"Vixen", "enter")
        await until(lambda: "Fox is now called Vixen" in shown(app), "a new name")
        await pilot.press(*"/to gr")
        await until(lambda: composer.suggestion == "eat Horned Owl ", "a name")
        await pilot.press("tab", *"psst", "enter")
        await until(lambda: "you -> Great Horned Owl: psst" in shown(app), "a whisper")

    on_screen(server, room, play)


def test_choosing_somebody_begins_a_whisper(server, guests, room):
    romeo = guests(username="Romeo")

    async def play(app, pilot):
        people = app.query_one(People)
        people.focus()
        people.highlighted = 1
        await pilot.press("enter")
        await until(lambda: app.query_one(Composer).text == '/to "Romeo" ', "the beginning of a whisper")
        await pilot.press(*"hello", "enter")
        frame = await asyncio.to_thread(romeo.hears, "whisper")
        assert frame["msg"] == "hello"

    on_screen(server, room, play)


def test_what_came_while_one_was_away_stands_below_a_line(server, guests, room):
    romeo = guests()

    async def play(app, pilot):
        from textual import events

        app.post_message(events.AppBlur())
        await pilot.pause()
        await asyncio.to_thread(romeo.says, "are you there")
        await until(lambda: "are you there" in shown(app), "the message")
        assert shown(app).index("─── new") < shown(app).index("are you there")
        app.post_message(events.AppFocus())
        await pilot.press("escape")
        await until(lambda: "─── new" not in shown(app), "all read")

    on_screen(server, room, play)


def test_paging_up_brings_what_was_said_long_before(server, guests, room):
    romeo = guests()
    for number in range(80):
        romeo.says(f"number {number}")

    async def play(app, pilot):
        assert "number 10\n" not in shown(app)

        async def up():
            await pilot.press("pageup")
            await pilot.pause()

        deadline = time.monotonic() + DEADLINE_S
        while "number 0\n" not in shown(app):
            assert time.monotonic() < deadline
            await up()
        numbers = [line for line in shown(app).splitlines() if "number" in line]
        assert [int(line.split()[-1]) for line in numbers] == list(range(80))

    on_screen(server, room, play)


def test_the_real_thing_on_a_terminal(server, terminals, guests, room):
    romeo = guests()
    fox = terminals(
        *CHAT,
        server.url,
        "--room",
        room,
        "--name",
        "Fox",
        env={
            "TERM": "xterm-256color",
            "PATH": "/usr/bin:/bin",
            "COLUMNS": "80",
            "LINES": "24",
            "LANG": "C.UTF-8",
        },
    )
    romeo.waits_for(lambda: any("Fox" in str(frame) for frame in romeo.frames), "somebody coming")
    fox.types_raw(b"hello from a terminal\r")
    assert romeo.hears("message", username="Fox")["msg"] == "hello from a terminal"
    fox.types_raw(b"\x11")  # Ctrl-Q
    fox.reads_the_end()
    assert fox.process.wait(DEADLINE_S) == 0
