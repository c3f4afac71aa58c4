"""The heartbeat: pings, and the end of sessions whose clients do not answer or never connect a namespace.

It knows the deadlines of the Engine.IO protocol ("Heartbeat"); how a session is ended is its caller's business.
"""

from __future__ import annotations

import random
import time
from collections import deque
from collections.abc import Mapping
from typing import Protocol

from chatroom import runtime
from chatroom.engine import packets, reasons
from chatroom.engine.session import Session, State
from chatroom.net.deadlines import Deadlines

_BATCH_S = 0.05  # sessions that are due within this time are checked together


class EndSession(Protocol):
    """How a session is ended."""

    def __call__(self, session: Session, reason: str) -> None: ...


class Heartbeat:
    """Watches every session from its opening to its end.

    Args:
        sessions: those that are open, by id.
        interval_s: how often a client is pinged; each ping comes a little early, at random, so that a burst of connects
            does not become a burst of pings.
        timeout_s: how long a client may take to answer.
        end: ends a session.
    """

    def __init__(
        self,
        sessions: Mapping[str, Session],
        interval_s: float,
        timeout_s: float,
        *,
        end: EndSession,
    ) -> None:
        self._sessions = sessions
        self._interval_s = interval_s
        self._timeout_s = timeout_s
        self._end = end
        tick_s = min(0.5, max(0.005, min(interval_s, timeout_s) / 40))
        self._heartbeats: Deadlines[Session] = Deadlines(tick_s, self._due)
        self._unadmitted: deque[tuple[float, str, float]] = deque()  # when, which session, time to add once

    def begin(self, session: Session, admission_s: float | None) -> None:
        """Watch a session; unless None, `admission_s` is how long it may live without being admitted."""
        self._expect_ping(session)
        if admission_s is not None:
            self._unadmitted.append((time.monotonic() + admission_s, session.sid, admission_s))
            if len(self._unadmitted) == 1:
                runtime.call_later(admission_s, self._admission_due)

    def pong_received(self, session: Session) -> bool:
        """The client has answered a ping; False if none was sent."""
        was_sent = session.pong_received()
        if was_sent:
            self._expect_ping(session)
        return was_sent

    def upgraded(self, session: Session) -> None:
        """The session has another transport; a ping that waited for it goes out only now."""
        if session.awaiting_pong:
            self._heartbeats.put(session, self._timeout_s)

    def end(self, session: Session) -> None:
        """The session is over."""
        self._heartbeats.drop(session)

    def _expect_ping(self, session: Session) -> None:
        self._heartbeats.put(session, self._interval_s * random.uniform(0.75, 0.9))

    def _due(self, session: Session) -> None:
        if session.closed:
            return
        if not session.awaiting_pong:
            session.ping_sent()
            session.transport.send(packets.PING)
        # While a WebSocket takes over, which has a deadline of its own, a client neither polls nor answers.
        elif session.state is not State.PROBING and not _may_have_unread_pong(session):
            self._end(session, reasons.PING_TIMEOUT)
            return
        self._heartbeats.put(session, self._timeout_s)

    def _admission_due(self) -> None:
        waiting, now = self._unadmitted, time.monotonic()
        try:
            while waiting and waiting[0][0] <= now + _BATCH_S:
                _, sid, extra_s = waiting.popleft()
                session = self._sessions.get(sid)
                if session is None or session.admitted:
                    continue
                # On a slow link, its CONNECT comes after the upgrade.
                if extra_s and session.state is State.PROBING:
                    waiting.append((now + extra_s, sid, 0.0))
                else:
                    self._end(session, reasons.CONNECT_TIMEOUT)
        finally:
            if waiting:
                runtime.call_later(max(0.0, waiting[0][0] - now), self._admission_due)


def _may_have_unread_pong(session: Session) -> bool:
    """Whether a pong may be waiting that this server has not read."""
    return session.paused or not session.transport.reading
