"""The line gateway: plain TCP text for telnet, netcat and scripts (protocol, section 2).

It accepts, keeps the guests of each room together, and encodes what the room is told once for all of them. What one
guest types and talks of privately is the guest's own matter.
"""

from __future__ import annotations

import logging
import secrets
import socket
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from chatroom import runtime
from chatroom.core.errors import Refusal
from chatroom.core.events import Joined, Left, Person, Renamed, Said, Whispered
from chatroom.core.log import Item
from chatroom.gateways.disguise import in_list
from chatroom.gateways.line_guest import LineGuest
from chatroom.gateways.line_interpreter import Setting
from chatroom.gateways.line_peer import Peer, Turn
from chatroom.gateways.line_presence import BURST_S, SMALL_ROOM, Burst
from chatroom.gateways.line_text import first_lines, notice_line, said_line
from chatroom.gateways.words import Words
from chatroom.service import Service
from chatroom.sessions import Hall, Session, Welcome, Wish

log = logging.getLogger(__name__)

_SWEEP_S: Final = 0.5  # how often deadlines are looked at
_ACCEPT_PAUSE_S: Final = 0.5  # when the system has no descriptor left
_ACCEPTS_A_TURN: Final = 64
_REFUSED_AT_ONCE: Final = 32  # connections beyond the most that are told why they are refused


