"""The ids of entries: 13 digits of milliseconds, a dash, 6 digits of sequence (protocol, section 1).

Ids order entries. Their milliseconds never go back, so they are not the time of a message if the wall clock was wrong.
"""

from __future__ import annotations

import re

_SHAPE = re.compile(r"[0-9]{13}-[0-9]{6}", re.ASCII)
_SEQUENCES = 1_000_000


def id_ms(entry_id: str) -> int:
    """The milliseconds in an id."""
    return int(entry_id[:13])


def is_id(text: str) -> bool:
    """Whether the text has the shape of an id; the entry need not exist."""
    return _SHAPE.fullmatch(text) is not None


def id_number(entry_id: str) -> int:
    """An id as a whole number of 63 bits, in the same order; ids beyond the year 2262 become the greatest number."""
    return min(int(entry_id[:13]) * _SEQUENCES + int(entry_id[14:]), 2**63 - 1)


def id_from_number(number: int) -> str:
    """The inverse of `id_number`."""
    ms, sequence = divmod(number, _SEQUENCES)
    return f"{ms:013d}-{sequence:06d}"


class IdSource:
    """Gives ids that rise, whatever the clock does.

    If the clock steps back, the sequence counts on at the last millisecond. After a restart, ids go on from `last`, the
    newest id that was stored.
    """

    __slots__ = ("_ms", "_sequence")

    def __init__(self, last: str | None = None) -> None:
        self._ms = id_ms(last) if last else 0
        self._sequence = int(last[14:]) if last else -1

    def next(self, now_ms: int) -> str:
        """The next id, for a moment in milliseconds since the epoch."""
        if now_ms > self._ms:
            self._ms, self._sequence = now_ms, 0
        else:
            self._sequence += 1
            if self._sequence == _SEQUENCES:
                self._ms, self._sequence = self._ms + 1, 0
        return f"{self._ms:013d}-{self._sequence:06d}"

    @property
    def last(self) -> str:
        """The newest id; before the first one, an id that is less than all others."""
        return f"{self._ms:013d}-{max(self._sequence, 0):06d}"
