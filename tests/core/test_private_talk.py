"""A private talk alone: whom the lines go to, with a clock that is given."""

from __future__ import annotations

import pytest

from chatroom.core.errors import (
    HOLD_S,
    NoPartner,
    NoSuchPerson,
    NotSent,
    RateLimited,
    Refusal,
    RoomInvalid,
    UnknownCommand,
)
from chatroom.core.events import Person, Talk
from chatroom.core.private_talk import Effect, Notice, PrivateTalk, Signal

ROMEO, PARIS, NURSE = Person("r", "Romeo"), Person("p", "Paris"), Person("n", "Nurse")
ALL = {person.sid: person for person in (ROMEO, PARIS, NURSE)}
WITHOUT_ROMEO = {"p": PARIS}
NOW = 100.0
LATER = NOW + HOLD_S


def keys(effects: list[Effect]) -> list[str]:
    return [effect.key for effect in effects if isinstance(effect, Notice)]


def signals(effects: list[Effect]) -> list[Signal]:
    return [effect for effect in effects if isinstance(effect, Signal)]


def goes(
    talk: PrivateTalk, present: dict[str, Person], arrived_at: float, now: float, *, is_escaped: bool = False
) -> Person | NotSent | None:
    try:
        return talk.address(present.get, arrived_at, now, is_escaped=is_escaped)
    except NotSent as refused:
        return refused


def refused(answer: Person | NotSent | None) -> str | None:
    assert isinstance(answer, NotSent), answer
    return answer.wording


def params(answer: Person | NotSent | None) -> dict[str, object]:
    assert isinstance(answer, NotSent), answer
    return answer.params


def failed(refusal: Refusal, hold_s: float) -> Refusal:
    refusal.hold_s = hold_s
    return refusal


def talking_to(person: Person) -> PrivateTalk:
    talk = PrivateTalk()
    talk.turn_to(person)
    return talk


def test_without_a_partner_lines_go_to_the_room():
    talk = PrivateTalk()
    assert goes(talk, ALL, NOW, NOW) is None
    for ask in (talk.ask, talk.end):
        with pytest.raises(NoPartner):
            ask()
    assert talk.leave_behind() == []


def test_lines_go_to_whom_one_has_turned_to_at_once():
    talk = talking_to(ROMEO)
    assert goes(talk, ALL, NOW, NOW) == ROMEO
    assert talk.ask() == [Notice("talk_with", {"name": "Romeo"})]


def test_who_is_left_for_somebody_else_is_signalled_and_one_who_is_kept_is_not():
    talk = talking_to(ROMEO)
    assert signals(talk.turn_to(ROMEO)) == []
    assert signals(talk.turn_to(PARIS)) == [Signal("r", Talk.TURNED)]
    assert goes(talk, ALL, NOW, NOW) == PARIS


def test_an_ended_talk_is_signalled_and_lines_go_to_the_room():
    talk = talking_to(ROMEO)
    assert talk.end() == [Notice("talk_over", {"name": "Romeo"}), Signal("r", Talk.ENDED)]
    assert goes(talk, ALL, NOW, NOW) is None


def test_who_is_turned_to_talks_back():
    talk = PrivateTalk()
    assert talk.turned_to(ROMEO, NOW) == [Notice("talk_asked", {"name": "Romeo"})]
    assert goes(talk, ALL, NOW, NOW) == ROMEO
    assert talk.turned_to(ROMEO, NOW) == []


def test_a_third_moves_the_talk_and_what_came_too_soon_is_held_once():
    talk = talking_to(ROMEO)
    assert talk.turned_to(PARIS, NOW) == [
        Notice("talk_moved", {"name": "Paris", "before": "Romeo"}),
        Signal("r", Talk.TURNED),
    ]
    held = goes(talk, ALL, LATER - 0.002, LATER - 0.002)
    assert refused(held) == "talk_held"
    assert params(held) == {"name": "Paris", "before": "Romeo", "held": True}
    assert goes(talk, ALL, LATER - 0.001, LATER - 0.001) == PARIS


