"""The terminal client on bad connections: cut in mid-message, away for long, over TLS, at the wrong port."""

from __future__ import annotations

import json
import socket
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from chatroom.terminal.address import Address
from chatroom.terminal.frame import Frame
from chatroom.terminal.link import Link, State
from chatroom.terminal.view import View
from chatroom.terminal.words import ENGLISH
from tests.support.guests import Guests, becomes_free, until
from tests.support.impostor import OPENING, Impostor
from tests.support.lines import Terminals
from tests.support.program import ROOT, Program, Start
from tests.support.relay import Authority, Relay

CHAT = (sys.executable, "-m", "chatroom", "chat")


class Ear:
    """A link, and everything that it has reported."""

    def __init__(self, url: str, room: str | None = None, name: str | None = None) -> None:
        self.frames: list[Frame] = []
        self.states: list[State] = []
        self.waiting: list[tuple[str, ...]] = []
        self.link = Link(
            Address.parse(url),
            room=room,
            name=name,
            on_frame=self.frames.append,
            on_state=self.states.append,
            on_waiting=self.waiting.append,
        )
        self.link.open()
        until(lambda: self.states, "the room")

    def texts(self) -> list[str]:
        """All messages received, those of the welcomes included, in order of arrival."""
        texts = []
        for frame in self.frames:
            if "you" in frame:
                texts += [entry["msg"] for entry in frame["you"]["history"]]
            elif frame["action"] == "message":
                texts.append(frame["msg"])
        return texts

    def is_lost(self, times: int = 1) -> None:
        """Wait until the connection has been lost this many times."""
        until(lambda: self.states.count(State.LOST) == times, "losing the connection")

    def is_back(self, times: int = 1) -> None:
        """Wait until it has reconnected this many times."""
        until(lambda: self.states.count(State.OPEN) == times + 1, "coming back")


@pytest.fixture
def ears() -> Iterator[type[Ear]]:
    present: list[Ear] = []

    class Kept(Ear):
        def __init__(self, url: str, room: str | None = None, name: str | None = None) -> None:
            super().__init__(url, room, name)
            present.append(self)

    yield Kept
    for ear in present:
        ear.link.close()


@pytest.fixture
def relay(server: Program) -> Iterator[Relay]:
    relay = Relay(server.port)
    yield relay
    relay.close()


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    folder = tmp_path / "certificates"
    folder.mkdir()
    return Authority(folder)


def in_the_room(guests: Guests) -> list[str]:
    """The messages of the play's room, as a newcomer receives them."""
    return [entry["msg"] for entry in guests().you["history"]]


# Cut in mid-message


def test_a_message_cut_on_its_way_is_sent_once(
    relay: Relay, ears: type[Ear], guests: Guests, room: str
) -> None:
    romeo = guests()
    juliet = ears(relay.url, room, "Juliet")
    relay.hold("in")
    juliet.link.send("one", View())
    juliet.link.send("two", View())
    relay.waits("in")
    relay.cut()
    juliet.is_lost()
    assert juliet.link.unsent() == ("one", "two")
    relay.restore()
    assert juliet.link.wait_until_sent()
    assert [romeo.receives("message", username="Juliet")["msg"] for _ in range(2)] == ["one", "two"]
    assert in_the_room(guests) == ["one", "two"]
    assert juliet.link.refused == 0


def test_a_message_with_a_lost_answer_is_sent_once(
    relay: Relay, ears: type[Ear], guests: Guests, room: str
) -> None:
    romeo = guests()
    juliet = ears(relay.url, room, "Juliet")
    relay.hold("out")
    juliet.link.send("one", View())
    assert romeo.receives("message")["msg"] == "one"
    relay.waits("out")
    relay.cut()
    juliet.is_lost()
    assert juliet.link.unsent() == ("one",)
    relay.restore()
    assert juliet.link.wait_until_sent()
    juliet.link.send("two", View())
    assert romeo.receives("message")["msg"] == "two"
    assert in_the_room(guests) == ["one", "two"]
    until(lambda: juliet.texts() == ["one", "two"], lambda: juliet.texts())
    assert juliet.waiting[-1] == ()


def test_a_whisper_typed_while_away_goes_to_no_namesake(
    relay: Relay, ears: type[Ear], guests: Guests, room: str
) -> None:
    eve = guests(username="Eve")
    juliet = ears(relay.url, room, "Juliet")
    view = View()
    view.names = {eve.you["sid"]: "Eve"}
    relay.cut()
    juliet.is_lost()
    juliet.link.send("/to Eve secret", view)
    eve.emit({"action": "logout"})
    impostor = becomes_free(guests, "Eve")
    relay.restore()
    juliet.is_back()
    until(lambda: any("said" in frame for frame in juliet.frames), "the refusal")
    (refusal,) = [frame for frame in juliet.frames if "said" in frame]
    assert (refusal["said"], refusal["msg"]) == (
        "/to Eve secret",
        ENGLISH.say("other_person", name="Eve"),
    )
    impostor.receives_nothing("whisper")


