"""Texts that are only a whisper keyword, such as `msg:` or `私聊`: the name may follow in the next text.

In a private chat, `to` and the like are slips of the `to:` that ends it.
"""

from __future__ import annotations

from typing import Final

from chatroom.core.folding import COLONS, compared_word, trimmed
from chatroom.core.slips import CHINESE, WORDS, is_slip_of

_LONGEST: Final = 16  # characters of such a text
_MARKS: Final = f" ;{COLONS}"
_END: Final = "to:"
_PARTS_OF_END: Final = ("to", "t:", "o:", "to:")
_AS_COLON: Final = str.maketrans(dict.fromkeys(f";；{COLONS}", ":"))
_WORDS: Final = frozenset((*WORDS, "message"))


def is_unfinished(text: str) -> bool:
    """Whether a text is such a word and nothing else, perhaps with a colon."""
    text = trimmed(text)
    if len(text) > _LONGEST:
        return False
    word = compared_word(text).rstrip(_MARKS)
    return word in _WORDS or CHINESE.fullmatch(word) is not None


def is_nearly_end(text: str) -> bool:
    """Whether a text is nearly `to:` and nothing else: with one slip, or one key not hit."""
    text = trimmed(text)
    if len(text) > _LONGEST:
        return False
    word = "".join(compared_word(text).translate(_AS_COLON).split())
    return word in _PARTS_OF_END or (":" in word and is_slip_of(word, _END))
