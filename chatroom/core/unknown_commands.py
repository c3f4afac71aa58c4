"""Refusals of a command that does not exist, by what it was probably meant as."""

from __future__ import annotations

from chatroom.core.errors import Refusal


class UnknownCommand(Refusal):
    """No command has that name.

    Attributes:
        arguments: what followed it.
    """

    code = "unknown_command"

    def __init__(self, *, command: str, arguments: str = "") -> None:
        super().__init__(command=command)
        self.arguments = arguments


class UnknownWhisper(UnknownCommand):
    """No command has that name, but it was probably meant to whisper; `usage` shows how."""

    wording = "unknown_whisper"

    def __init__(self, *, command: str, arguments: str = "", usage: str = "") -> None:
        super().__init__(command=command, arguments=arguments)
        self.params["usage"] = usage or "/to NAME TEXT"


class UnknownEnd(UnknownCommand):
    """No command has that name, but it was probably meant to end the private chat."""

    wording = "unknown_end"


class UnknownJoin(UnknownCommand):
    """No command has that name, but it was probably meant to join a room; `usage` shows how."""

    wording = "unknown_join"

    def __init__(self, *, command: str, arguments: str = "") -> None:
        super().__init__(command=command, arguments=arguments)
        self.params["usage"] = "/join ROOM"


class LooksLikeKey(UnknownCommand):
    """It was probably `/op KEY`."""

    wording = "looks_like_key"
