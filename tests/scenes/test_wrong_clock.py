"""A server whose wall clock is wrong at the start, is corrected, or jumps while it runs."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Protocol

import pytest

from tests.support.guests import Guest, Guests, until
from tests.support.program import ROOT, Program, Start

DAY_S = 86_400
TEN_YEARS_S = 3652 * DAY_S


class SetClock(Protocol):
    def __call__(self, ahead_s: int, *arguments: str) -> Program: ...


@pytest.fixture
def set_clock(start: Start, tmp_path: Path) -> SetClock:
    """Starts the server with a clock this many seconds ahead; `set_to` changes it while the server runs."""
    folder = ROOT / "tests" / "support" / "set_clock"
    file = tmp_path / "clock"

    def start_one(ahead_s: int, *arguments: str) -> Program:
        set_to(tmp_path, ahead_s)
        environ = {
            "SET_CLOCK": str(file),
            "PYTHONPATH": f"{folder}{os.pathsep}{os.environ.get('PYTHONPATH', '')}",
        }
        return start("--limits", "off", *arguments, environ=environ)

    return start_one


def set_to(tmp_path: Path, ahead_s: int) -> None:
    new = tmp_path / "clock.new"
    new.write_text(str(ahead_s))
    new.replace(tmp_path / "clock")


def ahead_of_now(frame: dict[str, str]) -> timedelta:
    return abs(datetime.fromisoformat(frame["time"]) - datetime.now(UTC))


def clock_lines(program: Program) -> list[str]:
    return [line for line in program.errors if "the clock" in line]


def is_ready(program: Program, clock: str) -> bool:
    return program.get("/readyz").text == f"ready\n{clock}\n"


SOON = timedelta(minutes=2)


def test_after_a_wrong_clock_everything_is_right_again(
    set_clock: SetClock, guests: Guests, room: str
) -> None:
    wrong = set_clock(TEN_YEARS_S)
    romeo = Guest(wrong.url, {"v": 1, "room": room, "username": "Romeo"}).enter()
    first = romeo.sends("in ten years", cid="c")
    assert ahead_of_now(first) > timedelta(days=3650)
    wrong.stop()
    romeo.waits_for_disconnect()

    right = set_clock(0)
    (line,) = clock_lines(right)
    assert line.endswith(
        'the clock is 3652 days behind the newest message: see "A wrong clock" in docs/operating.md'
    )
    answer = right.get("/readyz")
    assert (answer.status_code, answer.text) == (
        200,
        "ready\nthe clock is 3652 days behind the newest message\n",
    )
    back = guests(url=right.url, token=romeo.you["token"], after=first["id"])
    assert (back.name, back.you["resumed"], back.you["gap"]) == ("Romeo", True, False)
    assert ahead_of_now(back.login) < SOON
    assert back.sends("in ten years", cid="c") == first
    later = back.sends("now")
    assert later["id"] > first["id"]
    assert ahead_of_now(later) < SOON
    past = back.asks("history")["entries"]
    assert [entry["msg"] for entry in past] == ["in ten years", "now"]
    assert [entry["time"] for entry in past] == [first["time"], later["time"]]
    assert len(clock_lines(right)) == 1
    back.leaves()
    right.stop()

    again = set_clock(0)
    assert clock_lines(again) == []
    assert again.get("/readyz").text == "ready\n"


def test_a_token_survives_a_start_by_a_clock_ahead(set_clock: SetClock, guests: Guests, room: str) -> None:
    right = set_clock(0)
    romeo = Guest(right.url, {"v": 1, "room": room, "username": "Romeo"}).enter()
    right.stop()
    romeo.waits_for_disconnect()
    for ahead_s in (TEN_YEARS_S, -TEN_YEARS_S, 0):
        program = set_clock(ahead_s)
        back = guests(url=program.url, token=romeo.you["token"])
        assert (back.name, back.you["resumed"]) == ("Romeo", True)
        back.leaves()
        program.stop()


@pytest.mark.parametrize("history", ["0", "1000"])
def test_setting_the_clock_changes_only_times(
    set_clock: SetClock, guests: Guests, tmp_path: Path, history: str
) -> None:
    program = set_clock(0, "--history", history)
    romeo = guests(url=program.url, username="Romeo")
    ids = [romeo.sends("before")["id"]]
    for ahead_s, said in ((TEN_YEARS_S, "ahead by 3652 days"), (-DAY_S * 5, "back by 5 days")):
        set_to(tmp_path, ahead_s)
        until(partial(is_ready, program, f"the clock went {said}"), said)
        answer = romeo.sends(said, cid=said)
        assert abs(ahead_of_now(answer) - timedelta(seconds=abs(ahead_s))) < SOON
        assert romeo.sends(said, cid=said) == answer
        ids.append(answer["id"])
    assert ids == sorted(set(ids))
    romeo.is_cut()
    back = guests(url=program.url, token=romeo.you["token"], after=ids[0])
    assert (back.name, back.you["resumed"], back.you["gap"]) == ("Romeo", True, False)
    assert [entry["id"] for entry in back.you["history"]] == ids[1:]
    set_to(tmp_path, 0)
    until(lambda: program.get("/readyz").text == "ready\n", "right again")
    until(lambda: len(clock_lines(program)) >= 3, "the last line")
    texts = [line.split("the clock ")[1].split(":")[0] for line in clock_lines(program)]
    assert texts == [
        "went ahead by 3652 days",
        "went back by 3657 days",
        "went ahead by 5 days and seems right again",
    ]
