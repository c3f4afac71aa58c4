"""The program, with its insides open to a test: `python tests/support/counted_app.py`, with the flags of `app.py`.

Its standard input is a socket. Each line that it reads there is a command with its arguments, as a JSON list, and is
answered by one line of JSON: a list with its result, or the text of what went wrong. A test can count what the server
holds, and hold up its commits or have them refused. It looks more often whether a full disk has space again. Everything
else is the real program.
"""

# ruff: noqa: E402 - the runtime must be patched before anything else is imported

from __future__ import annotations

import gc
import json
import sys
import traceback
from array import array
from collections import Counter, deque
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from types import MethodType
from typing import Any, Final

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from chatroom import runtime

runtime.patch()

import eventlet.patcher
from greenlet import greenlet

from chatroom import cli, server
from chatroom.backplane import embedded
from chatroom.backplane.file import StoreError
from chatroom.backplane.store import Store
from chatroom.core.names import LOBBY

_CONTROL: Final = 0  # the descriptor of the socket
_RECOVER_S: Final = 0.02
_OURS: Final = ("chatroom", "engineio", "socketio")
_FREE, _HELD, _REFUSED = "free", "held", "refused"
_os: Any = eventlet.patcher.original("os")
_threading: Any = eventlet.patcher.original("threading")


class HeldStore(Store):
    """A store whose commits can be held up, or refused as a full disk refuses them."""

    state = _FREE
    changed: Any = _threading.Condition()

    def commit(self, *arguments: Any) -> Any:
        self._waits_or_fails()
        return super().commit(*arguments)

    def save_keys(self, *arguments: Any) -> None:
        self._waits_or_fails()
        super().save_keys(*arguments)

    def _waits_or_fails(self) -> None:
        with self.changed:
            while self.state == _HELD:
                self.changed.wait()
            if self.state == _REFUSED:
                raise StoreError("database or disk is full")

    def probe(self) -> None:
        if self.state != _FREE:
            raise StoreError("database or disk is full")
        super().probe()


