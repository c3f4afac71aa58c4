"""`chatroom health`: check whether the server on this machine is healthy, for a container's health check."""

from __future__ import annotations

import http.client
import sys
from collections.abc import Sequence

from chatroom.settings import Settings

_TIMEOUT_S = 4.0


def main(arguments: Sequence[str]) -> int:
    """Check the server that was started with the same flags and environment.

    Returns:
        The exit code: 0 if it is healthy; 1, with one line on standard error, if not.

    Raises:
        SettingsError: a value cannot be used.
    """
    settings = Settings.read(arguments)
    host = "127.0.0.1" if settings.is_everywhere else settings.host
    connection = http.client.HTTPConnection(host, settings.port.number, timeout=_TIMEOUT_S)
    try:
        connection.request("GET", f"{settings.base_path}/healthz")
        answer = connection.getresponse()
        problem = None if answer.status == http.HTTPStatus.OK else f"{answer.status} {answer.reason}"
    except (OSError, http.client.HTTPException) as failed:
        problem = str(failed) or type(failed).__name__
    finally:
        connection.close()
    if problem is not None:
        print(f"chatroom: {host}:{settings.port} is not healthy ({problem})", file=sys.stderr)
    return 0 if problem is None else 1
