"""The nicknames that come with the program: enough of them, short, and each one's own."""

import unicodedata
from collections import Counter
from pathlib import Path

from chatroom.core.names import NamePool, name_key, parse_name

NAMES = [
    line
    for line in (Path(__file__).parent.parent / "name.txt").read_text(encoding="utf-8").splitlines()
    if line and not line.startswith("#")
]


def test_there_are_two_thousand_and_both_languages_have_their_share() -> None:
    chinese = sum("\u4e00" <= name[0] <= "\u9fff" for name in NAMES)
    assert len(NAMES) >= 2000
    assert chinese >= 1000
    assert len(NAMES) - chinese >= 1000


def test_each_name_is_short_and_without_stray_spaces() -> None:
    assert [name for name in NAMES if not 1 <= len(name) <= 14 or name != " ".join(name.split())] == []


def test_no_two_names_are_equal_after_normalisation() -> None:
    keys = Counter(unicodedata.normalize("NFKC", name).casefold() for name in NAMES)
    assert [key for key, count in keys.items() if count > 1] == []


def test_each_is_a_valid_name_and_none_looks_like_another() -> None:
    """`NamePool` drops what looks like an earlier name: of these it drops none."""
    assert [name for name in NAMES if parse_name(name) != name] == []
    keys = Counter(map(name_key, NAMES))
    assert [key for key, count in keys.items() if count > 1] == []
    assert len(NamePool.from_lines(NAMES)) == len(NAMES)
