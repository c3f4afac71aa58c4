"""Whom a typed text is for, by the name that it begins with."""

from dataclasses import replace
from functools import partial
from itertools import product

import pytest

from chatroom.core import near
from chatroom.core.addressed import Addressed
from chatroom.core.beginnings import beginnings
from chatroom.core.commands import Say, TalkTo, WhisperTo, parse_line
from chatroom.core.confusables import fold
from chatroom.core.errors import (
    NameGone,
    NameNow,
    NameUnclear,
    NoSuchPartner,
    NoSuchRecipient,
    Refusal,
    TextAfterTo,
    usage_for,
)
from chatroom.core.events import Person
from chatroom.core.name_ends import LooseText, longest_match, loose_match
from chatroom.core.recent import Gone, RecentNames
from chatroom.core.recipients import People, partner_name, recipient
from chatroom.core.spellings import Spellings
from tests.support.people import people_of, roster_of


def match(text: str, *names: str) -> tuple[str, str] | None:
    """Whose name the text begins with, of these people, and the rest."""
    people = {fold(name): name for name in names}
    found = longest_match(text, lambda name: people.get(fold(name)))
    return None if found is None else (found.who, found.rest)


@pytest.mark.parametrize(
    ("text", "name", "rest"),
    [
        ("Ming hello", "Ming", "hello"),
        ("Ming Li hello", "Ming Li", "hello"),
        ("  ming li", "Ming Li", ""),
        ("Ming\nLi", "Ming", "Li"),
        ('"Ming" Li hello', "Ming", "Li hello"),
        ("“Ming Li”hello", "Ming Li", "hello"),
        ('"x" y hello', '"x" y', "hello"),
        ("小雨　你好", "小雨", "你好"),
    ],
)
def test_longest_name_present_is_meant(text: str, name: str, rest: str) -> None:
    found = match(text, "Ming", "Ming Li", "小雨", '"x" y')
    assert found == (name, rest)


@pytest.mark.parametrize(
    ("longer", "typed"),
    [
        ("Bob2", "Bob 2 x"),
        ("Bob2", "Bob ٢, x"),
        ("علي 7", "علي ٧ x"),
        ("小雨2", "小雨 2 x"),
        ("Kit🌸", "Kit 🌸 x"),
        ("Kit🌸", "Kit 🌸"),
    ],
)
def test_a_number_or_emoji_may_complete_a_name(longer: str, typed: str) -> None:
    name = typed.split()[0]
    with pytest.raises(NameUnclear):
        recipient(typed, people_of(roster_of(name, longer)))
    recent = RecentNames()
    recent.add(longer, "", 1.0)
    people = replace(
        people_of(roster_of(name), recent), longer_lately=partial(recent.names_beginning_with, now=1.0)
    )
    with pytest.raises(NameGone):
        recipient(typed, people)


@pytest.mark.parametrize("text", ["20 euros", "3 x", "🌸 x", "! x", "a x"])
def test_another_number_or_emoji_is_a_text(text: str) -> None:
    found, rest = recipient(f"Bob {text}", people_of(roster_of("Bob", "Bob2", "Boba", "Bob 17x")))
    assert (found.name, rest) == ("Bob", text)


@pytest.mark.parametrize("longer", ['"Kit" Lee', "“Kit”小雨", "'Kit' Lee"])
def test_a_quoted_name_may_begin_a_longer_one(longer: str) -> None:
    here = people_of(roster_of("Kit", longer))
    with pytest.raises(NameUnclear) as refused:
        recipient(f"{longer} hi", here)
    assert refused.value.params == {"name": longer, "other": "Kit"}
    told = usage_for(longer, 'say "hi"').removeprefix("/to ")
    assert recipient(told, here) == (Person(longer, longer), 'say "hi"')
    assert recipient('"Kit" hi', here) == (Person("Kit", "Kit"), "hi")
    assert partner_name(longer, here) == longer
    assert recipient(f"{longer} hi", people_of(roster_of(longer)))[0].name == longer


def test_a_known_person_who_has_left_may_be_quoted() -> None:
    recent = RecentNames()
    recent.add("Kit", "", 1.0)
    people = people_of(roster_of('"Kit" Lee'), recent)
    people.known.is_other("Kit", "k", None)
    with pytest.raises(NameGone):
        recipient('"Kit" Lee hi', people)


def test_a_name_with_a_quote_is_not_cut_at_it() -> None:
    assert match('"B"ob" say "hi"', "B", 'B"ob') == ('B"ob', 'say "hi"')
    assert match('"B" say "hi"', "B") == ("B", 'say "hi"')


@pytest.mark.parametrize("text", ["", " ", "Mingo hello", "Lotus hello", '"Ming', '"Ming Li" x', "“"])
def test_text_that_begins_with_nobodys_name_matches_nobody(text: str) -> None:
    assert match(text, "Ming") is None


def test_match_looks_no_further_than_a_name_can_reach() -> None:
    assert match("a " * 1000, "Ming") is None


