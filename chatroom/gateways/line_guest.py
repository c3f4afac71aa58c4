"""Somebody at a line terminal: what they type, and what they are shown (protocol, section 2).

It knows lines, commands and the private talk. Sockets are its peer's, the room's rules the service's. Whom the guest
talks to privately is known here and nowhere else: others learn of it by a flag on whispers.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, Protocol

from chatroom.core.commands import Command, Echo, Help, History, Join, Quit, Tell, parse_line
from chatroom.core.errors import BadRequest, NameTaken, NoSuchPerson, RateLimited, Refusal, Unavailable
from chatroom.core.events import Person, Talk, Whispered
from chatroom.core.log import Entry, Page
from chatroom.core.names import printable
from chatroom.gateways import typed
from chatroom.gateways.line_codec import MAX_LINE_BYTES, Overlong, encode_line
from chatroom.gateways.line_peer import Peer
from chatroom.gateways.wire import time_text
from chatroom.gateways.words import Words
from chatroom.service import Hall, Service, Session, Welcome

log = logging.getLogger(__name__)

MAX_UNCOMMITTED: Final = 32  # messages on their way to the disk; then no more input is taken
HOLD_S: Final = 1.0  # a line typed so soon after the talk has moved was meant for somebody else
HISTORY_SHOWN: Final = 10

_INDENT: Final = "    "
_LEAVING: Final = ("quit", "close")
_TALK: Final = "to:"
_BARE_TALK: Final = ("/to", "/msg", "/w")


@dataclass(slots=True)
class Partner:
    """Whom a guest talks to privately.

    Attributes:
        before: who it was until the talk moved, at `moved_at`.
        gone: has left, or has ended the talk; the guest's next line is not sent, and the talk is over then.
    """

    sid: str
    name: str
    before: str = ""
    moved_at: float = float("-inf")
    gone: bool = False


class House(Protocol):
    """What a guest needs of the gateway."""

    def settle(self, guest: LineGuest, hall: Hall) -> None:
        """From now on the guest is told what happens in this room."""

    def forget(self, guest: LineGuest, sid: str) -> None:
        """The guest, whose session had this id, has gone."""


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


def said_line(at_ms: int, who: str, text: str) -> bytes:
    """How what somebody says looks at a line; the further lines of a text are indented, and so are nobody's."""
    return encode_line(f"[{time_text(at_ms)[11:19]}] {who}: {text}", _INDENT)


def notice_line(text: str) -> bytes:
    """What is nobody's words: every line begins with an asterisk."""
    return encode_line(f"* {text}", "* ")


