"""Which fields a text may have besides those that the server reads.

A client may add a field of its own to say who should receive the text: `user`, `nick`, `channel`, `broadcast: false`.
No list of such names is complete. So this module lists the harmless ones: a text with any other field is not sent.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Set
from typing import Final

from chatroom.core.characters import shortened
from chatroom.core.errors import BadRequest

# They name no recipient, and are ignored whatever they hold: what the server says of a message, since some clients send
# a whole frame back; what it asks for at a connection; and what clients add for themselves.
_IGNORED: Final = frozenset(
    {
        *("username", "sid", "id", "time", "name_list", "count", "mine", "edited", "reactions"),
        *("v", "lang", "token", "locale", "timezone", "tz"),
        *("timestamp", "ts", "date", "created_at", "createdAt", "sent_at", "sentAt", "nonce", "seq"),
        *("uuid", "msgId", "msg_id", "messageId", "message_id", "sender", "author", "avatar"),
        *("client", "version", "platform", "user_agent", "userAgent", "color", "colour"),
    }
)
# These are ignored only if they hold nothing that could be a name.
_REPLIES: Final = frozenset(("reply_to", "in_reply_to", "replyTo", "inReplyTo"))
_FLAGS: Final = frozenset(("bot", "is_bot", "isBot"))
_TYPE: Final = "type"  # ignored as well, if it only says that this is a message
_ORDINARY: Final = ("message", "msg", "text", "chat", None)
_ID: Final = re.compile(r"[0-9]{13}-[0-9]{6}")  # of a message
_SHOWN: Final = 64  # characters of a field's name in its refusal


def check_unknown(data: Mapping[str, object], known: Set[str]) -> None:
    """Check the fields of a text for the room, or for one person.

    Args:
        known: the keys that the server reads; they are not looked at.

    Raises:
        BadRequest: there is another field, and it may be about who receives the text.
    """
    if data.keys() <= known:
        return  # the usual case, which needs no loop
    for key, value in data.items():
        if key not in known and not _is_ignored(key, value):
            raise BadRequest(field=shortened(key, _SHOWN))


def _is_ignored(key: str, value: object) -> bool:
    if key in _REPLIES:
        is_id = isinstance(value, str) and _ID.fullmatch(value) is not None
        return value is None or is_id or type(value) in (int, float)  # but not a bool
    if key in _FLAGS:
        return value is None or isinstance(value, bool)
    return key in _IGNORED or (key == _TYPE and value in _ORDINARY)
