"""Refusals, each with its stable code (protocol.md, "Client → server").

A `Refusal` is the peer's mistake or bad luck: it is answered, and everything stays as it was. A `Misuse` is a bug: the
caller broke a rule of the core, and nobody should catch it. The words that people read are the gateways' business.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, Self

from chatroom.core.characters import shortened

ANSWER_AFTER_S: Final = 0.25  # a client that sends another text sooner has not waited for the answer
_ROOM_FULL_RETRY_S: Final = 5
_OPENING: Final = tuple("\"“'‘`„«‹<＜〈《「『【[(（＂")  # what quotes a name in a `/to`
SHOWN: Final = 32  # characters of a refused text that are quoted
# What ends a pair, a mark or a dash that stands alone, or a quotation mark without another one.
_LOOSE_FIRST: Final = re.compile(
    r"(?:\s|[)\]}>）】》」』”’»]|[*_`~|\"'\u2013\u2014-]+(?=\s|\Z)|(?<!\w)[\"'](?=[^\"']*\Z))+"
)
_PAIRS: Final = {
    **{mark: mark for mark in "*_`~\"'"},
    **dict(zip(")]}>）】》」』”’»", "([{<（【《「『“‘«", strict=True)),
}
_SMILEY: Final = re.compile(r"[:;=8][-o^]?[)\]}>*|]\Z")
_LONGEST_SMILEY: Final = 3


class Refusal(Exception):
    """A request that is not carried out.

    Attributes:
        code: the stable name of the reason, the same on every gateway.
        params: what a client needs to word it, in JSON's types; sent beside the code.
        wording: the server's sentence for it, where the sentence of the code says too little.
        said: what only that sentence needs; not sent.
        answer_after_s: the refusal makes it doubtful who receives texts. So it is answered only so many seconds after
            the refused text arrived, and every text that arrives before the answer is refused as well. None: no doubt.
        doubts_people: it is doubtful who is meant by a name, so private texts that came with it are refused too.
    """

    code: str
    wording: str | None = None
    said: Mapping[str, object] = MappingProxyType({})
    _answer_after_s: float | None = None
    _doubts_people = False

    def __init__(self, **params: object) -> None:
        super().__init__(self.code)
        self.params = params

    @property
    def answer_after_s(self) -> float | None:
        return self._answer_after_s

    @property
    def doubts_people(self) -> bool:
        return self._doubts_people

    def copy(self) -> Self:
        """The same refusal, without its traceback and context."""
        copied = type(self).__new__(type(self), *self.args)
        vars(copied).update(vars(self))
        return copied

    def with_doubt(self, answer_after_s: float | None = ANSWER_AFTER_S, *, people: bool = False) -> Self:
        """A copy that is answered after so many seconds, and leaves people in doubt if `people` or it did before."""
        copied = self.copy()
        vars(copied).update(_answer_after_s=answer_after_s, _doubts_people=people or self._doubts_people)
        return copied

    def packed(self) -> bytes:
        """What `unpacked` makes the same refusal of, in a fifth of its memory."""
        kept = self.code, self.wording, self._answer_after_s, self._doubts_people, self.params
        return json.dumps(kept, separators=(",", ":")).encode()

    @classmethod
    def unpacked(cls, packed: bytes) -> Self:
        """The refusal of this class that was packed."""
        code, wording, answer_after_s, people, params = json.loads(packed)
        refusal = cls.__new__(cls, code)
        vars(refusal).update(code=code, wording=wording, params=params)
        vars(refusal).update(_answer_after_s=answer_after_s, _doubts_people=people)
        return refusal


def usage_for(name: str, text: str, *, is_quoted: bool = False) -> str:
    """What to type to send this text to one person, shortened; without a text, to start a private chat."""
    words = _without_loose_marks(" ".join(text.split()))
    shown = shortened(words, SHOWN)
    to = f'"{name}"' if is_quoted else typed_name(name)
    return f"/to {to} {shown}{'…' if shown != words else ''}" if words else f"to:{name}"


def typed_name(name: str) -> str:
    """A name as it is typed before a text: in quotes if it has some first, which may be around a shorter name."""
    return f'"{name}"' if name.startswith(_OPENING) else name


def _without_loose_marks(text: str) -> str:
    """A text without marks around it that belong to what stood before it: `(to Bob) x`, `"to Bob x"`."""
    text = text[found.end() :] if (found := _LOOSE_FIRST.match(text)) is not None else text
    opening = _PAIRS.get(text[-1:])
    if opening is None or _SMILEY.search(text, len(text) - _LONGEST_SMILEY):
        return text
    is_paired = text.count(opening) % 2 == 0 if opening == text[-1] else opening in text
    return text if is_paired else text[:-1].rstrip()


class BadRequest(Refusal):
    """The request has the wrong shape.

    `usage` shows the right one for a typed command; `character` is the one (`U+202A`) that no text may contain; `field`
    is the one that is missing, wrong or unknown.
    """

    code = "bad_request"


class NotInUtf8(BadRequest):
    """A line that came in another encoding."""

    wording = "line_not_utf8"


class LineEdited(BadRequest):
    """A line with keys that a shell would edit it with."""

    wording = "line_edited"


class MayAnswer(BadRequest):
    """A text for the room may be meant for one person, perhaps called `name`; sent again, it goes to the room."""

    wording = "may_answer"

    def __init__(self, *, name: str) -> None:
        super().__init__(**({"name": name} if name else {}))
        if not name:
            self.wording = "may_be_private"


class UnknownAction(Refusal):
    code = "unknown_action"


class Empty(Refusal):
    """A message without a visible character."""

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
    """Not a name: `character` is the hidden one (`U+202A`) if that is the reason."""

    code = "name_invalid"


class NameReserved(Refusal):
    """A name that is, or looks like, a name of the service itself."""

    code = "name_reserved"

    def __init__(self, *, name: str) -> None:
        super().__init__(name=name)


class NoSuchPerson(Refusal):
    """Nobody here has that name; there is no `name` if it is unknown which words were meant as one."""

    code = "no_such_person"

    def __init__(self, **params: object) -> None:
        super().__init__(**params)
        if self.wording is None and params.get("name"):
            self.wording = "no_such_name"


class NoSuchRecipient(NoSuchPerson):
    """`/to NAME TEXT`, and nobody has that name; perhaps `near` was meant, and `usage` sends it there."""

    wording = "no_such_recipient"

    def __init__(self, *, name: str, near: str | None = None, text: str = "") -> None:
        super().__init__(name=name)
        if near is not None:
            self.wording = f"{self.wording}_near"
            self.params.update(near=near, usage=usage_for(near, text))


class NoSuchPartner(NoSuchRecipient):
    """`to:NAME`, or a sentence that begins so, and nobody has that name."""

    wording = "no_such_partner"


class NameGone(NoSuchPerson):
    """The text begins with the name of someone who left recently, and with a shorter one (`other`) of someone here."""

    wording = "name_gone"


class NameUnclear(NoSuchPerson):
    """The text may be for `name`, or for someone with a shorter name (`other`) that it begins with as well."""

    wording = "name_unclear"


class NameNow(NoSuchPerson):
    """The person who was called `name` is here under another name, `now`."""

    wording = "name_now"


class NameChangedHands(NoSuchPerson):
    """The name now belongs to another person than the writer knew; refused once, so sent `again` it goes to them."""

    wording = "name_changed_hands"
    _doubts_people = True
    _answer_after_s = 0.0

    def __init__(self, *, name: str, again: bool = True) -> None:
        super().__init__(name=name, again=again)
        self.said = {"usage": f"/to {typed_name(name)} TEXT"}


class NameAfterRestart(NameChangedHands):
    """The server has restarted: it does not know whether the writer knew this person under the name, or another."""

    wording = "name_after_restart"

    def __init__(self, *, name: str, again: bool = True) -> None:
        super().__init__(name=name, again=again)
        self.params["restarted"] = True


class LooksPrivate(BadRequest):
    """It was probably meant for `name` alone, and `usage` shows how to send that."""

    wording = "looks_private"

    @classmethod
    def of(cls, name: str, text: str) -> Self:
        """The refusal of a text after the name of someone who is here."""
        return cls(usage=usage_for(name, text), name=name)


class UnreadMayBePrivate(BadRequest):
    """The text is too long to read whole, and an unread part begins like a private text."""

    wording = "unread_may_be_private"


class LooksPrivateGone(LooksPrivate):
    """It was probably meant for `name` alone, who is no longer here, or here as `now`."""

    wording = "looks_private_gone"

    @classmethod
    def renamed(cls, name: str, now: str, text: str) -> Self:
        """The same, if that person has since changed their name."""
        refused = cls(usage=usage_for(now, text), name=name, now=now)
        refused.wording = "looks_private_now"
        return refused


class TextAfterTo(LooksPrivate):
    """`to:NAME TEXT`: `usage` is the command that sends the text to `name`."""

    wording = "text_after_to"


class PrivateArgument(LooksPrivate):
    """The new name in `/name`, or the room in `/join`, is probably a private text: others would see it."""

    wording = "private_argument"


class NoTextAfterTo(LooksPrivate):
    """`/to NAME` without a text."""

    wording = "no_text_after_to"


class LooksLikeJoin(BadRequest):
    """It was probably `/join` with the name of a `room` that exists: the next texts were meant for the people there."""

    wording = "looks_like_join"
    _doubts_people = True


class NotSent(NoSuchPerson):
    """A text that was not sent, because it is doubtful who should receive it.

    Args:
        wording: the sentence that says why.
        code: that of another refusal, if the text came with a refused one.
    """

    _answer_after_s = ANSWER_AFTER_S

    def __init__(self, wording: str, code: str = NoSuchPerson.code, **params: object) -> None:
        self.wording, self.code = wording, code
        super().__init__(**params, held=True)


class NoPartner(BadRequest):
    """There is no private chat that could be ended or reported."""

    wording = "talk_choose"


class Yourself(BadRequest):
    """Nobody can chat with themselves in private."""

    wording = "talk_yourself"


class RoomInvalid(Refusal):
    """Not a room's name: `character` is the hidden one (`U+202A`) if that is the reason."""

    code = "room_invalid"


class RoomFull(Refusal):
    """No place is free; `retry_after` is in seconds, always the same: nobody knows when one becomes free."""

    code = "room_full"

    def __init__(self) -> None:
        super().__init__(retry_after=_ROOM_FULL_RETRY_S)


class RateLimited(Refusal):
    """Too much at once; `retry_after` is in seconds."""

    code = "rate_limited"

    def __init__(self, *, retry_after: float) -> None:
        super().__init__(retry_after=retry_after)
        self.retry_after = retry_after

    def later(self, retry_after: float) -> Self:
        """A copy with another time."""
        copied = self.copy()
        vars(copied).update(retry_after=retry_after, params={"retry_after": retry_after})
        return copied


class Unavailable(Refusal):
    """It failed for now, or its outcome is unknown. A retry with the same `cid` is safe."""

    code = "unavailable"


class Misuse(Exception):
    """The program, not a person, broke a rule of the core."""


class NotAMember(Misuse):
    """The session is not in the room: it has not joined, or has left."""


class AlreadyAMember(Misuse):
    """The session is in the room already: one session is one member."""
