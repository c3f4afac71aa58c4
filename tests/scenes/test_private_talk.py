"""`to:NAME`: private chats between terminals, and what happens when a third person starts one or a partner leaves."""

from __future__ import annotations

import re
import time

import pytest

from tests.support.guests import Guests
from tests.support.lines import Line, Lines
from tests.support.program import Start


def test_a_private_chat_goes_both_ways_and_reaches_no_others(lines: Lines, guests: Guests) -> None:
    romeo, juliet, nurse, paris = lines(), lines(), lines(), guests()
    romeo.types(f"to:{juliet.name}")
    romeo.reads(rf"^\* You now talk to {juliet.name} only")
    juliet.reads(rf"^\* {romeo.name} started a private chat")
    romeo.types("my love")
    juliet.reads(rf"^\[\d\d:\d\d:\d\d\] {romeo.name} -> you: my love$")
    juliet.types("good night")
    romeo.reads(rf"^\[\d\d:\d\d:\d\d\] {juliet.name} -> you: good night$")
    nurse.reads_nothing("my love|good night")
    paris.receives_nothing("message")
    paris.receives_nothing("whisper")


def test_to_alone_ends_the_chat_on_both_sides(lines: Lines) -> None:
    romeo, juliet, nurse = lines(), lines(), lines()
    romeo.types(f"to:{juliet.name}")
    juliet.reads("private chat")
    romeo.types("to:")
    romeo.reads(rf"^\* The private chat with {juliet.name} is over")
    juliet.reads(rf"^\* {romeo.name} ended the private chat")
    juliet.types("a secret")
    juliet.reads(r"^\* Not sent")
    nurse.reads_nothing("secret")
    juliet.types("hello all")
    nurse.receives(juliet.name, "hello all")
    romeo.types("me too")
    nurse.receives(romeo.name, "me too")


def test_a_slip_of_to_alone_is_not_sent(lines: Lines, guests: Guests) -> None:
    romeo, juliet, paris = lines(), lines(), guests()
    romeo.types(f"to:{juliet.name}")
    romeo.reads(r"^\* You now talk to")
    romeo.types("to;")
    romeo.reads(rf"^\* Not sent\. You still talk to {re.escape(juliet.name)} only\. To end it, type to:$")
    answer = paris.asks("whisper", to=romeo.name, msg="to;", typed=True)
    assert (answer["code"], answer["usage"]) == ("unknown_command", "to:")
    assert answer["msg"] == f"Not sent. You still talk to {romeo.name} only. To end it, type to:"
    romeo.types("are you there?")
    juliet.reads("-> you: are you there")
    juliet.reads_nothing("to;")


def test_to_with_an_unknown_name_none_or_ones_own(lines: Lines) -> None:
    romeo = lines()
    romeo.types("to:no such one")
    romeo.reads(r"^\* no one here is called no such one$")
    for alone in ("/to", "to:"):
        romeo.types(alone)
        romeo.reads(r"^\* You are not in a private chat\. Choose someone")
    romeo.types(f"to:{romeo.name}")
    romeo.reads(r"^\* That is you\.$")


@pytest.mark.alone
def test_a_third_person_takes_over_and_all_get_notices(lines: Lines) -> None:
    romeo, juliet, paris = lines(), lines(), lines()
    romeo.types(f"to:{juliet.name}")
    juliet.reads("private chat")
    paris.types(f"to:{juliet.name}")
    juliet.reads(rf"^\* You now talk to {paris.name}, not {romeo.name}\. to:{romeo.name} returns")
    romeo.reads(rf"^\* {juliet.name} now talks to someone else")
    juliet.types("meant for romeo")
    juliet.reads(rf"^\* You now talk to {paris.name}, not {romeo.name}\. Send it again to say it\.$")
    juliet.types("hello paris")
    paris.reads(rf"{juliet.name} -> you: hello paris$")
    paris.reads_nothing("meant for romeo")
    romeo.types("come back")
    juliet.reads(rf"^\* You now talk to {romeo.name}, not {paris.name}")
    juliet.reads(rf"{romeo.name} -> you: come back$")
    says_even_if_held(juliet, "I am here")
    romeo.reads(rf"{juliet.name} -> you: I am here$")


def says_even_if_held(line: Line, text: str) -> None:
    """Type a text, and repeat it while the server refuses it as sent too soon after the partner changed."""
    is_held = True
    while is_held:
        line.types(text)
        line.types("/rooms")
        is_held = any("Send it again" in shown for shown in line.reads_up_to(r"^\* Rooms: "))


def test_returning_by_name(lines: Lines) -> None:
    romeo, juliet, paris = lines(), lines(), lines()
    romeo.types(f"to:{juliet.name}")
    juliet.reads("private chat")
    paris.types(f"to:{juliet.name}")
    juliet.reads("not " + romeo.name)
    juliet.types(f"to:{romeo.name}")
    juliet.types("back again")
    romeo.reads(rf"{juliet.name} -> you: back again$")
    paris.reads(rf"^\* {juliet.name} now talks to someone else")


def test_a_text_to_a_departed_partner_is_not_sent(lines: Lines) -> None:
    romeo, juliet, nurse = lines(), lines(), lines()
    romeo.types(f"to:{juliet.name}")
    juliet.reads("private chat")
    juliet.types("quit")
    romeo.reads(rf"^\* {juliet.name} has left\. The private chat is over")
    romeo.types("are you there")
    romeo.reads(
        rf"^\* Not sent: {juliet.name} no longer talks to you\. You are back in the room: everyone sees what"
    )
    romeo.types("is she gone")
    nurse.receives(romeo.name, "is she gone")
    assert "are you there" not in nurse.seen


