"""Typed text, the same for every gateway: runs a parsed command for a session, and finds the recipient of a text."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from collections.abc import Set as AbstractSet
from contextlib import contextmanager
from functools import partial

from chatroom.core import near
from chatroom.core.budgets import Kind
from chatroom.core.commands import (
    COMMANDS,
    ENDS,
    TO_OTHERS,
    Command,
    Help,
    History,
    Join,
    Name,
    Quit,
    Rooms,
    Say,
    TalkTo,
    WhisperTo,
    Who,
    parse_line,
)
from chatroom.core.errors import (
    BadRequest,
    LooksPrivate,
    NameChangedHands,
    NoSuchPartner,
    NoTextAfterTo,
    PrivateArgument,
    RateLimited,
    Refusal,
    Unavailable,
    Yourself,
    typed_name,
    usage_for,
)
from chatroom.core.events import Person, Talk
from chatroom.core.folding import trimmed
from chatroom.core.log import Entry, Page
from chatroom.core.meant_commands import meant
from chatroom.core.names import parse_name, parse_room, printable
from chatroom.core.private_talk import Effect, Signal
from chatroom.core.quoting import before_text, in_list
from chatroom.core.recent import Gone
from chatroom.core.recipients import People, partner_name, recipient
from chatroom.core.text import INDENT, fold_empty_lines, parse_text
from chatroom.core.unfinished import is_nearly_end
from chatroom.core.unknown_commands import (
    LooksLikeKey,
    StillTalking,
    UnknownCommand,
    UnknownEnd,
    UnknownWhisper,
)
from chatroom.core.utc import day, time_of_day
from chatroom.gateways.words import Words
from chatroom.service import Service
from chatroom.sessions import Session

_ALSO = {"en": " (also /{names})", "zh": "（也可用 /{names}）"}  # after the help of a command
_NAMES_SHOWN = 100  # in the answer to /who
_ARGUMENT = 256  # characters of a name or a room that are looked at; more are refused anyway
HISTORY_SHOWN = 10  # messages, unless the guest asks for more or fewer

Answer = Callable[[str], None]
Refuse = Callable[[Refusal], None]
Follow = Callable[[Iterable[Effect]], None]


def parse(service: Service, session: Session, text: str) -> Say | Command:
    """Interpret a text like `parse_line`; an unknown command before a text is answered with how to whisper it.

    Raises:
        StillTalking: in a private chat, it is nearly the `to:` that ends it.
        The others are those of `parse_line`.
    """
    try:
        line = parse_line(text)
    except UnknownCommand as refused:
        command = str(refused.params["command"])
        if command in ENDS and session.talk.partner is not None:
            raise UnknownEnd(command=command).with_doubt(0.0) from None
        raise meant(refused, _people(service, session), partial(_last, service, session)) from None
    partner = session.talk.present_partner
    if partner is not None and isinstance(line, Say):
        _check_end(text, partner.name)
    return line


def _last(service: Service, session: Session) -> Person | None:
    """Who sent this session the last whisper, if they are here."""
    last = session.last_whisper_from
    return service.whispers.present(session, last) if last is not None else None


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
        answer: called with the text to show.
        refuse: called with a refusal that comes later.
        follow: called with the effects on the private chat.
        arrived_at: when it came.

    Returns:
        A new token, if the command was a rename.

    Raises:
        Refusal: the command failed; if it would have changed who receives texts, with an `answer_after_s`.
    """
    try:
        if isinstance(command, WhisperTo | TalkTo):
            session.talk.check_people(arrived_at)
        return _run(service, words, session, command, answer=answer, refuse=refuse, follow=follow)
    except Refusal as refused:
        if isinstance(command, TO_OTHERS):
            raise refused.with_doubt(people=isinstance(command, Join)) from None
        raise


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
            session.quota.spend(Kind.HELP)
            answer(help_text(words.lang))
        case Who():
            answer(_who(service, words, session))
        case Name(name):
            if name is not None:
                _check_public(service, session, name)
            wanted = parse_name(name) if name is not None else None
            new, token = service.rename(session, wanted)
            answer(words.say("renamed", name=new))
        case WhisperTo(""):
            session.quota.spend(Kind.TALK)
            follow(session.talk.ask())
        case WhisperTo(rest):
            person, text = recipient(rest, _people(service, session))
            if not trimmed(text):
                raise NoTextAfterTo(usage=f"/to {typed_name(person.name)} TEXT", name=person.name)
            with _showing_usage(person.name, text):
                service.whispers.whisper(session, person.name, text)
            answer(words.say("whispered", name=person.name))
        case TalkTo(""):
            session.quota.spend(Kind.TALK)
            follow(session.talk.end())
        case TalkTo(name):
            follow(_turn_to(service, session, name))
        case Join(room):
            old = session.room
            _check_public(service, session, room)
            service.move(session, parse_room(room))
            answer(words.say("moved", room=session.room.name))
            if session.room is not old:
                follow(session.talk.leave_behind())
        case Rooms():
            session.quota.spend(Kind.ROOMS)
            listed = [words.say("room", name=name, count=count) for name, count in service.rooms()]
            answer(words.say("rooms", rooms=words.listed(listed)))
        case History(count):
            shown = partial(_show_history, words, answer, refuse)
            service.history(session, after=None, before=None, limit=count or HISTORY_SHOWN, answer=shown)
        case Quit():
            answer(words.say("bye"))
        case _:
            raise BadRequest()  # a command of another gateway, such as /echo
    return token


