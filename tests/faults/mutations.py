"""Conversations with each gateway, with bytes, numbers, lengths, frames and values changed.

A conversation is a generator of rounds, and is given the answer to each. A server reads nothing behind what makes it
close a connection. So most rounds have mutations that it refuses without closing, and only the last has any.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable, Generator, Mapping, Sequence
from typing import Any, Final, NamedTuple

from tests.faults.flooders import frame
from tests.gateways.line.test_codec import mutated as mutated_line
from tests.support.ambiguous import AMBIGUOUS, HOST, PLAIN
from tests.support.handshakes import POLL, SOCKET, UPGRADE, upgrade_request

WITNESS: Final = "A quiet observer"  # who is there all the time
ROOM: Final = "garden"  # where the witness is


class Round(NamedTuple):
    """What to send, and what to wait for.

    Attributes:
        mark: what the answer has so many times, once all is read.
        packets: how many packets are mutated.
        proof: what else the answer has if they were read.
    """

    data: bytes
    mark: bytes
    answers: int = 1
    packets: int = 0
    proof: bytes = b""


Conversation = Generator[Round, bytes, None]

EVENTS: Final[Sequence[Mapping[str, Any]]] = (
    {"action": "message", "msg": "hello", "cid": "1"},
    {
        "action": "send msg",
        "username": WITNESS,
        "sid": "x",
        "msg": "I am somebody else",
        "id": "1",
        "time": "now",
    },
    {"action": "message", "msg": f"/to {WITNESS} hi"},
    {"action": "message", "msg": "to: nobody"},
    {"action": "message", "msg": f"to:{WITNESS}"},
    {"action": "message", "msg": "/who"},
    {"action": "whisper", "to": WITNESS, "to_sid": "x", "msg": "psst", "typed": True, "cid": "2"},
    {"action": "rename", "username": WITNESS},
    {"action": "rename", "suggest": True},
    {"action": "rename"},
    {"action": "join", "room": ROOM},
    {"action": "join", "room": "room 7"},
    {"action": "history", "before": "9999999999999-999999", "limit": 20},
    {"action": "history", "after": "0000000000000-000000", "limit": 200},
    {"action": "who", "sid": "x"},
    {"action": "typing"},
    {"action": "lang", "lang": "zh"},
    {"action": "login", "username": WITNESS, "sid": "x", "name_list": [[WITNESS, "x"]]},
    {"action": "ping"},
)
_FIELDS: Final = sorted({field for event in EVENTS for field in event})
_DEEP: Final = json.loads("[" * 200 + "]" * 200)
_VALUES: Final[Sequence[object]] = (
    *(
        None,
        True,
        0,
        -1,
        1.5,
        2**53,
        10**30,
        1e308,
        "",
        " ",
        "\0",
        "\ud800",
        "*",
        "/",
        "//",
        "\u202e",
        "名字",
    ),
    *("x" * 65, "x" * 3000, "\r" * 3000, "\ufdfa" * 1990, "a\u0301" * 1000, [], {}, [[]], _DEEP, {"msg": {}}),
)
_LINES: Final = (
    *(
        b"hello",
        b"/name Fox",
        b"/name",
        b"/join garden",
        b"/join room 7",
        b"/who",
        b"/help",
        b"/rooms",
        b"/history 5",
    ),
    *(
        b"/echo on",
        b"/echo off",
        b"to:nobody",
        b"to:",
        b"to:" + WITNESS.encode(),
        b"/to " + WITNESS.encode() + b" hi",
        b"//x",
        b"\xff\xfd\x01hi",
    ),
)
_TELNET: Final = tuple(b"he\xffllo".replace(b"\xff", bytes((0xFF, command))) for command in range(236, 255))
_NUMBER: Final = re.compile(rb"[0-9]+")
_NUMBERS: Final = (
    b"0",
    b"-1",
    b"1e999",
    b"00",
    b"65536",
    b"2147483648",
    b"9" * 14,
    b"9" * 30,
    b"0x10",
    b"1.0",
    b"",
)
_PIECES: Final = (
    *(
        b"\0",
        b"\r",
        b"\n",
        b"\r\n",
        b"\r\0",
        b"\x1e",
        b"\x7f",
        b"\x15",
        b" ",
        b",",
        b":",
        b'"',
        b"\\",
        b"/",
        b"-",
        b"_",
    ),
    *(
        b"\xff",
        b"\xc3",
        b"\x80",
        b"\xed\xa0\x80",
        b"\xf4\x90\x80\x80",
        b"\xff\xfb\x01",
        b"\xff\xfa\x1f",
        b"\xff\xf0",
    ),
    *(
        b"[",
        b"]",
        b"{",
        b"}",
        b"[]",
        b"null",
        b"[" * 60,
        b'{"a":' * 60,
        b"\\u0000",
        b"\\ud800",
        b"\\x",
        b"1e999",
        b"NaN",
    ),
    *(
        "\u202e".encode(),
        "\ufdfa".encode() * 20,
        "é".encode(),
        "😀".encode(),
        b" " * 500,
        b"%00",
        b"%",
        b"451-",
        b"2probe",
    ),
    *(b"[" * 20_000, b"[]," * 8_000, b"x" * 20_000),
)
_RARE: Final = 3  # of the pieces, which are long


def damaged(rng: random.Random, data: bytes, others: Sequence[bytes]) -> bytes:
    """The bytes with something flipped, cut, doubled, put in, replaced, or spliced from another packet."""
    for _ in range(rng.choice((1, 1, 1, 2, 4))):
        start = rng.randrange(len(data) + 1)
        end = start + rng.choice((0, 1, 1, 2, 8, 40))
        piece = _PIECES[rng.randrange(len(_PIECES) - (0 if rng.random() < 0.02 else _RARE))]
        match rng.randrange(7):
            case 0 if start < len(data):
                data = data[:start] + bytes((data[start] ^ 1 << rng.randrange(8),)) + data[start + 1 :]
            case 1:
                data = data[:start] + data[end:]
            case 2:
                data = data[:end] + data[start:]
            case 3:
                data = data[:start] + piece + data[end:]
            case 4:
                other = rng.choice(others)
                data = data[:start] + other[rng.randrange(len(other)) :]
            case 5 if numbers := list(_NUMBER.finditer(data)):
                one = rng.choice(numbers)
                data = data[: one.start()] + rng.choice(_NUMBERS) + data[one.end() :]
            case _:
                data = data[: start if rng.random() < 0.2 else len(data)]
    return data


def _event(rng: random.Random, number: int) -> bytes:
    """An event, perhaps with other fields or values, and perhaps damaged after its type."""
    fields = dict(rng.choice(EVENTS))
    if rng.random() < 0.5:
        field = rng.choice(_FIELDS)
        if rng.random() < 0.3:
            fields.pop(field, None)
        else:
            fields[field] = rng.choice(_VALUES)
    packet = f'{number}["msg",{json.dumps(fields)}]'.encode()
    if rng.random() < 0.6:
        packet = damaged(rng, packet, _PACKETS)
    return b"42" + packet


_PACKETS: Final = tuple(f'17["msg",{json.dumps(event)}]'.encode() for event in EVENTS)
_ODD: Final = (
    *(
        b"3",
        b"2",
        b"2probe",
        b"5",
        b"6",
        b"1",
        b"9",
        b"",
        b"41",
        b"4",
        b"40",
        b"40{}",
        b"40/nowhere,",
        b'40{"v":1}',
        "\u202e".encode(),
        b"\xff",
        b"41/x,",
    ),
    *(
        b"430[]",
        b"43[]",
        b"42[]",
        b'42["connect"]',
        b'42/x,["msg"]',
        b"44{}",
        b"47",
        b"46/x,1-1[]",
        b"430{}",
        b"42" + b"9" * 16 + b"[]",
    ),
    *(
        b'451-["msg",{"_placeholder":true,"num":0}]',
        b'4517-["msg"]',
        b'450-["msg"]',
        b'451-["msg",{"_placeholder":true,"num":9}]',
    ),
)
_HARMLESS: Final = (b"40", b"40/nowhere,", b"430[]", b"41/x,", b"42[]", b'42["connect"]', b'42["x",[[]],{}]')
_MARK: Final = 424_242_424_242  # the number of the event that is not mutated and ends a round
_ASKS: Final = f'42{_MARK}["msg",{{"action":"ping"}}]'.encode()
_ANSWER: Final = f"43{_MARK}[".encode()


def _joins(rng: random.Random) -> bytes:
    """A CONNECT; one of eight goes to the witness's room, and some are mutated."""
    auth = {"v": 1, "room": f"room {rng.randrange(50)}", "roster": "delta", "lang": "zh"}
    if rng.random() < 0.12:
        auth["room"] = ROOM
    if rng.random() < 0.1:
        auth[rng.choice(("v", "room", "username", "token", "after", "roster", "lang"))] = rng.choice(_VALUES)
    packet = json.dumps(auth).encode()
    return b"40" + (damaged(rng, packet, _PACKETS) if rng.random() < 0.1 else packet)


