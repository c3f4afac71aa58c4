"""Line terminals (protocol, section 2): the greeting, messages, commands, limits, and disconnecting."""

from __future__ import annotations

import re
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from chatroom.core.presence import CROWD, INTERVAL_S
from chatroom.listening import open_line
from chatroom.settings import Settings
from chatroom.values import LinePort
from tests.support.guests import WAIT_S, Guests
from tests.support.lines import Lines, Terminals
from tests.support.program import ROOT, Program, Start


def test_the_greeting_names_room_number_name_and_what_is_kept(start: Start, lines: Lines) -> None:
    port = start().line_port
    romeo, juliet = lines(port=port, room=None), lines(port=port, room=None)
    assert (romeo.room, romeo.number, juliet.number) == ("lobby", 1, 2)
    assert romeo.seen.startswith(f"* Welcome to lobby. 1 person here; your name is {romeo.name}.\r\n")
    assert "* Welcome to lobby. 2 people here; " in juliet.seen
    assert "* Each room keeps its last 1000 messages, and the last hour's, for 7 days.\r\n" in romeo.seen
    assert romeo.name != juliet.name
    romeo.types("quit")
    romeo.reads_the_end()
    juliet.counts(1)
    assert lines(port=port, room=None).number == 2


def test_joining_shows_the_last_ten_messages(start: Start, lines: Lines, guests: Guests) -> None:
    program = start("--limits", "off")
    romeo = guests(url=program.url, room="lobby")
    for number in range(11):
        romeo.sends(f"line {number}")
    romeo.sends("\n".join(map(str, range(20))))
    juliet = lines(port=program.line_port, room=None)
    assert [text for _who, text in juliet.heard()] == [f"line {number}" for number in range(2, 11)] + ["0"]
    assert re.search(r"    11\r\n    … 8 more lines\r\n\* Type a message", juliet.seen)
    juliet.seen = ""
    juliet.types("/join garden")
    juliet.types("/join lobby")
    juliet.reads(r"^    … 8 more lines$")
    assert "line 2\r\n" in juliet.seen


def test_a_line_reaches_everybody_else_and_is_not_echoed(lines: Lines) -> None:
    romeo, juliet, nurse = lines(), lines(), lines()
    romeo.types("hello")
    juliet.receives(romeo.name, "hello")
    nurse.receives(romeo.name, "hello")
    romeo.reads_nothing("hello")


def test_echo_shows_the_guests_own_lines(lines: Lines) -> None:
    romeo = lines()
    romeo.types("/echo on")
    romeo.types("hello")
    romeo.receives(romeo.name, "hello")
    romeo.types("/echo off")
    romeo.types("once more")
    romeo.reads_nothing("once more")


def test_a_line_waits_for_its_end(lines: Lines) -> None:
    romeo, juliet = lines(), lines()
    romeo.types_raw(b"hel")
    juliet.reads_nothing("hel")
    romeo.types_raw(b"lo\r\n")
    juliet.receives(romeo.name, "hello")


def test_joins_leaves_and_renames_are_announced(lines: Lines) -> None:
    romeo = lines()
    juliet = lines()
    romeo.reads(rf"^\* {juliet.name} joined \(2 here\)$")
    juliet.types("/name Juliet Capulet")
    juliet.reads(r"^\* You are now called Juliet Capulet\.$")
    romeo.reads(rf"^\* {juliet.name} is now called Juliet Capulet$")
    juliet.types("close")
    juliet.reads(r"^\* Bye\.$")
    juliet.reads_the_end()
    romeo.reads(r"^\* Juliet Capulet left \(1 here\)$")
    romeo.types("/who")
    romeo.reads(rf"^\* 1 here: {romeo.name}$")


