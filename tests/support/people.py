"""The people whom a writer in a room may mean, as a gateway finds them."""

from collections.abc import Callable

from chatroom.core.addressed import Addressed
from chatroom.core.events import Joined, Person
from chatroom.core.recent import Gone, RecentNames
from chatroom.core.recipients import People
from chatroom.core.roster import Roster


def roster_of(*names: str) -> Roster:
    """A roster of people with these names; the name is also the session."""
    roster = Roster()
    for name in names:
        roster.apply(Joined(Person(name, name)))
    return roster


def people_of(
    roster: Roster,
    recent: RecentNames | None = None,
    now: Callable[[Gone], Person | None] = lambda _gone: None,
) -> People:
    """Those of a roster, and those who gave up the names in `recent`; the time is 1.0."""
    left = recent or RecentNames()
    return People(
        roster.find,
        lambda name: left.find(name, 1.0),
        Addressed(),
        longer_here=roster.names_beginning_with,
        reach_here=roster.reach,
        reach_lately=left.reach,
        spelled_here=roster.names_spelled_like,
        spelled_lately=lambda keys: left.names_spelled_like(keys, 1.0),
        has_cjk_name=lambda: roster.has_cjk_name(""),
        now=now,
    )
