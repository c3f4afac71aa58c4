"""The service over a slow backplane: rooms close again, and each join is announced once."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest

from chatroom.core.budgets import AddressBudget, Allowance, Kind
from chatroom.core.errors import NameChangedHands, NoSuchPerson, NotSent, RateLimited, Unavailable
from chatroom.core.events import Person, Reacted, Why
from chatroom.core.flood import Rate
from chatroom.core.recent import LATELY_S
from chatroom.reads import AT_ONCE
from chatroom.sessions import Session
from chatroom.tokens import Tokens
from tests.support.harness import NAMES, CheckingGateway, FailingGateway, Harness

UNKNOWN = "0000000000000-000000"  # an id that no entry has


def test_two_joins_in_one_write_announce_once() -> None:
    harness = Harness([CheckingGateway()])
    romeo = harness.enter("lobby")
    harness.service.say(romeo, "hi", None, lambda _: None)
    for room in ("a", "b"):
        harness.does(partial(harness.service.move, romeo, room))
    harness.backplane.settle_all()
    harness.close()


def test_a_token_used_while_its_session_joins_is_welcomed() -> None:
    harness = Harness([CheckingGateway()])
    token = harness.tokens.write("identity", "Bob")
    harness.service.enter(harness.admit(token=token))
    newer = harness.admit(token=token)
    harness.service.enter(newer)
    harness.backplane.settle_all()
    assert newer.is_in
    harness.close()


def test_a_token_used_while_its_session_is_renamed_stays_good() -> None:
    harness = Harness([CheckingGateway()])
    token = harness.tokens.write("identity", "Bob")
    harness.enter("lobby")
    older = harness.enter("lobby", token=token)
    harness.backplane.run(lambda: harness.service.rename(older, "Fox"))  # it waits for the answer
    newer = harness.enter("lobby", token=token)
    assert older.closed
    harness.backplane.settle_all()
    harness.leave(newer, cut=True)
    harness.enter("lobby", token=harness.gateway.welcomed[newer.sid][1])
    assert harness.sessions[-1].identity == "identity"
    harness.close()


def test_a_rename_before_the_welcome_changes_its_token() -> None:
    harness = Harness([CheckingGateway()])
    harness.enter("lobby")
    bob = harness.admit(username="Bob")
    harness.service.enter(bob)
    harness.backplane.run(lambda: harness.service.rename(bob, "Fox"))
    while harness.backplane.requests or harness.backplane.answers:  # nothing from the feed
        (harness.backplane.arrive if harness.backplane.requests else harness.backplane.answer)()
    harness.backplane.deliver_some("lobby", 1)  # the join, and not yet the new name
    assert harness.gateway.present[bob.room][bob.sid] == "Bob"
    claim = harness.tokens.read(harness.gateway.welcomed[bob.sid][1])
    assert claim is not None
    assert (claim.name, claim.serial) == ("Fox", bob.serial)
    harness.close()


def test_a_token_for_a_reserved_name_gives_another() -> None:
    harness = Harness([CheckingGateway()])
    session = harness.admit(token=harness.tokens.write("identity", "Moderator"))
    assert (session.identity, session.person.name in NAMES) == ("identity", True)
    harness.close()


def test_back_before_the_first_join_is_delivered_welcomes_once() -> None:
    harness = Harness([CheckingGateway()])
    harness.enter("b")
    romeo = harness.enter("a")
    for room in ("b", "a", "b"):  # at hand: announced at once
        harness.moves_by_requests(romeo, room)
    assert harness.backplane.facts["b"]
    harness.backplane.deliver_some("b", 1)
    assert harness.gateway.welcomed[romeo.sid][0].key == "a"  # whose leave is not announced either
    harness.backplane.settle_all()
    assert harness.gateway.welcomed[romeo.sid][0].key == "b"
    harness.close()


def test_moving_while_the_welcome_is_read_welcomes_elsewhere() -> None:
    harness = Harness([CheckingGateway()])
    harness.enter("b")
    romeo = harness.admit(room="a", after=UNKNOWN)
    harness.service.enter(romeo)
    harness.backplane.read(0)
    harness.backplane.read(0)
    harness.backplane.arrive()
    harness.backplane.deliver_some("a", 10)  # asks for what came since
    harness.moves_by_requests(romeo, "b")
    harness.backplane.settle_all()
    assert harness.gateway.welcomed[romeo.sid][0].key == "b"
    harness.close()


def test_a_guest_who_has_left_reads_nothing() -> None:
    harness = Harness([CheckingGateway()])
    romeo, juliet, ming = harness.enter("a"), harness.enter("a"), harness.admit(room="b", after=UNKNOWN)
    answers: list[str] = []
    for session, count in ((juliet, AT_ONCE), (romeo, 2)):
        for _ in range(count):
            answer = partial(lambda sid, _page: answers.append(sid), session.sid)
            harness.service.history(session, after=None, before="x", limit=1, answer=answer)
    harness.service.enter(ming)
    harness.leave(romeo)
    harness.leave(ming)
    assert len(harness.backplane.reads) == AT_ONCE
    harness.close()
    assert answers == [juliet.sid] * AT_ONCE


def test_a_guest_who_speaks_and_leaves_has_joined() -> None:
    harness = Harness([CheckingGateway()])
    juliet, romeo = harness.enter("a"), harness.admit(room="a", after=UNKNOWN)
    harness.service.enter(romeo)  # the history is read before the join is announced
    harness.service.say(romeo, "hi", None, lambda _: None)
    harness.leave(romeo)
    harness.backplane.settle_all()
    assert list(harness.gateway.seen[juliet.sid].values()) == ["hi"]
    harness.close()


def test_leaving_during_another_welcome_reads_nothing() -> None:
    harness = Harness([CheckingGateway()])
    harness.service.say(harness.enter("a"), "hi", None, lambda _: None)
    harness.backplane.settle_all()
    [entry] = harness.backplane.truth.page("a").entries
    romeo, juliet = (harness.admit(room="a", after=entry.id) for _ in range(2))
    for session in (romeo, juliet):
        harness.service.enter(session)
    while harness.backplane.reads or harness.backplane.requests:
        harness.backplane.step()
    harness.backplane.deliver_some("a", 10)  # both joins; asks for what the first one has missed
    harness.leave(juliet)
    harness.backplane.read(0)
    assert (romeo.is_in, harness.backplane.reads) == (True, [])
    harness.close()


def test_a_faulty_gateway_holds_no_room_open(caplog: pytest.LogCaptureFixture) -> None:
    harness = Harness([CheckingGateway(), FailingGateway()])
    romeo, juliet = harness.enter("a"), harness.enter("a")
    assert romeo.is_in
    assert juliet.is_in
    harness.close()
    assert "a fault of ours" in caplog.text


def test_a_newcomer_gets_the_change_after_their_join() -> None:
    harness = Harness([CheckingGateway()])
    bob = harness.enter("lobby", username="Bob")
    harness.service.say(bob, "hi", None, lambda _: None)
    harness.backplane.settle_all()
    ming = harness.admit(room="lobby")
    harness.service.enter(ming)
    while harness.backplane.reads or harness.backplane.requests:
        harness.backplane.step()
    [entry] = harness.backplane.truth.page("lobby").entries
    reacted = Reacted(entry.id, "👍", 1, (), at="")
    harness.backplane.truth.change("lobby", bob.sid, entry.id, reacted, lambda _: None)
    assert len(harness.backplane.facts["lobby"]) == 2
    harness.backplane.settle_all()  # both in one batch
    assert harness.gateway.changes[ming.sid] == harness.backplane.truth.changes["lobby"]


def test_whoever_was_there_before_is_in_the_first_list() -> None:
    harness = Harness([CheckingGateway()])
    harness.foreigner("lobby", "Bob")
    romeo = harness.enter("lobby", username="Ming")
    assert [person.name for person in harness.service.who(romeo)] == ["Bob", "Ming"]
    assert harness.gateway.present[romeo.room] == {"x1": "Bob", romeo.sid: "Ming"}


def test_after_a_gap_the_differences_are_announced() -> None:
    harness = Harness([CheckingGateway()])
    gone, stays = harness.foreigner("lobby", "Bob"), harness.foreigner("lobby", "Lotus")
    romeo = harness.enter("lobby", username="Ming")
    harness.backplane.truth.leave("lobby", gone)
    harness.backplane.truth.rename("lobby", stays, "Bob", None, lambda _: None)
    harness.foreigner("lobby", "Lotus")
    harness.backplane.reconnect("lobby")
    harness.backplane.settle_all()
    assert [person.name for person in harness.service.who(romeo)] == ["Bob", "Ming", "Lotus"]
    assert sorted(harness.gateway.present[romeo.room].values()) == ["Bob", "Lotus", "Ming"]
    assert romeo.is_in


def test_a_session_that_others_take_for_lost_is_welcomed_again() -> None:
    harness = Harness([CheckingGateway()])
    romeo = harness.enter("lobby", username="Ming")
    harness.backplane.truth.leave("lobby", romeo.sid, why=Why.LOST)
    harness.backplane.deliver_some("lobby", 1)
    assert not romeo.is_in
    outcomes: list[object] = []
    harness.service.say(romeo, "hi", None, outcomes.append)  # waits for the join
    harness.backplane.settle_all()
    assert (romeo.is_in, romeo.person.name) == (True, "Ming")
    assert len(outcomes) == 1
    assert outcomes[0] is not None
    harness.close()


@pytest.mark.parametrize("why", [Why.REPLACED, Why.KICKED])
def test_a_session_that_is_ended_elsewhere_is_closed(why: Why) -> None:
    harness = Harness([CheckingGateway()])
    romeo, juliet = harness.enter("lobby"), harness.enter("lobby")
    harness.backplane.truth.leave("lobby", romeo.sid, why=why)
    harness.backplane.settle_all()
    assert harness.gateway.ended_sids == {romeo.sid: why}
    assert romeo.closed
    assert harness.service.who(juliet) == [juliet.person]
    harness.close()


def test_a_private_text_reaches_somebody_who_is_served_elsewhere() -> None:
    harness = Harness([CheckingGateway()])
    sid = harness.foreigner("lobby", "Bob")
    romeo = harness.enter("lobby", username="Ming")
    sent = harness.does(lambda: harness.service.whispers.whisper(romeo, "bob", "hi"))
    assert sent.to == Person(sid, "Bob")
    harness.backplane.truth.leave("lobby", sid)
    with pytest.raises(NoSuchPerson):
        harness.does(lambda: harness.service.whispers.whisper(romeo, "bob", "hi"))


def test_nothing_reaches_a_newcomer_before_the_welcome() -> None:
    harness = Harness([CheckingGateway()])
    harness.enter("lobby", username="Bob")
    romeo = harness.admit(room="lobby")
    harness.does(
        lambda: harness.service.whispers.whisper(romeo, "Bob", "hi")
    )  # the gateway objects to a copy


@pytest.mark.parametrize("loss", ["request", "answer"])
def test_a_claim_whose_outcome_is_unknown_leaves_nobody_behind(loss: str) -> None:
    losses = [loss]
    harness = Harness([CheckingGateway()], lambda: losses.pop() if losses else "")
    with pytest.raises(Unavailable):
        harness.admit(room="lobby", username="Bob")
    harness.backplane.settle_all()
    assert harness.backplane.truth.count("lobby") == 0
    assert harness.enter("lobby", username="Bob").person.name == "Bob"
    harness.close()


class Restarted:
    """A service after a restart: Ming is back with her token, and someone without one has taken the name Bob."""

    def __init__(self) -> None:
        self.tokens = Harness([CheckingGateway()]).tokens
        self.harness = Harness([CheckingGateway()])
        self.ming = self.comes_back("Ming")
        self.bob = self.harness.enter("lobby", username="Bob")

    def comes_back(self, name: str) -> Session:
        """Someone comes back with the token that the previous process gave them."""
        return self.harness.enter("lobby", token=self.tokens.write(f"identity {name}", name))

    def again(self, session: Session) -> Session:
        """A connection is cut, and its guest comes back with the token that this process gave them."""
        token = self.harness.gateway.welcomed[session.sid][1]
        self.harness.leave(session, cut=True)
        self.harness.backplane.settle_all()
        return self.harness.enter("lobby", token=token)

    def rename(self, session: Session, name: str) -> None:
        self.harness.does(lambda: self.harness.service.rename(session, name))
        self.harness.backplane.settle_all()

    def whispers(self, to: str = "Bob") -> None:
        self.harness.does(lambda: self.harness.service.whispers.whisper(self.ming, to, "hi"))


def test_after_a_restart_a_name_is_asked_about_once() -> None:
    restarted = Restarted()
    with pytest.raises(NameChangedHands) as refused:
        restarted.whispers()
    assert refused.value.wording == "name_after_restart"
    assert refused.value.params == {"name": "Bob", "again": True, "restarted": True}
    restarted.whispers()


def test_no_way_of_taking_a_name_avoids_the_question() -> None:
    restarted = Restarted()
    restarted.bob = restarted.again(restarted.bob)
    restarted.ming = restarted.again(restarted.ming)
    for name in ("Lotus", "Bob"):
        restarted.rename(restarted.bob, name)
    with pytest.raises(NameChangedHands):
        restarted.harness.service.whispers.check_stranger(restarted.ming, restarted.bob.sid)
    restarted.harness.leave(restarted.bob)
    restarted.rename(restarted.comes_back("Lotus"), "Bob")
    with pytest.raises(NameChangedHands):
        restarted.whispers()


def test_a_token_for_a_name_avoids_no_question() -> None:
    restarted = Restarted()
    lotus = restarted.comes_back("Lotus")  # perhaps with a token from before someone else had the name
    with pytest.raises(NameChangedHands):
        restarted.whispers("Lotus")
    restarted.whispers("Lotus")
    restarted.again(lotus)
    restarted.whispers("Lotus")
    restarted.harness.does(lambda: restarted.harness.service.whispers.whisper(restarted.bob, "Ming", "hi"))


def test_a_name_that_has_passed_on_is_asked_about() -> None:
    harness = Harness([CheckingGateway()])
    harness.leave(harness.enter("lobby", username="Tom"))
    harness.enter("lobby", username="Тоm")  # in Cyrillic letters
    romeo = harness.enter("lobby")  # who may know Tom from the history
    with pytest.raises(NameChangedHands) as refused:
        harness.does(lambda: harness.service.whispers.whisper(romeo, "Тоm", "hi"))
    assert refused.value.wording == "name_changed_hands"
    harness.does(lambda: harness.service.whispers.whisper(romeo, "Тоm", "hi"))
    harness.close()


def test_each_return_after_a_restart_is_free_once() -> None:
    few = Rate(2, 0.001)
    budget = AddressBudget(Allowance(rates={**Allowance().rates, Kind.SESSION: few, Kind.JOIN: few}))
    harness = Harness([CheckingGateway()], budget=budget)
    earlier = Tokens(b"s" * 32, 1000.0, lambda: 0.0)  # those of the process before

    def comes(number: int) -> None:
        assert budget.open_session(0.0) == 0.0
        harness.leave(harness.enter("lobby", token=earlier.write(f"identity {number}", "Bob")))
        budget.close_session()

    for number in range(10):
        comes(number)
    for number in range(2):
        comes(number)
    assert budget.open_session(0.0) > 0.0
    with pytest.raises(RateLimited):
        harness.enter("lobby", token=earlier.write("identity 10", "Bob"))


def test_an_empty_room_remembers_its_names_for_ten_minutes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chatroom.rooms.MOST_NAMES_CLOSED", 3)
    harness = Harness([CheckingGateway()])
    rooms = harness.service._rooms
    for number in range(4):
        harness.leave(harness.enter(f"room {number}", username="Tom"))
        harness.backplane.settle_all()
    assert rooms._names_closed == len(rooms._closed) == 3
    harness.leave(harness.enter("room 1"))  # which keeps the earlier name as well
    harness.backplane.settle_all()
    assert (rooms._names_closed, len(rooms._closed)) == (3, 2)
    harness.enter("room 1", username="Tom")
    romeo = harness.enter("room 1")
    with pytest.raises(NameChangedHands):
        harness.does(lambda: harness.service.whispers.whisper(romeo, "Tom", "hi"))
    harness.now += LATELY_S + 1
    harness.service.forget_rooms()
    assert rooms._names_closed == len(rooms._closed) == 0
    harness.close()


@pytest.mark.parametrize("way", ["rename", "logout"])
def test_an_ended_token_shows_that_there_was_a_talk(way: str) -> None:
    harness = Harness([CheckingGateway()])
    romeo, bob = harness.enter("lobby"), harness.enter("lobby")
    token = harness.gateway.welcomed[romeo.sid][1]
    romeo.talk.turn_to(bob.person)
    harness.service.save_talk(romeo, lambda: None)
    if way == "rename":
        harness.does(lambda: harness.service.rename(romeo, "Ann"))
        harness.leave(romeo, cut=True)
    else:
        harness.service.log_out(romeo)  # perhaps by someone with a copy of the token
    harness.backplane.settle_all()
    again = harness.enter("lobby", token=token)
    assert again.identity != romeo.identity
    with pytest.raises(NotSent):
        again.talk.address(lambda _sid: None, harness.now)
    talkless = harness.gateway.welcomed[bob.sid][1]
    harness.service.log_out(bob)
    harness.backplane.settle_all()
    assert harness.enter("lobby", token=talkless).talk.is_plain
    harness.close()


def test_a_day_after_a_restart_names_are_trusted() -> None:
    restarted = Restarted()
    restarted.harness.now += 24 * 3600
    restarted.whispers()


def test_a_second_ack_of_a_talk_waits_for_the_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    harness = Harness([CheckingGateway()])
    romeo, bob = harness.enter("lobby"), harness.enter("lobby")
    saving: list[Callable[[], None]] = []
    acks: list[str] = []
    monkeypatch.setattr(harness.backplane, "save_key", lambda kind, key, is_kept, done: saving.append(done))
    romeo.talk.turn_to(bob.person)
    harness.service.save_talk(romeo, partial(acks.append, "first"))
    harness.service.save_talk(romeo, partial(acks.append, "second"))
    assert acks == []
    for done in saving:
        done()
    assert acks == ["first", "second"]
    harness.service.save_talk(romeo, partial(acks.append, "third"))
    assert acks == ["first", "second", "third"]
