"""A text that may be meant for one person reaches nobody else, however it was typed, in both gateways."""

from __future__ import annotations

import json
import re
import socket
import time
from collections import Counter
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest
import requests
from hypothesis import HealthCheck, given, settings

from chatroom.core.errors import ANSWER_AFTER_S
from chatroom.core.expected import CONFIRM_S
from tests.support.guests import WAIT_S, Frame, Guest, Guests, asks_together, until
from tests.support.lines import Lines
from tests.support.program import Program, Start
from tests.support.typos import INVISIBLE, NAMES, PRIVATE

WAYS = ["socket", "line"]

MARKED = [
    "、to {name} {secret}",
    "／to {name} {secret}",
    "／ｍｓｇ　{name} {secret}",
    *(f"{mark}/to {{name}} {{secret}}" for mark in INVISIBLE[1:]),
    "/TO {name} {secret}",
]


class Poller:
    """A polling client that has joined the room."""

    def __init__(self, http: requests.Session, url: str, room: str) -> None:
        self._http = http
        self._url = f"{url}/socket.io/?EIO=4&transport=polling"
        self._url += f"&sid={json.loads(self._polls()[1:])['sid']}"
        self.received = ""
        self.posts(f"40{json.dumps({'room': room, 'v': 1})}")
        self.receives('"token"')

    def posts(self, *packets: str) -> None:
        self._http.post(self._url, "\x1e".join(packets), timeout=WAIT_S)

    def receives(self, text: str, times: int = 1) -> None:
        def has_come() -> bool:
            self.received += self._polls()
            return self.received.count(text) >= times

        until(has_come, text)

    def _polls(self) -> str:
        return self._http.get(self._url, timeout=WAIT_S).text


class Sender:
    """A sender in either gateway, who waits for the answer to each text."""

    def __init__(self, way: str, guests: Guests, lines: Lines, name: str | None = None) -> None:
        self.way = way
        if way == "socket":
            self.guest = guests() if name is None else guests(username=name)
            self.name = self.guest.name
        else:
            self.line = lines(name=name)
            self.name = self.line.name

    def types(self, text: str) -> str:
        """Type a text and wait until it has been handled; returns what the sender is shown."""
        if self.way == "socket":
            answer = self.guest.asks("message", msg=text)
            return answer.get("msg", "") if not answer["ok"] else self._noticed()
        self.line.types(text)
        return self.waits()

    def says(self, text: str) -> None:
        """Type a text for the room; the line gateway may ask first."""
        if "type it again" in self.types(text):
            # By the clock, on which the rule depends: a text that comes sooner came before the question was read.
            time.sleep(1.1 * CONFIRM_S)
            assert "type it again" not in self.types(text)

    def types_together(self, *texts: str) -> str:
        """Type several texts at once; returns what the sender is shown."""
        if self.way == "socket":
            return "\n".join(answer.get("msg", "") for answer in asks_together(self.guest, *texts))
        self.line.types_raw("".join(f"{text}\n" for text in texts).encode())
        return self.waits()

    def streams(self, *texts: str, gap_s: float) -> float:
        """Type texts at this pace until all are handled; returns the longest pause between two."""
        answers: list[Frame] = []
        sent_at: list[float] = []
        for text in texts:
            if self.way == "socket":
                self.guest.client.emit("msg", ({"action": "message", "msg": text},), callback=answers.append)
            else:
                self.line.types(text)
            sent_at.append(time.monotonic())
            time.sleep(gap_s)
        if self.way == "socket":
            until(lambda: len(answers) == len(texts), "all are answered")
        else:
            self.waits()
        return max(after - before for before, after in pairwise(sent_at))

    def waits(self) -> str:
        self.line.types("/rooms")
        return "\n".join(self.line.reads_up_to(r"\* Rooms: "))

    def _noticed(self) -> str:
        self.guest.asks("ping")
        texts = [frame["msg"] for frame in self.guest.frames if frame["action"] == "notice"]
        self.guest.frames.clear()
        return "\n".join(texts)


@pytest.fixture(params=WAYS)
def sender(request: pytest.FixtureRequest, guests: Guests, lines: Lines) -> Callable[..., Sender]:
    return lambda **who: Sender(request.param, guests, lines, **who)


def heard(guest: Guest, action: str = "message") -> list[str]:
    """The texts that a guest has received so far."""
    guest.asks("ping")
    return [frame["msg"] for frame in guest.frames if frame["action"] == action]


@pytest.mark.parametrize("text", MARKED, ids=ascii)
def test_a_command_is_one_however_its_beginning_was_typed(
    sender: Callable[..., Sender], guests: Guests, text: str
) -> None:
    romeo, bob, third = sender(), guests(username="Bob"), guests()
    romeo.types(text.format(name="bob", secret="s3cret"))
    assert bob.receives("whisper")["msg"] == "s3cret"
    assert heard(third) == []


@pytest.mark.parametrize(
    "text",
    ["to：Bob", "To:Bob", "TO:bob", "ｔｏ：bob", "to : Bob", "\ufeffto:\u200bBob ", 'to:"Bob"'],
    ids=ascii,
)
def test_to_starts_a_private_chat_in_any_case_and_width(
    sender: Callable[..., Sender], guests: Guests, text: str
) -> None:
    romeo, bob, third = sender(), guests(username="Bob"), guests()
    assert "You now talk to Bob only" in romeo.types(text)
    romeo.types("s3cret")
    assert bob.receives("whisper", username=romeo.name)["msg"] == "s3cret"
    assert "is over" in romeo.types("TO：")
    romeo.types("to all")
    assert third.receives("message")["msg"] == "to all"


@pytest.mark.parametrize(
    ("text", "taught"),
    [
        ("to:Bob hello", "/to Bob hello"),
        ("ＴＯ：bob,  hello\u3000you", "/to Bob hello you"),
        ('to:"Bob" hello', "/to Bob hello"),
        ("to:Ming Li: hello", "/to Ming Li hello"),
        ("to:Bob " + "long " * 20, "/to Bob long long long long long long lo…"),
    ],
    ids=ascii,
)
def test_a_text_after_to_name_is_refused_with_the_usage(
    sender: Callable[..., Sender], guests: Guests, text: str, taught: str
) -> None:
    romeo, bob, third = sender(), guests(username="Bob"), guests(username="Ming Li")
    answer = romeo.types(text)
    assert f", type {taught}" in answer
    assert heard(third) == heard(third, "whisper") == heard(bob, "whisper") == []


