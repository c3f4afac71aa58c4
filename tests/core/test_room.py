"""A room's rules, one at a time; `test_room_machine.py` mixes them."""

import random

import pytest

from chatroom.core.errors import AlreadyAMember, BadRequest, NameTaken, NotAMember, RoomFull
from chatroom.core.events import Joined, Left, Person, Renamed, Whispered
from chatroom.core.names import NamePool
from chatroom.core.room import Room

POOL = NamePool(["Ming", "Lotus", "小雨"])


def make_room(limit: int | None = None, *names: str) -> Room:
    room = Room(POOL, random.Random(1), limit)
    for name in names:
        room.join(f"sid-{name}", name)
    return room


def test_newcomer_without_a_name_gets_one_from_the_pool() -> None:
    room = make_room()
    joined = room.join("a", None)
    assert joined == Joined(Person("a", joined.who.name))
    assert joined.who.name in POOL.names
    assert dict(room.members) == {"a": joined.who}


def test_the_fourth_of_three_names_gets_a_number() -> None:
    room = make_room()
    names = [room.join(str(i), None).who.name for i in range(4)]
    assert sorted(names[:3]) == sorted(POOL.names)
    assert names[3].rstrip("0123456789") in POOL.names
    assert names[3] not in POOL.names


@pytest.mark.parametrize("double", ["Alice", "ALICE", "Аlice", "Ａlice", "A1ice", "aIice"])
def test_name_that_looks_like_anothers_is_taken(double: str) -> None:
    room = make_room(None, "Alice")
    with pytest.raises(NameTaken) as refusal:
        room.join("b", double)
    assert refusal.value.params == {"name": double}
    assert len(room) == 1


def test_held_name_is_taken_for_others() -> None:
    room = make_room()
    with pytest.raises(NameTaken):
        room.join("a", "Ming", reserved=lambda key: True)


def test_held_name_is_not_drawn() -> None:
    for _ in range(20):
        room = make_room(None, "Lotus")
        assert room.join("b", None, reserved=lambda key: key == "rnlng").who.name == "小雨"


def test_wanted_name_of_the_pool_is_not_drawn_again() -> None:
    room = make_room(None, "ming")
    assert {room.join("b", None).who.name, room.join("c", None).who.name} == {"Lotus", "小雨"}


def test_full_room_admits_nobody_until_somebody_leaves() -> None:
    room = make_room(1, "A")
    with pytest.raises(RoomFull):
        room.join("b", "B")
    room.leave("sid-A")
    room.join("b", "B")


def test_one_session_joins_once() -> None:
    room = make_room(None, "A")
    with pytest.raises(AlreadyAMember):
        room.join("sid-A", "B")


def test_who_leaves_is_gone_and_the_name_is_free() -> None:
    room = make_room(None, "A")
    assert room.leave("sid-A") == Left(Person("sid-A", "A"))
    assert len(room) == 0
    room.join("b", "A")


def test_rename_keeps_the_place_and_frees_the_old_name() -> None:
    room = make_room(None, "A", "B")
    assert room.rename("sid-A", "C") == Renamed("sid-A", "A", "C")
    assert [person.name for person in room.members.values()] == ["C", "B"]
    room.join("a", "A")


def test_member_may_change_the_case_of_their_own_name() -> None:
    room = make_room(None, "alice")
    assert room.rename("sid-alice", "Alice", reserved=lambda key: True) == Renamed(
        "sid-alice", "alice", "Alice"
    )
    assert room.members["sid-alice"] == Person("sid-alice", "Alice")


def test_rename_to_somebody_elses_name_is_refused() -> None:
    room = make_room(None, "A", "B")
    with pytest.raises(NameTaken):
        room.rename("sid-A", "b")
    assert [person.name for person in room.members.values()] == ["A", "B"]


def test_rename_without_a_wanted_name_draws_another() -> None:
    room = make_room(None, "Ming")
    for _ in range(20):
        renamed = room.rename("sid-Ming", None)
        assert renamed.new != renamed.old
        assert renamed.new in POOL.names


def test_whisper_names_the_two() -> None:
    room = make_room(None, "A", "B", "C")
    assert room.whisper("sid-A", "sid-B", "hi") == Whispered(Person("sid-A", "A"), Person("sid-B", "B"), "hi")


def test_whisper_to_oneself_is_refused() -> None:
    room = make_room(None, "A")
    with pytest.raises(BadRequest):
        room.whisper("sid-A", "sid-A", "hi")


def test_stranger_can_do_nothing() -> None:
    room = make_room(None, "A")
    for act in (
        lambda: room.leave("x"),
        lambda: room.rename("x", "B"),
        lambda: room.whisper("x", "sid-A", "hi"),
        lambda: room.whisper("sid-A", "x", "hi"),
    ):
        with pytest.raises(NotAMember):
            act()
