"""The line gateway: plain TCP text for telnet, netcat and scripts (protocol, section 2).

It accepts connections, knows the guests of each room, and encodes each announcement once for all of them. What one
guest types, and their private chats, are the connection's business.
"""

from __future__ import annotations

import logging
import secrets
import socket
from collections.abc import Callable, Sequence
from functools import partial
from typing import Final

from chatroom import runtime
from chatroom.core.errors import Refusal
from chatroom.core.events import Joined, Left, Person, Renamed, Said, Whispered, Why
from chatroom.core.log import Item
from chatroom.core.presence import PresenceLines
from chatroom.core.quoting import in_list
from chatroom.gateways.line.codec import longest_line
from chatroom.gateways.line.connection import LineConnection
from chatroom.gateways.line.interpreter import LineContext
from chatroom.gateways.line.text import first_lines, notice_line, said_line
from chatroom.gateways.words import Words
from chatroom.net.acceptor import Acceptor
from chatroom.net.audience import Audience
from chatroom.net.connection import Connection, Role
from chatroom.net.gate import Account, Gate
from chatroom.net.loop import Loop
from chatroom.net.relief import Relief, Waiting
from chatroom.net.turns import Turns
from chatroom.rooms import RoomView
from chatroom.service import Service
from chatroom.sessions import JoinRequest, Session, Welcome

log = logging.getLogger(__name__)

_SEND_BUFFER_BYTES: Final = 128 * 1024
_UNFINISHED_BYTES: Final = 16_000_000  # that and the 48 MB of other connections are 64 MB in all
_LINGER_S: Final = 5.0  # how long a terminal may take to read the last line
_FULL_S: Final = 5.0  # when to try again if all places are taken: nobody knows when one becomes free


