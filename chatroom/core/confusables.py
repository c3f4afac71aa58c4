"""Which characters look alike: Unicode's confusables (UTS #39), read as an equivalence that ignores case.

In UTS #39, `Ν` (Greek) looks like `N`, and not like `n`. But casefolding makes `Ν` and `ν` one, and `ν` looks like `v`:
following every such step would make `n` and `v` one letter. So each character, with its other case, gets one look. A
look in ASCII comes first, then the capital's look before the small letter's, because capitals of different scripts look
more alike. The data come from the package `confusable-homoglyphs`.

They leave out letters in squares and circles, small capitals and regional indicators; those are recognised by their
Unicode names.
"""

import json
import pkgutil
import re
from collections.abc import Iterator
from functools import cache, lru_cache
from unicodedata import category, combining, digit, is_normalized, normalize
from unicodedata import name as unicode_name

from chatroom.core.characters import without_ignorable

# ASCII's own lookalikes, lower case for both cases (`I` looks like `l`, so `i` does as well); here so that plain names
# never wait for the data. A test compares them with the data.
_ASCII = str.maketrans({"i": "l", "1": "l", "|": "l", "0": "o", "m": "rn", "`": "'"})

_MARK = "\u200e"  # written around right-to-left characters in the data
_HANGUL_JAMO = range(0x1100, 0x1200)  # a syllable's parts: likening them would make 각가 and 가까 one
_WORST = (True, True, "\U0010ffff")
_DOTTED = re.compile("([lj])\u0307+")  # a dot above a letter that has one already cannot be seen
_HAMZA = re.compile("(?<=\u0627)[\u0653-\u0655]+")  # on an alef, where people often leave it out
_OVERLAY = 1  # the combining class of strokes through a letter
# 🅰 is NEGATIVE SQUARED LATIN CAPITAL LETTER A.
_LETTER = re.compile(
    "(?:LATIN (?:CAPITAL|SMALL) LETTER|LATIN LETTER SMALL CAPITAL|REGIONAL INDICATOR SYMBOL LETTER) ([A-Z])$"
)
_DRAWN = "ɢɴʀʙʜʟᴀᴅᴇᴊᴋᴍᴘᴛᴩꜰꞯ⓿⓵❶➀➊"  # those that the data leave out, but squares and digits of old scripts
_ASTERISK = re.compile(r"\bASTERISK\b")


def fold(text: str) -> str:
    """The text without differences of case, width and composition, and without joiners, selectors and the like.

    It is Unicode's NFKC_Casefold, decomposed; idempotent.
    """
    if text.isascii():
        return text.lower()
    return normalize("NFKD", without_ignorable(normalize("NFKD", text).casefold()))


def skeleton(text: str) -> str:
    """What the text looks like at a glance: two texts with one skeleton are easily taken for each other.

    `skeleton(skeleton(text)) == skeleton(text)`. The result is for comparing, never for showing.
    """
    folded = plain(text)
    if folded.isascii():
        return folded.translate(_ASCII)
    looks = _spelled(_HAMZA.sub("", folded).translate(_looks())).translate(_ASCII)
    return _DOTTED.sub(r"\1", normalize("NFKD", looks))


def alike(look: str) -> list[str]:
    """The other folded characters that have this look."""
    return [chr(code) for code, other in _looks().items() if other == look]


@cache
def latin_looks() -> dict[int, str]:
    """From each folded letter to its look, if that is Latin, for `str.translate`."""
    looks = {code: look.translate(_ASCII) for code, look in _looks().items() if look and look.isascii()}
    return looks | {ord(letter): skeleton(letter) for letter in _DRAWN}


def plain(text: str) -> str:
    """The text folded, with plain letters and digits for those drawn as symbols."""
    return fold(text if text.isascii() else _spelled(text))


def _spelled(text: str) -> str:
    """The text with plain letters, digits and asterisks for those drawn as symbols, without strokes and enclosures."""
    return "".join(map(_plain, text))


@lru_cache(maxsize=4096)
def _plain(character: str) -> str:
    kind = category(character)
    if kind == "Me" or combining(character) == _OVERLAY:
        return ""
    if character.isascii() or kind[0] not in "LNPS":
        return character
    if kind == "No":
        return str(digit(character, character))
    name = unicode_name(character, "")
    if letter := _LETTER.search(name):
        return letter[1].lower()
    return "*" if _ASTERISK.search(name) else character


@cache
def _looks() -> dict[int, str | None]:
    """From each folded character to its look, for `str.translate`; 2,000 entries, made in about 20 ms."""
    kin, sequences = _classes()

    # A folded character stands for both its cases, which may look like different things: take the better.
    best: dict[str, tuple[bool, bool, str]] = {}
    for character, look in kin.items():
        folded = fold(character)
        rank = (not look.isascii(), character == folded, look)
        if len(folded) == 1 and rank < best.get(folded, _WORST):
            best[folded] = rank

    twins: dict[str, str] = {}
    for folded in sorted(best):
        look = best[folded][2]
        twins.setdefault(look, fold(look).translate(_ASCII) if look.isascii() else folded)

    table: dict[int, str | None] = {ord(folded): twins[rank[2]] for folded, rank in best.items()}
    for character, sequence in sequences.items():
        table[ord(fold(character))] = fold(sequence).translate(_ASCII)
    table.update(_ASCII)
    return table


def _classes() -> tuple[dict[str, str], dict[str, str]]:
    """The data's classes of alike characters, each named by its least; and what looks like a few letters."""
    leader: dict[str, str] = {}
    sequences: dict[str, str] = {}

    def lead(character: str) -> str:
        while (above := leader.setdefault(character, character)) != character:
            character = above
        return character

    for character, other in _pairs():
        if len(other) == 1:
            low, high = sorted((lead(character), lead(other)))
            leader[high] = low
        elif other.isascii() and other.isalpha():
            sequences[character] = other
    return {character: lead(character) for character in leader}, sequences


def _pairs() -> Iterator[tuple[str, str]]:
    """Each pair of the data that can still differ after NFKD."""
    data = pkgutil.get_data("confusable_homoglyphs", "confusables.json")
    assert data is not None, "confusable-homoglyphs is installed without its data"
    for written, others in json.loads(data).items():
        character = written.strip(_MARK)
        if len(character) == 1 and _lasts(character):
            for other in (entry["c"].strip(_MARK) for entry in others):
                if _lasts(other):
                    yield character, other


def _lasts(text: str) -> bool:
    return is_normalized("NFKD", text) and not any(ord(character) in _HANGUL_JAMO for character in text)
