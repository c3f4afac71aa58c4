"""Questions that a backplane answers by callback."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import Any

import pytest

from chatroom import runtime
from chatroom.answers import Answers
from chatroom.backplane import ClaimRequest
from chatroom.claims import Claims
from chatroom.core.errors import NameTaken, Refusal
from tests.support.inside import no_collector

REQUEST = ClaimRequest(sid="sid", identity="identity", claim=1)


class Refusing:
    """A backplane that refuses everyone."""

    def __init__(self) -> None:
        self.refusals: list[weakref.ref[Refusal]] = []

    def claim(self, _room: str, _request: object, on_done: Callable[[Refusal], None]) -> None:
        self.ask(on_done)

    def ask(self, on_done: Callable[[Refusal], None]) -> None:
        try:
            raise NameTaken(name="Romeo")
        except NameTaken as refused:
            outcome = refused
        self.refusals.append(weakref.ref(outcome))
        on_done(outcome)


@pytest.mark.parametrize("claims", [False, True])
def test_a_refusal_is_freed_without_the_collector(claims: bool) -> None:
    backplane: Any = Refusing()
    answers = Answers(runtime.Signal)
    with no_collector():
        try:
            if claims:
                Claims(backplane, answers).claim("lobby", REQUEST)
            else:
                answers.ask(backplane.ask)
        except NameTaken as refused:
            backplane.refusals.append(weakref.ref(refused))
        assert [refusal() for refusal in backplane.refusals] == [None, None]
