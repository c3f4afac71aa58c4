"""Claims: requests to be put into a room. Each has a number, by which the feed's events are matched to it.

This module knows which claims are unanswered, and which were ended before their answer came.
"""

from __future__ import annotations

from functools import partial
from itertools import count

from chatroom.answers import Answers
from chatroom.backplane import Backplane, Claimed, ClaimRequest
from chatroom.core.errors import Refusal, Unavailable
from chatroom.core.events import Left


class Claims:
    """The claims of this process."""

    def __init__(self, backplane: Backplane, answers: Answers) -> None:
        self._backplane = backplane
        self._answers = answers
        self._numbers = count(1)
        self._undecided: set[tuple[str, int]] = set()  # by session id and number

    def number(self) -> int:
        """The number of the next claim."""
        return next(self._numbers)

    def claim(self, room: str, request: ClaimRequest) -> Claimed:
        """Put a session into a room. May wait.

        Raises:
            NameTaken, RoomFull: it is refused.
            Unavailable: it cannot be decided now, or the session was ended at once.
        """
        mark = (request.sid, request.claim)
        self._undecided.add(mark)
        outcome: Claimed | Refusal | None = self._answers.outcome(
            partial(self._backplane.claim, room, request)
        )
        has_ended = mark not in self._undecided
        self._undecided.discard(mark)
        if isinstance(outcome, Refusal):
            raise outcome.copy()  # as `Answers.ask` does
        if outcome is None or has_ended:
            self._backplane.leave(room, request.sid)
            raise Unavailable
        return outcome

    def ended(self, left: Left) -> None:
        """A claim has ended, perhaps before it was answered."""
        self._undecided.discard((left.who.sid, left.claim))
