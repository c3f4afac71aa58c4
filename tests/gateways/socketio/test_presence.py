"""What a room receives, and how often it is encoded: once for each kind of client and language in it."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import pytest

from chatroom.core.events import Joined, Left, Person, Renamed
from chatroom.core.flood import Rate
from chatroom.core.room_budget import RoomBudget
from chatroom.core.roster import SMALL_ROOM
from chatroom.gateways.socketio.presence import Presence, group
from chatroom.rooms import RoomView

KEY = "lobby"


class Sent:
    """The frames that groups were sent, and who is in which group."""

    def __init__(self, *present: tuple[str, str]) -> None:
        self.groups = {group(kind, lang, KEY) for kind, lang in present}
        self.frames: list[tuple[dict[str, Any], set[str]]] = []

    def has_recipients(self, to: Sequence[str]) -> bool:
        return not self.groups.isdisjoint(to)

    def emit(self, frame: str, to: str | Sequence[str]) -> None:
        self.frames.append((json.loads(frame), self.groups.intersection(to)))


class Timer:
    def cancel(self) -> None:
        pass


class Clock:
    """Time that moves when it is told to, and what a roster costs to encode and to write."""

    def __init__(self, encoding_s: float = 0.0, writing_s: float = 0.0) -> None:
        self.now = 0.0
        self.encoding_s = encoding_s
        self.writing_s = writing_s
        self.intervals: list[float] = []
        self.due: list[Callable[[], object]] = []
        self.frames: list[tuple[str, Sequence[str]]] = []
        self.roster: dict[str, Any] = {}  # the newest

    def emit(self, frame: str, to: str | Sequence[str]) -> None:
        fields = json.loads(frame)
        self.frames.append((fields["action"], to))
        if fields["action"] == "roster":
            self.roster = fields
            self.now += self.encoding_s

    def call_later(self, seconds: float, call: Callable[..., object], *arguments: object) -> Timer:
        self.intervals.append(seconds)
        self.due.append(partial(call, *arguments))
        return Timer()

    def when_written(self, call: Callable[[float], None]) -> None:
        call(self.writing_s)

    def presence(self) -> Presence:
        return Presence(
            self.emit, lambda _: True, self.call_later, self.when_written, lambda: self.now, lambda: 0.0
        )

    def join(self, presence: Presence, room: RoomView) -> None:
        """One more person joins, and is announced when the interval is over."""
        self.begin_join(presence, room)
        self.pass_interval()

    def begin_join(self, presence: Presence, room: RoomView) -> Person:
        who = Person(f"late {len(room.roster)}", f"late {len(room.roster)}")
        room.roster.apply(Joined(who))
        presence.joined(room, who, 0)
        return who

    def pass_interval(self) -> None:
        while self.due:
            self.due.pop()()

    def delta(self) -> list[str]:
        """The actions of the frames that clients with `roster: delta` received since the last call."""
        frames, self.frames = self.frames, []
        return [action for action, to in frames if group("delta", "en", KEY) in to]


def rename(presence: Presence, room: RoomView, sid: str, name: str) -> None:
    who = room.roster.get(sid)
    assert who is not None
    renamed = Renamed(sid, who.name, name)
    room.roster.apply(renamed)
    presence.renamed(room, renamed, 0)


def hall_of(count: int) -> RoomView:
    room = RoomView(KEY, KEY)
    for number in range(count):
        room.roster.apply(Joined(Person(f"s{number}", f"guest {number}")))
    return room


def renamed(sent: Sent, count: int) -> list[tuple[str, bool, set[str]]]:
    """For each rename frame: its sentence, whether it has a `name_list`, and who receives it."""
    presence = Presence(
        sent.emit, sent.has_recipients, Clock().call_later, lambda _: None, lambda: 0.0, lambda: 0.0
    )
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


def test_every_group_gets_a_rename_once() -> None:
    present = [(kind, lang) for kind in ("seed", "full", "delta") for lang in ("en", "zh")]
    sent = Sent(*present)
    told = [name for _, _, names in renamed(sent, 2) for name in names]
    assert sorted(told) == sorted(sent.groups)


def test_a_room_without_listeners_costs_nothing() -> None:
    assert renamed(Sent(), 2) == []


@pytest.mark.parametrize(
    ("encoding_s", "writing_s", "interval_s"),
    [(0.0, 0.001, 0.05), (0.0, 0.01, 0.2), (0.005, 0.015, 0.4), (0.03, 0.0, 0.6), (0.0, 0.5, 10.0)],
)
def test_rosters_take_at_most_a_twentieth_of_a_core(
    encoding_s: float, writing_s: float, interval_s: float
) -> None:
    clock, room = Clock(encoding_s, writing_s), hall_of(SMALL_ROOM + 1)
    presence = clock.presence()
    for _ in range(3):
        clock.join(presence, room)
    assert clock.intervals == pytest.approx([0.05, interval_s, interval_s])


def test_a_room_that_was_small_again_begins_anew() -> None:
    clock, room = Clock(writing_s=0.01), hall_of(SMALL_ROOM)
    presence = clock.presence()
    for _ in range(2):
        clock.join(presence, room)
    assert clock.intervals == pytest.approx([0.05, 0.2])
    for who in room.roster.people()[SMALL_ROOM:]:
        room.roster.apply(Left(who))
        presence.left(room, who, 0)
    clock.intervals.clear()
    clock.writing_s = 0.02
    for _ in range(2):
        clock.join(presence, room)
    assert clock.intervals == pytest.approx([0.05, 0.4])


def test_a_small_room_with_nothing_to_spare_announces_joins_together() -> None:
    clock, room = Clock(), hall_of(2)
    room.budget = RoomBudget(Rate(2000, 1), 0.0)
    presence = clock.presence()
    for _ in range(20):
        clock.begin_join(presence, room)
    assert clock.delta() == ["roster"] * 2
    assert clock.intervals == [0.05]
    clock.pass_interval()
    assert clock.delta() == ["roster"]
    assert len(clock.roster["joined"]) == 18


def test_a_rename_does_not_shorten_a_large_rooms_interval() -> None:
    clock, room = Clock(), hall_of(SMALL_ROOM + 1)
    presence = clock.presence()
    clock.begin_join(presence, room)
    rename(presence, room, "s0", "Romeo")
    assert clock.delta() == ["rename"]
    clock.pass_interval()
    assert clock.delta() == ["roster"]


def test_a_rename_waits_for_the_join_that_it_follows() -> None:
    clock, room = Clock(), hall_of(SMALL_ROOM + 1)
    presence = clock.presence()
    who = clock.begin_join(presence, room)
    rename(presence, room, who.sid, "Romeo")
    rename(presence, room, who.sid, "Paris")
    assert clock.delta() == []
    clock.pass_interval()
    assert clock.delta() == ["roster", "rename", "rename"]


def test_a_name_is_announced_with_its_frame() -> None:
    clock, room = Clock(), hall_of(SMALL_ROOM + 1)
    presence = clock.presence()
    romeo, tybalt = Person("s0", "Romeo"), clock.begin_join(presence, room)
    assert not presence.is_announced(room, romeo)  # a message before the rename is not stored yet
    assert not presence.is_announced(room, tybalt)
    rename(presence, room, "s0", "Romeo")
    clock.pass_interval()
    assert presence.is_announced(room, romeo)
    assert presence.is_announced(room, tybalt)


def test_a_name_changes_hands_only_after_the_leave() -> None:
    clock, room = Clock(), hall_of(SMALL_ROOM + 2)
    presence = clock.presence()
    gone = Person("s0", "guest 0")
    room.roster.apply(Left(gone))
    presence.left(room, gone, 0)
    rename(presence, room, "s1", "Guest 0")
    rename(presence, room, "s2", "guest 1")
    assert clock.delta() == []
    clock.pass_interval()
    assert clock.delta() == ["roster", "rename", "rename"]


def test_whoever_leaves_after_a_waiting_rename_leaves_only() -> None:
    clock, room = Clock(), hall_of(SMALL_ROOM + 1)
    presence = clock.presence()
    who = clock.begin_join(presence, room)
    rename(presence, room, who.sid, "Romeo")
    left = Person(who.sid, "Romeo")
    room.roster.apply(Left(left))
    presence.left(room, left, 0)
    clock.pass_interval()
    assert clock.delta() == ["roster"]
    # Nobody was sent the earlier name. What Romeo wrote has this one.
    assert clock.roster["left"] == [["Romeo", who.sid]]
