"""asyncio in tests: in a thread of its own, because the browser's driver keeps a loop in the main one."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

_Result = TypeVar("_Result")

WAIT_S = 120.0


def run(coroutine: Coroutine[Any, Any, _Result]) -> _Result:
    """Run a coroutine; returns what it returns, and raises what it raises."""
    with ThreadPoolExecutor(max_workers=1) as pool:
        return pool.submit(asyncio.run, coroutine).result(WAIT_S)
