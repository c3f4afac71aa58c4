"""How comings and goings are told at line terminals: at once in a small room, together once a second in a large one.

It gathers, and gives lines. Whom they go to is the gateway's matter.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from chatroom.core.events import Person
from chatroom.gateways.disguise import in_list
from chatroom.gateways.line_text import notice_line
from chatroom.gateways.words import Words

SMALL_ROOM: Final = 64  # people
BURST_S: Final = 1.0  # how long those of a larger room are gathered
NAMES_TOLD: Final = 10


class Burst:
    """Who came and went in one room since it was last told.

    Attributes:
        is_due: somebody has arranged for it to be told.
    """

    __slots__ = ("_joined", "_left", "is_due")

    def __init__(self) -> None:
        self._joined: dict[str, Person] = {}
        self._left: dict[str, Person] = {}
        self.is_due = False

    def came(self, who: Person) -> None:
        self._joined[who.sid] = who

    def went(self, who: Person) -> None:
        if self._joined.pop(who.sid, None) is None:  # nobody was told of who came and went in one burst
            self._left[who.sid] = who

    def lines(self, words: Words, count: int) -> Iterator[tuple[bytes, dict[str, Person]]]:
        """What to tell, and whom it is about: they need not be told it.

        Args:
            count: how many people are in the room now.
        """
        for key, people in (("line_left", self._left), ("line_came", self._joined)):
            if people:
                names = _names(words, [person.name for person in people.values()])
                yield notice_line(words.say(key, names=names, count=count)), people


def _names(words: Words, names: list[str]) -> str:
    shown = words.listed(map(in_list, names[:NAMES_TOLD]))
    more = len(names) - NAMES_TOLD
    return shown if more <= 0 else words.say("line_more", names=shown, more=more)