def test_a_second_later_nothing_is_held():
    talk = talking_to(ROMEO)
    talk.turned_to(PARIS, NOW)
    assert goes(talk, ALL, LATER, LATER) == PARIS


def test_every_line_that_came_before_the_move_is_held_however_long_it_waited():
    talk = talking_to(ROMEO)
    talk.turned_to(PARIS, NOW)
    for _ in range(3):
        assert refused(goes(talk, ALL, NOW - 0.001, NOW - 0.001)) == "talk_held"
    assert goes(talk, ALL, LATER, LATER) == PARIS


def test_the_second_of_two_moves_holds_again():
    talk = talking_to(ROMEO)
    talk.turned_to(PARIS, NOW)
    goes(talk, ALL, NOW, NOW)
    talk.turned_to(NURSE, NOW)
    assert params(goes(talk, ALL, NOW, NOW)) == {"name": "Nurse", "before": "Paris", "held": True}


def test_turning_to_somebody_by_oneself_holds_nothing():
    talk = talking_to(ROMEO)
    talk.turned_to(PARIS, NOW)
    talk.turn_to(ROMEO)
    assert goes(talk, ALL, NOW, NOW) == ROMEO


def test_when_the_partner_has_left_one_line_is_not_sent_and_the_next_goes_to_the_room():
    talk = talking_to(ROMEO)
    assert talk.left("r", NOW) == [Notice("talk_partner_left", {"name": "Romeo"})]
    assert talk.left("r", NOW) == []
    with pytest.raises(NoPartner):
        talk.ask()
    assert refused(goes(talk, WITHOUT_ROMEO, LATER, LATER)) == "talk_not_sent"
    assert goes(talk, WITHOUT_ROMEO, LATER + 0.001, LATER + 0.001) is None


@pytest.mark.parametrize("way", ["left", "ended", "gone", "forgotten"])
def test_when_a_talk_has_just_ended_by_itself_no_line_is_sent(way: str) -> None:
    talk = PrivateTalk() if way == "forgotten" else talking_to(ROMEO)
    if way == "left":
        talk.left("r", NOW)
    elif way == "ended":
        talk.signalled(ROMEO, Talk.ENDED, NOW)
    elif way == "forgotten":
        talk.forget(NOW)
    assert talk.is_open
    assert not talk.is_plain
    for moment in (NOW, NOW + 0.01, LATER):
        held = goes(talk, WITHOUT_ROMEO, moment, moment)
        assert refused(held) == ("talk_forgotten_not_sent" if way == "forgotten" else "talk_not_sent")
    after = LATER + HOLD_S + 0.001
    assert goes(talk, WITHOUT_ROMEO, after, after) is None
    assert talk.is_plain


def test_who_comes_back_is_told_of_the_talk() -> None:
    assert PrivateTalk().come_back() == []
    assert talking_to(ROMEO).come_back() == [Notice("talk_still", {"name": "Romeo"})]
    talk = PrivateTalk()
    talk.forget(NOW)
    assert talk.come_back() == [Notice("talk_forgotten")]
    assert talk.end() == [Notice("talk_choose")]
    assert goes(talk, ALL, NOW, NOW) is None


def test_a_partner_who_comes_back_before_the_next_line_goes_on() -> None:
    talk = talking_to(ROMEO)
    talk.left("r", NOW)
    back = Person("r2", "Romeo")
    assert talk.joined(lambda sid: None) == []
    assert talk.joined({"r": back}.get) == [Notice("talk_back", {"name": "Romeo"})]
    assert talk.joined({"r": back}.get) == []
    assert goes(talk, {"r2": back}, LATER, LATER) == back
    assert keys(talk.left("r2", LATER)) == ["talk_partner_left"]


