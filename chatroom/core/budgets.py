"""Budgets: the limits of one address, and what happens when it exceeds them.

Arithmetic on times that are passed in, in seconds of any one clock. `addresses` says what counts as one address.
"""

from __future__ import annotations

import enum
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Final

from chatroom.core.flood import Bucket, Rate

SITE_FACTOR: Final = 4  # the /48 of an IPv6 address may do as much as so many addresses
EVENT_UNIT: Final = 4096  # an event costs 1, and 1 more for each whole such part
MESSAGE_UNIT: Final = 500  # characters; a message costs 1 for each such part that it begins

_LONGEST_POLL_WAIT_S: Final = 10.0  # until a poll is answered
# Until a POST is answered: python-engineio's client gives up after five.
_LONGEST_POST_WAIT_S: Final = 2.0
_POST_S: Final = 0.0001  # what it takes to read a POST
_RETRY_S: Final = 5.0  # when to try again if nobody knows when a place becomes free

# An address is barred when so many of its sessions were cut within so long.
_CUTS: Final = 3
_CUTS_WITHIN_S: Final = 60.0
_FIRST_BAR_S: Final = 10.0  # doubled each time
_LONGEST_BAR_S: Final = 300.0
_CALM_S: Final = 600.0  # then the next bar is a short one again


class Kind(enum.IntEnum):
    """What is counted. (Other enums hash their members in Python, which costs microseconds per message.)"""

    SESSION = enum.auto()  # a new one
    MESSAGE = enum.auto()  # or a whisper, by `message_cost`
    JOIN = enum.auto()
    RENAME = enum.auto()
    HISTORY = enum.auto()  # a page
    WHO = enum.auto()
    TYPING = enum.auto()
    PING = enum.auto()
    LANG = enum.auto()  # a change of language
    HELP = enum.auto()
    ROOMS = enum.auto()
    TALK = enum.auto()  # the end of a private chat, or a question whom texts go to
    OTHER = enum.auto()
    EVENT = enum.auto()  # of any kind, before it is read
    CPU = enum.auto()  # seconds of a core
    POLL = enum.auto()  # an answer to a client that polls
    POST = enum.auto()  # of such a client
    WASTE = enum.auto()  # a frame or packet of no use: a WebSocket ping, a tiny fragment
    REFUSAL = enum.auto()  # of an event that came too soon
    REQUEST = enum.auto()  # seconds of a core, for HTTP requests that belong to no session
    HEALTH = enum.auto()  # a health check beyond `REQUEST`


def event_cost(length: int) -> int:
    """What an event of this length costs (characters, and bytes of attachments): an ordinary one 1."""
    return 1 + length // EVENT_UNIT


