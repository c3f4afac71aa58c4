"""An Engine.IO server with low limits, which its clients tell to disconnect them or to stop in the middle of a turn.

A message is a command and its arguments, separated by spaces: see `COMMANDS`.
"""

# ruff: noqa: E402 - the runtime must be patched before anything else is imported

from __future__ import annotations

import logging
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent))

from chatroom import runtime

runtime.patch()

from chatroom.engine.frames import TEXT, frame
from chatroom.engine.front import Front
from chatroom.engine.server import Engine
from chatroom.net.audience import Audience
from chatroom.net.loop import Loop
from tests.engine_live.serving import serve
from tests.support.inside import nothing_here

logging.basicConfig(format="%(levelname)s %(message)s")


def setting(name: str, default: int) -> int:
    return int(os.environ.get(name, default))


loop = Loop(
    outbox_limit_bytes=50_000_000,  # high: this is not the limit under test
    turn_limit_bytes=setting("TURN_LIMIT_BYTES", 131_072),
    linger_s=setting("LINGER_MS", 2000) / 1000,
    leaving_limit=setting("LEAVING_LIMIT", 512),
)
engine = Engine(ping_interval_s=60, ping_timeout_s=60, upgrade_timeout_s=0.3, loop=loop)


def away(sid: str, words: str, size: str) -> None:
    """Send the client that many messages of that size, then disconnect it."""
    for _ in range(int(words)):
        engine.send(sid, "w" * int(size))
    engine.disconnect(sid)


def all_away(_sid: str) -> None:
    """Send every client a last message, then disconnect them all."""
    for each in engine.sockets:
        engine.send(each, "last words")
    engine.disconnect()


def burst(sid: str, shared: str, messages: str, size: str) -> None:
    """Send the client that many messages in one turn, as one of many or alone, and stop the process in mid-turn."""
    connection = engine.sockets[sid].transport.connection
    assert connection is not None
    for _ in range(int(messages)):
        message = frame(TEXT, b"4" + b"b" * int(size))
        if shared == "shared":
            loop.publish(Audience([connection]), message)
        else:
            loop.send(connection, message)
    os.kill(os.getpid(), signal.SIGSTOP)


def drained(sid: str) -> None:
    """Answer whether nothing waits to be sent to any client or to be fetched by one."""
    engine.send(sid, str(engine.drained()))


COMMANDS: dict[str, Callable[..., None]] = {
    "away": away,
    "all_away": all_away,
    "burst": burst,
    "drained": drained,
}


@engine.on("message")
def received(sid: str, message: str) -> None:
    command, *arguments = message.split()
    COMMANDS[command](sid, *arguments)


front = Front(loop, nothing_here, handlers={"/engine.io/": engine.handle})
serve(front, backlog=64)
