"""The full screen: what is said, who is there, what was not seen yet, and a line to type in.

It knows widgets and keys. Frames are read in `view`, the connection is `link`'s.
"""

from __future__ import annotations

import asyncio
from typing import ClassVar, Final

from rich.text import Text
from textual import events, work
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.message import Message
from textual.suggester import Suggester
from textual.widgets import Input, OptionList, RichLog, Static
from textual.widgets.option_list import Option

from chatroom.core.commands import COMMANDS
from chatroom.terminal.address import Address
from chatroom.terminal.link import Frame, Link, LinkError, State
from chatroom.terminal.view import Shown, View

KEPT: Final = 2000  # lines of the past held for scrolling
_PAGE: Final = 50
_COLOURS: Final = ("cyan", "green", "magenta", "yellow", "blue", "bright_red", "bright_green", "bright_cyan")
_TOLD: Final = {
    State.OPEN: "",
    State.LOST: "connection lost, coming back …",
    State.CLOSED: "the server has closed the connection",
}


class Heard(Message):
    """A frame has come."""

    def __init__(self, frame: Frame) -> None:
        super().__init__()
        self.frame = frame


class Changed(Message):
    """The connection has changed."""

    def __init__(self, state: State) -> None:
        super().__init__()
        self.state = state


class Earlier(Message):
    """A page of history has come."""

    def __init__(self, answer: Frame) -> None:
        super().__init__()
        self.answer = answer


class Completion(Suggester):
    """Completes commands, and after `/to` the names of those who are here."""

    def __init__(self, view: View) -> None:
        super().__init__(use_cache=False, case_sensitive=True)
        self._view = view

    async def get_suggestion(self, value: str) -> str | None:
        if not value.startswith("/") or value.startswith("//"):
            return None
        command, space, rest = value.partition(" ")
        if not space:
            commands = (f"/{record.name}" for record in COMMANDS if not record.line_only)
            return next((found for found in commands if found.startswith(command.lower())), None)
        if command in ("/to", "/msg", "/w") and rest:
            names = (name for sid, name in self._view.names.items() if sid != self._view.sid)
            found = next((name for name in names if name.lower().startswith(rest.lower())), None)
            return f"{command} {found} " if found else None
        return None


class Composer(Input):
    """The line to type in; Tab takes what is suggested."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("tab", "cursor_right", "complete", show=False),
        Binding("pageup", "app.page(-1)", "back", show=False),
        Binding("pagedown", "app.page(1)", "on", show=False),
    ]


class Said(RichLog):
    """What is said; it has to be written anew for another width."""

    class Resized(Message):
        """The width may be another now."""

    def on_resize(self, _event: events.Resize) -> None:
        """Called beside the base's own handler."""
        self.post_message(self.Resized())


