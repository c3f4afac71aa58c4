"""Texts that are only a whisper keyword, such as `msg:` or `私聊`: the name may follow in the next text."""

from __future__ import annotations

from typing import Final

from chatroom.core.folding import COLONS, compared_word, trimmed
from chatroom.core.slips import CHINESE, WORDS

_LONGEST: Final = 16  # characters of such a text
_MARKS: Final = f" ;{COLONS}"
_WORDS: Final = frozenset((*WORDS, "message"))


def is_unfinished(text: str) -> bool:
    """Whether a text is such a word and nothing else, perhaps with a colon."""
    text = trimmed(text)
    if len(text) > _LONGEST:
        return False
    word = compared_word(text).rstrip(_MARKS)
    return word in _WORDS or CHINESE.fullmatch(word) is not None
