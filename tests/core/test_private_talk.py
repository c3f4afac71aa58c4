"""A private talk alone: whom the lines go to, with a clock that is given."""

from __future__ import annotations

import pytest

from chatroom.core.errors import (
    ANSWER_AFTER_S,
    NoPartner,
    NoSuchPerson,
    NotSent,
    RateLimited,
    Refusal,
    RoomInvalid,
    Unavailable,
)
from chatroom.core.events import Person, Talk
from chatroom.core.private_talk import MOVE_HOLD_S, Effect, Notice, PrivateTalk, Signal
from chatroom.core.unknown_commands import UnknownCommand

ROMEO, PARIS, NURSE = Person("r", "Romeo"), Person("p", "Paris"), Person("n", "Nurse")
ALL = {person.sid: person for person in (ROMEO, PARIS, NURSE)}
WITHOUT_ROMEO = {"p": PARIS}
NOW = 100.0
LATER = NOW + MOVE_HOLD_S


def keys(effects: list[Effect]) -> list[str]:
    return [effect.key for effect in effects if isinstance(effect, Notice)]


def signals(effects: list[Effect]) -> list[Signal]:
    return [effect for effect in effects if isinstance(effect, Signal)]


def goes(
    talk: PrivateTalk, present: dict[str, Person], arrived_at: float, answered_at: float | None = None
) -> Person | NotSent | None:
    """Where a text goes; what is refused is answered at `answered_at`, or at once."""
    try:
        return talk.address(present.get, arrived_at)
    except NotSent as refused:
        talk.hold(refused, arrived_at)
        talk.answered(answered_at if answered_at is not None else arrived_at)
        return refused


def refused(answer: Person | NotSent | None) -> str | None:
    assert isinstance(answer, NotSent), answer
    return answer.wording


def params(answer: Person | NotSent | None) -> dict[str, object]:
    assert isinstance(answer, NotSent), answer
    return answer.params


def fails(talk: PrivateTalk, refusal: Refusal, after_s: float = ANSWER_AFTER_S) -> None:
    """Something that arrived at `NOW` is refused, and not answered yet."""
    talk.hold(refusal.with_doubt(after_s), NOW)


def talking_to(person: Person) -> PrivateTalk:
    talk = PrivateTalk()
    talk.turn_to(person)
    return talk


def test_without_a_partner_lines_go_to_the_room() -> None:
    talk = PrivateTalk()
    assert goes(talk, ALL, NOW) is None
    with pytest.raises(NoPartner):
        talk.ask()
    assert talk.end() == [Notice("talk_choose")]
    assert talk.is_plain
    assert talk.leave_behind() == []


def test_lines_go_to_whom_one_has_turned_to_at_once() -> None:
    talk = talking_to(ROMEO)
    assert goes(talk, ALL, NOW) == ROMEO
    assert talk.ask() == [Notice("talk_with", {"name": "Romeo"})]


def test_only_a_former_partner_is_signalled() -> None:
    talk = talking_to(ROMEO)
    assert signals(talk.turn_to(ROMEO)) == []
    assert signals(talk.turn_to(PARIS)) == [Signal("r", Talk.TURNED)]
    assert goes(talk, ALL, NOW) == PARIS


def test_ending_a_chat_is_signalled_and_lines_are_public() -> None:
    talk = talking_to(ROMEO)
    assert talk.end() == [Notice("talk_over", {"name": "Romeo"}), Signal("r", Talk.ENDED)]
    assert goes(talk, ALL, NOW) is None


def test_a_text_from_before_a_chat_began_is_held() -> None:
    talk = PrivateTalk()
    talk.turned_to(PARIS, NOW)
    assert refused(goes(talk, ALL, NOW - 0.001)) == "talk_held_begun"
    assert goes(talk, ALL, NOW) == PARIS


def test_an_expected_answer_is_held_when_another_begins() -> None:
    talk = PrivateTalk()
    talk.turned_to(PARIS, NOW, (ROMEO, NOW + 60))
    talk.renamed("r", "Ron")
    assert params(goes(talk, ALL, NOW + 59)) == {"name": "Paris", "before": "Ron", "held": True}
    assert goes(talk, ALL, NOW + 59.5) == PARIS
    talk.end()
    talk.turned_to(PARIS, NOW, (ROMEO, NOW + 60))
    assert goes(talk, ALL, NOW + 60) == PARIS