def test_joins_and_leaves_are_one_line_per_interval(start: Start, lines: Lines) -> None:
    port = start("--limits", "off").line_port
    began = time.monotonic()
    romeo = lines(port=port, room=None)
    crowd = [lines(port=port, room=None) for _ in range(CROWD + 10)]
    romeo.reads(rf"joined \({len(crowd) + 1} here\)$", 3 * WAIT_S)
    for person in crowd[:9]:
        person.closes()
    romeo.reads(rf" left \({len(crowd) - 8} here\)$", 3 * WAIT_S)
    announced = re.findall(r"^\* .* here\)\r$", romeo.seen, re.MULTILINE)
    assert len(announced) <= 1 + (time.monotonic() - began) // INTERVAL_S
    assert any(re.match(r"\* \d+ (?:joined|left)", line) for line in announced)  # and no names


def test_a_taken_name_is_refused_and_the_connection_stays(lines: Lines, guests: Guests) -> None:
    romeo = guests(username="Romeo Montague")
    juliet = lines()
    juliet.types("/nick Romeo Montague")
    juliet.reads(r"^\* Reuse: Romeo Montague is taken$")
    juliet.types("hello")
    assert romeo.receives("message", msg="hello")["username"] == juliet.name


def test_a_rename_to_the_present_name_holds_up_no_line(lines: Lines, guests: Guests) -> None:
    romeo, juliet = guests(), lines()
    juliet.types(f"/name {juliet.name}")
    juliet.reads(rf"^\* You are now called {juliet.name}\.$")
    juliet.types("hello")
    romeo.receives("message", msg="hello")


def test_a_refused_name_names_the_hidden_character(lines: Lines) -> None:
    romeo = lines()
    romeo.types("/name a\u200db")
    romeo.reads(r"^\* A name can't contain this hidden character: U\+200D\.$")
    romeo.types("/join a\u200db")
    romeo.reads(r"^\* A room name can't contain this hidden character: U\+200D\.$")


def test_a_name_with_joiners_is_shown_and_found_without_them(lines: Lines, guests: Guests) -> None:
    romeo, juliet = lines(), guests(username="می\u200cخواهم")
    romeo.reads("می\u200cخواهم joined")
    romeo.types("/to میخواهم psst")
    assert juliet.receives("whisper")["msg"] == "psst"
    romeo.types("/name 👨\u200d👩\u200d👧")
    assert juliet.receives("rename")["to"] == "👨\u200d👩\u200d👧"


def test_quit_frees_the_name_at_once(lines: Lines) -> None:
    romeo, juliet = lines(name="Tybalt"), lines()
    romeo.types("quit")
    romeo.reads_the_end()
    juliet.types("/name Tybalt")
    juliet.reads(r"^\* You are now called Tybalt\.$")


@pytest.mark.parametrize("word", ["quit", "close", "/quit"])
def test_leaving(lines: Lines, word: str) -> None:
    romeo = lines()
    romeo.types(word)
    romeo.reads(r"^\* Bye\.$")
    romeo.reads_the_end()


def test_help_lists_every_command_of_a_line(lines: Lines) -> None:
    romeo = lines()
    romeo.types("/help")
    romeo.reads(r"^\* /help ")
    shown = "\n".join(romeo.reads_up_to(r"^\* //text"))
    for command in (
        "/who",
        "/name",
        "/to",
        "/join",
        "/rooms",
        "/history",
        "/echo",
        "/quit",
        "to:NAME",
        "/msg",
        "/pm",
        "/nick",
    ):
        assert command in shown


def test_commands_that_cannot_be_understood(lines: Lines) -> None:
    romeo, juliet = lines(), lines()
    romeo.types("/nonsense")
    romeo.reads(r"^\* No such command")
    romeo.types("/echo maybe")
    romeo.reads(r"^\* Usage: /echo on\|off$")
    romeo.types("/to nobody hello")
    romeo.reads(r"^\* no one here is called nobody$")
    romeo.types("//shrug")
    juliet.receives(romeo.name, "/shrug")


