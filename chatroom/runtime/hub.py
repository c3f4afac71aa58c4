"""The loop: greenthreads, timers, calls at the end of a turn, readable and writable descriptors.

It is eventlet's; docs/architecture.md says why.
"""

from __future__ import annotations

import logging
import os
import socket
import sys
import warnings
from collections import deque
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any, Protocol

# Eventlet's own DNS resolver would take a third of the start's time, and 6 MB: names are resolved only at the start.
os.environ.setdefault("EVENTLET_NO_GREENDNS", "yes")
with warnings.catch_warnings():
    # Its authors discourage new use; docs/architecture.md says why it is used here. Users need not see the warning.
    warnings.filterwarnings("ignore", r"\s*Eventlet is deprecated")
    import eventlet
import eventlet.event
import eventlet.hubs
import eventlet.semaphore
import eventlet.timeout

log = logging.getLogger(__name__)

# Private names that this package relies on; the engine checks them at its start, with its own.
PRIVATE_NAMES = (
    "eventlet.hubs:notify_opened",
    "eventlet.hubs.hub:BaseHub.add",
    "eventlet.hubs.hub:BaseHub.remove",
    "eventlet.hubs.hub:BaseHub.switch",
    "eventlet.hubs.hub:BaseHub.schedule_call_global",
    "eventlet.hubs.hub:BaseHub.remove_descriptor",
    "eventlet.hubs.hub:BaseHub.squelch_exception",
    "eventlet.hubs.hub:BaseHub.squelch_generic_exception",
    "eventlet.hubs.hub:BaseHub.squelch_timer_exception",
    "eventlet.hubs.hub:BaseHub.SYSTEM_EXCEPTIONS",
    "eventlet.hubs.hub:BaseHub.wait",
)


def patch() -> None:
    """Make the standard library's blocking calls cooperative; must run before anything else is imported."""
    eventlet.monkey_patch()


class Timer(Protocol):
    """A call that is due later and can be cancelled."""

    def cancel(self) -> None: ...


class Task(Protocol):
    """A greenthread."""

    def kill(self) -> None: ...

    def wait(self) -> Any: ...


def spawn(function: Callable[..., Any], *args: Any) -> Task:
    """Run `function` in a greenthread of its own, from the next turn of the loop on."""
    task: Task = eventlet.spawn(function, *args)
    return task


def sleep(seconds: float = 0) -> None:
    """Let others run for `seconds`; with 0, for one turn."""
    eventlet.sleep(seconds)


def call_later(seconds: float, function: Callable[..., Any], *args: Any) -> Timer:
    """Call `function` from the loop after `seconds`. It must not wait: it runs in the loop itself."""
    timer: Timer = eventlet.hubs.get_hub().schedule_call_global(seconds, function, *args)
    return timer


def call_soon(function: Callable[[], Any]) -> None:
    """Call `function` from the loop in its next turn. It must not wait."""
    eventlet.hubs.get_hub().soon.append(function)


def call_last(function: Callable[[], Any]) -> None:
    """Call `function` from the loop at the end of a turn: after reads and after `call_soon`. It must not wait."""
    eventlet.hubs.get_hub().last.append(function)


_DefaultHub: Any = eventlet.hubs.get_default_hub().Hub


class _Hub(_DefaultHub):
    """Eventlet's loop, with an end to each turn.

    A turn runs the timers that are due, then reads and writes, then the calls of `call_soon`, then those of
    `call_last`. Eventlet has only timers; the three that a message needed cost a tenth of an in-memory echo.
    """

    def __init__(self, clock: Callable[[], float] | None = None) -> None:
        super().__init__(clock)
        self.soon: deque[Callable[[], Any]] = deque()
        self.last: deque[Callable[[], Any]] = deque()

    @staticmethod
    def is_available() -> bool:
        return True  # it extends whichever hub is available

    def wait(self, seconds: float | None = None) -> None:
        """Called once per turn, with the time until a timer is due."""
        super().wait(0 if self.soon or self.last else seconds)
        for calls in (self.soon, self.last):
            # New calls that these calls ask for wait for the next turn, or the sockets might wait forever.
            for _ in range(len(calls)):
                try:
                    calls.popleft()()
                except self.SYSTEM_EXCEPTIONS:
                    raise
                except BaseException:
                    # As with eventlet's timers: one failing call must not end the loop.
                    self.squelch_timer_exception(None, sys.exc_info())

    # The inherited methods print an exception with its text, which may quote a client.

    def squelch_exception(self, fileno: int, exc_info: Any) -> None:
        log.error("a descriptor's call failed", exc_info=exc_info)
        self.remove_descriptor(fileno)

    def squelch_generic_exception(self, exc_info: Any) -> None:
        log.error("a call of the loop failed", exc_info=exc_info)

    def squelch_timer_exception(self, timer: Any, exc_info: Any) -> None:
        log.error("a call of the loop failed", exc_info=exc_info)


eventlet.hubs.use_hub(_Hub)


def lock() -> AbstractContextManager[Any]:
    """A lock between greenthreads, for `with`; real threads must not take it."""
    semaphore: AbstractContextManager[Any] = eventlet.semaphore.Semaphore()
    return semaphore


class Signal:
    """A flag that one greenthread waits on and others set; setting it twice is setting it once."""

    def __init__(self) -> None:
        self._event = eventlet.event.Event()

    def set(self) -> None:
        if not self._event.ready():
            self._event.send()

    def wait(self, timeout_s: float | None = None) -> bool:
        """Wait until the flag is set, then clear it; True if it was set within `timeout_s`."""
        with eventlet.timeout.Timeout(timeout_s, False):
            self._event.wait()
        was_set: bool = self._event.ready()
        if was_set:
            self._event = eventlet.event.Event()
        return was_set


class Listener(Protocol):
    """What `add_reader` and `add_writer` return, for `remove_listener`."""

    fileno: int


def ignore(*_: Any) -> None:
    """What the loop calls for a listener whose descriptor was closed before it was removed; that never happens."""


def add_reader(fileno: int, callback: Callable[[int], None]) -> Listener:
    """Call `callback` from the loop whenever `fileno` can be read, until the listener is removed. It must not wait.

    A listener keeps the greenthread alive that added it: add listeners from the loop or from a lane.
    """
    hub = eventlet.hubs.get_hub()
    listener: Listener = hub.add(hub.READ, fileno, callback, ignore, None)
    return listener


def add_writer(fileno: int, callback: Callable[[int], None]) -> Listener:
    """Call `callback` from the loop whenever `fileno` can be written, until the listener is removed."""
    hub = eventlet.hubs.get_hub()
    listener: Listener = hub.add(hub.WRITE, fileno, callback, ignore, None)
    return listener


def remove_listener(listener: Listener) -> None:
    """Remove what `add_reader` or `add_writer` returned; call it before the descriptor is closed."""
    eventlet.hubs.get_hub().remove(listener)


def raw_socket(sock: socket.socket) -> socket.socket:
    """The real, non-blocking socket under a patched one."""
    raw: socket.socket = getattr(sock, "fd", sock)
    raw.setblocking(False)
    return raw


def accept(listener: socket.socket) -> tuple[socket.socket, Any] | None:
    """Accept one connection on a real listening socket.

    Returns:
        The real socket, non-blocking, and the peer's address; None if nobody waits.

    Raises:
        OSError: descriptors or memory are short; the connection stays in the backlog.
    """
    try:
        sock, address = listener.accept()
    except (BlockingIOError, ConnectionAbortedError):
        return None
    sock.setblocking(False)
    eventlet.hubs.notify_opened(sock.fileno())
    return sock, address
