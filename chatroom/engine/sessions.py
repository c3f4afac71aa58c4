"""All sessions, and what the application learns of them: connects, messages and disconnects, each session's in order.

It knows sessions and handlers; how packets come and go is the transports' business.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final

from chatroom import runtime
from chatroom.engine import reasons
from chatroom.engine.heartbeat import Heartbeat
from chatroom.engine.packets import PacketError
from chatroom.engine.session import Session
from chatroom.net.faults import describe
from chatroom.net.loop import Loop

log = logging.getLogger(__name__)

_MESSAGES_A_TURN: Final = 16


class Sessions:
    """The sessions of one engine, from the handshake until the application knows of the end.

    Args:
        loop: where their connections live.
        handlers: the application's, by "connect", "message" and "disconnect".
        ping_interval_s: how often a client is pinged.
        ping_timeout_s: how long a client may take to answer.
        outbox_limit_bytes: what may wait for a client.
        outbox_limit_packets: the same in packets.

    Attributes:
        by_id: those that live.
        admission_timeout_s: how long a session may live without being admitted; None for ever.
        on_moved: called when a session has another transport or is closed, and when the application knows of its end.
    """

    def __init__(
        self,
        loop: Loop,
        handlers: Mapping[str, Callable[..., Any]],
        *,
        ping_interval_s: float,
        ping_timeout_s: float,
        outbox_limit_bytes: int,
        outbox_limit_packets: int,
    ) -> None:
        self.loop = loop
        self.by_id: dict[str, Session] = {}
        self.admission_timeout_s: float | None = None
        self.on_moved: Callable[[Session], None] | None = None
        self._handlers = handlers
        self._outbox_limit_bytes = outbox_limit_bytes
        self._outbox_limit_packets = outbox_limit_packets
        self._heartbeat = Heartbeat(self.by_id, ping_interval_s, ping_timeout_s, end=self.end)
        self._lane: runtime.Lane[Session | Callable[[], None]] = runtime.Lane(self._work)

    # ------------------------------------------------------------------ the beginning

    def create(self, sid: str) -> Session:
        """A session that nobody knows yet but the list of all."""
        session = self.by_id[sid] = Session(
            sid,
            outbox_limit_bytes=self._outbox_limit_bytes,
            outbox_limit_packets=self._outbox_limit_packets,
        )
        return session

    def connect(self, session: Session, environ: dict[str, Any]) -> bool:
        """Ask the application, which may wait; False if it does not take the session, or has sent it away meanwhile."""
        handler = self._handlers.get("connect")
        if handler is None:
            return True
        accepted: Any = False
        try:
            accepted = handler(session.sid, environ)
        except Exception as problem:
            # The outermost place that a handshake reaches: one line, and it is refused.
            log.error("a connect handler failed: %s", describe(problem))
        if accepted is not None and accepted is not True:
            self.by_id.pop(session.sid, None)
            session.refuse()
        return not session.closed

    def begin(self, session: Session) -> None:
        """The application has accepted the session: its deadlines begin."""
        self._heartbeat.begin(session, self.admission_timeout_s)

    # ------------------------------------------------------------------ what the transports tell

    def ponged(self, session: Session) -> None:
        """The client has answered a ping, or pretends to."""
        self._heartbeat.ponged(session)

    def moved(self, session: Session) -> None:
        """The session has another transport: whoever emits to its rooms must know."""
        if self.on_moved is not None:
            self.on_moved(session)

    def schedule(self, session: Session) -> None:
        """Have the session's inbox looked at."""
        if session.schedule():
            self._lane.put(session)

    def soon(self, call: Callable[[], None]) -> None:
        """Call `call` in the lane, behind what is there already. It must not raise."""
        self._lane.put(call)

    def after_read(self, session: Session, call: Callable[[], None]) -> None:
        """Call `call` once all that the client has sent by now is handled; never if the session ends before."""
        # In the lane behind what this turn of the loop reads, and then in the inbox.
        runtime.call_soon(lambda: self._lane.put(partial(self._call_after_inbox, session, call)))

    def _call_after_inbox(self, session: Session, call: Callable[[], None]) -> None:
        if not session.closed:
            session.deliver(partial(self._call_or_read, session, call))
            self.schedule(session)

    def _call_or_read(self, session: Session, call: Callable[[], None]) -> None:
        connection = session.transport.connection
        if connection is not None and connection.has_unread:  # more than one read brings
            self.after_read(session, call)
        else:
            call()

    # ------------------------------------------------------------------ the application, in the lane

    def _work(self, item: Session | Callable[[], None]) -> None:
        if isinstance(item, Session):
            self._serve(item)
        else:
            item()

    def _serve(self, session: Session) -> None:
        """Give the application some of what a session has for it, in order."""
        handler = self._handlers.get("message")
        for _ in range(_MESSAGES_A_TURN):
            message = session.next_message()
            if message is None:
                break
            if not callable(message) and handler is not None:
                message = partial(handler, session.sid, message)
            if callable(message):
                try:
                    message()
                except Exception as problem:
                    # The outermost place that a message reaches: one line, this session ends, the others go on.
                    self._failed(session, problem)
        if session.takes_more:
            session.transport.resume()
        if session.rest():
            self._lane.put(session)
        elif session.closed:
            self._report(session)

    def _failed(self, session: Session, problem: Exception) -> None:
        if isinstance(problem, PacketError):
            log.info("a session was closed: %s", problem)
            self.end(session, reasons.PROTOCOL_ERROR)
        else:
            log.error("a message handler failed, its session is closed: %s", describe(problem))
            self.end(session, reasons.HANDLER_ERROR)

    def _report(self, session: Session) -> None:
        """Tell the application that a session is over, once."""
        if not session.report():
            return
        handler = self._handlers.get("disconnect")
        if handler is not None:
            try:
                handler(session.sid, session.closed_because)
            except Exception as problem:
                # The outermost place, as above.
                log.error("a disconnect handler failed: %s", describe(problem))
        self.moved(session)

    # ------------------------------------------------------------------ the end

    def end(self, session: Session, reason: str, *, heard_out: bool = False) -> None:
        """End a session, whatever its state, and tell the application.

        Args:
            session: the session.
            reason: for the disconnect handler.
            heard_out: whether the messages that came before still count, as when the client said goodbye.
        """
        if not session.close(reason, heard_out=heard_out):
            return
        self.by_id.pop(session.sid, None)
        self._heartbeat.end(session)
        self.moved(session)
        self.schedule(session)
