"""Which tokens have ended, and what is remembered of very many."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

from hypothesis import given
from hypothesis import strategies as st

from chatroom.backplane import Backplane, Keys
from chatroom.ended import EndedTokens
from chatroom.sessions import Session
from chatroom.tokens import Claim, new_serial

MOST = 48


class Storage:
    """What a backplane keeps."""

    def __init__(self) -> None:
        self.kept: list[bytes] = []

    def keys(self, kind: Keys) -> list[bytes]:
        assert kind is Keys.ENDED
        return list(self.kept)

    def save_key(self, kind: Keys, key: bytes, is_kept: bool, done: Any) -> None:
        assert kind is Keys.ENDED
        if key in self.kept:
            self.kept.remove(key)
        if is_kept:
            self.kept.append(key)


def ended(storage: Storage) -> EndedTokens:
    return EndedTokens(cast(Backplane, storage), lambda: 5000, MOST)


def token(made_s: int, identity: str = "i") -> Claim:
    return Claim(identity, "Fox", new_serial(made_s))


def end(tokens: EndedTokens, *claims: Claim) -> None:
    for claim in claims:
        tokens.end(cast(Session, SimpleNamespace(identity=claim.identity, serial=claim.serial)))


def test_a_token_ends_and_the_next_one_is_good() -> None:
    tokens, romeo = ended(Storage()), cast(Session, SimpleNamespace(identity="i", serial=""))
    assert None not in tokens
    tokens.end(romeo)
    assert Claim("i", "Fox") in tokens
    assert Claim("j", "Fox") not in tokens
    next_one = Claim("i", "Fox", romeo.serial)
    assert next_one not in tokens
    tokens.end(romeo)
    assert next_one in tokens


def test_a_token_that_ends_twice_counts_once() -> None:
    storage = Storage()
    tokens, one, other = ended(storage), token(1), token(1)
    end(tokens, *[one] * 2 * MOST, other)
    assert len(storage.kept) == 2
    assert token(1) not in tokens


def test_a_flood_harms_only_tokens_made_while_it_lasts() -> None:
    storage = Storage()
    tokens = ended(storage)
    gone, here = [token(second) for second in range(10)], [token(second) for second in range(20)]
    flood = [token(100 + number // 100) for number in range(1000)]
    end(tokens, *gone, *flood)
    meanwhile, later = token(105), token(110)
    for table in (tokens, ended(storage)):  # also after a restart
        assert all(claim in table for claim in (*gone, *flood, meanwhile))
        assert not any(claim in table for claim in (*here, later))
    assert len(storage.kept) <= MOST


def test_one_ended_token_per_second_ends_all_older_ones() -> None:
    storage = Storage()
    tokens, claims = ended(storage), [token(second) for second in range(1000)]
    end(tokens, *claims)
    for table in (tokens, ended(storage)):
        assert all(claim in table for claim in claims)
        assert token(900) in table
        assert token(999) not in table


@given(st.lists(st.integers(0, 90) | st.just(45) | st.none(), max_size=400))
def test_no_ended_token_is_ever_good_again(seconds: list[int | None]) -> None:
    storage, claims = Storage(), list[Claim]()
    tokens = ended(storage)
    for second in seconds:
        if second is None:
            tokens = ended(storage)
        else:
            claims.append(token(second))
            end(tokens, claims[-1])
            assert len(storage.kept) <= MOST
    assert all(claim in tokens for claim in claims)
    assert token(91) not in tokens
