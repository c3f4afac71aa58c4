"""A connected client, and the groups of clients that receive the same frames."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Final

from chatroom.core.errors import Refusal
from chatroom.engine.strict import Ack, StrictServer
from chatroom.gateways.socketio.presence import group
from chatroom.gateways.words import WORDS, Words
from chatroom.sessions import Session

EVENT: Final = "msg"
NAMESPACE: Final = "/"


@dataclass(slots=True, eq=False)
class Guest:
    """A connected client: what it understands, and its state.

    Attributes:
        words: the server's sentences in its language.
        kind: "seed" (knows only login, logout and lines), "full" or "delta": how joins and leaves are announced to it.
        room_key: the room whose frames it receives; None before it is welcomed.
        uncommitted: how many of its messages are on their way to the disk.
        is_gone: it has logged out, was replaced, or its connection is closed.
        unanswered: refusals that make it doubtful who receives texts, with the time to answer, in order.
    """

    session: Session
    words: Words
    kind: str
    eio_sid: str
    room_key: str | None = None
    uncommitted: int = 0
    is_gone: bool = False
    noticed_at: float = float("-inf")
    unanswered: deque[tuple[float, Ack, Refusal]] = field(default_factory=deque)


class Groups:
    """The clients of a room with the same kind and language are one of python-socketio's rooms."""

    def __init__(self, server: StrictServer) -> None:
        self._server = server

    def enter(self, guest: Guest, room_key: str) -> None:
        """Add the client to a room's group: it receives what happens there."""
        name = group(guest.kind, guest.words.lang, room_key)
        self._server.enter_room(guest.session.sid, name, namespace=NAMESPACE)
        guest.room_key = room_key

    def leave(self, guest: Guest) -> None:
        """Remove the client from its group: it receives nothing of any room."""
        if guest.room_key is not None:
            name = group(guest.kind, guest.words.lang, guest.room_key)
            self._server.leave_room(guest.session.sid, name, namespace=NAMESPACE)
            guest.room_key = None


def known_language(lang: str | None) -> str | None:
    """The language, if the server has it, or None."""
    return lang if lang in WORDS else None


def words_in(lang: str | None, default: Words) -> Words:
    """The server's sentences in a language, if it has it."""
    return WORDS.get(lang, default) if lang is not None else default
