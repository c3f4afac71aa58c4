"""What was probably meant by a command that does not exist, and what to type instead.

A text after it may be private. So the answer shows how to whisper it, before it says how to send it to all.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Final

from chatroom.core.commands import is_command_prefix
from chatroom.core.events import Person
from chatroom.core.folding import head, trimmed
from chatroom.core.markers import Beginning, TalkMarker, beginning
from chatroom.core.near import Found, named, usage_for_found
from chatroom.core.near_misses import BareKey, NearWhisper
from chatroom.core.recipients import People, is_nearly_named
from chatroom.core.spellings import misspelt
from chatroom.core.unknown_commands import LooksLikeKey, UnknownCommand, UnknownJoin, UnknownWhisper

# What other chats call the command that answers the last whisper.
_REPLY: Final = re.compile(r"(?:(?:re?|reply|answer)(?![a-z0-9_/-])|回[复覆])[\s:,;.、，。：；]*")

Last = Callable[[], Person | None]


def meant(refused: UnknownCommand, people: People, last: Last) -> UnknownCommand:
    """The refusal of an unknown command, with what to type instead.

    Args:
        last: finds who sent the writer the last whisper, if they are here.
    """
    found = beginning(refused.after)
    is_key = (
        isinstance(refused, LooksLikeKey) or isinstance(found, BareKey) or refused.params["command"] == "op"
    )
    if is_key or refused.wording == "space_after_slash":
        return refused
    usage = _usage(refused, found, people, last)
    if usage is not None or isinstance(refused, UnknownWhisper):
        return UnknownWhisper(
            command=str(refused.params["command"]), arguments=refused.arguments, usage=usage or ""
        ).with_doubt(people=refused.doubts_people)
    if refused.wording is None and trimmed(refused.arguments):
        refused.wording = "unknown_command_text"
    return refused


def _usage(refused: UnknownCommand, found: Beginning | None, people: People, last: Last) -> str | None:
    """How to whisper what was typed; empty if it is unknown to whom; None: it was probably meant for nobody."""
    text, after = trimmed(refused.arguments), trimmed(refused.after)
    if (answer := _after_reply(refused.after)) is not None:
        return _to_last(answer, people, last) or _to_named(answer, people) or ""
    command = str(refused.params["command"])
    is_move = isinstance(refused, UnknownWhisper) or (
        isinstance(found, NearWhisper) and found.has_exact_keyword
    )
    usage = _to_named(after, people)
    if usage is None and is_move:
        usage = _to_named(text, people)
    if usage is None:
        usage = next(_to_near(found, people), None)
    if usage is None:
        usage = _to_misspelt(text if is_move else "" if is_command_prefix(command) else after, people)
    if usage is None and text and "/" not in command and not isinstance(refused, UnknownJoin):
        usage = _to_last(text, people, last)
    if usage is None and not is_move:
        usage = _to_named(text, people)
    if usage is None and not is_command_prefix(command) and is_nearly_named(after, people):
        return ""
    return usage


def _after_reply(text: str) -> str | None:
    """What follows a command that answers the last whisper; None if it is another."""
    folded, ends = head(text)
    found = _REPLY.match(folded)
    return text[ends[found.end() - 1] :] if found is not None else None


def _to_last(text: str, people: People, last: Last) -> str | None:
    """How to send a text to whoever sent the last whisper; their name may stand before it."""
    person = last()
    if person is None:
        return None
    found = named(text, people)
    rest = found.rest if found is not None and found.who == person else text
    return usage_for_found(Found(person, rest), people)


def _to_named(text: str, people: People, *, runs_on: bool = False) -> str | None:
    """How to send a text to the person whose name it begins with; empty if they have left."""
    found = named(text, people, runs_on=runs_on)
    return usage_for_found(found, people) if found is not None else None


def _to_near(found: Beginning | None, people: People) -> Iterator[str]:
    """The same for what stands after a slash, if it is nearly a private text without one."""
    match found:
        case TalkMarker(name):
            yield from filter(None, (_to_named(name, people),))
        case NearWhisper(needs_name_and_text=False):
            usages = (
                _to_named(rest, people, runs_on=found.runs_on) for rest in (found.rest, *found.alternatives)
            )
            yield from (usage for usage in usages if usage is not None)
            for name, text in found.exact_names:
                if (one := named(name, people)) is not None and not one.rest:
                    yield usage_for_found(Found(one.who, text), people)
        case _:
            pass


def _to_misspelt(text: str, people: People) -> str | None:
    """How to send a text to the person whose name it begins with, if that is misspelt."""
    found = misspelt(text, people.spelled_here)
    person = people.here(found.name) if found is not None else None
    return usage_for_found(Found(person, found.rest), people) if found and person else None