def test_who_is_turned_to_talks_back() -> None:
    talk = PrivateTalk()
    assert talk.turned_to(ROMEO, NOW) == [Notice("talk_asked", {"name": "Romeo"})]
    assert goes(talk, ALL, NOW) == ROMEO
    assert talk.turned_to(ROMEO, NOW) == []


def test_one_early_text_is_held_after_a_move() -> None:
    talk = talking_to(ROMEO)
    assert talk.turned_to(PARIS, NOW) == [
        Notice("talk_moved", {"name": "Paris", "before": "Romeo"}),
        Signal("r", Talk.TURNED),
    ]
    held = goes(talk, ALL, LATER - 0.002)
    assert refused(held) == "talk_held"
    assert params(held) == {"name": "Paris", "before": "Romeo", "held": True}
    assert goes(talk, ALL, LATER - 0.001) == PARIS


def test_a_second_later_nothing_is_held() -> None:
    talk = talking_to(ROMEO)
    talk.turned_to(PARIS, NOW)
    assert goes(talk, ALL, LATER) == PARIS


def test_every_line_from_before_the_move_is_held() -> None:
    talk = talking_to(ROMEO)
    talk.turned_to(PARIS, NOW)
    for _ in range(3):
        assert refused(goes(talk, ALL, NOW - 0.001)) == "talk_held"
    assert goes(talk, ALL, LATER) == PARIS


def test_the_second_of_two_moves_holds_again() -> None:
    talk = talking_to(ROMEO)
    talk.turned_to(PARIS, NOW)
    goes(talk, ALL, NOW)
    talk.turned_to(NURSE, NOW + 0.1)
    assert params(goes(talk, ALL, NOW + 0.1)) == {"name": "Nurse", "before": "Paris", "held": True}


def test_typing_to_after_a_takeover_holds_nothing() -> None:
    talk = talking_to(ROMEO)
    talk.turned_to(PARIS, NOW)
    talk.turn_to(ROMEO)
    assert goes(talk, ALL, NOW) == ROMEO


def test_after_the_partner_left_only_one_line_is_held() -> None:
    talk = talking_to(ROMEO)
    assert talk.left("r") == [Notice("talk_partner_left", {"name": "Romeo"})]
    assert talk.left("r") == []
    with pytest.raises(NoPartner):
        talk.ask()
    assert refused(goes(talk, WITHOUT_ROMEO, LATER)) == "talk_not_sent"
    assert goes(talk, WITHOUT_ROMEO, LATER + 0.001) is None


WAYS_TO_END = ["left", "ended", "gone", "forgotten"]


def ended_talk(way: str) -> PrivateTalk:
    talk = PrivateTalk() if way == "forgotten" else talking_to(ROMEO)
    if way == "left":
        talk.left("r")
    elif way == "ended":
        talk.signalled(ROMEO, Talk.ENDED)
    elif way == "forgotten":
        talk.forget()
    assert talk.is_open
    assert not talk.is_plain
    return talk


@pytest.mark.parametrize("way", WAYS_TO_END)
def test_texts_are_held_after_the_partner_ended_the_chat(way: str) -> None:
    talk = ended_talk(way)
    wording = "talk_forgotten_not_sent" if way == "forgotten" else "talk_not_sent"
    answered_at = NOW
    for gap in (0.0, 0.0, 0.005, 0.1, 0.24):  # each comes before the one before it is answered
        arrived_at = answered_at - ANSWER_AFTER_S + gap
        answered_at = arrived_at + ANSWER_AFTER_S
        assert refused(goes(talk, WITHOUT_ROMEO, arrived_at, answered_at)) == wording
    assert goes(talk, WITHOUT_ROMEO, answered_at + 0.001) is None
    assert talk.is_plain


@pytest.mark.parametrize("way", WAYS_TO_END)
def test_a_text_whose_answer_was_lost_is_refused_again(way: str) -> None:
    talk = ended_talk(way)
    for moment in (NOW, LATER):
        with pytest.raises(NotSent) as not_sent:
            talk.address(WITHOUT_ROMEO.get, moment)
        talk.hold(not_sent.value, moment)
        talk.cut()
        assert talk.joined(WITHOUT_ROMEO.get) == []
    assert talk.is_open


