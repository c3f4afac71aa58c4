"""A backplane under test, with a clock of its own and an ear on what it delivers.

The runtime is used without its patch: greenthreads and timers work, and nothing of the test process changes.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from chatroom import runtime
from chatroom.backplane import Backplane
from chatroom.backplane.embedded import EmbeddedBackplane
from chatroom.backplane.memory import MemoryBackplane
from chatroom.backplane.store import Retention, Store
from chatroom.core.clock import Clock
from chatroom.core.events import Joined, Left, Person, Said
from chatroom.core.log import Entry, Item

WAIT_S = 10.0
NOW_MS = 1_800_000_000_000


class Bench:
    """One backplane, driven by hand."""

    def __init__(self, make: Callable[[Bench], Backplane], now_ms: int = NOW_MS) -> None:
        self.now_ms = now_ms
        self.monotonic = 100.0
        self.delivered: list[tuple[str, Item]] = []
        self.outcomes: list[tuple[str, Entry | None]] = []
        self.events: list[str] = []
        self.reports: list[str] = []  # of the clock
        self.backplane = make(self)
        self.backplane.start(self._deliver)

    def joined(self, room: str, name: str) -> None:
        self.backplane.publish(room, Joined(Person(name, name)))

    def left(self, room: str, name: str) -> None:
        self.backplane.publish(room, Left(Person(name, name)))

    def append(self, room: str, text: str, key: bytes | None = None, name: str = "fox") -> None:
        """Append without waiting for the outcome."""

        def done(entry: Entry | None) -> None:
            self.outcomes.append((text, entry))
            self.events.append(f"done {text}")

        self.backplane.append(room, Said(Person(name, name), text), key, done)

    def say(self, room: str, text: str, key: bytes | None = None) -> Entry | None:
        """Append and wait for the outcome."""
        seen = len(self.outcomes)
        self.append(room, text, key)
        self.until(lambda: len(self.outcomes) > seen)
        return self.outcomes[-1][1]

    def fill(self, room: str, count: int) -> list[str]:
        """Say so many messages; gives their ids."""
        seen = len(self.outcomes)
        for number in range(count):
            self.append(room, f"{room} {number}")
        self.until(lambda: len(self.outcomes) == seen + count)
        return [entry.id for _, entry in self.outcomes[seen:] if entry is not None]

    def texts(self, room: str) -> list[str]:
        """What was delivered to a room: the messages' texts, and who came and went."""
        found = []
        for delivered_to, item in self.delivered:
            if delivered_to == room:
                event = item.event
                found.append(
                    event.text if isinstance(event, Said) else f"{type(event).__name__} {event.who.name}"
                )
        return found

    def passes(self, seconds: float) -> None:
        """Let time pass on every clock."""
        self.monotonic += seconds
        self.now_ms += round(seconds * 1000)

    def until(self, condition: Callable[[], bool]) -> None:
        """Let the loop turn until it is so."""
        deadline = time.monotonic() + WAIT_S
        while not condition():
            assert time.monotonic() < deadline, "it never came to be"
            runtime.sleep(0.001)

    def _deliver(self, room: str, items: Sequence[Item]) -> None:
        for item in items:
            self.delivered.append((room, item))
            if isinstance(item.event, Said):
                self.events.append(f"deliver {item.event.text}")


@pytest.fixture
def retention() -> Retention:
    return Retention(entries=1000, days=7, total_bytes=10**9)


@pytest.fixture(params=["memory", "embedded"])
def bench(request: pytest.FixtureRequest, tmp_path: Path, retention: Retention) -> Iterator[Bench]:
    """Each test is run on each backplane."""

    def memory(bench: Bench) -> Backplane:
        return MemoryBackplane(lambda: bench.now_ms, lambda: bench.monotonic, max_logs=100)

    made = Bench(memory if request.param == "memory" else embedded_in(tmp_path, retention))
    yield made
    made.backplane.close()


def embedded_in(folder: Path, retention: Retention) -> Callable[[Bench], Backplane]:
    """Makes the backplane with a disk, on the file in a folder."""

    def make(bench: Bench) -> Backplane:
        store = Store(folder, retention, full_sync=False)
        last_id = store.open()
        clock = Clock(
            lambda: bench.now_ms, lambda: bench.monotonic, bench.reports.append, store.saved_times()
        )
        return EmbeddedBackplane(store, last_id, clock, lambda: bench.monotonic)

    return make
