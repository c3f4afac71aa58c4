"""Random plays against the running program: after each, it has what its clients know of, and later nothing of them.

Ten people come over every transport, do all that they may and much that they may not, and go or are cut off, while
commits are held up or refused. The model knows only what each person was told (`people`).
"""

from __future__ import annotations

import base64
import contextlib
import os
import re
import socket
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any, Final, NamedTuple, cast

import hypothesis
import pytest
import websocket
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, get_state_machine_test, initialize, rule

from chatroom.core.names import LOBBY
from tests.faults.links import LINKS, LOCAL, Gone, LineLink, Link, WebSocketLink
from tests.faults.people import Person, identity_in, polling
from tests.faults.visitors import KINDS, Visitor
from tests.support.counted import Counted
from tests.support.guests import WAIT_S

pytestmark = [pytest.mark.faults, pytest.mark.slow]

_PLAYS = 10_000
_QUICK_PLAYS = 60  # in `make test`: a twentieth would take a minute
_PEOPLE = 10  # at once
# After one play in so many, all objects and tables are counted: what an earlier one has left is still there.
_CHECKED_OF = 100
_ROOMS_AT_MOST = 20
_ROOM_PEOPLE = 4  # at most
_FLAGS = (
    *("--durability", "os", "--max-rooms", str(_ROOMS_AT_MOST), "--max-room-people", str(_ROOM_PEOPLE)),
    *("--address-scale", "1000", "--outbox-limit", "65536"),
    *("--message-burst", "10000", "--message-rate", "1000", "--event-burst", "10000", "--event-rate", "1000"),
    # A client that is cut off while it upgrades is missed only by its pings.
    *("--ping-interval", "5", "--ping-timeout", "15"),
)
_NAMES: Final = ("Plum tree", "Cherry tree", "PLUM TREE")
_LOGGED: Final = re.compile(r"the log can(not)? be written|a session was closed: ")
_MALFORMED: Final = (
    *(
        "",
        "3",
        "5",
        "6",
        "9",
        "40{}",
        "2probe",
        "4\ud7ff",
        "42",
        "42[]",
        "43",
        "439[]",
        "40/no,",
        "41/no,",
        "[" * 99,
    ),
    *(
        '42["msg"]',
        '42["other",1]',
        '42["msg",{"action":1}]',
        '42["msg",{"action":"join"}]',
        '42["msg",' + "[" * 1000,
    ),
    *('42["msg",{"action":"whisper","to":1}]', '451-["msg",{"_placeholder":true,"num":0}]'),
)
_LINES: Final = ("/to nobody hi", "/join", "\x07", "/who x", "\xff\xfb", "/rooms")
_SETTLE_S: Final = 90.0
_FLOOD_AT_LEAST: Final = 20  # messages of `_LONG` that may be more than an outbox has space for
_LONG: Final = "x" * 2000

_BEGUN: Final = (
    b"POST /socket.io/?EIO=4&transport=polling&sid=%s HTTP/1.1\r\n"
    b"Host: 127.0.0.1\r\nContent-Length: 99\r\n\r\n42"
)

picks = st.integers(0, _PEOPLE - 1)
kinds = st.sampled_from(KINDS)
transports = st.sampled_from(tuple(LINKS))
rooms = st.sampled_from(("a", "b"))
names = st.sampled_from(_NAMES)
cuts = st.sampled_from(("close", "reset"))


def anyone(_one: Person) -> bool:
    return True


def is_talker(one: Person) -> bool:
    return one.you is not None and not one.is_line


def is_terminal(one: Person) -> bool:
    return one.is_line


class Hold(NamedTuple):
    """A name that is held for someone whose connection was cut."""

    name: str
    token: str