@pytest.mark.parametrize("partner", [None, PARIS])
def test_a_text_after_a_lost_refusal_is_held(partner: Person | None) -> None:
    talk = talking_to(partner) if partner is not None else PrivateTalk()
    fails(talk, NoSuchPerson(name="Romeo"))
    talk.cut()
    assert not talk.is_plain
    with pytest.raises(NotSent) as not_sent:
        talk.address(ALL.get, NOW + 5)
    assert not_sent.value.wording == "not_sent_with"
    talk.hold(not_sent.value, NOW + 5)
    talk.cut()  # that answer is lost as well
    assert refused(goes(talk, ALL, NOW + 10)) == "not_sent_with"
    assert goes(talk, ALL, NOW + 11) == partner


def test_a_cut_forgets_a_refusal_that_was_answered() -> None:
    talk = PrivateTalk()
    fails(talk, NoSuchPerson(name="Romeo"))
    talk.answered(NOW + ANSWER_AFTER_S)
    talk.cut()
    assert talk.is_plain
    assert goes(talk, ALL, NOW + 1) is None


def test_earlier_answers_do_not_end_the_hold_of_dropped_lines() -> None:
    talk = PrivateTalk()
    fails(talk, NoSuchPerson(name="Romeo"))
    with pytest.raises(NotSent):
        talk.address(ALL.get, NOW)
    talk.hold(NotSent("not_sent_with").with_doubt(), NOW)
    talk.lines_dropped()
    talk.answered(NOW + 1)  # the refusal from before
    talk.answered(NOW + 1)  # the text that was held for it
    fails(talk, UnknownCommand(command="x"))  # says nothing of the lines that were dropped
    talk.answered(NOW + 2)
    held = goes(talk, ALL, NOW + 3, NOW + 3.25)
    assert refused(held) == "not_sent_with"
    assert refused(goes(talk, ALL, NOW + 3.25)) == "not_sent_with"
    assert goes(talk, ALL, NOW + 4) is None


def test_a_partner_back_during_the_answer_is_a_newcomer() -> None:
    talk = ended_talk("left")
    with pytest.raises(NotSent) as not_sent:
        talk.address(WITHOUT_ROMEO.get, NOW)
    talk.hold(not_sent.value, NOW)
    assert talk.joined(ALL.get) == talk.left("r") == []
    assert keys(talk.turned_to(ROMEO, NOW)) == ["talk_asked"]
    assert refused(goes(talk, ALL, NOW + 0.1)) == "talk_not_sent"
    talk.answered(NOW + ANSWER_AFTER_S)
    assert goes(talk, ALL, NOW + 0.3) == ROMEO


def test_a_returning_guest_is_told_of_the_private_chat() -> None:
    assert PrivateTalk().come_back(ALL.get) == []
    renamed = Person("r", "Montague")
    assert talking_to(ROMEO).come_back({"r": renamed}.get) == [Notice("talk_still", {"name": "Montague"})]
    talk = PrivateTalk()
    talk.forget()
    assert talk.come_back(ALL.get) == [Notice("talk_forgotten")]
    assert talk.end() == [Notice("talk_choose")]
    assert goes(talk, ALL, NOW) is None


def test_a_returning_guest_learns_that_the_partner_left() -> None:
    talk = talking_to(ROMEO)
    assert talk.come_back(WITHOUT_ROMEO.get) == [Notice("talk_partner_absent", {"name": "Romeo"})]
    assert talk.joined(ALL.get) == [Notice("talk_back", {"name": "Romeo"})]
    talk = talking_to(ROMEO)
    talk.signalled(ROMEO, Talk.ENDED)
    assert talk.come_back(ALL.get) == [Notice("talk_partner_ended", {"name": "Romeo"})]
    assert refused(goes(talk, ALL, NOW)) == "talk_not_sent"


