"""Refusals of a command that does not exist, by what it was probably meant as."""

from __future__ import annotations

from chatroom.core.characters import shortened
from chatroom.core.errors import SHOWN, Refusal


class UnknownCommand(Refusal):
    """No command has that name.

    Attributes:
        arguments: what followed it.
        after: what stood after its slash, as typed.
    """

    code = "unknown_command"
    after = ""

    def __init__(self, *, command: str, arguments: str = "", after: str = "") -> None:
        super().__init__(command=command)
        self.arguments = arguments
        self.after = after or f"{command}{arguments}"


class UnknownWhisper(UnknownCommand):
    """No command has that name, but it was probably meant to whisper; `usage` shows how."""

    wording = "unknown_whisper"

    def __init__(self, *, command: str, arguments: str = "", after: str = "", usage: str = "") -> None:
        super().__init__(command=command, arguments=arguments, after=after)
        self.params["usage"] = usage or "/to NAME TEXT"


class UnknownEnd(UnknownCommand):
    """No command has that name, but it was probably meant to end the private chat."""

    wording = "unknown_end"


class StillTalking(UnknownCommand):
    """Not `to:`, but nearly: it was probably meant to end the private chat with this person."""

    wording = "talk_not_ended"

    def __init__(self, *, name: str) -> None:
        super().__init__(command="to")
        self.params["usage"] = "to:"
        self.said = {"name": name}


class UnknownJoin(UnknownCommand):
    """No command has that name, but it was probably meant to join a room; `usage` shows how."""

    wording = "unknown_join"

    def __init__(self, *, command: str, arguments: str = "", after: str = "") -> None:
        super().__init__(command=command, arguments=arguments, after=after)
        room = " ".join(arguments.split())
        self.params["usage"] = f"/join {room if room and room == shortened(room, SHOWN) else 'ROOM'}"


class LooksLikeKey(UnknownCommand):
    """It was probably `/op KEY`."""

    wording = "looks_like_key"