def test_rooms_lists_the_lobby_and_the_public_ones_only(start: Start, lines: Lines) -> None:
    program = start("--public-rooms", "garden")
    lines(port=program.line_port, room="hidden cell")
    romeo = lines(port=program.line_port, room=None)
    romeo.types("/rooms")
    assert romeo.reads(r"^\* Rooms: (.*)$")[1] == "lobby (1), garden (0)"


def test_history_shows_messages_from_every_gateway(lines: Lines, guests: Guests) -> None:
    romeo, juliet = guests(), lines()
    for number in range(4):
        romeo.sends(f"line {number}")
    juliet.types("/history 2")
    juliet.reads(r"^\* \d{4}-\d\d-\d\d$")
    juliet.reads_next(rf"^\[\d\d:\d\d:\d\d\] {romeo.name}: line 2$")
    juliet.reads_next(rf"^\[\d\d:\d\d:\d\d\] {romeo.name}: line 3$")


def test_who_shows_a_name_just_taken(lines: Lines, guests: Guests) -> None:
    romeo, juliet = lines(), guests()
    romeo.types_raw(b"/name Montague\nhello\n/name montague\n/who\n/name\n")
    romeo.reads(r"^\* 2 here: .*montague")
    assert juliet.receives("message", msg="hello")["username"] == "Montague"
    assert juliet.receives("rename", username="montague")


def test_history_shows_the_message_just_sent(lines: Lines) -> None:
    romeo = lines()
    romeo.types_raw(b"one\ntwo\n/history 2\n/rooms\n")
    romeo.receives(romeo.name, "one")
    romeo.receives(romeo.name, "two")
    romeo.reads_next(r"^\* Rooms")


def test_going_to_another_room(lines: Lines, guests: Guests, room: str) -> None:
    romeo, juliet = lines(), guests(room=room + " next")
    romeo.types_raw(f"here\n/join {room} next\nthere\n".encode())
    assert juliet.receives("login", username=romeo.name)
    assert juliet.receives("message")["msg"] == "there"
    romeo.reads(rf"^\* You are in {room} next\. 2 people here\.$")
    juliet.sends("welcome")
    romeo.receives(juliet.name, "welcome")


def test_both_sides_see_each_others_every_action_in_one_order(lines: Lines, guests: Guests) -> None:
    romeo, juliet, nurse = lines(), guests(), lines()
    for number in range(20):
        if number % 2:
            juliet.sends(f"number {number}")
        else:
            romeo.types(f"number {number}")
            nurse.receives(romeo.name, f"number {number}")
    heard = [juliet.receives("message")["msg"] for _ in range(20)]
    assert heard == [f"number {number}" for number in range(20)]


def test_whispers_between_gateways_reach_only_the_two(lines: Lines, guests: Guests) -> None:
    romeo, juliet, nurse, paris = lines(), guests(), lines(), guests()
    romeo.types(f"/to {juliet.name} from the line")
    romeo.reads(rf"^\* Sent to {juliet.name} only\.$")
    assert juliet.receives("whisper", username=romeo.name, to=juliet.name)["msg"] == "from the line"
    assert juliet.asks("whisper", to=romeo.name, msg="from the browser")["ok"]
    romeo.reads(rf"^\[\d\d:\d\d:\d\d\] {juliet.name} -> you: from the browser$")
    nurse.reads_nothing("from the")
    paris.receives_nothing("whisper")
    paris.receives_nothing("message")


def test_a_message_of_several_lines_cannot_pass_for_somebody_elses(lines: Lines, guests: Guests) -> None:
    romeo, juliet = lines(), guests()
    juliet.sends(f"hello\n[12:00:00] {romeo.name}: never said\n* neither")
    juliet.sends("end")
    romeo.reads(rf"{juliet.name}: hello$")
    assert romeo.reads_up_to("end$") == [
        f"    [12:00:00] {romeo.name}: never said",
        "    * neither",
    ]