def message_cost(length: int) -> int:
    """What a message of so many characters costs: an ordinary one 1."""
    return -(-length // MESSAGE_UNIT) or 1


_RATES: Final = MappingProxyType(
    {
        # In any minute, a burst and what comes in that minute: 600 sessions, joins and messages, so 10 messages/s.
        Kind.SESSION: Rate(300, 5),
        Kind.JOIN: Rate(300, 5),
        Kind.MESSAGE: Rate(60, 9),
        Kind.RENAME: Rate(120, 3),
        Kind.HISTORY: Rate(300, 10),
        Kind.WHO: Rate(300, 10),
        Kind.TYPING: Rate(300, 50),
        Kind.PING: Rate(300, 50),
        Kind.LANG: Rate(120, 3),
        Kind.HELP: Rate(300, 10),
        Kind.ROOMS: Rate(300, 10),
        Kind.TALK: Rate(300, 10),
        Kind.OTHER: Rate(300, 50),
        Kind.EVENT: Rate(2000, 200),
        Kind.POLL: Rate(700, 75),  # each takes 0.07 ms, so these are 1% of a core over any 10 s
        # 0.1 ms each; 300 people who send 15 messages/s, and answer pings, make 27/s
        Kind.POST: Rate(300, 50),
        # Each takes 4 µs. Some libraries ping every 5 s, for each of 1,000 sessions.
        Kind.WASTE: Rate(2000, 200),
        # 300 people who send 15 messages/s, of which 6 are refused, and wait as told: about 20. That takes 2 ms/s.
        Kind.REFUSAL: Rate(300, 20),
        Kind.CPU: Rate(0.05, 0.005),  # 1% of a core over any 10 s
        # 1% of a core. At once: 300 people, each of whom loads the page's 15 files (3.5 ms on our machine) and makes
        # two handshakes (0.2 ms each), take 1.2 s. A machine may be half as fast, if they come within a minute.
        Kind.REQUEST: Rate(2, 0.01),
        Kind.HEALTH: Rate(30, 3),
    }
)


SESSION_RATES: Final = MappingProxyType(
    {
        Kind.JOIN: Rate(8, 0.5),
        Kind.RENAME: Rate(8, 0.5),
        Kind.HISTORY: Rate(40, 5),
        Kind.WHO: Rate(40, 5),
        Kind.TYPING: Rate(20, 2),
        Kind.LANG: Rate(8, 0.5),
        Kind.HELP: Rate(40, 5),
        Kind.ROOMS: Rate(40, 5),
        Kind.TALK: Rate(60, 10),
        Kind.OTHER: Rate(60, 10),
    }
)
"""What one session may do of each kind. Messages and events have settings; pings only count as events."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowance:
    """What one address may have and do.

    Attributes:
        sessions: at once.
        outbox_bytes: that may wait for all its clients together.
        held_names: that are kept for those of its clients whose connections were cut.
        cuts: of sessions that flood, within a minute; then it is barred for a time.
        rates: how much of each kind.
    """

    sessions: int = 1000
    outbox_bytes: int = 64_000_000
    held_names: int = 8
    cuts: int = _CUTS
    rates: Mapping[Kind, Rate] = field(default_factory=lambda: _RATES)

    def scaled(self, factor: float) -> Allowance:
        """This allowance multiplied by `factor`, but at least one of what is counted."""
        return replace(
            self,
            sessions=max(1, round(self.sessions * factor)),
            outbox_bytes=round(self.outbox_bytes * factor),
            held_names=max(1, round(self.held_names * factor)),
            cuts=max(_CUTS, round(self.cuts * factor)),
            rates=scaled(self.rates, factor),
        )


def scaled(rates: Mapping[Kind, Rate], factor: float) -> Mapping[Kind, Rate]:
    """These rates multiplied by `factor`, but at least one of what is counted."""
    return MappingProxyType({kind: _scaled(kind, rate, factor) for kind, rate in rates.items()})


def _scaled(kind: Kind, rate: Rate, factor: float) -> Rate:
    burst = rate.burst * factor
    least = 0.0 if kind in (Kind.CPU, Kind.REQUEST) else 1.0
    return Rate(max(least, burst), rate.per_second * factor)


class Outboxes:
    """What waits for the clients of all addresses together.

    Args:
        limit_bytes: how much may wait.
    """

    __slots__ = ("_limit_bytes", "_waiting_bytes")

    def __init__(self, limit_bytes: int) -> None:
        self._limit_bytes = limit_bytes
        self._waiting_bytes = 0

    def hold(self, size: int) -> bool:
        """Count bytes that wait, or (negative) no longer do; returns whether the sum may wait."""
        self._waiting_bytes += size
        return self._waiting_bytes <= self._limit_bytes


class AddressBudget:
    """What one address, or one /48, has left.

    Args:
        allowance: what it may have and do.
        site: the budget of its /48, which it shares with its neighbours; None if it has none.
        outboxes: where what waits is counted for all addresses together; None for a site, whose addresses do that.

    Attributes:
        sessions: how many it has.
        outbox_bytes: how many bytes wait for its clients.
        last_until: until then, clients of other addresses go first.
    """

    __slots__ = (
        "_allowance",
        "_bar_s",
        "_barred_until",
        "_buckets",
        "_cuts",
        "_outboxes",
        "_polls_full_at",
        "last_until",
        "outbox_bytes",
        "sessions",
        "site",
    )

    def __init__(
        self, allowance: Allowance, site: AddressBudget | None = None, outboxes: Outboxes | None = None
    ) -> None:
        self._allowance = allowance
        self._outboxes = outboxes
        self.site = site
        self.sessions = 0
        self.outbox_bytes = 0
        self.last_until = 0.0
        self._buckets: dict[Kind, Bucket] = {}
        self._cuts: deque[float] | None = None  # when its last sessions were cut
        self._barred_until = float("-inf")
        self._bar_s = 0.0  # how long the last bar was
        self._polls_full_at = 0.0

    # Rates

    def wait(self, kind: Kind, now: float, cost: float = 1.0) -> float:
        """Say whether `spend` would succeed: 0.0, or the seconds after which it would."""
        bucket = self._buckets.get(kind) or self._add(kind, now)
        wait_s = bucket.wait(now, min(cost, bucket.rate.burst))
        return wait_s if self.site is None else max(wait_s, self.site.wait(kind, now, cost))

    def owed_s(self, kind: Kind, now: float) -> float:
        """For how long nothing may be spent, because more was charged than there was."""
        bucket = self._buckets.get(kind) or self._add(kind, now)
        owed_s = bucket.wait(now, 0.0)
        return owed_s if self.site is None else max(owed_s, self.site.owed_s(kind, now))

    def used(self, kind: Kind, now: float, cost: float = 0.0) -> float:
        """How much of the burst is used up, `cost` included; 1.0 is all of it."""
        bucket = self._buckets.get(kind) or self._add(kind, now)
        used = (bucket.spent(now) + cost) / bucket.rate.burst
        return used if self.site is None else max(used, self.site.used(kind, now, cost))

    def spend(self, kind: Kind, now: float, cost: float = 1.0) -> float:
        """Spend `cost`, or nothing; a cost above what may be spent at once takes all of that.

        Returns:
            0.0, or the seconds after which it would succeed.
        """
        bucket = self._buckets.get(kind) or self._add(kind, now)
        wait_s = bucket.take(now, cost)
        if wait_s and cost > bucket.rate.burst:
            wait_s = bucket.take(now, bucket.rate.burst)
        if self.site is None:
            return wait_s
        if wait_s:
            return max(wait_s, self.site.wait(kind, now, cost))
        wait_s = self.site.spend(kind, now, cost)
        if wait_s:
            bucket.give_back(min(cost, bucket.rate.burst))
        return wait_s

    def charge_one(self, kind: Kind, now: float, cost: float) -> None:
        """As `charge`, for a single action: it costs at most what may be spent at once."""
        bucket = self._buckets.get(kind) or self._add(kind, now)
        burst = bucket.rate.burst
        if cost > burst:
            cost = burst
        self.charge(kind, now, cost)

    def charge(self, kind: Kind, now: float, cost: float) -> None:
        """Spend `cost` for what was done already; nothing more may be spent until the bucket has refilled."""
        bucket = self._buckets.get(kind) or self._add(kind, now)
        bucket.charge(now, cost)
        if self.site is not None:
            self.site.charge(kind, now, cost)

    def give_back(self, kind: Kind, cost: float) -> None:
        """Undo a `spend` that succeeded."""
        bucket = self._buckets.get(kind)
        if bucket is not None:  # otherwise all of it is left
            bucket.give_back(min(cost, bucket.rate.burst))
        if self.site is not None:
            self.site.give_back(kind, cost)

    def _add(self, kind: Kind, now: float) -> Bucket:
        bucket = self._buckets[kind] = Bucket(self._allowance.rates[kind], now)
        return bucket

    # Sessions

    def open_session(self, now: float) -> float:
        """Count one more session; returns 0.0, or the seconds after which the client may try again."""
        wait_s = self.barred_s(now)
        if not wait_s and self.has_all_sessions:
            wait_s = _RETRY_S
        if not wait_s:
            wait_s = self.spend(Kind.SESSION, now)
        if not wait_s:
            self._count_session(1)
        return wait_s

    def close_session(self) -> None:
        """One session less."""
        self._count_session(-1)

    @property
    def has_all_sessions(self) -> bool:
        """Whether it, or its site, has the most sessions that it may have at once."""
        full = self.sessions >= self._allowance.sessions
        return full or (self.site is not None and self.site.has_all_sessions)

    def _count_session(self, change: int) -> None:
        self.sessions += change
        if self.site is not None:
            self.site.sessions += change

    # Outboxes

    def hold(self, size: int) -> bool:
        """Count bytes that wait for its clients, or (negative) no longer do.

        Returns:
            Whether so much may wait for it, for its site, and for all addresses together.
        """
        self.outbox_bytes += size
        fits = self.outbox_bytes <= self._allowance.outbox_bytes
        if self.site is not None:
            fits = self.site.hold(size) and fits
        return fits if self._outboxes is None else self._outboxes.hold(size) and fits

    @property
    def group(self) -> AddressBudget:
        """Its site, if it has one."""
        return self.site or self

    @property
    def has_too_much(self) -> bool:
        """Whether more waits than may wait for it, or for its site."""
        has = self.outbox_bytes > self._allowance.outbox_bytes
        return has or (self.site is not None and self.site.has_too_much)

    def answer_wait_s(self, now: float) -> float:
        """Count an answer to a client that polls; returns after how many seconds it is its turn, at most ten."""
        # Each poll comes here, so only one number is kept of this bucket: the time at which it will be full.
        rate, full_at = self._allowance.rates[Kind.POLL], self._polls_full_at
        full_at = max(full_at, now) + 1 / rate.per_second
        empty = now + rate.burst / rate.per_second  # when it would be full if it were empty
        wait_s = 0.0
        if full_at > empty:
            wait_s = min(full_at - empty, _LONGEST_POLL_WAIT_S)
            full_at = empty + wait_s
        self._polls_full_at = full_at
        return wait_s if self.site is None else max(wait_s, self.site.answer_wait_s(now))

    def post_wait_s(self, now: float) -> float:
        """Count a POST of a client that polls; returns after how many seconds to answer it, at most two.

        Clients give up if they wait longer, so a POST beyond that is charged as computing time instead.
        """
        self.charge(Kind.POST, now, 1.0)
        owed_s = self.owed_s(Kind.POST, now)
        if owed_s > _LONGEST_POST_WAIT_S:
            self.charge(Kind.CPU, now, _POST_S)
        return min(owed_s, _LONGEST_POST_WAIT_S)

    def owes_time(self, now: float) -> bool:
        """Whether more computing time was used than there was."""
        return self.owed_s(Kind.CPU, now) > 0

    def waste(self, count: int, now: float) -> bool:
        """Count frames or packets of no use; returns whether its sessions sent too many of them lately."""
        self.charge(Kind.WASTE, now, count)
        return self.owed_s(Kind.WASTE, now) > 0

    # Floods

    def session_cut(self, now: float) -> None:
        """One of its sessions was cut because it flooded; after several in a short time the address is barred.

        A single cut bars no one: other people may be behind the same address.
        """
        if self._cuts is None:
            self._cuts = deque(maxlen=self._allowance.cuts)
        self._cuts.append(now)
        if len(self._cuts) == self._allowance.cuts and now - self._cuts[0] <= _CUTS_WITHIN_S:
            self._cuts = None
            calm = now - self._barred_until > _CALM_S
            self._bar_s = _FIRST_BAR_S if calm else min(2 * self._bar_s, _LONGEST_BAR_S)
            self._barred_until = now + self._bar_s

    def barred_s(self, now: float) -> float:
        """For how long new sessions of this address are refused."""
        return max(0.0, self._barred_until - now)
