"""The full screen: the messages, who is there, the state of the connection, and a field to type in.

It connects these parts with the link. Calls from the link's thread are collected, and run here together.
"""

from __future__ import annotations

import asyncio
import signal
import threading
import time
from collections import deque
from collections.abc import Callable
from functools import partial
from typing import ClassVar, Final

from rich.cells import cell_len
from rich.text import Text
from textual import events
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.message import Message
from textual.widgets import OptionList, Static

from chatroom.core.events import Person
from chatroom.terminal.address import Address
from chatroom.terminal.composer import Composer
from chatroom.terminal.frame import Frame
from chatroom.terminal.keyboard import Keyboard, NotUtf8
from chatroom.terminal.link import Link, LinkError, State
from chatroom.terminal.message_list import MessageList
from chatroom.terminal.outbox import UNSTORED
from chatroom.terminal.people import People
from chatroom.terminal.resume_state import is_arrival
from chatroom.terminal.view import Shown, View, plain_text, without
from chatroom.terminal.words import words

_PAGE: Final = 50
_WIDE: Final = 60  # columns; with fewer, there is no room for the people beside the messages
_SHOW_WAITING_AFTER_S: Final = 0.4  # what is unanswered after this is shown as not sent yet
_LEAVE_S: Final = 2.0  # how long leaving waits for what is still to be sent