def _packet(rng: random.Random, number: int) -> bytes:
    """A packet that seldom ends its session."""
    packet = _event(rng, number) if rng.random() < 0.95 else rng.choice(_HARMLESS)
    return packet.decode(errors="replace").encode()


def _frames(rng: random.Random, packet: bytes) -> bytes:
    """A message as WebSocket frames: whole, masked, in fragments, with pings between, or with an attachment."""
    match rng.randrange(20):
        case 0:
            key = rng.randbytes(4)
            masked = bytes(byte ^ key[place & 3] for place, byte in enumerate(packet[:1000]))
            head = frame(0x81, bytes(len(masked)))
            return head[: len(head) - len(masked) - 4] + key + masked
        case 1:
            cut = rng.randrange(len(packet) + 1)
            between = rng.choice((b"", frame(0x89, b"ping"), frame(0x8A), frame(0x00)))
            return frame(0x01, packet[:cut]) + between + frame(0x80, packet[cut:])
        case 2:
            return frame(0x89, rng.randbytes(rng.randrange(126))) + frame(0x81, packet)
        case 3:
            return frame(0x81, b'451-["msg",{"_placeholder":true,"num":0}]') + frame(0x82, packet)
        case _:
            return frame(0x81, packet)


def _wild_frames(rng: random.Random) -> bytes:
    """Frames of any kind, with wrong heads and lengths."""
    data = b""
    for _ in range(rng.randrange(1, 6)):
        payload = rng.choice((_event(rng, 1), rng.choice(_ODD), rng.randbytes(rng.randrange(140))))
        one = frame(rng.choice((0x81, 0x82, 0x01, 0x80, 0x88, 0x89, 0x8A, rng.randrange(256))), payload)
        match rng.randrange(5):
            case 0:
                one = one[:1] + bytes((rng.randrange(256),)) + one[2:]
            case 1:
                one = one[:1] + rng.choice((b"\xfe", b"\xff")) + rng.randbytes(rng.choice((2, 8))) + one[2:]
            case 2:
                one = damaged(rng, one, _PACKETS)
        data += one
    return data


