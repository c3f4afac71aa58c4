"""Whose names were in a room until lately, and whom a session has written to under which name.

So that a text for one who has left reaches neither somebody with a shorter name nor somebody who has taken theirs. It
knows identities only to compare them; moments are given to it, in seconds.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from chatroom.core.confusables import fold

LATELY_S: Final = 600.0
MOST_NAMES: Final = 2000  # remembered per room
MOST_EACH: Final = 8  # of them one person's, so that nobody's renames push out what others were called
MOST_ADDRESSED: Final = 64  # remembered per session


@dataclass(frozen=True, slots=True)
class Gone:
    """A name that nobody had any more at a moment, or somebody else.

    Attributes:
        identity: whose it was; "" if several had it lately, so that none of them is taken for another.
    """

    name: str
    identity: str
    at: float


class RecentNames:
    """The names that were given up in one room in the last ten minutes; of many, the latest."""

    __slots__ = ("_by_key", "_keys_of")

    def __init__(self) -> None:
        self._by_key: dict[str, Gone] = {}  # the oldest first
        self._keys_of: dict[str, dict[str, None]] = {}  # by identity, the oldest first

    def add(self, name: str, identity: str, now: float) -> None:
        """Somebody has left, or has another name."""
        before = self.find(name, now)
        if before is not None and before.identity != identity:
            identity = ""
        key = fold(name)
        self._drop(key)
        self._by_key[key] = Gone(name, identity, now)
        if identity:
            own = self._keys_of.setdefault(identity, {})
            own[key] = None
            if len(own) > MOST_EACH:
                self._drop(next(iter(own)))
        while len(self._by_key) > MOST_NAMES or now - next(iter(self._by_key.values())).at > LATELY_S:
            self._drop(next(iter(self._by_key)))

    def _drop(self, key: str) -> None:
        gone = self._by_key.pop(key, None)
        if gone is not None and gone.identity:
            own = self._keys_of[gone.identity]
            del own[key]
            if not own:
                del self._keys_of[gone.identity]

    def find(self, name: str, now: float) -> Gone | None:
        """Who was called so last, in whatever case; never one who only looks the same."""
        gone = self._by_key.get(fold(name))
        return gone if gone is not None and now - gone.at <= LATELY_S else None


class Addressed:
    """Whom one session means by a name: those it has written to."""

    __slots__ = ("_by_key",)

    def __init__(self) -> None:
        self._by_key: dict[str, str] = {}

    def __bool__(self) -> bool:
        return bool(self._by_key)

    def __contains__(self, name: str) -> bool:
        return fold(name) in self._by_key

    def is_other(self, name: str, identity: str, before: Gone | None) -> bool:
        """Whether a name now stands for somebody else than the session knows; the second time, it knows.

        Args:
            identity: whose name it is now.
            before: who gave the name up while the session was there.
        """
        known = self._by_key.get(fold(name), before.identity if before is not None else identity)
        self._remember(name, identity)
        return known != identity

    def knows(self, identity: str) -> bool:
        """Whether the session has written to this one, under whatever name."""
        return identity in self._by_key.values()

    def clear(self) -> None:
        """Forget all; in another room the names are others'."""
        self._by_key.clear()

    def _remember(self, name: str, identity: str) -> None:
        key = fold(name)
        self._by_key.pop(key, None)
        self._by_key[key] = identity
        while len(self._by_key) > MOST_ADDRESSED:
            del self._by_key[next(iter(self._by_key))]
