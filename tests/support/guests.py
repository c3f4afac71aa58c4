"""Guests of a play: a Socket.IO client with an ear for `msg` frames. Everything that waits has a deadline."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import Any, Protocol, TypeVar
from urllib.parse import urlsplit

import engineio
import requests
import socketio
import websocket

# A client whose queue stays empty says so seconds after its play is over, into a stream that pytest has closed.
logging.getLogger("engineio.client").setLevel(logging.CRITICAL)

WAIT_S = 10.0
# python-engineio's client, if it is sending when it is closed, may only notice at its next look at what it has to send.
_NOTICED_S = 45.0
Frame = dict[str, Any]
_Result = TypeVar("_Result")

POLLING = ["polling"]
WEBSOCKET = ["websocket"]
UPGRADE = ["polling", "websocket"]


def until(
    condition: Callable[[], _Result | None], what: str | Callable[[], object], seconds: float = WAIT_S
) -> _Result:
    """Ask again and again, for as long as the deadline allows, for what nobody tells of by itself.

    Args:
        what: names it if it never comes; a function is called then, and says what there is instead.
    """
    deadline = time.monotonic() + seconds
    while True:
        result = condition()
        if result:
            return result
        assert time.monotonic() < deadline, f"never so: {what() if callable(what) else what}"
        time.sleep(0.02)


class Refused(Exception):
    """The server refused the connection; `data` is what it said."""

    def __init__(self, data: Any) -> None:
        super().__init__(str(data))
        self.data = data


class _InOrder(engineio.Client):
    """A client that hears one message after the other: the library gives each to a thread of its own, in any order."""

    def _trigger_event(self, event: str, *arguments: Any, **how: Any) -> Any:
        return super()._trigger_event(event, *arguments, **how | {"run_async": False})


class _Client(socketio.Client):
    def _engineio_client_class(self) -> type[_InOrder]:
        return _InOrder


class Guest:
    """One client and all the frames that it has heard and not spoken of yet.

    Args:
        url: the server's.
        auth: what to send as `auth`; None sends none, as a seed client does.
        transports: how to connect.
    """

    def __init__(
        self, url: str, auth: Frame | None = None, transports: list[str] = WEBSOCKET, **options: Any
    ) -> None:
        self.url = url
        self.auth = auth
        self.transports = transports
        self.frames: list[Frame] = []
        self.disconnects: list[str] = []
        self._changed = threading.Condition()
        self._refusal: Any = None
        self._http = requests.Session()
        self.client = _Client(reconnection=False, http_session=self._http, **options)
        self.client.on("msg", self._hear)
        self.client.on("connect_error", self._refused)
        self.client.on("disconnect", self._gone)

    def enter(self) -> Guest:
        """Connect and wait for the first frame, one's own login; it stays in `login`."""
        try:
            self.client.connect(
                self.url,
                transports=self.transports,
                auth=self.auth,
                wait_timeout=WAIT_S,
                socketio_path=f"{urlsplit(self.url).path}/socket.io",
            )
        except socketio.exceptions.ConnectionError:
            if self._refusal is not None:
                raise Refused(self._refusal) from None
            raise
        self.login = self.receives("login")
        self.name: str = self.login["username"]
        self.sid: str = self.login["sid"]
        self.you: Frame = self.login["you"]
        return self

    def emit(self, *arguments: Any) -> None:
        """Emit `msg` without asking for an ack."""
        self.client.emit("msg", tuple(arguments))

    def asks(self, action: str, **fields: Any) -> Frame:
        """Emit a request and wait for its ack."""
        return self.asks_raw({"action": action, **fields})

    def asks_raw(self, *arguments: Any, event: str = "msg") -> Frame:
        """Emit whatever it is and wait for the ack."""
        answer: Frame = self.client.call(event, tuple(arguments), timeout=WAIT_S)
        return answer

    def sends(self, text: str, **fields: Any) -> Frame:
        """Say something and wait until it is acknowledged."""
        answer = self.asks("message", msg=text, **fields)
        assert answer["ok"], answer
        return answer

    def receives(self, action: str, **fields: Any) -> Frame:
        """Wait for the next frame that is so; those before it are passed over."""

        def found() -> Frame | None:
            for index, frame in enumerate(self.frames):
                if frame["action"] == action and all(
                    frame.get(key) == value for key, value in fields.items()
                ):
                    del self.frames[: index + 1]
                    return frame
            return None

        return self.waits_for(found, f"{action} {fields}")

    def receives_next(self, action: str, **fields: Any) -> Frame:
        """The very next frame must be so."""
        frame = self.waits_for(lambda: self.frames.pop(0) if self.frames else None, action)
        assert frame["action"] == action, frame
        for key, value in fields.items():
            assert frame.get(key) == value, frame
        return frame

    def receives_nothing(self, action: str | None = None) -> None:
        """Nothing more (of this action) has come when the server's answer to a question that is asked now has."""
        self.asks("who")
        heard = [frame for frame in self.frames if action is None or frame["action"] == action]
        assert heard == []

    def waits_for(self, found: Callable[[], _Result | None], what: str, seconds: float = WAIT_S) -> _Result:
        """Wait until `found` gives something."""
        deadline = time.monotonic() + seconds
        with self._changed:
            while True:
                result = found()
                if result:
                    return result
                left = deadline - time.monotonic()
                if left <= 0:
                    raise AssertionError(f"never heard: {what}; heard {self.frames[:20]}")
                self._changed.wait(left)

    def waits_for_disconnect(self) -> str:
        """Wait until the connection has ended; gives the reason that the client knows."""
        reason = self.waits_for(
            lambda: self.disconnects[0] if self.disconnects else None, "disconnect", _NOTICED_S
        )
        self._close_sockets()
        return reason

    def leaves(self) -> None:
        """Disconnect as a client library does it."""
        self.client.disconnect()
        self._close_sockets()

    def is_cut(self) -> None:
        """Lose the connection without a word."""
        self.client.eio.disconnect(abort=True)
        self._close_sockets()

    def _close_sockets(self) -> None:
        """The library leaves its sockets open after an upgrade, and when it is the server that ends."""
        if isinstance(self.client.eio.ws, websocket.WebSocket):
            self.client.eio.ws.shutdown()
        self._http.close()

    def _hear(self, *arguments: Any) -> None:
        with self._changed:
            self.frames.append(arguments[0])
            self._changed.notify_all()

    def _refused(self, data: Any) -> None:
        self._refusal = data

    def _gone(self, reason: str) -> None:
        with self._changed:
            self.disconnects.append(reason)
            self._changed.notify_all()


class Guests(Protocol):
    """Lets guests enter a room; other keywords are auth keys."""

    def __call__(self, transports: list[str] | None = None, url: str | None = None, **auth: Any) -> Guest: ...


def becomes_free(guests: Guests, name: str) -> Guest:
    """Enter under a name that somebody has just given up; a busy server may need a moment to know."""

    def enters() -> Guest | None:
        try:
            return guests(username=name)
        except Refused:
            return None

    return until(enters, f"{name} is free")
