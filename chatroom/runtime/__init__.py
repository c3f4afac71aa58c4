"""The runtime: the one package that names eventlet.

It knows how this process waits: the patch, greenthreads, timers, real threads for blocking work, and signals. It knows
nothing of rooms, of Socket.IO or of settings. A second driver (asyncio, gevent) would be a second version of this
package that passes the same tests; `docs/architecture.md` says why it is eventlet today.
"""

from chatroom.runtime.hub import (
    PRIVATE_NAMES,
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

__all__ = [
    "PRIVATE_NAMES",
    "Lane",
    "Listener",
    "Meter",
    "Rounds",
    "Signal",
    "Task",
    "Timer",
    "Worker",
    "accept",
    "add_reader",
    "add_writer",
    "begin",
    "call_last",
    "call_later",
    "call_soon",
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
