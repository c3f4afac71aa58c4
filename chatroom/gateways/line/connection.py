"""One terminal, from the greeting to the end.

It connects a connection with a session of the service: the connection has the bytes, the intake decides when a line is
taken, and the interpreter what it means. This module does not know the texts, nor who else is in the room.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import partial
from time import thread_time
from typing import Final

from chatroom import runtime
from chatroom.core.budgets import Kind
from chatroom.core.conduct import Verdict
from chatroom.core.errors import RateLimited, Refusal
from chatroom.gateways import typed
from chatroom.gateways.line.codec import LineDecoder, Overlong
from chatroom.gateways.line.foreign import is_foreign
from chatroom.gateways.line.intake import Intake
from chatroom.gateways.line.interpreter import Interpreter, LineContext
from chatroom.gateways.line.text import first_lines, history_lines, notice_line
from chatroom.net.connection import Connection, Role
from chatroom.net.keepalive import keep_alive
from chatroom.net.unread import drop_unread, unread_bytes
from chatroom.runtime import Timer
from chatroom.sessions import Session, Welcome

log = logging.getLogger(__name__)

PEEK_BYTES: Final = 64 * 1024
JOIN_S: Final = 0.1  # how long a client may take to send something before it joins: programs begin at once
_JOIN_TRIES: Final = 10  # so often, it joins later because of what has come and is not read yet
# Unread while lines wait: more than a paste of 300 lines, and less than the kernel holds for a peer that goes on.
FLOOD_BYTES: Final = 24 * 1024
_DROP_BYTES: Final = 256 * 1024  # read and dropped at once while a guest is silenced
BEHIND_BYTES: Final = 32 * 1024  # if more waits for a peer, it is behind, and nothing is taken from it


class _Step:
    """A call that is made in its address's turn, when its time has come, unless it is cancelled before."""

    __slots__ = ("_call", "_timer")

    def __init__(self, context: LineContext, address: str, seconds: float, call: Callable[[], None]) -> None:
        self._call: Callable[[], None] | None = call
        self._timer = context.call_later(seconds, partial(context.turns.put, address, self._make))

    def _make(self) -> None:
        if self._call is not None:
            self._call()

    def cancel(self) -> None:
        self._call = None
        self._timer.cancel()


