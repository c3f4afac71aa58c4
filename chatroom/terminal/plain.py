"""The client for scripts and simple terminals: lines in, lines out, nothing else.

It knows file descriptors and exit codes. Messages go to standard output, problems to standard error.
"""

from __future__ import annotations

import os
import select
import signal
import socket
import sys
import threading
import time
from collections.abc import Iterator
from math import inf
from typing import Final

from chatroom.core.characters import is_blank
from chatroom.terminal.address import Address
from chatroom.terminal.audience import changes_audience
from chatroom.terminal.frame import Frame
from chatroom.terminal.link import Link, LinkError, State
from chatroom.terminal.outbox import HOLD_S, UNSTORED
from chatroom.terminal.view import View, plain_text
from chatroom.terminal.words import words

MAX_LINE_BYTES: Final = 1024 * 1024  # far above what any server takes
_AHEAD: Final = 100  # lines that are read before earlier ones are sent
_INPUT, _OUTPUT = 0, 1


class Plain:
    """One run of the client.

    Args:
        address: the chatroom's.
        room: overrides the address's.
        name: the wanted nickname.
        lang: of the server's text and of random names.
    """

    def __init__(self, address: Address, room: str | None, name: str | None, lang: str | None = None) -> None:
        self._words = words(lang)
        self._view = View(self._words)
        self._shows_history = os.isatty(_INPUT)  # a person reads it; a script did not ask for it
        self._link = Link(
            address,
            room=room,
            name=name,
            lang=lang,
            on_frame=self._on_frame,
            on_state=self._on_state,
            # A script does not read refusals: after a failed change of audience, nothing is sent until the next one.
            hold_s=HOLD_S if self._shows_history else inf,
        )
        self._has_entered = self._is_closed = False
        self._output_lock = threading.Lock()
        self._presence_timer: threading.Timer | None = None
        self._has_output = True
        self._was_lost = False
        self._has_bad_input = False
        self._stops, self._stop = socket.socketpair()  # ends the wait for input, which is no longer needed
        self._stop.setblocking(False)

    def run(self) -> int:
        """Send every line of standard input and show what comes, until the input ends and all of it is sent.

        Returns:
            0; 1 if something was not sent, or the server closed the connection; 2 if the room could not be joined.
        """
        signal.signal(signal.SIGTERM, _exit_by_signal)
        # Without it, a signal just before `select`, or taken by the link's thread, is noticed only at the next line.
        signal.set_wakeup_fd(self._stop.fileno(), warn_on_full_buffer=False)
        try:
            self._link.open()
        except LinkError as problem:
            report_error(str(problem))
            return 2
        try:
            self._link.wait_until_joined()
            for data in self._lines():
                try:
                    line = data.decode()
                except UnicodeDecodeError:
                    self._link.refuse_unreadable(data.decode("utf-8", "replace"))
                    continue
                # What was typed before it is answered first, and it is answered before what is typed after it.
                is_change = changes_audience(line)
                if is_change and not self._link.wait_until_sent():
                    break
                self._link.send(line, self._view)
                if not self._link.wait_until_sent(at_most=0 if is_change else _AHEAD):
                    break
            self._link.wait_until_sent()
            was_closed_by_server = self._link.was_closed_by_server
        finally:
            self._link.close()
            with self._output_lock:
                self._is_closed = True
                if self._presence_timer is not None:
                    self._presence_timer.cancel()
            signal.set_wakeup_fd(-1)
            self._stop.close()
            self._stops.close()
        unsent = self._link.unsent()
        if was_closed_by_server:
            report_error(self._words.say("closed"))
        if unsent:
            key = "unsent_one" if len(unsent) == 1 else "unsent"
            report_error(self._words.say(key, count=len(unsent), text=unsent[0][:40]))
        return 1 if was_closed_by_server or unsent or self._link.refused or self._has_bad_input else 0

    def _lines(self) -> Iterator[bytes]:
        """The input, line by line; the last one may have no end. Blank lines are skipped."""
        rest = b""
        while True:
            ready, _, _ = select.select([_INPUT, self._stops.fileno()], [], [])
            if self._stops.fileno() in ready:
                return
            try:
                data = os.read(_INPUT, 65536)
            except OSError:  # the terminal is gone, or it runs in the background
                data = b""
            *whole, rest = (rest + data).split(b"\n")
            for line in whole if data else [*whole, rest]:
                text = line.rstrip(b"\r")
                if not is_blank(text.decode("utf-8", "replace")):
                    yield text
            if len(rest) >= MAX_LINE_BYTES:
                report_error(self._words.say("no_line_end", count=MAX_LINE_BYTES))
                self._has_bad_input = True
                return
            if not data:
                return

    def _on_frame(self, frame: Frame) -> None:
        if not self._has_entered and not self._shows_history and isinstance(frame.get("you"), dict):
            frame = {**frame, "you": {**frame["you"], "history": []}}
        self._has_entered = True
        partner = self._link.partner(self._view)
        with self._output_lock:
            was_here = partner is not None and partner.sid in self._view.names
            room = self._view.room
            shown = self._view.show(frame)
            self._show_presence()
            if partner is not None and was_here and partner.sid not in self._view.names:
                key = "partner_left" if self._view.room == room else "partner_elsewhere"
                self._print(f"* {self._words.say(key, name=partner.name)}")
            for each in shown:
                if each.kind == "refused" or frame.get("code") == UNSTORED:
                    report_error("; ".join(each.lines))
                elif not (each.own and each.kind == "said"):
                    self._print(each.text())
        self._link.check_partner(self._view)

    def _show_presence(self) -> None:
        """Show who joined and left, if it is due; otherwise later."""
        now = time.monotonic()
        for shown in self._view.presence(now):
            self._print(shown.text())
        due_s = self._view.presence_due_in(now)
        if due_s is not None and self._presence_timer is None and not self._is_closed:
            self._presence_timer = threading.Timer(due_s, self._presence_is_due)
            self._presence_timer.daemon = True
            self._presence_timer.start()

    def _presence_is_due(self) -> None:
        with self._output_lock:
            self._presence_timer = None
            self._show_presence()

    def _on_state(self, state: State) -> None:
        if state is State.LOST:
            report_error(self._words.say("was_lost"))
        elif state is State.OPEN and self._was_lost:
            report_error(self._words.say("reconnected"))
        elif state is State.CLOSED:
            self._stop.send(b"\0")
        self._was_lost = state is State.LOST

    def _print(self, text: str) -> None:
        data = f"{text}\n".encode("utf-8", "replace")
        try:
            while data and self._has_output:
                data = data[os.write(_OUTPUT, data) :]
        except OSError:
            # Nobody reads any more, as in `… | head`. What is still unsent is sent all the same.
            self._has_output = False
            self._stop.send(b"\0")


def report_error(text: str) -> None:
    """Write a line to standard error, if it is open."""
    try:
        os.write(2, f"chatroom: {plain_text(text)}\n".encode())
    except OSError:
        pass  # closed: nobody reads it


def _exit_by_signal(number: int, _frame: object) -> None:
    sys.exit(128 + number)  # which runs everything that has to be closed
