"""Random plays against the running program: after each, it has what its clients know of, and later nothing of them.

Ten people come over every transport, do all that they may and much that they may not, and go or are cut off, while
commits are held up or refused. The model knows only what each person was told.
"""

from __future__ import annotations

import base64
import contextlib
import os
import re
import socket
import tempfile
import time
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any, Final, cast

import hypothesis
import pytest
import websocket
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, get_state_machine_test, initialize, rule
from itsdangerous import URLSafeTimedSerializer

from tests.faults.links import LOCAL, Gone, LineLink, Link, PollingLink, UpgradingLink, WebSocketLink
from tests.faults.visitors import KINDS, Visitor
from tests.support.counted import Counted
from tests.support.guests import WAIT_S

pytestmark = [pytest.mark.faults, pytest.mark.slow]

_PLAYS = 10_000
_PEOPLE = 10  # at once
# After one play in so many, all objects and tables are counted: what an earlier one has left is still there.
_CHECKED_OF = 50
_ROOMS_AT_MOST = 20
_FLAGS = (
    *("--durability", "os", "--max-rooms", str(_ROOMS_AT_MOST), "--address-scale", "1000"),
    *("--message-burst", "10000", "--message-rate", "1000", "--outbox-limit", "65536"),
    *("--event-burst", "10000", "--event-rate", "1000"),
)
_NAMES: Final = ("Plum tree", "Cherry tree", "PLUM TREE")
_LOGGED: Final = re.compile(r"the log can(not)? be written|a session was closed: ")
_MALFORMED: Final = (
    *(
        "42[]",
        "42",
        '42["msg"]',
        '42["msg",{"action":"join"}]',
        '42["other",1]',
        '42["msg",{"action":1}]',
        "43",
    ),
    *(
        '451-["msg",{"_placeholder":true,"num":0}]',
        "439[]",
        "40/no,",
        "41/no,",
        "9",
        "5",
        "6",
        "3",
        "",
        "[" * 99,
    ),
    *('42["msg",{"action":"whisper","to":1}]', '42["msg",' + "[" * 1000, "40{}", "2probe", "4\ud7ff"),
)
_LINES: Final = ("/to nobody hi", "/join", "\x07", "/who x", "\xff\xfb", "/rooms")

_TEXTS: Final = ("message", "whisper")
_SETTLE_S: Final = (
    75.0  # a client that is cut off while it upgrades is missed only at the second ping, after 45 s
)

_BEGUN: Final = (
    b"POST /socket.io/?EIO=4&transport=polling&sid=%s HTTP/1.1\r\n"
    b"Host: 127.0.0.1\r\nContent-Length: 99\r\n\r\n42"
)

picks = st.integers(0, _PEOPLE - 1)
kinds = st.sampled_from(KINDS)
rooms = st.sampled_from(("a", "b"))
names = st.sampled_from(_NAMES)
cuts = st.sampled_from(("close", "reset"))


def identity_in(token: str) -> str:
    """The identity that a token carries, which its signature does not hide."""
    _, (identity, *_) = URLSafeTimedSerializer("").loads_unsafe(token)
    return str(identity)


def polling(link: Link) -> PollingLink | None:
    """The polling behind a link, unless it goes by a WebSocket alone."""
    return (
        link._polling if isinstance(link, UpgradingLink) else link if isinstance(link, PollingLink) else None
    )


