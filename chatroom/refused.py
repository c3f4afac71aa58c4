"""Texts that were refused because it was doubtful who would receive them.

A client that lost the answer sends the text again with the same `cid`, perhaps in a later session, when it could reach
someone else. Until that session has refused it too, the guest may know nothing of the refusal.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple

from chatroom.backplane import RETRY_S
from chatroom.core.errors import NameChangedHands, NoSuchPerson, RateLimited, Refusal, Unavailable
from chatroom.returning import drop_expired, remember
from chatroom.sessions import Session
from chatroom.tokens import retry_key

MOST_REFUSED: Final = 100_000  # texts, the latest


class _Refused(NamedTuple):
    kind: type[Refusal]
    packed: bytes  # the refusal; there are too many for objects
    sid: str  # the session that refused it last
    until: float


class RefusedTexts:
    """The refused texts that had a `cid`, by identity and `cid`.

    Args:
        monotonic: a clock in seconds.
    """

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._texts: dict[bytes, _Refused] = {}  # the oldest first

    def __len__(self) -> int:
        """How many are remembered."""
        return len(self._texts)

    def check(self, session: Session, cid: str | None) -> None:
        """Check a text before it is sent.

        Raises:
            Refusal: an earlier session of this guest refused it, and this one has not yet.
        """
        if cid is None or not self._texts:
            return
        refused = self._texts.get(retry_key(session.identity, cid))
        if refused is not None and refused.sid != session.sid and self._monotonic() < refused.until:
            raise refused.kind.unpacked(refused.packed)

    def note(self, session: Session, cid: str | None, refusal: Refusal, *, is_bound: bool) -> None:
        """A text was refused; remember it if it may reach someone else when it is sent again.

        Args:
            is_bound: it can reach one session only, so its recipient is not in doubt.
        """
        if cid is None or isinstance(refusal, RateLimited | Unavailable):
            return  # nothing was decided, and clients send it again at once
        if isinstance(refusal, NameChangedHands):
            return  # the next session asks about the name again, whatever the `cid`
        if refusal.answer_after_s is not None or (isinstance(refusal, NoSuchPerson) and not is_bound):
            refused = _Refused(type(refusal), refusal.packed(), session.sid, self._monotonic() + RETRY_S)
            remember(self._texts, retry_key(session.identity, cid), refused, MOST_REFUSED)

    def forget_expired(self) -> None:
        """Forget the texts that are not sent again any more; of many, some at each call."""
        drop_expired(self._texts, self._monotonic())

    def forget(self, session: Session, cid: str | None) -> None:
        """A text was sent: its retries are answered like those of any other."""
        if cid is not None and self._texts:
            self._texts.pop(retry_key(session.identity, cid), None)
