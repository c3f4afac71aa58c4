"""The feed: what happens in a room comes out in one order, each thing as soon as it and all before it are settled.

A message is settled when it is committed, anything else at once. So a message and a `logout` in one packet are
announced in that order, and a room in which no message waits for the disk has no delay. This module knows order, and
nothing of logs or disks.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Sequence
from functools import partial

from chatroom import runtime
from chatroom.core.log import Item

log = logging.getLogger(__name__)

Deliver = Callable[[str, Sequence[Item]], None]


class Slot:
    """A place in a room's order that is not settled yet."""

    __slots__ = ("after", "item", "room", "settled")

    def __init__(self, room: str) -> None:
        self.room = room
        self.item: Item | None = None
        self.after: Callable[[], None] | None = None
        self.settled = False


class Feed:
    """The order of every room.

    What `settle` completes is delivered at once, in the caller's greenthread. What `put` adds is gathered for the rest
    of the turn, so that a burst of joins goes out as one batch. The order holds either way.
    """

    def __init__(self) -> None:
        self._waiting: dict[str, deque[Slot]] = {}
        self._ready: deque[Slot] = deque()
        self._deliver: Deliver | None = None
        self._delivering = False
        self._called = False

    def start(self, deliver: Deliver) -> None:
        """Begin to deliver, with what was put before."""
        self._deliver = deliver
        self._lane: runtime.Lane[None] = runtime.Lane(lambda _: self._run())
        self._call()

    def put(self, room: str, item: Item) -> None:
        """Add a settled item to the room's order."""
        self._settle(self.reserve(room), item, None)
        self._call()

    def reserve(self, room: str) -> Slot:
        """Take the next place in the room's order for something whose outcome is not known yet."""
        slot = Slot(room)
        self._waiting.setdefault(room, deque()).append(slot)
        return slot

    def settle(self, slot: Slot, item: Item | None, after: Callable[[], None] | None = None) -> None:
        """Fill a place with an item, or with nothing; `after` is called when its turn has passed."""
        self._settle(slot, item, after)
        self._run()

    def drain(self) -> None:
        """Wait until everything that is settled is delivered."""
        while self._ready or self._delivering:
            self._call()
            runtime.sleep(0)  # a delivery that is under way in another greenthread goes on

    def _settle(self, slot: Slot, item: Item | None, after: Callable[[], None] | None) -> None:
        slot.item, slot.after, slot.settled = item, after, True
        queue = self._waiting[slot.room]
        if queue[0] is slot:
            while queue and queue[0].settled:
                self._ready.append(queue.popleft())
            if not queue:
                del self._waiting[slot.room]

    def _call(self) -> None:
        if not self._called and self._deliver is not None:
            self._called = True
            self._lane.put(None)

    def _run(self) -> None:
        self._called = False
        if self._delivering or self._deliver is None:
            return  # called during a delivery, whose loop goes on with it
        self._delivering = True
        try:
            while self._ready:
                self._deliver_batch(self._deliver)
        finally:
            self._delivering = False

    def _deliver_batch(self, deliver: Deliver) -> None:
        room = self._ready[0].room
        batch: list[Slot] = []
        while self._ready and self._ready[0].room == room:
            batch.append(self._ready.popleft())
        items = [slot.item for slot in batch if slot.item is not None]
        if items:
            self._spare_the_rest(partial(deliver, room, items))
        for slot in batch:
            if slot.after is not None:
                self._spare_the_rest(slot.after)

    @staticmethod
    def _spare_the_rest(call: Callable[[], None]) -> None:
        try:
            call()
        except Exception:  # one failing delivery must not end the feed of all rooms
            log.exception("a delivery failed")
