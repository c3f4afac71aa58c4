"""The web app manifest of a room: an app that is installed from `/r/tea` starts in `/r/tea`.

Its addresses are relative to its own, so that they are right behind any proxy. Pure; it knows nothing of HTTP.
"""

from __future__ import annotations

import json
from typing import Final
from urllib.parse import parse_qs, quote

from chatroom.core.errors import BadRequest
from chatroom.core.names import LOBBY, parse_room

_NAME: Final = "chatroom"
_MAX_FIELDS: Final = 8  # of the query; only one is used
_ICONS: Final = (
    ("icon-192.png", "image/png", "192x192", "any"),
    ("icon-512.png", "image/png", "512x512", "any"),
    ("icon-maskable-512.png", "image/png", "512x512", "maskable"),
    ("icon.svg", "image/svg+xml", "any", "any"),
)


def room_of(query: str) -> str:
    """The room that a query names; without one, the lobby.

    Raises:
        BadRequest: it is not a query.
        RoomInvalid: no room can have this name.
    """
    try:
        fields = parse_qs(query, keep_blank_values=True, max_num_fields=_MAX_FIELDS)
    except ValueError:
        raise BadRequest from None
    return parse_room(fields.get("room", [LOBBY])[0])


def manifest(room: str, root: str) -> bytes:
    """The manifest of a room.

    Args:
        room: its name, already through `parse_room`.
        root: the path that the page is served under, such as "/chat/". Only `id` needs it: browsers resolve an `id`
            against the origin, and two chatrooms on one origin must not be one app.
    """
    path = "" if room == LOBBY else f"r/{quote(room, safe='')}"
    value = {
        "id": root + path,
        "name": _NAME if room == LOBBY else f"{room} · {_NAME}",
        "short_name": _NAME if room == LOBBY else room,
        "start_url": f"./{path}",
        "scope": "./",  # all rooms: a move to another one stays in the app
        "display": "standalone",
        "background_color": "#faf8f4",
        "theme_color": "#faf8f4",
        "icons": [
            {"src": src, "type": kind, "sizes": sizes, "purpose": purpose}
            for src, kind, sizes, purpose in _ICONS
        ],
    }
    return json.dumps(value, ensure_ascii=False).encode()
