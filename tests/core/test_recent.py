"""Names that were given up lately, and whom a session means by a name."""

from __future__ import annotations

import pytest

from chatroom.core.addressed import MOST_ADDRESSED, Addressed
from chatroom.core.recent import LATELY_S, MOST_EACH, MOST_NAMES, Gone, RecentNames

NOW = 1000.0


def again(addressed: Addressed) -> Addressed:
    """As it is after a cut."""
    return Addressed.unpacked(addressed.packed("lobby"), "lobby")


def test_a_name_given_up_is_found_for_ten_minutes() -> None:
    names = RecentNames()
    names.add("Ming Li", "id", NOW)
    assert names.find("ｍｉｎｇ li", NOW + LATELY_S) == Gone("Ming Li", "id", NOW)
    assert names.find("Ming Li", NOW + LATELY_S + 0.001) is None


def test_a_double_of_a_name_given_up_is_not_found() -> None:
    names = RecentNames()
    names.add("Аlice", "id", NOW)  # it begins with a Cyrillic А
    assert names.find("Alice", NOW) is None


def test_a_double_does_not_hide_a_name_given_up() -> None:
    names = RecentNames()
    names.add("Alice", "one", NOW)
    names.add("Аlice", "two", NOW)  # the letter is Cyrillic
    assert names.find("Alice", NOW) == Gone("Alice", "one", NOW)


def test_an_unanswered_question_is_asked_again_after_a_cut() -> None:
    addressed = Addressed()
    assert not addressed.is_other("Ben", "ben", None)
    assert addressed.is_other("Ben", "impostor", None)
    addressed = again(addressed)
    assert addressed.is_other("Ben", "impostor", None)
    assert not addressed.is_other("Ben", "impostor", None)  # sent again: the answer was read
    addressed = again(addressed)
    assert not addressed.is_other("Ben", "impostor", None)
    assert addressed.is_other("Ann", "new", Gone("Ann", "", NOW))
    addressed = again(addressed)
    assert "Ann" not in addressed
    assert addressed.is_other("Ann", "new", Gone("Ann", "", NOW))
    addressed.confirm("new")
    addressed = again(addressed)
    assert addressed.knows("Ann", "new")


def test_a_name_given_up_by_two_has_no_known_owner() -> None:
    names, addressed = RecentNames(), Addressed()
    names.add("Ben", "one", NOW)
    names.add("Ben", "two", NOW + 1)  # who took it, gave it up and takes it again
    before = names.find("Ben", NOW + 1)
    assert addressed.is_other("Ben", "two", before)
    assert not addressed.is_other("Ben", "two", before)


def test_a_name_given_up_twice_by_one_stays_theirs() -> None:
    names = RecentNames()
    names.add("Ben", "one", NOW)
    names.add("Ben", "one", NOW + 1)
    assert not Addressed().is_other("Ben", "one", names.find("Ben", NOW + 1))


def test_a_former_name_is_known_while_its_person_is_here() -> None:
    names = RecentNames()
    names.add("Hugo", "first", NOW)
    names.add("Hugo", "h", NOW + 1, "sid")
    names.add("Eve", "eve", NOW + LATELY_S + 2)  # which forgets older names
    assert names.find("Hugo", NOW + 1) is None
    assert names.former("hugo", NOW + 0.5) == Gone("Hugo", "h", NOW + 1, "sid")
    assert names.former("Hugo", NOW) is None  # who was here before may mean the first one
    assert names.former("Hugo", NOW + 1.5) is None  # a newcomer does not learn who had it
    names.left("sid")
    assert names.former("Hugo", NOW + 0.5) is None
    assert (names._former, names._former_of) == ({}, {})


def test_a_former_name_that_another_gave_up_since_is_nobodys() -> None:
    names = RecentNames()
    names.add("Hugo", "h", NOW, "sid")
    names.add("Hugo", "other", NOW + 1)
    assert names.former("Hugo", NOW + 2) is None


def test_former_names_are_bounded() -> None:
    names = RecentNames()
    for number in range(MOST_EACH + 1):
        names.add(f"guest {number}x", "id", NOW, "sid")
    assert [names.former(f"guest {number}x", NOW - 1) is None for number in (0, 1)] == [True, False]
    for number in range(MOST_NAMES):
        names.add(f"other {number}x", f"id {number}", NOW, f"sid {number}")
    assert len(names._former) == MOST_NAMES


