"""Pages of a room's history for its members. This module knows no disk, and not how long a read waits for it."""

from __future__ import annotations

from collections.abc import Callable

from chatroom.backplane import Backplane
from chatroom.core.budgets import Kind
from chatroom.core.errors import Unavailable
from chatroom.core.log import Page
from chatroom.reads import Reads
from chatroom.rooms import Rooms
from chatroom.sessions import Session


class History:
    """The history over one backplane."""

    def __init__(self, backplane: Backplane, rooms: Rooms, reads: Reads) -> None:
        self._backplane = backplane
        self._rooms = rooms
        self._reads = reads

    def page(
        self,
        session: Session,
        *,
        after: str | None,
        before: str | None,
        limit: int,
        answer: Callable[[Page | None], None],
    ) -> None:
        """Pass a page of the room's log to `answer`, or None if it cannot be read now. Returns at once.

        If the session ends before the read begins, there is no answer.

        Raises:
            RateLimited: too often, or too many pages at once.
        """
        session.quota.spend(Kind.HISTORY)
        key = session.room.key

        def read() -> None:
            try:
                page = self._backplane.page(key, after=after, before=before, limit=limit)
            except Unavailable:
                answer(None)
            else:
                answer(page)
            self._rooms.forget_if_closed(key)

        if before is None and self._backplane.at_hand(key, after):
            read()
        else:
            self._reads.put(session, read)
