"""An Engine.IO server whose bounds are short, and which its clients tell to send them away or to stop in mid-turn.

A message is an order, its words apart by spaces: see `ORDERS`.
"""

# ruff: noqa: E402 - the runtime must be patched before anything else is imported

from __future__ import annotations

import logging
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from wsgiref.types import StartResponse, WSGIEnvironment

sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent))

from chatroom import runtime

runtime.patch()

from chatroom.engine.frames import TEXT, frame
from chatroom.engine.front import Front
from chatroom.engine.server import Engine
from chatroom.net.loop import Audience, Loop
from tests.engine_live.serving import serve

logging.basicConfig(format="%(levelname)s %(message)s")


def setting(name: str, default: int) -> int:
    return int(os.environ.get(name, default))


loop = Loop(
    outbox_limit_bytes=50_000_000,  # out of the way: it is not the bound that is looked at here
    turn_limit_bytes=setting("TURN_LIMIT_BYTES", 131_072),
    linger_s=setting("LINGER_MS", 2000) / 1000,
    leaving_limit=setting("LEAVING_LIMIT", 512),
)
engine = Engine(ping_interval_s=60, ping_timeout_s=60, upgrade_timeout_s=0.3, loop=loop)


def away(sid: str, words: str, size: str) -> None:
    """Be sent so many last words of so many bytes, and away."""
    for _ in range(int(words)):
        engine.send(sid, "w" * int(size))
    engine.disconnect(sid)


def all_away(_sid: str) -> None:
    """Everybody is told some last words, and goes."""
    for each in engine.sockets:
        engine.send(each, "last words")
    engine.disconnect()


def burst(sid: str, shared: str, messages: str, size: str) -> None:
    """Be sent so many messages in one turn, as one of many or alone; in the middle of it the process halts itself."""
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
    """Be told whether nothing waits to be sent or to be fetched by anybody."""
    engine.send(sid, str(engine.drained()))


ORDERS: dict[str, Callable[..., None]] = {
    "away": away,
    "all_away": all_away,
    "burst": burst,
    "drained": drained,
}


@engine.on("message")
def told(sid: str, message: str) -> None:
    order, *words = message.split()
    ORDERS[order](sid, *words)


def not_found(environ: WSGIEnvironment, start_response: StartResponse) -> list[bytes]:
    start_response("404 Not Found", [("Content-Type", "text/plain")])
    return [b"not found\n"]


front = Front(loop, not_found, handlers={"/engine.io/": engine.handle})
serve(front, backlog=64)
