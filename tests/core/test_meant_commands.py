"""What the answer to a command that does not exist shows."""

import pytest

from chatroom.core.commands import parse_line
from chatroom.core.meant_commands import meant
from chatroom.core.recent import RecentNames
from chatroom.core.unknown_commands import UnknownCommand
from tests.support.people import people_of, roster_of

NAMES = ("Bob", "Zoë", "Ming", "Ming Li", "Hilda", "Okapi", "小雨")
ROSTER = roster_of(*NAMES)
RECENT = RecentNames()
RECENT.add("Carla", "c", 0.0)
PEOPLE = people_of(ROSTER, RECENT)


def usage(line: str, last: str = "") -> object:
    """What the answer says to type, with who whispered last."""
    with pytest.raises(UnknownCommand) as refused:
        parse_line(line)
    return meant(refused.value, PEOPLE, lambda: ROSTER.find(last)).params.get("usage")


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("/t Bob I failed", "/to Bob I failed"),
        ("/tp Bbo I failed", "/to Bob I failed"),
        ("/toBob are you there", "/to Bob are you there"),
        ("/ t Bob hi", "/to Bob hi"),
        ("/to，小雨 我看了", "/to 小雨 我看了"),
        ("、私聊 小雨 我考试作弊了", "/to 小雨 我考试作弊了"),
        ("/私聊小雨你好", "/to 小雨 你好"),
        ("/e Bob x", "/to Bob x"),
        ("/zoe hi", "/to Zoë hi"),
        ("/t Bob", "to:Bob"),
        ("/t Ming Lo hi", '/to "Ming" Lo hi'),
        ("/t Carla hi", "/to NAME TEXT"),
        ("/r yes", "/to NAME TEXT"),
        ("/tt hi there", "/to NAME TEXT"),
        ("/ok see you", "/to NAME TEXT"),
        ("/jion the den", "/join the den"),
        ("/jion", "/join ROOM"),
        ("/dance with me", None),
        ("/op Bob", None),
    ],
)
def test_the_answer_gives_back_the_name_and_the_text(line: str, shown: str | None) -> None:
    assert usage(line) == shown


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("/e not here", "/to Bob not here"),
        ("/t yes I will", "/to Bob yes I will"),
        ("/rr Zoë lies", "/to Bob Zoë lies"),
        ("/r Zoë lies", "/to Bob Zoë lies"),
        ("/r Bob yes", "/to Bob yes"),
        ("/回复好的", "/to Bob 好的"),
        ("/ok see you", "/to Bob see you"),
        ("/t Zoë hi", "/to Zoë hi"),
        ("/Zoë hi", "/to Zoë hi"),
        ("/dance", None),
        ("/home/u/x.log is full", None),
        ("/op 0123456789abcdefgh", None),
        ("/jion den", "/join den"),
    ],
)
def test_an_answer_after_a_whisper_names_its_sender(line: str, shown: str | None) -> None:
    assert usage(line, last="Bob") == shown
