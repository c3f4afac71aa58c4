"""The three programs that the line gateway replaces, feature by feature, used with telnet and netcat.

The first was a line chat room, the second a hub that numbers its guests, the third private chats by `to:NAME`.
"""

from __future__ import annotations

import re
import socket
import sys
import time
from pathlib import Path

import pytest

from tests.support.lines import Lines, Terminal, Terminals
from tests.support.program import ROOT, Program, Start

PROGRAMS = ("telnet", "nc", "telnet")


@pytest.fixture
def people(terminals: Terminals, server: Program, room: str) -> list[Terminal]:
    """Three people in a room of their own, at telnet, netcat and telnet."""
    present = [terminals(program, "127.0.0.1", server.line_port) for program in PROGRAMS]
    for person, name in zip(present, ("Romeo", "Juliet", "Nurse"), strict=True):
        person.greeted()
        person.goes_to(room)
        person.is_called(name)
    return present


# The line chat room


def test_everybody_is_greeted_and_every_line_reaches_everybody_else(people: list[Terminal]) -> None:
    romeo, juliet, nurse = people
    for number, person in enumerate(people):
        assert "* Welcome to lobby. " in person.seen
        person.types(f"line {number}")
        for other in people:
            if other is not person:
                other.receives(person.name, f"line {number}")
    assert [text for _who, text in romeo.heard()] == ["line 1", "line 2"]
    assert [text for _who, text in juliet.heard()] == ["line 0", "line 2"]
    assert [text for _who, text in nurse.heard()] == ["line 0", "line 1"]


def test_a_line_is_sent_once_it_ends(people: list[Terminal], lines: Lines) -> None:
    juliet, romeo = people[1], lines()
    juliet.types_raw(b"wherefore ")
    romeo.reads_nothing("wherefore")
    juliet.types_raw(b"art thou")
    romeo.reads_nothing("wherefore")
    juliet.types_raw(b"\nRomeo\n")
    romeo.receives(juliet.name, "wherefore art thou")
    romeo.receives(juliet.name, "Romeo")


def test_leaving_or_closing_removes_a_person_from_the_list(people: list[Terminal]) -> None:
    romeo, juliet, nurse = people
    juliet.types("/quit")
    juliet.reads(r"^\* Bye\.$")
    romeo.counts(2)
    nurse.process.kill()
    romeo.counts(1)


def test_commands_run_and_unknown_ones_are_refused(people: list[Terminal]) -> None:
    romeo, juliet, _nurse = people
    romeo.types("/who")
    assert set(romeo.reads(r"^\* 3 here: (.*)$")[1].split(", ")) == {person.name for person in people}
    romeo.types("/help")
    romeo.reads(r"^\* /help ")
    romeo.types("/dance")
    romeo.reads(r"^\* No such command\. /help lists the commands\.")
    romeo.types("/history 1")
    romeo.reads(r"^\* No messages yet\.$")
    romeo.types("was that heard")
    juliet.receives(romeo.name, "was that heard")
    assert [text for _who, text in juliet.heard()] == ["was that heard"]


def test_ctrl_c_ends_the_server_without_a_traceback(
    terminals: Terminals, lines: Lines, tmp_path: Path
) -> None:
    command = [sys.executable, ROOT / "app.py", "--port", 0, "--line-port", 0, "--data-dir", tmp_path]
    # setsid gives it the terminal to be controlled by, so that it is the terminal itself that makes Ctrl-C a signal.
    console = terminals("setsid", "--ctty", "--wait", *command, env=Program().environ, raw=False)
    port = int(console.reads(r"line gateway on telnet://127\.0\.0\.1:(\d+)", 30)[1])
    romeo, juliet = terminals("telnet", "127.0.0.1", port), lines(port=port, room=None)
    romeo.greeted()
    juliet.types_raw(b"half a li")
    console.types_raw(b"\x03")
    for person in (romeo, juliet):
        person.reads(r"^\* The server is stopping or restarting")
    juliet.reads_the_end()
    romeo.reads(r"Connection closed by foreign host")
    console.reads_the_end()
    assert console.process.wait(10) == 0
    assert "Traceback" not in console.seen
    assert "Error" not in console.seen


# The hub that numbers its guests


def test_guests_are_numbered_and_the_number_falls_when_people_leave(
    start: Start, terminals: Terminals
) -> None:
    port = start().line_port
    present = []
    for number, program in enumerate(PROGRAMS, 1):
        person = terminals(program, "127.0.0.1", port)
        person.greeted()
        assert person.number == number
        present.append(person)
    present[1].types("close")
    present[1].reads(r"^\* Bye\.$")
    present[0].counts(2)
    fourth = terminals("nc", "127.0.0.1", port)
    fourth.greeted()
    assert fourth.number == 3
    present[0].reads(rf"^\* .*{fourth.name} joined \(3 here\)$")