class ChatApp(App[int]):
    """The chatroom on a full screen.

    Args:
        address: where to.
        room: overrides the address's.
        name: the wanted nickname.
    """

    TITLE = "chatroom"
    ENABLE_COMMAND_PALETTE = False
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+q", "leave", "leave", priority=True),
        Binding("ctrl+c", "leave", "leave", priority=True),
        Binding("escape", "read", "all read", priority=True),
    ]
    CSS = """
    #status { height: 1; background: $primary-background; padding: 0 1; }
    #said { padding: 0 1; overflow-x: hidden; scrollbar-size-vertical: 1; }
    #people { width: 26; border: none; border-left: solid $primary-background; background: $background; }
    Composer { border: none; border-top: solid $primary-background; height: 2; padding: 0 1; }
    """

    def __init__(self, address: Address, room: str | None, name: str | None) -> None:
        super().__init__()
        self._view = View()
        self._link = Link(
            address,
            room=room,
            name=name,
            hear=lambda frame: self._post(Heard(frame)),
            changed=lambda state: self._post(Changed(state)),
        )
        self._shown: list[Shown] = []
        self._unread: int | None = None  # where the line of what is new stands in `_shown`
        self._is_away = False
        self._asks_earlier = False
        self._has_earlier = True
        self._state: State | None = None

    def _post(self, message: Message) -> None:
        if self.is_running:
            self.post_message(message)

    def compose(self) -> ComposeResult:
        yield Static("connecting …", id="status", markup=False)
        with Horizontal():
            with Vertical():
                yield Said(
                    id="said", wrap=True, highlight=False, markup=False, auto_scroll=False, min_width=1
                )
                yield Composer(
                    placeholder="Say something, or /help",
                    suggester=Completion(self._view),
                    select_on_focus=False,
                    id="composer",
                )
            yield OptionList(id="people", markup=False)

    def on_mount(self) -> None:
        self.query_one(RichLog).can_focus = False
        self.query_one(Composer).focus()
        self._open()

    @work(thread=True)
    def _open(self) -> None:
        try:
            self._link.open()
        except LinkError as problem:
            self.call_from_thread(self._give_up, str(problem))

    def _give_up(self, why: str) -> None:
        self.exit(2, message=f"chatroom: {why}", return_code=2)

    # What comes

    def on_heard(self, heard: Heard) -> None:
        """Show a frame."""
        is_entering = isinstance(heard.frame.get("you"), dict)
        room = self._view.room
        new = self._view.show(heard.frame)
        if is_entering and self._view.room != room:
            self._shown, self._unread, self._has_earlier = [], None, True
        self._add(new, is_past=is_entering)
        self._show_people()
        self._show_status()

    def on_changed(self, changed: Changed) -> None:
        """Tell how the connection is."""
        self._state = changed.state
        if changed.state is State.CLOSED:
            self.exit(0)
        self._show_status()

    def _add(self, new: list[Shown], *, is_past: bool = False) -> None:
        log = self.query_one(RichLog)
        is_at_end = log.is_vertical_scroll_end
        told = [shown for shown in new if shown.kind != "notice" and not shown.own]
        if told and not is_past and self._unread is None and (self._is_away or not is_at_end):
            self._unread = len(self._shown)
        self._shown += new
        if len(self._shown) > KEPT:
            dropped = len(self._shown) - KEPT
            del self._shown[:dropped]
            self._unread = None if self._unread is None else max(0, self._unread - dropped)
            self._has_earlier = False
        self._paint()
        if is_at_end and not (self._is_away and self._unread is not None):
            log.scroll_end(animate=False)

    # What is on the screen

    def _paint(self) -> None:
        log = self.query_one(RichLog)
        log.clear()
        for number, shown in enumerate(self._shown):
            if number == self._unread:
                log.write(Text("─── new ".ljust(max(20, log.size.width - 3), "─"), style="bold red"))
            log.write(self._text(shown))

    def _text(self, shown: Shown) -> Text:
        body = "\n    ".join(shown.lines)
        if not shown.who:
            return Text(f"* {body}", style="dim italic")
        colour = _COLOURS[sum(map(ord, shown.who)) % len(_COLOURS)]
        text = Text(f"{shown.at[:5]} ", style="dim", end="")
        line = Text.assemble(text, (shown.who, f"bold {colour}"), (f": {body}", ""))
        if shown.kind == "whisper":
            line.stylize("italic on grey23")
        return line

    def _show_people(self) -> None:
        people = self.query_one(OptionList)
        people.clear_options()
        names = self._view.names.items()
        people.add_options(
            [Option(f"{name} (you)" if sid == self._view.sid else name, id=sid) for sid, name in names]
        )

    def _show_status(self) -> None:
        view = self._view
        unread = len(self._shown) - self._unread if self._unread is not None else 0
        parts = [view.room or "connecting …", f"{len(view.names)} here", view.name]
        if unread:
            parts.append(f"{unread} new, Esc: all read")
        if self._state is not None and _TOLD[self._state]:
            parts.append(_TOLD[self._state])
        self.query_one("#status", Static).update(Text(" · ".join(part for part in parts if part)))

    # What the guest does

    def on_input_submitted(self, submitted: Input.Submitted) -> None:
        """Say the line."""
        text = submitted.value
        submitted.input.clear()
        if text.strip():
            self._link.say(text)
            self.action_read()

    def on_option_list_option_selected(self, selected: OptionList.OptionSelected) -> None:
        """Begin a whisper to the person chosen."""
        name = self._view.names.get(selected.option.id or "")
        composer = self.query_one(Composer)
        composer.focus()
        if name is not None and selected.option.id != self._view.sid:
            composer.value = f'/to "{name}" '
            composer.cursor_position = len(composer.value)

    def on_app_blur(self, _event: events.AppBlur) -> None:
        """What comes now is new when the guest is back."""
        self._is_away = True

    def on_app_focus(self, _event: events.AppFocus) -> None:
        """The guest is back; the line of what is new stays until it is read."""
        self._is_away = False

    def on_said_resized(self, _resized: Said.Resized) -> None:
        """Break the lines anew."""
        log = self.query_one(RichLog)
        is_at_end = log.is_vertical_scroll_end
        self._paint()
        if is_at_end:
            log.scroll_end(animate=False)

    def action_read(self) -> None:
        """Everything has been read."""
        self._unread = None
        self._paint()
        self.query_one(RichLog).scroll_end(animate=False)
        self._show_status()

    def action_page(self, pages: int) -> None:
        """Scroll by pages; above the oldest line, ask for what was said before."""
        log = self.query_one(RichLog)
        if pages < 0 and log.scroll_y <= 0:
            self._ask_earlier()
        log.scroll_relative(y=pages * max(1, log.size.height - 2), animate=False)

    def _ask_earlier(self) -> None:
        oldest = next((shown.entry_id for shown in self._shown if shown.entry_id), "")
        if oldest and self._has_earlier and not self._asks_earlier:
            self._asks_earlier = True
            self._link.ask("history", lambda answer: self._post(Earlier(answer)), before=oldest, limit=_PAGE)

    def on_earlier(self, earlier: Earlier) -> None:
        """Put a page of the past above what is shown."""
        self._asks_earlier = False
        if not earlier.answer.get("ok"):
            return
        self._has_earlier = bool(earlier.answer["more"])
        past = self._view.past(earlier.answer["entries"])
        self._shown[:0] = past
        if self._unread is not None:
            self._unread += len(past)
        log = self.query_one(RichLog)
        height = log.virtual_size.height
        self._paint()
        self.call_after_refresh(lambda: log.scroll_to(y=log.virtual_size.height - height, animate=False))

    def action_leave(self) -> None:
        """Leave the room and the screen."""
        self.exit(0)

    async def on_unmount(self) -> None:
        """Close the connection with the screen."""
        await asyncio.to_thread(self._link.close)
