"""What a line means, and what comes of it: talk, private talk, commands (protocol, section 2).

It knows the words of a line terminal. It knows neither when a line is taken nor where what it shows goes, and leaves
the rules to the service.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Final, Protocol

from chatroom.core.commands import Command, Echo, Help, History, Join, Name, Quit, Tell, parse_line
from chatroom.core.errors import BadRequest, NameTaken, NoSuchPerson, Refusal, Unavailable
from chatroom.core.events import Talk, Whispered
from chatroom.core.log import Entry, Page
from chatroom.core.names import printable
from chatroom.gateways import typed
from chatroom.gateways.line_codec import MAX_LINE_BYTES, Overlong
from chatroom.gateways.line_talk import Effect, Notice, PrivateTalk
from chatroom.gateways.line_text import day, notice_line, own_whisper_line, said_line, whisper_line
from chatroom.gateways.words import Words
from chatroom.service import Service
from chatroom.sessions import Session

MAX_UNCOMMITTED: Final = 32  # messages on their way to the disk; then no more input is taken
HISTORY_SHOWN: Final = 10

_LEAVING: Final = ("quit", "close")
_TALK: Final = "to:"
_BARE_TALK: Final = ("/to", "/msg", "/w")
_HTTP: Final = re.compile(r"[A-Z]+ \S+ HTTP/\d")
# What every browser sends next, if that line is too long to be seen.
_HTTP_BEHIND: Final = re.compile(r"Host: ")


@dataclass(frozen=True, slots=True)
class Setting:
    """What all guests share.

    Attributes:
        kept: the sentence that says what is kept for how long.
    """

    service: Service
    words: Words
    kept: str
    monotonic: Callable[[], float]
    call_later: Callable[..., Any]


class Host(Protocol):
    """What an interpreter needs of its guest."""

    def show(self, line: bytes) -> None:
        """Show an encoded line."""

    def send_away(self, key: str) -> None:
        """Leave with one of the server's sentences."""

    def settled(self) -> None:
        """Something that lines may have waited for is done."""

    def mark_talking(self, is_talking: bool) -> None:
        """There is, or is no longer, somebody whose leaving matters."""


