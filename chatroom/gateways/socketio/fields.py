"""Which fields a text may have besides those that the server reads.

Whoever invents a field may mean by it who receives the text: `user`, `nick`, `channel`, `broadcast: false`. No list of
such words is complete. So it is the other way round: a text with a field that is not listed here is not sent.
"""

from __future__ import annotations

from collections.abc import Mapping, Set
from typing import Final

from chatroom.core.characters import shortened
from chatroom.core.errors import BadRequest

# They name no recipient, and are ignored whatever they hold: what the server says of a message, since some clients send
# a whole frame back; what it asks for at a connection; and what clients add for themselves.
_IGNORED: Final = frozenset(
    {
        *("username", "sid", "id", "time", "name_list", "count", "mine", "edited", "reactions"),
        *("reply_to", "in_reply_to", "v", "lang", "token"),
        *("timestamp", "ts", "date", "nonce", "seq", "client", "version", "color", "colour", "avatar"),
    }
)
_TYPE: Final = "type"  # ignored as well, if it only says that this is a message
_ORDINARY: Final = ("message", "msg", "text", "chat", None)
_SHOWN: Final = 64  # characters of a field's name in its refusal


def check_unknown(data: Mapping[str, object], known: Set[str]) -> None:
    """Check the fields of a text for the room, or for one person.

    Args:
        known: the keys that the server reads; they are not looked at.

    Raises:
        BadRequest: there is another field, and it may be about who receives the text.
    """
    if data.keys() <= known:
        return  # as most have no unknown field
    for key, value in data.items():
        if key in known or key in _IGNORED or (key == _TYPE and value in _ORDINARY):
            continue
        raise BadRequest(field=shortened(key, _SHOWN))
