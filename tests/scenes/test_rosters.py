"""Joins and leaves, announced singly in small rooms and together in large ones (protocol, "Rosters")."""

import contextlib
import json
import signal
from collections.abc import Callable, Iterator

import pytest

from tests.support.guests import Frame, Guest, Guests
from tests.support.program import Program
from tests.support.raw import RawClient

SMALL = 64  # people: the protocol's number
BURST = 12


@pytest.fixture
def crowd(server: Program, room: str) -> Iterator[Callable[[int], list[RawClient]]]:
    """Makes many people join the play's room at once: `crowd(12)`."""
    with contextlib.ExitStack() as stack:

        def enter(count: int) -> list[RawClient]:
            people = [stack.enter_context(RawClient(server.url)) for _ in range(count)]
            for person in people:
                person.opens()
            in_one_breath(server, people, "40" + json.dumps({"room": room, "v": 1, "roster": "delta"}))
            for person in people:
                first = person.receives(lambda text: text.startswith("42"))
                person.login = json.loads(first[2:])[1]
                assert person.login["action"] == "login"
            return people

        yield enter


def in_one_breath(server: Program, people: list[RawClient], packet: str) -> None:
    """Let everybody send a packet before the server reads any of them."""
    server.signal(signal.SIGSTOP)
    for person in people:
        person.sends(packet)
    server.signal(signal.SIGCONT)


def pairs(people: list[RawClient]) -> list[list[str]]:
    return sorted([person.login["username"], person.login["sid"]] for person in people)


def frames_until(guest: Guest, action: str, done: Callable[[list[Frame]], bool]) -> list[Frame]:
    """Receive frames of one action until `done` accepts them."""
    found: list[Frame] = []
    while not done(found):
        found.append(guest.receives(action))
    return found


def test_a_small_room_announces_each_join_at_once(
    guests: Guests, crowd: Callable[[int], list[RawClient]]
) -> None:
    full, delta = guests(), guests(roster="delta")
    full.receives("login", sid=delta.sid)
    comers = crowd(BURST)
    logins = [full.receives_next("login") for _ in comers]
    assert sorted([frame["username"], frame["sid"]] for frame in logins) == pairs(comers)
    for number, frame in enumerate(logins, start=3):
        assert (frame["count"], len(frame["name_list"])) == (number, number)
    rosters = [delta.receives_next("roster") for _ in comers]
    assert sorted(pair for frame in rosters for pair in frame["joined"]) == pairs(comers)
    assert [len(frame["joined"]) for frame in rosters] == [1] * BURST


def test_in_a_large_room_a_burst_is_announced_together(
    server: Program, guests: Guests, crowd: Callable[[int], list[RawClient]]
) -> None:
    crowd(SMALL)
    full, delta = guests(), guests(roster="delta")
    frames_until(delta, "roster", lambda found: delta.sid in dict_of(found, "joined"))
    full.receives("login", sid=delta.sid)
    comers = crowd(BURST)

    frames = frames_until(delta, "roster", lambda found: len(dict_of(found, "joined")) == BURST)
    assert sorted(pair for frame in frames for pair in frame["joined"]) == pairs(comers)
    assert len(frames) <= BURST // 3  # the burst may have begun within another's interval
    assert frames[-1]["count"] == SMALL + 2 + BURST

    logins = [full.receives_next("login") for _ in comers]
    assert sorted([frame["username"], frame["sid"]] for frame in logins) == pairs(comers)
    with_names = [frame for frame in logins if "name_list" in frame]
    assert len(with_names) == len(frames), "one list per frame"
    assert logins[-1] is with_names[-1], "it comes with the last of them"
    assert len(logins[-1]["name_list"]) == SMALL + 2 + BURST

    in_one_breath(server, comers, '42["msg",{"action":"logout"}]')
    frames = frames_until(delta, "roster", lambda found: len(dict_of(found, "left")) == BURST)
    assert sorted(pair for frame in frames for pair in frame["left"]) == pairs(comers)
    assert len(frames) <= BURST // 3
    logouts = [full.receives_next("logout") for _ in frames]
    assert logouts[-1]["username"] in [name for name, _sid in pairs(comers)]
    assert (logouts[-1]["count"], len(logouts[-1]["name_list"])) == (SMALL + 2, SMALL + 2)
    full.receives_nothing("logout")


def test_a_rename_in_a_large_room_has_no_list(
    guests: Guests, crowd: Callable[[int], list[RawClient]]
) -> None:
    crowd(SMALL)
    romeo, juliet = guests(), guests()
    assert romeo.asks("rename", username="Montague")["ok"]
    assert "name_list" not in juliet.receives("rename", to="Montague")
    assert ["Montague", romeo.sid] in juliet.asks("who")["name_list"]


def dict_of(frames: list[Frame], field: str) -> dict[str, str]:
    return {sid: name for frame in frames for name, sid in frame[field]}