def test_long_messages_are_folded_and_history_shows_them_whole(lines: Lines, guests: Guests) -> None:
    romeo, juliet = lines(), guests()
    text = "\n".join(f"line {number}" for number in range(1, 21))
    juliet.sends(text)
    juliet.sends("end")
    romeo.reads(rf"{juliet.name}: line 1$")
    further = [f"    line {number}" for number in range(2, 21)]
    assert romeo.reads_up_to("end$") == [*further[:11], "    … 8 more lines"]
    romeo.types("/history 2")
    romeo.reads(rf"{juliet.name}: line 1$")
    assert romeo.reads_up_to("end$") == further


def test_a_long_whisper_is_shown_whole(lines: Lines, guests: Guests) -> None:
    # It is in no history.
    romeo, juliet = lines(), guests()
    text = "\n".join(f"line {number}" for number in range(1, 21))
    juliet.emit({"action": "whisper", "to": romeo.name, "msg": f"{text}\nend"})
    romeo.reads("-> you: line 1$")
    assert romeo.reads_up_to("end$") == [f"    line {number}" for number in range(2, 21)]


def test_terminal_escapes_never_arrive(lines: Lines, guests: Guests) -> None:
    romeo, juliet, nurse = lines(), lines(), guests()
    romeo.types_raw(b"\x1b[2J\x1b]0;title\x07clean\x00\x07 \xff\xfb\x1fline \xc3(\n")
    juliet.receives(romeo.name, "clean line \ufffd(")
    assert nurse.receives("message")["msg"] == "clean line \ufffd("
    romeo.reads_nothing("nothing")
    assert "\x1b" not in juliet.seen


def test_a_too_long_line_is_refused_whole(lines: Lines) -> None:
    romeo, juliet = lines(), lines()
    romeo.types("x" * 10_000)
    romeo.types("y" * 2001)
    romeo.types("still here")
    romeo.reads(r"^\* That is too long: at most 2000 characters\.$")
    romeo.reads_next(r"^\* That is too long: at most 2000 characters\.$")
    assert "xx" not in "".join(juliet.reads_up_to(f"{romeo.name}: still here$"))


@pytest.mark.parametrize("character", ["雪", "😀"])
def test_the_longest_text_is_sent_whatever_its_bytes(lines: Lines, guests: Guests, character: str) -> None:
    romeo, juliet = lines(), guests()
    romeo.types(character * 2000)
    assert juliet.receives("message")["msg"] == character * 2000
    romeo.types(f"/to {juliet.name} {character * 2000}")
    assert juliet.receives("whisper")["msg"] == character * 2000


@pytest.mark.parametrize(("text", "encoding"), [("Привет, мир", "cp1251"), ("你好，世界", "gbk")])
def test_a_line_in_another_encoding_is_answered_and_not_sent(lines: Lines, text: str, encoding: str) -> None:
    romeo, juliet = lines(), lines()
    romeo.types_raw(text.encode(encoding) + b"\n")
    romeo.reads(r"^\* Not sent: it did not arrive as UTF-8\..* set your terminal to UTF-8\.$")
    romeo.types(text)
    assert juliet.reads(rf"^\[..:..:..\] {romeo.name}: (.*)$")[1] == text


@pytest.mark.parametrize("key", [b"\x1b[H", b"\x01", b"\x1b[D" * 5, b"\xff\xf4\xff\xfd\x06"], ids=ascii)
def test_a_line_with_editing_keys_is_not_sent(lines: Lines, key: bytes) -> None:
    romeo, juliet = lines(), lines()
    romeo.types_raw(b"s3cret" + key + b"/to x \n")
    romeo.reads(r"\* Not sent: arrow keys")
    romeo.types_raw(b"\x1b[32mwrong\x15\x1b[32mright\x1b[0m\n")
    assert juliet.reads(rf"^\[..:..:..\] {romeo.name}: (.*)$")[1] == "right"


