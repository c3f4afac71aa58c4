"""Abuse of the line gateway, meant or not: spoofed text, HTTP requests, floods, dead peers."""

from __future__ import annotations

import os
import re
import socket
import subprocess
from pathlib import Path

import pytest

from tests.support.guests import WAIT_S, Guest, Guests, until
from tests.support.lines import Line, Lines
from tests.support.program import Program, Start

LONG = "雪" * 1300  # 3,900 bytes: nearly as much as a line may have


def resident_mb(program: Program) -> float:
    status = Path(f"/proc/{program.pid}/status").read_text()
    (kb,) = re.findall(r"VmRSS:\s+(\d+)", status)
    return int(kb) / 1024


def alone_in_the_lobby(
    start: Start, lines: Lines, *flags: str, people: int = 2
) -> tuple[Program, list[Line]]:
    """A server with these flags, and this many people in its lobby."""
    program = start(*flags)
    return program, [lines(port=program.line_port, room=None) for _ in range(people)]


# Spoofed text


def test_a_web_page_cannot_send_through_its_readers_browser(server: Program, lines: Lines) -> None:
    juliet = lines(room=None)
    body = "/name Romeo\r\nsaid by a page\r\n"
    head = f"POST /chat HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {len(body)}\r\nCookie: secret\r\n\r\n"
    browser = Line(server.line_port)
    browser.types_raw((head + body).encode())
    browser.reads(r"^\* This port is for terminals")
    browser.reads_the_end()
    browser.closes()
    juliet.reads_nothing("POST|secret|said by a page|Romeo$")


def test_http_with_a_long_first_line_is_refused(server: Program, lines: Lines) -> None:
    juliet = lines(room=None)
    browser = Line(server.line_port)
    browser.types_raw(
        b"POST /" + b"x" * 10_000 + b" HTTP/1.1\r\nHost: 127.0.0.1:5267\r\n\r\nsaid by a page\r\n"
    )
    browser.reads(r"^\* This port is for terminals")
    browser.reads_the_end()
    browser.closes()
    juliet.reads_nothing("Host|said by a page")


STUN = b"\x00\x01\x00\x00\x21\x12\xa4\x42transactions"


def test_clients_of_other_protocols_never_speak(start: Start) -> None:
    program = start("--limits", "off")
    port = program.line_port
    witness = Guest(program.url, {"v": 1, "roster": "delta"}).enter()
    for command in (
        ["openssl", "s_client", "-connect", f"127.0.0.1:{port}"],
        ["curl", "--silent", "--insecure", f"https://127.0.0.1:{port}/"],
        ["curl", "--silent", "--http0.9", "--request", "say", f"http://127.0.0.1:{port}/"],
        ["curl", "--silent", "--http0.9", "--data", "said by a page", f"http://127.0.0.1:{port}/"],
    ):
        subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=WAIT_S, check=False)
    for sent in (
        STUN,
        b"SSH-2.0-scanner\r\n",
        b"GET / HTTP/1.1\r\n\r\n",
        b"\x16\x03\x01",
        b"",
        b"half a line",
    ):
        with socket.create_connection(("127.0.0.1", port), timeout=WAIT_S) as scanner:
            scanner.sendall(sent)
            scanner.shutdown(socket.SHUT_WR)
            assert scanner.makefile("rb").read().count(b"\n") <= 1
    witness.receives_nothing("message")
    with socket.create_connection(("127.0.0.1", port), timeout=WAIT_S) as script:
        script.sendall(b"hello\n")
        script.shutdown(socket.SHUT_WR)
        assert b"hello" not in script.makefile("rb").read()
    witness.receives("message", msg="hello")
    witness.leaves()


