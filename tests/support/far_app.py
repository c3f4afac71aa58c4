"""The program with a remote backplane: `python tests/support/far_app.py`, and the flags of `app.py`.

Every request, answer and event takes a few milliseconds of its own, and a `Present` may come at any moment. Clients
must not notice any of this. Nothing is stored on disk. TEST_SEED repeats a run.
"""

# ruff: noqa: E402 - the runtime must be patched before anything else is imported

from __future__ import annotations

import os
import random
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from chatroom import runtime

runtime.patch()


from chatroom import cli, server
from chatroom.backplane import Receiver
from chatroom.backplane.local import RoomRules
from chatroom.core.clock import Clock
from chatroom.core.log import Page
from tests.support.far import Far

STEP_S = 0.004  # at most, between two steps
PRESENT_OF = 50  # one step in so many sends a `Present`


class Relay(Far):
    """A remote backplane that steps by itself."""

    def __init__(self, rules: RoomRules, clock: Clock, rng: random.Random) -> None:
        super().__init__(rules, now_ms=clock.now_ms, monotonic=time.monotonic)
        self._rng = rng

    def start(self, receiver: Receiver) -> None:
        super().start(receiver)
        runtime.spawn(self._carry)

    def at_hand(self, room: str, after: str | None = None) -> bool:
        return self._rng.random() < 0.5

    def page(self, room: str, *, after: str | None = None, **which: Any) -> Page:
        runtime.sleep(self._rng.uniform(0, STEP_S))
        return self.truth.page(room, after=after, **which)

    def run(self, function: Callable[[], Any]) -> None:
        function()

    def settle(self) -> None:
        self.truth.settle()
        while self.requests or self.answers or any(self.facts.values()):
            runtime.sleep(STEP_S)

    def _carry(self) -> None:
        while True:
            runtime.sleep(self._rng.uniform(0, STEP_S))
            for _ in range(self._rng.randrange(1, 20)):
                self._carry_one()
            if self.own and not self._rng.randrange(PRESENT_OF):
                self.present(self._rng.choice(sorted(self.own)))

    def _carry_one(self) -> None:
        ways: list[Callable[[], None]] = [
            *([self.arrive] if self.requests else []),
            *([self.answer] if self.answers else []),
            *(partial(self.deliver_some, room, self._rng.randrange(1, 5)) for room in self.deliverable()),
        ]
        if ways:
            self._rng.choice(ways)()


def open_backplane(settings: object, folder: object, rules: RoomRules) -> tuple[Clock, Relay]:
    clock = Clock(lambda: time.time_ns() // 1_000_000, time.monotonic, lambda _: None)
    return clock, Relay(rules, clock, random.Random(os.environ.get("TEST_SEED")))


if __name__ == "__main__":
    server._open_backplane = open_backplane
    sys.exit(cli.main([*sys.argv[1:], "--history", "0"]))
