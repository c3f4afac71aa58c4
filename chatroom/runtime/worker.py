"""Real threads, for work that blocks."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable
from typing import Generic, ParamSpec, TypeVar

import eventlet.patcher
import eventlet.tpool

from chatroom.runtime.hub import Listener, add_reader, remove_listener
from chatroom.runtime.lane import Lane

# Only one thread reads the log at a time; when the server stops, another waits for a worker to end. By default there
# are 20, and the C library keeps what each once needed: half a megabyte and more, after reading pages.
eventlet.tpool.set_num_threads(2)

_ArgsP = ParamSpec("_ArgsP")
_JobT = TypeVar("_JobT")
_ResultT = TypeVar("_ResultT")


def run_blocking(
    function: Callable[_ArgsP, _ResultT], *args: _ArgsP.args, **options: _ArgsP.kwargs
) -> _ResultT:
    """Run `function` in a real thread; the calling greenthread waits, the loop goes on.

    Raises:
        Whatever `function` raises.
    """
    result: _ResultT = eventlet.tpool.execute(function, *args, **options)
    return result


class Worker(Generic[_JobT, _ResultT]):
    """A real thread that does one kind of blocking work, job after job.

    `run_blocking` costs a pool's thread switch and a greenthread that waits. This costs a queue and an eventfd, which
    is cheap enough for one commit per message.

    Args:
        work: called in the thread with each job; what it returns or raises is the job's outcome.
        on_done: called in a lane with each job and its outcome: a value, or the exception.
    """

    def __init__(
        self, work: Callable[[_JobT], _ResultT], on_done: Callable[[_JobT, _ResultT | Exception], None]
    ) -> None:
        self._work = work
        self._jobs: deque[tuple[_JobT] | None] = deque()
        self._work_fd = os.eventfd(0, os.EFD_CLOEXEC)  # the thread waits for it
        self._outcomes: deque[tuple[_JobT, _ResultT | Exception]] = deque()
        self._on_done = on_done
        self._lane: Lane[tuple[_JobT, _ResultT | Exception]]
        self._done_fd = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._listener: Listener | None = None

    def start(self) -> None:
        """Start the thread."""
        self._lane = Lane(lambda outcome: self._on_done(*outcome))
        self._listener = add_reader(self._done_fd, self._collect)
        self._thread = eventlet.patcher.original("threading").Thread(target=self._run, daemon=True)
        self._thread.start()

    def do(self, job: _JobT) -> None:
        """Queue a job; returns at once."""
        self._jobs.append((job,))
        os.eventfd_write(self._work_fd, 1)

    def stop(self) -> None:
        """End the thread once all jobs are done; wait for their outcomes first."""
        if self._listener is not None:
            remove_listener(self._listener)
            self._listener = None
        self._jobs.append(None)
        os.eventfd_write(self._work_fd, 1)

    def join(self) -> None:
        """Wait, as a greenthread, for the end of the thread; call it once, after `stop`."""
        run_blocking(self._thread.join)
        os.close(self._work_fd)
        os.close(self._done_fd)

    def _run(self) -> None:
        while os.eventfd_read(self._work_fd):
            while self._jobs:
                job = self._jobs.popleft()
                if job is None:
                    return
                outcome: _ResultT | Exception
                try:
                    outcome = self._work(job[0])
                except Exception as problem:  # the job's outcome: whoever gave the job gets it
                    outcome = problem
                self._outcomes.append((job[0], outcome))
                del job, outcome  # or they would be kept until the next job comes
                os.eventfd_write(self._done_fd, 1)

    def _collect(self, _fileno: int) -> None:
        os.eventfd_read(self._done_fd)
        while self._outcomes:
            self._lane.put(self._outcomes.popleft())
