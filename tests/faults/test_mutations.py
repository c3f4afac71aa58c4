"""Mutated conversations with each gateway: nothing breaks, nobody waits, and nothing is left behind."""

from __future__ import annotations

import json
import os
import random
import selectors
import socket
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

import pytest

from tests.faults.mutations import CONVERSATIONS, EVENTS, ROOM, WITNESS, Conversation, Round
from tests.support.counted import Counted
from tests.support.guests import WAIT_S
from tests.support.raw import RawClient

_FULL: Final = float(os.environ.get("CHATROOM_TEST_SCALE", "1")) >= 20
pytestmark = [pytest.mark.faults, pytest.mark.slow]

_PACKETS: Final = 1_000_000 if _FULL else 40_000  # of which `scale` takes a twentieth
_WITH_LIMITS: Final = 0.05  # of the packets: most of them are refused
_AT_ONCE: Final = 100  # conversations
_ROUND: Final = 12  # packets
_CHECK_EVERY: Final = 200  # packets
_CHECK_S: Final = 0.5  # the witness must answer pings, too
_QUIET_S: Final = 0.02
_QUIET_WITH_LIMITS_S: Final = 0.2  # so that the witness is not refused
_PATIENCE: Final = 10  # checks, each of which takes the server several turns of its loop
_MOST_GROWTH_KB: Final = 50_000
_GIVEN_BACK_S: Final = 90.0  # the program gives free memory back to the system every minute
_FLAGS: Final = (
    *("--durability", "os", "--ping-interval", "0.5", "--ping-timeout", "4"),
    *("--resume-grace", "5"),  # names are held for people who were cut off, and memory grows with them
)
_KINDS: Final = tuple(CONVERSATIONS)
_ROWS: Final = (*(((kind,), "off") for kind in _KINDS), (_KINDS, "on")) if _FULL else ((_KINDS, "off"),)


class Witness:
    """Someone who is there all the time, and remembers who has joined and who has sent something.

    Args:
        may_wait: a message may be refused because the room has received too much.

    Attributes:
        count: how many messages the witness has sent.
    """

    def __init__(self, program: Counted, *, may_wait: bool) -> None:
        self._may_wait = may_wait
        self._client = RawClient(program.url).enters(v=1, room=ROOM, username=WITNESS, roster="delta")
        you = self._client.login["you"]
        assert you["username"] == WITNESS, you
        self._sid = you["sid"]
        self.count = 0
        self._members: set[str] = set()  # their names and ids
        self._senders: dict[str, dict[str, Any]] = {}  # by name or id, the last that they have sent

    def exchange(self) -> None:
        """Send a message, which must be acknowledged and delivered, or refused if it may wait."""
        self.count += 1
        number, text = self.count, f"number {self.count}"
        missing = {"ack", "message"}

        def take(packet: str) -> bool:
            if packet.startswith(f"43{number}[") and self._may_wait and '"code":"rate_limited"' in packet:
                missing.clear()
            elif packet.startswith(f"43{number}["):
                assert '"ok":true' in packet, packet
                missing.discard("ack")
            elif packet.startswith("42"):
                frame = json.loads(packet[2:])[1]
                if self._is_own(frame):
                    assert frame["msg"] == text, frame
                    missing.discard("message")
                else:
                    self._note(frame)
            return not missing

        request = json.dumps(["msg", {"action": "message", "msg": text}])
        self._client.sends(f"42{number}{request}")
        self._client.receives(take)

    def _is_own(self, frame: dict[str, Any]) -> bool:
        is_own: bool = frame["action"] == "message" and frame["sid"] == self._sid
        assert is_own or frame["username" if "username" in frame else "action"] != WITNESS, frame
        return is_own

    def _note(self, frame: dict[str, Any]) -> None:
        match frame["action"]:
            case "roster":
                for person in (*frame["joined"], *frame["left"]):
                    self._members.update(person)
            case "rename":
                assert frame["to"] != WITNESS, frame
                self._members.add(frame["to"])
            case "message":
                self._senders[frame["sid"]] = frame
            case "whisper" | "typing":
                self._senders[frame["username"]] = frame

    def knows_all_senders(self) -> None:
        """Whoever has sent something must have joined; that may be announced a moment later."""
        for _ in range(100):
            self.exchange()
            strangers = [frame for who, frame in self._senders.items() if who not in self._members]
            if not strangers:
                return
        raise AssertionError(f"sent by someone who never joined: {strangers}")

    def leaves(self) -> None:
        self._client.leaves()


def rehearse(program: Counted) -> None:
    """Ask for everything once, so that what is made at the first use is there."""
    client = RawClient(program.url).enters(v=1)
    for number, event in enumerate(EVENTS):
        client.sends(f"42{number}{json.dumps(['msg', event])}")
    client.receives_answer(number)
    client.leaves()


class Session:
    """A connection, and where its conversation has come to.

    Attributes:
        since: how many checks there had been when it last went on.
        sent: how many mutated packets it has sent.
        read: how many of them the server has certainly read.
    """

    def __init__(self, sock: socket.socket, conversation: Conversation, since: int) -> None:
        self.sock = sock
        self.since = since
        self.sent = self.read = 0
        self._conversation = conversation
        self._begin(next(conversation))

    def _begin(self, one: Round) -> None:
        self._round = one
        self._rest = memoryview(one.data)
        self._heard = b""
        self.sent += one.packets

    @property
    def waits_for(self) -> int:
        return selectors.EVENT_READ | (selectors.EVENT_WRITE if self._rest else 0)

    def goes_on(self, events: int) -> bool:
        """Send and receive what can be; returns whether it is not over."""
        try:
            if events & selectors.EVENT_WRITE:
                self._rest = self._rest[self.sock.send(self._rest) :]
            if events & selectors.EVENT_READ:
                data = self.sock.recv(1 << 20)
                self._heard += data
                if self._heard.count(self._round.mark) < self._round.answers:
                    return bool(data)
                self._count_read()
                self._begin(self._conversation.send(self._heard))
        except BlockingIOError:
            pass
        except (OSError, StopIteration):
            return False
        return True

    def _count_read(self) -> None:
        one, heard = self._round, self._heard
        if one.proof in heard:
            self.read += min(one.answers, heard.count(one.mark)) * one.packets // one.answers
            self._round = one._replace(packets=0)

    def ends(self) -> None:
        self._count_read()
        self.sock.close()


