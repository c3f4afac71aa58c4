"""Messages as rows of a screen: wrapped for every width, with days, what is new, and what is not sent yet.

It knows columns and colours. Where messages come from, and which are new, its caller knows.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from rich.cells import set_cell_size
from rich.text import Text
from textual.events import Resize
from textual.geometry import Size
from textual.scroll_view import ScrollView
from textual.strip import Strip

from chatroom.core.sentences import Sentences
from chatroom.terminal.rows import rows
from chatroom.terminal.view import Shown

KEPT: Final = 2000  # messages and notices held for scrolling; older ones can be asked for again
LINES: Final = 12  # rows that are shown of a longer message
_TIME: Final = 6  # columns before the text: `HH:MM `
_COLOURS: Final = ("cyan", "green", "magenta", "yellow", "blue", "bright_red", "bright_green", "bright_cyan")


@dataclass(slots=True, eq=False)
class _Block:
    """One message or notice, and its rows at the present width."""

    shown: Shown
    rows: list[Strip]


class MessageList(ScrollView, can_focus=False):
    """The messages and notices of one room.

    Args:
        words: the client's sentences.
    """

    def __init__(self, words: Sentences) -> None:
        self._words = words
        super().__init__(id="messages")
        self._blocks: list[_Block] = []
        self._rows: list[Strip] = []
        self._starts: dict[_Block, int] = {}  # the row at which each one begins, with the rules above it
        self._waiting: tuple[str, ...] = ()
        self._unread: _Block | None = None  # the first new one
        self._follows = True  # the newest row stays visible
        # Otherwise the block, and its row, that the guest has scrolled to.
        self._top: tuple[_Block, int] | None = None
        self._is_scrolling = False  # this code scrolls, not the guest
        self._width = 0
        self._is_whole = False  # long messages are not folded

    # What it shows

    @property
    def follows(self) -> bool:
        """Whether the newest row is visible, and stays so."""
        return self._follows

    @property
    def unread(self) -> int:
        """How many messages of others are new."""
        if self._unread is None:
            return 0
        return sum(_is_from_others(block.shown) for block in self._blocks[self._blocks.index(self._unread) :])

    @property
    def oldest(self) -> str:
        """The id of the first message that is held, or ""."""
        return next((block.shown.entry_id for block in self._blocks if block.shown.entry_id), "")

    @property
    def has_room(self) -> bool:
        """Whether something older can still be held."""
        return len(self._blocks) < KEPT

    def lines(self) -> list[str]:
        """The rows as text."""
        return [row.text.rstrip() for row in self._rows]

    # Changes

    def add(self, things: Iterable[Shown], *, new: bool = False) -> None:
        """Append messages and notices; if `new`, the first one starts what is new, if nothing is new yet."""
        blocks = [self._make_block(shown) for shown in list(things)[-KEPT:]]
        if new and self._unread is None:
            self._unread = next((block for block in blocks if _is_from_others(block.shown)), None)
        self._blocks += blocks
        dropped = self._blocks[: max(0, len(self._blocks) - KEPT)]
        del self._blocks[: len(dropped)]
        if self._unread in dropped:
            self._unread = self._blocks[0]
        self._lay_out()

    def prepend(self, things: Sequence[Shown]) -> None:
        """Put older messages at the beginning, as many as there is room for."""
        dropped = max(0, len(self._blocks) + len(things) - KEPT)
        self._blocks[:0] = map(self._make_block, things[dropped:])
        self._lay_out()

    def reset(self) -> None:
        """Forget everything: it is another room."""
        self._blocks, self._unread = [], None
        self._follows = True
        self._lay_out()

    def mark_read(self) -> None:
        """Mark everything as read, and scroll to the newest row."""
        self._unread = None
        self._follows = True
        self._lay_out()

    def show_waiting(self, texts: tuple[str, ...]) -> None:
        """Show, below everything, what is not sent yet."""
        if texts != self._waiting:
            self._waiting = texts
            self._lay_out()

    def fold(self) -> None:
        """Show long messages whole, or fold them again; what is at the top of the screen stays there."""
        self._top = self._at_top()
        self._follows = False
        self._is_whole = not self._is_whole
        for block in self._blocks:
            if len(block.rows) > LINES:
                block.rows = self._break(block.shown)
        self._lay_out()
        self._follows = round(self.scroll_y) >= self.max_scroll_y

    def scroll_pages(self, pages: int) -> None:
        """Scroll by so many pages, which overlap by two rows."""
        y = self.scroll_y + pages * max(1, self.size.height - 2)
        # Forced: otherwise nothing moves until textual has drawn the scroll bar for the latest rows.
        self.scroll_to(y=y, animate=False, immediate=True, force=True)

    # Rows

    def render_line(self, y: int) -> Strip:
        """A row of the screen."""
        width, row = self.scrollable_content_region.width, int(self.scroll_y) + y
        style = self.rich_style
        if row >= len(self._rows):
            return Strip.blank(width, style)
        return self._rows[row].crop_extend(0, width, style).apply_style(style)

    def on_resize(self, _event: Resize) -> None:
        """Wrap everything again."""
        width = self.scrollable_content_region.width
        if width != self._width:
            self._width = width
            for block in self._blocks:
                block.rows = self._break(block.shown)
            self._lay_out()
        elif self._follows:
            self._restore_scroll()

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Follow the newest row if the guest scrolls to the end."""
        super().watch_scroll_y(old_value, new_value)
        if not self._is_scrolling:
            self._follows = round(new_value) >= self.max_scroll_y
            self._top = self._at_top()

    def _lay_out(self) -> None:
        """Put the rows together; what is at the top of the screen stays there, unless the newest row is followed."""
        day: date | None = None
        laid: list[Strip] = []
        self._starts = {}
        for block in self._blocks:
            self._starts[block] = len(laid)
            if block is self._unread:
                laid.append(self._rule(self._words.say("new"), "bold red"))
            if block.shown.day is not None and block.shown.day != day:
                if day is not None or block.shown.day != date.today():  # noqa: DTZ011  # the guest's own day
                    laid.append(self._rule(self._words.say("day", day=block.shown.day), "dim"))
                day = block.shown.day
            laid += block.rows
        for text in self._waiting:
            laid += self._folded(self._strips(Text("  …   "), Text(text, style="dim italic")))
        self._rows = laid
        self._is_scrolling = True
        self.virtual_size = Size(self._width, len(laid))
        self._is_scrolling = False
        self._restore_scroll()
        self.refresh()

    def _restore_scroll(self) -> None:
        """Scroll to where the guest was."""
        row = len(self._rows)
        if not self._follows and self._top is not None:
            block, below = self._top
            row = self._starts.get(block, 0) + min(below, max(0, len(block.rows) - 1))
        self._is_scrolling = True
        self.scroll_to(y=row, animate=False, immediate=True, force=True)
        self._is_scrolling = False

    def _at_top(self) -> tuple[_Block, int] | None:
        """The block of the row at the top of the screen, and which of its rows that is."""
        row = int(self.scroll_y)
        found = ((block, row - start) for block, start in reversed(self._starts.items()) if start <= row)
        return next(found, None)

    def _make_block(self, shown: Shown) -> _Block:
        return _Block(shown, self._break(shown))

    def _break(self, shown: Shown) -> list[Strip]:
        if not self._width:
            return []  # the first resize sets it
        time = Text.assemble((f"{shown.at:%H:%M} " if shown.at is not None else " " * _TIME, "dim"))
        body = "\n".join(shown.lines)
        if shown.kind == "refused":
            return self._strips(time, Text(f"! {body}", style="bold red"))
        if shown.kind == "notice":
            return self._strips(time, Text(f"* {body}", style="dim italic"))
        text = Text.assemble(
            (shown.who, f"bold {_COLOURS[sum(map(ord, shown.who)) % len(_COLOURS)]}"), f": {body}"
        )
        if shown.kind == "whisper":
            text.stylize("italic")
        if shown.calls:
            text.stylize("bold")
            time = Text.assemble((time.plain[:-1], "bold reverse"), " ")
        return self._folded(self._strips(time, text))

    def _folded(self, rows: list[Strip]) -> list[Strip]:
        """The first rows of a long message, and how many more there are."""
        more = len(rows) - LINES
        if more <= 0 or self._is_whole:
            return rows
        note = self._words.counted("more_lines", more)
        return [*rows[:LINES], *self._strips(Text(" " * _TIME), Text(note, style="dim"))]

    def _strips(self, first: Text, text: Text) -> list[Strip]:
        """Rows of the present width; further rows are indented, so that none can pass for another message."""
        broken: list[Strip] = []
        for row in rows(text, max(1, self._width - _TIME)):
            before = Text(" " * _TIME) if broken else first
            broken.append(Strip(before.append_text(row).render(self.app.console)))
        return broken

    def _rule(self, text: str, style: str) -> Strip:
        rule = set_cell_size(f"─── {text} {'─' * self._width}", self._width)
        return Strip(Text.assemble((rule, style)).render(self.app.console))


def _is_from_others(shown: Shown) -> bool:
    """Whether it is a message of someone else."""
    return shown.kind in ("said", "whisper") and not shown.own
