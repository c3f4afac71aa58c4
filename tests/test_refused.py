"""Texts whose refusal may not have been read, on a clock that the test sets."""

from __future__ import annotations

import tracemalloc

import pytest

from chatroom.backplane import RETRY_S
from chatroom.core.errors import NameChangedHands, NoSuchPerson, NotSent, RateLimited, Refusal, Unavailable
from chatroom.core.unknown_commands import UnknownWhisper
from chatroom.refused import RefusedTexts
from chatroom.sessions import Session
from tests.support.harness import CheckingGateway, Harness

_REFUSED_BYTES = 500  # per text: a hundred thousand take 50 MB


class Refusing:
    """A guest in one session after another, and the texts that were refused."""

    def __init__(self) -> None:
        self.harness = Harness([CheckingGateway()])
        self.texts = RefusedTexts(lambda: self.harness.now)

    def session(self, identity: str = "identity") -> Session:
        return self.harness.enter("lobby", token=self.harness.tokens.write(identity, "Bob"))

    def note(self, session: Session, refusal: Refusal, *, is_bound: bool = False) -> None:
        self.texts.note(session, "1", refusal, is_bound=is_bound)

    def asks_again(self, session: Session, cid: str = "1") -> Refusal | None:
        try:
            self.texts.check(session, cid)
        except Refusal as refused:
            return refused
        return None


def test_each_later_session_refuses_a_text_once() -> None:
    refusing = Refusing()
    session, refusal = refusing.session(), NotSent("talk_not_sent", name="Bob")
    refusing.note(session, refusal)
    assert refusing.asks_again(session) is None
    for _ in range(2):
        session = refusing.session()
        again = refusing.asks_again(session)
        assert again is not None
        assert (type(again), again.args) == (NotSent, refusal.args)
        for what in ("code", "params", "wording", "answer_after_s", "doubts_people"):
            assert getattr(again, what) == getattr(refusal, what)
        refusing.note(session, again)
        assert refusing.asks_again(session) is None
    refusing.texts.forget(session, "1")
    assert refusing.asks_again(refusing.session()) is None


def test_only_the_same_text_of_the_same_guest_is_refused() -> None:
    refusing = Refusing()
    refusing.note(refusing.session(), NotSent("talk_not_sent", name="Bob"))
    assert refusing.asks_again(refusing.session("another")) is None
    assert refusing.asks_again(refusing.session(), "2") is None
    assert refusing.asks_again(refusing.session()) is not None
    refusing.harness.now += RETRY_S
    assert refusing.asks_again(refusing.session()) is None


@pytest.mark.parametrize(
    ("refusal", "is_bound", "is_kept"),
    [
        (NoSuchPerson(name="Bob"), False, True),
        (NoSuchPerson(name="Bob"), True, False),
        (NameChangedHands(name="Bob", again=True), False, False),
        (Unavailable(), False, False),
        (RateLimited(retry_after=1.0), False, False),
    ],
)
def test_a_refusal_that_leaves_no_doubt_is_not_kept(refusal: Refusal, is_bound: bool, is_kept: bool) -> None:
    refusing = Refusing()
    refused = refusal if isinstance(refusal, NoSuchPerson) else refusal.with_doubt()
    refusing.note(refusing.session(), refused, is_bound=is_bound)
    assert (refusing.asks_again(refusing.session()) is not None) == is_kept


def test_refused_texts_take_little_memory() -> None:
    refusing, number = Refusing(), 2000
    session = refusing.session()
    tracemalloc.start()
    try:
        for cid in range(number):
            refusal = UnknownWhisper(command=f"tell{cid}", arguments=f" {cid}" * 2000)
            refusing.texts.note(session, str(cid), refusal.with_doubt(), is_bound=False)
        del refusal
        size, _peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert size / number < _REFUSED_BYTES


def test_expired_texts_are_forgotten() -> None:
    refusing = Refusing()
    session = refusing.session()
    for cid in range(100):
        refusing.texts.note(session, str(cid), NotSent("talk_not_sent", name="Bob"), is_bound=False)
    refusing.harness.now += RETRY_S + 1
    refusing.texts.forget_expired()
    assert len(refusing.texts) == 0
