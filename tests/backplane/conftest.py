"""A backplane under test, with a clock of its own and a record of what it delivers.

The runtime is used without its patch: greenthreads and timers work, and nothing of the test process changes.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar

import pytest

from chatroom.backplane import Backplane, Claimed, ClaimRequest
from chatroom.backplane.embedded import EmbeddedBackplane
from chatroom.backplane.local import RoomRules
from chatroom.backplane.memory import MemoryBackplane
from chatroom.backplane.retention import Retention
from chatroom.backplane.store import Store
from chatroom.core.clock import Clock
from chatroom.core.errors import Refusal
from chatroom.core.events import Joined, Left, Person, Renamed, Said, Whispered
from chatroom.core.log import Entry, Item
from chatroom.core.names import NamePool
from tests.support.inside import until

NOW_MS = 1_800_000_000_000

_Answer = TypeVar("_Answer")


class Bench:
    """One backplane, driven by hand.

    Args:
        clocks_run: its clocks go with the machine's; else they stand still, until the test sets them.
    """

    def __init__(
        self, make: Callable[[Bench], Backplane], now_ms: int = NOW_MS, *, clocks_run: bool = False
    ) -> None:
        self.now_ms = now_ms
        self.monotonic = 100.0
        self._began = time.monotonic() if clocks_run else None
        self.delivered: list[tuple[str, Item]] = []
        self.outcomes: list[tuple[str, Entry | None]] = []
        self.events: list[str] = []
        self.reports: list[str] = []  # of the clock
        self.whispers: list[Whispered] = []
        self.typing: list[Person] = []
        self.is_away = False  # no recipient of a whisper is found here
        self._members: set[tuple[str, str]] = set()
        self._claims = 0
        self.backplane = make(self)
        self.backplane.start(self)

    def asks(self, sid: str, **asked: Any) -> ClaimRequest:
        """A claim request; the identity is the session's own unless one is given."""
        self._claims += 1
        return ClaimRequest(sid=sid, claim=self._claims, **{"identity": f"identity {sid}", **asked})

    def claim(self, room: str, sid: str, **asked: Any) -> Claimed | Refusal | None:
        """Claim a place and wait for the outcome."""
        answers: list[Claimed | Refusal | None] = []
        self.backplane.claim(room, self.asks(sid, **asked), answers.append)
        return self._first(answers)

    def enter(self, room: str, sid: str, **asked: Any) -> str:
        """Claim a place and announce it; returns the name."""
        claimed = self.claim(room, sid, **asked)
        assert isinstance(claimed, Claimed), claimed
        self.backplane.announce(room, sid)
        return claimed.person.name

    def rename(self, room: str, sid: str, name: str | None) -> Renamed | Refusal | None:
        """Rename a member and wait for the outcome."""
        answers: list[Renamed | Refusal | None] = []
        self.backplane.rename(room, sid, name, None, answers.append)
        return self._first(answers)

    def whisper(self, room: str, sid: str, to_sid: str, text: str) -> Whispered | Refusal | None:
        """Whisper and wait for the outcome. The names in the request do not matter."""
        whispered = Whispered(Person(sid, "?"), Person(to_sid, "?"), text)
        answers: list[Whispered | Refusal | None] = []
        self.backplane.whisper(room, whispered, answers.append)
        return self._first(answers)

    def joined(self, room: str, name: str) -> None:
        self._member(room, name)
        self.backplane.announce(room, f"{name} {room}")

    def left(self, room: str, name: str) -> None:
        self.backplane.leave(room, f"{name} {room}")

    def append(self, room: str, text: str, key: bytes | None = None, name: str = "fox") -> None:
        """Append without waiting for the outcome; a session that was never in the room claims a place first."""

        def done(entry: Entry | None) -> None:
            self.outcomes.append((text, entry))
            self.events.append(f"done {text}")

        self._member(room, name)
        self.backplane.append(room, f"{name} {room}", text, None, key, done)

    def say(self, room: str, text: str, key: bytes | None = None) -> Entry | None:
        """Append and wait for the outcome."""
        seen = len(self.outcomes)
        self.append(room, text, key)
        self.until(lambda: len(self.outcomes) > seen)
        return self.outcomes[-1][1]

    def fill(self, room: str, count: int) -> list[str]:
        """Append so many messages; returns their ids."""
        seen = len(self.outcomes)
        for number in range(count):
            self.append(room, f"{room} {number}")
        self.until(lambda: len(self.outcomes) == seen + count)
        return [entry.id for _, entry in self.outcomes[seen:] if entry is not None]

    def texts(self, room: str) -> list[str]:
        """What was delivered to a room: the messages' texts, joins and leaves."""
        found = []
        for delivered_to, item in self.delivered:
            if delivered_to == room:
                match item.event:
                    case Said(text=text):
                        found.append(text)
                    case Renamed(old=old, new=new):
                        found.append(f"Renamed {old} {new}")
                    case Joined(who=who) | Left(who=who):
                        found.append(f"{type(item.event).__name__} {who.name}")
        return found

    def wall_ms(self) -> int:
        return self.now_ms + round(self._ran_s() * 1000)

    def elapsed_s(self) -> float:
        return self.monotonic + self._ran_s()

    def _ran_s(self) -> float:
        return time.monotonic() - self._began if self._began is not None else 0.0

    def passes(self, seconds: float) -> None:
        """Let time pass on every clock."""
        self.monotonic += seconds
        self.now_ms += round(seconds * 1000)

    def until(self, condition: Callable[[], bool]) -> None:
        """Run the loop until the condition holds."""
        until(condition)

    # The `Receiver` of the backplane

    def deliver(self, room: str, items: Sequence[Item]) -> None:
        for item in items:
            self.delivered.append((room, item))
            if isinstance(item.event, Said):
                self.events.append(f"deliver {item.event.text}")

    def whispered(self, room: str, whispered: Whispered) -> bool:
        if not self.is_away:
            self.whispers.append(whispered)
        return not self.is_away

    def typed(self, room: str, who: Person) -> None:
        self.typing.append(who)

    def _member(self, room: str, name: str) -> None:
        if (room, name) not in self._members:
            self._members.add((room, name))
            assert isinstance(self.claim(room, f"{name} {room}", wanted=name), Claimed)

    def _first(self, answers: list[_Answer]) -> _Answer:
        self.until(lambda: bool(answers))
        return answers[0]