NEAR_MISSES = (
    "/home/u/x.log",
    "、你好",
    "/too Bob s3cret",
    "tell Bob s3cret",
    "私聊 Bob s3cret",
    'to"Bob"',
    "op 0123456789abcdef",
    "OP：０１２３４５６７８９abcdef",
    "to: do tomorrow",
    "to:Bob let us meet",
    "to Bob: s3cret",
    "\\to Bob s3cret",
    "ot:Bob",
    "msg Bob s3cret",
    "to;bob",
    "7to Bob s3cret",
    "a/to Bob s3cret",
    "toBob",
    "whisper to Bob: s3cret",
    "то:Bob",
    'to "Bob" s3cret',
    "(to Bob) s3cret",
    "too Bob s3cret",
    "t o Bob s3cret",
    "wisper Bob s3cret",
    "tp Bob s3cret",
    "对Bob说 s3cret",
    "mgs Bob s3cret",
    "тo Bob s3cret",
    "ot:Zed",
    "\\/join s3cret",
)


@pytest.mark.parametrize("text", NEAR_MISSES)
def test_near_misses_are_refused_with_the_usage(
    sender: Callable[..., Sender], guests: Guests, text: str
) -> None:
    romeo, bob, third = sender(), guests(username="Bob"), guests()
    answer = romeo.types(text)
    assert "begin it with /say." in answer
    romeo.types(f"/say {text}")
    assert third.receives("message")["msg"] == text
    assert heard(bob, "whisper") == []


def test_a_slip_in_a_longer_name_is_asked_about(sender: Callable[..., Sender], guests: Guests) -> None:
    romeo, ming, li = sender(), guests(username="Ming"), guests(username="Ming Li")
    for text in ("/to Ming Lo s3cret", "to:Ming Lee"):
        answer = romeo.types(text)
        assert '"Ming"' in answer
        assert '"Ming Li"' in answer
    romeo.types('/to "Ming" Lo s3cret')
    assert ming.receives("whisper")["msg"] == "Lo s3cret"
    assert heard(li, "whisper") == []


def test_a_former_name_is_answered_with_the_new_one(sender: Callable[..., Sender], guests: Guests) -> None:
    romeo, bob, third = sender(), guests(username="Bob"), guests()
    assert bob.asks("rename", username="Robert")["ok"]
    third.receives("rename")
    for text in ("/to Bob s3cret", "to:Bob"):
        assert "Bob is now called Robert" in romeo.types(text)
    newcomer = sender()
    for text in ("/to Bob s3cret", "to:Bob"):  # nobody learns who wrote what is in the history
        assert "Robert" not in newcomer.types(text)
    assert heard(bob, "whisper") == heard(third) == []


@pytest.mark.parametrize(
    ("text", "taught"), [("/tell Bob", "type /to Bob TEXT"), ("/to 小雨你好", "type /to 小雨 你好")]
)
def test_a_whisper_without_a_text_or_a_space_is_refused(
    sender: Callable[..., Sender], guests: Guests, text: str, taught: str
) -> None:
    romeo, bob, rain = sender(), guests(username="Bob"), guests(username="小雨")
    assert taught in romeo.types(text)
    assert heard(bob, "whisper") == heard(rain, "whisper") == heard(bob) == []


@pytest.mark.parametrize("join", ["join", "Join:", "jion"])
def test_a_join_without_its_slash_holds_what_follows(
    sender: Callable[..., Sender], guests: Guests, room: str, join: str
) -> None:
    romeo, third, there = sender(), guests(), guests(room=f"{room} den")
    shown = romeo.types_together(f"{join} {room} den", "s3cret")
    assert f"type /join {room} den" in shown or romeo.way == "socket"
    assert "Not sent" in shown
    romeo.types(f"{join} us later")
    third.receives_next("message", msg=f"{join} us later")
    assert heard(third) == heard(there) == []


@pytest.mark.parametrize(
    "line", ["/to Bob s3cret", "/toBob s3cret", "、w Bob s3cret", "to:Bob", "msg Bob s3cret", "/op s3cret"]
)
@pytest.mark.parametrize("end", ["\n", "\r\n", "\u2028"], ids=ascii)
def test_a_private_line_further_down_is_not_sent(guests: Guests, line: str, end: str) -> None:
    romeo, bob, third = guests(), guests(username="Bob"), guests()
    assert romeo.asks("message", msg=f"hello{end}{line}{end}s3cret")["code"] in (
        "bad_request",
        "unknown_command",
    )
    assert heard(bob, "whisper") == heard(third) == []
    romeo.sends(f"/say hello{end}{line}")
    assert "hello" in third.receives("message")["msg"]


@pytest.mark.parametrize(
    ("text", "sent"),
    [("//x", "/x"), ("／／x", "/x"), ("/say /x", "/x"), ("/say to:Bob", "to:Bob"), ("/say  two  ", " two  ")],
)
def test_escapes_send_the_text_after_them(guests: Guests, lines: Lines, text: str, sent: str) -> None:
    romeo, third = guests(), guests()
    romeo.sends(text)
    assert third.receives("message")["msg"] == sent
    juliet = lines()
    juliet.types(text)
    assert third.receives("message", username=juliet.name)["msg"] == sent


@pytest.mark.parametrize(
    "text",
    ["to:Bob", "To：Bob", "to:Eve s3cret", "/to", "/to Bob", "/to Bob x", "/w", "/join a/b", "/join"],
)
def test_texts_with_a_failed_change_of_audience_are_held(
    sender: Callable[..., Sender], guests: Guests, text: str
) -> None:
    romeo, third = sender(), guests(username="Eve")
    shown = romeo.types_together(text, "s3cret one", "s3cret two")
    assert shown.count("Not sent: something just before it was refused") == 2
    assert heard(third) == []
    romeo.types("hello")
    assert third.receives("message")["msg"] == "hello"


@pytest.mark.parametrize("text", ["to:Zed", "/to Zed s3cret", "/join a/b", "tell Bob s3cret"])
def test_a_text_sent_after_the_answer_is_public(
    sender: Callable[..., Sender], guests: Guests, text: str
) -> None:
    romeo, third = sender(), guests()
    guests(username="Bob")
    for number in range(3):
        romeo.types(text)
        romeo.says(f"hello {number}")
        third.receives("message", msg=f"hello {number}")
    assert not [text for text in heard(third) if "s3cret" in text]


