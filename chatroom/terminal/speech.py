"""What a guest has typed and the server has not answered to yet: each message is said once, in its order.

It knows the answers of protocol.md, section 1, and what may be tried again after each. It does no I/O; moments are
given to it, in seconds.
"""

from __future__ import annotations

import secrets
from collections import deque
from dataclasses import dataclass, field
from typing import Any, Final

RETRY_S: Final = 1.0  # when the server could not keep a message
MAX_LOSSES: Final = 6  # connections lost over one line: then it is the line that the server cannot stand
MAX_WAIT_S: Final = 60.0  # that a server can ask for before the next try
LOST: Final = "lost"  # the code of answers that never came: the connection has ended

Frame = dict[str, Any]


@dataclass(slots=True, eq=False)
class Line:
    """Something typed.

    Attributes:
        cid: how the server knows a message again.
        sent: on this connection, and not answered to.
        losses: how many connections were lost while it was on its way.
    """

    text: str
    cid: str = field(default_factory=lambda: secrets.token_urlsafe(12))
    sent: bool = False
    losses: int = 0

    @property
    def is_command(self) -> bool:
        """Whether sending it again could do it twice: the server knows only messages by their `cid`."""
        text = self.text.lstrip()
        return text.startswith("/") and not text.startswith("//")

    @property
    def is_quit(self) -> bool:
        return self.text.strip().lower() == "/quit"

    def frame(self) -> Frame:
        return {"action": "message", "msg": self.text, "cid": self.cid}


class Speech:
    """The lines of one guest.

    Attributes:
        lines: the first one is on its way, or the next to be.
        refused: how many the server would not take, or nobody knows of.
    """

    def __init__(self) -> None:
        self.lines: deque[Line] = deque()
        self.refused = 0
        self._not_before = 0.0

    def refuse_too_long(self, limit: int) -> Frame | None:
        """Refuse the first line if it is longer than the server takes: far above that it would cost the connection.

        Returns:
            The refusal to tell the guest.
        """
        if not self.lines or len(self.lines[0].text) <= limit:
            return None
        text = f"That is too long: at most {limit} characters."
        return self.answered(self.lines[0], {"code": "too_long", "msg": text}, 0.0)

    def due(self, now: float) -> Line | None:
        """The line to send now. One at a time: what is refused for its haste must not be overtaken by the next."""
        if not self.lines or self.lines[0].sent or now < self._not_before:
            return None
        return self.lines[0]

    def due_in(self, now: float) -> float | None:
        """In how many seconds there is a line to send; None if that is not a question of time."""
        return max(0.0, self._not_before - now) if self.lines and not self.lines[0].sent else None

    def answered(self, line: Line, answer: Frame, now: float) -> Frame | None:
        """The server has answered to the line that is on its way.

        Returns:
            A refusal to tell the guest, as a `notice` frame with the text in `said`.
        """
        code = answer.get("code")
        line.losses += code == LOST
        can_repeat = code in ("unavailable", LOST) and not line.is_command and line.losses < MAX_LOSSES
        if can_repeat or code in ("rate_limited", "slow_mode"):
            line.sent = False
            self._not_before = now + (0.0 if code == LOST else wait_s(answer))
            return None
        self.lines.popleft()
        if answer.get("ok"):
            return None
        self.refused += 1
        text = str(answer.get("msg"))
        if code == LOST:
            text = "The connection was lost before an answer came. It may not have taken effect."
        return {"action": "notice", "username": "*", "msg": text, "code": str(code), "said": line.text}


def wait_s(answer: Frame) -> float:
    """How long a refusal asks to wait."""
    seconds = answer.get("retry_after")
    return min(float(seconds), MAX_WAIT_S) if isinstance(seconds, int | float) and seconds >= 0 else RETRY_S