class Crowd:
    """Conversations side by side, a new one for each that ends."""

    def __init__(self, program: Counted, kinds: Sequence[str], rng: random.Random, quiet_s: float) -> None:
        self._quiet_s = quiet_s
        self._ports = {kind: program.line_port if kind == "line" else program.port for kind in kinds}
        self._kinds, self._rng = kinds, rng
        self._selector = selectors.DefaultSelector()
        self._sessions: set[Session] = set()
        self._checks = 0
        self.done: Counter[str] = Counter()

    def talk(self, packets: int, counted: str, check: Callable[[], None]) -> None:
        """Go on until so many packets are sent or read, with a check now and then, also when nothing comes."""
        checked_at = began = self.done[counted]
        checked_s = time.monotonic()
        while (count := self.done[counted]) < began + packets:
            while len(self._sessions) < _AT_ONCE:
                self._begins()
            ready = self._selector.select(self._quiet_s)
            for key, events in ready:
                self._goes_on(key.data, events)
            is_due = count - checked_at >= _CHECK_EVERY or time.monotonic() - checked_s >= _CHECK_S
            if ready and not is_due:
                continue
            check()
            checked_at, checked_s = count, time.monotonic()
            self._checks += 1
            # The server has answered meanwhile. It waits for these: a length or a frame has become longer.
            for session in [one for one in self._sessions if one.since < self._checks - _PATIENCE]:
                self.done["unfinished"] += 1
                self._ends(session)

    def _begins(self) -> None:
        kind = self._rng.choice(self._kinds)
        peer = f"127.7{self._rng.randrange(2)}.0.{self._rng.randrange(1, 250)}"
        sock = socket.create_connection(("127.0.0.1", self._ports[kind]), WAIT_S, source_address=(peer, 0))
        sock.setblocking(False)
        # So that what a session sends does not depend on how fast the others are.
        rng = random.Random(self._rng.random())
        session = Session(sock, CONVERSATIONS[kind](rng, _ROUND), self._checks)
        self._sessions.add(session)
        self._selector.register(sock, session.waits_for, session)
        self.done["connections"] += 1

    def _goes_on(self, session: Session, events: int) -> None:
        before = session.waits_for
        if session.goes_on(events):
            session.since = self._checks
            if session.waits_for != before:
                self._selector.modify(session.sock, session.waits_for, session)
        else:
            self._ends(session)

    def _ends(self, session: Session) -> None:
        self._sessions.remove(session)
        self._selector.unregister(session.sock)
        session.ends()
        self.done["sent"] += session.sent
        self.done["read"] += session.read

    def leaves(self) -> None:
        for session in [*self._sessions]:
            self._ends(session)

    def __enter__(self) -> Crowd:
        return self

    def __exit__(self, *exception: object) -> None:
        self.leaves()
        self._selector.close()


def faults(program: Counted) -> list[str]:
    """What the server has logged of its own faults; it may warn of names, origins and proxies."""
    return [line for line in program.errors if " error: " in line or "Traceback" in line]


def growth_kb(program: Counted, before_kb: int) -> int:
    """How much more memory the program has; if that is too much, once it has given back what is free."""
    deadline = time.monotonic() + _GIVEN_BACK_S
    while (growth := program.resident_kb() - before_kb) >= _MOST_GROWTH_KB and time.monotonic() < deadline:
        time.sleep(1.0)  # nothing announces it to the outside
    return growth


@pytest.mark.parametrize(
    ("kinds", "limits"),
    _ROWS,
    ids=lambda value: value if isinstance(value, str) else "-".join(value),
)
def test_mutated_packets_break_nothing(
    tmp_path: Path,
    rng: random.Random,
    scale: Callable[[int], int],
    report: Callable[[str], None],
    kinds: Sequence[str],
    limits: str,
) -> None:
    """1,000,000 for each gateway in `make faults`."""
    counted, packets, quiet_s = "read", _PACKETS, _QUIET_S
    if limits == "on":
        counted, packets, quiet_s = "sent", round(_PACKETS * _WITH_LIMITS), _QUIET_WITH_LIMITS_S
    with (
        Counted("--limits", limits, *_FLAGS, data_dir=tmp_path / "data") as program,
        Crowd(program, kinds, rng, quiet_s) as crowd,
    ):
        rehearse(program)
        before, before_kb = program.rests(), program.resident_kb()
        witness = Witness(program, may_wait=limits == "on")

        def check() -> None:
            witness.exchange()
            assert not faults(program), faults(program)

        try:
            crowd.talk(scale(packets), counted, check)
        finally:
            report(f"{' '.join(kinds)}, limits {limits}: {dict(crowd.done)}")
        crowd.leaves()
        check()
        witness.knows_all_senders()
        witness.leaves()
        program.rests_as(before)
        at_once, growth = program.resident_kb() - before_kb, growth_kb(program, before_kb)
        kept = f"memory grew by {at_once / 1000:.1f} MB, of which it kept at most {growth / 1000:.1f} MB"
        report(f"{witness.count} checks, {kept}\n")
        assert growth < _MOST_GROWTH_KB
        assert not faults(program), faults(program)
