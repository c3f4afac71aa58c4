"""The pace of a terminal's lines alone: a real decoder, and a clock and timers that the test turns."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import greenlet
import pytest

from chatroom.core.errors import ANSWER_AFTER_S, NameTaken, NoSuchPartner, RateLimited, Refusal
from chatroom.core.flood import Bucket, Rate
from chatroom.core.private_talk import PrivateTalk
from chatroom.gateways.line.codec import LineDecoder, Overlong, longest_line
from chatroom.gateways.line.intake import CALM_S, MOST_WAITING, NOTICE_S, Intake


class Timer:
    """Something that is due once."""

    def __init__(self, at: float, function: Callable[[], None]) -> None:
        self.at = at
        self.function = function
        self.is_cancelled = False

    def cancel(self) -> None:
        self.is_cancelled = True


class FakeTerminal:
    """A terminal for an intake: feeds it bytes, and records the lines that it takes.

    Args:
        rate: how often a line may be taken.
    """

    def __init__(self, rate: Rate | None = None) -> None:
        self.now = 0.0
        self.timers: list[Timer] = []
        self.decoder = LineDecoder(longest_line(2000))
        self.has_more = False
        self.reads = True
        self.written = b""
        self.may_take = True
        self.is_settled = True
        self.taken: list[tuple[str | Overlong, float]] = []
        self.refusals: list[Refusal] = []
        self.spent = 0
        self.warnings: list[tuple[int, float]] = []
        self.judged: list[float] = []
        self.silent_until = 0.0
        self.in_kernel = b""
        self.over: bool | None = None
        self.when_taking: Callable[[str | Overlong], None] = lambda line: None
        self._bucket = Bucket(rate, self.now) if rate is not None else None
        self.intake = Intake(self, lambda: self.now, self._call_later)

    def comes(self, data: bytes, *, has_more: bool = False) -> None:
        """The peer has sent this, and perhaps more that is not read yet."""
        assert self.reads
        self.has_more = has_more
        self.decoder.receive(data)
        self.intake.received()

    def passes(self, seconds: float) -> None:
        """Let time pass, timer by timer."""
        until = self.now + seconds
        while due := [timer for timer in self.timers if timer.at <= until]:
            first = min(due, key=lambda timer: timer.at)
            self.timers.remove(first)
            self.now = max(self.now, first.at)
            if not first.is_cancelled:
                first.function()
        self.now = until

    def next_line(self) -> str | Overlong | None:
        return self.decoder.next_line()

    @property
    def lines(self) -> list[str | Overlong]:
        return [line for line, _arrived_at in self.taken]

    def _call_later(self, seconds: float, function: Callable[[], None]) -> Timer:
        timer = Timer(self.now + seconds, function)
        self.timers.append(timer)
        return timer

    # What the intake asks of its terminal

    def start_reading(self) -> None:
        self.reads = True

    def stop_reading(self) -> None:
        self.reads = False

    def peek(self) -> bytes:
        return self.in_kernel

    def write(self, data: bytes) -> None:
        self.written += data

    def spend(self) -> None:
        self.spent += 1

    def take(self, line: str | Overlong, arrived_at: float) -> None:
        if self._bucket is not None and (wait := self._bucket.take(self.now)):
            raise RateLimited(retry_after=wait)
        self.when_taking(line)
        self.taken.append((line, arrived_at))

    def refused(self, refused: Refusal) -> None:
        self.refusals.append(refused)

    def flooded(self, lines: int, seconds: float) -> None:
        self.warnings.append((lines, seconds))

    def judge_flood(self) -> float:
        self.judged.append(self.now)
        return max(0.0, self.silent_until - self.now)

    def input_over(self, *, in_mid_line: bool) -> None:
        assert self.over is None
        self.over = in_mid_line
        self.intake.stop()


def test_whole_lines_are_taken_and_half_a_line_waits() -> None:
    terminal = FakeTerminal()
    terminal.comes(b"one\ntwo\nthr")
    assert terminal.lines == ["one", "two"]
    assert terminal.reads
    terminal.comes(b"ee\n")
    assert terminal.lines == ["one", "two", "three"]


def test_lines_wait_behind_one_that_waits_for_an_answer() -> None:
    terminal = FakeTerminal()
    test = greenlet.getcurrent()
    terminal.when_taking = lambda line: test.switch() if line == "/join b" else None
    taking = greenlet.greenlet(lambda: terminal.comes(b"/join b\none\n"))
    taking.switch()
    terminal.comes(b"two\n")
    assert terminal.lines == []
    assert not terminal.reads  # the rest waits in the kernel
    taking.switch()
    assert terminal.lines == ["/join b", "one", "two"]
    assert terminal.reads


def test_a_hundred_terminals_of_an_address_try_seldom() -> None:
    tries, latest = 0, 0.0
    bucket = Bucket(Rate(20, 20), 0.0)

    class Crowded(FakeTerminal):
        def spend(self) -> None:
            nonlocal tries, latest
            tries, latest = tries + 1, max(latest, self.now)
            if wait := bucket.take(latest):
                raise RateLimited(retry_after=max(wait, 0.005))

    terminals = [Crowded() for _ in range(100)]
    for second in range(10):
        for terminal in terminals:
            if terminal.reads:
                terminal.comes(b"x")
        for tenth in range(10):
            for terminal in terminals:
                terminal.passes(second + (tenth + 1) / 10 - terminal.now)
    assert tries < 10 * 300
    alone = FakeTerminal(Rate(1, 2))
    alone.comes(b"1\n2\n3\n")
    alone.passes(1.01)
    assert alone.lines == ["1", "2", "3"]  # its own limit lets it try at the right time


def test_a_flood_waits_in_order_and_is_warned_once() -> None:
    terminal = FakeTerminal(Rate(2, 1))
    terminal.comes(b"1\n2\n3\n4\n5\n")
    assert terminal.lines == ["1", "2"]
    assert not terminal.reads
    terminal.in_kernel = b"6\r\n7\r\n8"  # the rest of the paste comes a little later
    terminal.passes(NOTICE_S)
    assert terminal.warnings == [(3 + 2, 1 - NOTICE_S)]
    terminal.passes(1 - NOTICE_S)
    assert terminal.lines == ["1", "2", "3"]
    terminal.passes(2)
    assert terminal.lines == ["1", "2", "3", "4", "5"]
    assert (terminal.reads, len(terminal.warnings)) == (True, 1)


def test_a_flood_is_judged_while_its_lines_wait() -> None:
    terminal = FakeTerminal(Rate(1, 0.5))
    terminal.comes(b"1\n2\n3\n")
    terminal.passes(4)
    assert terminal.judged == [NOTICE_S * (number + 1) for number in range(16)]
    terminal.passes(10)
    assert len(terminal.judged) == 16  # no more lines wait


def test_short_waits_do_not_count_more() -> None:
    terminal = FakeTerminal(Rate(1, 64))
    terminal.comes(b"x\n" * 256)
    terminal.passes(4)
    assert len(terminal.lines) == 256
    assert 15 <= len(terminal.judged) <= 2 * 4 / NOTICE_S


def test_a_silenced_guest_has_no_lines_until_the_silence_ends() -> None:
    terminal = FakeTerminal(Rate(1, 1))
    terminal.comes(b"1\n2\n3\n")
    terminal.silent_until = 10.0
    terminal.decoder.drop(in_mid_line=False)
    terminal.passes(9.9)
    assert (terminal.lines, terminal.reads) == (["1"], False)
    terminal.passes(0.2)
    assert (terminal.lines, terminal.reads) == (["1"], True)
    terminal.comes(b"4\n")
    assert terminal.lines == ["1", "4"]


def test_nothing_follows_a_flooder_who_was_disconnected() -> None:
    terminal = FakeTerminal(Rate(1, 1))

    def disconnect() -> float:
        terminal.intake.stop()
        return 0.0

    terminal.judge_flood = disconnect  # type: ignore[method-assign]  # the intake looks the method up at each call
    terminal.comes(b"1\n2\n")
    terminal.passes(10)
    assert (terminal.lines, terminal.timers) == (["1"], [])


def test_each_flood_is_warned_of_once() -> None:
    terminal = FakeTerminal(Rate(1, 1))
    for _ in range(5):
        terminal.comes(b"1\n2\n")
        terminal.passes(2)
    terminal.passes(CALM_S - 1)  # that is how long nothing has had to wait
    terminal.comes(b"3\n4\n")
    assert len(terminal.warnings) == 1
    terminal.passes(1 + CALM_S + 0.01)
    terminal.comes(b"3\n")
    terminal.comes(b"4\n")
    terminal.passes(NOTICE_S)
    assert len(terminal.warnings) == 2


def test_a_line_that_waited_keeps_the_time_when_it_came() -> None:
    terminal = FakeTerminal(Rate(1, 1))
    terminal.now = 5.0
    terminal.comes(b"1\n2\n3\n")
    terminal.passes(3)
    assert [arrived_at for _line, arrived_at in terminal.taken] == [5.0, 5.0, 5.0]


def test_a_refused_line_is_shown_and_the_next_taken() -> None:
    terminal = FakeTerminal()

    def refuse(line: str | Overlong) -> None:
        if line == "bad":
            raise NameTaken(name="bad")

    terminal.when_taking = refuse
    terminal.comes(b"bad\ngood\n")
    assert terminal.lines == ["good"]
    assert [refused.code for refused in terminal.refusals] == ["name_taken"]


def test_while_nothing_may_be_taken_nothing_is_read() -> None:
    terminal = FakeTerminal()
    terminal.may_take = False
    terminal.comes(b"1\n2\n")
    assert (terminal.lines, terminal.reads) == ([], False)
    terminal.may_take = True
    terminal.intake.go_on()
    assert (terminal.lines, terminal.reads) == (["1", "2"], True)


def test_what_a_line_begins_holds_up_the_lines_after_it() -> None:
    terminal = FakeTerminal()

    def look_back(line: str | Overlong) -> None:
        terminal.may_take = line != "/history"

    terminal.when_taking = look_back
    terminal.comes(b"1\n/history\n2\n")
    assert terminal.lines == ["1", "/history"]
    terminal.may_take = True
    terminal.intake.go_on()
    assert terminal.lines == ["1", "/history", "2"]


def test_every_reading_costs_even_if_no_line_comes_of_it() -> None:
    terminal = FakeTerminal()
    for _ in range(5):
        terminal.comes(b"\xff\xfd\x01")
    assert terminal.spent == 5
    assert terminal.written == b"\xff\xfc\x01" * 5


def test_unread_input_waits_and_nothing_is_lost() -> None:
    terminal = FakeTerminal()
    waits: list[Any] = [RateLimited(retry_after=1.0), RateLimited(retry_after=1.0)]
    spend = terminal.spend

    def spend_or_wait() -> None:
        if waits:
            raise waits.pop()
        spend()

    terminal.spend = spend_or_wait  # type: ignore[method-assign]  # the intake looks the method up at each call
    terminal.comes(b"1\n2\n")
    assert (terminal.lines, terminal.reads) == ([], False)
    terminal.passes(2)
    assert (terminal.lines, terminal.reads, terminal.spent) == (["1", "2"], True, 1)
    assert len(terminal.warnings) == 1


def test_a_line_too_long_is_handed_on_as_such() -> None:
    terminal = FakeTerminal()
    terminal.comes(b"x" * 10_000 + b"\nshort\n")
    assert terminal.lines == [Overlong(), "short"]


@pytest.mark.parametrize(("last", "in_mid_line"), [(b"", False), (b"half a li", True)])
def test_at_the_end_all_that_waits_is_taken_first(last: bytes, in_mid_line: bool) -> None:
    terminal = FakeTerminal(Rate(1, 1))
    terminal.comes(b"1\n2\n3\n" + last)
    terminal.intake.ended()
    assert (terminal.lines, terminal.over) == (["1"], None)
    terminal.passes(2)
    assert (terminal.lines, terminal.over) == (["1", "2", "3"], in_mid_line)


def test_pending_messages_are_stored_before_the_end() -> None:
    terminal = FakeTerminal()
    terminal.is_settled = False
    terminal.comes(b"1\n")
    terminal.intake.ended()
    assert terminal.over is None
    terminal.is_settled = True
    terminal.intake.go_on()
    assert terminal.over is False


def test_once_stopped_it_takes_nothing_more() -> None:
    terminal = FakeTerminal(Rate(1, 1))

    def leave(line: str | Overlong) -> None:
        if line == "quit":
            terminal.intake.stop()

    terminal.when_taking = leave
    terminal.comes(b"1\n2\n")
    terminal.intake.stop()
    terminal.passes(10)
    assert terminal.lines == ["1"]
    terminal = FakeTerminal()
    terminal.when_taking = lambda line: terminal.intake.stop() if line == "quit" else None
    terminal.comes(b"quit\nsecret\n")
    assert terminal.lines == ["quit"]


def test_to_take_a_line_may_call_for_going_on() -> None:
    terminal = FakeTerminal()
    terminal.when_taking = lambda line: terminal.intake.go_on()
    terminal.comes(b"1\n2\n3\n")
    assert terminal.lines == ["1", "2", "3"]


def test_input_beyond_one_read_has_the_same_arrival_time() -> None:
    terminal = FakeTerminal()
    for data, has_more in ((b"1\n", True), (b"2\n", True), (b"3\n", False), (b"4\n", False)):
        terminal.passes(1)
        terminal.comes(data, has_more=has_more)
    assert [arrived_at for _line, arrived_at in terminal.taken] == [1.0, 1.0, 1.0, 4.0]


# Answers that wait


class Talker(FakeTerminal):
    """A terminal at which `to:NAME` fails, and other lines are held or go to the room, with when."""

    def __init__(self, rate: Rate | None = None) -> None:
        super().__init__(rate)
        self.talk = PrivateTalk()
        self.answers: list[float] = []
        self.room: list[str] = []

    def take(self, line: str | Overlong, arrived_at: float) -> None:
        super().take(line, arrived_at)
        try:
            if str(line).startswith("to:"):
                raise NoSuchPartner(name="Zed").with_doubt()
            self.talk.address(lambda sid: None, arrived_at)
        except Refusal as refused:
            self.talk.hold(refused, arrived_at)
            raise
        self.room.append(str(line))

    def refused(self, refused: Refusal) -> None:
        super().refused(refused)
        self.talk.answered(self.now)
        self.answers.append(round(self.now, 3))

    def streams(self, lines: int, gap_s: float) -> None:
        """Lines come one by one; while nothing is read, into the kernel."""
        for number in range(lines):
            if self.reads:
                self.comes(b"secret %d\n" % number)
            else:
                self.in_kernel += b"secret %d\n" % number
            self.passes(gap_s)

    def start_reading(self) -> None:
        super().start_reading()
        if self.in_kernel:  # the loop finds it in its next turn
            self._call_later(0, self._read_kernel)

    def _read_kernel(self) -> None:
        if self.reads and self.in_kernel:
            data, self.in_kernel = self.in_kernel, b""
            self.comes(data)


def test_lines_that_do_not_wait_for_the_answer_are_held() -> None:
    terminal = Talker()
    terminal.now = 1.0
    terminal.comes(b"to:Zed\nsecret a\n")
    for gap_s in (0.005, 0.1, 0.24):
        terminal.passes(gap_s)
        assert terminal.reads
        terminal.comes(b"secret b\n")
    assert terminal.answers == [1.25, 1.25, 1.255]
    terminal.passes(ANSWER_AFTER_S)
    assert terminal.answers == [1.25, 1.25, 1.255, 1.355, 1.595]
    terminal.passes(0.001)
    terminal.comes(b"hello\n")
    assert terminal.room == ["hello"]


def test_a_line_right_after_the_answer_goes_to_the_room() -> None:
    terminal = Talker()
    terminal.comes(b"to:Zed\n")
    terminal.passes(ANSWER_AFTER_S)
    assert terminal.answers == [ANSWER_AFTER_S]
    terminal.passes(0.001)
    terminal.comes(b"hello\n")
    assert terminal.room == ["hello"]


def test_a_line_begun_before_the_answer_is_held() -> None:
    terminal = Talker()
    terminal.comes(b"to:Zed\ns")
    terminal.comes(b"ec")
    terminal.passes(60)
    terminal.comes(b"ret\n")
    terminal.passes(1)
    assert (terminal.room, len(terminal.answers)) == ([], 2)
    terminal.comes(b"to:Zed\nsecret\x7f\x7f\x7f\x7f\x7f\x7f")  # taken back before the answer
    terminal.passes(60)
    terminal.comes(b"hel")
    terminal.passes(1)
    terminal.comes(b"lo\n")
    assert terminal.room == ["hello"]


def test_the_rest_of_a_long_line_is_no_beginning() -> None:
    terminal = Talker()
    terminal.comes(b"to:Zed\n" + b"x" * (longest_line(2000) + 1))
    terminal.passes(60)
    terminal.comes(b"xx\nhello\n")
    assert terminal.room == ["hello"]


@pytest.mark.parametrize(
    ("rate", "lines", "gap_s"),
    [(None, 30, 0.05), (Rate(4, 16), 100, 1 / 64), (None, 1000, 0.001), (Rate(2, 4), 12, 0.1875)],
    ids=str,
)
def test_nothing_of_a_stream_after_a_refusal_reaches_the_room(
    rate: Rate | None, lines: int, gap_s: float
) -> None:
    terminal = Talker(rate)
    terminal.comes(b"to:Zed\n")
    terminal.streams(lines, gap_s)
    terminal.passes(60)
    assert (terminal.room, len(terminal.answers)) == ([], 1 + lines)
    terminal.comes(b"hello\n")
    assert terminal.room == ["hello"]


def test_what_can_wait_for_an_answer_is_bounded() -> None:
    terminal = Talker()
    terminal.comes(b"to:Zed\n" + b"secret\n" * (MOST_WAITING + 5))
    assert not terminal.reads
    terminal.passes(ANSWER_AFTER_S)
    assert (terminal.reads, len(terminal.answers)) == (True, MOST_WAITING + 6)
    terminal = Talker()
    terminal.comes(b"to:Zed\n")
    for _ in range(MOST_WAITING):
        terminal.comes(b"x")
    assert not terminal.reads


def test_at_the_end_of_input_answers_do_not_wait() -> None:
    terminal = Talker()
    terminal.comes(b"to:Zed\nsecret\n")
    assert terminal.answers == []
    terminal.intake.ended()
    assert (terminal.answers, terminal.over, terminal.room) == ([0.0, 0.0], False, [])
    terminal.passes(1)
    assert len(terminal.answers) == 2


def test_who_leaves_during_a_wait_is_answered_once() -> None:
    terminal = Talker()
    terminal.comes(b"to:Zed\nsecret\n")
    terminal.intake.stop()
    terminal.passes(1)
    assert (terminal.answers, terminal.room) == ([0.0], [])