def test_a_command_with_a_lost_answer_is_reported_not_repeated(
    relay: Relay, ears: type[Ear], guests: Guests, room: str
) -> None:
    romeo = guests(username="Romeo")
    juliet = ears(relay.url, room, "Juliet")
    relay.hold("out")
    juliet.link.send("/to Romeo psst", View())
    assert romeo.receives("whisper")["msg"] == "psst"
    juliet.link.send("//aloud", View())  # no question comes first, as it would after a whisper
    relay.waits("out")
    relay.cut()
    juliet.is_lost()
    relay.restore()
    assert juliet.link.wait_until_sent()
    romeo.waits_for(
        lambda: any(frame.get("msg") == "/aloud" for frame in romeo.frames), "the message after it"
    )
    assert [frame["msg"] for frame in romeo.frames if frame["action"] in ("message", "whisper")] == ["/aloud"]
    (told,) = [frame for frame in juliet.frames if frame.get("said")]
    assert told["said"] == "/to Romeo psst"
    assert "may not have taken effect" in told["msg"]
    assert juliet.link.refused == 1


def test_lines_typed_during_a_cut_are_sent_later(
    relay: Relay, ears: type[Ear], guests: Guests, room: str
) -> None:
    romeo = guests()
    juliet = ears(relay.url, room, "Juliet")
    relay.cut()
    juliet.is_lost()
    for text in ("one", "/name Jules", "two"):
        juliet.link.send(text, View())
    relay.restore()
    assert juliet.link.wait_until_sent()
    heard = [romeo.receives("message") for _ in range(2)]
    assert [(frame["username"], frame["msg"]) for frame in heard] == [("Juliet", "one"), ("Jules", "two")]


def test_a_name_chosen_by_command_survives_a_cut(
    relay: Relay, ears: type[Ear], guests: Guests, room: str
) -> None:
    romeo = guests()
    juliet = ears(relay.url, room, "Juliet")
    juliet.link.send("/name Jules", View())
    assert juliet.link.wait_until_sent()
    relay.cut()
    romeo.waits_for(lambda: any(frame["action"] in ("logout", "roster") for frame in romeo.frames), "leaving")
    relay.restore()
    juliet.is_back()
    juliet.link.send("it is me", View())
    assert romeo.receives("message", msg="it is me")["username"] == "Jules"


# Long absences


def test_a_long_absence_is_caught_up_in_order(
    relay: Relay, ears: type[Ear], guests: Guests, room: str
) -> None:
    romeo = guests()
    juliet = ears(relay.url, room)
    romeo.sends("before")
    until(lambda: juliet.texts() == ["before"], "the first one")
    relay.cut()
    juliet.is_lost()
    missed = [f"number {number}" for number in range(450)]
    for text in missed:
        romeo.sends(text)
    live = [f"live {number}" for number in range(100)]

    def speak() -> None:
        for text in live:
            romeo.sends(text)

    speaking = threading.Thread(target=speak)
    speaking.start()  # pages are fetched while the room goes on
    relay.restore()
    speaking.join(20)
    until(lambda: juliet.texts()[-1] == live[-1], lambda: str(juliet.texts()[-3:]))
    assert juliet.texts() == ["before", *missed, *live]


def test_coming_back_twice_to_a_silent_room_repeats_nothing(
    relay: Relay, ears: type[Ear], guests: Guests, room: str
) -> None:
    romeo = guests()
    romeo.sends("old")
    juliet = ears(relay.url, room)
    for times in (1, 2):
        relay.cut()
        juliet.is_lost(times)
        relay.restore()
        juliet.is_back(times)
    romeo.sends("new")
    until(lambda: "new" in juliet.texts(), "what is new")
    assert juliet.texts() == ["old", "new"]


