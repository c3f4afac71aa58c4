"""What the server says once it listens: to a program that reads it, and to a person at a terminal."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from chatroom.startup import Started, Terminal, plain_lines, qr_code, terminal_lines

NETWORK = "http://192.168.100.200:50000"
STARTED = Started(
    url="http://127.0.0.1:50000",
    network_url=NETWORK,
    line_url="telnet://127.0.0.1:5267",
    folder=Path("/home/fox/data"),
)
WIDE = Terminal(columns=80, rows=24, has_unicode=True, has_colour=True)
BLOCKS = re.compile("[█▀▄]")


def test_a_log_gets_plain_english_lines() -> None:
    assert plain_lines(STARTED) == [
        "listening on http://127.0.0.1:50000",
        f"on this network: {NETWORK}",
        "line gateway on telnet://127.0.0.1:5267",
        "messages are kept in /home/fox/data",
    ]


@pytest.mark.parametrize(("lang", "stop"), [("en", "Press Ctrl+C to stop."), ("zh", "按 Ctrl+C 停止。")])
def test_a_terminal_shows_all_in_its_language(lang: str, stop: str) -> None:
    lines = terminal_lines(STARTED, WIDE, lang)
    assert lines[-1] == stop
    for fact in (STARTED.url, NETWORK, STARTED.line_url, STARTED.folder):
        assert sum(str(fact) in line for line in lines) == 1
    assert BLOCKS.search("".join(lines))
    assert len(lines) < WIDE.rows


@pytest.mark.parametrize(
    "terminal",
    [
        Terminal(columns=20, rows=24, has_unicode=True, has_colour=True),
        Terminal(columns=80, rows=15, has_unicode=True, has_colour=True),
        Terminal(columns=80, rows=24, has_unicode=False, has_colour=True),
    ],
    ids=["narrow", "low", "not UTF-8"],
)
def test_no_code_is_shown_where_it_cannot_be_whole(terminal: Terminal) -> None:
    lines = terminal_lines(STARTED, terminal, "zh")
    assert not BLOCKS.search("".join(lines))
    if not terminal.has_unicode:
        assert "".join(lines).isascii()


def test_no_code_leads_to_this_machine_only() -> None:
    alone = Started(url="http://127.0.0.1:50000")
    assert not BLOCKS.search("".join(terminal_lines(alone, WIDE, "en")))


def test_without_colour_no_escape_is_printed() -> None:
    lines = terminal_lines(STARTED, Terminal(80, 24, has_unicode=True, has_colour=False), "en")
    assert "\x1b" not in "".join(lines)


def test_the_code_means_the_address_in_either_drawing() -> None:
    """Read back from the characters: the same modules, surrounded by light ones."""
    import segno

    modules = [list(map(bool, row)) for row in segno.make_qr(NETWORK).matrix]
    for has_colour in (True, False):
        code = qr_code(NETWORK, has_colour=has_colour)
        rows: list[list[bool]] = []
        for line in code.lines:
            cells = re.sub(r"\x1b\[[\d;]*m", "", line)
            assert len(cells) == code.width
            rows += [[cell in "█▀" for cell in cells], [cell in "█▄" for cell in cells]]
        dark = rows if has_colour else [[not drawn for drawn in row] for row in rows]
        inside = [row[2 : 2 + len(modules)] for row in dark[2 : 2 + len(modules)]]
        assert inside == modules
