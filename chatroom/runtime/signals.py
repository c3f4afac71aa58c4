"""What the process learns from the operating system: signals, and that its terminal is gone."""

from __future__ import annotations

import os
import signal
import socket
import sys
from collections.abc import Callable, Iterable

import eventlet.patcher

from chatroom.runtime.hub import spawn


def on_signals(numbers: Iterable[int], callback: Callable[[int], None]) -> None:
    """Call `callback` with the number, in a greenthread, when one of the signals arrives.

    Python runs a signal handler between two bytecodes of whatever runs at that moment, and an exception raised there is
    sometimes lost. So the handler does nothing, and a greenthread watches the wake-up descriptor.
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


def sighup_when_closed(terminal: int) -> None:
    """Send this process SIGHUP when the terminal behind a descriptor is closed.

    The kernel sends it only to the session's leader; if that is `make`, it waits for the end of what it runs.
    """
    poll = eventlet.patcher.original("select").poll()
    poll.register(terminal, 0)  # typing does not wake it

    def watch() -> None:
        poll.poll()
        os.kill(os.getpid(), signal.SIGHUP)

    eventlet.patcher.original("threading").Thread(target=watch, daemon=True).start()


def stop_signals() -> tuple[int, ...]:
    """The signals that stop the server; SIGHUP only if it means that the terminal of this program was closed."""
    if signal.getsignal(signal.SIGHUP) != signal.SIG_IGN and sys.stdin is not None and sys.stdin.isatty():
        if _is_in_foreground(sys.stdin.fileno()):
            sighup_when_closed(sys.stdin.fileno())
        return signal.SIGTERM, signal.SIGINT, signal.SIGHUP
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    return signal.SIGTERM, signal.SIGINT


def _is_in_foreground(terminal: int) -> bool:
    """Whether this process is in the foreground; a background process may outlive its terminal (`disown`)."""
    try:
        return os.tcgetpgrp(terminal) == os.getpgrp()
    except OSError:  # not the terminal of this session
        return False