class LineGateway:
    """Serves guests at line terminals.

    Args:
        service: the use cases.
        words: the server's sentences.
        limits: `history_entries` and `history_days` say in the greeting what is kept.
        idle_timeout_s: who has sent no whole line for so long is sent away; half a line does not count.
        outbox_limit_bytes: how much may wait for a guest who reads slowly.
        max_connections: how many are served at once.
        elsewhere: how many connections of others count towards that.
        monotonic: a clock in seconds.
    """

    def __init__(
        self,
        service: Service,
        words: Words,
        limits: Mapping[str, Any],
        *,
        idle_timeout_s: float,
        outbox_limit_bytes: int,
        max_connections: int,
        elsewhere: Callable[[], int],
        monotonic: Callable[[], float],
    ) -> None:
        kept = "line_kept" if limits["history_entries"] else "line_not_kept"
        sentence = words.say(kept, entries=limits["history_entries"], days=limits["history_days"])
        self._setting = Setting(service, words, sentence, monotonic, runtime.call_later)
        self._service = service
        self._words = words
        self._idle_timeout_s = idle_timeout_s
        self._outbox_limit_bytes = outbox_limit_bytes
        self._max_connections = max_connections
        self._elsewhere = elsewhere
        self._monotonic = monotonic
        self._turn = Turn()
        self._peers: dict[Peer, LineGuest | None] = {}
        self._guests: dict[str, LineGuest] = {}  # by session id, from admission on
        self._halls: dict[str, dict[str, LineGuest]] = {}  # by room, then session id: who is told
        self._talking: set[LineGuest] = set()  # who has a partner in a private talk
        self._bursts: dict[str, Burst] = {}
        self._doors: dict[socket.socket, runtime.Listener | None] = {}

    def __len__(self) -> int:
        """How many connections there are."""
        return len(self._peers)

    # Coming and going

    def open(self, listeners: Sequence[socket.socket]) -> None:
        """Begin to accept."""
        for listener in listeners:
            self._open_door(runtime.raw_socket(listener))
        if listeners:
            runtime.call_later(_SWEEP_S, self._sweep)

    def refuse_newcomers(self) -> None:
        """Take nobody in any more."""
        for door, listener in self._doors.items():
            if listener is not None:
                runtime.remove_listener(listener)
            door.close()
        self._doors.clear()

    def send_away_all(self) -> None:
        """Tell everybody that the server goes, and close."""
        for guest in list(self._guests.values()):
            guest.send_away("closing")

    def drained(self) -> bool:
        """Whether every farewell has been handed to the kernel."""
        return all(peer.flushed for peer in self._peers)

    def _open_door(self, door: socket.socket) -> None:
        self._doors[door] = runtime.add_reader(door.fileno(), lambda _fileno: self._accept(door))

    def _reopen_door(self, door: socket.socket) -> None:
        if door in self._doors:
            self._open_door(door)

    def _accept(self, door: socket.socket) -> None:
        for _ in range(_ACCEPTS_A_TURN):
            try:
                accepted = runtime.accept(door)
            except OSError as problem:
                # Who waits goes on waiting; without a pause the loop would ask again and again.
                log.warning("cannot accept a line connection: %s", problem.strerror)
                listener = self._doors[door]
                if listener is not None:
                    runtime.remove_listener(listener)
                self._doors[door] = None
                runtime.call_later(_ACCEPT_PAUSE_S, self._reopen_door, door)
                return
            if accepted is None:
                return
            try:
                self._let_in(accepted[0])
            except OSError:
                accepted[0].close()  # gone before it could be greeted
            except Exception:  # whatever is wrong with one newcomer, the door must stay open for the next
                log.exception("a line connection could not be served")
                accepted[0].close()

    def _let_in(self, sock: socket.socket) -> None:
        count = len(self._peers) + self._elsewhere()
        if count >= self._max_connections + _REFUSED_AT_ONCE:
            sock.close()
            return
        peer = Peer(sock, self._turn, self._monotonic, self._outbox_limit_bytes)
        is_full = count >= self._max_connections
        self._peers[peer] = None
        if is_full:
            peer.finish(notice_line(self._words.say("line_full")))
            return
        sid = secrets.token_urlsafe(15)
        try:
            session = self._service.admit(sid, self, Wish())
        except Refusal as refused:
            peer.finish(notice_line(self._words.refusal(refused)))
            return
        guest = LineGuest(self._setting, self, peer, session)
        peer.owner = guest
        self._peers[peer] = self._guests[sid] = guest
        self._service.enter(session)

    def _sweep(self) -> None:
        """Look at the deadlines of all; ten thousand take a few milliseconds."""
        runtime.call_later(_SWEEP_S, self._sweep)
        now = self._monotonic()
        for peer, guest in list(self._peers.items()):
            if peer.closed:
                del self._peers[peer]
            elif now > peer.deadline:
                peer.abort()
                del self._peers[peer]
            elif guest is not None and not peer.finishing and now - guest.active_at > self._idle_timeout_s:
                guest.send_away("line_idle")

    # What guests need

    def settle(self, guest: LineGuest, hall: Hall) -> None:
        self._take_out(guest.room_key, guest.session.sid)
        guest.room_key = hall.key
        self._halls.setdefault(hall.key, {})[guest.session.sid] = guest

    def forget(self, guest: LineGuest) -> None:
        self._guests.pop(guest.session.sid, None)
        self._take_out(guest.room_key, guest.session.sid)
        self._talking.discard(guest)

    def mark_talking(self, guest: LineGuest, is_talking: bool) -> None:
        if is_talking:
            self._talking.add(guest)
        else:
            self._talking.discard(guest)

    def _take_out(self, room_key: str | None, sid: str) -> None:
        guests = self._halls.get(room_key) if room_key is not None else None
        if room_key is not None and guests is not None:
            guests.pop(sid, None)
            if not guests:
                del self._halls[room_key]

    # What the service tells

    def welcome(self, session: Session, welcome: Welcome) -> None:
        guest = self._guests.get(session.sid)
        if guest is not None:
            guest.welcome(welcome)

    def tell(self, hall: Hall, item: Item) -> None:
        guests = self._halls.get(hall.key)
        if not guests:
            return
        event = item.event
        match event:
            case Said(who, text):
                line = said_line(item.at_ms, who.name, first_lines(text, self._more_lines))
                speaker = guests.get(who.sid)
                for guest in guests.values():
                    if guest is not speaker or guest.hears_oneself:
                        guest.show(line)
            case Joined(who):
                self._burst(hall).came(who)
                self._told(hall)
            case Left(who):
                self._take_out(hall.key, who.sid)
                for guest in list(self._talking):
                    if guest.room_key == hall.key:
                        guest.person_left(who.sid)
                self._burst(hall).went(who)
                self._told(hall)
            case Renamed(sid, old, new):
                self._tell_burst(hall)
                line = notice_line(self._words.say("line_renamed", old=in_list(old), new=in_list(new)))
                for guest in guests.values():
                    guest.person_renamed(sid, new)
                    if guest.session.sid != sid:
                        guest.show(line)

    def _more_lines(self, count: int) -> str:
        return self._words.say("line_more_line" if count == 1 else "line_more_lines", count=count)

    def flush(self, hall: Hall) -> None:
        """Nothing: what a turn of the loop has for a terminal leaves at its end."""

    def whisper(self, session: Session, whispered: Whispered, at_ms: int) -> None:
        guest = self._guests.get(session.sid)
        if guest is not None:
            guest.hear(whispered, at_ms)

    def typing(self, hall: Hall, person: Person) -> None:
        """Nothing: it makes no line."""

    def replaced(self, session: Session) -> None:
        guest = self._guests.get(session.sid)
        if guest is not None:
            guest.send_away("replaced")

    # Comings and goings

    def _burst(self, hall: Hall) -> Burst:
        return self._bursts.setdefault(hall.key, Burst())

    def _told(self, hall: Hall) -> None:
        if len(hall.roster) <= SMALL_ROOM:
            self._tell_burst(hall)
        elif not self._bursts[hall.key].is_due:
            self._bursts[hall.key].is_due = True
            runtime.call_later(BURST_S, self._tell_burst, hall)

    def _tell_burst(self, hall: Hall) -> None:
        burst = self._bursts.pop(hall.key, None)
        guests = self._halls.get(hall.key)
        if burst is None or not guests:
            return
        for line, people in burst.lines(self._words, len(hall.roster)):
            for sid, guest in guests.items():
                if sid not in people:
                    guest.show(line)
