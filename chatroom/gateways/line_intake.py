"""The pace at which a terminal's lines are taken: no line is lost, and none is taken before its turn.

It knows bytes that come, lines that wait, and rates. What a line means is its guest's business.

Whatever cannot be taken now waits in the decoder, then in the kernel, and then at the peer: so a flood, a slow disk, or
a guest who does not read what they have asked for, costs no memory here.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Final, Protocol

from chatroom.core.errors import RateLimited, Refusal
from chatroom.gateways.line_codec import LineDecoder, Overlong

NOTICE_S: Final = (
    0.25  # a flood is told of only then: the rest of a paste has come meanwhile, and can be counted
)
CALM_S: Final = 5.0  # nothing has had to wait for so long: what waits next is another flood


class Source(Protocol):
    """Where the bytes come from, and go back to."""

    decoder: LineDecoder
    has_more: bool  # besides what it has given to the decoder last, something has come

    def read_on(self) -> None:
        """Have `Intake.received` called for what comes."""

    def read_off(self) -> None:
        """Let it wait in the kernel."""

    def peek(self) -> bytes:
        """What has come and is not read yet, as far as can be seen."""

    def write(self, data: bytes) -> None:
        """Send bytes at the end of the turn."""


class Taker(Protocol):
    """Whose lines they are."""

    @property
    def may_take(self) -> bool:
        """Whether a line could be taken now; when that changes, `Intake.go_on` has to be called."""

    @property
    def is_settled(self) -> bool:
        """Whether everything that was taken has been dealt with."""

    def spend(self) -> None:
        """Count one event.

        Raises:
            RateLimited: too many; with `retry_after`, in seconds.
        """

    def take(self, line: str | Overlong, arrived_at: float) -> None:
        """Do what a line says.

        Raises:
            RateLimited: not now; nothing has been done.
            Refusal: not at all.
        """

    def refused(self, refused: Refusal) -> None:
        """Tell why a line was not taken."""

    def told_to_slow_down(self, lines: int, seconds: float) -> None:
        """Tell, once in a flood, that lines wait.

        Args:
            lines: how many, as far as can be seen.
            seconds: until the first of them can be taken.
        """

    def input_over(self, *, in_mid_line: bool) -> None:
        """There will be no more lines, and all that came are dealt with; the last one may have had no end."""


class Intake:
    """Takes line after line, as long as their guest may speak and is not too fast."""

    __slots__ = (
        "_arrived_at",
        "_call_later",
        "_flood_until",
        "_has_ended",
        "_has_more",
        "_has_stopped",
        "_is_taking",
        "_monotonic",
        "_owes_event",
        "_put_back",
        "_source",
        "_taker",
        "_timer",
    )

    def __init__(
        self,
        source: Source,
        taker: Taker,
        monotonic: Callable[[], float],
        call_later: Callable[..., Any],
    ) -> None:
        self._source = source
        self._taker = taker
        self._monotonic = monotonic
        self._call_later = call_later
        self._arrived_at = 0.0  # of all lines that wait: more is read only when none does
        self._owes_event = False
        self._put_back: str | Overlong | None = None
        self._timer: Any = None
        self._is_taking = False
        self._flood_until = float("-inf")
        self._has_ended = False
        self._has_more = False
        self._has_stopped = False

    def received(self) -> None:
        """The decoder has new input."""
        if not self._has_more:  # or it came with what was read before, as the rest of a paste does
            self._arrived_at = self._monotonic()
        self._has_more = self._source.has_more
        # A reading costs, whatever is in it: telnet's commands and crumbs make no lines.
        self._owes_event = True
        self.go_on()

    def ended(self) -> None:
        """The peer has sent its last; it may still read."""
        self._has_ended = True
        self.go_on()

    def stop(self) -> None:
        """Take no more, ever."""
        self._has_stopped = True
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def go_on(self) -> None:
        """Take what can be taken now."""
        if self._is_taking:
            return
        self._is_taking = True
        try:
            is_drained = self._take_lines()
        finally:
            self._is_taking = False
        if self._has_stopped:
            return
        if is_drained and not self._has_ended:
            self._source.read_on()
            return
        self._source.read_off()
        if is_drained and self._taker.is_settled:
            self._taker.input_over(in_mid_line=self._source.decoder.unfinished)

    def _take_lines(self) -> bool:
        """Take what lines there are; True if there are no more, False if they have to wait."""
        while self._taker.may_take and self._timer is None and not self._has_stopped:
            line: str | Overlong | None = None
            try:
                if self._owes_event:
                    self._taker.spend()
                    self._owes_event = False
                line = self._next_line()
                if line is None:
                    return True
                self._taker.take(line, self._arrived_at)
            except RateLimited as refused:
                if line is not None:
                    self._put_back = line
                self._wait(float(str(refused.params["retry_after"])))
            except Refusal as refused:
                self._taker.refused(refused)
        return False

    def _next_line(self) -> str | Overlong | None:
        line, self._put_back = self._put_back, None
        if line is None:
            line = self._source.decoder.next_line()
            answers = self._source.decoder.answers()
            if answers:
                self._source.write(answers)
        return line

    def _wait(self, seconds: float) -> None:
        now = self._monotonic()
        if now > self._flood_until:
            until_told = min(seconds, NOTICE_S)
            self._timer = self._call_later(until_told, partial(self._tell, seconds - until_told))
        else:
            self._timer = self._call_later(seconds, self._resume)
        self._flood_until = now + seconds + CALM_S

    def _tell(self, seconds: float) -> None:
        """Tell that lines wait, and for so long."""
        waiting = self._source.decoder.waiting + self._source.peek()
        ends = max(waiting.count(b"\n"), waiting.count(b"\r"))
        self._taker.told_to_slow_down(ends + (self._put_back is not None), seconds)
        self._timer = self._call_later(seconds, self._resume)

    def _resume(self) -> None:
        self._timer = None
        self.go_on()
