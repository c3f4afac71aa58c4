"""What a room receives, and how often it is encoded: once for each kind of client and language in it."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from typing import Any

import pytest

from chatroom.core.events import Joined, Person, Renamed
from chatroom.core.names import NamePool
from chatroom.core.room import Room
from chatroom.gateways.socketio.presence import SMALL_ROOM, Presence, group
from chatroom.sessions import Hall

KEY = "lobby"


class Sent:
    """The frames that groups were sent, and who is in which group."""

    def __init__(self, *present: tuple[str, str]) -> None:
        self.groups = {group(kind, lang, KEY) for kind, lang in present}
        self.frames: list[tuple[dict[str, Any], set[str]]] = []

    def is_heard(self, to: Sequence[str]) -> bool:
        return not self.groups.isdisjoint(to)

    def emit(self, frame: str, to: str | Sequence[str]) -> None:
        self.frames.append((json.loads(frame), self.groups.intersection(to)))


def hall_of(count: int) -> Hall:
    hall = Hall(Room(KEY, NamePool(["Ming"]), random.Random(1), None))
    for number in range(count):
        hall.roster.apply(Joined(Person(f"s{number}", f"guest {number}")))
    return hall


def renamed(sent: Sent, count: int) -> list[tuple[str, bool, set[str]]]:
    """For each rename frame: its sentence, whether it has a `name_list`, and who receives it."""
    presence = Presence(sent.emit, sent.is_heard, lambda *_: None)
    presence.renamed(hall_of(count), Renamed("s0", "guest 0", "Romeo"), 0)
    return [(frame["msg"], "name_list" in frame, told) for frame, told in sent.frames]


@pytest.mark.parametrize(("lang", "text"), [("en", "is now called Romeo"), ("zh", "改名为 Romeo")])
def test_a_room_of_one_language_costs_one_encoding(lang: str, text: str) -> None:
    assert renamed(Sent(("delta", lang)), 2) == [(text, False, {group("delta", lang, KEY)})]
    assert renamed(Sent(("full", lang)), 2) == [(text, True, {group("full", lang, KEY)})]


def test_a_large_room_shares_one_frame_per_language() -> None:
    present = [(kind, lang) for kind in ("seed", "full", "delta") for lang in ("en", "zh")]
    frames = renamed(Sent(*present), SMALL_ROOM + 1)
    assert [(text, listed, len(told)) for text, listed, told in frames] == [
        ("is now called Romeo", False, 3),
        ("改名为 Romeo", False, 3),
    ]


def test_every_group_is_told_of_a_rename_once() -> None:
    present = [(kind, lang) for kind in ("seed", "full", "delta") for lang in ("en", "zh")]
    sent = Sent(*present)
    told = [name for _, _, names in renamed(sent, 2) for name in names]
    assert sorted(told) == sorted(sent.groups)


def test_a_room_without_listeners_costs_nothing() -> None:
    assert renamed(Sent(), 2) == []
