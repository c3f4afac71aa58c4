"""Scenes on a slow backplane (`far_app`): requests sent without waiting are handled in order, as on a fast one."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import pytest

from tests.support.guests import Guest, Guests, Refused, until
from tests.support.lines import Lines
from tests.support.program import Program


@pytest.fixture(scope="module")
def far() -> Iterator[Program]:
    with Program("--limits", "off", app="tests/support/far_app.py") as program:
        yield program


@pytest.fixture(scope="module")
def lossy() -> Iterator[Program]:
    environ = {"TEST_LOSS": "4"}
    with Program("--limits", "off", environ=environ, app="tests/support/far_app.py") as program:
        yield program


@pytest.fixture
def enter(far: Program, guests: Guests) -> Guests:
    return partial(guests, url=far.url)


def names(guest: Guest) -> list[str]:
    return sorted(name for name, _ in guest.asks("who")["name_list"])


def test_what_follows_a_join_waits_for_it(enter: Guests) -> None:
    romeo, juliet = enter(username="Romeo"), enter(username="Juliet", room="the garden")
    romeo.emit({"action": "join", "room": "the garden"})
    romeo.emit({"action": "message", "msg": "what light is this"})
    juliet.receives("message", username="Romeo", msg="what light is this")
    assert romeo.receives("login")["room"] == "the garden"


def test_a_new_name_holds_for_what_follows(enter: Guests) -> None:
    romeo, juliet = enter(username="Romeo"), enter()
    for name in ("Tybalt", "Paris"):
        romeo.emit({"action": "rename", "username": name})
        romeo.emit({"action": "message", "msg": f"I am {name}"})
    for name in ("Tybalt", "Paris"):
        juliet.receives("rename", to=name)
        juliet.receives("message", username=name, msg=f"I am {name}")


def test_a_private_line_after_its_address_stays_private(far: Program, enter: Guests, lines: Lines) -> None:
    juliet, nurse = enter(room="lobby", username="Juliet"), enter(room="lobby")
    romeo = lines(port=far.line_port, room=None)
    romeo.types_raw(b"to:Juliet\nsecret\nto:\naloud\n")
    assert juliet.receives("whisper")["msg"] == "secret"
    assert nurse.receives("message")["msg"] == "aloud"


def test_the_newest_tab_replaces_the_older(enter: Guests) -> None:
    older, other = enter(username="Romeo"), enter()
    newer = enter(token=older.you["token"])
    older.receives("notice", code="replaced")
    assert (newer.name, newer.you["resumed"]) == ("Romeo", True)
    assert names(other) == sorted(["Romeo", other.name])


def test_everybody_knows_who_is_here(enter: Guests) -> None:
    watcher = enter(roster="delta")
    people = [enter() for _ in range(6)]
    for guest in people[::2]:
        guest.leaves()
    people[1].asks("rename", username="Benvolio")
    here = sorted([watcher.name, "Benvolio", people[3].name, people[5].name])
    # Not by `waits_for`: while that looks, no frame can come, and so no answer after one.
    until(lambda: names(watcher) == here, "the names")
    until(lambda: len(sids(watcher, "left")) == 3, "three have left")
    assert sids(watcher, "joined") == [guest.sid for guest in people]
    assert sorted(sids(watcher, "left")) == sorted(guest.sid for guest in people[::2])


def test_a_retry_after_a_lost_outcome_sends_nothing_twice(lossy: Program, guests: Guests) -> None:
    romeo, juliet = (enter_at_last(partial(guests, url=lossy.url)) for _ in range(2))
    texts = [f"word {number}" for number in range(24)]
    ids, retries = [], 0
    for text in texts:
        while not (answer := romeo.asks("message", msg=text, cid=text))["ok"]:
            assert answer["code"] == "unavailable"
            retries += 1
        ids.append(answer["id"])
    received = [juliet.receives("message", username=romeo.name) for _ in texts]
    assert [(frame["id"], frame["msg"]) for frame in received] == list(zip(ids, texts, strict=True))
    assert retries


def test_a_lost_answer_to_a_rename_leaves_one_truth(lossy: Program, guests: Guests) -> None:
    romeo, juliet = (enter_at_last(partial(guests, url=lossy.url)) for _ in range(2))
    for name in ("Tybalt", "Paris", "Benvolio", "Mercutio"):
        while not (answer := romeo.asks("rename", username=name))["ok"]:
            assert answer["code"] == "unavailable"
        here = sorted([name, juliet.name])
        until(partial(is_here, juliet, here), f"{here}")


def test_people_of_other_processes_are_members_like_others(enter: Guests) -> None:
    romeo = enter(room="abroad")
    (foreign,) = (name for name in names(romeo) if name != romeo.name)
    assert foreign in ("Yorick", "Horatio")
    said = romeo.receives("message")
    assert said["msg"] == f"I am {said['username']}"
    assert romeo.receives("rename")["to"] in ("Yorick", "Horatio")
    left = romeo.receives("logout")["sid"]
    assert romeo.receives("login")["sid"] != left


def is_here(guest: Guest, people: list[str]) -> bool:
    return names(guest) == people


def enter_at_last(enter: Guests) -> Guest:
    """Enter the lobby, however often the answer is lost."""

    def entered() -> Guest | None:
        try:
            return enter()
        except Refused as refused:
            if refused.data["data"]["code"] != "unavailable":
                raise
            return None

    return until(entered, "an answer to the join")


def sids(guest: Guest, which: str) -> list[str]:
    """The sessions that a guest's rosters have listed as `joined` or `left`."""
    return [sid for frame in guest.frames if frame["action"] == "roster" for _, sid in frame[which]]
