"""The chunked transfer coding of a request body, undone strictly (RFC 9112, 7.1); no I/O.

Servers differ in the spaces, line ends and extensions that they accept here. Where two of them could see the end of a
body at different places, a request can hide in the other one's body: so anything unusual is refused.
"""

from __future__ import annotations

import enum
import re
from typing import Final

_TOKEN: Final = rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_EXTENSION: Final = rb";" + _TOKEN + rb"(?:=(?:" + _TOKEN + rb'|"[\t !#-\[\]-~]*"))?'
_SIZE: Final = re.compile(rb"([0-9A-Fa-f]{1,16})(?:" + _EXTENSION + rb")*")
_TRAILER: Final = re.compile(rb"(" + _TOKEN + rb"):[\t -~\x80-\xff]*")
# What decides how the message itself is read may not come after it (RFC 9110, 6.5.1).
_NO_TRAILERS: Final = (
    b"content-length",
    b"transfer-encoding",
    b"host",
    b"trailer",
    b"connection",
    b"upgrade",
)
_MAX_LINE: Final = 1024  # bytes of a size with its extensions, or of a trailer
# How many chunks a body may have: some of any size, and one per so many bytes. Each takes time, however small it is.
_SMALL_CHUNKS: Final = 64
_MEAN_CHUNK_BYTES: Final = 512


class ChunkError(Exception):
    """The body is not in chunks, or in ambiguous or too many ones."""


class _Part(enum.Enum):
    SIZE = "size"
    DATA = "data"
    DATA_END = "data end"
    TRAILERS = "trailers"
    DONE = "done"


class ChunkReader:
    """One body in chunks.

    Args:
        max_overhead_bytes: how many more bytes the coding may take than the data. Without a bound, extensions and
            trailers would cost much time for few bytes of a body.

    Attributes:
        rest: what followed the body.
    """

    __slots__ = ("_allowed", "_buffer", "_left", "_overhead", "_part", "rest")

    def __init__(self, *, max_overhead_bytes: int) -> None:
        self._buffer = bytearray()
        self._left = 0  # of the chunk that is being read
        self._overhead = -max_overhead_bytes  # relative to the bound
        self._allowed = float(_SMALL_CHUNKS)  # how many more chunks may come
        self._part = _Part.SIZE
        self.rest = b""

    @property
    def done(self) -> bool:
        """Whether the body is complete."""
        return self._part is _Part.DONE

    def feed(self, data: bytes) -> bytes:
        """Take bytes from the socket; returns those of the body.

        Raises:
            ChunkError: they cannot be read in one way only, or are too many.
        """
        buffer = self._buffer
        buffer += data
        body = bytearray()
        at = 0
        while self._part is not _Part.DONE:
            start = at
            if self._part is _Part.DATA:
                at = min(at + self._left, len(buffer))
                self._left -= at - start
                body += buffer[start:at]
                self._overhead -= at - start
                self._allowed += (at - start) / _MEAN_CHUNK_BYTES
                if self._left:
                    break
                self._part = _Part.DATA_END
            elif self._part is _Part.DATA_END:
                if not b"\r\n".startswith(buffer[at : at + 2]):
                    raise ChunkError
                if len(buffer) < at + 2:
                    break
                at += 2
                self._part = _Part.SIZE
            else:
                end = buffer.find(b"\r\n", at, at + _MAX_LINE + 2)
                if end < 0:
                    if len(buffer) - at > _MAX_LINE + 1 or b"\n" in buffer[at:]:
                        raise ChunkError
                    break
                at = end + 2
                self._overhead += at - start
                if self._overhead > 0:
                    raise ChunkError
                self._take_line(bytes(buffer[start:end]))
        if self._part is _Part.DONE:
            self.rest = bytes(buffer[at:])
            at = len(buffer)
        del buffer[:at]
        return bytes(body)

    def _take_line(self, line: bytes) -> None:
        if self._part is _Part.SIZE:
            size = _SIZE.fullmatch(line)
            if size is None:
                raise ChunkError
            self._allowed -= 1
            if self._allowed < 0:
                raise ChunkError
            self._left = int(size[1], 16)
            self._part = _Part.DATA if self._left else _Part.TRAILERS
        elif line:
            trailer = _TRAILER.fullmatch(line)
            if trailer is None or trailer[1].lower() in _NO_TRAILERS:
                raise ChunkError
        else:
            self._part = _Part.DONE
