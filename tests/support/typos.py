"""Private texts as fingers, keyboards and phones type them: none of them may become public.

`private.json` has them for Python and for the page. Each entry of `texts` is what is typed one after the other. A text
has parts: one as it stands, `one` of several, a member of a `set`, or one that is `typed` (in any case and width, in
letters that look alike, with anything invisible around and in it). `{secret}` stands for what is private, and `{room}`
for the name of another room that there is. Who is here are `names`; nobody is called Zed.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

_TABLE = json.loads((Path(__file__).parent / "private.json").read_text(encoding="utf-8"))
NAMES: tuple[str, ...] = tuple(_TABLE["names"])
INVISIBLE: list[str] = _TABLE["invisible"]


def _spelled(word: str) -> st.SearchStrategy[str]:
    parts = (st.tuples(st.sampled_from(INVISIBLE), st.sampled_from(_shapes(one))) for one in word)
    return st.tuples(*parts).map(lambda typed: "".join(map("".join, typed)))


def _shapes(character: str) -> list[str]:
    wide = chr(ord(character) + 0xFEE0) if "!" <= character <= "~" else character
    return [character, character, character.upper(), wide, *_TABLE["alike"].get(character, "")]


def _part(part: str | dict[str, Any]) -> st.SearchStrategy[str]:
    match part:
        case str():
            return st.just(part)
        case {"typed": words}:
            return st.sampled_from(words).flatmap(_spelled)
        case {"set": name}:
            return st.sampled_from(_TABLE["sets"][name])
        case {"one": choices}:
            return st.sampled_from(choices)
    raise ValueError(part)


def _text(parts: list[str | dict[str, Any]]) -> st.SearchStrategy[str]:
    return st.tuples(*map(_part, parts)).map("".join)


PRIVATE: st.SearchStrategy[list[str]] = st.one_of(
    [st.tuples(*map(_text, texts)).map(list) for texts in _TABLE["texts"]]
)