class Plays(RuleBasedStateMachine):
    """One play. The program goes on from play to play; only its rooms are new."""

    def __init__(self, stage: Stage) -> None:
        super().__init__()
        self.stage = stage
        self.program = stage.program
        self.number = next(stage.numbers)
        self.ending = f" {self.number}"
        self.people: list[Person] = []
        self.everyone: list[Person] = []  # those who have gone too
        self.strays: list[socket.socket | Link] = []
        self.tokens: list[str] = []
        self.dead: set[str] = set()  # tokens that must not resume
        self.live: dict[str, Person] = {}  # by identity
        self.held: dict[tuple[str, str], Hold] = {}  # by room and identity
        self.unsure: set[str] = set()  # identities of which the model does not know whether names are held
        self.unknown = 0  # people of unknown identity for whom a name may be held
        self.names = count()
        self.is_held = False  # whether commits are
        self.flooded = 0  # long messages that may wait for those who do not read

    def some(self, pick: int, wanted: Callable[[Person], bool]) -> list[Person]:
        """One of these people, if there are any; what is drawn must not depend on how far the program has come."""
        people = [one for one in self.people if wanted(one)]
        return [people[pick % len(people)]] if people else []

    # People come and go

    @rule(kind=kinds, room=rooms, name=st.none() | names, returning=st.none() | picks, waits=st.booleans())
    def come(self, kind: str, room: str, name: str | None, returning: int | None, waits: bool) -> None:
        """Someone comes, perhaps with a token, and perhaps waits until let in; a terminal then stays in the lobby."""
        token = None
        if kind != "line" and self.tokens and returning is not None:
            token = self.tokens[returning % len(self.tokens)]
        if len(self.people) < _PEOPLE:
            one = self.enter(kind, room + self.ending, name, token, waits)
            if one.is_line and not waits:
                self.go(one, room)

    def enter(self, kind: str, room: str, name: str | None, token: str | None, waits: bool) -> Person:
        if token is not None and any(
            one.token is None and one.offered and identity_in(one.offered) == identity_in(token)
            for one in self.people
        ):
            self.unsure.add(identity_in(token))  # in which order they join is not known
        one = Person(self.program, kind, room, token)
        one.offered_is_dead = token in self.dead
        one.may_be_dropped = self.flooded >= _FLOOD_AT_LEAST
        self.people.append(one)
        self.everyone.append(one)
        if one.is_line:
            one.room = LOBBY
            return one
        auth = {"room": room, "token": token, "username": name}
        one.asks_to_join(**{key: value for key, value in auth.items() if value is not None})
        if waits and not self.is_held:
            one.waits_until_answered()
            self.notice(one)
        return one

    @rule(pick=picks, kind=transports, waits=st.booleans())
    def come_back(self, pick: int, kind: str, waits: bool) -> None:
        """Someone whose name is held comes back for it."""
        owners = self.owners()
        if owners and len(self.people) < _PEOPLE:
            room, hold = owners[pick % len(owners)]
            self.enter(kind, room, None, hold.token, waits)

    @rule()
    def crowd_into_the_lobby(self) -> None:
        """One more terminal than there may be people in the lobby."""
        for _ in range(min(_ROOM_PEOPLE + 1, _PEOPLE - len(self.people))):
            self.enter("line", LOBBY, None, None, waits=False)

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
        terminal.types(f"/name Line {self.number} {next(self.names)}")
        terminal.types(f"/join {room}{self.ending}")

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
            one.types(line)
            self.go(one, room)

    @rule(pick=picks, number=st.sampled_from((1, 5, 5, 40)))
    def flood(self, pick: int, number: int) -> None:
        """Much for those who do not read now; some of them may be dropped."""
        for one in self.some(pick, is_talker):
            self.flooded += number
            for _ in range(number):
                one.sends("message", msg=_LONG)
        if self.flooded >= _FLOOD_AT_LEAST:
            for one in self.people:
                one.may_be_dropped = True

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
        self.is_held = False
        self.program.asks("free")
        self.end_strays()  # while an upgrade is unfinished, packets wait
        for one in self.people:
            if one.is_line:
                one.types("/who")  # after all its other lines
        deadline = time.monotonic() + _SETTLE_S
        self.until_none(
            lambda: [(one.name, one.waiting) for one in self.people if not one.is_settled], deadline
        )
        self.hear()
        self.until_none(self.differs, deadline)
        for one in self.people:
            one.listed = None
        self.until_none(self.unheard, deadline)
        self.flooded = 0
        for one in self.people:
            one.may_be_dropped = False

    def until_none(self, wrong: Callable[[], Any], deadline: float) -> None:
        """Let people hear, until nothing is wrong any more."""
        while found := wrong():
            assert time.monotonic() < deadline, str(found)
            self.hear()

    def hear(self) -> None:
        """Let everybody take what has come."""
        for one in list(self.people):
            while one.listens():
                pass
            self.notice(one)

    # The model

    def notice(self, one: Person) -> None:
        """Take over what a person has been told."""
        self.dead.update(one.dead)
        identity = one.identity
        if identity is not None and not one.is_noticed:
            one.is_noticed = True
            self.welcomed(one, identity)
        if identity is not None:
            for room in one.moved:
                self.held.pop((room, identity), None)
            one.moved.clear()
        if one.is_gone:
            assert one.may_end, f"{one.kind}: cut off, although it did nothing wrong"
            self.lose(one, "close")

    def welcomed(self, one: Person, identity: str) -> None:
        """It has just joined."""
        assert one.you is not None
        if one.offered is not None:
            assert identity_in(one.offered) != identity or not one.offered_is_dead, "an ended token resumes"
        older = self.live.get(identity)
        if older is not None and identity not in self.unsure:
            older.is_counted_out = older.is_over = True
        held = self.held.pop((one.room, identity), None)
        if held is not None and identity not in self.unsure:
            given = one.you["resumed"], one.you["username"]
            assert given == (True, held.name), "a held name was not given back"
        self.live[identity] = one

    def lose(self, one: Person, how: str) -> None:
        """Its connection is over, now at the latest."""
        self.people.remove(one)
        if polling(one.link) is not None:
            self.end_strays()  # no other body is read meanwhile
            with contextlib.suppress(Gone):
                one.link.send("1")  # a poll that is cut off would end only after a missed ping
        one.cut(how)
        if one.is_line or one.is_counted_out or one.refusal is not None:
            return
        identity = one.identity
        one.is_counted_out = True
        if identity is None:
            self.unknown += 1
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
            self.held[one.room, identity] = Hold(one.name, one.token)

    def owners(self) -> list[tuple[str, Hold]]:
        """The held names of people who are away, and the rooms that they were in."""
        return [
            (room, hold)
            for (room, identity), hold in self.held.items()
            if identity not in self.unsure and identity not in self.live
        ]

    def expected(self) -> dict[str, list[str]]:
        """The names in each room."""
        inside: dict[str, list[str]] = {}
        for one in self.people:
            if one.you is not None and not one.is_over:
                inside.setdefault(one.room, []).append(one.name)
        return {room: sorted(names) for room, names in inside.items()}

    def differs(self) -> dict[str, Any]:
        """What the program has and the model has not, or the other way round."""
        found = self.program.asks("people", self.ending)
        expected = self.expected()
        held = {(room, identity): name for room, identity, name in found["held"]}
        known = {*self.live, *(identity for _, identity in self.held)} - self.unsure
        wrong: dict[str, Any] = {}
        for what in ("announced", "decided", "taken"):
            if found[what] != expected:
                wrong[what] = (found[what], expected)
        if {key: name for key, name in held.items() if key[1] in known} != {
            key: hold.name for key, hold in self.held.items() if key[1] in known
        }:
            wrong["held"] = (held, self.held)
        strangers = {identity for _, identity in held} - known - self.unsure
        if len(strangers) > self.unknown:
            wrong["held for strangers"] = (held, self.unknown)
        return wrong

    def unheard(self) -> list[tuple[Any, ...]]:
        """What people should have been told of who is in their rooms, and what they were told."""
        wrong: list[tuple[Any, ...]] = []
        expected = self.expected()
        for one in self.people:
            names = expected.get(one.room)
            if one.is_listening and one.listed != names:
                wrong.append((one.name, "who", one.listed, names))
                one.asks_who()
            if one.is_listening and not one.is_line and one.seen != names:
                wrong.append((one.name, "name_list", one.seen, names))
        return wrong

    # The end

    def teardown(self) -> None:
        problem = sys.exc_info()[1]
        if isinstance(problem, Exception):  # of a rule
            self.fail(problem)
            return
        try:
            self.end()
        except BaseException as problem:
            self.fail(problem)
            raise

    def end(self) -> None:
        self.settle()
        self.everyone_goes()
        for room, hold in self.owners()[-1:]:
            one = self.enter("websocket", room, None, hold.token, waits=True)
            assert one.you is not None, f"the owner of a held name is refused: {one.refusal}"
            self.settle()
            self.everyone_goes()
        before, lines = self.stage.before, self.stage.lines
        self.program.empties({what: before[what] for what in ("descriptors", "greenthreads")})
        if self.number % _CHECKED_OF == 0:
            self.program.rests_as(before)
        if self.number % 1000 == 0:
            self.stage.report(f"{self.number} plays")
        self.stage.lines = len(self.program.errors)
        strange = [line for line in self.program.errors[lines : self.stage.lines] if not _LOGGED.search(line)]
        assert not strange, strange

    def everyone_goes(self) -> None:
        """End all connections, after which the names of those who were cut off are held."""
        for one in list(self.people):
            self.lose(one, "close")
        self.until_none(self.differs, time.monotonic() + _SETTLE_S)

    def fail(self, problem: BaseException) -> None:
        """Say what everybody was told, and leave nothing to the next play."""
        people = "\n".join(one.transcript() for one in self.everyone)
        problem.add_note(f"play {self.number}:\n{people}")
        self.end_strays()
        for one in self.people:
            one.cut("close")
        self.stage.end()

    def end_strays(self) -> None:
        """Close what was begun and is not finished."""
        while self.strays:
            stray = self.strays.pop()
            stray.close() if isinstance(stray, socket.socket) else stray.cut("close")