def test_close_closes_and_the_program_at_the_other_end_ends(people: list[Terminal]) -> None:
    romeo, juliet, nurse = people
    romeo.types("close")
    romeo.reads(r"^\* Bye\.$")
    romeo.reads(r"^Connection closed by foreign host")
    romeo.process.wait(10)  # raises if it lives on
    juliet.counts(2)
    nurse.types("he is gone")
    juliet.receives(nurse.name, "he is gone")


def test_a_slow_sender_is_received_and_delays_nobody(
    server: Program, terminals: Terminals, people: list[Terminal], room: str
) -> None:
    romeo, juliet, nurse = people
    ticks = f"(echo '/join {room}'; echo tick 1; read -r _; echo tick 2) | nc -N 127.0.0.1 {server.line_port}"
    clock = terminals("sh", "-c", ticks)
    romeo.reads(r"^\[..:..:..\] .+: tick 1$")
    for number in range(5):
        juliet.types(f"meanwhile {number}")
        nurse.receives(juliet.name, f"meanwhile {number}")
    clock.shows("meanwhile 4")
    clock.types("")  # it is time
    for person in people:
        person.reads(r"^\[..:..:..\] .+: tick 2$")
    clock.reads_the_end()
    assert "tick" not in clock.seen  # everybody but the sender


# The private chats


def test_a_taken_name_is_refused_until_its_owner_quits(people: list[Terminal]) -> None:
    romeo, juliet, nurse = people
    romeo.is_called("Montague")
    juliet.types("/name montague")
    juliet.reads(r"^\* Reuse: montague is taken$")
    romeo.types("quit")
    romeo.reads(r"^\* Bye\.$")
    nurse.counts(2)
    juliet.is_called("Montague")


def test_to_name_pairs_two_people_both_ways(people: list[Terminal]) -> None:
    romeo, juliet, nurse = people
    romeo.types("/to")
    romeo.reads(r"^\* You are not in a private chat\. Choose someone")
    romeo.types("to:Rosaline")
    romeo.reads(r"^\* no one here is called Rosaline$")
    romeo.types(f"to:{juliet.name}")
    juliet.reads(rf"^\* {romeo.name} started a private chat")
    before = time.time()
    for number in range(3):  # full duplex: neither waits for the other
        romeo.types(f"from romeo {number}")
        juliet.types(f"from juliet {number}")
    for number in range(3):
        told = juliet.reads(rf"^\[(\d\d):(\d\d):(\d\d)\] {romeo.name} -> you: from romeo {number}$")
        romeo.reads(rf"^\[\d\d:\d\d:\d\d\] {juliet.name} -> you: from juliet {number}$")
        hours, minutes, seconds = map(int, told.groups())
        assert (hours * 3600 + minutes * 60 + seconds - int(before)) % 86_400 <= time.time() - before + 1
    nurse.reads_nothing("from romeo|from juliet")


def test_a_third_takes_over_and_partners_are_unpaired(people: list[Terminal]) -> None:
    romeo, juliet, nurse = people
    romeo.types(f"to:{juliet.name}")
    juliet.reads(rf"^\* {romeo.name} started a private chat")
    nurse.types(f"to:{juliet.name}")
    juliet.reads(rf"^\* You now talk to {nurse.name}, not {romeo.name}\. to:{romeo.name} returns")
    romeo.reads(rf"^\* {juliet.name} now talks to someone else")
    nurse.types("madam")
    juliet.reads(rf"{nurse.name} -> you: madam$")
    nurse.types("quit")
    juliet.reads(rf"^\* {nurse.name} has left\. The private chat is over")
    juliet.types("are you there")
    juliet.reads(r"^\* Not sent: ")
    juliet.types("hello all")
    romeo.receives(juliet.name, "hello all")
    assert "are you there" not in romeo.seen


def test_many_talk_at_once_and_a_silent_one_blocks_nobody(server: Program, lines: Lines) -> None:
    with (
        socket.create_connection(("127.0.0.1", server.line_port)) as silent,
        socket.create_connection(("127.0.0.1", server.line_port)) as halting,
    ):
        halting.sendall(b"half a li")
        present = [lines() for _ in range(20)]
        for number, person in enumerate(present):
            person.types(f"/echo on\nfrom {number}")
        for person in present:
            assert all(person.has_seen(f": from {number}\r\n", 10) for number in range(len(present)))
        orders = {tuple(re.findall(r"from (\d+)\r", person.seen)) for person in present}
        assert len(orders) == 1
        assert sorted(map(int, orders.pop())) == list(range(len(present)))
        assert silent.fileno() > 0  # it was there all the time
