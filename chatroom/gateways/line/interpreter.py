"""What a line means, and what it does: messages, private chats, commands (protocol, section 2).

It knows the words of a line terminal. It knows neither when a line is taken nor where its output goes, and leaves the
rules to the service.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import Final

from chatroom.core.budgets import Kind
from chatroom.core.commands import (
    Command,
    Echo,
    Help,
    History,
    Join,
    Name,
    Quit,
    Say,
    TalkTo,
    WhisperTo,
    unread_answer_after_s,
)
from chatroom.core.errors import (
    LineEdited,
    MayAnswer,
    NameTaken,
    NoSuchPartner,
    NoSuchPerson,
    NoSuchRecipient,
    NotInUtf8,
    RateLimited,
    Refusal,
    TooLong,
    Unavailable,
    typed_name,
)
from chatroom.core.events import Talk, Whispered
from chatroom.core.expected import ExpectedAnswer
from chatroom.core.log import Entry, Page
from chatroom.core.private_talk import Effect, Notice
from chatroom.gateways import typed
from chatroom.gateways.line.codec import Edited, NotUtf8, Overlong, PartlyUtf8
from chatroom.gateways.line.host import NOBODY, Host
from chatroom.gateways.line.text import history_lines, notice_line, own_whisper_line, whisper_line
from chatroom.gateways.words import Words
from chatroom.net.relief import Relief
from chatroom.net.turns import Turns
from chatroom.runtime import Timer
from chatroom.service import Service
from chatroom.sessions import MAX_UNCOMMITTED, Session

_LEAVING: Final = ("quit", "close")


@dataclass(frozen=True, slots=True, kw_only=True)
class LineContext:
    """What all terminals share.

    Attributes:
        kept: the sentence that says what is kept for how long.
        max_line_bytes: the longest line.
        idle_timeout_s: a guest who sends no complete line for so long is disconnected.
        monotonic: a clock in seconds.
        turns: in which terminals do what is due, address after address.
        relief: drops slow readers if too much waits for an address, or for all.
    """

    service: Service
    words: Words
    kept: str
    max_line_bytes: int
    idle_timeout_s: float
    monotonic: Callable[[], float]
    call_later: Callable[[float, Callable[[], None]], Timer]
    turns: Turns
    relief: Relief


class Interpreter:
    """Does what one guest's lines ask for, and shows what only this guest receives."""

    __slots__ = (
        "_context",
        "_expected",
        "_host",
        "_is_being_renamed",
        "_is_on_the_way",
        "_knows_how_to_answer",
        "_looks_back",
        "_session",
        "_uncommitted",
        "echo",
    )

    def __init__(self, context: LineContext, host: Host, session: Session) -> None:
        self._context = context
        self._host: Host = host
        self._session = session
        # How many entries of history are requested: they come after earlier messages, and before later lines.
        self._looks_back = 0
        self._is_on_the_way = True
        self._is_being_renamed = False
        self._expected = ExpectedAnswer()
        self._knows_how_to_answer = False
        self._uncommitted = 0
        self.echo = False

    @property
    def may_take(self) -> bool:
        """Whether the last line is done far enough to take another."""
        is_waiting = self._is_on_the_way or self._is_being_renamed or self._looks_back > 0
        return not is_waiting and self._uncommitted < MAX_UNCOMMITTED

    @property
    def is_settled(self) -> bool:
        """Whether all messages are stored."""
        return self._uncommitted == 0

    def arrived(self) -> None:
        """The guest has joined the room."""
        self._is_on_the_way = False

    def leave(self) -> None:
        """The guest has left: let go of the terminal, even if an answer is still to come."""
        self._host = NOBODY

    def person_renamed(self, sid: str, old: str, new: str) -> None:
        """Someone's new name was announced."""
        self._session.talk.renamed(sid, new)
        self._expected.renamed(sid, new)
        if sid == self._session.sid and self._is_being_renamed:
            self._is_being_renamed = False
            self._host.settled()

    def take(self, line: str | Overlong, arrived_at: float) -> None:
        """Do what a line asks for.

        Args:
            arrived_at: when it came, on the clock of the context.

        Raises:
            RateLimited: it must wait; nothing was done.
            Refusal: it is refused.
        """
        self._session.quota.spend_event()
        try:
            self._take(line, arrived_at)
        except RateLimited:
            raise  # it is taken later, and the lines after it wait
        except Refusal as refused:
            if refused.answer_after_s is None:
                raise
            # Never at once: telnet sends each line of a paste in a packet of its own.
            refused = refused.with_doubt()
            self._session.talk.hold(refused, arrived_at)
            self._expected.refused(refused, arrived_at)
            raise refused from None

    def _take(self, line: str | Overlong, arrived_at: float) -> None:
        if isinstance(line, Overlong):
            too_long = TooLong(limit=self._context.service.limits.max_text)
            raise too_long.with_doubt(unread_answer_after_s(line.head))
        stripped = line.strip()
        if not stripped:
            return
        if stripped in _LEAVING:
            self._host.disconnect("bye")
        elif isinstance(line, NotUtf8):
            raise NotInUtf8().with_doubt()  # its recipient is unknown
        elif isinstance(line, Edited):
            raise LineEdited().with_doubt()  # the guest believes that it looks otherwise
        else:
            text = str(line)  # of a class of its own, it could not be encoded for the page
            parsed = typed.parse(self._context.service, self._session, text)
            if isinstance(parsed, Command):
                self._run(parsed, arrived_at)
            elif parsed.near and isinstance(line, PartlyUtf8):
                self._expected.doubted(arrived_at)
                raise NotInUtf8().with_doubt()  # the stray byte may be in a name
            else:
                self._speak(parsed, line, arrived_at)

    def answer(self, refused: Refusal) -> None:
        """Show a refusal that `take` has raised."""
        if refused.answer_after_s is not None:
            self._session.talk.answered(self._context.monotonic())
            self._mark_talking()
        self._host.write(self.refusal(refused))

    def refusal(self, refused: Refusal) -> bytes:
        """A refusal, as it is shown."""
        words = self._context.words
        if isinstance(refused, NameTaken):
            return notice_line(words.say("line_reuse", name=refused.params["name"]))
        if type(refused) in (NoSuchPerson, NoSuchRecipient, NoSuchPartner):
            said = [words.say("line_no_one", name=refused.params.get("name", ""))]
            if "near" in refused.params:
                said.append(words.say("line_near", **refused.params))
            elif isinstance(refused, NoSuchRecipient):
                said.append(words.say("line_who"))
            if isinstance(refused, NoSuchPartner):
                said.append(words.say("line_as_it_is"))
            return notice_line("\n".join(said))
        return notice_line(words.refusal(refused))

    # Commands

    def _run(self, command: Command, arrived_at: float) -> None:
        match command:
            case Help():
                self._session.quota.spend(Kind.HELP)
                table = typed.help_text(self._context.words.lang, at_a_line=True)
                self._host.write(notice_line(f"{table}\n{self._context.words.say('line_help')}"))
            case Echo(on):
                self._session.quota.spend(Kind.OTHER)
                self.echo = on
                self._notice("line_echo_on" if on else "line_echo_off")
            case History(count):
                self._looks_back = count or typed.HISTORY_SHOWN
                if self.is_settled:
                    self._look_back()
            case Join():
                self._move(command, arrived_at)
            case TalkTo(name):
                self._run_typed(command, self._answer, arrived_at)
                self._expected.ended(arrived_at, had_talk=name != "" or self._session.talk.has_begun)
            case Name():
                before = self._session.person.name
                self._is_being_renamed = True  # lines after it see the roster once the rename is announced
                try:
                    self._run_typed(command, self._answer, arrived_at)
                finally:
                    # Refused, or it has the name: nothing is announced.
                    if self._session.person.name == before:
                        self._is_being_renamed = False
            case Quit():
                self._host.disconnect("bye")
            case WhisperTo(rest) if rest:
                self._expected.whispers(arrived_at)
                self._run_typed(command, self._answer, arrived_at)
            case _:
                self._run_typed(command, self._answer, arrived_at)

    def _run_typed(self, command: Command, answer: Callable[[str], None], arrived_at: float) -> None:
        context = self._context
        typed.run(
            context.service,
            context.words,
            self._session,
            command,
            answer=answer,
            refuse=_refused_later,
            follow=self._follow,
            arrived_at=arrived_at,
        )

    def _answer(self, text: str) -> None:
        self._host.write(notice_line(text))

    def _move(self, command: Join, arrived_at: float) -> None:
        old = self._session.room
        self._run_typed(command, _no_answer, arrived_at)
        self._expected.forget()
        if self._session.room is old:  # it is the room that the guest is in
            here = self._context.words.counted("people_here", len(old.roster))
            self._notice("line_in_room", room=old.name, here=here)
        else:
            self._is_on_the_way = True

    def _look_back(self) -> None:
        self._context.service.history(
            self._session, after=None, before=None, limit=self._looks_back, answer=self._show_history
        )

    def _show_history(self, page: Page | None) -> None:
        self._looks_back = 0
        if page is None:
            self._host.write(self.refusal(Unavailable()))
        elif not page.entries:
            self._notice("no_history")
        for line in history_lines(page.entries if page is not None else ()):
            self._host.write(line)
        self._host.settled()

    # Speaking

    def _speak(self, say: Say, line: str, arrived_at: float) -> None:
        service = self._context.service
        try:
            partner = typed.address(service, self._session, say, arrived_at)
        finally:
            self._mark_talking()
        if partner is not None:
            service.whispers.whisper_to(self._session, partner.sid, say.text, Talk.LINE)
            return
        # Whoever types `//` or `/say` knows where it goes.
        if say.text == line and (asked := self._expected.question(line, arrived_at)) is not None:
            raise MayAnswer(name=typed_name(asked.name)).with_doubt()
        self._uncommitted += 1
        try:
            service.say(self._session, say.text, None, self._said)
        except Refusal:
            self._uncommitted -= 1
            raise

    def _said(self, entry: Entry | None) -> None:
        self._uncommitted -= 1
        if entry is None:
            self._host.write(self.refusal(Unavailable()))
        if self._looks_back and self.is_settled:
            self._look_back()
        elif self._uncommitted in (0, MAX_UNCOMMITTED - 1):
            self._host.settled()

    # Private chats

    def whispered(self, whispered: Whispered, at_ms: int) -> None:
        """The guest has sent or received a whisper."""
        who, to, talk = whispered.who, whispered.to, whispered.talk
        is_own = who.sid == self._session.sid
        if talk is None:
            self._expected.whispered(to if is_own else who, self._context.monotonic())
        if is_own:
            if talk is Talk.LINE and self.echo:
                self._host.write(own_whisper_line(at_ms, to.name, whispered.text))
            return
        if talk in (Talk.LINE, Talk.OPENED):
            now = self._context.monotonic()
            another = self._expected.expects_another(who.sid, now)
            self._follow(self._session.talk.turned_to(who, now, another))
        elif talk is not None:
            self._follow(self._session.talk.signalled(who, talk))
        if whispered.text:
            self._host.write(whisper_line(at_ms, who.name, whispered.text))
            if talk is None and not self._knows_how_to_answer:
                self._knows_how_to_answer = True
                self._notice("line_answer", name=typed_name(who.name))

    def talks_to(self, sid: str) -> bool:
        """Whether the guest is in a private chat with this session."""
        partner = self._session.talk.partner
        return partner is not None and partner.sid == sid

    def person_joined(self) -> None:
        """Somebody has joined the room."""
        self._follow(
            self._session.talk.joined(partial(self._context.service.whispers.present, self._session))
        )

    def person_left(self, sid: str) -> None:
        """Somebody is no longer in the room."""
        self._follow(self._session.talk.left(sid))

    def _follow(self, effects: Iterable[Effect]) -> None:
        """Apply effects on the private chat."""
        for effect in effects:
            if isinstance(effect, Notice):
                self._notice(effect.key, **effect.values)
            else:
                typed.signal(self._context.service, self._session, effect)
        self._mark_talking()

    def _mark_talking(self) -> None:
        self._host.mark_talking(self._session.talk.partner is not None)

    def _notice(self, key: str, **values: object) -> None:
        self._host.write(notice_line(self._context.words.say(key, **values)))


def _no_answer(text: str) -> None:
    """The welcome to the other room is the answer."""


def _refused_later(refused: Refusal) -> None:
    """Nothing: only `/history` is refused later, and this class answers that itself."""
