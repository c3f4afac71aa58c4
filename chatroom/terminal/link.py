"""A guest's connection to a chatroom that comes back by itself.

It knows threads, moments and when to try again. What was missed is `place`'s business, what is still to be said
`speech`'s, and how bytes travel `channel`'s. One thread does everything, one thing after another; frames are told
from there, in their order.
"""

from __future__ import annotations

import random
import select
import threading
import time
from collections import deque
from collections.abc import Callable
from enum import Enum, auto
from functools import partial
from typing import Final

from chatroom.core.events import Person
from chatroom.terminal.address import Address
from chatroom.terminal.audience import Audience, Deliver, NotSent, Turned, joined_room
from chatroom.terminal.channel import Channel, ChannelError, Kind, Packet, explain, is_final
from chatroom.terminal.place import Frame, Overrun, Place
from chatroom.terminal.speech import HOLD_S, LOST, Line, Speech, wait_s
from chatroom.terminal.view import View
from chatroom.terminal.waker import Waker

_FIRST_DELAY_S: Final = 0.5  # before coming back; doubled each time in vain
_LAST_DELAY_S: Final = 10.0
_PATIENCE_S: Final = 60.0  # without any answer, until what is unsaid is given up
_CLOSE_S: Final = 3.0
_NOT_UTF8: Final = "It did not arrive as UTF-8. Set your terminal, or what writes the text, to UTF-8."

Answered = Callable[[Frame], None]


class LinkError(Exception):
    """The chatroom cannot be entered; the text is one line."""


class State(Enum):
    """How the connection is."""

    OPEN = auto()
    LOST = auto()  # it will come back
    CLOSED = auto()  # by the server or by us: for good


