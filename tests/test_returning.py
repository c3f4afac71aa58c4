"""What is kept about guests who have left, and for how long."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest

from chatroom.backplane import Keys
from chatroom.core.errors import RoomInvalid
from chatroom.returning import MOST_KEPT, Returning
from chatroom.sessions import Session
from chatroom.tokens import talk_key
from tests.support.harness import CheckingGateway, Harness

_DAY_S = 24 * 3600.0


def test_names_are_forgotten_a_day_after_a_cut() -> None:
    harness = Harness([CheckingGateway()])
    now = [0.0]
    returning = Returning(harness.backplane, lambda: now[0])
    romeo = harness.enter("lobby")
    romeo.addressed.is_other("Bob", "someone", None)
    returning.park(romeo)
    returning.note_restart(romeo.identity)
    now[0] = _DAY_S + 1
    returning.forget_expired()
    assert not returning._parked
    assert not returning._returned
    returning.note_restart(romeo.identity)
    assert not returning._returned
    harness.close()


def test_sessions_are_found_by_identity_and_by_id() -> None:
    """As many as are kept, with identities that come back, and some that leave."""
    harness = Harness([CheckingGateway()])
    returning, rng = Returning(harness.backplane, lambda: 0.0), random.Random(7)
    known: dict[str, str] = {}
    for number in range(3 * MOST_KEPT):
        identity = f"i{rng.randrange(MOST_KEPT)}"
        if rng.random() < 0.3:
            returning.forget(identity)
        else:
            returning._note_sid(f"s{number}", identity)
            known[f"s{number}"] = identity
        assert len(returning._identities) <= MOST_KEPT
    by_identity = {(sid, identity) for identity, sids in returning._sids.items() for sid in sids}
    assert by_identity == set(returning._identities.items()) <= set(known.items())
    assert all(returning._sids.values())
    harness.close()


class Kept:
    """Which keys of private chats are on the disk, if so many may be kept, and so many of no chat."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, most: int, most_minor: int) -> None:
        self.harness = Harness([CheckingGateway()])
        self.keys: set[bytes] = set()
        monkeypatch.setattr("chatroom.returning.MOST_KEYS", most)
        monkeypatch.setattr("chatroom.returning.MOST_KEPT", most_minor)
        monkeypatch.setattr(self.harness.backplane, "save_key", self._save)
        self.bob = self.harness.enter("lobby")

    def _save(self, _kind: Keys, key: bytes, is_kept: bool, done: Callable[[], None]) -> None:
        (self.keys.add if is_kept else self.keys.discard)(key)
        done()

    def _enter(self) -> Session:
        self.harness.backplane.settle_all()
        return self.harness.enter(f"room {self.harness.count % 3}")  # a room is full with four

    def chats(self) -> Session:
        """Someone new starts a private chat."""
        session = self._enter()
        session.talk.turn_to(self.bob.person)
        return self.save(session)

    def is_refused(self) -> Session:
        """Someone new has sent what was refused, and waits for the answer."""
        session = self._enter()
        session.talk.hold(RoomInvalid().with_doubt(), 0.0)
        return self.save(session)

    def save(self, session: Session) -> Session:
        self.harness.service.save_talk(session, lambda: None)
        return session

    def __contains__(self, session: Session) -> bool:
        return talk_key(session.identity) in self.keys


@pytest.mark.parametrize("way", ["logout", "cut"])
def test_no_number_of_refusals_displaces_a_private_chat(monkeypatch: pytest.MonkeyPatch, way: str) -> None:
    kept = Kept(monkeypatch, most=4, most_minor=2)
    chats = [kept.chats() for _ in range(3)]
    for _ in range(20):
        kept.harness.leave(kept.is_refused(), cut=way == "cut")
        assert len(kept.keys) <= 4
    assert [one in kept for one in chats] == [True] * 3
    assert len(kept.keys) == 3 + (way == "cut")
    chats += [kept.chats(), kept.chats()]  # only these displace one
    assert [one in kept for one in chats] == [False] + [True] * 4
    assert len(kept.harness.service._returning._talks) == 4
    kept.harness.close()


def test_chats_of_guests_who_left_make_room_first(monkeypatch: pytest.MonkeyPatch) -> None:
    kept = Kept(monkeypatch, most=3, most_minor=2)
    romeo = kept.chats()
    left = [kept.chats() for _ in range(2)]
    for one in left:
        kept.harness.service.log_out(one)
    assert [one in kept for one in left] == [True] * 2  # for whoever comes with the ended token
    others = [kept.chats() for _ in range(2)]
    assert [one in kept for one in (romeo, *left, *others)] == [True, False, False, True, True]
    kept.harness.close()


def test_a_refusal_that_was_answered_leaves_no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    kept = Kept(monkeypatch, most=3, most_minor=2)
    session = kept.is_refused()
    assert session in kept
    session.talk.answered(1.0)
    kept.save(session)
    assert not kept.keys
    assert not kept.harness.service._returning._minor_talks
    refused = kept.is_refused()
    refused.talk.turn_to(kept.bob.person)  # now it is a chat
    kept.save(refused)
    for _ in range(9):
        kept.harness.leave(kept.is_refused(), cut=True)
    assert refused in kept
    kept.harness.close()
