"""Breaks a text into rows of a width: between words, and between characters in scripts that put no spaces there.

Pure. Widths are those that rich and textual draw with, by grapheme.
"""

from __future__ import annotations

from typing import Final

from rich.cells import split_graphemes
from rich.text import Text

TAB: Final = 8
# In a row: they belong to what is before.
_NOT_FIRST: Final = frozenset("，。、！？：；）》」』】〕…—～％·ー々”’,.!?:;)]}%")
_NOT_LAST: Final = frozenset("（《「『【〔“‘([{$￥")  # in a row: they belong to what follows


def rows(text: Text, width: int) -> list[Text]:
    """The rows of a text, styles included; at least one.

    Args:
        text: of any number of lines; its tabs are expanded.
        width: in columns. A single character may be wider than that.
    """
    broken: list[Text] = []
    for line in text.split("\n", allow_blank=True):
        line.expand_tabs(TAB)
        for row in line.divide(_breaks(line.plain, width)):
            row.rstrip()
            broken.append(row)
    return broken


def _breaks(line: str, width: int) -> list[int]:
    """Where to break a line, as places in it."""
    breaks: list[int] = []
    graphemes, _ = split_graphemes(line)
    used = 0  # columns of the row so far
    chance, chance_used = 0, 0  # the last place where the row may end, and the columns up to it
    before, was_wide = "", False
    for start, end, cells in graphemes:
        grapheme = line[start:end]
        is_between_wide = was_wide or cells == 2
        if before == " " or (is_between_wide and before not in _NOT_LAST and grapheme not in _NOT_FIRST):
            chance, chance_used = start, used
        if used + cells > width and grapheme != " ":  # spaces may hang over the edge: they are cut off
            last = breaks[-1] if breaks else 0
            if chance > last:
                breaks.append(chance)
                used -= chance_used
                last = chance
            if used + cells > width and start > last:
                breaks.append(start)
                used = 0
        used += cells
        before, was_wide = grapheme, cells == 2
    return breaks
