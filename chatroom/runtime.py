"""The runtime: the one file that names eventlet.

It knows how this process waits: the patch, greenthreads, timers, real threads for blocking work, listening
sockets, and the WSGI server. It knows nothing of rooms, of Socket.IO or of settings. A second driver
(asyncio, gevent) would be a second version of this file, held by the same tests; `docs/architecture.md` says
why it is eventlet today.
"""

from __future__ import annotations

import errno
import os
import signal
import socket
import sys
import time
import warnings
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from typing import Any, Generic, Protocol, TypeVar

with warnings.catch_warnings():
    # Its authors discourage new use; docs/architecture.md says why it is used all the same. Guests need not read it.
    warnings.filterwarnings("ignore", r"\s*Eventlet is deprecated")
    import eventlet
import eventlet.event
import eventlet.greenio
import eventlet.hubs
import eventlet.patcher
import eventlet.semaphore
import eventlet.timeout
import eventlet.tpool
import eventlet.wsgi
import greenlet  # type: ignore[import-untyped]  # it ships none

# Private names that this file leans on; the engine checks them at its start, with its own.
PRIVATE_NAMES = (
    "eventlet.hubs:notify_opened",
    "eventlet.hubs.hub:BaseHub.add",
    "eventlet.hubs.hub:BaseHub.remove",
    "eventlet.hubs.hub:BaseHub.switch",
    "eventlet.hubs.hub:BaseHub.schedule_call_global",
    "eventlet.hubs.hub:BaseHub.squelch_timer_exception",
    "eventlet.hubs.hub:BaseHub.SYSTEM_EXCEPTIONS",
    "eventlet.hubs.hub:BaseHub.wait",
    "eventlet.wsgi:HttpProtocol.handle_one_response",
    "eventlet.wsgi:Input",
    "eventlet.wsgi:Server",
    "eventlet.wsgi:WSGI_LOCAL",
    "eventlet.greenio:GreenSocket",
)

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


def call_soon(function: Callable[[], Any]) -> None:
    """Call `function` from the loop in its next turn. It must not wait."""
    eventlet.hubs.get_hub().soon.append(function)


def call_last(function: Callable[[], Any]) -> None:
    """Call `function` from the loop at the end of a turn: after what was read and what was to be called soon. It must
    not wait.
    """
    eventlet.hubs.get_hub().last.append(function)


_DefaultHub: Any = eventlet.hubs.get_default_hub().Hub


class _Hub(_DefaultHub):
    """Eventlet's loop, with an end to each turn.

    A turn is: timers that are due, then what can be read and written, then what was to be called soon, then what was
    to be called last. Eventlet has timers only; the three that a message took cost a tenth of an echo in memory.
    """

    def __init__(self, clock: Callable[[], float] | None = None) -> None:
        super().__init__(clock)
        self.soon: deque[Callable[[], Any]] = deque()
        self.last: deque[Callable[[], Any]] = deque()

    @staticmethod
    def is_available() -> bool:
        return True  # it stands on whichever hub is

    def wait(self, seconds: float | None = None) -> None:
        """Called once a turn, with the time until a timer is due."""
        super().wait(0 if self.soon or self.last else seconds)
        for calls in (self.soon, self.last):
            # What they ask for in their turn waits for the next one, or the sockets might wait for ever.
            for _ in range(len(calls)):
                try:
                    calls.popleft()()
                except self.SYSTEM_EXCEPTIONS:
                    raise
                except BaseException:
                    # As eventlet does with a timer's: one call's fault must not end the loop.
                    self.squelch_timer_exception(None, sys.exc_info())


eventlet.hubs.use_hub(_Hub)


def run_blocking(function: Callable[..., Any], *args: Any) -> Any:
    """Run `function` in a real thread; the calling greenthread waits, the loop goes on.

    Raises:
        Whatever `function` raises.
    """
    return eventlet.tpool.execute(function, *args)


