"""A private talk alone: whom the lines go to, with a clock that is given."""

from __future__ import annotations

from chatroom.core.events import Person, Talk
from chatroom.gateways.line_talk import HOLD_S, Address, Effect, Notice, PrivateTalk, Signal

ROMEO, PARIS, NURSE = Person("r", "Romeo"), Person("p", "Paris"), Person("n", "Nurse")
ALL = {"r", "p", "n"}
NOW = 100.0
LATER = NOW + HOLD_S


def keys(effects: list[Effect]) -> list[str]:
    return [effect.key for effect in effects if isinstance(effect, Notice)]


def signals(effects: list[Effect]) -> list[Signal]:
    return [effect for effect in effects if isinstance(effect, Signal)]


def talking_to(person: Person) -> PrivateTalk:
    talk = PrivateTalk()
    talk.turn_to(person)
    return talk


def test_without_a_partner_lines_go_to_the_room():
    talk = PrivateTalk()
    assert talk.address(ALL, NOW, NOW) == Address()
    assert keys(talk.ask()) == keys(talk.end()) == ["line_choose"]
    assert talk.leave_behind() == []


def test_lines_go_to_whom_one_has_turned_to_at_once():
    talk = talking_to(ROMEO)
    assert talk.address(ALL, NOW, NOW) == Address("r")
    assert talk.ask() == [Notice("line_talk", {"name": "Romeo"})]


def test_who_is_left_for_somebody_else_is_signalled_and_one_who_is_kept_is_not():
    talk = talking_to(ROMEO)
    assert signals(talk.turn_to(ROMEO)) == []
    assert signals(talk.turn_to(PARIS)) == [Signal("r", Talk.TURNED)]
    assert talk.address(ALL, NOW, NOW) == Address("p")


def test_an_ended_talk_is_signalled_and_lines_go_to_the_room():
    talk = talking_to(ROMEO)
    assert talk.end() == [Notice("line_over", {"name": "Romeo"}), Signal("r", Talk.ENDED)]
    assert talk.address(ALL, NOW, NOW) == Address()


def test_who_is_turned_to_talks_back():
    talk = PrivateTalk()
    assert talk.turned_to(ROMEO, NOW) == [Notice("line_asked", {"name": "Romeo"})]
    assert talk.address(ALL, NOW, NOW) == Address("r")
    assert talk.turned_to(ROMEO, NOW) == []


def test_a_third_moves_the_talk_and_what_came_too_soon_is_held_once():
    talk = talking_to(ROMEO)
    assert talk.turned_to(PARIS, NOW) == [
        Notice("line_moved", {"name": "Paris", "before": "Romeo"}),
        Signal("r", Talk.TURNED),
    ]
    held = Address(refusal=Notice("line_held", {"name": "Paris", "before": "Romeo"}))
    assert talk.address(ALL, LATER - 0.002, LATER - 0.002) == held
    assert talk.address(ALL, LATER - 0.001, LATER - 0.001) == Address("p")


def test_a_second_later_nothing_is_held():
    talk = talking_to(ROMEO)
    talk.turned_to(PARIS, NOW)
    assert talk.address(ALL, LATER, LATER) == Address("p")


def test_every_line_that_came_before_the_move_is_held_however_long_it_waited():
    talk = talking_to(ROMEO)
    talk.turned_to(PARIS, NOW)
    for _ in range(3):
        assert keys([talk.address(ALL, NOW - 0.001, NOW - 0.001).refusal]) == ["line_held"]
    assert talk.address(ALL, LATER, LATER) == Address("p")


def test_the_second_of_two_moves_holds_again():
    talk = talking_to(ROMEO)
    talk.turned_to(PARIS, NOW)
    talk.address(ALL, NOW, NOW)
    talk.turned_to(NURSE, NOW)
    assert talk.address(ALL, NOW, NOW).refusal == Notice("line_held", {"name": "Nurse", "before": "Paris"})


def test_turning_to_somebody_by_oneself_holds_nothing():
    talk = talking_to(ROMEO)
    talk.turned_to(PARIS, NOW)
    talk.turn_to(ROMEO)
    assert talk.address(ALL, NOW, NOW) == Address("r")