def test_a_partner_back_before_the_next_line_resumes_the_chat() -> None:
    talk = talking_to(ROMEO)
    talk.left("r")
    back = Person("r2", "Romeo")
    assert talk.joined(lambda sid: None) == []
    assert talk.joined({"r": back}.get) == [Notice("talk_back", {"name": "Romeo"})]
    assert talk.joined({"r": back}.get) == []
    assert goes(talk, {"r2": back}, LATER) == back
    assert keys(talk.left("r2")) == ["talk_partner_left"]


def test_a_partner_who_ended_the_chat_does_not_resume_it() -> None:
    talk = talking_to(ROMEO)
    talk.signalled(ROMEO, Talk.ENDED)
    assert talk.joined({"r": ROMEO}.get) == talk.left("r") == []
    assert refused(goes(talk, ALL, LATER)) == "talk_not_sent"


def test_a_partner_whose_leave_is_unannounced_receives_nothing() -> None:
    assert refused(goes(talking_to(ROMEO), WITHOUT_ROMEO, NOW, NOW)) == "talk_not_sent"


def test_a_partner_who_ended_the_talk_is_not_signalled_again() -> None:
    talk = talking_to(ROMEO)
    assert keys(talk.signalled(ROMEO, Talk.ENDED)) == ["talk_partner_ended"]
    assert signals(talk.turn_to(PARIS)) == []
    talk = talking_to(ROMEO)
    talk.signalled(ROMEO, Talk.ENDED)
    assert signals(talk.end()) == []


def test_a_partner_who_starts_again_is_announced() -> None:
    talk = talking_to(ROMEO)
    talk.signalled(ROMEO, Talk.ENDED)
    assert keys(talk.turned_to(ROMEO, NOW)) == ["talk_asked"]
    assert goes(talk, ALL, NOW) == ROMEO


def test_a_third_after_the_partner_left_still_holds_early_texts() -> None:
    talk = talking_to(ROMEO)
    talk.left("r")
    assert talk.turned_to(PARIS, NOW) == [Notice("talk_asked", {"name": "Paris"})]
    assert refused(goes(talk, WITHOUT_ROMEO, NOW)) == "talk_held"
    assert goes(talk, WITHOUT_ROMEO, NOW + 0.001) == PARIS


def test_the_next_line_takes_back_a_partner_who_turned_away() -> None:
    talk = talking_to(ROMEO)
    assert keys(talk.signalled(ROMEO, Talk.TURNED)) == ["talk_turned"]
    assert goes(talk, ALL, NOW) == ROMEO


def test_what_others_do_does_not_concern_the_talk() -> None:
    talk = talking_to(ROMEO)
    assert talk.signalled(PARIS, Talk.ENDED) == talk.left("p") == []
    assert goes(talk, ALL, NOW) == ROMEO


def test_a_new_name_is_used_from_then_on() -> None:
    talk = talking_to(ROMEO)
    talk.renamed("r", "Montague")
    assert talk.ask() == [Notice("talk_with", {"name": "Montague"})]
    talk.turned_to(PARIS, NOW)
    talk.renamed("r", "Banished")
    assert params(goes(talk, ALL, NOW)) == {"name": "Paris", "before": "Banished", "held": True}


def test_going_elsewhere_ends_it_without_a_word_to_the_partner() -> None:
    talk = talking_to(ROMEO)
    assert talk.leave_behind() == [Notice("talk_over", {"name": "Romeo"})]
    assert goes(talk, ALL, NOW) is None


def test_lines_that_came_together_are_held_together() -> None:
    talk = talking_to(ROMEO)
    talk.turned_to(PARIS, NOW)
    for _ in range(3):
        assert refused(goes(talk, ALL, NOW + 0.1, NOW + 0.2)) == "talk_held"
    assert goes(talk, ALL, NOW + 0.3) == PARIS


def test_a_paste_for_a_departed_partner_is_not_sent() -> None:
    talk = talking_to(ROMEO)
    talk.left("r")
    for _ in range(3):
        assert refused(goes(talk, WITHOUT_ROMEO, LATER, LATER + 0.1)) == "talk_not_sent"
    talk.turned_to(PARIS, LATER + 0.2)
    assert refused(goes(talk, WITHOUT_ROMEO, LATER, LATER + 0.3)) == "talk_not_sent"
    assert goes(talk, WITHOUT_ROMEO, LATER + 0.4) == PARIS


