"""Whom a private text reaches once names have passed from one person to another."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from chatroom.core.errors import NameChangedHands
from chatroom.core.events import Talk, Whispered
from chatroom.core.recent import LATELY_S
from chatroom.sessions import Session
from tests.support.harness import CheckingGateway, Harness


class Play:
    """Alice, who writes, and Mallory, who takes names."""

    def __init__(self) -> None:
        self.harness = Harness([CheckingGateway()])
        self.whispers = self.harness.service.whispers
        self.alice = self.enters("Alice")

    def enters(self, name: str, room: str = "lobby") -> Session:
        self.passes()
        return self.harness.enter(room, username=name)

    def leaves(self, session: Session) -> None:
        self.passes()
        self.harness.leave(session)
        self.harness.backplane.settle_all()

    def renames(self, session: Session, name: str) -> None:
        self.passes()
        self.harness.does(lambda: self.harness.service.rename(session, name))
        self.harness.backplane.settle_all()

    def moves(self, session: Session, room: str) -> None:
        self.passes()
        self.harness.does(lambda: self.harness.service.move(session, room))
        self.harness.backplane.settle_all()

    def writes(self, to: str, writer: Session | None = None) -> Whispered:
        """`/to NAME`, by Alice unless someone else is named."""
        self.passes()
        return self.harness.does(lambda: self.whispers.whisper(writer or self.alice, to, "hi"))

    def writes_to(self, to: Session, writer: Session | None = None, talk: Talk | None = None) -> None:
        """To a session, as in a private chat."""
        self.passes()
        self.harness.does(lambda: self.whispers.whisper_to(writer or self.alice, to.sid, "hi", talk))

    def passes(self, seconds: float = 1.0) -> None:
        self.harness.now += seconds

    def gets_back(self, name: str, session: Session) -> None:
        """They give up their name, somebody else has it for a time, and they take it again."""
        self.renames(session, "Mal")
        self.somebody_has(name)
        self.renames(session, name)

    def somebody_has(self, name: str) -> None:
        """Somebody else has a name for a while, long ago."""
        self.leaves(self.enters(name))
        self.passes(LATELY_S + 1)


@pytest.fixture
def play() -> Iterator[Play]:
    playing = Play()
    yield playing
    playing.harness.close()


def test_a_name_that_another_has_had_since_is_asked_about(play: Play) -> None:
    mallory = play.enters("Bob")
    play.writes("Bob")
    play.gets_back("Bob", mallory)
    with pytest.raises(NameChangedHands):
        play.writes("Bob")
    play.writes("Bob")
    play.renames(mallory, "Mal")
    play.renames(mallory, "Bob")  # nobody else had it
    play.writes("Bob")


def test_a_refused_text_makes_nobody_known_for_good(play: Play) -> None:
    play.leaves(play.enters("Bob"))
    mallory = play.enters("Bob")
    with pytest.raises(NameChangedHands):
        play.writes("Bob")
    play.gets_back("Bob", mallory)
    with pytest.raises(NameChangedHands):
        play.writes("Bob")


def test_a_name_known_by_another_spelling_is_asked_about(play: Play) -> None:
    mallory = play.enters("@Bob")
    play.writes("@Bob")
    play.gets_back("Bob", mallory)
    with pytest.raises(NameChangedHands):
        play.writes("Bob")


def test_a_known_person_is_not_trusted_by_another_name(play: Play) -> None:
    bob, mallory = play.enters("Bob"), play.enters("Mal")
    play.whispers.check_stranger(play.alice, mallory.sid)
    play.writes_to(mallory)
    play.leaves(bob)
    play.renames(mallory, "Bob")
    with pytest.raises(NameChangedHands):
        play.whispers.check_stranger(play.alice, mallory.sid, to="Bob")
    play.whispers.check_stranger(play.alice, mallory.sid, to="Bob")
    play.renames(mallory, "Mal")
    play.somebody_has("Bob")
    play.leaves(play.enters("Eve"))
    play.renames(mallory, "Eve")
    play.whispers.check_stranger(play.alice, mallory.sid, to="Mal")  # Alice has not seen the new name
    with pytest.raises(NameChangedHands):
        play.whispers.check_stranger(play.alice, mallory.sid, to="Bob")


def test_whoever_one_exchanged_private_texts_with_is_known(play: Play) -> None:
    bob, eve = play.enters("Bob"), play.enters("Eve")
    play.writes("Alice", bob)  # received
    play.writes_to(eve, talk=Talk.LINE)  # in a chat that Eve began
    assert [name in play.alice.addressed for name in ("Bob", "Eve")] == [True, True]
    for known in (bob, eve):
        play.leaves(known)
    play.passes(LATELY_S + 1)
    mallory = play.enters("Bob")
    for name in ("Bob", "Eve"):
        play.renames(mallory, name)
        with pytest.raises(NameChangedHands):
            play.writes(name)


def test_who_writes_first_is_not_trusted_for_that(play: Play) -> None:
    play.leaves(play.enters("Bob"))
    mallory = play.enters("Bob")
    play.writes("Alice", mallory)
    with pytest.raises(NameChangedHands):
        play.writes("Bob")


def test_a_visit_to_another_room_forgets_nobody(play: Play) -> None:
    bob = play.enters("Bob")
    play.writes("Bob")
    play.moves(play.alice, "a")
    assert "Bob" not in play.alice.addressed  # someone else may have the name here
    play.leaves(bob)
    play.passes(LATELY_S + 1)
    play.enters("Bob")
    token = play.harness.gateway.welcomed[play.alice.sid][1]
    play.harness.leave(play.alice, cut=True)
    play.alice = play.harness.enter("a", token=token)
    play.moves(play.alice, "lobby")
    with pytest.raises(NameChangedHands):
        play.writes("Bob")


def test_an_ended_token_brings_back_whom_one_knows(play: Play) -> None:
    bob = play.enters("Bob")
    play.writes("Bob")
    token = play.harness.gateway.welcomed[play.alice.sid][1]
    play.renames(play.alice, "Ann")  # whose answer, with the new token, is lost
    play.harness.leave(play.alice, cut=True)
    play.leaves(bob)
    play.passes(LATELY_S + 1)
    play.enters("Bob")
    play.alice = play.harness.enter("lobby", token=token)
    with pytest.raises(NameChangedHands):
        play.writes("Bob")
