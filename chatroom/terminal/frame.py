"""What the server and this client send each other: JSON objects, whose fields are checked where they are read."""

from __future__ import annotations

from typing import Any

Frame = dict[str, Any]


def notice(text: str, code: str = "client", **more: object) -> Frame:
    """A notice of the client itself, as a frame."""
    return {"action": "notice", "username": "*", "msg": text, "code": code, **more}
