"""A command line whose mistakes are refused in one line. It knows no setting."""

from __future__ import annotations

import argparse
import difflib
from collections.abc import Iterable
from typing import Final, NoReturn

PROG: Final = "chatroom"
_UNKNOWN: Final = "unrecognized arguments: "


class Parser(argparse.ArgumentParser):
    """Refuses wrong arguments in one line on standard error, with exit code 2.

    Attributes:
        words: the subcommands; for a misspelt one, the error names the nearest.
    """

    words: tuple[str, ...] = ()

    def error(self, message: str) -> NoReturn:
        near = ""
        if message.startswith(_UNKNOWN):
            wrong = message.removeprefix(_UNKNOWN).partition(" ")[0].partition("=")[0]
            near = nearest(wrong, self._option_string_actions if wrong[:1] == "-" else self.words)
        # The message quotes what was typed, which may contain line ends and escape sequences.
        shown = "".join(one if one.isprintable() else "\N{REPLACEMENT CHARACTER}" for one in message)
        self.exit(2, f"{PROG}: {shown}{near or '.'} See {self.prog} --help.\n")


def nearest(word: str, known: Iterable[str]) -> str:
    """A hint at what was probably meant, to end an error with; empty if nothing is near."""
    near = difflib.get_close_matches(word, known, 1, cutoff=0.7)
    return f"; did you mean {near[0]}?" if near else ""
