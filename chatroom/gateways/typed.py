"""Typed commands, the same for every gateway: runs a parsed command for a session and gives the answer as text."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import partial

from chatroom.core.commands import COMMANDS, Command, Help, History, Join, Name, Quit, Rooms, Tell, Who
from chatroom.core.errors import BadRequest, NoSuchPerson, Refusal, Unavailable
from chatroom.core.log import Entry, Page
from chatroom.core.names import parse_name, parse_room, printable
from chatroom.core.text import fold_empty_lines
from chatroom.gateways.disguise import before_text, in_list
from chatroom.gateways.wire import time_text
from chatroom.gateways.words import Words
from chatroom.service import Service
from chatroom.sessions import Session

_NAMES_SHOWN = 100  # in the answer to /who
_HISTORY_SHOWN = 10
_LINE_ENDS = re.compile("[\n\u2028\u2029]")  # as a text may hold them
_INDENT = "    "

Answer = Callable[[str], None]
Refuse = Callable[[Refusal], None]


def run(
    service: Service, words: Words, session: Session, command: Command, answer: Answer, refuse: Refuse
) -> str | None:
    """Run a command; `answer` gets what to show, `refuse` a refusal that comes later.

    Returns:
        A new token, if the command was a rename.

    Raises:
        Refusal: the command cannot be done.
    """
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
        case Tell(rest):
            found = session.hall.roster.longest_match(rest)
            if found is None:
                raise NoSuchPerson(name=printable(rest))
            person, text = found
            service.whisper(session, person.name, text)
            answer(words.say("whispered", name=person.name))
        case Join(room):
            service.move(session, parse_room(room))
            answer(words.say("moved", room=session.hall.name))
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
    moment = time_text(entry.at_ms)[:19].replace("T", " ")
    text = _LINE_ENDS.sub(f"\n{_INDENT}", fold_empty_lines(entry.text))
    return f"[{moment}Z] {before_text(entry.name)}: {text}"
