"""For tests that run a server's parts in their own process: the loop runs while they wait."""

import contextlib
import gc
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from chatroom import runtime

WAIT_S = 10.0


def until(condition: Callable[[], bool]) -> None:
    """Run the loop until the condition holds.

    Raises:
        AssertionError: it does not, for ten seconds.
    """
    deadline = time.monotonic() + WAIT_S
    while not condition():
        assert time.monotonic() < deadline
        runtime.sleep(0.001)  # a turn of the loop; the deadline bounds how many


@contextlib.contextmanager
def no_collector() -> Iterator[None]:
    """Only what is in no reference cycle is freed."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def alive(kind: type) -> int:
    """How many objects of this class there are; those in reference cycles that nothing reaches count too."""
    return sum(isinstance(one, kind) for one in gc.get_objects())


def nothing_here(_environ: object, start_response: Callable[..., Any]) -> Iterable[bytes]:
    """A WSGI application that has no page."""
    start_response("404 Not Found", [("Content-Length", "0")])
    return []
