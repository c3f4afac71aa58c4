"""The program, with its insides open to a test: `python tests/support/counted_app.py`, with the flags of `app.py`.

Its standard input is a socket. Each line that it reads there is a command, and is answered by one line of JSON. A test
can count what the server holds, and hold up its commits or have them refused. Everything else is the real program.
"""

# ruff: noqa: E402 - the runtime must be patched before anything else is imported

from __future__ import annotations

import gc
import json
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from chatroom import runtime

runtime.patch()

import eventlet.patcher
from greenlet import greenlet

from chatroom import cli, server
from chatroom.backplane.file import StoreError
from chatroom.backplane.store import Store

_CONTROL: Final = 0  # the descriptor of the socket
_FREE, _HELD, _REFUSED = "free", "held", "refused"
_os: Any = eventlet.patcher.original("os")
_threading: Any = eventlet.patcher.original("threading")


class HeldStore(Store):
    """A store whose commits can be held up, or refused as a full disk refuses them."""

    state = _FREE
    changed: Any = _threading.Condition()

    def commit(self, *arguments: Any, **options: Any) -> Any:
        with self.changed:
            while self.state == _HELD:
                self.changed.wait()
            if self.state == _REFUSED:
                raise StoreError("database or disk is full")
        return super().commit(*arguments, **options)

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
            _os.write(_CONTROL, json.dumps(getattr(self, "do_" + line.decode())()).encode() + b"\n")

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
        return {
            "connections": len(front) + len(line),
            "engine sessions": len(gateway.engine.sessions.by_id),
            "sessions": len(service._sessions._by_sid),
            "rooms": len(service._rooms._open),
            "occupied rooms": len(backplane._rooms),
            "uncommitted": len(backplane._pending),
            "greenthreads": sum(1 for one in gc.get_objects() if isinstance(one, greenlet) and one),
        }

    def do_objects(self) -> dict[str, int]:
        """How many objects of each of the program's own classes are alive, besides those from before the start."""
        gc.collect()
        names = ((type(one).__module__, type(one).__qualname__) for one in gc.get_objects())
        return Counter(f"{module}.{name}" for module, name in names if module.startswith("chatroom."))

    def do_people(self) -> dict[str, Any]:
        """Who is in each room, as announced, and for whom a name is held."""
        service, (_, backplane) = (self.parts[name] for name in ("_make_service", "_open_backplane"))
        now = backplane._holds._now()
        held: dict[str, list[str]] = {}
        for (room, _), hold in backplane._holds._by_identity.items():
            if hold.until > now:
                held.setdefault(room, []).append(hold.name)
        return {
            "announced": {
                key: sorted(person.name for person in room.roster.people())
                for key, room in service._rooms._open.items()
            },
            "decided": {
                key: sorted(person.name for person in room.room.members.values())
                for key, room in backplane._rooms.items()
            },
            "held": {room: sorted(names) for room, names in held.items()},
        }


if __name__ == "__main__":
    inside = Inside()
    vars(server)["Store"] = HeldStore
    for name in ("_make_service", "_make_gateway", "_make_line_gateway", "_make_front", "_open_backplane"):
        inside.keep(name)
    sys.exit(cli.main(sys.argv[1:]))
