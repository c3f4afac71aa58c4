"""Sentences with blanks, in one language, and how the blanks are filled. The sentences are passed in."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from unicodedata import east_asian_width

# A blank of a Chinese sentence, and the spaces between it and Chinese; a blank in a command (to:NAME) is left alone.
_BLANK = re.compile(r"""((?<=[一-鿿，。：；（]) )?((?<![:"])\{(\w++)[^{}]*+\})( (?=[一-鿿]))?""")


def _closed_up(sentence: str, values: Mapping[str, object]) -> str:
    """Leave out the spaces beside Chinese names: Chinese has them only beside letters and numbers."""

    def fit(found: re.Match[str]) -> str:
        before, blank, key, after = found.groups(default="")
        value = str(values[key])
        return (before if _is_narrow(value[:1]) else "") + blank + (after if _is_narrow(value[-1:]) else "")

    return _BLANK.sub(fit, sentence)


def _is_narrow(char: str) -> bool:
    return char == "" or east_asian_width(char) not in "WF"


class Sentences:
    """The sentences of one language, by key."""

    def __init__(self, lang: str, sentences: Mapping[str, str]) -> None:
        self.lang = lang
        self._sentences = sentences

    def say(self, key: str, **values: object) -> str:
        """The sentence of this key, with its values filled in."""
        sentence = self._sentences[key]
        return (_closed_up(sentence, values) if self.lang == "zh" else sentence).format(**values)

    def counted(self, key: str, count: float) -> str:
        """The sentence of this key for this number."""
        return self.say(f"{key}_one" if count == 1 else key, count=count)

    def listed(self, names: Iterable[str]) -> str:
        """Several names in one sentence."""
        return self.say("comma").join(names)