@pytest.mark.parametrize(("count", "gap_s"), [(4, 0.0), (4, 0.005), (4, 0.1), (30, 0.05)])
def test_a_text_sent_before_the_answer_is_held(
    sender: Callable[..., Sender], guests: Guests, count: int, gap_s: float
) -> None:
    romeo, third = sender(), guests()
    for attempt in range(10):
        texts = [f"s3cret {attempt} {number}" for number in range(count)]
        longest_gap_s = romeo.streams("to:Zed", *texts, gap_s=gap_s)
        if longest_gap_s < 0.8 * ANSWER_AFTER_S:  # else the machine made a pause, and proves nothing
            assert not set(texts) & set(heard(third))
            break
    else:
        pytest.fail("the machine makes too many pauses")
    romeo.types("hello")
    third.receives("message", msg="hello")


@pytest.mark.parametrize("text", ["/to Bob", "to:Zed", "/Bob", "tell Bob"])
def test_the_line_after_a_refused_private_one_is_asked_about(guests: Guests, lines: Lines, text: str) -> None:
    romeo, third = Sender("line", guests, lines), guests()
    guests(username="Bob")
    romeo.types(text)
    assert "To send it to everyone, type it again" in romeo.types("s3cret")
    assert heard(third) == []
    romeo.says("s3cret")
    third.receives("message", msg="s3cret")


@pytest.mark.parametrize("word", ["to:", "w"])
def test_a_name_after_a_whisper_keyword_is_asked_about(guests: Guests, lines: Lines, word: str) -> None:
    romeo, third = lines(), guests()
    romeo.types_raw(f"{word}\n{third.name}\ns3cret\n".encode())
    romeo.reads(r"^\* Not sent: everyone here would see it")
    romeo.types("/rooms")
    romeo.reads(r"^\* Rooms: ")
    assert heard(third) == []


def test_to_alone_holds_nothing(sender: Callable[..., Sender], guests: Guests) -> None:
    romeo, third = sender(), guests()
    romeo.types(f"to:{third.name}")
    romeo.types_together("to:", "hello", "to:", "to all")
    for text in ("hello", "to all"):
        third.receives_next("message", msg=text)


def test_to_alone_before_any_chat_holds_nothing(sender: Callable[..., Sender], guests: Guests) -> None:
    romeo, third = sender(), guests()
    # The line gateway asks about a line after it, unless that begins with `/say`.
    romeo.types_together("to:", "hello" if romeo.way == "socket" else "/say hello")
    third.receives_next("message", msg="hello")


def test_to_alone_ends_the_hold(sender: Callable[..., Sender], guests: Guests) -> None:
    romeo, third = sender(), guests()
    romeo.types(f"to:{third.name}")
    romeo.types_together("to:Bob", "s3cret", "to:", "hello")
    third.receives_next("message", msg="hello")


def test_a_message_held_has_the_code_of_what_was_refused(guests: Guests) -> None:
    failed, held = asks_together(guests(), "/join a/b", "s3cret")
    assert failed["code"] == "room_invalid"
    assert (held["ok"], held["code"], held["held"]) == (False, "room_invalid", True)


def test_other_events_do_not_wait_for_an_answer(guests: Guests) -> None:
    romeo, third = guests(), guests()
    order = []
    romeo.client.emit("msg", ({"action": "message", "msg": "to:Zed"},), callback=lambda _: order.append("to"))
    for action in ("ping", "who"):
        romeo.client.emit(
            "msg", ({"action": action},), callback=lambda _, action=action: order.append(action)
        )
    until(lambda: len(order) == 3, "all are answered")
    assert order == ["ping", "who", "to"]
    failed, left = asks_together(romeo, "to:Zed", {"action": "logout"})
    assert (failed["code"], left) == ("no_such_person", {"ok": True})
    third.receives("logout", username=romeo.name)


def test_a_client_cut_before_the_answer_leaves_at_once(sender: Callable[..., Sender], guests: Guests) -> None:
    romeo, third = sender(), guests()
    if romeo.way == "socket":
        romeo.guest.emit({"action": "message", "msg": "to:Zed"})
        romeo.guest.emit({"action": "message", "msg": "s3cret"})
        romeo.guest.is_cut()
    else:
        romeo.line.types("to:Zed")
        romeo.line.types("s3cret")
        romeo.line.closes()
    third.receives("logout", username=romeo.name)
    third.asks("message", msg="to:Zed")  # by its answer, those would be due
    assert heard(third) == []


def begins_private_chat_with_someone_who_leaves(guests: Guests) -> tuple[Guest, Guest]:
    """Gives who began it, and a third person."""
    romeo, bob, third = guests(), guests(username="Bob"), guests()
    romeo.sends("to:Bob")
    bob.asks("logout")
    third.receives("logout", username="Bob")
    return romeo, third


def returns(guest: Guest, third: Guest, guests: Guests) -> Guest:
    """The same person, after the connection was cut."""
    guest.is_cut()
    third.receives("logout", username=guest.name)
    return guests(token=guest.you["token"])


def holds_the_first_text_only(guest: Guest, third: Guest) -> None:
    assert guest.asks("message", msg="s3cret")["held"]
    assert heard(third) == []
    guest.sends("hello")
    third.receives("message", msg="hello")


def test_a_text_refused_before_a_cut_is_refused_again(guests: Guests) -> None:
    romeo, third = begins_private_chat_with_someone_who_leaves(guests)
    romeo.emit({"action": "message", "msg": "s3cret"})
    again = returns(romeo, third, guests)
    holds_the_first_text_only(again, third)


@pytest.mark.parametrize(
    "asked",
    [
        {"action": "message", "msg": "s3cret"},
        {"action": "message", "msg": "/to Bob s3cret"},
        {"action": "whisper", "msg": "s3cret", "to": "Bob"},
        {"action": "whisper", "msg": "s3cret", "to_sid": "", "typed": True},
    ],
    ids=["talk", "typed", "whisper", "to_sid"],
)
def test_a_refused_text_sent_again_after_a_cut_is_refused(guests: Guests, asked: dict[str, object]) -> None:
    cid = (
        {"cid": "1"} if asked == {"action": "message", "msg": "s3cret"} else {}
    )  # else its name is asked about
    romeo, third = begins_private_chat_with_someone_who_leaves(guests)
    impostor = guests(username="Bob")
    asked = {**asked, **cid, **({"to_sid": impostor.sid} if "to_sid" in asked else {})}
    romeo.emit(asked)
    romeo.receives("notice", code="no_such_person")  # as if nobody had read it
    again = returns(romeo, third, guests)
    refused = again.asks_raw(asked)
    assert (refused["code"], refused["name"]) == ("no_such_person", "Bob")
    assert refused.get("again") or refused.get("held")
    assert heard(third) == heard(impostor, "whisper") == []
    assert again.asks_raw(asked)["ok"]
    assert [*heard(third), *heard(impostor, "whisper")] == ["s3cret"]


