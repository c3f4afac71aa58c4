"""The service over a backplane that is far away: rooms close again, and each join is announced once."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest

from chatroom.core.errors import NameChangedHands, NoSuchPerson, Unavailable
from chatroom.core.events import Person, Why
from chatroom.sessions import Session
from tests.support.house import Faulty, House, Witness


def test_two_joins_in_one_write_announce_once() -> None:
    house = House([Witness()])
    romeo = house.enter("lobby")
    house.service.say(romeo, "hi", None, lambda _: None)
    for room in ("a", "b"):
        house.does(partial(house.service.move, romeo, room))
    house.backplane.settle_all()
    house.close()


def test_a_token_used_while_its_session_joins_is_welcomed() -> None:
    house = House([Witness()])
    token = house.tokens.write("identity", "Bob", "lobby")
    house.service.enter(house.admit(token=token))
    newer = house.admit(token=token)
    house.service.enter(newer)
    house.backplane.settle_all()
    assert newer.is_in
    house.close()


def test_back_before_the_first_join_is_delivered_welcomes_once() -> None:
    house = House([Witness()])
    house.enter("b")
    romeo = house.enter("a")
    for room in ("b", "a", "b"):  # at hand: announced at once
        house.moves_by_requests(romeo, room)
    assert house.backplane.facts["b"]
    house.backplane.deliver_some("b", 1)
    assert house.gateway.welcomed[romeo.sid][0].key == "a"  # whose leave is not announced either
    house.backplane.settle_all()
    assert house.gateway.welcomed[romeo.sid][0].key == "b"
    house.close()


def test_moving_while_the_welcome_is_read_welcomes_elsewhere() -> None:
    house = House([Witness()])
    house.enter("b")
    romeo = house.admit(room="a", after="0000000000000-000000")
    house.service.enter(romeo)
    house.backplane.read(0)
    house.backplane.read(0)
    house.backplane.arrive()
    house.backplane.deliver_some("a", 10)  # asks for what came since
    house.moves_by_requests(romeo, "b")
    house.backplane.settle_all()
    assert house.gateway.welcomed[romeo.sid][0].key == "b"
    house.close()


def test_a_faulty_gateway_holds_no_room_open(caplog: pytest.LogCaptureFixture) -> None:
    house = House([Witness(), Faulty()])
    romeo, juliet = house.enter("a"), house.enter("a")
    assert romeo.is_in
    assert juliet.is_in
    house.close()
    assert "a fault of ours" in caplog.text


def test_a_name_given_up_before_the_welcome_leaves_no_doubt() -> None:
    house = House([Witness()])
    bob, ming = house.enter("lobby", username="Bob"), house.admit(room="lobby")
    house.now += 1
    house.leave(bob)
    house.backplane.settle_all()
    house.now += 1
    house.service.enter(ming)
    house.backplane.settle_all()
    house.enter("lobby", username="Bob")
    house.does(lambda: house.service.whispers.whisper(ming, "Bob", "hi"))


def test_whoever_was_there_before_is_in_the_first_list() -> None:
    house = House([Witness()])
    house.foreigner("lobby", "Bob")
    romeo = house.enter("lobby", username="Ming")
    assert [person.name for person in house.service.who(romeo)] == ["Bob", "Ming"]
    assert house.gateway.present[romeo.room] == {"x1": "Bob", romeo.sid: "Ming"}


def test_after_a_gap_the_differences_are_announced() -> None:
    house = House([Witness()])
    gone, stays = house.foreigner("lobby", "Bob"), house.foreigner("lobby", "Lotus")
    romeo = house.enter("lobby", username="Ming")
    house.backplane.truth.leave("lobby", gone)
    house.backplane.truth.rename("lobby", stays, "Bob", None, lambda _: None)
    house.foreigner("lobby", "Lotus")
    house.backplane.reconnect("lobby")
    house.backplane.settle_all()
    assert [person.name for person in house.service.who(romeo)] == ["Bob", "Ming", "Lotus"]
    assert sorted(house.gateway.present[romeo.room].values()) == ["Bob", "Lotus", "Ming"]
    assert romeo.is_in


def test_a_session_that_others_take_for_lost_is_welcomed_again() -> None:
    house = House([Witness()])
    romeo = house.enter("lobby", username="Ming")
    house.backplane.truth.leave("lobby", romeo.sid, why=Why.LOST)
    house.backplane.deliver_some("lobby", 1)
    assert not romeo.is_in
    outcomes: list[object] = []
    house.service.say(romeo, "hi", None, outcomes.append)  # waits for the join
    house.backplane.settle_all()
    assert (romeo.is_in, romeo.person.name) == (True, "Ming")
    assert len(outcomes) == 1
    assert outcomes[0] is not None
    house.close()


@pytest.mark.parametrize("why", [Why.REPLACED, Why.KICKED])
def test_a_session_that_is_ended_elsewhere_is_closed(why: Why) -> None:
    house = House([Witness()])
    romeo, juliet = house.enter("lobby"), house.enter("lobby")
    house.backplane.truth.leave("lobby", romeo.sid, why=why)
    house.backplane.settle_all()
    assert house.gateway.ended_sids == {romeo.sid: why}
    assert romeo.closed
    assert house.service.who(juliet) == [juliet.person]
    house.close()


def test_a_private_text_reaches_somebody_who_is_served_elsewhere() -> None:
    house = House([Witness()])
    sid = house.foreigner("lobby", "Bob")
    romeo = house.enter("lobby", username="Ming")
    sent = house.does(lambda: house.service.whispers.whisper(romeo, "bob", "hi"))
    assert sent.to == Person(sid, "Bob")
    house.backplane.truth.leave("lobby", sid)
    with pytest.raises(NoSuchPerson):
        house.does(lambda: house.service.whispers.whisper(romeo, "bob", "hi"))


def test_nothing_reaches_a_newcomer_before_the_welcome() -> None:
    house = House([Witness()])
    house.enter("lobby", username="Bob")
    romeo = house.admit(room="lobby")
    house.does(lambda: house.service.whispers.whisper(romeo, "Bob", "hi"))  # the gateway objects to a copy


@pytest.mark.parametrize("loss", ["request", "answer"])
def test_a_claim_whose_outcome_is_unknown_leaves_nobody_behind(loss: str) -> None:
    losses = [loss]
    house = House([Witness()], lambda: losses.pop() if losses else "")
    with pytest.raises(Unavailable):
        house.admit(room="lobby", username="Bob")
    house.backplane.settle_all()
    assert house.backplane.truth.count("lobby") == 0
    assert house.enter("lobby", username="Bob").person.name == "Bob"
    house.close()


class Restarted:
    """A house after a restart: Ming is back with her token, and somebody without one has taken the name Bob."""

    def __init__(self) -> None:
        self.tokens = House([Witness()]).tokens
        self.house = House([Witness()])
        self.ming = self.comes_back("Ming")
        self.bob = self.house.enter("lobby", username="Bob")

    def comes_back(self, name: str, room: str = "lobby") -> Session:
        """Somebody comes back with the token that the server before this one gave them in a room."""
        return self.house.enter("lobby", token=self.tokens.write(f"identity {name}", name, room))

    def again(self, session: Session) -> Session:
        """Somebody's connection is cut, and they come back with the token that this server gave them."""
        token = self.house.gateway.welcomed[session.sid][1]
        self.house.leave(session, cut=True)
        self.house.backplane.settle_all()
        return self.house.enter("lobby", token=token)

    def rename(self, session: Session, name: str) -> None:
        self.house.does(lambda: self.house.service.rename(session, name))
        self.house.backplane.settle_all()

    def whispers(self, to: str = "Bob") -> None:
        self.house.does(lambda: self.house.service.whispers.whisper(self.ming, to, "hi"))