class Person(Visitor):
    """A visitor, and what the model knows of it.

    Attributes:
        room, name, token: what it was told last.
        offered: the token that it came with.
        waiting: the requests that are not answered yet, by their numbers.
        moves: the rooms that it has asked to join, likewise.
        misbehaves: it has sent what may end its connection, or keep its texts from being answered.
        is_over: the server has said that it has left, or that another has replaced it.
    """

    def __init__(self, program: Counted, kind: str, room: str, offered: str | None) -> None:
        super().__init__(program, kind)
        self.room = room
        self.name = ""
        self.token: str | None = None
        self.offered = offered
        self.waiting: dict[int, str] = {}
        self.moves: dict[int, str] = {}
        self.misbehaves = False
        self.is_over = False
        self.is_noticed = False  # the model knows that it has joined
        self.is_counted_out = False  # and that it has left
        self.asked_who = 0
        self.dead: list[str] = []  # tokens that have ended

    @property
    def identity(self) -> str | None:
        return None if self.token is None else identity_in(self.token)

    @property
    def is_sure(self) -> bool:
        """Whether what it was told last is still so, unless the connection has ended."""
        return self.you is not None and not set(self.waiting.values()) & {"rename", "join", "logout"}

    @property
    def is_settled(self) -> bool:
        """Whether nothing more is to come for it."""
        if self.is_gone or self.refusal is not None:
            return True
        open_requests = [what for what in self.waiting.values() if not (self.misbehaves and what in _TEXTS)]
        return self.you is not None and not open_requests and not self.asked_who

    def asks(self, action: str, **fields: Any) -> None:
        number = self.sends(action, **fields)
        self.waiting[number] = action
        if action == "join":
            self.moves[number] = fields["room"]

    def _take(self, packet: str) -> None:
        super()._take(packet)
        if self.is_line:
            self._read(packet)
        elif packet.startswith("42"):
            frame = self.frames[-1]
            if "you" in frame:
                self.room, self.name, self.token = (
                    frame["room"],
                    frame["you"]["username"],
                    frame["you"]["token"],
                )
            self.is_over |= frame.get("code") == "replaced"
            self.misbehaves |= frame.get("code") == "rate_limited"
        elif packet.startswith("43"):
            for number in self.answers.keys() & self.waiting.keys():
                self._answered(self.waiting.pop(number), self.answers[number])
                room = self.moves.pop(number, None)
                if room is not None and self.answers[number]["ok"]:
                    self.room = room  # the connection may end before its own login comes

    def _answered(self, action: str, answer: dict[str, Any]) -> None:
        if action == "rename" and answer["ok"]:
            if answer["username"] != self.name and self.token is not None:
                self.dead.append(self.token)
            self.name, self.token = answer["username"], answer["token"]
        elif action == "logout" and answer["ok"] and self.token is not None:
            self.dead.append(self.token)
            self.is_over = True

    def _read(self, line: str) -> None:
        if found := re.match(r"\* You are in (.+)\. \d+ p", line):
            self.room = found[1]
        elif found := re.match(r"\* You are now called (.+)\.$", line):
            self.name = found[1]
        elif re.match(r"\* \d+ here: ", line):
            self.asked_who -= 1


def anyone(_one: Person) -> bool:
    return True


def is_talker(one: Person) -> bool:
    return one.you is not None and not one.is_line


def is_terminal(one: Person) -> bool:
    return one.is_line