class LineGuest:
    """A guest from the greeting to the farewell. It is its peer's owner; nothing in it waits."""

    __slots__ = (
        "_echo",
        "_flooding",
        "_greeted",
        "_house",
        "_input_ended",
        "_peer",
        "_pumping",
        "_put_back",
        "_setting",
        "_timer",
        "_uncommitted",
        "active_at",
        "partner",
        "room_key",
        "session",
    )

    def __init__(self, setting: Setting, house: House, peer: Peer) -> None:
        self._setting = setting
        self._house = house
        self._peer = peer
        self._echo = False
        self._flooding = False
        self._greeted = False
        self._input_ended = False
        self._pumping = False
        self._put_back: str | Overlong | None = None
        self._timer: Any = None
        self._uncommitted = 0
        self.active_at = setting.monotonic()
        self.partner: Partner | None = None
        self.room_key: str | None = None  # where the guest is told what happens; None on the way there
        self.session: Session | None = None

    # Input

    def received(self) -> None:
        self._go_on()

    def ended(self) -> None:
        self._input_ended = True
        if self._peer.decoder.unfinished:
            # Half a line may be half a thought, or a name without the rest of it: it is not said.
            self.show_notice("line_unfinished")
        self._go_on()

    def lost(self) -> None:
        self._leave()

    def fell_behind(self) -> None:
        self.send_away("line_slow", drop=True)

    def _go_on(self) -> None:
        try:
            self._pump()
        except Exception:  # the outermost loop of a session: its fault must spare the others
            log.exception("a line session failed and is closed")
            self._leave()
            self._peer.abort()

    def _pump(self) -> None:
        """Take line after line, as long as the guest is in a room and not too fast."""
        session = self.session
        if self._pumping or session is None:
            return
        self._pumping = True
        try:
            is_drained = self._take_lines(session)
        finally:
            self._pumping = False
        answers = self._peer.decoder.answers()
        if answers:
            self._peer.write(answers)
        if session.closed:
            return
        if is_drained and not self._input_ended:
            self._peer.read_on()
            return
        self._peer.read_off()
        if is_drained and not self._uncommitted:
            self._leave()
            self._peer.finish()

    def _take_lines(self, session: Session) -> bool:
        """Take what lines there are; True if there are no more, False if they have to wait."""
        while self.room_key is not None and self._uncommitted < MAX_UNCOMMITTED and self._timer is None:
            line = self._put_back if self._put_back is not None else self._peer.decoder.next_line()
            self._put_back = None
            if line is None:
                self._flooding = False
                return True
            try:
                self._take(session, line)
            except RateLimited as refused:
                # A flood waits its turn, in the decoder and then in the kernel: nothing of it is lost.
                self._put_back = line
                self._timer = self._setting.call_later(
                    float(str(refused.params["retry_after"])), self._resume
                )
                if not self._flooding:
                    self._flooding = True
                    self.show_notice("line_too_fast")
            except Refusal as refused:
                self.show(notice_line(self._refusal(refused)))
            if session.closed:
                return False
        return False

    def _resume(self) -> None:
        self._timer = None
        self._go_on()

    def _take(self, session: Session, line: str | Overlong) -> None:
        self.active_at = self._setting.monotonic()
        if isinstance(line, Overlong):
            self.show_notice("line_too_long", limit=MAX_LINE_BYTES)
            return
        stripped = line.strip()
        if not stripped:
            return
        self._setting.service.spend_event(session)
        if stripped in _LEAVING:
            self.send_away("bye")
        elif line.startswith(_TALK):
            self._talk_to(session, line.removeprefix(_TALK).strip())
        elif stripped.lower() in _BARE_TALK:
            self._show_partner()
        else:
            parsed = parse_line(line)
            if isinstance(parsed, Command):
                self._run(session, parsed)
            else:
                self._speak(session, parsed.text)

    # Commands

    def _run(self, session: Session, command: Command) -> None:
        match command:
            case Help():
                table = typed.help_text(self._setting.words.lang, at_a_line=True)
                self.show(notice_line(f"{table}\n{self._setting.words.say('line_help')}"))
            case Echo(on):
                self._echo = on
                self.show_notice("line_echo_on" if on else "line_echo_off")
            case History(count):
                self._setting.service.history(
                    session, after=None, before=None, limit=count or HISTORY_SHOWN, answer=self._show_history
                )
            case Join():
                self._move(session, command)
            case Quit():
                self.send_away("bye")
            case Tell(rest):
                try:
                    self._run_typed(session, command)
                except NoSuchPerson:
                    raise NoSuchPerson(name=_meant_name(rest)) from None
            case _:
                self._run_typed(session, command)

    def _run_typed(self, session: Session, command: Command) -> None:
        def answer(text: str) -> None:
            self.show(notice_line(text))

        typed.run(self._setting.service, self._setting.words, session, command, answer, _refused_later)

    def _move(self, session: Session, command: Join) -> None:
        before, old = self.room_key, session.hall
        self.room_key = None  # the lines that follow wait until the guest is there
        try:
            typed.run(
                self._setting.service, self._setting.words, session, command, _no_answer, _refused_later
            )
        except Refusal:
            self.room_key = before
            raise
        if session.hall is old:  # it is the room that the guest is in
            self.room_key = before
            self.show_notice("line_in_room", room=old.name, count=len(old.roster))
            return
        self._end_talk(tell_partner=False)

    def _show_history(self, page: Page | None) -> None:
        if page is None:
            self.show(notice_line(self._setting.words.refusal(Unavailable())))
        elif not page.entries:
            self.show_notice("no_history")
        day = ""
        for entry in page.entries if page is not None else ():
            if time_text(entry.at_ms)[:10] != day:
                day = time_text(entry.at_ms)[:10]
                self.show(notice_line(day))
            self.show(said_line(entry.at_ms, entry.name, entry.text))

    # Speaking

    def _speak(self, session: Session, text: str) -> None:
        partner = self.partner
        if partner is None:
            self._uncommitted += 1
            try:
                self._setting.service.say(session, text, None, self._said)
            except Refusal:
                self._uncommitted -= 1
                raise
            return
        present = session.hall.room.members.get(partner.sid)
        if partner.gone or present is None:
            self.partner = None
            self.show_notice("line_not_sent", name=partner.name)
        elif self._setting.monotonic() - partner.moved_at < HOLD_S:
            partner.moved_at = float("-inf")
            self.show_notice("line_held", name=present.name, before=partner.before)
        else:
            self._setting.service.whisper(session, present.name, text, Talk.LINE)

    def _said(self, entry: Entry | None) -> None:
        self._uncommitted -= 1
        if self.session is None:
            return
        if entry is None:
            self.show(notice_line(self._setting.words.refusal(Unavailable())))
        if self._input_ended or self._uncommitted == MAX_UNCOMMITTED - 1:
            self._setting.call_later(0, self._go_on)

    # The private talk

    def _talk_to(self, session: Session, name: str) -> None:
        """`to:NAME` or `to:`."""
        if not name:
            if self.partner is None:
                self.show_notice("line_choose")
            else:
                self._end_talk(tell_partner=True)
            return
        try:
            opened = self._setting.service.whisper(session, name, "", Talk.OPENED)
        except BadRequest:
            self.show_notice("line_yourself")
            return
        before, self.partner = self.partner, Partner(opened.to.sid, opened.to.name)
        if before is not None and before.sid != opened.to.sid:
            self._signal(before, Talk.TURNED)
        self.show_notice("line_talk", name=opened.to.name)

    def _end_talk(self, *, tell_partner: bool) -> None:
        partner, self.partner = self.partner, None
        if partner is None:
            return
        if tell_partner:
            self._signal(partner, Talk.ENDED)
        self.show_notice("line_over", name=partner.name)

    def _show_partner(self) -> None:
        """`/to` and no more."""
        if self.partner is None:
            self.show_notice("line_choose")
        else:
            self.show_notice("line_talk", name=self.partner.name)

    def _signal(self, partner: Partner, talk: Talk) -> None:
        session = self.session
        if session is None or partner.gone:
            return
        present = session.hall.room.members.get(partner.sid)
        if present is not None:
            try:
                self._setting.service.whisper(session, present.name, "", talk)
            except NoSuchPerson:
                pass  # on the way in or out: there is nobody to tell

    def hear(self, whispered: Whispered, at_ms: int) -> None:
        """A whisper that the guest has sent or received."""
        if self.session is None:
            return
        if whispered.who.sid == self.session.sid:
            if whispered.talk is Talk.LINE and self._echo:
                self.show(said_line(at_ms, f"you -> {whispered.to.name}", whispered.text))
            return
        who = whispered.who
        if whispered.talk in (Talk.LINE, Talk.OPENED):
            self._be_turned_to(who)
        elif whispered.talk is not None and self.partner is not None and self.partner.sid == who.sid:
            if whispered.talk is Talk.TURNED:
                self.show_notice("line_turned", name=who.name)
            else:
                self.partner.gone = True
                self.show_notice("line_partner_ended", name=who.name)
        if whispered.text:
            self.show(said_line(at_ms, f"{who.name} -> you", whispered.text))

    def _be_turned_to(self, who: Person) -> None:
        """Somebody's private line has come, or is going to: one's own lines go back to them."""
        before = self.partner
        if before is not None and before.sid == who.sid:
            before.gone = False
            return
        self.partner = Partner(who.sid, who.name)
        if before is None:
            self.show_notice("line_asked", name=who.name)
            return
        self.partner.before = before.name
        self.partner.moved_at = self._setting.monotonic()
        self.show_notice("line_moved", name=who.name, before=before.name)
        self._signal(before, Talk.TURNED)

    def partner_left(self) -> None:
        """The partner is no longer in the room."""
        partner = self.partner
        if partner is not None and not partner.gone:
            partner.gone = True
            self.show_notice("line_partner_left", name=partner.name)

    # Output

    def welcome(self, welcome: Welcome) -> None:
        """The guest is in the room: greet, and take what was typed meanwhile."""
        count, name, room = len(welcome.hall.roster), welcome.person.name, welcome.hall.name
        if not self._greeted:
            self._greeted = True
            self.show_notice("line_greeting", room=room, number=count, name=name)
            self.show(notice_line(self._setting.kept))
            self.show_notice("line_how")
        else:
            self.show_notice("line_in_room", room=room, count=count)
        self._house.settle(self, welcome.hall)
        self._setting.call_later(0, self._go_on)  # not here: it is the feed that calls

    def show_notice(self, key: str, **values: object) -> None:
        """Show one of the server's sentences."""
        self.show(notice_line(self._setting.words.say(key, **values)))

    def show(self, line: bytes) -> None:
        """Show an encoded line."""
        self._peer.write(line)

    @property
    def echo(self) -> bool:
        return self._echo

    # The end

    def send_away(self, key: str, *, drop: bool = False) -> None:
        """Leave with a sentence."""
        self._leave()
        self._peer.finish(notice_line(self._setting.words.say(key)), drop=drop)

    def _leave(self) -> None:
        session, self.session = self.session, None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if session is not None:
            self._house.forget(self, session.sid)
            self._setting.service.leave(session, cut=False)

    def _refusal(self, refused: Refusal) -> str:
        words = self._setting.words
        if isinstance(refused, NameTaken):
            return words.say("line_reuse", name=refused.params["name"])
        if isinstance(refused, NoSuchPerson):
            return words.say("line_no_one", name=refused.params.get("name", ""))
        return words.refusal(refused)


def _meant_name(rest: str) -> str:
    """Whom `/to REST` was probably for: what stands in quotes, or the first word."""
    if rest[:1] in ('"', "“"):
        return printable(rest[1:].split({'"': '"', "“": "”"}[rest[0]])[0])
    return printable(rest.split(None, 1)[0])


def _no_answer(text: str) -> None:
    """The welcome to the other room is the answer."""


def _refused_later(refused: Refusal) -> None:
    """Only `/history` is refused later, and that is answered here otherwise."""
