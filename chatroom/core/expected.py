"""Whether a text for the room may be the answer to a whisper, and is asked about first.

Within a minute of a whisper outside a private chat, the next text to the room is often meant for one person. It is sent
once it is written again. This object knows names and texts; times are passed in, in seconds.
"""

from __future__ import annotations

from typing import Final

ANSWER_S: Final = 60.0
# A text that is written again sooner was written before the question could be read.
CONFIRM_S: Final = 0.4


class ExpectedAnswer:
    """What one guest may be about to answer."""

    __slots__ = ("_asked", "_asked_at", "_at", "_name")

    def __init__(self) -> None:
        self._name = ""
        self._at = float("-inf")
        self._asked = ""
        self._asked_at = 0.0

    def whispered(self, name: str, now: float) -> None:
        """A whisper was received from this person, or sent to them with a command."""
        self._name, self._at = name, now

    def forget(self) -> None:
        """The guest has said who their texts are for."""
        self._at, self._asked = float("-inf"), ""

    def asks_about(self, text: str, now: float) -> str | None:
        """The person whom a text for the room may be for; None: it is sent, and the next ones too."""
        is_confirmed = text == self._asked and now - self._asked_at >= CONFIRM_S
        if is_confirmed or now - self._at >= ANSWER_S:
            self.forget()
            return None
        if text != self._asked:
            self._asked, self._asked_at = text, now
        return self._name
