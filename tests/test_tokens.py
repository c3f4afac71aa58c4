"""How long a resume token is good for, by a time that is given."""

from __future__ import annotations

import random
import time

import pytest
from itsdangerous import BadSignature, URLSafeTimedSerializer

from chatroom.tokens import Claim, Tokens, made_s, new_serial
from tests.support.inside import alive, no_collector

SECRET = b"s" * 32
DAY_S = 86_400.0


class Now:
    """A time that is set by hand."""

    def __init__(self) -> None:
        self.s = 1_800_000_000.0

    def __call__(self) -> float:
        return self.s


def test_a_token_is_good_for_its_days_and_no_longer() -> None:
    now = Now()
    tokens = Tokens(SECRET, 30 * DAY_S, now)
    token = tokens.write("identity", "Fox")
    now.s += 30 * DAY_S - 1
    assert tokens.read(token) == Claim("identity", "Fox")
    now.s += 2
    assert tokens.read(token) is None


def test_a_token_from_the_future_is_valid_and_expires() -> None:
    now = Now()
    tokens = Tokens(SECRET, 30 * DAY_S, now)
    now.s += 5 * DAY_S
    token = tokens.write("identity", "Fox")
    now.s -= 5 * DAY_S
    assert tokens.read(token) == Claim("identity", "Fox")
    now.s += 35 * DAY_S + 1
    assert tokens.read(token) is None


def test_a_token_has_the_serial_that_it_was_written_with() -> None:
    tokens = Tokens(SECRET, 30 * DAY_S, Now())
    token = tokens.write("identity", "Fox", "s")
    assert tokens.read(token) == Claim("identity", "Fox", "s")


def test_a_serial_says_in_which_second_it_was_made() -> None:
    serials = {new_serial(1_800_000_000.9) for _ in range(100)}
    assert len(serials) == 100
    assert {made_s(serial) for serial in serials} == {1_800_000_000}
    assert {made_s("AbCd_-12"), made_s("")} == {0}


@pytest.mark.parametrize("more", [[], ["a process"], ["a process", "a room"]])
def test_a_token_of_a_version_before_is_read(more: list[str]) -> None:
    token = URLSafeTimedSerializer(SECRET, salt="resume").dumps(["identity", "Fox", *more])
    assert isinstance(token, str)
    claim = Tokens(SECRET, 30 * DAY_S, time.time).read(token)
    assert claim == Claim("identity", "Fox", is_earlier=True)


def test_a_token_tells_whether_an_earlier_process_wrote_it() -> None:
    tokens, later = Tokens(SECRET, 30 * DAY_S, Now()), Tokens(SECRET, 30 * DAY_S, Now())
    token = tokens.write("identity", "Fox")
    assert tokens.read(token) == Claim("identity", "Fox")
    assert later.read(token) == Claim("identity", "Fox", is_earlier=True)


def test_a_token_of_the_longest_name_is_read() -> None:
    tokens = Tokens(SECRET, 30 * DAY_S, Now())
    name = "".join(chr(0x20000 + 41 * number) for number in range(128))
    assert tokens.read(tokens.write("identity", name)) == Claim("identity", name)


def test_only_a_long_token_is_compressed() -> None:
    tokens = Tokens(SECRET, 30 * DAY_S, Now())
    assert not tokens.write("identity", "F" * 32).startswith(".")
    name = "F" * 300
    token = tokens.write("identity", name)
    assert token.startswith(".")
    assert tokens.read(token) == Claim("identity", name)


def test_a_compressed_token_from_an_earlier_version_is_read() -> None:
    token = URLSafeTimedSerializer(SECRET, salt="resume").dumps(["identity", "F" * 32])
    assert str(token).startswith(".")
    claim = Tokens(SECRET, 30 * DAY_S, time.time).read(str(token))
    assert claim == Claim("identity", "F" * 32, is_earlier=True)


def test_a_forged_token_is_freed_without_the_collector() -> None:
    tokens = Tokens(SECRET, 30 * DAY_S, Now())
    signed = tokens.write("identity", "Fox").rpartition(".")[0]
    with no_collector():
        before = alive(BadSignature)
        for forged in ("forged", "a.b.c", f"{signed}.forged"):
            assert tokens.read(forged) is None
        assert alive(BadSignature) == before


def test_what_is_not_ours_is_nobodys() -> None:
    tokens = Tokens(SECRET, 30 * DAY_S, Now())
    foreign = Tokens(b"x" * 32, 30 * DAY_S, Now()).write("identity", "Fox")
    for token in ("", "x", foreign, foreign[:-1], "x" * 2000):
        assert tokens.read(token) is None


def test_no_forged_token_is_read() -> None:
    tokens = Tokens(SECRET, 30 * DAY_S, Now())
    rng = random.Random(17)
    own = [tokens.write(f"identity {number}", f"Fox {number}", "s") for number in range(50)]
    other = Tokens(b"x" * 32, 30 * DAY_S, Now()).write("identity", "Fox")
    old_salt = URLSafeTimedSerializer(SECRET, salt="other").dumps(["identity", "Fox"])
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.=/+ \0é"
    forged = {other, str(old_salt)}
    while len(forged - set(own)) < 2400:
        one, two = rng.sample(own, 2)
        place = rng.randrange(len(one))
        parts, others = one.split("."), two.split(".")
        part = rng.randrange(len(parts))
        forged |= {
            one[:place] + rng.choice(letters) + one[place + 1 :],
            one[:place],
            one[:place] + rng.choice(letters) + one[place:],
            ".".join([*parts[:part], others[part], *parts[part + 1 :]]),
            ".".join(parts[:part] + parts[part + 1 :]),
            "." + one,
            one + one,
            parts[0] + "." + ".".join(other.split(".")[1:]),
        }
    through = [token for token in forged - set(own) if tokens.read(token) is not None]
    assert through == []
    assert all(tokens.read(token) for token in own)