class Worker:
    """A real thread that does one kind of blocking work, job after job, for one greenthread or callback after another.

    `run_blocking` costs a hand-over through a pool and a greenthread that waits; this costs a queue and a bell, which
    is what a commit a message can afford.

    Args:
        work: called in the thread with each job; what it returns or raises is the job's outcome.
        done: called in a lane with each job and its outcome: a value, or the exception.
    """

    def __init__(self, work: Callable[[Any], Any], done: Callable[[Any, Any], None]) -> None:
        self._work = work
        self._jobs: deque[tuple[Any] | None] = deque()
        self._call = os.eventfd(0, os.EFD_CLOEXEC)  # the thread waits at it
        self._outcomes: deque[tuple[Any, Any]] = deque()
        self._done = done
        self._lane: Lane[tuple[Any, Any]]
        self._bell = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._listener: Listener | None = None

    def start(self) -> None:
        """Begin to work."""
        self._lane = Lane(lambda outcome: self._done(*outcome))
        self._listener = add_reader(self._bell, self._collect)
        self._thread = eventlet.patcher.original("threading").Thread(target=self._run, daemon=True)
        self._thread.start()

    def do(self, job: Any) -> None:
        """Have a job done; returns at once."""
        self._jobs.append((job,))
        os.eventfd_write(self._call, 1)

    def stop(self) -> None:
        """End the thread once all jobs are done; their outcomes must have been waited for."""
        if self._listener is not None:
            remove_listener(self._listener)
            self._listener = None
        self._jobs.append(None)
        os.eventfd_write(self._call, 1)

    def join(self) -> None:
        """Wait for the end of the thread, as a greenthread waits; after `stop`, once."""
        run_blocking(self._thread.join)
        os.close(self._call)
        os.close(self._bell)

    def _run(self) -> None:
        while os.eventfd_read(self._call):
            while self._jobs:
                job = self._jobs.popleft()
                if job is None:
                    return
                try:
                    outcome = self._work(job[0])
                except Exception as problem:  # it is the outcome, and judged where that is
                    outcome = problem
                self._outcomes.append((job[0], outcome))
                os.eventfd_write(self._bell, 1)

    def _collect(self, _fileno: int) -> None:
        os.eventfd_read(self._bell)
        while self._outcomes:
            self._lane.put(self._outcomes.popleft())


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

    With port 0 the system picks one, the same for all. SO_REUSEPORT stays off: with it a second copy on the
    same port would start silently and take half of the connections.

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


class Listener(Protocol):
    """What `add_reader` and `add_writer` give, for `remove_listener`."""

    fileno: int


def _throw_away(*_: Any) -> None:
    """The loop calls this on a listener whose descriptor was closed before it was removed: never on ours."""


def add_reader(fileno: int, callback: Callable[[int], None]) -> Listener:
    """Call `callback` from the loop whenever `fileno` can be read, until the listener is removed. It must not
    wait.

    A listener keeps the greenthread alive that added it: add listeners from the loop or from a lane.
    """
    hub = eventlet.hubs.get_hub()
    listener: Listener = hub.add(hub.READ, fileno, callback, _throw_away, None)
    return listener


def add_writer(fileno: int, callback: Callable[[int], None]) -> Listener:
    """Call `callback` from the loop whenever `fileno` can be written, until the listener is removed."""
    hub = eventlet.hubs.get_hub()
    listener: Listener = hub.add(hub.WRITE, fileno, callback, _throw_away, None)
    return listener


def remove_listener(listener: Listener) -> None:
    """Remove what `add_reader` or `add_writer` gave; before the descriptor is closed."""
    eventlet.hubs.get_hub().remove(listener)


def raw_socket(sock: socket.socket) -> socket.socket:
    """The real, non-blocking socket under a patched one."""
    raw: socket.socket = getattr(sock, "fd", sock)
    raw.setblocking(False)
    return raw


def accept(listener: socket.socket) -> tuple[socket.socket, Any] | None:
    """Accept one connection on a real listening socket: the real socket, non-blocking, and the peer's
    address.

    Returns:
        None when nobody waits.

    Raises:
        OSError: descriptors or memory are short; whoever waits goes on waiting.
    """
    try:
        sock, address = listener.accept()
    except (BlockingIOError, ConnectionAbortedError):
        return None
    sock.setblocking(False)
    eventlet.hubs.notify_opened(sock.fileno())
    return sock, address


_ItemT = TypeVar("_ItemT")


