"""Clients that lose their connection again and again and come back, and record all that they ever received."""

from __future__ import annotations

import json
import random
import time
from collections import OrderedDict, deque
from typing import Any

from tests.faults.links import LINKS, LOCAL, PATIENCE_S, Gone, Link

Frame = dict[str, Any]
_LEFT = 5  # abandoned connections per person


class Talker:
    """One person over any number of connections.

    Attributes:
        seen: the `(id, text)` of every message received, in the order of arrival.
        acked: the id that each acknowledged text was given.
        refused: the `cid` of each message that was answered `unavailable`.
        others: the latest frames that were no messages.
        unsure: what was sent and not acknowledged, by `cid`, in the order of sending; sent again after each return.
    """

    def __init__(self, kind: str, room: str, label: str, source: str = LOCAL) -> None:
        self.kind = kind
        self.source = source
        self.room = room
        self.label = label
        self.name = ""
        self.seen: list[tuple[str, str]] = []
        self.acked: dict[str, str] = {}
        self.unsure: OrderedDict[str, str] = OrderedDict()
        self.refused: list[str] = []
        self.others: deque[Frame] = deque(maxlen=1000)
        self.pings = 0
        self.returns = 0
        self.retries = 0
        self.said = 0
        self._token: str | None = None
        self._link: Link | None = None
        self._left: list[Link] = []
        self._waiting: dict[int, str | None] = {}  # ack id → cid of the message, None for a question
        self._answers: dict[int, Frame] = {}
        self._next_ack = 0

    def come(self, url: str, *, faint_after: float | None = None) -> None:
        """Connect, for the first time or again, and check the welcome.

        Args:
            faint_after: seconds after asking to enter at which the connection is left before it has answered.

        Raises:
            Gone: the connection has ended before one was in.
        """
        self._waiting.clear()
        self._answers.clear()
        self._link = LINKS[self.kind](url, self.source)
        auth: Frame = {"v": 1, "room": self.room, "roster": "delta"}
        if self._token is None:
            auth["username"] = self.label  # a random one might be that of somebody who is not back yet
        else:
            auth["token"] = self._token
            if self.seen:
                auth["after"] = self.seen[-1][0]
        self._link.send("40" + json.dumps(auth))
        deadline = time.monotonic() + (PATIENCE_S if faint_after is None else faint_after)
        welcomed = False
        while not welcomed:
            left = deadline - time.monotonic()
            if left <= 0:
                if faint_after is not None:
                    return
                raise AssertionError(f"{self.label} was never welcomed")
            for packet in self._link.receive(left):
                if not welcomed and packet.startswith("42"):
                    self._welcomed(json.loads(packet[2:])[1])
                    welcomed = True
                elif packet.startswith("44"):
                    raise AssertionError(packet)
                else:
                    self._take(packet)
        for cid, text in self.unsure.items():
            self.retries += 1
            self._send_message(cid, text)

    def _welcomed(self, login: Frame) -> None:
        assert login["action"] == "login", login
        you = login["you"]
        if self._token is None:
            self.name = you["username"]
        else:
            self.returns += 1
            assert you["resumed"] is True, you
            assert you["username"] == self.name, (you["username"], self.name)
            assert you["gap"] is False or not self.seen, you
        self._token = you["token"]
        for frame in you["history"]:
            self._told(frame)
        assert not you["more"], "more than a page was missed: the test cuts too slowly"

    def say(self, text: str) -> None:
        """Send a new message."""
        cid = f"{self.label}-{self.said}"
        self.said += 1
        self.unsure[cid] = text
        self._send_message(cid, text)

    def listen(self, seconds: float) -> None:
        """Receive for so long."""
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            self.listen_once(left)

    def listen_once(self, seconds: float) -> None:
        """Take what comes next, and wait for it no longer than that."""
        assert self._link is not None
        for packet in self._link.receive(seconds):
            self._take(packet)

    def is_refused(self, text: str, within_s: float) -> None:
        """Send a message, which must be refused as `unavailable` within that time."""
        seen = len(self.refused)
        self.say(text)
        deadline = time.monotonic() + within_s
        while len(self.refused) == seen:
            left = deadline - time.monotonic()
            assert text not in self.acked, f"acknowledged, although it cannot have been kept: {text[:20]}"
            assert left > 0, f"not refused within {within_s} s"
            self.listen_once(left)

    def says_again(self) -> None:
        """Send again, with the same `cid`, all that was not acknowledged, and wait until it is."""
        for cid, text in self.unsure.items():
            self._send_message(cid, text)
        self.settle()

    def settle(self) -> None:
        """Wait until every message is acknowledged."""
        deadline = time.monotonic() + PATIENCE_S
        while self.unsure:
            assert time.monotonic() < deadline, f"never acknowledged: {list(self.unsure)[:5]}"
            self.listen_once(0.1)

    def ask(self, action: str, **fields: Any) -> Frame:
        """Ask and wait for the answer."""
        number = self._send({"action": action, **fields}, None)
        deadline = time.monotonic() + PATIENCE_S
        while number not in self._answers:
            assert time.monotonic() < deadline, f"{action} was never answered"
            self.listen_once(0.1)
        return self._answers.pop(number)

    def log(self) -> list[tuple[str, str]]:
        """The room's whole log, fetched by pages from the newest back."""
        entries: list[tuple[str, str]] = []
        before = "9999999999999-999999"
        while True:
            page = self.ask("history", before=before, limit=200)
            assert page["ok"], page
            entries[:0] = [(entry["id"], entry["msg"]) for entry in page["entries"]]
            if not page["more"]:
                return entries
            before = entries[0][0]

    def log_since(self, position: str | None) -> list[tuple[str, str]]:
        """What the log has after an id, by pages forwards; without one, all of it."""
        if position is None:
            return self.log()
        entries: list[tuple[str, str]] = []
        while True:
            page = self.ask("history", after=position, limit=200)
            assert page["ok"], page
            entries += [(entry["id"], entry["msg"]) for entry in page["entries"]]
            if not page["more"]:
                return entries
            position = entries[-1][0]

    def is_cut(self, how: str) -> None:
        """Lose the connection: see `Link.cut`; "leave" only stops using it, so that the server still believes in it."""
        if self._link is None:
            return
        self._left.append(self._link)
        if how != "leave":
            self._left.pop().cut(how)
        elif len(self._left) > _LEFT:
            self._left.pop(0).cut("close")
        self._link = None

    def leaves(self) -> None:
        """Close every connection."""
        self.is_cut("close")
        while self._left:
            self._left.pop().cut("close")

    def _send_message(self, cid: str, text: str) -> None:
        self._send({"action": "message", "msg": text, "cid": cid}, cid)

    def _send(self, frame: Frame, cid: str | None) -> int:
        assert self._link is not None
        number, self._next_ack = self._next_ack, self._next_ack + 1
        self._waiting[number] = cid
        self._link.send(f"42{number}" + json.dumps(["msg", frame]))
        return number

    def _take(self, packet: str) -> None:
        assert self._link is not None
        if packet == "2":
            self.pings += 1
            self._link.send("3")
        elif packet.startswith("42"):
            self._told(json.loads(packet[2:])[1])
        elif packet.startswith("43"):
            digits, _, rest = packet[2:].partition("[")
            number, (answer,) = int(digits), json.loads("[" + rest)
            cid = self._waiting.pop(number)
            if cid is None:
                self._answers[number] = answer
            else:
                self._acknowledged(cid, answer)
        elif packet.startswith("41"):
            raise Gone
        else:
            assert packet[0] in "06" or packet.startswith("40"), packet

    def _acknowledged(self, cid: str, answer: Frame) -> None:
        if not answer["ok"]:
            assert answer["code"] == "unavailable", answer
            self.refused.append(cid)
            return
        text = self.unsure.pop(cid, None)
        if text is not None:
            self.acked[text] = answer["id"]

    def _told(self, frame: Frame) -> None:
        if frame["action"] != "message":
            self.others.append(frame)
            return
        if self.seen:
            assert frame["id"] > self.seen[-1][0], (self.label, frame, self.seen[-3:])
        self.seen.append((frame["id"], frame["msg"]))


