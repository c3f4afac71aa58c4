"""People who come, act, and leave or are cut off, over any transport or at a terminal."""

from __future__ import annotations

import json
import time
from collections import deque
from typing import Any, Final

from tests.faults.links import LINKS, LOCAL, Gone, LineLink, Link
from tests.support.guests import WAIT_S
from tests.support.program import Program

KINDS: Final = (*LINKS, "line")

Frame = dict[str, Any]


class Visitor:
    """One connection of one person.

    Attributes:
        you: what the last welcome said; at a terminal, only the name.
        refusal: why the server does not let the visitor in.
        frames: what was received last.
        answers: the acks that came, by their numbers.
        is_gone: the connection has ended.
    """

    def __init__(self, program: Program, kind: str, source: str = LOCAL) -> None:
        self.kind = kind
        self.link: Link = (
            LineLink(program.line_port, source) if kind == "line" else LINKS[kind](program.url, source)
        )
        self.you: Frame | None = None
        self.refusal: Frame | None = None
        self.frames: deque[Frame] = deque(maxlen=200)
        self.answers: dict[int, Frame] = {}
        self.is_gone = False
        self._next = 0

    @property
    def is_line(self) -> bool:
        return self.kind == "line"

    def asks_to_join(self, **auth: Any) -> None:
        """Ask to join; a terminal has joined the lobby by connecting."""
        if self.is_line:
            if "room" in auth:
                self.sends_raw(f"/join {auth['room']}")
            if "username" in auth:
                self.sends_raw(f"/name {auth['username']}")
        else:
            self.sends_raw("40" + json.dumps({"v": 1, **auth}))

    def is_answered(self) -> bool:
        return self.you is not None or self.refusal is not None or self.is_gone

    def sends(self, action: str, **fields: Any) -> int:
        """Send an event that asks for an answer; returns its number."""
        self._next += 1
        self.sends_raw(f"42{self._next}" + json.dumps(["msg", {"action": action, **fields}]))
        return self._next

    def sends_raw(self, packet: str) -> None:
        """Send a packet or a line, if the connection has not ended."""
        if not self.is_gone:
            try:
                self.link.send(packet)
            except Gone:
                self.listens()  # to the reason
                self.is_gone = True

    def listens(self, seconds: float = 0.0) -> bool:
        """Take what comes within that time; returns whether anything did."""
        if self.is_gone:
            return False
        try:
            packets = self.link.receive(seconds)
        except Gone:
            self.is_gone = True
            return False
        for packet in packets:
            self._take(packet)
        return bool(packets)

    def waits_until_answered(self) -> None:
        """Wait until the server lets the visitor in, refuses, or is gone."""
        deadline = time.monotonic() + WAIT_S
        while not self.is_answered():
            left = deadline - time.monotonic()
            assert left > 0, f"{self.kind}: never answered"
            self.listens(left)

    def cut(self, how: str) -> None:
        """End the connection without notice: "close" or "reset"."""
        self.link.cut(how)
        self.is_gone = True

    def _take(self, packet: str) -> None:
        if self.is_line:
            if packet.startswith("* Welcome"):
                self.you = {"username": packet.rpartition("your name is ")[2].rstrip(".")}
            return
        if packet == "2":
            self.sends_raw("3")
        elif packet.startswith("42"):
            frame = json.loads(packet[2:])[1]
            self.frames.append(frame)
            if "you" in frame:
                self.you = frame["you"]
        elif packet.startswith("43"):
            number, _, rest = packet[2:].partition("[")
            self.answers[int(number)] = json.loads("[" + rest)[0]
        elif packet.startswith("44{"):
            self.refusal = json.loads(packet[2:])
        elif packet.startswith(("1", "41")):
            self.is_gone = True