class Inside:
    """The server's parts, and the commands of the test."""

    def __init__(self) -> None:
        self.parts: dict[str, Any] = {}
        self._rest = b""

    def keep(self, name: str) -> None:
        """Remember what the server makes with its function of this name, and begin to read commands after the last."""
        make: Callable[..., Any] = getattr(server, name)

        def made(*arguments: Any, **options: Any) -> Any:
            self.parts[name] = part = make(*arguments, **options)
            if name == "_make_front":
                runtime.spawn(self._listen)
            return part

        setattr(server, name, made)

    def _listen(self) -> None:
        """Begin to read commands, now that the loop runs."""
        listener = runtime.add_reader(_CONTROL, lambda _: self._readable(lambda: listener))

    def _readable(self, listener: Callable[[], runtime.Listener]) -> None:
        data = _os.read(_CONTROL, 65_536)
        if not data:
            runtime.remove_listener(listener())
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            try:
                command, *arguments = json.loads(line)
                answer: list[Any] | str = [getattr(self, f"do_{command}")(*arguments)]
            except Exception:  # the test fails with it; if it were raised here, the loop would block
                answer = traceback.format_exc()
            _os.write(_CONTROL, json.dumps(answer).encode() + b"\n")

    # Commands

    def do_free(self) -> None:
        self._change(_FREE)

    def do_hold(self) -> None:
        self._change(_HELD)

    def do_refuse(self) -> None:
        self._change(_REFUSED)

    def _change(self, state: str) -> None:
        with HeldStore.changed:
            HeldStore.state = state
            HeldStore.changed.notify_all()

    def do_counts(self) -> dict[str, int]:
        """How many of each thing the server has, as its own tables say."""
        service, gateway, line, front, (_, backplane) = (
            self.parts[name]
            for name in (
                "_make_service",
                "_make_gateway",
                "_make_line_gateway",
                "_make_front",
                "_open_backplane",
            )
        )
        addresses = line._gate  # none without limits
        used = () if addresses is None else addresses._used.values()
        return {
            "connections": len(front) + len(line),
            "engine sessions": len(gateway.engine.sessions.by_id),
            "sessions": len(service._sessions._by_sid),
            "sessions of addresses": sum(one.sessions for one in used),
            "bytes for addresses": sum(one.outbox_bytes for one in used),
            "rooms": len(service._rooms._open),
            "occupied rooms": len(backplane._rooms),
            "uncommitted": len(backplane._pending),
            "unready": int(not service.ready()),
            "greenthreads": sum(1 for one in gc.get_objects() if isinstance(one, greenlet) and one),
        }

    def do_objects(self) -> dict[str, int]:
        """How many objects of each of the program's own classes are alive, besides those from before the start.

        And how many were ever in reference cycles that nothing reached.
        """
        gc.collect()
        names = ((type(one).__module__, type(one).__qualname__) for one in gc.get_objects())
        found = Counter(f"{module}.{name}" for module, name in names if module.startswith("chatroom."))
        found["in cycles"] = sum(generation["collected"] for generation in gc.get_stats())
        return found

    def do_tables(self) -> dict[str, int]:
        """How many items all the tables of the server's parts have, by class and attribute."""
        sizes: Counter[str] = Counter()
        known: set[int] = set()
        ways = list(self.parts.values())
        while ways:
            one = ways.pop()
            if id(one) in known:
                continue
            known.add(id(one))
            if isinstance(one, dict):
                ways += one.values()
            elif isinstance(one, list | tuple | set | deque):
                ways += one
            elif isinstance(one, MethodType):
                ways.append(one.__self__)
            elif isinstance(one, partial):
                ways += (one.func, *one.args)
            elif type(one).__module__.partition(".")[0] in _OURS:
                for name, value in _attributes(one):
                    ways.append(value)
                    if isinstance(value, dict | list | set | deque | array):
                        sizes[f"{type(one).__qualname__}.{name}"] += len(value)
        return sizes

    def do_people(self, ending: str) -> dict[str, Any]:
        """Who is in the lobby and in each room whose key ends like this, as announced and as decided.

        And whose names cannot be taken there, and the names that are held, with their identities, if they are the
        latest that are held.
        """
        service, (_, backplane) = (self.parts[name] for name in ("_make_service", "_open_backplane"))
        held: list[tuple[str, str, str]] = []
        for (room, identity), hold in reversed(backplane._holds._by_identity.items()):
            if not room.endswith(ending):
                break
            held.append((room, identity, hold.name))
        return {
            "announced": {
                key: sorted(person.name for person in room.roster.people())
                for key, room in service._rooms._open.items()
                if key.endswith(ending) or key == LOBBY
            },
            "decided": {
                key: sorted(person.name for person in room.room.members.values())
                for key, room in backplane._rooms.items()
                if key.endswith(ending) or key == LOBBY
            },
            "taken": {
                key: sorted(person.name for person in room.room._by_key.values())
                for key, room in backplane._rooms.items()
                if key.endswith(ending) or key == LOBBY
            },
            "held": held,
        }


def _attributes(one: object) -> Iterator[tuple[str, Any]]:
    """The attributes of an object, in its slots and its dictionary."""
    for kind in type(one).__mro__:
        for name in getattr(kind, "__slots__", ()):
            if hasattr(one, name):
                yield name, getattr(one, name)
    yield from getattr(one, "__dict__", {}).items()


if __name__ == "__main__":
    vars(embedded)["_MAINTAIN_S"] = _RECOVER_S
    inside = Inside()
    vars(server)["Store"] = HeldStore
    for name in ("_make_service", "_make_gateway", "_make_line_gateway", "_make_front", "_open_backplane"):
        inside.keep(name)
    sys.exit(cli.main(sys.argv[1:]))
