"""What is kept about guests who have left, and for how long."""

from __future__ import annotations

import random

from chatroom.returning import MOST_KEPT, Returning
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
