"""How long history and names are kept: `--history`, tokens, resuming, and gaps after a restart."""

import json
import signal
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from chatroom.backplane.file import FILE_NAME
from tests.support.guests import Frame, Guest, Guests, until
from tests.support.program import ROOT, Start
from tests.support.raw import RawClient


def texts(page: list[Frame]) -> list[str]:
    return [entry["msg"] for entry in page]


def next_frame(raw: RawClient) -> Frame:
    frame: Frame = json.loads(raw.receives(lambda text: text.startswith("42"))[2:])[1]
    return frame


def test_without_history_nothing_is_on_disk(start: Start, guests: Guests, tmp_path: Path) -> None:
    folder = tmp_path / "nothing"
    program = start("--history", "0", "--limits", "off", data_dir=folder)
    assert program.wait_for_line("nothing is kept on disk")
    romeo, juliet = guests(url=program.url, username="Romeo"), guests(url=program.url)
    assert romeo.you["limits"]["history_entries"] == 0
    first = romeo.sends("once", cid="c")
    romeo.is_cut()
    juliet.receives("logout", username="Romeo")
    juliet.sends("missed")
    back = guests(url=program.url, token=romeo.you["token"], after=first["id"])
    assert (back.name, back.you["resumed"], back.you["gap"]) == ("Romeo", True, False)
    assert texts(back.you["history"]) == ["missed"]
    assert back.sends("once", cid="c") == first
    assert not folder.exists()


@pytest.mark.parametrize("history", ["0", "1000"])
def test_a_newcomer_during_a_message_has_it_once(start: Start, history: str) -> None:
    program = start("--history", history, "--limits", "off")
    with RawClient(program.url) as romeo:
        romeo.enters()
        for number in range(8):
            with RawClient(program.url) as juliet:
                juliet.opens()
                program.signal(signal.SIGSTOP)  # so that the server finds both at once
                juliet.sends("40")
                romeo.sends(f'42["msg",{{"action":"message","msg":"{number}"}}]')
                program.signal(signal.SIGCONT)
                received = texts(next_frame(juliet)["you"]["history"])
                romeo.sends('42["msg",{"action":"message","msg":"the end"}]')
                while received[-1:] != ["the end"] or received.count("the end") <= number:
                    frame = next_frame(juliet)
                    received += [frame["msg"]] if frame["action"] == "message" else []
            assert received.count(str(number)) == 1, received


def test_without_history_a_restart_leaves_a_gap(start: Start, room: str) -> None:
    program = start("--history", "0")
    romeo = Guest(program.url, {"v": 1, "room": room}).enter()
    last = romeo.sends("before")["id"]
    program.kill()
    romeo.waits_for_disconnect()
    again = start("--history", "0")
    back = Guest(again.url, {"v": 1, "room": room, "token": romeo.you["token"], "after": last}).enter()
    assert (back.you["resumed"], back.you["gap"], back.you["history"]) == (False, True, [])
    back.leaves()


def test_with_no_history_the_last_hour_is_in_memory(start: Start, guests: Guests) -> None:
    program = start("--history", "0", "--limits", "off")
    romeo = guests(url=program.url)
    first = romeo.sends("first")["id"]
    for number in range(500):
        romeo.emit({"action": "message", "msg": str(number)})
    last = romeo.sends("last")["id"]
    page = romeo.asks("history", before=last, limit=199)
    assert texts(page["entries"]) == [str(number) for number in range(301, 500)]
    late = guests(url=program.url, after=first)
    assert late.you["gap"] is False
    assert texts(late.you["history"]) == [str(number) for number in range(200)]


