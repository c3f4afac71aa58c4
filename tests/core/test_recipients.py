"""Whom a typed text is for, by the name that it begins with."""

import pytest

from chatroom.core.confusables import fold
from chatroom.core.recipients import longest_match, loose_match


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
    assert loose_match("ﷺ, " * 400, tried.append) is None
    assert 0 < len(tried) <= 4 * 16  # four ways to read it, and a name has 16 words at the most

    of_letters = " ".join("abcdefghijklmnop")
    found = loose_match(f"{of_letters} hello", {of_letters: 1}.get)
    assert found is not None
    assert found.rest == "hello"
