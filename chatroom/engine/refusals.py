"""How an Engine.IO request is refused: with the codes of Engine.IO's own reference server, and three more."""

from __future__ import annotations

import json
import math
from typing import Final

from chatroom.engine.exchange import Exchange

Error = tuple[int, str]

UNKNOWN_TRANSPORT: Final[Error] = (0, "Transport unknown")
UNKNOWN_SESSION: Final[Error] = (1, "Session ID unknown")
BAD_METHOD: Final[Error] = (2, "Bad handshake method")
BAD_REQUEST: Final[Error] = (3, "Bad request")
FORBIDDEN: Final[Error] = (4, "Forbidden")
BAD_VERSION: Final[Error] = (5, "Unsupported protocol version")
TOO_MANY_SESSIONS: Final[Error] = (6, "Too many sessions")  # of one address
SERVER_FULL: Final[Error] = (7, "Server full")
TOO_MANY_REQUESTS: Final[Error] = (8, "Too many requests")  # of one address


def refuse(exchange: Exchange, error: Error, *, status: int = 400, retry_s: float | None = None) -> None:
    """Refuse a request; with `retry_s`, the client may try again after so many seconds."""
    code, message = error
    fields: dict[str, object] = {"code": code, "message": message}
    headers: list[tuple[str, str]] = []
    if retry_s is not None:
        fields["retry_after"] = math.ceil(retry_s)
        headers.append(("Retry-After", str(math.ceil(retry_s))))
    if exchange.request.wants_upgrade():
        exchange.request.keep_alive = False
    body = json.dumps(fields, separators=(",", ":")).encode()
    exchange.respond(status, body, content_type="application/json", headers=headers)
