"""The Socket.IO gateway: the one event `msg`, both ways (protocol, section 1).

It parses requests and checks their shape, asks the service, and encodes each announcement once per kind of client. It
knows python-socketio and the wire, and neither the rules of a room nor the disk.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from time import thread_time

import socketio.exceptions

from chatroom import runtime
from chatroom.core.budgets import Kind
from chatroom.core.conduct import ENOUGH, Verdict
from chatroom.core.errors import BadRequest, RateLimited, Refusal, TooLong
from chatroom.core.events import Joined, Left, Person, Renamed, Said, Talk, Whispered, Why
from chatroom.core.log import Item
from chatroom.core.names import LOBBY, parse_name, parse_room
from chatroom.engine import reasons
from chatroom.engine.fanout import Fanout
from chatroom.engine.server import Engine, EngineOptions
from chatroom.engine.strict import Ack, StrictServer, no_ack
from chatroom.gateways.socketio import wire
from chatroom.gateways.socketio.guest import EVENT, NAMESPACE, Groups, Guest, known_language, words_in
from chatroom.gateways.socketio.presence import Presence, groups
from chatroom.gateways.socketio.replies import Replies
from chatroom.gateways.socketio.requests import MAX_COMMAND, Requests
from chatroom.gateways.socketio.talks import Talks
from chatroom.gateways.words import WORDS, Words
from chatroom.rooms import RoomView
from chatroom.service import Service
from chatroom.sessions import JoinRequest, Session, Welcome

_READ_S = 0.00003  # computing time that an event takes until it is refused unread, about


class SocketIOGateway:
    """Serves `msg` on a Socket.IO server of its own.

    Args:
        service: the use cases.
        words: the server's sentences for clients that ask for no language.
        limits: what a page must know, sent as `you.limits`.
        connect_timeout_s: how long a client may take for its Socket.IO CONNECT.
        monotonic: a clock in seconds.
        meter: measures the computing time of events; by default the engine's.

    Attributes:
        engine: the server's Engine.IO server, which takes requests.
    """

    def __init__(
        self,
        service: Service,
        words: Words,
        limits: Mapping[str, object],
        *,
        connect_timeout_s: float,
        engine_options: EngineOptions,
        monotonic: Callable[[], float],
        now_ms: Callable[[], int],
        call_later: Callable[[float, Callable[[], None]], runtime.Timer],
        meter: runtime.Meter | None = None,
    ) -> None:
        self._service = service
        longest = service.limits.max_text + MAX_COMMAND
        self._server = StrictServer(
            client_manager=Fanout(connect_timeout_s=connect_timeout_s, on_connected=self._on_connected),
            on_event=self._on_event,
            on_bad_event=self._on_bad_event,
            may_read=self._may_read,
            may_connect=self._may_connect,
            max_event=wire.max_event(longest),
            on_long_event=self._on_long_event,
            max_commas=wire.max_commas(longest),
            takes_binary=False,
            **engine_options,
        )
        self.engine: Engine = self._server.eio
        self._words = words
        self._limits = limits
        self._now_ms = now_ms
        self._guests: dict[str, Guest] = {}
        self._meter = meter or self.engine.meter
        self._began = self._meter.begin()  # when the event that is being handled was read
        self._presence = Presence(
            self._emit,
            self._server.has_recipients,
            call_later,
            self.engine.loop.when_written,
            thread_time,
            monotonic,
        )
        self._groups = Groups(self._server)
        self._replies = Replies(self._emit, monotonic=monotonic, now_ms=now_ms)
        self._talks = Talks(service, self.engine, self._replies, monotonic=monotonic, call_later=call_later)
        self._requests = Requests(
            service,
            self.engine,
            replies=self._replies,
            talks=self._talks,
            groups=self._groups,
            words=words,
            names=self._presence.names,
            log_out=self._log_out,
            monotonic=monotonic,
        )
        self._server.on("connect", self._on_connect, namespace=NAMESPACE)
        self._server.on("disconnect", self._on_disconnect, namespace=NAMESPACE)

    # Connects and disconnects

    def _on_connect(self, sid: str, environ: Mapping[str, str], data: object) -> None:
        """Admit or refuse a client; nothing is sent from here, since the CONNECT packet comes after."""
        words, client = self._words, environ["REMOTE_ADDR"]
        quota = self._service.quota_of(client)
        try:
            try:
                auth = wire.read_auth(data)
                words = words_in(auth.lang, self._words)
                request = JoinRequest(
                    room=parse_room(auth.room) if auth.room is not None else LOBBY,
                    username=parse_name(auth.username) if auth.username is not None else None,
                    token=auth.token,
                    after=auth.after,
                    keeps_name=auth.v is not None,
                    lang=known_language(auth.lang),
                )
            finally:
                quota.charge_cpu(self._meter.took_s(self._began))
            session = self._service.admit(sid, self, request, client, quota)
        except Refusal as refused:
            raise _refused(refused, words) from None
        kind = "seed" if auth.v is None else auth.roster or "full"
        eio_sid = self._server.manager.eio_sid_from_sid(sid, NAMESPACE)
        assert eio_sid is not None  # as long as this handler runs
        self._guests[sid] = Guest(session, words, kind, eio_sid)

    def _may_connect(self, environ: Mapping[str, str], size: int) -> None:
        """Count a CONNECT before its data are decoded."""
        quota = self._service.quota_of(environ["REMOTE_ADDR"])
        try:
            quota.spend_event(size)
            if size > wire.MAX_AUTH:
                raise BadRequest
        except Refusal as refused:
            quota.charge_cpu(_READ_S)
            raise _refused(refused, self._words) from None
        self._began = self._meter.begin()

    def _on_connected(self, sid: str, namespace: str) -> None:
        """The client has its CONNECT packet: it may join."""
        guest = self._guests.get(sid)
        if guest is not None:
            self._service.enter(guest.session)

    def _on_disconnect(self, sid: str, reason: str) -> None:
        guest = self._guests.get(sid)
        if guest is not None:
            self._forget(guest)
            guest.unanswered.clear()
            self._service.leave(guest.session, cut=True)

    def _log_out(self, guest: Guest) -> None:
        self._talks.answer_all(guest)
        self._forget(guest)
        self._service.log_out(guest.session)
        self._server.disconnect(guest.session.sid)

    def _forget(self, guest: Guest) -> None:
        guest.is_gone = True
        del self._guests[guest.session.sid]
        self._talks.forget(guest)

    def warn_all(self) -> list[str]:
        """Send everybody the closing notice; returns their connections, which are to be closed next."""
        now = self._now_ms()
        frames = {
            lang: wire.frame(wire.notice("closing", words.say("closing"), now, {}))
            for lang, words in WORDS.items()
        }
        for sid, guest in self._guests.items():
            self._talks.answer_all(guest)
            self._emit(frames[guest.words.lang], sid)
        return [guest.eio_sid for guest in self._guests.values()]

    # Requests

    def _may_read(self, sid: str, ack: Ack, size: int) -> bool:
        """Count an event before its data is decoded; one that comes too soon is refused unread."""
        guest = self._guests.get(sid)
        if guest is None:
            return False  # it has just logged out
        has_backlog = self.engine.has_backlog(guest.eio_sid)
        try:
            guest.session.quota.spend_event(size)
            if has_backlog:
                guest.session.quota.refuse_backlog()
        except RateLimited as refused:
            began = self._meter.begin()
            # What waits comes too soon as well.
            waiting = ENOUGH if has_backlog else self.engine.waiting_messages(guest.eio_sid)
            self._refuse_flood(guest, ack, refused, self._talks.hold_for_other_room, waiting)
            guest.session.quota.charge_cpu(self._meter.took_s(began) + _READ_S)
            return False
        self._began = self._meter.begin()
        return True

    def _refuse_flood(
        self,
        guest: Guest,
        ack: Ack,
        refused: RateLimited,
        refuse: Callable[[Guest, Ack, Refusal], None],
        waiting: int = 0,
    ) -> None:
        """Refuse what comes too fast; a session that goes on like that is silenced, then cut."""
        quota = guest.session.quota
        verdict, refused = quota.refused(refused, waiting)
        match verdict:
            case Verdict.CUT:
                self.engine.close(guest.eio_sid, reasons.FLOOD)
            case Verdict.WARN:
                self._replies.notice(guest, refused.code, guest.words.say("silenced"), refused.params)
                refuse(guest, ack, refused)
            case Verdict.REFUSE:
                refuse(guest, ack if quota.may_answer() else no_ack, refused)

    def _on_event(self, sid: str, event: str, arguments: Sequence[object], ack: Ack) -> None:
        """Handle an event; the answer goes to `ack`, now or once the message is stored."""
        if event != EVENT:
            self._on_bad_event(sid, ack)
            return
        guest = self._guests.get(sid)
        if guest is None:
            return  # it has just logged out
        began = self._began  # before its JSON was decoded
        try:
            answer = self._requests.handle(guest, wire.read_request(arguments), ack)
        except RateLimited as refused:
            self._refuse_flood(guest, ack, refused, partial(self._refuse, arguments))
        except Refusal as refused:
            self._refuse(arguments, guest, ack, refused)
        else:
            if answer is not None:
                ack({"ok": True, **answer})
        guest.session.quota.charge_cpu(self._meter.took_s(began))

    def _refuse(self, arguments: Sequence[object], guest: Guest, ack: Ack, refused: Refusal) -> None:
        if wire.may_join(arguments):
            self._talks.hold_for_other_room(guest, ack, refused)
        elif refused.answer_after_s is None:
            self._replies.refuse(guest, ack, refused)
        else:
            self._talks.hold(guest, ack, refused, refused.answer_after_s)

    def _on_bad_event(self, sid: str, ack: Ack) -> None:
        """Refuse an event that is undecodable, unnamed, binary, or not `msg`."""
        self._refuse_unread(sid, ack, BadRequest())

    def _on_long_event(self, sid: str, ack: Ack) -> None:
        """Refuse an event that is longer than any request, which it is only with a text that is too long."""
        self._refuse_unread(sid, ack, TooLong(limit=self._service.limits.max_text))

    def _refuse_unread(self, sid: str, ack: Ack, refusal: Refusal) -> None:
        guest = self._guests.get(sid)
        if guest is None:
            return
        began = self._began
        try:
            guest.session.quota.spend(Kind.OTHER)
        except RateLimited as refused:
            self._refuse_flood(guest, ack, refused, self._talks.hold_for_other_room)
        else:
            self._talks.hold_for_other_room(guest, ack, refusal)
        guest.session.quota.charge_cpu(self._meter.took_s(began))

    # Calls from the service

    def welcome(self, session: Session, welcome: Welcome) -> None:
        guest = self._guests.get(session.sid)
        if guest is None:
            return
        room, who = welcome.room, welcome.person
        page = welcome.page
        fields = wire.presence(
            "login", who, room.name, len(room.roster), welcome.at_ms, self._presence.names(room)
        )
        fields["you"] = you = {
            "sid": who.sid,
            "username": who.name,
            "token": welcome.token,
            "resumed": welcome.resumed,
            "history": [wire.message(room.name, entry) for entry in page.entries],
            "more": page.more,
            "gap": page.gap,
            "limits": self._limits,
            "v": wire.VERSION,
        }
        self._groups.leave(guest)
        encoded = wire.encode(fields)
        # A client that joins a room of ten thousand is not a slow reader.
        self.engine.raise_outbox_limit(guest.eio_sid, 2 * len(encoded))
        if page.entries and not self.engine.has_room(guest.eio_sid, len(encoded)):
            # It would be dropped before long. It can ask for the history once it has read what waits.
            you |= {"history": [], "more": False, "gap": True}
            encoded = wire.encode(fields)
        self._emit(encoded.decode(), session.sid)
        self._groups.enter(guest, room.key)
        if effects := session.talk.come_back(partial(self._service.whispers.present, session)):
            self._talks.follow(guest, effects)

    def announce(self, room: RoomView, item: Item) -> None:
        match item.event:
            case Said() as said:
                self._send_message(room, said, item)
            case Joined(who):
                self._talks.joined(room)
                self._presence.joined(room, who, item.at_ms)
            case Left(who):
                guest = self._guests.get(who.sid)
                if guest is not None and guest.room_key == room.key:
                    self._groups.leave(guest)  # moved on to another room
                self._talks.left(room, who.sid)
                self._presence.left(room, who, item.at_ms)
            case Renamed() as renamed:
                self._talks.renamed(renamed.sid, renamed.new)
                self._presence.renamed(room, renamed, item.at_ms)

    def flush(self, room: RoomView) -> None:
        self._presence.flush(room)

    def whisper(self, session: Session, whispered: Whispered, at_ms: int) -> None:
        guest = self._guests.get(session.sid)
        if guest is None:
            return
        if not whispered.text:  # a change of the other side's private chat; opening one changes nothing here
            if whispered.talk in (Talk.TURNED, Talk.ENDED):
                self._talks.follow(guest, session.talk.signalled(whispered.who, whispered.talk))
            return
        text = whispered.text
        if guest.kind == "seed":
            text = guest.words.say("whisper_to", name=whispered.to.name, text=text)
        self._emit(wire.frame(wire.whisper(whispered, text, at_ms)), session.sid)

    def typing(self, room: RoomView, person: Person) -> None:
        if not self._presence.is_announced(room, person):
            return  # the frame names them, and the room may never be sent that name
        modern = groups(room.key, ("full", "delta"))
        self._emit(wire.frame(wire.typing(person)), modern, skip_sid=person.sid)

    def ended(self, session: Session, why: Why) -> None:
        guest = self._guests.get(session.sid)
        if guest is None:
            return
        self._talks.answer_all(guest)
        if why is Why.REPLACED:
            self._replies.last_notice(guest, "replaced", guest.words.say("replaced"))
        self._forget(guest)
        if why is Why.LOST:
            self.engine.close(guest.eio_sid)  # clients take that for a lost connection, and reconnect
        else:
            self._server.disconnect(session.sid)

    def _send_message(self, room: RoomView, said: Said, item: Item) -> None:
        assert item.entry is not None  # the backplane promises one for each message
        sid = said.who.sid
        everybody = groups(room.key)
        frame = wire.frame(wire.message(room.name, item.entry, sid))
        sender = self._guests.get(sid) if said.cid is not None else None
        if sender is None or sender.room_key != room.key:
            self._emit(frame, everybody)
        else:
            self._emit(frame, everybody, skip_sid=sid)
            self._emit(wire.frame(wire.message(room.name, item.entry, sid, said.cid)), sid)

    def _emit(self, frame: str, to: str | Sequence[str], skip_sid: str | None = None) -> None:
        self._server.emit_json(EVENT, frame, to, skip_sid)


def _refused(refused: Refusal, words: Words) -> socketio.exceptions.ConnectionRefusedError:
    """What a CONNECT is refused with."""
    return socketio.exceptions.ConnectionRefusedError(
        words.refusal(refused), {**refused.params, "code": refused.code}
    )
