"""The refusals' codes are a promise to every client."""

import pytest

from chatroom.core.errors import NameReserved, NameTaken, NoSuchPerson, RateLimited, Refusal, TooLong
from chatroom.core.unknown_commands import UnknownCommand


def test_codes_are_those_of_the_protocol() -> None:
    assert {refusal.code for refusal in Refusal.__subclasses__()} == {
        "bad_request",
        "unknown_action",
        "unknown_command",
        "empty",
        "too_long",
        "name_taken",
        "name_invalid",
        "name_reserved",
        "no_such_person",
        "room_invalid",
        "room_full",
        "rate_limited",
        "unavailable",
    }


@pytest.mark.parametrize(
    ("refusal", "params"),
    [
        (UnknownCommand(command="dance"), {"command": "dance"}),
        (TooLong(limit=5), {"limit": 5}),
        (NameTaken(name="A"), {"name": "A"}),
        (NameReserved(name="you"), {"name": "you"}),
        (NoSuchPerson(name="A"), {"name": "A"}),
        (RateLimited(retry_after=0.5), {"retry_after": 0.5}),
    ],
)
def test_refusal_carries_what_its_wording_needs(refusal: Refusal, params: dict[str, object]) -> None:
    assert refusal.params == params
    assert str(refusal) == refusal.code
