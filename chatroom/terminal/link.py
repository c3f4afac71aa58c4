"""A guest's connection to a chatroom, which reconnects by itself.

It knows threads, time and when to try again; `resume_state` what was missed, `outbox` what is still to be sent,
`channel` how bytes travel. One thread does everything in turn, and calls `on_frame` for each frame in order.
"""

from __future__ import annotations

import select
import threading
import time
from collections import deque
from collections.abc import Callable
from enum import Enum, auto
from functools import partial
from math import ceil, inf
from typing import Final

from chatroom.core.events import Person
from chatroom.terminal.address import Address
from chatroom.terminal.audience import Audience, AudienceChanged, Deliver, NotSent, joined_room
from chatroom.terminal.channel import Channel, ChannelError, Kind, Packet, explain, is_final
from chatroom.terminal.frame import Frame, notice
from chatroom.terminal.outbox import HOLD_S, LOST, Line, Outbox, wait_s
from chatroom.terminal.resume_state import Overrun, ResumeState, is_return
from chatroom.terminal.retries import Retries
from chatroom.terminal.view import View, people_in
from chatroom.terminal.waker import Waker
from chatroom.terminal.words import words

_SHOWN_S: Final = 3.0  # a shorter wait before the next attempt is not worth a line
_PATIENCE_S: Final = 60.0  # without any answer, until unsent lines are given up
_CLOSE_S: Final = 3.0

OnAnswer = Callable[[Frame], None]


class LinkError(Exception):
    """The room could not be joined; the text is one line."""


class State(Enum):
    """How the connection is."""

    OPEN = auto()
    LOST = auto()  # it is being restored
    CLOSED = auto()  # by the server or by the guest: for good