def test_a_long_text_is_compared_with_few_names() -> None:
    tried: list[str] = []
    assert loose_match(LooseText.of("ﷺ, " * 400), tried.append) is None
    assert 0 < len(tried) <= 4 * 16  # four ways to read it, and a name has 16 words at the most

    of_letters = " ".join("abcdefghijklmnop")
    found = loose_match(LooseText.of(f"{of_letters} hello"), {of_letters: 1}.get)
    assert found is not None
    assert found.rest == "hello"


def people(here: str, lately: str = "", known: str = "") -> People:
    """Those whom a writer may mean, as lists of names with commas between."""
    present = {fold(name): Person(name, name) for name in here.split(",")}
    gone = {fold(name): Gone(name, name, 0.0) for name in lately.split(",")}
    addressed = Addressed()
    for name in filter(None, known.split(",")):
        addressed.is_other(name, name, None)
    longer_here, longer_lately = beginnings(here.split(",")), beginnings(lately.split(","))
    now = {"Bobby": Person("r", "Robert")}.get
    return People(
        lambda name: present.get(fold(name)),
        lambda name: gone.get(fold(name)),
        addressed,
        longer_here.find,
        longer_lately.find,
        lambda gone: now(gone.name),
        spelled_here=Spellings(here.split(",")).find,
    )


@pytest.mark.parametrize(
    ("rest", "those", "meant"),
    [
        ("bob i miss you", people("Bob,Bob I"), "Bob I"),
        ("bob i miss you", people("Bob,Bob I", known="Bob,Bob I"), "Bob I"),
        ("bob i miss you", people("Bob,Bob I", known="Bob"), NameUnclear),
        ("bob i miss you", people("Bob I", lately="Bob", known="Bob"), NameGone),
        ('"bob i" miss you', people("Bob,Bob I", known="Bob"), "Bob I"),
        ("Bob I, miss you", people("Bob", lately="Bob I"), NameGone),
        ("Bob I, miss you", people("Bob,Bob I"), NameUnclear),
        ("Ming Li: hi", people("Ming,Ming Li"), NameUnclear),
        ("Zed hello", people("Bob"), NoSuchRecipient),
        ("to !", people("Bob"), NoSuchRecipient),
        *(
            (f"Ming {slip} see you", people("Ming,Ming Li"), NameUnclear)
            for slip in (
                "Lo",
                "Lee",
                "Lii",
                "Lk",
                "L1",
                "l i",
                "IL",
                '"Li"',
                "Li's",
                "Ki",
                "Kli",
                "i",
                "Pi",
                "1i",
                "|i",
                "Ли",
            )
        ),
        ("小雨 点 你好", people("小雨,小雨点"), NameUnclear),
        ("Ming Lo see you", people("Ming", lately="Ming Li"), NameGone),
        ("Ming, Lo see you", people("Ming,Ming Li"), NameUnclear),
        ("Ming hi Lo", people("Ming,Ming Li"), "Ming"),
        ("Ming ok", people("Ming,Ming Li"), "Ming"),
        ('"Ming" Lo see you', people("Ming,Ming Li"), "Ming"),
        ("Ann bring it", people("Ann,Annabel"), "Ann"),
        ("Ann abl bring it", people("Ann,Annabel"), NameUnclear),
        ("Bob: hi", people("Bob"), "Bob"),
        ("@Bob hi", people("Bob"), "Bob"),
        ("'Bob' hi", people("Bob"), "Bob"),
        ("<Bob> hi", people("Bob"), "Bob"),
        ("小雨，你好", people("小雨"), "小雨"),
        ("to Bob hi", people("to,Bob"), NameUnclear),
        ("给 @小雨 你好", people("给,小雨"), NameUnclear),
        ('"to" Bob hi', people("to,Bob"), "to"),
        ("to hi", people("to,Bob"), "to"),
        ("Bob, I miss you", people("Bob", lately="Bob I"), NameGone),
        ("小雨你好", people("小雨"), TextAfterTo),
        ("Bobby hi", people("Bob,Robert", lately="Bobby"), NameNow),
    ],
)
def test_a_private_text_is_for_one_person_or_refused(
    rest: str, those: People, meant: str | type[Refusal]
) -> None:
    if isinstance(meant, str):
        assert recipient(rest, those)[0].name == meant
        return
    with pytest.raises(Refusal) as refused:
        recipient(rest, those)
    assert refused.type is meant


