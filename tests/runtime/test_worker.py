"""Real threads."""

from __future__ import annotations

import os
import threading
import weakref
from collections.abc import Iterator

import pytest

from chatroom import runtime
from tests.support.inside import until

IntWorker = runtime.Worker[int, tuple[int, int]]  # gives the double of a number, and its thread
Outcomes = list[tuple[int, tuple[int, int] | Exception]]


@pytest.fixture
def outcomes() -> Outcomes:
    return []


@pytest.fixture
def worker(outcomes: Outcomes) -> Iterator[IntWorker]:
    def work(job: int) -> tuple[int, int]:
        if job == -1:
            raise ValueError("unlucky")
        return job * 2, threading.get_ident()

    worker = runtime.Worker(work, lambda job, outcome: outcomes.append((job, outcome)))
    worker.start()
    yield worker
    worker.stop()
    worker.join()


def test_a_worker_does_its_jobs_in_order_in_another_thread(worker: IntWorker, outcomes: Outcomes) -> None:
    for job in range(100):
        worker.do(job)
    until(lambda: len(outcomes) == 100)
    results = [(job, outcome) for job, outcome in outcomes if not isinstance(outcome, Exception)]
    assert [(job, double) for job, (double, _) in results] == [(job, job * 2) for job in range(100)]
    assert {thread for _, (_, thread) in results}.isdisjoint({threading.get_ident()})


def test_a_job_that_fails_has_its_exception_as_its_outcome(worker: IntWorker, outcomes: Outcomes) -> None:
    worker.do(-1)
    worker.do(14)
    until(lambda: len(outcomes) == 2)
    assert isinstance(outcomes[0][1], ValueError)
    assert not isinstance(outcomes[1][1], Exception)
    assert outcomes[1][1][0] == 28


def test_a_worker_keeps_nothing_of_a_job_that_is_done() -> None:
    class Job:
        """Something that can be referred to weakly."""

    done: list[bool] = []
    worker = runtime.Worker[Job, Job](lambda job: job, lambda job, outcome: done.append(job is outcome))
    worker.start()
    job = Job()
    kept = weakref.ref(job)
    worker.do(job)
    del job
    until(lambda: done == [True] and kept() is None)
    worker.stop()
    worker.join()


def test_a_stopped_worker_closes_its_descriptors(outcomes: Outcomes) -> None:
    def descriptors() -> int:
        return len(os.listdir("/proc/self/fd"))  # noqa: PTH208 - names only

    runtime.run_blocking(int)  # what the pool of threads opens, it keeps
    before, threads = descriptors(), threading.active_count()
    worker = IntWorker(lambda job: (job, 0), lambda job, outcome: outcomes.append((job, outcome)))
    worker.start()
    worker.do(1)
    until(lambda: len(outcomes) == 1)
    worker.stop()
    until(lambda: threading.active_count() == threads)
    assert descriptors() == before + 2
    worker.join()
    assert descriptors() == before


def test_few_threads_do_all_blocking_work() -> None:
    assert len({runtime.run_blocking(threading.get_ident) for _ in range(50)}) <= 2
