"""The connection to a chatroom: it comes back by itself, misses nothing and says nothing twice.

It knows the frames of protocol.md, section 1, as far as resuming needs them. What they look like is not its
business. Frames are told from a thread of its own, in their order.
"""

from __future__ import annotations

import queue
import secrets
import threading
from collections import deque
from collections.abc import Callable
from enum import Enum, auto
from typing import Any, Final

import engineio
import socketio
import socketio.exceptions

from chatroom.terminal.address import Address

CONNECT_S: Final = 10.0
_RETRY_S: Final = 1.0  # when the server could not keep a message
_PAGE: Final = 200

Frame = dict[str, Any]


class LinkError(Exception):
    """The chatroom cannot be entered; the text is one line."""


class State(Enum):
    """How the connection is."""

    OPEN = auto()
    LOST = auto()  # it will come back
    CLOSED = auto()  # by the server or by us: for good


class Link:
    """One guest's connection.

    Args:
        address: where to.
        room: overrides the address's.
        name: the wanted nickname.
        hear: is told every frame, and in `notice` frames of the link's own what was refused.
        changed: is told how the connection is.
    """

    def __init__(
        self,
        address: Address,
        *,
        room: str | None,
        name: str | None,
        hear: Callable[[Frame], None],
        changed: Callable[[State], None],
    ) -> None:
        self.name = name or ""
        self.refused = 0  # messages that the server would not take
        self._address = address
        self._room = room or address.room
        self._wanted = name
        self._hear = hear
        self._changed = changed
        self._token: str | None = None
        self._last: str | None = None
        self._unsaid: deque[tuple[str, str]] = deque()  # cid and text; the first one is on its way
        self._held: list[Frame] | None = None  # live frames, while what was missed is still being fetched
        self._lock = threading.RLock()
        self._all_said = threading.Condition(self._lock)
        self._refusal: object = None
        self._leaving = False
        self._timer: threading.Timer | None = None
        self._client = _Client(
            handle_sigint=False, reconnection_delay=0.5, reconnection_delay_max=10, randomization_factor=0.25
        )
        self._client.on("msg", self._heard)
        self._client.on("disconnect", self._lost)
        self._client.on("connect_error", self._was_refused)

    # Coming and going

    def open(self) -> None:
        """Enter the room.

        Raises:
            LinkError: nobody answers there, or the server lets us not in.
        """
        try:
            self._client.connect(
                self._address.origin,
                auth=self._auth,
                transports=["websocket"],
                socketio_path=self._address.socket_path,
                wait_timeout=CONNECT_S,
            )
        except socketio.exceptions.ConnectionError as problem:
            if isinstance(self._refusal, dict):
                raise LinkError(str(self._refusal.get("message", "refused"))) from None
            raise LinkError(f"no chatroom answers at {self._address.origin} ({problem})") from None

    def close(self) -> None:
        """Leave; the name is free at once."""
        with self._lock:
            self._leaving = True
            if self._timer is not None:
                self._timer.cancel()
        try:
            self._client.emit("msg", {"action": "logout"})
        except socketio.exceptions.SocketIOError:
            pass  # it is gone already
        self._client.shutdown()
        self._client.eio.stop()

    def _auth(self) -> Frame:
        """What to enter with, made anew each time: a token and the last entry seen once there are any."""
        with self._lock:
            auth = {
                "v": 1,
                "roster": "delta",
                "room": self._room,
                "username": self._wanted if self._token is None else None,
                "token": self._token,
                "after": self._last,
            }
        return {key: value for key, value in auth.items() if value is not None}

    def _was_refused(self, data: object = None) -> None:
        self._refusal = data

    def _lost(self, reason: str) -> None:
        with self._lock:
            self._held = None
            for_good = self._leaving or reason == self._client.reason.SERVER_DISCONNECT
            if for_good:
                self._leaving = True
                self._all_said.notify_all()
        self._changed(State.CLOSED if for_good else State.LOST)

    # Speaking

    def say(self, text: str) -> None:
        """Say a text, or run a typed command; it is sent again until the server has it, and said once."""
        with self._lock:
            self._unsaid.append((secrets.token_urlsafe(12), text))
            if len(self._unsaid) == 1:
                self._send_first()

    def wait_until_said(self, timeout_s: float | None = None) -> bool:
        """Wait until everything is said or refused; False if the server has closed the connection before."""
        with self._all_said:
            self._all_said.wait_for(lambda: not self._unsaid or self._leaving, timeout_s)
            return not self._unsaid

    def is_open_for_more(self) -> bool:
        """Whether it makes sense to say more: the connection is there, or coming back."""
        return not self._leaving

    def ask(self, action: str, answered: Callable[[Frame], None], **fields: object) -> None:
        """Ask for something; the answer may never come if the connection is lost."""
        try:
            self._client.emit("msg", {"action": action, **fields}, callback=answered)
        except socketio.exceptions.SocketIOError:
            pass  # on the way back

    def _send_first(self) -> None:
        """One at a time: whatever is refused for its haste must not be overtaken by the next."""
        with self._lock:
            self._timer = None
            if not self._unsaid or self._token is None or self._leaving:
                return
            cid, text = self._unsaid[0]
            try:
                self._client.emit(
                    "msg",
                    {"action": "message", "msg": text, "cid": cid},
                    callback=lambda answer: self._said(cid, answer),
                )
            except socketio.exceptions.SocketIOError:
                pass  # sent again when the connection is back

    def _said(self, cid: str, answer: Frame) -> None:
        code = answer.get("code")
        with self._lock:
            if not self._unsaid or self._unsaid[0][0] != cid:
                return
            if code in ("rate_limited", "unavailable") and not self._leaving:
                wait_s = float(answer.get("retry_after", _RETRY_S)) if code == "rate_limited" else _RETRY_S
                self._timer = threading.Timer(wait_s, self._send_first)
                self._timer.daemon = True
                self._timer.start()
                return
            self._unsaid.popleft()
            if answer.get("ok"):
                self._token = answer.get("token", self._token)  # `/name` gives a new one
                self.name = answer.get("username", self.name)
            else:
                self.refused += 1
            if self._unsaid:
                self._send_first()
            else:
                self._all_said.notify_all()
        if not answer.get("ok"):
            self._hear({"action": "notice", "username": "*", "msg": str(answer.get("msg")), "code": code})

    # Hearing

    def _heard(self, frame: Frame) -> None:
        you = frame.get("you")
        with self._lock:
            if isinstance(you, dict):
                self._token, self.name, self._room = you["token"], you["username"], frame["room"]
                self._last = None if not you.get("history") else you["history"][-1]["id"]
                self._held = [] if you.get("more") and you.get("resumed") else None
            elif frame.get("action") == "rename" and frame.get("username") == self.name:
                self.name = frame["to"]
            elif self._held is not None:
                self._held.append(frame)
                return
            if frame.get("action") == "message":
                self._last = max(self._last or "", frame["id"])
        self._hear(frame)
        if isinstance(you, dict):
            self._changed(State.OPEN)
            if self._held is not None:
                self._fetch_rest()
            self._send_first()

    def _fetch_rest(self) -> None:
        """More was missed than the welcome holds: what is live waits until the rest is here."""

        def answered(answer: Frame) -> None:
            for entry in answer.get("entries", ()):
                self._last = entry["id"]
                self._hear({**entry, "action": "message"})
            if answer.get("ok") and answer.get("more"):
                self._fetch_rest()
                return
            with self._lock:
                held, self._held = self._held or [], None
            for frame in held:
                if frame.get("action") != "message" or frame["id"] > (self._last or ""):
                    self._heard(frame)

        self.ask("history", answered, after=self._last, limit=_PAGE)


class _InOrder(engineio.Client):
    """Hands on packets one after another; the library would start a thread for each, and order would be luck."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._inbox: queue.SimpleQueue[tuple[Any, ...]] = queue.SimpleQueue()
        threading.Thread(target=self._work, daemon=True).start()

    def _trigger_event(self, event: str, *args: Any, **options: Any) -> Any:
        if event == "message":
            self._inbox.put(args)
            return None
        return super()._trigger_event(event, *args, **options)

    def _work(self) -> None:
        while args := self._inbox.get():
            super()._trigger_event("message", *args)

    def stop(self) -> None:
        """Nothing more is handed on."""
        self._inbox.put(())


class _Client(socketio.Client):
    def _engineio_client_class(self) -> type[engineio.Client]:
        return _InOrder
