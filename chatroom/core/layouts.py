"""What was meant by a word that was typed with another keyboard layout: the letters on a US keyboard at its keys."""

from __future__ import annotations

from collections.abc import Container, Iterable
from functools import lru_cache
from itertools import accumulate
from string import ascii_lowercase
from typing import Final
from unicodedata import normalize

_US: Final = "qwertyuiop asdfghjkl: zxcvbnm,./"
# One row for each layout, in the order of the keys above. A key that types something of no use here is a space, or
# itself.
_ROWS: Final = (
    "йцукенгшщз фывапролдж ячсмитьбю.",  # Russian
    "йцукенгшщз фівапролдж ячсмитьбю.",  # Ukrainian
    "йцукенгшўз фывапролдж ячсмітьбю.",  # Belarusian
    ",уеишщксдз ьяаожгтнвм юйъэфхпрлб",  # Bulgarian (BDS)
    "явертъуиоп асдфгхйкл: зьцжбнм,./",  # Bulgarian by the sound
    "љњертзуиоп асдфгхјклч зџцвбнм,.-",  # Serbian
    "фцужэнгшүз йыбөахролд ячёсмитьвю",  # Mongolian
    " ςερτυθιοπ ασδφγηξκλ  ζχψωβνμ,./",  # Greek
    "ქწერტყუიოპ ასდფგჰჯკლ: ზხცვბნმ,./",  # Georgian
    "քոեռտըւիօպ ասդֆգհյկլ: զղցվբնմ,./",  # Armenian
    "/'קראטוןםפ שדגכעיחלךף זסבהנמצתץ.",  # Hebrew
    "ضصثقفغعهخح شسيبلاتنمك ئءؤرﻻىةوزظ",  # Arabic
    "ضصثقفغعهخح شسیبلاتنمک ظطزرذدپو./",  # Persian
    "ضصثقفغعهخح شسیبلاتنمک ظطزرذدئو./",  # Persian on Windows
    "ๆไำพะัีรนย ฟหกดเ้่าสว ผปแอิืทมใฝ",  # Thai
    "ົໄຳພະິີຮນຍ ັຫກດເ້່າສວ ຜປແອຶືທມໃຝ",  # Lao
    "ौैाीूबहगदज ोे्िुपरकतच ॆंमनवलस,.य",  # Hindi (InScript)
    "ㄆㄊㄍㄐㄔㄗㄧㄛㄟㄣ ㄇㄋㄎㄑㄕㄘㄨㄜㄠㄤ ㄈㄌㄏㄒㄖㄙㄩㄝㄡㄥ",  # Zhuyin
    "たていすかんなにらせ ちとしはきくまのりけ つさそひこみもねるめ",  # kana
    "ㅂㅈㄷㄱㅅㅛㅕㅑㅐㅔ ㅁㄴㅇㄹㅎㅗㅓㅏㅣ: ㅋㅌㅊㅍㅠㅜㅡ,./",  # Korean, by the parts of its syllables
)
_SOUNDS: Final = {"と": "to", "ト": "to"}  # of the two keys of `to`, with a Japanese input method
LETTERS: Final = "".join(one for one in dict.fromkeys("".join((*_ROWS, *_SOUNDS))) if not one.isascii())


@lru_cache(maxsize=4096)
def readings(word: str) -> tuple[str, ...]:
    """What a word in small letters may have been meant to be, in ASCII: one for each layout that can type all of it."""
    found = [word.translate(one) for one in _BY_LETTER.get(word[:1], ())]
    parts = normalize("NFKD", word)
    if parts != word and _BY_LETTER.keys() >= set(parts):
        found += [parts.translate(one) for one in _BY_LETTER.get(parts[:1], ())]
    return tuple(dict.fromkeys(filter(str.isascii, found)))


def beginnings(word: str, typed: Container[str], most: int) -> list[int]:
    """How many letters of a word, at most so many, are among what `typed_as` gives; the most first."""
    word = word[:most]
    parts = normalize("NFKD", word)
    if parts == word:
        return [size for size in range(len(word), 0, -1) if word[:size] in typed]
    ends = accumulate([len(normalize("NFKD", one)) for one in word])
    found = [size for size, end in enumerate(ends, 1) if word[:size] in typed or parts[:end] in typed]
    return found[::-1]


def typed_as(words: Iterable[str]) -> frozenset[str]:
    """What is typed in each layout by the keys of these words, if it is all in its script; and its parts."""
    rows = [dict(zip(_US, row, strict=True)) for row in _ROWS]
    typed = {"".join(row[key] for key in word) for row in rows for word in words}.union(_SOUNDS)
    return frozenset(
        form for one in typed if not any(map(str.isascii, one)) for form in (one, normalize("NFKD", one))
    )


def translations(text: str, word: str) -> tuple[str, ...]:
    """The text in the layouts in which the word can be typed."""
    parts, folded = normalize("NFKD", word), text.casefold()
    layouts = (*_BY_LETTER.get(word[:1], ()), *_BY_LETTER.get(parts[:1], ()))
    can_type = (one for one in layouts if word.translate(one).isascii() or parts.translate(one).isascii())
    translated = (folded.translate(one) for one in can_type)
    return tuple(dict.fromkeys(one for one in translated if one != folded))


@lru_cache(maxsize=256)
def alphabet(letter: str) -> str:
    """The letters of a layout in which this one can be typed."""
    if letter.isascii() or letter not in _BY_LETTER:
        return ascii_lowercase
    return "".join({one for row in _ROWS if letter in row for one in row if one.isalpha()})


def _tables() -> list[dict[int, str]]:
    tables = [dict(zip(map(ord, row), _US, strict=True)) for row in _ROWS]
    # Syllables are taken apart into these.
    tables[-1].update({ord(normalize("NFKD", part)): key for part, key in zip(_ROWS[-1], _US, strict=True)})
    tables.append({ord(part): keys for part, keys in _SOUNDS.items()})
    return [{code: key for code, key in table.items() if code > 0x7F} for table in tables]


def _by_letter() -> dict[str, list[dict[int, str]]]:
    found: dict[str, list[dict[int, str]]] = {}
    for table in _tables():
        for code in table:
            found.setdefault(chr(code), []).append(table)
    return found


_BY_LETTER: Final = _by_letter()