def test_a_browser_that_connects_early_never_speaks(start: Start) -> None:
    """It joins like a guest who sends nothing; what it sends then is not sent on."""
    program = start("--limits", "off")
    witness = Guest(program.url, {"v": 1, "roster": "delta"}).enter()
    for sent in (
        b"\x16\x03\x01\x02\x00\x01\x00\x01\nhello\n",
        STUN,
        b"\n" + STUN,
        b"get / http/1.1\nhello\n",
    ):
        early = Line(program.line_port)
        early.types_raw(sent)
        early.reads(r"^\* This port is for terminals")
        early.reads_the_end()
        early.closes()
    assert until(lambda: witness.asks("who")["count"] == 1, "all are gone")
    assert {frame["action"] for frame in witness.frames} == {"roster"}
    witness.leaves()


def test_a_later_line_may_contain_http(lines: Lines) -> None:
    romeo, juliet = lines(), lines()
    romeo.types("GET / HTTP/1.1")
    juliet.receives(romeo.name, "GET / HTTP/1.1")


def test_a_name_cannot_hold_escapes_or_look_like_text(lines: Lines, guests: Guests) -> None:
    romeo, juliet = lines(), lines(name="Juliet")
    romeo.types_raw(b"/name \x1b[31m\x1b]0;t\x07Red\xe2\x80\xae\n")
    romeo.reads(r"^\* You are now called Red\.$")
    guests(username="Juliet -> you").sends("come at once")
    romeo.reads(r'^\[..:..:..\] "Juliet -> you": come at once$')
    juliet.types("not I")
    romeo.receives("Juliet", "not I")
    juliet.types("/name Red left (1 here), Paris")
    romeo.reads(r'^\* Juliet is now called "Red left \(1 here\), Paris"$')


def test_bidirectional_controls_never_arrive(lines: Lines, guests: Guests) -> None:
    romeo, juliet, nurse = lines(), lines(), guests()
    romeo.types("pay \u202e001\u202c \u2066now\u2069")
    juliet.receives(romeo.name, "pay 001 now")
    assert nurse.receives("message")["msg"] == "pay 001 now"


def test_telnet_commands_in_pieces_are_answered_and_never_sent(lines: Lines) -> None:
    romeo, juliet = lines(), lines()
    for byte in b"he\xff\xfd\x01l\xff\xfa\x1f\x00\x50\x00\x18\xff\xf0lo\r\x00":
        romeo.types_raw(bytes([byte]))
        romeo.has_seen("never seen", 0.01)  # each byte is a packet of its own
    juliet.receives(romeo.name, "hello")
    romeo.reads_nothing("hello")
    assert romeo.seen.encode("utf-8", "replace").count("\ufffd\ufffd\x01".encode()) == 1  # IAC WONT ECHO


# Floods


@pytest.mark.parametrize(
    "flood",
    [b"\n" * 30, (b"x" * 9100 + b"\n") * 4, b"\xff\xfd\x01" * 8000],
    ids=["blank", "too long", "telnet"],
)
def test_input_without_text_costs_as_much_as_lines(start: Start, lines: Lines, flood: bytes) -> None:
    flags = ("--event-burst", "10", "--event-rate", "10", "--message-burst", "100")
    _program, (romeo, juliet) = alone_in_the_lobby(start, lines, *flags)
    paced = [f"meanwhile {number}" for number in range(16)]  # sent first, and done before a flood of twenty
    juliet.types_raw("".join(f"{text}\n" for text in paced).encode())
    romeo.types_raw(flood + b"/who\n")
    for text in paced:
        romeo.reads(f": {text}$")  # after answers to telnet, which end no line
    romeo.reads(r"\* 2 here")
    assert romeo.seen.count("* Too fast") == 1


def test_a_flood_waits_at_its_sender_and_takes_no_memory(start: Start, lines: Lines) -> None:
    program, (juliet,) = alone_in_the_lobby(start, lines, "--message-rate", "1", people=1)
    with socket.socket() as romeo:
        romeo.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 65536)
        romeo.connect(("127.0.0.1", program.line_port))
        juliet.reads("joined")
        before = resident_mb(program)
        romeo.settimeout(0.5)
        sent = 0
        try:
            while sent < 1_000_000:
                sent += romeo.send(b"a line of a flood\n" * 1000)
        except TimeoutError:
            pass  # as it should be
        assert sent < 1_000_000  # the two kernels hold less
        assert resident_mb(program) - before < 5
        juliet.types("still here")
        juliet.types("/who")
        juliet.reads(r"^\* 2 here")