def test_lines_after_the_guests_own_change_are_sent() -> None:
    for turn in (PrivateTalk.end, PrivateTalk.leave_behind, lambda talk: talk.turn_to(PARIS)):
        talk = talking_to(ROMEO)
        talk.left("r")
        assert refused(goes(talk, WITHOUT_ROMEO, NOW, LATER))
        turn(talk)
        assert goes(talk, WITHOUT_ROMEO, NOW) == talk.partner


def test_texts_are_held_until_a_failed_audience_change_is_answered() -> None:
    talk = PrivateTalk()
    fails(talk, NoSuchPerson(name="Romeo"))
    held = goes(talk, ALL, NOW + 10)  # however late the answer is
    assert refused(held) == "not_sent_with"
    assert isinstance(held, NotSent)
    assert (held.code, held.answer_after_s, params(held)) == (
        "no_such_person",
        ANSWER_AFTER_S,
        {"held": True},
    )
    talk.answered(NOW + 11)
    assert refused(goes(talk, ALL, NOW + 11)) == "not_sent_with"
    assert goes(talk, ALL, NOW + 11.001) is None
    assert talk.is_plain


def test_a_text_is_held_by_when_it_arrived() -> None:
    talk = PrivateTalk()
    fails(talk, RoomInvalid())
    talk.answered(NOW + ANSWER_AFTER_S)
    assert refused(goes(talk, ALL, NOW - 1)) == "not_sent_with"
    assert goes(talk, ALL, NOW + ANSWER_AFTER_S) is None


def test_of_several_refusals_each_must_be_answered() -> None:
    talk = PrivateTalk()
    fails(talk, NoSuchPerson())
    fails(talk, UnknownCommand(command="x"), 0.0)
    talk.answered(NOW + 0.1)
    held = goes(talk, ALL, NOW + 0.2)
    assert isinstance(held, NotSent)
    assert held.code == "unknown_command"
    talk.answered(NOW + 0.3)
    assert goes(talk, ALL, NOW + 0.4) is None


def test_a_failed_join_leaves_names_in_doubt_until_its_answer() -> None:
    talk = PrivateTalk()
    fails(talk, RoomInvalid().with_doubt(people=True))
    fails(talk, UnknownCommand(command="x"), 0.0)
    for _ in range(2):
        talk.answered(NOW + ANSWER_AFTER_S)
        with pytest.raises(NotSent):
            talk.check_people(NOW + 0.1)
    talk.check_people(NOW + 0.3)


def test_a_hold_outlasts_a_talk_that_others_move() -> None:
    talk = talking_to(ROMEO)
    fails(talk, RoomInvalid())
    talk.turned_to(PARIS, NOW + 0.1)
    for _ in range(2):
        assert refused(goes(talk, ALL, NOW + 0.2)) == "not_sent_with"


def test_a_partner_with_a_new_session_is_still_the_partner() -> None:
    talk = talking_to(ROMEO)
    again = Person("r2", "Romeo")
    assert talk.address(lambda sid: again if sid in ("r", "r2") else None, NOW) == again
    assert talk.partner == again


@pytest.mark.parametrize("why", [RateLimited(retry_after=0.1), Unavailable()], ids=lambda why: why.code)
def test_a_text_held_is_not_one_to_try_again(why: Refusal) -> None:
    talk = PrivateTalk()
    fails(talk, why)
    held = goes(talk, ALL, NOW)
    assert isinstance(held, NotSent)
    assert held.code == "no_such_person"


def test_a_lost_answer_counts_as_an_open_talk() -> None:
    talk = PrivateTalk()
    talk.hold(RoomInvalid().with_doubt(), NOW)
    assert talk.is_open
    talk.cut()
    assert talk.is_open
    assert refused(goes(talk, ALL, LATER)) == "not_sent_with"
    assert not talk.is_open


def test_many_guests_who_were_cut_share_one_refusal() -> None:
    talks = [PrivateTalk() for _ in range(3)]
    for talk in talks:
        talk.hold(RoomInvalid().with_doubt(), NOW)
        talk.cut()
    assert len({id(talk._refusal) for talk in talks}) == 1
    raised = [goes(talk, ALL, LATER) for talk in talks]
    assert len(set(map(id, raised))) == 3