def test_history_is_bounded_after_an_hour_with_a_gap(start: Start, room: str, tmp_path: Path) -> None:
    program = start("--history", "20", "--limits", "off")
    romeo = Guest(program.url, {"v": 1, "room": room}).enter()
    first = romeo.sends("first")["id"]
    for number in range(200):
        romeo.emit({"action": "message", "msg": str(number)})
    last = romeo.sends("last")["id"]
    hour = romeo.asks("history", before=last, limit=200)
    assert texts(hour["entries"]) == [str(number) for number in range(200)]
    assert hour["more"] is True
    romeo.leaves()
    program.stop()
    clock = tmp_path / "clock"
    clock.write_text("3700")
    later = start(
        "--history",
        "20",
        environ={"SET_CLOCK": str(clock), "PYTHONPATH": str(ROOT / "tests/support/set_clock")},
    )
    late = Guest(later.url, {"v": 1, "room": room, "after": last}).enter()
    until(lambda: late.asks("history", after=first)["gap"], "the first message is deleted")
    past = late.asks("history", before=last)
    assert texts(past["entries"]) == [str(number) for number in range(181, 200)]
    assert past["more"] is False
    late.leaves()
    later.stop()
    with closing(sqlite3.connect(tmp_path / "data" / FILE_NAME)) as file:
        tables = [name for (name,) in file.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        assert max(file.execute(f"SELECT count(*) FROM {name}").fetchone()[0] for name in tables) == 20


def test_what_was_missed_is_at_most_64_kb_at_once(guests: Guests) -> None:
    early = guests()
    first = early.sends("first")["id"]
    long = ["汉" * 1990 + str(number) for number in range(30)]
    for text in long:
        early.sends(text)
    late = guests(after=first)
    assert late.you["more"] is True
    missed = late.you["history"]
    assert 1 < len(missed) < 30
    assert sum(len(entry["msg"].encode()) for entry in missed) <= 65_536
    while True:
        page = late.asks("history", after=missed[-1]["id"])
        missed += page["entries"]
        if not page["more"]:
            break
    assert texts(missed) == long


def test_a_newcomers_history_is_at_most_64_kb(guests: Guests) -> None:
    early = guests()
    long = ["汉" * 1990 + str(number) for number in range(30)]
    for text in long:
        early.sends(text)
    past = guests().you
    shown = past["history"]
    assert past["more"] is False
    assert 1 < len(shown) < 30
    assert sum(len(entry["msg"].encode()) for entry in shown) <= 65_536
    more = True
    while more:
        page = early.asks("history", before=shown[0]["id"])
        shown, more = page["entries"] + shown, page["more"]
    assert texts(shown) == long


def test_a_retry_after_a_restart_is_not_sent_twice(start: Start, room: str) -> None:
    program = start("--limits", "off")
    romeo = Guest(program.url, {"v": 1, "room": room}).enter()
    first = romeo.sends("once", cid="c")
    program.kill()
    romeo.waits_for_disconnect()
    again = start("--limits", "off")
    back = Guest(again.url, {"v": 1, "room": room, "token": romeo.you["token"]}).enter()
    assert back.sends("once", cid="c") == first
    assert texts(back.asks("history")["entries"]) == ["once"]
    stranger = Guest(again.url, {"v": 1, "room": room}).enter()
    assert stranger.sends("another's", cid="c")["id"] > first["id"]
    back.leaves()
    stranger.leaves()


def test_a_token_that_has_ended_stays_so_after_a_restart(start: Start, room: str) -> None:
    program = start("--limits", "off")
    romeo, juliet = (Guest(program.url, {"v": 1, "room": room}).enter() for _ in range(2))
    renamed = romeo.asks("rename")
    juliet.asks("logout")
    juliet.waits_for_disconnect()
    program.stop()
    romeo.waits_for_disconnect()
    again = start("--limits", "off")

    def resumed(token: str) -> bool:
        guest = Guest(again.url, {"v": 1, "room": room, "token": token}).enter()
        guest.leaves()
        return bool(guest.you["resumed"])

    assert [resumed(token) for token in (romeo.you["token"], juliet.you["token"], renamed["token"])] == [
        False,
        False,
        True,
    ]


def test_a_token_of_another_server_is_nobodys_here(start: Start, guests: Guests, tmp_path: Path) -> None:
    ours = start(data_dir=tmp_path / "ours")
    theirs = guests(username="Romeo")
    guest = guests(url=ours.url, token=theirs.you["token"])
    assert guest.you["resumed"] is False
    assert guest.name != "Romeo"


@pytest.mark.parametrize("place", [0, 10, -1])
def test_a_token_that_was_tampered_with_is_nobodys(guests: Guests, place: int) -> None:
    romeo = guests(username="Romeo")
    token = list(romeo.you["token"])
    romeo.is_cut()
    # The last character of base64 may count in its higher bits only: "A" to "D" can be one and the same there.
    token[place] = "A" if token[place] not in "ABCD" else "e"
    guest = guests(token="".join(token))
    assert guest.you["resumed"] is False
    assert guest.name != "Romeo"


def test_resuming_a_name_now_taken_gives_another(start: Start, guests: Guests) -> None:
    program = start("--resume-grace", "0", "--limits", "off")
    romeo, juliet = guests(url=program.url, username="Romeo"), guests(url=program.url)
    romeo.is_cut()
    juliet.receives("logout", username="Romeo")
    assert juliet.asks("rename", username="Romeo")["ok"]
    back = guests(url=program.url, token=romeo.you["token"])
    assert back.you["resumed"] is False
    assert back.name != "Romeo"
    # The identity is the same all the same: what it retries is known.
    assert back.asks("who")["count"] == 2