def test_when_the_partner_has_left_one_line_is_not_sent_and_the_next_goes_to_the_room():
    talk = talking_to(ROMEO)
    assert talk.left("r") == [Notice("line_partner_left", {"name": "Romeo"})]
    assert talk.left("r") == []
    assert talk.ask() == [Notice("line_choose")]
    assert talk.address({"p"}, LATER, LATER) == Address(refusal=Notice("line_not_sent", {"name": "Romeo"}))
    assert talk.address({"p"}, LATER + 0.001, LATER + 0.001) == Address()


def test_a_partner_who_has_left_though_nobody_was_told_yet_is_sent_nothing():
    assert talking_to(ROMEO).address({"p"}, NOW, NOW).refusal is not None


def test_a_partner_who_ended_the_talk_is_not_signalled_again():
    talk = talking_to(ROMEO)
    assert keys(talk.signalled(ROMEO, Talk.ENDED)) == ["line_partner_ended"]
    assert signals(talk.turn_to(PARIS)) == []
    talk = talking_to(ROMEO)
    talk.signalled(ROMEO, Talk.ENDED)
    assert signals(talk.end()) == []


def test_a_partner_who_comes_back_is_told_of_again():
    talk = talking_to(ROMEO)
    talk.signalled(ROMEO, Talk.ENDED)
    assert keys(talk.turned_to(ROMEO, NOW)) == ["line_asked"]
    assert talk.address(ALL, NOW, NOW) == Address("r")


def test_a_third_who_comes_when_the_partner_has_left_moves_nothing_but_what_came_too_soon_is_held():
    talk = talking_to(ROMEO)
    talk.left("r")
    assert talk.turned_to(PARIS, NOW) == [Notice("line_asked", {"name": "Paris"})]
    assert keys([talk.address({"p"}, NOW, NOW).refusal]) == ["line_held"]
    assert talk.address({"p"}, NOW + 0.001, NOW + 0.001) == Address("p")


def test_a_partner_who_turned_away_is_taken_back_by_the_next_line():
    talk = talking_to(ROMEO)
    assert keys(talk.signalled(ROMEO, Talk.TURNED)) == ["line_turned"]
    assert talk.address(ALL, NOW, NOW) == Address("r")


def test_what_others_do_does_not_concern_the_talk():
    talk = talking_to(ROMEO)
    assert talk.signalled(PARIS, Talk.ENDED) == talk.left("p") == []
    assert talk.address(ALL, NOW, NOW) == Address("r")


def test_a_new_name_is_used_from_then_on():
    talk = talking_to(ROMEO)
    talk.renamed("r", "Montague")
    assert talk.ask() == [Notice("line_talk", {"name": "Montague"})]
    talk.turned_to(PARIS, NOW)
    talk.renamed("r", "Banished")
    assert talk.address(ALL, NOW, NOW).refusal == Notice("line_held", {"name": "Paris", "before": "Banished"})


def test_going_elsewhere_ends_it_without_a_word_to_the_partner():
    talk = talking_to(ROMEO)
    assert talk.leave_behind() == [Notice("line_over", {"name": "Romeo"})]
    assert talk.address(ALL, NOW, NOW) == Address()


def test_lines_that_came_together_are_held_together():
    talk = talking_to(ROMEO)
    talk.turned_to(PARIS, NOW)
    for _ in range(3):
        assert keys([talk.address(ALL, NOW + 0.1, NOW + 0.2).refusal]) == ["line_held"]
    assert talk.address(ALL, NOW + 0.3, NOW + 0.3) == Address("p")


def test_of_lines_that_came_together_for_one_who_has_left_none_slips_into_the_room_or_to_a_third():
    talk = talking_to(ROMEO)
    talk.left("r")
    for _ in range(3):
        assert keys([talk.address({"p"}, LATER, LATER + 0.1).refusal]) == ["line_not_sent"]
    talk.turned_to(PARIS, LATER + 0.2)
    assert keys([talk.address({"p"}, LATER, LATER + 0.3).refusal]) == ["line_not_sent"]
    assert talk.address({"p"}, LATER + 0.4, LATER + 0.4) == Address("p")


def test_what_stands_behind_a_turn_of_ones_own_is_meant_so():
    for turn in (PrivateTalk.end, PrivateTalk.leave_behind, lambda talk: talk.turn_to(PARIS)):
        talk = talking_to(ROMEO)
        talk.left("r")
        assert talk.address({"p"}, NOW, LATER).refusal is not None
        turn(talk)
        assert talk.address({"p"}, NOW, LATER).refusal is None