def test_an_unfinished_last_line_is_reported_after_a_flood(start: Start, lines: Lines) -> None:
    program, (juliet,) = alone_in_the_lobby(
        start, lines, "--message-burst", "2", "--message-rate", "5", people=1
    )
    romeo = lines(port=program.line_port, room=None)
    romeo.types_raw(b"1\n2\n3\n4\nhalf a li")
    romeo.ends()
    for number in range(1, 5):
        juliet.receives(romeo.name, str(number))
    romeo.reads(r"^\* Not sent: the last line has no line end\.$")
    romeo.reads_the_end()
    juliet.counts(1)
    assert "half" not in juliet.seen


# Slow readers and a full server


@pytest.mark.alone
def test_answers_are_sent_one_by_one_as_they_are_read(start: Start, lines: Lines) -> None:
    """An answer to /history may take 64 KB, and 500 can be asked for in one packet: 32 MB, if all were made at once."""
    program, (juliet, asking) = alone_in_the_lobby(start, lines, "--limits", "off")
    for _ in range(20):
        juliet.types(LONG)
        asking.receives(juliet.name, LONG)
    before = resident_mb(program)
    asking.types_raw(b"/history 200\n" * 500 + b"done asking\n")
    until(lambda: asking.socket.recv(1, socket.MSG_PEEK), "the first answer")
    juliet.types("/who")
    juliet.reads(r"^\* 2 here")
    assert resident_mb(program) - before < 5
    for _ in range(500):
        asking.reads(r"^\* \d{4}-\d\d-\d\d$")
        asking.seen = ""
    juliet.receives(asking.name, "done asking")


def test_a_full_gateway_refuses_until_someone_leaves(start: Start, lines: Lines) -> None:
    program, (romeo, _juliet) = alone_in_the_lobby(start, lines, "--max-connections", "2")
    with socket.create_connection(("127.0.0.1", program.line_port), timeout=WAIT_S) as third:
        said = third.makefile("rb").read()
    assert said == b"* The server is full. Try again in 5 s.\r\n"
    romeo.types("quit")
    romeo.reads_the_end()
    romeo.closes()

    def comes_in() -> bool:
        with socket.create_connection(("127.0.0.1", program.line_port), timeout=WAIT_S) as other:
            return other.recv(100).startswith(b"* Welcome")

    until(comes_in, "there is a place")


# Dead peers


def test_keepalive_is_on_for_silent_peers(server: Program, lines: Lines) -> None:
    """On an idle connection the kernel's keepalive timer runs: it would find out that the peer has lost its power."""
    romeo = lines()
    peer = romeo.socket.getsockname()[1]

    def timer() -> tuple[str, float] | None:
        """The kind of the timer of the server's side, and the seconds until it is due (proc(5), /proc/net/tcp)."""
        for row in Path("/proc/net/tcp").read_text().splitlines()[1:]:
            cells = row.split()
            ports = tuple(int(address.split(":")[1], 16) for address in cells[1:3])
            if ports == (server.line_port, peer):
                kind, due = cells[5].split(":")
                return kind, int(due, 16) / os.sysconf("SC_CLK_TCK")
        return None

    until(lambda: (timer() or ("", 0))[0] == "02", "the keepalive timer runs")
    assert (timer() or ("", 1e9))[1] <= 60


def test_a_silently_lost_connection_leaves_the_room(server: Program, lines: Lines) -> None:
    juliet, romeo = lines(), lines()
    romeo.socket.setsockopt(
        socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0"
    )  # so that closing it resets
    romeo.closes()
    juliet.counts(1)
