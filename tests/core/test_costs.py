"""What the worst texts cost, up to the limits: as calls of functions and decomposed characters, not as time."""

import sys
import unicodedata
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from random import Random
from time import thread_time
from types import FrameType
from typing import Any

import pytest

from chatroom.core import (
    commands,
    confusables,
    embedded_commands,
    folding,
    layouts,
    markers,
    names,
    near,
    near_misses,
    recipients,
    slips,
    spellings,
)
from chatroom.core.addressed import Addressed
from chatroom.core.commands import Join, Name, Say, TalkTo, WhisperTo, parse_line, unread_answer_after_s
from chatroom.core.errors import Refusal
from chatroom.core.events import Joined, Person
from chatroom.core.long_texts import Reading
from chatroom.core.names import may_be_room, parse_name, parse_room, printable, room_key
from chatroom.core.recent import RecentNames
from chatroom.core.roster import Roster
from chatroom.core.text import parse_text

LONGEST = 2000
TYPED = LONGEST + 192  # of a text with a command and a name before it
MOST_CALLS = 10_000  # an ordinary text takes 20; one call is less than a tenth of a microsecond
MOST_DECOMPOSED = 20_000
MOST_UNITS = 3  # of about half a millisecond; before regular expressions were linear, it was 50

BEGINNINGS = [
    "",
    "/to ",
    "to:",
    "to ",
    "/join ",
    "/name ",
    "join ",
    "w ",
    "/x ",
    "/",
    'to:"',
    "对",
    "topB",
    "x\n",
]
WORST = [
    *(
        "\ufdfa",
        "\ufdfa ",
        "a\u0301",
        "\u0301\u0323",
        "\U0001f468\u200d\U0001f469\u200d",
        "\u200b",
        "\U000e0061",
    ),
    *(
        "\u0627\u200c",
        "\u0915\u094d\u200c",
        "\r",
        "\n",
        "\r\n",
        " ",
        "a ",
        ":",
        '"',
        "“",
        "\uac00",
        "\x01",
        "\ufe0f",
    ),
    *(
        "to x\n",
        "op \n",
        "w a b c d e f g h i j k l m\n",
        "w " + "\u00e4 " * 30 + "\n",
        "/to x\n",
        "\u10d0\n",
        "/to x ",
        "\u3001m\u3001tp ",
        " .\u0435\u0449\u044f\u0439\u0446",
        "\u200b/to:",
        "\u304b\u3089\n",
    ),
]


# Words of these letters, all different, so that nothing that is remembered helps.
ALPHABETS = [
    *("abcdefghijklmnopqrstuvwxyz", "йцукенгшщзфывапролджячсмитьбю", "ضصثقفغعهخحشسيبلاتنمكئءؤرﻻىةوزظ"),
    *("".join(map(chr, range(start, start + 200))) for start in (0x400, 0xAC00, 0x1D400, 0x1F110, 0x3300)),
]


def different_words(letters: str, length: int, before: str) -> str:
    random = Random(17)
    words = ("".join(random.choices(letters, k=length)) for _ in range(LONGEST))
    return (before.join(words) + before)[:TYPED]


class Work:
    """What was done since it began: `calls` of functions, and `decomposed` characters."""

    def __init__(self) -> None:
        self.calls = self.decomposed = 0

    def count(self, _frame: FrameType, event: str, _function: object) -> None:
        self.calls += event in ("call", "c_call")


@contextmanager
def counted(monkeypatch: pytest.MonkeyPatch) -> Iterator[Work]:
    work = Work()

    def normalize(form: Any, text: str) -> str:
        result = original(form, text)
        work.decomposed += len(result)
        return result

    original = unicodedata.normalize
    caches = (
        folding.compared,
        folding._shown,
        layouts.readings,
        markers._is_ordinary_word,
        names._word_key,
        names._word_typed,
        near_misses._commands,
        near_misses.is_nearly_to,
        spellings._one_slip,
    )
    for cache in caches:
        cache.cache_clear()
    with monkeypatch.context() as patched:
        for module in (names, confusables, folding, layouts):
            patched.setattr(module, "normalize", normalize)
        before = sys.getprofile()
        sys.setprofile(work.count)
        try:
            yield work
        except Refusal:
            pass
        finally:
            sys.setprofile(before)


def crowd() -> tuple[Roster, RecentNames, Addressed]:
    roster, recent, known = Roster(), RecentNames(), Addressed()
    for number in range(10_000):
        roster.apply(Joined(Person(str(number), f"N{number}"), claim=number))
    for number, name in enumerate(["Plum", *(f"Plum {tree}" for tree in range(1000))]):
        roster.apply(Joined(Person(f"plum {number}", name), claim=10_000 + number))
    for number in range(2000):
        recent.add(f"Gone{number}", str(number), 0.0)
    for number in range(64):
        known.is_other(f"Known {number}", str(number), None)
    return roster, recent, known


