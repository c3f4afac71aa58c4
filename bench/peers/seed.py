"""The naive chatroom on python-socketio and eventlet as they come: a peer to measure.

Usage: python seed.py PORT [NAMES]. With NAMES (a file, one nickname per line), everyone gets a full name list at each
login. All settings are the defaults, except `max_size`: eventlet serves 1,024 requests at once by default, and a
WebSocket is one, so number 1,025 would hang.
"""

import warnings

warnings.filterwarnings("ignore", message=r"\s*Eventlet is deprecated")

import eventlet  # noqa: E402  (the filter comes first)

eventlet.monkey_patch()

import sys  # noqa: E402  (patching comes first)
from pathlib import Path  # noqa: E402  (patching comes first)
from typing import Any  # noqa: E402  (patching comes first)

import eventlet.wsgi  # noqa: E402  (patching comes first)
import socketio  # noqa: E402  (patching comes first)

port = int(sys.argv[1])
nicknames = Path(sys.argv[2]).read_text(encoding="utf-8").splitlines() if len(sys.argv) > 2 else []
sio = socketio.Server(async_mode="eventlet")
names: dict[str, str] = {}
rooms: dict[str, str] = {}


@sio.event  # type: ignore[untyped-decorator]  # socketio ships no types
def connect(sid: str, environ: dict[str, Any], auth: dict[str, Any] | None) -> None:
    """Admit the newcomer and, if there are nicknames, send all names to everyone."""
    if auth and "room" in auth:
        rooms[sid] = auth["room"]
        sio.enter_room(sid, rooms[sid])
    if nicknames:
        names[sid] = nicknames[len(names) % len(nicknames)]
        name_list = [[name, member] for member, name in names.items()]
        login = {
            "action": "login",
            "username": names[sid],
            "sid": sid,
            "count": len(names),
            "name_list": name_list,
        }
        sio.emit("msg", login)


@sio.event  # type: ignore[untyped-decorator]  # socketio ships no types
def msg(sid: str, data: dict[str, Any]) -> dict[str, Any]:
    """Relay a message to everyone, or to the sender's room; the result is the ack."""
    sio.emit("msg", data, room=rooms.get(sid))
    return {"ok": True}


@sio.event  # type: ignore[untyped-decorator]  # socketio ships no types
def disconnect(sid: str, reason: str) -> None:
    """Forget the member."""
    names.pop(sid, None)
    rooms.pop(sid, None)


eventlet.wsgi.server(
    eventlet.listen(("127.0.0.1", port)), socketio.WSGIApp(sio), max_size=20_000, log_output=False
)
