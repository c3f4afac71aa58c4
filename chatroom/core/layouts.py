"""What was meant by a word that was typed with another keyboard layout: the letters on a US keyboard at its keys."""

from __future__ import annotations

from functools import lru_cache
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
    parts = normalize("NFKD", word)
    layouts = (*_BY_LETTER.get(word[:1], ()), *_BY_LETTER.get(parts[:1], ()))
    found = (normal.translate(one) for one in layouts for normal in (word, parts))
    return tuple(dict.fromkeys(one for one in found if one.isascii()))


def translations(text: str, word: str) -> tuple[str, ...]:
    """The text in the layouts in which the word can be typed."""
    parts, folded = normalize("NFKD", word), text.casefold()
    layouts = (*_BY_LETTER.get(word[:1], ()), *_BY_LETTER.get(parts[:1], ()))
    can_type = (one for one in layouts if word.translate(one).isascii() or parts.translate(one).isascii())
    return tuple({translated for one in can_type if (translated := folded.translate(one)) != folded})


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