class ChatApp(App[int]):
    """The chatroom on a full screen.

    Args:
        address: the chatroom's.
        room: overrides the address's.
        name: the wanted nickname.
        lang: the language, as the link has it.
    """

    TITLE = "chatroom"
    ENABLE_COMMAND_PALETTE = False
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+q", "leave", priority=True),
        Binding("ctrl+c", "clear_or_leave", priority=True),
        Binding("escape", "read", priority=True),
        Binding("f2", "people", priority=True),
        Binding("f1", "help", priority=True),
        Binding("f3", "fold", priority=True),
        Binding("f4", "send_without", priority=True),
    ]
    CSS = """
    #status { height: 1; background: $primary-background; padding: 0 1; }
    #messages { padding: 0 1; scrollbar-size-vertical: 1; scrollbar-gutter: stable; }
    #people { width: 24; max-width: 50%; height: 1fr; border: none; border-left: solid $primary-background;
              padding: 0; background: $background; scrollbar-size-vertical: 1; }
    #composer { height: auto; max-height: 6; border: none; border-top: solid $primary-background; padding: 0 1;
                background: $background; scrollbar-size-vertical: 1; }
    #composer:focus { border: none; border-top: solid $primary; }
    #composer.whisper, #composer.whisper:focus { border-top: heavy $warning; border-title-color: $warning; }
    """

    class Received(Message):
        """The link has called back."""

    def __init__(self, address: Address, room: str | None, name: str | None, lang: str | None = None) -> None:
        super().__init__(driver_class=Keyboard)
        self._words = words(lang)
        self._view = View(self._words)
        self._link = Link(
            address,
            room=room,
            name=name,
            lang=lang,
            on_frame=partial(self._call_in_app, self._take_frame),
            on_state=partial(self._call_in_app, self._take_state),
            on_waiting=partial(self._call_in_app, self._take_waiting),
        )
        self._inbox: deque[Callable[[], None]] = deque()
        self._is_posted = False
        self._gathered: list[Shown] = []  # shown together, once the inbox is empty
        self._state: State | None = None
        self._last_notice = ""
        self._is_away = False
        self._is_loading_earlier = False
        self._has_earlier = True
        self._shows_people: bool | None = None  # None: if there is room for them
        self._shows_waiting_soon = False
        self._awaits_presence = False
        self._may_leave = False  # Ctrl+C on the empty field leaves: it says so
        self._offer: str | None = None  # what F4 sends
        self._recipient = ""  # whom the text in the field is for: a session id; "": everyone

    def compose(self) -> ComposeResult:
        yield Static(self._words.say("connecting"), id="status", markup=False)
        with Horizontal():
            with Vertical():
                yield MessageList(self._words)
                yield Composer(
                    lambda: [name for sid, name in self._view.names.items() if sid != self._view.sid],
                    self._words,
                )
            yield People(self._words)

    def on_mount(self) -> None:
        """Start the connection."""
        self.query_one(Composer).focus()
        if not self.is_headless:
            loop = asyncio.get_running_loop()
            for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
                # Otherwise the terminal would not be restored.
                loop.add_signal_handler(number, self._end, 128 + number)
        # A daemon, so that leaving does not wait for a server that does not answer.
        threading.Thread(target=self._open, daemon=True).start()

    def _open(self) -> None:
        try:
            self._link.open()
        except LinkError as problem:
            self._call_in_app(self._end, 2, str(problem))

    # Calls from the link

    def _call_in_app(self, act: Callable[..., None], *arguments: object) -> None:
        """Call something in the app's thread; used in the link's thread."""
        self._inbox.append(partial(act, *arguments))
        if not self._is_posted:
            self._is_posted = True
            self.post_message(self.Received())

    def on_chat_app_received(self) -> None:
        """Run all calls from the link."""
        self._is_posted = False
        people = (dict(self._view.names), self._view.sid)
        while self._inbox:
            self._inbox.popleft()()
        self._show_gathered()
        if people != (self._view.names, self._view.sid):
            self.query_one(People).show(self._view.names, self._view.sid)
        self._link.check_partner(self._view)
        self._show_audience()
        self._show_status()
        if self._state is State.CLOSED and self._link.was_closed_by_server:
            self._end(1, self._words.say("closed_because", why=self._last_notice))
        elif self._state is State.CLOSED:
            self._end(0)

    def _take_frame(self, frame: Frame) -> None:
        room = self._view.room
        shown = self._view.show(frame)
        if self._view.room != room:
            self._gathered.clear()
            self.query_one(MessageList).reset()
            self._has_earlier = True
        if "said" in frame:
            self._take_refusal(frame, shown)
        elif frame.get("action") == "notice" and frame.get("code") not in ("command", "client", UNSTORED):
            self._last_notice = str(frame.get("msg"))
        if is_arrival(frame):
            self.query_one(MessageList).add(shown)  # history is not new
        else:
            self._gather_presence()
            self._gathered += shown

    def _gather_presence(self) -> None:
        """Collect who joined and left, if it is due; otherwise later."""
        now = time.monotonic()
        self._gathered += self._view.presence(now)
        due_s = self._view.presence_due_in(now)
        if due_s is not None and not self._awaits_presence:
            self._awaits_presence = True
            self.set_timer(due_s, self._presence_is_due)

    def _presence_is_due(self) -> None:
        self._awaits_presence = False
        self._gather_presence()
        self._show_gathered()
        self._show_status()

    def _take_refusal(self, refusal: Frame, shown: list[Shown]) -> None:
        """Offer to send a text without the character that it was refused for, unless it was for someone else."""
        partner = self._link.partner(self._view)
        recipient = partner.sid if partner is not None else ""
        if refusal.get("to_sid", recipient) != recipient:
            return
        self._offer = without(str(refusal["said"]), refusal.get("character"))
        if self._offer is not None:
            shown.append(Shown("notice", (self._words.say("send_without"),)))

    def _show_gathered(self) -> None:
        things, self._gathered = self._gathered, []
        messages = self.query_one(MessageList)
        messages.add(things, new=self._is_away or not messages.follows)
        if any(shown.calls for shown in things):
            self.bell()

    def _take_state(self, state: State) -> None:
        self._state = state

    def _take_waiting(self, texts: tuple[str, ...]) -> None:
        """Show what is still not sent after a moment; most is sent sooner, and would only flicker."""
        if not texts:
            self.query_one(MessageList).show_waiting(())
        elif not self._shows_waiting_soon:
            self._shows_waiting_soon = True
            self.set_timer(_SHOW_WAITING_AFTER_S, self._show_waiting)

    def _show_waiting(self) -> None:
        self._shows_waiting_soon = False
        self.query_one(MessageList).show_waiting(tuple(map(plain_text, self._link.unsent())))

    def _show_earlier(self, answer: Frame) -> None:
        """Put a page of history above what is shown."""
        self._is_loading_earlier = False
        if answer.get("ok"):
            self._has_earlier = bool(answer.get("more"))
            self.query_one(MessageList).prepend(self._view.history(answer.get("entries")))

    def _show_audience(self, *, keeps: bool = False) -> None:
        partner, title = self._link.partner(self._view), ""
        if partner is not None:
            is_here = partner.sid in self._view.names
            title = self._words.say("only" if is_here else "only_left", name=partner.name)
        recipient = partner.sid if partner is not None else ""
        if recipient != self._recipient:
            self._recipient, self._offer = recipient, None
        self.query_one(Composer).set_recipient(recipient, title, keeps=keeps)

    def _show_status(self) -> None:
        view, messages, width = self._view, self.query_one(MessageList), self.size.width - 2
        say = self._words.say
        left = say("status", room=view.room, count=len(view.names), name=view.name)
        if not view.room:
            left = say("connecting")
        if self._may_leave:
            right = Text(say("leave_again"), style="bold reverse")
        elif self._state is State.LOST:
            right = Text(say("reconnecting"), style="bold reverse")
        elif messages.unread:
            right = Text(say("unread", count=messages.unread), style="bold reverse")
        elif not messages.follows:
            right = Text(say("scrolled"), style="bold reverse")
        else:
            right = Text(self._hints(width - cell_len(left) - 2), style="dim")
        text = Text(left)
        text.truncate(max(0, width - right.cell_len - 1), overflow="ellipsis", pad=True)
        self.query_one("#status", Static).update(Text.assemble(text, " ", right))

    def _hints(self, width: int) -> str:
        """As many keys as fit, the most useful ones; how to leave in any case."""
        *hints, leave = self._words.say("hints").split("  ")
        while hints and cell_len("  ".join((*hints, leave))) > width:
            hints.pop()
        return "  ".join((*hints, leave))

    # What the guest does

    def on_composer_sent(self, sent: Composer.Sent) -> None:
        """Send it."""
        self._offer = None
        if sent.is_damaged:
            self._link.refuse_unreadable(sent.text)
        else:
            self._link.send(sent.text, self._view, sent.begun_at)
        self._show_audience(keeps=True)
        self.action_read()

    def on_not_utf8(self, typed: NotUtf8) -> None:
        """Insert it into the field, after the keys before it: it is refused when it is sent."""
        self.query_one(Composer).post_message(Composer.Damaged(typed.text))

    def on_text_area_changed(self, changed: Composer.Changed) -> None:
        """A guest who types does not want to leave."""
        if self._may_leave and changed.text_area.text:
            self._may_leave = False
            self._show_status()

    def on_option_list_option_selected(self, selected: OptionList.OptionSelected) -> None:
        """Start a private chat with the chosen person."""
        sid = selected.option.id or ""
        name = self._view.names.get(sid)
        self.query_one(Composer).focus()
        if name is not None and sid != self._view.sid:
            self._link.talk_to(Person(sid, name))

    def on_app_blur(self, _event: events.AppBlur) -> None:
        """The guest is away: what comes now is new when they are back."""
        self._is_away = True

    def on_app_focus(self, _event: events.AppFocus) -> None:
        """The guest is back; the "new" line stays until everything is read."""
        self._is_away = False

    def on_resize(self, event: events.Resize) -> None:
        """Show the people if there is room for them."""
        wanted = self._shows_people
        self.query_one(People).display = event.size.width >= _WIDE if wanted is None else wanted
        self.call_after_refresh(self._show_status)

    def action_people(self) -> None:
        """Show the people, and focus them; hide them if they are focused."""
        people = self.query_one(People)
        if people.display and self.focused is not people:
            people.focus()
            return
        self._shows_people = people.display = not people.display
        (people if people.display else self.query_one(Composer)).focus()

    def action_help(self) -> None:
        """Show the commands."""
        self._link.send("/help", self._view)

    def action_send_without(self) -> None:
        """Send the refused text without the character that it was refused for."""
        text, self._offer = self._offer, None
        if text is not None:
            self._link.send(text, self._view)

    def action_read(self) -> None:
        """Mark everything as read."""
        self._may_leave = False
        self.query_one(Composer).focus()
        self.query_one(MessageList).mark_read()
        self._show_status()

    def action_fold(self) -> None:
        """Show long messages whole, or fold them again."""
        self.query_one(MessageList).fold()
        self._show_status()

    def action_page(self, pages: int) -> None:
        """Scroll by pages; above the oldest message, ask for earlier ones."""
        messages = self.query_one(MessageList)
        if pages < 0 and messages.scroll_y <= 0:
            self._ask_earlier()
        messages.scroll_pages(pages)
        self._show_status()

    def _ask_earlier(self) -> None:
        messages = self.query_one(MessageList)
        if messages.oldest and messages.has_room and self._has_earlier and not self._is_loading_earlier:
            self._is_loading_earlier = True
            answered = partial(self._call_in_app, self._show_earlier)
            self._link.ask("history", answered, before=messages.oldest, limit=_PAGE)

    # Leaving

    def action_clear_or_leave(self) -> None:
        """As in a shell: empty the field; if it is empty, send how to leave, and leave the next time."""
        if self.query_one(Composer).save_and_clear():
            return
        if self._may_leave:
            self.run_worker(self.action_leave())
        self._may_leave = True
        self._show_status()

    async def action_leave(self) -> None:
        """Leave the room and the screen; first send what is unsent, if that goes quickly."""
        if self._state is State.OPEN:
            await asyncio.to_thread(self._link.wait_until_sent, patience_s=_LEAVE_S)
        unsent = self._link.unsent()
        if unsent:
            key = "unsent_one" if len(unsent) == 1 else "unsent"
            self._end(1, self._words.say(key, count=len(unsent), text=unsent[0][:40]))
        else:
            self._end(0)

    def _end(self, code: int, why: str = "") -> None:
        self.exit(code, return_code=code, message=Text(f"chatroom: {plain_text(why)}") if why else None)

    async def on_unmount(self) -> None:
        """Close the connection with the screen."""
        await asyncio.to_thread(self._link.close)
