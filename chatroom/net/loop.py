"""The loop: what waits to be written, and one send per client and turn.

It knows frames, audiences and connections; what the bytes mean, a connection's role knows. Everything that one turn
has for a client goes out in one send. Bytes that are the same for many clients are joined once and shared
(docs/architecture.md, "The sockets").
"""

from __future__ import annotations

import socket
import time
from bisect import bisect_left
from collections.abc import Callable, Sequence
from functools import partial
from typing import Final, NamedTuple

from chatroom import runtime
from chatroom.net.audience import Audience, send_to_all
from chatroom.net.connection import Connection, Role
from chatroom.net.deadlines import Deadlines
from chatroom.net.reasons import SERVER_FULL, TRANSPORT_CLOSE
from chatroom.net.turns import Turns
from chatroom.net.unfinished import Unfinished


class _Share(NamedTuple):
    """The shared frames of a turn that some connections get, and the place of each in the turn."""

    places: Sequence[int]
    frames: list[bytes]


_NOTHING: Final = _Share((), [])


class Loop:
    """All connections of one gateway.

    Frames are published to an audience or sent to one connection. They are written at the end of the turn, for each
    connection in exactly the order of these calls. After a costly flush, the next one waits as long as it took (at most
    `pace_limit_s`), so that each send carries more; without load there is no delay.

    Args:
        outbox_limit_bytes: what may wait for a client beyond the kernel's buffer; with more, it is dropped.
        outbox_limit_packets: the same in pieces, one per turn.
        send_buffer_bytes: the kernel's buffer per client (SO_SNDBUF); with the system's, the bound would be reached
            megabytes later.
        turn_limit_bytes: how much may gather in one turn; with more, it is written at once.
        linger_s: how long a connection that is being closed may take to read its last bytes.
        leaving_limit: how many connections may be closing at once.
        pace_limit_s: the longest pause between two flushes.
        turns: in which connections are read, and written to again, address after address; None if that is at once.
        at_once_s: how long that is done at once in a turn of the loop, before the others wait for `turns`; as long
            again for those of addresses that have taken little time lately.
        unfinished_limit_bytes: how much of all that has begun to come, and has not ended, may be kept; with more, the
            connections that have sent most of it are closed.
    """

    def __init__(
        self,
        *,
        outbox_limit_bytes: int = 262_144,
        outbox_limit_packets: int = 4096,
        send_buffer_bytes: int = 65_536,
        turn_limit_bytes: int = 131_072,
        linger_s: float = 2.0,
        leaving_limit: int = 512,
        pace_limit_s: float = 0.010,
        turns: Turns | None = None,
        at_once_s: float = 0.0,
        unfinished_limit_bytes: int = 48_000_000,
    ) -> None:
        self.outbox_limit_bytes = outbox_limit_bytes
        self.outbox_limit_packets = outbox_limit_packets
        self.linger_s = linger_s
        self.connections: set[Connection] = set()
        self.leaving: dict[Connection, None] = {}  # being closed, oldest first
        self.generation = 0  # counts how often the `send` of any connection was replaced
        self._leaving_limit = leaving_limit
        self._send_buffer_bytes = send_buffer_bytes
        self._turn_limit_bytes = turn_limit_bytes
        self._pace_limit_s = pace_limit_s
        self._deadlines: Deadlines[Connection] = Deadlines(
            0.05, lambda connection: connection.role.expired(connection)
        )
        self._unfinished: Unfinished[Connection] = Unfinished(
            unfinished_limit_bytes, lambda connection: connection.abort(SERVER_FULL)
        )
        self.turns = turns
        self._at_once_s = at_once_s
        self._at_once_until: float | None = None  # None before this turn's first read
        self._to_read: set[Connection] = set()  # in a turn
        self._to_write: set[Connection] = set()
        self._turn: list[tuple[Audience, bytes]] = []
        self._turn_bytes = 0
        self._mixed = False  # this turn has frames for more than one audience
        self._direct: list[Connection] = []  # those with frames of their own in this turn
        self._finals: list[Callable[[], None]] = []
        self._scheduled = False
        self._flushing = False
        self._not_before = 0.0
        self._flush_began = 0.0

    # ------------------------------------------------------------------ connections

    def attach(
        self, sock: socket.socket, role: Role, address: str = "", *, reading: bool = True
    ) -> Connection:
        """Take over a real, non-blocking socket; start to read, unless `reading` is False."""
        try:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        except OSError:
            pass  # not TCP (a Unix socket), or the peer has left, which the first read will show
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, self._send_buffer_bytes)
        connection = Connection(self, sock, role, address)
        self.connections.add(connection)
        if reading:
            connection.start_reading()
        return connection

    def forget(self, connection: Connection) -> None:
        """The connection is closed."""
        self.connections.discard(connection)
        self.leaving.pop(connection, None)
        self._unfinished.keep(connection, 0)
        self._deadlines.drop(connection)

    def leave(self, connection: Connection) -> None:
        """The connection is being closed and no longer counts; with too many of these, the oldest is cut off."""
        self.connections.discard(connection)
        self._unfinished.keep(connection, 0)
        self.leaving[connection] = None
        if len(self.leaving) > self._leaving_limit:
            self.flush()  # its last bytes go to the kernel, which delivers them (unless this is a flush already)
            oldest = next(iter(self.leaving), None)
            if oldest is not None:
                oldest.abort(TRANSPORT_CLOSE)

    def keep_unfinished(self, connection: Connection, size: int) -> None:
        """So many bytes of unfinished input are kept for it now; this may close it."""
        if connection in self.connections:
            self._unfinished.keep(connection, size)

    def expect(self, connection: Connection, within_s: float | None) -> None:
        """Set the connection's one deadline, or remove it with None."""
        if within_s is None:
            self._deadlines.drop(connection)
        else:
            self._deadlines.put(connection, within_s)

    # ------------------------------------------------------------------ in

    def reader_of(self, connection: Connection) -> Callable[[int], None]:
        """What is called when something has come for it."""
        if self.turns is None:
            return connection.read
        return partial(self._call_in_turn, connection, connection.read, self._to_read, self.turns)

    def writer_of(self, connection: Connection) -> Callable[[int], None]:
        """What is called when the kernel takes more for it, or it was lost."""
        if self.turns is None:
            return connection.write_waiting
        return partial(self._call_in_turn, connection, connection.write_waiting, self._to_write, self.turns)

    def _call_in_turn(
        self,
        connection: Connection,
        call: Callable[[], None],
        waiting: set[Connection],
        turns: Turns,
        _fileno: int,
    ) -> None:
        if connection in waiting:
            return  # the runtime asks again and again until it is done
        now, account = time.monotonic(), connection.account
        if self._at_once_until is None:
            self._at_once_until = now + self._at_once_s
            runtime.call_soon(self._end_at_once)
        late_s = now - self._at_once_until
        if late_s < 0 or (late_s < self._at_once_s and account is not None and account.last_until <= now):
            call()
        else:
            waiting.add(connection)
            turns.put(connection.address, partial(_call_late, connection, call, waiting), account)

    def _end_at_once(self) -> None:
        self._at_once_until = None

    # ------------------------------------------------------------------ a turn

    def publish(self, audience: Audience, frame: bytes, skipped: Sequence[Connection] = ()) -> None:
        """Send `frame` to everybody in `audience`, except those in `skipped`."""
        turn = self._turn
        for connection in skipped:
            self._add_direct(connection, None)
        if turn and turn[-1][0] is not audience:
            self._mixed = True
        turn.append((audience, frame))
        self._turn_bytes += len(frame)
        if self._turn_bytes > self._turn_limit_bytes:
            self.flush()
        elif not self._scheduled:
            self._schedule()

    def send(self, connection: Connection, frame: bytes) -> None:
        """Send `frame` to one connection."""
        self._add_direct(connection, frame)
        self._turn_bytes += len(frame)
        if self._turn_bytes > self._turn_limit_bytes:
            self.flush()
        elif not self._scheduled:
            self._schedule()

    def _add_direct(self, connection: Connection, frame: bytes | None) -> None:
        """Note that this connection gets a frame of its own here, or (None) does not get the next shared one."""
        own = connection.own
        if own is None:
            connection.own = [(len(self._turn), frame)]
            self._direct.append(connection)
        else:
            own.append((len(self._turn), frame))

    def idle(self) -> bool:
        """Whether the kernel has everything that was sent, also to connections that are closing."""
        return all(one.idle for one in self.connections) and all(one.idle for one in self.leaving)

    def at_end_of_turn(self, call: Callable[[], None]) -> None:
        """Call `call` when this turn's frames are written. It must not wait."""
        self._finals.append(call)
        if not self._scheduled:
            self._schedule()

    def when_written(self, call: Callable[[float], None]) -> None:
        """Call `call` when this turn's frames are written, with the seconds of computing time that this took."""
        self.at_end_of_turn(lambda: call(time.thread_time() - self._flush_began))

    def _schedule(self) -> None:
        self._scheduled = True
        pause = self._not_before - time.monotonic()
        if pause > 0:
            runtime.call_later(pause, self._flush_due)
        else:
            runtime.call_last(self._flush_due)

    def _flush_due(self) -> None:
        self._scheduled = False
        self.flush()

    def flush(self) -> None:
        """Write everything that this turn has gathered."""
        turn, direct, finals, mixed = self._turn, self._direct, self._finals, self._mixed
        if self._flushing or not (turn or direct or finals):
            return
        self._turn, self._direct, self._finals = [], [], []
        self._mixed = False
        self._turn_bytes = 0
        began = time.monotonic()
        if finals:
            self._flush_began = time.thread_time()
        self._flushing = True
        # Taken out before anything is written: what is sent during a flush belongs to the next turn.
        owns = [connection.own or [] for connection in direct]
        for connection in direct:
            connection.own = None
        try:
            shares = self._write_shared(turn, direct, mixed=mixed) if turn else [_NOTHING] * len(direct)
            for connection, own, share in zip(direct, owns, shares, strict=True):
                data = _interleave(own, share)
                if data:
                    connection.write(data)
                connection.flushed()
            for call in finals:
                call()
        finally:
            self._flushing = False
        if (self._turn or self._direct or self._finals) and not self._scheduled:
            self._schedule()  # a connection that was dropped or closed caused frames for others
        now = time.monotonic()
        self._not_before = now + min(now - began, self._pace_limit_s)

    def _write_shared(
        self, turn: list[tuple[Audience, bytes]], direct: list[Connection], *, mixed: bool
    ) -> list[_Share]:
        """Write to everybody except those in `direct`, who get frames of their own between the shared ones.

        Returns:
            What each of those in `direct` gets of the shared frames.
        """
        if mixed:
            return self._write_mixed(turn, direct)
        audience = turn[0][0]
        share = _Share(range(len(turn)), [frame for _, frame in turn])
        send_to_all(audience.connections, audience.sends(self.generation, direct), b"".join(share.frames))
        return [share if connection in audience else _NOTHING for connection in direct]

    def _write_mixed(self, turn: list[tuple[Audience, bytes]], direct: list[Connection]) -> list[_Share]:
        """As `_write_shared`, for frames of several audiences: those in the same audiences share the bytes."""
        places: dict[Audience, list[int]] = {}
        for place, (audience, _) in enumerate(turn):
            places.setdefault(audience, []).append(place)
        bits = {audience: 1 << number for number, audience in enumerate(places)}
        memberships: dict[Connection, int] = {}
        for audience, bit in bits.items():
            for member in audience.connections:
                memberships[member] = memberships.get(member, 0) | bit
        shares = {0: _NOTHING}
        for audience, bit in bits.items():
            shares[bit] = _Share(places[audience], [turn[place][1] for place in places[audience]])
        groups: dict[int, list[Connection]] = {}
        apart = frozenset(direct)
        for member, mask in memberships.items():
            if mask not in shares:
                several = [place for place, (audience, _) in enumerate(turn) if bits[audience] & mask]
                shares[mask] = _Share(several, [turn[place][1] for place in several])
            if member not in apart:
                groups.setdefault(mask, []).append(member)
        for mask, members in groups.items():
            send_to_all(members, [member.send for member in members], b"".join(shares[mask].frames))
        return [shares[memberships.get(connection, 0)] for connection in direct]


def _call_late(connection: Connection, call: Callable[[], None], waiting: set[Connection]) -> None:
    waiting.discard(connection)
    call()


def _interleave(own: list[tuple[int, bytes | None]], share: _Share) -> bytes:
    """A connection's own frames and the shared ones that it gets, in the order of the calls."""
    places, frames = share
    parts: list[bytes] = []
    done = 0
    for place, frame in own:
        before = bisect_left(places, place, done)
        parts += frames[done:before]
        done = before
        if frame is not None:
            parts.append(frame)
        elif done < len(places) and places[done] == place:
            done += 1
    parts += frames[done:]
    return b"".join(parts)
