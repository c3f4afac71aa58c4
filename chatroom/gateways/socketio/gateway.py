"""The Socket.IO gateway: the one event `msg`, both ways (protocol, section 1).

It parses and shape-checks what comes, asks the service, and encodes what is told once a kind of client. It
knows python-socketio and the wire, and neither the rules of a room nor the disk.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

import socketio.exceptions

from chatroom import runtime
from chatroom.core.commands import Command, Quit, TalkTo, Tell
from chatroom.core.errors import (
    ANSWER_AFTER_S,
    BadRequest,
    NoSuchPerson,
    RateLimited,
    Refusal,
    TooLong,
    Unavailable,
)
from chatroom.core.events import Joined, Left, Person, Renamed, Said, Talk, Whispered
from chatroom.core.log import Entry, Item, Page
from chatroom.core.names import NAME_LENGTH, parse_name, parse_room
from chatroom.core.private_talk import Effect, Notice
from chatroom.core.utc import time_text
from chatroom.engine.fanout import Fanout
from chatroom.engine.server import Engine, EngineOptions
from chatroom.engine.strict import Ack, StrictServer, no_ack
from chatroom.gateways import typed
from chatroom.gateways.socketio import wire
from chatroom.gateways.socketio.presence import Presence, group, groups
from chatroom.gateways.words import WORDS, Words
from chatroom.service import Service
from chatroom.sessions import LOBBY, Hall, Session, Welcome, Wish

log = logging.getLogger(__name__)

EVENT: Final = "msg"
NAMESPACE: Final = "/"
_MAX_READING: Final = 4  # pages of history on their way from the disk to one client
_MAX_WAITING_BYTES: Final = 65_536  # a client with more to take is given no page and no list of names
MAX_UNCOMMITTED: Final = 32  # messages of one session on their way to the disk; then its reads pause
_MAX_UNANSWERED: Final = 64  # answers of one session that wait; with more, the oldest leaves early
_MAX_COMMAND: Final = 64 + 4 * NAME_LENGTH  # characters that a command and a name may add to a text


def _nothing() -> None:
    """Nobody waits for it."""


@dataclass(slots=True, eq=False)
class Guest:
    """A connected client: what it can read, and where it stands.

    Attributes:
        words: the server's sentences in its language.
        kind: "seed" (knows only login, logout and lines), "full" or "delta", by how it is told of comings and goings.
        room_key: the room whose frames it hears; None before it is welcomed.
        uncommitted: how many of its messages are on their way to the disk.
        reading: how many pages of history it waits for.
        unanswered: what was refused and left in doubt whom texts go to, with when to answer, in order.
    """

    session: Session
    words: Words
    kind: str
    eio_sid: str
    room_key: str | None = None
    uncommitted: int = 0
    reading: int = 0
    noticed_at: float = float("-inf")
    unanswered: deque[tuple[float, Ack, Refusal]] = field(default_factory=deque)


class SocketIOGateway:
    """Serves `msg` on a Socket.IO server of its own.

    Args:
        service: the use cases.
        words: the server's sentences for clients that ask for no language.
        limits: what a page must know, as `you.limits`.
        connect_timeout_s: how long a client may take for its Socket.IO CONNECT.
        monotonic: a clock in seconds.

    Attributes:
        engine: the server's Engine.IO server, to be given requests.
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
        call_later: Callable[..., runtime.Timer],
    ) -> None:
        self._service = service
        self._server = StrictServer(
            client_manager=Fanout(connect_timeout_s=connect_timeout_s, on_connected=self._on_connected),
            on_event=self._on_event,
            on_bad_event=self._on_bad_event,
            **engine_options,
        )
        self.engine: Engine = self._server.eio
        self._words = words
        self._limits = limits
        self._monotonic = monotonic
        self._now_ms = now_ms
        self._call_later = call_later
        self._guests: dict[str, Guest] = {}
        self._talking: set[Guest] = set()  # who has a partner in a private talk
        self._presence = Presence(
            self._emit, self._server.is_heard, call_later, self.engine.loop.when_written, monotonic
        )
        self._server.on("connect", self._on_connect, namespace=NAMESPACE)
        self._server.on("disconnect", self._on_disconnect, namespace=NAMESPACE)

    # Coming and going

    def _on_connect(self, sid: str, environ: object, data: object) -> None:
        """Decide and refuse; nothing is sent from here (the client's CONNECT comes after)."""
        words = self._words
        try:
            auth = wire.read_auth(data)
            words = self._words_in(auth.lang)
            wish = Wish(
                room=parse_room(auth.room) if auth.room is not None else LOBBY,
                username=parse_name(auth.username) if auth.username is not None else None,
                token=auth.token,
                after=auth.after,
                keeps_name=auth.v is not None,
                lang=_known(auth.lang),
            )
            session = self._service.admit(sid, self, wish)
        except Refusal as refused:
            text = words.refusal(refused)
            parameters = {**refused.params, "code": refused.code}
            raise socketio.exceptions.ConnectionRefusedError(text, parameters) from None
        kind = "seed" if auth.v is None else auth.roster or "full"
        eio_sid = self._server.manager.eio_sid_from_sid(sid, NAMESPACE)
        assert eio_sid is not None  # as long as this handler runs
        self._guests[sid] = Guest(session, words, kind, eio_sid)

    def _on_connected(self, sid: str, namespace: str) -> None:
        """The client has its CONNECT packet: it may enter."""
        guest = self._guests.get(sid)
        if guest is not None:
            self._service.enter(guest.session)

    def _on_disconnect(self, sid: str, reason: str) -> None:
        guest = self._guests.pop(sid, None)
        if guest is not None:
            self._talking.discard(guest)
            guest.unanswered.clear()
            guest.session.talk.cut()
            self._service.leave(guest.session, cut=True)

    def _log_out(self, sid: str) -> None:
        guest = self._guests[sid]
        self._answer_at_last(guest)
        del self._guests[sid]
        self._talking.discard(guest)
        self._service.leave(guest.session, cut=False)
        self._server.disconnect(sid)

    def warn_all(self) -> list[str]:
        """Tell everybody that the server is closing; gives their connections, to be closed next."""
        now = self._now_ms()
        frames = {
            lang: wire.frame(wire.notice("closing", words.say("closing"), now, {}))
            for lang, words in WORDS.items()
        }
        for sid, guest in self._guests.items():
            self._answer_at_last(guest)
            self._emit(frames[guest.words.lang], sid)
        return [guest.eio_sid for guest in self._guests.values()]

    # What a client asks

    def _on_event(self, sid: str, event: str, arguments: Sequence[object], ack: Ack) -> None:
        """Handle an event; the answer goes to `ack`, now or when the message is safe."""
        if event != EVENT:
            self._on_bad_event(sid, ack)
            return
        guest = self._guests.get(sid)
        if guest is None:
            return  # it has just logged out
        try:
            try:
                self._service.spend_event(guest.session)
            except RateLimited as refused:
                refused.answer_after_s = _unread_answer_after_s(arguments)
                raise
            answer = self._handle(guest, wire.read_request(arguments), ack)
        except Refusal as refused:
            if wire.may_join(arguments):
                self._hold_for_other_room(guest, ack, refused)
            elif refused.answer_after_s is None:
                self._refuse(guest, ack, refused)
            else:
                self._hold(guest, ack, refused, refused.answer_after_s)
        else:
            if answer is not None:
                ack({"ok": True, **answer})

    def _on_bad_event(self, sid: str, ack: Ack) -> None:
        """Refuse an event that is undecodable, unnamed, or not `msg`."""
        guest = self._guests.get(sid)
        if guest is None:
            return
        try:
            self._service.spend_event(guest.session)
            raise BadRequest
        except Refusal as refused:
            self._hold_for_other_room(guest, ack, refused)

    def _handle(self, guest: Guest, request: wire.Request, ack: Ack) -> Mapping[str, Any] | None:
        """Do what is asked; gives the ack's fields, or None if the ack comes later."""
        session = guest.session
        match request:
            case wire.Message(msg, cid):
                return self._handle_line(guest, msg, cid, ack)
            case wire.Whisper() as whisper:
                self._whisper(session, whisper)
            case wire.Rename(suggest=True):
                return {"username": self._service.suggest(session)}
            case wire.Rename(username):
                name, token = self._service.rename(
                    session, parse_name(username) if username is not None else None
                )
                return {"username": name, "token": token}
            case wire.Lang(lang):
                self._choose_language(guest, lang)
            case wire.Join(room):
                self._move(guest, room)
                return {"room": session.hall.name}
            case wire.History(before, after, limit):
                if guest.reading == _MAX_READING or self._is_behind(guest):
                    raise RateLimited(retry_after=0.1)
                guest.reading += 1
                answer = partial(self._answer_history, guest, ack, session.hall.name)
                self._service.history(session, after=after, before=before, limit=limit, answer=answer)
                return None
            case wire.Who(str(sid)):
                person = self._service.present(session, sid)
                if person is None:
                    raise NoSuchPerson
                return {"username": person.name, "sid": person.sid}
            case wire.Who():
                if self._is_behind(guest):
                    raise RateLimited(retry_after=0.1)
                people = self._service.who(session)
                return {"name_list": wire.name_list(people), "count": len(people)}
            case wire.Typing():
                self._service.type(session)
            case wire.Ping():
                pass
            case wire.Logout():
                ack({"ok": True})
                self._log_out(session.sid)
                return None
        return {}

    def _whisper(self, session: Session, asked: wire.Whisper) -> None:
        if self._service.has_whispered(session, asked.cid):
            return
        text = typed.private_text(self._service, session, asked.msg) if asked.typed else asked.msg
        if isinstance(asked.to_sid, str):
            if asked.typed:
                self._service.check_stranger(session, asked.to_sid, confirmed=asked.confirmed)
            self._service.whisper_to(session, asked.to_sid, text, to=asked.to or "")
        elif asked.to is not None:
            session.talk.check_people(self._monotonic())
            self._service.whisper(session, asked.to, text)
        self._service.note_whispered(session, asked.cid)

    def _choose_language(self, guest: Guest, lang: str) -> None:
        self._service.choose_language(guest.session, _known(lang))
        room_key = guest.room_key
        self._leave_group(guest)
        guest.words = self._words_in(lang)
        if room_key is not None:
            self._enter_group(guest, room_key)

    def _words_in(self, lang: str | None) -> Words:
        return WORDS.get(lang, self._words) if lang is not None else self._words

    def _is_behind(self, guest: Guest) -> bool:
        """Whether a client has so much to take that more long answers could drop it as a slow reader."""
        return self.engine.waiting_bytes(guest.eio_sid) > _MAX_WAITING_BYTES

    def _move(self, guest: Guest, room: str) -> None:
        session, old = guest.session, guest.session.hall
        self._service.move(session, parse_room(room))
        if session.hall is not old:
            self._follow(guest, session.talk.leave_behind())

    def _handle_line(self, guest: Guest, msg: str, cid: str | None, ack: Ack) -> Mapping[str, Any] | None:
        session, longest = guest.session, self._service.limits.max_text
        if self._service.has_whispered(session, cid):
            return {}  # to one person, whoever it would go to now
        if len(msg) > longest + _MAX_COMMAND:
            refused = TooLong(limit=longest)
            refused.answer_after_s = typed.unread_answer_after_s(msg)
            raise refused
        line = typed.parse(self._service, session, msg)
        if isinstance(line, Command):
            return self._handle_command(guest, line, cid, ack)
        if line.near or not session.talk.is_plain:
            try:
                partner = typed.address(self._service, session, line, self._monotonic())
            finally:
                self._mark_talking(guest)
            if partner is not None:
                self._service.whisper_to(session, partner.sid, line.text, Talk.LINE)
                self._service.note_whispered(session, cid)
                return {}
        guest.uncommitted += 1
        try:
            self._service.say(session, line.text, cid, partial(self._said, guest, ack))
        except Refusal:
            guest.uncommitted -= 1
            raise
        if guest.uncommitted == MAX_UNCOMMITTED:
            self.engine.pause(guest.eio_sid)
        return None

    def _handle_command(
        self, guest: Guest, command: Command, cid: str | None, ack: Ack
    ) -> Mapping[str, Any] | None:
        def answer(text: str) -> None:
            self._notice(guest, "command", text)

        refuse = partial(self._refuse, guest, no_ack)
        # It is on the disk before it is acknowledged that a talk is open: its texts must not go to the room after a
        # restart.
        acknowledged = partial(ack, {"ok": True}) if isinstance(command, TalkTo) else _nothing
        follow = partial(self._follow, guest, code="command", saved=acknowledged)
        now = self._monotonic()
        token = typed.run(self._service, guest.words, guest.session, command, answer, refuse, follow, now)
        if isinstance(command, Tell):
            self._service.note_whispered(guest.session, cid)
        if isinstance(command, Quit):
            ack({"ok": True})
            self._log_out(guest.session.sid)
            return None
        if isinstance(command, TalkTo):
            return None
        return {} if token is None else {"username": guest.session.person.name, "token": token}

    # Private talks, and what is held

    def _hold(self, guest: Guest, ack: Ack, refused: Refusal, answer_after_s: float) -> None:
        """Answer a refusal when the time has come, and hold the texts that are sent before that."""
        now = self._monotonic()
        guest.session.talk.hold(refused, now)
        if len(guest.unanswered) == _MAX_UNANSWERED:
            self._answer_oldest(guest)
        guest.unanswered.append((now + answer_after_s, ack, refused.with_traceback(None)))
        if len(guest.unanswered) == 1:
            self._answer_later(guest)

    def _hold_for_other_room(self, guest: Guest, ack: Ack, refused: Refusal) -> None:
        """What comes before the answer may be meant for another room and its people."""
        refused.doubts_people, refused.answer_after_s = True, ANSWER_AFTER_S
        self._hold(guest, ack, refused, ANSWER_AFTER_S)

    def _answer_later(self, guest: Guest) -> None:
        wait_s = max(0.0, guest.unanswered[0][0] - self._monotonic())
        # What has come by then, and could not be read or handled for the load, is held as well.
        answer = partial(self._answer_due, guest)
        self._call_later(wait_s, self.engine.after_read, guest.eio_sid, answer)

    def _answer_due(self, guest: Guest) -> None:
        now = self._monotonic()
        while guest.unanswered and guest.unanswered[0][0] <= now:
            self._answer_oldest(guest)
        if guest.unanswered:
            self._answer_later(guest)

    def _answer_at_last(self, guest: Guest) -> None:
        """Answer while there is a connection. What is still to be handled is held all the same."""
        while guest.unanswered:
            _due_at, ack, refused = guest.unanswered.popleft()
            self._refuse(guest, ack, refused)

    def _answer_oldest(self, guest: Guest) -> None:
        _due_at, ack, refused = guest.unanswered.popleft()
        guest.session.talk.answered(self._monotonic())
        self._mark_talking(guest)
        self._refuse(guest, ack, refused)

    def _follow(
        self,
        guest: Guest,
        effects: Iterable[Effect],
        *,
        code: str = "talk",
        saved: Callable[[], None] = _nothing,
    ) -> None:
        """Do what follows for a private talk.

        Args:
            saved: called when what has become of it will outlast a restart.
        """
        session = guest.session
        for effect in effects:
            if isinstance(effect, Notice):
                partner = session.talk.partner
                whom = {"to": partner.name, "to_sid": partner.sid} if partner is not None else {}
                self._notice(guest, code, guest.words.say(effect.key, **effect.values), whom)
            else:
                typed.signal(self._service, session, effect)
        self._mark_talking(guest, saved)

    def _mark_talking(self, guest: Guest, saved: Callable[[], None] = _nothing) -> None:
        if guest.session.talk.partner is not None and not guest.session.closed:
            self._talking.add(guest)
        else:
            self._talking.discard(guest)
        if guest.session.closed:
            saved()
        else:
            self._service.save_talk(guest.session, saved)

    # What a client is answered

    def _said(self, guest: Guest, ack: Ack, entry: Entry | None) -> None:
        guest.uncommitted -= 1
        if guest.uncommitted == MAX_UNCOMMITTED // 2:
            self.engine.resume(guest.eio_sid)
        if entry is None:
            self._refuse(guest, ack, Unavailable())
        else:
            ack({"ok": True, "id": entry.id, "time": time_text(entry.at_ms)})

    def _answer_history(self, guest: Guest, ack: Ack, room: str, page: Page | None) -> None:
        guest.reading -= 1
        if page is None:
            self._refuse(guest, ack, Unavailable())
        else:
            ack({"ok": True, **wire.page(room, page)})

    def _refuse(self, guest: Guest, ack: Ack, refused: Refusal) -> None:
        text = guest.words.refusal(refused)
        if ack is not no_ack:
            ack(wire.refusal(refused, text))
            return
        if isinstance(refused, RateLimited):
            # A flood is told once a second that it is one: notices must not become a flood of their own.
            now = self._monotonic()
            if now - guest.noticed_at < 1:
                return
            guest.noticed_at = now
        self._notice(guest, refused.code, text, refused.params)

    def _notice(
        self, guest: Guest, code: str, text: str, parameters: Mapping[str, object] | None = None
    ) -> None:
        sid = guest.session.sid
        if guest.room_key is not None and sid in self._guests:
            self._emit(wire.frame(wire.notice(code, text, self._now_ms(), parameters or {})), sid)

    # What the service tells

    def welcome(self, session: Session, welcome: Welcome) -> None:
        guest = self._guests.get(session.sid)
        if guest is None:
            return
        hall, who = welcome.hall, welcome.person
        page = welcome.page
        fields = wire.presence(
            "login", who, hall.name, len(hall.roster), welcome.at_ms, self._presence.names(hall)
        )
        fields["you"] = {
            "sid": who.sid,
            "username": who.name,
            "token": welcome.token,
            "resumed": welcome.resumed,
            "history": [wire.message(hall.name, entry) for entry in page.entries],
            "more": page.more,
            "gap": page.gap,
            "limits": self._limits,
            "v": wire.VERSION,
        }
        self._leave_group(guest)
        frame = wire.frame(fields)
        # A newcomer to a room of ten thousand is no slow reader.
        self.engine.raise_outbox_limit(guest.eio_sid, 2 * len(frame.encode()))
        self._emit(frame, session.sid)
        self._enter_group(guest, hall.key)
        if effects := session.talk.come_back(partial(self._service.present, session)):
            self._follow(guest, effects)

    def tell(self, hall: Hall, item: Item) -> None:
        match item.event:
            case Said() as said:
                self._tell_said(hall, said, item)
            case Joined(who):
                for one in [one for one in self._talking if one.session.hall is hall]:
                    self._follow(one, one.session.talk.joined(partial(self._service.present, one.session)))
                self._presence.joined(hall, who, item.at_ms)
            case Left(who):
                guest = self._guests.get(who.sid)
                if guest is not None and guest.room_key == hall.key:
                    self._leave_group(guest)  # moved on to another room
                for one in [one for one in self._talking if one.session.hall is hall]:
                    self._follow(one, one.session.talk.left(who.sid))
                self._presence.left(hall, who, item.at_ms)
            case Renamed() as renamed:
                for one in self._talking:
                    one.session.talk.renamed(renamed.sid, renamed.new)
                self._presence.renamed(hall, renamed, item.at_ms)

    def flush(self, hall: Hall) -> None:
        self._presence.flush(hall)

    def whisper(self, session: Session, whispered: Whispered, at_ms: int) -> None:
        guest = self._guests.get(session.sid)
        if guest is None:
            return
        if not whispered.text:  # what another has done with their talk; opening one moves nobody's here
            if whispered.talk in (Talk.TURNED, Talk.ENDED):
                self._follow(guest, session.talk.signalled(whispered.who, whispered.talk))
            return
        text = whispered.text
        if guest.kind == "seed":
            text = guest.words.say("whisper_to", name=whispered.to.name, text=text)
        self._emit(wire.frame(wire.whisper(whispered, text, at_ms)), session.sid)

    def typing(self, hall: Hall, person: Person) -> None:
        modern = groups(hall.key, ("full", "delta"))
        self._emit(wire.frame(wire.typing(person)), modern, skip_sid=person.sid)

    def replaced(self, session: Session) -> None:
        guest = self._guests.get(session.sid)
        if guest is not None:
            self._answer_at_last(guest)
            session.talk.cut()
            self._notice(guest, "replaced", guest.words.say("replaced"))
            del self._guests[session.sid]
            self._talking.discard(guest)
            self._server.disconnect(session.sid)

    def _tell_said(self, hall: Hall, said: Said, item: Item) -> None:
        assert item.entry is not None  # the backplane's promise for what was said
        sid = said.who.sid
        everybody = groups(hall.key)
        frame = wire.frame(wire.message(hall.name, item.entry, sid))
        sender = self._guests.get(sid) if said.cid is not None else None
        if sender is None or sender.room_key != hall.key:
            self._emit(frame, everybody)
        else:
            self._emit(frame, everybody, skip_sid=sid)
            self._emit(wire.frame(wire.message(hall.name, item.entry, sid, said.cid)), sid)

    def _enter_group(self, guest: Guest, room_key: str) -> None:
        name = group(guest.kind, guest.words.lang, room_key)
        self._server.enter_room(guest.session.sid, name, namespace=NAMESPACE)
        guest.room_key = room_key

    def _leave_group(self, guest: Guest) -> None:
        if guest.room_key is not None:
            name = group(guest.kind, guest.words.lang, guest.room_key)
            self._server.leave_room(guest.session.sid, name, namespace=NAMESPACE)
            guest.room_key = None

    def _emit(self, frame: str, to: str | Sequence[str], skip_sid: str | None = None) -> None:
        self._server.emit_json(EVENT, frame, to, skip_sid)


def _unread_answer_after_s(arguments: Sequence[object]) -> float | None:
    """The `answer_after_s` of an event that comes too fast."""
    try:
        request = wire.read_request(arguments)
    except Refusal:
        return None
    return typed.unread_answer_after_s(request.msg) if isinstance(request, wire.Message) else None


def _known(lang: str | None) -> str | None:
    """A language that the server speaks, or none."""
    return lang if lang in WORDS else None
