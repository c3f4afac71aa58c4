"""What can be refused, each with its stable code (protocol.md, "Client → server").

A `Refusal` is the peer's mistake or bad luck: it is answered, and everything stays as it was. A `Misuse` is
ours: the caller broke a promise of the core, and nobody should catch it. The words that people read are the
gateways' business.
"""

from typing import ClassVar


class Refusal(Exception):
    """Something asked for that is not done.

    Attributes:
        code: the stable name of the reason, the same on every gateway.
        params: what a client needs to word it, in JSON's types; sent beside the code.
    """

    code: ClassVar[str]

    def __init__(self, **params: object) -> None:
        super().__init__(self.code)
        self.params = params


class BadRequest(Refusal):
    """The request has the wrong shape.

    `usage` says the right one where it is a typed command's; `character` is the one (`U+202A`) that no text may hold.
    """

    code = "bad_request"


class UnknownAction(Refusal):
    code = "unknown_action"


class UnknownCommand(Refusal):
    code = "unknown_command"

    def __init__(self, *, command: str) -> None:
        super().__init__(command=command)


class Empty(Refusal):
    """A message in which nothing can be seen."""

    code = "empty"


class TooLong(Refusal):
    """A text of more than `limit` code points."""

    code = "too_long"

    def __init__(self, *, limit: int) -> None:
        super().__init__(limit=limit)


class NameTaken(Refusal):
    """Somebody in the room has this name, or one that looks like it."""

    code = "name_taken"

    def __init__(self, *, name: str) -> None:
        super().__init__(name=name)


class NameInvalid(Refusal):
    """No name: `character` is the hidden one (`U+202A`) where that is the reason."""

    code = "name_invalid"


class NameReserved(Refusal):
    """A name, or one that looks like it, that would pass for the service itself."""

    code = "name_reserved"

    def __init__(self, *, name: str) -> None:
        super().__init__(name=name)


class NoSuchPerson(Refusal):
    """Nobody here is called that; without a `name` where it cannot be told which words were meant as one."""

    code = "no_such_person"


class RoomInvalid(Refusal):
    """No room's name: `character` is the hidden one (`U+202A`) where that is the reason."""

    code = "room_invalid"


class RoomFull(Refusal):
    code = "room_full"


class RateLimited(Refusal):
    """Too much at once; `retry_after` is in seconds."""

    code = "rate_limited"

    def __init__(self, *, retry_after: float) -> None:
        super().__init__(retry_after=retry_after)


class Unavailable(Refusal):
    """It could not be done now; whether it was done may be unknown. A retry with the same `cid` is safe."""

    code = "unavailable"


REFUSALS: dict[str, type[Refusal]] = {
    refusal.code: refusal
    for refusal in (
        BadRequest,
        UnknownAction,
        UnknownCommand,
        Empty,
        TooLong,
        NameTaken,
        NameInvalid,
        NameReserved,
        NoSuchPerson,
        RoomInvalid,
        RoomFull,
        RateLimited,
        Unavailable,
    )
}


class Misuse(Exception):
    """The program, not a person, broke a rule of the core."""


class NotAMember(Misuse):
    """The session is not in the room: it has not joined, or has left."""


class AlreadyAMember(Misuse):
    """The session is in the room already: one session is one member."""
