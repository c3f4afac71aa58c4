"""After a play of everything that a guest can do, nothing written says who it was, or holds what was private."""

from __future__ import annotations

import itertools
import json
import socket
import stat
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.support.guests import WAIT_S, until
from tests.support.program import Program, Start
from tests.support.raw import RawClient

PUBLIC = "what fox says to all"
PRIVATE = ("what owl whispers", "what fox says to owl", "what the line whispers")
CLAIMED = ("198.51.100.21", "198.51.100.22", "2001:db8:77::1")  # as X-Forwarded-For says
PEERS = [f"127.77.1.{number}" for number in range(2, 9)]
_acks = itertools.count(1)


class Client(RawClient):
    """A guest at an address; `learnt` has what must not be found anywhere."""

    def __init__(self, program: Program, peer: str, learnt: set[str], forwarded: str = "") -> None:
        place = socket.create_connection(
            ("127.0.0.1", program.port), timeout=WAIT_S, source_address=(peer, 0)
        )
        header = [f"X-Forwarded-For: {forwarded}"] if forwarded else []
        super().__init__(program.url, socket=place, header=header)
        self._learnt = learnt

    def opens(self) -> None:
        self._learnt.add(json.loads(self.receives()[1:])["sid"])

    def joins(self, **auth: Any) -> Client:
        self.enters(v=1, room="tea", **auth)
        self._learnt |= {self.login["sid"], self.login["you"]["token"]}
        return self

    def asks(self, action: str, **fields: Any) -> dict[str, Any]:
        number = next(_acks)
        self.sends(f"42{number}" + json.dumps(["msg", {"action": action, **fields}]))
        answer: dict[str, Any] = self.receives_answer(number)
        if "token" in answer:
            self._learnt.add(answer["token"])
        return answer


@pytest.mark.parametrize("form", ["text", "json"])
def test_nothing_written_says_who_someone_was(start: Start, tmp_path: Path, form: str) -> None:
    program = start("--trust-proxy", "127.0.0.1", *(("--log-json",) if form == "json" else ()))
    learnt = {*PRIVATE, *CLAIMED, *PEERS, "2001:db8:77:0", "the-cid-of-fox"}
    with ExitStack() as play:
        everyone_acts(program, learnt, play)
        check(program, tmp_path, learnt)
    program.stop()
    check(program, tmp_path, learnt)


def everyone_acts(program: Program, learnt: set[str], play: ExitStack) -> None:
    fox = play.enter_context(Client(program, PEERS[0], learnt, CLAIMED[0]))  # its peer is no proxy
    fox.joins()
    owl = play.enter_context(Client(program, "127.0.0.1", learnt, ", ".join(CLAIMED[1:])))
    owl.joins()
    name = owl.login["username"]
    assert fox.asks("message", msg=PUBLIC, cid="the-cid-of-fox")["ok"]
    assert owl.asks("whisper", to=fox.login["username"], msg=PRIVATE[0])["ok"]
    assert fox.asks("whisper", to=name, to_sid=owl.login["sid"], msg=PRIVATE[1])["ok"]
    assert fox.asks("message", msg=f"to:{name}")["ok"]
    assert fox.asks("message", msg=PRIVATE[1])["ok"]
    for action, fields in (("typing", {}), ("who", {}), ("history", {}), ("rename", {"username": "vixen"})):
        fox.asks(action, **fields)
    for wrong in ('42["msg",{"action":"message"', "4\x00", "42[]", "9"):
        bad = play.enter_context(Client(program, PEERS[1], learnt))
        bad.joins()
        bad.sends(wrong)
    fox.sends(b"what nobody asked for")
    token = fox.login["you"]["token"]
    again = play.enter_context(Client(program, PEERS[2], learnt))
    again.joins(token=token, username="fox")
    line = play.enter_context(
        socket.create_connection(
            ("127.0.0.1", program.line_port), timeout=WAIT_S, source_address=(PEERS[3], 0)
        )
    )
    line.sendall(
        f"/join tea\nhello\n/to {name} {PRIVATE[2]}\nto:{name}\n{PRIVATE[2]}\n/help\n\xff\n".encode()
    )
    owl.receives(lambda text: PRIVATE[2] in text)
    for request in REQUESTS:
        with socket.create_connection(
            ("127.0.0.1", program.port), timeout=WAIT_S, source_address=(PEERS[4], 0)
        ) as browser:
            browser.sendall(request.encode())
            assert browser.recv(1)
    flooder = play.enter_context(Client(program, PEERS[6], learnt))
    flooder.joins()
    flooder.sends_at_once(['42["msg",{"action":"message","msg":"more"}]'] * 300)
    flooder.receives(lambda text: "rate_limited" in text)
    assert owl.asks("logout") is not None


HEAD = f"HTTP/1.1\r\nX-Forwarded-For: {CLAIMED[0]}\r\nConnection: close\r\n"
REQUESTS = (
    f"GET / {HEAD}Host: localhost\r\n\r\n",
    f"GET /r/tea {HEAD}Host: localhost\r\nAccept: text/html\r\n\r\n",
    f"GET /nothing/ {HEAD}Host: localhost\r\nAccept: text/html\r\n\r\n",
    f"GET / {HEAD}Host: a:b:c\r\n\r\n",
    "GET / HTTP/9.9\r\n\r\n",
    f"GET /socket.io/?EIO=4&transport=polling {HEAD}Host: localhost\r\nOrigin: http://{PEERS[5]}:99\r\n\r\n",
    f"GET /socket.io/?EIO=4&transport=polling&sid={PEERS[5]} {HEAD}Host: localhost\r\n\r\n",
)


def check(program: Program, folder: Path, learnt: set[str]) -> None:
    """None of it is in the data folder or the log; public messages are in the folder."""
    until(lambda: any(PUBLIC.encode() in data for _, data in written(program, folder)), "stored")
    found = {
        (place, word) for place, data in written(program, folder) for word in learnt if word.encode() in data
    }
    assert found == set()
    assert {stat.S_IMODE(path.stat().st_mode) for path in (folder / "data").iterdir()} == {0o600}
    assert stat.S_IMODE((folder / "data").stat().st_mode) == 0o700


def written(program: Program, folder: Path) -> Iterator[tuple[str, bytes]]:
    yield "log", "\n".join(program.errors).encode()
    for path in folder.rglob("*"):
        if path.is_file():
            yield path.name, path.read_bytes()
