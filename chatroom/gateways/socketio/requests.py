"""Handles the requests in `msg` events: calls the service, and puts the answer into the event's ack."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Final

import msgspec

from chatroom.core.budgets import Kind
from chatroom.core.commands import Command, Quit, Say, TalkTo, WhisperTo, unread_answer_after_s
from chatroom.core.errors import BadRequest, NoSuchPerson, RateLimited, Refusal, TooLong, Unavailable
from chatroom.core.events import Talk
from chatroom.core.log import Entry, Page
from chatroom.core.names import NAME_LENGTH, parse_name, parse_room, room_key
from chatroom.core.utc import time_text
from chatroom.engine.server import Engine
from chatroom.engine.strict import Ack, no_ack
from chatroom.gateways import typed
from chatroom.gateways.socketio import wire
from chatroom.gateways.socketio.guest import Groups, Guest, known_language, words_in
from chatroom.gateways.socketio.replies import Replies
from chatroom.gateways.socketio.talks import Talks, nothing
from chatroom.gateways.words import Words
from chatroom.rooms import RoomView
from chatroom.service import Service
from chatroom.sessions import MAX_UNCOMMITTED, Session

_MAX_UNREAD_BYTES: Final = 16_384  # a client that leaves more unread gets no page and no list of names
MAX_COMMAND: Final = 64 + 4 * NAME_LENGTH  # characters that a command and a name may add to a text


class Requests:
    """Does what clients ask.

    Args:
        words: the server's sentences for clients that ask for no language.
        names: the `name_list` of everybody in a room, as announced.
        log_out: ends a client's session.
    """

    def __init__(
        self,
        service: Service,
        engine: Engine,
        *,
        replies: Replies,
        talks: Talks,
        groups: Groups,
        words: Words,
        names: Callable[[RoomView], msgspec.Raw],
        log_out: Callable[[Guest], None],
        monotonic: Callable[[], float],
    ) -> None:
        self._service = service
        self._engine = engine
        self._replies = replies
        self._talks = talks
        self._groups = groups
        self._words = words
        self._names = names
        self._log_out = log_out
        self._monotonic = monotonic

    def handle(self, guest: Guest, request: wire.Request, ack: Ack) -> Mapping[str, object] | None:
        """Handle a request.

        Returns:
            The ack's fields, or None if the ack comes later.

        Raises:
            Refusal: the request is refused, and nothing has changed.
        """
        session = guest.session
        match request:
            case wire.Message() | wire.Whisper() as text:
                return self._handle_text(guest, text, ack)
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
                return {"room": session.room.name}
            case wire.History(before, after, limit):
                if self._is_behind(guest):
                    raise RateLimited(retry_after=0.1)
                answer = partial(self._answer_history, guest, ack, session.room.name)
                self._service.history(session, after=after, before=before, limit=limit, answer=answer)
                return None
            case wire.Who(str(sid)):
                session.quota.spend(Kind.WHO)
                person = self._service.whispers.present(session, sid)
                if person is None:
                    raise NoSuchPerson
                return {"username": person.name, "sid": person.sid}
            case wire.Who():
                if self._is_behind(guest):
                    raise RateLimited(retry_after=0.1)
                people, here = self._service.who(session), session.room
                names = self._names(here) if len(people) == len(here.roster) else wire.name_list(people)
                return {"name_list": names, "count": len(people)}
            case wire.Typing():
                self._service.type(session)
            case wire.Ping():
                session.quota.spend(Kind.PING)
            case wire.Logout():
                ack({"ok": True})
                self._log_out(guest)
                return None
        return {}

    def _handle_text(
        self, guest: Guest, text: wire.Message | wire.Whisper, ack: Ack
    ) -> Mapping[str, object] | None:
        session, cid = guest.session, text.cid
        self._check_room(session, text.room)
        if self._service.whispers.has_whispered(session, cid):
            return {}  # it went to one person, whoever would receive it now
        try:
            if isinstance(text, wire.Message):
                answer = self._handle_line(guest, text.msg, cid, ack)
            else:
                answer = self._whisper(session, text)
        except Refusal as refused:
            is_bound = isinstance(text, wire.Whisper) and isinstance(text.to_sid, str)
            self._service.refused.note(session, cid, refused, is_bound=is_bound)
            raise
        self._service.refused.forget(session, cid)
        return answer

    def _check_room(self, session: Session, room: str | None) -> None:
        """Check what a text has as its room: some clients send the one that it is for, or the person.

        Raises:
            BadRequest: it is not the session's own, though there may be no other of this name.
        """
        if room is None:
            return
        key = room_key(room.strip())
        if session.room.key not in (key, key.removeprefix("#")):
            raise BadRequest(field="room")

    def _whisper(self, session: Session, asked: wire.Whisper) -> Mapping[str, object]:
        text = (
            typed.private_text(self._service, session, asked.msg, asked.to or "")
            if asked.typed
            else asked.msg
        )
        self._service.refused.check(session, asked.cid)
        if isinstance(asked.to_sid, str):
            if asked.typed:
                if not asked.confirmed:
                    session.talk.check_people(self._monotonic())
                self._service.whispers.check_stranger(
                    session, asked.to_sid, to=asked.to or "", confirmed=asked.confirmed
                )
            self._service.whispers.whisper_to(session, asked.to_sid, text, to=asked.to or "")
        elif asked.to is not None:
            session.talk.check_people(self._monotonic())
            self._service.whispers.whisper(session, asked.to, text)
        self._service.whispers.note_whispered(session, asked.cid)
        return {}

    def _choose_language(self, guest: Guest, lang: str) -> None:
        guest.session.quota.spend(Kind.LANG)
        self._service.choose_language(guest.session, known_language(lang))
        words, room_key = words_in(lang, self._words), guest.room_key
        if words.lang == guest.words.lang:
            return  # to leave the group and come back would have everybody's audience gathered again
        self._groups.leave(guest)
        guest.words = words
        if room_key is not None:
            self._groups.enter(guest, room_key)

    def _is_behind(self, guest: Guest) -> bool:
        """Whether a client has not read what it was sent: more long answers would only fill the memory."""
        return self._engine.unread_bytes(guest.eio_sid) > _MAX_UNREAD_BYTES

    def _move(self, guest: Guest, room: str) -> None:
        session, old = guest.session, guest.session.room
        self._service.move(session, parse_room(room))
        if session.room is not old:
            self._talks.follow(guest, session.talk.leave_behind())

    def _handle_line(self, guest: Guest, msg: str, cid: str | None, ack: Ack) -> Mapping[str, object] | None:
        session, longest = guest.session, self._service.limits.max_text
        if len(msg) > longest + MAX_COMMAND:
            raise TooLong(limit=longest).with_doubt(unread_answer_after_s(msg))
        line = typed.parse(self._service, session, msg)
        if not isinstance(line, Say):
            self._service.refused.check(session, cid)
            return self._handle_command(guest, line, cid, ack)
        partner = None
        if line.near or not session.talk.is_plain:
            try:
                partner = typed.address(self._service, session, line, self._monotonic())
            finally:
                self._talks.mark(guest)
        self._service.refused.check(session, cid)
        if partner is not None:
            self._service.whispers.whisper_to(session, partner.sid, line.text, Talk.LINE)
            self._service.whispers.note_whispered(session, cid)
            return {}
        guest.uncommitted += 1
        try:
            self._service.say(session, line.text, cid, partial(self._said, guest, ack))
        except Refusal:
            guest.uncommitted -= 1
            raise
        if guest.uncommitted == MAX_UNCOMMITTED:
            self._engine.pause(guest.eio_sid)
        return None

    def _handle_command(
        self, guest: Guest, command: Command, cid: str | None, ack: Ack
    ) -> Mapping[str, object] | None:
        def answer(text: str) -> None:
            self._replies.notice(guest, "command", text)

        refuse = partial(self._replies.refuse, guest, no_ack)
        # A private chat is on the disk before it is acknowledged: its texts must not go to the room after a restart.
        acknowledged = partial(ack, {"ok": True}) if isinstance(command, TalkTo) else nothing
        follow = partial(self._talks.follow, guest, code="command", saved=acknowledged)
        token = typed.run(
            self._service,
            guest.words,
            guest.session,
            command,
            answer=answer,
            refuse=refuse,
            follow=follow,
            arrived_at=self._monotonic(),
        )
        if isinstance(command, WhisperTo):
            self._service.whispers.note_whispered(guest.session, cid)
        if isinstance(command, Quit):
            ack({"ok": True})
            self._log_out(guest)
            return None
        if isinstance(command, TalkTo):
            return None
        return {} if token is None else {"username": guest.session.person.name, "token": token}

    def _said(self, guest: Guest, ack: Ack, entry: Entry | None) -> None:
        guest.uncommitted -= 1
        if guest.uncommitted == MAX_UNCOMMITTED // 2:
            self._engine.resume(guest.eio_sid)
        if entry is None:
            self._replies.refuse(guest, ack, Unavailable())
        else:
            ack({"ok": True, "id": entry.id, "time": time_text(entry.at_ms)})

    def _answer_history(self, guest: Guest, ack: Ack, room: str, page: Page | None) -> None:
        if page is None:
            self._replies.refuse(guest, ack, Unavailable())
        elif self._is_behind(guest):  # it has asked for several at once
            self._replies.refuse(guest, ack, RateLimited(retry_after=0.1))
        else:
            ack({"ok": True, **wire.page(room, page)})
