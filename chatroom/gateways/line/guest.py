"""Somebody at a line terminal, from the greeting to the farewell.

It ties a connection to a session: the connection has the bytes, the intake the pace, the interpreter the meaning. It
knows who receives what, and when the session ends; it knows nothing of the texts.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import partial
from typing import Any, Protocol

from chatroom.core.errors import Refusal
from chatroom.core.events import Whispered
from chatroom.gateways.line.codec import Overlong
from chatroom.gateways.line.connection import LineConnection
from chatroom.gateways.line.intake import Intake
from chatroom.gateways.line.interpreter import HISTORY_SHOWN, Interpreter, Setting
from chatroom.gateways.line.text import first_lines, history_lines, notice_line
from chatroom.net.connection import Connection
from chatroom.sessions import Hall, Session, Welcome

log = logging.getLogger(__name__)


class House(Protocol):
    """What a guest needs of the gateway."""

    def settle(self, guest: LineGuest, hall: Hall) -> None:
        """From now on the guest is told what happens in this room."""

    def forget(self, guest: LineGuest) -> None:
        """The guest has gone."""

    def mark_talking(self, guest: LineGuest, is_talking: bool) -> None:
        """The guest talks, or no longer talks, to somebody privately."""


class LineGuest:
    """A guest: the owner of a connection, the taker of an intake, the host of an interpreter. Nothing in it waits.

    Args:
        idle_timeout_s: who has sent no whole line for so long is sent away.

    Attributes:
        room_key: where the guest is told what happens; None before the greeting.
    """

    __slots__ = (
        "_has_left",
        "_house",
        "_idle_timeout_s",
        "_intake",
        "_interpreter",
        "_is_greeted",
        "_peer",
        "_setting",
        "room_key",
        "session",
    )

    def __init__(
        self,
        setting: Setting,
        house: House,
        peer: LineConnection,
        session: Session,
        idle_timeout_s: float,
    ) -> None:
        self._setting = setting
        self._house = house
        self._peer = peer
        self._intake = Intake(peer, self, setting.monotonic, self._call_later)
        self._interpreter = Interpreter(setting, self, session)
        self._is_greeted = False
        self._has_left = False
        self._idle_timeout_s = idle_timeout_s
        self.room_key: str | None = None
        self.session = session
        peer.owner = self
        peer.expect_line(idle_timeout_s)

    # What the peer tells

    def received(self) -> None:
        self._guard(self._intake.received)

    def ended(self) -> None:
        self._guard(self._intake.ended)

    def caught_up(self) -> None:
        self._guard(self._intake.go_on)

    def lost(self) -> None:
        self._guard(self._leave)

    def fell_behind(self) -> None:
        self._guard(partial(self.send_away, "line_slow", drop=True))

    def idled(self) -> None:
        self._guard(partial(self.send_away, "line_idle"))

    def _call_later(self, seconds: float, step: Callable[[], None]) -> Any:
        return self._setting.call_later(seconds, self._guard, step)

    def _guard(self, step: Callable[[], None]) -> None:
        try:
            step()
        except Exception:  # the outermost loop of a session: its fault must spare the others
            log.exception("a line session failed and is closed")
            self._leave()
            self._peer.abort()

    # What the intake asks

    @property
    def may_take(self) -> bool:
        return self._interpreter.may_take and not self._peer.is_behind

    @property
    def is_settled(self) -> bool:
        return self._interpreter.is_settled

    def spend(self) -> None:
        self._setting.service.spend_event(self.session)

    def take(self, line: str | Overlong, arrived_at: float) -> None:
        self._peer.expect_line(self._idle_timeout_s)
        self._interpreter.take(line, arrived_at)

    def refused(self, refused: Refusal) -> None:
        self._interpreter.answer(refused)

    def told_to_slow_down(self, lines: int, seconds: float) -> None:
        limits = self._setting.service.limits
        rate = limits.speaking or limits.events  # lines are messages, or cost less
        if rate is not None:
            seconds += max(0, lines - 1) / rate.per_second
        self._notice("line_too_fast", time=self._setting.words.duration(seconds))

    def input_over(self, *, in_mid_line: bool) -> None:
        if in_mid_line:
            # Half a line may be half a thought, or a name without the rest of it: it is not said.
            self._notice("line_unfinished")
        self._leave()
        self._peer.finish()

    # What the interpreter asks

    def show(self, line: bytes) -> None:
        """Show an encoded line."""
        self._peer.write(line)

    def settled(self) -> None:
        # Not at once: it may be the feed that calls.
        self._call_later(0, self._intake.go_on)

    def mark_talking(self, is_talking: bool) -> None:
        self._house.mark_talking(self, is_talking)

    # What the gateway tells

    @property
    def connection(self) -> Connection:
        """Where lines that are the same for many may be published."""
        return self._peer.connection

    @property
    def hears_oneself(self) -> bool:
        """Whether one's own lines are shown again."""
        return self._interpreter.echo

    def talks_to(self, sid: str) -> bool:
        """Whether the guest talks to this session privately."""
        partner = self.session.talk.partner
        return partner is not None and partner.sid == sid

    def welcome(self, welcome: Welcome) -> None:
        """The guest is in a room: greet, and take what was typed meanwhile."""
        words, count, room = self._setting.words, len(welcome.hall.roster), welcome.hall.name
        is_first, self._is_greeted = not self._is_greeted, True
        if is_first:
            here = words.counted("people_here", count)
            self._notice("line_greeting", room=room, here=here, name=welcome.person.name)
            self.show(notice_line(self._setting.kept))
        else:
            self._notice("line_in_room", room=room, count=count)
        shown = partial(first_lines, more=partial(words.counted, "line_more_lines"))
        for line in history_lines(welcome.page.entries[-HISTORY_SHOWN:], shown):
            self.show(line)
        if is_first:
            self._notice("line_how")  # the last line of the greeting, so that scripts know its end
        self._house.settle(self, welcome.hall)
        self._interpreter.arrived()
        self.settled()

    def hear(self, whispered: Whispered, at_ms: int) -> None:
        """A whisper that the guest has sent or received."""
        self._interpreter.hear(whispered, at_ms)

    def person_joined(self) -> None:
        """Somebody has joined the room."""
        self._interpreter.person_joined()

    def person_left(self, sid: str) -> None:
        """Somebody is no longer in the room."""
        self._interpreter.person_left(sid)

    def person_renamed(self, sid: str, name: str) -> None:
        """Somebody has another name."""
        self._interpreter.person_renamed(sid, name)

    def send_away(self, key: str, *, drop: bool = False) -> None:
        """Leave with one of the server's sentences.

        Args:
            drop: throw away what still waits to be shown.
        """
        self._leave()
        self._peer.finish(notice_line(self._setting.words.say(key)), drop=drop)

    def _leave(self) -> None:
        self._intake.stop()
        if not self._has_left:
            self._has_left = True
            self._house.forget(self)
            self._setting.service.leave(self.session, cut=False)

    def _notice(self, key: str, **values: object) -> None:
        self.show(notice_line(self._setting.words.say(key, **values)))
