"""asyncio in tests: in a thread of its own, because the browser's driver keeps a loop in the main one."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

_Result = TypeVar("_Result")

WAIT_S = 120.0
UNTIL_S = 15.0


def run(coroutine: Coroutine[Any, Any, _Result]) -> _Result:
    """Run a coroutine; returns what it returns, and raises what it raises."""
    with ThreadPoolExecutor(max_workers=1) as pool:
        return pool.submit(asyncio.run, coroutine).result(WAIT_S)


async def until(
    condition: Callable[[], object], what: str | Callable[[], str] = "what the test waits for"
) -> None:
    """Let the loop run until the condition holds.

    Args:
        what: names it if it never does; a function is called then, and says what there is instead.
    """
    deadline = time.monotonic() + UNTIL_S
    while not condition():
        assert time.monotonic() < deadline, what() if callable(what) else what
        await asyncio.sleep(0.02)
