"""The client for scripts and for the smallest terminals: lines in, lines out, nothing else.

It knows file descriptors and exit codes. What the room shows goes to standard output, what went wrong to standard
error.
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
from chatroom.terminal.link import Link, LinkError, State
from chatroom.terminal.place import Frame
from chatroom.terminal.speech import HOLD_S
from chatroom.terminal.view import View, plain_text

MAX_LINE_BYTES: Final = 1024 * 1024  # far above what any server takes
_AHEAD: Final = 100  # lines that are read before those before them are said
_INPUT, _OUTPUT = 0, 1


class Plain:
    """One run of the client.

    Args:
        address: where to.
        room: overrides the address's.
        name: the wanted nickname.
        lang: of the server's text and of random names.
    """

    def __init__(self, address: Address, room: str | None, name: str | None, lang: str | None = None) -> None:
        self._view = View()
        self._shows_past = os.isatty(_INPUT)  # somebody is there to read it; a script asked for nothing
        self._link = Link(
            address,
            room=room,
            name=name,
            lang=lang,
            hear=self._hear,
            changed=self._changed,
            # A script reads no refusal: after a failed change of audience it sends nothing until the next one.
            hold_s=HOLD_S if self._shows_past else inf,
        )
        self._has_entered = self._is_closed = False
        self._showing = threading.Lock()
        self._presence_timer: threading.Timer | None = None
        self._has_output = True
        self._was_lost = False
        self._has_bad_input = False
        self._stops, self._stop = (
            socket.socketpair()
        )  # wakes us from waiting for input: it is of no use any more
        self._stop.setblocking(False)

    def run(self) -> int:
        """Say every line of standard input and show what comes, until the input ends and all of it is said.

        Returns:
            0; 1 if something was not said, or the server has shown us out; 2 if the room could not be entered.
        """
        signal.signal(signal.SIGTERM, _exit_by_signal)
        # A signal just before `select`, or taken by the link's thread, would else be noticed with the next line only.
        signal.set_wakeup_fd(self._stop.fileno(), warn_on_full_buffer=False)
        try:
            self._link.open()
        except LinkError as problem:
            complain(str(problem))
            return 2
        try:
            self._link.wait_until_in()
            for data in self._lines():
                try:
                    line = data.decode()
                except UnicodeDecodeError:
                    self._link.refuse_unreadable(data.decode("utf-8", "replace"))
                    continue
                # What was typed before it is answered first, and it before what is typed behind it.
                is_change = changes_audience(line)
                if is_change and not self._link.wait_until_said():
                    break
                self._link.say(line, self._view)
                if not self._link.wait_until_said(at_most=0 if is_change else _AHEAD):
                    break
            self._link.wait_until_said()
            was_dismissed = self._link.was_dismissed
        finally:
            self._link.close()
            with self._showing:
                self._is_closed = True
                if self._presence_timer is not None:
                    self._presence_timer.cancel()
            signal.set_wakeup_fd(-1)
            self._stop.close()
            self._stops.close()
        unsaid = self._link.unsaid()
        if was_dismissed:
            complain("the server closed the connection")
        if unsaid:
            lines = "1 line" if len(unsaid) == 1 else f"{len(unsaid)} lines"
            complain(f"not sent: {lines}, starting with “{unsaid[0][:40]}”")
        return 1 if was_dismissed or unsaid or self._link.refused or self._has_bad_input else 0

    def _lines(self) -> Iterator[bytes]:
        """What is typed, line by line; the last one may have no end. Blank lines are nothing to say."""
        rest = b""
        while True:
            ready, _, _ = select.select([_INPUT, self._stops.fileno()], [], [])
            if self._stops.fileno() in ready:
                return
            data = os.read(_INPUT, 65536)
            *whole, rest = (rest + data).split(b"\n")
            for line in whole if data else [*whole, rest]:
                text = line.rstrip(b"\r")
                if not is_blank(text.decode("utf-8", "replace")):
                    yield text
            if len(rest) >= MAX_LINE_BYTES:
                complain(f"not sent: more than {MAX_LINE_BYTES} bytes without a line end")
                self._has_bad_input = True
                return
            if not data:
                return

    def _hear(self, frame: Frame) -> None:
        if not self._has_entered and not self._shows_past and isinstance(frame.get("you"), dict):
            frame = {**frame, "you": {**frame["you"], "history": []}}
        self._has_entered = True
        partner = self._link.partner(self._view)
        with self._showing:
            was_here = partner is not None and partner.sid in self._view.names
            shown = self._view.show(frame)
            self._show_presence()
            if partner is not None and was_here and partner.sid not in self._view.names:
                self._print(f"* {partner.name} has left. Type to: alone to write to everyone again.")
            for each in shown:
                if each.kind == "refused":
                    complain("; ".join(each.lines))
                elif not (each.own and each.kind == "said"):
                    self._print(each.text())
        self._link.recognise(self._view)

    def _show_presence(self) -> None:
        """Show who joined and left, if the time has come; else later."""
        now = time.monotonic()
        for shown in self._view.presence(now):
            self._print(shown.text())
        due_s = self._view.presence_due_in(now)
        if due_s is not None and self._presence_timer is None and not self._is_closed:
            self._presence_timer = threading.Timer(due_s, self._presence_is_due)
            self._presence_timer.daemon = True
            self._presence_timer.start()

    def _presence_is_due(self) -> None:
        with self._showing:
            self._presence_timer = None
            self._show_presence()

    def _changed(self, state: State) -> None:
        if state is State.LOST:
            complain("the connection was lost; reconnecting…")
        elif state is State.OPEN and self._was_lost:
            complain("reconnected")
        elif state is State.CLOSED:
            self._stop.send(b"\0")
        self._was_lost = state is State.LOST

    def _print(self, text: str) -> None:
        data = f"{text}\n".encode("utf-8", "replace")
        try:
            while data and self._has_output:
                data = data[os.write(_OUTPUT, data) :]
        except OSError:
            # Nobody reads any more, as in `… | head`. What is still to be said is said all the same.
            self._has_output = False
            self._stop.send(b"\0")


def complain(text: str) -> None:
    """A line on standard error, if there is one."""
    try:
        os.write(2, f"chatroom: {plain_text(text)}\n".encode())
    except OSError:
        pass  # closed: then nobody wants to know


def _exit_by_signal(number: int, _frame: object) -> None:
    sys.exit(128 + number)  # by way of everything that has to be closed