def test_a_text_after_a_lost_refusal_is_held(server: Program, guests: Guests, room: str) -> None:
    third = guests()
    with requests.Session() as http:
        poller = Poller(http, server.url, room)
        message = json.dumps(["msg", {"action": "message", "msg": "to:Ghost"}])
        poller.posts(f"420{message}", "41")
    third.receives("logout")
    again = guests(token=re.findall(r'"token":"([^"]+)"', poller.received)[0])
    holds_the_first_text_only(again, third)


@pytest.mark.parametrize(
    "first",
    [
        {"action": "message", "msg": "/nosuch den"},
        {"action": "join", "room": "a/b"},
        {"action": "join", "room": None},
        {"action": "Join", "room": "den"},
        {"room": "den"},
    ],
    ids=str,
)
def test_texts_after_a_refusal_in_the_same_payload_are_held(
    server: Program, guests: Guests, room: str, first: dict[str, object]
) -> None:
    third = guests()
    with requests.Session() as http:
        poller = Poller(http, server.url, room)
        packets = [json.dumps(["msg", one]) for one in (first, {"action": "message", "msg": "s3cret"})]
        poller.posts(*(f"42{number}{one}" for number, one in enumerate(packets)))
        poller.receives('"ok":false', times=2)
        assert "Not sent: something just before it was refused" in poller.received
        poller.posts("42" + packets[1])  # once it could be read, it is a message as any other
    third.receives("message", msg="s3cret")


def test_a_change_of_audience_refused_for_its_haste_holds_others(start: Start, guests: Guests) -> None:
    program = start("--event-burst", "5", "--event-rate", "20")
    romeo, third = guests(url=program.url), guests(url=program.url)
    guests(url=program.url, username="Bob")
    answers = asks_together(romeo, *["to:Bob"] * 12, *["s3cret"] * 12, gap_s=0.02)
    assert "rate_limited" in [answer.get("code") for answer in answers[:12]]
    assert heard(third) == []


@pytest.mark.parametrize(
    ("text", "more"), [("/to Bob", 50_000), ("to Bob", 2100), ("私聊Bob", 2100), (".ещ Bob", 2100)]
)
def test_a_private_text_that_is_too_long_holds_others(guests: Guests, text: str, more: int) -> None:
    romeo, third = guests(), guests()
    too_long, held = asks_together(romeo, f"{text} {'x' * more}", "s3cret")
    assert (too_long["code"], held["held"]) == ("too_long", True)
    assert heard(third) == []


@pytest.mark.parametrize("field", ["to", "to_sid", "reciever", "visibleTo", "发给"])
def test_a_message_to_one_person_is_refused(guests: Guests, field: str) -> None:
    romeo, bob, third = guests(), guests(username="Bob"), guests(username="Kim")
    assert romeo.asks("message", msg="s3cret", **{field: bob.name})["code"] == "bad_request"
    misspelt = romeo.asks("whisper", to="Kim", to_sdi=bob.sid, msg="s3cret")
    assert (misspelt["code"], misspelt["field"]) == ("bad_request", "to_sdi")
    assert heard(third) == heard(bob) == heard(third, "whisper") == []


def test_a_line_after_an_overlong_private_one_is_held(guests: Guests, lines: Lines) -> None:
    romeo, third = Sender("line", guests, lines), guests()
    for text in (f"/to Bob {'x' * 10_000}", f"\u200bTO：{'x' * 10_000}"):
        shown = romeo.types_together(text, "s3cret")
        assert "too long" in shown
        assert "Not sent: something just before it was refused" in shown
    assert heard(third) == []


@pytest.mark.parametrize(
    "event",
    [
        ("msg", {"action": "move", "room": "den"}),
        ("msg", {"action": ["join"], "room": "den"}),
        ("msg", {"action": "join", "room": "den"}, "den"),
        ("join", {"room": "den"}),
    ],
    ids=str,
)
def test_a_possible_join_holds_texts(guests: Guests, event: tuple[object, ...]) -> None:
    romeo, third = guests(), guests()
    name, *arguments = event
    romeo.client.emit(name, tuple(arguments))
    answer = romeo.asks("message", msg="s3cret")
    assert (answer["ok"], answer.get("held")) == (False, True)
    assert heard(third) == []
    romeo.sends("hello")
    third.receives_next("message", msg="hello")


@pytest.mark.parametrize("asks_for_ack", [True, False])
def test_a_refused_join_holds_until_its_answer(guests: Guests, asks_for_ack: bool) -> None:
    romeo, third = guests(), guests()
    join = {"action": "join", "room": "a/b"}
    if asks_for_ack:
        answers = asks_together(romeo, join, "s3cret", gap_s=0.05)
        assert [answer["code"] for answer in answers] == ["room_invalid"] * 2
        assert romeo.asks(**join)["code"] == "room_invalid"
    else:
        romeo.emit(join)
        romeo.receives("notice", code="room_invalid")
    romeo.sends("hello")
    third.receives_next("message", msg="hello")


def test_a_line_that_comes_with_an_unknown_command_is_held(guests: Guests, lines: Lines) -> None:
    romeo, third = Sender("line", guests, lines), guests()
    assert "Not sent" in romeo.types_together("/jion den", "s3cret")
    assert heard(third) == []


def test_a_pipe_to_someone_absent_sends_nothing(server: Program, guests: Guests) -> None:
    third = guests(room="lobby")
    with socket.create_connection(("127.0.0.1", server.line_port)) as pipe:
        pipe.sendall(b"to:Bob\nsecret\n")
        pipe.shutdown(socket.SHUT_WR)
        with pipe.makefile() as shown:
            assert "Not sent" in shown.read()
    assert "secret" not in heard(third)


# Whom a name means


def test_to_sid_reaches_that_session_only(guests: Guests) -> None:
    romeo, ben = guests(), guests(username="Ben")
    assert romeo.asks("whisper", to="Ben", to_sid=ben.sid, msg="one") == {"ok": True}
    assert ben.receives("whisper")["msg"] == "one"
    ben.asks("rename", username="Benjamin")
    assert romeo.asks("whisper", to="Ben", to_sid=ben.sid, msg="two") == {"ok": True}
    assert ben.receives("whisper")["to"] == "Benjamin"
    ben.asks("logout")
    romeo.receives("logout", username="Benjamin")
    impostor = guests(username="Ben")
    answer = romeo.asks("whisper", to="Ben", to_sid=ben.sid, msg="three")
    assert (answer["code"], answer["name"]) == ("no_such_person", "Ben")
    assert heard(impostor, "whisper") == []
    assert romeo.asks("whisper", msg="x")["code"] == "bad_request"


