"""Tokens that have ended before they expire: after a logout, and after a rename that gave a new one.

It knows keys, from which no identity follows, and when each token ended: of the latest, in memory 20 bytes each, and on
the disk as far as the backplane keeps them. When the table is full, it no longer knows which older tokens have ended.
So every token from before the oldest end that it knows counts as ended: its owner gets a new name, and no more.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, insort
from collections.abc import Callable

from chatroom.backplane import MOST_KEYS, Backplane, Keys
from chatroom.sessions import Session
from chatroom.tokens import Claim, ended_key, new_serial

_KEY_BYTES = 16
_TIME_BYTES = 4  # seconds since the epoch, until 2106; keys of earlier versions have no time
_SHORT_BYTES = 8  # two keys of 100,000 begin alike once in three billion servers


class EndedTokens:
    """The tokens that have ended, the latest of them.

    Args:
        backplane: keeps them for the next start.
        now_s: the clock by which tokens are written.
        most: how many are kept.
    """

    def __init__(self, backplane: Backplane, now_s: Callable[[], float], most: int = MOST_KEYS) -> None:
        self._backplane = backplane
        self._now_s = now_s
        self._most = most
        keys = backplane.keys(Keys.ENDED)[-most:]
        # Not a set: that takes seven times as much memory.
        self._in_order = array("Q", map(_shortened, keys))
        self._ended_s = array("I", (int.from_bytes(key[_KEY_BYTES:]) for key in keys))  # in the same order
        self._oldest = 0
        self._sorted = array("Q", sorted(self._in_order))

    def __contains__(self, token: Claim | None) -> bool:
        """Whether this token has ended."""
        if token is None:
            return False
        if len(self._in_order) == self._most and token.written_s <= self._ended_s[self._oldest]:
            return True
        return self._has(_shortened(ended_key(token.identity, token.serial)))

    def end(self, session: Session) -> None:
        """End the tokens that the session's guest has; the next one is a new one."""
        key = ended_key(session.identity, session.serial)
        session.serial = new_serial()
        short = _shortened(key)
        if self._has(short):
            return
        now_s = int(self._now_s())
        if len(self._in_order) < self._most:
            self._in_order.append(short)
            self._ended_s.append(now_s)
        else:
            del self._sorted[bisect_left(self._sorted, self._in_order[self._oldest])]
            self._in_order[self._oldest] = short
            self._ended_s[self._oldest] = now_s
            self._oldest = (self._oldest + 1) % self._most
        insort(self._sorted, short)
        self._backplane.save_key(Keys.ENDED, key + now_s.to_bytes(_TIME_BYTES), True, _nothing)

    def _has(self, short: int) -> bool:
        place = bisect_left(self._sorted, short)
        return place < len(self._sorted) and self._sorted[place] == short


def _shortened(key: bytes) -> int:
    return int.from_bytes(key[:_SHORT_BYTES])


def _nothing() -> None:
    """No one waits for it."""
