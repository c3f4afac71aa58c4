"""People at line terminals: over a bare socket, or with the programs that Debian brings, on a terminal of their own."""

from __future__ import annotations

import codecs
import os
import pty
import re
import select
import signal
import socket
import subprocess
import termios
import time
import tty
from typing import Protocol

from tests.support.guests import WAIT_S

_ESCAPES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[ -/]*[0-~])")
_GREETINGS = {
    "en": (
        r"\* Welcome to (.+)\. (\d+) (?:person|people) here; your name is (.+)\.",
        r"\* Type a message, or /help",
    ),
    "zh": (r"\* 欢迎来到 ?(.+)。(\d+) 人在线，你的名字是 ?(.+)。", r"\* 直接输入消息，或输入 /help"),
}


class Screen:
    """What a terminal has shown and the test has not checked yet. Every wait has a deadline."""

    def __init__(self) -> None:
        self.seen = ""  # all of it
        self._in_room_since = 0  # where in it the present room begins
        self._unread = ""
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")

    def _receive(self, seconds: float) -> bytes | None:
        """What arrives within so many seconds: bytes; empty at the end; None if nothing came."""
        raise NotImplementedError

    def types_raw(self, data: bytes) -> None:
        raise NotImplementedError

    def types(self, text: str) -> None:
        """Type a line."""
        self.types_raw(text.encode() + b"\n")

    def greeted(self, lang: str = "en") -> None:
        """Wait for the greeting, and read the name and the number of people from it."""
        first, last = _GREETINGS[lang]
        found = self.reads(first)
        self.room, self.number, self.name = found[1], int(found[2]), found[3]
        self.reads(last)

    def goes_to(self, room: str) -> None:
        """Join another room, under another name if this one is taken there."""
        while True:
            self.types(f"/join {room}")
            found = self.reads(r"^\* (?:You are in .*\. (\d+) (?:person|people) here\.|Reuse: .* is taken)$")
            if found[1]:
                self.number = int(found[1])
                self._in_room_since = len(self.seen)
                return
            self.types("/name")
            self.name = self.reads(r"^\* You are now called (.+)\.$")[1]

    def is_called(self, name: str) -> None:
        """Take a name that is free."""
        self.types(f"/name {name}")
        self.name = self.reads(r"^\* You are now called (.+)\.$")[1]

    def heard(self) -> list[tuple[str, str]]:
        """The messages to the present room that were shown, with their senders, in order."""
        seen = self.seen[self._in_room_since :]
        return re.findall(r"^\[\d\d:\d\d:\d\d\] ([^:\r\n]+): ([^\r\n]*)\r?$", seen, re.MULTILINE)

    def reads(self, pattern: str, seconds: float = WAIT_S) -> re.Match[str]:
        """Wait for a line like this; it and those before it are skipped."""
        deadline = time.monotonic() + seconds
        while True:
            while "\n" in self._unread:
                line, self._unread = self._unread.split("\n", 1)
                found = re.search(pattern, line.rstrip("\r"))
                if found:
                    return found
            self._wait(deadline, pattern)

    def reads_next(self, pattern: str) -> re.Match[str]:
        """The very next line must be like this."""
        line = self.reads("")
        found = re.search(pattern, line.string)
        assert found, (pattern, line.string)
        return found

    def reads_up_to(self, pattern: str) -> list[str]:
        """All lines before one like this."""
        lines: list[str] = []
        while re.search(pattern, (line := self.reads("").string)) is None:
            lines.append(line)
        return lines

    def counts(self, number: int, seconds: float = WAIT_S) -> None:
        """Send `/who` until so many people are here, without waiting for the line about joins."""
        deadline = time.monotonic() + seconds
        while True:
            self.types("/who")
            if self.reads(r"^\* (\d+) (?:here: |人在线：)", deadline - time.monotonic())[1] == str(number):
                return
            time.sleep(0.05)  # so as not to be a flood

    def receives(self, name: str, text: str) -> None:
        """Wait until this message of this person is shown."""
        self.reads(rf"^\[\d\d:\d\d:\d\d\] {re.escape(name)}: {re.escape(text)}$")

    def reads_nothing(self, pattern: str) -> None:
        """Send a command: until its answer comes, no line like this must come."""
        self.types("/rooms")
        for line in self.reads_up_to(r"\* (?:Rooms: |房间：)"):
            assert re.search(pattern, line) is None, line

    def has_seen(self, text: str, seconds: float) -> bool:
        """Whether this has been shown, so many seconds from now at the latest."""
        deadline = time.monotonic() + seconds
        try:
            while text not in self.seen:
                self._wait(deadline, text)
        except AssertionError:
            return False
        return True

    def shows(self, text: str, seconds: float = WAIT_S) -> None:
        """Wait until this is on the screen, however it was drawn there."""
        deadline = time.monotonic() + seconds
        while text not in _ESCAPES.sub("", self.seen):
            self._wait(deadline, text)

    def reads_the_end(self, seconds: float = WAIT_S) -> str:
        """Wait until the connection is closed; returns what was shown last."""
        deadline = time.monotonic() + seconds
        while self._wait(deadline, "the end"):
            pass
        return self._unread

    def _wait(self, deadline: float, what: str) -> bool:
        left = deadline - time.monotonic()
        data = self._receive(left) if left > 0 else None
        if data is None:
            raise AssertionError(f"never seen: {what!r}; seen: {self.seen[-2000:]!r}")
        if not data:
            if what == "the end":
                return False
            raise AssertionError(f"it ended before {what!r}; seen: {self.seen[-2000:]!r}")
        text = self._decoder.decode(data)
        self.seen += text
        self._unread += text
        return True