RULES = RoomRules(NamePool(["Ming", "Lotus", "Bob"]), random.Random(1), max_people=4)


@pytest.fixture
def retention() -> Retention:
    return Retention(entries=1000, days=7, total_bytes=10**9)


@pytest.fixture(params=["memory", "embedded"])
def bench(request: pytest.FixtureRequest, tmp_path: Path, retention: Retention) -> Iterator[Bench]:
    """Runs each test on each backplane."""
    made = Bench(_maker(request.param, tmp_path, retention), clocks_run=True)
    yield made
    made.backplane.close()


@pytest.fixture(params=["memory", "embedded"])
def clocked(request: pytest.FixtureRequest, tmp_path: Path, retention: Retention) -> Iterator[Bench]:
    """Runs each test on each backplane that takes clocks as arguments."""
    made = Bench(_maker(request.param, tmp_path, retention))
    yield made
    made.backplane.close()


def _maker(kind: str, folder: Path, retention: Retention) -> Callable[[Bench], Backplane]:
    def memory(bench: Bench) -> Backplane:
        return MemoryBackplane(RULES, bench.wall_ms, bench.elapsed_s)

    return memory if kind == "memory" else embedded_in(folder, retention)


def embedded_in(folder: Path, retention: Retention) -> Callable[[Bench], Backplane]:
    """Makes the backplane with a disk, on the file in a folder."""

    def make(bench: Bench) -> Backplane:
        store = Store(folder, retention, full_sync=False)
        last_id = store.open()
        clock = Clock(bench.wall_ms, bench.elapsed_s, bench.reports.append, store.saved_times())
        return EmbeddedBackplane(RULES, store, last_id, clock, bench.elapsed_s)

    return make