class Plays(RuleBasedStateMachine):
    """One play. The program goes on from play to play; only its rooms are new."""

    def __init__(self, stage: Stage) -> None:
        super().__init__()
        self.stage = stage
        self.program = stage.program
        self.number = next(stage.numbers)
        self.ending = f" {self.number}"
        self.people: list[Person] = []
        self.strays: list[socket.socket | Link] = []
        self.tokens: list[str] = []
        self.dead: set[str] = set()  # tokens that must not resume
        self.live: dict[str, Person] = {}  # by identity
        self.held: dict[tuple[str, str], str] = {}  # by room and identity: the name
        self.unsure: set[str] = set()  # identities of which the model does not know whether names are held
        self.unknown = 0  # people of unknown identity for whom a name may be held
        self.names = count()
        self.is_held = False  # whether commits are
        self.is_flooded = False  # whether even people who do no wrong may be dropped

    def some(self, pick: int, wanted: Callable[[Person], bool]) -> list[Person]:
        """One of these people, if there are any; what is drawn must not depend on how far the program has come."""
        people = [one for one in self.people if wanted(one)]
        return [people[pick % len(people)]] if people else []

    # People come and go

    @rule(kind=kinds, room=rooms, name=st.none() | names, returning=st.none() | picks, waits=st.booleans())
    def come(self, kind: str, room: str, name: str | None, returning: int | None, waits: bool) -> None:
        if len(self.people) == _PEOPLE:
            return
        token = None
        if kind != "line" and self.tokens and returning is not None:
            token = self.tokens[returning % len(self.tokens)]
            identity = identity_in(token)
            if any(
                one.token is None and one.offered and identity_in(one.offered) == identity
                for one in self.people
            ):
                self.unsure.add(identity)  # in which order they join is not known
        one = Person(self.program, kind, room + self.ending, token)
        one.misbehaves = self.is_flooded
        self.people.append(one)
        if one.is_line:
            one.room = "lobby"
            self.go(one, room)
            return
        auth = {"room": one.room, "token": token, "username": name}
        one.asks_to_join(**{key: value for key, value in auth.items() if value is not None})
        if waits and not self.is_held:
            one.waits_until_answered()
            self.notice(one)

    @initialize(
        comers=st.lists(
            st.tuples(kinds, rooms, st.none() | names, st.booleans()), min_size=1, max_size=_PEOPLE
        )
    )
    def some_come(self, comers: list[tuple[str, str, str | None, bool]]) -> None:
        for kind, room, name, waits in comers:
            self.come(kind, room, name, None, waits)

    def go(self, terminal: Person, room: str) -> None:
        """Go to a room, under a name that no one else has."""
        terminal.sends_raw(f"/name Line {self.number} {next(self.names)}")
        terminal.sends_raw(f"/join {room}{self.ending}")

    @rule(pick=picks, how=cuts)
    def cut(self, pick: int, how: str) -> None:
        for one in self.some(pick, anyone):
            self.lose(one, how)

    @rule(pick=picks, how=cuts)
    def cut_in_a_frame(self, pick: int, how: str) -> None:
        for one in self.some(pick, lambda one: isinstance(one.link, WebSocketLink | LineLink)):
            with contextlib.suppress(OSError):
                if isinstance(one.link, LineLink):
                    one.link._socket.sendall(b"an unfinished")
                elif isinstance(one.link, WebSocketLink) and one.link._socket.sock is not None:
                    one.link._socket.sock.sendall(b"\x81\xfe\xff\xff\0\0")
            self.lose(one, how)

    @rule(pick=picks)
    def log_out(self, pick: int) -> None:
        for one in self.some(pick, is_talker):
            one.asks("logout")

    @rule(pick=picks)
    def quit(self, pick: int) -> None:
        for one in self.some(pick, is_terminal):
            one.sends_raw("/quit")
            one.is_over = True

    # What they may do

    @rule(
        pick=picks,
        action=st.sampled_from(("message", "whisper", "typing", "history", "who", "ping")),
        to=names,
    )
    def ask(self, pick: int, action: str, to: str) -> None:
        fields: dict[str, dict[str, Any]] = {
            "message": {"msg": "hello", "cid": "1"},
            "whisper": {"msg": "psst", "to": to},
            "history": {"limit": 200},
        }
        for one in self.some(pick, is_talker):
            one.asks(action, **fields.get(action, {}))

    @rule(pick=picks, name=st.none() | names)
    def rename(self, pick: int, name: str | None) -> None:
        for one in self.some(pick, is_talker):
            one.asks("rename", **({} if name is None else {"username": name}))

    @rule(pick=picks, room=rooms)
    def move(self, pick: int, room: str) -> None:
        for one in self.some(pick, is_talker):
            one.asks("join", room=room + self.ending)

    @rule(pick=picks, line=st.sampled_from(("hello", "/who", "/name", *_LINES)), room=rooms)
    def type(self, pick: int, line: str, room: str) -> None:
        for one in self.some(pick, is_terminal):
            one.asked_who += line == "/who"
            one.sends_raw(line)
            self.go(one, room)

    @rule(pick=picks)
    def flood(self, pick: int) -> None:
        """Much for those who do not read now; some of them are dropped."""
        for one in self.some(pick, is_talker):
            self.is_flooded = True
            for other in self.people:
                other.misbehaves = True
            for _ in range(40):
                one.sends("message", msg="x" * 2000)

    # What they may not

    @rule(pick=picks, packet=st.sampled_from(_MALFORMED))
    def misbehave(self, pick: int, packet: str) -> None:
        for one in self.some(pick, is_talker):
            one.misbehaves = True
            one.sends_raw(packet)

    @rule(pick=picks, size=st.integers(0, 100_001))
    def attach(self, pick: int, size: int) -> None:
        for one in self.some(pick, is_talker):
            one.misbehaves = True
            one.sends_raw('451-["msg",{"_placeholder":true,"num":0}]')
            if isinstance(one.link, WebSocketLink) and not one.is_gone:
                with contextlib.suppress(OSError, websocket.WebSocketException):
                    one.link._socket.send_binary(bytes(size))
            else:
                one.sends_raw("b" + base64.b64encode(bytes(size % 60_000)).decode())

    @rule(pick=picks, what=st.sampled_from(("post", "upgrade")))
    def begin(self, pick: int, what: str) -> None:
        """A request or an upgrade that is never finished."""
        for one in self.some(pick, lambda one: polling(one.link) is not None):
            link = polling(one.link)
            assert link is not None
            one.misbehaves = True
            if what == "post":
                sock = socket.create_connection((LOCAL, self.program.port), WAIT_S)
                self.strays.append(sock)
                sock.sendall(_BEGUN % link.sid.encode())
            else:
                with contextlib.suppress(Gone):
                    probe = WebSocketLink(self.program.url, LOCAL, f"&sid={link.sid}")
                    self.strays.append(probe)
                    probe.send("2probe")

    # Commits, and time

    @rule(state=st.sampled_from(("hold", "free", "free", "refuse")))
    def change_commits(self, state: str) -> None:
        self.is_held = state == "hold"
        self.program.asks(state)

    @rule()
    def listen(self) -> None:
        for one in list(self.people):
            one.listens()
            self.notice(one)

    @rule()
    def settle(self) -> None:
        """Let everything be answered, and compare."""
        self.is_held = self.is_flooded = False
        self.program.asks("free")
        self.end_strays()  # while an upgrade is unfinished, packets wait
        for one in self.people:
            if one.is_line and not one.is_gone:
                one.asked_who += 1
                one.sends_raw("/who")
        deadline = time.monotonic() + _SETTLE_S
        while waiting := [one for one in self.people if not one.is_settled]:
            assert time.monotonic() < deadline, (
                f"not answered: {[(one.kind, one.waiting) for one in waiting]}"
            )
            for one in waiting:
                one.listens(0.001)
        for one in list(self.people):
            while one.listens():
                pass
            self.notice(one)
        while differs := self.differs():
            assert time.monotonic() < deadline, differs
            for one in list(self.people):
                one.listens(0.001)  # those that are replaced or dropped
                self.notice(one)

    # The model

    def notice(self, one: Person) -> None:
        """Take over what a person has been told."""
        self.dead.update(one.dead)
        identity = one.identity
        if identity is not None and not one.is_noticed:
            one.is_noticed = True
            self.welcomed(one, identity)
        if one.is_gone:
            expected = one.is_over or one.misbehaves or "logout" in one.waiting.values()
            assert expected, f"{one.kind}: cut off, although it did nothing wrong"
            self.lose(one, "close")

    def welcomed(self, one: Person, identity: str) -> None:
        """It has just joined."""
        assert one.you is not None
        if one.offered is not None:
            assert identity_in(one.offered) != identity or one.offered not in self.dead, (
                "an ended token resumes"
            )
        older = self.live.get(identity)
        if older is not None and identity not in self.unsure:
            older.is_counted_out = older.is_over = True
        held = self.held.pop((one.room, identity), None)
        if held is not None and identity not in self.unsure:
            assert (one.you["resumed"], one.you["username"]) == (True, held), "a held name was not given back"
        self.live[identity] = one

    def lose(self, one: Person, how: str) -> None:
        """Its connection is over, now at the latest."""
        self.people.remove(one)
        if polling(one.link) is not None:
            self.end_strays()  # no other body is read meanwhile
            with contextlib.suppress(Gone):
                one.link.send("1")  # a poll that is cut off would end only after a missed ping
        one.cut(how)
        if one.is_line or one.is_counted_out:
            return
        identity = one.identity
        one.is_counted_out = True
        if identity is None:
            self.unknown += one.refusal is None
            if one.offered is not None:
                self.unsure.add(identity_in(one.offered))
            return
        assert one.token is not None
        self.tokens += {one.token} - set(self.tokens)
        if self.live.get(identity) is not one:
            self.unsure.add(identity)
            return
        del self.live[identity]
        returning = any(
            two.offered and identity_in(two.offered) == identity for two in self.people if two is not one
        )
        if not one.is_sure or returning:
            self.unsure.add(identity)
        elif not one.is_over:
            self.held[one.room, identity] = one.name

    def differs(self) -> dict[str, Any]:
        """What the program has and the model has not, or the other way round."""
        found = self.program.asks("people", self.ending)
        inside: dict[str, list[str]] = {}
        for one in self.people:
            if one.you is not None and not one.is_over:
                inside.setdefault(one.room, []).append(one.name)
        expected = {room: sorted(names) for room, names in inside.items()}
        held = {(room, identity): name for room, identity, name in found["held"]}
        known = {*self.live, *(identity for _, identity in self.held)} - self.unsure
        wrong: dict[str, Any] = {}
        for what in ("announced", "decided"):
            if found[what] != expected:
                wrong[what] = (found[what], expected)
        if {key: name for key, name in held.items() if key[1] in known} != {
            key: name for key, name in self.held.items() if key[1] in known
        }:
            wrong["held"] = (held, self.held)
        strangers = {identity for _, identity in held} - known - self.unsure
        if len(strangers) > self.unknown:
            wrong["held for strangers"] = (held, self.unknown)
        return wrong

    def teardown(self) -> None:
        try:
            self.settle()
            for one in list(self.people):
                self.lose(one, "close")
            self.program.empties()
            if self.number % _CHECKED_OF == 0:
                self.program.rests_as(self.stage.before)
            strange = [line for line in self.program.errors[self.stage.lines :] if not _LOGGED.search(line)]
            assert not strange, strange
        except BaseException:
            self.end_strays()
            for one in self.people:
                one.cut("close")
            self.stage.ends()
            raise

    def end_strays(self) -> None:
        """Close what was begun and is not finished."""
        while self.strays:
            stray = self.strays.pop()
            stray.close() if isinstance(stray, socket.socket) else stray.cut("close")


