"""The program with a remote backplane: `python tests/support/far_app.py`, and the flags of `app.py`.

Every request, answer and event takes a few milliseconds of its own, and a `Present` may come at any moment. Clients
must not notice any of this. In the room "abroad" there is someone whom another process serves. Nothing is stored on
disk. TEST_SEED repeats a run. With TEST_LOSS=n, one request in n is lost or its answer is, which clients see as
`unavailable`.
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
from chatroom.backplane import ClaimRequest, Receiver
from chatroom.backplane.local import RoomRules
from chatroom.core.clock import Clock
from chatroom.core.log import Page
from tests.support.far import Far

STEP_S = 0.004  # at most, between two steps
PRESENT_OF = 50  # one step in so many sends a `Present`
FOREIGN_OF = 20  # in one step of so many, the person of another process does something

FOREIGN_ROOM = "abroad"
FOREIGN_NAMES = ("Yorick", "Horatio")


class Relay(Far):
    """A remote backplane that steps by itself.

    Args:
        loss_of: one request in so many is lost, or its answer is; 0 for none.
    """

    def __init__(self, rules: RoomRules, clock: Clock, rng: random.Random, loss_of: int = 0) -> None:
        super().__init__(rules, self._loss, now_ms=clock.now_ms, monotonic=time.monotonic)
        self._rng = rng
        self._loss_of = loss_of
        self._foreigners = 0

    def start(self, receiver: Receiver) -> None:
        super().start(receiver)
        self._foreigner_comes()
        runtime.spawn(self._carry)

    def _loss(self) -> str:
        if not self._loss_of or self._rng.randrange(self._loss_of):
            return ""
        return self._rng.choice(["request", "answer"])

    def _foreigner_comes(self) -> None:
        self._foreigners += 1
        sid = f"foreign{self._foreigners}"
        request = ClaimRequest(sid=sid, identity=sid, claim=self._foreigners, wanted=FOREIGN_NAMES[0])
        self.foreign = {sid: FOREIGN_ROOM}
        self.truth.claim(FOREIGN_ROOM, request, lambda _: None)
        self.truth.announce(FOREIGN_ROOM, sid)

    def _foreigner_acts(self) -> None:
        """Someone whom another process serves says something, takes another name, or leaves and comes back."""
        (sid,) = self.foreign
        name = self.truth.name_of(FOREIGN_ROOM, sid)
        match self._rng.randrange(4):
            case 0 | 1:
                self.truth.append(FOREIGN_ROOM, sid, f"I am {name}", None, None, lambda _: None)
            case 2:
                wanted = FOREIGN_NAMES[name == FOREIGN_NAMES[0]]
                self.truth.rename(FOREIGN_ROOM, sid, wanted, None, lambda _: None)
            case _:
                self.truth.leave(FOREIGN_ROOM, sid)
                self._foreigner_comes()

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
            if not self._rng.randrange(FOREIGN_OF):
                self._foreigner_acts()
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
    return clock, Relay(
        rules, clock, random.Random(os.environ.get("TEST_SEED")), int(os.environ.get("TEST_LOSS", "0"))
    )


if __name__ == "__main__":
    server._open_backplane = open_backplane
    sys.exit(cli.main([*sys.argv[1:], "--history", "0"]))
