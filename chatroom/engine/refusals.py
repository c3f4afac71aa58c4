"""How an Engine.IO request is refused: with the codes of Engine.IO's own reference server."""

from __future__ import annotations

import json
from typing import Final

from chatroom.engine.exchange import Exchange

Error = tuple[int, str]

UNKNOWN_TRANSPORT: Final[Error] = (0, "Transport unknown")
UNKNOWN_SESSION: Final[Error] = (1, "Session ID unknown")
BAD_METHOD: Final[Error] = (2, "Bad handshake method")
BAD_REQUEST: Final[Error] = (3, "Bad request")
FORBIDDEN: Final[Error] = (4, "Forbidden")
BAD_VERSION: Final[Error] = (5, "Unsupported protocol version")


def refuse(exchange: Exchange, error: Error, *, status: int = 400) -> None:
    """Refuse a request."""
    code, message = error
    body = json.dumps({"code": code, "message": message}, separators=(",", ":")).encode()
    if exchange.request.wants_upgrade():
        exchange.request.keep_alive = False
    exchange.respond(status, body, content_type="application/json")