class Link:
    """One guest's connection.

    Args:
        address: the chatroom's.
        room: overrides the address's.
        name: the wanted nickname.
        lang: of the server's text, of random names and of the client's own sentences.
        on_frame: called with every frame, as `ResumeState` and `Outbox` return them.
        on_state: called with the state of the connection when it changes.
        on_waiting: called with the lines that the server has not answered, whenever they change.
        hold_s: for how long messages are refused after a refused change of audience; without an end, for a script.
    """

    def __init__(
        self,
        address: Address,
        *,
        room: str | None,
        name: str | None,
        lang: str | None = None,
        on_frame: Callable[[Frame], None],
        on_state: Callable[[State], None] = lambda state: None,
        on_waiting: Callable[[tuple[str, ...]], None] = lambda texts: None,
        hold_s: float = HOLD_S,
    ) -> None:
        self._address = address
        self._on_frame = on_frame
        self._on_state = on_state
        self._on_waiting = on_waiting
        self._resume = ResumeState(room or address.room, name, lang)
        self._retries = Retries()
        self._channel: Channel | None = None
        self._acks: dict[int, OnAnswer] = {}
        self._next_ack = 0
        self._fetch_at: float | None = None
        # What other threads use as well, always under the condition:
        self._condition = threading.Condition()
        self._entered = threading.Event()  # for the first time, or never again
        self._words = words(lang)
        self._outbox = Outbox(hold_s, self._words)
        self._audience = Audience(self._words, self._outbox.expected, asks=hold_s < inf)
        self._asked: deque[tuple[Frame, OnAnswer]] = deque()
        self._last_answer_at = 0.0
        self._is_moving = False  # to another room, where nobody is known yet
        self._is_over = False
        self._is_leaving = False  # because the guest wants to
        self._thread: threading.Thread | None = None
        self._waker = Waker()

    # For every thread

    @property
    def is_over(self) -> bool:
        """Whether the connection has ended for good."""
        return self._is_over

    @property
    def was_closed_by_server(self) -> bool:
        """Whether the server has ended it unasked."""
        return self._is_over and not self._is_leaving

    @property
    def refused(self) -> int:
        """How many lines were refused, or have an unknown outcome."""
        return self._outbox.refused

    def open(self) -> None:
        """Join the room.

        Raises:
            LinkError: nothing answers there, or the server refuses the connection.
        """
        try:
            self._channel = Channel(self._address, self._resume.auth())
        except ChannelError as problem:
            raise LinkError(explain(problem, self._address.origin)) from None
        with self._condition:
            if not self._is_over:
                self._thread = threading.Thread(target=self._run, name="link", daemon=True)
                self._thread.start()
                return
        self._channel.close({"action": "logout"})  # the guest has left meanwhile

    def close(self) -> None:
        """Leave; the name is free at once. A second call does nothing."""
        with self._condition:
            self._is_over = self._is_leaving = True
            self._condition.notify_all()
        if self._thread is not None:
            self._waker.wake()
            self._thread.join(_CLOSE_S)
        if self._thread is None or not self._thread.is_alive():
            self._waker.close()

    def send(self, text: str, view: View, begun_at: float | None = None) -> None:
        """Send a text to its audience, change the audience, or run a typed command; returns at once.

        A message is sent again until the server has it, and appears once. A whisper or a command is sent once: if the
        connection is lost before its answer, the guest reads that the outcome is unknown.

        Args:
            view: what the guest sees, to resolve `to:NAME`.
            begun_at: when its first character was typed; None: now.
        """
        now = time.monotonic()
        frame: Frame | None
        with self._condition:
            held = self._outbox.hold_private(text, now)
            outcome = held or self._audience.take(text, dict(view.names), view.sid, now)
            match outcome:
                case dict():
                    frame = held
                case Deliver(said, to, confirmed, whisper):
                    if not self._outbox.lines:
                        self._last_answer_at = now
                    frame = self._outbox.add(Line(said, to, confirmed, whisper), now, begun_at)
                case NotSent(why, is_doubtful):
                    frame = self._outbox.refuse(Line(text), why, now, is_doubtful=is_doubtful)
                case AudienceChanged(text):
                    self._outbox.audience_changed()
                    frame = notice(text)
        if frame is not None:
            self._on_frame(frame)
        self._on_waiting(self.unsent())
        self._waker.wake()

    def refuse_unreadable(self, text: str) -> None:
        """Refuse a text that did not arrive as UTF-8, and what was typed with it: its recipient is unknown."""
        with self._condition:
            frame = self._outbox.refuse(
                Line(text), self._words.say("not_utf8"), time.monotonic(), is_doubtful=True
            )
        self._on_frame(frame)

    def partner(self, view: View) -> Person | None:
        """The person who receives messages; None: everyone in the room."""
        with self._condition:
            return self._audience.partner(dict(view.names))

    def check_partner(self, view: View) -> None:
        """People have joined or left: perhaps a partner who has left is back."""
        with self._condition:
            left = self._audience.session_to_ask_about(dict(view.names))
        if left is not None:
            self.ask("who", partial(self._session_found, left), sid=left)

    def _session_found(self, left: str, answer: Frame) -> None:
        """The server has answered who resumed a session that has left."""
        with self._condition:
            change = self._audience.resumed(left, answer)
            self._outbox.failed.resumed(left, answer)
        if change is not None:
            self._on_frame(notice(change.notice))

    def talk_to(self, person: Person) -> None:
        """Send messages to this person from now on."""
        with self._condition:
            self._outbox.audience_changed()
            change = self._audience.talk_to(person)
        self._on_frame(notice(change.notice))

    def wait_until_joined(self, patience_s: float = _PATIENCE_S) -> None:
        """Wait until it is known who is in the room, or the connection has ended."""
        # Not under the condition: a Ctrl-C in its `wait` could leave it locked, and `close` would hang.
        self._entered.wait(patience_s)

    def unsent(self) -> tuple[str, ...]:
        """The texts that the server has not answered, in order."""
        with self._condition:
            return tuple(line.text for line in self._outbox.lines)

    def wait_until_sent(self, at_most: int = 0, patience_s: float = _PATIENCE_S) -> bool:
        """Wait until at most so many lines are unanswered, and the guest is in the room that they joined.

        Returns:
            False if that did not happen: the connection has ended for good, or no answer has come for too long.
        """
        with self._condition:
            while (len(self._outbox.lines) > at_most or self._is_moving) and not self._is_over:
                left = self._last_answer_at + patience_s - time.monotonic()
                if left <= 0:
                    break
                self._condition.wait(left)
            return len(self._outbox.lines) <= at_most

    def ask(self, action: str, on_answer: OnAnswer, **fields: object) -> None:
        """Send a request; if the connection is lost first, the answer has `ok` false and the code `lost`."""
        with self._condition:
            self._asked.append(({"action": action, **fields}, on_answer))
        self._waker.wake()

    # The thread: connecting

    def _run(self) -> None:
        try:
            while not self._is_over:
                if self._channel is None:
                    self._reconnect()
                else:
                    self._serve(self._channel)
        finally:
            self._entered.set()
            with self._condition:
                self._is_over = True
                self._condition.notify_all()
            self._on_state(State.CLOSED)

    def _serve(self, channel: Channel) -> None:
        """Serve a connection until it is lost or no longer wanted."""
        last: Frame | None = None
        try:
            while not self._is_over:
                self._send_what_is_due()
                channel.wait(self._waker.socket, self._due_in())
                self._waker.take()
                for packet in channel.receive():
                    self._take(packet)
            last = {"action": "logout"} if self._is_leaving else None
        except (ChannelError, Overrun):
            pass  # whatever it was, the next step is to reconnect
        channel.close(last)
        self._channel = None
        self._resume.disconnected()
        self._fetch_at = None
        if not self._is_over:
            self._on_state(State.LOST)
        acks, self._acks = self._acks, {}
        for on_answer in acks.values():
            on_answer({"ok": False, "code": LOST})

    def _reconnect(self) -> None:
        """Try once, after a delay."""
        until = time.monotonic() + self._retries.next_s()
        while not self._is_over and (left := until - time.monotonic()) > 0:
            select.select([self._waker.socket], [], [], left)
            self._waker.take()
        if self._is_over:
            return
        try:
            self._channel = Channel(self._address, self._resume.auth())
        except ChannelError as problem:
            self._retries.refused(problem.retry_s)
            if is_final(problem):
                self._on_frame(notice(explain(problem, self._address.origin), "refused"))
                self._is_over = True
            elif problem.retry_s >= _SHOWN_S:
                self._on_frame(notice(self._words.say("refused_for", seconds=ceil(problem.retry_s))))

    # The thread: sending and receiving

    def _due_in(self) -> float:
        """In how many seconds there is something to send; a wake-up or a frame may come earlier."""
        now = time.monotonic()
        with self._condition:
            line_s = self._outbox.due_in(now) if self._resume.is_in else None
        fetch_s = max(0.0, self._fetch_at - now) if self._fetch_at is not None else None
        return min((seconds for seconds in (line_s, fetch_s) if seconds is not None), default=_PATIENCE_S)

    def _send_what_is_due(self) -> None:
        if not self._resume.is_in:
            return
        now = time.monotonic()
        if self._fetch_at is not None and now >= self._fetch_at:
            self._fetch()
        with self._condition:
            asked = list(self._asked)
            self._asked.clear()
            refusals = (
                self._outbox.refuse_too_long(self._resume.max_text, now) if self._resume.max_text else []
            )
            line = self._outbox.due(now) if not refusals else None
            self._condition.notify_all()
        if refusals:
            self._on_waiting(self.unsent())
        for refusal in refusals:
            self._on_frame(refusal)
        for frame, on_answer in asked:
            self._emit(frame, on_answer)
        if line is not None:
            line.sent = True
            self._emit(line.frame(), partial(self._line_answered, line))

    def _emit(self, frame: Frame, on_answer: OnAnswer) -> None:
        assert self._channel is not None  # only called while a connection is served
        self._next_ack += 1
        self._acks[self._next_ack] = on_answer
        self._channel.emit(frame, self._next_ack)

    def _line_answered(self, line: Line, answer: Frame) -> None:
        now = time.monotonic()
        with self._condition:
            self._last_answer_at = self._last_answer_at if answer.get("code") == "unavailable" else now
            refusals = self._outbox.answered(line, answer, now)
            room = joined_room(line.text) if line.to is None and answer.get("ok") else None
            self._is_moving = self._is_moving or (room is not None and not self._resume.is_at(room))
            self._condition.notify_all()
        self._resume.renamed(answer.get("token"))
        self._is_leaving = self._is_leaving or (line.is_quit and answer.get("ok") is True)
        self._on_waiting(self.unsent())
        for refusal in refusals:
            self._on_frame(refusal)

    def _take(self, packet: Packet) -> None:
        data = packet.data if isinstance(packet.data, list) else []
        if packet.kind is Kind.DISCONNECT:
            self._is_over = True
        elif packet.kind is Kind.ACK and packet.ack in self._acks:
            self._acks.pop(packet.ack)(data[0] if data and isinstance(data[0], dict) else {})
        elif packet.kind is Kind.EVENT and len(data) == 2 and isinstance(data[1], dict):
            self._received(data[1])

    def _received(self, frame: Frame) -> None:
        if frame.get("action") in ("whisper", "rename"):
            with self._condition:
                self._audience.follow(frame, time.monotonic())
        was_in = self._resume.is_in
        shown = self._resume.receive(frame)
        if shown and is_return(shown[0]):
            with self._condition:
                shown += self._outbox.came_back(people_in(frame.get("name_list")), time.monotonic())
        for each in shown:
            self._on_frame(each)
        if self._resume.is_in and not was_in:
            self._retries.joined()
            self._entered.set()
            self._on_state(State.OPEN)
        if isinstance(frame.get("you"), dict):
            with self._condition:
                self._audience.entered(str(frame.get("room")))
                self._is_moving = False
                self._condition.notify_all()
        if self._resume.is_behind and isinstance(frame.get("you"), dict):
            self._fetch()

    def _fetch(self) -> None:
        """Request what was missed beyond the welcome."""
        self._fetch_at = None
        if self._resume.is_behind:
            self._emit(self._resume.request(), self._fetched)

    def _fetched(self, answer: Frame) -> None:
        if answer.get("code") == LOST:
            return  # the next connection will fetch what was missed
        if not answer.get("ok"):
            self._fetch_at = time.monotonic() + wait_s(answer)
            return
        for frame in self._resume.catch_up(answer):
            self._on_frame(frame)
        if self._resume.is_behind:
            self._fetch()