def test_a_flood_waits_and_nothing_is_lost(start: Start, lines: Lines) -> None:
    program = start("--message-burst", "4", "--message-rate", "5")
    romeo, juliet = lines(port=program.line_port, room=None), lines(port=program.line_port, room=None)
    romeo.types_raw(b"".join(b"%d\n" % number for number in range(12)))
    for number in range(12):
        juliet.receives(romeo.name, str(number))
    romeo.types("/who")
    notices = [line for line in romeo.reads_up_to(r"^\* 2 here") if "Too fast" in line]
    assert len(notices) == 1
    (seconds,) = re.findall(r"This takes about (\d+) s\.$", notices[0])
    assert 1 <= int(seconds) <= 2  # 8 lines wait, 5 per second are sent


def test_half_closed_input_is_sent_then_closed(server: Program, lines: Lines, room: str) -> None:
    juliet = lines(room=None)
    said = subprocess.run(
        f"printf 'said by a script {room}\\n' | nc -N 127.0.0.1 {server.line_port}",
        shell=True,
        capture_output=True,
        timeout=WAIT_S,
        check=True,
    )
    assert said.stdout.startswith(b"* Welcome to lobby.")
    juliet.reads(f"said by a script {room}$")


def test_an_unfinished_line_is_not_sent_at_the_end(lines: Lines) -> None:
    romeo, juliet = lines(), lines()
    romeo.types_raw(b"whole\nto:half a na")
    romeo.socket.shutdown(socket.SHUT_WR)
    romeo.reads(r"^\* Not sent: the last line has no line end\.$")
    romeo.reads_the_end()
    juliet.receives(romeo.name, "whole")
    juliet.counts(1)


def test_idle_terminals_are_disconnected(start: Start, lines: Lines) -> None:
    program = start("--line-idle-timeout", "1")
    idle, dripping, busy = (lines(port=program.line_port, room=None) for _ in range(3))
    deadline = time.monotonic() + WAIT_S
    while not dripping.has_seen("too long", 0.2):
        assert time.monotonic() < deadline
        busy.types("/rooms")
        dripping.types_raw(b".")
    idle.reads(r"^\* You were idle for too long")
    idle.reads_the_end()
    busy.types("/who")
    busy.reads(r"^\* 1 here")


def test_a_silent_client_and_a_slow_reader_delay_nobody(start: Start, lines: Lines) -> None:
    program = start("--limits", "off", "--outbox-limit", "100000")
    slow = socket.create_connection(("127.0.0.1", program.line_port))
    romeo, juliet = lines(port=program.line_port, room=None), lines(port=program.line_port, room=None)
    for number in range(0, 20_000, 50):
        romeo.types_raw((f"{'x' * 1900}\n" * 50 + f"mark {number}\n").encode())
        juliet.reads(f"mark {number}$")
        juliet.types("/who")
        if juliet.reads(r"^\* (\d+) here: ")[1] == "2":
            break
    slow.settimeout(WAIT_S)
    said = b""
    while data := slow.recv(65536):
        said = said[-100:] + data
    assert said.endswith(b"* This terminal reads too slowly. Bye.\r\n")
    slow.close()


