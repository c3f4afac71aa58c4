"""Whispers: who a private text is for, whether that is in doubt, and what it costs.

It knows sessions and what their rooms have been told, and keeps no text.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import NoReturn

from chatroom.answers import Answers
from chatroom.backplane import Backplane
from chatroom.core.errors import (
    BadRequest,
    NameAfterRestart,
    NameChangedHands,
    NoSuchPerson,
    Refusal,
    Unavailable,
)
from chatroom.core.events import Person, Talk, Whispered
from chatroom.core.names import printable
from chatroom.core.recent import Gone
from chatroom.core.text import parse_text
from chatroom.returning import Returning, remember
from chatroom.sessions import Session, Sessions
from chatroom.tokens import retry_key


class Whispers:
    """Passes on private texts.

    Args:
        max_text: code points.
        spend: counts a text of the session, or raises `RateLimited`.
        now_ms: the wall clock.
        monotonic: a clock in seconds.
    """

    def __init__(
        self,
        backplane: Backplane,
        answers: Answers,
        sessions: Sessions,
        returning: Returning,
        *,
        max_text: int,
        spend: Callable[[Session], None],
        now_ms: Callable[[], int],
        monotonic: Callable[[], float],
    ) -> None:
        self._backplane = backplane
        self._answers = answers
        self._sessions = sessions
        self._returning = returning
        self._max_text = max_text
        self._spend = spend
        self._now_ms = now_ms
        self._monotonic = monotonic
        self._sent: dict[bytes, None] = {}  # the retry keys of private texts that were sent

    def whisper(self, session: Session, to: str, text: str, talk: Talk | None = None) -> Whispered:
        """Say something to whom the room calls by a name; it is kept nowhere.

        Args:
            talk: it is part of a private talk, and how. Only a `LINE` has a text.

        Raises:
            NoSuchPerson: nobody of that name is there, or (`NameChangedHands`, once) another than the guest knows.
            BadRequest, Empty, TooLong: the text cannot be said.
            RateLimited: too much at once.
            Unavailable: it may have been passed on or not.
        """
        listener = session.room.roster.find(to)
        if listener is None or (
            listener.sid in session.room.own and self._sessions.get(listener.sid) is None
        ):
            _refuse(to)
        self._check_hands(session, listener)
        return self.whisper_to(session, listener.sid, text, talk)

    def whisper_to(
        self, session: Session, to_sid: str, text: str, talk: Talk | None = None, *, to: str = ""
    ) -> Whispered:
        """Say something to one session, or to the one with which its guest has come back, whatever their name is now.

        Args:
            to: what the guest calls them.

        Raises:
            As `whisper`.
        """
        listener = self.present(session, to_sid)
        if listener is None or not self._is_in(session, listener.sid):
            _refuse(to or (listener.name if listener is not None else ""))
        is_signal = talk is not None and talk is not Talk.LINE
        text = "" if is_signal else parse_text(text, self._max_text)
        if listener.sid == session.sid:
            raise BadRequest
        self._spend(session)
        whispered = Whispered(session.person, listener, text, talk)
        question = partial(self._backplane.whisper, session.room.key, whispered)
        outcome: Whispered | Refusal | None = self._answers.ask(question)
        if outcome is None:
            raise Unavailable
        if isinstance(outcome, Refusal):
            raise outcome
        if not is_signal and session.is_in:  # nothing may reach it before its welcome
            session.gateway.whisper(session, outcome, self._now_ms())
        return outcome

    def signal_talk(self, session: Session, to_sid: str, talk: Talk) -> None:
        """Let a session know what another's guest has done with their talk, if it is there to know it."""
        listener = self.present(session, to_sid)
        if listener is not None and not session.closed:
            whispered = Whispered(session.person, listener, "", talk)
            self._backplane.whisper(session.room.key, whispered, _ignore)

    def deliver(self, room: str, whispered: Whispered) -> bool:
        """Pass on a whisper to one of this process's sessions; False if it is not in the room."""
        recipient = self._sessions.get(whispered.to.sid)
        if recipient is None or not recipient.is_in or recipient.room.key != room:
            return False
        recipient.gateway.whisper(recipient, whispered, self._now_ms())
        return True

    def present(self, session: Session, sid: str) -> Person | None:
        """Who in the session's room has this id, or had it and has come back, as their token says."""
        room = session.room
        other = self._sessions.get(sid)
        if other is None and (
            sid in room.own or sid not in room.roster
        ):  # it is over, whatever has been announced
            other = self._sessions.of(self._returning.identity(sid) or "")
            return other.person if other is not None and other.room is room else None
        if other is not None:
            return other.person if other.room is room else None
        return room.roster.get(sid)

    def lately(self, session: Session) -> Callable[[str], Gone | None]:
        """Finds who gave up a name in the session's room a short while ago."""
        return partial(session.room.recent.find, now=self._monotonic())

    def has_whispered(self, session: Session, cid: str | None) -> bool:
        """Whether a private text of this guest with this id was sent already."""
        return cid is not None and retry_key(session.identity, cid) in self._sent

    def note_whispered(self, session: Session, cid: str | None) -> None:
        """Remember that a private text was sent, in case its client sends it again."""
        if cid is not None:
            remember(self._sent, retry_key(session.identity, cid), None)

    def check_stranger(self, session: Session, sid: str, *, confirmed: bool = False) -> None:
        """Before a guest's first text to a session, whose name may have been another's when the guest chose it.

        Args:
            confirmed: the guest has been told that it may be someone else, and wants to write to them.

        Raises:
            NameChangedHands: it was; said once.
        """
        listener = self.present(session, sid)
        if listener is None:
            return
        identity = self._identity(session, listener)
        if not session.addressed.knows(identity):
            try:
                self._check_hands(session, listener)
            except NameChangedHands:
                if not confirmed:
                    raise
        session.addressed.confirm(identity)

    def _check_hands(self, session: Session, listener: Person) -> None:
        if listener.sid == session.sid:
            return
        owner, now = self._identity(session, listener), self._monotonic()
        before = session.room.recent.find(listener.name, now)
        if before is not None and before.at < session.since:
            before = None
        refusal: type[NameChangedHands] = NameChangedHands
        is_new = listener.name not in session.addressed
        room = session.room.key
        if is_new and self._returning.is_doubtful(session.identity, room, listener.name, owner):
            refusal, before = NameAfterRestart, Gone(listener.name, "", now)
        if session.addressed.is_other(listener.name, owner, before):
            raise refusal(name=listener.name, again=True)

    def _is_in(self, session: Session, sid: str) -> bool:
        other = self._sessions.get(sid)
        return other.is_in if other is not None else sid in session.room.roster

    def _identity(self, session: Session, listener: Person) -> str:
        """What tells this person from others; of one who is served elsewhere, nothing but the session is known."""
        other = self._sessions.get(listener.sid)
        return other.identity if other is not None else session.room.own.get(listener.sid, listener.sid)


def _refuse(name: str) -> NoReturn:
    raise NoSuchPerson(name=printable(name))


def _ignore(_: object) -> None:
    """Nobody waits for it."""
