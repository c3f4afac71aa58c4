"""Whisper commands in the middle of a text, where the writer forgot Enter: `see you /to Bob`, `ok to:Bob`.

A slash counts in any form, also at once after the text, but not in paths, addresses and quotes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import chain, islice
from typing import Final

from chatroom.core.characters import without_ignorable
from chatroom.core.folding import COLONS, SLASHES, compared_word, trimmed
from chatroom.core.layouts import LETTERS
from chatroom.core.lead_ins import PRIVATE
from chatroom.core.long_texts import MOST, Reading, from_both_ends, says_private, unread_rests
from chatroom.core.near_misses import Near, NearWhisper, Unread, by_keys, with_latin
from chatroom.core.ordinary_words import AFTER_TO, ORDINARY, ORDINARY_CHINESE
from chatroom.core.slips import (
    CHINESE,
    CHINESE_BEGINNINGS,
    CHINESE_WORD,
    WORDS,
    beginnings,
    is_meant,
    is_slip,
)

_MOST: Final = 6  # commands in one text that are looked at
_MOST_ARROWS: Final = 4
_MOST_PLACES: Final = 64  # places where one may stand
_MOST_UNREAD: Final = 352  # of other places; with more, a text is refused
_COST: Final = 3  # of a place, in microseconds
_OTHER_COST: Final = 6  # of one with a word in another script, which may be meant in several keyboard layouts
_LEFT: Final = MOST // 2  # for the lines
_REACH: Final = 128  # characters after one that may be a name
_LONGEST_NAME: Final = 40
_LEADING: Final = "ฝㄥбБюЮめظຝय"  # what the key of the slash types in other layouts
_T: Final = "tTｔＴтТτΤ"
_O: Final = "oOｏＯоОοΟ"
# It begins with one class, which is searched for much faster than several alternatives; so do those below.
_PLACE: Final = re.compile(
    rf"[{SLASHES}\\.?؟・{_T}{_LEADING}](?<!\n.)(?:"
    rf"(?P<slash>(?<=[{SLASHES}])|(?<=\s[\\.?؟・]))\s?(?P<word>[^\W_]{{1,24}}(?![^\W_]))(?!/)"
    rf"|(?P<talk>(?<=[{_T}])(?<![A-Za-z0-9].)[{_O}] ?(?:[{COLONS}]|[;；](?=\S)|(?=[\u3400-\u9fff])))"
    rf"|(?P<keys>(?<=\s[{_LEADING}])(?=[{LETTERS}{LETTERS.upper()}])))"
)
_QUOTES: Final = frozenset("\"'`‘“«「『（([{<*_")
# What may stand before a slash in a path or an address; two letters before one letter are an abbreviation: `b/w`.
_PATH_BACKWARDS: Final = re.compile(r"[\w:/~][\w:/?#&=%~@.+-]*", re.ASCII)
_DOUBLED: Final = re.compile(r"(?<![:/])/\Z")  # a slash that was hit twice
_ENDS: Final = re.compile(r"^\W++|(?<!\W)\W++$")
_POSSESSIVE: Final = re.compile(r"(?:['’]s|的)\s*$")
_ABBREVIATION: Final = re.compile(r"(?<![^\W_])[a-z]{1,2}\Z", re.IGNORECASE)
# After a name: `Bob (private) x`, `@Bob DM: x`, `小雨私聊：x`. But `Bob dm me` is a request.
_ONLY_YOU: Final = (
    r"(?:(?:just|only) (?:for |to )?(?:you|us)|(?:just |strictly )?between (?:us|you and me)|for you only"
    r"|(?:for )?your (?:eyes|ears) only|confidential"
    r"|[只仅僅][给給][你妳](?:看|一[个個]人)?|(?:只有|就)[你妳](?:知道|能看)|你我之[间間])(?!\s*\w)"
)
_SAYS_PRIVATE: Final = rf"(?:{'|'.join(PRIVATE)}|only|(?:悄悄|偷偷)[地的]?[说說]|{CHINESE_WORD}|{_ONLY_YOU})"
# What is asked for, no text for somebody.
_ASKED: Final = r"(?:me|us|him|her|them|you|the|about|or|if|when|please|pls)\b"
_AFTER_NAME: Final = re.compile(
    # What one of these may begin with: this is looked for faster than each of them.
    rf"(?=[(（\[【{{<*\s,，'亲親只;；{COLONS}sSſ{CHINESE_BEGINNINGS}])(?!\s\s)"
    rf"(?:[(（\[【{{<*] ?(?:for you )?{_SAYS_PRIVATE}[^)）\]】}}>*\n]{{0,12}}[)）\]】}}>*]\W*"
    rf"|(?:(?:[\s,，] ?|'s eyes )(?:{_SAYS_PRIVATE}|to|w)|{CHINESE_WORD}|悄悄[说說]"
    rf"|[亲親][启啟]|密|[,，]?只有你(?:能|可以)看[到见見]?) ?[;；{COLONS}]\s*+"
    rf"|\s[-\u2013\u2014]\s?{_SAYS_PRIVATE}\s?[-\u2013\u2014]\s*+"
    r"|(?<=[\u3400-\u9fff])(?<![我你您他她们們就也来來去])(?:私聊|私信|密聊)"
    r"(?![我他她它谁誰了过過吧吗嗎呢啊群的也就不没沒一]|你(?!好))(?=[\u3400-\u9fff])"
    rf"|(?<![我你您他她们們就也来來去])(?:私聊|私信|密聊)\s++(?!{_ASKED})(?=\w)"
    rf"|\s(?:dm|pm|msg|{CHINESE_WORD})(?:\s++(?!my\b|{_ASKED})(?=\w)|\s*+\Z)"
    rf"|\s?[(（\[【{{<*]\s?(?:to|w)\s?[)）\]】}}>*]\W*"
    rf"|\s?[;；{COLONS}](?:to|w|dm|pm|msg|tell|whisper)(?![\w'/])[\s{COLONS}]*+"
    rf"|\s?(?P<spaced>[;；{COLONS}] to)(?![\w'/-])(?:\s?[{COLONS}])?\s*+)",
    re.IGNORECASE,
)
# Before the text, at the beginning of a line: `@Bob whisper x`, but not `@Bob whisper me`.
_AT_NAME: Final = re.compile(
    r"^[^\w\n@]*+@(?P<name>[^\n:]{1,40}?)[^\S\n]{1,3}+(?:whisper|(?:private|secret)(?:ly)?)[^\S\n]{1,3}+"
    rf"(?!{_ASKED}|(?:rooms?|chats?|messages?|channels?|keys?|talks?|mode|santa)\b)(?=\w)",
    re.IGNORECASE | re.MULTILINE,
)
# `[Bob] x (private)`, `@Bob x (private)`, `Bob: x (private)`, perhaps in several lines.
_ADDRESSED: Final = re.compile(
    r"[^\w@\[【(（{<《「『〈“]*+(?:[\[【(（{<《「『〈“](?P<name>[^\]】)）}>》」』〉”\n]{1,40}+)[\]】)）}>》」』〉”]"
    rf"|(?P<at>@)|(?P<said>\w[^\n{COLONS},，]{{0,39}}+)[{COLONS},，])"
)
_PRIVATE_LAST: Final = re.compile(
    rf"[(（\[【{{<《「『〈]\s?{_SAYS_PRIVATE}\s?[)）\]】}}>》」』〉][^\w\n]*+$", re.IGNORECASE | re.MULTILINE
)
_MOST_FIRST: Final = 4  # lines that begin so, and lines before such a word
_MOST_LAST: Final = 2
_WIDE: Final = re.compile("[\uff20-\uff5a]")
_NARROW: Final = {code + 0xFEE0: code for code in range(0x21, 0x7F)}
_BRACKET: Final = re.compile("[)）]")
_KEYS: Final = re.compile(r"[^\W\d_]{1,12}")
_COLON: Final = frozenset(f";；{COLONS}")
_MARKS: Final = f" ;；{COLONS}"
_WORD: Final = re.compile(r"[^\W_]+")
# No sentence has one of these after `to`, or such a verb after the next word.
_SUBJECTS: Final = frozenset(("i", "im", "he", "she", "we", "they", "my", "our"))
_VERBS: Final = frozenset(("is", "are", "am", "was", "were", "has", "had", "will", "isn", "wasn"))
_ARROW_HEADS: Final = ">→⇒➜"
# As terminals show whispers, perhaps pasted with the time: `[12:30] you -> Bob: x`.
_ARROW: Final = re.compile(
    r"^[^\w\n\-=→⇒➜]*+(?:\d\d?:\d\d(?::\d\d)?[^\w\n\-=→⇒➜]*+)?"
    r"(?:(?P<to>(?:(?:you|me|你|我) ?)?(?:[-=]>|[→⇒➜])\s*+)"
    r"|(?P<from>[^\n:\-=→⇒➜]{1,40}+)(?:[-=]>|[→⇒➜]) ?(?:you|me|你|我) ?[:：]\s*+)",
    re.IGNORECASE | re.MULTILINE,
)

# How these begin in Chinese; the common characters among them only before the next one.
_CHINESE_FIRST: Final = f"{CHINESE_BEGINNINGS}亲親只"
_CHINESE_NEXT: Final = "(?:(?<![小单單只])|(?<=小)窗|(?<=[单單])聊|(?<=只)有)"

# What each of these has in an ASCII text, and most texts have not: a slash or an arrow, a mark or a word after a
# space, what follows a bracket by its first letter, and what precedes a colon by its last one.
_IN_ASCII: Final = re.compile(
    r"[-/:;([{<>\\.?Mm](?:(?<=[/>])|(?<=\s[\\.?])|(?<=\s[DdPp][Mm])(?![a-zA-Z])|(?<=\s[Mm])[Ss][Gg](?![a-zA-Z])"
    r"|(?<=\s-)\s?[DdMmOoPpSsWw]|(?<=[([{<]) ?(?:[DdFfMmOoPpSsWw]|[Tt][Oo] ?[)\]}>]|[Jj]ust |[Bb]etw|[Cc]onf|[Yy]our )"
    r"|(?<=[:;])(?:(?<=[AaEeGgIiMmNnOoRrTtWwYy].)|(?<=[AaEeGgIiMmNnOoRrTtWwYy] .)"
    r"|(?<=[TtYyRr] [Yy][Oo][Uu].)|(?<=[TtYyRr] [Yy][Oo][Uu] .)|(?<=\s[Uu][Ss].)|(?<=tial.)"
    r"|(?: ?[Tt][Oo]|[DdPp][Mm]|[Mm][Ss][Gg]|[Ww]|[Ww]hisper|[Tt]ell)(?![\w'/])))"
)
# The same in any text, and what says after a name that a text is private.
_IN_OTHERS: Final = re.compile(
    rf"[{SLASHES}{_T}{_CHINESE_FIRST}sSſ(（\[【{{<*{_ARROW_HEADS}\s,，]{_CHINESE_NEXT}"
)
_MAY_SAY_PRIVATE: Final = re.compile(
    rf"[{_CHINESE_FIRST}sSſ(（\[【{{<*\s,，;；{COLONS}]{_CHINESE_NEXT}(?:(?<=[{_CHINESE_FIRST}窗聊有])|(?<=[sSſ])[iIıİlLxX]"
    rf"|(?<=[(（\[【{{<*\s,，;；{COLONS}]) ?[BbCcDdFfJjMmOoPpSsſTtWwYy只就你{CHINESE_BEGINNINGS}])"
)
# The same in all lines, so with more of each word.
_MAY_SAY_FURTHER: Final = re.compile(
    rf"[{_CHINESE_FIRST}sSſ(（\[【{{<*\s,，;；{COLONS}]{_CHINESE_NEXT}(?:(?<=[{_CHINESE_FIRST}窗聊有])"
    rf"|(?<=[sSſ])(?:[iIıİlLxX]| [Ee][Yy])|(?<=[(（\[【{{<*\s,，;；{COLONS}])(?: ?[-\u2013\u2014])? ?(?:[Bb][Ee][Tt]"
    r"|[Cc][Oo][Nn][Ff]|[Dd][Mm]|[Ff][Oo][Rr] [Yy]|[Jj][Uu][Ss]|[Mm][Ssſ]|[Oo][Nn][Ll]|[Pp](?:[Mm]|[Rr][Ii])"
    rf"|[Ssſ](?:[Ee][Cc]|[Tt][Rr]|[IiLlXx])|[Tt][Oo](?![\w'/-])|[Tt][Ee][Ll]"
    rf"|[Ww](?:[Hh][Ii]| ?[;；{COLONS})）\]】}}>*])|[Yy][Oo][Uu][Rr] [Ee]"
    rf"|[{CHINESE_BEGINNINGS}]|只[给給有]|就[你妳]|你我))"
)
_BEFORE: Final = frozenset("'’,，")  # what may precede that
_MOST_FURTHER: Final = 100  # places where that may stand; with more, a text is refused
_ARROW_HEAD: Final = re.compile(f"[{_ARROW_HEADS}]")


def embedded_whispers(text: str, reading: Reading) -> Iterator[Near]:
    """The whisper commands after other text, and what else after a name says that the text is private."""
    if text.isascii():
        if _IN_ASCII.search(text) is None and "@" not in text:
            return iter(())
    elif _IN_OTHERS.search(text) is None:
        return iter(())
    else:
        text = without_ignorable(text)
        if _WIDE.search(text) is not None:
            text = text.translate(_NARROW)
    return chain(
        _with_name_first(text),
        _after_name(text),
        _after_further_names(text),
        _after_arrows(text),
        _commands(text, reading),
    )


def _with_name_first(text: str) -> Iterator[NearWhisper]:
    for found in islice(_AT_NAME.finditer(text), _MOST_FIRST):
        yield NearWhisper("", exact_names=((found["name"], text[found.end() : found.end() + _REACH]),))
    for last in islice(_PRIVATE_LAST.finditer(text), _MOST_LAST):
        lines = text[: last.start()].rsplit("\n", _MOST_FIRST)
        for at, line in enumerate(lines):
            if (addressed := _ADDRESSED.match(line)) is None:
                continue
            rest = "\n".join((line[addressed.end() :], *lines[at + 1 :])).strip()[:_REACH]
            name = addressed["name"] or addressed["said"]
            yield NearWhisper("", exact_names=((name, rest),)) if name else NearWhisper(rest, runs_on=True)


def _after_name(text: str) -> Iterator[NearWhisper]:
    if _MAY_SAY_PRIVATE.search(text, 0, _LONGEST_NAME + _REACH) is None:
        return
    found = _AFTER_NAME.search(text, 1, _LONGEST_NAME + _REACH)
    if found is not None and found.start() <= _LONGEST_NAME:
        yield from _said_after(text[: found.start()], text, found)


def _after_further_names(text: str) -> Iterator[Near]:
    """The same in the lines after the first one."""
    looked = 0
    line = text.find("\n") + 1  # where it starts
    at = line
    while line and (place := _MAY_SAY_FURTHER.search(text, at)) is not None:
        at = place.start()
        line = text.rfind("\n", line - 1, at) + 1
        name_end = at - (text[at - 1] in _BEFORE)
        is_done = at - line > _LONGEST_NAME
        if not is_done and text[line:name_end].strip():
            looked += 1
            if looked > _MOST_FURTHER:
                yield Unread()
                return
            if (found := _AFTER_NAME.match(text, name_end)) is not None:
                yield from _said_after(text[line:name_end], text, found)
                is_done = True
        if is_done:
            line = text.find("\n", at) + 1
        at = line if is_done else at + 1


def _said_after(before: str, text: str, found: re.Match[str]) -> Iterator[NearWhisper]:
    after = text[found.end() :]
    if found["spaced"] and _may_begin_sentence(after):
        return
    # `Bob's secret: he sings` is about him.
    if found[0].rstrip().endswith((":", "：")) and "secret" not in found[0].lower():
        before = _POSSESSIVE.sub("", before)
    # After an author's name and a colon, `to` may have another name after it: `Bob: to:Ming Li x`.
    is_author = found[0].strip(_MARKS).lower() == "to" and not _COLON.isdisjoint(
        text[found.start() - 1 : found.start() + 2]
    )
    yield NearWhisper(after if is_author else "", exact_names=_exact_names(before, after))


def _may_begin_sentence(after: str) -> bool:
    """Whether what follows `Bob: to` may go on as a sentence, as in `Bob: to be fair, yes`."""
    if after.startswith(ORDINARY_CHINESE):
        return True
    first, second = (*_WORD.findall(after[:_LONGEST_NAME].lower()), "", "")[:2]
    return (first in ORDINARY or first in AFTER_TO) and first not in _SUBJECTS and second not in _VERBS


def _after_arrows(text: str) -> Iterator[NearWhisper]:
    if _ARROW_HEAD.search(text) is None:
        return
    for found in islice(_ARROW.finditer(text), _MOST_ARROWS):
        rest = text[found.end() : found.end() + _REACH]
        yield (
            NearWhisper(rest, runs_on=True)
            if found["to"]
            else NearWhisper("", exact_names=((found["from"], rest),))
        )


def _exact_names(before: str, after: str) -> tuple[tuple[str, str], ...]:
    """A name that stands alone before a word that says that a text is private, with the text."""
    name = trimmed(before)
    return tuple((one, after) for one in dict.fromkeys((name, _ENDS.sub("", name))) if one)


def _commands(text: str, reading: Reading) -> Iterator[Near]:
    found = 0
    places = from_both_ends([*_PLACE.finditer(text, 1)])
    unread = places[_MOST_PLACES:]
    for place in places[:_MOST_PLACES]:
        is_other = place["talk"] is None and (place["word"] is None or not place["word"].isascii())
        cost = _OTHER_COST if is_other else _COST
        if found == _MOST or not reading.allows(cost, leave=_LEFT):
            unread.append(place)
            continue
        reading.spend(cost)
        if (near := _near(text, place)) is not None:
            found += 1
            yield near
    if len(unread) > _MOST_UNREAD:
        yield Unread()
        return
    commands = [place for place in unread if _is_command(text, place)]
    # A space after the slash, as in `// to do`, shows that it may be none.
    if any(place["word"] is None or not text[place.start() + 1].isspace() for place in commands):
        yield Unread()
    elif (
        more := unread_rests((text[place.end() : place.end() + _REACH] for place in commands), reading)
    ) is not None:
        yield more


def _is_command(text: str, place: re.Match[str]) -> bool:
    """Whether at a place that is not read there may be a whisper command."""
    slash, word, talk, _keys = place.groups()
    if talk is not None:
        return True
    if slash is None:
        keys = _KEYS.match(text, place.start())
        return keys is None or says_private(keys[0]) or says_private(keys[0][1:])
    before = text[place.start() - 1]
    is_short = len(word) == 1 and before.isalnum()  # as in `b/w`
    return not is_short and before not in _QUOTES and says_private(word)


def _near(text: str, place: re.Match[str]) -> NearWhisper | None:
    start = place.start()
    last = text[start - 1]
    if last in "(（" and place["slash"] is not None and compared_word(place["word"]) in WORDS:
        # `ok (/to Bob x)`, but not `use (/to Bob)`
        rest = _BRACKET.split(text[place.end() : place.end() + _REACH], maxsplit=1)[0]
        return NearWhisper(rest, runs_on=True, needs_name_and_text=True)
    if last in _QUOTES:
        return None
    # Most words are no command: what stands before one is looked at last.
    is_command = place["talk"] is None and place["slash"] is not None
    rests = tuple(_rests(text, place, last)) if is_command else ()
    if is_command and not rests:
        return None
    before = text[max(0, start - 64) : start].rpartition("\n")[2]
    if not before.strip():
        return None
    if place["talk"]:
        return NearWhisper(text[place.end() : place.end() + _REACH], runs_on=True)
    if not is_command:
        found = by_keys(text[start : start + _REACH])
        return found if isinstance(found, NearWhisper) else None
    path = _PATH_BACKWARDS.match(_DOUBLED.sub("", before)[::-1])
    if path is not None and ("/" in path[0] or path[0] == "~"):
        return None
    # After a name alone, it is for that person: `Bob /w secret`.
    exact_names = (
        _exact_names(before, text[place.end() : place.end() + _REACH]) if len(before) <= _LONGEST_NAME else ()
    )
    has_exact_keyword = compared_word(place["word"]) in WORDS
    return NearWhisper(
        rests[0],
        alternatives=rests[1:],
        exact_names=exact_names,
        runs_on=True,
        has_exact_keyword=has_exact_keyword,
    )


def _rests(text: str, place: re.Match[str], last: str) -> Iterator[str]:
    """What stands after a whisper keyword, if the word at the place is one or begins with one.

    Args:
        last: the character before the place.
    """
    word = with_latin(compared_word(place["word"]))
    at, end = place.start("word"), place.end()
    if word.isascii():
        if last.isalnum() and last.isascii():
            is_command = word in WORDS or is_slip(word)
            if len(word) == 1 and is_command:
                is_command = _ABBREVIATION.search(text, max(0, place.start() - 2), place.start()) is None
        else:
            is_command = is_meant(word)
        if is_command:
            yield text[end : end + _REACH]
            return
    elif (found := by_keys(text[place.start() : place.start() + _REACH])) is not None:
        if isinstance(found, NearWhisper):
            yield from (found.rest, *found.alternatives)
        return
    elif (chinese := CHINESE.match(text, at)) is not None:
        yield text[chinese.end() : chinese.end() + _REACH].lstrip("给給对對跟和：: ")
        return
    yield from (text[at + size : at + size + _REACH] for size in beginnings(word))
