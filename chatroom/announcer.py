"""Announces what a room's feed yields to the people of this process, whoever caused it.

It keeps rosters true, welcomes newcomers where their join is in the feed, and notices when a session has been ended
elsewhere. It decides nothing. It passes on changes of messages and of the room's state, which gateways ignore so far;
nothing reads the state of a `Present` yet.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from math import inf
from typing import Final

from chatroom.arrival import Arrivals, Stage
from chatroom.core.errors import Misuse, Unavailable
from chatroom.core.events import Joined, Left, Person, Presence, Present, Renamed
from chatroom.core.log import Item, Page
from chatroom.rooms import Rooms, RoomView
from chatroom.sessions import Gateway, Session, Sessions, Welcome
from chatroom.tokens import Tokens

log = logging.getLogger(__name__)

_PRESENCE: Final = (Joined, Left, Renamed)  # what a roster follows

_Newcomers = list[tuple[Session, Item]]


class Announcer:
    """Passes events on to the gateways.

    Args:
        left: called with each `Left`, before it is announced.
        monotonic: a clock in seconds.

    Attributes:
        gateways: all of them.
    """

    def __init__(
        self,
        rooms: Rooms,
        sessions: Sessions,
        arrivals: Arrivals,
        tokens: Tokens,
        *,
        left: Callable[[RoomView, Left], None],
        monotonic: Callable[[], float],
    ) -> None:
        self.gateways: Sequence[Gateway] = ()
        self._rooms = rooms
        self._sessions = sessions
        self._arrivals = arrivals
        self._tokens = tokens
        self._left = left
        self._monotonic = monotonic

    def deliver(self, room: str, items: Sequence[Item]) -> None:
        """Announce what has happened in a room."""
        view = self._rooms.get(room)
        if view is None:
            return  # no one of this process is in it any more
        try:
            self._announce_all(view, items)
        finally:  # whatever has failed, the room must be able to close
            self._rooms.close_if_empty(view)

    def typed(self, room: str, who: Person) -> None:
        """Show the room's people that someone is typing."""
        view = self._rooms.get(room)
        if view is not None:
            for gateway in self.gateways:
                gateway.typing(view, who)

    def _announce_all(self, room: RoomView, items: Sequence[Item]) -> None:
        newcomers: _Newcomers = []
        for item in items:
            event = item.event
            if isinstance(event, _PRESENCE):
                self._follow(room, item, event, newcomers)
            elif isinstance(event, Present):
                for change in room.roster.changes(event):
                    self._follow(room, item._replace(event=change), change, newcomers)
                room.roster.replace(event)
            else:
                # They must have joined before this is announced: their history ends at their join.
                if newcomers:
                    self._welcome(room, newcomers)
                    newcomers.clear()
                self._announce(room, item)
        if newcomers:
            self._welcome(room, newcomers)
        for gateway in self.gateways:
            try:
                gateway.flush(room)
            except Exception:  # one gateway's fault must spare the others
                log.exception("a gateway failed to deliver an event")

    def _announce(self, room: RoomView, item: Item) -> None:
        for gateway in self.gateways:
            try:
                gateway.announce(room, item)
            except Exception:  # one gateway's fault must spare the others and what follows
                log.exception("a gateway failed to deliver an event")

    def _follow(self, room: RoomView, item: Item, event: Presence, newcomers: _Newcomers) -> None:
        """Announce a join, a leave or a new name."""
        if isinstance(event, Left):
            # First: a session that is over gets its notice while it still follows the room.
            self._left(room, event)
            if event.who.sid not in room.roster:
                return  # their join was never announced
        try:
            room.roster.apply(event)
        except Misuse:  # our own bug: an event that contradicts earlier ones is not announced
            log.exception("an event contradicts the roster")
            return
        self._announce(room, item)
        if isinstance(event, Joined):
            session = self._sessions.get(event.who.sid)
            if session is not None:
                room.own[session.sid] = session.identity
                # Someone who has left and come back meanwhile is welcomed at the later join.
                if session.room is room and session.membership.claim == event.claim:
                    if not session.membership.renamed:
                        # The name may differ from ours: the answer to a claim can be lost.
                        session.membership.person = event.who
                    newcomers.append((session, item))
            identity = room.own.get(event.who.sid, event.who.sid)
            room.recent.taken(event.who.name, identity, self._monotonic())
        elif isinstance(event, Renamed):
            identity = room.own.get(event.sid, event.sid)
            room.recent.add(event.old, identity, self._monotonic(), event.sid)
            room.recent.taken(event.new, identity, self._monotonic())
            session = self._sessions.get(event.sid)
            if session is not None and session.room is room and session.person.name == event.old:
                session.membership.person = Person(event.sid, event.new)  # else it has a newer one
        else:
            sid = event.who.sid
            room.recent.add(event.who.name, room.own.pop(sid, sid), self._monotonic())
            room.recent.left(sid)
            newcomers[:] = [pair for pair in newcomers if pair[0].sid != sid]

    def _welcome(self, room: RoomView, newcomers: _Newcomers) -> None:
        for session, item in newcomers:
            member = session.membership
            if member.room is not room or member.stage is not Stage.ANNOUNCED:
                continue  # left while the disk was read for someone before them
            try:
                page = self._arrivals.history(member, item.position)
            except Unavailable:
                page = Page((), gap=True)  # welcomed all the same; clients can ask for the history later
            person = room.roster.get(session.sid)
            if person is None or session.membership is not member or member.stage is not Stage.ANNOUNCED:
                continue  # joined and left within one batch, or while the disk was read
            token = self._tokens.write(session.identity, member.person.name, session.serial)
            member.missed = None
            member.advance(Stage.IN)
            now = self._monotonic()
            member.since = -inf if member.resumed else now
            session.since = min(session.since, now)
            welcome = Welcome(person, room, token, member.resumed, page, item.at_ms)
            try:
                session.gateway.welcome(session, welcome)
            except Exception:  # one guest's fault must spare the others
                log.exception("a gateway failed to welcome a newcomer")
