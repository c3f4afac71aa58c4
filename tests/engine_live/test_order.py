"""Every message exactly once, in exact order, per client: over polling, upgrading and WebSocket, in any interleaving.

The server numbers what it sends in the order in which it decides to. So a client's numbers must rise, and of what went
to the whole room it must have everything, from its own `hello` on.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from functools import partial

import pytest

from tests.engine_live.client import App, Polling, Socket, scale


class Client:
    """A Socket.IO client that records the numbers that it receives, and can upgrade its transport."""

    def __init__(self, app: App, *, polling: bool) -> None:
        self.numbers: list[int] = []
        self.shared: list[int] = []  # those that went to the whole room
        self.acks: list[int] = []
        self.asked: list[str] = []
        self.connected = False
        self.probing = False
        self.polling = Polling(app.port, "/socket.io/") if polling else None
        self.socket = None if polling else Socket.engine(app.port, "/socket.io/")
        self.send("40")
        self.reads_until(lambda: bool(self.shared))

    def send(self, packet: str) -> None:
        if self.polling is not None and (self.socket is None or self.probing):
            assert self.polling.post(packet.encode()) == (200, b"ok")
        else:
            assert self.socket is not None
            self.socket.send(packet)

    def ask(self, event: str) -> None:
        self.asked.append(event)
        self.send(f'42{len(self.asked)}["{event}"]')

    def answered(self) -> bool:
        return len(self.acks) == len(self.asked)

    def read(self) -> None:
        """Receive and handle the next packets."""
        if self.polling is not None and self.socket is None:
            status, body = self.polling.poll()
            assert status == 200
            for packet in body.decode().split("\x1e"):
                self.take(packet)
        else:
            assert self.socket is not None
            self.take(self.socket.receive())

    def take(self, packet: str | bytes) -> None:
        if isinstance(packet, bytes) or packet[0] in "b2":
            return
        assert packet != "6"
        if packet.startswith("40"):
            self.connected = True
            return
        assert self.connected, f"{packet} before the CONNECT"
        if packet.startswith("43"):
            digits, _, rest = packet[2:].partition("[")
            self.acks.append(int(digits))
            value = json.loads("[" + rest)[0]
            if value is not True:
                self.numbers.append(value)
            return
        event, value, *_ = json.loads(packet[packet.index("[") :])
        self.numbers.append(value)
        if event == "hello" or (event == "n" and self.shared):
            self.shared.append(value)

    def is_at(self, number: int) -> bool:
        return self.shared[-1] == number

    def reads_until(self, condition: Callable[[], bool]) -> None:
        while not condition():
            self.read()

    def begin_upgrade(self) -> None:
        assert self.polling is not None
        self.socket = self.polling.upgrade()
        self.socket.send("2probe")
        self.probing = True
        assert self.socket.receive() == "3probe"

    def end_upgrade(self) -> None:
        assert self.socket is not None
        self.socket.send("5")
        self.probing = False

    def close(self) -> None:
        for part in (self.socket, self.polling):
            if part is not None:
                part.close()


@pytest.mark.faults
@pytest.mark.parametrize("seed", range(scale(400)))
def test_every_message_once_and_in_order_over_every_transport(rooms_app: App, seed: int) -> None:
    chance = random.Random(seed)
    clients = [Client(rooms_app, polling=False), Client(rooms_app, polling=True)]
    for _ in range(80):
        client = chance.choice(clients)
        step = chance.random()
        if step < 0.05 and len(clients) < 6:
            clients.append(Client(rooms_app, polling=chance.random() < 0.6))
        elif step < 0.15 and client.polling is not None and client.socket is None:
            client.begin_upgrade()
        elif step < 0.3 and client.probing:
            client.end_upgrade()
        elif step < 0.4 and not client.probing:
            client.reads_until(client.answered)
        else:
            client.ask(chance.choice(["say", "say", "tell", "both", "binary"]))
    for client in clients:
        if client.probing:
            client.end_upgrade()
        client.reads_until(client.answered)
    clients[0].ask("both")
    clients[0].reads_until(clients[0].answered)
    final = clients[0].shared[-1]
    for client in clients:
        client.reads_until(partial(client.is_at, final))
        assert client.numbers == sorted(set(client.numbers)), "swapped or doubled"
        assert client.acks == list(range(1, len(client.asked) + 1))
    # What two clients were sent went to the whole room; from the later one's `hello` on, both must have it.
    seen: dict[int, int] = {}
    for client in clients:
        for number in client.shared:
            seen[number] = seen.get(number, 0) + 1
    for client in clients:
        room = {number for number, times in seen.items() if times > 1 and client.shared[0] <= number}
        assert room <= set(client.shared), "lost"
    for client in clients:
        client.close()


@pytest.mark.faults
def test_a_newcomer_gets_nothing_sent_before_it_joined(rooms_app: App) -> None:
    old = Client(rooms_app, polling=False)
    for _ in range(scale(1000)):
        newcomer = Socket.engine(rooms_app.port, "/socket.io/")
        old.ask("say")
        newcomer.send("40")  # both reach the server in one turn of its loop, or nearly
        assert str(newcomer.receive()).startswith("40{")
        assert str(newcomer.receive()).startswith('42["early"')
        assert str(newcomer.receive()).startswith('42["hello"')
        newcomer.close()


def test_a_skipped_client_receives_everything_else_in_order(rooms_app: App) -> None:
    speaker, listener = Client(rooms_app, polling=False), Client(rooms_app, polling=False)
    speaker.shared.clear()
    events = ["say", "others", "tell", "others", "both", "others", "say"]
    before = listener.shared[-1]
    for event in events:
        speaker.ask(event)
    speaker.reads_until(speaker.answered)
    listener.reads_until(lambda: len([n for n in listener.shared if n > before]) == 7)
    got = [n - before for n in listener.shared if n > before]
    assert got == [1, 2, 4, 5, 6, 8, 9]
    assert [n - before for n in speaker.numbers if n > before] == [1, 3, 5, 6, 7, 9]


def test_acks_and_events_of_a_burst_keep_their_order(rooms_app: App) -> None:
    client = Client(rooms_app, polling=False)
    for _ in range(50):
        client.ask("both")
    client.reads_until(client.answered)
    assert client.numbers == sorted(set(client.numbers))
    assert len(client.numbers) >= 150
