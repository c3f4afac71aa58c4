"""Bytes from a terminal into lines, and lines into bytes: telnet's or netcat's, in pieces of any size.

It knows line ends and telnet's commands (RFC 854, 855). It does no I/O and knows nothing of chat.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Final

from chatroom.core.characters import stands_alone
from chatroom.core.text import clean

_MAX_SUBNEGOTIATION: Final = 4096  # bytes
_BEFORE_TEXT: Final = 1024  # bytes of a line for a command and the longest name, before a text

_LF, _CR, _NUL, _BACKSPACE, _DELETE, _ERASE_LINE = 0x0A, 0x0D, 0x00, 0x08, 0x7F, 0x15
_SE, _EC, _EL, _SB, _WILL, _WONT, _DO, _DONT, _IAC = 240, 247, 248, 250, 251, 252, 253, 254, 255
# EOF, SUSP, ABORT, BRK, IP, AO: what telnet sends for control characters.
_KEYS = (236, 237, 238, 243, 244, 245)
# A stray byte that is not UTF-8 becomes U+FFFD. With this many of them, and fewer valid characters, a line is in
# another encoding: nearly every letter of a text in CP1251, KOI8-R or GBK is such a byte.
_BAD_IN_OTHER_ENCODINGS: Final = 3
_TLS: Final = b"\x16\x03"  # a handshake record of any version
_BINARY = 0  # the one option that is granted (RFC 856)

# The bytes with a special meaning. Other controls are kept until the line is complete: only then is it clear where an
# escape sequence ends.
_SPECIAL = re.compile(rb"[\x00\x08\x0a\x0d\x15\x7f\xff]")

_WHOLE: Final = b"\t" + bytes(range(0x20, 0x7F))  # each a character of its own
_LONGEST_POINT: Final = 4  # bytes of a code point

# What comes with a text that is pasted from a terminal: colours, erased rests of lines, titles, marks around a paste.
_PASTED: Final = re.compile(
    r"\x1b(?:\[[0-9;:]*[mKJ]|\[20[01]~|[c=>]|[()][0-9A-B]|[\]PX^_][^\x07\x1b]*(?:\x07|\x1b\\))"
)
# The other escape sequences are of keys: arrows, Home, Delete, Alt+B. So are Ctrl+A, Ctrl+C, Ctrl+W and the like.
_KEY: Final = re.compile("[\x01-\x06\x0b\x0e-\x14\x16-\x1b]")
# Bytes 0xFF, each doubled: they are data. Taken together, since some clients send thousands.
_DOUBLED = re.compile(rb"(?:\xff\xff)+")

_LINE_ENDS = re.compile("\r\n|[\r\n\x0b\x0c\x85\u2028\u2029]")


def longest_line(max_text: int) -> int:
    """How many bytes a line may have, so that any text of `max_text` characters fits."""
    return 4 * max_text + _BEFORE_TEXT


@dataclass(frozen=True, slots=True)
class Overlong:
    """A line that is too long; it is dropped, up to its end.

    Attributes:
        head: its beginning, which shows what kind of line it was.
    """

    head: str = field(default="", compare=False)


class NotUtf8(str):
    """A line that came in another encoding, or damaged by telnet, with U+FFFD for what could not be decoded."""

    __slots__ = ()


class PartlyUtf8(str):
    """A line of which a few bytes are not UTF-8, with U+FFFD for each."""

    __slots__ = ()


class Edited(str):
    """A line with keys that edit it elsewhere, and not here, or not in the same way; it is without them."""

    __slots__ = ()


class _Telnet(Enum):
    """The state within a telnet command."""

    DATA = auto()
    COMMAND = auto()  # after IAC
    OPTION = auto()  # after IAC and WILL, WONT, DO or DONT
    SUB = auto()  # in a subnegotiation
    SUB_IAC = auto()  # after IAC in a subnegotiation


class LineDecoder:
    """Takes bytes as they come, and returns complete lines, one at a time.

    It holds only what `receive` got and `next_line` has not taken yet, and one unfinished line.

    Args:
        max_line_bytes: the longest line.

    Attributes:
        is_binary: the first line that is not empty has what no terminal sends: a NUL that is not after a CR, as in
            most binary protocols, or the beginning of a TLS handshake.
    """

    __slots__ = (
        "_after_cr",
        "_answers",
        "_asked",
        "_granted",
        "_had_key",
        "_had_line",
        "_input",
        "_line",
        "_max_line_bytes",
        "_option",
        "_overlong",
        "_skipped",
        "_state",
        "is_binary",
    )

    def __init__(self, max_line_bytes: int) -> None:
        self._max_line_bytes = max_line_bytes
        self._input = b""
        self._line = bytearray()
        self._overlong: Overlong | None = None  # until the end of such a line
        self._after_cr = False
        # In this line: a telnet command for Ctrl+C or the like, or Backspace over part of a character.
        self._had_key = False
        self._had_line = False
        self.is_binary = False
        self._state = _Telnet.DATA
        self._option = 0
        self._skipped = 0
        self._answers = b""
        self._asked = False
        # WILL and DO, once each: answering every one could lead to an endless exchange.
        self._granted: set[int] = set()

    @property
    def unfinished(self) -> bool:
        """Whether there is a line without an end."""
        return bool(self._line) or self._overlong is not None

    @property
    def has_begun(self) -> bool:
        """Whether the beginning of a line was read that is not too long and has no end yet."""
        return bool(self._line)

    @property
    def waiting(self) -> bytes:
        """What was received and is not decoded yet."""
        return self._input

    @property
    def kept_bytes(self) -> int:
        """How much of what came is kept here."""
        return len(self._input) + len(self._line)

    def receive(self, data: bytes) -> None:
        """Take bytes from the peer."""
        self._input = self._input + data if self._input else data

    def drop(self, *, in_mid_line: bool) -> None:
        """Forget what came, and, if that ended in the middle of a line, what follows up to its end."""
        self._input = self._answers = b""
        self._line.clear()
        self._overlong = Overlong() if in_mid_line else None
        self._state = _Telnet.DATA
        self._after_cr = self._had_key = False

    def answers(self) -> bytes:
        """Take out the answers to telnet: every option except BINARY is refused."""
        answers, self._answers = self._answers, b""
        return answers

    def next_line(self) -> str | Overlong | None:
        """The next complete line, without its end and without control sequences.

        Returns:
            `Overlong`, once, as soon as a line is too long; a `NotUtf8` for one in another encoding; a `PartlyUtf8` for
            one with a few bytes that are not UTF-8; an `Edited` for one with keys; None if more bytes are needed.
        """
        data, place = self._input, 0
        while place < len(data):
            if self._state is not _Telnet.DATA:
                too_long = self._telnet(data[place])
                place += 1
                if too_long:
                    self._input = data[place:]
                    return self._overlong
                continue
            if self._after_cr:
                self._after_cr = False
                if data[place] in (_LF, _NUL):
                    place += 1
                    continue
            found = _SPECIAL.search(data, place)
            end = found.start() if found is not None else len(data)
            if end > place and self._is_too_long(data[place:end]):
                self._input = data[end:]
                return self._overlong
            if found is None:
                break
            place = end + 1
            special = data[end]
            if special == _IAC and (doubled := _DOUBLED.match(data, end)) is not None:
                place = doubled.end()
                if self._is_too_long(b"\xff" * ((place - end) // 2)):
                    self._input = data[place:]
                    return self._overlong
                continue
            if special in (_LF, _CR):
                self._after_cr = special == _CR
                if self._overlong is not None:
                    self._overlong, self._had_key = None, False
                    continue
                self._input = data[place:]
                return self._finish(special)
            if special == _IAC:
                self._state = _Telnet.COMMAND
            elif special in (_BACKSPACE, _DELETE):
                self._erase_character()
            elif special == _ERASE_LINE:
                self._clear_line()
            elif special == _NUL and not self._had_line:
                self.is_binary = True
        self._input = b""
        if not self._had_line and self._line.startswith(_TLS):
            self.is_binary = True
        return None

    def _is_too_long(self, piece: bytes) -> bool:
        """Keep a piece of the line; True if it has just become too long."""
        if self._overlong is not None:
            return False
        self._line += piece
        if len(self._line) > self._max_line_bytes:
            self._judge()
            head = self._line[: self._max_line_bytes].decode("utf-8", "replace")
            self._overlong = Overlong(clean(head))
            self._line = bytearray()  # frees the memory, which clear() would not
        return self._overlong is not None

    def _judge(self) -> None:
        """A line is complete, or too long: if it is not empty, the client is judged by it and not by later ones."""
        if not self._had_line:
            self.is_binary = self.is_binary or self._line.startswith(_TLS)
            self._had_line = bool(self._line.strip())

    def _finish(self, end: int) -> str:
        self._judge()
        text = self._line.decode("utf-8", "replace")
        bad = text.count("\ufffd") - self._line.count(b"\xef\xbf\xbd")
        good = sum(char > "\x7f" for char in text) - bad if bad >= _BAD_IN_OTHER_ENCODINGS else 0
        self._line = bytearray()
        if end == _CR and "\ufffd" in text:
            self._ask_for_binary()
        # Telnet's command stands for a byte of a character rather than for a key if that is damaged now.
        is_damaged, is_edited = self._had_key and bad > 0, self._had_key
        self._had_key = False
        if is_damaged or (bad >= _BAD_IN_OTHER_ENCODINGS and bad > good):
            return NotUtf8(clean(text))
        if is_edited or (not text.isprintable() and _KEY.search(_PASTED.sub("", text))):
            return Edited(clean(text))
        return PartlyUtf8(clean(text)) if bad else clean(text)

    def _ask_for_binary(self) -> None:
        """Ask a telnet whose text was damaged, once, to send bytes unchanged.

        GNU telnet takes a byte of UTF-8 for a control character if its lower seven bits are one. It then sends the
        command for it instead (IP for 0x83), unless it is asked for BINARY. In netcat these would be three bytes of
        garbage, so no other client is asked.
        """
        if not self._asked:
            self._asked = True
            self._answers += bytes((_IAC, _DO, _BINARY))

    def _erase_character(self) -> None:
        """Remove the last code point, with all of its bytes.

        A terminal may show it as part of a character, as it does a man in a family. Some programs then remove the part
        and some the whole, so it is unknown what the guest believes to be left.
        """
        line = self._line
        if not line:
            return
        start = last = len(line) - 1
        if line[last] not in _WHOLE:
            while start > max(0, last - _LONGEST_POINT) and line[start] & 0xC0 == 0x80:
                start -= 1
            if line[start] < 0xC0:  # a stray byte, not of a character
                start = last
            before = line[max(0, start - _LONGEST_POINT) : start].decode("utf-8", "ignore")
            try:
                is_whole = stands_alone(before + line[start:].decode())
            except UnicodeDecodeError:
                is_whole = False
            self._had_key = self._had_key or not is_whole
        del line[start:]
        if not line:
            self._had_key = False

    def _clear_line(self) -> None:
        self._line.clear()
        self._had_key = False

    def _telnet(self, byte: int) -> bool:
        """Take a byte of a telnet command; True if it was data, and the line has just become too long."""
        if self._state is _Telnet.COMMAND:
            self._state = _Telnet.DATA
            if byte == _IAC:
                return self._is_too_long(b"\xff")  # the byte itself, doubled: not UTF-8, so it becomes U+FFFD
            if byte in (_WILL, _WONT, _DO, _DONT):
                self._option = byte
                self._state = _Telnet.OPTION
            elif byte == _SB:
                self._skipped = 0
                self._state = _Telnet.SUB
            elif byte == _EC:
                self._erase_character()
            elif byte == _EL:
                self._clear_line()
            elif byte in _KEYS:
                self._had_key = True
                self._ask_for_binary()
        elif self._state is _Telnet.OPTION:
            self._state = _Telnet.DATA
            self._negotiate(self._option, byte)
        elif self._state is _Telnet.SUB_IAC:
            self._state = _Telnet.DATA if byte == _SE else _Telnet.SUB
        else:
            self._skipped += 1
            if byte == _IAC:
                self._state = _Telnet.SUB_IAC
            elif self._skipped >= _MAX_SUBNEGOTIATION:
                self._state = _Telnet.DATA  # no subnegotiation is that long
        return False

    def _negotiate(self, verb: int, option: int) -> None:
        """Answer a WILL or a DO (RFC 854). WONT and DONT need no answer: all options are off by default."""
        if verb not in (_WILL, _DO):
            return
        if option != _BINARY:
            # Stateless, but not endless, since a refusal is not answered. A client that interrupts waits for the answer
            # to each of its DO TIMING-MARKs (RFC 860).
            self._answers += bytes((_IAC, _WONT if verb == _DO else _DONT, option))
        elif verb not in self._granted:
            self._granted.add(verb)
            if not (verb == _WILL and self._asked):  # then it is the answer
                self._answers += bytes((_IAC, _WILL if verb == _DO else _DO, option))


def encode_line(text: str, indent: str = "") -> bytes:
    """A line for a terminal, with CRLF; the further lines of a text begin with `indent`.

    No control character of the text reaches the terminal.
    """
    lines = _LINE_ENDS.split(text)
    return f"\r\n{indent}".join(map(clean, lines)).encode("utf-8", "replace") + b"\r\n"
