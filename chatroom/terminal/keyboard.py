"""Terminal input, also if it is not UTF-8: textual's own driver would end the program then.

It knows bytes. Nobody knows what those bytes meant, so they are passed on with a mark. What was typed before the screen
opened is discarded.
"""

from __future__ import annotations

import os
import select
import signal
import termios
import time
from contextlib import suppress
from threading import Thread
from typing import Final

from textual.drivers.linux_driver import LinuxDriver
from textual.message import Message

_CHECK_MS: Final = 1000
_END_S: Final = 2.0  # which the app has to leave the room, once its terminal is gone


class NotUtf8(Message):
    """Something was typed or pasted that did not arrive as UTF-8.

    Attributes:
        text: what could be decoded, with U+FFFD for the rest.
    """

    def __init__(self, text: str) -> None:
        super().__init__()
        self.text = text


class Keyboard(LinuxDriver):
    """A driver that goes on after bytes that are not UTF-8, and notices that the terminal is gone."""

    def run_input_thread(self) -> None:
        """Read until the end, and start again after what cannot be decoded."""
        Thread(target=self._watch_terminal, name="terminal", daemon=True).start()
        # Until now each Enter arrived as the key that begins a line, so several texts would be sent as one.
        with suppress(termios.error):  # the terminal is gone
            termios.tcflush(self.fileno, termios.TCIFLUSH)
        while not self.exit_event.is_set():
            try:
                super().run_input_thread()
            except UnicodeDecodeError as problem:  # none of these bytes was passed on
                self.send_message(NotUtf8(problem.object.decode("utf-8", "replace")))

    def _watch_terminal(self) -> None:
        """Send this process SIGHUP when the terminal is closed: the kernel sends it only to the session's leader.

        Textual's own thread would read its end again and again.
        """
        poll = select.poll()
        poll.register(self.fileno, 0)  # typing does not wake it
        while not self.exit_event.is_set():
            if poll.poll(_CHECK_MS):
                os.kill(os.getpid(), signal.SIGHUP)
                # Time for the app to end by itself. But after SIGHUP the kernel sends SIGCONT, and Textual may start
                # to read again meanwhile: its thread would go on for ever. Nothing is left to restore.
                time.sleep(_END_S)
                os._exit(128 + signal.SIGHUP)
