"""What is said, as rows of a screen: broken anew for every width, with days, what is new, and what is not sent yet.

It knows columns and colours. Where things come from and what is new is told to it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from rich.text import Text
from textual.events import Resize
from textual.geometry import Size
from textual.scroll_view import ScrollView
from textual.strip import Strip

from chatroom.terminal.rows import rows
from chatroom.terminal.view import Shown

KEPT: Final = 2000  # things held for scrolling; those that are older can be asked for again
LINES: Final = 12  # rows of a message that are shown of one that has more
_TIME: Final = 6  # columns before the text: `HH:MM `
_COLOURS: Final = ("cyan", "green", "magenta", "yellow", "blue", "bright_red", "bright_green", "bright_cyan")


@dataclass(slots=True, eq=False)
class _Block:
    """One thing, and how it is broken into rows for the present width."""

    shown: Shown
    rows: list[Strip]


class Talk(ScrollView, can_focus=False):
    """The talk of one room."""

    def __init__(self) -> None:
        super().__init__(id="talk")
        self._blocks: list[_Block] = []
        self._rows: list[Strip] = []
        self._starts: dict[_Block, int] = {}  # the row at which each one begins, those before it as well
        self._waiting: tuple[str, ...] = ()
        self._unread: _Block | None = None  # the first one that is new
        self._follows = True  # the newest row is to stay in sight
        self._top: tuple[_Block, int] | None = (
            None  # else this: which of whose rows the guest has scrolled to
        )
        self._is_placing = False  # it is not the guest who scrolls
        self._width = 0
        self._is_whole = False  # long messages are not folded

    # What it shows

    @property
    def follows(self) -> bool:
        """Whether the newest row is in sight, and stays there."""
        return self._follows

    @property
    def unread(self) -> int:
        """How much of what people have said is new."""
        if self._unread is None:
            return 0
        return sum(_is_told(block.shown) for block in self._blocks[self._blocks.index(self._unread) :])

    @property
    def oldest(self) -> str:
        """The id of the first message that is held, or ""."""
        return next((block.shown.entry_id for block in self._blocks if block.shown.entry_id), "")

    @property
    def has_room(self) -> bool:
        """Whether something older can still be held."""
        return len(self._blocks) < KEPT

    def lines(self) -> list[str]:
        """The rows as text, for whoever cannot see them."""
        return [row.text.rstrip() for row in self._rows]

    # What is told to it

    def add(self, things: Iterable[Shown], *, new: bool = False) -> None:
        """Put things at the end; `new` begins with the first of them, if nothing is new yet."""
        blocks = [self._block(shown) for shown in list(things)[-KEPT:]]
        if new and self._unread is None:
            self._unread = next((block for block in blocks if _is_told(block.shown)), None)
        self._blocks += blocks
        dropped = self._blocks[: max(0, len(self._blocks) - KEPT)]
        del self._blocks[: len(dropped)]
        if self._unread in dropped:
            self._unread = self._blocks[0]
        self._lay_out()

    def put_before(self, things: Sequence[Shown]) -> None:
        """Put older things at the beginning, as many as there is room for."""
        dropped = max(0, len(self._blocks) + len(things) - KEPT)
        self._blocks[:0] = map(self._block, things[dropped:])
        self._lay_out()

    def take_away(self, ids: Iterable[str]) -> None:
        """Take messages away."""
        gone = set(ids)
        for block in self._blocks:
            if block.shown.entry_id in gone:
                shown = Shown("notice", ("(deleted)",), at=block.shown.at)
                block.shown, block.rows = shown, self._break(shown)
        self._lay_out()

    def restart(self) -> None:
        """Forget everything: it is another room."""
        self._blocks, self._unread = [], None
        self._follows = True
        self._lay_out()

    def read(self) -> None:
        """Nothing is new any more; the newest row comes into sight."""
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

    def turn(self, pages: int) -> None:
        """Scroll by so many pages, two rows of which are seen again."""
        y = self.scroll_y + pages * max(1, self.size.height - 2)
        # Forced: without that nothing moves until textual has drawn the scroll bar that came with the latest rows.
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
        """Break everything anew."""
        width = self.scrollable_content_region.width
        if width != self._width:
            self._width = width
            for block in self._blocks:
                block.rows = self._break(block.shown)
            self._lay_out()
        elif self._follows:
            self._place()

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Somebody scrolls: who is at the end stays there."""
        super().watch_scroll_y(old_value, new_value)
        if not self._is_placing:
            self._follows = round(new_value) >= self.max_scroll_y
            self._top = self._at_top()

    def _lay_out(self) -> None:
        """Put the rows together; what is at the top of the screen stays there, unless the newest row is to be seen."""
        day: date | None = None
        laid: list[Strip] = []
        self._starts = {}
        for block in self._blocks:
            self._starts[block] = len(laid)
            if block is self._unread:
                laid.append(self._rule("new", "bold red"))
            if block.shown.day is not None and block.shown.day != day:
                if day is not None or block.shown.day != date.today():  # noqa: DTZ011  # the guest's own day
                    laid.append(self._rule(f"{block.shown.day:%A, %d %B %Y}", "dim"))
                day = block.shown.day
            laid += block.rows
        for text in self._waiting:
            laid += self._folded(self._strips(Text("  …   "), Text(text, style="dim italic")))
        self._rows = laid
        self._is_placing = True
        self.virtual_size = Size(self._width, len(laid))
        self._is_placing = False
        self._place()
        self.refresh()

    def _place(self) -> None:
        """Scroll to where the guest is."""
        row = len(self._rows)
        if not self._follows and self._top is not None:
            block, below = self._top
            row = self._starts.get(block, 0) + min(below, max(0, len(block.rows) - 1))
        self._is_placing = True
        self.scroll_to(y=row, animate=False, immediate=True, force=True)
        self._is_placing = False

    def _at_top(self) -> tuple[_Block, int] | None:
        """What the row at the top of the screen belongs to, and which of its rows that is."""
        row = int(self.scroll_y)
        found = ((block, row - start) for block, start in reversed(self._starts.items()) if start <= row)
        return next(found, None)

    def _block(self, shown: Shown) -> _Block:
        return _Block(shown, self._break(shown))

    def _break(self, shown: Shown) -> list[Strip]:
        if not self._width:
            return []  # the first resize brings it
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
        """The first rows of many, and how many more there are."""
        more = len(rows) - LINES
        if more <= 0 or self._is_whole:
            return rows
        told = f"… {more} more line{'s' if more > 1 else ''} (F3)"
        return [*rows[:LINES], *self._strips(Text(" " * _TIME), Text(told, style="dim"))]

    def _strips(self, first: Text, text: Text) -> list[Strip]:
        """Rows of the present width; what does not fit stands below, so that no row seems to be somebody else's."""
        broken: list[Strip] = []
        for row in rows(text, max(1, self._width - _TIME)):
            before = Text(" " * _TIME) if broken else first
            broken.append(Strip(before.append_text(row).render(self.app.console)))
        return broken

    def _rule(self, text: str, style: str) -> Strip:
        rule = f"─── {text} ".ljust(self._width, "─")[: self._width]
        return Strip(Text.assemble((rule, style)).render(self.app.console))


def _is_told(shown: Shown) -> bool:
    """Whether it is something that somebody else has said."""
    return shown.kind in ("said", "whisper") and not shown.own
