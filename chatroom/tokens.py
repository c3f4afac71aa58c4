"""Resume tokens, which show who a returning guest is, and the keys by which the server recognises a retried message.

A token holds an identity (random, made at the first visit), its owner's name, a mark of the process that wrote it
(random, made at its start), and a serial that changes with the name. A token links no one to a message: with an entry,
the log stores an HMAC of the identity and the client's own id for the message, which only the same identity can produce
again.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from itsdangerous import BadData, Signer, TimestampSigner, URLSafeTimedSerializer
from itsdangerous.encoding import base64_decode, base64_encode, want_bytes

_IDENTITY_BYTES = 15  # 120 bits, 20 characters of base64
_PROCESS_BYTES = 6
_SERIAL_BYTES = 6
_SECOND_BYTES = 4  # of a serial: when it was made, in seconds since the epoch, until 2106
_MAX_TOKEN = 1024  # characters; ours are shorter than 200
_LONG_BYTES = 256  # with a longer content, which has a long name, compression can help


@dataclass(frozen=True, slots=True)
class Claim:
    """What a valid token says.

    Attributes:
        serial: tokens with another one have ended, or will end.
        is_earlier: an earlier process wrote it, so this one does not know what its owner has done.
    """

    identity: str
    name: str
    serial: str = ""
    is_earlier: bool = False


def new_identity() -> str:
    """An identity for someone who has none yet."""
    return secrets.token_urlsafe(_IDENTITY_BYTES)


def new_serial(now_s: float) -> str:
    """A serial for someone's next tokens, which begins with the time."""
    return base64_encode(int(now_s).to_bytes(_SECOND_BYTES) + secrets.token_bytes(_SERIAL_BYTES)).decode()


def made_s(serial: str) -> int:
    """The second in which a serial was made; 0 for those of earlier versions, which have no time."""
    data = base64_decode(serial)
    return int.from_bytes(data[:_SECOND_BYTES]) if len(data) == _SECOND_BYTES + _SERIAL_BYTES else 0


def retry_key(identity: str, cid: str) -> bytes:
    """The key that identifies a message when its client sends it again: 16 bytes, from which no identity follows."""
    return hmac.digest(identity.encode(), cid.encode(), hashlib.sha256)[:16]


def talk_key(identity: str) -> bytes:
    """The key stored for an identity that is in a private chat: 16 bytes, from which no identity follows."""
    return hmac.digest(identity.encode(), b"\0private talk", hashlib.sha256)[:16]


def ended_key(identity: str, serial: str) -> bytes:
    """The key stored for tokens that have ended: 16 bytes, from which no identity follows."""
    return hmac.digest(identity.encode(), b"\0ended " + serial.encode(), hashlib.sha256)[:16]


class Tokens:
    """Signs and reads tokens.

    Args:
        secret: at least 32 random bytes; whoever has it can take anyone's name.
        max_age_s: how long a token is good for, in seconds.
        now_s: a time in seconds that does not change when someone sets the wall clock.
    """

    def __init__(self, secret: bytes, max_age_s: float, now_s: Callable[[], float]) -> None:
        # The digest is itsdangerous' own, but given as the function that `hmac` leaves to OpenSSL.
        options = {"now_s": now_s, "digest_method": hashlib.sha1}
        self._serializer = _Serializer(secret, salt="resume", signer=_Signer, signer_kwargs=options)
        self._max_age_s = max_age_s
        self.now_s = now_s
        self._process = secrets.token_urlsafe(_PROCESS_BYTES)

    def write(self, identity: str, name: str, serial: str = "") -> str:
        """A token for this identity, which has this name."""
        # Earlier versions wrote a mark of the room where the empty text is.
        token = self._serializer.dumps([identity, name, self._process, "", serial])
        return token if isinstance(token, str) else token.decode()

    def read(self, token: str) -> Claim | None:
        """What the token says; None if it is not ours, or too old: a token never locks anyone out.

        A token from the future is valid: the log was restored from a backup, or an earlier version wrote the token
        while the wall clock was ahead.
        """
        if len(token) > _MAX_TOKEN:
            return None
        try:
            # Earlier versions wrote no process, or no serial.
            (identity, name, *marks), written = self._serializer.loads(token, return_timestamp=True)
            signature = token.rpartition(".")[2].encode()
            # Decoding skips characters that are not base64, and bits at the end: one token has one spelling.
            if base64_encode(base64_decode(signature)) != signature:
                return None
        except (BadData, ValueError, TypeError) as problem:
            traceback.clear_frames(problem.__traceback__)  # some hold the error that holds them
            return None
        if self.now_s() - written.timestamp() > self._max_age_s:
            return None
        return Claim(
            identity,
            name,
            serial="".join(marks[2:]),
            is_earlier=marks[:1] != [self._process],
        )


class _Serializer(URLSafeTimedSerializer):
    """Does not try to compress what is mostly random; it reads compressed tokens all the same."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._signer = super().make_signer()

    def make_signer(self, salt: str | bytes | None = None) -> Signer:
        return self._signer if salt is None or salt == self.salt else super().make_signer(salt)

    def dump_payload(self, obj: Any) -> bytes:
        content = want_bytes(self.serializer.dumps(obj))
        return base64_encode(content) if len(content) <= _LONG_BYTES else super().dump_payload(obj)


class _Signer(TimestampSigner):
    def __init__(self, *arguments: Any, now_s: Callable[[], float], **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._now_s = now_s

    def get_timestamp(self) -> int:
        return int(self._now_s())
