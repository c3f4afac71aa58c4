"""The wire format: events as `msg` objects, and `msg` objects as requests (protocol, section 1).

Only this module spells the names of actions and fields. It knows shapes; the service knows what is allowed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, TypeVar

import msgspec
from msgspec import UNSET, Meta, UnsetType

from chatroom.core.errors import BadRequest, Refusal, UnknownAction
from chatroom.core.events import Person, Renamed, Whispered
from chatroom.core.log import PAGE_ENTRIES, Entry, Page
from chatroom.core.utc import time_text
from chatroom.gateways.socketio.fields import check_unknown

VERSION = 1
_Shape = TypeVar("_Shape")
_MAX_STRING = 1024  # characters of a string in a request other than `msg`
_MAX_ESCAPE = 12  # characters that JSON may take for one: two surrogates
_MAX_OTHER = 4096  # characters that JSON may take for all else: keys, fields that the server does not know

String = Annotated[str, Meta(max_length=_MAX_STRING)]
Limit = Annotated[int, Meta(ge=1, le=PAGE_ENTRIES)]


class Auth(msgspec.Struct):
    """What a client may send when it connects."""

    room: String | None = None
    username: String | None = None
    token: String | None = None
    after: String | None = None
    roster: str | None = None
    lang: String | None = None
    v: Annotated[int, Meta(ge=1)] | None = None


class Message(msgspec.Struct):
    """`room`: where the client believes it is."""

    msg: str
    cid: Annotated[str, Meta(min_length=1, max_length=64)] | None = None
    room: String | None = None


class Whisper(msgspec.Struct):
    """`typed`: `msg` is as a person typed it in a private chat; `confirmed`: they know that it may be someone else.

    A `to_sid` of null is wrong: a client that has lost the id must not reach another person by the name.
    """

    msg: str
    to: String | None = None
    to_sid: String | UnsetType = UNSET
    typed: bool = False
    confirmed: bool = False
    cid: Annotated[str, Meta(min_length=1, max_length=64)] | None = None
    room: String | None = None


class Rename(msgspec.Struct):
    username: String | None = None
    suggest: bool = False


class Lang(msgspec.Struct):
    lang: String


class Join(msgspec.Struct):
    room: String


class History(msgspec.Struct):
    before: String | None = None
    after: String | None = None
    limit: Limit = 50


class Who(msgspec.Struct):
    """With `sid`: who has resumed that session."""

    sid: String | None = None


class Typing(msgspec.Struct):
    pass


class Ping(msgspec.Struct):
    """Asks only for the ack: a client finds out whether its connection is alive."""


class Logout(msgspec.Struct):
    pass


Request = Message | Whisper | Rename | Lang | Join | History | Who | Typing | Ping | Logout

ACTIONS: Mapping[str, type[Request]] = {
    "message": Message,
    "send msg": Message,
    "whisper": Whisper,
    "rename": Rename,
    "lang": Lang,
    "join": Join,
    "history": History,
    "who": Who,
    "typing": Typing,
    "ping": Ping,
    "logout": Logout,
}


_TEXT_FIELDS: Mapping[type[Request], frozenset[str]] = {
    kind: frozenset(("action", *kind.__struct_fields__)) for kind in (Message, Whisper)
}

# Where msgspec says which field is wrong, or missing.
_FIELD = re.compile(r"(?:`\$\.|required field `)(\w+)")


MAX_AUTH = _MAX_OTHER + _MAX_ESCAPE * 5 * _MAX_STRING
"""The length of an `auth` as JSON: no valid one is longer."""


def max_event(longest: int) -> int:
    """The length of an event as JSON: with a text of at most `longest` characters, no valid one is longer."""
    return _MAX_OTHER + _MAX_ESCAPE * (longest + 3 * _MAX_STRING)


def max_commas(longest: int) -> int:
    """How many commas an event may have: all characters of a text, and those between the fields."""
    return _MAX_OTHER // 8 + longest


def read_auth(data: object) -> Auth:
    """The auth that a client sent when it connected.

    Raises:
        BadRequest: it is not an object, or a key has a wrong type.
    """
    if data is None:
        return Auth()
    if not isinstance(data, dict):
        raise BadRequest()
    auth = _convert(data, Auth)
    if auth.roster not in (None, "full", "delta"):
        raise BadRequest(field="roster")
    return auth


def read_request(arguments: Sequence[object]) -> Request:
    """The request in the arguments of a `msg` event.

    Raises:
        BadRequest: there is not exactly one object; it has no action, a field of a wrong type, or two that exclude each
            other; or it is a text with an unknown field, which may say who should receive it.
        UnknownAction: there is no action of this name.
    """
    if len(arguments) != 1 or not isinstance(arguments[0], dict):
        raise BadRequest()
    action = arguments[0].get("action")
    if not isinstance(action, str):
        raise BadRequest()
    kind = ACTIONS.get(action)
    if kind is None:
        raise UnknownAction()
    request = _convert(arguments[0], kind)
    match request:
        case History(before=str(), after=str()) | Rename(username=str(), suggest=True):
            raise BadRequest()
        case Whisper(to=None, to_sid=UnsetType()):
            raise BadRequest(field="to")
        case Message() | Whisper():
            check_unknown(arguments[0], _TEXT_FIELDS[kind])
    return request


def may_join(arguments: Sequence[object]) -> bool:
    """Whether an event's arguments are a `join`, or an unknown request that may be meant as one."""
    if len(arguments) != 1 or not isinstance(arguments[0], dict):
        return True
    action = arguments[0].get("action")
    return not isinstance(action, str) or action not in ACTIONS or action == "join"


