"""Real threads."""

from __future__ import annotations

import os
import threading

import pytest

from chatroom import runtime
from tests.support.inside import until


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


def test_a_stopped_worker_closes_its_descriptors(outcomes):
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
