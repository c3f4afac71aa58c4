"""The Socket.IO gateway over a service and memory, in this process: packets in, packets out, no socket."""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Callable
from time import thread_time
from typing import Any

from chatroom import runtime
from chatroom.addresses import Addresses
from chatroom.backplane.local import RoomRules
from chatroom.backplane.memory import MemoryBackplane
from chatroom.core.budgets import Allowance
from chatroom.core.names import NamePool
from chatroom.engine.final_payloads import FinalPayloads
from chatroom.engine.polling import Polling
from chatroom.gateways.socketio.gateway import SocketIOGateway
from chatroom.gateways.words import Words
from chatroom.limits import session_limits
from chatroom.service import Service
from chatroom.sessions import JoinRequest, Session
from chatroom.settings import Settings
from chatroom.tokens import Tokens
from tests.support.inside import until

ADDRESS = "192.0.2.1"


class Silent:
    """A gateway whose guests receive nothing."""

    def __getattr__(self, _call: str) -> Callable[..., None]:
        return lambda *_arguments: None


class Client:
    """A client that polls whenever it is asked what it has received."""

    sid = ""

    def __init__(self, chat: Chat, eio_sid: str, client: str) -> None:
        self._engine, self._receive = chat.gateway.engine, chat.receive
        self.session = self._engine.sessions.create(eio_sid, client)
        self._polling = Polling(
            self.session, self._engine.sessions, FinalPayloads(self._engine.sessions.relief)
        )
        self.session.begin(self._polling)
        chat.connect(eio_sid, client)

    def enters(self, **auth: object) -> None:
        """Join a room."""
        self.sends("0" + json.dumps({"v": 1, **auth}))
        until(lambda: any(b"login" in packet for packet in self._polling._outbox))
        self.sid = str(self.received()[0]["sid"])

    def has_waiting(self, piece: bytes, times: int) -> bool:
        """Whether so many packets with this in them wait for it."""
        return sum(piece in packet for packet in self._polling._outbox) == times

    def sends(self, packet: str) -> None:
        """Send one Socket.IO packet, which is handled before this returns."""
        self._receive(self.session.sid, packet)

    def asks(self, action: str | None, **fields: object) -> dict[str, Any]:
        """The answer to a request."""
        self.sends("27" + json.dumps(["msg", {"action": action, **fields}]))
        until(lambda: any(b"437[" in packet for packet in self._polling._outbox))
        answer: dict[str, Any] = self.received(acks=True)[0]
        return answer

    def received(self, *, acks: bool = False) -> list[dict[str, Any]]:
        """What has come since the last call: events, or acks."""
        found = []
        while self._polling.waiting_bytes:
            for packet in self._polling.take_payload().decode().split("\x1e"):
                kind, _, body = packet.partition("[")
                if acks and kind == "437":
                    found += json.loads("[" + body)
                elif not acks and kind == "42":
                    found.append(json.loads("[" + body)[1])
        return found


class Chat:
    """The gateway, and the clock of its limits, which stands still.

    Args:
        allowance: of each address; by default the usual one.
        outbox_limit_bytes: what may wait for a client.
    """

    def __init__(self, allowance: Allowance | None = None, *, outbox_limit_bytes: int = 100_000_000) -> None:
        self.now = 1000.0
        self._numbers: Counter[str] = Counter()
        rules = RoomRules(NamePool(("Ming", "Lotus", "Bob")), random.Random(17), max_people=None)
        self.backplane = MemoryBackplane(rules, self._now_ms, self._monotonic)
        self.addresses = Addresses(allowance or Allowance(), self._monotonic)
        self.service = Service(
            backplane=self.backplane,
            tokens=Tokens(b"s" * 32, 1e6, lambda: 0.0),
            limits=session_limits(Settings()),
            budget_of=self.addresses.budget_of,
            now_ms=self._now_ms,
            monotonic=self._monotonic,
            spawn=lambda call: call(),
            signal=runtime.Signal,
        )
        self.gateway = SocketIOGateway(
            self.service,
            Words("en"),
            {},
            connect_timeout_s=30.0,
            engine_options={"gate": self.addresses, "outbox_limit_bytes": outbox_limit_bytes},
            monotonic=self._monotonic,
            now_ms=self._now_ms,
            call_later=runtime.call_later,
            meter=runtime.Meter(self._monotonic, thread_time),
        )
        self._silent: Any = Silent()
        self.service.start([self.gateway, self._silent])

    def _monotonic(self) -> float:
        return self.now

    def _now_ms(self) -> int:
        return round(self.now * 1000)

    def connect(self, eio_sid: str, client: str) -> None:
        """The engine has a new session."""
        self.gateway._server._handle_eio_connect(eio_sid, {"REMOTE_ADDR": client})

    def receive(self, eio_sid: str, packet: str) -> None:
        """The engine has received a packet."""
        self.gateway._server._handle_eio_message(eio_sid, packet)

    def connects(self, client: str = ADDRESS) -> Client:
        """Another client, from an address; it has not joined a room yet."""
        self._numbers[client] += 1
        return Client(self, f"{client}-{self._numbers[client]}", client)

    def joins(self, client: str = ADDRESS, **auth: object) -> Client:
        """Another client in a room, from an address."""
        joined = self.connects(client)
        joined.enters(**auth)
        return joined

    def fill(self, room: str, names: list[str]) -> list[Session]:
        """Have people join a room; they receive nothing."""
        sessions = []
        for number, name in enumerate(names):
            request = JoinRequest(room=room, username=name, keeps_name=True)
            address = f"198.{18 + number // 65536}.{number // 256 % 256}.{number % 256}"
            session = self.service.admit(f"filler {number}", self._silent, request, address)
            self.service.enter(session)
            sessions.append(session)
        return sessions
