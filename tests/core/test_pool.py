"""Drawing names: random, all different, at a constant price, and without an end."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from chatroom.core.names import NAME_LENGTH, RESERVED, NameDeck, NamePool, name_key, parse_name


def free(key: str) -> bool:
    return False


def test_pool_reads_lines() -> None:
    pool = NamePool.from_lines(
        ["\ufeff# kind", "", " Ming \n", "小雨\r\n", "ming", "MING", "#Lotus", "Lotus"]
    )
    assert tuple(pool.names) == ("Ming", "小雨", "Lotus")
    assert len(pool) == 3


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ([], "empty"),
        (["# none"], "empty"),
        (["Ming", "a\u200bb"], "line 2: 'a\\\\u200bb' cannot be a nickname"),
        (["Ming", "", "admin"], "line 3: 'admin' is a reserved name"),
    ],
)
def test_pool_that_cannot_serve_says_why(lines: list[str], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        NamePool.from_lines(lines)


def test_every_name_is_drawn_before_a_number_is_added() -> None:
    pool = NamePool([f"name {letter}" for letter in "bcdefgh"])
    for seed in range(20):
        deck = pool.deck(random.Random(seed))
        taken: set[str] = set()
        for _ in pool.names:
            taken.add(deck.draw(taken.__contains__))
        assert taken == set(pool.names)
        assert deck.draw(taken.__contains__) not in taken


def test_draws_are_random() -> None:
    pool = NamePool("abcd")
    firsts = [pool.deck(random.Random(seed)).draw(free) for seed in range(400)]
    assert all(60 < firsts.count(name) < 140 for name in pool.names)


def test_two_thousand_people_share_three_names() -> None:
    deck = NamePool(["Ming", "Lotus", "小雨"]).deck(random.Random(7))
    taken: set[str] = set()
    for _ in range(2000):
        key = name_key(deck.draw(taken.__contains__))
        assert key not in taken
        taken.add(key)


def test_names_held_elsewhere_are_passed_over_and_stay_free() -> None:
    pool = NamePool([f"name {number}" for number in range(100, 200)])
    deck = pool.deck(random.Random(3))
    number = deck.draw(lambda key: key in pool.index)  # all are held: a number it is
    assert name_key(number) not in pool.index
    drawn: set[str] = set()
    for _ in pool.names:
        drawn.add(deck.draw(free))
    assert drawn == set(pool.names)


def test_numbered_name_that_the_pool_holds_is_taken_from_it() -> None:
    pool = NamePool(["Ming", *(f"Ming{number}" for number in range(2, 100))])

    def draw_numbered(deck: NameDeck) -> str:
        refusals = iter([True] * 32)
        return deck.draw(lambda key: next(refusals, False))

    decks = (pool.deck(random.Random(seed)) for seed in range(200))
    deck, name = next((deck, name) for deck in decks if (name := draw_numbered(deck)) in pool.names)
    assert {deck.draw(free) for _ in range(len(pool) - 1)} == set(pool.names) - {name}


def test_number_fits_the_longest_name() -> None:
    for base in ("x" * NAME_LENGTH, "y" * 30 + " z"):
        deck = NamePool([base]).deck(random.Random(1))
        deck.draw(free)
        name = deck.draw(free)
        assert parse_name(name) == name
        assert len(name) <= NAME_LENGTH


def test_number_is_counted_out_when_chance_finds_none() -> None:
    """Every number of up to six digits is taken; the draw ends all the same."""
    deck = NamePool(["Ming"]).deck(random.Random(1))
    deck.draw(free)
    name = deck.draw(lambda key: len(key) < len(name_key("Ming")) + 7 or key == name_key("Ming1000000"))
    assert name == "Ming1000001"


def test_number_never_makes_a_reserved_name() -> None:
    """A deck does not ask: no reserved name ends in what could be a digit."""
    digits = tuple(map(name_key, "0123456789"))
    assert not any(name_key(name).endswith(digits) for name in RESERVED)


@given(st.lists(st.integers(0, 19)), st.integers(0))
def test_deck_put_back_whole_is_a_new_deck(taken: list[int], seed: int) -> None:
    pool = NamePool("abcdefghjknpqrstuvwx")
    deck = pool.deck(random.Random(seed))
    for place in taken:
        deck.take(pool.keys[place])
    for place in taken:
        deck.put_back(pool.keys[place])
    assert (deck._free, deck._guests, deck._hosts) == (20, {}, {})


class DeckMachine(RuleBasedStateMachine):
    """A deck beside a plain set of the names taken."""

    @initialize(size=st.integers(1, 8), seed=st.integers(0))
    def begin(self, size: int, seed: int) -> None:
        self.pool = NamePool("abcdefgh"[:size])
        self.deck: NameDeck = self.pool.deck(random.Random(seed))
        self.taken: set[str] = set()

    @rule(held=st.sets(st.sampled_from("abcdefgh")))
    def draw(self, held: set[str]) -> None:
        name = self.deck.draw(lambda key: key in held or key in self.taken)
        assert name not in self.taken | held
        if set(self.pool.names) <= self.taken | held:
            assert name not in self.pool.names
        else:
            assert name in self.pool.names
            self.taken.add(name)

    @rule(name=st.sampled_from("abcdefgh"))
    def take(self, name: str) -> None:
        self.deck.take(name)
        self.taken |= {name} & set(self.pool.names)

    @precondition(lambda self: self.taken)
    @rule(data=st.data())
    def put_back(self, data: st.DataObject) -> None:
        name = data.draw(st.sampled_from(sorted(self.taken)))
        self.deck.put_back(name)
        self.taken.remove(name)

    @rule()
    def put_back_what_is_free(self) -> None:
        for name in set("abcdefghz") - self.taken:
            self.deck.put_back(name)

    @invariant()
    def deck_knows_what_is_free_and_little_else(self) -> None:
        deck = self.deck
        places = {deck._guests.get(place, place) for place in range(deck._free)}
        assert {self.pool.names[place] for place in places} == set(self.pool.names) - self.taken
        assert len(deck._guests) == len(deck._hosts) <= len(self.taken)
        assert {name: place for place, name in deck._guests.items()} == deck._hosts


TestDeckMachine = DeckMachine.TestCase