class LineGateway:
    """Serves guests at line terminals.

    Args:
        service: the use cases.
        words: the server's sentences.
        history_entries, history_days: what the greeting says about how much is kept.
        idle_timeout_s: a guest who sends no complete line for so long is disconnected.
        outbox_limit_bytes: how much may wait for a guest who reads slowly.
        leaving_limit: how many connections may be closing at once.
        acceptor: accepts connections, and counts them.
        gate: counts the sessions of each peer's address; None if nobody does.
        relief: drops slow readers if too much waits for an address, or for all.
        group_of: the group of a peer's address; the terminals of a group have one turn together.
        monotonic: a clock in seconds.
    """

    def __init__(
        self,
        service: Service,
        words: Words,
        *,
        history_entries: int,
        history_days: float,
        idle_timeout_s: float,
        outbox_limit_bytes: int,
        leaving_limit: int,
        acceptor: Acceptor,
        gate: Gate | None = None,
        relief: Relief | None = None,
        group_of: Callable[[str], str] = str,
        monotonic: Callable[[], float],
    ) -> None:
        turns = Turns(group_of=group_of)
        relief = relief or Relief()
        relief.include(self._waiting)
        kept = "line_kept" if history_entries else "line_not_kept"
        sentence = words.say(kept, entries=history_entries, days=words.counted("days", history_days))
        self._context = LineContext(
            service=service,
            words=words,
            kept=sentence,
            max_line_bytes=longest_line(service.limits.max_text),
            idle_timeout_s=idle_timeout_s,
            monotonic=monotonic,
            call_later=runtime.call_later,
            turns=turns,
            relief=relief,
        )
        self._service = service
        self._words = words
        self._acceptor = acceptor
        self._gate = gate
        self._monotonic = monotonic
        self._loop = Loop(
            outbox_limit_bytes=outbox_limit_bytes,
            send_buffer_bytes=_SEND_BUFFER_BYTES,
            linger_s=_LINGER_S,
            leaving_limit=leaving_limit,
            turns=turns,
            unfinished_limit_bytes=_UNFINISHED_BYTES,
        )
        self._guests: dict[str, LineConnection] = {}  # by session id, from admission on
        self._rooms: dict[str, dict[str, LineConnection]] = {}  # by room, then session id
        self._audiences: dict[str, Audience] = {}  # by room, until someone joins or leaves
        self._talking: set[LineConnection] = set()  # who has a partner in a private chat
        self._presence: dict[str, PresenceLines] = {}  # by room, as long as there are guests in it
        self._listeners: list[socket.socket] = []
        acceptor.include(self.__len__)

    def __len__(self) -> int:
        """How many connections there are."""
        return len(self._loop.connections)

    # Connects and disconnects

    def open(self, listeners: Sequence[socket.socket]) -> None:
        """Start to accept connections."""
        for listener in listeners:
            self._acceptor.listen(listener, partial(runtime.begin, self._let_in))
            self._listeners.append(listener)

    def refuse_newcomers(self) -> None:
        """Accept no more connections."""
        for listener in self._listeners:
            self._acceptor.close(listener)
        self._listeners.clear()

    def disconnect_all(self) -> None:
        """Send everybody the closing notice, and close."""
        for guest in list(self._guests.values()):
            guest.disconnect("closing")

    def drained(self) -> bool:
        """Whether the kernel has everything that was sent."""
        self._loop.flush()
        return self._loop.idle()

    def _waiting(self, account: Account | None) -> list[Waiting]:
        """What waits for the guests of one account, or of all."""
        return [
            Waiting(one.account, one.outbox_bytes, partial(one.role.overflowed, one))
            for one in self._loop.connections
            if one.account is not None and (account is None or one.account is account)
        ]

    def _let_in(self, sock: socket.socket, address: str) -> None:
        connection = self._loop.attach(sock, Role(), address, reading=False)
        if not self._acceptor.make_room():
            connection.finish(notice_line(self._words.say("line_full", time=self._words.duration(_FULL_S))))
            return
        wait_s = self._gate.session_opened(address) if self._gate is not None else 0.0
        if wait_s:
            time = self._words.duration(wait_s)
            connection.finish(notice_line(self._words.say("line_too_many", time=time)))
            return
        if self._gate is not None:
            connection.charge(self._gate.account_of(address))
        try:
            self._admit(connection)
        except Refusal as refused:
            connection.finish(notice_line(self._words.refusal(refused)))
        except Exception:  # the outermost call of a session that does not exist yet
            log.exception("a terminal could not be admitted")
            connection.abort("aborted")  # or it would count forever

    def _admit(self, connection: Connection) -> None:
        sid = secrets.token_urlsafe(15)
        role = connection.role
        try:
            session = self._service.admit(sid, self, JoinRequest(lang=self._words.lang), connection.address)
        except BaseException:
            self._count_out(connection)
            raise
        if connection.role is not role:  # it has left while this was decided
            self._count_out(connection)
            self._service.leave(session, cut=False)
            return
        self._guests[sid] = LineConnection(
            connection,
            self._context,
            session,
            on_left=self._forget,
            on_cut=self._count_cut,
            on_talking=self._mark_talking,
        )

    def _count_out(self, connection: Connection) -> None:
        if self._gate is not None:
            self._gate.session_closed(connection.address)

    def _count_cut(self, guest: LineConnection) -> None:
        if self._gate is not None:
            self._gate.session_cut(guest.connection.address)

    def _forget(self, guest: LineConnection) -> None:
        if self._guests.pop(guest.session.sid, None) is not None:
            self._count_out(guest.connection)
        self._take_out(guest.room_key, guest.session.sid)
        self._talking.discard(guest)

    def _mark_talking(self, guest: LineConnection, is_talking: bool) -> None:
        if is_talking:
            self._talking.add(guest)
        else:
            self._talking.discard(guest)

    def _take_out(self, room_key: str | None, sid: str) -> None:
        guests = self._rooms.get(room_key) if room_key is not None else None
        if room_key is not None and guests is not None:
            guests.pop(sid, None)
            self._audiences.pop(room_key, None)
            if not guests:
                del self._rooms[room_key]
                del self._presence[room_key]

    # Calls from the service

    def welcome(self, session: Session, welcome: Welcome) -> None:
        guest, key = self._guests.get(session.sid), welcome.room.key
        if guest is None:
            return
        self._take_out(guest.room_key, session.sid)
        guest.greet(welcome)
        self._rooms.setdefault(key, {})[session.sid] = guest
        self._audiences.pop(key, None)
        self._presence.setdefault(key, PresenceLines()).greeted(session.sid)

    def announce(self, room: RoomView, item: Item) -> None:
        guests = self._rooms.get(room.key)
        if not guests:
            return
        event, presence = item.event, self._presence[room.key]
        match event:
            case Said(who, text):
                self._show_presence(room, presence)  # the sender's join comes before their message
                more = partial(self._words.counted, "line_more_lines")
                presence.sent(who.sid)
                line = said_line(item.at_ms, who.name, first_lines(text, more))
                sender = guests.get(who.sid)
                skipped = () if sender is None or sender.interpreter.echo else (sender.connection,)
                self._loop.publish(self._audience(room.key), line, skipped)
            case Joined(who):
                presence.joined(who.sid, who.name)
                for guest in list(self._talking):
                    if guest.room_key == room.key:
                        guest.interpreter.person_joined()
            case Left(who):
                presence.left(who.sid, who.name)
                self._take_out(room.key, who.sid)
                for guest in list(self._talking):
                    if guest.room_key == room.key:
                        guest.interpreter.person_left(who.sid)
            case Renamed(sid, old, new):
                is_known = presence.renamed(sid, new)
                line = notice_line(self._words.say("line_renamed", old=in_list(old), new=in_list(new)))
                for guest in guests.values():
                    guest.interpreter.person_renamed(sid, old, new)
                    if guest.session.sid != sid and (is_known or guest.interpreter.talks_to(sid)):
                        guest.write(line)

    def flush(self, room: RoomView) -> None:
        presence = self._presence.get(room.key)
        if presence is not None:
            self._show_presence(room, presence)

    def whisper(self, session: Session, whispered: Whispered, at_ms: int) -> None:
        guest = self._guests.get(session.sid)
        if guest is not None:
            guest.interpreter.whispered(whispered, at_ms)

    def typing(self, room: RoomView, person: Person) -> None:
        """Nothing: there is no line for it."""

    def ended(self, session: Session, why: Why) -> None:
        guest = self._guests.get(session.sid)
        if guest is not None:
            guest.disconnect("replaced" if why is Why.REPLACED else "closing")

    def _audience(self, room_key: str) -> Audience:
        """The terminals that receive what happens in a room."""
        audience = self._audiences.get(room_key)
        if audience is None:
            guests = self._rooms[room_key].values()
            audience = self._audiences[room_key] = Audience([guest.connection for guest in guests])
        return audience

    # Joins and leaves

    def _show_presence(self, room: RoomView, presence: PresenceLines) -> None:
        """Show who joined and left, if it is due; otherwise later."""
        now = self._monotonic()
        due_s = presence.due_in(now)
        if due_s is None:
            return
        if due_s > 0:
            if not presence.is_scheduled:
                presence.is_scheduled = True
                runtime.call_later(due_s, self._presence_is_due, room, presence)
            return
        changes, groups = presence.take(now), dict[int, list[Connection]]()
        for sid, guest in self._rooms[room.key].items():
            groups.setdefault(changes.greeted.get(sid, 0), []).append(guest.connection)
        for after, connections in groups.items():
            text = changes.text(self._words, len(room.roster), after)
            if text:
                audience = self._audience(room.key) if len(groups) == 1 else Audience(connections)
                self._loop.publish(audience, notice_line(text))

    def _presence_is_due(self, room: RoomView, presence: PresenceLines) -> None:
        presence.is_scheduled = False
        if self._presence.get(room.key) is presence:
            self._show_presence(room, presence)
