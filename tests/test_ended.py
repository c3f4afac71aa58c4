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


def ended(storage: Storage) -> EndedTokens:
    return EndedTokens(cast(Backplane, storage), MOST)


def session(number: int) -> Session:
    return cast(Session, SimpleNamespace(identity=f"i{number}", serial=""))


def numbers(tokens: EndedTokens) -> list[int]:
    return [number for number in range(3 * MOST) if Claim(f"i{number}", "Fox") in tokens]


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
