"""Junk fills the space for messages, and the server is killed while it deletes: what others wrote stays."""

from __future__ import annotations

import json
import random
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import websocket

from chatroom.backplane.file import FILE_NAME
from chatroom.backplane.ids import IdSource
from chatroom.backplane.retention import STEP_ROWS, Retention
from chatroom.backplane.store import Pending, Store
from chatroom.core.clock import Times
from chatroom.core.log import Entry
from tests.backplane.conftest import NOW_MS
from tests.faults.test_kills import check_file
from tests.support.guests import Guest, until
from tests.support.program import Program, Start
from tests.support.raw import RawClient
from tests.support.stored import texts_of

pytestmark = [pytest.mark.faults, pytest.mark.slow]

LONG = "🦊" * 1990  # 8 KB
LOBBY = [f"lobby {number}" for number in range(60)]
FLAGS = ("--limits", "off", "--data-limit", "600KB")
LIFE_S = 1.5  # at most, from listening to being killed


def send(client: RawClient, text: str) -> str | None:
    """Send a message and wait until it is acknowledged; gives its id, or None if it was refused."""
    client.sends("421" + json.dumps(["msg", {"action": "message", "msg": text}]))
    answer = client.receives_answer(1)
    return str(answer["id"]) if answer["ok"] else None


@pytest.mark.parametrize("history", ["1000", "0"], ids=["disk", "memory"])
def test_junk_fills_the_data_limit_and_the_lobbys_hour_stays(
    start: Start, scale: Callable[[int], int], history: str
) -> None:
    program = start(*FLAGS, "--history", history)
    with RawClient(program.url) as romeo:
        romeo.enters()
        ids = [send(romeo, text) for text in LOBBY]
        first = None
        for room in range(3):
            with RawClient(program.url) as junk:
                junk.enters(room=f"junk {room}")
                for number in range(scale(3_000) // 3):
                    sent = send(junk, f"{number} {LONG}")
                    first = first or sent
        reader = Guest(program.url, {"v": 1, "room": "junk 0"}).enter()
        until(lambda: reader.asks("history", after=first)["gap"], "junk is deleted")
        reader.leaves()
    juliet = Guest(program.url, {"v": 1, "after": ids[0]}).enter()
    assert juliet.you["gap"] is False
    assert [entry["msg"] for entry in juliet.you["history"]] == LOBBY[1:]
    juliet.leaves()


def flood(url: str, room: str, first: int, acked: list[int]) -> None:
    """Send numbered junk until the connection ends."""
    try:
        with RawClient(url) as client:
            client.enters(room=room)
            number = first
            while True:
                if send(client, f"{number} {LONG}") is not None:
                    acked.append(number)
                number += 1
    except (OSError, websocket.WebSocketException):
        pass  # the kill


def test_kills_while_junk_is_deleted_lose_nothing_else(
    tmp_path: Path, rng: random.Random, scale: Callable[[int], int], report: Callable[[str], None]
) -> None:
    data_dir = tmp_path / "data"
    rooms = ["junk", "more junk"]
    acked: dict[str, list[int]] = {room: [] for room in rooms}
    kills, sent_at_most = scale(60), 0
    for kill in range(kills + 1):
        program = Program(*FLAGS, data_dir=data_dir).start()
        if not kill:
            with RawClient(program.url) as romeo:
                romeo.enters()
                assert all(send(romeo, text) for text in LOBBY)
        sent_at_most += 100_000  # no life is that long
        threads = [
            threading.Thread(target=flood, args=(program.url, room, sent_at_most, acked[room]))
            for room in rooms
        ]
        for thread in threads:
            thread.start()
        time.sleep(rng.uniform(0, LIFE_S))  # the kill comes at any moment of its life
        program.kill()
        for thread in threads:
            thread.join(30)
        assert "Traceback" not in "\n".join(program.errors), program.errors
        check_file(data_dir, tmp_path / "copy")
        assert texts_of(data_dir, "lobby") == LOBBY
        for room in rooms:
            kept = [int(text.split()[0]) for text in texts_of(data_dir, room)]
            assert kept == sorted(set(kept))
            assert {number for number in acked[room] if kept and number >= kept[0]} <= set(kept)
    deleted = sum(len(acked[room]) - len(texts_of(data_dir, room)) for room in rooms)
    report(f"{kills} kills: {sum(map(len, acked.values()))} messages of junk, {deleted} of them deleted\n")
    assert deleted > 0


def test_a_million_messages_are_deleted_in_small_steps(tmp_path: Path, scale: Callable[[int], int]) -> None:
    messages, rooms = scale(1_000_000), scale(10_000)
    store = Store(tmp_path, Retention(10**6, 7, 10**12), full_sync=False)
    ids = IdSource(store.open())

    def pending(room: str, text: str) -> Pending:
        return Pending(room, Entry(ids.next(NOW_MS), NOW_MS, "fox", text), None)

    store.commit([pending("lobby", text) for text in LOBBY])
    for start in range(0, messages, 10_000):
        store.commit(
            [pending(f"junk {number % rooms}", "x" * 100) for number in range(start, start + 10_000)]
        )
    store.close()

    limit = (tmp_path / FILE_NAME).stat().st_size * 19 // 20
    store = Store(tmp_path, Retention(10**6, 7, limit), full_sync=False)
    store.open()
    writer = store._writer
    assert writer is not None
    counts: list[int] = []
    writer.set_progress_handler(lambda: counts.append(1), 1_000)
    most_steps, held, is_done = 0, messages, False
    while not is_done:
        counts.clear()
        is_done = store.tidy(Times(NOW_MS, NOW_MS, NOW_MS)).is_done
        most_steps = max(most_steps, 1_000 * len(counts))
        held, before = writer.execute("SELECT sum(entries) FROM ledger").fetchone()[0], held
        assert before - held <= STEP_ROWS
    # To go through all entries takes more than that, to go through all rooms a few times less.
    assert most_steps < 5 * messages
    assert most_steps < 300 * STEP_ROWS + 50 * rooms
    assert held < messages
    assert texts_of(tmp_path, "lobby") == LOBBY
    store.close()
