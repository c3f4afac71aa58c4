"""Names that would pass for more than a name where lines are plain text, and how they stand there instead.

A name may hold nearly anything that can be seen, so that `a: b` and `Bob left, Eve` are names. It knows nothing of
where they are shown.
"""

from __future__ import annotations

import re
from typing import Final
from unicodedata import normalize

# Before a text: colons, arrows, and what is easily taken for them; after NFKC, which makes ： and ﹕ colons.
_SPEAKS: Final = re.compile(
    "[:\u02d0\u02f8\u0589\u05c3\u205a\u2236\ua4fd\ua789]"
    "|[-=~\u2010-\u2015\u2212] ?>|[\u2190-\u21ff\u2794-\u27be\u27f0-\u27ff]"
)
# Among others: what separates names and goes round their number.
_LISTS: Final = re.compile("[,;()\u3001]")
_DOUBLE_QUOTES: Final = re.compile('["\u201c-\u201f\u301d-\u301f\uff02]')


def before_text(name: str) -> str:
    """A name that a text follows: in quotes if it could pass for a name and a text, or for a whisper's head."""
    return _quoted(name) if _SPEAKS.search(normalize("NFKC", name)) else name


def in_list(name: str) -> str:
    """A name among others: in quotes if it could pass for several, or for the server's own words about them."""
    return _quoted(name) if _LISTS.search(normalize("NFKC", name)) else name


def _quoted(name: str) -> str:
    """In double quotes; those that it has become single ones, or it could end the quotation itself."""
    return '"' + _DOUBLE_QUOTES.sub("'", name) + '"'