def test_a_partner_who_ended_the_talk_does_not_go_on_with_it() -> None:
    talk = talking_to(ROMEO)
    talk.signalled(ROMEO, Talk.ENDED, NOW)
    assert talk.joined({"r": ROMEO}.get) == talk.left("r", NOW) == []
    assert refused(goes(talk, ALL, LATER, LATER)) == "talk_not_sent"


def test_a_partner_who_has_left_though_nobody_was_told_yet_is_sent_nothing():
    assert refused(goes(talking_to(ROMEO), WITHOUT_ROMEO, NOW, NOW)) == "talk_not_sent"


def test_a_partner_who_ended_the_talk_is_not_signalled_again():
    talk = talking_to(ROMEO)
    assert keys(talk.signalled(ROMEO, Talk.ENDED, NOW)) == ["talk_partner_ended"]
    assert signals(talk.turn_to(PARIS)) == []
    talk = talking_to(ROMEO)
    talk.signalled(ROMEO, Talk.ENDED, NOW)
    assert signals(talk.end()) == []


def test_a_partner_who_comes_back_is_told_of_again():
    talk = talking_to(ROMEO)
    talk.signalled(ROMEO, Talk.ENDED, NOW)
    assert keys(talk.turned_to(ROMEO, NOW)) == ["talk_asked"]
    assert goes(talk, ALL, NOW, NOW) == ROMEO


def test_a_third_who_comes_when_the_partner_has_left_moves_nothing_but_what_came_too_soon_is_held():
    talk = talking_to(ROMEO)
    talk.left("r", NOW)
    assert talk.turned_to(PARIS, NOW) == [Notice("talk_asked", {"name": "Paris"})]
    assert refused(goes(talk, WITHOUT_ROMEO, NOW, NOW)) == "talk_held"
    assert goes(talk, WITHOUT_ROMEO, NOW + 0.001, NOW + 0.001) == PARIS


def test_a_partner_who_turned_away_is_taken_back_by_the_next_line():
    talk = talking_to(ROMEO)
    assert keys(talk.signalled(ROMEO, Talk.TURNED, NOW)) == ["talk_turned"]
    assert goes(talk, ALL, NOW, NOW) == ROMEO


def test_what_others_do_does_not_concern_the_talk():
    talk = talking_to(ROMEO)
    assert talk.signalled(PARIS, Talk.ENDED, NOW) == talk.left("p", NOW) == []
    assert goes(talk, ALL, NOW, NOW) == ROMEO


def test_a_new_name_is_used_from_then_on():
    talk = talking_to(ROMEO)
    talk.renamed("r", "Montague")
    assert talk.ask() == [Notice("talk_with", {"name": "Montague"})]
    talk.turned_to(PARIS, NOW)
    talk.renamed("r", "Banished")
    assert params(goes(talk, ALL, NOW, NOW)) == {"name": "Paris", "before": "Banished", "held": True}


def test_going_elsewhere_ends_it_without_a_word_to_the_partner():
    talk = talking_to(ROMEO)
    assert talk.leave_behind() == [Notice("talk_over", {"name": "Romeo"})]
    assert goes(talk, ALL, NOW, NOW) is None


def test_lines_that_came_together_are_held_together():
    talk = talking_to(ROMEO)
    talk.turned_to(PARIS, NOW)
    for _ in range(3):
        assert refused(goes(talk, ALL, NOW + 0.1, NOW + 0.2)) == "talk_held"
    assert goes(talk, ALL, NOW + 0.3, NOW + 0.3) == PARIS


def test_of_lines_that_came_together_for_one_who_has_left_none_slips_into_the_room_or_to_a_third():
    talk = talking_to(ROMEO)
    talk.left("r", NOW)
    for _ in range(3):
        assert refused(goes(talk, WITHOUT_ROMEO, LATER, LATER + 0.1)) == "talk_not_sent"
    talk.turned_to(PARIS, LATER + 0.2)
    assert refused(goes(talk, WITHOUT_ROMEO, LATER, LATER + 0.3)) == "talk_not_sent"
    assert goes(talk, WITHOUT_ROMEO, LATER + 0.4, LATER + 0.4) == PARIS


