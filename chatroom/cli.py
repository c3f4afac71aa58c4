"""The command `chatroom`: runs the server, the terminal client, or the health check.

An older Python, or one without our dependencies, must be able to run this file, so that it can report what is missing.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

_NEEDED = (3, 11)
_SET_UP = "in a checkout, `make run` sets up what is needed and starts the server"


def main(argv: Sequence[str] | None = None) -> int:
    """Run a subcommand; without one, `serve`.

    Returns:
        The exit code: 0, or 2 with one clear line on standard error if the server cannot start. `chat` and `health`
        have exit codes of their own.
    """
    _open_standard_files()
    arguments = list(sys.argv[1:] if argv is None else argv)
    if sys.version_info < _NEEDED:
        wanted, found = (".".join(map(str, version[:2])) for version in (_NEEDED, sys.version_info))
        return _refuse(f"Python {wanted} or newer is needed, and this is {found}; {_SET_UP}")
    try:
        if arguments[:1] == ["chat"]:
            from chatroom.terminal.main import main as chat  # the client does not need the server's libraries

            return chat(arguments[1:])
        if arguments[:1] == ["health"]:
            return _health(arguments[1:])
        return _serve(arguments[1:] if arguments[:1] == ["serve"] else arguments)
    except ModuleNotFoundError as missing:
        return _refuse(f"this Python ({sys.executable}) lacks the module {missing.name}; {_SET_UP}")


def _health(arguments: list[str]) -> int:
    from chatroom.health import main as ask
    from chatroom.settings import SettingsError

    try:
        return ask(arguments)
    except SettingsError as problem:
        return _refuse(str(problem))


def _serve(arguments: list[str]) -> int:
    from chatroom import runtime

    runtime.patch()

    # Only now: what these import needs the patched runtime.
    from chatroom.server import serve
    from chatroom.settings import Settings, SettingsError
    from chatroom.startup import StartError

    try:
        serve(Settings.read(arguments))
    except (SettingsError, StartError) as problem:
        return _refuse(str(problem))
    return 0


def _refuse(text: str) -> int:
    """Print why the program cannot start: to standard error or, if that cannot be written, to standard output."""
    for stream in (sys.stderr, sys.stdout):
        try:
            print(f"chatroom: {text}", file=stream, flush=True)
            break
        except OSError:
            # The rest of its buffer would fail again at exit, and change the exit code.
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
    return 2


def _open_standard_files() -> None:
    """Open /dev/null for each closed standard file; otherwise another file would get its number."""
    while (number := os.open(os.devnull, os.O_RDWR)) <= 2:
        os.set_inheritable(number, True)
    os.close(number)
    sys.stdout = sys.stdout or os.fdopen(1, "w")
    sys.stderr = sys.stderr or os.fdopen(2, "w")
