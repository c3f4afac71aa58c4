"""All sessions, and the calls of the application's handlers: connects, messages and disconnects, in order per session.

It knows sessions and handlers; how packets travel is the transports' business.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final

from chatroom import runtime
from chatroom.engine import reasons
from chatroom.engine.heartbeat import Heartbeat
from chatroom.engine.packets import PacketError
from chatroom.engine.session import Session
from chatroom.net.faults import describe
from chatroom.net.gate import Account, Gate
from chatroom.net.keepalive import was_reset
from chatroom.net.loop import Loop
from chatroom.net.newcomers import Newcomers
from chatroom.net.relief import Relief, Waiting

log = logging.getLogger(__name__)

_MESSAGES_PER_TURN: Final = 16
_TURN_S: Final = 0.001  # for a session's messages; then the others get their turn
_SHARE: Final = 1 / 500  # of a core: a session that takes more goes last, for half a second at most
_ADDRESS_LAST_S: Final = 1.0  # the same for all sessions of an address, whose times add up: at most so long
_RETRY_S: Final = 5.0  # when a client may try again if there is no room


class NoSessionError(Exception):
    """A client cannot have a session now, but perhaps after `retry_s`; `by_address`: its address has too many."""

    def __init__(self, retry_s: float, *, by_address: bool) -> None:
        super().__init__("no session")
        self.retry_s = retry_s
        self.by_address = by_address


class Sessions:
    """The sessions of one engine, from the handshake until the application knows of the end.

    Args:
        loop: where their connections live.
        handlers: the application's, by "connect", "message" and "disconnect".
        ping_interval_s: how often a client is pinged.
        ping_timeout_s: how long a client may take to answer.
        outbox_limit_bytes: what may wait for a client.
        outbox_limit_packets: the same in packets.
        meter: measures their computing time.
        gate: counts the sessions of each client address; None if nobody does.
        relief: drops slow readers if too much waits for an address, or for all.
        max_sessions: how many there may be at once; None for any number.
        group_of: the group of a client's address; of the newcomers, the largest group makes room first.

    Attributes:
        by_id: those that are open.
        admission_timeout_s: how long a session may live without being admitted; None means forever.
        relief: drops slow readers, as above.
        on_change: called when a session changes its transport or is closed, and when the application knows of its end.
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
        meter: runtime.Meter | None = None,
        gate: Gate | None = None,
        relief: Relief | None = None,
        max_sessions: int | None = None,
        group_of: Callable[[str], str] = str,
    ) -> None:
        self.loop = loop
        self.by_id: dict[str, Session] = {}
        self.admission_timeout_s: float | None = None
        self.relief = relief or Relief()
        self.relief.include(self._waiting)
        self.on_change: Callable[[Session], None] | None = None
        self._handlers = handlers
        self._outbox_limit_bytes = outbox_limit_bytes
        self._outbox_limit_packets = outbox_limit_packets
        self._gate = gate
        self._max_sessions = max_sessions
        self._newcomers: Newcomers[Session] = Newcomers(group_of)
        self._first: dict[Account, Session] = {}  # of each address, the session that goes first
        self._heartbeat = Heartbeat(self.by_id, ping_interval_s, ping_timeout_s, end=self.end)
        self._meter = meter or runtime.Meter(time.monotonic, time.thread_time)
        self._lane: runtime.Lane[Session | Callable[[], None]] = runtime.Lane(self._work, meter=self._meter)

    # ------------------------------------------------------------------ the beginning

    def create(self, sid: str, client: str) -> Session:
        """Create a session; the application does not know it yet.

        Raises:
            NoSessionError: this client may have none now.
        """
        wait_s = self._gate.session_opened(client) if self._gate is not None else 0.0
        if wait_s:
            raise NoSessionError(wait_s, by_address=True)
        if not self._make_room():
            self._count_out(client)
            raise NoSessionError(_RETRY_S, by_address=False)
        session = self.by_id[sid] = Session(
            sid,
            client,
            outbox_limit_bytes=self._outbox_limit_bytes,
            outbox_limit_packets=self._outbox_limit_packets,
        )
        if self._gate is not None:
            session.account = self._gate.account_of(client)
        self._newcomers.add(session, client)
        return session

    def _waiting(self, account: Account | None) -> list[Waiting]:
        """What waits for the clients of one account, or of all."""
        return [
            Waiting(session.account, session.transport.waiting_bytes, partial(self._drop_slow, session))
            for session in self.by_id.values()
            if session.account is not None and (account is None or session.account is account)
        ]

    def _drop_slow(self, session: Session) -> None:
        connection = session.transport.connection
        if connection is not None:
            connection.abort(reasons.SLOW_READER)
        else:
            self.end(session, reasons.SLOW_READER)

    def _make_room(self) -> bool:
        """Make room for one more, if need be by ending one that has not been admitted."""
        if self._max_sessions is None or len(self.by_id) < self._max_sessions:
            return True
        first = self._newcomers.first()
        if first is None:
            return False
        self.end(first, reasons.SERVER_FULL)
        return True

    def connect(self, session: Session, environ: dict[str, Any]) -> bool:
        """Ask the application, which may wait; False if it refuses the session, or has disconnected it meanwhile."""
        handler = self._handlers.get("connect")
        if handler is None:
            return True
        accepted: Any = False
        try:
            accepted = handler(session.sid, environ)
        except Exception as problem:
            # The outermost place that a handshake reaches: one log line, and it is refused.
            log.error("a connect handler failed: %s", describe(problem))
        if accepted is not None and accepted is not True:
            self._forget(session)
            session.refuse()
        return not session.closed

    def begin(self, session: Session) -> None:
        """The application has accepted the session: its deadlines begin."""
        self._heartbeat.begin(session, self.admission_timeout_s)
        if self.admission_timeout_s is None:
            self.admit(session)

    def admit(self, session: Session) -> None:
        """The session has connected a namespace, or needs none: it and its WebSocket are not closed to make room."""
        session.admit()
        session.served(time.monotonic(), _TURN_S / _SHARE)  # so a crowd's first messages go last
        self._newcomers.remove(session)
        self.keep_connection(session)

    def keep_connection(self, session: Session) -> None:
        """If the session has been admitted, its WebSocket is not closed to make room."""
        connection = session.transport.connection
        if session.admitted and connection is not None:
            connection.unlist()

    # ------------------------------------------------------------------ for the transports

    def pong_received(self, session: Session) -> bool:
        """The client has answered a ping, or pretends to; False if it must be ended for pretending."""
        if self._heartbeat.pong_received(session):
            return True
        account = session.account
        return self.may_waste(session) and not (account is not None and account.owes_time(time.monotonic()))

    def may_waste(self, session: Session) -> bool:
        """Count a useless packet; False if the session must be ended, because it or its address sent too many."""
        now, account = time.monotonic(), session.account
        has_room = account is None or not account.waste(1, now)
        return session.may_waste(now) and has_room

    def may_waste_frames(self, session: Session, count: int) -> bool:
        """Count useless frames, as WebSocket clients have some reason to send.

        If all of an address sent too many, each may only send as many as of useless packets; False if it sent more.
        """
        now, account = time.monotonic(), session.account
        return account is None or not account.waste(count, now) or session.may_waste(now, count)

    def upgraded(self, session: Session) -> None:
        """A WebSocket has become the session's transport."""
        self._heartbeat.upgraded(session)
        self.keep_connection(session)
        self.changed(session)

    def changed(self, session: Session) -> None:
        """The session has another transport, which changes the audiences of its rooms."""
        if self.on_change is not None:
            self.on_change(session)

    def schedule(self, session: Session) -> None:
        """Have the session's inbox handled. Those that have joined, and took little time lately, go first.

        Of one address's sessions only one does at a time: many of them together delay nobody else.
        """
        now, account = time.monotonic(), session.account
        if not session.schedule(now):
            return
        if not session.admitted or now < session.last_until:
            self._put_last(session)
        elif account is None:
            self._lane.put(session)
        elif account in self._first or now < account.last_until:
            self._put_last(session)
        else:
            self._first[account] = session
            self._lane.put(session)

    def _put_last(self, session: Session) -> None:
        """Have its inbox handled after the others', one session of each address after the other."""
        self._lane.put_last(session, session.client if session.account is None else session.account)

    def call_soon(self, call: Callable[[], None]) -> None:
        """Call `call` in the lane, after what is there already. It must not raise."""
        self._lane.put(call)

    def call_last(self, call: Callable[[], None]) -> None:
        """Call `call` in the lane, when there is nothing else to do, or after a while. It must not raise."""
        self._lane.put_last(call)

    def after_read(self, session: Session, call: Callable[[], None]) -> None:
        """Call `call` once all that the client has sent by now is handled; never if the session ends before."""
        # In the lane after what this turn of the loop reads, and then in the inbox.
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
        start = self._meter.begin()
        began = now = start[0]
        for _ in range(_MESSAGES_PER_TURN):
            message = session.next_message()
            if message is None:
                break
            try:
                if callable(message):
                    message()
                elif handler is not None and handler(session.sid, message) is False and session.closed:
                    session.drop_inbox()  # the others would be refused as well, and nobody gets the answers
            except Exception as problem:
                # The outermost place that a message reaches: one log line, this session ends, the others go on.
                self._failed(session, problem)
            now = time.monotonic()
            if now > began + _TURN_S or not session.inbox:
                break
        took_s = now - began
        if took_s > _TURN_S:  # perhaps another program ran meanwhile
            took_s = min(_TURN_S, self._meter.took_s(start))
        session.served(now, took_s / _SHARE)
        account = session.account
        if account is not None:
            until = account.last_until
            if until < now:
                until = now
            account.last_until = min(until + took_s / _SHARE, now + _ADDRESS_LAST_S)
            if self._first.get(account) is session:
                del self._first[account]
        if session.may_read_more:
            session.transport.resume()
        if session.end_batch():
            connection = session.transport.connection
            if connection is not None and not connection.closed and was_reset(connection.sock):
                # A read would show it only after all that was sent before.
                connection.abort(reasons.TRANSPORT_ERROR)
            self._put_last(session)
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
        """Let the application know, once, that a session is over."""
        if not session.report():
            return
        handler = self._handlers.get("disconnect")
        if handler is not None:
            try:
                handler(session.sid, session.closed_because)
            except Exception as problem:
                # The outermost place, as above.
                log.error("a disconnect handler failed: %s", describe(problem))
        self.changed(session)

    # ------------------------------------------------------------------ the end

    def end(self, session: Session, reason: str, *, keep_inbox: bool = False) -> None:
        """End a session, whatever its state, and let the application know.

        Args:
            session: the session.
            reason: for the disconnect handler.
            keep_inbox: whether the messages that came before are still handled, as when the client disconnected; those
                of a session that has connected no namespace never are.
        """
        if not session.close(reason, keep_inbox=keep_inbox and session.admitted):
            return
        if reason == reasons.FLOOD and self._gate is not None:
            self._gate.session_cut(session.client)
        self._forget(session)
        self._heartbeat.end(session)
        self.changed(session)
        self.schedule(session)

    def _forget(self, session: Session) -> None:
        if self.by_id.pop(session.sid, None) is not None:
            self._newcomers.remove(session)
            self._count_out(session.client)

    def _count_out(self, client: str) -> None:
        if self._gate is not None:
            self._gate.session_closed(client)