def test_a_paste_for_a_departed_partner_stays_private(lines: Lines) -> None:
    romeo, juliet, nurse = lines(), lines(), lines()
    romeo.types(f"to:{juliet.name}")
    juliet.reads("private chat")
    juliet.types("quit")
    romeo.reads(rf"^\* {juliet.name} has left\. The private chat is over")
    romeo.types_raw(b"".join(f"secret {number}, {'x' * 700}\n".encode() for number in range(4)))
    for _ in range(4):
        romeo.reads(r"^\* Not sent: ")
    romeo.types("hello all")
    nurse.receives(romeo.name, "hello all")
    assert "secret" not in nurse.seen


def test_a_name_taken_by_somebody_else_is_not_the_partner(lines: Lines) -> None:
    romeo, juliet = lines(), lines(name="Capulet's daughter")
    romeo.types("to:Capulet's daughter")
    juliet.reads("private chat")
    juliet.types("quit")
    romeo.reads(r"has left\. The private chat")
    rosaline = lines(name="Capulet's daughter")
    romeo.types("my secret")
    romeo.reads("Not sent")
    rosaline.reads_nothing("my secret")


def test_a_new_name_does_not_end_the_talk(lines: Lines) -> None:
    romeo, juliet = lines(), lines()
    romeo.types(f"to:{juliet.name}")
    juliet.reads("private chat")
    juliet.types("/name Some Other Name")
    romeo.reads("is now called Some Other Name")
    romeo.types("what is in a name")
    juliet.reads(rf"{romeo.name} -> you: what is in a name$")


def test_a_partner_in_a_browser_gets_whispers(lines: Lines, guests: Guests) -> None:
    romeo, juliet = lines(), guests()
    romeo.types(f"to:{juliet.name}")
    romeo.reads("You now talk to")
    romeo.types("hello")
    juliet.receives_next("whisper", username=romeo.name, msg="hello")  # the opening itself is no frame
    juliet.sends("said to all")  # the composer has not moved
    romeo.receives(juliet.name, "said to all")


def test_a_browsers_whisper_moves_no_talk(lines: Lines, guests: Guests) -> None:
    romeo, juliet, nurse = lines(), lines(), guests()
    romeo.types(f"to:{juliet.name}")
    juliet.reads("private chat")
    assert nurse.asks("whisper", to=juliet.name, msg="madam")["ok"]
    juliet.reads(rf"{nurse.name} -> you: madam$")
    juliet.types("anon")
    romeo.reads(rf"{juliet.name} -> you: anon$")


def test_going_to_another_room_ends_the_talk(lines: Lines, room: str) -> None:
    romeo, juliet = lines(), lines()
    romeo.types(f"to:{juliet.name}")
    juliet.reads("private chat")
    romeo.types(f"/join {room} next")
    romeo.reads("is over")
    juliet.reads(rf"^\* {romeo.name} has left\. The private chat")


def test_turning_to_people_costs_tokens(start: Start, lines: Lines) -> None:
    port = start("--message-burst", "2", "--message-rate", "2").line_port
    romeo, juliet = lines(port=port, room=None), lines(port=port, room=None)
    began = time.monotonic()
    for _ in range(4):
        romeo.types(f"to:{juliet.name}")
    romeo.reads(r"^\* Too fast")
    romeo.reads("You now talk to")
    romeo.reads("You now talk to")
    assert time.monotonic() - began > 0.9


def test_to_may_stand_after_spaces(lines: Lines) -> None:
    romeo, juliet = lines(), lines()
    romeo.types(f"  to: {juliet.name} ")
    juliet.reads(rf"^\* {romeo.name} started a private chat")


def test_a_return_after_an_ended_chat_is_announced(lines: Lines) -> None:
    romeo, juliet = lines(), lines()
    romeo.types(f"to:{juliet.name}")
    juliet.reads(rf"^\* {romeo.name} started a private chat")
    romeo.types("to:")
    juliet.reads("ended the private chat")
    romeo.types(f"to:{juliet.name}")
    juliet.reads(rf"^\* {romeo.name} started a private chat")
    juliet.types("yes")
    romeo.reads(rf"{juliet.name} -> you: yes$")


def test_lines_from_before_a_move_reach_no_wrong_person(start: Start, lines: Lines) -> None:
    port = start("--message-burst", "2", "--message-rate", "2").line_port
    romeo, juliet, paris = (lines(port=port, room=None) for _ in range(3))
    romeo.types(f"to:{juliet.name}")
    juliet.reads("private chat")
    juliet.types_raw(b"for romeo 0\nfor romeo 1\nfor romeo 2\nfor romeo 3\n")
    juliet.reads(r"^\* Too fast")
    paris.types(f"to:{juliet.name}")
    juliet.reads(rf"^\* You now talk to {paris.name}, not {romeo.name}\. to:")
    for number in range(2):
        romeo.reads(rf"{juliet.name} -> you: for romeo {number}$")
        juliet.reads(rf"^\* You now talk to {paris.name}, not {romeo.name}\. Send it again")
    juliet.types(f"to:{paris.name}")
    juliet.types("for paris")
    paris.reads(rf"{juliet.name} -> you: for paris$")
    assert "for romeo" not in paris.seen
    romeo.reads_nothing("for romeo")
