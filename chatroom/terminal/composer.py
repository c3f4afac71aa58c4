"""Where one types: a line that grows, what was typed before, and completion.

It knows keys, and nothing of the connection.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from typing import ClassVar, Final

from rich.markup import escape
from textual.binding import Binding, BindingType
from textual.events import Key
from textual.message import Message
from textual.widgets import TextArea

from chatroom.core.characters import is_blank
from chatroom.core.sentences import Sentences
from chatroom.core.text import clean
from chatroom.terminal import completion

_REMEMBERED: Final = 200


class Composer(TextArea):
    """The field to type in; Enter sends, Ctrl+J begins another line, a paste keeps its lines.

    Args:
        names: gives those who can be named.
        words: the client's sentences.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+d", "delete_or_leave", show=False),
        Binding("pageup", "app.page(-1)", show=False),
        Binding("pagedown", "app.page(1)", show=False),
        Binding("shift+pageup,ctrl+home", "app.page(-1000000)", show=False),
        Binding("shift+pagedown,ctrl+end", "app.read", show=False),
    ]

    class Sent(Message):
        """The guest sends a text.

        Args:
            begun_at: when its first character was typed, on the monotonic clock; None: now.
            is_damaged: a part of it did not arrive as UTF-8.
        """

        def __init__(self, text: str, begun_at: float | None = None, *, is_damaged: bool = False) -> None:
            super().__init__()
            self.text = text
            self.begun_at = begun_at
            self.is_damaged = is_damaged

    class Damaged(Message):
        """Something to insert that did not arrive as UTF-8."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    def __init__(self, names: Callable[[], list[str]], words: Sentences) -> None:
        super().__init__(
            id="composer",
            compact=True,
            highlight_cursor_line=False,
            placeholder=words.say("placeholder"),
        )
        self._words = words
        self._names = names
        self._typed: deque[tuple[str, str]] = deque(maxlen=_REMEMBERED)  # for whom, and the text
        self._back = 0  # how many texts back the one shown is; 0 is the new one
        self._draft = ""
        self._is_damaged = False
        self._begun_at: float | None = None  # when something was typed into the empty field
        self._recipient = ""  # whom the text is for: a session id; "": everyone
        self._drafts: dict[str, str] = {}

    def show(self, text: str) -> None:
        """Set the text, with the cursor at its end."""
        self.text = text
        self.move_cursor(self.document.end)
        self.focus()

    def set_recipient(self, recipient: str, title: str, *, keeps: bool = False) -> None:
        """Write to this recipient from now on; a draft for the former one is kept until it is the recipient again.

        Args:
            recipient: a session id; "": everyone.
            title: what is shown above the field.
            keeps: the text in the field was typed after the line that changed the recipient, and is for the new one.
        """
        self.border_title = escape(title)
        self.placeholder = self._words.say("whisper" if recipient else "placeholder")
        self.set_class(bool(recipient), "whisper")
        if recipient == self._recipient:
            return
        if keeps and self.text:
            self._recipient, self._back = recipient, 0
            return
        if self.text.strip():
            self._drafts[self._recipient] = self.text
        self._recipient, self._back = recipient, 0
        self.text = self._drafts.pop(recipient, "")
        self.move_cursor(self.document.end)

    def save_and_clear(self) -> bool:
        """Empty the field, so that Up brings back what was in it; False if there was nothing."""
        text = self.text
        if is_blank(text):
            return False
        self._remember(text)
        self.text = ""
        return True

    async def _on_key(self, event: Key) -> None:
        # Not as bindings: those run concurrently with the keys that have not arrived here yet, and fast typing would be
        # sent in pieces.
        act = _KEYS.get(event.key)
        if act is not None:
            event.stop()
            event.prevent_default()
            act(self)

    def on_text_area_changed(self) -> None:
        """The text has changed: note when it was begun, or that it is empty."""
        if is_blank(self.text):
            self._begun_at, self._is_damaged = None, False
        elif self._begun_at is None:
            self._begun_at = time.monotonic()

    def on_composer_damaged(self, damaged: Damaged) -> None:
        """Show what cannot be read; the whole text is refused when it is sent."""
        self._is_damaged = True
        self.insert("\n".join(map(clean, damaged.text.splitlines())))

    def update_suggestion(self) -> None:
        """Show what Tab would add, dimly, after the cursor."""
        text = self.text
        completed = (
            completion.complete(text, self._names(), asked=False) if self.cursor_at_end_of_text else None
        )
        goes_on = completed is not None and completed.casefold().startswith(text.casefold())
        self.suggestion = completed[len(text) :] if completed is not None and goes_on else ""

    def on_text_area_selection_changed(self) -> None:
        """The cursor may have left the end of the text."""
        self.update_suggestion()

    def send(self) -> None:
        """Send what was typed."""
        text = "\n".join(map(clean, self.text.rstrip().split("\n")))
        if not is_blank(text):
            sent = self.Sent(text, self._begun_at, is_damaged=self._is_damaged)
            self._begun_at, self._is_damaged = None, False
            self.save_and_clear()
            self.post_message(sent)

    def begin_line(self) -> None:
        """Begin another line of the same message."""
        self.insert("\n")

    def complete(self) -> None:
        """Accept the suggestion, or complete the name before the cursor."""
        if self.cursor_at_end_of_text:
            completed = completion.complete(self.text, self._names())
            if completed is not None:
                self.show(completed)

    def go_right(self) -> None:
        """At the end, accept the suggestion."""
        if self.suggestion:
            self.complete()
        else:
            self.action_cursor_right()

    def go_up(self) -> None:
        """From the first line, to what was typed before."""
        if not self.cursor_at_first_line:
            self.action_cursor_up()
        elif self._back < len(self._typed_for_recipient()):
            if self._back == 0:
                self._draft = self.text
            self._show_earlier(self._back + 1)

    def go_down(self) -> None:
        """From the last line, to what was typed after."""
        if not self.cursor_at_last_line:
            self.action_cursor_down()
        elif self._back > 0:
            self._show_earlier(self._back - 1)

    async def action_delete_or_leave(self) -> None:
        """As in a shell: delete, or leave if there is no text."""
        if self.text:
            self.action_delete_right()
        else:
            await self.app.run_action("leave")

    def _show_earlier(self, count: int) -> None:
        self._back = count
        self.show(self._typed_for_recipient()[-count] if count else self._draft)

    def _typed_for_recipient(self) -> list[str]:
        """What was typed for this recipient."""
        return [text for recipient, text in self._typed if recipient == self._recipient]

    def _remember(self, text: str) -> None:
        self._back = 0
        if not self._typed or self._typed[-1] != (self._recipient, text):
            self._typed.append((self._recipient, text))


_KEYS: Final[dict[str, Callable[[Composer], None]]] = {
    "enter": Composer.send,
    "ctrl+j": Composer.begin_line,
    "alt+enter": Composer.begin_line,
    "shift+enter": Composer.begin_line,
    "tab": Composer.complete,
    "up": Composer.go_up,
    "down": Composer.go_down,
    "right": Composer.go_right,
}
