"""Quotes around names that could pass for more than a name in lines of plain text.

A name may contain nearly any visible character, so `a: b` and `Bob left, Eve` are names. This module does not know
where they are shown.
"""

from __future__ import annotations

import re
from typing import Final
from unicodedata import normalize

# Before a text: colons, arrows, and what looks like them; after NFKC, which turns ： and ﹕ into colons.
_SPEAKS: Final = re.compile(
    "[:\u02d0\u02f8\u0589\u05c3\u205a\u2236\ua4fd\ua789]"
    "|[-=~\u2010-\u2015\u2212] ?>|[\u2190-\u21ff\u2794-\u27be\u27f0-\u27ff]"
)
# In a list: what separates names and encloses their number.
_LISTS: Final = re.compile("[,;()\u3001]")
_DOUBLE_QUOTES: Final = re.compile('["\u201c-\u201f\u301d-\u301f\uff02]')


def before_text(name: str) -> str:
    """A name before a text: in quotes if it could pass for a name and a text, or for the beginning of a whisper."""
    return _quoted(name) if _SPEAKS.search(normalize("NFKC", name)) else name


def in_list(name: str) -> str:
    """A name in a list: in quotes if it could pass for several names, or for the server's own words."""
    return _quoted(name) if _LISTS.search(normalize("NFKC", name)) else name


def _quoted(name: str) -> str:
    """In double quotes; its own double quotes become single ones, so that it cannot end the quotation."""
    return '"' + _DOUBLE_QUOTES.sub("'", name) + '"'