def test_a_page_that_is_refused_is_asked_for_again(ears: type[Ear]) -> None:
    login = {
        "action": "login",
        "room": "tea",
        "name_list": [],
        "you": {"token": "T", "more": True, "history": [{"id": "1", "username": "Owl", "msg": "one"}]},
    }
    live = {"action": "message", "id": "3", "username": "Owl", "msg": "three"}
    impostor = Impostor(
        *(OPENING, "40{}", f"42{json.dumps(['msg', login])}", f"42{json.dumps(['msg', live])}"),
        answers=[
            '431[{"ok":false,"code":"rate_limited","retry_after":0.1}]',
            '432[{"ok":true,"more":true,"entries":[{"id":"2","username":"Owl","msg":"two"}]}]',
            '433[{"ok":true,"more":false,"entries":[]}]',
        ],
    )
    try:
        juliet = ears(impostor.url, "tea")
        until(lambda: juliet.texts() == ["one", "two", "three"], "all of it")
        juliet.link.close()
    finally:
        impostor.close()


def test_a_refused_client_says_how_long_and_waits(ears: type[Ear]) -> None:
    login = {"action": "login", "room": "tea", "name_list": [], "you": {"token": "T", "history": []}}
    welcome = (OPENING, "40{}", f"42{json.dumps(['msg', login])}")
    refusal = {"message": "no", "data": {"code": "rate_limited", "retry_after": 4}}
    impostor = Impostor(*welcome)
    relay = Relay(impostor.port)
    try:
        juliet = ears(relay.url, "tea")
        impostor.packets = (OPENING, f"44{json.dumps(refusal)}")
        relay.cut()
        juliet.is_lost()
        relay.restore()
        said = "Can't connect right now. Trying again in 4 s."
        until(lambda: said in [frame.get("msg") for frame in juliet.frames], "the refusal")
        impostor.packets = welcome
        juliet.is_back()
        _first, refused_at, back_at = impostor.came_at
        assert back_at - refused_at >= 4
        juliet.link.close()
    finally:
        relay.close()
        impostor.close()


def test_messages_no_longer_kept_are_reported_as_missing(
    start: Start, guests: Guests, terminals: Terminals
) -> None:
    program = start("--data-limit", "400KB", "--limits", "off")
    romeo = guests(url=program.url, room="lobby")
    relay = Relay(program.port)
    try:
        juliet = terminals(*CHAT, relay.url, "--plain", "--name", "Juliet")
        juliet.reads("You are Juliet")
        last_id = romeo.sends("seen")["id"]
        juliet.reads("seen$")
        relay.cut()
        juliet.reads("connection was lost")
        for number in range(300):
            romeo.sends(f"{'x' * 1900} number {number}")
        until(lambda: romeo.asks("history", after=last_id)["gap"], "the oldest messages are deleted")
        relay.restore()
        juliet.reads(r"^\* Some of the messages you missed are no longer kept")
        juliet.reads("number 299$")
        assert juliet.seen.count("seen") == 1
    finally:
        relay.close()


def test_a_long_absence_loses_the_name(start: Start, guests: Guests, ears: type[Ear]) -> None:
    program = start("--resume-grace", "0")
    relay = Relay(program.port)
    try:
        juliet = ears(relay.url, "lobby", "Juliet")
        relay.cut()
        juliet.is_lost()
        other = guests(url=program.url, room="lobby", username="Juliet")
        relay.restore()
        juliet.is_back()
        juliet.link.send("who am I", View())
        assert other.receives("message", msg="who am I")["username"] != "Juliet"
    finally:
        relay.close()


# TLS


@pytest.fixture
def tls_relay(server: Program, authority: Authority, monkeypatch: pytest.MonkeyPatch) -> Iterator[Relay]:
    """A relay that speaks TLS to the client, with a certificate that it trusts."""
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.file))
    relay = Relay(server.port, authority.context("localhost"))
    yield relay
    relay.close()


def test_it_sends_and_reconnects_over_tls(
    tls_relay: Relay, ears: type[Ear], guests: Guests, room: str
) -> None:
    romeo = guests()
    juliet = ears(tls_relay.url, room, "Juliet")
    juliet.link.send("through TLS", View())
    assert romeo.receives("message")["msg"] == "through TLS"
    assert juliet.link.wait_until_sent()
    tls_relay.hold("out")
    juliet.link.send("under way", View())
    assert romeo.receives("message")["msg"] == "under way"
    tls_relay.waits("out")
    tls_relay.cut()
    juliet.is_lost()
    long = "x" * 1500
    for _ in range(40):
        romeo.sends(long)  # more than a record of TLS
    tls_relay.restore()
    assert juliet.link.wait_until_sent()
    until(lambda: juliet.texts().count(long) == 40, "what was missed")
    assert juliet.texts()[:2] == ["through TLS", "under way"]
    assert juliet.texts().count("under way") == 1


def test_frames_in_one_tls_record_are_all_shown(
    tls_relay: Relay, ears: type[Ear], guests: Guests, room: str
) -> None:
    romeo = guests()
    juliet = ears(tls_relay.url, room)
    tls_relay.hold("out")
    texts = [f"number {number}" for number in range(30)]
    for text in texts:
        romeo.sends(text)
    tls_relay.release("out")
    until(lambda: juliet.texts() == texts, "all of them", 5)


