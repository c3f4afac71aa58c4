"""What the server and this client send each other: JSON objects, whose fields are checked where they are read."""

from __future__ import annotations

from typing import Any

Frame = dict[str, Any]
