"""The runtime's own machinery: lanes and the worker. It is used without its patch."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Callable

import pytest

from chatroom import runtime
from tests.support.inside import WAIT_S, until


def test_what_is_called_last_comes_after_what_is_called_soon_in_the_same_turn():
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


def test_calls_that_always_ask_for_another_turn_keep_nothing_else_waiting():
    turns = {runtime.call_soon: 0, runtime.call_last: 0}
    heard: list[bytes] = []
    near, far = socket.socketpair()
    with near, far:
        near.setblocking(False)
        for ask in turns:

            def again(ask: Callable[[Callable[[], None]], None] = ask) -> None:
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


def test_a_call_that_fails_takes_nobody_with_it(capfd):
    seen: list[str] = []

    def fail() -> None:
        raise ValueError("ours")

    for ask in (runtime.call_soon, runtime.call_last):
        ask(fail)
        ask(lambda: seen.append("the next one"))
    until(lambda: len(seen) == 2)
    assert capfd.readouterr().err.count("ValueError: ours") == 2


def test_a_lane_works_in_order_and_not_before_the_next_turn():
    seen: list[int] = []
    lane = runtime.Lane(seen.append)
    for number in range(3):
        lane.put(number)
    assert seen == []
    until(lambda: len(seen) == 3)
    assert seen == [0, 1, 2]


def test_what_waits_in_a_lane_does_not_keep_back_what_comes_after_it():
    seen: list[str] = []
    door = runtime.Signal()

    def work(item: str) -> None:
        if item == "slow":
            door.wait(WAIT_S)
        seen.append(item)

    lane = runtime.Lane(work)
    for item in ("slow", "quick", "quicker"):
        lane.put(item)
    until(lambda: len(seen) == 2)
    door.set()
    until(lambda: len(seen) == 3)
    assert seen == ["quick", "quicker", "slow"]


@pytest.fixture
def outcomes() -> list[tuple[object, object]]:
    return []


@pytest.fixture
def worker(outcomes):
    def work(job: int) -> tuple[int, int]:
        if job == -1:
            raise ValueError("unlucky")
        return job * 2, threading.get_ident()

    worker = runtime.Worker(work, lambda job, outcome: outcomes.append((job, outcome)))
    worker.start()
    yield worker
    worker.stop()
    worker.join()


def test_a_worker_does_its_jobs_in_order_in_another_thread(worker, outcomes):
    for job in range(100):
        worker.do(job)
    until(lambda: len(outcomes) == 100)
    assert [(job, outcome[0]) for job, outcome in outcomes] == [(job, job * 2) for job in range(100)]
    assert {outcome[1] for _, outcome in outcomes}.isdisjoint({threading.get_ident()})


def test_a_job_that_fails_has_its_exception_as_its_outcome(worker, outcomes):
    worker.do(-1)
    worker.do(14)
    until(lambda: len(outcomes) == 2)
    assert isinstance(outcomes[0][1], ValueError)
    assert outcomes[1][1][0] == 28


def test_a_worker_that_was_stopped_closes_its_descriptors_when_nobody_can_use_them_any_more(outcomes):
    def descriptors() -> int:
        return len(os.listdir("/proc/self/fd"))  # noqa: PTH208 - names only

    runtime.run_blocking(int)  # what the pool of threads opens, it keeps
    before, threads = descriptors(), threading.active_count()
    worker = runtime.Worker(lambda job: job, lambda job, outcome: outcomes.append((job, outcome)))
    worker.start()
    worker.do(1)
    until(lambda: len(outcomes) == 1)
    worker.stop()
    until(lambda: threading.active_count() == threads)
    assert descriptors() == before + 2
    worker.join()
    assert descriptors() == before
