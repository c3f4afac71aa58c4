"""SIGTERM while thousands are connected and some of them talk: nothing acknowledged is lost, and all come back."""

from __future__ import annotations

import contextlib
import resource
import select
import signal
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.faults.links import LINKS, Gone, WebSocketLink
from tests.faults.talkers import Talker, check_log
from tests.faults.visitors import KINDS, Visitor
from tests.support.program import Program

pytestmark = [pytest.mark.faults, pytest.mark.slow]

_TALKERS = 9
_PER_TALKER = 10  # messages per second
_ROOM = "talk "
_IN_A_ROOM = 100
_EXIT_S = 5.0
_SPREAD_S = 1.0  # from the first WebSocket's end to the last one's
_SPREAD_FROM = 1000  # people; fewer need not be spread so far
_COME_S = 300.0  # until the limits of an address have let everyone in
_FLAGS = (
    *("--message-burst", "100", "--message-rate", "100"),
    *("--history", "100000", "--ping-interval", "60"),
)


def talk(talker: Talker, over: threading.Event) -> None:
    """Send messages until the connection ends."""
    with contextlib.suppress(Gone):
        while not over.is_set():
            talker.say(f"{talker.label} {talker.said}")
            talker.listen(1 / _PER_TALKER)


def ends(sockets: list[WebSocketLink], over: threading.Event) -> list[float]:
    """When the server closed each of these."""
    moments: list[float] = []
    watched = select.poll()
    for link in sockets:
        assert link._socket.sock is not None
        watched.register(link._socket.sock, select.POLLRDHUP)
    while len(moments) < len(sockets):
        ended = watched.poll(1000)
        if not ended and over.is_set():
            break  # the others never end
        for fileno, _ in ended:
            watched.unregister(fileno)
            moments.append(time.monotonic())
    return moments


def comes(program: Program, kind: str, number: int, source: str, waits: ExitStack, **auth: object) -> Visitor:
    """Someone joins one of the rooms: few enough are in each that what they receive may wait unread.

    Like a client library, they try again while the limits of their address refuse them.
    """
    deadline = time.monotonic() + _COME_S
    while True:
        with contextlib.suppress(Gone):
            visitor = Visitor(program, kind, source)
            waits.callback(visitor.cut, "close")
            visitor.asks_to_join(room=f"{_ROOM}{number // _IN_A_ROOM}", roster="delta", **auth)
            visitor.waits_until_answered()
            if visitor.you is not None:
                return visitor
            visitor.cut("close")
            assert visitor.refusal is None or visitor.refusal["data"]["code"] == "rate_limited"
        assert time.monotonic() < deadline, "refused for too long"
        time.sleep(0.1)  # the budget refills with time alone


@pytest.mark.parametrize(
    ("people_in_all", "per_address"), [(3000, 50), (300, 300)], ids=["many addresses", "one address"]
)
def test_sigterm_in_mid_traffic_loses_nothing_and_all_return(
    tmp_path: Path,
    scale: Callable[[int], int],
    report: Callable[[str], None],
    people_in_all: int,
    per_address: int,
) -> None:
    people = scale(people_in_all)
    sources = [f"127.80.{number // per_address}.1" for number in range(people)]
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    talkers = [
        Talker(list(LINKS)[number % len(LINKS)], f"{_ROOM}0", f"t{number}", f"127.81.{number}.1")
        for number in range(_TALKERS)
    ]
    over = threading.Event()
    with ThreadPoolExecutor(_TALKERS + 1) as pool, ExitStack() as stack:
        stack.callback(over.set)
        program = stack.enter_context(Program(*_FLAGS, data_dir=tmp_path / "data"))
        visitors: list[Visitor] = []
        for number, source in enumerate(sources):
            # After a restart, a random name may be another's.
            auth = {"username": f"Visitor {number}"}
            visitors.append(comes(program, KINDS[number % len(KINDS)], number, source, stack, **auth))
            visitors[-1].listens()  # so that those who poll wait for an answer
        for talker in talkers:
            stack.callback(talker.leaves)
            talker.come(program.url)
        sockets = [visitor.link for visitor in visitors if isinstance(visitor.link, WebSocketLink)]
        watch = pool.submit(ends, sockets, over)
        talks = [pool.submit(talk, talker, over) for talker in talkers]
        while sum(len(talker.acked) for talker in talkers) < 10 * _TALKERS:
            assert not any(done.done() for done in talks)
            # Between two looks: the talkers count in threads of their own, and signal nothing.
            time.sleep(0.01)
        began = time.monotonic()
        program.signal(signal.SIGTERM)
        assert program.wait(60) == 0
        exit_s = time.monotonic() - began
        for done in talks:
            done.result(60)
        over.set()
        moments = watch.result(60)
        acked = sum(len(talker.acked) for talker in talkers)
        spread_s = moments[-1] - moments[0]
        assert len(moments) == len(sockets)

        program = stack.enter_context(Program(*_FLAGS, data_dir=tmp_path / "data", port=program.port))
        began = time.monotonic()
        for talker in talkers:
            talker.is_cut("close")
            talker.come(program.url)
            talker.settle()
        log = talkers[0].log()
        check_log(log, talkers)
        assert len(log) == sum(talker.said for talker in talkers), "each message is in the log once"
        for number, visitor in enumerate(visitors):
            assert visitor.you is not None
            visitor.cut("close")
            token = {} if visitor.is_line else {"token": visitor.you["token"]}
            again = comes(program, visitor.kind, number, sources[number], stack, **token)
            if token:
                assert again.you is not None
                assert (again.you["resumed"], again.you["username"]) == (True, visitor.you["username"])
        back_s = time.monotonic() - began
    report(
        f"{people} people, {per_address} per address, on {', '.join(KINDS)}: exit 0 after {exit_s:.1f} s, "
        f"{acked} messages acked, none lost; the connections ended over {spread_s:.1f} s; "
        f"all came back, under their names, within {back_s:.0f} s\n"
    )
    if scale(20) == 20:  # all of it: the machine is free for it
        assert exit_s < _EXIT_S
        assert spread_s > _SPREAD_S or people < _SPREAD_FROM