class Lane(Generic[_ItemT]):
    """Does `work` on one item after another in a greenthread of its own, whoever puts them.

    Should `work` wait for something, a second greenthread goes on with the items behind it, so one slow item
    delays nobody; whoever needs an order among items keeps it by not putting the second before the first is
    done.

    Args:
        work: called with each item; what it raises ends its greenthread with a traceback, so it should not.
        turn_s: how long items are worked on before the loop gets its turn.
    """

    def __init__(self, work: Callable[[_ItemT], None], *, turn_s: float = 0.005) -> None:
        self._work = work
        self._turn_s = turn_s
        self._items: deque[_ItemT] = deque()
        self._woken = False
        self._idle: Any = None

    def put(self, item: _ItemT) -> None:
        """Have `item` worked on from the next turn of the loop on."""
        self._items.append(item)
        self._ring()

    def _ring(self) -> None:
        if not self._woken:
            self._woken = True
            call_soon(self._wake)

    def _wake(self) -> None:
        self._woken = False
        if not self._items:
            return
        worker, self._idle = self._idle, None
        if worker is None:
            worker = greenlet.greenlet(self._run, eventlet.hubs.get_hub().greenlet)
        worker.switch()

    def _run(self) -> None:
        hub = eventlet.hubs.get_hub()
        items, clock = self._items, time.monotonic
        while True:
            stop_at = clock() + self._turn_s
            if len(items) > 1:
                self._ring()  # should the first one wait, somebody must come for the others
            while items:
                self._work(items.popleft())
                if clock() > stop_at:
                    break
            if items:
                self._ring()
            if self._idle is not None:
                return  # `work` waited, and another greenthread has taken over
            self._idle = greenlet.getcurrent()
            hub.switch()


class _Answer(eventlet.wsgi.HttpProtocol):
    """One WSGI response by eventlet's machinery, for a request that was read and judged elsewhere."""

    def __init__(self, app: WSGIApp, environ: dict[str, Any], sock: Any, *, keep_alive: bool) -> None:
        # The inherited constructor would read requests from the socket: what it sets up for a response is set
        # here.
        self.server = eventlet.wsgi.Server(None, None, app, log_output=False, debug=False)
        self.environ = environ
        self.application = app
        self.command = environ["REQUEST_METHOD"]
        self.request_version = environ["SERVER_PROTOCOL"]
        self.headers = {"Connection": "" if keep_alive else "close"}
        self.close_connection = not keep_alive
        self.wfile = sock.makefile("wb", self.wbufsize)
        body = environ["wsgi.input"]
        environ["eventlet.input"] = environ["wsgi.input"] = eventlet.wsgi.Input(
            body, len(body.getbuffer()), sock, chunked_input=False
        )
        environ["eventlet.posthooks"] = []


def answer_wsgi(
    app: WSGIApp, environ: dict[str, Any], sock: socket.socket, *, keep_alive: bool, timeout_s: float
) -> bool:
    """Answer one request through a WSGI application, in the calling greenthread.

    Args:
        app: the application.
        environ: the request, whole: its body stands in `wsgi.input` as a `BytesIO`.
        sock: the real socket, open before and after.
        keep_alive: whether the peer wants the connection to live on.
        timeout_s: how long the peer may take to accept a piece of the response.

    Returns:
        Whether the connection may be used again.
    """
    green = eventlet.greenio.GreenSocket(sock, set_nonblocking=False)
    green.close = _throw_away  # or the wrapper would close the socket when it is collected
    green.settimeout(timeout_s)
    answer = _Answer(app, environ, green, keep_alive=keep_alive)
    try:
        answer.handle_one_response()
        answer.wfile.close()
    except OSError:
        return False  # the peer has gone, or reads nothing
    return not answer.close_connection


def leave_unanswered() -> None:
    """Called in a WSGI application: its response will be written by somebody else, later."""
    eventlet.wsgi.WSGI_LOCAL.already_handled = True


def on_signals(numbers: Iterable[int], callback: Callable[[int], None]) -> None:
    """Call `callback` with the number, in a greenthread, when one of the signals arrives.

    Python runs a signal handler between two bytecodes of whatever happens to run, and what it raises there is
    sometimes swallowed; so the handler does nothing, and a greenthread watches the wake-up descriptor.
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


def hang_up_with(terminal: int) -> None:
    """Send this process SIGHUP when the terminal behind a descriptor is closed.

    The kernel tells only the session's leader, and a `make` that is one waits for the end of what it runs.
    """
    poll = eventlet.patcher.original("select").poll()
    poll.register(terminal, 0)  # what is typed does not wake it

    def watch() -> None:
        poll.poll()
        os.kill(os.getpid(), signal.SIGHUP)

    eventlet.patcher.original("threading").Thread(target=watch, daemon=True).start()
