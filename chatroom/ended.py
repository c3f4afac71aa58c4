"""Tokens that have ended before they expire: after a logout, and after a rename that gave a new one.

It knows keys, from which no identity follows, and the second in which each token's serial was made: 8 bytes each, in
memory and, as far as the backplane keeps them, on the disk. When there are too many, it no longer remembers the single
tokens of the second from which most have ended: all tokens from that second then count as ended. Someone who ends very
many thus harms only guests who come at the same time: they get another name when they return.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right, insort
from collections.abc import Callable
from typing import Final

from chatroom.backplane import MOST_KEYS, Backplane, Keys
from chatroom.sessions import Session
from chatroom.tokens import Claim, ended_key, made_s, new_serial

_BYTES: Final = 8
_KEY_BITS: Final = 32  # in one of millions of floods, two tokens of one second have the same key
_WHOLE: Final = 2**_KEY_BITS - 1  # in place of a key: all tokens of this second have ended
_AND_BEFORE: Final = 0  # in place of a key: all tokens from before this second have ended
_PROBES: Final = 64


class EndedTokens:
    """The tokens that have ended.

    Args:
        backplane: keeps them for the next start.
        now_s: a clock in seconds since the epoch.
        most: how many are kept.
    """

    def __init__(self, backplane: Backplane, now_s: Callable[[], float], most: int = MOST_KEYS) -> None:
        self._backplane = backplane
        self._now_s = now_s
        self._most = most
        # Sorted, by second and key. Not a set: that takes ten times as much memory.
        self._table = array("Q", sorted(map(int.from_bytes, backplane.keys(Keys.ENDED))))

    def __contains__(self, token: Claim | None) -> bool:
        """Whether this token has ended."""
        return token is not None and self._has(_entry(token.identity, token.serial))

    def new_serial(self) -> str:
        """A serial for someone's next tokens."""
        return new_serial(self._now_s())

    def end(self, session: Session) -> None:
        """End the tokens that the session's guest has; the next one is a new one."""
        entry = _entry(session.identity, session.serial)
        session.serial = self.new_serial()
        if not self._has(entry):
            insort(self._table, entry)
            self._save(entry, True)
            if len(self._table) > self._most:
                self._make_space()

    def _has(self, entry: int) -> bool:
        table = self._table
        if table and entry < table[0] and table[0] & _WHOLE == _AND_BEFORE:
            return True
        places = ((bisect_left(table, wanted), wanted) for wanted in (entry, entry | _WHOLE))
        return any(place < len(table) and table[place] == wanted for place, wanted in places)

    def _make_space(self) -> None:
        """Remember a second with many keys as a whole; if there seems to be none, everything from before a second."""
        table = self._table
        probed = table[:: -(-len(table) // _PROBES)]  # spread over the table: likely to find the largest
        first, end = max(map(self._places, probed), key=lambda places: places[1] - places[0])
        entry = table[first] | _WHOLE
        if end - first < 2:
            entry = (table[1] | _WHOLE) + 1
            first, end = 0, bisect_left(table, entry)
        dropped, table[first:end] = table[first:end], array("Q", (entry,))
        for one in dropped:
            self._save(one, False)
        self._save(entry, True)

    def _places(self, entry: int) -> tuple[int, int]:
        """Where the keys of an entry's second begin and end."""
        second = entry & ~_WHOLE
        return bisect_right(self._table, second | _AND_BEFORE), bisect_right(self._table, second | _WHOLE)

    def _save(self, entry: int, is_kept: bool) -> None:
        self._backplane.save_key(Keys.ENDED, entry.to_bytes(_BYTES), is_kept, _nothing)


def _entry(identity: str, serial: str) -> int:
    key = int.from_bytes(ended_key(identity, serial)[: _KEY_BITS // 8])
    return made_s(serial) << _KEY_BITS | min(max(key, _AND_BEFORE + 1), _WHOLE - 1)


def _nothing() -> None:
    """No one waits for it."""
