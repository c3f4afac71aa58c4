"""How everyone is disconnected before the server ends: spread over time, and never for long.

It knows when, and nothing of what a connection is.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

_SPREAD_S: Final = 3.0  # clients are disconnected over this long, so that they do not all reconnect at once
_PER_S: Final = 2000  # at least
# What is not closed by then is cut by the end of the process: as many as that, for whom much waits, keep us busy.
_CLOSED_AFTER_S: Final = 3.2
_LINGER_S: Final = 1.4  # for the last bytes to be sent, and for polling clients to fetch theirs
_OVER_AFTER_S: Final = 4.4  # which leaves time to end within 5 s


def disconnect_all(
    sessions: Sequence[str],
    close: Callable[[str], None],
    are_drained: Callable[[], bool],
    *,
    monotonic: Callable[[], float],
    sleep: Callable[[float], None],
) -> None:
    """Close all sessions, spread over a few seconds if there are many.

    Args:
        sessions: their ids.
        close: closes one, so that its client takes that for a lost connection, and reconnects.
        are_drained: whether everything that was sent is on its way.
        monotonic: a clock in seconds.
        sleep: lets others run for so many seconds.
    """
    pause_s = min(_SPREAD_S / len(sessions), 1 / _PER_S) if sessions else 0
    began = monotonic()
    for number, session in enumerate(sessions):
        if monotonic() - began > _CLOSED_AFTER_S:
            break
        close(session)
        sleep(max(0.0, began + number * pause_s - monotonic()))
    deadline = min(monotonic() + _LINGER_S, began + _OVER_AFTER_S)
    while not are_drained() and monotonic() < deadline:
        sleep(0.01)