def says_hello(url: str, *arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*CHAT, url, "--plain", *arguments],
        input="hello\n",
        capture_output=True,
        text=True,
        timeout=30,
        cwd=ROOT,
        env={"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", **environ},
        check=False,
    )


def test_a_script_talks_over_tls_to_whom_it_trusts_only(
    server: Program, guests: Guests, room: str, authority: Authority
) -> None:
    romeo = guests()
    relay = Relay(server.port, authority.context("localhost"))
    try:
        ended = says_hello(relay.url, "--room", room, SSL_CERT_FILE=str(authority.file))
        assert (ended.returncode, ended.stderr) == (0, "")
        assert romeo.receives("message")["msg"] == "hello"
        ended = says_hello(relay.url, "--room", room)
        assert (ended.returncode, ended.stdout) == (2, "")
        assert ended.stderr.startswith(f"chatroom: the certificate of {relay.url} is not trusted: ")
        assert "SSL_CERT_FILE" in ended.stderr
        assert ended.stderr.count("\n") == 1
    finally:
        relay.close()


def test_a_certificate_for_somebody_else_is_refused(server: Program, authority: Authority) -> None:
    relay = Relay(server.port, authority.context("chat.example.org"))
    try:
        ended = says_hello(relay.url, SSL_CERT_FILE=str(authority.file))
        assert ended.returncode == 2
        assert "is not trusted: Hostname mismatch, certificate is not valid for 'localhost'" in ended.stderr
    finally:
        relay.close()


# Wrong servers


