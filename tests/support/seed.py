"""The simplest client there is: it sends no `auth`, and knows login, logout, and "anything else is a chat line"."""

from __future__ import annotations

import threading
import time
from typing import Any

import requests
import socketio

from tests.support.guests import WAIT_S


class SeedClient:
    """What such a client makes of what it hears: its name, who is here, and the lines on its screen."""

    def __init__(self, url: str) -> None:
        self.name: str | None = None
        self.people: list[str] = []
        self.lines: list[str] = []
        self.actions: list[str] = []
        self._changed = threading.Condition()
        self._http = requests.Session()  # the library leaves its own open after the upgrade
        self.client = socketio.Client(reconnection=False, http_session=self._http)
        self.client.on("msg", self._hear)
        self.client.connect(url, wait_timeout=WAIT_S)
        self.waits_until(lambda: self.name is not None)

    def sends(self, text: str) -> None:
        self.client.emit("msg", {"action": "send msg", "username": self.name, "msg": text})

    def shows(self, line: str) -> None:
        """Wait until the line is on the screen."""
        self.waits_until(lambda: line in self.lines)

    def waits_until(self, condition: Any) -> None:
        deadline = time.monotonic() + WAIT_S
        with self._changed:
            while not condition():
                left = deadline - time.monotonic()
                assert left > 0, (self.name, self.people, self.lines)
                self._changed.wait(left)

    def leaves(self) -> None:
        self.client.disconnect()
        self._http.close()

    def _hear(self, data: dict[str, Any]) -> None:
        with self._changed:
            action = data["action"]
            self.actions.append(action)
            if action == "login" and self.name is None:
                self.name = data["username"]
            if action in ("login", "logout"):
                self.people = [name for name, _sid in data["name_list"]]
            else:
                self.lines.append(f"{data['username']}: {data['msg']}")
            self._changed.notify_all()
