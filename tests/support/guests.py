"""Guests: Socket.IO clients that record `msg` frames. Every wait has a deadline."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from functools import partial
from typing import Any, Protocol, TypeVar
from urllib.parse import urlsplit

import engineio
import requests
import socketio
import websocket

# A client with an empty queue logs that seconds after its test has ended, into a stream that pytest has closed.
logging.getLogger("engineio.client").setLevel(logging.CRITICAL)

WAIT_S = 10.0
# If python-engineio's client is closed while it sends, it may notice only when it next checks its queue.
_NOTICED_S = 45.0
Frame = dict[str, Any]
_Result = TypeVar("_Result")

POLLING = ["polling"]
WEBSOCKET = ["websocket"]
UPGRADE = ["polling", "websocket"]


def until(
    condition: Callable[[], _Result | None],
    what: str | Callable[[], object] = "what the test waits for",
    seconds: float = WAIT_S,
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
    """The server refused the connection; `data` is its reason."""

    def __init__(self, data: Any) -> None:
        super().__init__(str(data))
        self.data = data


class _InOrder(engineio.Client):
    """Handles messages in order; the library's client handles each in a thread of its own."""

    def _trigger_event(self, event: str, *arguments: Any, **how: Any) -> Any:
        return super()._trigger_event(event, *arguments, **how | {"run_async": False})


class _Client(socketio.Client):
    def _engineio_client_class(self) -> type[_InOrder]:
        return _InOrder


class Guest:
    """One client, and the frames that it has received and the test has not checked yet.

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
        """Connect and wait for the first frame, the client's own login; it stays in `login`."""
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
        """Emit any arguments and wait for the ack."""
        answer: Frame = self.client.call(event, tuple(arguments), timeout=WAIT_S)
        return answer

    def sends(self, text: str, **fields: Any) -> Frame:
        """Send a message and wait until it is acknowledged."""
        answer = self.asks("message", msg=text, **fields)
        assert answer["ok"], answer
        return answer

    def receives(self, action: str, **fields: Any) -> Frame:
        """Wait for the next frame like this; those before it are skipped."""

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
        """The very next frame must be like this."""
        frame = self.waits_for(lambda: self.frames.pop(0) if self.frames else None, action)
        assert frame["action"] == action, frame
        for key, value in fields.items():
            assert frame.get(key) == value, frame
        return frame

    def receives_nothing(self, action: str | None = None) -> None:
        """Send a request: until its answer comes, no other frame (of this action) must come."""
        self.asks("who")
        heard = [frame for frame in self.frames if action is None or frame["action"] == action]
        assert heard == []

    def waits_for(self, found: Callable[[], _Result | None], what: str, seconds: float = WAIT_S) -> _Result:
        """Wait until `found` returns something."""
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
        """Wait until the connection has ended; returns the client's reason."""
        reason = self.waits_for(
            lambda: self.disconnects[0] if self.disconnects else None, "disconnect", _NOTICED_S
        )
        self._close_sockets()
        return reason

    def leaves(self) -> None:
        """Disconnect as a client library does."""
        self.client.disconnect()
        self._close_sockets()

    def is_cut(self) -> None:
        """Lose the connection without notice."""
        self.client.eio.disconnect(abort=True)
        self._close_sockets()

    def _close_sockets(self) -> None:
        """The library leaves its sockets open after an upgrade, and when the server disconnects."""
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


def asks_together(guest: Guest, *events: str | Frame, gap_s: float = 0.0) -> list[Frame]:
    """Send texts or other events without waiting between them; returns the answers in order."""
    answers: dict[int, Frame] = {}
    for number, event in enumerate(events):
        asked = {"action": "message", "msg": event} if isinstance(event, str) else event
        time.sleep(gap_s)
        guest.client.emit("msg", (asked,), callback=partial(answers.__setitem__, number))
    until(lambda: len(answers) == len(events), "all are answered")
    return [answers[number] for number in range(len(events))]


def becomes_free(guests: Guests, name: str) -> Guest:
    """Join under a name that someone has just given up; a busy server may notice that late."""

    def enters() -> Guest | None:
        try:
            return guests(username=name)
        except Refused:
            return None

    return until(enters, f"{name} is free")