def websocket(rng: random.Random, size: int) -> Conversation:
    """Socket.IO over a WebSocket."""
    yield Round(upgrade_request(), b'"sid"')
    if rng.random() < 0.9:  # otherwise it sends events without having joined
        yield Round(frame(0x81, _joins(rng)) + frame(0x89), b"\x8a\0")
        for _ in range(rng.randrange(8)):
            packets = b"".join(_frames(rng, _packet(rng, number)) for number in range(size))
            yield Round(packets + frame(0x81, _ASKS), _ANSWER, packets=size)
    yield Round(_wild_frames(rng) + frame(0x89, b"mark"), b"\x8a\x04mark", packets=1)


def _post(sid: bytes, body: bytes) -> bytes:
    head = b"POST " + POLL.encode() + b"&sid=" + sid + b" HTTP/1.1\r\nHost: 127.0.0.1\r\n"
    return head + b"Content-Length: %d\r\n\r\n" % len(body) + body


def polling(rng: random.Random, size: int) -> Conversation:
    """Socket.IO by long polling: every POST is followed by a poll, on the same connection."""
    poll = b"GET " + POLL.encode() + b"%s HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
    answer = yield Round(poll % b"", b'"maxPayload"')
    sid = answer.split(b'"sid":"')[1].split(b'"')[0]
    polled, ok = poll % (b"&sid=" + sid), b"HTTP/1.1 200"
    if rng.random() < 0.9:  # otherwise it sends events without having joined
        yield Round(_post(sid, _joins(rng)) + polled, b"HTTP/1.1 ", 2)
        for _ in range(rng.randrange(8)):
            packets = [_packet(rng, number).replace(b"\x1e", b"") for number in range(size)]
            answer = yield Round(
                _post(sid, b"\x1e".join((*packets, _ASKS))) + polled, b"HTTP/1.1 ", 2, size, ok
            )
            if ok not in answer:
                return  # the session has ended
    body = b"\x1e".join(rng.choice((_event(rng, 1), rng.choice(_ODD))) for _ in range(rng.randrange(1, 6)))
    post = _post(sid, damaged(rng, body, _PACKETS))
    yield Round(damaged(rng, post, _REQUESTS) if rng.random() < 0.5 else post, b"HTTP/1.1 ", packets=1)
    yield Round(_post(sid, b"1"), b"HTTP/1.1 ")


def line(rng: random.Random, size: int) -> Conversation:
    """A terminal."""
    yield Round(b"", b"* Welcome")
    if rng.random() < 0.95:
        room = ROOM if rng.random() < 0.12 else f"room {rng.randrange(50)}"
        yield Round(f"/join {room}\r\n".encode(), b"\n* ")
    for _ in range(rng.randrange(1, 8)):
        packets = b""
        for _ in range(size):
            packets += (
                damaged(rng, rng.choice(rng.choice((_LINES, _LINES, _LINES, _TELNET))), _LINES)
                if rng.random() < 0.9
                else mutated_line(rng)
            )
            packets += rng.choice((b"\n", b"\r\n", b"\r\0", b"\n", b"\r\n", b"", b"\r"))
        # Whatever came before: a telnet subnegotiation, a command or a line that has no end yet.
        yield Round(packets + b"\xff\xf0\xff\xf0\n/rooms please\n", b"* Usage: /rooms", packets=size)
    if rng.random() < 0.5:
        yield Round(b"/quit\n", b"there is no answer")


