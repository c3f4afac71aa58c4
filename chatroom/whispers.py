"""Whispers: who a private text is for, and whether that is in doubt.

It knows sessions and what has been announced in their rooms, and stores no text.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from typing import NoReturn

from chatroom.answers import Answers
from chatroom.backplane import Backplane
from chatroom.core.errors import BadRequest, NameAfterRestart, NameChangedHands, NoSuchPerson
from chatroom.core.events import Person, Talk, Whispered
from chatroom.core.names import printable
from chatroom.core.recent import Gone
from chatroom.core.spellings import Find
from chatroom.core.text import parse_text
from chatroom.returning import Returning, remember
from chatroom.sessions import Session, Sessions
from chatroom.tokens import retry_key


class Whispers:
    """Passes on private texts.

    Args:
        max_text: the longest text, in code points.
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
        now_ms: Callable[[], int],
        monotonic: Callable[[], float],
    ) -> None:
        self._backplane = backplane
        self._answers = answers
        self._sessions = sessions
        self._returning = returning
        self._max_text = max_text
        self._now_ms = now_ms
        self._monotonic = monotonic
        self._sent: dict[bytes, None] = {}  # the retry keys of private texts that were sent

    def whisper(self, session: Session, to: str, text: str, talk: Talk | None = None) -> Whispered:
        """Send a text to the person with this name in the room; it is not stored.

        Args:
            talk: what it means for a private chat, if it is part of one. Only a `LINE` has a text.

        Raises:
            NoSuchPerson: no one there has that name, or (`NameChangedHands`, once) not the person the guest knows.
            BadRequest, Empty, TooLong: the text cannot be sent.
            RateLimited: too much at once.
            Unavailable: it is unknown whether it was passed on.
        """
        recipient = session.room.roster.find(to)
        if recipient is None or (
            recipient.sid in session.room.own and self._sessions.get(recipient.sid) is None
        ):
            _refuse(to)
        self._check_hands(session, recipient)
        return self.whisper_to(session, recipient.sid, text, talk)

    def whisper_to(
        self, session: Session, to_sid: str, text: str, talk: Talk | None = None, *, to: str = ""
    ) -> Whispered:
        """Send a text to one session, or to the one with which its guest has come back, whatever their name is now.

        Args:
            to: the name that the sender knows them by.

        Raises:
            As `whisper`.
        """
        recipient = self.present(session, to_sid)
        if recipient is None or not self._is_in(session, recipient.sid):
            _refuse(to or (recipient.name if recipient is not None else ""))
        is_signal = talk is not None and talk is not Talk.LINE
        text = "" if is_signal else parse_text(text, self._max_text)
        if recipient.sid == session.sid:
            raise BadRequest
        session.quota.spend_text(text, session.room.budget)
        whispered = Whispered(session.person, recipient, text, talk)
        question = partial(self._backplane.whisper, session.room.key, whispered)
        outcome: Whispered = self._answers.ask(question)
        if not is_signal:
            self._note_met(session, recipient, has_written=True)
        if not is_signal and session.is_in:  # it receives nothing before its welcome
            session.gateway.whisper(session, outcome, self._now_ms())
        return outcome

    def signal_talk(self, session: Session, to_sid: str, talk: Talk) -> None:
        """Let another session know what this one's guest has done with their private chat, if it is in the room."""
        recipient = self.present(session, to_sid)
        if recipient is not None and not session.closed:
            whispered = Whispered(session.person, recipient, "", talk)
            self._backplane.whisper(session.room.key, whispered, _ignore)

    def deliver(self, room: str, whispered: Whispered) -> bool:
        """Pass on a whisper to one of this process's sessions; False if it is not in the room."""
        recipient = self._sessions.get(whispered.to.sid)
        if recipient is None or not recipient.is_in or recipient.room.key != room:
            return False
        if whispered.text:
            recipient.last_whisper_from = whispered.who.sid
            self._note_met(recipient, whispered.who, has_written=False)
        recipient.gateway.whisper(recipient, whispered, self._now_ms())
        return True

    def present(self, session: Session, sid: str) -> Person | None:
        """The person in the session's room who has this session id, or had it and came back with their token."""
        room = session.room
        other = self._sessions.get(sid)
        if other is None and (
            sid in room.own or sid not in room.roster
        ):  # it has ended, even if that is not announced yet
            other = self._sessions.of(self._returning.identity(sid) or "")
            return other.person if other is not None and other.room is room else None
        if other is not None:
            return other.person if other.room is room else None
        return room.roster.get(sid)

    def lately(self, session: Session) -> Callable[[str], Gone | None]:
        """A function that finds who gave up a name in the session's room, recently or to have another there."""
        recent, known, now = session.room.recent, session.addressed, self._monotonic()
        since = session.membership.since

        def find(name: str) -> Gone | None:
            gone = recent.find(name, now)
            if gone is not None and gone.sid and since > gone.at:
                return replace(gone, sid="")  # to a newcomer, everyone who had the name has left
            former = recent.former(name, since) if gone is None or not gone.sid else None
            if former is not None and (name not in known or known.knows(name, former.identity)):
                return former
            return gone

        return find

    def longer_lately(self, session: Session) -> Callable[[str, int], Iterator[str]]:
        """A function that finds which of these names begin with the same letters."""
        return partial(session.room.recent.names_beginning_with, now=self._monotonic())

    def spelled_lately(self, session: Session) -> Find:
        """A function that finds which of these names may be spelled in this way."""
        return partial(session.room.recent.names_spelled_like, now=self._monotonic())

    def has_whispered(self, session: Session, cid: str | None) -> bool:
        """Whether a private text of this guest with this id was sent already."""
        return cid is not None and retry_key(session.identity, cid) in self._sent

    def note_whispered(self, session: Session, cid: str | None) -> None:
        """Remember that a private text was sent, in case its client sends it again."""
        if cid is not None:
            remember(self._sent, retry_key(session.identity, cid), None)

    def check_stranger(self, session: Session, sid: str, *, to: str = "", confirmed: bool = False) -> None:
        """Check a guest's text to a session: its name may have been another person's when the guest chose it.

        Args:
            to: the name that the guest knows them by, perhaps an earlier one.
            confirmed: the guest has been told that it may be someone else, and wants to write to them.

        Raises:
            NameChangedHands: it was; raised once.
        """
        recipient = self.present(session, sid)
        if recipient is None:
            return
        identity = self._identity(session, recipient)
        since = session.room.recent.held_since(to, identity)
        if to == recipient.name or not session.addressed.trusts(to, identity, since):
            try:
                self._check_hands(session, recipient)
            except NameChangedHands:
                if not confirmed:
                    raise
        session.addressed.confirm(identity)

    def _check_hands(self, session: Session, recipient: Person) -> None:
        if recipient.sid == session.sid:
            return
        owner, now = self._identity(session, recipient), self._monotonic()
        before = session.room.recent.find_before(recipient.name, now)
        refusal: type[NameChangedHands] = NameChangedHands
        is_new = not session.addressed.has_chosen(recipient.name)
        if is_new and self._returning.is_doubtful(session.identity):
            refusal, before = NameAfterRestart, Gone(recipient.name, "", now)
        since = session.room.recent.watch(recipient.name, owner, now)
        if session.addressed.is_other(recipient.name, owner, before, since=since, now=now):
            raise refusal(name=recipient.name, again=True)

    def _note_met(self, session: Session, other: Person, *, has_written: bool) -> None:
        identity = self._identity(session, other)
        session.room.recent.watch(other.name, identity, self._monotonic())
        session.addressed.met(other.name, identity, has_written=has_written)

    def _is_in(self, session: Session, sid: str) -> bool:
        other = self._sessions.get(sid)
        return other.is_in if other is not None else sid in session.room.roster

    def _identity(self, session: Session, recipient: Person) -> str:
        """What identifies this person; for someone served elsewhere, only the session is known."""
        other = self._sessions.get(recipient.sid)
        return other.identity if other is not None else session.room.own.get(recipient.sid, recipient.sid)


def _refuse(name: str) -> NoReturn:
    raise NoSuchPerson(name=printable(name))


def _ignore(_: object) -> None:
    """No one waits for it."""