class Stage:
    """The program that the plays are played on; after one that failed, the next has a new one."""

    def __init__(self, folder: Path, report: Callable[[str], None]) -> None:
        self._folder = folder
        self.report = report
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
            # `test_churn` counts reference cycles; malformed packets leave some to the collector.
            self.before = {**self._program.rests(), "in cycles": sys.maxsize}
            self.lines = len(self._program.errors)
        return self._program

    def end(self) -> None:
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
def stage(tmp_path: Path, report: Callable[[str], None]) -> Iterator[Stage]:
    one = Stage(tmp_path, report)
    yield one
    one.end()


def test_random_plays_leave_what_their_clients_know_of(stage: Stage, scale: Callable[[int], int]) -> None:
    plays = _PLAYS if scale(20) >= 20 else scale(20 * _QUICK_PLAYS)
    settings = hypothesis.settings(
        max_examples=plays,
        stateful_step_count=20,
        database=None,
        # The program goes on between plays, so the same play may end otherwise: it is shown as it was played.
        phases=(hypothesis.Phase.generate,),
        report_multiple_bugs=False,
        suppress_health_check=list(hypothesis.HealthCheck),
    )

    def play() -> Plays:
        return Plays(stage)

    test = get_state_machine_test(cast("type[Plays]", play), settings=settings)
    hypothesis.seed(int(os.environ.get("CHATROOM_TEST_SEED", "3")))(test)
    test()
    stage.report(
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
