"""The runtime: the one file that names eventlet.

It knows how this process waits: the patch, greenthreads, timers, real threads for blocking work, listening sockets,
and the
WSGI server. It knows nothing of rooms, of Socket.IO or of settings. A second driver (asyncio, gevent) would be a second
version of this file, held by the same tests; `docs/architecture.md` says why it is eventlet today.
"""

from __future__ import annotations

import errno
import signal
import socket
import warnings
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol

with warnings.catch_warnings():
    # Its authors discourage new use; docs/architecture.md says why it is used all the same. Guests need not read it.
    warnings.filterwarnings("ignore", r"\s*Eventlet is deprecated")
    import eventlet
import eventlet.event
import eventlet.hubs
import eventlet.semaphore
import eventlet.timeout
import eventlet.tpool
import eventlet.wsgi

WSGIApp = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


def patch() -> None:
    """Make the standard library's blocking calls cooperative; must run before anything else is imported."""
    eventlet.monkey_patch()


class Timer(Protocol):
    """A call that is due later and can be called off."""

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
    """Let others run for `seconds`; 0 gives way for one turn."""
    eventlet.sleep(seconds)


def call_later(seconds: float, function: Callable[..., Any], *args: Any) -> Timer:
    """Call `function` from the loop after `seconds`. It must not wait: it runs in the loop itself."""
    timer: Timer = eventlet.hubs.get_hub().schedule_call_global(seconds, function, *args)
    return timer


def call_soon(function: Callable[..., Any], *args: Any) -> Timer:
    """Call `function` from the loop in its next turn. It must not wait."""
    return call_later(0, function, *args)


def run_blocking(function: Callable[..., Any], *args: Any) -> Any:
    """Run `function` in a real thread; the calling greenthread waits, the loop goes on.

    Raises:
        Whatever `function` raises.
    """
    return eventlet.tpool.execute(function, *args)


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


def listen(host: str, port: int, *, backlog: int) -> list[socket.socket]:
    """Open the listening sockets of `host`; an empty host, "::" or "*" means every address, IPv4 and IPv6.

    With port 0 the system picks one, the same for all. SO_REUSEPORT stays off: with it a second copy on the same
    port would
    start silently and take half of the connections.

    Raises:
        OSError: the address cannot be had; `errno` says why (EADDRINUSE, EADDRNOTAVAIL, EACCES, …).
    """
    hosts: Sequence[str] = ("0.0.0.0", "::") if host in ("", "*", "::") else (host,)
    found = [info for name in hosts for info in _resolve(name, port)]
    listeners: list[socket.socket] = []
    try:
        for family, address in found:
            if port == 0 and listeners:
                address = (address[0], listeners[0].getsockname()[1], *address[2:])
            try:
                listeners.append(_listen_one(family, address, backlog))
            except OSError as problem:
                # A machine without IPv6 still serves every address that it has.
                if family == socket.AF_INET6 and listeners and problem.errno in _NO_IPV6:
                    continue
                raise
    except OSError:
        for listener in listeners:
            listener.close()
        raise
    return listeners


_NO_IPV6 = {errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL, errno.EPROTONOSUPPORT}


def _resolve(host: str, port: int) -> list[tuple[int, tuple[Any, ...]]]:
    infos = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    return list(dict.fromkeys((info[0], info[4]) for info in infos))


def _listen_one(family: int, address: tuple[Any, ...], backlog: int) -> socket.socket:
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        # Accepted sockets inherit it. Without it twenty emits with acks take 877 ms, with it 3 ms.
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        listener.bind(address)
        listener.listen(backlog)
    except OSError:
        listener.close()
        raise
    return listener


def serve(listener: socket.socket, app: WSGIApp, *, max_connections: int) -> None:
    """Serve a WSGI application on `listener` until its task is killed.

    Args:
        listener: one of those that `listen` gave.
        app: the application; it is called in a greenthread a connection.
        max_connections: how many connections are served at once; eventlet's own default is 1,024, and the
            next one would hang without an error.
    """
    eventlet.wsgi.server(listener, app, max_size=max_connections, log_output=False, debug=False)


def on_signals(numbers: Iterable[int], callback: Callable[[int], None]) -> None:
    """Call `callback` with the number, in a greenthread, when one of the signals arrives.

    Python runs a signal handler between two bytecodes of whatever happens to run, and what it raises there is sometimes
    swallowed; so the handler does nothing, and a greenthread watches the wake-up descriptor.
    """
    reader, writer = socket.socketpair()
    writer.setblocking(False)
    signal.set_wakeup_fd(writer.fileno(), warn_on_full_buffer=False)
    for number in numbers:
        signal.signal(number, lambda *_: None)

    def watch() -> None:
        with writer:  # the descriptor must live as long as signals may come
            while True:
                for number in reader.recv(64):
                    callback(number)

    spawn(watch)
