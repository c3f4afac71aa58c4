"""Whom a typed text is for, by the name that it begins with: `Ming Li hello` is for Ming Li rather than for Ming.

Where the name ends depends on who is in the room, who has left lately, and whom the writer knows (`core.name_ends`).
Where two people can be meant, the text is refused.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from itertools import chain
from typing import Final, NamedTuple
from unicodedata import category, decimal

from chatroom.core.addressed import Addressed
from chatroom.core.beginnings import letters, without_one
from chatroom.core.confusables import fold, skeleton
from chatroom.core.errors import (
    NameGone,
    NameNow,
    NameUnclear,
    NoSuchPartner,
    NoSuchPerson,
    NoSuchRecipient,
    Refusal,
    TextAfterTo,
)
from chatroom.core.events import Person
from chatroom.core.layouts import readings
from chatroom.core.name_ends import (
    ANY_QUOTES,
    FILLER,
    LONGEST,
    LOOSE,
    QUOTES,
    SEPARATORS,
    Match,
    Reach,
    bare_name,
    cleaned_match,
    longest_match,
    punctuated_match,
    quoted_match,
    run_on_match,
    without_quotes,
)
from chatroom.core.names import NAME_LENGTH, printable
from chatroom.core.recent import Gone
from chatroom.core.slips import is_slip_of
from chatroom.core.spellings import Find, begun, misspelt, plain

Here = Callable[[str], Person | None]
Lately = Callable[[str], Gone | None]
Longer = Callable[[str, int], Iterable[str]]  # the first so many names with letters that begin so

# Words that people put before a name as well: `/whisper to Bob hi`.
_BEFORE_NAMES: Final = frozenset(
    ("to", "for", "msg", "w", "tell", "whisper", "dm", "pm", "给", "給", "对", "對", "跟", "和", "кому")
)
_MOST_LONGER = 50  # names that are compared with what follows a shorter one
_MOST_LETTERS = 2 * NAME_LENGTH  # of what follows it
_LAST_SPACE = re.compile(r"(.*\S)\s", re.DOTALL)


def _none(_letters: str, _most: int) -> Iterable[str]:
    return ()


def _none_spelled(_keys: AbstractSet[str]) -> list[str]:
    return []


def _no_one() -> bool:
    return False


def _unknown(_gone: Gone) -> None:
    return None


@dataclass(frozen=True, slots=True)
class People:
    """Those whom a writer may mean.

    Attributes:
        here: finds who is in the room by name.
        lately: the same for those who gave up a name recently.
        known: whom the writer has written to, and who has to the writer.
        longer_here: finds names of people here by their first letters.
        longer_lately: the same for names that were given up recently.
        now: finds the person who gave up a name for another, if they are still here.
        reach_here: tells how far a text may be the name of someone here.
        reach_lately: the same for names that were given up recently.
        spelled_here: finds names of people here by how they may be spelled.
        spelled_lately: the same for names that were given up recently.
        has_cjk_name: tells whether someone else's name is in Han, kana or Hangul.
    """

    here: Here
    lately: Lately
    known: Addressed
    longer_here: Longer = _none
    longer_lately: Longer = _none
    now: Callable[[Gone], Person | None] = _unknown
    reach_here: Reach | None = None
    reach_lately: Reach | None = None
    spelled_here: Find = _none_spelled
    spelled_lately: Find = _none_spelled
    has_cjk_name: Callable[[], bool] = _no_one


def recipient(rest: str, people: People) -> tuple[Person, str]:
    """The recipient of `/to REST`, and the text.

    Raises:
        NameGone: it may be for someone who left recently.
        NameUnclear: it may be for someone with a shorter name, or with a longer one.
        NameNow: the person it is for has since changed their name.
        TextAfterTo: there is no space after the name.
        NoSuchRecipient: it begins with nobody's name.
    """
    strict = longest_match(rest, people.here)
    found = strict or cleaned_match(rest, people.here)
    spaced = SEPARATORS.sub(" ", rest)
    closer = longest_match(spaced, people.here)
    gone = longest_match(spaced, people.lately)
    if (
        gone is not None
        and found is not None
        and gone.length > max(found.length, closer.length if closer else 0)
    ):
        raise NameGone(name=gone.who.name, other=found.who.name)
    if closer is not None and strict is not None and closer.length > strict.length:
        raise NameUnclear(name=closer.who.name, other=strict.who.name)
    if found is None:
        raise _nobody(rest, gone.who if gone is not None else None, people)
    _check_word(rest, found, people)
    _check_quoted(rest, found, people)
    _check_shorter(rest[: found.length], found.who.name, people)
    _check_longer(rest[: found.length], found.who.name, found.rest, people)
    return found.who, found.rest


def partner_name(written: str, people: People) -> str:
    """The name of someone here in `to:WRITTEN`: as it is, or without the quotes around it.

    Raises:
        NoSuchPartner: nobody here has that name.
        TextAfterTo: there is a text after the name.
        NameGone, NameUnclear: as `recipient`.
    """
    names = (written, without_quotes(written), bare_name(written))
    found = next((name for name in names if people.here(name) is not None), None)
    if found is None or (found == names[2] != written and people.lately(written) is not None):
        raise _no_partner(written, people)
    if SEPARATORS.match(written[-1]):  # `to:Bob:` is probably for Bob, even if someone is called `Bob:`
        _check_shorter(written, found, people)
    return found


def _check_word(rest: str, found: Match[Person], people: People) -> None:
    """Ask who is meant if someone is called `to`, and another name follows: `/whisper to Bob hi`.

    Raises:
        NameUnclear: both are here.
    """
    name = found.who.name
    if fold(name) not in _BEFORE_NAMES or rest.lstrip()[:1] in ANY_QUOTES:
        return
    other = longest_match(found.rest, people.here) or cleaned_match(found.rest, people.here)
    if other is not None and other.who != found.who:
        raise NameUnclear(name=other.who.name, other=name)


def _check_quoted(rest: str, found: Match[Person], people: People) -> None:
    """Ask who is meant if a name begins with another one in quotes: `"Kit" Lee` beside `Kit`.

    Raises:
        NameUnclear: both are here.
        NameGone: the shorter one, whom the writer knows, left recently.
    """
    if rest.lstrip()[:1] not in ANY_QUOTES:
        return
    other = quoted_match(rest, people.here) or cleaned_match(rest, people.here)
    if other is not None and other.length < found.length and other.who != found.who:
        raise NameUnclear(name=found.who.name, other=other.who.name)
    gone = quoted_match(rest, lambda one: people.lately(one) if one in people.known else None)
    if gone is not None and gone.length < found.length:
        raise NameGone(name=gone.who.name, other=found.who.name)


def _check_shorter(written: str, name: str, people: People) -> None:
    """Ask who is meant if the writer knows someone with a shorter name, and does not know this person.

    So a person called `Bob I` does not receive `/to Bob I miss you`. For a name in quotes there is no question.

    Raises:
        NameUnclear: both are here.
        NameGone: the other one left recently.
    """
    ends = _LAST_SPACE.match(SEPARATORS.sub(" ", written))
    known = people.known
    if ends is None or not known or name in known or written.lstrip()[0] in QUOTES:
        return
    here = longest_match(ends[1], lambda one: people.here(one) if one in known else None)
    if here is not None:
        raise NameUnclear(name=name, other=here.who.name)
    gone = longest_match(ends[1], lambda one: people.lately(one) if one in known else None)
    if gone is not None:
        raise NameGone(name=gone.who.name, other=name)


def _check_longer(written: str, name: str, text: str, people: People) -> None:
    """Ask who is meant if a longer name begins like this one, and the text nearly like the rest of that name.

    So `/to Ming Lo secret` does not reach Ming while Ming Li is here. For a name in quotes there is no question.

    Raises:
        NameUnclear: both are here.
        NameGone: the other one left recently.
    """
    if written.lstrip()[:1] in ANY_QUOTES:
        return
    if (longer := longer_name(name, text, people.longer_here)) is not None:
        raise NameUnclear(name=longer, other=name)
    if (longer := longer_name(name, text, people.longer_lately)) is not None:
        raise NameGone(name=longer, other=name)


def longer_name(name: str, text: str, find: Longer) -> str | None:
    """A longer name that begins like this one, if the text after it is nearly the rest of that name."""
    text = text[:LONGEST]
    known, more, word = letters(name), _first_letters(text), next(iter(text.split(None, 1)), "")
    if not known or not word:
        return None
    found = chain(find(known + more[0], _MOST_LONGER) if more else (), find(known, _MOST_LONGER))
    first = _Word.of(_first_letters(word))
    typed = _Typed(name, known, more, first)
    # A number or an emoji is a whole rest of a name: `Bob 2` is probably Bob2.
    joined = "" if any(map(str.isalpha, word)) else _closed_up(name + word)
    if not joined or joined == _closed_up(name):
        return next(filter(typed.is_nearly_in, found), None)
    return next((one for one in found if _closed_up(one) == joined or typed.is_nearly_in(one)), None)


def _closed_up(name: str) -> str:
    """A name without spaces and punctuation, and with the digits of any script as 0 to 9."""
    return "".join(
        str(decimal(one)) if one.isdecimal() else one
        for one in fold(name)
        if not one.isspace() and category(one)[0] != "P"
    )


def _first_letters(text: str) -> str:
    """The letters that a text begins with: of some texts, one character has 18 of them."""
    found = letters(text[:NAME_LENGTH])
    return (found if len(found) >= _MOST_LETTERS else letters(text))[:_MOST_LETTERS]


class _Word(NamedTuple):
    """A word that may be another with a slip, or look like it, or be typed in another keyboard layout."""

    letters: str
    looks: str
    readings: tuple[str, ...]

    @classmethod
    def of(cls, word: str) -> _Word:
        return cls(word, skeleton(word), readings(word))

    def is_nearly(self, word: str) -> bool:
        """Whether this word is probably meant: a slip is a key beside the right one, or a letter more or less."""
        more = len(self.letters) - len(word)
        return (
            is_slip_of(self.letters, word)
            or (more == 1 and word in without_one(self.letters))
            or (more == -1 and self.letters in without_one(word))
            or self.looks == skeleton(word)
            or word in self.readings
        )


class _Typed:
    """What is typed after a name, to be compared with what each of many longer names has there.

    Args:
        known: the letters of the name.
        more: the letters after it.
        first: the first word of these, which may also look or sound like the next word of the longer name.
    """

    __slots__ = ("_first", "_known", "_more", "_name", "_slips", "_start")

    def __init__(self, name: str, known: str, more: str, first: _Word) -> None:
        self._name, self._known, self._more, self._first = name, known, more, first
        self._start = len(fold(name))
        self._slips: dict[int, set[str]] = {}  # of so many of the letters

    def is_nearly_in(self, longer: str) -> bool:
        """Whether these letters are nearly those that a longer name has more: with the same first, or one slip.

        After a Latin name, the same first letter says too little if the longer name goes on without a space: Ann,
        Annabel.
        """
        more, rest = self._more, letters(longer)[len(self._known) :]
        if not rest or not more:
            return False
        goes_on = fold(longer)[self._start : self._start + 1]
        if more[0] == rest[0] and not (goes_on.isascii() and goes_on.isalnum()):
            return True
        if goes_on.isspace() and self._first.is_nearly(letters(longer[len(self._name) :].split()[0])):
            return True
        if len(rest) <= 2:
            return len(rest) == 2 and more[:2] in (rest, rest[::-1])
        slips = without_one(rest)
        return not all(slips.isdisjoint(self._slips_of(len(rest) + by)) for by in (-1, 0, 1))

    def _slips_of(self, size: int) -> set[str]:
        found = self._slips.get(size)
        if found is None:
            found = self._slips[size] = without_one(self._more[:size])
        return found


def _nobody(rest: str, gone: Gone | None, people: People) -> Refusal:
    """Why `/to REST` is for nobody: they have another name, no space follows the name, or nobody here has it."""
    if gone is not None:
        return _gone(gone, people)
    if (found := run_on_match(rest, people.here)) is not None:
        return TextAfterTo.of(found.who.name, found.rest)
    return no_such(NoSuchRecipient, _first_name(rest), rest, people)


def no_such(kind: type[NoSuchRecipient], name: str, rest: str, people: People) -> NoSuchRecipient:
    """The refusal of a text for a name that nobody has, with the name that was probably meant."""
    if len(rest.split(None, 1)) > 1:
        rest = FILLER.sub("", rest[:LOOSE], count=1) or rest  # there may be nothing else
    if (found := misspelt(rest, people.spelled_here)) is None:
        word = (*rest.split(None, 1), "")[0][:LONGEST]  # of a nearly private text, nothing may be left
        longer = people.longer_here(letters(word), 1) if len(plain(word)) > 1 else ()
        found = next((begun(rest, one) for one in longer), None)
    if found is None:
        return kind(name=name)
    written = rest.removesuffix(found.rest)
    if fold(bare_name(written)) == fold(found.name):  # who is here; the text begins at once after the name
        written += (*found.rest.split(None, 1), "")[0]
    return kind(name=printable(bare_name(written) or name), near=found.name, text=found.rest)


def is_nearly_named(text: str, people: People) -> bool:
    """Whether a text begins nearly like the name of someone here, or with a part of it."""
    return "near" in no_such(NoSuchRecipient, "", text, people).params


def _gone(gone: Gone, people: People, kind: type[NoSuchPerson] = NoSuchRecipient) -> NoSuchPerson:
    person = people.now(gone)
    return NameNow(name=gone.name, now=person.name) if person is not None else kind(name=gone.name)


def _first_name(rest: str) -> str:
    """The name that `/to REST` was probably for: the one in quotes, or the first word."""
    quote = QUOTES.get(rest[:1])
    written = rest[1:].split(quote)[0] if quote is not None else rest.split(None, 1)[0]
    return printable(bare_name(written) or written)


def _no_partner(written: str, people: People) -> Refusal:
    """Why `to:WRITTEN` names nobody: it has a text after the name, or nobody here has that name."""
    here = punctuated_match(written, people.here)
    gone = punctuated_match(written, people.lately)
    if gone is not None and (here is None or gone.length > here.length):
        return _gone(gone.who, people, NoSuchPartner)
    if here is not None:
        _check_longer(written, here.who.name, here.rest, people)
        return TextAfterTo.of(here.who.name, here.rest)
    if (run_on := run_on_match(written, people.here)) is not None:
        return TextAfterTo.of(run_on.who.name, run_on.rest)
    return no_such(NoSuchPartner, printable(bare_name(written) or written), written, people)
