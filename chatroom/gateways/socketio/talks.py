"""Private chats: how they follow events, and the answers that wait.

`core/private_talk` decides who receives a text.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import Final

from chatroom.core.errors import ANSWER_AFTER_S, Refusal
from chatroom.core.private_talk import Effect, Notice
from chatroom.engine.server import Engine
from chatroom.engine.strict import Ack
from chatroom.gateways import typed
from chatroom.gateways.socketio.guest import Guest
from chatroom.gateways.socketio.replies import Replies
from chatroom.rooms import RoomView
from chatroom.runtime import Timer
from chatroom.service import Service

_MAX_UNANSWERED: Final = 64  # answers of one session that wait; with more, the oldest is sent early


def nothing() -> None:
    """Do nothing."""


class Talks:
    """Follows the clients' private chats.

    Args:
        call_later: runs a call after some seconds.
    """

    def __init__(
        self,
        service: Service,
        engine: Engine,
        replies: Replies,
        *,
        monotonic: Callable[[], float],
        call_later: Callable[[float, Callable[[], None]], Timer],
    ) -> None:
        self._service = service
        self._engine = engine
        self._replies = replies
        self._monotonic = monotonic
        self._call_later = call_later
        self._talking: set[Guest] = set()  # who has a partner

    # Events in a room

    def joined(self, room: RoomView) -> None:
        """Somebody has joined a room."""
        for guest in self._in(room):
            self.follow(
                guest, guest.session.talk.joined(partial(self._service.whispers.present, guest.session))
            )

    def left(self, room: RoomView, sid: str) -> None:
        """Somebody has left a room."""
        for guest in self._in(room):
            self.follow(guest, guest.session.talk.left(sid))

    def renamed(self, sid: str, name: str) -> None:
        """Somebody has another name."""
        for guest in self._talking:
            guest.session.talk.renamed(sid, name)

    def forget(self, guest: Guest) -> None:
        """The client is gone."""
        self._talking.discard(guest)

    def _in(self, room: RoomView) -> list[Guest]:
        return [guest for guest in self._talking if guest.session.room is room]

    # Answers that wait

    def hold(self, guest: Guest, ack: Ack, refused: Refusal, answer_after_s: float) -> None:
        """Answer a refusal when it is due, and hold the texts that are sent before that."""
        now = self._monotonic()
        guest.session.talk.hold(refused, now)
        self.mark(guest)
        if len(guest.unanswered) == _MAX_UNANSWERED:
            self._answer_oldest(guest)
        guest.unanswered.append((now + answer_after_s, ack, refused.copy()))
        if len(guest.unanswered) == 1:
            self._answer_later(guest)

    def hold_for_other_room(self, guest: Guest, ack: Ack, refused: Refusal) -> None:
        """Hold what comes before the answer: it may be meant for another room and its people."""
        self.hold(guest, ack, refused.with_doubt(people=True), ANSWER_AFTER_S)

    def _answer_later(self, guest: Guest) -> None:
        wait_s = max(0.0, guest.unanswered[0][0] - self._monotonic())
        # What has come by then, and was not read or handled because of the load, is held as well.
        answer = partial(self._answer_due, guest)
        self._call_later(wait_s, partial(self._engine.after_read, guest.eio_sid, answer))

    def _answer_due(self, guest: Guest) -> None:
        now = self._monotonic()
        while guest.unanswered and guest.unanswered[0][0] <= now:
            self._answer_oldest(guest)
        if guest.unanswered:
            self._answer_later(guest)

    def answer_all(self, guest: Guest) -> None:
        """Answer everything while there is a connection. What is still to be handled is held nevertheless."""
        while guest.unanswered:
            _due_at, ack, refused = guest.unanswered.popleft()
            self._replies.refuse(guest, ack, refused)

    def _answer_oldest(self, guest: Guest) -> None:
        _due_at, ack, refused = guest.unanswered.popleft()
        guest.session.talk.answered(self._monotonic())
        self.mark(guest)
        self._replies.refuse(guest, ack, refused)

    # Effects

    def follow(
        self,
        guest: Guest,
        effects: Iterable[Effect],
        *,
        code: str = "talk",
        saved: Callable[[], None] = nothing,
    ) -> None:
        """Apply effects on a private chat.

        Args:
            saved: called once the new state is on the disk.
        """
        session = guest.session
        for effect in effects:
            if isinstance(effect, Notice):
                partner = session.talk.partner
                whom = {"to": partner.name, "to_sid": partner.sid} if partner is not None else {}
                self._replies.notice(guest, code, guest.words.say(effect.key, **effect.values), whom)
            else:
                typed.signal(self._service, session, effect)
        self.mark(guest, saved)

    def mark(self, guest: Guest, saved: Callable[[], None] = nothing) -> None:
        """Keep whether the client has a partner, for others and on the disk."""
        if guest.session.talk.partner is not None and not guest.session.closed:
            self._talking.add(guest)
        else:
            self._talking.discard(guest)
        if guest.session.closed:
            saved()
        else:
            self._service.save_talk(guest.session, saved)
