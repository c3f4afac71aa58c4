"""What storing a message costs the server: CPU per acknowledged durable message, from /proc of the server's process.

    python -m bench.ingest            1 and 32 senders, --durability full and os

Each sender has one message in flight, and sends the next one when that is acknowledged. Each has a room of its own, so
that the figure has only the ingest and the echo to the sender.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import selectors
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import websocket

ROOT = Path(__file__).resolve().parents[1]
WARM_S = 1.0
TEXT = "x" * 100


def cpu_seconds(pid: int) -> float:
    """User and system time of all of a process's threads, with the scheduler's precision."""
    tasks = Path(f"/proc/{pid}/task")
    return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks.iterdir()) / 1e9


def enter(url: str, room: str) -> websocket.WebSocket:
    """Connect a sender to a room of its own; its welcome has been read."""
    sock = websocket.create_connection(
        url.replace("http", "ws", 1) + "/socket.io/?EIO=4&transport=websocket", timeout=10
    )
    sock.send("40" + json.dumps({"v": 1, "room": room}))
    while not str(sock.recv()).startswith("42"):
        pass
    return sock


def say(sock: websocket.WebSocket) -> None:
    sock.send('420["msg",' + json.dumps({"action": "message", "msg": TEXT}) + "]")


def measure(senders: int, durability: str, seconds: float) -> tuple[float, float]:
    """Microseconds of server CPU per acknowledged message, and messages per second."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "app.py", "--port", "0", "--host", "127.0.0.1", "--limits", "off"]
        command += ["--durability", durability, "--data-dir", folder]
        with subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True) as server:
            assert server.stderr is not None
            found = re.search(r"http://\S+", server.stderr.readline())
            assert found is not None
            sockets = [enter(found[0], f"room {number}") for number in range(senders)]
            with selectors.DefaultSelector() as ready:
                for sock in sockets:
                    ready.register(sock, selectors.EVENT_READ, sock)
                    say(sock)
                _run(ready, WARM_S)
                cpu, began = cpu_seconds(server.pid), time.monotonic()
                acked = _run(ready, seconds)
                cpu, took = cpu_seconds(server.pid) - cpu, time.monotonic() - began
            for sock in sockets:
                sock.shutdown()
            server.terminate()
            server.communicate(timeout=20)
    return cpu / acked * 1e6, acked / took


def _run(ready: selectors.BaseSelector, seconds: float) -> int:
    """Send for so many seconds; returns how many messages were acknowledged."""
    acked = 0
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        for key, _ in ready.select(0.1):
            sock: websocket.WebSocket = key.data
            packet = str(sock.recv())
            if packet.startswith("430"):
                assert '"ok":true' in packet, packet
                acked += 1
                say(sock)
            elif packet == "2":
                sock.send("3")
    return acked


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=5.0, help="time of each measurement (default 5)")
    seconds = parser.parse_args().seconds
    load = os.getloadavg()[0]
    print(
        f"{time.strftime('%Y-%m-%d')}, Python {platform.python_version()}, {os.cpu_count()} cores, load {load:.1f}"
    )
    print("| senders | durability | CPU per message, µs | messages/s |\n|---|---|---|---|")
    for senders in (1, 32):
        for durability in ("full", "os"):
            cost, rate = measure(senders, durability, seconds)
            print(f"| {senders} | {durability} | {cost:.0f} | {rate:.0f} |", flush=True)


if __name__ == "__main__":
    main()
