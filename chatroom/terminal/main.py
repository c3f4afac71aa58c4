"""`chatroom chat`: its arguments, and the choice between lines and a full screen."""

from __future__ import annotations

import argparse
import importlib.metadata
import importlib.util
import os
import shlex
import sys
from collections.abc import Mapping, Sequence

from chatroom.core.arguments import PROG, Parser
from chatroom.terminal import plain
from chatroom.terminal.address import Address, AddressError

DEFAULT_URL = "http://127.0.0.1:5000"

_EPILOG = """\
exit codes: 0 everything typed was sent; 1 something was refused or could not be sent, or the server
closed the connection; 2 wrong arguments, or it could not join the room; 130 Ctrl+C.
https: SSL_CERT_FILE or SSL_CERT_DIR names the certificates to trust.
keys of the full screen, and more: docs/terminal.md
"""


def main(arguments: Sequence[str]) -> int:
    """Run the terminal client.

    Returns:
        The exit code, as `--help` says.
    """
    parser = Parser(
        prog=f"{PROG} chat",
        description="Chat from a terminal.",
        epilog=_EPILOG,
        allow_abbrev=False,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "url",
        nargs="?",
        default=DEFAULT_URL,
        help="the chatroom's address, or the link of a room (default: %(default)s)",
    )
    parser.add_argument("--room", help="the room to join; default: the link's, or lobby")
    parser.add_argument("--name", help="your name; default: a random one")
    parser.add_argument(
        "--plain",
        action="store_true",
        help="lines in, lines out; the default without a terminal or without the extra tui",
    )
    chosen = parser.parse_args(arguments)
    try:
        address = Address.parse(chosen.url)
    except AddressError as problem:
        plain.report_error(str(problem))
        return 2
    lang = language(os.environ)
    try:
        if chosen.plain or not _has_terminal() or not _has_extra():
            return plain.Plain(address, chosen.room, chosen.name, lang).run()
        from chatroom.terminal.screen import ChatApp  # only now: the extra may be missing

        app = ChatApp(address, chosen.room, chosen.name, lang)
        app.run()
    except KeyboardInterrupt:
        return 130
    _drop_unwritten()
    # Without a return value the app has failed.
    return app.return_code or 0 if app.return_value is None else app.return_value


def _drop_unwritten() -> None:
    """If the terminal is gone, drop what could not be written: it would fail again at exit and change the code."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def language(environ: Mapping[str, str]) -> str | None:
    """The one of the server's languages that the locale names; None: neither."""
    locale = next(filter(None, map(environ.get, ("LC_ALL", "LC_MESSAGES", "LANG"))), "")
    found = locale.partition(".")[0].partition("_")[0]
    return found if found in ("en", "zh") else None


def _has_terminal() -> bool:
    """Whether there is a terminal that can show a full screen."""
    return all(map(os.isatty, (0, 1))) and os.environ.get("TERM", "") not in ("", "dumb")


def _has_extra() -> bool:
    """Whether the full screen is installed; if not, say how to get it."""
    if importlib.util.find_spec("textual") is not None:
        return True
    try:
        needed = importlib.metadata.requires("chatroom") or []
    except importlib.metadata.PackageNotFoundError:
        needed = []  # it runs from its folder
    extra = [text.split(";")[0].strip() for text in needed if 'extra == "tui"' in text.replace("'", '"')]
    command = shlex.join([sys.executable, "-m", "pip", "install", *(extra or ["textual"])])
    plain.report_error(f"lines only; for the full screen, run: {command}")
    return False