def _request(*lines: str, body: bytes = b"") -> bytes:
    return "\r\n".join((*lines, "", "")).encode() + body


_REQUESTS: Final = (
    _request("GET /healthz HTTP/1.1", "Host: 127.0.0.1"),
    _request("HEAD / HTTP/1.1", "Host: localhost:5000", "Accept: text/html", "Accept-Encoding: gzip, br;q=0.5"),
    _request("GET /r/garden HTTP/1.1", "Host: 127.0.0.1", 'If-None-Match: "x"', "Range: bytes=0-10"),
    _request("GET /r/%E8%8A%B1 HTTP/1.1", "Host: 127.0.0.1", "Range: bytes=5-,7-9", "Accept-Encoding: gzip"),
    _request("HEAD /boot.js HTTP/1.1", "Host: 127.0.0.1", "If-Modified-Since: Sat, 29 Oct 1994 19:43:31 GMT"),
    _request("GET /manifest.webmanifest?room=garden HTTP/1.1", "Host: 127.0.0.1", "Cookie: a=b; c=d"),
    _request("GET /readyz HTTP/1.0", "Host: 127.0.0.1", "Connection: keep-alive"),
    _request("GET /nowhere/at/all?x=1#y HTTP/1.1", "Host: 127.0.0.1", "Accept: text/html"),
    _request(f"GET {POLL} HTTP/1.1", "Host: 127.0.0.1", "Origin: http://127.0.0.1"),
    _request(f"GET {POLL}&sid=none&t=17 HTTP/1.1", "Host: 127.0.0.1", "X-Forwarded-For: 10.0.0.1, 8.8.8.8"),
    _request(f"OPTIONS {POLL} HTTP/1.1", "Host: 127.0.0.1", "Origin: https://127.0.0.1"),
    _request(f"GET {SOCKET} HTTP/1.1", "Host: 127.0.0.1", *(f"{name}: {value}" for name, value in UPGRADE.items())),
    _request(f"POST {POLL}&sid=none HTTP/1.1", "Host: 127.0.0.1", "Content-Length: 2", body=b"40"),
    _request(f"POST {POLL}&sid=none HTTP/1.1", "Host: a", "Expect: 100-continue", "Content-Length: 1", body=b"1"),
    _request(
        "POST / HTTP/1.1", "Host: 127.0.0.1", "Transfer-Encoding: chunked", "Trailer: X",
        body=b"3;a=b\r\nabc\r\n2\r\nde\r\n0\r\nX: 17\r\n\r\n",
    ),
    *(data.replace(HOST, b"Host: 127.0.0.1\r\n") for data in PLAIN.values()),
)  # fmt: skip
_AMBIGUOUS: Final = tuple(data.replace(HOST, b"Host: 127.0.0.1\r\n") for data, _ in AMBIGUOUS.values())


def _mild_request(rng: random.Random) -> bytes:
    """A request of which one line is damaged, without a new line in it: most are still answered."""
    head, end, body = rng.choice(_REQUESTS).partition(b"\r\n\r\n")
    lines = head.split(b"\r\n")
    place = rng.randrange(len(lines))
    name, gap, value = lines[place].partition(b" ")  # GET, or Host:
    target, version = (value[:-9], value[-9:]) if not place else (value, b"")
    value = damaged(rng, target, _PACKETS).translate(None, b"\0\r\n\x0b\x0c")
    if not place:
        value = b"/" + value.translate(None, b" #\t").decode(errors="ignore").encode("ascii", "ignore")[1:]
    lines[place] = name + gap + value + version
    if rng.random() < 0.3:
        lines.append(rng.choice(lines[1:]) if rng.random() < 0.2 else b"X-%d: %s" % (rng.randrange(9), value))
    return b"\r\n".join(lines) + end + body


def http(rng: random.Random, size: int) -> Conversation:
    """Requests, one after the other; the last one is any bytes."""
    for _ in range(rng.randrange(3)):
        yield Round(b"".join(_mild_request(rng) for _ in range(size)), b"HTTP/1.1 ", size, size)
    last = rng.choice(_AMBIGUOUS) if rng.random() < 0.3 else rng.choice(_REQUESTS) + rng.choice(_REQUESTS)
    yield Round(damaged(rng, last, _REQUESTS), b"HTTP/1.1 ", packets=1)


CONVERSATIONS: Final[Mapping[str, Callable[[random.Random, int], Conversation]]] = {
    "websocket": websocket,
    "polling": polling,
    "line": line,
    "http": http,
}
