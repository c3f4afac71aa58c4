"""`chatroom chat`: its arguments, and which face to show."""

from __future__ import annotations

import argparse
import importlib.util
import os
from collections.abc import Sequence

from chatroom.terminal import plain
from chatroom.terminal.address import Address, AddressError

DEFAULT_URL = "http://127.0.0.1:5000"

_EPILOG = """\
exit codes: 0 everything typed was sent; 1 something was refused or could not be sent, or the server
closed the connection; 2 wrong arguments, or the room could not be joined; 130 Ctrl-C.
https: SSL_CERT_FILE or SSL_CERT_DIR names the certificates to trust.
keys of the full screen, and more: docs/terminal.md
"""


def main(arguments: Sequence[str]) -> int:
    """Run the terminal client.

    Returns:
        The exit code, as `--help` tells.
    """
    parser = argparse.ArgumentParser(
        prog="chatroom chat",
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
    parser.add_argument("--name", help="the name to ask for; default: a random one")
    parser.add_argument(
        "--plain",
        action="store_true",
        help="lines in, lines out; the default without a terminal or without the extra tui",
    )
    chosen = parser.parse_args(arguments)
    try:
        address = Address.parse(chosen.url)
    except AddressError as problem:
        plain.complain(str(problem))
        return 2
    try:
        if chosen.plain or not _has_screen():
            return plain.Plain(address, chosen.room, chosen.name).run()
        from chatroom.terminal.screen import ChatApp  # only now: the extra may not be there

        return ChatApp(address, chosen.room, chosen.name).run() or 0
    except KeyboardInterrupt:
        return 130


def _has_screen() -> bool:
    """Whether there is a terminal that can be drawn on, and something to draw with."""
    return (
        all(map(os.isatty, (0, 1)))
        and os.environ.get("TERM", "") not in ("", "dumb")
        and importlib.util.find_spec("textual") is not None
    )