def test_a_typed_whisper_is_read_as_a_message_is(guests: Guests) -> None:
    romeo, ben, eve = guests(), guests(username="Ben"), guests(username="Eve")

    def whispers(msg: str, **more: Any) -> Frame:
        return romeo.asks("whisper", to="Ben", to_sid=ben.sid, msg=msg, **more)

    for near in ("to Eve s3cret", "\\to Eve s3cret", "tp:Eve", "hello\n/to Eve s3cret"):
        answer = whispers(near, typed=True)
        assert (answer["code"], answer["name"]) == ("bad_request", "Eve")
    for secret in ("op 0123456789abcdef", "/too Eve s3cret"):
        assert whispers(secret, typed=True)["code"] == "unknown_command"
    assert whispers("/to Eve s3cret", typed=True)["code"] == "bad_request"
    assert heard(ben, "whisper") == heard(eve, "whisper") == []
    for typed, shown in (("//x", "/x"), ("/say to Eve x", "to Eve x"), ("hello", "hello")):
        assert whispers(typed, typed=True) == {"ok": True}
        assert ben.receives("whisper")["msg"] == shown
    assert whispers("//x") == {"ok": True}  # a program's text is sent as it is
    assert ben.receives("whisper")["msg"] == "//x"


def test_a_whisper_asks_once_about_a_reassigned_name(guests: Guests) -> None:
    romeo, ben, third = guests(), guests(username="Ben"), guests()
    ben.asks("logout")
    third.receives("logout", username="Ben")
    other = guests(username="Ben")
    whispers = {"to": "Ben", "to_sid": other.sid, "typed": True}
    answers: list[Frame] = []
    for _ in range(3):  # before any answer can be read
        request = {"action": "whisper", "msg": "s3cret", **whispers}
        romeo.client.emit("msg", (request,), callback=answers.append)
    until(lambda: len(answers) == 3, "all are answered")
    for refused in answers:
        assert refused["code"] == "no_such_person"
    assert answers[0]["again"]
    assert "someone else is now called" in answers[0]["msg"]
    assert heard(other, "whisper") == []
    assert romeo.asks("whisper", msg="hello, new one", **whispers) == {"ok": True}
    assert other.receives("whisper")["msg"] == "hello, new one"
    third.asks("rename", username="Eve")
    third.asks("rename", username="Zoe")
    other.asks("rename", username="Eve")
    assert romeo.asks("whisper", msg="still you", **whispers) == {"ok": True}


def test_a_confirmed_whisper_goes_to_who_has_the_name_now(guests: Guests) -> None:
    romeo, ben, third = guests(), guests(username="Ben"), guests()
    ben.asks("logout")
    third.receives("logout", username="Ben")
    other = guests(username="Ben")
    whispers = {"to": "Ben", "to_sid": other.sid, "typed": True}
    assert romeo.asks("whisper", msg="is it you?", confirmed=True, **whispers) == {"ok": True}
    assert romeo.asks("whisper", msg="and so on", **whispers) == {"ok": True}
    assert other.receives("whisper", msg="and so on")


def test_to_sid_finds_who_has_come_back_with_a_token(guests: Guests) -> None:
    romeo, ben = guests(), guests(username="Ben")
    ben.is_cut()
    romeo.receives("logout", username="Ben")
    again = guests(token=ben.you["token"])
    assert romeo.asks("whisper", to="Ben", to_sid=ben.sid, msg="still you") == {"ok": True}
    assert again.receives("whisper")["msg"] == "still you"


@pytest.mark.parametrize("way", ["whisper", "command", "talk"])
def test_a_private_text_sent_again_is_received_once(guests: Guests, way: str) -> None:
    romeo, ben, third = guests(), guests(username="Ben"), guests()
    if way == "talk":
        for sender in (romeo, third):
            assert sender.asks("message", msg="to:Ben") == {"ok": True}

    def send(sender: Guest, cid: str, text: str = "psst") -> Frame:
        if way == "whisper":
            return sender.asks("whisper", to="Ben", to_sid=ben.sid, msg=text, cid=cid)
        return sender.asks("message", msg=text if way == "talk" else f"/to Ben {text}", cid=cid)

    for _ in range(2):
        assert send(romeo, "c1") == {"ok": True}
    again = returns(romeo, third, guests)
    assert send(again, "c1") == {"ok": True}
    assert send(third, "c1", "another's") == {"ok": True}
    assert send(again, "c2", "last") == {"ok": True}
    assert heard(ben, "whisper") == ["psst", "another's", "last"]


def test_a_resent_private_text_is_not_public(guests: Guests) -> None:
    romeo, ben, third = guests(), guests(username="Ben"), guests()
    for msg, cid in (("to:Ben", "c1"), ("secret", "c2"), ("to:", "c3"), ("secret", "c2"), ("public", "c4")):
        assert romeo.asks("message", msg=msg, cid=cid)["ok"]
    assert heard(ben, "whisper") == ["secret"]
    assert heard(third, "message") == ["public"]


def test_who_with_a_sid_finds_who_has_come_back(guests: Guests) -> None:
    romeo, ben = guests(), guests(username="Ben")
    assert romeo.asks("who", sid=ben.sid) == {"ok": True, "username": "Ben", "sid": ben.sid}
    ben.is_cut()
    romeo.receives("logout", username="Ben")
    assert romeo.asks("who", sid=ben.sid)["code"] == "no_such_person"
    again = guests(token=ben.you["token"])
    assert romeo.asks("who", sid=ben.sid) == {"ok": True, "username": "Ben", "sid": again.sid}


def test_nothing_ties_who_logged_out_to_a_later_session(guests: Guests) -> None:
    romeo, ben = guests(), guests(username="Ben")
    ben.is_cut()
    romeo.receives("logout", username="Ben")
    back = guests(token=ben.you["token"])
    back.asks("logout")
    romeo.receives("logout", username="Ben")
    later = guests(token=ben.you["token"])
    for sid in (ben.sid, back.sid):
        assert romeo.asks("who", sid=sid)["code"] == "no_such_person"
        assert romeo.asks("whisper", to_sid=sid, to="Ben", msg="s3cret")["code"] == "no_such_person"
    assert heard(later, "whisper") == []