def test_after_a_restart_a_name_is_asked_about_once() -> None:
    restarted = Restarted()
    with pytest.raises(NameChangedHands) as refused:
        restarted.whispers()
    assert (refused.value.wording, refused.value.params["again"]) == ("name_after_restart", True)
    restarted.whispers()


def test_no_way_of_taking_a_name_avoids_the_question() -> None:
    restarted = Restarted()
    restarted.bob = restarted.again(restarted.bob)
    restarted.ming = restarted.again(restarted.ming)
    for name in ("Lotus", "Bob"):
        restarted.rename(restarted.bob, name)
    with pytest.raises(NameChangedHands):
        restarted.house.service.whispers.check_stranger(restarted.ming, restarted.bob.sid)
    restarted.house.leave(restarted.bob)
    restarted.rename(restarted.comes_back("Lotus"), "Bob")
    with pytest.raises(NameChangedHands):
        restarted.whispers()


def test_who_came_back_as_themselves_is_not_asked_about() -> None:
    restarted = Restarted()
    lotus = restarted.comes_back("Lotus")
    restarted.whispers("Lotus")
    restarted.again(lotus)
    restarted.whispers("Lotus")
    restarted.house.does(lambda: restarted.house.service.whispers.whisper(restarted.bob, "Ming", "hi"))


def test_a_token_of_another_room_does_not_prove_a_name() -> None:
    restarted = Restarted()
    restarted.comes_back("Lotus", "elsewhere")
    with pytest.raises(NameChangedHands):
        restarted.whispers("Lotus")
    there = restarted.house.admit(room="a", token=restarted.tokens.write("identity Ann", "Ann", "a"))
    restarted.house.service.enter(there)
    restarted.house.backplane.settle_all()
    restarted.house.does(lambda: restarted.house.service.move(there, "lobby"))
    restarted.house.backplane.settle_all()
    with pytest.raises(NameChangedHands):
        restarted.whispers("Ann")


def test_a_day_after_a_restart_nobody_is_asked_about() -> None:
    restarted = Restarted()
    restarted.house.now += 24 * 3600
    restarted.whispers()


def test_a_second_ack_of_a_talk_waits_for_the_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    house = House([Witness()])
    romeo, bob = house.enter("lobby"), house.enter("lobby")
    saving: list[Callable[[], None]] = []
    acks: list[str] = []
    monkeypatch.setattr(house.backplane, "save_talk", lambda key, is_open, done: saving.append(done))
    romeo.talk.turn_to(bob.person)
    house.service.save_talk(romeo, partial(acks.append, "first"))
    house.service.save_talk(romeo, partial(acks.append, "second"))
    assert acks == []
    for done in saving:
        done()
    assert acks == ["first", "second"]
    house.service.save_talk(romeo, partial(acks.append, "third"))
    assert acks == ["first", "second", "third"]