def test_who_had_a_name_long_ago_no_longer_counts() -> None:
    names = RecentNames()
    names.add("Ben", "one", NOW)
    names.add("Ben", "two", NOW + LATELY_S + 1)
    assert names.find("Ben", NOW + LATELY_S + 1) == Gone("Ben", "two", NOW + LATELY_S + 1)


def test_only_the_latest_names_are_remembered() -> None:
    names = RecentNames()
    for number in range(MOST_NAMES + 1):
        names.add(f"guest {number}x", f"id {number}", NOW)
    assert names.find("guest 0x", NOW) is None
    assert names.find("guest 1x", NOW) is not None


def test_ones_own_renames_push_out_nobody_elses_name() -> None:
    names = RecentNames()
    names.add("Ben", "ben", NOW)
    names.add("Eve", "ben", NOW)
    names.add("Eve", "eve", NOW)  # two had it: it is nobody's
    for number in range(MOST_NAMES):
        names.add(f"guest {number}x", "eve", NOW)
    assert names.find("Ben", NOW) is not None
    assert names.find("Eve", NOW) is not None
    kept = [number for number in range(MOST_NAMES) if names.find(f"guest {number}x", NOW)]
    assert kept == list(range(MOST_NAMES - MOST_EACH, MOST_NAMES))


def test_names_given_up_long_ago_cost_nothing() -> None:
    names = RecentNames()
    names.add("Ben", "ben", NOW)
    names.add("Eve", "eve", NOW + LATELY_S + 1)
    assert (len(names._by_key), len(names._keys_of)) == (1, 1)


def test_a_name_of_another_person_is_reported_once() -> None:
    addressed = Addressed()
    assert not addressed.is_other("Ben", "one", None)
    assert addressed.is_other("ben", "two", None)
    assert not addressed.is_other("Ben", "two", None)


def test_a_name_seen_with_another_person_counts_as_known() -> None:
    before = Gone("Ben", "one", NOW)
    assert Addressed().is_other("Ben", "two", before)
    assert not Addressed().is_other("Ben", "one", before)


def test_whom_one_wrote_to_counts_more_than_who_left_last() -> None:
    addressed = Addressed()
    addressed.is_other("Ben", "one", None)
    assert not addressed.is_other("Ben", "one", Gone("Ben", "two", NOW))


def test_writing_to_a_double_does_not_make_the_name_theirs() -> None:
    addressed = Addressed()
    addressed.is_other("Alice", "one", None)
    assert addressed.is_other("Аlice", "two", None)  # the letter is Cyrillic
    assert not addressed.is_other("Аlice", "two", None)
    assert addressed.is_other("Alice", "two", None)


@pytest.mark.parametrize("alike", ["@bob", "Воb", "B0b"])
def test_a_name_that_looks_the_same_may_be_an_impostors(alike: str) -> None:
    for first, later in (("Bob", alike), (alike, "Bob")):
        addressed, names = Addressed(), RecentNames()
        assert not addressed.is_other(first, "one", None)
        assert not addressed.is_other("Bob!", "one", None)  # Bob has renamed himself
        assert addressed.is_other(later, "two", None)
        assert not addressed.is_other(first, "one", None)

        names.add(first, "one", NOW)
        assert names.find(later, NOW) is None
        assert names.find_before(later, NOW) == Gone(first, "one", NOW)
        names.add(later, "two", NOW + 1)
        assert names.find_before(first, NOW + 1) == Gone(later, "", NOW + 1)


def test_names_that_look_the_same_are_bounded() -> None:
    names = RecentNames()
    names.add("Bob", "one", NOW)
    names.add("Воb", "two", NOW)
    for number in range(MOST_EACH + 1):
        names.add(f"guest {number}x", "two", NOW)
    assert names.find_before("Bob", NOW) is not None
    for number in range(MOST_NAMES):
        names.add(f"other {number}x", f"id {number}", NOW)
    assert len(names._by_look) == MOST_NAMES
    names.add("Eve", "eve", NOW + LATELY_S + 1)
    assert len(names._by_look) == 1


def test_a_session_remembers_a_bounded_number_of_people() -> None:
    addressed = Addressed()
    for number in range(MOST_ADDRESSED + 1):
        addressed.is_other(f"guest {number}x", "one", None)
    assert not addressed.is_other("guest 0x", "two", None)
    assert addressed.is_other("guest 2x", "two", None)
