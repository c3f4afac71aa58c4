"""No regular expression takes long for a text that repeats what it mentions, compared with a sum that is added up."""

import pkgutil
import re
from collections.abc import Callable
from functools import partial
from importlib import import_module
from inspect import getsource
from types import ModuleType

import chatroom.core
from tests.core.test_costs import LONGEST, add_squares, seconds

MOST_UNITS = 2  # quadratic ones take 3 to 50, the others less than 1
MOST_CHARACTERS = 40  # of those that a pattern mentions
CALLS = {"match": "match", "fullmatch": "fullmatch"}  # all others search


def patterns(module: ModuleType) -> dict[str, tuple[re.Pattern[str], str]]:
    """The patterns of a module, by name, and how each is used there."""
    source = getsource(module)
    return {
        name: (pattern, method)
        for name, pattern in vars(module).items()
        if isinstance(pattern, re.Pattern)
        for method in [*dict.fromkeys(re.findall(rf"\b{name}\.(\w+)\(", source))][:1]
    }


def repeated(pattern: re.Pattern[str]) -> list[str]:
    mentioned = sorted({*" a\n.1", *pattern.pattern})
    some = mentioned[:: len(mentioned) // MOST_CHARACTERS + 1]
    return [
        f"{before}{(piece * LONGEST)[:LONGEST]}{after}"
        for one in some
        for piece in (one, f"{one}a")
        for before in ("", "x")
        for after in ("", "!x")
    ]


def work(pattern: re.Pattern[str], method: str) -> Callable[[str], object]:
    if method in CALLS:
        find: Callable[[str], object] = getattr(pattern, method)
        return find
    return lambda text: [*pattern.finditer(text)]


def test_no_pattern_takes_long_for_what_is_repeated() -> None:
    names = [one.name for one in pkgutil.iter_modules(chatroom.core.__path__)]
    checked = 0
    for module in (import_module(f"chatroom.core.{name}") for name in names):
        for name, (pattern, method) in patterns(module).items():
            do = work(pattern, method)
            unit = seconds(add_squares, 1)
            for text in repeated(pattern):
                if seconds(partial(do, text), 1) <= MOST_UNITS * unit:
                    continue
                units = seconds(partial(do, text), 20) / seconds(add_squares, 20)
                assert units <= MOST_UNITS, (module.__name__, name, text[:20])
            checked += 1
    assert checked > 80