def test_a_private_chat_goes_on_when_the_partner_comes_back(
    sender: Callable[..., Sender], guests: Guests
) -> None:
    romeo, ben, third = sender(), guests(username="Ben"), guests()
    romeo.types("to:Ben")
    ben.is_cut()
    third.receives("logout", username="Ben")
    again = guests(token=ben.you["token"])
    third.receives("login", username="Ben")
    romeo.types("s3cret")
    assert again.receives("whisper")["msg"] == "s3cret"
    assert heard(third) == []


def test_a_longer_name_that_has_left_is_asked_about(sender: Callable[..., Sender], guests: Guests) -> None:
    romeo, ming, ming_li = sender(), guests(username="Ming"), guests(username="Ming Li")
    ming_li.asks("logout")
    ming.receives("logout", username="Ming Li")
    assert '/to "Ming" TEXT' in romeo.types("/to Ming Li s3cret")
    assert heard(ming, "whisper") == []
    romeo.types('/to "Ming" Li is a name')
    assert ming.receives("whisper")["msg"] == "Li is a name"


@pytest.mark.parametrize("has_left", [False, True], ids=["here", "gone"])
def test_a_longer_name_gets_no_text_for_a_known_person(
    sender: Callable[..., Sender], guests: Guests, has_left: bool
) -> None:
    longer = "Bob I"
    romeo, bob, eve = sender(), guests(username="Bob"), guests(username=longer)
    romeo.types("/to Bob hello")
    if has_left:
        bob.asks("logout")
        eve.receives("logout", username="Bob")
    quoted = longer if has_left else "Bob"
    assert f'/to "{quoted}" TEXT' in romeo.types("/to Bob I s3cret")
    assert heard(eve, "whisper") == []
    romeo.types(f'/to "{longer}" it is for you')
    assert eve.receives("whisper")["msg"] == "it is for you"
    romeo.types(f"/to {longer} you are known now")
    assert eve.receives("whisper")["msg"] == "you are known now"


def test_a_name_that_has_changed_hands_is_refused_once(sender: Callable[..., Sender], guests: Guests) -> None:
    romeo, ben, third = sender(), guests(username="Ben"), guests()
    ben.asks("logout")
    third.receives("logout", username="Ben")
    other = guests(username="Ben")
    shown = romeo.types("/to Ben s3cret")
    assert "someone else is now called Ben. To write to that person, type this again: /to Ben s3cret" in shown
    assert heard(other, "whisper") == []
    romeo.types("/to Ben hello, new one")
    assert other.receives("whisper")["msg"] == "hello, new one"


def test_who_comes_back_with_a_token_is_the_same_person(
    sender: Callable[..., Sender], guests: Guests
) -> None:
    romeo, ben, third = sender(), guests(username="Ben"), guests()
    romeo.types("/to Ben one")
    ben.is_cut()
    third.receives("logout", username="Ben")
    again = guests(token=ben.you["token"])
    romeo.types("/to Ben two")
    assert again.receives("whisper")["msg"] == "two"


def test_a_name_given_up_and_taken_is_another_persons(sender: Callable[..., Sender], guests: Guests) -> None:
    romeo, ben, eve = sender(), guests(username="Ben"), guests()
    romeo.types("/to Ben one")
    ben.asks("rename", username="Benjamin")
    eve.asks("rename", username="Ben")
    eve.receives("rename", to="Ben")
    assert "someone else is now called" in romeo.types("/to Ben s3cret")
    assert heard(eve, "whisper") == []


def test_taking_a_name_twice_hides_nobody(sender: Callable[..., Sender], guests: Guests) -> None:
    romeo, ben, eve = sender(), guests(username="Ben"), guests()
    ben.asks("logout")
    eve.receives("logout", username="Ben")
    for name in ("Ben", "Eve", "Ben"):
        assert eve.asks("rename", username=name)["ok"]
    eve.receives("rename", username="Eve", to="Ben")
    assert "someone else is now called" in romeo.types("/to Ben s3cret")
    assert heard(eve, "whisper") == []


def test_a_name_taken_while_one_was_elsewhere_is_another_persons(
    sender: Callable[..., Sender], guests: Guests, room: str
) -> None:
    romeo, ben, third = sender(), guests(username="Ben"), guests()
    romeo.types(f"/join {room} next")
    third.receives("logout", username=romeo.name)
    ben.asks("logout")
    third.receives("logout", username="Ben")
    other = guests(username="Ben")
    romeo.types(f"/join {room}")
    other.receives("login", username=romeo.name)
    assert "someone else is now called" in romeo.types("/to Ben s3cret")
    assert heard(other, "whisper") == []


@pytest.mark.parametrize(
    "text", ["/name /to Bob s3cret", "/name x to:Bob s3cret", "/nick msg Bob s3cret", "/name\t/w Bob s3cret"]
)
def test_a_private_text_does_not_become_a_name(
    sender: Callable[..., Sender], guests: Guests, text: str
) -> None:
    romeo, bob, third = sender(), guests(username="Bob"), guests()
    assert "looks like a whisper" in romeo.types(text)
    assert "s3cret" not in str(third.asks("who")) + str(bob.frames)


def test_an_answer_to_a_whisper_does_not_go_to_all(guests: Guests, lines: Lines) -> None:
    romeo, third = lines(), guests()
    third.asks("whisper", to=romeo.name, msg="are you coming?")
    romeo.reads("are you coming")
    romeo.reads(rf"^\* To answer, type /to {re.escape(third.name)} TEXT\.")
    romeo.types("yes, tell nobody")
    romeo.reads(r"^\* Not sent: everyone here would see it\..* /to ")
    assert heard(third) == []
    romeo.types_raw(f"/to {third.name} yes\nat nine\n".encode())  # as pasted
    third.receives("whisper", msg="yes")
    romeo.reads(r"^\* Not sent: everyone here would see it")
    romeo.types("who else comes?")
    romeo.reads(r"^\* Not sent: everyone here would see it")
    # By the clock, on which the rule depends: a text that comes sooner was written before the answer.
    time.sleep(1.1 * CONFIRM_S)
    romeo.types("who else comes?")
    third.receives("message", msg="who else comes?")