class Line(Screen):
    """A line client on a bare socket."""

    def __init__(
        self, port: int, *, room: str | None = None, name: str | None = None, lang: str = "en"
    ) -> None:
        super().__init__()
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=WAIT_S)
        self.greeted(lang)
        if room is not None:
            self.goes_to(room)
        if name is not None:
            self.is_called(name)

    def types_raw(self, data: bytes) -> None:
        self.socket.sendall(data)

    def ends(self) -> None:
        """Close the sending side, and go on reading."""
        try:
            self.socket.shutdown(socket.SHUT_WR)
        except OSError:
            pass  # the server was first

    def _receive(self, seconds: float) -> bytes | None:
        if not select.select([self.socket], [], [], seconds)[0]:
            return None
        try:
            return self.socket.recv(65536)
        except ConnectionResetError:
            return b""

    def closes(self) -> None:
        self.socket.close()


class Terminal(Screen):
    """A program on a terminal of its own, such as `telnet HOST PORT`.

    Args:
        ahead: typed before the program starts.
    """

    def __init__(
        self, *command: str, env: dict[str, str] | None = None, raw: bool = True, ahead: bytes = b""
    ) -> None:
        super().__init__()
        self._file, slave = pty.openpty()
        if raw:
            tty.setraw(slave)  # or the terminal would echo what is typed
        self.types_raw(ahead)
        self.process = subprocess.Popen(
            command, stdin=slave, stdout=slave, stderr=slave, start_new_session=True, env=env
        )
        os.close(slave)

    def types_raw(self, data: bytes) -> None:
        os.write(self._file, data)

    def _receive(self, seconds: float) -> bytes | None:
        if not select.select([self._file], [], [], seconds)[0]:
            return None
        try:
            return os.read(self._file, 65536)
        except OSError:  # how Linux reports that the other side is closed
            return b""

    def resizes(self, columns: int, rows: int) -> None:
        """Give the window another size, as dragging its corner does."""
        termios.tcsetwinsize(self._file, (rows, columns))
        self.process.send_signal(signal.SIGWINCH)

    def disappears(self) -> None:
        """Close the window; the program gets no SIGHUP, since the terminal does not control its session."""
        nothing = os.open(os.devnull, os.O_RDWR)
        os.dup2(nothing, self._file)
        os.close(nothing)

    def closes(self) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(WAIT_S)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        os.close(self._file)


class Lines(Protocol):
    """Lets people at line terminals enter a room; without one they stay in the lobby."""

    def __call__(
        self, *, port: int | None = None, room: str | None = ..., name: str | None = None, lang: str = "en"
    ) -> Line: ...


class Terminals(Protocol):
    """Starts programs on terminals of their own."""

    def __call__(
        self, *command: object, env: dict[str, str] | None = None, raw: bool = True, ahead: bytes = b""
    ) -> Terminal: ...
