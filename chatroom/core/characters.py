"""Which characters can be seen, and where hidden ones belong. It knows nothing of names and messages.

A text is blank if no character of it can be seen. A character can be seen unless it is

- a space, a line end or a control, or stands for no character at all (private use, surrogates, noncharacters);
- default ignorable: a joiner, a variation selector, a mark of direction, a filler, a tag, or reserved for more of them;
- a combining mark, which shows only on what it stands on;
- one of the few that Unicode calls visible and fonts draw as nothing (`_BLANKS`).

A code point that this interpreter's data do not know yet counts as seen: what Unicode adds is nearly always a letter, a
symbol or an emoji. Exceptions are listed here: the combining marks up to Unicode 17, and the ranges that are reserved
for hidden characters. So nobody has to wait for an update to use a new emoji. The page has the same rule in
`web/src/lib/blank.ts`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import Enum, auto
from functools import lru_cache
from typing import Final
from unicodedata import category, combining

from idna import valid_contextj

# Default_Ignorable_Code_Point, the same in every version of Unicode since 14; the reserved ranges are part of it.
_IGNORABLE: Final = (
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164"
    "\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufff8\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
# Braille without a dot, annotation and object anchors, controls and blanks of hieroglyphs, a note without a head.
_BLANKS: Final = "\u2800\ufff9-\ufffc\U00013430-\U0001343f\U00013441\U00013442\U0001d159"
_NONCHARACTERS: Final = "\ufdd0-\ufdef" + "".join(
    f"{chr(plane + 0xFFFE)}{chr(plane + 0xFFFF)}" for plane in range(0, 0x110000, 0x10000)
)
_HIDDEN: Final = re.compile(f"[{_IGNORABLE}{_BLANKS}{_NONCHARACTERS}]")
_MARKS: Final = frozenset(("Mn", "Mc", "Me"))
_UNSEEN_KINDS: Final = _MARKS.union(("Zs", "Zl", "Zp", "Cc", "Cs", "Co"))
# Those of Unicode 15 to 17, which older interpreters do not know. A test compares them with Node's data.
_NEW_MARKS: Final = re.compile(
    "[\u0897\u0cf3\u0ece\u1acf-\u1add\u1ae0-\u1aeb\U00010d69-\U00010d6d\U00010efa-\U00010eff\U00011241"
    "\U000113b8-\U000113c0\U000113c2\U000113c5\U000113c7-\U000113ca\U000113cc-\U000113d0\U000113d2\U000113e1\U000113e2"
    "\U00011b60-\U00011b67\U00011f00\U00011f01\U00011f03\U00011f34-\U00011f3a\U00011f3e-\U00011f42\U00011f5a\U00013440"
    "\U00013447-\U00013455\U0001611e-\U0001612f\U0001e08f\U0001e4ec-\U0001e4ef\U0001e5ee\U0001e5ef\U0001e6e3\U0001e6e6"
    "\U0001e6ee\U0001e6ef\U0001e6f5]"
)
_UNSEEN: Final = re.compile(f"{_HIDDEN.pattern[:-1]}{_NEW_MARKS.pattern[1:]}")  # both classes in one
POINTS_EACH: Final = 4  # the most code points for each character that is seen, on average: marks and joiners
_ASCII_SEEN: Final = re.compile("[!-~]")

# Emoji sequences by their grammar (UTS #51), so that new ones need no list. The ranges are those of pictographs, with
# the arrows and signs between them: a sign too many here only means that a hidden selector may follow it.
_PICTURE: Final = (
    "[\u00a9\u00ae\u203c\u2049\u2122\u2139\u2190-\u21ff\u2300-\u23ff\u24c2\u25a0-\u27bf\u2934\u2935\u2b00-\u2bff"
    "\u3030\u303d\u3297\u3299\U0001f000-\U0001f1e5\U0001f200-\U0001f3fa\U0001f400-\U0001faff\U0001fc00-\U0001fffd]"
)
_ELEMENT: Final = f"{_PICTURE}[\ufe0e\ufe0f]?[\U0001f3fb-\U0001f3ff]?"
_MOST_JOINED: Final = 4  # a family or a kiss; without a picture in the font, its parts are drawn
# England, Scotland, Wales. All other tag sequences are drawn as a black flag: different names that look the same.
_TAGGED_FLAG: Final = (
    "\U0001f3f4\U000e0067\U000e0062"
    "(?:\U000e0065\U000e006e\U000e0067|\U000e0073\U000e0063\U000e0074|\U000e0077\U000e006c\U000e0073)\U000e007f"
)
_EMOJI: Final = re.compile(
    f"{_TAGGED_FLAG}|[0-9#*]\ufe0f?\u20e3|[\U0001f1e6-\U0001f1ff]{{2}}"
    f"|{_ELEMENT}(?:\u200d{_ELEMENT}){{0,{_MOST_JOINED - 1}}}"
)
# The forms of an ideograph, in Chinese and Japanese names; those of Mongolian letters.
_SELECTED: Final = re.compile(
    "[\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff][\ufe00-\ufe02\U000e0100-\U000e01ef]"
    "|[\u1820-\u18aa][\u180b-\u180d\u180f]"
)
_ZWNJ: Final = "\u200c"
_ZWJ: Final = "\u200d"
_VIRAMA: Final = 9  # the combining class
_REACH: Final = 128  # characters around a joiner that decide whether it belongs there
NOTHING: Final = re.compile(rf"[\s{_IGNORABLE}]*")
"""Spaces and default ignorable characters, as many as there are."""
_IGNORED: Final = re.compile(f"[{_IGNORABLE}]")
# What ends in a part of a character that can be seen by itself too: a colour of skin, the second letter of a flag, a
# vowel or a final of a Hangul syllable, what a joiner joins.
_PART: Final = re.compile(
    "(?:[\U0001f3fb-\U0001f3ff\u1160-\u11ff\ud7b0-\ud7fb]|[\U0001f1e6-\U0001f1ff]{2}|\u200d.)\\Z"
)
_KEPT_FLAG: Final = re.compile(f"({_TAGGED_FLAG})|[{_IGNORABLE}]+")


class Kind(Enum):
    """What a piece of a text is."""

    SEEN = auto()  # a character, or a whole emoji sequence
    SPACE = auto()  # U+0020
    MARK = auto()  # a combining mark
    JOINER = auto()  # hidden, and where it belongs
    STRAY = auto()  # hidden, and of no use where it stands


def all_seen(letters: str) -> bool:
    """Whether no letter or digit of these is a hidden one."""
    return _HIDDEN.search(letters) is None


def is_blank(text: str) -> bool:
    """Whether nothing of a text can be seen."""
    return _ASCII_SEEN.search(text) is None and not any(map(is_seen, text))


def seen_characters(text: str) -> set[str]:
    """The characters of a text that can be seen by themselves."""
    return {one for one in _UNSEEN.sub("", "".join(set(text))) if category(one) not in _UNSEEN_KINDS}


@lru_cache(maxsize=4096)
def is_seen(character: str) -> bool:
    """Whether this character can be seen by itself."""
    return category(character) not in _UNSEEN_KINDS and _UNSEEN.match(character) is None


def stands_alone(text: str) -> bool:
    """Whether the last code point of a text is seen as a character of its own, not as part of one."""
    last, before = text[-1], text[-2:-1]
    if before and combining(before) == _VIRAMA:
        return False
    return category(last) == "Zs" or (is_seen(last) and _PART.search(text) is None)


def pieces(text: str) -> Iterator[tuple[str, Kind]]:
    """The text in pieces, each with what it is; joined, they are the text."""
    place = 0
    while place < len(text):
        emoji = _EMOJI.match(text, place)
        if emoji is not None:
            yield emoji[0], Kind.SEEN
            place = emoji.end()
        else:
            yield text[place], _kind(text, place)
            place += 1


def shortened(text: str, most: int) -> str:
    """The beginning of a text: at most `most` visible characters and `most * POINTS_EACH` code points, none cut."""
    seen = end = 0
    for piece, kind in pieces(text[: most * POINTS_EACH + _REACH]):
        seen += kind in (Kind.SEEN, Kind.SPACE, Kind.STRAY) or category(piece) == "Mc"
        if seen > most or end + len(piece) > most * POINTS_EACH:
            break
        end += len(piece)
    # Without the letter behind them, joiners and their marks are loose ends.
    for place in range(end - 1, -1, -1):
        if text[place] in f" {_ZWNJ}{_ZWJ}":
            end = place
        elif not _is_mark(text[place]):
            break
    return text[:end]


def without_ignorable(text: str) -> str:
    """The text without what is default ignorable; the flags of England, Scotland and Wales keep their tags."""
    if _IGNORED.search(text) is None:
        return text  # as nearly all are
    return "".join(filter(None, _KEPT_FLAG.split(text)))


def code_point(character: str) -> str:
    """How Unicode writes it: `U+202A`."""
    return f"U+{ord(character):04X}"


def _kind(text: str, place: int) -> Kind:
    character = text[place]
    if character == " ":
        return Kind.SPACE
    if is_seen(character):
        return Kind.SEEN
    if _is_mark(character):
        return Kind.MARK
    if character in (_ZWNJ, _ZWJ):
        belongs = _joins(text, place)
    else:
        belongs = _SELECTED.fullmatch(text, max(0, place - 1), place + 1) is not None
    return Kind.JOINER if belongs else Kind.STRAY


def _joins(text: str, place: int) -> bool:
    """Whether a joiner shows: UAX #31, contexts A1, A2 and B.

    A ZWJ before a virama is allowed too: Bengali (র‍্যাব) and Kannada write letters so.
    """
    start = max(0, place - _REACH)
    text, place = text[start : place + _REACH], place - start
    before, after = text[:place], text[place + 1 : place + 2]
    if text[place] == _ZWJ:
        if after and combining(after) == _VIRAMA:
            return _ends_in_letter(before) and _begins_with_letter(text[place + 2 :])
        return _ends_in_virama(before) and not (after and _is_mark(after))
    if not _begins_with_letter(text[place + 1 :]):
        return False
    # IDNA's rule for it (RFC 5892, A.1) is A1 once a letter with its marks stands before it.
    return _ends_in_virama(before) or (_ends_in_letter(before) and valid_contextj(text, place))


def _ends_in_virama(text: str) -> bool:
    """Whether a text ends in a letter, its marks, and a virama; marks of another class may follow that."""
    for place in range(len(text) - 1, -1, -1):
        if combining(text[place]) == _VIRAMA:
            return _ends_in_letter(text[:place])
        if combining(text[place]) == 0:
            return False
    return False


def _ends_in_letter(text: str) -> bool:
    """Whether a text ends in a letter and its marks."""
    return next((category(one)[0] == "L" for one in reversed(text) if not _is_mark(one)), False)


def _begins_with_letter(text: str) -> bool:
    """Whether a text begins with a letter, or with marks and then a letter."""
    return next((category(one)[0] == "L" for one in text if not _is_mark(one)), False)


def _is_mark(character: str) -> bool:
    """Whether it is a visible combining mark: variation selectors are marks by category, but hidden."""
    return _combines(character) and _HIDDEN.match(character) is None


def _combines(character: str) -> bool:
    return category(character) in _MARKS or _NEW_MARKS.match(character) is not None