class Link:
    """One guest's connection.

    Args:
        address: where to.
        room: overrides the address's.
        name: the wanted nickname.
        lang: of the server's text and of random names.
        hear: is told every frame, as `Place` and `Speech` give them.
        changed: is told how the connection is.
        waits: is told which lines the server has not answered to, whenever that changes.
        hold_s: for how long after a refused change of audience messages are refused.
    """

    def __init__(
        self,
        address: Address,
        *,
        room: str | None,
        name: str | None,
        lang: str | None = None,
        hear: Callable[[Frame], None],
        changed: Callable[[State], None] = lambda state: None,
        waits: Callable[[tuple[str, ...]], None] = lambda texts: None,
        hold_s: float = HOLD_S,
    ) -> None:
        self._address = address
        self._hear = hear
        self._changed = changed
        self._waits = waits
        self._place = Place(room or address.room, name, lang)
        self._delay_s = _FIRST_DELAY_S
        self._channel: Channel | None = None
        self._acks: dict[int, Answered] = {}
        self._next_ack = 0
        self._fetch_at: float | None = None
        # What other threads touch as well: all of it under the condition.
        self._moved = threading.Condition()
        self._entered = threading.Event()  # for the first time, or never again
        self._speech = Speech(hold_s)
        self._audience = Audience()
        self._namesake: str | None = None  # that the server is, or was, asked about
        self._asked: deque[tuple[Frame, Answered]] = deque()
        self._answered_at = 0.0
        self._is_moving = False  # to another room, where nobody is known yet
        self._is_over = False
        self._leaves = False  # by our own will
        self._thread: threading.Thread | None = None
        self._waker = Waker()

    # For everybody

    @property
    def is_over(self) -> bool:
        """Whether the connection has ended for good."""
        return self._is_over

    @property
    def was_dismissed(self) -> bool:
        """Whether it was the server that has ended it, without being asked."""
        return self._is_over and not self._leaves

    @property
    def refused(self) -> int:
        """How many lines the server would not take, or nobody knows of."""
        return self._speech.refused

    def open(self) -> None:
        """Enter the room.

        Raises:
            LinkError: nobody answers there, or the server does not let us in.
        """
        try:
            self._channel = Channel(self._address, self._place.auth())
        except ChannelError as problem:
            raise LinkError(explain(problem, self._address.origin)) from None
        with self._moved:
            if not self._is_over:
                self._thread = threading.Thread(target=self._live, name="link", daemon=True)
                self._thread.start()
                return
        self._channel.close({"action": "logout"})  # the guest has not waited for this

    def close(self) -> None:
        """Leave; the name is free at once. A second time does nothing."""
        with self._moved:
            self._is_over = self._leaves = True
            self._moved.notify_all()
        if self._thread is not None:
            self._waker.wake()
            self._thread.join(_CLOSE_S)
        if self._thread is None or not self._thread.is_alive():
            self._waker.close()

    def say(self, text: str, view: View, begun_at: float | None = None) -> None:
        """Send a text to its audience, change the audience, or run a typed command; returns at once.

        A message is sent again until the server has it, and said once. A whisper or a command is sent once: if the
        connection is lost before its answer, the guest reads that the outcome is unknown.

        Args:
            view: what the guest sees, by which `to:NAME` is understood.
            begun_at: when the first of it was typed; None: now.
        """
        now = time.monotonic()
        told: Frame | None
        with self._moved:
            held = self._speech.hold_private(text, now)
            outcome = held or self._audience.take(text, dict(view.names), view.sid)
            match outcome:
                case dict():
                    told = held
                case Deliver(said, to, confirmed):
                    if not self._speech.lines:
                        self._answered_at = now
                    told = self._speech.add(Line(said, to, confirmed), now, begun_at)
                case NotSent(why, is_doubtful):
                    told = self._speech.refuse(Line(text), why, now, is_doubtful=is_doubtful)
                case Turned(notice):
                    self._speech.turned()
                    told = _notice(notice)
        if told is not None:
            self._hear(told)
        self._waits(self.unsaid())
        self._waker.wake()

    def refuse_unreadable(self, text: str) -> None:
        """Refuse a text that did not arrive as UTF-8, and what was typed with it: nobody can tell whom it was for."""
        with self._moved:
            told = self._speech.refuse(Line(text), _NOT_UTF8, time.monotonic(), is_doubtful=True)
        self._hear(told)

    def partner(self, view: View) -> Person | None:
        """Whom messages go to; None: everyone in the room."""
        with self._moved:
            return self._audience.partner(dict(view.names))

    def recognise(self, view: View) -> None:
        """People have joined or left: perhaps a partner who has left is back."""
        names = dict(view.names)
        with self._moved:
            partner, namesake = self._audience.partner(names), self._audience.namesake(names)
            is_news = namesake is not None and namesake != self._namesake
            self._namesake = namesake
        if partner is not None and is_news:
            self.ask("who", partial(self._met, partner.sid), sid=partner.sid)

    def _met(self, left: str, answer: Frame) -> None:
        """The server has said who goes on with a session that has left."""
        sid, name = answer.get("sid"), answer.get("username")
        if isinstance(sid, str) and isinstance(name, str):
            with self._moved:
                turned = self._audience.goes_on(left, Person(sid, name))
            if turned is not None:
                self._hear(_notice(turned.notice))
        elif answer.get("code") != "no_such_person":
            with self._moved:
                self._namesake = None  # it is not known: the next frame asks again

    def turn_to(self, person: Person) -> None:
        """Have messages go to this person from now on."""
        with self._moved:
            self._speech.turned()
            notice = self._audience.turn_to(person).notice
        self._hear(_notice(notice))

    def wait_until_in(self, patience_s: float = _PATIENCE_S) -> None:
        """Wait until it is known who is in the room, or the connection has ended."""
        # Not under the condition: a Ctrl-C in its `wait` could leave it locked, and `close` would hang.
        self._entered.wait(patience_s)

    def unsaid(self) -> tuple[str, ...]:
        """What the server has not answered to, in its order."""
        with self._moved:
            return tuple(line.text for line in self._speech.lines)

    def wait_until_said(self, at_most: int = 0, patience_s: float = _PATIENCE_S) -> bool:
        """Wait until all but so many lines are answered to, and the guest is in the room that they joined.

        Returns:
            False if they are not: the connection has ended for good, or no answer has come for too long.
        """
        with self._moved:
            while (len(self._speech.lines) > at_most or self._is_moving) and not self._is_over:
                left = self._answered_at + patience_s - time.monotonic()
                if left <= 0:
                    break
                self._moved.wait(left)
            return len(self._speech.lines) <= at_most

    def ask(self, action: str, answered: Answered, **fields: object) -> None:
        """Ask for something; if the connection is lost first, the answer has `ok` false and the code `lost`."""
        with self._moved:
            self._asked.append(({"action": action, **fields}, answered))
        self._waker.wake()

    # The thread: staying, and coming back

    def _live(self) -> None:
        try:
            while not self._is_over:
                if self._channel is None:
                    self._come_back()
                else:
                    self._stay(self._channel)
        finally:
            self._entered.set()
            with self._moved:
                self._is_over = True
                self._moved.notify_all()
            self._changed(State.CLOSED)

    def _stay(self, channel: Channel) -> None:
        """Serve a connection until it is lost or not wanted any more."""
        last: Frame | None = None
        try:
            while not self._is_over:
                self._send_what_is_due()
                channel.wait(self._waker.socket, self._due_in())
                self._waker.take()
                for packet in channel.receive():
                    self._take(packet)
            last = {"action": "logout"} if self._leaves else None
        except (ChannelError, Overrun):
            pass  # whatever it was, the way is to come back
        channel.close(last)
        self._channel = None
        self._place.lose()
        self._fetch_at = None
        if not self._is_over:
            self._changed(State.LOST)
        acks, self._acks = self._acks, {}
        for answered in acks.values():
            answered({"ok": False, "code": LOST})

    def _come_back(self) -> None:
        """Try once, after a while."""
        until = time.monotonic() + self._delay_s * random.uniform(0.75, 1.25)
        while not self._is_over and (left := until - time.monotonic()) > 0:
            select.select([self._waker.socket], [], [], left)
            self._waker.take()
        if self._is_over:
            return
        self._delay_s = min(2 * self._delay_s, _LAST_DELAY_S)
        try:
            self._channel = Channel(self._address, self._place.auth())
        except ChannelError as problem:
            if is_final(problem):
                words = explain(problem, self._address.origin)
                self._hear({"action": "notice", "username": "*", "msg": words, "code": "refused"})
                self._is_over = True

    # The thread: asking and being answered

    def _due_in(self) -> float:
        """In how many seconds there is something to send; a wake or a frame comes earlier."""
        now = time.monotonic()
        with self._moved:
            line_s = self._speech.due_in(now) if self._place.is_in else None
        fetch_s = max(0.0, self._fetch_at - now) if self._fetch_at is not None else None
        return min((seconds for seconds in (line_s, fetch_s) if seconds is not None), default=_PATIENCE_S)

    def _send_what_is_due(self) -> None:
        if not self._place.is_in:
            return
        now = time.monotonic()
        if self._fetch_at is not None and now >= self._fetch_at:
            self._fetch()
        with self._moved:
            asked = list(self._asked)
            self._asked.clear()
            refusals = self._speech.refuse_too_long(self._place.max_text, now) if self._place.max_text else []
            line = self._speech.due(now) if not refusals else None
            self._moved.notify_all()
        if refusals:
            self._waits(self.unsaid())
        for refusal in refusals:
            self._hear(refusal)
        for frame, answered in asked:
            self._emit(frame, answered)
        if line is not None:
            line.sent = True
            self._emit(line.frame(), partial(self._said, line))

    def _emit(self, frame: Frame, answered: Answered) -> None:
        assert self._channel is not None  # only a connection's own loop comes here
        self._next_ack += 1
        self._acks[self._next_ack] = answered
        self._channel.emit(frame, self._next_ack)

    def _said(self, line: Line, answer: Frame) -> None:
        now = time.monotonic()
        with self._moved:
            self._answered_at = now
            refusals = self._speech.answered(line, answer, now)
            room = joined_room(line.text) if line.to is None and answer.get("ok") else None
            self._is_moving = self._is_moving or (room is not None and not self._place.is_at(room))
            self._moved.notify_all()
        self._place.renamed(answer.get("token"))
        self._leaves = self._leaves or (line.is_quit and answer.get("ok") is True)
        self._waits(self.unsaid())
        for refusal in refusals:
            self._hear(refusal)

    def _take(self, packet: Packet) -> None:
        data = packet.data if isinstance(packet.data, list) else []
        if packet.kind is Kind.DISCONNECT:
            self._is_over = True
        elif packet.kind is Kind.ACK and packet.ack in self._acks:
            self._acks.pop(packet.ack)(data[0] if data and isinstance(data[0], dict) else {})
        elif packet.kind is Kind.EVENT and len(data) == 2 and isinstance(data[1], dict):
            self._heard(data[1])

    def _heard(self, frame: Frame) -> None:
        was_in = self._place.is_in
        for told in self._place.hear(frame):
            self._hear(told)
        if self._place.is_in and not was_in:
            self._delay_s = _FIRST_DELAY_S
            self._entered.set()
            self._changed(State.OPEN)
        if isinstance(frame.get("you"), dict):
            with self._moved:
                self._is_moving = False
                self._moved.notify_all()
        if self._place.is_behind and isinstance(frame.get("you"), dict):
            self._fetch()

    def _fetch(self) -> None:
        """More was missed than the welcome holds."""
        self._fetch_at = None
        if self._place.is_behind:
            self._emit(self._place.request(), self._fetched)

    def _fetched(self, answer: Frame) -> None:
        if answer.get("code") == LOST:
            return  # what was missed is another connection's business now
        if not answer.get("ok"):
            self._fetch_at = time.monotonic() + wait_s(answer)
            return
        for told in self._place.catch_up(answer):
            self._hear(told)
        if self._place.is_behind:
            self._fetch()


def _notice(text: str) -> Frame:
    """What the client itself has to say, as a frame."""
    return {"action": "notice", "username": "*", "msg": text, "code": "audience"}
