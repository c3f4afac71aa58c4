"""The pace at which a terminal's lines are taken: none before its turn, and all but those of a flood that goes on.

It knows bytes that come, lines that wait, and rates. What a line means is its terminal's business.

Whatever cannot be taken now waits in the decoder, then in the kernel, and then at the peer: so a flood, a slow disk, or
a guest who does not read what they have asked for, costs no memory here. Only its terminal may drop what waits.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from functools import partial
from sys import getsizeof
from typing import Final, Protocol

from chatroom.core.errors import RateLimited, Refusal
from chatroom.gateways.line.codec import LineDecoder, Overlong
from chatroom.runtime import Timer

# A flood is reported only then, and judged so often: by that time the rest of a paste has come, and can be counted.
NOTICE_S: Final = 0.25
MOST_WAITING: Final = 64  # lines, or reads, that are taken in while an answer waits
# Between tries to take what was refused again: doubled each time, up to the second.
_RETRY_S: Final = (0.05, 1.0)
CALM_S: Final = 5.0  # if nothing had to wait for this long, what waits next is another flood


class Terminal(Protocol):
    """A terminal: its bytes, and what its lines do."""

    decoder: LineDecoder
    has_more: bool  # more has come than it gave to the decoder last

    def start_reading(self) -> None:
        """Call `Intake.received` for what comes."""

    def stop_reading(self) -> None:
        """Let it wait in the kernel."""

    def peek(self) -> bytes:
        """What has come and is not read yet, as far as it is visible."""

    def next_line(self) -> str | Overlong | None:
        """The next line of what was read."""

    def write(self, data: bytes) -> None:
        """Send bytes at the end of the turn."""

    @property
    def may_take(self) -> bool:
        """Whether a line could be taken now; when that changes, `Intake.go_on` has to be called."""

    @property
    def is_settled(self) -> bool:
        """Whether everything that was taken is done."""

    def spend(self) -> None:
        """Count one event.

        Raises:
            RateLimited: there were too many; with `retry_after`, in seconds.
        """

    def take(self, line: str | Overlong, arrived_at: float) -> None:
        """Do what a line asks for.

        Raises:
            RateLimited: it must wait; nothing was done.
            Refusal: it is refused.
        """

    def refused(self, refused: Refusal) -> None:
        """Show why a line was not taken."""

    def flooded(self, lines: int, seconds: float) -> None:
        """Show, once per flood, that lines wait.

        Args:
            lines: how many, as far as they are visible.
            seconds: until the first of them can be taken.
        """

    def judge_flood(self) -> float:
        """Lines have waited for a while: say for how long all that comes is dropped, because there is too much of it.

        This may end the guest's session. It is called again and again while they wait.
        """

    def input_over(self, *, in_mid_line: bool) -> None:
        """There will be no more lines, and all that came are done; the last one may have had no end."""


class Intake:
    """Takes line after line, while the guest may send and is not too fast."""

    __slots__ = (
        "_answered_at",
        "_arrived_at",
        "_begun_at",
        "_call_later",
        "_flood_until",
        "_has_ended",
        "_has_more",
        "_has_stopped",
        "_is_reading",
        "_is_taking",
        "_judged_at",
        "_monotonic",
        "_owed_events",
        "_read_at",
        "_refusals",
        "_terminal",
        "_timer",
        "_unanswered",
        "_waiting",
    )

    def __init__(
        self,
        terminal: Terminal,
        monotonic: Callable[[], float],
        call_later: Callable[[float, Callable[[], None]], Timer],
    ) -> None:
        self._terminal = terminal
        self._monotonic = monotonic
        self._call_later = call_later
        self._arrived_at = 0.0  # the earliest time at which the lines in the decoder may have arrived
        self._begun_at: float | None = None  # when the beginning of an unfinished line came
        self._read_at = 0.0  # the latest time at which they may have arrived
        self._answered_at = 0.0
        self._owed_events = 0
        self._refusals = 0  # since something was taken
        # Lines taken from the decoder, with both times: more is read only if none waits, or while an answer waits.
        self._waiting: deque[tuple[str | Overlong, float, float]] = deque()
        self._unanswered: Refusal | None = None
        self._is_reading = True
        self._timer: Timer | None = None
        self._is_taking = False
        self._flood_until = self._judged_at = float("-inf")
        self._has_ended = False
        self._has_more = False
        self._has_stopped = False

    def received(self) -> None:
        """The decoder has new input."""
        self.note_arrival()
        self.go_on()

    def look(self) -> str | Overlong | None:
        """Before any line may be taken: the first line that is not empty, or None.

        If too many are empty, it is one of these. All are taken later.

        Raises:
            RateLimited: what came must wait; nothing was read of it.
        """
        try:
            self._spend_owed()
        except RateLimited as refused:
            raise refused.later(self._retry_s(refused)) from None
        while self._take_out():
            line = self._waiting[-1][0]
            if isinstance(line, Overlong) or line.strip() or len(self._waiting) == MOST_WAITING:
                return line
        return None

    def note_arrival(self) -> None:
        """The decoder has new input, which is not to be taken yet."""
        self._read_at = self._monotonic()
        # Otherwise it came together with what was read before, like the rest of a paste.
        if not self._has_more:
            self._arrived_at = self._read_at
        self._has_more = self._terminal.has_more
        # Every read costs an event, whatever it contains: telnet's commands and fragments are not lines.
        self._owed_events += 1

    def ended(self) -> None:
        """The peer sends nothing more; it may still read."""
        self._has_ended = True
        if self._unanswered is not None:  # nothing more can come that would have to be held
            self._stop_timer()
            self._answer()
        self.go_on()

    @property
    def kept_bytes(self) -> int:
        """How much memory is held by what came and is not taken yet."""
        lines = sum(
            getsizeof(line.head if isinstance(line, Overlong) else line) for line, _, _ in self._waiting
        )
        return lines + self._terminal.decoder.kept_bytes

    def stop(self) -> None:
        """Take no more lines."""
        self._has_stopped = True
        self._stop_timer()
        if self._unanswered is not None:
            self._answer()

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def go_on(self) -> None:
        """Take what can be taken now."""
        if self._is_taking:
            # A line may be waiting for an answer: what comes after it waits in the kernel.
            self._terminal.stop_reading()
            self._is_reading = False
            return
        self._is_taking = True
        try:
            is_drained = self._take_lines()
        finally:
            self._is_taking = False
        if self._has_stopped:
            return
        if not self._has_ended and (is_drained or self._may_take_in()):
            self._start_reading()
            return
        self._terminal.stop_reading()
        self._is_reading = False
        if is_drained and self._terminal.is_settled:
            self._terminal.input_over(in_mid_line=self._terminal.decoder.unfinished)

    def _take_lines(self) -> bool:
        """Take the lines that are there; True if there are no more, False if they have to wait."""
        while not self._has_stopped and self._terminal.may_take and self._timer is None:
            try:
                self._spend_owed()
                if not self._waiting and not self._take_out():
                    self._refusals = 0
                    return True
                line, arrived_at, read_at = self._waiting[0]
                try:
                    self._terminal.take(line, arrived_at)
                except RateLimited:
                    raise
                except Refusal as refused:
                    self._refuse(refused, read_at)
                self._waiting.popleft()
                self._refusals = 0
            except RateLimited as refused:
                self._wait(self._retry_s(refused))
        return False

    def _retry_s(self, refused: RateLimited) -> float:
        """After how many seconds to try again: if other terminals of the address took what was there, later."""
        shortest_s, longest_s = _RETRY_S
        wait_s = refused.retry_after
        if self._refusals:
            wait_s = max(wait_s, min(longest_s, shortest_s * 2 ** min(self._refusals, 10)))
        self._refusals += 1
        return wait_s

    def _spend_owed(self) -> None:
        while self._owed_events:
            self._terminal.spend()
            self._owed_events -= 1

    def _take_out(self) -> bool:
        """Take one line from the decoder, if there is one."""
        line = self._terminal.next_line()
        answers = self._terminal.decoder.answers()
        if answers:
            self._terminal.write(answers)
        if line is not None:
            # A line begun before an answer may have been meant differently, however late its end comes.
            arrived_at = self._arrived_at if self._begun_at is None else self._begun_at
            self._waiting.append((line, arrived_at, self._read_at))
            self._begun_at = None
        elif not self._terminal.decoder.has_begun:
            self._begun_at = None
        elif self._begun_at is None:
            self._begun_at = self._arrived_at
        return line is not None

    def _may_take_in(self) -> bool:
        """While an answer waits, take lines with the time at which they come; returns whether to read more."""
        if self._unanswered is None:
            return False
        while len(self._waiting) < MOST_WAITING:
            if not self._take_out():
                return self._owed_events < MOST_WAITING
        return False

    def _start_reading(self) -> None:
        is_behind = self._unanswered is None and self._answered_at >= self._arrived_at
        if not self._is_reading and is_behind and self._terminal.peek():
            # A guest who sent it while lines had to wait has not waited for the last answer.
            self._arrived_at, self._has_more = self._answered_at, True
        self._is_reading = True
        self._terminal.start_reading()

    # Answers that wait

    def _refuse(self, refused: Refusal, read_at: float) -> None:
        """Show why a line was not taken, when it is due."""
        self._unanswered = refused
        wait_s = read_at + (refused.answer_after_s or 0.0) - self._monotonic()
        if wait_s <= 0 or self._has_ended or self._has_stopped:
            self._answer()
        else:
            self._timer = self._call_later(wait_s, self._answer_soon)

    def _answer_soon(self) -> None:
        # What has come by now, and was not read because of the load, is read first.
        self._timer = self._call_later(0, self._answer_and_go_on)

    def _answer_and_go_on(self) -> None:
        self._timer = None
        self._answer()
        self.go_on()

    def _answer(self) -> None:
        refused, self._unanswered = self._unanswered, None
        if refused is not None:
            self._answered_at = self._monotonic()
            self._terminal.refused(refused)

    # Floods

    def _wait(self, seconds: float) -> None:
        now = self._monotonic()
        is_new = now > self._flood_until
        self._flood_until = now + seconds + CALM_S
        self._wait_on(seconds, report=is_new)

    def _wait_on(self, seconds: float, *, report: bool = False) -> None:
        delay_s = min(seconds, NOTICE_S)
        self._timer = self._call_later(delay_s, partial(self._waited, seconds - delay_s, report))

    def _waited(self, left_s: float, report: bool) -> None:
        if report:
            self._report_flood(left_s)
        now = self._monotonic()
        if now - self._judged_at > NOTICE_S / 2:
            self._judged_at = now
            silent_s = self._terminal.judge_flood()
            if self._has_stopped:
                return
            if silent_s:
                left_s = silent_s
                self._waiting.clear()
                self._owed_events = 0
                self._has_more = False
        if left_s > 0 or report:  # what was reported is shown, whatever the lines do
            self._wait_on(left_s)
        else:
            self._timer = None
            self.go_on()

    def _report_flood(self, seconds: float) -> None:
        """Show that lines wait, and for how long."""
        waiting = self._terminal.decoder.waiting + self._terminal.peek()
        ends = max(waiting.count(b"\n"), waiting.count(b"\r"))
        self._terminal.flooded(ends + len(self._waiting), seconds)
