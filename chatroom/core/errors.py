"""What can be refused, each with its stable code (protocol.md, "Client → server").

A `Refusal` is the peer's mistake or bad luck: it is answered, and everything stays as it was. A `Misuse` is
ours: the caller broke a promise of the core, and nobody should catch it. The words that people read are the
gateways' business.
"""

from __future__ import annotations

from typing import Final

from chatroom.core.characters import shortened

ANSWER_AFTER_S: Final = 0.25  # whoever sends another text sooner has not waited for the answer
_SHOWN: Final = 32  # characters of a refused text that are shown again


class Refusal(Exception):
    """Something asked for that is not done.

    Attributes:
        code: the stable name of the reason, the same on every gateway.
        params: what a client needs to word it, in JSON's types; sent beside the code.
        wording: which of the server's sentences says it, where the code's own says too little.
        answer_after_s: it leaves in doubt whom texts go to. So it is answered only so many seconds after what was
            refused arrived, and every text that arrives before the answer is refused as well. None: no doubt.
        doubts_people: it leaves in doubt who is meant by a name, so private texts that came with it are refused too.
    """

    code: str
    wording: str | None = None
    answer_after_s: float | None = None
    doubts_people = False

    def __init__(self, **params: object) -> None:
        super().__init__(self.code)
        self.params = params


class BadRequest(Refusal):
    """The request has the wrong shape.

    `usage` says the right one where it is a typed command's; `character` is the one (`U+202A`) that no text may hold;
    `field` is the one that is missing or wrong.
    """

    code = "bad_request"


class NotInUtf8(BadRequest):
    """A line that came in another encoding."""

    wording = "line_not_utf8"


class UnknownAction(Refusal):
    code = "unknown_action"


class UnknownCommand(Refusal):
    """No command has that name.

    Attributes:
        arguments: what stood behind it.
    """

    code = "unknown_command"
    arguments = ""

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


class NoSuchPartner(NoSuchPerson):
    """`to:NAME`, or a sentence that begins so, and nobody is called that."""

    wording = "no_such_partner"


class NameGone(NoSuchPerson):
    """The text begins with the name of one who was here until lately, and with a shorter one (`other`) that is here."""

    wording = "name_gone"


class NameUnclear(NoSuchPerson):
    """The text begins with `name`, to whom the writer is new, and with a shorter name that they know (`other`)."""

    wording = "name_unclear"


class NameChangedHands(NoSuchPerson):
    """Somebody else has this name now than when the writer saw it last; said once, so sent `again` it goes to them."""

    wording = "name_changed_hands"
    doubts_people = True
    answer_after_s = 0.0


class NameAfterRestart(NameChangedHands):
    """Nobody knows whether the writer knew this person under the name, or another before the server restarted."""

    wording = "name_after_restart"


class LooksPrivate(BadRequest):
    """It was probably meant for `name` alone, and `usage` says how to write that."""

    wording = "looks_private"


class TextBehindTo(LooksPrivate):
    """`to:NAME TEXT`: `usage` is the command that sends the text to `name`."""

    wording = "text_behind_to"

    @classmethod
    def of(cls, name: str, text: str) -> TextBehindTo:
        """The refusal of a text behind the name of somebody who is here."""
        words = " ".join(text.split())
        shown = shortened(words, _SHOWN)
        return cls(usage=f"/to {name} {shown}{'…' if shown != words else ''}", name=name)


class LooksLikeJoin(BadRequest):
    """It was probably `/join` and the name of a `room` that there is: what follows was meant for the people there."""

    wording = "looks_like_join"
    doubts_people = True


class LooksLikeKey(UnknownCommand):
    """It was probably `/op KEY`."""

    wording = "looks_like_key"


class NotSent(NoSuchPerson):
    """A text that reached nobody: whom it was meant for is in doubt.

    Args:
        wording: which sentence says why.
        code: another refusal's, if it came with what that one refused.
    """

    answer_after_s: float | None = ANSWER_AFTER_S

    def __init__(self, wording: str, code: str = NoSuchPerson.code, **params: object) -> None:
        self.wording, self.code = wording, code
        super().__init__(**params, held=True)


class NoPartner(BadRequest):
    """There is no private talk that could be ended or told of."""

    wording = "talk_choose"


class Yourself(BadRequest):
    """Nobody talks to themselves in private."""

    wording = "talk_yourself"


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
        self.retry_after = retry_after


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