class Interpreter:
    """Does what one guest's lines say; shows what is said to them alone."""

    __slots__ = (
        "_host",
        "_http",
        "_is_being_renamed",
        "_is_on_the_way",
        "_looks_back",
        "_session",
        "_setting",
        "_uncommitted",
        "echo",
        "talk",
    )

    def __init__(self, setting: Setting, host: Host, session: Session) -> None:
        self._setting = setting
        self._host = host
        self._session = session
        # How the next line would show that it is a browser that speaks.
        self._http: re.Pattern[str] | None = _HTTP
        # So many entries are asked for: after what was said before, and before what is typed behind it.
        self._looks_back = 0
        self._is_on_the_way = True
        self._is_being_renamed = False
        self._uncommitted = 0
        self.echo = False
        self.talk = PrivateTalk()

    @property
    def may_take(self) -> bool:
        """Whether what the last line began is so far done that another can be taken."""
        is_waiting = self._is_on_the_way or self._is_being_renamed or self._looks_back > 0
        return not is_waiting and self._uncommitted < MAX_UNCOMMITTED

    @property
    def is_settled(self) -> bool:
        """Whether all that was said is kept."""
        return self._uncommitted == 0

    def arrived(self) -> None:
        """The guest is in the room."""
        self._is_on_the_way = False

    def person_renamed(self, sid: str, name: str) -> None:
        """The room has been told that somebody has another name."""
        self.talk.renamed(sid, name)
        if sid == self._session.sid and self._is_being_renamed:
            self._is_being_renamed = False
            self._host.settled()

    def take(self, line: str | Overlong, arrived_at: float) -> None:
        """Do what a line says.

        Args:
            arrived_at: when it came, on the clock of the setting.

        Raises:
            RateLimited: not now; nothing has been done.
            Refusal: not at all.
        """
        self._setting.service.spend_event(self._session)
        http, self._http = self._http, None
        if isinstance(line, Overlong):
            self._http = _HTTP_BEHIND if http is not None else None
            self._notice("line_too_long", limit=MAX_LINE_BYTES)
            return
        stripped = line.strip()
        if not stripped:
            return
        if http is not None and http.match(line):
            # A web page can make its reader's browser send a form anywhere, to this port too, and be heard in here.
            self._host.send_away("line_http")
        elif stripped in _LEAVING:
            self._host.send_away("bye")
        elif stripped.startswith(_TALK):
            self._talk_to(self._unquoted(stripped.removeprefix(_TALK).strip()))
        elif stripped.lower() in _BARE_TALK:
            self._follow(self.talk.ask())
        else:
            parsed = parse_line(line)
            if isinstance(parsed, Command):
                self._run(parsed)
            else:
                self._speak(parsed.text, arrived_at)

    def refusal(self, refused: Refusal) -> bytes:
        """A refusal, as it is shown."""
        words = self._setting.words
        if isinstance(refused, NameTaken):
            return notice_line(words.say("line_reuse", name=refused.params["name"]))
        if isinstance(refused, NoSuchPerson):
            return notice_line(words.say("line_no_one", name=refused.params.get("name", "")))
        return notice_line(words.refusal(refused))

    # Commands

    def _run(self, command: Command) -> None:
        match command:
            case Help():
                table = typed.help_text(self._setting.words.lang, at_a_line=True)
                self._host.show(notice_line(f"{table}\n{self._setting.words.say('line_help')}"))
            case Echo(on):
                self.echo = on
                self._notice("line_echo_on" if on else "line_echo_off")
            case History(count):
                self._looks_back = count or HISTORY_SHOWN
                if self.is_settled:
                    self._look_back()
            case Join():
                self._move(command)
            case Name():
                self._is_being_renamed = True  # who is here is asked of what the room has been told
                try:
                    self._run_typed(command, self._answer)
                except Refusal:
                    self._is_being_renamed = False
                    raise
            case Quit():
                self._host.send_away("bye")
            case Tell(rest):
                try:
                    self._run_typed(command, self._answer)
                except NoSuchPerson:
                    raise NoSuchPerson(name=_meant_name(rest)) from None
            case _:
                self._run_typed(command, self._answer)

    def _run_typed(self, command: Command, answer: Callable[[str], None]) -> None:
        setting = self._setting
        typed.run(setting.service, setting.words, self._session, command, answer, _refused_later)

    def _answer(self, text: str) -> None:
        self._host.show(notice_line(text))

    def _move(self, command: Join) -> None:
        old = self._session.hall
        self._run_typed(command, _no_answer)
        if self._session.hall is old:  # it is the room that the guest is in
            self._notice("line_in_room", room=old.name, count=len(old.roster))
        else:
            self._is_on_the_way = True
            self._follow(self.talk.leave_behind())

    def _look_back(self) -> None:
        self._setting.service.history(
            self._session, after=None, before=None, limit=self._looks_back, answer=self._show_history
        )

    def _show_history(self, page: Page | None) -> None:
        self._looks_back = 0
        if page is None:
            self._host.show(self.refusal(Unavailable()))
        elif not page.entries:
            self._notice("no_history")
        shown = ""
        for entry in page.entries if page is not None else ():
            if day(entry.at_ms) != shown:
                shown = day(entry.at_ms)
                self._host.show(notice_line(shown))
            self._host.show(said_line(entry.at_ms, entry.name, entry.text))
        self._host.settled()

    # Speaking

    def _speak(self, text: str, arrived_at: float) -> None:
        service, members = self._setting.service, self._session.hall.room.members
        sid, refusal = self.talk.address(members, arrived_at, self._setting.monotonic())
        if refusal is not None:
            self._follow([refusal])
        elif sid is not None:
            service.whisper(self._session, members[sid].name, text, Talk.LINE)
        else:
            self._uncommitted += 1
            try:
                service.say(self._session, text, None, self._said)
            except Refusal:
                self._uncommitted -= 1
                raise

    def _said(self, entry: Entry | None) -> None:
        self._uncommitted -= 1
        if entry is None:
            self._host.show(self.refusal(Unavailable()))
        if self._looks_back and self.is_settled:
            self._look_back()
        elif self._uncommitted in (0, MAX_UNCOMMITTED - 1):
            self._host.settled()

    # The private talk

    def _talk_to(self, name: str) -> None:
        """`to:NAME` or `to:`."""
        if not name:
            self._follow(self.talk.end())
            return
        try:
            opened = self._setting.service.whisper(self._session, name, "", Talk.OPENED)
        except BadRequest:
            self._notice("line_yourself")
        else:
            self._follow(self.talk.turn_to(opened.to))

    def _unquoted(self, name: str) -> str:
        """A name as it is, should it have been typed as it stands before a text, and nobody be called so."""
        is_quoted = (
            len(name) > 2 and name[0] == name[-1] == '"' and self._session.hall.room.find(name) is None
        )
        return name[1:-1] if is_quoted else name

    def hear(self, whispered: Whispered, at_ms: int) -> None:
        """A whisper that the guest has sent or received."""
        who, to, talk = whispered.who, whispered.to, whispered.talk
        if who.sid == self._session.sid:
            if talk is Talk.LINE and self.echo:
                self._host.show(own_whisper_line(at_ms, to.name, whispered.text))
            return
        if talk in (Talk.LINE, Talk.OPENED):
            self._follow(self.talk.turned_to(who, self._setting.monotonic()))
        elif talk is not None:
            self._follow(self.talk.signalled(who, talk))
        if whispered.text:
            self._host.show(whisper_line(at_ms, who.name, whispered.text))

    def person_left(self, sid: str) -> None:
        """Somebody is no longer in the room."""
        self._follow(self.talk.left(sid))

    def _follow(self, effects: Iterable[Effect]) -> None:
        """Do what follows for the talk."""
        for effect in effects:
            if isinstance(effect, Notice):
                self._notice(effect.key, **effect.values)
            else:
                self._signal(effect.sid, effect.talk)
        self._host.mark_talking(self.talk.partner is not None)

    def _signal(self, sid: str, talk: Talk) -> None:
        present = self._session.hall.room.members.get(sid)
        if present is not None and not self._session.closed:
            try:
                self._setting.service.whisper(self._session, present.name, "", talk)
            except NoSuchPerson:
                pass  # on the way in or out: there is nobody to tell

    def _notice(self, key: str, **values: object) -> None:
        self._host.show(notice_line(self._setting.words.say(key, **values)))


def _meant_name(rest: str) -> str:
    """Whom `/to REST` was probably for: what stands in quotes, or the first word."""
    if rest[:1] in ('"', "“"):
        return printable(rest[1:].split({'"': '"', "“": "”"}[rest[0]])[0])
    return printable(rest.split(None, 1)[0])


def _no_answer(text: str) -> None:
    """The welcome to the other room is the answer."""


def _refused_later(refused: Refusal) -> None:
    """Only `/history` is refused later, and that is answered here otherwise."""