class Stage:
    """The program that the plays are played on; after one that failed, the next has a new one."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._program: Counted | None = None
        self.before: dict[str, int] = {}
        self.lines = 0  # that it has logged before the plays
        self.numbers = count(1)

    @property
    def program(self) -> Counted:
        if self._program is None:
            data_dir = Path(tempfile.mkdtemp(dir=self._folder))
            self._program = Counted(*_FLAGS, data_dir=data_dir).start()
            self._warm_up(self._program)
            self.before = self._program.rests()
            self.lines = len(self._program.errors)
        return self._program

    def ends(self) -> None:
        if self._program is not None:
            program, self._program = self._program, None
            program.asks("free")
            program.stop()

    def _warm_up(self, program: Counted) -> None:
        """Let everything be used once."""
        assert program.line_port  # which is printed before all else that is waited for
        speaker = Visitor(program, "websocket")
        speaker.asks_to_join(room="warm")
        speaker.waits_until_answered()
        program.asks("refuse")
        speaker.sends("message", msg="refused")
        program.wait_for_line("the log cannot be written")
        program.asks("free")
        program.wait_for_line("the log can be written again")
        speaker.cut("close")
        for kind in KINDS:
            one = Visitor(program, kind)
            one.asks_to_join(room="warm")
            one.waits_until_answered()
            one.sends_raw("hello" if one.is_line else '42["msg",{"action":"message","msg":"hello"}]')
            one.sends_raw("1")
            one.cut("close")


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    one = Stage(tmp_path)
    yield one
    one.ends()


def test_random_plays_leave_what_their_clients_know_of(
    stage: Stage, scale: Callable[[int], int], report: Callable[[str], None]
) -> None:
    plays = scale(_PLAYS)
    settings = hypothesis.settings(
        max_examples=plays,
        stateful_step_count=20,
        deadline=None,
        database=None,
        # The program goes on between plays, so the same play may end otherwise: it is shown as it was played.
        phases=(hypothesis.Phase.generate,),
        suppress_health_check=list(hypothesis.HealthCheck),
    )

    def play() -> Plays:
        return Plays(stage)

    test = get_state_machine_test(cast("type[Plays]", play), settings=settings)
    hypothesis.seed(int(os.environ.get("CHATROOM_TEST_SEED", "3")))(test)
    test()
    report(
        f"{next(stage.numbers) - 1} plays: the same rooms, names, holds, sessions and descriptors in program and model"
    )
    stage.program.rests_as(stage.before)
    with contextlib.ExitStack() as stack:
        for number in range(_ROOMS_AT_MOST):
            one = Visitor(stage.program, "websocket")
            stack.callback(one.cut, "close")
            one.asks_to_join(room=f"fresh {number}")
            one.waits_until_answered()
            assert one.you is not None, one.refusal
