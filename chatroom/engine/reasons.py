"""Why sessions end, as disconnect handlers receive it: the reasons of connections, and these; three are engineio's."""

from chatroom.net.reasons import HANDLER_ERROR, SERVER_FULL, SLOW_READER, TRANSPORT_CLOSE, TRANSPORT_ERROR

__all__ = [
    "CLIENT_DISCONNECT",
    "CONNECT_TIMEOUT",
    "FLOOD",
    "HANDLER_ERROR",
    "PING_TIMEOUT",
    "PROTOCOL_ERROR",
    "SERVER_DISCONNECT",
    "SERVER_FULL",
    "SLOW_READER",
    "TRANSPORT_CLOSE",
    "TRANSPORT_ERROR",
]

SERVER_DISCONNECT = "server disconnect"
CLIENT_DISCONNECT = "client disconnect"
PING_TIMEOUT = "ping timeout"

PROTOCOL_ERROR = "protocol error"
CONNECT_TIMEOUT = "connect timeout"
FLOOD = "client flood"
