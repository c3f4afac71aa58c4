"""Words around a name that say for whom a text is: `private message to Bob: x`, `-> Bob: x`, `Bob (private): x`.

Some say that it is private, or that it is sent to somebody, and count before any name. Others also stand in ordinary
sentences (`for Bob`, `talk to Bob later`), and count only where a colon or the end of the line shows what they are.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple
from unicodedata import normalize

from chatroom.core.slips import CHINESE_WORD

PRIVATE: Final = ("privately", "private", "secretly", "secret", "whisper", "dm", "pm", "msg")
"""Words that say before a name, or after one, that a text is private."""
_BEFORE_NAME: Final = (
    *PRIVATE,
    "privat",
    "whispers",
    "in private",
    "direct message",
    "psst",
    "confidential",
    "eyes only",
    *(
        "pn",
        "mp",
        "flustern",
        "prive",
        "en prive",
        "privado",
        "en privado",
        "шепнуть",
    ),  # as compared, without marks
    *("лс", "в лс", "личку", "в личку", "личное", "лично"),
)
_SENDS: Final = ("message", "send", "reply", "text", "sms", "inbox", "nachricht", "mensaje", "mensagem")
_TALKS: Final = ("chat", "talk", "speak", "write", "whispering")
_PREPOSITIONS: Final = (
    *("to", "for", "with", "only", "just", "cc", "sent"),
    *("nur", "fur", "fuer", "solo", "para", "pour", "alleen", "voor", "для", "только для"),
)
# These count only where a colon follows, perhaps with `to` between.
_ASIDE: Final = (
    *("quietly", "aside", "between us", "between you and me"),
    *(f"not for {one}" for one in ("all", "everyone", "everybody", "the room", "the others")),
)
_THINGS: Final = ("this", "that", "it")
BETWEEN: Final = (
    *("a", "an", "the", "my", "dear", "friend", "mr", "mrs", "ms", "dr"),
    *("user", "name", "note", "message", "chat", "msg"),
    *_THINGS,
)
"""The words that may stand between these and a name."""
STRONG: Final = frozenset((*_BEFORE_NAME, *_SENDS))
"""The words that count before any name."""
_MOST: Final = 6  # words before a name
FIRST: Final = tuple(dict.fromkeys((*_BEFORE_NAME, *_SENDS, *_TALKS, *_PREPOSITIONS, *_ASIDE)))
"""The words that may come first."""
SECOND: Final = {
    "direct": (" message",),
    "for": (" only",),
    "in": (" private",),
    "eyes": (" only",),
    "not": (" for ",),
    "between": (" us", " you and me"),
    "quietly": (" to ",),
    "aside": (" to ",),
    "alleen": (" voor ",),
}
"""What else a text that begins with one of these words must contain, one of these, to say that it is private."""


def any_of(words: Iterable[str]) -> str:
    """A pattern of words, by their first letters: that is searched for faster than all of them one by one."""
    by_first: dict[str, list[str]] = {}
    for word in sorted(dict.fromkeys(words), key=len, reverse=True):
        by_first.setdefault(word[0], []).append(word[1:])
    parts = (f"{first}(?:{'|'.join(rests)})" for first, rests in by_first.items())
    return f"(?:{'|'.join(parts)})"


_END: Final = r"(?:[\W_]++|(?<=[a-z])(?=[^\x00-\x7f]))"
_LEAD: Final = re.compile(
    rf"[\W_]*+(?P<words>{any_of(FIRST)}{_END}(?:{any_of((*FIRST, *BETWEEN))}{_END}){{0,{_MOST - 1}}})"
)
_LONGEST_LINE: Final = 44  # characters of one that may be a name, with a few marks after it
_LEAD_WORD: Final = re.compile(r"([^\W\d_]+)[\W_]*")
# What stands after a name alone: a colon, perhaps with `only` before it, or the end of the line.
_ALONE: Final = re.compile(
    r"(?P<name>[^\n:]{1,40}?)(?:[\W_]{0,3}(?:'s eyes)? only)?\s{0,3}(?P<colon>:)\s*"
    r"|(?P<line>[^\n]{1,40}?)[\s.!]{0,3}(?:\n|\Z)"
)
# `(just for Bob) x`
_ENCLOSED: Final = re.compile(
    r"[^\w(\[{<【]*+[(\[{<【] ?(?:just|only) for (?P<name>[^\n:)\]}>】]{1,40})[)\]}>】][\W_]*"
)
# After `for`, with or without a colon.
_ONLY: Final = re.compile(r"(?P<name>[^\n:]{1,40}?)(?:'s eyes)?[\W_]{1,3}only\b[\W_]*")

# How a Chinese text begins that may be one of the following.
CHINESE_BEGINNINGS: Final = "悄偷小单單私发發写寫传傳给給只仅僅对對跟和同向与與致答密到至告回إا"
# `对Bob说`, `悄悄跟Bob说`, `给Bob：`, `发私信给Bob：`, `只给Bob看：`, `和Bob私聊`
_QUIETLY: Final = r"(?:悄悄|偷偷|小声|小聲|单独|單獨|私下)[地的]?[对對跟和给給]"
_SENT: Final = r"(?:私?[发發](?:[个個]?(?:私[信聊讯訊]|消息|悄悄[话話])|送)?|[写寫传傳])"
_TOWARD: Final = (
    rf"(?:{_QUIETLY}|{_SENT}?[给給]|[只仅僅单單][给給]?|[发發]"
    "|[对對跟和同向与與致答私密到至]|إلى|الى|告[诉訴]|回[复復覆]?)"
)
# After a name, in Japanese and Korean.
_PARTICLE: Final = "(?:へ|宛て?|에게|한테|께)"
ADDRESSED: Final = rf"[^\s:：]{{1,20}}{_PARTICLE} ?[:：]"
"""How a text in these begins that may be for somebody: `さくらへ：`."""
TOWARD: Final = re.compile(rf"(?!{CHINESE_WORD}){_TOWARD}")
"""What stands before a name in such a text."""
_DONE: Final = rf"(?:悄悄|偷偷|小声|小聲)?[地的]?(?:{CHINESE_WORD}|[说說看讲講]|可[见見])?"
_SAID_TO: Final = re.compile(
    rf"\W*+(?:{_QUIETLY}|[对對])[\s\"“「]*+(?![,.;:!?、。])([^\n]{{1,40}}?)\W*+(?:悄悄|偷偷|小声|小聲)?[地的]?[说說](?![声聲的])\W*"
    r"|\W*+[给給]([^\n:]{1,40}?)(?:悄悄|偷偷)[地的]?[说說]\W*"
    r"|\W*+[密到至]\s*:\s*([^\s\n:]{1,40}+)[\s:]*"
    rf"|\W*+(?!{CHINESE_WORD}){_TOWARD}[\s\"“「]*+([^\n:]{{1,40}}?){_DONE}[\s\"”」]*+:\s*"
    rf"|\W*+([^\s:]{{1,60}}?){normalize('NFKD', _PARTICLE)} ?:\s*"  # decomposed
    rf"|\W*+[和跟与與同]([^\n:]{{1,40}}?){CHINESE_WORD}(?:[\W_]+|\Z)"
    rf"|\W*+(?=[只仅僅单單发發传傳给給告私密悄偷])(?:(?:悄悄|偷偷)[地的]?|(?!{CHINESE_WORD}))"
    rf"(?:(?:[只仅僅]|[单單][独獨]?)?(?:[发發传傳]?[给給]|[发發])|告[诉訴]|[私密] ?)([^\s\n:]{{1,40}}?)\s+(?=\S)"
    rf"|\W*+[跟]([^\n:]{{1,40}}?)[说說](?:[\W_]+|\Z)"
)


_TALK: Final = re.compile(rf"[\W_]*+(?:{'|'.join(_TALKS)})\b", re.IGNORECASE)


class LeadIn(NamedTuple):
    """What stands after such words.

    Attributes:
        readings: texts that are private if they begin with a name.
        exact_names: names, and the text for each: private if somebody has exactly that name.
    """

    readings: tuple[str, ...] = ()
    exact_names: tuple[tuple[str, str], ...] = ()


def may_open_chat(line: str) -> bool:
    """Whether it matters to `lead_in` that another line follows this one; then a line end must stand after it."""
    return _TALK.match(line) is not None


def said_to(text: str, folded: str, ends: Sequence[int]) -> tuple[str, str] | None:
    """The name in `对NAME说：TEXT` and the like, and the text; `folded` and `ends` are as in `core.folding`."""
    found = _SAID_TO.match(folded)
    if found is None:
        return None
    start, end = found.span(found.lastindex or 0)
    return text[ends[start - 1] if start else 0 : ends[end - 1]], text[ends[found.end() - 1] :]


def lead_in(text: str, folded: str, ends: Sequence[int]) -> LeadIn | None:
    """What stands after words that say for whom a text is; `folded` and `ends` are as in `core.folding`."""
    if (found := _LEAD.match(folded)) is None:
        return None
    readings: list[str] = []
    exact_names: list[tuple[str, str]] = []
    if found.start("words") and (enclosed := _ENCLOSED.match(folded)) is not None:
        start, end = enclosed.span("name")
        exact_names.append((text[ends[start - 1] : ends[end - 1]], text[ends[enclosed.end() - 1] :]))
    is_strong = is_talk = False
    words = [*_LEAD_WORD.finditer(found["words"])]
    for word in words:
        at = found.start("words") + word.end()
        is_strong = is_strong or word[1] in STRONG or (word is words[0] and word[1] == "to")
        is_strong = is_strong and word[1] not in _THINGS
        is_talk = is_talk or word[1] in _TALKS
        if is_strong or (is_talk and ":" in word[0]):
            readings.append(text[ends[at - 1] :])
            continue
        if word[1] == "for" and (only := _ONLY.match(folded, at)) is not None:
            start, end = only.span("name")
            exact_names.append((text[ends[start - 1] : ends[end - 1]], text[ends[only.end() - 1] :]))
            continue
        if is_talk and "\n" in text:
            line, line_end, following = text[ends[at - 1] :].partition("\n")
            if line_end and len(line) <= _LONGEST_LINE:
                exact_names.append((line, following))
        may_stand_alone = ":" in folded or (is_talk and len(folded) - at <= _LONGEST_LINE)
        alone = _ALONE.match(folded, at) if may_stand_alone else None
        # `talk to NAME` is more often a proposal, unless another line follows.
        opens = is_talk and all(one[1] != "to" for one in words)
        if alone is not None and (opens or alone["colon"] or ":" in word[0]):
            group = "name" if alone["colon"] else "line"
            start, end = alone.span(group)
            if start < end:
                exact_names.append((text[ends[start - 1] : ends[end - 1]], text[ends[alone.end() - 1] :]))
    return LeadIn(tuple(readings[::-1]), tuple(exact_names[::-1])) if readings or exact_names else None
