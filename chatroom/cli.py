"""The command `chatroom`: which of the program's faces to show."""

from __future__ import annotations

import sys
from collections.abc import Sequence


def main(argv: Sequence[str] | None = None) -> int:
    """Run a subcommand; without one, `serve`.

    Returns:
        The exit code: 0, or 2 with one clear line on standard error if the start is impossible; those of `chat`
        are its own.
    """
    arguments = list(sys.argv[1:] if argv is None else argv)
    if arguments[:1] == ["chat"]:
        from chatroom.terminal.main import main as chat  # neither face needs the other's parts

        return chat(arguments[1:])
    if arguments[:1] == ["serve"]:
        del arguments[0]
    from chatroom import runtime

    runtime.patch()

    # Only now: what these import must see the patched runtime.
    from chatroom.server import StartError, serve
    from chatroom.settings import PROG, Settings, SettingsError

    try:
        serve(Settings.read(arguments))
    except (SettingsError, StartError) as problem:
        print(f"{PROG}: {problem}", file=sys.stderr)
        return 2
    return 0
