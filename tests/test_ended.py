"""Which tokens have ended, and how many of them are remembered."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

from chatroom.backplane import Backplane, Keys
from chatroom.ended import EndedTokens
from chatroom.sessions import Session
from chatroom.tokens import Claim

MOST = 50


class Storage:
    """What a backplane keeps."""

    def __init__(self) -> None:
        self.kept: list[bytes] = []

    def keys(self, kind: Keys) -> list[bytes]:
        assert kind is Keys.ENDED
        return list(self.kept)

    def save_key(self, kind: Keys, key: bytes, is_kept: bool, done: Any) -> None:
        assert (kind, is_kept) == (Keys.ENDED, True)
        self.kept.append(key)


def ended(storage: Storage, now_s: float = 0) -> EndedTokens:
    return EndedTokens(cast(Backplane, storage), lambda: now_s, MOST)


def session(number: int) -> Session:
    return cast(Session, SimpleNamespace(identity=f"i{number}", serial=""))


def numbers(tokens: EndedTokens) -> list[int]:
    return [number for number in range(3 * MOST) if Claim(f"i{number}", "Fox", written_s=1) in tokens]


def test_a_token_ends_and_the_next_one_is_good() -> None:
    tokens, romeo = ended(Storage()), session(1)
    assert None not in tokens
    tokens.end(romeo)
    assert numbers(tokens) == [1]
    next_one = Claim("i1", "Fox", romeo.serial)
    assert next_one not in tokens
    tokens.end(romeo)
    assert next_one in tokens


def test_the_latest_are_remembered_also_after_a_restart() -> None:
    storage = Storage()
    tokens = ended(storage)
    for number in range(2 * MOST):
        tokens.end(session(number))
    assert numbers(tokens) == list(range(MOST, 2 * MOST))
    again = ended(storage)
    assert numbers(again) == list(range(MOST, 2 * MOST))
    again.end(session(2 * MOST))
    assert numbers(again) == list(range(MOST + 1, 2 * MOST + 1))


def test_a_token_that_ends_twice_counts_once() -> None:
    storage = Storage()
    tokens = ended(storage)
    for _ in range(MOST):
        tokens.end(session(0))
    tokens.end(session(1))
    assert numbers(tokens) == [0, 1]
    assert len(storage.kept) == 2


def test_tokens_from_before_what_is_remembered_have_ended() -> None:
    storage, now = Storage(), [1000]
    tokens = EndedTokens(cast(Backplane, storage), lambda: now[0], MOST)
    for number in range(MOST):
        now[0] += 10
        assert Claim("other", "Owl", written_s=999) not in tokens
        tokens.end(session(number))
    now[0] += 10
    tokens.end(session(MOST))  # the first one is pushed out
    for table in (tokens, EndedTokens(cast(Backplane, storage), lambda: now[0], MOST)):
        assert Claim("i0", "Fox", written_s=1000) in table
        assert Claim("other", "Owl", written_s=1020) in table
        assert Claim("other", "Owl", written_s=1021) not in table


def test_keys_of_earlier_versions_have_no_time() -> None:
    storage = Storage()
    storage.kept = [bytes([number]) * 16 for number in range(MOST)]
    assert Claim("other", "Owl", written_s=1) not in ended(storage)
