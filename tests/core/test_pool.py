"""Drawing names: random, distinct, in the reader's script, at a bounded cost, and never exhausted."""

import random

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from chatroom.core.names import NAME_LENGTH, NamePool, name_key, parse_name
from chatroom.core.reserved import is_reserved
from tests.core.test_characters import ENGLAND

LATIN = ["Sly Fox", "Rainbow's End", "Forget-me-not", "Ｗｉｄｅ"]
HAN = ["狡猾的狐狸", "小满", "ひまわり", "カエル", "多々"]
EITHER = ["小K", "42", "🦊"]  # of both scripts, or of neither


def draw_all(pool: NamePool, lang: str | None, count: int, rng: random.Random) -> list[str]:
    """Draw so many names, each for another member of one room."""
    drawn: list[str] = []
    used: set[str] = set()
    for _ in range(count):
        drawn.append(pool.draw(rng, used, lang=lang))
        used.add(name_key(drawn[-1]))
    return drawn


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
        (["Ming", "a\u200bb"], "line 2: 'a\\\\u200bb' cannot be a nickname: it contains U\\+200B"),
        (["a  b"], "line 1: 'a  b' cannot be a nickname$"),
        (["Ming", "", "admin"], "line 3: 'admin' is a reserved name"),
    ],
)
def test_pool_that_cannot_serve_says_why(lines: list[str], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        NamePool.from_lines(lines)


def test_every_name_is_drawn_before_a_number_is_added() -> None:
    pool = NamePool([f"name {letter}" for letter in "bcdefgh"])
    for seed in range(20):
        *drawn, numbered = draw_all(pool, None, len(pool) + 1, random.Random(seed))
        assert set(drawn) == set(pool.names)
        assert numbered not in pool.names


def test_draws_are_random() -> None:
    pool = NamePool("abcd")
    firsts = [pool.draw(random.Random(seed), ()) for seed in range(400)]
    assert all(60 < firsts.count(name) < 140 for name in pool.names)


def test_draws_from_what_is_left_are_random() -> None:
    pool = NamePool([f"name {number}" for number in range(1000, 3000)])
    used = {name_key(name) for name in pool.names[4:]}
    drawn = [pool.draw(random.Random(seed), used) for seed in range(400)]
    assert all(60 < drawn.count(name) < 140 for name in pool.names[:4])


def test_two_thousand_people_share_three_names() -> None:
    pool = NamePool(["Ming", "Lotus", "小雨"])
    drawn = draw_all(pool, None, 2000, random.Random(7))
    assert len(set(map(name_key, drawn))) == 2000


def test_held_names_are_passed_over_at_a_bounded_price() -> None:
    pool = NamePool([f"name {number}" for number in range(1000, 3000)])
    keys = set(map(name_key, pool.names))
    asked: list[str] = []

    def held(key: str) -> bool:
        asked.append(key)
        return key in keys

    number = pool.draw(random.Random(3), (), held)  # all are held: a number it is
    assert name_key(number) not in keys
    assert len(asked) < 100


@pytest.mark.parametrize("lang", ["en", "zh", None])
def test_the_one_name_that_is_free_is_found(lang: str | None) -> None:
    pool = NamePool([*LATIN, *HAN, *EITHER])
    free = name_key("42")
    held = {name_key(name) for name in pool.names[::2]} - {free}
    used = set(map(name_key, pool.names)) - held - {free}
    for seed in range(20):
        assert pool.draw(random.Random(seed), used, held.__contains__, lang) == "42"


@pytest.mark.parametrize(("lang", "fitting"), [("en", LATIN), ("zh", HAN)])
def test_names_are_of_the_readers_script(lang: str, fitting: list[str]) -> None:
    pool = NamePool([*LATIN, *HAN, *EITHER])
    serving = [*fitting, *EITHER]
    *drawn, numbered = draw_all(pool, lang, len(serving) + 1, random.Random(5))
    assert sorted(drawn) == sorted(serving)
    assert any(numbered.startswith(name) for name in serving)


@pytest.mark.parametrize("lang", [None, "fr"])
def test_without_a_known_language_all_names_serve(lang: str | None) -> None:
    pool = NamePool([*LATIN, *HAN, *EITHER])
    assert sorted(draw_all(pool, lang, len(pool), random.Random(5))) == sorted(pool.names)


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("lines", [LATIN, HAN, ["Лиса", "Сова"], [*LATIN, *EITHER], [*HAN, *EITHER]])
def test_names_of_one_script_serve_all(lines: list[str], lang: str) -> None:
    assert sorted(draw_all(NamePool(lines), lang, len(lines), random.Random(5))) == sorted(lines)


def test_number_fits_the_longest_name() -> None:
    for base in ("x" * NAME_LENGTH, "y" * 30 + " z"):
        name = NamePool([base]).draw(random.Random(1), {name_key(base)})
        assert parse_name(name) == name
        assert len(name) <= NAME_LENGTH


def test_pool_takes_names_with_joiners() -> None:
    names = ["می\u200cخواهم", "👨\u200d👩\u200d👧", "🏳\ufe0f\u200d🌈", "\U0001fae9"]
    assert NamePool.from_lines([*names, "میخواهم"]).names == names


@pytest.mark.parametrize(
    "base", [f"👩\u200d❤\ufe0f\u200d{'👩'}" * 21, f"{ENGLAND}" * 18, "بی\u200c" * 15 + "بی"]
)
def test_number_never_cuts_a_sequence(base: str) -> None:
    assert parse_name(base) == base
    name = NamePool([base]).draw(random.Random(1), {name_key(base)})
    assert parse_name(name) == name
    assert name[-1].isdigit()


def test_number_is_counted_out_when_chance_finds_none() -> None:
    """Every number of up to six digits is taken; the draw ends all the same."""

    def taken(key: str) -> bool:
        return len(key) < len(name_key("Ming")) + 7 or key == name_key("Ming1000000")

    assert NamePool(["Ming"]).draw(random.Random(1), (), taken) == "Ming1000001"


def test_number_never_makes_a_reserved_name() -> None:
    """`Roo7` and `Roo7` with more digits would pass for `root`."""
    pool, used = NamePool(["Roo"]), {name_key("Roo")}
    numbered = [pool.draw(random.Random(seed), used) for seed in range(1000)]
    assert [name for name in numbered if is_reserved(name)] == []


class DrawMachine(RuleBasedStateMachine):
    """Draws while names are taken, held and given up; a pool holds `a` beside `a2`."""

    @initialize(size=st.integers(1, 8), seed=st.integers(0))
    def begin(self, size: int, seed: int) -> None:
        self.pool = NamePool(["a", "a2", "a3", "狐", "狐2", "猫", "b", "7"][:size])
        self.rng = random.Random(seed)
        self.used: set[str] = set()

    @rule(
        held=st.sets(st.sampled_from(["a", "a2", "狐", "7", "x"]).map(name_key)),
        lang=st.sampled_from(["en", "zh", None]),
    )
    def draw(self, held: set[str], lang: str | None) -> None:
        name = self.pool.draw(self.rng, self.used, held.__contains__, lang)
        assert parse_name(name) == name
        assert name_key(name) not in self.used | held
        if lang is None and not set(map(name_key, self.pool.names)) <= self.used | held:
            assert name in self.pool.names
        self.used.add(name_key(name))

    @rule(choose=st.randoms(use_true_random=False))
    def give_up(self, choose: random.Random) -> None:
        if self.used:
            self.used.remove(choose.choice(sorted(self.used)))


TestDrawMachine = DrawMachine.TestCase
