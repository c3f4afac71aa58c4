"""Whether a text that is nearly a private one, or nearly a command, may be sent: no other module decides this.

`core.near_misses` knows what it nearly is; whether that was meant depends on who is here and which rooms exist.
Examples define the boundary, with a reason for each: `tests/core/near.json`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Final, NamedTuple

from chatroom.core.errors import (
    LooksLikeJoin,
    LooksPrivate,
    LooksPrivateGone,
    NoSuchPartner,
    Refusal,
    UnreadMayBePrivate,
    usage_for,
)
from chatroom.core.events import Person
from chatroom.core.folding import trimmed
from chatroom.core.long_texts import Reading, unread_lines
from chatroom.core.misspaced import Misspaced
from chatroom.core.name_ends import LOOSE, LooseText, Match, loose_match
from chatroom.core.names import printable
from chatroom.core.near_misses import Near, NearJoin, NearWhisper, Unread
from chatroom.core.ordinary_words import ORDINARY
from chatroom.core.recent import Gone
from chatroom.core.recipients import People, longer_name, no_such
from chatroom.core.spellings import MOST_WORDS, Misspelt, SpellingBudget, alike, misspelt, plain
from chatroom.core.unknown_commands import UnknownJoin


class Found(NamedTuple):
    """Who is meant, and the text for them."""

    who: Person | Gone
    rest: str


_SHORTEST_AFTER_LETTERS: Final = 3  # characters of a name, or of a room's
_LETTER: Final = re.compile(r"\w")
_COLON: Final = re.compile("[:：]")
# `to Bob's surprise` is about Bob, so public; `for Bob's eyes only` is private.
_POSSESSIVE: Final = re.compile(
    r"['’]s\b(?!\s*[:：]|\W++(?:\w++\W++){0,3}(?:(?:eyes?|ears?)\W+(?:only|alone)|[dp]ms?|inbox|private|whisper)\b)",
    re.IGNORECASE,
)
_POSSESSIVE_WORD: Final = re.compile(rf"\W*+[^\s'’]{{1,32}}+{_POSSESSIVE.pattern}", re.IGNORECASE)
# But a colon, or what nobody else may know, makes it private as well.
_CHINESE_POSSESSIVE: Final = re.compile(
    "的(?![确確士])(?![^\\n，。！？,.!?]{0,8}?(?:[:：密私暗]|悄悄|偷偷|口令|账号|帳號|只有?[给給你]))"
)
_AND: Final = re.compile(r"\A\W*(?:and\b|&|和|与|與|跟|及)?\s*", re.IGNORECASE)
# What ends a list of those for whom a public text is.
_AND_EVERYONE: Final = re.compile(
    r"\W*(?:(?:and|&)\s+(?:everyone|everybody|all)(?:\s+else)?|(?:和|与|與|跟|及)(?:大家|所有人|各位|其他人))\s*(?:[:：,，.!！]|\Z)",
    re.IGNORECASE,
)
_NO_MORE: Final = re.compile(r"\W*(?:\Z|and\b|&|和|与|與|跟|及)", re.IGNORECASE)  # after a whole name
# At the end of a list, of nobody here.
_ANOTHER_NAME: Final = re.compile(r".*[,，、/+@] ?[A-Z][a-z]+\W*", re.DOTALL)
_ANOTHER: Final = re.compile(r"\band\b|[&和与與跟及]", re.IGNORECASE)
_MOST_LISTED: Final = 3
_CHEER: Final = re.compile(
    r"\W*(?:(?:cheers|hooray|hurra[hy]|congrats|congratulations|bravo|well done|happy birthday)\W*)?",
    re.IGNORECASE,
)
_LONGEST_CHEER: Final = 80
_MOST_MISSPELT: Final = 2  # readings of one text in which a misspelt name is looked for


def check(near: Iterable[Near], people: People, is_room: Callable[[str], bool]) -> None:
    """Refuse a text that was probably meant for one person, or for another room.

    Args:
        people: whom the writer may mean.
        is_room: whether there is another room with this name.

    Raises:
        LooksPrivate: it was probably meant for this person.
        NoSuchPartner: it is `to:NAME` with a slip, and nobody has that name.
        LooksLikeJoin: it was probably `/join`, and the room exists.
        UnknownJoin: it was `/join` in another keyboard layout.
        UnreadMayBePrivate: it has more that may be private than is read.
    """
    budget = SpellingBudget()
    refused = next(filter(None, (_refusal(one, people, is_room, budget) for one in near)), None)
    if refused is not None:
        raise refused.with_doubt()


def usage_for_found(found: Found, people: People) -> str:
    """What to type to send this person this text; for someone who has left, to whisper to anyone."""
    if not isinstance(found.who, Person):
        return "/to NAME TEXT"
    name = found.who.name
    finds = (people.longer_here, people.longer_lately)
    is_asked = any(longer_name(name, found.rest, find) is not None for find in finds)
    return usage_for(name, found.rest, is_quoted=is_asked)


def _refusal(
    near: Near, people: People, is_room: Callable[[str], bool], budget: SpellingBudget
) -> Refusal | None:
    match near:
        case NearWhisper():
            found = next(
                (found for found in _meant(near, people, budget) if not _may_end_word(near, found)),
                None,
            )
            if found is not None:
                return _looks_private(found, people)
            if not near.is_certain and not (near.is_pinyin and people.has_cjk_name()):
                return None
            name = printable(trimmed(_COLON.split(near.rest, 1)[0])) or printable(trimmed(near.rest))
            return no_such(NoSuchPartner, name, near.rest, people)
        case Unread(spelled):
            is_nobody = spelled and not _is_any(spelled, people)
            return None if is_nobody else UnreadMayBePrivate(usage="/say TEXT")
        case NearJoin(is_certain=True):
            return UnknownJoin(command="join").with_doubt(people=True)
        case NearJoin(room, may_be_word):
            names = (trimmed(room), _between_letters(room))
            if may_be_word and len(names[0]) < _SHORTEST_AFTER_LETTERS:
                return None
            meant = next(filter(is_room, names), None)
            return LooksLikeJoin(usage="/join ROOM", room=meant) if meant is not None else None


def _is_any(names: frozenset[str], people: People) -> bool:
    """Whether one of the names is spelled so, of people here or of those who left.

    An ordinary word, or a single character, must be the whole name.
    """
    wholes = {name for name in names if name in ORDINARY or len(name) == 1}
    return (
        bool(people.spelled_here(names - wholes))
        or (
            bool(people.spelled_here(wholes))
            and any(people.here(name) for name in wholes if people.spelled_here({name}))
        )
        or any(plain(name) in names for name in people.spelled_lately(names))
    )


def _looks_private(found: Found, people: People) -> LooksPrivate:
    if isinstance(found.who, Person):
        return LooksPrivate(usage=usage_for_found(found, people), name=found.who.name)
    now = people.now(found.who)
    if now is not None:
        return LooksPrivateGone.renamed(found.who.name, now.name, found.rest)
    return LooksPrivateGone(usage=usage_for_found(found, people), name=found.who.name)


def _meant(near: NearWhisper, people: People, budget: SpellingBudget) -> Iterator[Found]:
    """The people whose names follow a slip; those who are here come first."""
    rests = [*dict.fromkeys((near.rest, *near.alternatives))]
    is_public = False
    for rest in tuple(rests):
        if not budget.allows_exact():
            raise UnreadMayBePrivate(usage="/say TEXT").with_doubt()
        found = named(rest, people, runs_on=near.runs_on)
        if found is None:
            continue
        if not _is_public(near, rest, found, people):
            yield found
        is_public = True
        rests.remove(rest)
    found = None
    if near.misspaced and not is_public:
        if budget.allows_another():
            found = _misspaced(near.misspaced, people)
        elif (unread := unread_lines((near.misspaced,), Reading())) and _is_any(unread.names, people):
            raise UnreadMayBePrivate(usage="/say TEXT").with_doubt()
    if found is not None and not _is_public(near, near.misspaced, found, people):
        yield found
    for name, text in near.exact_names:
        names = name.partition("\n")[0]
        found = named(names, people, runs_on=True)
        if found is not None and _is_list(names, found.rest, near, people):
            yield Found(found.who, text)
    for rest in rests[:_MOST_MISSPELT]:
        if near.may_be_sentence and _POSSESSIVE_WORD.match(rest):
            continue
        found = _misspelt(rest, near, people, budget)
        if found is not None and not _is_public(near, rest, found, people):
            yield found
    for name, text in near.exact_names[:_MOST_MISSPELT]:
        if not near.has_exact_keyword or (len(name.split()) > MOST_WORDS and not _ANOTHER.search(name)):
            continue  # more words than are compared
        found = _misspelt(name, near, people, budget)
        if found is not None and _is_list(name, found.rest, near, people):
            yield Found(found.who, text)


def named(text: str, people: People, *, runs_on: bool = False) -> Found | None:
    """The person whose name a text begins with, and the rest."""
    loose = LooseText.of(text)
    found: Match[Person] | Match[Gone] | None
    found = loose_match(loose, people.here, people.reach_here, runs_on=runs_on)
    if found is None:
        found = loose_match(loose, people.lately, people.reach_lately, runs_on=runs_on)
    return Found(found.who, found.rest) if found is not None else None


def _misspelt(text: str, near: NearWhisper, people: People, budget: SpellingBudget) -> Found | None:
    """The person whose misspelt name a text begins with.

    At most one slip is allowed: after a word that has one already, a name may only lack accents, spaces and other
    words. The same holds for those who have left, since there may be many of them.
    """
    if near.needs_name_and_text:
        return None
    here = people.spelled_here
    if near.has_exact_keyword:
        found = misspelt(text, here, budget, any_slip_of_three=near.keyword == "to")
    else:
        found = alike(text, here, or_part=True) if budget.allows_another() else None
    return _here_or_lately(
        found, lambda: alike(text, people.spelled_lately) if budget.allows_another() else None, people
    )


def _misspaced(text: str, people: People) -> Found | None:
    """The person whose name follows a whisper keyword, wherever the spaces stand."""
    misspaced = Misspaced(text)
    here = misspaced.name(people.spelled_here)
    return _here_or_lately(here, lambda: misspaced.name(people.spelled_lately), people)


def _here_or_lately(
    here: Misspelt | None, lately: Callable[[], Misspelt | None], people: People
) -> Found | None:
    """Who is meant: someone here, or else someone who has left."""
    found = here or lately()
    if found is None:
        return None
    who = people.here(found.name) if here is not None else people.lately(found.name)
    return Found(who, found.rest) if who is not None else None


def _is_public(near: NearWhisper, text: str, found: Found, people: People) -> bool:
    """Whether what follows a name shows that a text is about that person, or for everyone: `to Bob's surprise`."""
    rest = found.rest
    if near.needs_name_and_text and not (isinstance(found.who, Person) and rest):
        return True
    if near.keyword and _is_cheer(text, rest):
        return True
    if near.keyword == "to" and _CHINESE_POSSESSIVE.match(rest):
        return True
    if not near.may_be_sentence:
        return False
    return _POSSESSIVE.match(rest) is not None or _ends_with_everyone(rest, people)


def _is_list(names: str, rest: str, near: NearWhisper, people: People) -> bool:
    """Whether a text is a name alone, or several; `rest` is what follows the first one."""
    if not _NO_MORE.match(rest) and named(rest, people, runs_on=True) is None:
        return _ANOTHER_NAME.fullmatch(names) is not None
    return not (near.may_be_sentence and _ends_with_everyone(rest, people))


def _ends_with_everyone(rest: str, people: People) -> bool:
    """Whether a list of names ends with everyone; `rest` is what follows the first one."""
    for _ in range(_MOST_LISTED):
        if _AND_EVERYONE.match(rest):
            return True
        others = _AND.sub("", rest, count=1)[:LOOSE]
        other = loose_match(LooseText.of(others), people.here, people.reach_here)
        if other is None:
            return False
        rest = other.rest
    return False


def _is_cheer(text: str, rest: str) -> bool:
    """Whether a text is a name with an exclamation mark, and at most a cheer after it: `to Bob! Cheers!`."""
    return (
        len(text) <= _LONGEST_CHEER
        and text.removesuffix(rest).rstrip().endswith(("!", "\uff01"))
        and _CHEER.fullmatch(rest) is not None
    )


def _may_end_word(near: NearWhisper, found: Found) -> bool:
    """Whether the letters before a name may be the beginning of a word: `top` and `total`, if P and Al are here."""
    return near.may_be_word and _is_short(found.who.name)


def _between_letters(text: str) -> str:
    """The text from its first letter or digit to its last one."""
    first, last = _LETTER.search(text), _LETTER.search(text[::-1])
    return text[first.start() : len(text) - last.start()] if first and last else ""


def _is_short(name: str) -> bool:
    return name.isascii() and len(name) < _SHORTEST_AFTER_LETTERS
