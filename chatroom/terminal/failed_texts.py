"""Private texts that were not sent: one that is sent again must not reach whoever has the name by now, unasked.

It knows people and texts; times are passed in, in seconds.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from chatroom.core.confusables import fold
from chatroom.core.events import Person
from chatroom.core.expected import CONFIRM_S

_REMEMBERED: Final = 50  # texts


@dataclass(frozen=True, slots=True)
class PrivateText:
    """A text for one person, however it was typed: after `to:NAME`, or as `/to NAME TEXT`."""

    to: Person
    text: str


@dataclass(slots=True)
class _Failed:
    said: PrivateText
    asked_at: float | None = None


class FailedTexts:
    """The last private texts that were refused, or have an unknown outcome."""

    def __init__(self) -> None:
        self._failed: deque[_Failed] = deque(maxlen=_REMEMBERED)

    def add(self, said: PrivateText) -> None:
        """This text failed."""
        if all(each.said != said for each in self._failed):
            self._failed.append(_Failed(said))

    def resumed(self, left: str, answer: Mapping[str, object]) -> None:
        """Follow the server's answer about a session that has left: perhaps the person is back with another."""
        sid, name = answer.get("sid"), answer.get("username")
        if not isinstance(sid, str) or not isinstance(name, str):
            return
        for each in self._failed:
            if each.said.to.sid == left:
                each.said = replace(each.said, to=Person(sid, name))

    def question(self, said: PrivateText, now: float) -> bool | None:
        """Whether to ask if the text is meant for this person; None: no other one of that name was to receive it.

        Returns:
            False once the guest has sent it again after the question.
        """
        failed = next((each for each in self._failed if _is_for_namesake(each.said, said)), None)
        if failed is None:
            return None
        before, failed.asked_at = failed.asked_at, now
        if before is None or now - before < CONFIRM_S:
            return True
        self._failed.remove(failed)
        return False


def is_namesake(one: Person, other: Person) -> bool:
    """Whether they are two people with the same name."""
    return one.sid != other.sid and fold(one.name) == fold(other.name)


def _is_for_namesake(one: PrivateText, other: PrivateText) -> bool:
    return one.text == other.text and is_namesake(one.to, other.to)
