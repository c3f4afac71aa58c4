"""Words with a slip, found without a list of all that one may type instead."""

from __future__ import annotations

from itertools import product

import pytest

from chatroom.core.slips import is_slip_of

_LETTERS = "asq"  # `a` is beside the two others


def slips(word: str) -> set[str]:
    """A word, and all that is typed instead of it with one slip; the keys are those of `_LETTERS`."""
    beside = {"a": "sq", "s": "a", "q": "a"}
    found = {word}
    for at, key in enumerate(word):
        before, after = word[:at], word[at + 1 :]
        found |= {before + after[:1] + key + after[1:], before + key + key + after}
        for other in beside[key]:
            found |= {before + typed + after for typed in (other, other + key, key + other)}
        if 0 < at < len(word) - 1 and len(word) > 3:
            found.add(before + after)
    return found


@pytest.mark.parametrize("length", range(1, 6))
def test_a_word_with_one_slip_is_found_wherever_it_is(length: int) -> None:
    words = ["".join(letters) for size in range(length + 2) for letters in product(_LETTERS, repeat=size)]
    for word in map("".join, product(_LETTERS, repeat=length)):
        assert {typed for typed in words if is_slip_of(typed, word)} == slips(word)


def test_a_key_beside_the_right_one_is_a_slip() -> None:
    assert is_slip_of("Romro", "Romeo") is is_slip_of("Romeo", "Romeo") is True
    assert not is_slip_of("Rompo", "Romeo")
    assert not is_slip_of("", "")
    assert not is_slip_of("R", "")