ROSTER, RECENT, KNOWN = crowd()
parse_name("x")  # makes tables once, as the file of names does when the program starts


def handle(text: str) -> None:
    """Do with a typed text what a gateway does before anything is sent."""
    people = recipients.People(
        here=ROSTER.find,
        lately=lambda name: RECENT.find(name, 1.0),
        known=KNOWN,
        longer_here=ROSTER.names_beginning_with,
        reach_here=ROSTER.reach,
        reach_lately=RECENT.reach,
        spelled_here=ROSTER.names_spelled_like,
        spelled_lately=lambda keys: RECENT.names_spelled_like(keys, 1.0),
        has_cjk_name=lambda: ROSTER.has_cjk_name(""),
    )
    match parse_line(text):
        case Say(said, nearly):
            near.check(nearly, people, lambda name: may_be_room(name) and room_key(name) == "x")
            parse_text(said, LONGEST)
        case WhisperTo(rest) if rest:
            parse_text(recipients.recipient(rest, people)[1], LONGEST)
        case TalkTo(name) if name:
            recipients.partner_name(name, people)
        case Join(room):
            parse_room(room)
        case Name(str(name)):
            parse_name(name)


def worst(length: int) -> list[str]:
    return [(piece * length)[:length] for piece in WORST]


def check(monkeypatch: pytest.MonkeyPatch, do: Callable[[str], object], texts: list[str]) -> None:
    """Each text is handled within the bound; the worst one shows up in the message."""
    found = []
    for text in texts:
        with counted(monkeypatch) as work:
            do(text)
        found.append((work.calls, work.decomposed, text[:40]))
    assert max(found)[0] <= MOST_CALLS, max(found)
    costliest = max(found, key=lambda one: one[1])
    assert costliest[1] <= MOST_DECOMPOSED, costliest


def test_every_typed_text_costs_little(monkeypatch: pytest.MonkeyPatch) -> None:
    confusables.skeleton("\u0430")  # the data are loaded once
    texts = [(begin + body)[:TYPED] for begin in BEGINNINGS for body in worst(TYPED)]
    check(monkeypatch, handle, texts)


def test_a_text_of_all_costly_kinds_costs_little(monkeypatch: pytest.MonkeyPatch) -> None:
    with suppress(Refusal):
        handle(of_all_costly_kinds(Random(18)))  # what is loaded once
    check(monkeypatch, handle, [of_all_costly_kinds(Random(17))])


def of_all_costly_kinds(random: Random) -> str:
    words = ["".join(random.choices(ALPHABETS[0], k=6)) for _ in range(40)]
    rare = ["".join(chr(random.randrange(0xA0, 0x3000)) for _ in range(60)) for _ in range(13)]
    places = "to x" + "".join(f" /{word}" for word in words)
    near_lines = [*(f"to {word} x" for word in words[:4]), *(f"msg {word}" for word in words[4:8])]
    return "\n".join((places, *near_lines, *(f"/{word}" for word in words[:30]), *rare))


def test_different_words_cost_little(monkeypatch: pytest.MonkeyPatch) -> None:
    confusables.skeleton("\u0430")  # the data are loaded once
    check(
        monkeypatch,
        handle,
        [
            different_words(letters, length, before)
            for letters in ALPHABETS
            for length in (1, 2, 3, 6, 8)
            for before in (" /", " .", "、", "\n", "\n/", "\nto ", " /to ")
        ],
    )


@pytest.mark.parametrize(
    "do",
    [
        lambda text: parse_text(text, LONGEST),
        parse_name,
        parse_room,
        ROSTER.find,
        lambda text: RECENT.find(text, 1.0),
        printable,
        unread_answer_after_s,
    ],
    ids=["text", "name", "room", "present", "recent", "printable", "unread"],
)
def test_length_is_checked_before_anything_is_read(
    monkeypatch: pytest.MonkeyPatch, do: Callable[[str], object]
) -> None:
    parse_name("Zo\u00eb")  # the tables of reserved names are made once
    check(monkeypatch, do, [*worst(100_000), *worst(128)])


def test_long_paste_is_read_only_at_its_beginning(monkeypatch: pytest.MonkeyPatch) -> None:
    read = 0

    def read_beginning(text: str) -> markers.Beginning | None:
        nonlocal read
        read += 1
        return original(text)

    original = markers._read_beginning
    monkeypatch.setattr(markers, "_read_beginning", read_beginning)
    commands._say("x y\n" * 500)
    assert read == markers._DOUBTFUL_LINES


