"""Texts that say outright that they are private, and for whom: `dm Xavier: x`, `private message to Xavier: x`.

They are private whoever is here. After `to` or `tell` alone, the name must have its capital, since sentences begin so.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from chatroom.core.ordinary_words import AFTER_TO, ORDINARY

_SAYS: Final = re.compile(
    r"\W*(?:(?:whisper|dm|pm|msg|(?:private|direct|pvt) (?:message|msg))(?: (?:to|for|with|an))?"
    r"|private(?:ly)? to|(?:pn|privat) an"
    r"|(?P<may_be_word>(?:(?:message|send|reply) )?to|tell))"
    r" [^\w\s:]{0,2}(?P<name>[^\W\d_][\w.-]*+(?: [^\W\d_][\w.-]*+){0,2})[\W_]{0,3}:"
)
# What else stands before a colon in a public text.
_ABOUT: Final = frozenset(
    (
        *("command", "feature", "features", "format", "group", "groups", "me", "meeting", "mode", "policy"),
        *("request", "requests", "self", "sent", "setting", "settings", "standup"),
    )
)
_NO_NAME: Final = ORDINARY | AFTER_TO | _ABOUT


def outright(text: str, folded: str, ends: Sequence[int]) -> str | None:
    """The name and what follows it; `folded` and `ends` are as in `core.folding`."""
    found = _SAYS.match(folded)
    if found is None or not _NO_NAME.isdisjoint(found["name"].split()):
        return None
    rest = text[ends[found.start("name") - 1] :]
    words = text[ends[found.start("name") - 1] : ends[found.end("name") - 1]].split()
    return rest if found["may_be_word"] is None or all(word[:1].isupper() for word in words) else None