def test_punctuation_around_a_name_makes_no_new_name(guests: Guests, lines: Lines) -> None:
    bob, eve, third = guests(username="Bob"), guests(), guests(username="to")
    for name in ("@Bob", "Bob:", "Bob.", "(Bob)", "<Bob>", "*Bob*"):
        assert eve.asks("rename", username=name)["code"] == "name_taken", name
    romeo = Sender("line", guests, lines)
    assert "is it for to or for Bob?" in romeo.types("/whisper to Bob s3cret one")
    romeo.types("/to Bob hello")
    bob.asks("logout")
    third.receives("logout", username="Bob")
    assert eve.asks("rename", username="@Bob")["ok"]
    third.receives("rename", to="@Bob")
    assert "someone else is now called @Bob" in romeo.types("/to @Bob s3cret two")
    assert heard(eve, "whisper") == heard(third, "whisper") == []


def test_a_name_taken_during_a_cut_is_another_persons(guests: Guests) -> None:
    romeo, ben, third = guests(username="Romeo"), guests(username="Ben"), guests()
    romeo.is_cut()
    third.receives("logout", username="Romeo")
    ben.asks("logout")
    third.receives("logout", username="Ben")
    again, other = guests(token=romeo.you["token"]), guests(username="Ben")
    assert again.asks("whisper", to="Ben", msg="s3cret")["code"] == "no_such_person"
    assert heard(other, "whisper") == []


@pytest.mark.parametrize("private", ["/to Bob s3cret", "to:Bob\ns3cret", "to:\ns3cret"], ids=ascii)
@pytest.mark.parametrize("join", ["/join", "/jion", "join"])
def test_a_failed_join_holds_private_texts_for_the_other_room(
    guests: Guests, lines: Lines, room: str, join: str, private: str
) -> None:
    other, bob, third = guests(username="Ann", room=f"{room}-2"), guests(username="Bob"), guests()
    ann = lines(name="Ann")
    ann.types_raw(f"{join} {room}-2\n{private}\n".encode())
    ann.reads("^[*] Not sent: something just before it was refused")
    ann.types("/rooms")
    ann.reads("^[*] Rooms: ")
    assert heard(bob, "whisper") == heard(third) == heard(other) == []


def test_nothing_of_a_paste_reaches_who_has_taken_a_name(guests: Guests, lines: Lines) -> None:
    romeo, ben, third = Sender("line", guests, lines), guests(username="Ben"), guests()
    romeo.types("/to Ben one")
    ben.asks("logout")
    third.receives("logout", username="Ben")
    other = guests(username="Ben")
    shown = romeo.types_together("/to Ben s3cret one", "/to Ben s3cret two", "to:Ben", "s3cret three")
    assert "someone else is now called" in shown
    assert heard(other, "whisper") == heard(third) == []


@pytest.mark.parametrize(
    "written", ["Ming  Li", "Ming\tLi", "ming\u2003 LI", "Ming Li:", "Ming Li，"], ids=ascii
)
@pytest.mark.parametrize("has_left", [False, True], ids=["here", "gone"])
def test_the_longest_matching_name_is_meant(
    sender: Callable[..., Sender], guests: Guests, written: str, has_left: bool
) -> None:
    romeo, ming, ming_li = sender(), guests(username="Ming"), guests(username="Ming Li")
    if has_left:
        ming_li.asks("logout")
        ming.receives("logout", username="Ming Li")
    romeo.types(f"/to {written} s3cret")
    assert heard(ming, "whisper") == []


# Private chats of Socket.IO clients


def test_to_starts_a_private_chat_over_socket_io(guests: Guests) -> None:
    romeo, bob, third = guests(), guests(username="Bob"), guests()
    assert romeo.asks("message", msg="to:Bob") == {"ok": True}
    opened = romeo.receives("notice", code="command")
    assert (opened["to"], opened["to_sid"]) == ("Bob", bob.sid)
    assert romeo.asks("message", msg="s3cret", cid="1") == {"ok": True}
    for side in (romeo, bob):
        side.receives("whisper", username=romeo.name, to="Bob", msg="s3cret")
    bob.sends("the composer has not moved")
    assert romeo.asks("message", msg="to:") == {"ok": True}
    assert "to" not in romeo.receives("notice", code="command")
    assert "id" in romeo.sends("to all")
    third.receives("message", msg="to all")
    assert "s3cret" not in str(third.frames)


def test_after_the_partner_leaves_the_next_message_is_refused(guests: Guests) -> None:
    romeo, bob, third = guests(), guests(username="Bob"), guests()
    romeo.sends("to:Bob")
    bob.asks("logout")
    assert "Bob has left" in romeo.receives("notice", code="talk")["msg"]
    impostor = guests(username="Bob")
    answer = romeo.asks("message", msg="s3cret")
    assert (answer["code"], answer["name"], answer["held"]) == ("no_such_person", "Bob", True)
    assert heard(third) == []
    romeo.sends("to all")
    third.receives("message", msg="to all")
    assert heard(impostor, "whisper") == []


def test_a_private_chat_follows_renames_and_ends_in_another_room(guests: Guests, room: str) -> None:
    romeo, bob = guests(), guests(username="Bob")
    romeo.sends("to:Bob")
    bob.asks("rename", username="Robert")
    romeo.sends("s3cret")
    bob.receives("whisper", to="Robert", msg="s3cret")
    there = guests(room=f"{room} next")
    assert romeo.asks("join", room=f"{room} next")["ok"]
    romeo.receives("login")
    romeo.sends("hello")
    there.receives("message", msg="hello")


@pytest.mark.parametrize("cut_first", [True, False], ids=["cut", "replaced"])
def test_a_private_chat_goes_on_when_its_session_resumes(guests: Guests, cut_first: bool) -> None:
    romeo, bob, third = guests(username="Romeo"), guests(username="Bob"), guests()
    romeo.sends("to:Bob")
    if cut_first:
        romeo.is_cut()
        third.receives("logout", username="Romeo")
    again = guests(token=romeo.you["token"])
    assert "still talk to Bob" in again.receives("notice", code="talk")["msg"]
    again.sends("s3cret")
    bob.receives("whisper", msg="s3cret")
    assert heard(third) == []


def test_a_talk_goes_on_when_both_sessions_resume(guests: Guests) -> None:
    romeo, bob, third = guests(username="Romeo"), guests(username="Bob"), guests()
    romeo.sends("to:Bob")
    romeo.is_cut()
    third.receives("logout", username="Romeo")
    bob.is_cut()
    third.receives("logout", username="Bob")
    again, bob_again = guests(token=romeo.you["token"]), guests(token=bob.you["token"])
    again.sends("s3cret")
    bob_again.receives("whisper", msg="s3cret")