@pytest.mark.parametrize(
    ("module", "read", "before"),
    [
        (markers, lambda text: list(markers.further_beginnings(text, Reading())), "\n"),
        (embedded_commands, lambda text: list(embedded_commands.embedded_whispers(text, Reading())), " /"),
        (embedded_commands, lambda text: list(embedded_commands.embedded_whispers(text, Reading())), " ."),
    ],
)
def test_few_words_are_read_in_other_keyboard_layouts(
    monkeypatch: pytest.MonkeyPatch, module: Any, read: Callable[[str], object], before: str
) -> None:
    looked_up: list[str] = []

    def by_keys(text: str) -> object:
        looked_up.append(text)
        return original(text)

    original = module.by_keys
    monkeypatch.setattr(module, "by_keys", by_keys)
    for letters in ALPHABETS:
        looked_up.clear()
        read(different_words(letters, 6, before))
        assert len(looked_up) <= 64


def test_a_joiner_far_into_a_text_is_no_error() -> None:
    with pytest.raises(Refusal):
        handle("/to " + "\u0627\u200c" * 1000)


@pytest.mark.parametrize("text", ["good morning everyone, how are you?", "~0123456789abc{}" * 6])
def test_an_ordinary_text_takes_few_calls(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    with counted(monkeypatch) as work:
        parse_line(text.format(*"abcdef"))  # the beginning of its first word is remembered
        before = work.calls
        parse_line(text.format(*"ghijkl"))
        assert work.calls - before <= 20


def test_no_text_takes_long_to_judge() -> None:
    """Regular expressions do their work within one call, so here computing time is compared, in the same moments."""
    handle("w \u0430\n" * 5)  # what is loaded once
    random = Random(17)
    for text in (*KNOWN_WORST, *(generated(random) for _ in range(300))):
        for calls in (3, 10, 100):  # a busy machine makes some calls slow, and an expensive text all of them
            units = seconds(partial(handle, text), calls) / seconds(add_squares, calls)
            if units <= MOST_UNITS:
                break
        assert units <= MOST_UNITS, text[:40]


def add_squares() -> int:
    return sum(number * number for number in range(20_000))


def seconds(do: Callable[[], object], calls: int) -> float:
    """The least computing time of several calls."""
    took = []
    for _ in range(calls):
        began = thread_time()
        with suppress(Refusal):
            do()
        took.append(thread_time() - began)
    return min(took)


KNOWN_WORST = [
    ("/" + "\u0301\u0323" * LONGEST)[:TYPED],
    "/to " + "\ufdfa" * (LONGEST - 10),
    "to:" + "\ufdfa" * (LONGEST - 10),
    "join x" + "!" * (LONGEST - 7) + "x",
    *("\n".join([start + mark * 60] * 31) for start in ("对", "给a", "悄悄对") for mark in '"“ _'),
    "\n".join(["op " + "!" * 480 + "é"] * 4),
    *(start + " " * (LONGEST - 10) + "x" for start in ("[B]", "@B", "[B] (dm)", "N1 (dm)")),
    *(different_words(ALPHABETS[-1], length, "\n/")[:LONGEST] for length in (2, 6)),
    different_words(ALPHABETS[1], 2, " .")[:LONGEST],
    ("whisper→\n" + "→\n" * LONGEST)[:LONGEST],
    # 1,000 longer names begin with each of these.
    *(start + "\ufdfa" * (LONGEST - 20) for start in ("/to N1 ", "/to Plum ", "for Plum only ", "to:Plum ")),
]
FRAGMENTS: list[str] = [
    *(
        *slips.WORDS,
        "私聊",
        "悄悄话",
        "偷偷告诉",
        "siliao",
        "join",
        "op",
        "ot",
        "t:o",
        "toB:",
        "to:",
        "/to ",
        "对",
        "发私信给",
        "说",
    ),
    *("ещ ", "то ", "と", "새", "m/sg", "Bob", "N1", "see ", "/", "："),
]
FILLERS: list[str] = [
    *'!_ "“”、。:;.,|~aé好か\u3000\u00a0\u200b\u0301\ufdfa\U0001f600',
    "a ",
    "é ",
    "- ",
    "//",
    "\n",
]


def generated(random: Random) -> str:
    """A text of fragments of whisper keywords, repeated marks and rare characters, in one line or in many."""

    def piece() -> str:
        chance = random.random()
        if chance < 0.4:
            return random.choice(FRAGMENTS)
        if chance < 0.8:
            times: int = random.choice((1, 2, 3, 29, 60, 200))
            return random.choice(FILLERS) * times
        return "".join(f"{chr(random.randrange(0xA0, 0x3000))} " for _ in range(random.choice((1, 29))))

    head, body = ("".join(piece() for _ in range(random.randint(1, 3))) for _ in range(2))
    if random.random() < 0.3:
        return f"{(head + body * LONGEST)[: LONGEST - 1]}x"
    width = LONGEST // random.choice((8, 31, 64)) - 1
    return "\n".join([(head + body * width)[:width]] * LONGEST)[:LONGEST]