def test_only_a_taken_chosen_port_ends_the_start(start: Start, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        command = [sys.executable, "app.py", "--port", "0", "--data-dir", str(tmp_path)]
        command += ["--line-port", str(taken.getsockname()[1])]
        ended = subprocess.run(command, cwd=ROOT, capture_output=True, timeout=30, check=False, text=True)
    assert ended.returncode == 2
    assert ended.stderr.startswith("chatroom: port ")
    assert "--line-port" in ended.stderr
    assert ended.stderr.count("\n") == 1


def test_a_taken_default_port_is_warned_of_once(caplog: pytest.LogCaptureFixture) -> None:
    # Not as a play: the port that nobody chooses is the same for all, and may be somebody's here.
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert open_line(Settings(line_port=LinePort(port, chosen=False))) == []
    assert caplog.messages == [
        f"port {port} is in use, so the line gateway is off; choose another with --line-port"
    ]


def test_the_line_gateway_can_be_left_closed(start: Start) -> None:
    program = start("--line-port", "off")
    assert program.get("/healthz").status_code == 200
    assert not [line for line in program.errors if "telnet" in line]


def test_everyone_gets_a_notice_when_the_server_stops(start: Start, lines: Lines) -> None:
    program = start()
    romeo = lines(port=program.line_port, room=None)
    program.signal(2)  # Ctrl-C
    romeo.reads(r"^\* The server is stopping or restarting")
    romeo.reads_the_end()
    assert program.wait() == 0


def test_telnet_and_netcat_on_terminals_of_their_own(
    server: Program, terminals: Terminals, guests: Guests
) -> None:
    juliet = guests(room="lobby")
    romeo = terminals("telnet", "127.0.0.1", server.line_port)
    romeo.greeted()
    nurse = terminals("nc", "127.0.0.1", server.line_port)
    nurse.greeted()
    romeo.types("from telnet 雪")
    nurse.receives(romeo.name, "from telnet 雪")
    nurse.types("from netcat")
    romeo.receives(nurse.name, "from netcat")
    assert juliet.receives("message", username=romeo.name)["msg"] == "from telnet 雪"
    assert juliet.receives("message", username=nurse.name)["msg"] == "from netcat"
    juliet.sends("from the page")
    romeo.receives(juliet.name, "from the page")
    nurse.types("quit")
    nurse.reads(r"^\* Bye\.$")
    romeo.counts(2)
    romeo.types("close")
    romeo.reads(r"Connection closed by foreign host")


# Every one has a byte that telnet would take for a control character: Ctrl-C, Ctrl-D, Ctrl-O, Ctrl-\\, its escape, …
SWALLOWED = "胃的小机面圆地土"


def test_a_line_that_telnet_damages_is_not_sent(
    server: Program, terminals: Terminals, lines: Lines, room: str
) -> None:
    juliet = lines()
    romeo = terminals("telnet", "127.0.0.1", server.line_port)
    romeo.greeted()
    romeo.goes_to(room)
    romeo.types("一架飞机")
    # Telnet receives it after the request for binary.
    romeo.reads(r"\* Not sent: it did not arrive as UTF-8\.")
    romeo.types(SWALLOWED)
    juliet.receives(romeo.name, SWALLOWED)
    assert "一架飞" not in juliet.seen


@pytest.mark.parametrize("program", ["telnet", "nc"])
def test_a_character_that_comes_in_pieces_is_whole(
    server: Program, terminals: Terminals, lines: Lines, room: str, program: str
) -> None:
    juliet = lines()
    romeo = terminals(program, "127.0.0.1", server.line_port)
    romeo.greeted()
    romeo.goes_to(room)
    for byte in "雪人好".encode():
        romeo.types_raw(bytes([byte]))
        juliet.reads_nothing(": 雪")
    romeo.types("")
    juliet.receives(romeo.name, "雪人好")


def test_socat_in_raw_mode_ends_lines_with_a_bare_cr(
    server: Program, terminals: Terminals, lines: Lines
) -> None:
    juliet = lines(room=None)
    romeo = terminals("socat", "-,raw,echo=0", f"TCP:127.0.0.1:{server.line_port}")
    romeo.greeted()
    romeo.types_raw(b"helo\x7flo\r")
    juliet.receives(romeo.name, "hello")


def test_names_are_unique_across_gateways(lines: Lines, guests: Guests) -> None:
    names = [*(lines().name for _ in range(5)), *(guests().name for _ in range(5))]
    assert len(set(names)) == len(names)


def test_time_stamps_are_the_messages_own(lines: Lines, guests: Guests) -> None:
    romeo, juliet = lines(), guests()
    answer = juliet.sends("what time is it")
    (time,) = re.findall(r"\d\d:\d\d:\d\d", answer["time"])
    assert time == romeo.reads(r"^\[(.{8})\] .*what time")[1]