class LineConnection(Role):
    """A connected terminal and its session. It never makes the loop wait.

    Args:
        connection: carries the bytes; this object becomes its role.
        context: what all terminals share.
        session: the session that sends the lines.
        on_left: called once, when the session ends.
        on_cut: called when the guest is about to be disconnected because they flood.
        on_talking: called with whether the guest has a partner in a private chat, when that may have changed.

    Attributes:
        decoder: turns bytes into lines.
        has_more: more has come than was read last.
        interpreter: does what lines ask for.
        room_key: the room whose events are shown; None before the greeting.
    """

    __slots__ = (
        "_context",
        "_early_bytes",
        "_has_joined",
        "_has_left",
        "_intake",
        "_is_terminal",
        "_joining",
        "_kept",
        "_on_cut",
        "_on_left",
        "_on_talking",
        "connection",
        "decoder",
        "has_more",
        "interpreter",
        "room_key",
        "session",
    )

    receive_bytes = 1024  # so that the worst input takes about a millisecond

    def __init__(
        self,
        connection: Connection,
        context: LineContext,
        session: Session,
        *,
        on_left: Callable[[LineConnection], None],
        on_cut: Callable[[LineConnection], None],
        on_talking: Callable[[LineConnection, bool], None],
    ) -> None:
        self.connection = connection
        self.session = session
        self.decoder = LineDecoder(context.max_line_bytes)
        self.has_more = False
        self.room_key: str | None = None
        self._context = context
        self._on_left = on_left
        self._on_cut = on_cut
        self._on_talking = on_talking
        self._early_bytes = 0  # that came before it joined
        self._has_joined = False
        self._is_terminal = False  # its first line was one that people type
        self._has_left = False
        self._kept = 0  # bytes of unfinished input
        self._intake = Intake(self, context.monotonic, self._call_later)
        self.interpreter = Interpreter(context, self, session)
        connection.role = self
        keep_alive(connection.sock)
        connection.expect(context.idle_timeout_s)
        connection.start_reading()
        self._join_soon()

    def _join_soon(self, tries: int = _JOIN_TRIES) -> None:
        self._joining = self._call_later(JOIN_S, partial(self._join_if_silent, tries))

    def _join_if_silent(self, tries: int) -> None:
        if tries and self.peek():  # it has come, and was not read yet because of the load
            self._join_soon(tries - 1)
        else:
            self._join()

    def _join(self) -> None:
        """Let the room know: the client sends nothing, or a line as terminals do."""
        self._joining.cancel()
        if not self._has_joined:
            self._has_joined = True
            self._context.service.enter(self.session)

    @property
    def is_open(self) -> bool:
        """Whether it is neither closed nor being closed."""
        return self.connection.role is self

    @property
    def is_behind(self) -> bool:
        """Whether too much waits for the peer to add to it."""
        return self.connection.outbox_bytes > BEHIND_BYTES

    # Calls from the connection

    def received(self, connection: Connection, data: bytes) -> None:
        if data:
            self.decoder.receive(data)
            self.has_more = len(data) == self.receive_bytes and bool(connection.peek(1))
            if self._has_joined:
                self._guard(self._intake.received)
            else:
                self._early_bytes += len(data)
                self._intake.note_arrival()
                self._guard(self._look)
        else:
            connection.stop_reading()
            self._guard(self._intake.ended if self._has_joined else self._end_early)

    def _look(self) -> None:
        """Judge what comes before the room knows of this client."""
        try:
            line = self._intake.look()
        except RateLimited as refused:  # the rest waits in the kernel
            self.stop_reading()
            self._joining.cancel()
            self._joining = self._call_later(refused.retry_after, self._look_again)
            return
        # A terminal sends a few bytes before its first line.
        if self._is_foreign(line) or (line is None and self._early_bytes > 2 * self._context.max_line_bytes):
            self.disconnect("line_http")
        elif line is not None:
            self._join()

    def _look_again(self) -> None:
        self._join_soon()
        self.start_reading()
        self._look()

    def _end_early(self) -> None:
        """It has sent no line: the room need not know of it."""
        self.input_over(in_mid_line=self.decoder.unfinished)

    def _is_foreign(self, line: str | Overlong | None) -> bool:
        """Whether the client is no terminal, by what it has sent so far, and perhaps this line."""
        if self._is_terminal:
            return False
        return self.decoder.is_binary or (line is not None and is_foreign(line))

    def drained(self, connection: Connection) -> None:
        self._guard(self._intake.go_on)

    def overflowed(self, connection: Connection) -> None:
        self._guard(partial(self.disconnect, "line_slow", drop=True))

    def over_budget(self, connection: Connection) -> None:
        if connection.account is not None:
            self._context.relief.relieve(connection.account)

    def expired(self, connection: Connection) -> None:
        self._guard(partial(self.disconnect, "line_idle"))

    def lost(self, connection: Connection, reason: str) -> None:
        self._guard(self._leave)

    def _call_later(self, seconds: float, step: Callable[[], None]) -> Timer:
        return _Step(self._context, self.connection.address, seconds, partial(self._guard, step))

    def _guard(self, step: Callable[[], None]) -> None:
        runtime.begin(self._run, step)  # what a line does may wait for an answer

    def _run(self, step: Callable[[], None]) -> None:
        try:
            step()
            if not self._has_left and self._is_foreign(None):
                self.disconnect("line_http")
            kept = 0 if self._has_left else self._intake.kept_bytes
            if kept != self._kept:
                self._kept = kept
                self.connection.loop.keep_unfinished(self.connection, kept)  # which may close it
        except Exception:  # the outermost call of a session: its failure must not affect others
            log.exception("a line session failed and is closed")
            self._leave()
            self.connection.abort("aborted")

    # Calls from the intake

    def start_reading(self) -> None:
        if self.is_open:
            self.connection.start_reading()

    def stop_reading(self) -> None:
        if self.is_open:
            self.connection.stop_reading()

    def peek(self) -> bytes:
        return self.connection.peek(PEEK_BYTES)

    def next_line(self) -> str | Overlong | None:
        began = thread_time()  # telnet's commands take time, though they are no lines
        line = self.decoder.next_line()
        self.session.quota.charge_cpu(thread_time() - began)
        return line

    def write(self, data: bytes) -> None:
        if self.is_open:
            self.connection.loop.send(self.connection, data)

    @property
    def may_take(self) -> bool:
        return self.interpreter.may_take and not self.is_behind

    @property
    def is_settled(self) -> bool:
        return self.interpreter.is_settled

    def spend(self) -> None:
        self.session.quota.spend_event()

    def take(self, line: str | Overlong, arrived_at: float) -> None:
        if self.is_open:
            self.connection.expect(self._context.idle_timeout_s)
        if self._is_foreign(line):
            self.disconnect("line_http")
            return
        self._is_terminal = self._is_terminal or isinstance(line, Overlong) or bool(line.strip())
        began = thread_time()
        try:
            self.interpreter.take(line, arrived_at)
        finally:
            self.session.quota.charge_cpu(thread_time() - began)

    def refused(self, refused: Refusal) -> None:
        self.interpreter.answer(refused)

    def judge_flood(self) -> float:
        quota, sock = self.session.quota, self.connection.sock
        if unread_bytes(sock) >= FLOOD_BYTES:
            verdict, _ = quota.refused(RateLimited(retry_after=0.0))
            match verdict:
                case Verdict.CUT:
                    self._on_cut(self)
                    self.disconnect("line_flood")
                    return 0.0
                case Verdict.WARN:
                    time = self._context.words.duration(quota.silent_s())
                    self._notice("line_silenced", time=time)
                    self.decoder.drop(in_mid_line=False)
                case Verdict.REFUSE:
                    pass
        silent_s = quota.silent_s()
        if silent_s:
            self.session.talk.lines_dropped()
            if last := drop_unread(sock, _DROP_BYTES):
                self.decoder.drop(in_mid_line=not last.endswith((b"\r", b"\n")))
        return silent_s

    def flooded(self, lines: int, seconds: float) -> None:
        rate = self._context.service.limits.rates.get(Kind.MESSAGE)  # lines are messages, or cost less
        if rate is not None:
            seconds += max(0, lines - 1) / rate.per_second
        self._notice("line_too_fast", time=self._context.words.duration(seconds))

    def input_over(self, *, in_mid_line: bool) -> None:
        if in_mid_line:
            # Half a line may be half a sentence, or a name without its end: it is not sent.
            self._notice("line_unfinished")
        self._leave()
        self.connection.finish()

    # Calls from the interpreter

    def settled(self) -> None:
        if not self._has_left:
            self._call_later(0, self._intake.go_on)  # not at once: the caller may be the feed

    def mark_talking(self, is_talking: bool) -> None:
        self._on_talking(self, is_talking)

    def disconnect(self, key: str, *, drop: bool = False) -> None:
        """Disconnect the guest, with one of the server's sentences.

        Args:
            drop: drop what still waits to be shown, since the peer does not read it.
        """
        self._leave()
        last = notice_line(self._context.words.say(key))
        # The terminal may be in the middle of a line.
        self.connection.finish(b"\r\n" + last if drop else last, drop=drop)

    # Calls from the gateway

    def greet(self, welcome: Welcome) -> None:
        """The guest has joined a room: greet them, and take what was typed meanwhile."""
        words, room = self._context.words, welcome.room.name
        here = words.counted("people_here", len(welcome.room.roster))
        is_first, self.room_key = self.room_key is None, welcome.room.key
        if is_first:
            self._notice("line_greeting", room=room, here=here, name=welcome.person.name)
            self.write(notice_line(self._context.kept))
        else:
            self._notice("line_in_room", room=room, here=here)
        shown = partial(first_lines, more=partial(words.counted, "line_more_lines"))
        for line in history_lines(welcome.page.entries[-typed.HISTORY_SHOWN :], shown):
            self.write(line)
        if is_first:
            self._notice("line_how")  # the last line of the greeting, by which scripts know its end
        self.interpreter.arrived()
        self.settled()

    def _leave(self) -> None:
        self._joining.cancel()
        if self._has_left:
            return
        self._has_left = True
        self._intake.stop()
        self._on_left(self)
        self._context.service.leave(self.session, cut=False)
        # Both hold this object: all three would be kept until the collector comes.
        del self._intake
        self.interpreter.leave()

    def _notice(self, key: str, **values: object) -> None:
        self.write(notice_line(self._context.words.say(key, **values)))
