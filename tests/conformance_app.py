"""A server on the product's own engine for any protocol suite to be pointed at.

    PORT=3000 python tests/conformance_app.py
        Socket.IO: namespaces / and /custom
    PORT=3000 python tests/conformance_app.py --engine-only
        Engine.IO under /engine.io/, every message sent back
    PORT=3000 python tests/conformance_app.py --websocket-echo
        a bare WebSocket echo on /

Any origin, ping interval 300 ms, ping timeout 200 ms, `maxPayload` 1,000,000. With PORT=0 the system picks a
port; the first line on standard output names it.
"""

# ruff: noqa: E402 - the runtime must be patched before anything else is imported

from __future__ import annotations

import argparse
import math
import os
import sys
from pathlib import Path
from typing import Any, NoReturn
from wsgiref.types import WSGIEnvironment

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from chatroom import runtime
from chatroom.net.listeners import listen

runtime.patch()


from chatroom.engine import frames, websocket
from chatroom.engine.exchange import Exchange
from chatroom.engine.fanout import Fanout
from chatroom.engine.front import Front
from chatroom.engine.http_request import Refusal
from chatroom.engine.server import Engine
from chatroom.engine.strict import UNDECODABLE, PacketError, StrictServer
from chatroom.net.loop import Loop
from tests.support.inside import nothing_here

PORT, PING_INTERVAL_S, PING_TIMEOUT_S, MAX_PAYLOAD_BYTES = 3000, 0.3, 0.2, 1_000_000


def port() -> int:
    """The port of the environment; 0 has the system pick one."""
    text = os.environ.get("PORT", str(PORT))
    if not (text.isascii() and text.isdigit() and len(text) <= 5 and int(text) <= 65535):
        give_up(f"PORT is {text!r}; it must be a whole number from 0 to 65535")
    return int(text)


def seconds(name: str, default: float) -> float:
    """A time of the environment."""
    text = os.environ.get(name, str(default))
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not 0 < number < math.inf:
        give_up(f"{name} is {text!r}; it must be seconds, more than 0")
    return number


def give_up(problem: str) -> NoReturn:
    """End with one line that says why."""
    print(f"conformance_app: {problem}", file=sys.stderr)
    sys.exit(2)


def options() -> dict[str, Any]:
    """The engine's."""
    return {
        "ping_interval_s": seconds("PING_INTERVAL_S", PING_INTERVAL_S),
        "ping_timeout_s": seconds("PING_TIMEOUT_S", PING_TIMEOUT_S),
        "max_payload_bytes": MAX_PAYLOAD_BYTES,
        "outbox_limit_bytes": 8 * MAX_PAYLOAD_BYTES,
        "cors_allowed_origins": "*",
    }


def socketio_front() -> Front:
    auths: dict[str, object] = {}

    def greet(sid: str, namespace: str) -> None:
        sio.emit("auth", auths.pop(sid), namespace=namespace, to=sid)

    sio = StrictServer(client_manager=Fanout(on_connected=greet), namespaces=["/", "/custom"], **options())

    def remember(sid: str, environ: WSGIEnvironment, auth: object = None) -> None:
        if auth is UNDECODABLE:
            raise PacketError("auth must be an object")
        auths[sid] = auth or {}

    sio.on("connect", remember)
    sio.on("connect", remember, namespace="/custom")
    sio.on("message", lambda sid, *data: sio.emit("message-back", data, to=sid))
    sio.on("message-with-ack", lambda sid, *data: data)
    return Front(
        sio.eio.loop, nothing_here, handlers={"/socket.io/": sio.eio.handle}, takes_body=sio.eio.takes_body
    )


def engine_front() -> Front:
    engine = Engine(**options())
    engine.on("message", engine.send)
    return Front(
        engine.loop, nothing_here, handlers={"/engine.io/": engine.handle}, takes_body=engine.takes_body
    )


class Echo(websocket.WebSocket):
    """Sends every message back."""

    @classmethod
    def answer(cls, exchange: Exchange) -> None:
        try:
            welcome = websocket.accept_response(exchange.request)
            connection = exchange.take_over()
        except Refusal as refusal:
            websocket.refuse(exchange, refusal)
            return
        cls(connection, max_message_bytes=MAX_PAYLOAD_BYTES)
        connection.write(welcome)

    def message(self, data: str | bytes) -> None:
        connection = self.connection
        if isinstance(data, str):
            connection.loop.send(connection, frames.frame(frames.TEXT, data.encode()))
        else:
            connection.loop.send(connection, frames.frame(frames.BINARY, data))

    def ended(self, reason: str) -> None:
        """Nobody to tell."""


def echo_front() -> Front:
    loop = Loop(outbox_limit_bytes=8 * MAX_PAYLOAD_BYTES)
    return Front(loop, nothing_here, handlers={"/": Echo.answer})


def main() -> None:
    parser = argparse.ArgumentParser(
        description="A server on the product's own engine for any protocol suite to be pointed at; without a flag, "
        "Socket.IO with the namespaces / and /custom. It listens on every address.",
        epilog=f"From the environment: PORT ({PORT}; 0 picks a free one, which the first line on standard output "
        f"names), PING_INTERVAL_S ({PING_INTERVAL_S:g}), PING_TIMEOUT_S ({PING_TIMEOUT_S:g}).",
    )
    mode = parser.add_mutually_exclusive_group()
    mode.add_argument(
        "--engine-only",
        action="store_const",
        const=engine_front,
        dest="front",
        help="Engine.IO alone, under /engine.io/: every message is sent back",
    )
    mode.add_argument(
        "--websocket-echo",
        action="store_const",
        const=echo_front,
        dest="front",
        help="WebSocket alone, on /: every message is sent back",
    )
    front = (parser.parse_args().front or socketio_front)()
    number = port()
    try:
        # Every address: for some clients `localhost` is ::1, and a suite may run in a container.
        listeners = listen("*", number, backlog=4096)
    except OSError as problem:
        give_up(f"cannot listen on port {number} ({problem.strerror}): choose another with PORT")
    for listener in listeners:
        front.listen(listener)
    print(f"listening on http://127.0.0.1:{listeners[0].getsockname()[1]}", flush=True)
    while True:
        runtime.sleep(3600)


if __name__ == "__main__":
    main()