def test_https_to_a_port_without_tls_is_one_clear_line(server: Program) -> None:
    ended = says_hello(server.url.replace("http", "https"))
    assert ended.returncode == 2
    assert ended.stderr.startswith(f"chatroom: no chatroom answers at https://127.0.0.1:{server.port}: ")
    assert "does not speak TLS" in ended.stderr
    assert ended.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (
            b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n",
            "it is full, or not ready: try again later",
        ),
        (
            b"HTTP/1.1 429 Too Many Requests\r\nRetry-After: 12\r\nContent-Length: 0\r\n\r\n",
            "too many sessions from this address: try again in 12 s",
        ),
        (
            b"HTTP/1.1 421 Misdirected Request\r\nContent-Length: 0\r\n\r\n",
            "it cannot be reached by this name",
        ),
        (b"HTTP/1.1 404 Not Found\r\nContent-Length: 5\r\n\r\n\x1b[2Jx", "HTTP 404"),
        (b"HTTP/1.1 301 Moved\r\nLocation: https://elsewhere/\r\n\r\n", "it redirects to another address"),
        (b"SSH-2.0-OpenSSH_9.2\r\n", "it does not speak WebSocket"),
        (b"", "the connection was closed"),
    ],
)
def test_another_kind_of_server_is_reported_in_one_line(answer: bytes, told: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as door:

        def serve() -> None:
            visitor, _ = door.accept()
            with visitor:
                visitor.recv(65536)
                visitor.sendall(answer)

        thread = threading.Thread(target=serve)
        thread.start()
        ended = says_hello(f"http://127.0.0.1:{door.getsockname()[1]}")
        thread.join(10)
    assert ended.returncode == 2
    assert ended.stderr.startswith(
        f"chatroom: no chatroom answers at http://127.0.0.1:{door_port(ended)}: {told}"
    )
    assert ended.stderr.count("\n") == 1
    assert "\x1b" not in ended.stderr


def door_port(ended: subprocess.CompletedProcess[str]) -> str:
    return str(ended.args[len(CHAT)]).rsplit(":", 1)[1]


def test_a_refused_start_exits_with_2(start: Start, guests: Guests) -> None:
    program = start("--max-room-people", "2")
    guests(url=program.url, room="tea", username="Fox")
    taken = says_hello(program.url, "--room", "tea", "--name", "FOX")
    assert (taken.returncode, taken.stderr) == (2, "chatroom: That name is taken.\n")
    guests(url=program.url, room="tea")
    full = says_hello(program.url, "--room", "tea")
    assert (full.returncode, full.stderr) == (2, "chatroom: That room is full. Try again in 5 s.\n")
    wrong = says_hello(program.url, "--room", "a/b")
    assert wrong.returncode == 2
    assert "That room name can't be used" in wrong.stderr


def test_cjk_rooms_base_paths_and_ipv6_work(start: Start) -> None:
    program = start("--base-path", "/chat", *(("--host", "::1") if has_ipv6() else ()))
    ended = says_hello(f"{program.url}/r/%E8%8C%B6%20room")
    assert (ended.returncode, ended.stderr) == (0, "")
    assert "in 茶 room. 1 person here." in ended.stdout
    ended = says_hello(program.url, "--room", "茶室")
    assert "in 茶室. 1 person here." in ended.stdout


def has_ipv6() -> bool:
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        return False
    return True


def test_a_refusal_on_reconnecting_is_shown_and_final(relay: Relay, ears: type[Ear], room: str) -> None:
    juliet = ears(relay.url, room, "Juliet")
    impostor = Impostor(OPENING, '44{"message":"You are banned.","data":{"code":"banned"}}')
    try:
        relay.cut()
        juliet.is_lost()
        relay.restore(impostor.port)
        until(lambda: juliet.link.is_over, "giving up")
        until(lambda: juliet.states[-1] is State.CLOSED, "the end")
        assert juliet.frames[-1]["msg"] == "You are banned."
        assert impostor.visits == 1
        assert juliet.link.was_closed_by_server
    finally:
        impostor.close()


def test_reconnecting_waits_for_a_full_room(
    relay: Relay, ears: type[Ear], room: str, server: Program
) -> None:
    juliet = ears(relay.url, room, "Juliet")
    impostor = Impostor(OPENING, '44{"message":"The room is full.","data":{"code":"room_full"}}')
    try:
        relay.cut()
        juliet.is_lost()
        relay.restore(impostor.port)
        until(lambda: impostor.visits == 2, "trying again")
        relay.restore(server.port)
        juliet.is_back()
    finally:
        impostor.close()


@pytest.mark.parametrize(
    "packets",
    [
        ("",),
        ("4",),
        ("0{}",),
        (OPENING, "44"),
        (OPENING, '44["\\u001b[2J"]'),
        (OPENING, '44{"message":"\\u001b]0;title\\u0007gone\\nsecond","data":7}'),
        (OPENING, "40" + "[" * 100_000),
        ("0" + "[" * 100_000,),
    ],
)
def test_an_impostor_cannot_control_the_terminal(packets: tuple[str, ...]) -> None:
    impostor = Impostor(*packets)
    try:
        ended = says_hello(impostor.url)
    finally:
        impostor.close()
    assert ended.returncode == 2
    assert ended.stderr.startswith("chatroom: ")
    assert ended.stderr.count("\n") == 1
    assert "\x1b" not in ended.stderr


@pytest.mark.parametrize(
    "frame",
    [
        '["msg"]',
        '["msg", 7]',
        '["msg", {}]',
        '["msg", {"action": ["login"], "you": {"history": 7}}]',
        '["msg", {"action": "login", "you": {"history": [7, {"id": 7}, {"id": "0"}]}, "name_list": [[1], 2]}]',
        '["msg", {"action": "message"}]',
        '["msg", {"action": "roster", "joined": {"a": 1}, "left": [["x"]]}]',
        '["msg", {"action": "notice", "said": 7, "msg": null}]',
    ],
)
def test_frames_that_make_no_sense_end_nothing(frame: str) -> None:
    last = '["msg", {"action": "notice", "msg": "last\\u001b[2J"}]'
    impostor = Impostor(OPENING, "40{}", f"42{frame}", f"42{last}", "41")
    try:
        ended = says_hello(impostor.url)
    finally:
        impostor.close()
    assert ended.returncode == 1
    assert ended.stdout.endswith("* last\n")
    assert "Traceback" not in ended.stderr


def test_a_silent_server_is_left_and_rejoined(start: Start, ears: type[Ear], guests: Guests) -> None:
    program = start("--ping-interval", "1", "--ping-timeout", "1")
    relay = Relay(program.port)
    try:
        juliet = ears(relay.url, "lobby", "Juliet")
        relay.hold("out")
        juliet.is_lost()
        relay.release("out")
        juliet.is_back()
        romeo = guests(url=program.url, room="lobby")
        juliet.link.send("still here", View())
        assert romeo.receives("message", msg="still here")["username"] == "Juliet"
    finally:
        relay.close()


def test_no_socket_is_left_open(start: Start, ears: type[Ear]) -> None:
    def sockets() -> int:
        return sum(
            stat.S_ISSOCK(file.stat().st_mode) for file in Path("/proc/self/fd").iterdir() if file.exists()
        )

    before = sockets()
    program = start()
    juliet = ears(program.url)
    program.stop()
    juliet.is_lost()
    until(lambda: sockets() == before + 2, "the end of the connection's own; two are for waking the thread")
    juliet.link.close()
    assert sockets() == before
