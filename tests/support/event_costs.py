"""What the worst event of each kind costs: `make event-costs`, or with other sizes of the room, `ARGS="100 5000"`.

An event's computing time is that from its packet to its answer, in this process, without a socket, with memory in place
of a disk, and with nobody else who receives it. What is remembered of earlier texts is forgotten before each event.
The worst messages are sought: the costliest texts so far are changed at random, and those that cost more are kept.
"""

from __future__ import annotations

import gc
import json
import sys
from collections.abc import Callable, Iterator
from functools import _lru_cache_wrapper
from random import Random
from time import thread_time
from typing import Any

from chatroom.core.log import PAGE_ENTRIES
from tests.core.test_costs import (
    ALPHABETS,
    BEGINNINGS,
    FILLERS,
    FRAGMENTS,
    KNOWN_WORST,
    TYPED,
    WORST,
    different_words,
    generated,
)
from tests.support.chat import Chat, Client

ROOM_NAMES = ("Anna Maria {}", "N{}", "{} Ming", "王{}")
_LONG = 1024  # of a string that is no text
_CHANGES = 3000
_KEPT = 40  # of the costliest texts
_JOINTS = (" /", " .", "、", "\n", "\n/", "\nto ", " /to ", "\nw ", "\n、", "\n私聊", "\n对", "\nop ")


_PIECES = (
    *(*FRAGMENTS, *FILLERS, *WORST, *BEGINNINGS, *_JOINTS),
    *("N1 ", "n1x", "Ming ", "王7", "and ", "for ", "psst ", "-> ", "(private)", "，", "ß", "/name "),
)


def packet(action: str, **fields: object) -> str:
    return f"27{json.dumps(['msg', {'action': action, **fields}])}"


def texts() -> list[str]:
    """Texts that were found to be costly, of up to `TYPED` characters."""
    random = Random(17)
    joints = (" /", " .", "、", "\n", "\n/", "\nto ", " /to ")
    return [
        *((begin + piece * TYPED)[:TYPED] for begin in BEGINNINGS for piece in WORST),
        *(different_words(letters, 6, joint) for letters in ALPHABETS for joint in joints),
        *(f"{begin}{name.format(7)} {'x' * 60}" for begin in BEGINNINGS for name in ROOM_NAMES),
        *KNOWN_WORST,
        *(generated(random) for _ in range(200)),
    ]


def changed(random: Random, text: str, other: str) -> str:
    """A text that is nearly this one, or has something of another, or is a new one."""
    lines = text.split("\n")

    def piece() -> str:
        if random.random() < 0.7:
            return random.choice(_PIECES)
        return "".join(random.choices(random.choice(ALPHABETS), k=random.randint(1, 9)))

    def line() -> str:
        return "".join(piece() for _ in range(random.randint(1, 8)))

    match random.randrange(8):
        case 0:
            return different_words(random.choice(ALPHABETS), random.randint(1, 12), random.choice(_JOINTS))
        case 1:
            return "\n".join(line() for _ in range(random.randint(1, 64)))
        case 2:
            for _ in range(random.randint(1, 8)):
                lines[random.randrange(len(lines))] = line()
            return "\n".join(lines)
        case 3:
            return piece() + text
        case 4:
            begin = piece()
            return "\n".join(begin + one for one in lines)
        case 5:
            at = random.randrange(len(text) + 1)
            return text[:at] + piece() + text[at + random.randint(0, 8) :]
        case 6:
            one, width = random.choice(lines) or piece(), random.choice((30, 60, 120, 250))
            return "\n".join([(one * width)[:width]] * 64)
        case _:
            return "\n".join((*lines[: random.randrange(len(lines) + 1)], other))


def kinds(found: list[str], some_id: str) -> Iterator[tuple[str, list[str]]]:
    """Each kind of event, with packets of it."""
    short = list(dict.fromkeys([*(text[:_LONG] for text in found), *(text[:32] for text in found)]))

    def each(written: list[str], action: str, field: str, **more: object) -> list[str]:
        return [packet(action, **{field: text}, **more) for text in written]

    yield "message", each(found, "message", "msg")
    yield "whisper: text", each(found, "whisper", "msg", to="N1")
    yield "whisper: typed", each(found, "whisper", "msg", to="N1", typed=True)
    yield "whisper: name", each(short, "whisper", "to", msg="x")
    yield "rename", [*each(short, "rename", "username"), packet("rename"), packet("rename", suggest=True)]
    yield "/name", each([f"/name {text}" for text in short], "message", "msg")
    yield "join", each(short, "join", "room")
    yield "/join", each([f"/join {text}" for text in short], "message", "msg")
    yield "who", [packet("who"), *each(short, "who", "sid")]
    yield "history", [packet("history", limit=PAGE_ENTRIES), *each([some_id, *short], "history", "before")]
    yield "typing", [packet("typing")]
    yield "ping", [packet("ping")]
    yield "lang", each(["en", "zh", *short], "lang", "lang")
    commands = (
        "/help",
        "/rooms",
        "/who",
        f"/history {PAGE_ENTRIES}",
        "/history",
        "to:",
        "/to",
        "/nick",
        "/x",
    )
    yield "commands", each(list(commands), "message", "msg")
    yield (
        "unknown fields",
        [
            packet("message", msg="x", **{f"{text[:15]}{number}": text[:40] for number in range(60)})
            for text in found
        ],
    )
    yield "no request", list(nonsense())


