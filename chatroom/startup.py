"""What the server prints once it listens: plain lines for a log, and a little more for a person at a terminal.

It knows sentences and terminals. It is given the addresses, and does not print.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self, TextIO

from chatroom.gateways.words import Words

_BORDER = 2  # modules of white around the code, without which cameras do not find it
_BLACK_ON_WHITE = "\x1b[38;5;16;48;5;231m"  # whatever colours the terminal uses
_BOLD, _PLAIN = "\x1b[1m", "\x1b[0m"


class StartError(Exception):
    """The server cannot start; the text is one line that names the remedy."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Started:
    """Where the server listens, and where it keeps messages."""

    url: str
    network_url: str | None = None  # for other machines; None if only this one can reach it
    line_url: str | None = None
    folder: Path | None = None  # None: nothing is kept on disk


@dataclass(frozen=True, slots=True)
class Terminal:
    """What a terminal can show."""

    columns: int
    rows: int
    has_unicode: bool
    has_colour: bool

    @classmethod
    def of(cls, stream: TextIO, environ: Mapping[str, str]) -> Self | None:
        """The terminal that a stream writes to, or None."""
        if not stream.isatty():
            return None
        size = os.get_terminal_size(stream.fileno())
        has_unicode = (stream.encoding or "").lower().replace("-", "") == "utf8"
        has_colour = not environ.get("NO_COLOR") and environ.get("TERM", "dumb") != "dumb"
        return cls(size.columns, size.lines, has_unicode, has_colour)


def plain_lines(started: Started) -> list[str]:
    """One line for each fact, in English: programs read them too."""
    return _facts(started, Words("en"), "{}")


def _facts(started: Started, words: Words, address: str) -> list[str]:
    lines = [words.say("start_listening", url=address.format(started.url))]
    if started.network_url is not None and started.network_url != started.url:
        lines.append(words.say("start_network", url=address.format(started.network_url)))
    if started.line_url is not None:
        lines.append(words.say("start_line", url=started.line_url))
    if started.folder is not None:
        lines.append(words.say("start_kept", folder=started.folder))
    else:
        lines.append(words.say("start_not_kept"))
    return lines


def terminal_lines(started: Started, terminal: Terminal, lang: str) -> list[str]:
    """The same for a person, with the address for others as a QR code, and how to stop."""
    words = Words(lang if terminal.has_unicode else "en")
    lines = _facts(started, words, f"{_BOLD}{{}}{_PLAIN}" if terminal.has_colour else "{}")
    if started.network_url is not None and terminal.has_unicode:
        code = qr_code(started.network_url, has_colour=terminal.has_colour)
        if terminal.columns > code.width and terminal.rows > len(code.lines) + len(lines):
            lines += [words.say("start_scan"), *code.lines]
    return [*lines, words.say("start_stop")]


@dataclass(frozen=True, slots=True)
class Code:
    """A QR code as lines for a terminal; each character shows two modules, one above the other."""

    width: int
    lines: list[str]


def qr_code(text: str, *, has_colour: bool) -> Code:
    """Draw a QR code: black on white or, without colours, with its light modules in the terminal's text colour."""
    import segno  # only when a code is shown

    rows = [list(map(bool, row)) for row in segno.make_qr(text).matrix_iter(border=_BORDER)]
    if not has_colour:
        rows = [[not dark for dark in row] for row in rows]
    if len(rows) % 2:
        rows.append([False] * len(rows[0]))
    halves = {(False, False): " ", (True, False): "▀", (False, True): "▄", (True, True): "█"}
    lines = [
        "".join(halves[pair] for pair in zip(upper, lower, strict=True))
        for upper, lower in zip(rows[::2], rows[1::2], strict=True)
    ]
    if has_colour:
        lines = [f"{_BLACK_ON_WHITE}{line}{_PLAIN}" for line in lines]
    return Code(len(rows[0]), lines)
