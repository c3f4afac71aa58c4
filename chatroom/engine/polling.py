"""HTTP long-polling: the transport of a client that receives by GET and sends by POST.

It knows Engine.IO's payloads (its protocol document, "HTTP long-polling"), and requests whose session is known.
"""

from __future__ import annotations

import time
from functools import lru_cache, partial
from typing import Final

from chatroom import runtime
from chatroom.engine import packets, reasons
from chatroom.engine.bounds import Bound
from chatroom.engine.exchange import Exchange
from chatroom.engine.final_payloads import FinalPayloads
from chatroom.engine.http_connection import HttpConnection
from chatroom.engine.packets import PacketError
from chatroom.engine.refusals import BAD_REQUEST, UNKNOWN_SESSION, refuse
from chatroom.engine.session import Outcome, Session, State
from chatroom.engine.sessions import Sessions
from chatroom.engine.transport import Packet
from chatroom.net.connection import Connection

# python-engineio's client takes more in one payload for an attack, and disconnects.
PAYLOAD_PACKETS: Final = 16

_PING: Final = packets.PING.encode()
_POSTS: Final = Bound(burst=64, per_second=40.0)  # of one session; clients put what waits into one


class Polling:
    """The transport of one client that polls, and of every client until its handshake is answered.

    Args:
        session: the session that it carries.
        sessions: all sessions.
        final_payloads: keeps what is sent after the session's end.
    """

    __slots__ = (
        "_final_payloads",
        "_is_late",
        "_kept",
        "_outbox",
        "_poll",
        "_post",
        "_post_is_early",
        "_posts_full_at",
        "_sender",
        "_sessions",
        "session",
        "waiting_bytes",
    )

    connection = None

    def __init__(self, session: Session, sessions: Sessions, final_payloads: FinalPayloads) -> None:
        self.session = session
        self._sessions = sessions
        self._final_payloads = final_payloads
        self._kept: tuple[Connection, ...] = ()  # which are not closed to make room
        self._outbox: list[bytes] = []  # packets for the next poll
        self._poll: Exchange | None = None  # the GET that waits
        self._is_late = False  # the next answer waits for its turn
        self._post: Exchange | None = None  # the POST whose answer waits until its messages are handled
        self._post_is_early = False  # and until it is time for the next
        self._posts_full_at = 0.0
        self._sender: Connection | None = None  # over which the last body came, or is coming
        self.waiting_bytes = 0

    # ------------------------------------------------------------------ to the client

    def send(self, packet: Packet) -> None:
        if packet == packets.NOOP:  # it only releases a waiting poll
            self._answer(packets.NOOP.encode())
            return
        text = packet if isinstance(packet, str) else packets.message_text(packet)
        if not self._enqueue(_encoded(text)):
            self._sessions.end(self.session, reasons.SLOW_READER)
        elif self._poll is not None and (len(self._outbox) == 1 or (self._is_late and self._is_full)):
            self._sessions.loop.at_end_of_turn(self._flush)

    def _enqueue(self, packet: bytes) -> bool:
        """Queue a packet for the next poll; False if too much waits.

        A ping goes first: behind a queue that takes many polls, it would not be answered in time.
        """
        fits = self._has_room()
        self._count(len(packet))
        if packet == _PING:
            self._outbox.insert(0, packet)
        else:
            self._outbox.append(packet)
        return fits

    def _count(self, change: int) -> None:
        """So many bytes more wait, or less."""
        self.waiting_bytes += change
        account = self.session.account
        if account is not None and not account.hold(change) and change > 0:
            self._sessions.relief.relieve(account)

    @property
    def unread_bytes(self) -> int:
        # A quarter of what may wait is on its way with the answer to a poll, but not whatever else one turn adds to it.
        on_the_way = 0 if self._poll is None else self.session.limit_bytes // 4
        return max(0, self.waiting_bytes - on_the_way)

    def _has_room(self) -> bool:
        """The bound in bytes is on what waits behind the first message, which may have any length."""
        if self.waiting_bytes > self.session.limit_bytes:
            first = next((packet for packet in self._outbox if packet != _PING), b"")
            if self.waiting_bytes - len(first) > self.session.limit_bytes:
                return False
        return len(self._outbox) < self.session.limit_packets

    def _flush(self) -> None:
        """Answer the waiting poll with what there is for it."""
        if self._has_answer and self._may_answer():
            self._answer(self.take_payload())

    @property
    def _has_answer(self) -> bool:
        return self._poll is not None and bool(self._outbox) and self.session.state is State.POLLING

    def _may_answer(self) -> bool:
        """Count an answer with packets; after too many for its address, it waits and gathers more, until it is full."""
        account = self.session.account
        if account is None:
            return True
        if self._is_late and not self._is_full:
            return False
        wait_s = account.answer_wait_s(time.monotonic())
        if wait_s and not self._is_late and not self._is_full:
            self._is_late = True
            runtime.call_later(wait_s, self._turn_has_come)
            return False
        return True

    @property
    def _is_full(self) -> bool:
        """Whether what waits fills a payload, or half of what may wait."""
        return len(self._outbox) >= PAYLOAD_PACKETS or 2 * self.waiting_bytes > self.session.limit_bytes

    def _turn_has_come(self) -> None:
        self._is_late = False
        if self._has_answer:
            self._answer(self.take_payload())

    def _answer(self, payload: bytes) -> None:
        """Answer the waiting poll, if there is one."""
        poll, self._poll = self._poll, None
        if poll is not None:
            poll.respond(200, payload)

    def take_payload(self) -> bytes:
        """The body for a poll; what does not fit into one payload waits for the next polls."""
        return packets.join_payload(self._take_packets())

    def _take_packets(self) -> list[bytes]:
        now, self._outbox = self._outbox[:PAYLOAD_PACKETS], self._outbox[PAYLOAD_PACKETS:]
        self._count(-sum(map(len, now)))
        return now

    def raise_limit(self, limit_bytes: int) -> None:
        """Only the session's limit counts."""

    # ------------------------------------------------------------------ requests

    def _keep(self, connection: Connection) -> None:
        """If the client has joined, the connection is not closed to make room, nor the one that it used before."""
        if not self.session.admitted:
            return
        connection.unlist()
        if connection not in self._kept:
            dropped, self._kept = self._kept[:-1], (*self._kept[-1:], connection)
            self._let_go(dropped)

    def _let_go(self, connections: tuple[Connection, ...]) -> None:
        for connection in connections:
            connection.list_as_newcomer(self.session.client)

    def get(self, exchange: Exchange) -> None:
        """A poll: answered at once, or as soon as there is something for it."""
        self._keep(exchange.connection)
        exchange.http.expect_same_headers(exchange.request)
        if exchange.hung_up:
            exchange.abandon()
            self._sessions.end(self.session, reasons.TRANSPORT_CLOSE)
        elif self.session.state is State.PROBING:
            exchange.respond(200, packets.NOOP.encode())
        elif self._poll is not None:
            refuse(exchange, BAD_REQUEST)
            self._sessions.end(self.session, reasons.PROTOCOL_ERROR)
        elif self._outbox and self._may_answer():
            exchange.respond(200, self.take_payload())
        else:
            self._poll = exchange
            exchange.request.forget_headers()
            exchange.on_hangup = self._get_hung_up

    def _get_hung_up(self, exchange: Exchange) -> None:
        """The peer has cancelled the poll that waited: the session ends (protocol, "HTTP long-polling")."""
        if self._poll is exchange:
            self._poll = None
            self._sessions.end(self.session, reasons.TRANSPORT_CLOSE, keep_inbox=True)
        exchange.abandon()

    def takes_body(self, connection: Connection) -> bool:
        """Whether to read a body from this connection: only if none is on the way over another."""
        sender = self._sender
        if sender is not None and sender is not connection:
            role = sender.role
            if isinstance(role, HttpConnection) and role.is_reading_body:
                return False
        self._sender = connection
        return True

    def post(self, exchange: Exchange) -> None:
        """Take packets from the client; the answer waits while too many of its messages do, or if it posts too often.

        Bodies are handled in the order in which they become complete.
        """
        self._keep(exchange.connection)
        session, sessions = self.session, self._sessions
        try:
            if self._post is not None:
                raise PacketError("two POSTs at once")
            for kind, data in packets.parse_payload(exchange.request.body):
                outcome = session.receive(kind, data, self)
                if outcome is Outcome.PONG:
                    if not sessions.pong_received(session):
                        sessions.end(session, reasons.FLOOD)
                        break
                elif outcome is Outcome.CLOSE:
                    # A poll that was sent before this may be in the same turn of the loop, and after it.
                    sessions.call_soon(
                        partial(sessions.end, session, reasons.CLIENT_DISCONNECT, keep_inbox=True)
                    )
                    break
        except PacketError:
            refuse(exchange, BAD_REQUEST)
            sessions.end(session, reasons.PROTOCOL_ERROR)
            return
        if session.closed:
            refuse(exchange, BAD_REQUEST)
        elif self._has_posted_too_often() or session.overfull:
            self._post = exchange
            exchange.request.forget_headers()
            exchange.on_hangup = self._post_hung_up
        else:
            exchange.respond(200, b"ok")
        if session.inbox:
            sessions.schedule(session)

    def _has_posted_too_often(self) -> bool:
        """Count a POST. To read it costs more than what is in it: so nothing is read before the next may come."""
        account = self.session.account
        if account is None:
            return False
        now = time.monotonic()
        self._posts_full_at = _POSTS.taken(1, self._posts_full_at, now)
        wait_s = max(_POSTS.late_s(self._posts_full_at, now), account.post_wait_s(now))
        if wait_s:
            self._post_is_early = True
            runtime.call_later(wait_s, self._next_may_come)
        return self._post_is_early

    def _next_may_come(self) -> None:
        self._post_is_early = False
        if self.session.may_read_more:
            self._answer_post()

    def _post_hung_up(self, exchange: Exchange) -> None:
        exchange.abandon()
        if self._post is exchange:
            self._post = None

    @property
    def reading(self) -> bool:
        return self._post is None

    def pause(self) -> None:
        """Nothing to do: a POST gets no answer while too many messages wait, and that pauses the client."""

    def resume(self) -> None:
        if not self._post_is_early:
            self._answer_post()

    def _answer_post(self) -> None:
        post, self._post = self._post, None
        if post is not None:
            post.respond(200, b"ok")

    # ------------------------------------------------------------------ the end

    def hand_over(self) -> list[Packet]:
        self._answer(packets.NOOP.encode())
        self._answer_post()
        self._let_go(self._kept)
        waiting, self._outbox = self._outbox, []
        self._count(-self.waiting_bytes)
        texts = (packet.decode() for packet in waiting)
        return [packets.parse_base64(text[1:]) if text[:1] == "b" else text for text in texts]

    def close(self, reason: str) -> None:
        """Let the client know that its session is over: by its poll, or by the next ones if something waits.

        A CLOSE packet says that the server does not want the client: python-socketio's client does not reconnect then.
        A client that lost its connection should reconnect, and does so after a 400.

        The last messages and the CLOSE go by two polls: client libraries deliver a message a moment after they have
        read it, and one that reads a CLOSE in the same payload has dropped its handlers by then.
        """
        self._send_final_payloads(reason)
        self._outbox.clear()
        self._count(-self.waiting_bytes)
        self._answer_post()
        self._let_go(self._kept)

    def _send_final_payloads(self, reason: str) -> None:
        if reason == reasons.CLIENT_DISCONNECT:
            self._answer(packets.NOOP.encode())
            return
        payloads: list[list[bytes]] = []
        while self._outbox and reason in (
            reasons.SERVER_DISCONNECT,
            reasons.TRANSPORT_CLOSE,
            reasons.FLOOD,
        ):
            payloads.append(self._take_packets())
        if reason == reasons.SERVER_DISCONNECT or (
            reason == reasons.PROTOCOL_ERROR and self._poll is not None
        ):
            payloads.append([packets.CLOSE.encode()])
        if self._poll is not None:
            if payloads:
                self._answer(packets.join_payload(payloads.pop(0)))
            else:
                poll, self._poll = self._poll, None
                refuse(poll, UNKNOWN_SESSION)
        if payloads:
            self._final_payloads.keep(self.session.sid, payloads, self.session.account)


def forget_encoded() -> None:
    """Forget the packets that were encoded last."""
    _encoded.cache_clear()


@lru_cache(maxsize=16)
def _encoded(packet: str) -> bytes:
    """A packet as it is sent: one and the same for all who receive it, however long it waits for them.

    As text, one character beyond Latin-1 would double what all others take in memory, or more.
    """
    return packet.encode()