@pytest.mark.parametrize(
    ("written", "those", "meant"),
    [
        ("Bob", people("Bob"), "Bob"),
        ("Bob", people("Bob", lately="Bob"), "Bob"),
        ("“Bob”", people("Bob"), "Bob"),
        ('"Bob"', people('Bob,"Bob"'), '"Bob"'),
        ("Bob:", people("Bob:,Bob", known="Bob"), NameUnclear),
        ("Bob hello", people("Bob"), TextAfterTo),
        ("Bob.", people("Bob"), "Bob"),
        ("Bob.", people("Bob", lately="Bob."), NoSuchPartner),
        ("@Bob", people("Bob"), "Bob"),
        ("<Bob>:", people("Bob"), "Bob"),
        ("「小雨」", people("小雨"), "小雨"),
        ("Ming Lee", people("Ming,Ming Li"), NameUnclear),
        ("Bobby", people("Bob,Robert", lately="Bobby"), NameNow),
        ("Bob I hello", people("Bob", lately="Bob I"), NoSuchPartner),
        ("“Zed”", people("Bob"), NoSuchPartner),
    ],
)
def test_a_marker_names_one_person_or_is_refused(
    written: str, those: People, meant: str | type[Refusal]
) -> None:
    if isinstance(meant, str):
        assert partner_name(written, those) == meant
        return
    with pytest.raises(Refusal) as refused:
        partner_name(written, those)
    assert refused.type is meant


@pytest.mark.parametrize(
    ("rest", "usage"),
    [
        ("Bbo x", "/to Bob x"),
        ("Anna x", "/to Anna Müller x"),
        ("Jose x", "/to José x"),
        ("D’Arcy x", "/to D'Arcy x"),
        ('"Bob x', "/to Bob x"),
        ("*Bob* x", "/to Bob x"),
        ("to Bob x", "/to Bob x"),
        ("Moonbeam Moel x", "/to Moonbeam Mole x"),
        ("Moonbean Mole x", "/to Moonbeam Mole x"),
        ("Mole x", "/to Moonbeam Mole x"),
        ("晓雨 x", "/to 小雨 x"),
        ("Bob", None),
        ("Zed x", None),
    ],
)
def test_a_name_that_nobody_has_is_answered_with_the_nearest(rest: str, usage: str | None) -> None:
    those = people("Bob,Anna Müller,José,D'Arcy,Moonbeam Mole,小雨" if usage else "Anna")
    with pytest.raises(NoSuchRecipient) as refused:
        recipient(rest, those)
    assert refused.value.params.get("usage") == usage


@pytest.mark.parametrize(
    ("rest", "name", "usage"),
    [
        ("Moonbean Mole, x", "Moonbean Mole", "/to Moonbeam Mole x"),
        ('"Moonbean Mole" x', "Moonbean Mole", "/to Moonbeam Mole x"),
        ("Mole do not", "Mole", "/to Moonbeam Mole do not"),
        ("Moonb mole x", "Moonb mole", "/to Moonbeam Mole x"),
        ("Min Li x", "Min Li", "/to Ming Li x"),
        ("Li Ming hi", "Li Ming", "/to Ming Li hi"),
        ("Li may come", "Li", "/to Ming Li may come"),
        ("晓雨 x", "晓雨", "/to 小雨 x"),
        ("Zed x", "Zed", None),
    ],
)
def test_the_answer_shows_the_name_as_far_as_meant(rest: str, name: str, usage: str | None) -> None:
    those = people("Moonbeam Mole,Ming Li,小雨")
    with pytest.raises(NoSuchRecipient) as refused:
        recipient(rest, those)
    assert (refused.value.params["name"], refused.value.params.get("usage")) == (name, usage)
    with pytest.raises(NoSuchPartner) as partner:
        partner_name(rest, those)
    assert partner.value.params["name"] == (name if usage else rest)


@pytest.mark.parametrize(
    ("rest", "text"), [('"Ming Li": x', "x"), ("Kim:-) x", ":-) x"), ("Kim: x", "x"), ("Kim:x", "x")]
)
def test_the_mark_after_a_name_is_not_text(rest: str, text: str) -> None:
    assert recipient(rest, people("Ming Li,Kim"))[1] == text


@pytest.mark.parametrize(
    ("written", "usage"),
    [(":Bob", "to:Bob"), ("Bob x", "/to Bob x"), ("小雨さん x", "/to 小雨 x"), ("Ming Kli", None)],
)
def test_what_to_type_instead_is_a_whole_line(written: str, usage: str | None) -> None:
    with pytest.raises(Refusal) as refused:
        partner_name(written, people("Bob,小雨,Ming,Ming Li"))
    assert refused.value.params.get("usage") == usage


# Words that are skipped, what separates words, and what is shown as nothing.
PIECES = (
    "to",
    " ",
    "!",
    "_",
    "\x1f",
    "\u3000",
    "“",
    '"',
    "Bob",
    "\u200b",
    "\x85",
    ":",
    "/",
    " " * 260,
    "x" * 260,
)


def test_any_text_is_for_someone_or_refused() -> None:
    those = people("Bob", lately="Ming")
    for pieces in product(("/to ", "to:", "tp:", "/ot ", "To ; "), PIECES, PIECES, (*PIECES[:5], "")):
        try:
            match parse_line("".join(pieces)):
                case WhisperTo(str(rest)) if rest:
                    recipient(rest, those)
                case TalkTo(str(name)) if name:
                    partner_name(name, those)
                case Say(near=found):
                    near.check(found, those, lambda _: False)
        except Refusal:
            pass