def test_a_restart_refuses_the_first_text_of_a_chat(start: Start, room: str) -> None:
    program = start()
    people = [Guest(program.url, {"room": room, "v": 1, "username": name}).enter() for name in ("Ann", "Bob")]
    ann, bob = people
    ann.sends("to:Bob")
    bob.sends("to:Ann")
    bob.sends("to:")
    program.kill()
    for guest in people:
        guest.waits_for_disconnect()
    program = start()
    third = Guest(program.url, {"room": room, "v": 1}).enter()
    ann, bob = (
        Guest(program.url, {"room": room, "v": 1, "token": one.you["token"]}).enter() for one in people
    )
    assert "over" in ann.receives("notice", code="talk")["msg"]
    bob.sends("hello")
    third.receives("message", msg="hello")
    for answer in asks_together(ann, "s3cret", "s3cret"):
        assert (answer["code"], answer["held"]) == ("no_such_person", True)
    ann.sends("to all")
    third.receives_next("message", msg="to all")
    ann.is_cut()
    third.receives("logout", username="Ann")
    again = Guest(program.url, {"room": room, "v": 1, "token": ann.you["token"]}).enter()
    again.sends("it was said once")
    for guest in (third, bob, again):
        guest.leaves()


def test_an_ended_token_holds_the_first_text(guests: Guests) -> None:
    romeo, bob, third = guests(), guests(username="Bob"), guests()
    romeo.sends("to:Bob")
    romeo.asks("rename", username="Ann")  # suppose that the answer, with the next token, is lost
    romeo.is_cut()
    third.receives("logout", username="Ann")
    again = guests(token=romeo.you["token"])
    assert "over" in again.receives("notice", code="talk")["msg"]
    for answer in asks_together(again, "s3cret", "s3cret"):
        assert (answer["code"], answer["held"]) == ("no_such_person", True)
    again.sends("to all")
    third.receives("message", msg="to all")
    bob.receives("message", msg="to all")
    assert heard(bob) == heard(third) == []


def test_after_a_restart_a_name_is_not_trusted(start: Start, room: str) -> None:
    program = start()
    ann = Guest(program.url, {"room": room, "v": 1, "username": "Ann"}).enter()
    impostor = Guest(program.url, {"room": room, "username": "Bob3"}).enter()
    impostor.is_cut()  # the name is free, but the token stays valid
    ann.receives("logout", username="Bob3")
    bob = Guest(program.url, {"room": room, "v": 1, "username": "Bob3"}).enter()
    assert ann.asks_raw({"action": "whisper", "to": "Bob3", "msg": "hello"})["again"]
    ann.sends("/to Bob3 hello")
    bob.receives("whisper", msg="hello")
    program.kill()
    for guest in (ann, bob):
        guest.waits_for_disconnect()
    program = start()
    others = [
        Guest(program.url, {"room": room, "v": 1, **who}).enter()
        for who in (*({"username": f"Bob{number}"} for number in range(3)), {"token": impostor.you["token"]})
    ]
    assert others[3].name == "Bob3"
    ann, bob = (
        Guest(program.url, {"room": room, "v": 1, "token": one.you["token"]}).enter() for one in (ann, bob)
    )
    for request in (
        {"action": "whisper", "to": "Bob0", "msg": "s3cret"},
        {"action": "whisper", "to": "Bob1", "to_sid": others[1].sid, "msg": "s3cret", "typed": True},
        {"action": "message", "msg": "/to Bob2 s3cret"},
        {"action": "message", "msg": "to:Bob3"},
    ):
        answer = ann.asks_raw(request)
        assert answer["again"]
        assert answer["restarted"]
    assert [heard(one, "whisper") for one in others] == [[]] * 4
    ann.sends("/to Bob2 hello")
    others[2].receives("whisper", msg="hello")
    for guest in (ann, bob, *others):
        guest.leaves()


def test_a_resumed_talk_without_its_partner_sends_nothing(guests: Guests) -> None:
    romeo, bob, third = guests(username="Romeo"), guests(username="Bob"), guests()
    romeo.sends("to:Bob")
    romeo.is_cut()
    third.receives("logout", username="Romeo")
    bob.asks("logout")
    third.receives("logout", username="Bob")
    again, impostor = guests(token=romeo.you["token"]), guests(username="Bob")
    assert "Bob is not in this room" in again.receives("notice", code="talk")["msg"]
    assert again.asks("message", msg="s3cret")["code"] == "no_such_person"
    assert heard(third) == heard(impostor, "whisper") == []


def test_a_terminal_ends_the_talk_for_a_socket_client(guests: Guests, lines: Lines) -> None:
    romeo, bob, third = guests(), lines(name="Bob"), guests()
    romeo.sends("to:Bob")
    bob.reads(rf"^\* {romeo.name} started a private chat")
    romeo.sends("s3cret")
    bob.reads("-> you: s3cret$")
    bob.types("to:")
    assert "ended" in romeo.receives("notice", code="talk")["msg"]
    assert not romeo.asks("message", msg="another s3cret")["ok"]
    assert heard(third) == []


# Random typing errors


@pytest.mark.parametrize("way", WAYS)
def test_no_third_person_receives_a_mistyped_private_text(
    guests: Guests, lines: Lines, room: str, way: str
) -> None:
    people = [guests(username=name) for name in NAMES]
    third, fourth, other = guests(), lines(), guests(room=f"{room} den")
    sender = Sender(way, guests, lines)
    counted: Counter[str] = Counter()

    @settings(
        max_examples=60,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(PRIVATE)
    def types(texts: list[str]) -> None:
        counted["secret"] += 1
        secret = f"s3cret {counted['secret']}"
        texts = [text.replace("{secret}", secret).replace("{room}", f"{room} den") for text in texts]
        if way == "socket":
            answers: list[Frame] = []
            for text in texts:
                sender.guest.client.emit(
                    "msg", ({"action": "message", "msg": text},), callback=answers.append
                )
                time.sleep(0.003)  # in turns of their own
            until(lambda: len(answers) == len(texts), "every line is answered")
            assert all(answer["ok"] or answer["msg"] for answer in answers)
        else:
            for text in texts:
                sender.line.types(text)
                time.sleep(0.003)
            shown = sender.waits()
            received = [
                frame for person in people for frame in person.frames if secret in frame.get("msg", "")
            ]
            assert shown or received
        for text in ("to:Bob", "to:"):  # whatever it did to the talk is over
            sender.types(text)
        assert not [text for one in (third, other) for text in heard(one) if "s3cret" in text], texts

    types()
    fourth.reads_nothing("s3cret")
    assert not [text for person in people for text in heard(person) if "s3cret" in text]