def check_log(log: list[tuple[str, str]], talkers: list[Talker]) -> None:
    """Everything acknowledged is in the log under its id, nothing is there twice, and each sender's order is kept."""
    ids = [entry_id for entry_id, _ in log]
    assert ids == sorted(set(ids)), "ids went back or came twice"
    by_text = {text: entry_id for entry_id, text in log}
    assert len(by_text) == len(log), "a message is in the log twice"
    for talker in talkers:
        for text, entry_id in talker.acked.items():
            assert by_text.get(text) == entry_id, f"acknowledged but not in the log: {text}"
        own = [int(text.split()[1]) for _, text in log if text.split()[0] == talker.label]
        assert own == sorted(own), f"the order of {talker.label} was not kept"


def check_end(talkers: list[Talker]) -> list[tuple[str, str]]:
    """All have settled: the log has each message once, and everyone received exactly those sent since they joined.

    Returns:
        The log.
    """
    log = talkers[0].log()
    check_log(log, talkers)
    assert len(log) == sum(talker.said for talker in talkers), "each retried message is in the log once"
    for talker in talkers:
        while talker.seen[-1][0] != log[-1][0]:
            talker.listen_once(1)
        first_id = talker.seen[0][0]
        assert talker.seen == [entry for entry in log if entry[0] >= first_id], (
            f"{talker.label} received fewer messages than were sent, or more"
        )
        talker.leaves()
    return log


def random_cut(rng: random.Random) -> str:
    """How a connection ends; most often so that the server notices."""
    return rng.choice(["close", "reset", "leave"])
