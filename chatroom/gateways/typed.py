"""What is typed, the same for every gateway: runs a parsed command for a session, and finds whom a text goes to."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from functools import partial

from chatroom.core import near
from chatroom.core.commands import (
    COMMANDS,
    Command,
    Help,
    History,
    Join,
    Name,
    Quit,
    Rooms,
    Say,
    TalkTo,
    Tell,
    Who,
    parse_line,
)
from chatroom.core.errors import (
    ANSWER_AFTER_S,
    BadRequest,
    NameGone,
    NameUnclear,
    NoSuchPartner,
    NoSuchPerson,
    Refusal,
    TextBehindTo,
    Unavailable,
    UnknownCommand,
    Yourself,
)
from chatroom.core.events import Person, Talk
from chatroom.core.log import Entry, Page
from chatroom.core.markers import trimmed
from chatroom.core.names import parse_name, parse_room, printable
from chatroom.core.private_talk import Effect, Signal
from chatroom.core.quoting import before_text, in_list
from chatroom.core.roster import SEPARATORS, longest_match, punctuated_match
from chatroom.core.text import fold_empty_lines, parse_text
from chatroom.core.utc import day, time_of_day
from chatroom.gateways.words import Words
from chatroom.service import Service
from chatroom.sessions import Session

_NAMES_SHOWN = 100  # in the answer to /who
_HISTORY_SHOWN = 10
_LINE_ENDS = re.compile("[\n\u2028\u2029]")  # as a text may hold them
_INDENT = "    "

_QUOTES = '"\u201c'
_LAST_SPACE = re.compile(r"(.*\S)\s", re.DOTALL)

_QUOTED = re.compile('["\u201c](.+)["\u201d]')

_TO_OTHERS = Tell | TalkTo | Join  # commands that change whom texts go to
_HEAD = 512  # characters of a text that show what it is

Answer = Callable[[str], None]
Refuse = Callable[[Refusal], None]
Follow = Callable[[Iterable[Effect]], None]


def parse(service: Service, session: Session, text: str) -> Say | Command:
    """What a text means, as `parse_line`: an unknown command before somebody's name would have been private.

    Raises:
        As `parse_line`.
    """
    try:
        return parse_line(text)
    except UnknownCommand as refused:
        here, lately = session.room.roster.find, service.lately(session)
        if near.name_meant(trimmed(refused.arguments), here, lately) is not None:
            refused.answer_after_s = ANSWER_AFTER_S
        raise


def run(
    service: Service,
    words: Words,
    session: Session,
    command: Command,
    *,
    answer: Answer,
    refuse: Refuse,
    follow: Follow,
    arrived_at: float,
) -> str | None:
    """Run a command.

    Args:
        answer: gets what to show.
        refuse: gets a refusal that comes later.
        follow: does what follows for the private talk.
        arrived_at: when it came.

    Returns:
        A new token, if the command was a rename.

    Raises:
        Refusal: the command cannot be done; if it would have changed whom texts go to, with an `answer_after_s`.
    """
    try:
        if isinstance(command, Tell | TalkTo):
            session.talk.check_people(arrived_at)
        return _run(service, words, session, command, answer=answer, refuse=refuse, follow=follow)
    except Refusal as refused:
        if isinstance(command, _TO_OTHERS):
            refused.answer_after_s = ANSWER_AFTER_S
        if isinstance(command, Join):
            refused.doubts_people = True
        raise


def unread_answer_after_s(text: str) -> float | None:
    """The `answer_after_s` of a refusal that comes before the text is looked at, for its length or its haste."""
    try:
        line = parse_line(trimmed(text)[:_HEAD])
    except Refusal as refused:
        return refused.answer_after_s
    is_private = isinstance(line, _TO_OTHERS) or (isinstance(line, Say) and bool(line.near))
    return ANSWER_AFTER_S if is_private else None


def _run(
    service: Service,
    words: Words,
    session: Session,
    command: Command,
    *,
    answer: Answer,
    refuse: Refuse,
    follow: Follow,
) -> str | None:
    token = None
    match command:
        case Help():
            answer(help_text(words.lang))
        case Who():
            answer(_who(service, words, session))
        case Name(name):
            wanted = parse_name(name) if name is not None else None
            new, token = service.rename(session, wanted)
            answer(words.say("renamed", name=new))
        case Tell(""):
            follow(session.talk.ask())
        case Tell(rest):
            person, text = _meant(service, session, rest)
            service.whisper(session, person.name, text)
            answer(words.say("whispered", name=person.name))
        case TalkTo(""):
            follow(session.talk.end())
        case TalkTo(name):
            follow(_turn_to(service, session, name))
        case Join(room):
            old = session.room
            service.move(session, parse_room(room))
            answer(words.say("moved", room=session.room.name))
            if session.room is not old:
                follow(session.talk.leave_behind())
        case Rooms():
            listed = [words.say("room", name=name, count=count) for name, count in service.rooms()]
            answer(words.say("rooms", rooms=words.listed(listed)))
        case History(count):
            shown = partial(_show_history, words, answer, refuse)
            service.history(session, after=None, before=None, limit=count or _HISTORY_SHOWN, answer=shown)
        case Quit():
            answer(words.say("bye"))
        case _:
            raise BadRequest()  # a command of another gateway, such as /echo
    return token


def address(service: Service, session: Session, say: Say, arrived_at: float) -> Person | None:
    """Whom a text goes to; None: the room.

    Raises:
        LooksPrivate, NoSuchPartner, LooksLikeJoin: it was probably meant for one person, or for another room.
        NotSent: it came with something that was refused, or its partner has gone.
        BadRequest, Empty, TooLong: it could not be sent to anybody.
    """
    talk = session.talk
    if not say.near and talk.is_plain:
        return None
    parse_text(say.text, service.limits.max_text)  # its own refusal comes before that of the near miss
    person = talk.address(partial(service.present, session), arrived_at)
    _check_near(service, session, say)
    return person


def private_text(service: Service, session: Session, msg: str) -> str:
    """What a whisper says that a person typed to their partner in a private chat.

    Raises:
        LooksPrivate, NoSuchPartner, LooksLikeJoin: it was probably meant for another, or for another room.
        UnknownCommand, BadRequest: it is a command, or nearly one.
    """
    line = parse_line(msg)
    if isinstance(line, Command):
        raise BadRequest()
    _check_near(service, session, line)
    return line.text


def _check_near(service: Service, session: Session, say: Say) -> None:
    here, lately = session.room.roster.find, service.lately(session)
    near.check(say.near, here, lately, partial(service.is_other_room, session))


def signal(service: Service, session: Session, told: Signal) -> None:
    """Let somebody's side know what the session's guest has done with their talk."""
    service.signal_talk(session, told.sid, told.talk)


def _meant(service: Service, session: Session, rest: str) -> tuple[Person, str]:
    """Whom a private text is for, and the text.

    Raises:
        NameGone: it may be for one who was here until lately.
        NoSuchPerson: it begins with nobody's name, or with a longer one than that and something else than a space.
    """
    found = longest_match(rest, session.room.roster.find)
    spaced = SEPARATORS.sub(" ", rest)
    closer = longest_match(spaced, session.room.roster.find)
    gone = longest_match(spaced, service.lately(session))
    if (
        gone is not None
        and found is not None
        and gone.length > max(found.length, closer.length if closer else 0)
    ):
        raise NameGone(name=gone.who.name, other=found.who.name)
    if closer is not None and found is not None and closer.length > found.length:
        raise NoSuchPerson(name=printable(rest[: closer.length + 1]))
    if found is None:
        raise NoSuchPerson(name=gone.who.name if gone is not None else _first_name(rest))
    _check_shorter(service, session, rest[: found.length], found.who.name)
    return found.who, found.rest


def _check_shorter(service: Service, session: Session, written: str, name: str) -> None:
    """Ask who is meant if the writer knows somebody with a shorter name, and has never written to this one.

    So nobody who is called `Bob I` is sent `/to Bob I miss you`. A name in quotes needs no question.

    Raises:
        NameUnclear: both are here.
        NameGone: the other was here until lately.
    """
    ends = _LAST_SPACE.match(SEPARATORS.sub(" ", written))
    known = session.addressed
    if ends is None or not known or name in known or written.lstrip()[0] in _QUOTES:
        return
    here = longest_match(ends[1], lambda one: session.room.roster.find(one) if one in known else None)
    if here is not None:
        raise NameUnclear(name=name, other=here.who.name)
    lately = service.lately(session)
    gone = longest_match(ends[1], lambda one: lately(one) if one in known else None)
    if gone is not None:
        raise NameGone(name=gone.who.name, other=name)


def _first_name(rest: str) -> str:
    """Whom `/to REST` was probably for: what stands in quotes, or the first word."""
    if rest[:1] in ('"', "“"):
        return printable(rest[1:].split({'"': '"', "“": "”"}[rest[0]])[0])
    return printable(rest.split(None, 1)[0])


def _turn_to(service: Service, session: Session, name: str) -> list[Effect]:
    """`to:NAME`. The name is as it is, or without the quotes that it may stand in."""
    quoted = _QUOTED.fullmatch(name)
    names = (name, quoted[1] if quoted is not None else name)
    found = next((one for one in names if session.room.roster.find(one) is not None), None)
    if found is None:
        raise _no_partner(service, session, name)
    if SEPARATORS.match(name[-1]):  # `to:Bob:` is for Bob rather than for one who is called so
        _check_shorter(service, session, name, found)
    try:
        opened = service.whisper(session, found, "", Talk.OPENED)
    except BadRequest:
        raise Yourself from None
    return session.talk.turn_to(opened.to)


def _no_partner(service: Service, session: Session, written: str) -> Refusal:
    """Why `to:WRITTEN` names nobody: it has a text behind the name, or nobody here is called so."""
    here = punctuated_match(written, session.room.roster.find)
    gone = punctuated_match(written, service.lately(session))
    if gone is not None and (here is None or gone.length > here.length):
        return NoSuchPartner(name=gone.who.name)
    if here is not None:
        return TextBehindTo.of(here.who.name, here.rest)
    quoted = _QUOTED.fullmatch(written)
    return NoSuchPartner(name=printable(quoted[1] if quoted is not None else written))


def help_text(lang: str, *, at_a_line: bool = False) -> str:
    """The table of commands, one a line."""
    shown = [record for record in COMMANDS if at_a_line or not record.line_only]
    width = max(len(record.usage) for record in shown)
    texts: Sequence[str] = [record.help[lang] for record in shown]
    return "\n".join(f"{record.usage:{width}}  {text}" for record, text in zip(shown, texts, strict=True))


def _who(service: Service, words: Words, session: Session) -> str:
    people = service.who(session)
    names = [in_list(person.name) for person in people[:_NAMES_SHOWN]]
    if len(people) > _NAMES_SHOWN:
        names.append("…")
    return words.say("who", count=len(people), names=words.listed(names))


def _show_history(words: Words, answer: Answer, refuse: Refuse, page: Page | None) -> None:
    if page is None:
        refuse(Unavailable())
    elif not page.entries:
        answer(words.say("no_history"))
    else:
        answer("\n".join(map(_entry_text, page.entries)))


def _entry_text(entry: Entry) -> str:
    """An entry for whoever reads times of their own place beside it: with its day, and a Z that tells that it is UTC.

    Lines after a text's first are indented, so that none can pass for somebody else's.
    """
    moment = f"{day(entry.at_ms)} {time_of_day(entry.at_ms)}"
    text = _LINE_ENDS.sub(f"\n{_INDENT}", fold_empty_lines(entry.text))
    return f"[{moment}Z] {before_text(entry.name)}: {text}"