def _convert(data: dict[str, object], kind: type[_Shape]) -> _Shape:
    try:
        return msgspec.convert(data, kind)
    except msgspec.ValidationError as problem:
        found = _FIELD.search(str(problem))
        raise BadRequest(**({"field": found[1]} if found is not None else {})) from None
    except RecursionError:
        raise BadRequest() from None


# Out

encode = msgspec.json.Encoder().encode


def frame(fields: Mapping[str, object]) -> str:
    """A `msg` object as JSON, encoded once for all who receive it."""
    return encode(fields).decode()


def name_list(people: Iterable[Person]) -> msgspec.Raw:
    """A `name_list`: pairs of name and session id, in the order of joining."""
    return msgspec.Raw(encode([(person.name, person.sid) for person in people]))


def presence(
    action: str, who: Person, room: str, count: int, at_ms: int, names: msgspec.Raw | None
) -> dict[str, object]:
    """A `login` or `logout`; without names where another frame of the same burst carries them."""
    fields: dict[str, object] = {"action": action, "username": who.name, "sid": who.sid}
    if names is not None:
        fields["name_list"] = names
    return fields | {"room": room, "count": count, "time": time_text(at_ms)}


def roster(joined: Iterable[Person], left: Iterable[Person], count: int, at_ms: int) -> dict[str, object]:
    return {
        "action": "roster",
        "joined": name_list(joined),
        "left": name_list(left),
        "count": count,
        "time": time_text(at_ms),
    }


def message(room: str, entry: Entry, sid: str | None = None, cid: str | None = None) -> dict[str, object]:
    """A message: from the log, live (with `sid`), or to its own sender (with `cid`, if one was given)."""
    fields: dict[str, object] = {"action": "message", "username": entry.name}
    if sid is not None:
        fields["sid"] = sid
    fields |= {"msg": entry.text, "id": entry.id, "time": time_text(entry.at_ms), "room": room}
    if cid is not None:
        fields["cid"] = cid
    return fields


def whisper(whispered: Whispered, msg: str, at_ms: int) -> dict[str, object]:
    return {
        "action": "whisper",
        "username": whispered.who.name,
        "to": whispered.to.name,
        "msg": msg,
        "time": time_text(at_ms),
    }


def rename(renamed: Renamed, msg: str, at_ms: int, names: msgspec.Raw | None) -> dict[str, object]:
    fields: dict[str, object] = {
        "action": "rename",
        "username": renamed.old,
        "to": renamed.new,
        "sid": renamed.sid,
        "msg": msg,
        "time": time_text(at_ms),
    }
    return fields if names is None else fields | {"name_list": names}


def typing(who: Person) -> dict[str, object]:
    return {"action": "typing", "username": who.name}


def notice(code: str, msg: str, at_ms: int, parameters: Mapping[str, object]) -> dict[str, object]:
    own = {"action": "notice", "username": "*", "msg": msg, "code": code, "time": time_text(at_ms)}
    return {**parameters, **own}


def refusal(refused: Refusal, msg: str) -> dict[str, object]:
    """The ack of an event that was refused."""
    return {**refused.params, "ok": False, "code": refused.code, "msg": msg}


def page(room: str, found: Page) -> dict[str, object]:
    """The fields of a `history` ack."""
    return {
        "entries": [message(room, entry) for entry in found.entries],
        "more": found.more,
        "gap": found.gap,
    }
