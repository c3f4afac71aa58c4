"""Requests that open a Socket.IO session, for tests that send them byte by byte."""

from typing import Final

POLL: Final = "/socket.io/?EIO=4&transport=polling"
SOCKET: Final = "/socket.io/?EIO=4&transport=websocket"
UPGRADE: Final = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==",
}


def upgrade_request(target: str = SOCKET) -> bytes:
    """A WebSocket handshake, whole."""
    lines = [
        f"GET {target} HTTP/1.1",
        "Host: 127.0.0.1",
        *(f"{name}: {value}" for name, value in UPGRADE.items()),
    ]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()