def test_what_stands_behind_a_turn_of_ones_own_is_meant_so():
    for turn in (PrivateTalk.end, PrivateTalk.leave_behind, lambda talk: talk.turn_to(PARIS)):
        talk = talking_to(ROMEO)
        talk.left("r", NOW)
        assert refused(goes(talk, WITHOUT_ROMEO, NOW, LATER))
        turn(talk)
        assert goes(talk, WITHOUT_ROMEO, NOW, LATER) == talk.partner


def test_texts_with_a_failed_change_of_audience_are_held():
    talk = PrivateTalk()
    talk.hold(failed(NoSuchPerson(name="Romeo"), HOLD_S), NOW)
    for moment in (NOW, NOW + 0.5, LATER):
        held = goes(talk, ALL, moment, moment)
        assert refused(held) == "not_sent_with"
        assert (held.code, params(held)) == ("no_such_person", {"held": True})
    after = LATER + HOLD_S + 0.001  # each that is held prolongs it
    assert goes(talk, ALL, after, after) is None
    assert talk.is_plain


def test_a_text_is_held_by_when_it_arrived():
    talk = PrivateTalk()
    talk.hold(failed(RoomInvalid(), HOLD_S), NOW)
    assert refused(goes(talk, ALL, NOW - 1, LATER + 10)) == "not_sent_with"


def test_an_escaped_text_is_held_only_with_the_refusal():
    talk = PrivateTalk()
    talk.hold(failed(NoSuchPerson(), HOLD_S), NOW)
    assert refused(goes(talk, ALL, NOW, NOW + 0.1, is_escaped=True)) == "not_sent_with"
    assert goes(talk, ALL, NOW + 0.2, NOW + 0.2, is_escaped=True) is None
    assert refused(goes(talk, ALL, NOW + 0.3, NOW + 0.3)) == "not_sent_with"


def test_an_unknown_command_holds_only_what_came_with_it():
    talk = PrivateTalk()
    talk.hold(failed(UnknownCommand(command="too"), 0.0), NOW)
    assert refused(goes(talk, ALL, NOW, NOW + 0.1)) == "not_sent_with"
    assert goes(talk, ALL, NOW + 0.001, NOW + 0.2) is None


def test_other_refusals_hold_nothing():
    talk = PrivateTalk()
    talk.hold(NoSuchPerson(), NOW)
    assert talk.is_plain


def test_an_unknown_command_does_not_shorten_a_hold():
    talk = PrivateTalk()
    talk.hold(failed(NoSuchPerson(), HOLD_S), NOW)
    talk.hold(failed(UnknownCommand(command="x"), 0.0), NOW + 0.1)
    assert refused(goes(talk, ALL, LATER, LATER)) == "not_sent_with"


def test_a_hold_outlasts_a_talk_that_others_move():
    talk = talking_to(ROMEO)
    talk.hold(failed(RoomInvalid(), HOLD_S), NOW)
    talk.turned_to(PARIS, NOW + 0.1)
    for _ in range(2):
        assert refused(goes(talk, ALL, NOW + 0.2, NOW + 0.2)) == "not_sent_with"


def test_a_partner_with_a_new_session_is_still_the_partner():
    talk = talking_to(ROMEO)
    again = Person("r2", "Romeo")
    assert talk.address(lambda sid: again if sid in ("r", "r2") else None, NOW, NOW) == again
    assert talk.partner == again


def test_a_text_held_is_not_one_to_try_again() -> None:
    talk = PrivateTalk()
    refused = RateLimited(retry_after=0.1)
    refused.hold_s = HOLD_S
    talk.hold(refused, 1.0)
    with pytest.raises(NotSent) as held:
        talk.address(lambda sid: None, 1.0, 1.0)
    assert held.value.code == "no_such_person"
