"""What guests get back when they return: their private chat, and whom they meant by a name.

It knows sessions and identities, and keeps a bounded number of each. The service decides who may come back.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from itertools import islice, takewhile
from typing import Final, Protocol, TypeVar

from chatroom.backplane import MOST_KEYS, Backplane, Keys
from chatroom.core.addressed import Addressed, PackedAddressed
from chatroom.core.private_talk import PrivateTalk
from chatroom.sessions import Session
from chatroom.tokens import talk_key

MOST_KEPT: Final = 10_000  # of each kind of thing remembered about guests, the latest
_MOST_RETURNED: Final = 100_000  # identities from before the start that have come back, the latest
_MOST_DROPPED: Final = 1_000  # at a time, which takes a millisecond
_PARKED_S: Final = 24 * 3600.0  # how long a cut session's private chat is kept


@dataclass(frozen=True, slots=True)
class _Parked:
    """What is kept, until a time, for a guest whose session was cut or replaced."""

    talk: PrivateTalk | None  # None: a plain one
    addressed: PackedAddressed
    until: float


class Returning:
    """The guests whose sessions were cut or replaced.

    Args:
        monotonic: a clock in seconds.
    """

    def __init__(self, backplane: Backplane, monotonic: Callable[[], float]) -> None:
        self._backplane = backplane
        self._monotonic = monotonic
        # By the id of the session that was cut or replaced, the oldest first.
        self._identities: dict[str, str] = {}
        # The same the other way round. Tuples, because dicts took five times as much memory.
        self._sids: dict[str, tuple[str, ...]] = {}
        self._parked: dict[str, _Parked] = {}  # by identity, the oldest first
        # The identities that came back with a token from before the start.
        self._returned: dict[str, None] = {}
        self._doubt_until = monotonic() + _PARKED_S
        # The keys of all who are in a private chat, or were before the start, and how many saves of each are under way.
        self._talks = dict.fromkeys(backplane.keys(Keys.TALK))
        # Those of them who are in none now: their guests have not read a refusal yet, or have logged out.
        self._minor_talks: dict[bytes, None] = {}
        self._unsaved: dict[bytes, int] = {}

    def identity(self, sid: str) -> str | None:
        """Whose session this was, if it was cut or replaced."""
        return self._identities.get(sid)

    def park(self, session: Session) -> None:
        """The session is cut or replaced: keep for a while what its guest gets back on return."""
        session.talk.cut()
        self._note_sid(session.sid, session.identity)
        now = self._monotonic()
        talk = None if session.talk.is_plain else session.talk
        addressed = session.addressed.packed(session.room.key)
        if talk is not None or addressed:
            remember(self._parked, session.identity, _Parked(talk, addressed, now + _PARKED_S))

    def leave(self, session: Session) -> None:
        """The guest has left: no later session is the return of this one.

        Someone may still come with the ended token and believe that the private chat goes on.
        """
        self.forget(session.identity)
        key = talk_key(session.identity) if self._talks else None
        if key is None or key not in self._talks:
            return
        if session.talk.has_chat:
            self._note_minor(key)
        else:
            self._drop_talk(key)

    def forget(self, identity: str) -> None:
        """No later session counts as the return of this guest's."""
        for sid in self._sids.pop(identity, ()):
            del self._identities[sid]

    def forget_expired(self) -> None:
        """Forget what is kept no longer; of much, some at each call."""
        now = self._monotonic()
        drop_expired(self._parked, now)
        if now >= self._doubt_until:
            self._returned.clear()

    def _note_sid(self, sid: str, identity: str) -> None:
        self._identities[sid] = identity
        self._sids[identity] = (*self._sids.get(identity, ()), sid)
        if len(self._identities) > MOST_KEPT:
            owner = self._identities.pop(next(iter(self._identities)))
            self._sids[owner] = self._sids[owner][1:]
            if not self._sids[owner]:
                del self._sids[owner]

    def go_on(self, session: Session) -> None:
        """Give a guest who has come back their private chat; if its partner is unknown, mark the chat as lost."""
        parked = self._parked.pop(session.identity, None)
        if parked is not None and parked.until >= self._monotonic():
            session.talk = parked.talk or session.talk
            session.addressed = Addressed.unpacked(parked.addressed, session.room.key)
        elif talk_key(session.identity) in self._talks:
            session.talk.forget()

    def doubt(self, session: Session, identity: str) -> None:
        """A guest has come with an ended token of this identity, perhaps because the answer to a rename was lost.

        If there was a private chat, they may believe that it goes on. They mean the same people as before.
        """
        parked = self._parked.get(identity)
        if parked is not None and parked.until >= self._monotonic():
            session.addressed = Addressed.unpacked(parked.addressed, session.room.key)
        if talk_key(identity) in self._talks:
            session.talk.forget()

    def note_restart(self, identity: str) -> bool:
        """A guest has come back with a token from before the start.

        Returns:
            Whether it is the first time, within a day of the start.
        """
        if self._monotonic() >= self._doubt_until:
            return False
        is_first = identity not in self._returned
        remember(self._returned, identity, None, _MOST_RETURNED)
        return is_first

    def is_doubtful(self, identity: str) -> bool:
        """Whether names may have been others' before a restart, when the guest with this identity chose them.

        A token for a name proves nothing: someone else may have had the name since it was written.
        """
        return identity in self._returned and self._monotonic() < self._doubt_until

    def save_talk(self, session: Session, done: Callable[[], None]) -> None:
        """Store whether a session's guest is in a private chat, for those who come back with a token after a restart.

        Args:
            done: called when it is stored.
        """
        is_open = session.talk.is_open
        if not self._talks and not is_open:
            done()
            return
        key = talk_key(session.identity)
        is_known = key in self._talks
        if session.talk.has_chat:
            self._minor_talks.pop(key, None)
        elif is_open and not is_known:
            self._note_minor(key)
        if is_open == is_known and key not in self._unsaved:
            done()
        elif is_open:
            self._talks.pop(key, None)
            self._talks[key] = None
            self._save_key(key, True, done)
            while len(self._talks) > MOST_KEYS:
                self._drop_talk(next(iter(self._minor_talks or self._talks)))
        else:
            self._drop_talk(key, done)

    def _note_minor(self, key: bytes) -> None:
        self._minor_talks[key] = None
        if len(self._minor_talks) > MOST_KEPT:
            self._drop_talk(next(iter(self._minor_talks)))

    def _drop_talk(self, key: bytes, done: Callable[[], None] = lambda: None) -> None:
        self._talks.pop(key, None)
        self._minor_talks.pop(key, None)
        self._save_key(key, False, done)

    def _save_key(self, key: bytes, is_kept: bool, done: Callable[[], None]) -> None:
        self._unsaved[key] = self._unsaved.get(key, 0) + 1
        self._backplane.save_key(Keys.TALK, key, is_kept, partial(self._talk_saved, key, done))

    def _talk_saved(self, key: bytes, done: Callable[[], None]) -> None:
        self._unsaved[key] -= 1
        if not self._unsaved[key]:
            del self._unsaved[key]
        done()


_Key = TypeVar("_Key")
_Kept = TypeVar("_Kept")


class _Expiring(Protocol):
    @property
    def until(self) -> float: ...


_Temporary = TypeVar("_Temporary", bound=_Expiring)


def remember(kept: dict[_Key, _Kept], key: _Key, value: _Kept, most: int = MOST_KEPT) -> None:
    """Keep something as the newest entry, and drop the oldest beyond the bound."""
    kept.pop(key, None)
    kept[key] = value
    if len(kept) > most:
        del kept[next(iter(kept))]


def drop_expired(kept: dict[_Key, _Temporary], now: float) -> None:
    """Drop the entries whose time is over, the oldest of them; of many, some at each call."""
    oldest = islice(kept.items(), _MOST_DROPPED)
    for key, _ in list(takewhile(lambda item: item[1].until < now, oldest)):
        del kept[key]
