"""A Socket.IO server with one event for each thing that the tests need: messages, acks, errors, counts.

Every client joins one room and receives `hello` with a number. All messages are numbered in the order in which the
server decides to send them. `boom` raises; `state` counts what lives.
"""

# ruff: noqa: E402 - the runtime must be patched before anything else is imported

from __future__ import annotations

import gc
import logging
import os
import sys
from pathlib import Path
from typing import NoReturn
from wsgiref.types import StartResponse, WSGIEnvironment

sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent))

from chatroom import runtime

runtime.patch()

import socketio

from chatroom.engine.exchange import Exchange
from chatroom.engine.fanout import Fanout
from chatroom.engine.front import Front
from chatroom.engine.namespaces import Membership
from chatroom.engine.server import Engine
from chatroom.engine.session import Session
from chatroom.engine.strict import Ack, StrictServer
from chatroom.net.acceptor import Acceptor
from chatroom.net.connection import Connection
from tests.engine_live.serving import serve

logging.basicConfig(format="%(levelname)s %(message)s")
COUNTED = {"sessions": Session, "connections": Connection, "memberships": Membership, "exchanges": Exchange}


def setting(name: str, default: float) -> float:
    return float(os.environ.get(name, default))


class Server(StrictServer):
    judged = 0

    def _handle_eio_message(self, eio_sid: str, data: str | bytes) -> bool:
        self.judged += 1
        return super()._handle_eio_message(eio_sid, data)


def greet(sid: str, namespace: str) -> None:
    sio.enter_room(sid, "room")
    sio.emit("hello", number(), room="room")


def refuse(sid: str, ack: Ack) -> None:
    """Do nothing: the sender of a bad event stays connected and may try again, as in the chat room."""


last = 0


def number() -> int:
    global last
    last += 1
    return last


sio = Server(
    client_manager=Fanout(connect_timeout_s=setting("CONNECT_TIMEOUT_S", 10), on_connected=greet),
    on_bad_event=refuse,
    cors_allowed_origins=["http://page.example"],
    max_sessions=int(setting("MAX_SESSIONS", 1_000_000)),
    ping_interval_s=setting("PING_INTERVAL_S", 60),
    ping_timeout_s=setting("PING_TIMEOUT_S", 60),
    kept_environ=["QUERY_STRING"],
)
engine: Engine = sio.eio


def eio_sid_of(sid: str) -> str:
    """The session of a client that is connected."""
    found = sio.manager.eio_sid_from_sid(sid, "/")
    assert found is not None
    return found


@engine.on("connect")
def thinks(eio_sid: str, environ: WSGIEnvironment) -> None:
    """Connect a client at once; with `think` in its query, only after the next `say`."""
    sio._handle_eio_connect(eio_sid, environ)
    if "think" in environ["QUERY_STRING"]:
        said.wait(0)  # earlier calls of `say`
        said.wait()
    if "leave" in environ["QUERY_STRING"]:
        engine.disconnect(eio_sid)


reasons: dict[str, str] = {}
handled: list[int | None] = []
doomed: set[str] = set()


@sio.event
def connect(sid: str, environ: WSGIEnvironment, auth: object = None) -> None:
    auth = auth if isinstance(auth, dict) else {}
    if auth.get("refuse"):
        raise socketio.exceptions.ConnectionRefusedError("no", {"code": "no"})
    if auth.get("boom"):
        raise ZeroDivisionError("what people write must not be logged")
    if auth.get("leave"):
        engine.close(eio_sid_of(sid))
    # It must not reach the client before its CONNECT.
    for _ in range(auth.get("early", 1)):
        sio.emit("early", number(), to=sid)


@sio.event
def disconnect(sid: str, reason: str) -> None:
    reasons[sid] = reason
    if sid in doomed:
        raise ZeroDivisionError("what people write must not be logged")


said = runtime.Signal()


@sio.event
def say(sid: str, *_: object) -> bool:
    said.set()
    sio.emit("n", number(), room="room")
    return True


@sio.event
def tell(sid: str, *_: object) -> bool:
    sio.emit("n", number(), to=sid)
    return True


@sio.event
def both(sid: str, *_: object) -> int:
    sio.emit("n", number(), room=["room", "nobody is here"])
    sio.emit("n", number())
    return number()


@sio.event
def others(sid: str) -> bool:
    sio.emit("n", number(), room="room", skip_sid=sid)
    return True


@sio.event
def binary(sid: str) -> bool:
    sio.emit("n", (number(), b"\0" * 10), room="room")
    return True


@sio.event
def big(sid: str, size: int) -> bool:
    sio.emit("big", "x" * size, room="room")
    return True


@sio.event
def long(sid: str, size: int) -> str:
    return "x" * size


@sio.event
def boom(sid: str) -> NoReturn:
    raise ZeroDivisionError("what people write must not be logged")


@sio.event
def boom_at_the_end(sid: str) -> bool:
    doomed.add(sid)
    return True


@sio.event
def sleepy(sid: str, seconds: float) -> str:
    runtime.sleep(seconds)
    return "slept"


@sio.event
def waits_for_say(sid: str) -> str:
    said.wait(0)  # earlier calls of `say`
    sio.emit("waits", to=sid)
    said.wait()
    return "waited"


@sio.event
def count(sid: str, value: int | None = None, *_: object) -> None:
    handled.append(value)


@sio.event
def judged(sid: str, *_: object) -> int:
    return sio.judged


@sio.event
def counted(sid: str) -> int:
    return len(handled)


@sio.event
def pause(sid: str, seconds: float) -> bool:
    eio_sid = eio_sid_of(sid)
    engine.pause(eio_sid)
    runtime.call_later(seconds, engine.resume, eio_sid)
    return True


@sio.event
def away(sid: str, how: str) -> None:
    sio.emit("last", "words", to=sid)
    getattr(engine, how)(eio_sid_of(sid))


@sio.event
def close_all(sid: str) -> None:
    engine.refuse_newcomers()
    for eio_sid in list(engine.sockets):
        engine.close(eio_sid)


@sio.event
def called_back(sid: str) -> None:
    sio.emit("question", "?", to=sid, callback=lambda *answer: sio.emit("answered", answer, to=sid))


@sio.event
def state(sid: str) -> dict[str, object]:
    collected = gc.collect()
    everything = gc.get_objects()
    found = {name: sum(type(one) is kind for one in everything) for name, kind in COUNTED.items()}
    greenlets = sum(type(one).__name__ in ("greenlet", "GreenThread") for one in everything)
    return {
        **found,
        "greenlets": greenlets,
        "environs": len(sio.environ),
        "collected": collected,
        "reasons": reasons,
    }


def site(environ: WSGIEnvironment, start_response: StartResponse) -> list[bytes]:
    body = environ["wsgi.input"].read()
    if environ["PATH_INFO"] == "/boom":
        raise ZeroDivisionError("what people write must not be logged")
    if environ["QUERY_STRING"] == "slow":
        runtime.sleep(0.3)
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"well\n", body]


front = Front(
    engine.loop,
    # Both roads to the engine: straight from the front door, and through a WSGI application.
    socketio.WSGIApp(sio, site, socketio_path="wsgi.io"),
    handlers={"/socket.io/": engine.handle},
    acceptor=Acceptor(max_connections=int(setting("MAX_CONNECTIONS", 10_000))),
    head_timeout_s=setting("HEAD_TIMEOUT_S", 10),
    body_timeout_s=setting("BODY_TIMEOUT_S", 20),
    response_timeout_s=setting("RESPONSE_TIMEOUT_S", 30),
)
serve(front, backlog=4096)
