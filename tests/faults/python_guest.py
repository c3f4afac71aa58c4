"""A guest on python-socketio's own client, which may be an old one: events go out as JSON lines.

Arguments: the server's URL, `sync` or `async`, and the transports. It ends when its standard input does.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import threading
from typing import Any

import socketio

URL, MODE, *TRANSPORTS = sys.argv[1:]
LOCK = threading.Lock()
SOON = {"reconnection_delay": 0.05, "reconnection_delay_max": 0.2}


def report(event: str, **fields: Any) -> None:
    with LOCK:  # the client's threads report at the same time
        print(json.dumps({"event": event, **fields}), flush=True)


def listen(client: Any) -> None:
    """Report all that happens."""
    client.on("connect", lambda: report("connect"))
    client.on("disconnect", lambda *reason: report("disconnect", reason=reason))
    client.on("msg", lambda frame: report("msg", frames=[frame]))


def serve() -> None:
    client = socketio.Client(**SOON)
    listen(client)
    client.connect(URL, transports=TRANSPORTS)
    report("open", transport=client.transport())
    stay()


def stay() -> None:
    """Until standard input ends; then go at once: the client's threads may wait for a server that is gone."""
    sys.stdin.read()
    os._exit(0)


async def serve_async() -> None:
    client = socketio.AsyncClient(**SOON)
    listen(client)
    await client.connect(URL, transports=TRANSPORTS)
    report("open", transport=client.transport())
    await asyncio.get_running_loop().run_in_executor(None, stay)


if MODE == "sync":
    serve()
else:
    asyncio.run(serve_async())
