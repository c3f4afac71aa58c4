"""`chatroom chat`: its arguments, and which face to show."""

from __future__ import annotations

import argparse
import importlib.util
import sys
from collections.abc import Sequence

from chatroom.terminal import plain
from chatroom.terminal.address import Address, AddressError

DEFAULT_URL = "http://127.0.0.1:5000"


def main(arguments: Sequence[str]) -> int:
    """Run the terminal client.

    Returns:
        The exit code: 0, 1 if something was refused, 2 if the room could not be entered.
    """
    parser = argparse.ArgumentParser(
        prog="chatroom chat", description="Chat from a terminal.", allow_abbrev=False
    )
    parser.add_argument(
        "url",
        nargs="?",
        default=DEFAULT_URL,
        help="where; a room's own link works too (default: %(default)s)",
    )
    parser.add_argument("--room", help="the room to enter; default: the link's, or lobby")
    parser.add_argument("--name", help="the nickname to ask for; default: a random one")
    parser.add_argument(
        "--plain",
        action="store_true",
        help="lines in, lines out; what one gets without a terminal or without the extra tui",
    )
    chosen = parser.parse_args(arguments)
    try:
        address = Address.parse(chosen.url)
    except AddressError as problem:
        print(f"chatroom: {problem}", file=sys.stderr)
        return 2
    has_screen = (
        sys.stdin.isatty() and sys.stdout.isatty() and importlib.util.find_spec("textual") is not None
    )
    if chosen.plain or not has_screen:
        return plain.run(address, chosen.room, chosen.name, sys.stdin, sys.stdout)
    from chatroom.terminal.screen import ChatApp  # only now: the extra may not be there

    return ChatApp(address, chosen.room, chosen.name).run() or 0