def nonsense() -> Iterator[str]:
    """JSON that is no request, and what is no JSON, up to the longest that is read and beyond."""
    for piece in ("[],", "{},", '"\\u0000",', "1e9,", "-0.1,", "\r", " ", "[", '{"":', '"x",', "9", "\ufdfa"):
        for size in (700, 20_000, 60_000, 100_000):
            yield f'27["msg",{(piece * size)[:size].rstrip(",")}]'
            yield f'27["msg",{{"action":"message","msg":{(piece * size)[:size].rstrip(",")}}}]'
    yield '27["msg",{"action":"message","msg":"' + "\\ud83d\\ude00" * 5000 + '"}]'
    yield '27["' + "m" * 60_000 + '"]'


class Costs:
    """A room with so many names and a full history, and a guest in it."""

    def __init__(self, names: int) -> None:
        self.chat = Chat()
        styles = len(ROOM_NAMES)
        self.chat.fill("lobby", [ROOM_NAMES[number % styles].format(number) for number in range(names)])
        self._caches = [
            one
            for one in gc.get_objects()
            if isinstance(one, _lru_cache_wrapper)
            and str(one.__module__).startswith("chatroom")
            and one.cache_parameters()["maxsize"]  # the others are tables, which are made once
        ]
        self.client: Client = self.chat.joins()
        for number in range(PAGE_ENTRIES):
            self.seconds(packet("message", msg=f"{number}" + "\U0001f600" * 1990))

    def seconds(self, sent: str) -> float:
        """The computing time of one event; the guest is in the lobby before, and has all that was sent."""
        self._prepare()
        began = thread_time()
        self.client.sends(sent)
        return thread_time() - began

    def connect_seconds(self, auth: dict[str, object]) -> float:
        """The computing time of a connect."""
        self._prepare()
        client = self.chat.connects()
        began = thread_time()
        client.sends("0" + json.dumps(auth))
        took = thread_time() - began
        self.chat.gateway.engine.disconnect(client.session.sid)
        return took

    def _prepare(self) -> None:
        self.chat.now += 1000.0
        if self.client.session.closed:
            self.client = self.chat.joins()
        else:
            self.client.sends(packet("join", room="lobby"))
        self.client.received()
        for cache in self._caches:
            cache.cache_clear()

    def worst(self, packets: list[Any], measure: Callable[[Any], float]) -> tuple[float, Any]:
        """The costliest of these; a measurement that was disturbed counts only if it is always so slow."""
        costly = sorted(((measure(one), one) for one in packets), key=lambda found: found[0])[-10:]
        return max((min(took, *(measure(one) for _ in range(5))), one) for took, one in costly)

    def worst_texts(self, found: list[str]) -> list[str]:
        """The costliest messages that a search finds which begins with these."""
        random = Random(17)

        def measured(text: str) -> tuple[float, str]:
            sent = packet("message", msg=text)
            first = self.seconds(sent)
            return (min(first, self.seconds(sent), self.seconds(sent)) if first > least else first), text

        least = 0.0
        kept = sorted(map(measured, found), reverse=True)[:_KEPT]
        for _ in range(_CHANGES):
            least = kept[-1][0]
            text, other = random.choice(kept)[1], random.choice(kept)[1]
            one = measured(changed(random, text, other)[:TYPED])
            if one[0] > least:
                kept = sorted({*kept, one}, reverse=True)[:_KEPT]
        return [text for _, text in kept]


def main() -> None:
    sizes = [int(size) for size in sys.argv[1:]] or [1000, 10_000]
    table: dict[str, list[str]] = {}
    for names in sizes:
        found = texts()
        found += Costs(names).worst_texts(found)  # in a room of its own, since what is sent leaves traces
        costs = Costs(names)
        some_id = str(costs.client.asks("message", msg="x")["id"])
        measured = [(kind, costs.worst(packets, costs.seconds)) for kind, packets in kinds(found, some_id)]
        auths: list[Any] = [
            {"v": 1, "room": "lobby", field: text[:_LONG]}
            for field in ("token", "username", "after")
            for text in found
        ]
        measured.append(("connect", costs.worst([{"v": 1}, *auths], costs.connect_seconds)))
        for kind, (took, one) in measured:
            shown = ascii(one)
            table.setdefault(kind, []).append(f"{took * 1000:6.2f} ms  {shown[:70]}")
    print(f"{'kind':16}" + "".join(f"{f'{size} names':>10}" + " " * 72 for size in sizes))
    for kind, cells in table.items():
        print(f"{kind:16}" + "  ".join(f"{cell:80}" for cell in cells))


if __name__ == "__main__":
    main()