def address(service: Service, session: Session, say: Say, arrived_at: float) -> Person | None:
    """The recipient of a text; None: the room.

    Raises:
        LooksPrivate, NoSuchPartner, LooksLikeJoin: it was probably meant for one person, or for another room.
        NotSent: it came with something that was refused, or the partner has left.
        BadRequest, Empty, TooLong: it could not be sent to anyone; if it is nearly private, what follows is held.
    """
    talk = session.talk
    if not say.near and talk.is_plain:
        return None
    try:
        parse_text(say.text, service.limits.max_text)  # its own refusal comes before that of the near miss
    except Refusal as refused:
        raise (refused.with_doubt() if say.near else refused) from None
    person = talk.address(partial(service.whispers.present, session), arrived_at)
    _check_near(service, session, say)
    return person


def private_text(service: Service, session: Session, msg: str, partner: str) -> str:
    """The text of a whisper that a person typed to their partner in a private chat.

    Args:
        partner: their name; "": the client does not say it.

    Raises:
        StillTalking: it was probably meant to end the chat.
        LooksPrivate, NoSuchPartner, LooksLikeJoin: it was probably meant for someone else, or for another room.
        UnknownCommand, BadRequest: it is a command, or nearly one.
    """
    line = parse_line(msg)
    if isinstance(line, Command):
        raise BadRequest()
    if partner:
        _check_end(msg, partner)
    _check_near(service, session, line)
    return line.text


def _check_end(text: str, partner: str) -> None:
    """Check a text in a private chat.

    Raises:
        StillTalking: it was probably meant to end the chat.
    """
    if is_nearly_end(text):
        raise StillTalking(name=partner).with_doubt()


def _check_near(service: Service, session: Session, say: Say) -> None:
    """Check whether a text is private; if it is refused it counts like one that is sent.

    Raises:
        LooksPrivate, NoSuchPartner, LooksLikeJoin: it probably is, or was meant for another room.
        RateLimited: there were too many; what follows is held too.
    """
    if not say.near:
        return
    try:
        session.quota.spend_text(say.text, None)
    except RateLimited as refused:
        raise refused.with_doubt() from None
    near.check(say.near, _people(service, session), partial(service.is_other_room, session))
    session.quota.give_back_text(say.text)  # sending it is counted


def _check_public(service: Service, session: Session, argument: str) -> None:
    """Check what others would see of a command: `/name /to Bob meet at nine` was meant for Bob.

    Raises:
        PrivateArgument: it is a private text, or nearly one.
        UnknownCommand: it has an operator's key.
    """
    name = argument
    try:
        line = parse(service, session, argument[:_ARGUMENT])
        if isinstance(line, Say):
            _check_near(service, session, line)
        if not isinstance(line, WhisperTo | TalkTo):
            return
        name = line.rest if isinstance(line, WhisperTo) else line.name
    except (LooksPrivate, NoSuchPartner) as refused:
        name = str(refused.params["name"])
    except UnknownWhisper as refused:
        name = refused.arguments
    except UnknownCommand as refused:
        if isinstance(refused, LooksLikeKey) or refused.params["command"] == "op":
            raise
        return  # a name may begin with a slash
    except RateLimited:
        raise  # whether it is private was not judged
    except Refusal:
        return
    raise PrivateArgument(usage="/to NAME TEXT", name=printable(trimmed(name))).with_doubt()


def signal(service: Service, session: Session, effect: Signal) -> None:
    """Let the other side know what this session's guest has done with their private chat."""
    service.whispers.signal_talk(session, effect.sid, effect.talk)


def _people(service: Service, session: Session) -> People:
    room = session.room

    def longer(letters: str, most: int) -> Iterator[str]:
        return (
            name for name in room.roster.names_beginning_with(letters, most) if name != session.person.name
        )

    def spelled(keys: AbstractSet[str]) -> list[str]:
        return [name for name in room.roster.names_spelled_like(keys) if name != session.person.name]

    def now(gone: Gone) -> Person | None:
        return room.roster.get(gone.sid)

    whispers = service.whispers
    lately, longer_lately = whispers.lately(session), whispers.longer_lately(session)
    return People(
        here=room.roster.find,
        lately=lately,
        known=session.addressed,
        longer_here=longer,
        longer_lately=longer_lately,
        reach_here=room.roster.reach,
        reach_lately=room.recent.reach,
        spelled_here=spelled,
        spelled_lately=whispers.spelled_lately(session),
        has_cjk_name=lambda: room.roster.has_cjk_name(session.person.name),
        now=now,
    )


def _turn_to(service: Service, session: Session, written: str) -> list[Effect]:
    """`to:WRITTEN`"""
    name = partner_name(written, _people(service, session))
    try:
        with _showing_usage(name, ""):
            opened = service.whispers.whisper(session, name, "", Talk.OPENED)
    except BadRequest:
        raise Yourself from None
    return session.talk.turn_to(opened.to)


@contextmanager
def _showing_usage(name: str, text: str) -> Iterator[None]:
    """Let the refusal of a name that has changed hands show what to type."""
    try:
        yield
    except NameChangedHands as refused:
        refused.said = {"usage": usage_for(name, text)}
        raise


def help_text(lang: str, *, at_a_line: bool = False) -> str:
    """The table of commands, one per line."""
    shown = [record for record in COMMANDS if at_a_line or not record.line_only]
    width = max(len(record.usage) for record in shown)
    texts = [
        record.help[lang] + (_ALSO[lang].format(names=" /".join(record.aliases)) if record.aliases else "")
        for record in shown
    ]
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
    """An entry with its day, and a Z that marks UTC: other times on the reader's screen are local.

    Further lines of a text are indented, so that none can pass for another person's message.
    """
    moment = f"{day(entry.at_ms)} {time_of_day(entry.at_ms)}"
    text = fold_empty_lines(entry.text).replace("\n", f"\n{INDENT}")
    return f"[{moment}Z] {before_text(entry.name)}: {text}"
