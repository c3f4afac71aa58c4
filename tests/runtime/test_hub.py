"""The loop: what is called when."""

from __future__ import annotations

import socket
import sys
from collections.abc import Callable

import pytest

from chatroom import runtime
from tests.support.inside import until

Ask = Callable[[Callable[[], None]], None]  # asks for a call in the loop


def test_no_resolver_of_names_is_loaded() -> None:
    assert "eventlet.support.greendns" not in sys.modules


def test_call_last_runs_after_call_soon() -> None:
    seen: list[str] = []

    def first() -> None:
        seen.append("soon")
        runtime.call_soon(lambda: seen.append("soon, asked for in the turn"))
        runtime.call_last(lambda: seen.append("last, asked for in the turn"))

    runtime.call_last(lambda: seen.append("last"))
    runtime.call_soon(first)
    assert seen == []
    until(lambda: len(seen) == 4)
    assert seen == ["soon", "last", "last, asked for in the turn", "soon, asked for in the turn"]


def test_calls_that_repeat_each_turn_starve_nothing() -> None:
    turns: dict[Ask, int] = {runtime.call_soon: 0, runtime.call_last: 0}
    heard: list[bytes] = []
    near, far = socket.socketpair()
    with near, far:
        near.setblocking(False)
        for ask in turns:

            def again(ask: Ask = ask) -> None:
                turns[ask] += 1
                if not heard:
                    ask(again)

            again()
        begun = dict(turns)
        until(lambda: all(turns[ask] > begun[ask] for ask in turns))
        listener = runtime.add_reader(near.fileno(), lambda _: heard.append(near.recv(9)))
        far.send(b"hello")
        until(lambda: bool(heard))
        runtime.remove_listener(listener)
    assert heard == [b"hello"]


def test_a_failing_call_does_not_stop_the_others(caplog: pytest.LogCaptureFixture) -> None:
    seen: list[str] = []

    def fail() -> None:
        raise ValueError("ours")

    for ask in (runtime.call_soon, runtime.call_last):
        ask(fail)
        ask(lambda: seen.append("the next one"))
    until(lambda: len(seen) == 2)
    assert [record.exc_info[0] for record in caplog.records if record.exc_info] == [ValueError, ValueError]
