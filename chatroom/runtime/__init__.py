"""The runtime: the one package that names eventlet.

It knows how this process waits: the patch, greenthreads, timers, real threads for blocking work, signals, and the WSGI
server. It knows nothing of rooms, of Socket.IO or of settings. A second driver (asyncio, gevent) would be a second
version of this package that passes the same tests; `docs/architecture.md` says why it is eventlet today.
"""

from chatroom.runtime import hub, wsgi
from chatroom.runtime.hub import (
    Listener,
    Signal,
    Task,
    Timer,
    accept,
    add_reader,
    add_writer,
    call_last,
    call_later,
    call_soon,
    lock,
    patch,
    raw_socket,
    remove_listener,
    sleep,
    spawn,
)
from chatroom.runtime.lane import Lane, begin
from chatroom.runtime.meter import Meter
from chatroom.runtime.rounds import Rounds
from chatroom.runtime.signals import on_signals, stop_signals
from chatroom.runtime.worker import Worker, run_blocking
from chatroom.runtime.wsgi import WSGIApp, answer_wsgi, leave_unanswered

# Private names that this package relies on; the engine checks them at its start, with its own.
PRIVATE_NAMES = (*hub.PRIVATE_NAMES, *wsgi.PRIVATE_NAMES)

__all__ = [
    "PRIVATE_NAMES",
    "Lane",
    "Listener",
    "Meter",
    "Rounds",
    "Signal",
    "Task",
    "Timer",
    "WSGIApp",
    "Worker",
    "accept",
    "add_reader",
    "add_writer",
    "answer_wsgi",
    "begin",
    "call_last",
    "call_later",
    "call_soon",
    "leave_unanswered",
    "lock",
    "on_signals",
    "patch",
    "raw_socket",
    "remove_listener",
    "run_blocking",
    "sleep",
    "spawn",
    "stop_signals",
]
